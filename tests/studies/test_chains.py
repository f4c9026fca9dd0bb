"""Chains: laws against networks one by one, derivatives against differences."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk import chains
from reluplex_walk.studies.chain_hessian import gradient
from reluplex_walk.studies.growing import Growing, random_weights
from reluplex_walk.studies.random_stack import DESIGNS, RandomStack, unit_inputs
from tests.problems.stopping import stopping

SHORT = 1e-9


# ---------------------------------------------------------------- the law


def naive(width, depth, networks, init, seed):
    """The log of |x_L|^2 of networks made one by one, -inf for the dead."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(networks):
        x = np.eye(width)[0]
        for _ in range(depth):
            w = rng.normal(size=(width, width))
            if init == "orthogonal":
                q, r = np.linalg.qr(w)
                w = np.sqrt(2.0) * q * np.sign(np.diag(r))
            else:
                w *= np.sqrt({"he": 2.0, "xavier": 1.0}[init] / width)
            x = np.maximum(w @ x, 0.0)
        with np.errstate(divide="ignore"):
            found.append(np.log(x @ x))
    return np.array(found)


@pytest.mark.parametrize("init", ["he", "xavier", "orthogonal"])
@pytest.mark.parametrize(("width", "depth"), [(1, 2), (3, 4), (6, 3)])
def test_law_is_that_of_networks(init, width, depth):
    law, networks = chains.law(width, depth, init), 3000
    logs = naive(width, depth, networks, init, seed=width)
    alive = logs[np.isfinite(logs)]
    dead = 1.0 - len(alive) / networks
    assert abs(dead - law.p_dead) < 4.0 * np.sqrt(law.p_dead * (1 - law.p_dead) / networks)
    error = max(alive.std(), 1e-12) / np.sqrt(len(alive))
    assert abs(alive.mean() - law.mean_log) < 4.0 * error
    spread = (alive - alive.mean()) ** 2
    assert abs(spread.mean() - law.var_log) < 4.0 * spread.std() / np.sqrt(len(alive)) + 1e-12


def test_law_of_published_figures():
    """mu(d) and the variance of a layer, from an independent computation."""
    known = {4: (-0.71657, 2.9264), 8: (-0.39878, 1.2470), 16: (-0.17640, 0.4196)}
    known |= {32: (-0.08254, 0.1775), 128: (-0.01979, 0.0402)}
    for width, (mean, variance) in known.items():
        law = chains.law(width, 3)
        assert law.mean_layer == pytest.approx(mean, abs=5e-6)
        assert law.var_log / 3 == pytest.approx(variance, abs=6e-5)
    assert chains.law(4, 2).p_dead == pytest.approx(1 - (1 - 1 / 16) ** 2)


def test_uniform_chains_of_one_unit():
    law = chains.law(1, 3, "uniform")
    assert (law.mean_log, law.var_log, law.p_dead) == (-6.0, 12.0, pytest.approx(1 - 1 / 8))
    with pytest.raises(ValueError, match="known for no other, found 2"):
        chains.law(2, 3, "uniform")
    w = np.random.default_rng(0).uniform(-1.5, 1.5, (200_000, 4))
    median = np.median(np.abs(w.prod(axis=1)))
    assert chains.median_product(4, 1.5) == pytest.approx(median, rel=0.02)
    assert chains.median_product(8) == pytest.approx(np.exp(1 / 3 - 8), rel=0.004)


@pytest.mark.parametrize(
    ("width", "init"), [(2, "he"), (8, "he"), (5, "orthogonal"), (1, "uniform")]
)
def test_sample_follows_the_law_in_every_layer(width, init):
    found = chains.sample(width, 5, 4000, init, seed=1)
    for layer in range(5):
        law = chains.law(width, layer + 1, init)
        share = np.sqrt(law.p_dead * (1 - law.p_dead) / 4000)
        assert abs(found.p_dead[layer] - law.p_dead) < 4 * share
        logs = found.log_norm[:, layer].compressed()
        assert abs(logs.mean() - law.mean_log) < 4 * logs.std() / np.sqrt(len(logs)) + 1e-12


@pytest.mark.parametrize(("width", "depth", "init"), [(32, 1000, "xavier"), (24, 3000, "he")])
def test_small_networks_are_not_dead(width, depth, init):
    """Squares below 1e-308: by the law none of them is dead, and the mean is that of the law."""
    law, found = chains.law(width, depth, init), chains.sample(width, depth, 10, init)
    assert law.p_dead < 2e-4
    assert found.p_dead[-1] == 0.0
    logs = found.log_norm[:, -1]
    assert law.mean_log < -300.0
    assert abs(logs.mean() - law.mean_log) < 4.0 * np.sqrt(law.var_log / 10)
    mapped = chains.vanishing([width], [10, depth], networks=5, init=init)
    assert mapped.dead.tolist() == [[0.0, 0.0]]
    off = mapped.log_gradient[0] - np.array([10, depth]) * law.gradient_slope
    assert abs(off[1] - off[0]) < 4.0 * np.sqrt(law.var_log / 5)


