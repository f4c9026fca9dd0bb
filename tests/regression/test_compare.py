"""Tests between fits: published digits, and formulas written anew."""

import numpy as np
import pytest
from scipy import stats

import reluplex_walk as rw

ENGEL, STACK = rw.datasets.load_engel(), rw.datasets.load_stackloss()


def test_equal_slopes_of_engel():
    # Koenker, Quantile regression in R: a vignette, section 7: F 15.557, p 2.449e-07.
    fits = rw.quantile_path(ENGEL.X, ENGEL.y, [0.25, 0.5, 0.75])
    found = fits[0].compare(fits[1:])
    assert found.df == (2, 703)
    assert found.statistic == pytest.approx(15.557, abs=5e-4)
    assert found.p_value == pytest.approx(2.449e-07, rel=2e-4)
    assert found.test == "slopes"
    assert "equal slopes at tau=0.25, 0.5, 0.75" in found.message


def test_two_slopes_anew():
    low, high = rw.quantile_path(STACK.X, STACK.y, [0.4, 0.6])
    Z = np.column_stack([np.ones(21), STACK.X])
    H = []
    for fit in (low, high):  # cov = t (1 - t) H Z'Z H, which tells H: the square root between
        root = np.linalg.cholesky(Z.T @ Z).T
        inner = root @ fit.cov("nid") @ root.T / (fit.tau * (1 - fit.tau))
        values, vectors = np.linalg.eigh(inner)
        inverse = np.linalg.inv(root)
        H.append(inverse @ (vectors * np.sqrt(values)) @ vectors.T @ inverse.T)
    J = Z.T @ Z
    V = 0.24 * (H[0] @ J @ H[0] + H[1] @ J @ H[1])
    V -= 0.16 * (H[0] @ J @ H[1] + H[1] @ J @ H[0])
    d = (high.coefficients - low.coefficients)[1:]
    found = low.compare(high)
    assert found.df == (3, 39)
    assert found.statistic == pytest.approx(d @ np.linalg.solve(V[1:, 1:], d) / 3, rel=1e-7)


@pytest.mark.parametrize("kind", ["nid", "iid", "ker"])
def test_wald_anew(kind):
    large, small = rw.quantile(STACK.X, STACK.y, 0.4), rw.quantile(STACK.X[:, 2:], STACK.y, 0.4)
    b, V = large.coefficients[1:3], large.cov(kind)[1:3, 1:3]
    statistic = b @ np.linalg.solve(V, b) / 2
    for found in (large.compare(small, kind=kind), small.compare(large, kind=kind)):
        assert found.df == (2, 17)
        assert found.statistic == pytest.approx(statistic, rel=1e-9)
        assert found.p_value == pytest.approx(stats.f.sf(statistic, 2, 17), rel=1e-9)


def test_wald_where_features_are_combinations():
    # Air flow and water have one coefficient: b_1 = b_2.
    large = rw.lad(STACK.X, STACK.y)
    small = rw.lad(np.column_stack([STACK.X[:, 2], STACK.X[:, 0] + STACK.X[:, 1] + 5]), STACK.y)
    b, V = large.coefficients, large.cov("nid")
    expected = (b[1] - b[2]) ** 2 / (V[1, 1] + V[2, 2] - 2 * V[1, 2])
    found = large.compare(small)
    assert found.df == (1, 17)
    assert found.statistic == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("kind", [None, "nid"])
@pytest.mark.parametrize("weighted", [False, True])
def test_rank_anew(kind, weighted):
    rng = np.random.default_rng(0)
    X, tau = rng.normal(size=(120, 3)), 0.3
    y = X[:, 0] + (4 + X[:, 0]) * rng.normal(size=120)
    w = rng.integers(1, 4, 120).astype(float) if weighted else np.ones(120)
    large, small = (rw.quantile(x, y, tau, sample_weight=w) for x in (X, X[:, :1]))
    Z, others = w[:, None] * np.column_stack([np.ones(120), X[:, :1]]), w[:, None] * X[:, 1:]
    scores = small.dual / w  # tau above the fit, tau - 1 below
    root = np.ones(120)
    if kind == "nid":
        h = 120 ** (-1 / 3) * stats.norm.ppf(0.975) ** (2 / 3)
        z = stats.norm.ppf(tau)
        h *= (1.5 * stats.norm.pdf(z) ** 2 / (2 * z * z + 1)) ** (1 / 3)
        up, down = (rw.quantile(X[:, :1], y, t, sample_weight=w) for t in (tau + h, tau - h))
        root = np.sqrt(2 * h / (Z @ (up.coefficients - down.coefficients)))
    by = np.linalg.lstsq(root[:, None] * Z, root[:, None] * others)[0]
    rest = others - Z @ by
    score = rest.T @ scores
    expected = score @ np.linalg.solve(rest.T @ rest, score) / (tau * (1 - tau)) / 2
    found = large.compare(small, test="rank", kind=kind)
    assert found.df == (2, 116)
    assert found.statistic == pytest.approx(expected, rel=1e-8)
    assert found.p_value == pytest.approx(stats.f.sf(expected, 2, 116), rel=1e-7)


@pytest.mark.parametrize("test", ["wald", "rank"])
def test_what_is_there_is_found_and_what_is_not_is_not(test):
    rng = np.random.default_rng(3)
    rejected = np.zeros(2)
    for _ in range(60):
        X = rng.normal(size=(100, 3))
        y = X[:, 0] + rng.normal(size=100)
        large = rw.lad(X, y)
        rejected[0] += large.compare(rw.lad(X[:, :1], y), test=test).p_value < 0.1
        rejected[1] += large.compare(rw.lad(X[:, 1:], y), test=test).p_value < 0.1
    assert rejected[0] <= 16  # six are expected of a test that keeps its level
    assert rejected[1] == 60


def test_no_errors_at_all():
    x = np.random.default_rng(0).normal(size=(20, 2))
    large = rw.lad(x, x @ [1.0, 1.0])
    assert large.compare(rw.lad(x[:, :1], x @ [1.0, 1.0])).p_value == 0.0


def test_what_is_refused():
    large = rw.lad(STACK.X, STACK.y)
    with pytest.raises(ValueError, match="expected nested fits"):
        large.compare(rw.lad(STACK.X[:, :1] ** 2, STACK.y))
    with pytest.raises(ValueError, match="found the same model"):
        large.compare(rw.lad(STACK.X[:, ::-1], STACK.y))
    with pytest.raises(ValueError, match="expected a fit of the same targets"):
        large.compare(rw.lad(STACK.X[:, :1], STACK.y + 1))
    with pytest.raises(ValueError, match="expected a fit of the same weights"):
        large.compare(rw.lad(STACK.X[:, :1], STACK.y, sample_weight=np.arange(1, 22)))
    with pytest.raises(ValueError, match="expected a fit of the same targets"):
        large.compare(rw.lad(STACK.X[1:, :1], STACK.y[1:]))
    with pytest.raises(ValueError, match="expected the same features where tau differs"):
        large.compare(rw.quantile(STACK.X[:, :1], STACK.y, 0.3))
    with pytest.raises(ValueError, match="expected fits that differ in tau"):
        large.compare([large, rw.quantile(STACK.X, STACK.y, 0.3)])
    low, high = (rw.quantile(STACK.X, STACK.y, t, fit_intercept=False) for t in (0.3, 0.6))
    with pytest.raises(ValueError, match="expected fits with an intercept"):
        low.compare(high)
    with pytest.raises(ValueError, match="test: expected one of wald, rank"):
        large.compare(large, test="score")
    with pytest.raises(TypeError, match="other: expected a"):
        large.compare(STACK.X)
