"""Merge trees and barriers against a flood of a grid, and against linear programs over regions."""

from itertools import combinations, pairwise

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.terrains import plane, space
from tests.references.flooding import Grid, bottleneck, flood, grid, losses
from tests.references.minimax_regions import region_graph, straight

ROUNDING = 1e-8  # of the linear programs, relative to the levels


def two_valleys():
    """Fits (x + 2)- and 3 (x - 2)+ of max(0, w x + b) to four points: minima of 2 and 3."""
    network = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    return rw.LayerLoss(network, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])


def lasting(found, scale):
    """The diagram without what rounding makes of flat places."""
    deep = found.deaths - found.births > ROUNDING * scale
    return found.births[deep], found.deaths[deep]


def resolution(loss, cells):
    """What levels of the grid may be off by: the largest slope times the diameter of a cell."""
    gradients = rw.enumerate_regions(loss).gradients
    return np.linalg.norm(gradients.reshape(len(gradients), -1), axis=1).max() * cells.diameter


def test_a_flood_of_links():
    """Depths 0, 1 and 2 in a row, with passes of 4 and 3: the second valley takes in the third."""
    found = flood([0.0, 1.0, 2.0], [[0, 1], [1, 2]], [4.0, 3.0], [2, 0, 1])
    assert found.births.tolist() == [0.0, 1.0, 2.0]
    assert found.deaths.tolist() == [np.inf, 4.0, 3.0]
    assert found.passes.tolist() == [[2.0, 4.0, 3.0], [4.0, 0.0, 4.0], [3.0, 4.0, 1.0]]


def test_bottleneck_distance():
    diagram = np.array([0.0, 2.0, 5.0]), np.array([np.inf, 4.0, 5.5])
    assert bottleneck(*diagram, *diagram) == 0.0
    other = np.array([0.1, 2.0]), np.array([np.inf, 4.3])
    assert bottleneck(*diagram, *other) == pytest.approx(0.3)  # 5 to 5.5 goes to the diagonal
    assert bottleneck(*diagram, *(np.array([0.0, 1.0]),) * 2) == np.inf


def test_references_know_two_valleys():
    loss, minima = two_valleys(), np.array([[[-2.0, 2.0]], [[3.0, -6.0]]])
    found = region_graph(loss).flood(minima)
    assert np.allclose(found.passes, [[3.0, 5.0], [5.0, 2.0]])
    assert np.allclose(lasting(found, 5.0), [[2.0, 3.0], [np.inf, 5.0]])
    cells = grid(loss, [-4.0, -8.0], [4.0, 4.0], 97)  # its lines pass through both
    found = cells.flood(minima.reshape(2, 2))
    assert np.allclose(found.passes, [[3.0, 5.0], [5.0, 2.0]])
    assert straight(loss, *minima) == (5.0, pytest.approx(18 / 7))  # dead up to w = 6/7


@pytest.mark.parametrize("number", [7, 13, 29])
def test_references_agree(number):
    loss = plane(number)
    minima = rw.enumerate_regions(loss).local_minima()
    points = np.array([each.theta for each in minima]).reshape(-1, 2)
    cells = grid(loss, points.min(axis=0) - 8.0, points.max(axis=0) + 8.0, 300)
    inside = region_graph(loss).flood([each.theta for each in minima]).passes
    assert np.abs(cells.flood(points).passes - inside).max() <= resolution(loss, cells)


@pytest.mark.parametrize("number", [1, 6, 11, 17, 19, 23, 28, 33, 37])
def test_merge_tree_of_two_parameters(number):
    """Levels and pairs as by linear programs, and as on a grid around all that is under water."""
    loss = plane(number)
    tree = rw.merge_tree(loss)
    points = tree.points[tree.minima]
    found = region_graph(loss).flood(points)
    scale = 1.0 + tree.births[0]
    assert tree.exact
    assert np.abs(tree.barriers() - found.passes).max() <= ROUNDING * scale
    assert bottleneck(*tree.diagram().T, *lasting(found, scale)) <= ROUNDING * scale

    top = np.max(tree.deaths[1:], initial=tree.births[0])
    low, high = under_water(tree, top)
    cells = grid(loss, low, high, 250)
    passes = cells.flood(points.reshape(-1, 2)).passes
    assert np.abs(tree.barriers() - passes).max() <= resolution(loss, cells)


def under_water(tree, level):
    """The corners of a window around all points below the level, with room around it."""
    points = tree.points.reshape(len(tree.points), -1)[tree.losses <= level * (1.0 + ROUNDING)]
    low, high = points.min(axis=0), points.max(axis=0)
    room = 0.2 * (high - low).max() + 0.5
    return low - room, high + room