def test_large_networks_are_not_dead_either():
    """Uniform weights are he weights times sqrt(d / 6): each layer adds log(d / 6) and mu(d)."""
    with np.errstate(all="raise"):
        found = chains.sample(64, 320, 4, "uniform")
    assert found.p_dead[-1] == 0.0
    expected = 320 * (np.log(64 / 6) + chains.law(64, 1).mean_layer)
    assert expected > 700.0
    assert found.log_norm[:, -1].mean() == pytest.approx(expected, rel=0.03)


def test_gradients_shrink_by_half_of_mu_a_layer():
    found = chains.sample(8, 16, 6000)
    assert found.gradient_slope == pytest.approx(chains.law(8, 1).gradient_slope, abs=0.01)
    dead = chains.sample(1, 30, 3)
    assert dead.log_norm.mask[:, -1].all()
    with pytest.raises(ValueError, match="0 alive"):
        _ = dead.gradient_slope


# ---------------------------------------------------------------- derivatives


def test_hessian_is_that_of_exact_differences():
    """The loss is quadratic in every weight: second differences of any step are exact."""
    rng = np.random.default_rng(0)
    weights = [[Fraction(int(k), 8) for k in row] for row in rng.integers(-9, 9, (5, 4))]
    weights[0][1] = weights[1][0] = weights[1][3] = Fraction(0)
    y = Fraction(3, 4)

    def loss(w):
        return (np.prod(w) - y) ** 2 / 2

    def moved(w, i, s, j, t):
        w = list(w)
        w[i] += s
        w[j] += t
        return loss(w)

    found = chains.hessian(np.array(weights, float), float(y))
    for w, matrix in zip(weights, found, strict=True):
        for i, j in product(range(4), repeat=2):
            pairs = [(s, t) for s in (1, -1) for t in (1, -1)]
            if i == j:
                value = moved(w, i, 1, i, 0) + moved(w, i, -1, i, 0) - 2 * loss(w)
            else:
                value = sum(s * t * moved(w, i, s, j, t) for s, t in pairs) / 4
            assert matrix[i, j] == pytest.approx(float(value), abs=1e-13, rel=1e-13)
        slope = [(moved(w, i, 1, i, 0) - moved(w, i, -1, i, 0)) / 2 for i in range(4)]
        np.testing.assert_allclose(
            gradient(np.array(w, float), 0.75), np.array(slope, float), atol=1e-13
        )
    np.testing.assert_array_equal(chains.hessian(np.array(weights[2], float), 0.75), found[2])


def test_gradient_and_hessian_norm_of_growing_networks():
    """The output is multilinear in the weights: mixed differences are exact, and squares are 0."""
    rng = np.random.default_rng(3)
    n, d, depth = 4, 3, 3
    growing = Growing.begun(rng, n, d, with_hessian=True)
    x0, layers = growing.x.copy(), []
    for _ in range(depth):
        layers.append(random_weights(rng, n, d, "he"))
        growing.add(layers[-1])
    v = rng.normal(size=(n, d))
    for k in range(n):
        theta = np.concatenate([*(w[k].ravel() for w in layers), v[k]])
        actives, x = [], x0[k]
        for w in layers:
            actives.append(w[k] @ x > 0.0)
            x = actives[-1] * (w[k] @ x)

        def f(theta, actives=actives, x=x0[k]):
            for w, active in zip(theta[:-d].reshape(depth, d, d), actives, strict=True):
                x = active * (w @ x)
            return theta[-d:] @ x

        steps = np.eye(len(theta))
        first = np.array([f(theta + e) - f(theta) for e in steps[: d * d]])
        assert np.exp(2 * growing.log_gradient(v).filled(-np.inf)[k]) == pytest.approx(
            (first**2).sum()
        )
        total = sum(
            (f(theta + a + b) - f(theta + a) - f(theta + b) + f(theta)) ** 2
            for i, a in enumerate(steps)
            for j, b in enumerate(steps)
            if i != j
        )
        assert np.exp(2 * growing.log_hessian(v).filled(-np.inf)[k]) == pytest.approx(total)
        assert np.exp(2 * growing.log_norm().filled(-np.inf)[k]) == pytest.approx(x @ x)


