"""Graphs of walks: true to the trajectory, merged where walks meet, the same after a file."""

import json
from itertools import combinations, pairwise

import networkx as nx
import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.random import random_loss, variant


def through_graphml(graph, path):
    nx.write_graphml(graph, path)
    return nx.read_graphml(path, node_type=int)


def through_gexf(graph, path):
    nx.write_gexf(graph, path)
    read = nx.read_gexf(path, node_type=int)
    for _, data in read.nodes(data=True):  # what the format adds
        del data["label"]
    for _, _, data in read.edges(data=True):
        del data["id"]
    return read


def through_json(graph, path):
    path.write_text(json.dumps(nx.node_link_data(graph, edges="links")))
    return nx.node_link_graph(json.loads(path.read_text()), edges="links")


@pytest.fixture(scope="module")
def meeting():
    """Walks on one loss, several of which meet."""
    loss = random_loss([1, 4, 1], 20, 0)
    return [rw.walk(loss, seed=seed) for seed in range(30)]


def test_graph_says_what_the_trajectory_says():
    traj = rw.walk(random_loss([2, 3, 2, 1], 30, 1))
    graph = traj.graph()
    assert list(graph) == list(range(len(traj.losses)))
    assert list(graph.edges) == list(pairwise(range(len(traj.losses))))
    for k, data in graph.nodes(data=True):
        assert data["index"] == k
        assert data["loss"] == traj.losses[k]
        assert data["descending"] == traj.descending[k]
        distance = np.linalg.norm(traj.vertices[k] - traj.theta)
        assert data["distance"] == pytest.approx(distance, rel=1e-12)
        layers = [layer for layer, _, _ in traj.active[k]]
        counts = [layers.count(0), layers.count(1), layers.count(2)]
        assert counts == [data[f"active_{n}"] for n in ("hidden_0", "hidden_1", "residuals")]
        assert data["rank"] == sum(counts)
    for k, _, data in graph.edges(data=True):
        distance = np.linalg.norm(traj.vertices[k + 1] - traj.vertices[k])
        assert data["length"] == pytest.approx(distance, rel=1e-6, abs=1e-9)
        assert data["slope"] < 0
        assert data["flipped"] == traj.steps.flipped[k]
        layer, row, neuron = map(int, data["entering"].split(":"))
        assert [layer, row, neuron] in traj.active[k + 1].tolist()
        if data["leaving"]:
            assert list(map(int, data["leaving"].split(":"))) in traj.active[k].tolist()


def test_merged_nodes_are_equal_vertices(meeting):
    graph = rw.merge(meeting)
    entries = sum(len(traj.losses) for traj in meeting)
    assert len(graph) < entries
    assert nx.is_directed_acyclic_graph(graph)
    assert sum(data["ended"] for _, data in graph.nodes(data=True)) == len(meeting)
    # Against the coordinates, which take no part in the merging.
    ends = [traj for traj in meeting if traj.certificate.rank == traj.problem.dim]
    assert len(ends) > 10
    thetas = np.array([traj.theta for traj in ends])
    pairs_met = 0
    for a, b in combinations(range(len(ends)), 2):
        pair = rw.merge([ends[a], ends[b]])
        met = any(data["ended"] == 2 for _, data in pair.nodes(data=True))
        assert met == np.allclose(thetas[a], thetas[b], rtol=1e-7, atol=1e-9)
        pairs_met += met
    assert 0 < pairs_met < len(ends)


def test_either_walk_has_the_same_loss_where_they_meet():
    """Merged by signs alone, so equal losses confirm it: nodes carry those of the first walk."""
    loss, shared = random_loss([2, 3, 1], 30, 1), 0
    starts = [loss.theta + loss.random_start(seed, 0.05) for seed in range(10)]
    for a, b in combinations([rw.walk(loss, start) for start in starts], 2):
        losses = [
            sorted(
                data["loss"] for _, data in rw.merge(pair).nodes(data=True) if data["walks"] == 2
            )
            for pair in ([a, b], [b, a])
        ]
        np.testing.assert_allclose(*losses, rtol=1e-11)
        shared += len(losses[0])
    assert shared > 20


def test_merged_walks_are_paths(meeting):
    graph = rw.merge(meeting)
    for number, traj in enumerate(meeting):
        one = rw.merge([traj])  # revisits nothing
        assert len(one) == len(traj.losses) - traj.n_zero_length
        assert all(data["walks"] == 1 for _, data in one.nodes(data=True))
        own = [data for _, data in graph.nodes(data=True) if data["walk"] == number]
        for data in own:
            assert data["loss"] == traj.losses[data["index"]]
            assert data["ended"] <= data["walks"] <= len(meeting)


