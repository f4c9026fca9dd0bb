"""`ReLUClassifier`: classes, outputs, proofs, weights."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from reluplex_walk.estimators import ReLUClassifier


def diamond(n=160, seed=0):
    X = np.random.default_rng(seed).uniform(-1.0, 1.0, (n, 2))
    return X, np.where(np.abs(X).sum(axis=1) < 0.9, "in", "out")


def test_two_classes_that_no_line_parts():
    X, y = diamond()
    model = ReLUClassifier(n_nets=2).fit(X[:120], y[:120])
    line = LogisticRegression().fit(X[:120], y[:120])
    assert model.score(X[120:], y[120:]) > 0.8 > line.score(X[120:], y[120:])
    assert model.classes_.tolist() == ["in", "out"]
    outputs = model.decision_function(X)
    assert outputs.shape == (160,)
    assert (model.predict(X) == np.where(outputs > 0.0, "out", "in")).all()
    assert not hasattr(model, "predict_proba")


def test_three_classes_have_an_output_each():
    X, y = load_iris(return_X_y=True)
    model = ReLUClassifier(n_nets=2).fit(X, y)
    outputs = model.decision_function(X)
    assert outputs.shape == (150, 3)
    assert (model.predict(X) == outputs.argmax(axis=1)).all()
    assert cross_val_score(model, X, y, cv=3).mean() > 0.9


def test_output_layers_are_exact():
    X, y = diamond()
    model = ReLUClassifier(n_nets=2).fit(X, y)
    assert len(model.fits_) == len(model.certificates_) == 2
    for fit in model.fits_:
        assert fit.certificate.is_global
        fit.verify()


def test_weights_are_repetitions():
    X, y = diamond(60)
    weight = np.random.default_rng(0).integers(0, 3, 60)
    options = {"n_nets": 2, "n_steps": 100}
    weighted = ReLUClassifier(**options).fit(X, y, weight)
    again = np.random.default_rng(1).permutation(np.repeat(np.arange(60), weight))
    assert ReLUClassifier(**options).fit(X[again], y[again]).network_ == weighted.network_


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="one class"):
        ReLUClassifier().fit([[0.0], [1.0]], [1, 1])


def test_pipelines_searches_and_files():
    X, y = diamond(60)
    pipeline = make_pipeline(StandardScaler(), ReLUClassifier(n_nets=1, n_steps=100))
    search = GridSearchCV(pipeline, {"reluclassifier__hidden": [(2,), (6,)]}, cv=2).fit(X, y)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    assert (again.predict(X) == search.predict(X)).all()
