"""Fits under linear constraints, against linear programs and by their multipliers."""

import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint
from scipy.sparse import csr_matrix

import reluplex_walk as rw
from tests.references.programs import least_loss
from tests.regression.test_penalty import fit_of, problem

ALPHAS = (0.0, 0.0, 0.1, 1.0 / 7.0, 1.0)


def constraints(seed, p):
    """A, lower, upper of up to 8 constraints: integers, floats, differences, bounds, equalities."""
    rng = np.random.default_rng(seed)
    m = int(rng.integers(1, 8))
    A = (
        rng.integers(-2, 3, (m, p + 1)).astype(float),
        rng.normal(size=(m, p + 1)),
        np.diff(np.eye(p + 1)[1:], axis=0) if p > 1 else np.eye(p + 1),
        np.eye(p + 1),
    )[seed % 4]
    m = len(A)
    ends = np.round(rng.normal(size=m), 1) if seed % 2 else np.zeros(m)
    lower = np.where(rng.random(m) < 0.7, ends, -np.inf)
    room = np.round(rng.exponential(size=m), 1) * (rng.random(m) < 0.7)
    upper = np.where(rng.random(m) < 0.3, np.maximum(lower, -5.0) + room, np.inf)
    if seed % 9 == 0:
        lower[0] = upper[0] = 0.3
    return A, lower, upper


@pytest.mark.parametrize("seed", range(80))
@pytest.mark.filterwarnings("ignore::reluplex_walk.RankWarning")
def test_least_loss_and_proof(seed):
    X, y, tau, w, intercept = problem(seed)
    A, lower, upper = constraints(seed, X.shape[1])
    alpha = ALPHAS[seed % 5]
    least = least_loss(X, y, [tau], w, alpha * w.sum(), intercept, (A, lower, upper))
    given = LinearConstraint(A, lower, upper) if seed % 4 < 3 else [Bounds(lower, upper)]
    options = {"sample_weight": w, "fit_intercept": intercept, "alpha": alpha}
    if least is None:
        with pytest.raises(ValueError, match="constraints: expected some coefficients to satisfy"):
            fit_of(X, y, tau, constraints=given, **options)
        return
    fit = fit_of(X, y, tau, constraints=given, **options)
    assert fit.loss == pytest.approx(least, rel=1e-8, abs=1e-8)
    assert fit.status is rw.WalkStatus.GLOBAL_MINIMUM
    assert fit.optimality.verify_exact() == fit.optimality.loss
    values, room = A @ fit.coefficients, 1e-12 * (1.0 + np.abs(A) @ np.abs(fit.coefficients))
    assert (values >= lower - room).all()
    assert (values <= upper + room).all()


def test_multipliers_are_derivatives_of_the_loss():
    data = rw.datasets.load_stackloss()

    def least(bound):
        given = LinearConstraint([[0, 1.0, 1.0, 1.0], [0, 0, 0, 1.0]], [bound, -5.0], [bound, 5.0])
        return rw.quantile(data.X, data.y, 0.3, constraints=given)

    fit, other = least(1.0), least(1.0009765625)  # by 2^-10
    assert fit.multipliers[1] == 0.0
    rise = (other.optimality.loss - fit.optimality.loss) * 1024
    assert rise == fit.optimality.of_constraints[0, 0]
    assert fit.multipliers[0] == float(rise)


def test_inactive_constraints_change_nothing():
    data = rw.datasets.load_engel()
    free = rw.quantile(data.X, data.y, 0.3)
    fit = rw.quantile(data.X, data.y, 0.3, constraints=rw.constraints.nonnegative(data.X))
    np.testing.assert_array_equal(fit.coefficients, free.coefficients)
    assert fit.multipliers.tolist() == [0.0]
    assert rw.lad(data.X, data.y, constraints=[]).beside is None
    assert rw.lad(data.X, data.y, constraints=Bounds()).beside is None


def test_constraints_hold_as_they_are_written():
    # In decimals: b_1 + b_2 = 0.3 with b_1 >= 0.1 and b_2 >= 0.2 has one solution, in floats none.
    X, y = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [5.0, 7.0, 9.0]
    given = [LinearConstraint([0, 1.0, 1.0], 0.3, 0.3), Bounds([-np.inf, 0.1, 0.2])]
    fit = rw.lad(X, y, constraints=given)
    assert fit.optimality.point[0, 1:].tolist() == [Fraction(1, 10), Fraction(1, 5)]
    fit.optimality.verify_exact()


def test_numbers_that_are_no_decimals_beside_data_that_are():
    data = rw.datasets.load_stackloss()
    X = data.X / 10.0
    given = LinearConstraint(np.append(1.0, X.mean(axis=0)), 1.0 / 3.0, 1.0 / 3.0)
    fit = rw.lad(X, data.y, constraints=given)
    assert fit.status is rw.WalkStatus.GLOBAL_MINIMUM
    fit.optimality.verify_exact()
    assert not fit.optimality.problem.decimals  # X is taken for the floats it is, and it says so


