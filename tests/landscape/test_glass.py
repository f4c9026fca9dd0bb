"""Glass: exact densities against gradients, estimates and formulas against compound processes."""

import warnings

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

import reluplex_walk as rw
from benchmarks import _glass_formulas as formulas
from benchmarks._compound import Compound
from benchmarks.glass import on_line
from reluplex_walk import glass
from reluplex_walk.landscape.offsets import KERNELS, SAMPLES, Offsets
from tests.problems.random import VARIANTS, random_loss, variant

WIDTHS = [4, 5, 4, 2, 1]


@pytest.fixture(scope="module")
def loss():
    return random_loss(WIDTHS, 300, 1)


# ---------------------------------------------------------------- exact


def test_exact_is_made_of_gradients_on_either_side(loss):
    """Every jump as the difference of two gradients, in the regions between the crossings."""
    theta = loss.random_start(5, 1.0)
    found = glass.exact(loss, theta, 0.2, directions=3, seed=7)
    for k, v in enumerate(found.directions):
        assert np.linalg.norm(v) == pytest.approx(1.0, abs=1e-15)
        assert np.abs(v).tolist() == pytest.approx([loss.dim**-0.5] * loss.dim)
        end = theta + 0.2 * v.reshape(loss.shape)
        times = rw.crossings(loss, theta, end).times
        between = np.concatenate([[0.0], (times[1:] + times[:-1]) / 2, [1.0]])
        path = [loss.gradient(theta + t * (end - theta)).ravel() for t in between]
        jumps = np.diff(path, axis=0)
        assert len(jumps) == found.n_crossings[k] > 5
        assert found.rho[k] == pytest.approx(((jumps @ v) ** 2).sum() / 0.2, rel=1e-9)
        np.testing.assert_allclose(found.coordinates[k], (jumps**2).sum(axis=0) / 0.2, rtol=1e-9)
        assert found.curvature[k] == pytest.approx((jumps @ v).sum() / 0.2, rel=1e-9)
    total = found.rho_hidden + found.rho_residual
    np.testing.assert_allclose(found.rho, total, rtol=1e-12)
    assert (found.rho_hidden > 0).any()
    assert found.rho_total == pytest.approx(found.coordinates.sum() / 3)


def test_mean_over_rms_by_hand():
    """Jumps -1 of the neuron and +2 of the residual, both crossed on one segment of length 4."""
    network = rw.ReLUNetwork([[[0.0]], [[1.0]]], [[0.0], [0.0]])
    loss = rw.LayerLoss(network, [[1.0], [1.0]], [2.0, 2.0])
    found = glass.exact(loss, [[-1.0, 0.0]], 4.0, [[5.0, 0.0]])
    assert found.mean_over_rms == (-1.0, 1.0)
    assert found.rho.tolist() == [(2.0**2 + 4.0**2) / 4.0]  # of two samples that are one
    assert found.rho_hidden.tolist() == [1.0]
    assert found.coordinates.tolist() == [[5.0, 5.0]]  # the bias moves with the weight
    assert found.curvature.tolist() == [0.5]


def test_directions(loss):
    given = np.zeros((2, loss.dim))
    given[0, 3], given[1, :2] = 1e-200, (3.0, -4.0)
    found = glass.exact(loss, loss.theta, 5.0, given)
    np.testing.assert_allclose(found.directions[0], np.eye(loss.dim)[3])
    np.testing.assert_allclose(found.directions[1, :2], (0.6, -0.8))
    shaped = glass.exact(loss, loss.theta.ravel(), 5.0, given.reshape(2, *loss.shape))
    np.testing.assert_array_equal(found.rho, shaped.rho)
    drawn = glass.exact(loss, loss.theta, 0.5, 5, seed=3)
    again = glass.exact(loss, loss.theta, 0.5, drawn.directions)
    np.testing.assert_allclose(drawn.rho, again.rho, rtol=1e-12)
    estimated = glass.estimate(loss, loss.theta, 0.1, 5, seed=3)
    fewer = glass.exact(loss, loss.theta, 0.5, 3, seed=3)
    np.testing.assert_array_equal(drawn.directions[:3], fewer.directions)
    np.testing.assert_array_equal(drawn.directions, estimated.directions)


def test_few_crossings_are_no_zero(loss):
    with pytest.warns(glass.GlassWarning, match=r"^length: segments of 1e-09 cross fewer than one"):
        found = glass.exact(loss, loss.theta, 1e-9)
    for each in (found.rho, found.rho_hidden, found.coordinates, found.curvature):
        assert np.isnan(each).all()
    assert np.isnan([*found.mean_over_rms, found.rho_total, found.bound(0.1)]).all()
    assert not found.variogram().holds
    assert "nan" in repr(found)
    with pytest.warns(glass.GlassWarning, match=r"^sigma: of 24 lines of \+-1e-09 24 cross no"):
        guess = glass.estimate(loss, loss.theta, 1e-9)
    assert np.isnan([guess.rho_total, guess.bound(0.1), *guess.rho, *guess.h]).all()


