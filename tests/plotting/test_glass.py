"""The variogram of a glass is drawn as it is, and where nothing is crossed this is said."""

import numpy as np
import pytest

import reluplex_walk as rw

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


def line(ax, label):
    return next(each for each in ax.lines if each.get_label().startswith(label))


@pytest.mark.filterwarnings("ignore::reluplex_walk.landscape.lines.GlassWarning")
def test_plot_glass_of_nothing_says_so(tmp_path):
    """Logarithmic axes have no room for NaN alone."""
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(80, 2)), np.where(rng.random(80) < 0.5, -1.0, 1.0)
    loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 5, 1], seed=2), X, y, kind="hinge")
    for found in (
        rw.glass.exact(loss, loss.theta, 1e-9),
        rw.glass.estimate(loss, loss.theta, 1e-9, points=5),
        rw.glass.estimate(lambda theta: theta, np.ones(3), 0.1),
    ):
        ax = found.plot()
        ax.figure.savefig(tmp_path / "nothing.png")
        assert [each.get_text() for each in ax.texts] == ["no breakpoint crossed"]
    found = rw.glass.exact(loss, loss.theta, 0.02)
    assert found.rho_hidden.any()
    assert np.isnan(found.mean_over_rms.residual)
    ax = found.plot()
    ax.figure.savefig(tmp_path / "some.png")
    assert not ax.texts
    assert line(ax, "residuals").get_label() == "residuals: none crossed"


def test_plot_glass_draws_variograms():
    rng = np.random.default_rng(1)
    loss = rw.LayerLoss(
        rw.ReLUNetwork.random([2, 5, 1], seed=2), rng.normal(size=(80, 2)), rng.normal(size=80)
    )
    exactly = rw.glass.exact(loss, loss.theta, 1.0, 4)
    ax = exactly.plot()
    seen = exactly.variogram()
    np.testing.assert_array_equal(line(ax, "exact").get_xdata(), seen.distance)
    np.testing.assert_array_equal(line(ax, "exact").get_ydata(), seen.value)
    np.testing.assert_array_equal(line(ax, "rho").get_ydata(), seen.linear)
    for kind, label in (("hidden", "hidden"), ("residual", "residuals")):
        part = exactly.variogram(kind)
        np.testing.assert_array_equal(line(ax, label).get_ydata(), part.value)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    estimated = rw.glass.estimate(loss, loss.theta, 0.5, 4, points=9)
    assert estimated.plot(ax) is ax
    drawn = line(ax, "estimated").get_ydata()
    np.testing.assert_array_equal(drawn, estimated.variogram().value)