def test_constraints_can_determine_what_the_data_do_not():
    x = np.arange(8.0)
    X = np.column_stack([x, 2.0 * x])
    with pytest.warns(rw.RankWarning):
        free = rw.lad(X, x, constraints=Bounds(-np.inf, [5.0, np.inf, np.inf]))
    assert free.aliased.tolist() == [1]
    assert free.coefficients.tolist() == [0.0, 1.0, 0.0]
    free.optimality.verify_exact()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = rw.lad(X, x, constraints=LinearConstraint([[0, 0, 1.0], [0, 1.0, 0]], 2.0, np.inf))
    assert len(fit.aliased) == 0
    assert fit.coefficients[2] >= 2.0
    assert fit.loss == pytest.approx(
        least_loss(X, x, [None], rows=(np.eye(3)[1:], np.full(2, 2.0), np.full(2, np.inf)))
    )
    fit.optimality.verify_exact()


@pytest.mark.parametrize("seed", range(5))
def test_steep_enough_however_the_constraints_lie(seed):
    # Nearly parallel rows have large multipliers.
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(50, 2))
    y = X @ [1.0, -1.0] + rng.normal(size=50)
    A = np.array([[0.0, 1.0, 1.0], [0.0, 1.0, 1.0 + 2.0**-20]])
    fit = rw.lad(X, y, constraints=LinearConstraint(A, [3.0, 3.0], [3.0, 3.0]))
    np.testing.assert_allclose(fit.coefficients[1:], [3.0, 0.0], atol=1e-12)
    assert np.abs(fit.multipliers).max() > 1e5
    fit.optimality.verify_exact()


def test_many_samples_start_from_few():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(5000, 4))
    y = X @ [1.0, -0.1, 0.1, 0.0] + rng.standard_t(3, 5000)
    fit = rw.quantile(X, y, 0.7, constraints=rw.constraints.nonnegative(X))
    rows = (np.eye(5)[1:], np.zeros(4), np.full(4, np.inf))
    assert fit.loss == pytest.approx(least_loss(X, y, [0.7], rows=rows), rel=1e-9)
    fit.optimality.verify_exact()


def test_helpers_of_features():
    data = rw.datasets.load_motorcycle()
    x = data.X[:, 0]
    knots = np.arange(0.0, 60.0, 10.0)
    X = np.maximum(0.0, x[:, None] - knots)
    grid = np.append(knots, 60.0)
    Z = np.maximum(0.0, grid[:, None] - knots)
    up = rw.lad(X, data.y, constraints=rw.constraints.increasing_along(Z))
    assert (np.diff(up.predict(Z)) >= -1e-9).all()
    down = rw.lad(X, data.y, constraints=rw.constraints.decreasing_along(Z))
    assert (np.diff(down.predict(Z)) <= 1e-9).all()
    bowl = rw.lad(X, data.y, constraints=rw.constraints.convex_along(Z, grid))
    hinges = rw.lad(X, data.y, constraints=rw.constraints.nonnegative(X, range(1, 6)))
    np.testing.assert_allclose(bowl.coefficients, hinges.coefficients, rtol=1e-9, atol=1e-9)
    hill = rw.lad(X, data.y, constraints=rw.constraints.concave_along(Z))
    assert (hill.coefficients[2:] <= 0.0).all()
    fixed = rw.lad(X, data.y, constraints=rw.constraints.fit_at(Z[:1], 3.0, 3.0))
    assert fixed.coefficients[0] == 3.0
    for fit in (up, down, bowl, hill, fixed):
        fit.optimality.verify_exact()


def test_helpers_of_levels():
    rng = np.random.default_rng(0)
    level = rng.integers(0, 5, 200)
    y = np.array([0.0, 2.0, 1.0, 1.5, 4.0])[level] + rng.normal(size=200)
    X = (level[:, None] == np.arange(1, 5)).astype(float)
    up = rw.lad(X, y, constraints=rw.constraints.increasing(X, reference=True))
    values = np.append(0.0, up.coefficients[1:])
    assert (np.diff(values) >= 0.0).all()
    assert (up.multipliers > 0.0).any()
    down = rw.lad(X, y, constraints=rw.constraints.decreasing(X, reference=True))
    assert (np.diff(np.append(0.0, down.coefficients[1:])) <= 0.0).all()
    at = [0.0, 1.0, 2.0, 3.0, 5.0]
    bowl = rw.lad(X, y, constraints=rw.constraints.convex(X, at=at, reference=True))
    slopes = np.diff(np.append(0.0, bowl.coefficients[1:])) / np.diff(at)
    assert (np.diff(slopes) >= -1e-12).all()
    hill = rw.lad(X, y, constraints=rw.constraints.concave(X, reference=True))
    assert (np.diff(hill.coefficients[1:], 2) <= 1e-12).all()
    signs = rw.lad(X, y, constraints=rw.constraints.nonpositive(X, [0, 3]))
    assert (signs.coefficients[[1, 4]] <= 0.0).all()


