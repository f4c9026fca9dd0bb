"""The figure of an ensemble shows its levels, its distinct ends and its figures."""

import numpy as np
import pytest

import reluplex_walk as rw

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib.figure import Figure  # noqa: E402

from reluplex_walk.plotting import plot_ensemble  # noqa: E402


def odd(traj):
    """Figures of all sorts."""
    seed = traj.options.seed
    return {
        "odd_wide": 10.0 ** (seed / 4),
        "odd_yes": float(seed % 4 == 0),
        "odd_far": float("inf") if seed == 7 else seed + 1.0,
        "odd_gone": None,
    }


@pytest.fixture(scope="module")
def loss():
    data = rw.datasets.load_motorcycle()
    return rw.LayerLoss(rw.ReLUNetwork.random([1, 3, 1], seed=0), data.X, data.y)


@pytest.fixture(scope="module")
def found(loss):
    return rw.ensemble(loss, 40, step="long", measures=odd)


def line(ax, colour, marker="None"):
    (drawn,) = (
        each for each in ax.lines if each.get_color() == colour and each.get_marker() == marker
    )
    return drawn


def test_levels_are_those_of_the_walks(found):
    ax = found.plot().axes[0]
    heights = np.array([patch.get_height() for patch in ax.patches])
    lefts = [patch.get_x() for patch in ax.patches]
    assert heights.sum() == 40
    widths = {round(patch.get_width(), 9) for patch in ax.patches}
    assert len(widths) == 1
    expected, _ = np.histogram(found.losses, [*lefts, lefts[-1] + ax.patches[-1].get_width()])
    np.testing.assert_array_equal(heights, expected)
    assert [text.get_text() for text in ax.get_legend().texts] == ["proved local minimum"]


def test_what_is_not_proved_stands_apart(loss):
    ax = rw.ensemble(loss, 10, step="long", proof="off").plot().axes[0]
    assert [text.get_text() for text in ax.get_legend().texts] == ["not proved"]
    found = rw.ensemble(loss, 10, step="long")
    minima = found.minima()
    minima.proved[0] = False  # as if its proof had been given up
    ax = found.plot().axes[0]
    proved, others = ([patch.get_height() for patch in part] for part in ax.containers)
    assert sum(others) == minima.counts[0]
    assert sum(proved) + sum(others) == 10


def test_discovery_is_the_number_of_ends_so_far(found):
    ax = found.plot().axes[1]
    curve, keys = line(ax, "#0072B2"), found.to_frame()["key"].tolist()
    assert curve.get_ydata().tolist() == [len(set(keys[:k])) for k in range(41)]
    unseen = found.unseen()
    assert unseen.once > 1
    assert line(ax, "#D55E00").get_ydata()[0] == unseen.total
    assert ax.get_ylim()[1] > unseen.n_distinct
    label = f"in all at least {unseen.total:.0f}"
    assert label in ax.get_legend().texts[1].get_text()


def test_a_strip_for_each_figure(found, tmp_path):
    figure = found.plot(title="three neurons")
    assert figure.get_suptitle() == "three neurons"
    wide, yes, far, gone = figure.axes[2:]
    assert [ax.get_title() for ax in (wide, yes, far, gone)] == [
        "odd_wide",
        "odd_yes",
        "odd_far (1 infinite)",
        "odd_gone",
    ]
    assert (wide.get_xscale(), far.get_xscale()) == ("log", "log")
    assert line(far, "#999999", "|").get_xdata().tolist() == [
        seed + 1.0 for seed in range(40) if seed != 7
    ]
    values = np.sort([np.inf if seed == 7 else seed + 1.0 for seed in range(40)])
    row = found.statistics().loc["odd_far"]
    assert line(far, "#D55E00").get_xdata().tolist() == [row["low"], row["high"]]
    assert line(far, "#D55E00", "|").get_xdata().tolist() == [values[19]]
    assert [patch.get_width() for patch in yes.patches] == [0.25]
    assert not gone.lines
    assert not gone.patches
    figure.savefig(tmp_path / "ensemble.png")


def test_many_values_are_thinned_out_and_keep_their_ends(found):
    from reluplex_walk.plotting.ensemble import _strip

    ax = Figure().subplots()
    _strip(ax, "x", np.linspace(1.0, 2.0, 5001)[::-1])
    shown = line(ax, "#999999", "|").get_xdata()
    assert (len(shown), shown[0], shown[-1]) == (200, 1.0, 2.0)
    assert ax.get_xscale() == "linear"


def test_a_figure_that_is_given(found):
    figure = Figure()
    assert plot_ensemble(found, figure=figure) is figure
    assert len(figure.axes) == 6


def test_without_an_end_there_is_nothing_to_draw(loss):
    short = rw.ensemble(loss, 3, max_pivots=2, proof="off")
    with pytest.raises(ValueError, match="ensemble: expected a walk that came to its own end"):
        short.plot()
