"""Glass: formulas of science, bounds, steps, and what is given that does not fit."""

import warnings

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import reluplex_walk as rw
from benchmarks import _glass_formulas as formulas
from reluplex_walk import glass
from tests.problems.random import VARIANTS, random_loss, variant

WIDTHS = [4, 5, 4, 2, 1]


@pytest.fixture(scope="module")
def loss():
    return random_loss(WIDTHS, 300, 1)


def test_residuals_are_curvature_and_glass():
    """D9."""
    for _, setting, expected, found, off in formulas.kinks(24):
        assert found == pytest.approx(expected, abs=off), setting


def test_densities_along_random_directions_are_twice_the_mean():
    """D10."""
    for name, _, expected, found, off in formulas.directions(3):
        assert name == "D10"
        assert found == pytest.approx(expected, rel=off)


# ---------------------------------------------------------------- bounds and steps


def test_deviations_of_compound_losses():
    """D6."""
    for name, setting, expected, found, off in formulas.bounds(50_000):
        assert found == pytest.approx(expected, rel=off), (name, setting)


def test_bound_holds_on_a_loss(loss):
    theta, g = loss.random_start(2, 1.0), loss.gradient(loss.random_start(2, 1.0)).ravel()
    far, inside = 0.2, 0
    found = glass.exact(loss, theta, far, 200)
    bound = found.bound([far / 2, far], level=0.9)
    assert bound[1] == found.bound(far, 0.9)
    for v in found.directions:
        value = loss(theta.ravel() + far * v)
        inside += abs(value - loss(theta) - far * (g @ v)) <= bound[1]
    assert 0.85 <= inside / 200 <= 1.0
    wide, narrow = found.bound(far, 0.99), found.bound(far, 0.5)
    assert narrow < bound[1] < wide
    assert found.bound(0.0) == 0.0


def test_slopes_that_differ_between_directions_widen_bounds():
    """A quadratic function, without any glass: h^2 varies with the direction alone."""
    hessian = np.diag([1.0, 2.0, 10.0])
    hessian[0, 1] = hessian[1, 0] = 4.0

    class Quadratic:
        """It says that it has breakpoints, at which nothing jumps."""

        def gradient(self, theta):
            return hessian @ theta

        def pattern(self, theta):
            return [np.sign(theta - 1.0 + 1e-6)]

    found = glass.estimate(Quadratic(), np.ones(3), 0.1, 40)
    slopes = np.array([v @ hessian @ v for v in found.directions])
    assert found.h_along == pytest.approx(slopes.mean())
    assert found.h_spread == pytest.approx(slopes.var(ddof=1))
    assert found.rho_total == pytest.approx(0.0, abs=1e-20)
    expected = slopes.mean() * 0.3**2 / 2 + 1.959963984540054 * slopes.std(ddof=1) * 0.3**2 / 2
    assert found.bound(0.3) == pytest.approx(expected)
    one = glass.estimate(Quadratic(), np.ones(3), 0.1, 1)
    assert one.h_spread == 0.0


def test_step_is_where_the_derivative_vanishes():
    """D7, over twelve decades; and D8."""
    for name, setting, expected, found, off in formulas.steps(20_000):
        assert abs(found - expected) <= off, (name, setting)


def test_step_is_a_minimum():
    for g, rho, h in [(2.0, 3.0, 0.5), (-0.3, 10.0, 0.0), (1e-3, 1e-4, 5.0)]:
        c = np.sqrt(2 / (3 * np.pi))

        def model(x, g=g, rho=rho, h=h, c=c):
            return -abs(g) * x + h * x**2 / 2 + c * np.sqrt(rho) * x**1.5

        x = glass.step(g, rho, h)
        least = minimize_scalar(model, bounds=(0, 10 * x), options={"xatol": 1e-10}).x
        assert x == pytest.approx(least, rel=1e-4)


def test_step_at_the_edges():
    assert glass.step(0.0, 1.0, 1.0) == 0.0
    assert glass.step(0.0, 0.0, 0.0) == 0.0
    assert glass.step(-2.0, 0.0, 4.0) == 0.5
    assert glass.step(1.0, 0.0, -1.0) == np.inf
    assert glass.step(1.0, 2.0, -1.0) == glass.step(1.0, 2.0, 0.0)
    assert glass.step([1.0, 2.0], 1.0, [[1.0], [2.0], [3.0]]).shape == (3, 2)
    assert glass.step(1e-200, 1e90, 0.0) == 0.0
    with pytest.raises(ValueError, match=r"^rho: expected numbers >= 0, found -1"):
        glass.step(1.0, -1.0, 1.0)
    with pytest.raises(ValueError, match=r"^h: expected finite numbers, found nan"):
        glass.step(1.0, 1.0, np.nan)
    with pytest.raises(ValueError, match=r"^g, rho, h: expected arrays of one shape"):
        glass.step([1.0, 2.0], [1.0, 2.0, 3.0], 1.0)


