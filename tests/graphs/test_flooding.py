"""Floods of graphs against thresholds: which points a level connects."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, strategies as st

from reluplex_walk.graphs.flooding import flood, lakes_of, shortest_path


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 8))
    levels = draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    pairs = [(a, b) for a in range(count) for b in range(a)]
    links = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return levels, np.array(links, np.int64).reshape(-1, 2)


def components(levels, links, level):
    """Sets of points that edges at most `level` high connect."""
    graph = nx.Graph()
    graph.add_nodes_from(k for k, each in enumerate(levels) if each <= level)
    graph.add_edges_from((a, b) for a, b in links.tolist() if max(levels[a], levels[b]) <= level)
    return list(nx.connected_components(graph))


@given(graphs())
def test_as_many_lakes_at_every_level_as_components(graph):
    levels, links = graph
    left, merges = flood(levels, links)
    bottoms = [*left, *(merge.minimum for merge in merges)]
    for level in range(5):
        born = sum(levels[k] <= level for k in bottoms)
        died = sum(levels[merge.saddle] <= level for merge in merges)
        assert born - died == len(components(levels, links, level))


@given(graphs())
def test_lakes_that_merge_are_not_connected_below_and_are_at_the_saddle(graph):
    levels, links = graph
    for minimum, saddle, into in flood(levels, links)[1]:
        level = levels[saddle]
        assert levels[into] <= levels[minimum] <= level
        [here] = [each for each in components(levels, links, level) if minimum in each]
        assert {saddle, into} <= here
        below = components(levels, links, level - 1)
        assert not any({minimum, into} <= each for each in below)


@given(graphs())
def test_the_elder_survives(graph):
    levels, links = graph
    left, _ = flood(levels, links)
    for lake in lakes_of(links, len(levels)):
        [bottom] = set(left) & set(lake)
        assert levels[bottom] == min(levels[k] for k in lake)


def test_shortest_paths():
    points = np.array([[0.0], [1.0], [3.0], [9.0]])
    links = np.array([[0, 1], [1, 2], [2, 0]])
    assert shortest_path(points, links, 0, 2) in ([0, 1, 2], [0, 2])
    assert shortest_path(points, links, 2, 2) == [2]
    assert shortest_path(points, links, 0, 3) == []


@pytest.mark.parametrize("count", [0, 1])
def test_without_links(count):
    assert flood([1.0] * count, np.zeros((0, 2), np.int64)) == (list(range(count)), [])