def test_columns_by_name():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1.0, 2.0], "b": [1.0, 4.0], "c": [1.0, 9.0]})
    assert rw.constraints.nonnegative(table, ["c"]).A.tolist() == [[0.0, 0.0, 0.0, 1.0]]
    assert rw.constraints.increasing(table, ["c", "a"]).A.tolist() == [[0.0, 1.0, 0.0, -1.0]]
    with pytest.raises(ValueError, match=r"columns: expected some of \['a', 'b', 'c'\], found 'd'"):
        rw.constraints.nonnegative(table, ["d"])


def test_sparse_rows_of_constraints():
    X, y = [[0.0], [1.0], [2.0]], [3.0, 2.0, 1.0]
    given = LinearConstraint(csr_matrix([[0.0, 1.0]]), 0.0, np.inf)
    assert rw.lad(X, y, constraints=given).coefficients.tolist() == [2.0, 0.0]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("A", TypeError, "constraints: expected scipy.optimize.LinearConstraint"),
        (LinearConstraint([[1.0]], 0, 1), ValueError, r"matrix A of shape \(m, 2\)"),
        (LinearConstraint([[1.0, 0]], 2, 1), ValueError, "expected lb <= ub, found 2 > 1"),
        (LinearConstraint([[1.0, np.nan]], 2, 3), ValueError, "expected numbers in A"),
        (LinearConstraint([[1.0, 1]], np.nan, 3), ValueError, "expected bounds up to"),
        (LinearConstraint([[1.0, 1]], np.inf, np.inf), ValueError, "expected bounds up to"),
        (Bounds([0.0] * 3, 1.0), ValueError, r"expected bounds of shape \(2,\)"),
        (LinearConstraint([[0.0, 0]], 1, 2), ValueError, "has no coefficient that is fitted"),
        (LinearConstraint([[1.0, 1], [1, 1]], [0, 2], [1, 3]), ValueError, "found none"),
        (
            LinearConstraint([[1.0, 1], [1, 1]], 1, [1, 1 + 2**-52])
            and LinearConstraint([[1.0, 1], [1, 1]], [1, 1 + 2**-52], [1, 2]),
            ValueError,
            "less than rounding",
        ),
    ],
)
def test_bad_constraints(given, error, message):
    with pytest.raises(error, match=message):
        rw.lad([[1.0], [2.0], [4.0]], [1.0, 2.0, 3.0], constraints=given)


def test_a_forged_certificate_is_refused():
    from dataclasses import replace

    data = rw.datasets.load_stackloss()
    given = rw.constraints.nonnegative(data.X)
    proof = rw.lad(data.X, data.y, constraints=given, alpha=0.01).optimality
    proof.verify_exact()
    forged = [
        {"loss": proof.loss + 1},
        {"point": proof.point + Fraction(1, 1000)},
        {"multipliers": -proof.multipliers},
        {"of_constraints": proof.of_constraints + 1},
        {"of_constraints": proof.of_constraints * 2 + proof.of_constraints.max()},
        {"vanishing": proof.vanishing[:-1], "multipliers": proof.multipliers[:-1]},
        {"is_global": False},
    ]
    for change in forged:
        with pytest.raises(rw.CertificateError):
            replace(proof, **change).verify_exact()


def test_helpers_know_the_names_of_categories_and_formulas():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=40), "grade": rng.choice(list("abc"), 40)})
    table["y"] = rng.normal(size=40) - (table.grade == "b") - table.x
    X = table[["x", "grade"]]
    names = ["grade[T.b]", "grade[T.c]"]
    expected = [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, -1.0, 1.0]]
    plain = rw.lad(table, formula="y ~ x + grade")
    for features in (X, plain):
        ordered = rw.constraints.increasing(features, names, reference=True)
        np.testing.assert_array_equal(ordered.A, expected)
        assert rw.constraints.nonnegative(features).A.shape == (3, 4)
        with pytest.raises(ValueError, match=r"columns: expected some of .*grade\[T.b\].*'grade'"):
            rw.constraints.nonnegative(features, ["grade"])
    ordered = rw.constraints.increasing(X, names, reference=True)
    fit = rw.lad(X, table["y"], constraints=ordered)
    same = rw.lad(table, formula="y ~ x + grade", constraints=ordered)
    assert 0.0 <= fit.params["grade[T.b]"] <= fit.params["grade[T.c]"]
    assert plain.params["grade[T.b]"] < 0.0
    np.testing.assert_array_equal(fit.coefficients, same.coefficients)
    arrays = rw.constraints.nonnegative(rw.lad(fit.X, fit.y), [1]).A
    np.testing.assert_array_equal(arrays, [[0.0, 0.0, 1.0, 0.0]])