@pytest.mark.parametrize("step", ["adjacent", "long"])
def test_walks_on_the_terrain(step):
    loss = random_loss([1, 2, 1], 6, 1)
    terrain = rw.vertex_graph(loss)
    walks = [rw.walk(loss, seed=seed, step=step) for seed in range(8)]
    plain, graph = rw.merge(walks), rw.merge(walks, terrain)
    assert terrain.complete
    assert list(graph)[: len(terrain)] == list(terrain.graph())
    for k, data in terrain.graph().nodes(data=True):
        assert graph.nodes[k]["basin"] == data["basin"]
        assert graph.nodes[k]["loss"] == pytest.approx(data["loss"], rel=1e-12)
    for a, b, data in terrain.graph().edges(data=True):
        (found,) = [e for e in ((a, b), (b, a)) if graph.has_edge(*e)]
        assert graph.edges[found]["length"] == pytest.approx(data["length"], rel=1e-9)
        high, low = (graph.nodes[k]["loss"] for k in found)
        assert high >= low * (1 - 1e-12)
    # What walks left is what they leave without the terrain, attributes and all ...
    place = {(d["walk"], d["index"]): k for k, d in graph.nodes(data=True) if d["walks"]}
    assert len(place) == len(plain)
    at = {k: place[d["walk"], d["index"]] for k, d in plain.nodes(data=True)}
    for k, data in plain.nodes(data=True):
        assert data.items() <= graph.nodes[at[k]].items()
    for a, b, data in plain.edges(data=True):
        assert data.items() <= graph.edges[at[a], at[b]].items()
    taken = [edge for edge in graph.edges if graph.edges[edge]["walks"]]
    assert len(taken) == plain.number_of_edges()
    # ... and every vertex of full rank is one of the terrain, by its coordinates too.
    for traj in walks:
        for k, node in enumerate(terrain.match(traj)):
            if traj.ranks[k] == loss.dim:
                np.testing.assert_allclose(traj.vertices[k], terrain.vertices[node], 1e-7, 1e-9)
                assert node >= 0
    if step == "adjacent":  # a walk goes along the terrain's edges
        beyond = [edge for edge in taken if not terrain.graph().has_edge(*edge)]
        assert all(max(edge) >= len(terrain) for edge in beyond)  # before it is at a vertex
    ends = [k for k in graph if graph.nodes[k]["ended"] and k < len(terrain)]
    assert ends
    assert set(ends) <= set(terrain.minima)


def test_merging_a_walk_with_itself_counts_twice(meeting):
    once, twice = rw.merge(meeting[:1]), rw.merge([meeting[0], meeting[0]])
    apart = len(twice) - len(once)  # entries that are no vertices
    assert meeting[0].phase1 <= apart < len(once)
    visits = [data["walks"] for _, data in twice.nodes(data=True)]
    assert (visits.count(1), visits.count(2)) == (2 * apart, len(once) - apart)


def test_zero_length_pivots_stay_in_their_node():
    rng = np.random.default_rng(0)  # whole numbers: many samples meet in a vertex
    X, y = rng.integers(0, 4, (40, 3)), rng.integers(0, 5, 40)
    traj = rw.walk(rw.LayerLoss(rw.ReLUNetwork.random([3, 1]), X, y))
    assert traj.n_zero_length > 0
    graph = rw.merge([traj])
    assert nx.number_of_selfloops(graph) == 0
    assert len(graph) == len(traj.losses) - traj.n_zero_length


@pytest.mark.parametrize("through", [through_graphml, through_gexf, through_json])
def test_files_keep_every_attribute(through, meeting, tmp_path):
    terrain = rw.vertex_graph(meeting[0].problem, max_vertices=20)
    for graph in (
        rw.walk(variant(9, 0)).graph(),
        rw.merge(meeting),
        rw.merge(meeting[:3], terrain),
    ):
        read = through(graph, tmp_path / "graph")
        assert dict(read.nodes(data=True)) == dict(graph.nodes(data=True))
        assert list(read.edges(data=True)) == list(graph.edges(data=True))
        types = [[type(v) for v in data.values()] for _, data in graph.nodes(data=True)]
        assert [[type(v) for v in data.values()] for _, data in read.nodes(data=True)] == types
        if through is not through_gexf:
            assert read.graph.items() >= graph.graph.items()


def test_merge_refuses_nothing_and_another_loss():
    with pytest.raises(ValueError, match="at least one, found none"):
        rw.merge([])
    walks = [rw.walk(random_loss([2, 3, 1], 20, seed), max_pivots=3) for seed in (0, 1)]
    with pytest.raises(ValueError, match=r"trajectories\[1\]: expected a walk on the same loss"):
        rw.merge(walks)
    terrain = rw.vertex_graph(walks[1].problem, max_vertices=5)
    with pytest.raises(ValueError, match="terrain: expected a vertex graph of the same loss"):
        rw.merge(walks[:1], terrain)
    with pytest.raises(TypeError, match="terrain: expected a VertexGraph, found list"):
        rw.merge(walks[:1], walks)