def test_no_hidden_neurons_are_no_reason_to_warn():
    linear = random_loss([3, 1], 50, 0)
    found = glass.exact(linear, linear.theta, 0.3)
    assert found.rho_hidden.tolist() == [0.0] * 24
    assert np.isnan(found.mean_over_rms.hidden)
    np.testing.assert_array_equal(found.rho, found.rho_residual)
    deep = random_loss([3, 4, 1], 400, 0, kind="hinge")
    found = glass.exact(deep, deep.theta, 1e-2)
    with pytest.warns(glass.GlassWarning, match="fewer than one residual breakpoint"):
        assert np.isnan(found.rho_residual).all()
    assert (found.rho_hidden == found.rho).any()


def test_residuals_are_curvature_and_glass():
    """D9."""
    for _, setting, expected, found, off in formulas.kinks(24):
        assert found == pytest.approx(expected, abs=off), setting


def test_densities_along_random_directions_are_twice_the_mean():
    """D10."""
    for name, _, expected, found, off in formulas.directions(3):
        assert name == "D10"
        assert found == pytest.approx(expected, rel=off)


# ---------------------------------------------------------------- estimates


def test_estimate_over_exact():
    """A new base point for every line."""
    for widths in (WIDTHS, [4, 20, 1]):
        random, ratios = random_loss(widths, 500, 0), []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", glass.GlassWarning)
            for seed in range(192):
                found, exactly = on_line(random, random.random_start(seed, 1.0), 1e-2, seed)
                if exactly.n_crossings[0]:
                    ratios.append(found.rho_total / exactly.rho_total)
        assert np.std(ratios) / np.sqrt(len(ratios)) <= 0.04
        assert 0.85 <= np.mean(ratios) <= 1.15


def test_estimate_by_hand(loss):
    theta, sigma = loss.random_start(3, 1.0), 0.3
    found = glass.estimate(loss, theta, sigma, lines=2, seed=4)
    rho, h, along = np.zeros((3, loss.dim))
    for v in found.directions:
        g = [loss.gradient(theta.ravel() + s * sigma * v).ravel() for s in (-1, 0, 1)]
        rough = (g[0] + g[2]) / 2 - g[1]
        rho += 2 * rough**2 / sigma / 2
        along += 2 * (rough @ v) ** 2 / sigma / 2
        h += (g[2] - g[0]) / (2 * sigma * v) / 2
    np.testing.assert_allclose(found.rho, rho, rtol=1e-10)
    np.testing.assert_allclose(found.h, h, rtol=1e-10)
    assert found.rho_along == pytest.approx(along[0], rel=1e-10)
    assert (found.gradients, found.rho_total) == (5, pytest.approx(rho.sum()))
    ends = [(theta.ravel() - sigma * v, theta.ravel() + sigma * v) for v in found.directions]
    n = np.mean([len(rw.crossings(loss, *each).ids) for each in ends])
    assert found.n_crossings == n
    np.testing.assert_allclose(found.rho_error, found.rho * np.sqrt((2 + 3 / n) / 2), rtol=1e-12)
    error = np.sqrt(loss.dim * rho / (2 * sigma) / 2)
    np.testing.assert_allclose(found.h_error, error, rtol=1e-10)


@pytest.mark.parametrize("points", [3, 4, 5, 8])
@pytest.mark.parametrize("jump", ["normal", "equal"])
def test_variance_of_an_estimate(points, jump):
    """D2 and D5 for jumps of two kinds; and the standard error that the estimate gives itself."""
    n, kurtosis = 4.0, 3.0 if jump == "normal" else 1.0
    compound = Compound(200_000, n / 2, points, jump, slope=300.0)
    found = glass.estimate(compound, np.zeros(compound.dim), 1.0, 1, points)
    assert found.rho.mean() == pytest.approx(n / 2, rel=0.02)
    variance = found.rho.var() / (n / 2) ** 2
    assert variance == pytest.approx(2 / (points - 2) + kurtosis / n, rel=0.04)
    assert found.gradients == points
    assert found.h.mean() == pytest.approx(300.0, rel=0.02)
    assert (found.h_error**2).mean() == pytest.approx(found.h.var(), rel=0.02)
    np.testing.assert_allclose(found.rho_error, found.rho * np.sqrt(2 / (points - 2)))


@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("kernel", KERNELS)
def test_samples_and_kernels_leave_means_alone(samples, kernel):
    """D3: only variances differ; D4: slopes that are weighed by what was found have no bias."""
    compound = Compound(400, 5.0, slope=2.0 * np.sqrt(400.0))
    options = {"samples": samples, "kernel": kernel}
    found = glass.estimate(compound, np.zeros(400), 0.5, 1500, **options)
    assert found.rho.mean() == pytest.approx(5.0, rel=0.1)
    assert found.h.mean() == pytest.approx(2.0 * np.sqrt(400.0), rel=0.1)
    assert np.sqrt((found.offsets**2).mean()) == pytest.approx(0.5, rel=0.05)
    shares = found.rho_error / found.rho
    expected = {"optimal": 2.0, "constant": 3.712, "linear": 8.0}[kernel]
    if samples == "uniform":
        expected = {"optimal": 2.0, "constant": 3.0, "linear": 4.4}[kernel]
    expected = 2.0 if samples == "rademacher" else expected
    np.testing.assert_allclose(shares, np.sqrt(expected / 1500), rtol=1e-3)


