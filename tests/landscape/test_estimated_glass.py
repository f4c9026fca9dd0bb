"""Estimates of glass against exact densities, compound processes and what gradients cannot tell."""

import warnings

import numpy as np
import pytest
from scipy.integrate import quad

import reluplex_walk as rw
from benchmarks import _glass_formulas as formulas
from benchmarks._compound import Compound
from benchmarks.glass import on_line
from reluplex_walk import glass
from reluplex_walk.landscape.gradients import source_of
from reluplex_walk.landscape.offsets import KERNELS, SAMPLES, Offsets
from tests.problems.random import VARIANTS, random_loss, variant

WIDTHS = [4, 5, 4, 2, 1]


@pytest.fixture(scope="module")
def loss():
    return random_loss(WIDTHS, 300, 1)


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
    assert found.gradients == points + 1  # one of them twice, to see that there is no chance in it
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


def test_variogram_of_smooth_gradients_is_none():
    """Their differences grow faster."""
    found = glass.estimate(lambda theta: np.sin(3 * theta), np.ones(4), 2.0, 3, 9)
    assert found.variogram().ratio[-1] > 2.0
    assert not found.variogram().holds


SMOOTH = {
    "affine": lambda theta: 3.0 * theta + 1.0,
    "parabola": lambda theta: theta**2,
    "sine": lambda theta: np.sin(3.0 * theta) - 2.0,
    "constant": lambda theta: np.full(4, 1e6),
    "none": np.zeros_like,
}


@pytest.mark.parametrize("points", [3, 4, 5, 8])
@pytest.mark.parametrize("sigma", [1e-2, 1e-5, 1e-9, 1e-14])
@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_gradients_have_no_glass(name, sigma, points):
    """NaN, and not the tiny number that their bend or rounding amounts to."""
    with pytest.warns(glass.GlassWarning, match=r"^sigma: of 5 lines .* no breakpoint that can be"):
        found = glass.estimate(SMOOTH[name], np.ones(4), sigma, 5, points)
    assert np.isnan([found.rho_total, found.bound(0.1), *found.rho, *found.h]).all()
    assert found.gradients <= 5 * (points + 2) + 1


@pytest.mark.parametrize("points", [3, 4, 5, 8])
@pytest.mark.parametrize("sigma", [1e-2, 1e-6])
def test_jumps_of_smooth_gradients_are_seen(sigma, points):
    """A jump of 1 in each coordinate at 0, besides a steep and smooth gradient."""
    theta = np.full(4, 0.2 * sigma)

    def gradient(t):
        return 100.0 * t + t**2 + (t.sum() > 0.0)

    found = glass.estimate(gradient, theta, sigma, 40, points)
    lines = np.abs(2 * found.directions.sum(axis=1)) > 0.0  # others run along the kink
    many = glass.estimate(lambda t: gradient(t) * [1, 0, 0, 0], theta, sigma, 40, points)
    assert 0.5 < lines.mean() < 0.8
    # of one jump of 1 the mean square of residuals depends on where it lies
    assert 0.3 < found.rho[0] * sigma * 2 / lines.mean() < 3.0
    np.testing.assert_allclose(many.rho[0], found.rho[0])


def test_methods_of_losses_are_as_good_as_these():
    """A gradient of several layers bends within regions; the loss knows where these end."""
    layer = random_loss(WIDTHS, 200, 1)
    for each in (rw.NetworkLoss(layer.network, layer.X, layer.y), layer):
        for sigma in (1e-1, 1e-3, 1e-5, 1e-9):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", glass.GlassWarning)
                found = glass.estimate(each, each.theta, sigma, 8)
                method = glass.estimate(each.gradient, each.theta, sigma, 8)
                other = glass.estimate(lambda t, f=each.gradient: f(t), each.theta, sigma, 8)
            np.testing.assert_array_equal(method.rho, found.rho)
            assert method.n_crossings == found.n_crossings
            np.testing.assert_allclose(other.rho, found.rho, rtol=1e-6)
            assert np.isnan(found.rho).all() or found.n_crossings > 0.5
            assert np.isfinite(found.rho).all() or found.n_crossings < 2.0
        on = each.theta.copy().reshape(-1)
        on[:5] = 0.0
        for gradient in (each, each.gradient):
            with pytest.raises(ValueError, match=r"^theta: expected a point at which no breakpoi"):
                glass.estimate(gradient, on, 0.1)


