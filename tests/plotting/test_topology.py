"""Merge trees, persistence diagrams, valleys and barriers, as they are drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import reluplex_walk as rw
from reluplex_walk import plotting
from reluplex_walk.plotting.basins import _below, _valleys
from reluplex_walk.plotting.merge_tree import _deepest, _side_by_side
from tests.problems.terrains import plane


@pytest.fixture(scope="module")
def tree():
    return rw.merge_tree(plane(30))  # 11 minima


@pytest.fixture(scope="module")
def two_valleys():
    network = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    return rw.LayerLoss(network, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])


def segments(ax):
    return [line for part in ax.collections for line in part.get_segments()]


def test_lines_of_the_tree_do_not_cross(tree):
    lines = segments(plotting.plot_merge_tree(tree, Figure().subplots()))
    rises = [(line[0], line[1]) for line in lines]
    across = [(line[1], line[2]) for line in lines if len(line) == 3]
    assert len(lines) == len(tree) > 8
    for (x, low), (_, high) in rises:
        for (a, level), (b, _) in across:
            if min(a, b) < x < max(a, b):
                assert not low < level < high


def test_each_leaf_is_at_its_loss_and_joined_to_its_parent(tree):
    ax = plotting.plot_merge_tree(tree, Figure().subplots())
    order = _side_by_side(tree, list(range(len(tree))))
    minima, passes = ax.lines[:2]
    assert sorted(order) == list(range(len(tree)))
    assert np.array_equal(minima.get_ydata(), tree.births[order])
    inner = [k for k in order if tree.parents[k] >= 0]
    assert np.array_equal(passes.get_ydata(), tree.deaths[inner])
    assert [order[int(x)] for x in passes.get_xdata()] == tree.parents[inner].tolist()


def test_shallow_valleys_are_left_out_and_that_is_said(tree):
    ax = plotting.plot_merge_tree(tree, Figure().subplots(), most=4)
    shown = _deepest(tree, 4)
    assert len(segments(ax)) == 4
    assert ax.get_xlabel() == f"4 of {len(tree)} minima, the most persistent"
    left_out = np.setdiff1d(np.arange(len(tree)), shown)
    assert tree.persistence[shown].min() >= tree.persistence[left_out].max()
    assert all(tree.parents[k] in [-1, *shown] for k in shown)
    with pytest.raises(ValueError, match="most"):
        plotting.plot_merge_tree(tree, Figure().subplots(), most=0)


def test_persistence_diagram(tree):
    ax = plotting.plot_persistence(tree, Figure().subplots(), title="valleys")
    ends = ax.lines[1]
    assert ax.get_title() == "valleys"
    assert np.array_equal(np.column_stack(ends.get_data()), tree.diagram()[1:])
    never = ax.lines[-1]
    assert never.get_xdata().tolist() == tree.births[:1].tolist()
    assert never.get_ydata()[0] > tree.deaths[1:].max()


def test_trees_of_one_minimum_are_drawn():
    loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    tree = rw.merge_tree(loss)
    for kind in ("tree", "diagram"):
        tree.plot(Figure().subplots(), kind)
    cut = rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0])
    ax = plotting.plot_basins(rw.merge_tree(cut), Figure().subplots())
    assert [text.get_text() for text in ax.get_legend().texts] == ["minimum"]


def test_what_is_not_exact_says_so(tree):
    part = rw.merge_tree(plane(30), max_vertices=20)
    assert not part.exact
    assert "not exact" in plotting.plot_merge_tree(part, Figure().subplots()).get_title()
    assert plotting.plot_merge_tree(tree, Figure().subplots()).get_title() == ""


def test_valleys_on_a_plane(two_valleys):
    """That of the higher minimum, up to the pass at 5: |w + b| and so on by hand."""
    cut = rw.slice(two_valleys, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], extent=8.0)
    tree = rw.merge_tree(cut)
    parts, outlines = _valleys(tree, cut)
    middles = np.array([part.mean(axis=0) for part in parts])
    losses = np.array([two_valleys(middle) for middle in middles])
    assert (losses < 5.0).all()
    for a, b in outlines:
        assert two_valleys((a + b) / 2.0) == pytest.approx(5.0)
        assert not np.allclose(a, b)
    lines = np.linspace(-8.0, 8.0, 257)[:-1] + 1 / 32
    s, t = np.meshgrid(lines, lines)
    under = np.mean([two_valleys([x, y]) < 5.0 for x, y in zip(s.flat, t.flat, strict=True)])
    area = sum(float(rw_area(part)) for part in parts)
    assert area / 256.0 == pytest.approx(under, rel=0.02)  # nothing else lies below the pass


def rw_area(polygon):
    x, y = polygon.T
    return np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2.0


def test_a_polygon_is_cut_where_the_level_is():
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    part, line = _below(square, np.array([0.0, 1.0, 2.0, 1.0]), 0.5)
    assert part.tolist() == [[0.0, 0.5], [0.0, 0.0], [0.5, 0.0]]
    assert sorted(line.tolist()) == [[0.0, 0.5], [0.5, 0.0]]
    part, line = _below(square, np.array([0.0, 1.0, 2.0, 1.0]), 3.0)
    assert len(part) == 4
    assert len(line) == 0


def test_path_on_a_plane(two_valleys):
    tree = rw.merge_tree(rw.slice(two_valleys, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], extent=8.0))
    ax = plotting.plot_basins(tree, Figure().subplots(), "valleys", path=(0, 1))
    path = np.column_stack(ax.lines[0].get_data())
    losses = [two_valleys(point) for point in path]
    assert np.allclose([losses[0], max(losses), losses[-1]], [2.0, 5.0, 3.0])
    with pytest.raises(ValueError, match="slice"):
        plotting.plot_basins(rw.merge_tree(two_valleys), Figure().subplots())


def test_barrier_is_drawn_with_every_breakpoint(two_valleys):
    found = rw.barrier(two_valleys, [3.0, -6.0], [-2.0, 2.0])
    ax = plotting.plot_barrier(found, Figure().subplots(), "a pass")
    straight, path = ax.lines[0], ax.lines[2]
    section = rw.line_section(two_valleys, [3.0, -6.0], [-5.0, 8.0], (0.0, 1.0))
    assert np.allclose(np.column_stack(straight.get_data())[:, 1], section.losses)
    assert path.get_ydata().max() == pytest.approx(found.level)
    assert path.get_xdata()[[0, -1]].tolist() == [0.0, 1.0]
    assert ax.get_title() == "a pass"


def test_barrier_that_is_not_exact_shows_what_is_proved():
    loss = plane(30)
    tree = rw.merge_tree(loss)
    found = rw.barrier(loss, tree.points[tree.minima[0]], tree.points[tree.minima[1]], 0, 0)
    ax = plotting.plot_barrier(found, Figure().subplots())
    texts = [text.get_text() for text in ax.get_legend().texts]
    assert not found.exact
    assert texts[1] == "lowest path found"
    assert texts[-1] == f"at least {found.lower:.6g}"


def test_barrier_of_a_point_with_itself(two_valleys):
    ax = rw.barrier(two_valleys, [3.0, -6.0], [3.0, -6.0]).plot(Figure().subplots())
    assert ax.lines[0].get_ydata().tolist() == [2.0]


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_new_axes_in_any_style(tree, style):
    with plt.style.context(style):
        for axes in (plotting.plot_merge_tree(tree), plotting.plot_persistence(tree)):
            axes.figure.canvas.draw()
