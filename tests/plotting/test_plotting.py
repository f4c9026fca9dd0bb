"""Figures show what the trajectory says, and nothing is drawn unasked."""

import dataclasses
import sys
from base64 import b64decode
from typing import NamedTuple

import numpy as np
import pytest

import reluplex_walk as rw

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib.figure import Figure  # noqa: E402

from reluplex_walk import plotting  # noqa: E402
from reluplex_walk.plotting._cut import exact_cut, frame_of, plane_of  # noqa: E402
from reluplex_walk.plotting._surface import level_bounds, unique_edges  # noqa: E402
from reluplex_walk.reports.head import head  # noqa: E402


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


@pytest.mark.parametrize("output", [0, 1])
def test_plot_fit_of_several_inputs_draws_predictions_against_targets(plane, output):
    ax = plotting.plot_fit(plane, output=output)
    X, y = plane.problem.X, plane.problem.y[:, output]
    np.testing.assert_array_equal(
        line(ax, "end").get_xydata(), np.c_[y, plane.network(X)[:, output]]
    )
    start = plane.problem.network.with_layer(0, plane.vertices[0])(X)[:, output]
    np.testing.assert_array_equal(line(ax, "start").get_xydata(), np.c_[y, start])
    with pytest.raises(ValueError, match="output: expected an integer in 0"):
        plotting.plot_fit(plane, output=2)


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


def labels(figure):
    return [ax.get_ylabel() for ax in figure.axes]


def test_overview_has_a_curve_for_one_input_else_residuals_and_a_plane(curve, plane):
    both = plotting.overview(curve, title="a walk", xlabel="time", ylabel="head")
    assert labels(both) == ["loss", "head", "loss above the end", "descending half-edges"]
    assert both.get_suptitle() == "a walk"
    several = labels(plotting.overview(plane, ylabel="head"))
    assert several[1] == "head, predicted"
    assert {"residual", "towards the middle vertex"} <= {*several}


def test_overview_of_walks_without_a_plane():
    labels_below = ["loss above the end", "descending half-edges", "residual"]
    for pivots in (0, 1):
        figure = walk([2, 3, 2], max_pivots=pivots).plot()
        assert labels(figure) == ["loss", "y, predicted", *labels_below]
        figure.canvas.draw()


def test_overview_on_a_given_figure(curve):
    import matplotlib.pyplot as plt

    figure = Figure()
    assert plotting.overview(curve, figure=figure) is figure
    assert len(figure.axes) == 4
    assert plt.get_fignums() == []


class Levels(NamedTuple):
    level: np.ndarray
    low: np.ndarray
    high: np.ndarray


def test_levels_are_drawn_with_their_band(curve):
    levels = Levels(*(share * curve.losses for share in (0.5, 0.2, 0.9)))
    ax = plotting.plot_loss(curve, levels=levels)
    expected = line(ax, "level expected")
    np.testing.assert_array_equal(expected.get_ydata(), 0.5 * curve.losses)
    (band,) = ax.collections
    low_to_high = band.get_paths()[0].vertices[:, 1]
    assert low_to_high.min() == 0.2 * curve.losses.min()
    assert low_to_high.max() == 0.9 * curve.losses.max()
    low, high = ax.get_ylim()
    assert low <= curve.losses.min() <= curve.losses.max() <= high
    with pytest.raises(ValueError, match="levels: expected one for each"):
        plotting.plot_loss(curve, levels=Levels(*(part[1:] for part in levels)))
    assert line(curve.plot(levels=levels).axes[0], "level expected")
    plotting.plot_loss(curve, levels=levels, log=True).figure.canvas.draw()


def test_plot_gap_fits_an_exponential():
    traj = walk([2, 3, 2])
    k = np.arange(len(traj.losses))
    losses = np.where(k < k[-1], 5.0 * 0.5 ** (k / 7.0), 0.0)
    decaying = dataclasses.replace(traj)
    decaying.__dict__["losses"] = losses
    ax = plotting.plot_gap(decaying)
    assert ax.get_yscale() == "log"
    gap = line(ax, "gap")
    np.testing.assert_array_equal(gap.get_ydata(), losses[:-1])
    fit = line(ax, "fit: halved every 7 pivots")
    np.testing.assert_allclose(fit.get_ydata(), losses[traj.phase1 : -1], rtol=1e-9)


def test_a_gap_of_rounding_is_none():
    traj = walk([2, 3, 2])
    k = np.arange(len(traj.losses))
    losses = 3.0 + np.where(k < k[-2], 5.0 * 0.5 ** (k / 7.0), 0.0)
    losses[-2] = np.nextafter(losses[-1], 9.0)  # a pivot of length zero, say
    rounded = dataclasses.replace(traj)
    rounded.__dict__["losses"] = losses
    assert line(plotting.plot_gap(rounded), "fit: halved every 7 pivots") is not None


