"""LAD and quantile regression as people call it: against HiGHS, duality, exact certificates."""

import warnings
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

import reluplex_walk as rw
from reluplex_walk.exact.sums import exact_sums
from reluplex_walk.regression import solver
from reluplex_walk.regression.data import Data, Posed
from reluplex_walk.regression.design import Basis, Samples, new_fit
from reluplex_walk.regression.proof import OptimalityTest, exact_vertex
from reluplex_walk.regression.solver import minimise
from reluplex_walk.regression.vertex import nearest_coefficients

GLOBAL = rw.WalkStatus.GLOBAL_MINIMUM


def highs(X, y, tau, weight):
    """Least loss by linear programming; tau None: least absolute deviations."""
    n = len(y)
    free = np.column_stack([np.ones(n), X])
    over, under = (1.0, 1.0) if tau is None else (tau, 1.0 - tau)
    result = linprog(
        np.concatenate([np.zeros(free.shape[1]), over * weight, under * weight]),
        A_eq=np.hstack([free, np.eye(n), -np.eye(n)]),
        b_eq=y,
        bounds=[(None, None)] * free.shape[1] + [(0, None)] * (2 * n),
        method="highs",
    )
    assert result.success
    return result.fun


def fitted(X, y, tau=None, weight=None):
    if tau is None:
        return rw.lad(X, y, sample_weight=weight)
    return rw.quantile(X, y, tau, sample_weight=weight)


def check(fit):
    """Primal, dual and gap: all that is needed to believe the minimum without the solver."""
    x = np.column_stack([np.ones(len(fit.y)), fit.X])
    below, above = (1.0, 1.0) if fit.tau is None else (1.0 - fit.tau, fit.tau)
    size = np.abs(x).sum(axis=0).max()
    assert fit.status is GLOBAL
    assert (fit.dual <= above * fit.sample_weight * (1 + 1e-9)).all()
    assert (fit.dual >= -below * fit.sample_weight * (1 + 1e-9)).all()
    assert np.abs(fit.dual @ x).max() <= 1e-9 * size
    scale = np.abs(fit.dual) @ np.abs(fit.y)
    assert fit.dual @ fit.y == pytest.approx(fit.loss, rel=1e-9, abs=1e-12 * scale)
    r = fit.residuals
    loss = fit.sample_weight @ np.where(r > 0, above * r, -below * r)
    assert fit.loss == pytest.approx(loss, rel=1e-12)
    assert fit.certificate.is_global
    fit.certificate.verify(fit.problem)