def test_variances_of_weights():
    """D3, D4 on as many lines as a test has time for."""
    for name, setting, expected, found, _ in formulas.weights(200_000):
        assert found == pytest.approx(expected, rel=0.06), (name, setting)


@pytest.mark.parametrize("samples", SAMPLES[1:])
def test_best_weight_of_slopes_has_the_variance_of_quadrature(samples):
    """D4: 1 / E[|d| / (rho / 2 + h^2 |d|)] - h^2, by an integrator of SciPy."""
    sigma, rho = 0.7, 3.0
    density = (
        (lambda x: np.sqrt(2 / np.pi) * np.exp(-(x**2) / 2), 20.0)
        if samples == "gaussian"
        else (lambda x: 1 / np.sqrt(3), np.sqrt(3))
    )
    for h in (0.0, 1.0, 30.0):
        mean, _ = quad(
            lambda x, h=h: sigma * x / (rho / 2 + h**2 * sigma * x) * density[0](x),
            0.0,
            density[1],
        )
        weight = Offsets("optimal", samples, sigma).optimal(np.array(rho), np.array(h))
        for d in (0.01, 1.0, 5.0):
            assert weight(d) == pytest.approx(1 / ((rho / 2 + h**2 * d) * mean), rel=1e-6)


def test_variograms_of_a_glass_are_lines():
    compound = Compound(50_000, 4.0, 9, slope=10.0)
    found = glass.estimate(compound, np.zeros(compound.dim), 1.0, 2, 9)
    seen = found.variogram()
    np.testing.assert_allclose(seen.distance, [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(seen.value, 50_000 * 4.0 * seen.distance, rtol=0.03)
    assert seen.holds


def test_variogram_of_a_parabola_is_none():
    """A smooth gradient has differences that grow faster."""
    found = glass.estimate(lambda theta: theta**2, np.ones(4), 0.1, 3, 9)
    assert found.variogram().ratio[-1] > 2.0
    assert not found.variogram().holds


def test_exact_variogram_is_that_of_gradients(loss):
    """Residuals of every difference on a grid, the mean slope of the line taken out."""
    found = glass.exact(loss, loss.theta, 0.5, 2)
    for kind in ("all", "hidden", "residual"):
        seen = found.variogram(kind)
        assert seen.distance.tolist() == (0.5 * np.array([1, 2, 4, 8, 16, 32]) / 64).tolist()
        assert 0.7 < seen.ratio[0] < 1.3
    values = np.zeros(6)
    for v in found.directions:
        grid = [loss.theta.ravel() + 0.5 * t * v for t in np.linspace(0, 1, 65)]
        path = np.array([loss.gradient(theta).ravel() for theta in grid])
        slope = (path[-1] - path[0]) / 64
        for k, lag in enumerate([1, 2, 4, 8, 16, 32]):
            rest = path[lag:] - path[:-lag] - lag * slope
            values[k] += (rest**2).sum(axis=1).mean() / (1 - lag / 64) / 2
    np.testing.assert_allclose(found.variogram().value, values, rtol=1e-9)
    with pytest.raises(ValueError, match=r"^kind: expected one of all, hidden, residual"):
        found.variogram("dead")


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
    found = glass.estimate(lambda theta: hessian @ theta, np.ones(3), 0.1, 40)
    slopes = np.array([v @ hessian @ v for v in found.directions])
    assert found.h_along == pytest.approx(slopes.mean())
    assert found.h_spread == pytest.approx(slopes.var(ddof=1))
    assert found.rho_total == pytest.approx(0.0, abs=1e-20)
    expected = slopes.mean() * 0.3**2 / 2 + 1.959963984540054 * slopes.std(ddof=1) * 0.3**2 / 2
    assert found.bound(0.3) == pytest.approx(expected)
    one = glass.estimate(lambda theta: hessian @ theta, np.ones(3), 0.1, 1)
    assert one.h_spread == 0.0


def test_bound_of_exact_by_hand(loss):
    found = glass.exact(loss, loss.theta, 0.5, 7)
    rho, slope = found.rho.mean(), found.curvature
    spread = max(0.0, slope.var(ddof=1) - rho / 0.5)
    wide = np.sqrt(rho * 0.4**3 / 3 + spread * 0.4**4 / 4)
    expected = abs(slope.mean()) * 0.4**2 / 2 + 1.959963984540054 * wide
    assert found.bound(0.4) == pytest.approx(expected, rel=1e-9)


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