@pytest.mark.parametrize("design", DESIGNS)
def test_ways_back_are_gradients(design):
    n, batch, d, depth = 2, 5, 4, 3
    x = unit_inputs(np.random.default_rng(0), n, batch, d)
    top = np.random.default_rng(1).normal(size=(n, batch, d))

    def value(x, k=None, move=None):
        stack = RandomStack(design, depth, x, np.random.default_rng(2))
        if k is not None:  # the same weights, the first ones moved
            signal = x
            layers, stack.layers = [layer.weights for layer in stack.layers], []
            layers[0] = layers[0] + move
            for w in layers:
                signal = stack._forward(w, signal)
            stack.top = signal
        return (stack.top * top).sum()

    stack = RandomStack(design, depth, x, np.random.default_rng(2))
    at_first, at_inputs, exponents = stack.back(top)
    assert not exponents.any()
    step = 1e-6
    for where in [(0, 0, 0), (1, 3, 2)]:
        move = np.zeros_like(x)
        move[where] = step
        slope = (value(x + move) - value(x - move)) / (2 * step)
        assert at_inputs[where] == pytest.approx(slope, abs=1e-7)
    for where in [(0, 0, 0), (1, 2, 3)]:
        move = np.zeros((n, d, d))
        move[where] = step
        slope = (value(x, 0, move) - value(x, 0, -move)) / (2 * step)
        assert at_first[where] == pytest.approx(slope, abs=1e-7)


# ---------------------------------------------------------------- maps and spectra


def test_vanishing_is_nearly_constant_along_the_line():
    found = chains.vanishing([8, 16, 32], [6, 13, 26], networks=300)
    diagonal = np.diag(found.log_gradient)
    assert np.ptp(diagonal) < 0.35
    assert found.log_gradient[0, -1] < found.log_gradient[0, 0] - 2.5
    for k, width in enumerate((8, 16, 32)):
        assert abs(found.dead[k, -1] - chains.law(width, 26).p_dead) < 0.06
    again = chains.vanishing([16], [6, 13, 26], networks=300)
    np.testing.assert_array_equal(again.log_hessian[0], found.log_hessian[1])  # by seed and width


@pytest.mark.parametrize("init", ["he", "orthogonal", "xavier", "uniform"])
def test_the_line_is_that_of_the_law(init):
    found = chains.vanishing([2, 3], [1, 2], 3, init)
    if found.c is None:
        assert init == "uniform" or chains.law(900, 900, "xavier").mean_log / 2 < -300
    else:
        assert chains.law(960, round(960 / found.c), init).mean_log / 2 == pytest.approx(
            -1, abs=0.01
        )


def test_dead_networks_are_masked():
    found = chains.vanishing([1, 8], [2, 60], networks=40)
    assert found.dead[0].tolist() == [pytest.approx(0.75, abs=0.2), 1.0]
    assert found.log_gradient.mask.tolist() == [[False, True], [False, False]]
    assert found.log_hessian[0, 1] is np.ma.masked


def test_spectrum():
    exact = 0.5 + (1 + np.log(3)) / 6  # P(p < 1/3) for two uniform weights
    found = chains.spectrum([2, 4, 8], 8000)
    assert found.saddles[0] == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 8000))
    assert found.saddles[2] > 0.995
    deep = chains.spectrum([8, 16, 32], 800)
    np.testing.assert_allclose(deep.slopes, [-1.0, -0.93, -1.93], atol=0.06)
    medians = [np.log(chains.median_product(depth)) for depth in (8, 16, 32)]
    np.testing.assert_allclose(deep.log_product, medians, atol=0.6)
    with pytest.raises(ValueError, match="slopes: expected two depths"):
        _ = chains.spectrum([3], 10).slopes


@pytest.mark.parametrize("y", [1.0, 0.0, -2.0])
@pytest.mark.parametrize("tau", [0.5, 3.0])
def test_spectrum_is_that_of_the_hessian(y, tau):
    w = np.random.default_rng(4).uniform(-1.0, 1.0, (31, 6)) * tau
    matrices = chains.hessian(w, y)
    values = np.linalg.eigvalsh(matrices)
    found = chains.spectrum([6], 31, tau, y, seed=4)
    traces = np.trace(matrices, axis1=1, axis2=2)
    for row, numbers in (
        (found.log_product, np.abs(w.prod(axis=1))),
        (found.log_lambda, values[:, -1]),
        (found.log_trace, traces),
    ):
        assert row[0] == pytest.approx(np.log(np.median(numbers)), abs=1e-9)
    zero = 1e-12 * np.abs(values).max(axis=1)
    assert found.saddles[0] == ((values[:, 0] < -zero) & (values[:, -1] > zero)).mean()