def table():
    """(X, y, tau, weight): with and without subsamples, ties, weights."""
    for seed in range(24):
        rng = np.random.default_rng(seed)
        n, p = int(rng.integers(3, 300)), int(rng.integers(1, 6))
        n = max(n, p + 2) if seed % 4 else 1000 + n
        X, y = rng.normal(size=(n, p)), rng.standard_t(1.5, n)
        if seed % 3 == 1:
            X, y = rng.integers(0, 4, (n, p)).astype(float), rng.integers(0, 5, n).astype(float)
        if seed % 3 == 2:
            again = rng.integers(0, n, n // 5)
            X, y = np.vstack([X, X[again]]), np.concatenate([y, y[again]])
        tau = None if seed % 2 else float(rng.uniform(0.05, 0.95))
        weight = rng.integers(0, 4, len(y)).astype(float) if seed % 5 == 0 else np.ones(len(y))
        yield pytest.param(X, y, tau, weight, id=str(seed))


@pytest.mark.parametrize(("X", "y", "tau", "weight"), list(table()))
def test_minimum_is_that_of_highs(X, y, tau, weight):
    fit = fitted(X, y, tau, weight)
    assert fit.loss == pytest.approx(highs(X, y, tau, weight), rel=1e-9, abs=1e-9)
    check(fit)


@pytest.mark.parametrize(("X", "y", "tau", "weight"), list(table()))
def test_certificate_holds_in_rationals(X, y, tau, weight):
    fit = fitted(X, y, tau, weight)
    exact = fit.certificate.verify_exact(fit.problem)
    assert float(exact.loss) == pytest.approx(fit.loss, rel=1e-12)


def test_known_coefficients():
    stack = rw.datasets.load_stackloss()
    fit = rw.lad(stack.X, stack.y)
    np.testing.assert_allclose(
        fit.coefficients, [-39.68985507, 0.83188406, 0.57391304, -0.06086957], atol=5e-9
    )
    engel = rw.datasets.load_engel()
    # Koenker and Bassett 1982; R package quantreg, rq(foodexp ~ income, tau).
    np.testing.assert_allclose(
        rw.lad(engel.X, engel.y).coefficients, [81.482247416936, 0.560180551209], rtol=1e-10
    )


@pytest.mark.parametrize("tau", [0.5, 0.8])
@pytest.mark.parametrize(("n", "p"), [(30_000, 3), (4000, 30)])
def test_large_samples_set_aside_and_checked(n, p, tau):
    rng = np.random.default_rng(n)
    X = rng.standard_t(2, (n, p))
    y = X @ rng.normal(size=p) + rng.standard_cauchy(n)
    fit = rw.quantile(X, y, tau)
    assert fit.n_pivots < n  # most of the samples were never touched by a pivot
    check(fit)


def test_sorted_and_periodic_samples():
    # Subsamples must not follow the order of the data.
    k = np.arange(20_000)
    X = np.column_stack([k // 5000, k % 8, k % 8 == 3]).astype(float)
    y = np.sort(np.random.default_rng(0).normal(size=k.size))
    check(rw.lad(X, y))


def test_path_is_quantile_by_quantile():
    data = rw.datasets.load_engel()
    taus = np.linspace(0.3, 0.7, 17)
    path = rw.quantile_path(data.X, data.y, taus)
    for tau, fit in zip(taus, path, strict=True):
        check(fit)
        assert fit.tau == tau
        assert fit.loss == pytest.approx(rw.quantile(data.X, data.y, tau).loss, rel=1e-12)
    assert sum(fit.n_pivots for fit in path[1:]) < sum(
        rw.quantile(data.X, data.y, tau).n_pivots for tau in taus[1:]
    )


def ugly():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 3)), rng.normal(size=200)
    yield "collinear", np.column_stack([X, X[:, 0]]), y
    yield "constant column", np.column_stack([X, np.full(200, 3.0)]), y
    yield "zero column", np.column_stack([X, np.zeros(200)]), y
    yield "fewer samples than parameters", X[:3], y[:3]
    yield "one sample", X[:1], y[:1]
    yield "zero targets", X, np.zeros(200)
    yield "constant targets", X, np.full(200, 7.0)
    yield "far from 0", X + 1e6, y
    yield "scales", X * [1e-9, 1.0, 1e9], y
    yield "outliers", X, np.where(np.arange(200) < 5, 1e12, y)
    yield "no noise", X, X @ [1.0, 2.0, 3.0]
    yield "noise in the last digits", X, X @ [1.0, 2.0, 3.0] + 1e-14 * rng.standard_cauchy(200)
    yield "one sample far out", np.where(np.arange(200)[:, None] == 7, 1e9 * X, X), y
    yield "a code for missing", np.where(np.arange(600).reshape(200, 3) == 7, 1e9, X), y
    yield "almost collinear", np.column_stack([X, X[:, 0] * (1 + 1e-9 * y)]), y
    yield "polynomial", np.linspace(0, 1, 200)[:, None] ** np.arange(1, 13), y
    yield "two groups", np.repeat([[0.0], [1.0]], 100, axis=0), y


@pytest.mark.parametrize(("name", "X", "y"), [pytest.param(*u, id=u[0]) for u in ugly()])
def test_ugly_data(name, X, y):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = rw.lad(X, y)
    assert [w.category for w in caught] == [rw.RankWarning] * (name == "collinear")
    assert fit.status is GLOBAL
    assert np.isfinite(fit.coefficients).all()
    unit = X / np.maximum(np.abs(X).max(axis=0), 1e-300)  # HiGHS needs columns of one size
    assert fit.loss <= highs(unit, y, None, np.ones(len(y))) * (1 + 1e-9) + 1e-9
    assert fit.certificate.is_global
    exact = fit.certificate.verify_exact(fit.problem)
    assert fit.n_pivots < 5000
    scale = fit.problem.magnitude(fit.certificate.theta)
    assert fit.loss == pytest.approx(float(exact.loss), rel=1e-12, abs=1e-15 * scale)


def test_nothing_is_claimed_of_coefficients_that_lose_the_minimum():
    X, y = next(ugly())[1:]
    X = np.where(np.arange(200)[:, None] == 7, 1e12 * X[:, :3], X[:, :3])
    fit = rw.lad(X, y)  # one rounding error of a coefficient changes the loss by 1e-5
    assert fit.status is rw.WalkStatus.NOT_PROVED
    certificate = fit.certificate
    assert (certificate.method, certificate.reason) == ("none", rw.Reason.PARAMETERS)
    assert 1e-6 < fit.loss - float(certificate.loss) < 1e-4
    assert (certificate.point.astype(float).ravel() == np.roll(fit.coefficients, -1)).all()


@pytest.mark.parametrize("zeros", [0.55, 0.7, 0.95])
def test_targets_that_are_mostly_zero(zeros):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5000, 5)), rng.normal(size=5000)
    y[rng.random(5000) < zeros] = 0.0
    fit = rw.quantile(X, y, 0.5 if zeros < 0.9 else 0.9)
    assert fit.n_pivots < 500
    check(fit)


