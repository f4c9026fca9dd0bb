"""Vertex graphs against counting formulas, exact slices, enumerated regions and walks."""

import signal
from itertools import pairwise
from math import comb

import networkx as nx
import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.random import random_loss


@pytest.mark.parametrize(("p", "n"), [(1, 7), (2, 7), (3, 7)])
def test_simple_arrangements(p, n):
    # n hyperplanes in R^d: binom(n, d) vertices, each line of d - 1 of them cut by the others.
    d = p + 1
    graph = rw.vertex_graph(random_loss([p, 1], n, 1))
    assert len(graph) == comb(n, d)
    assert len(graph.edges) == comb(n, d - 1) * (n - d)
    assert graph.rays.sum() == 2 * comb(n, d - 1)
    assert len(graph.minima) == 1
    assert (graph.basins == graph.minima[0]).all()
    assert graph.complete
    assert nx.is_connected(graph.graph())


@pytest.mark.parametrize(
    ("widths", "n", "options"),
    [([1, 1, 1], 6, {}), ([1, 1, 2, 1], 6, {"negative_slope": 0.1}), ([1, 1, 2], 5, {})],
)
def test_two_parameters_against_an_exact_slice(widths, n, options):
    compare_with_slice(random_loss(widths, n, 1, **options))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("widths", [[1, 1], [1, 1, 1]])
def test_degenerate_vertices_against_an_exact_slice(widths, seed):
    # Integers: many breakpoints through one vertex, some in the same line.
    rng = np.random.default_rng(seed)
    X, y = rng.integers(-2, 3, (7, 1)), rng.integers(-1, 2, 7)
    network = rw.ReLUNetwork([[[0.5]]] + [[[2.0]]] * (len(widths) - 2), [[0.0]] * (len(widths) - 1))
    compare_with_slice(rw.LayerLoss(network, X, y))


def compare_with_slice(loss):
    """Vertices, edges and rays in two dimensions against the corners and sides of polygons."""
    graph = rw.vertex_graph(loss)
    assert graph.complete
    size = 2.0 * np.abs(graph.vertices).max() + 1.0
    cut = rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], size)
    within = np.abs(cut.corners).max(axis=1) < (1 - 1e-9) * size
    corners = np.unique(np.round(cut.corners[within], 8) + 0.0, axis=0)
    found = np.unique(np.round(graph.vertices[:, 0], 8) + 0.0, axis=0)
    assert len(found) == len(graph)
    np.testing.assert_allclose(found, corners, atol=2e-8)
    # Every edge of a polygon between two vertices, counted from both sides.
    starts = np.concatenate([[0], cut.ends[:-1]])
    following = np.arange(len(cut.corners)) + 1
    following[cut.ends - 1] = starts
    assert 2 * len(graph.edges) == (within & within[following]).sum()
    assert graph.rays.sum() * 2 == (within != within[following]).sum()


@pytest.mark.parametrize(
    ("widths", "n", "options"),
    [([1, 2, 1], 6, {}), ([1, 1, 2, 1], 6, {"negative_slope": 0.1}), ([2, 1, 1], 7, {})],
)
def test_minima_and_basins(widths, n, options):
    loss = random_loss(widths, n, 1, **options)
    graph = rw.vertex_graph(loss)
    assert graph.complete
    levels = np.array([minimum.loss for minimum in rw.enumerate_regions(loss).local_minima()])
    rng = np.random.default_rng(0)
    for k in graph.minima:
        assert np.abs(levels - graph.losses[k]).min() < 1e-9
        for d in rng.normal(size=(200, *loss.shape)):
            assert loss.directional_derivative(graph.vertices[k], d) > -1e-8
    assert graph.losses[graph.minima[0]] == pytest.approx(levels.min(), abs=1e-9)
    moves = np.flatnonzero(graph.next != np.arange(len(graph)))
    assert (graph.losses[graph.next[moves]] < graph.losses[moves]).all()
    assert set(graph.basins) <= set(graph.minima)
    # A simple vertex has 2 D half-edges.
    degrees = np.bincount(graph.edges.ravel(), minlength=len(graph)) + graph.rays
    simple = np.array([len(ids) == loss.dim for ids in graph.active])
    assert (degrees[simple] == 2 * loss.dim).all()


def test_flat_minima_are_faces():
    # Pairs of targets at each input: any line between them is best; the inputs see D values apart.
    rng = np.random.default_rng(0)
    for p in (1, 2):
        X = np.repeat(rng.normal(size=(p + 1, p)), 2, axis=0)
        y = rng.normal(size=2 * (p + 1))
        graph = rw.vertex_graph(rw.LayerLoss(rw.ReLUNetwork.random([p, 1]), X, y))
        (face,) = graph.minimal_faces
        assert len(face) == 2 ** (p + 1)  # a parallelepiped
        assert set(face) == set(graph.minima)
        np.testing.assert_allclose(graph.losses[face], np.abs(y[::2] - y[1::2]).sum())
    for seed in range(6):  # even numbers of points: edges of minima among others
        rng = np.random.default_rng(seed)
        loss = rw.LayerLoss(
            rw.ReLUNetwork.random([1, 1, 1], seed=seed), rng.integers(-2, 3, (8, 1)), [0, 1] * 4
        )
        graph = rw.vertex_graph(loss)
        faces = graph.minimal_faces
        assert sorted(np.concatenate(faces)) == sorted(graph.minima)
        minima = rw.enumerate_regions(loss).local_minima()
        for face in faces:
            assert np.ptp(graph.losses[face]) < 1e-9
            known = [m for m in minima if abs(m.loss - graph.losses[face[0]]) < 1e-9]
            assert known
            if len(face) > 1:
                assert not all(m.strict for m in known)
        # Every strict minimum is a face of one vertex.
        for minimum in minima:
            if minimum.strict:
                distance = np.abs(graph.vertices - minimum.theta).max(axis=(1, 2))
                assert distance.min() < 1e-9
                assert [int(distance.argmin())] in [face.tolist() for face in faces]


