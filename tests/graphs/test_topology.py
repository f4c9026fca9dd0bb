"""Merge trees against the local minima of all affine regions, and against themselves."""

import itertools

import networkx as nx
import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.graphs.search import Search
from tests.problems.random import random_loss

VALLEYS = rw.LayerLoss(
    rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]]),
    [[0.0], [1.0], [2.0], [3.0]],
    [2.0, 0.0, 0.0, 3.0],
)


def integers(widths, n, seed):
    """Data with many equal and dependent breakpoints."""
    rng = np.random.default_rng(seed)
    X, y = rng.integers(0, 4, (n, widths[0])), rng.integers(0, 3, n)
    return rw.LayerLoss(rw.ReLUNetwork.random(widths, seed=seed), X.astype(float), y.astype(float))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("widths", [[1, 1, 1], [1, 1, 2, 1], [2, 1, 1], [1, 2, 1]])
def test_all_strict_minima_and_no_others(widths, seed):
    loss = random_loss(widths, 6 if widths == [1, 2, 1] else 9, seed)
    tree = rw.merge_tree(loss)
    minima = rw.enumerate_regions(loss).local_minima()
    assert tree.exact
    assert tree.proved.all()
    levels = np.array([each.loss for each in minima])
    assert tree.births[0] == pytest.approx(levels.min(), rel=1e-9)
    strict = [each for each in minima if each.strict]
    places = [loss.free_units.inner(each.theta).ravel() for each in strict]
    found = [loss.free_units.inner(tree.points[k]).ravel() for k in tree.minima]
    for place in places:
        assert min(np.abs(place - each).max() for each in found) < 1e-6
    for birth in tree.births:
        assert np.abs(levels - birth).min() < 1e-9 * (1.0 + birth)


@pytest.mark.parametrize("seed", range(12))
def test_births_are_levels_of_minima_on_integers(seed):
    loss = integers([1, 1, 1] if seed % 2 else [1, 1, 2, 1], 7, seed)
    tree = rw.merge_tree(loss)
    levels = [each.loss for each in rw.enumerate_regions(loss).local_minima()]
    assert tree.exact
    assert tree.births[0] == pytest.approx(min(levels), abs=1e-9)
    assert all(min(abs(birth - level) for level in levels) < 1e-9 for birth in tree.births)
    assert (tree.persistence > 1e-9).all()  # on such data levels do not differ by less


def test_a_flat_minimum_is_one():
    loss = rw.LayerLoss(
        rw.ReLUNetwork([[[0.0]]], [[0.0]]), [[0.0], [0.0], [1.0], [1.0]], [0.1, 1.0, 0.3, 0.7]
    )
    tree = rw.merge_tree(loss)
    assert len(tree.points) == 4
    assert np.ptp(tree.losses) < 1e-12
    assert (len(tree), tree.saddles.tolist(), tree.deaths.tolist()) == (1, [-1], [np.inf])


def test_the_plane_of_both_parameters_has_the_same_tree():
    loss = random_loss([1, 1, 2, 1], 10, 2)
    tree = rw.merge_tree(loss)
    assert len(tree) > 2
    reach = 1.5 * np.abs(tree.points).max()
    cut = rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], reach)
    flat = rw.merge_tree(cut)
    assert flat.exact
    np.testing.assert_allclose(flat.diagram(), tree.diagram(), rtol=1e-9)


def test_paths_stay_below_their_barrier_on_edges_of_the_terrain():
    tree = rw.merge_tree(random_loss([1, 2, 1], 7, 4))
    links = {tuple(sorted(link)) for link in tree.links.tolist()}
    assert len(tree) > 3
    for i in range(len(tree)):
        for j in range(len(tree)):
            path = tree.path(i, j)
            assert (path[0], path[-1]) == (tree.minima[i], tree.minima[j])
            assert all(tuple(sorted(pair)) in links for pair in itertools.pairwise(path))
            level = tree.losses[path].max()
            assert level == pytest.approx(tree.barrier(i, j), rel=1e-12)
            assert tree.barriers()[i, j] == tree.barrier(i, j)


def test_the_graph_is_a_tree_of_the_same_barriers():
    tree = rw.merge_tree(random_loss([1, 2, 1], 7, 4))
    graph = tree.graph()
    assert nx.is_tree(graph.to_undirected())
    assert [k for k in graph if graph.nodes[k]["kind"] == "minimum"] == list(range(len(tree)))
    ups = [nx.descendants(graph, k) for k in range(len(tree))]
    for i in range(len(tree)):
        for j in range(i):
            meet = min(graph.nodes[node]["loss"] for node in ups[i] & ups[j])
            assert meet == tree.barrier(i, j)


