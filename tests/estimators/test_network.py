"""`ReLURegressor`: what predicts, what is proved, and what weights, quantiles and seeds mean."""

import pickle

import numpy as np
import pytest
from sklearn.inspection import partial_dependence
from sklearn.metrics import mean_pinball_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import reluplex_walk as rw
from reluplex_walk.estimators import LADRegressor, ReLURegressor


def bent(n=120, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2.0, 2.0, (n, 2))
    return X, np.abs(X[:, 0]) + 0.5 * X[:, 1] + 0.1 * rng.standard_t(2, n)


@pytest.mark.parametrize("hidden", [4, (8,), (6, 4)])
def test_it_learns_a_bend_that_a_linear_fit_cannot(hidden):
    X, y = bent()
    model = ReLURegressor(hidden, n_nets=3).fit(X[:80], y[:80])
    linear = LADRegressor().fit(X[:80], y[:80])
    errors = [np.abs(each.predict(X[80:]) - y[80:]).mean() for each in (model, linear)]
    assert errors[0] < 0.5 * errors[1]
    assert model.fits_[0].share > 0.5
    depth = 1 if isinstance(hidden, int) else len(hidden)
    assert model.network_.n_layers == depth + 1


def test_without_gain_it_is_the_linear_fit():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(100, 3))
    y = X @ [1.0, 2.0, -1.0] + rng.normal(size=100)
    model = ReLURegressor().fit(X, y)
    assert model.fits_[0].share == 0.0
    assert model.network_.n_layers == 1
    np.testing.assert_allclose(model.predict(X), LADRegressor().fit(X, y).predict(X))


@pytest.mark.parametrize(
    ("X", "y"),
    [
        ([[1.0]], [2.0]),
        ([[float(k)] for k in range(5)], [0.0, 1.0, 0.0, 1.0, 0.0]),
        ([[float(k)] for k in range(30)], [3.0] * 30),
        ([[1.0]] * 30, list(range(30))),
    ],
)
def test_odd_data_are_left_to_the_linear_fit(X, y):
    model = ReLURegressor(n_nets=2).fit(X, y)
    np.testing.assert_allclose(model.predict(X), LADRegressor().fit(X, y).predict(X))


def test_everything_exact_is_proved():
    X, y = bent()
    model = ReLURegressor(n_nets=3).fit(X, y)
    assert len(model.certificates_) == 4
    assert all(each.is_global for each in model.certificates_)
    (fit,) = model.fits_
    for each in (fit.linear, *fit.outputs):
        each.verify()
    assert [each.X.shape[1] for each in fit.outputs] == [8, 8, 8]


def test_weights_are_repetitions_and_the_order_of_rows_does_not_count():
    X, y = bent(60)
    weight = np.random.default_rng(0).integers(0, 3, 60)
    weighted = ReLURegressor(n_nets=2, n_steps=200).fit(X, y, weight)
    again = np.random.default_rng(1).permutation(np.repeat(np.arange(60), weight))
    repeated = ReLURegressor(n_nets=2, n_steps=200).fit(X[again], y[again])
    assert weighted.network_ == repeated.network_


def test_quantiles_do_not_cross_and_are_quantiles():
    X, y = bent(400)
    model = ReLURegressor(loss="pinball", tau=[0.1, 0.5, 0.9], n_nets=2).fit(X, y)
    found = model.predict(X)
    assert found.shape == (400, 3)
    assert (np.diff(found, axis=1) >= 0.0).all()
    shares = (y[:, None] < found).mean(axis=0)
    np.testing.assert_allclose(shares, [0.1, 0.5, 0.9], atol=0.07)
    assert 0.3 < model.score(X, y) < 1.0
    high = ReLURegressor(loss="pinball", tau=0.9, n_nets=2).fit(X, y)
    linear = rw.quantile(X, y, 0.9)
    ours, theirs = (mean_pinball_loss(y, each.predict(X), alpha=0.9) for each in (high, linear))
    assert ours < 0.8 * theirs


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden", ()), ("hidden", (0,)), ("loss", "squared"), ("tau", 0.3), ("penalty", -1.0),
        ("n_nets", 0), ("validation_fraction", 1.0), ("n_steps", 0), ("time_limit", 0.0),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit(name, value):
    X, y = bent(20)
    with pytest.raises((ValueError, TypeError), match=name):
        ReLURegressor(**{name: value}).fit(X, y)


def test_a_time_limit_ends_it():
    X, y = bent()
    model = ReLURegressor(n_nets=10, n_steps=100_000, time_limit=0.2).fit(X, y)
    assert len(model.fits_[0].outputs) < 10
    assert np.isfinite(model.predict(X)).all()


def test_pipelines_searches_files_and_partial_dependence():
    X, y = bent(60)
    pipeline = make_pipeline(StandardScaler(), ReLURegressor(n_nets=2, n_steps=100))
    search = GridSearchCV(pipeline, {"reluregressor__hidden": [(2,), (8,)]})
    search.fit(X, y)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    assert (again.predict(X) == search.predict(X)).all()
    line = partial_dependence(again, X, [0], grid_resolution=5)
    assert line["average"].shape == (1, 5)
    seeds = [ReLURegressor(n_nets=1, n_steps=50, random_state=k).fit(X, y) for k in (0, 0, 1)]
    assert seeds[0].network_ == seeds[1].network_ != seeds[2].network_


def test_a_share_that_is_held_out():
    X, y = bent()
    model = ReLURegressor(n_nets=4, validation_fraction=0.25).fit(X, y)
    assert [len(each.y) for each in model.fits_[0].outputs] == [90] * 4
