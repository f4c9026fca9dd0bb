"""Networks that scikit-learn trained have the outputs that it predicts."""

import warnings

import numpy as np
import pytest

import reluplex_walk as rw

learn = pytest.importorskip("sklearn.neural_network")
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler  # noqa: E402


def fitted(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)) * [1.0, 10.0, 0.1] + [0.0, 100.0, 0.0]
    return X, X @ [1.0, -0.1, 2.0] + rng.normal(size=60)


@pytest.mark.parametrize("hidden", [(4,), (5, 3), ()])
def test_a_regressor(data, hidden):
    X, y = data
    model = learn.MLPRegressor(hidden_layer_sizes=hidden, max_iter=20, random_state=0)
    network = rw.ReLUNetwork.from_sklearn(fitted(model, X, y))
    assert network.widths == (3, *hidden, 1)
    assert np.allclose(network(X)[:, 0], model.predict(X), rtol=1e-12)
    assert (network.weights[0] == model.coefs_[0].T).all()


@pytest.mark.parametrize("classes", [2, 3])
def test_a_classifier_gives_logits(data, classes):
    X, y = data
    labels = np.digitize(y, np.quantile(y, np.arange(1, classes) / classes))
    model = fitted(
        learn.MLPClassifier(hidden_layer_sizes=(4,), max_iter=30, random_state=0), X, labels
    )
    logits = rw.ReLUNetwork.from_sklearn(model)(X)
    if classes == 2:
        shares = 1.0 / (1.0 + np.exp(-logits[:, 0]))
        assert np.allclose(shares, model.predict_proba(X)[:, 1])
    else:
        assert (logits.argmax(axis=1) == model.predict_proba(X).argmax(axis=1)).all()


@pytest.mark.parametrize(
    "scaler", [StandardScaler(), StandardScaler(with_mean=False), MinMaxScaler()]
)
def test_scalers_are_folded_in(data, scaler):
    X, y = data
    mlp = learn.MLPRegressor(hidden_layer_sizes=(4,), max_iter=20, random_state=0)
    model = make_pipeline(scaler, mlp)
    network = rw.ReLUNetwork.from_sklearn(fitted(model, X, y))
    assert network.widths == (3, 4, 1)
    assert np.allclose(network(X)[:, 0], model.predict(X), rtol=1e-10)


def test_other_models_are_refused(data):
    X, y = data
    mlp = learn.MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0)
    with pytest.raises(ValueError, match="fitted"):
        rw.ReLUNetwork.from_sklearn(mlp)
    with pytest.raises(ValueError, match="tanh"):
        rw.ReLUNetwork.from_sklearn(fitted(mlp.set_params(activation="tanh"), X, y))
    with pytest.raises(TypeError, match="StandardScaler"):
        rw.ReLUNetwork.from_sklearn(StandardScaler())
    pipe = fitted(make_pipeline(RobustScaler(), mlp.set_params(activation="relu")), X, y)
    with pytest.raises(ValueError, match="robustscaler"):
        rw.ReLUNetwork.from_sklearn(pipe)