def test_plot_descent_draws_losses_against_gradients(curve):
    path = rw.descend(curve.problem, "adam", 40, seed=1)
    ax = path.plot(Figure().subplots())
    losses, best = ax.lines[:2]
    np.testing.assert_array_equal(losses.get_xdata(), path.gradients)
    np.testing.assert_array_equal(losses.get_ydata(), path.losses)
    np.testing.assert_array_equal(best.get_ydata(), np.minimum.accumulate(path.losses))
    ax = plotting.plot_descent({"one": path, "two": path}, log=True)
    assert [line.get_label() for line in ax.lines] == ["one", "two"]
    assert ax.get_yscale() == "log"


def test_plot_descending_draws_every_entry(curve):
    ax = plotting.plot_descending(curve)
    np.testing.assert_array_equal(line(ax, "descending").get_ydata(), curve.descending)
    np.testing.assert_array_equal(line(ax, "all").get_ydata(), 2 * curve.ranks)
    assert (curve.descending <= 2 * curve.ranks)[curve.phase1 :].all()


def test_plot_fits_shows_the_network_at_each_entry(curve):
    for axes in (None, list(Figure().subplots(1, 3))):
        panels = plotting.plot_fits(curve, axes, [0, 5, curve.n_pivots], points=9)
        for ax, at in zip(panels, [0, 5, curve.n_pivots], strict=True):
            data, fit = (each.get_xydata() for each in ax.lines)
            np.testing.assert_array_equal(data, np.c_[curve.problem.X, curve.problem.y])
            network = curve.problem.network.with_layer(0, curve.vertices[at])
            np.testing.assert_array_equal(network(fit[:, :1])[:, 0], fit[:, 1])
            assert f"{curve.losses[at]:.4g}" in ax.get_title()
    gaps = curve.losses - curve.losses[-1]
    titles = [ax.get_title().split(":")[0] for ax in plotting.plot_fits(curve)]
    assert (titles[0], titles[-1]) == ("start", "end")
    entries = [int(title.split()[1]) for title in titles[1:-1]]
    for k, at in enumerate(entries, 1):
        assert gaps[at] <= gaps[0] / 2**k < gaps[at - 1]


def test_plot_fits_refuses_what_does_not_fit(curve, plane):
    with pytest.raises(ValueError, match="one input and one output"):
        plotting.plot_fits(plane)
    with pytest.raises(ValueError, match=r"entries\[1\]: expected an integer in 0"):
        plotting.plot_fits(curve, entries=[0, curve.n_pivots + 1])
    with pytest.raises(ValueError, match="axes: expected one for each of 2, found 1"):
        plotting.plot_fits(curve, [Figure().subplots()], entries=[0, 1])


def test_plot_plane_holds_its_three_vertices(plane):
    ax = plotting.plot_plane(plane)
    middle = (plane.phase1 + plane.n_pivots) // 2
    marks = {
        each.get_label(): each.get_xydata()[0] for each in ax.lines if "vertex" in each.get_label()
    }
    entries = {"first vertex": plane.phase1, "middle vertex": middle, "last vertex": plane.n_pivots}
    for a in entries:
        for b in entries:  # distances in the plane are those in parameter space
            apart = np.linalg.norm(plane.vertices[entries[a]] - plane.vertices[entries[b]])
            assert np.linalg.norm(marks[a] - marks[b]) == pytest.approx(apart, rel=1e-9)
    projected = line(ax, "walk").get_xydata()
    assert len(projected) == plane.n_pivots - plane.phase1 + 1
    steps = np.linalg.norm(np.diff(projected, axis=0), axis=1)
    lengths = np.linalg.norm(np.diff(plane.vertices[plane.phase1 :], axis=0), axis=(1, 2))
    assert (steps <= lengths * (1 + 1e-9)).all()
    with pytest.raises(ValueError, match="span a plane"):
        plotting.plot_plane(walk([2, 3, 2], max_pivots=1))


@pytest.mark.parametrize("most", [30_000, 10])
def test_plot_plane_draws_the_loss_exactly_unless_there_is_too_much(plane, most, monkeypatch):
    monkeypatch.setattr("reluplex_walk.plotting.plane._MOST", most)
    ax = plotting.plot_plane(plane)
    lines = next(each for each in ax.collections if not getattr(each, "filled", True))
    origin = plane.vertices[plane.phase1]
    axes = plane_of(plane).reshape(2, *origin.shape)
    wrong = []
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        for at in path.vertices[:40]:
            wrong.append(abs(plane.problem(origin + np.tensordot(at, axes, 1)) / level - 1.0))
    assert len(wrong) > 100
    assert (max(wrong) < 1e-6) == (most > 10)
    assert np.median(wrong) < 0.05


def test_levels_stay_away_from_flat_parts():
    losses = np.array([3.0, 1.0, 1.0 + 1e-15, 1.0, 2.0, 9.0])
    assert level_bounds(losses, 2)[1:-1].tolist() == pytest.approx([2.5, 6.0])
    assert level_bounds(losses, 7)[1:-1].tolist() == pytest.approx([1.5, 2.5, 6.0])
    low, high = level_bounds(np.full(3, 4.0), 5)
    assert low < 4.0 < high


