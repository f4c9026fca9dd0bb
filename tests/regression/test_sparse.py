"""Sparse features: the fits of dense ones, proved, and what does not fit in memory refused."""

import warnings
from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize, sparse

import reluplex_walk as rw
from reluplex_walk.regression.sparse import exact as sparse_exact, solver as sparse_solver
from reluplex_walk.regression.sparse.check import check
from reluplex_walk.regression.sparse.gradient import SparseSamples, gradient
from reluplex_walk.regression.sparse.numbers import Exact


def dummies(codes, k):
    """(n, k) as columns."""
    n = len(codes)
    return sparse.csc_array((np.ones(n), (np.arange(n), codes)), shape=(n, k))


def fixed_effects(n, groups, d=2, seed=0, second=0):
    """X (n, d + groups [+ second - 1]) and y (n,)."""
    rng = np.random.default_rng(seed)
    one, dense = rng.integers(0, groups, n), rng.normal(size=(n, d))
    y = dense.sum(axis=1) + rng.normal(size=groups)[one] + rng.standard_t(3, n)
    parts = [sparse.csc_array(dense), dummies(one, groups)]
    if second:
        two = rng.integers(0, second, n)
        parts.append(dummies(two, second)[:, 1:])
        y += rng.normal(size=second)[two]
    return sparse.csc_array(sparse.hstack(parts)), y


