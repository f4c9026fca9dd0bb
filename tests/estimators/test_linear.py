"""Linear estimators against those of scikit-learn, and what pipelines, searches and files need."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.inspection import partial_dependence
from sklearn.linear_model import QuantileRegressor as TheirQuantileRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import reluplex_walk as rw
from reluplex_walk.estimators import LADRegressor, QuantileRegressor


def data(n=203, p=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X @ rng.normal(size=p) + rng.standard_t(3, n), rng.uniform(0.5, 2.0, n)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 0.013, 0.1])
@pytest.mark.parametrize("quantile", [0.5, 0.83])
def test_coefficients_are_those_of_scikit_learn(quantile, alpha, fit_intercept):
    X, y, weight = data()
    options = {"quantile": quantile, "alpha": alpha, "fit_intercept": fit_intercept}
    for each in (None, weight):
        ours = QuantileRegressor(**options).fit(X, y, each)
        theirs = TheirQuantileRegressor(**options).fit(X, y, each)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-8)
        assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=1e-8)
        assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-8)
        assert ours.certificate_.is_global
        ours.fit_.verify()


def test_arguments_of_scikit_learn_are_taken():
    X, y, _ = data()
    known = TheirQuantileRegressor().get_params()
    assert QuantileRegressor().get_params().keys() == known.keys()
    ours = QuantileRegressor(**known).fit(X, y)
    np.testing.assert_allclose(ours.coef_, TheirQuantileRegressor().fit(X, y).coef_, atol=1e-8)


def test_lad_is_the_median_with_twice_the_loss():
    X, y, weight = data()
    lad = LADRegressor(alpha=0.2).fit(X, y, weight)
    median = QuantileRegressor(alpha=0.1).fit(X, y, weight)
    np.testing.assert_allclose(lad.coef_, median.coef_, atol=1e-12)
    assert lad.fit_.loss == pytest.approx(2.0 * median.fit_.loss)


@pytest.mark.parametrize("alpha", [0.0, 0.02])
def test_several_quantiles_do_not_cross(alpha):
    X, y, weight = data(n=40, p=4)
    taus = [0.2, 0.4, 0.5, 0.6, 0.9]
    model = QuantileRegressor(taus, alpha=alpha).fit(X, y, weight)
    far = 10.0 * np.random.default_rng(1).normal(size=(500, 4))
    assert model.predict(far).shape == (500, 5)
    assert (np.diff(model.predict(far), axis=1) >= 0.0).all()
    assert model.coef_.shape == (5, 4)
    assert model.intercept_.shape == (5,)
    assert 0.0 < model.score(X, y) < 1.0
    assert all(each.is_global for each in model.certificates_)
    with pytest.raises(AttributeError, match="take fits_"):
        model.fit_  # noqa: B018
    if alpha == 0.0:  # also without being sorted, at the rows of the fit
        raw = X @ model.coef_.T + model.intercept_
        assert (np.diff(raw, axis=1) >= -1e-9).all()


@pytest.mark.parametrize("quantile", [0.0, 1.0, [], [0.5, 0.5], [0.9, 0.1], [0.1, 1.2]])
def test_quantiles_that_do_not_fit(quantile):
    X, y, _ = data()
    with pytest.raises(ValueError, match="quantile"):
        QuantileRegressor(quantile).fit(X, y)


@pytest.mark.parametrize("alpha", [0.0, 0.05])
def test_sparse_features(alpha):
    X, y, weight = data()
    X[np.abs(X) < 1.0] = 0.0
    dense = QuantileRegressor(0.7, alpha).fit(X, y, weight)
    thin = QuantileRegressor(0.7, alpha).fit(sparse.csr_array(X), y, weight)
    np.testing.assert_allclose(thin.coef_, dense.coef_, atol=1e-9)
    np.testing.assert_allclose(thin.predict(sparse.csr_array(X)), dense.predict(X), atol=1e-9)


def test_aliased_columns_are_left_out_without_a_warning():
    X, y, _ = data()
    model = LADRegressor().fit(np.column_stack([X, 2.0 * X[:, 0]]), y)
    assert model.fit_.aliased.tolist() == [3]
    np.testing.assert_allclose(model.coef_[:3], rw.lad(X, y).coefficients[1:], atol=1e-12)


def test_pipelines_searches_clones_and_files():
    X, y, weight = data()
    pipeline = make_pipeline(StandardScaler(), QuantileRegressor(0.5))
    grid = {"quantileregressor__alpha": [0.0, 0.1, 1.0]}
    search = GridSearchCV(pipeline, grid, scoring="neg_mean_absolute_error", cv=3)
    search.fit(X, y, quantileregressor__sample_weight=weight)
    assert search.best_params_ == {"quantileregressor__alpha": 0.0}
    model = clone(search.best_estimator_[-1]).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict(X) == model.predict(X)).all()
    assert again.fit_.verify() == model.fit_.verify()


def test_names_of_features_and_partial_dependence():
    pd = pytest.importorskip("pandas")
    X, y, _ = data()
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = LADRegressor().fit(frame, y)
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    assert model.n_features_in_ == 3
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["b", "a", "c"]])
    line = partial_dependence(model, frame, ["b"], grid_resolution=5)
    slope = np.diff(line["average"][0]) / np.diff(line["grid_values"][0])
    np.testing.assert_allclose(slope, model.coef_[1])
    scaled = make_pipeline(StandardScaler(), LADRegressor()).set_output(transform="pandas")
    assert scaled.fit(frame, y)[-1].feature_names_in_.tolist() == ["a", "b", "c"]
