"""Floods that know nothing of vertices: of a fine grid of exact values, and of weighted links.

The grid is cut into the triangles (in any dimension: simplices) of Freudenthal, and the flood is
that of the function which is affine on each of them and has the exact values at the grid's points.
On a triangle of diameter d it differs from a loss of Lipschitz constant L by at most L d, so levels
of passes differ by at most that (they are stable: Cohen-Steiner, Edelsbrunner and Harer 2007).
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from numba import njit


class Flood(NamedTuple):
    """Births and deaths (k,) of valleys, and the lowest passes (t, t) between the terminals."""

    births: np.ndarray  # ascending; the lowest never dies
    deaths: np.ndarray
    passes: np.ndarray  # on the diagonal the levels of the terminals; inf: never


def flood(levels, links, weights, terminals=()):
    """Of points with `levels` (K,), joined by `links` (E, 2) that are under water at `weights`.

    Kruskal's algorithm: the cheapest links first; of two lakes that meet the higher bottom ends.
    """
    levels = np.asarray(levels, float)
    terminals = np.asarray(terminals, np.int64)
    order = np.argsort(weights, kind="stable")
    pairs, ends = _merge(
        levels, np.asarray(links, np.int64)[order], np.asarray(weights, float)[order], terminals
    )
    passes = np.full((len(terminals), len(terminals)), np.inf)
    np.fill_diagonal(passes, levels[terminals])
    lakes = {k: [k] for k in range(len(terminals))}
    for a, b, level in pairs:
        mine, others = lakes[int(a)], lakes[int(b)]
        passes[np.ix_(mine, others)] = passes[np.ix_(others, mine)] = level
        others.extend(mine)
        lakes.update(dict.fromkeys(mine, others))
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    return Flood(ends[:, 0], ends[:, 1], passes)


@njit
def _merge(levels, links, weights, terminals):  # compiled: a grid has millions of links
    parent = np.arange(levels.size)
    bottom = levels.copy()
    first = np.full(levels.size, -1)  # a terminal in the lake
    pairs = np.empty((terminals.size, 3))
    ends = []
    n_pairs = 0
    for k in range(terminals.size):
        if first[terminals[k]] < 0:
            first[terminals[k]] = k
        else:  # two terminals in one place
            pairs[n_pairs] = np.array([k, first[terminals[k]], levels[terminals[k]]])
            n_pairs += 1
    for e in range(weights.size):
        a, b = links[e]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a == b:
            continue
        if bottom[a] > bottom[b]:
            a, b = b, a
        if bottom[b] < weights[e]:
            ends.append((bottom[b], weights[e]))
        if first[b] >= 0:
            if first[a] >= 0:
                pairs[n_pairs] = np.array([first[b], first[a], weights[e]])
                n_pairs += 1
            else:
                first[a] = first[b]
        parent[b] = a
    for k in range(levels.size):
        if parent[k] == k:
            ends.append((bottom[k], np.inf))
    found = np.empty((len(ends), 2))
    for k in range(len(ends)):
        found[k] = ends[k]
    return pairs[:n_pairs], found


class Grid(NamedTuple):
    """Values of a loss on a grid."""

    values: np.ndarray
    low: np.ndarray
    step: np.ndarray

    @property
    def diameter(self):
        """Of a cell."""
        return float(np.linalg.norm(self.step))

    def nearest(self, points):
        """Numbers of the points of the grid next to `points` (k, D)."""
        at = np.rint((np.asarray(points) - self.low) / self.step).astype(int)
        return np.ravel_multi_index(at.T, self.values.shape)

    def flood(self, points=()):
        """Of the grid cut into simplices, with the passes between the places of `points` (k, D)."""
        levels = self.values.ravel()
        numbers = np.arange(levels.size).reshape(self.values.shape)
        links = []
        for step in product((0, 1), repeat=self.values.ndim):
            if any(step):
                below = numbers[tuple(slice(0, -1) if s else slice(None) for s in step)]
                above = numbers[tuple(slice(1, None) if s else slice(None) for s in step)]
                links.append(np.column_stack([below.ravel(), above.ravel()]))
        links = np.concatenate(links)
        terminals = self.nearest(points) if len(points) else ()
        return flood(levels, links, levels[links].max(axis=1), terminals)


def grid(loss, low, high, size):
    """Exact values of `loss` at `size` points in each direction between `low` and `high` (D,)."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    lines = [np.linspace(a, b, size) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, low.size)
    parts = np.array_split(points, -(-len(points) // 50_000))
    values = np.concatenate([losses(loss, part) for part in parts])
    return Grid(values.reshape((size,) * low.size), low, (high - low) / (size - 1))


def losses(loss, points):
    """The loss at `points` (k, D), from the network as it is written down."""
    h, q = loss.shape
    theta = points.reshape(-1, h, q)
    values = theta[:, :, :-1] @ loss.inputs.T + theta[:, :, -1:]  # (k, h, n)
    for w, b in loss.tail:
        values = np.where(values > 0, values, loss.network.negative_slope * values)
        values = w @ values + b[:, None]
    r = values[:, :, loss.owner] - loss.targets.T
    return np.where(r > 0, loss.right.T * r, -loss.left.T * r).sum(axis=(1, 2))


def bottleneck(births, deaths, other_births, other_deaths):
    """Bottleneck distance of two persistence diagrams, each with one point that never dies."""
    from scipy.optimize import linear_sum_assignment

    lasting, others = np.isinf(deaths), np.isinf(other_deaths)
    if lasting.sum() != others.sum():
        return np.inf
    worst = np.abs(np.sort(births[lasting]) - np.sort(other_births[others])).max(initial=0.0)
    a = np.column_stack([births, deaths])[~lasting]
    b = np.column_stack([other_births, other_deaths])[~others]
    cost = np.zeros((len(a) + len(b), len(a) + len(b)))  # to each other, or to the diagonal
    cost[: len(a), : len(b)] = np.abs(a[:, None] - b).max(axis=2, initial=0.0)
    cost[: len(a), len(b) :] = np.diff(a, axis=1) / 2.0
    cost[len(a) :, : len(b)] = np.diff(b, axis=1).T / 2.0
    low, high = 0, cost.size  # the least largest distance, by bisection among all of them
    found = np.unique(np.append(cost, 0.0))
    high = len(found) - 1
    while low < high:
        middle = (low + high) // 2
        rows, columns = linear_sum_assignment(cost > found[middle])
        if (cost[rows, columns] <= found[middle]).all():
            high = middle
        else:
            low = middle + 1
    return float(max(worst, found[low]))