def test_no_proof_with_a_gradient_of_wrong_sides():
    # The residual of sample 9 is far below rounding; only exact arithmetic knows its sign.
    X = np.random.default_rng(0).integers(-5, 6, (40, 2)).astype(float)
    y = X @ [3.0, 5.0] + np.random.default_rng(1).integers(-3, 4, 40)
    samples, slopes = Samples.of(X.T, y, np.ones(40)), np.ones(2)
    found = minimise(samples, slopes)
    rows, _, theta = found.basis
    other = np.setdiff1d(np.arange(40), rows)[0]
    fitted = samples.x[:, other] @ theta
    y = samples.y.copy()
    y[other] = np.nextafter(fitted, np.inf)
    samples = samples.with_targets(y)
    r = theta @ samples.x - y
    honest = np.where(r > 0.0, 1.0, -1.0)
    wrong = honest.copy()
    wrong[other] = 1.0
    verdicts = []
    for side, near in ((honest, np.arange(40)), (wrong, rows)):
        g = samples.x @ np.where(np.isin(np.arange(40), near), 0.0, side)
        fit = new_fit(found.basis, side.copy())
        fit.r[:], fit.g[:] = r, g
        verdicts.append(OptimalityTest(samples, slopes).judge(fit, near))
    np.testing.assert_allclose(verdicts[1].prices, verdicts[0].prices, atol=1e-12)
    assert verdicts[1].proved == verdicts[0].proved


@pytest.mark.parametrize("seed", range(5))
def test_a_solver_that_runs_out_of_rounds_knows_its_residuals(monkeypatch, seed):
    # What is proved of the end rests on them.
    monkeypatch.setattr(solver, "_ROUNDS", 3)
    rng = np.random.default_rng(seed)
    X, y = rng.standard_t(2, (4000, 3)), rng.standard_cauchy(4000)
    samples = Samples.of(X.T, y, np.ones(4000))
    search = solver._Solver(samples, np.ones(2), Basis.free(4))
    search.solve(1e-3)
    theta = search.basis.theta
    np.testing.assert_allclose(search.fit.r, theta @ samples.x - samples.y, rtol=0, atol=1e-8)


def test_same_data_same_fit():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(500, 4)), rng.normal(size=500)
    first, second = rw.quantile(X, y, 0.3), rw.quantile(X.copy(), y.copy(), 0.3)
    np.testing.assert_array_equal(first.coefficients, second.coefficients)
    np.testing.assert_array_equal(first.dual, second.dual)