@pytest.mark.parametrize("seed", range(3))
def test_bases_that_are_left_out_where_neurons_are_0_have_no_edges_of_their_own(seed, monkeypatch):
    loss = random_loss([1, 2, 1], 5, seed)
    few = rw.vertex_graph(loss)

    def all_of_them(self, number, basis):
        return basis.tobytes() not in self.bases[number]

    monkeypatch.setattr(Search, "_needed", all_of_them)
    every = rw.vertex_graph(loss)
    names = [{key: k for k, key in enumerate(graph.keys)} for graph in (few, every)]
    assert names[0].keys() == names[1].keys()
    edges = [
        {frozenset(graph.keys[k] for k in edge) for edge in graph.edges} for graph in (few, every)
    ]
    assert edges[0] == edges[1]
    rays = [dict(zip(graph.keys, graph.rays, strict=True)) for graph in (few, every)]
    assert rays[0] == rays[1]


@pytest.mark.filterwarnings("ignore::reluplex_walk.RankWarning")
def test_columns_that_others_determine_change_nothing():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(9, 1)), rng.normal(size=9)
    tail = [[[1.0]], [[0.0], [0.0]]]
    one = rw.LayerLoss(rw.ReLUNetwork([[[1.0]], *tail[:1]], tail[1]), x, y)
    two = rw.LayerLoss(
        rw.ReLUNetwork([[[1.0, 0.5]], *tail[:1]], tail[1]), np.hstack([x, 0.3048 * x]), y
    )
    trees = [rw.merge_tree(loss) for loss in (one, two)]
    assert trees[1].exact
    np.testing.assert_allclose(trees[0].diagram(), trees[1].diagram(), rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_a_box_around_all_vertices_changes_nothing(seed):
    loss = random_loss([1, 2, 1], 5, seed)
    tree = rw.merge_tree(loss)
    around = 1.2 * np.abs(tree.points).max()
    inside = rw.merge_tree(loss, box=around, max_vertices=100_000)
    assert inside.exact
    np.testing.assert_allclose(np.sort(inside.births), np.sort(tree.births), rtol=1e-9)
    np.testing.assert_allclose(np.sort(inside.deaths), np.sort(tree.deaths), rtol=1e-9)


def test_a_parameter_that_a_box_fixes():
    tree = rw.merge_tree(VALLEYS, box=([[-4.0, 2.0]], [[4.0, 2.0]]))
    section = rw.line_section(VALLEYS, [[-4.0, 2.0]], [[8.0, 0.0]], (0.0, 1.0))
    assert (tree.points[:, 0, 1] == 2.0).all()
    assert tree.births[0] == pytest.approx(section.losses.min())


def test_a_box_that_is_not_explored_claims_nothing():
    tree = rw.merge_tree(random_loss([1, 2, 1], 6, 0), box=3.0, max_vertices=5)
    assert not tree.exact
    assert tree.ended is rw.Ended.WORK_LIMIT
    assert not tree.proved.any()
    with pytest.raises(TypeError, match="terrain: expected a LayerLoss with a box"):
        rw.merge_tree(rw.vertex_graph(VALLEYS), box=1.0)
    with pytest.raises(ValueError, match="at most 12 parameters"):
        rw.merge_tree(random_loss([2, 5, 1], 6, 0), box=1.0)


def test_what_is_not_known_completely_claims_nothing():
    loss = random_loss([1, 2, 1], 7, 4)
    whole, part = rw.merge_tree(loss), rw.merge_tree(loss, max_vertices=40)
    assert whole.exact
    assert not part.exact
    assert part.ended is rw.Ended.WORK_LIMIT
    assert "edges not followed" in part.reason
    assert "proved minima" in repr(part)
    levels = whole.births
    for birth, proved in zip(part.births, part.proved, strict=True):
        assert not proved or np.abs(levels - birth).min() < 1e-9
    near = rw.merge_tree(rw.vertex_graph(loss, radius=1.0))
    assert not near.exact


def test_a_slice_of_which_polygons_are_missing_claims_nothing():
    loss = random_loss([2, 8, 4, 1], 60, 0)

    def stop(progress):
        raise StopIteration

    cut = rw.slice(loss, loss.theta, *np.eye(loss.dim)[[0, 4]], 3.0, callback=stop)
    tree = rw.merge_tree(cut)
    assert not tree.exact
    assert not tree.proved.any()


def test_other_terrains_are_refused():
    with pytest.raises(TypeError, match="terrain: expected a VertexGraph, a Slice or a LayerLoss"):
        rw.merge_tree([[0.0]])
    penalised = rw.LayerLoss(VALLEYS.network, VALLEYS.X, VALLEYS.y, penalty=0.1)
    with pytest.raises(ValueError, match="penalty"):
        rw.merge_tree(penalised)
    tree = rw.merge_tree(VALLEYS)
    with pytest.raises(ValueError, match="j: expected"):
        tree.barrier(0, 2)
    with pytest.raises(ValueError, match="kind"):
        tree.plot(kind="forest")