def random_case(seed):
    """X (n, p) dense, with many zeros, y, weights or None, tau, fit_intercept: ties and all."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    parts = [
        np.eye(max(1, n // 3))[rng.integers(0, max(1, n // 3), n)],
        np.c_[np.eye(4)[rng.integers(0, 4, n)], np.eye(5)[rng.integers(0, 5, n)]],
        rng.integers(-2, 3, (n, int(rng.integers(1, 8)))) * (rng.random((n, 1)) < 0.6),
        rng.normal(size=(n, int(rng.integers(1, 6)))) * (rng.random((n, 1)) < 0.7),
    ]
    X = parts[seed % 4].astype(float)
    if rng.random() < 0.5:
        X = np.c_[rng.normal(size=(n, int(rng.integers(1, 3)))), X]
    if rng.random() < 0.3:
        X = np.c_[X, rng.integers(0, 3, (n, 1)) / 10, X[:, :1] * 3.0]
    y = rng.normal(size=n) if rng.random() < 0.5 else rng.integers(-2, 3, n).astype(float)
    weights = [None, None, rng.integers(0, 3, n).astype(float), rng.random(n)][rng.integers(0, 4)]
    if weights is not None and not weights.any():
        weights[0] = 1.0
    return X, y, weights, float(rng.choice([0.5, 0.1, 0.9, 0.01, 1.0 / 3.0])), rng.random() < 0.6


@pytest.mark.filterwarnings("ignore::reluplex_walk.RankWarning")
@pytest.mark.parametrize("seed", range(80))
def test_as_dense(seed):
    X, y, weights, tau, fit_intercept = random_case(seed)
    options = {"sample_weight": weights, "fit_intercept": fit_intercept}
    kind = (sparse.csc_array, sparse.csr_matrix, sparse.coo_array)[seed % 3]
    try:
        dense = rw.quantile(X, y, tau, **options)
    except ValueError:
        with pytest.raises(ValueError, match=r"fit_intercept: .* all inputs are 0"):
            rw.quantile(kind(X), y, tau, **options)
        return
    fit = rw.quantile(kind(X), y, tau, **options)
    room = 1e-9 * dense.loss + 1e-12 * np.abs(y).sum()
    assert fit.status is dense.status is rw.WalkStatus.GLOBAL_MINIMUM
    assert abs(fit.loss - dense.loss) <= room
    assert abs(float(fit.verify()) - dense.loss) <= room
    assert fit.aliased.tolist() == dense.aliased.tolist()
    assert not fit.coefficients[1:][fit.aliased].any()
    w = np.ones(len(y)) if weights is None else weights
    Z = np.c_[np.ones(len(y)), X][:, 0 if fit_intercept else 1 :]
    assert np.abs(Z.T @ fit.dual).max() < 1e-9
    assert (fit.dual <= tau * w + 1e-12).all()
    assert (fit.dual >= -(1.0 - tau) * w - 1e-12).all()
    assert np.isclose(fit.dual @ y, fit.loss, rtol=1e-9, atol=room)
    np.testing.assert_allclose(fit.predict(X), fit.predict(kind(X)), atol=1e-12)


@pytest.mark.parametrize("tau", [0.5, 0.3, 0.95])
@pytest.mark.parametrize("second", [0, 12])
def test_fixed_effects_as_highs(tau, second):
    X, y = fixed_effects(1500, 120, second=second)
    fit = rw.quantile(X, y, tau, fit_intercept=False)
    bounds = tau - 1.0, tau
    found = optimize.linprog(-y, A_eq=X.T, b_eq=np.zeros(X.shape[1]), bounds=bounds)
    assert fit.status.proved
    assert np.isclose(fit.loss, -found.fun, rtol=1e-9)
    assert float(fit.verify()) == pytest.approx(fit.loss, rel=1e-12)


def test_coefficients_where_they_are_unique():
    X, y = fixed_effects(600, 13, seed=4)
    fit = rw.quantile(X, y, 0.37, fit_intercept=False)
    dense = rw.quantile(X.toarray(), y, 0.37, fit_intercept=False)
    np.testing.assert_allclose(fit.coefficients, dense.coefficients, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(fit.residuals, dense.residuals, atol=1e-12)


def test_all_dummies_beside_the_constant():
    X, y = fixed_effects(400, 30, second=7)
    with pytest.warns(rw.RankWarning, match="column 31 up to rounding") as told:
        fit = rw.lad(X, y)
    assert [each.filename for each in told] == [__file__]
    without = rw.lad(X, y, fit_intercept=False)
    assert fit.aliased.tolist() == [31]
    assert fit.verify() == without.verify()
    assert np.isclose(fit.loss, without.loss, rtol=1e-12)


def test_a_path_tells_of_them_once():
    X, y = fixed_effects(400, 30, second=7)
    with pytest.warns(rw.RankWarning, match="column 31 up to rounding") as told:
        fits = rw.quantile_path(X, y, [0.25, 0.75])
    assert [each.filename for each in told] == [__file__]
    for fit in fits:
        alone = rw.quantile(X, y, fit.tau, fit_intercept=False)
        assert fit.verify() == alone.verify()


def test_columns_dependent_up_to_rounding():
    X, y = fixed_effects(300, 20)
    near = X[:, [1]].toarray() + 1e-9 * np.random.default_rng(1).normal(size=(300, 1))
    X = sparse.csc_array(sparse.hstack([X, 0.3048 * X[:, [0]], near]))
    with pytest.warns(rw.RankWarning, match="column 22 up"):
        fit = rw.lad(X, y, fit_intercept=False)
    assert fit.aliased.tolist() == [22]  # the last one is 1e-9 away, and is kept


def test_medians_of_counts_in_groups():
    rng = np.random.default_rng(0)
    codes, y = rng.integers(0, 40, 500), rng.poisson(3.0, 500).astype(float)
    fit = rw.lad(dummies(codes, 40), y, fit_intercept=False)
    least = sum(np.abs(v - np.median(v)).sum() for v in (y[codes == g] for g in range(40)))
    assert fit.status.proved
    assert fit.loss == fit.verify() == least
    assert (fit.coefficients == np.rint(fit.coefficients)).all()


def test_groups_of_one_and_of_none():
    codes = np.array([0, 0, 0, 1, 3, 3])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rw.RankWarning)
        fit = rw.lad(dummies(codes, 5), [1.0, 2.0, 4.0, 9.0, 5.0, 5.0], fit_intercept=False)
    assert fit.coefficients.tolist() == [0.0, 2.0, 9.0, 0.0, 5.0, 0.0]
    assert fit.aliased.tolist() == [2, 4]
    assert fit.loss == 3.0


def test_a_perfect_fit():
    X, _ = fixed_effects(200, 20)
    X.data[:] = X.data.round(2)
    y = np.round(X @ np.arange(X.shape[1]), 2)
    fit = rw.quantile(X, y, 0.2, fit_intercept=False)
    assert fit.status.proved
    assert fit.verify() == 0
    np.testing.assert_allclose(fit.coefficients[1:], np.arange(X.shape[1]), atol=1e-12)


@pytest.mark.parametrize("size", [1e-60, 1e-9, 1e8, 1e60])
def test_sizes(size):
    X, y = fixed_effects(200, 20)
    fit = rw.lad(X * size, y / size, fit_intercept=False)
    expected = rw.lad(X, y, fit_intercept=False)
    assert fit.status.proved
    assert np.isclose(fit.loss * size, expected.loss, rtol=1e-12)


def test_certificate_and_problem_of_small_data():
    X, y = fixed_effects(60, 5)
    fit = rw.lad(X, y, fit_intercept=False)
    assert fit.certificate.verify_exact(fit.problem).loss == fit.verify()


def test_a_dense_problem_that_does_not_fit():
    n, p = 200_000, 50_000
    X = sparse.csc_array((np.ones(n), (np.arange(n), np.arange(n) % p)), shape=(n, p))
    fit = rw.lad(X, np.arange(n) % 7.0, fit_intercept=False)
    assert fit.status.proved
    with pytest.raises(ValueError, match=r"X: a dense problem .* GiB .* verify"):
        _ = fit.problem


def test_a_broken_proof_is_caught():
    X, y = fixed_effects(100, 9)
    fit = rw.quantile(X, y, 0.25, fit_intercept=False)
    args, proof = (X, y, fit.sample_weight, 0.25), fit._end
    assert check(*args, proof) == fit.verify()
    above = proof.above.copy()
    k = int(np.flatnonzero(np.isin(np.arange(100), proof.active, invert=True))[0])
    above[k] = not above[k]
    shifted = proof.multipliers.num.copy()
    shifted[0] += 1
    moved = proof.coefficients.num.copy()
    moved[3] += 1
    for broken in (
        proof._replace(above=above),
        proof._replace(multipliers=Exact(shifted, proof.multipliers.den)),
        proof._replace(coefficients=Exact(moved, proof.coefficients.den)),
    ):
        with pytest.raises(ValueError, match="not proved"):
            check(*args, broken)
    with pytest.raises(ValueError, match="not proved"):
        check(X, y, fit.sample_weight, 0.3, proof)


def test_a_kernel_too_large_is_not_proved(monkeypatch):
    monkeypatch.setattr(sparse_exact, "LARGEST_KERNEL", 1)
    X, y = fixed_effects(200, 9, d=3)
    fit = rw.lad(X, y, fit_intercept=False)
    assert fit.status is rw.WalkStatus.NOT_PROVED
    assert np.isclose(fit.loss, rw.lad(X.toarray(), y, fit_intercept=False).loss, rtol=1e-9)
    with pytest.raises(ValueError, match="NOT_PROVED"):
        fit.verify()


def test_several_quantiles():
    X, y = fixed_effects(300, 20)
    fits = rw.quantile_path(X, y, [0.2, 0.7], fit_intercept=False)
    losses = [rw.quantile(X.toarray(), y, tau, fit_intercept=False).loss for tau in (0.2, 0.7)]
    np.testing.assert_allclose([fit.loss for fit in fits], losses, rtol=1e-12)


def test_limits():
    X, y = fixed_effects(2000, 100, second=30)

    def stop(progress):
        raise StopIteration

    fit = rw.lad(X, y, fit_intercept=False, callback=stop)
    assert fit.ended is rw.Ended.INTERRUPTED
    assert fit.status is rw.WalkStatus.INTERRUPTED
    assert np.isfinite(fit.coefficients).all()
    fit = rw.lad(X, y, fit_intercept=False, time_limit=1e-9)
    assert fit.ended is rw.Ended.TIME_LIMIT
    assert np.isfinite(fit.coefficients).all()
    assert np.isfinite(fit.dual).all()


def test_numbers_are_data_written_in_decimals():
    X = sparse.csc_array([[0.1], [0.2], [0.3]])
    fit = rw.lad(X, [0.3, 0.6, 0.9], fit_intercept=False)
    assert fit.verify() == Fraction(0)
    assert fit.coefficients[1] == 3.0


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (sparse.csc_array([[1.0], [np.nan]]), ValueError, r"X: .* found nan at index \(1, 0\)"),
        (sparse.csc_array([[1.0], [1e200]]), ValueError, "X: expected numbers up to 1e"),
        (sparse.csc_array([[1.0 + 1.0j], [1.0]]), TypeError, "X: expected real numbers"),
        (sparse.csc_array((0, 3)), ValueError, "X: expected an array of shape"),
        (sparse.csc_array([[1.0], [1.0], [2.0]]), ValueError, "y: expected an array of shape"),
    ],
)
def test_what_is_refused(X, error, message):
    with pytest.raises(error, match=message):
        rw.lad(X, [1.0, 2.0])


def test_columns_of_zeros_alone():
    with pytest.raises(ValueError, match="all inputs are 0"):
        rw.lad(sparse.csc_array((4, 2)), np.arange(4.0), fit_intercept=False)


def test_losses_of_networks_still_refuse_sparse_arrays():
    with pytest.raises(TypeError, match="sparse"):
        rw.LayerLoss(rw.ReLUNetwork.random([1, 1], seed=0), sparse.csc_array([[1.0]]), [1.0])


def test_a_fit_that_is_not_proved_says_why(monkeypatch):
    monkeypatch.setattr(sparse_solver, "_PROOFS", 0)
    fit = rw.lad(sparse.csc_array(np.eye(3)), [1.0, 2.0, 4.0], fit_intercept=False)
    assert (fit.status, fit.ended) == (rw.WalkStatus.NOT_PROVED, rw.Ended.PRECISION)
    with pytest.raises(ValueError, match="NOT_PROVED: floats can follow no further; bring"):
        fit.verify()


def test_the_gradient_is_exact_for_entries_of_all_sizes():
    rng = np.random.default_rng(0)
    below, above = Fraction(1, 3), Fraction(2)
    for scale in (0, 3, 12, 40):
        dense = rng.normal(size=(30, 4)) * 10.0 ** rng.integers(-scale, scale + 1, (30, 4))
        dense[:, 1] = rng.integers(-3, 4, 30)
        dense[:, 2] = np.rint(1e17 * dense[:, 2])
        x, w, side = sparse.csc_array(dense), rng.integers(1, 9, 30) * 1.0, rng.choice([-1, 1], 30)
        samples = SparseSamples(x, sparse.csr_array(x), np.zeros(30), w, below, above)
        found = gradient(samples, side * 1.0, np.arange(4)).fractions()
        slopes = [(above if s > 0 else -below) * int(c) for s, c in zip(side, w, strict=True)]
        exact = [
            sum(a * Fraction(v) for a, v in zip(slopes[4:], column[4:].tolist(), strict=True))
            for column in dense.T
        ]
        assert found.tolist() == exact, scale