def test_weights_count_as_repeats():
    rng = np.random.default_rng(4)
    X, y, weight = rng.normal(size=(60, 2)), rng.normal(size=60), rng.integers(0, 4, 60)
    repeated = rw.quantile(np.repeat(X, weight, axis=0), np.repeat(y, weight), 0.7)
    weighted = rw.quantile(X, y, 0.7, sample_weight=weight)
    assert weighted.loss == pytest.approx(repeated.loss, rel=1e-12)
    check(weighted)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda X, y: rw.lad(X[:, 0], y), ValueError, r"X: expected an array of shape \(n, p\)"),
        (lambda X, y: rw.lad(X[:, :0], y), ValueError, "n, p >= 1"),
        (lambda X, y: rw.lad(X, y[:-1]), ValueError, r"y: expected an array of shape \(9,\)"),
        (lambda X, y: rw.lad(X, y + np.nan), ValueError, "y: expected finite numbers"),
        (lambda X, y: rw.lad(X, y, sample_weight=-y), ValueError, "sample_weight: expected numb"),
        (lambda X, y: rw.quantile(X, y, 1.0), ValueError, r"tau: expected a number in \(0, 1\)"),
        (lambda X, y: rw.quantile_path(X, y, [0.5, 2]), ValueError, r"taus\[1\]: expected"),
        (lambda X, y: rw.quantile_path(X, y, 0.5), ValueError, "taus: expected an array 1-D"),
        (lambda X, y: rw.quantile_path(X, y, []), ValueError, "taus: expected at least one"),
        (lambda X, y: rw.quantile(X, y, "0.5"), TypeError, "tau: expected a number"),
        (lambda X, y: rw.lad(X, y).predict([[1.0]]), ValueError, r"X: expected an array of shape"),
    ],
)
def test_bad_input(call, error, words):
    rng = np.random.default_rng(0)
    with pytest.raises(error, match=words):
        call(rng.normal(size=(9, 2)), rng.uniform(size=9))


def test_exact_sums():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3, 500)) * 10.0 ** rng.uniform(-30, 30, (3, 500))
    rows[2] = rng.integers(-9, 9, 500)
    for row, total in zip(rows, exact_sums(rows), strict=True):
        assert total == sum(Fraction(v) for v in row.tolist())


@pytest.mark.parametrize("seed", range(20))
def test_coefficients_are_the_floats_nearest_to_the_exact_vertex(seed):
    # By a kernel in twice the precision where that tells; X in tenths, so that units are not 1.
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(60, 3)) * 10.0 ** rng.integers(-6, 7, 3), rng.normal(size=60)
    if seed % 2:
        X, y = np.round(rng.normal(size=(60, 3)), 1), np.round(y, 2)
    posed = Posed.of(Data.of(X, y, None), True)
    found = minimise(posed.samples, np.ones(2))
    exact = exact_vertex(posed.samples, found.basis.rows).fractions()
    factors = posed.units.factors(posed.samples)
    expected = [float(v * f) for v, f in zip(exact, factors, strict=True)]
    for blur in (found.blur, np.inf):  # inf: in rationals
        numbers = nearest_coefficients(posed.samples, posed.units, found.basis, blur)
        assert numbers.tolist() == expected
    assert rw.lad(X, y).coefficients.tolist() == expected


def test_some_samples_tell_independence_only_where_they_can():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 5000))
    assert Samples.of(x, x[0], np.ones(5000)).independent()
    rare = np.zeros(5000)
    rare[rng.integers(0, 5000, 5)] = 1.0  # mostly in none of the samples looked at first
    assert Samples.of(np.stack([*x, rare]), x[0], np.ones(5000)).independent()
    for other in (x[0] + 2.0 * x[1], np.full(5000, 3.0), np.zeros(5000)):
        assert not Samples.of(np.stack([*x, other]), x[0], np.ones(5000)).independent()
