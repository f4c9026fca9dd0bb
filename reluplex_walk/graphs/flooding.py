"""Flooding a graph of points: where lakes begin as the water rises, and where they meet."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Merge(NamedTuple):
    """Two lakes flow together: the one with the higher bottom ends."""

    minimum: int  # point at its bottom
    saddle: int  # point at which they meet
    into: int  # point at the bottom of the other


class Lakes:
    """Disjoint sets of points, each with the point at its bottom."""

    def __init__(self, n_points: int) -> None:
        self.parent = list(range(n_points))
        self.bottom = list(range(n_points))

    def add(self) -> None:
        """One more point, on its own."""
        self.parent.append(len(self.parent))
        self.bottom.append(len(self.bottom))

    def find(self, point: int) -> int:
        """What stands for the lake of `point`."""
        parent = self.parent
        while parent[point] != point:
            parent[point] = parent[parent[point]]
            point = parent[point]
        return point

    def join(self, lake: int, other: int) -> None:
        """Two lakes become one, whose bottom is that of the first."""
        self.parent[other] = lake


def flood(levels: Sequence[Any], links: Ints) -> tuple[list[int], list[Merge]]:
    """Lakes as the water rises over points with these `levels`, joined by `links` (E, 2).

    Returns the bottoms of the lakes that are left in the end, and all merges in ascending order.
    A link is under water with its higher end.  Levels only have to be comparable.  Where a new
    point meets one lake or none, it is part of that or the bottom of a new one; where it meets
    several, all but the one of the lowest bottom end there (the elder rule).  Of equal levels the
    point of the smaller number is the lower one.

    Examples
    --------
    Two valleys, of depth 0 and 1, with a pass of height 3 between them:

    >>> import numpy as np
    >>> from reluplex_walk.graphs.flooding import flood
    >>> flood([4.0, 0.0, 3.0, 1.0], np.array([[0, 1], [1, 2], [2, 3]]))
    ([1], [Merge(minimum=3, saddle=2, into=1)])
    """
    count = len(levels)
    order = sorted(range(count), key=lambda k: levels[k])
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    lower: list[list[int]] = [[] for _ in range(count)]  # neighbours that are under water earlier
    for a, b in links.tolist():
        high, low = (a, b) if rank[a] > rank[b] else (b, a)
        if high != low:
            lower[high].append(low)
    lakes = Lakes(count)
    merges = []
    for point in order:
        met = {lakes.find(other) for other in lower[point]}
        if not met:
            continue
        eldest, *others = sorted(met, key=lambda lake: rank[lakes.bottom[lake]])
        for other in reversed(others):
            merges.append(Merge(lakes.bottom[other], point, lakes.bottom[eldest]))
            lakes.join(eldest, other)
        lakes.join(eldest, point)
    left = {lakes.find(point) for point in range(count)}
    return sorted((lakes.bottom[lake] for lake in left), key=lambda k: rank[k]), merges


def lakes_of(links: Ints, n_points: int) -> list[list[int]]:
    """The connected sets of points, as lists."""
    lakes = Lakes(n_points)
    for a, b in links.tolist():
        lakes.join(lakes.find(a), lakes.find(b))
    found: dict[int, list[int]] = {}
    for point in range(n_points):
        found.setdefault(lakes.find(point), []).append(point)
    return list(found.values())


def shortest_path(points: Floats, links: Ints, start: int, end: int) -> list[int]:
    """The points (of K, D) on a shortest path along `links` (E, 2); empty if there is none."""
    a, b = links.T
    lengths = np.linalg.norm(points[a] - points[b], axis=1) + np.finfo(float).tiny
    graph = sparse.coo_matrix((lengths, (a, b)), (len(points), len(points)))
    _, before = csgraph.dijkstra(graph, False, start, return_predecessors=True)
    steps = [end]
    while steps[-1] != start:
        if before[steps[-1]] < 0:
            return []
        steps.append(int(before[steps[-1]]))
    return steps[::-1]


__all__ = ["Lakes", "Merge", "flood", "lakes_of", "shortest_path"]
