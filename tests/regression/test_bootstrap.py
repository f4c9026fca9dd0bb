"""Replicates against fits of the same resamples, each from the start; what a bootstrap says."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linprog

import reluplex_walk as rw
from reluplex_walk.native.lad import STUCK
from reluplex_walk.regression import bootstrap as bootstrap_module
from reluplex_walk.regression.inference import kernel_density

ENGEL, STACK = rw.datasets.load_engel(), rw.datasets.load_stackloss()


def problem(name, seed=0):
    """X, y, weights, whether there is an intercept."""
    rng = np.random.default_rng(seed)
    n, p = {"many": (3000, 6), "few": (12, 3)}.get(name, (200, 3))
    X = rng.standard_t(3, (n, p))
    w, intercept = np.ones(n), True
    if name == "counts":
        X = rng.integers(0, 4, (n, p)).astype(float)
    y = X @ rng.normal(size=p) + rng.standard_cauchy(n)
    if name == "counts":
        y = np.round(y)
    elif name == "weights":
        w = rng.integers(0, 4, n).astype(float)
    elif name == "no intercept":
        intercept = False
    elif name == "equal rows":
        X, y = np.repeat(X[:50], 4, axis=0), np.repeat(np.round(y[:50]), 4)
    elif name == "years":
        X[:, 0] = 2000.0 + rng.integers(0, 20, n)
        y = np.round(1e6 * y)
    return X, y, w, intercept


PROBLEMS = ["plain", "many", "few", "counts", "weights", "no intercept", "equal rows", "years"]


def loss(X, y, w, tau, coefficients):
    r = y - coefficients[0] - X @ coefficients[1:]
    return w @ np.where(r > 0, tau * r, (tau - 1) * r)


def close(X, y, w, tau, coefficients, intercept):
    """Whether these have the least loss; of weights that leave something to lose."""
    best = rw.quantile(X, y, tau, sample_weight=w, fit_intercept=intercept).loss
    found = loss(X, y, w, tau, coefficients)
    return found <= best * (1 + 1e-9) + 1e-11 * (w @ np.abs(y))


@pytest.mark.parametrize("tau", [0.5, 0.85])
@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.filterwarnings("ignore::reluplex_walk.RankWarning")
def test_xy_replicates_are_fits_of_resamples(name, tau):
    X, y, w, intercept = problem(name)
    fit = rw.quantile(X, y, tau, sample_weight=w, fit_intercept=intercept)
    found = fit.bootstrap(20, seed=3)
    assert found.ended is rw.Ended.FINISHED
    kept = np.flatnonzero(w)
    draws = np.random.default_rng(3).integers(0, len(kept), (20, len(kept)))
    for drawn, coefficients in zip(draws, found.coefficients, strict=True):
        counts = w * np.bincount(kept[drawn], minlength=len(y))
        assert close(X, y, counts, tau, coefficients, intercept)


def test_xy_replicates_against_highs():
    X, y, _, _ = problem("plain")
    for tau in (0.5, 0.2):
        found = rw.quantile(X, y, tau).bootstrap(6).coefficients
        draws = np.random.default_rng(0).integers(0, 200, (6, 200))
        for drawn, coefficients in zip(draws, found, strict=True):
            free = np.column_stack([np.ones(200), X[drawn]])
            best = linprog(
                np.concatenate([np.zeros(4), np.full(200, tau), np.full(200, 1 - tau)]),
                A_eq=np.hstack([free, np.eye(200), -np.eye(200)]),
                b_eq=y[drawn],
                bounds=[(None, None)] * 4 + [(0, None)] * 400,
            )
            lost = loss(X[drawn], y[drawn], np.ones(200), tau, coefficients)
            assert lost == pytest.approx(best.fun, rel=1e-9)


def sizes(fit):
    """|r| and what is added for leverage, of samples of weight > 0."""
    kept, tau = fit.sample_weight > 0, fit.tau
    X, w, r = fit.X[kept], fit.sample_weight[kept], fit.residuals[kept]
    Z = np.column_stack([np.ones(len(r)), X])[:, 0 if fit.fit_intercept else 1 :] * w[:, None]
    r[np.argsort(np.abs(r) / np.abs(Z).sum(axis=1))[: Z.shape[1]]] = 0.0
    hat = np.diag(Z @ np.linalg.inv(Z.T @ Z) @ Z.T)
    f = kernel_density(w * r, tau).mean()
    return np.abs(r) + hat * np.where(r >= 0.0, tau, 1 - tau) / f / w


@pytest.mark.parametrize("tau", [0.5, 0.85])
@pytest.mark.parametrize("name", PROBLEMS)
def test_wild_replicates_are_fits_of_other_targets(name, tau):
    X, y, w, intercept = problem(name)
    fit = rw.quantile(X, y, tau, sample_weight=w, fit_intercept=intercept)
    found = fit.bootstrap(10, "wild", seed=3)
    kept = np.flatnonzero(w)
    below = np.random.default_rng(3).random((10, len(kept))) < tau
    fitted, size = fit.predict(X)[kept], sizes(fit)
    for negative, coefficients in zip(below, found.coefficients, strict=True):
        targets = fitted + np.where(negative, -2 * tau, 2 * (1 - tau)) * size
        assert close(X[kept], targets, w[kept], tau, coefficients, intercept)


def test_groups_are_drawn_as_a_whole():
    X, y, _, _ = problem("plain")
    groups = np.arange(200) % 40
    fit = rw.lad(X, y)
    found = fit.bootstrap(10, clusters=[f"s{g}" for g in groups], seed=1)
    draws = np.random.default_rng(1).integers(0, 40, (10, 40))
    for drawn, coefficients in zip(draws, found.coefficients, strict=True):
        counts = np.bincount(drawn, minlength=40)[groups].astype(float)
        assert close(X, y, counts, 0.5, coefficients, True)
    wild = fit.bootstrap(5, "wild", clusters=groups, seed=1)
    below = (np.random.default_rng(1).random((5, 40)) < 0.5)[:, groups]
    for negative, coefficients in zip(below, wild.coefficients, strict=True):
        targets = fit.predict(X) + np.where(negative, -1, 1) * sizes(rw.quantile(X, y))
        assert close(X, targets, np.ones(200), 0.5, coefficients, True)


@pytest.mark.parametrize("method", ["xy", "wild"])
def test_nothing_but_speed_depends_on_where_it_starts(method, monkeypatch):
    X, y, _, _ = problem("many")
    fit = rw.quantile(X, y, 0.3)
    found = fit.bootstrap(12, method).coefficients
    for name, value in (("_NEAR", 0.05), ("_SEEN", -2.2), ("_LEAST", 1), ("_BATCH", 1)):
        monkeypatch.setattr(bootstrap_module, name, value)
        np.testing.assert_allclose(fit.bootstrap(12, method).coefficients, found, rtol=1e-10)
    monkeypatch.setattr(bootstrap_module, "_hessian", lambda samples, r, tau: np.zeros((7, 7)))
    np.testing.assert_allclose(fit.bootstrap(12, method).coefficients, found, rtol=1e-10)
    monkeypatch.setattr(bootstrap_module, "_hessian", lambda samples, r, tau: np.eye(7))
    np.testing.assert_allclose(fit.bootstrap(12, method).coefficients, found, rtol=1e-10)
    monkeypatch.setattr(bootstrap_module, "resample", lambda *_: STUCK)
    np.testing.assert_allclose(fit.bootstrap(12, method).coefficients, found, rtol=1e-10)


def test_the_seed_says_it_all():
    fit = rw.quantile(ENGEL.X, ENGEL.y)
    few, many = fit.bootstrap(10, seed=4), fit.bootstrap(30, seed=4)
    np.testing.assert_array_equal(few.coefficients, many.coefficients[:10])
    assert (fit.bootstrap(10, seed=5).coefficients != few.coefficients).any()


def test_resamples_that_leave_a_coefficient_open():
    rng = np.random.default_rng(0)
    X = np.column_stack([np.arange(40.0), np.zeros(40)])
    X[7, 1] = 1.0  # a dummy of one sample
    y = X @ [0.5, 3.0] + rng.normal(size=40)
    fit = rw.lad(X, y)
    found = fit.bootstrap(50, seed=2)
    draws = np.random.default_rng(2).integers(0, 40, (50, 40))
    absent = ~(draws == 7).any(axis=1)
    assert found.singular == absent.sum() > 0
    assert np.abs(found.coefficients[absent, 2] - fit.coefficients[2]).max() < 3.0
    others = X[:, :1], y, np.bincount(draws[absent][0], minlength=40).astype(float)
    assert close(*others, 0.5, found.coefficients[absent][0][:2], True)


def test_intervals_and_errors():
    fit = rw.quantile(ENGEL.X, ENGEL.y, 0.7)
    found = fit.bootstrap(300)
    np.testing.assert_allclose(found.bse, found.coefficients.std(axis=0, ddof=1))
    np.testing.assert_allclose(np.sqrt(np.diag(found.cov)), found.bse)
    expected = np.quantile(found.coefficients, [0.025, 0.975], axis=0).T
    np.testing.assert_allclose(found.conf_int(0.95), expected)
    far = stats.norm.ppf(0.975) * found.bse
    np.testing.assert_allclose(found.conf_int(0.95, "normal")[:, 1], fit.coefficients + far)
    whole = fit.bootstrap()
    np.testing.assert_allclose(fit.bse("boot"), whole.bse)
    far = stats.t.ppf(0.9, 233) * whole.bse
    np.testing.assert_allclose(fit.conf_int("boot", 0.8)[:, 1], fit.coefficients + far)
    by_five = np.arange(235) // 5
    far = stats.t.ppf(0.95, 46) * fit.bootstrap(clusters=by_five).bse
    found = fit.conf_int("boot", groups=by_five)
    np.testing.assert_allclose(found[:, 1], fit.coefficients + far)


@pytest.mark.parametrize("method", ["xy", "wild"])
def test_errors_are_those_of_theory(method):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(4000, 3))
    fit = rw.quantile(X, X.sum(axis=1) + rng.normal(size=4000), 0.25)
    density = stats.norm.pdf(stats.norm.ppf(0.25))
    expected = np.sqrt(0.25 * 0.75 / 4000) / density
    np.testing.assert_allclose(fit.bootstrap(400, method).bse, expected, rtol=0.2)


def test_a_perfect_fit_has_one_replicate():
    x = np.arange(9.0)[:, None]
    for method in ("xy", "wild"):
        found = rw.lad(x, 2.0 * x[:, 0] + 1.0).bootstrap(20, method)
        np.testing.assert_allclose(found.coefficients, np.tile([1.0, 2.0], (20, 1)), rtol=1e-12)


def test_it_ends_where_it_is_told_to():
    fit = rw.quantile(ENGEL.X, ENGEL.y)

    def stop(progress):
        assert progress.n == 50
        if progress.done == 7:
            raise StopIteration

    found = fit.bootstrap(50, callback=stop)
    assert found.ended is rw.Ended.INTERRUPTED
    np.testing.assert_array_equal(found.coefficients, fit.bootstrap(7).coefficients)
    nothing = fit.bootstrap(50, time_limit=1e-9)
    assert nothing.ended is rw.Ended.TIME_LIMIT
    assert nothing.coefficients.shape == (0, 2)
    with pytest.raises(ValueError, match="expected 1 replicates at least, found 0"):
        nothing.conf_int()


def test_what_is_refused():
    fit = rw.lad(STACK.X, STACK.y)
    with pytest.raises(ValueError, match="method: expected one of xy, wild"):
        fit.bootstrap(10, "pairs")
    with pytest.raises(ValueError, match="n: expected an integer >= 1"):
        fit.bootstrap(0)
    with pytest.raises(ValueError, match=r"^clusters: expected"):
        fit.bootstrap(10, clusters=[1, 2])
    with pytest.raises(ValueError, match="expected more samples than the"):
        rw.lad(STACK.X[:3], STACK.y[:3]).bootstrap(10)
