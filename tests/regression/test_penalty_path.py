"""All L1 penalties at once: against single fits, another solver, and what must be at the ends."""

import numpy as np
import pytest
from scipy.optimize import linprog

import reluplex_walk as rw


def problem(seed):
    """Small ones, with ties of all sorts."""
    rng = np.random.default_rng(seed)
    n, p = rng.integers(1, 20), rng.integers(1, 6)
    X, y, w = rng.normal(size=(n, p)), rng.normal(size=n), np.ones(n)
    if seed % 3 == 1:
        X, y = rng.integers(-2, 3, (n, p)) + 0.0, rng.integers(-3, 4, n) + 0.0
    if seed % 3 == 2:
        X, y, w = X.round(1), y.round(1), rng.integers(1, 4, n) * 0.5
    return X, y, w, (0.5, 0.3, 1.0 / 3.0, 0.9)[seed % 4], bool(seed % 5)


def cost(path, alpha, b):
    r = path.y - path.X @ b[1:] - b[0]
    loss = path.sample_weight @ np.where(r > 0.0, path.tau * r, (path.tau - 1.0) * r)
    return loss + alpha * path.sample_weight.sum() * np.abs(b[1:]).sum()


def least(path, alpha):
    """By HiGHS."""
    (n, p), w = path.X.shape, path.sample_weight
    costs = [0.0, *np.full(2 * p, alpha * w.sum()), *path.tau * w, *(1.0 - path.tau) * w]
    equal = np.hstack([np.ones((n, 1)), path.X, -path.X, np.eye(n), -np.eye(n)])
    free = (None, None) if path.fit_intercept else (0, 0)
    bounds = [free, *[(0, None)] * (2 * p + 2 * n)]
    return linprog(costs, None, None, equal, path.y, bounds).fun


@pytest.mark.parametrize("seed", range(24))
def test_each_row_is_a_minimum_at_both_ends_of_its_interval(seed):
    # Then within it, too: costs are lines in alpha, the least one is concave.
    X, y, w, tau, intercept = problem(seed)
    path = rw.quantile_penalty_path(X, y, tau, sample_weight=w, fit_intercept=intercept)
    assert path.status.name == "GLOBAL_MINIMUM"
    assert path.alphas[-1] == 0.0
    assert (np.diff(path.alphas) < 0.0).all()
    assert not path.coefficients[0, 1:].any()
    scale = w @ np.abs(y) + 1e-9
    above = np.append(2.0 * path.alphas[0] + 1.0, path.alphas[:-1])
    for low, high, b in zip(path.alphas, above, path.coefficients, strict=True):
        for alpha in (low, high):
            assert cost(path, alpha, b) == pytest.approx(least(path, alpha), abs=1e-8 * scale)
    assert (np.diff(path.loss) < 1e-9 * scale).all()


@pytest.mark.parametrize("tau", [0.25, 0.5])
def test_rows_are_the_single_fits(tau):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 8))
    y = X[:, 0] - X[:, 3] + rng.normal(size=60)
    path = rw.quantile_penalty_path(X, y, tau)
    assert len(path.alphas) > 8
    assert (np.diff(path.coefficients, axis=0) != 0.0).any(axis=1).all()
    middles = (path.alphas[1:] + path.alphas[:-1]) / 2.0
    for alpha, b in zip(middles, path.coefficients[1:], strict=True):
        assert np.array_equal(rw.quantile(X, y, tau, alpha=alpha).coefficients, b)
        assert np.array_equal(path.at(alpha), b)
    assert np.array_equal(rw.quantile(X, y, tau).coefficients, path.coefficients[-1])
    assert rw.quantile(X, y, tau, alpha=0.999 * path.alphas[0]).coefficients[1:].any()
    assert not rw.quantile(X, y, tau, alpha=1.001 * path.alphas[0]).coefficients[1:].any()


def test_criteria():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(200, 6))
    y = 2.0 * X[:, 1] + rng.normal(size=200)
    path = rw.quantile_penalty_path(X, y)
    k = path.best("sic")
    assert path.n_active[k] < 6
    assert path.coefficients[k, 2]
    assert path.n_active[k] <= path.n_active[path.best("aic")]
    likelihood = 200.0 * (np.log(0.25) - 1.0 - np.log(path.loss[k] / 200.0))
    edf = path.n_active[k] + 1
    assert path.aic[k] == pytest.approx(2.0 * edf - 2.0 * likelihood, rel=1e-12)
    assert path.sic[k] == pytest.approx(np.log(200.0) * edf - 2.0 * likelihood, rel=1e-12)
    with pytest.raises(ValueError, match="criterion"):
        path.best("bic")


def test_a_constant_response_and_names():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 1.0, 0.0]})
    path = rw.quantile_penalty_path(table, pandas.Series([3.0, 3.0, 3.0]))
    assert path.alphas.tolist() == [0.0]
    assert path.at(1.0).to_dict() == {"Intercept": 3.0, "a": 0.0, "b": 0.0}


@pytest.mark.parametrize("size", [1e-9, 1e9])
def test_scales(size):
    X, y, _, tau, _ = problem(2)
    one = rw.quantile_penalty_path(X, y, tau)
    other = rw.quantile_penalty_path(X * size, y, tau)
    assert np.allclose(other.alphas, one.alphas * size, rtol=1e-9)
    assert np.allclose(other.coefficients[:, 1:], one.coefficients[:, 1:] / size, rtol=1e-9)


def test_it_can_be_stopped():
    rng = np.random.default_rng(0)
    path = rw.quantile_penalty_path(
        rng.normal(size=(500, 5)), rng.normal(size=500), time_limit=1e-9
    )
    assert path.ended is rw.Ended.TIME_LIMIT
    with pytest.raises(ValueError, match="alpha: expected a number"):
        path.at(0.0)


@pytest.mark.parametrize("tau", [0.0, 1.0, -1.0, float("nan")])
def test_bad_quantiles_are_refused(tau):
    with pytest.raises(ValueError, match="tau"):
        rw.quantile_penalty_path([[0.0], [1.0]], [1.0, 2.0], tau)
