"""Equal samples merged, tied targets moved, rare categories: the minimum stays that of the data."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize, sparse

import reluplex_walk as rw
from reluplex_walk.exact.rationals import Rationals, objects
from reluplex_walk.problem.rows import distinct_columns, distinct_rows
from reluplex_walk.regression import proof, repeated
from reluplex_walk.regression.design import Samples
from reluplex_walk.regression.solver import minimise


def highs(X, y, tau, w):
    """Least loss, by the dual problem."""
    Z = sparse.csc_matrix(np.column_stack([np.ones(len(y)), X]))
    left = Z.multiply(w[:, None]).T.tocsc()
    right = (1.0 - tau) * np.asarray(left.sum(axis=1)).ravel()
    found = optimize.linprog(-w * y, A_eq=left, b_eq=right, bounds=(0.0, 1.0), method="highs")
    return -found.fun - (1.0 - tau) * (w @ y)


def dummies(n, seed):
    """Two categories, one of them with rare values, and counts for targets."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 6, n)
    second = np.where(rng.random(n) < 8.0 / n, rng.integers(2, 6, n), rng.integers(0, 2, n))
    X = np.column_stack([first[:, None] == np.arange(1, 6), second[:, None] == np.arange(1, 6)])
    X = X[:, X.any(axis=0)].astype(float)
    return X, rng.poisson(np.exp(0.3 * first + 0.2 * second)).astype(float)


@pytest.mark.parametrize("weights", ["none", "integers", "floats"])
@pytest.mark.parametrize("tau", [0.25, 0.5, 0.9])
def test_dummies_and_counts_against_highs(tau, weights):
    for seed in range(3):
        X, y = dummies(4000, seed)
        w = np.random.default_rng(99 + seed).integers(0, 4, len(y)).astype(float)
        w = {"none": np.ones(len(y)), "integers": w, "floats": 0.3 * np.sqrt(w)}[weights]
        fit = rw.quantile(X, y, tau, sample_weight=w)
        assert fit.status is rw.WalkStatus.GLOBAL_MINIMUM
        assert fit.loss == pytest.approx(highs(X, y, tau, w), rel=1e-9)
        assert (fit.dual >= -(1 - tau) * w - 1e-9).all()
        assert (fit.dual <= tau * w + 1e-9).all()
        assert fit.dual @ y == pytest.approx(fit.loss, rel=1e-12)
        np.testing.assert_allclose(np.column_stack([np.ones(len(y)), X]).T @ fit.dual, 0, atol=1e-7)
        fit.certificate.verify_exact(fit.problem)


def test_a_path_of_merged_samples():
    X, y = dummies(4000, 7)
    taus = [0.1, 0.5, 0.6, 0.95]
    path = rw.quantile_path(X, y, taus)
    for tau, fit in zip(taus, path, strict=True):
        assert fit.status is rw.WalkStatus.GLOBAL_MINIMUM
        assert fit.loss == rw.quantile(X, y, tau).loss
        fit.certificate.verify_exact(fit.problem)


def test_merging_changes_nothing_that_is_exact(monkeypatch):
    X, y = dummies(3000, 1)
    fit = rw.quantile(X, y, 0.3)
    monkeypatch.setattr(repeated, "_MANY", 10**9)
    other = rw.quantile(X, y, 0.3)
    assert fit.certificate.loss == other.certificate.loss


def test_what_is_merged():
    rng = np.random.default_rng(0)
    X, y = dummies(3000, 2)
    w = rng.integers(1, 3, len(y)).astype(float)
    samples = Samples.of(list(X.T), y, w)
    merged = repeated.Merged.of(samples)
    assert merged is not None
    assert merged.samples.w.sum() == w.sum()
    np.testing.assert_array_equal(merged.samples.x[:, merged.number], samples.x)
    np.testing.assert_array_equal(merged.samples.y[merged.number], y)
    assert repeated.Merged.of(Samples.of(list(X.T), y, w + 0.1)) is None  # sums would be rounded
    assert repeated.Merged.of(Samples.of([rng.normal(size=3000)], y, w)) is None


@pytest.mark.parametrize("seed", range(5))
def test_prices_of_given_samples_are_within_their_slopes(seed):
    # Of equal samples one is in the basis: the sides of the others leave it a price it may have.
    rng = np.random.default_rng(seed)
    n = 2500
    X, y = rng.integers(0, 3, (n, 2)).astype(float), rng.integers(0, 3, n).astype(float)
    w = rng.integers(1, 9, n).astype(float)
    samples = Samples.of(list(X.T), y, w)
    slopes = (Fraction(3), Fraction(7))
    assert repeated.Merged.of(samples) is not None
    found = minimise(samples, slopes)
    assert found.proved
    rows = found.basis.rows
    prices = proof.OptimalityTest(samples, slopes).prices(rows, found.side)
    for price, weight in zip(prices, w[rows].tolist(), strict=True):
        assert -7 * weight <= price <= 3 * weight


@pytest.mark.parametrize("collide", [False, True])
def test_distinct_columns(collide, monkeypatch):
    if collide:
        monkeypatch.setattr("reluplex_walk.problem.rows._ODD", 0)
    table = np.random.default_rng(0).integers(0, 3, (60, 3)).astype(float)
    for found, expected in zip(distinct_columns(list(table.T)), distinct_rows(table), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("seed", range(6))
def test_signs_of_residuals_in_integers(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.integers(-9, 9, (500, 3)) * [1.0, 10.0, 1000.0], rng.integers(-9, 9, 500) * 1.0
    samples = Samples.of(list(X.T), y, np.ones(500))
    some = np.arange(500)
    for den in (1, 3, 2**30, 2**60):
        num = objects([int(v) * den // 7 for v in rng.integers(-3, 3, 4)])
        theta = Rationals(num, den)
        given = [
            sum((Fraction(x) * c for x, c in zip(row, num, strict=True)), Fraction(0))
            - den * Fraction(t)
            for row, t in zip(samples.x.T.tolist(), y.tolist(), strict=True)
        ]
        expected = [(v > 0) - (v < 0) for v in given]
        assert proof.exact_signs(samples, theta, some).tolist() == expected
        assert (proof._signs_in_floats(samples, theta, some) is None) == (den == 2**60)
