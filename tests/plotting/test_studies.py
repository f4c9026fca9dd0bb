"""Figures of studies show what these found."""

import numpy as np
import pytest

import reluplex_walk as rw

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib.figure import Figure  # noqa: E402

from reluplex_walk import plotting  # noqa: E402
from reluplex_walk.studies.shatteredness import shatteredness  # noqa: E402
from reluplex_walk.studies.shattering import shattering  # noqa: E402


def line(ax, label):
    (found,) = (each for each in ax.lines if each.get_label() == label)
    return found


@pytest.mark.parametrize("what", ["gradient", "hessian"])
def test_map_of_vanishing(what):
    found = rw.chains.vanishing([1, 4, 8], [2, 8, 40], networks=20)
    ax = found.plot(Figure().subplots(), what)
    (mesh,) = ax.collections
    drawn = mesh.get_array().reshape(3, 3)
    values = getattr(found, f"log_{what}")
    np.testing.assert_array_equal(np.ma.getmaskarray(drawn), values.mask)
    assert values.mask[0, 2]  # no network of one unit is alive: white
    np.testing.assert_allclose(drawn.compressed() * np.log(10), values.compressed())
    drawn_line = line(ax, "width = 1.25 depth")
    np.testing.assert_allclose(drawn_line.get_ydata(), 1.25 * np.array(drawn_line.get_xdata()))
    edges = mesh.get_coordinates()
    for k, depth in enumerate(found.depths):  # each column lies around its depth
        assert edges[0, k, 0] < depth < edges[0, k + 1, 0]
    other = rw.chains.vanishing([2, 3], [1, 2], 9, "xavier")
    assert not other.plot(Figure().subplots()).lines  # these vanish at every width
    with pytest.raises(ValueError, match="what: expected one of gradient, hessian"):
        found.plot(what="loss")
    with pytest.raises(ValueError, match="two widths and two depths"):
        rw.chains.vanishing([4], [2, 4], networks=5).plot()


def test_plot_escape_shows_who_did_not():
    runs = [rw.chains.escape(depth, "gd", 20, gradients=150) for depth in (4, 16)]
    ax = plotting.plot_escape(runs, Figure().subplots())
    assert line(ax, "gd").get_ydata()[0] == runs[0].median
    late = line(ax, "gd: half not yet")
    assert (late.get_xdata(), late.get_ydata()) == ([16], [150])
    with pytest.raises(ValueError, match="runs: expected one at least"):
        plotting.plot_escape([])


def test_plot_shattering():
    runs = [shattering([1, 4], 16, design, networks=30) for design in ("plain", "batchnorm")]
    ax = plotting.plot_shattering(runs, Figure().subplots())
    np.testing.assert_array_equal(line(ax, "plain, law").get_ydata(), runs[0].law)
    drawn = {each.get_label(): each.lines[0].get_ydata() for each in ax.containers}
    np.testing.assert_array_equal(drawn["plain"], runs[0].mean)
    np.testing.assert_array_equal(drawn["batchnorm"], runs[1].mean)
    with pytest.raises(ValueError, match="runs: expected one at least"):
        plotting.plot_shattering([])


def test_plot_shatteredness():
    found = shatteredness([1, 2], 4, 30, networks=3)
    ax = found.plot(Figure().subplots())
    drawn = line(ax, "index: glass / squared slopes").get_ydata()
    np.testing.assert_allclose(drawn, np.exp(found.log_index - found.log_index[0]))


def teacher(seed):
    data, _ = rw.datasets.make_teacher(100, [2, 4, 1], noise=0.5, seed=seed)
    return rw.ReLUNetwork.random([2, 4, 1], seed=1), data.X, data.y


def test_plot_regret_tells_theorems_from_comparisons():
    run = rw.taylor.regret(*teacher(0), horizons=[8, 64, 128])
    ax = run.plot()
    assert line(ax, "regret").get_xdata().tolist() == [64, 128]  # at 8 the optimum interpolates
    assert line(ax, "interpolates").get_xdata().tolist() == [8]
    np.testing.assert_array_equal(line(ax, "bound").get_ydata(), run.bound / run.horizon)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    other = rw.taylor.regret(*teacher(0), "adam", horizons=[64, 128]).plot()
    assert "as for SGD: no theorem" in [each.get_label() for each in other.lines]
    none = rw.taylor.regret(*teacher(0), horizons=[64], time_limit=1e-9)
    with pytest.raises(ValueError, match="expected a horizon at least"):
        none.plot()


def test_plot_exploration_draws_what_is_seen_and_what_is_passed():
    loss = rw.LayerLoss(*teacher(0))
    found = rw.activations.exploration(rw.descend(loss, "adam", 30, learning_rate=0.1))
    ax = found.plot()
    np.testing.assert_array_equal(line(ax, "seen at entries").get_ydata(), found.configurations)
    np.testing.assert_array_equal(line(ax, "with those passed").get_ydata(), found.passed)
    several = plotting.plot_exploration({"adam": found}, against="loss")
    drawn = line(several, "adam").get_xdata()
    np.testing.assert_array_equal(drawn, np.minimum.accumulate(found.losses))
    with pytest.raises(ValueError, match="against"):
        plotting.plot_exploration(found, against="time")