def test_plot_density_draws_measurements_and_controls(plane):
    at = [plane.phase1, plane.n_pivots]
    found = [
        rw.density.breakpoint_density(plane.problem, plane.vertices[k], 0.5, segments=5) for k in at
    ]
    ax = plotting.plot_density(found, at)
    for label, name in [("all", "value"), ("without", "inactive"), ("norm", "control")]:
        drawn = line(ax, label).get_xydata()
        np.testing.assert_array_equal(
            drawn, [[k, getattr(d, name)] for k, d in zip(at, found, strict=True)]
        )
    with pytest.raises(ValueError, match="entries: expected one for each of 2 densities, found 1"):
        plotting.plot_density(found, at[:1])


def test_plot_graph_draws_every_edge_and_marks_every_end(curve):
    graph = rw.merge([curve, *(rw.walk(curve.problem, seed=seed) for seed in range(1, 12))])
    ax = plotting.plot_graph(graph)
    lines, meet, ends = ax.collections
    paths = lines.get_segments()
    assert sum(len(path) - 1 for path in paths) == graph.number_of_edges()
    for path in paths:
        assert (np.diff(path[:, 1]) <= 0).all()
    losses = sorted(data["loss"] for _, data in graph.nodes(data=True) if data["ended"])
    assert sorted(ends.get_offsets()[:, 1]) == losses
    assert len(meet.get_offsets()) == sum(degree > 1 for _, degree in graph.in_degree)
    lanes = [x for x, _ in (path[0] for path in paths)]
    assert (min(lanes), max(lanes)) == (0, 11)


def test_notebooks_show_summary_and_overview(curve, plane, monkeypatch):
    for traj in (curve, plane):
        text = traj._repr_html_()
        assert f"{traj.loss:.10g}" in text
        image = b64decode(text.split("base64,")[1].split('"')[0])
        assert image.startswith(b"\x89PNG")
    import matplotlib.pyplot as plt

    assert plt.get_fignums() == []
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert curve._repr_html_() == head(curve)


def test_without_matplotlib(curve, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    draws = [plotting.plot_loss, plotting.plot_gap, plotting.plot_descending, plotting.plot_fit]
    draws += [plotting.plot_fits, plotting.plot_plane, plotting.overview, plotting.animate]
    draws += [plotting.plot_partial, plotting.plot_residuals, plotting.plot_activations]
    for draw in draws:
        with pytest.raises(ImportError, match=r'pip install "reluplex_walk\[plot\]"'):
            draw(curve)


def test_no_legend_is_placed_by_a_search_among_polygons(plane, monkeypatch, tmp_path):
    """Matplotlib's search for the best place looks at all of them, one by one, ten times."""
    from matplotlib.legend import Legend

    def search(*arguments, **options):
        raise AssertionError("the best place was sought")

    monkeypatch.setattr(Legend, "_find_best_position", search)
    cut = rw.slice(plane.problem, plane.theta, *np.eye(plane.problem.dim)[:2], extent=1.0)
    graph = rw.merge([plane, rw.walk(plane.problem, seed=1)])
    for draw in (
        lambda ax: plotting.plot_slice(cut, plane, ax=ax),
        lambda ax: plotting.plot_plane(plane, ax=ax),
        lambda ax: plotting.plot_graph(graph, ax=ax),
    ):
        ax = draw(Figure().subplots())
        assert ax.get_legend() is not None
        ax.figure.savefig(tmp_path / "picture.png")


def test_edges_are_drawn_once_and_fade(plane):
    """Two polygons share an inner edge: 2 E = corners + edges on the rim of the window."""
    u, v = np.eye(plane.problem.dim)[:2]
    faint = []
    for extent in (0.2, 20.0):
        cut = rw.slice(plane.problem, plane.theta + 0.01, u, v, extent=extent)
        edges = unique_edges(cut)
        rim = np.isclose(np.abs(edges), extent).all(axis=1).any(axis=1)
        assert 2 * len(edges) == len(cut.corners) + np.count_nonzero(rim)
        ends = {tuple(np.round(edge, 9).ravel()) for edge in edges}
        assert len(ends) == len(edges)
        ax = plotting.plot_slice(cut)
        drawn = ax.collections[-1]
        segments = np.concatenate(drawn.get_segments())
        assert np.isfinite(segments).all()
        faint.append((len(cut), drawn.get_alpha(), drawn.get_linewidth()[0]))
    (few, full, wide), (many, less, thin) = faint
    assert few < many
    assert full == 1.0 > less
    assert wide > thin


def test_a_plane_that_takes_too_long_is_sampled(plane, monkeypatch):
    def stopped(*arguments, time_limit, **options):
        cut = rw.slice(*arguments, **options)
        return dataclasses.replace(cut, ended=rw.Ended.TIME_LIMIT if time_limit == 5.0 else None)

    monkeypatch.setattr("reluplex_walk.plotting._cut.slice", stopped)
    cut, why = exact_cut(plane, frame_of(plane), 30_000)
    assert cut is None
    assert why == "to cut this window takes more than 5 s"
    assert plotting.plot_plane(plane).get_legend() is not None
