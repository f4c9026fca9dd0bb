"""Shattered gradients: laws, networks whose weights are held, spectra, and the index by hand."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import ks_2samp

import reluplex_walk as rw
from reluplex_walk.studies.arc_cosine import kappa0, kappa1, plain_law, residual_law
from reluplex_walk.studies.shatteredness import shatteredness, slopes
from reluplex_walk.studies.shattering import shattering
from reluplex_walk.studies.shattering_spectrum import shattering_spectrum
from reluplex_walk.studies.unheld import gradients, pair_of_inputs
from tests.problems.random import random_loss
from tests.problems.stopping import stopping
from tests.studies.test_chains import SHORT

# ---------------------------------------------------------------- laws


@pytest.mark.parametrize("cosine", [-0.9, 0.0, 0.5, 0.99])
def test_kernels_are_means_over_a_normal_weight(cosine):
    """In the plane of two unit inputs the weight has a uniform angle, and |w|^2 mean 2."""
    apart = np.arccos(cosine)

    def both(t):
        return max(np.cos(t), 0.0) * max(np.cos(t - apart), 0.0)

    kinks = [np.pi / 2, -np.pi / 2, apart - np.pi / 2, apart + np.pi / 2]
    options = {"points": [k for k in kinks if abs(k) < np.pi], "limit": 200}
    share = quad(lambda t: float(both(t) > 0.0), -np.pi, np.pi, **options)[0] / (2 * np.pi)
    mean = 2 * quad(both, -np.pi, np.pi, **options)[0] / (2 * np.pi)
    assert kappa0(cosine) == pytest.approx(2 * share, abs=1e-6)
    assert kappa1(cosine) == pytest.approx(2 * mean, abs=1e-6)


def test_laws_of_published_figures():
    plain = [plain_law(0.5, depth) for depth in (1, 2, 4, 8, 16)]
    assert plain == pytest.approx([0.6667, 0.4723, 0.2670, 0.1130, 0.0349], abs=5e-5)
    residual = [residual_law(0.5, depth) for depth in (1, 2, 4, 8, 16, 32)]
    assert residual == pytest.approx([0.833, 0.794, 0.767, 0.750, 0.740, 0.735], abs=6e-4)


# ---------------------------------------------------------------- networks


def held(rng, x, depth, residual):
    """Gradients of one network with all its weights at the two rows of `x`."""
    d, found = x.shape[1], []
    weights = [rng.normal(size=(d, d)) * np.sqrt(2.0 / d) for _ in range(depth)]
    v = rng.normal(size=d)
    for start in x:
        signal, jacobian = start, np.eye(d)
        for w in weights:
            if residual:
                step = w @ np.diag((signal > 0.0).astype(float)) / np.sqrt(depth)
                signal, jacobian = signal + step @ signal, jacobian + step @ jacobian
            else:
                step = np.diag((w @ signal > 0.0).astype(float)) @ w
                signal, jacobian = step @ signal, step @ jacobian
        found.append(v @ jacobian)
    return np.array(found)


@pytest.mark.parametrize("residual", [False, True])
def test_weights_that_are_not_held_change_no_law(residual):
    """At width 4, far from the limit: sizes, correlations and components along the inputs."""
    rng, n, d, depth = np.random.default_rng(5), 3000, 4, 3
    x = pair_of_inputs(rng, n, d, 0.3)
    assert np.allclose(np.einsum("ni,ni->n", x[:, 0], x[:, 1]), 0.3)
    assert np.allclose(np.linalg.norm(x, axis=2), 1.0)
    one = gradients(rng, x, depth, residual)
    other = np.array([held(rng, pair, depth, residual) for pair in x])
    for statistic in (
        lambda g: np.linalg.norm(g[:, 0], axis=1),
        lambda g: (g[:, 0] * g[:, 1]).sum(axis=1),
        lambda g: (g[:, 1] * x[:, 0]).sum(axis=1),
    ):
        assert ks_2samp(statistic(one), statistic(other)).pvalue > 1e-3
    if not residual:  # f = g.x, at both inputs
        dead = (one == 0.0).all(axis=2).mean(axis=0)
        assert np.allclose(dead, 1 - (1 - 2.0**-d) ** depth, atol=0.03)


@pytest.mark.parametrize("design", ["plain", "residual"])
def test_correlations_follow_the_law(design):
    found = shattering([1, 2, 4, 8], design=design, networks=400)
    assert (np.abs(found.mean - found.law) < 3 * found.error + 0.02).all()
    assert (found.error < 0.012).all()
    other = shattering([1, 2, 4, 8], design=design, networks=400)
    np.testing.assert_array_equal(found.mean, other.mean)
    single = shattering([4], design=design, networks=400)
    assert single.mean[0] == found.mean[2]  # by seed, design and depth


def test_excess_over_the_law_is_depth_over_width():
    narrow, wide = (shattering([8], width, networks=6000) for width in (32, 128))
    excess = [float(found.mean[0] - found.law[0]) for found in (narrow, wide)]
    assert excess[0] == pytest.approx(0.235 * 8 / 32, abs=0.02)
    assert excess[1] == pytest.approx(0.235 * 8 / 128, abs=0.01)


def test_normalised_networks_shatter_too():
    layer, batch = (
        shattering([1, 4], 64, design, networks=100) for design in ("layernorm", "batchnorm")
    )
    assert layer.law is None
    assert np.abs(layer.mean - [0.65, 0.26]).max() < 0.06
    assert batch.mean[1] < layer.mean[1] - 0.05  # normalising a batch shatters sooner


# ---------------------------------------------------------------- spectra


@pytest.mark.parametrize("points", [64, 65])
def test_spectrum_is_the_transform_of_the_law(points):
    found = shattering_spectrum(3, 48, points=points, networks=30)
    assert found.power.shape == found.law.shape == (points // 2 + 1,)
    assert found.power.sum() == pytest.approx(1.0)
    assert found.law.sum() == pytest.approx(1.0)
    assert np.abs(found.power - found.law).max() < 0.05
    angle = 2 * np.pi * np.arange(points) / points
    waves = np.cos(angle[:, None] * np.arange(points // 2 + 1))
    law = [plain_law(np.cos(each), 3) for each in angle]
    np.testing.assert_allclose(waves @ found.law, law, atol=1e-12)  # and back


def test_deep_gradients_are_whiter():
    plain = [shattering_spectrum(depth, 32, networks=20).half for depth in (1, 12)]
    residual = shattering_spectrum(12, 32, "residual", networks=20)
    assert plain[0] < plain[1]
    assert residual.half < plain[1]


# ---------------------------------------------------------------- the index


def test_slopes_are_differences():
    loss = random_loss([3, 5, 4, 1], 30, 2)
    found = rw.glass.exact(loss, loss.theta, 0.5, 3)
    step = 1e-7
    for k, v in enumerate(found.directions):
        ends = [
            loss.network.with_layer(0, loss.theta + s * step * v.reshape(loss.shape))(loss.X)[:, 0]
            for s in (1, -1)
        ]
        np.testing.assert_allclose(
            slopes(loss, found)[:, k], (ends[0] - ends[1]) / (2 * step), atol=1e-6
        )


def test_gradients_vanish_and_glass_does_not():
    found = shatteredness([2, 8], networks=8)
    fall = {
        name: float(np.diff(getattr(found, f"log_{name}"))[0])
        for name in ("gradient", "curvature", "slopes", "hidden", "index")
    }
    assert fall["slopes"] < fall["gradient"] < 0.0
    assert fall["curvature"] < 0.0
    assert fall["hidden"] > fall["slopes"] + 0.5
    assert fall["index"] > np.log(2.0)
    assert found.networks.tolist() == [8, 8]


def test_a_dead_network_has_no_index():
    found = shatteredness([40], width=1, samples=5, networks=2)
    assert found.networks.tolist() == [0]
    assert found.log_index[0] is np.ma.masked
    assert found.log_gradient[0] is np.ma.masked


def test_one_sample_is_enough():
    """Which networks are dead is known in advance: with one sample, one layer of d He units."""
    found = shatteredness([1], width=2, samples=1, networks=40)
    alive = found.networks[0] / 40
    assert abs(alive - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 40)
    assert found.log_gradient[0] is not np.ma.masked


def test_error_of_the_mean():
    """It is what the means of many samples scatter by, and of one network it is not known."""
    single = shattering([1, 2], 16, networks=1)
    assert single.error.mask.tolist() == [True, True]
    runs = [shattering([1], 16, networks=3, seed=seed) for seed in range(400)]
    scatter = np.std([run.mean[0] for run in runs])
    assert np.sqrt(np.mean([run.error[0] ** 2 for run in runs])) == pytest.approx(scatter, rel=0.12)


# ---------------------------------------------------------------- limits and the border


@pytest.mark.parametrize(
    "call",
    [
        lambda **k: shattering([1, 2, 4], 8, networks=5, **k),
        lambda **k: shatteredness([1, 2, 3], 3, 20, 1, **k),
    ],
)
def test_limits(call):
    part = call(callback=stopping(3))
    assert part.ended is rw.Ended.INTERRUPTED
    assert len(part.depths) == 2
    assert len(call(time_limit=SHORT).depths) == 1
    assert call(time_limit=SHORT).ended is rw.Ended.TIME_LIMIT
    assert call().ended is rw.Ended.FINISHED


def test_the_first_depth_can_be_cut(monkeypatch):
    monkeypatch.setattr("reluplex_walk.studies.shattering._NUMBERS", 2 * 8 * 8 * 5)  # 5 networks
    part = shattering([2], 8, networks=200, time_limit=SHORT)
    assert part.ended is rw.Ended.TIME_LIMIT
    assert len(part.correlations[0]) <= 5
    whole = shattering([2], 8, networks=200)
    assert whole.ended is rw.Ended.FINISHED
    assert len(whole.correlations[0]) > 150


def test_limits_of_the_spectrum():
    part = shattering_spectrum(2, 8, networks=9, callback=stopping(4))
    assert (part.ended, part.networks) == (rw.Ended.INTERRUPTED, 3)
    assert shattering_spectrum(2, 8, time_limit=SHORT).ended is rw.Ended.TIME_LIMIT


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: shattering([0]), "depths.0.: expected an integer >= 1"),
        (lambda: shattering(cosine=1.0), r"cosine: expected a number in \(-1, 1\)"),
        (lambda: shattering(design="dense"), "design: expected one of plain, residual"),
        (lambda: shattering([60], 2, networks=2), "width: expected networks alive"),
        (lambda: shattering_spectrum(2, design="batchnorm"), "design: expected one of plain"),
        (lambda: shattering_spectrum(80, 2, networks=2), "width: expected a network that is alive"),
        (lambda: shattering([10**9], design="layernorm"), "width: a network of depth .* GiB"),
        (lambda: shattering_spectrum(10**9), "depth: a network of width 64 .* GiB"),
        (lambda: shatteredness(length=0.0), "length: expected a number > 0"),
    ],
)
def test_border(call, message):
    with pytest.raises(ValueError, match=message):
        call()