def test_spectrum_of_long_chains():
    """C w and c^L y have c^(2 L - 2) times the Hessian: c = e brings all within range."""
    found = chains.spectrum([400], 50, seed=3)
    w = np.random.default_rng(3).uniform(-1.0, 1.0, (50, 400)) * np.e
    matrices = chains.hessian(w, np.exp(400.0))
    for row, numbers in (
        (found.log_lambda, np.linalg.eigvalsh(matrices)[:, -1]),
        (found.log_trace, np.trace(matrices, axis1=1, axis2=2)),
    ):
        assert row[0] == pytest.approx(np.log(np.median(numbers)) - 798.0, abs=1e-6)
    deep = chains.spectrum([8, 16, 400], 100)
    np.testing.assert_allclose(deep.slopes, [-1.0, -1.0, -2.0], atol=0.1)
    far = chains.spectrum([4, 8], 100, tau=1e30)  # p^2 above all: as for y = 0
    np.testing.assert_allclose(far.slopes, chains.spectrum([4, 8], 100, 1e30, 0.0).slopes)


def test_cures_of_deep_networks():
    """Gradients beyond 1e+-154, whose squares no double holds: slopes as at small depths."""
    plain, residual = chains.cures(
        [2000, 3000], 12, ["plain", "residual"], 12, batch=1
    ).slopes.values()
    assert plain == pytest.approx(chains.law(12, 1).gradient_slope, rel=0.2)
    assert residual == pytest.approx(
        chains.cures([20, 60], 12, ["residual"]).slopes["residual"], rel=0.1
    )
    found = chains.cures([3000], 24, ["plain"], 12, batch=1)
    assert found.dead.tolist() == [[0.0]]  # by the law 2e-4


def test_order_of_the_cures():
    slopes = chains.cures(networks=200).slopes
    assert slopes["plain"] < -0.1
    assert slopes["residual"] == pytest.approx(0.45, abs=0.05)
    assert abs(slopes["scaled"]) < 0.05
    assert 0.1 < slopes["batchnorm"] < 0.3
    one = chains.cures(batch=1, designs=["layernorm"], networks=200).slopes
    assert one["layernorm"] < -0.15  # no cure for a single input
    with pytest.raises(ValueError, match="batch: expected an integer >= 2"):
        chains.cures(batch=1)


# ---------------------------------------------------------------- limits and the border


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda **k: chains.vanishing([2, 3, 4], [1, 2], 5, **k), lambda found: found.widths),
        (lambda **k: chains.spectrum([2, 3, 4], 5, **k), lambda found: found.depths),
        (lambda **k: chains.cures(networks=5, **k), lambda found: found.designs),
        (lambda **k: chains.sample(1000, 1, 6, **k), lambda found: found.log_norm),
    ],
)
def test_limits(call, parts):
    part = call(callback=stopping(3))
    assert part.ended is rw.Ended.INTERRUPTED
    at_once = call(time_limit=SHORT)
    assert at_once.ended is rw.Ended.TIME_LIMIT
    assert len(parts(at_once)) < len(parts(part)) < len(parts(whole := call()))
    assert whole.ended is rw.Ended.FINISHED
    with pytest.raises(ValueError, match="time_limit"):
        call(time_limit=-1.0)


def test_the_first_width_can_be_cut(monkeypatch):
    monkeypatch.setattr("reluplex_walk.studies.vanishing._NUMBERS", 3 * 8**2 * 5)  # 5 networks
    part = chains.vanishing([8], [1, 2], 12, time_limit=SHORT)
    assert (part.ended, part.networks) == (rw.Ended.TIME_LIMIT, 5)
    whole = chains.vanishing([8], [1, 2], 12)
    assert (whole.ended, whole.networks) == (rw.Ended.FINISHED, 12)
    monkeypatch.undo()
    one = chains.vanishing([8], [1, 2], 12, time_limit=SHORT)  # in one block: nothing to cut
    assert (one.ended, one.networks) == (rw.Ended.FINISHED, 12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: chains.law(0, 3), "width: expected an integer >= 1"),
        (lambda: chains.law(3, 3, "lecun"), "init: expected one of he, xavier"),
        (lambda: chains.hessian([], 1.0), "weights: expected an array of shape"),
        (lambda: chains.vanishing([4, 2]), "widths: expected integers in ascending order"),
        (lambda: chains.spectrum([]), "depths: expected integers in ascending order"),
        (lambda: chains.median_product(1000), "depth: expected .* logarithm -999.66"),
        (lambda: chains.median_product(400, 100.0), "depth: expected .* logarithm 1442"),
        (lambda: chains.spectrum([10**6]), "depths.0.: the Hessian takes .* GiB"),
        (lambda: chains.vanishing([4, 10**6]), "widths.1.: one network takes .* GiB"),
        (lambda: chains.sample(10**6, 2), "width: a layer of one network takes .* GiB"),
        (lambda: chains.law(10**12, 2), "width: the law takes .* GiB"),
        (lambda: chains.cures([10**9]), "depths.0.: the layers of a network .* GiB"),
        (lambda: chains.cures(designs=[]), "designs: expected one at least"),
    ],
)
def test_border(call, message):
    with pytest.raises(ValueError, match=message):
        call()