def test_walks_go_along_the_graph():
    loss = random_loss([1, 2, 1], 6, 1)
    graph = rw.vertex_graph(loss)
    edges = {tuple(edge) for edge in graph.edges}
    seen = 0
    for seed in range(5):
        traj = rw.walk(loss, seed=seed)
        nodes = graph.match(traj)[traj.phase1 :]
        if traj.ranks[-1] < loss.dim:
            continue
        assert (nodes >= 0).all()
        for a, b in pairwise(nodes):
            assert a == b or (min(a, b), max(a, b)) in edges
            seen += 1
    assert seen > 0


def test_ctrl_c_keeps_what_was_found(monkeypatch):
    loss = random_loss([1, 2, 1], 6, 1)
    whole, start, arrivals = rw.vertex_graph(loss), rw.walk(loss), []
    evaluate = rw.LayerLoss.__call__

    def interrupted(self, theta):  # a vertex is half recorded when its loss is evaluated
        arrivals.append(theta)
        if len(arrivals) == 20:
            signal.raise_signal(signal.SIGINT)
        return evaluate(self, theta)

    monkeypatch.setattr(rw.LayerLoss, "__call__", interrupted)
    part = rw.vertex_graph(loss, start)
    monkeypatch.undo()
    assert not part.complete
    assert 20 <= len(part) < len(whole)
    assert (part.next[~part.expanded] == -1).all()
    assert set(part.keys) <= set(whole.keys)
    for theta, value in zip(part.vertices, part.losses, strict=True):
        assert loss(theta) == value


def test_limits_and_bad_input():
    loss = random_loss([2, 2, 1], 8, 0)
    graph = rw.vertex_graph(loss, max_vertices=30)
    assert not graph.complete
    assert 30 <= len(graph) < 100
    assert (graph.next[~graph.expanded] == -1).all()
    near = rw.vertex_graph(loss, max_vertices=200, radius=1e-9)
    assert near.expanded.sum() == 1
    late = rw.vertex_graph(loss, time_limit=1e-9)
    assert (len(late), late.complete) == (1, False)
    with pytest.raises(ValueError, match="max_vertices: expected an integer >= 1"):
        rw.vertex_graph(loss, max_vertices=0)
    with pytest.raises(ValueError, match="radius: expected a number > 0"):
        rw.vertex_graph(loss, radius=0.0)
    with pytest.raises(ValueError, match="time_limit: expected a number > 0"):
        rw.vertex_graph(loss, time_limit=-1.0)
    with pytest.raises(TypeError, match="loss: expected a LayerLoss"):
        rw.vertex_graph(None)
    other = rw.walk(random_loss([2, 2, 1], 8, 1))
    with pytest.raises(ValueError, match="start: this trajectory belongs to another loss"):
        rw.vertex_graph(loss, other)
    with pytest.raises(ValueError, match="traj: this trajectory belongs to another loss"):
        graph.match(other)


def test_a_search_through_the_zero_block_ends():
    # From a constant loss to theta = 0 and on from there, for ever, at sizes of 1e-32, 1e-47, ...
    net = rw.ReLUNetwork([[[-1.0]], [[0.0]], [[-1.0]]], [[-1.0], [0.0], [1.0]], 0.01)
    X = [[-0.9542439148507693], [-0.5503121524195098], [-0.30965545751049994]]
    graph = rw.vertex_graph(rw.LayerLoss(net, X, [-0.17, -2.38, -2.27]))
    assert graph.vertices.tolist() == [[[0.0, 0.0]]]  # all three lines go through it
    assert graph.complete
    assert graph.losses[0] == pytest.approx(7.82)


@pytest.mark.parametrize("digits", [None, 0, 1])
def test_minima_are_those_among_regions(digits):
    # Integers and tenths: ties, flat edges and zero blocks, which floats see as nearly so.
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X, y = rng.uniform(-3, 3, (5, 1)), rng.uniform(-3, 3, 5)
        if digits is not None:
            X, y = np.round(X, digits), np.round(y, digits)
        loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1, 1], seed=seed), X, y)
        graph, minima = rw.vertex_graph(loss), rw.enumerate_regions(loss).local_minima()
        levels = np.array([minimum.loss for minimum in minima])
        for k in graph.minima:
            assert np.abs(levels - graph.losses[k]).min() < 1e-9
        for minimum in minima:
            if minimum.strict:
                assert np.abs(graph.losses[graph.minima] - minimum.loss).min() < 1e-9
        moves = np.flatnonzero(graph.next != np.arange(len(graph)))
        assert (graph.losses[graph.next[moves]] <= graph.losses[moves] + 1e-12).all()
        assert (np.isin(graph.basins, graph.minima)).all()