# ---------------------------------------------------------------- what is given


@pytest.mark.parametrize("case", range(len(VARIANTS)))
def test_every_loss(case):
    each = variant(case, 4)
    theta = each.random_start(8, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", glass.GlassWarning)
        found = glass.exact(each, theta, 3.0, 4)
        glass.estimate(each, theta, 1.5, 4)
    assert found.rho_total > 0.0
    assert found.plot is not None


def test_bad_arguments(loss):
    theta, end = loss.theta, rw.walk(random_loss([2, 3, 1], 12, 1), seed=1)
    far = np.full(loss.shape, 1e12)
    for message, call in [
        (r"loss: expected a LayerLoss, found", lambda: glass.exact(loss.gradient, theta, 1.0)),
        (r"theta: expected an array of shape", lambda: glass.exact(loss, theta[0], 1.0)),
        (r"length: expected a number > 0, found -1", lambda: glass.exact(loss, theta, -1)),
        (r"length: 1e-30 is lost in the rounding", lambda: glass.exact(loss, theta, 1e-30)),
        (
            r"directions: expected directions, found zeros in row 1",
            lambda: glass.exact(loss, theta, 1.0, [np.ones(loss.dim), np.zeros(loss.dim)]),
        ),
        (r"directions: expected .*\(k, 25\)", lambda: glass.exact(loss, theta, 1.0, [[1.0]])),
        (r"directions: .* of one length", lambda: glass.exact(loss, theta, 1.0, [[1], [1, 2]])),
        (r"directions: .* found None", lambda: glass.exact(loss, theta, 1.0, None)),
        (r"directions: expected an integer >= 1", lambda: glass.exact(loss, theta, 1.0, 0)),
        (r"theta: .* no breakpoint", lambda: glass.exact(end.problem, end.theta, 1.0)),
        (r"theta: .* no breakpoint", lambda: glass.estimate(end.problem, end.theta, 1.0)),
        (r"sigma: expected a number > 0, found 0", lambda: glass.estimate(loss, theta, 0.0)),
        (r"sigma: 1e-06 is lost in the rounding", lambda: glass.estimate(loss, far, 1e-6)),
        (r"points: expected an integer >= 3", lambda: glass.estimate(loss, theta, 1.0, points=2)),
        (r"kernel: expected one of", lambda: glass.estimate(loss, theta, 1.0, kernel="best")),
        (r"samples: expected one of", lambda: glass.estimate(loss, theta, 1.0, samples="normal")),
        (r"gradient: expected a function", lambda: glass.estimate(3, theta, 1.0)),
        (
            r"gradient: expected an array of shape \(5, 5\), as theta has, found \(25,\)",
            lambda: glass.estimate(lambda t: loss.gradient(t).ravel(), theta, 1.0),
        ),
        (
            r"gradient: expected finite numbers, found nan",
            lambda: glass.estimate(lambda t: t * np.nan, theta, 1.0),
        ),
        (r"theta: expected at least one", lambda: glass.estimate(np.abs, np.zeros(0), 1.0)),
        (r"level: expected a number in \(0, 1\)", lambda: _found(loss).bound(1.0, level=1.0)),
        (r"distance: expected numbers >= 0", lambda: _found(loss).bound([0.1, -1.0])),
    ]:
        with pytest.raises((ValueError, TypeError), match="^" + message):
            call()


def _found(loss):
    return glass.exact(loss, loss.theta, 0.5, 2)


def test_seeds(loss):
    for make in (
        lambda seed: glass.exact(loss, loss.theta, 0.3, seed=seed).rho,
        lambda seed: glass.estimate(loss, loss.theta, 0.3, seed=seed).rho,
        lambda seed: glass.estimate(loss, loss.theta, 0.3, seed=seed, samples="gaussian").h,
    ):
        np.testing.assert_array_equal(make(3), make(3))
        assert (make(3) != make(4)).any()