@pytest.mark.parametrize("number", [1, 3, 5, 7, 11, 12, 14, 17])
def test_merge_tree_of_more_parameters(number):
    loss = space(number)
    tree = rw.merge_tree(loss)
    found = region_graph(loss).flood(tree.points[tree.minima])
    scale = 1.0 + tree.births[0]
    assert tree.exact
    assert np.abs(tree.barriers() - found.passes).max() <= ROUNDING * scale
    assert bottleneck(*tree.diagram().T, *lasting(found, scale)) <= ROUNDING * scale


@pytest.mark.parametrize("number", [0, 3, 9])
def test_merge_tree_of_a_slice(number):
    """In a window the border counts: the grid has the same window."""
    loss = space(number)
    u, v = np.random.default_rng(number).normal(size=(2, *loss.shape))
    cut = rw.slice(loss, np.zeros(loss.shape), u, v, 3.0)
    tree = rw.merge_tree(cut)
    lines = np.linspace(-3.0, 3.0, 301)
    s, t = np.meshgrid(lines, lines, indexing="ij")
    thetas = s.reshape(-1, 1) * u.ravel() + t.reshape(-1, 1) * v.ravel()
    values = losses(loss, thetas).reshape(301, 301)
    cells = Grid(values, np.full(2, -3.0), np.full(2, 0.02))
    found = cells.flood(tree.points[tree.minima])
    error = np.linalg.norm(cut.gradients, axis=1).max() * cells.diameter
    assert tree.exact
    assert np.abs(tree.barriers() - found.passes).max() <= error
    assert bottleneck(*tree.diagram().T, found.births, found.deaths) <= error


@pytest.mark.parametrize("number", [1, 5, 12, 14])
def test_barriers_between_minima(number):
    """The lowest pass where it is exact, and bounds on both sides of it where it is not."""
    loss = space(number)
    tree = rw.merge_tree(loss)
    graph = region_graph(loss)
    points = tree.points[tree.minima][:3]
    passes = graph.flood(points).passes
    room = ROUNDING * (1.0 + passes.max())
    for (i, a), (j, b) in combinations(enumerate(points), 2):
        for most, trials in ((20_000, 100), (40, 0), (0, 3)):
            found = rw.barrier(loss, a, b, max_edges=most, trials=trials)
            assert found.lower - room <= passes[i, j] <= found.level + room
            if found.exact:
                assert abs(found.level - passes[i, j]) <= room
            on_path = [straight(loss, *ends)[0] for ends in pairwise(found.path)]
            assert abs(max(on_path) - found.level) <= room
            assert abs(straight(loss, a, b)[0] - found.straight) <= room
        assert rw.barrier(loss, a, b).exact


@pytest.mark.parametrize("number", [1, 3, 12, 17])
@pytest.mark.parametrize("box", [0.7, 4.0])
def test_merge_tree_of_a_box(number, box):
    """Minima on the border count, and no path leaves the box."""
    loss = space(number)
    tree = rw.merge_tree(loss, box=box, max_vertices=100_000)
    found = region_graph(loss, box).flood(tree.points[tree.minima])
    scale = 1.0 + tree.births[0]
    assert tree.exact
    assert np.abs(tree.points).max() <= box * (1.0 + 1e-12)
    assert np.abs(tree.barriers() - found.passes).max() <= ROUNDING * scale
    assert bottleneck(*tree.diagram().T, *lasting(found, scale)) <= ROUNDING * scale


def test_a_walk_that_ends_beside_one_of_its_breakpoints():
    """By rounding: the flood begins at that vertex, not at the other end of an edge."""
    X = [2.6310539242009687, 4.822165612492366, 2.6075325528586855]
    X += [0.4578143977174651, 2.8313728653530252, -0.6250968478625145]
    y = [1.383998690445658, 2.8517110526067713, -4.60450319527589]
    y += [-4.536817722698543, 0.3091887813863279, 1.3937973854588561]
    tail = [[-1.2520131231357303, -1.6999549066734598]]
    network = rw.ReLUNetwork(
        [[[-1.4583952730773766], [-0.8304323159490496]], tail],
        [[0.8267782767531626, -0.6372457263367708], [-0.18703953887697145]],
        negative_slope=0.25,
    )
    loss = rw.LayerLoss(network, np.array(X)[:, None], y)
    a = [-1.7822468907093987, -1.1140769134952127, -0.42312386470540725, 2.040373350207287]
    b = [-0.5745079477562439, 2.7703724697737204, -1.3126209919311949, -0.820515244494357]
    found = rw.barrier(loss, a, b, trials=0)
    passes = region_graph(loss).flood([np.reshape(a, (2, 2)), np.reshape(b, (2, 2))]).passes
    assert found.exact
    assert found.level == pytest.approx(passes[0, 1], rel=1e-9)
