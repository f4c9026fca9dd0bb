"""Figures show what the trajectory says, and nothing is drawn unasked."""

import sys

import numpy as np
import pytest

import reluplex_walk as rw

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib.figure import Figure  # noqa: E402

from reluplex_walk import plotting  # noqa: E402


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def walk(widths, n=25, **options):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, widths[0]))
    y = rng.normal(size=(n, widths[-1]))
    return rw.walk(rw.LayerLoss(rw.ReLUNetwork.random(widths, seed=2), X, y), **options)


@pytest.fixture(scope="module")
def curve():
    """A walk on data with one input and one output."""
    return walk([1, 4, 1])


@pytest.fixture(scope="module")
def plane():
    """A walk on data with two inputs and two outputs."""
    return walk([2, 3, 2])


def line(ax, label):
    return next(each for each in ax.lines if each.get_label().startswith(label))


def test_plot_loss_draws_every_loss(curve):
    ax = plotting.plot_loss(curve)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), curve.losses)
    assert line(ax, "end").get_ydata()[0] == curve.losses[-1]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("pivot", "loss")


def test_plot_loss_shades_phase_1(curve):
    assert curve.phase1 > 0
    (shade,) = plotting.plot_loss(curve).patches
    left, right = shade.get_extents().transformed(shade.axes.transData.inverted()).intervalx
    assert (left, right) == pytest.approx((0, curve.phase1))


def test_plot_loss_without_phase_1(curve):
    again = rw.walk(curve.problem, start=curve.theta)
    ax = plotting.plot_loss(again)
    assert ax.lines[0].get_ydata()[-1] == pytest.approx(curve.loss)


def test_plot_loss_on_a_logarithmic_axis(curve):
    assert plotting.plot_loss(curve).get_yscale() == "linear"
    assert plotting.plot_loss(curve, log=True).get_yscale() == "log"


def test_overview_of_a_steep_fall_is_logarithmic(curve):
    assert plotting.overview(curve).axes[0].get_yscale() == "linear"
    far = rw.walk(curve.problem, start=100 * curve.vertices[0] + 100)
    assert 0 < 20 * far.loss < far.losses[0]
    assert plotting.overview(far).axes[0].get_yscale() == "log"


def test_plot_loss_of_a_walk_cut_short():
    short = walk([1, 4, 1], max_pivots=2)
    (shade,) = plotting.plot_loss(short).patches
    assert shade.get_extents().transformed(shade.axes.transData.inverted()).x1 <= 2


def test_plot_fit_draws_data_start_and_end(curve):
    ax = plotting.plot_fit(curve, points=7, xlabel="time (ms)", ylabel="head")
    problem = curve.problem
    np.testing.assert_array_equal(line(ax, "data").get_xydata(), np.c_[problem.X, problem.y])
    end = line(ax, "end").get_xydata()
    assert len(end) == 7
    assert (end[0, 0], end[-1, 0]) == (problem.X.min(), problem.X.max())
    np.testing.assert_array_equal(curve.network(end[:, :1])[:, 0], end[:, 1])
    start = line(ax, "start").get_xydata()
    network = problem.network.with_layer(0, curve.vertices[0])
    np.testing.assert_array_equal(network(start[:, :1])[:, 0], start[:, 1])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (ms)", "head")


def test_plot_fit_cuts_a_start_far_off(curve):
    far = rw.walk(curve.problem, start=100 * curve.vertices[0] + 100)
    ax = plotting.plot_fit(far)
    low, high = ax.get_ylim()
    shown = np.concatenate([line(ax, "data").get_ydata(), line(ax, "end").get_ydata()])
    start = line(ax, "start").get_ydata()
    assert low <= shown.min()
    assert shown.max() <= high
    assert np.ptp(start) > high - low


def test_plot_fit_refuses_more_dimensions(plane):
    with pytest.raises(ValueError, match="one input and one output, found ReLUNetwork\\(2-3-2\\)"):
        plotting.plot_fit(plane)


@pytest.mark.parametrize("points", [1, -3])
def test_plot_fit_refuses_too_few_points(curve, points):
    with pytest.raises(ValueError, match="points"):
        plotting.plot_fit(curve, points=points)


def test_axes_given_are_axes_returned(curve):
    import matplotlib.pyplot as plt

    left, right = Figure().subplots(1, 2)
    assert plotting.plot_loss(curve, left) is left
    assert plotting.plot_fit(curve, ax=right) is right
    assert plt.get_fignums() == []


def test_overview_has_a_fit_for_one_input(curve, plane):
    both = plotting.overview(curve, title="a walk", xlabel="time", ylabel="head")
    assert [ax.get_xlabel() for ax in both.axes] == ["pivot", "time"]
    assert both.get_suptitle() == "a walk"
    assert [ax.get_xlabel() for ax in plotting.overview(plane).axes] == ["pivot"]


def test_overview_on_a_given_figure(curve):
    import matplotlib.pyplot as plt

    figure = Figure()
    assert plotting.overview(curve, figure=figure) is figure
    assert len(figure.axes) == 2
    assert plt.get_fignums() == []


def test_without_matplotlib(curve, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    for draw in (plotting.plot_loss, plotting.plot_fit, plotting.overview):
        with pytest.raises(ImportError, match=r'pip install "reluplex_walk\[plot\]"'):
            draw(curve)