def test_quick_gradients_are_those_of_the_loss():
    """Repeated rows, weights of 0, each kind; the pattern is that of the loss, too."""
    for case in range(len(VARIANTS)):
        each = variant(case, 4)
        X, y = np.repeat(each.X, 2, axis=0), np.repeat(each.y, 2, axis=0)
        weight = np.arange(len(X)) % 3
        tau = each.tau if each.kind == "pinball" else None
        one = rw.LayerLoss(each.network, X, y, each.layer, each.kind, tau, weight)
        whole = rw.NetworkLoss(each.network, X, y, each.kind, "all", tau, weight)
        for problem, theta in ((one, one.random_start(8, 1.0)), (whole, whole.theta)):
            source = source_of(problem, theta)
            expected = problem.gradient(theta).ravel()
            if problem is one:
                expected = expected * one.free.ravel()
            size = np.abs(expected).max()
            np.testing.assert_allclose(source(theta.ravel()), expected, atol=1e-12 * size)
        signs = [part[weight > 0].T.ravel() for part in whole.pattern(whole.theta)]
        np.testing.assert_array_equal(source.pattern(whole.theta), np.concatenate(signs))


@pytest.mark.parametrize("leak", [0.0, 0.1])
def test_breakpoints_that_are_0_all_around_do_not_count(leak):
    """Above neurons that are off the output is the bias, 0, and so is the target."""
    X = np.random.default_rng(0).uniform(1.0, 2.0, (300, 2))
    weights = [np.full((3, 2), -1.0), np.ones((3, 3)), np.ones((1, 3))]
    biases = [np.zeros(3), np.zeros(3), np.zeros(1)]
    off = rw.ReLUNetwork(weights, biases, negative_slope=leak)
    for block in (0, "all", (0, 2), 1):
        each = rw.NetworkLoss(off, X, np.zeros(300), block=block)
        if block == 0 and leak == 0.0:  # no layer above can move, nor wakes a neuron nearby
            with pytest.warns(glass.GlassWarning):
                assert np.isnan(glass.estimate(each, each.theta, 0.1).rho_total)
        elif leak == 0.0:  # the bias of a layer above does move what is 0
            with pytest.raises(ValueError, match=r"^theta: .* no breakpoint vanishes, found \d+ t"):
                glass.estimate(each, each.theta, 0.1)
        else:  # nothing is 0
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", glass.GlassWarning)
                glass.estimate(each, each.theta, 3.0)


def test_time_runs_while_lines_are_drawn(loss):
    """As many lines as no memory holds, ended by the caller."""

    def stop(done):
        if done == 3:
            raise StopIteration

    for samples in SAMPLES:
        options = {"samples": samples, "seed": 5}
        found = glass.estimate(loss, loss.theta, 0.1, 10**12, callback=stop, **options)
        assert found.ended is rw.Ended.INTERRUPTED
        three = glass.estimate(loss, loss.theta, 0.1, 3, **options)
        np.testing.assert_array_equal(found.rho, three.rho)
        np.testing.assert_array_equal(found.directions, three.directions)


@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("kernel", KERNELS)
def test_standard_error_of_slopes(samples, kernel):
    """Against the spread of repetitions, with slopes that are large against the glass (D4)."""
    dim, rho, sigma, lines = 400, 5.0, 0.5, 16
    slope = 2.0 * np.sqrt(dim * rho / sigma)
    off, said = [], []
    for seed in range(150):
        compound = Compound(dim, rho, slope=slope)
        compound.rng = np.random.default_rng(seed)
        options = {"seed": seed, "samples": samples, "kernel": kernel}
        found = glass.estimate(compound, np.zeros(dim), sigma, lines, **options)
        off.append(((found.h - slope) ** 2).mean())
        said.append((found.h_error**2).mean())
    assert np.mean(said) == pytest.approx(np.mean(off), rel=0.25)
