"""Whether a function is >= 0 since it lies above a sum of functions of fewer coordinates.

Several neurons at 0 are one block only through the residuals that vanish with them: convex kinks
that follow the breakpoints of all.  A tangent in place of each of these leaves to every neuron a
function of its own (:class:`.Shares`).  The tangents have to leave all of them >= 0, and what that
asks for at one direction is linear in them: a linear program chooses them for the directions
looked at, further ones are those at which a function is found to be negative.
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .._budget import Budget
from .._programs import linear_program
from ..exact.rationals import Objects
from ..tolerances import PROOF
from .cones import Homogeneous
from .tangents import merged
from .witness import Block, Proof, Shares

Floats = NDArray[np.float64]
Part = tuple[list[int], list[int]]  # coordinates, and terms
Decide = Callable[[Homogeneous, Budget], tuple[Proof | None, Objects | None]]

_ROUNDS = 20  # of linear programs
_PLANES = 3  # coordinates of a function whose edges are all looked at
_ROWS = 60  # terms up to which they are
_SIMPLE = 10**4  # largest denominator of a tangent, tried before the float as it is
_NOTHING = 1e-12  # of the size of a demand, what a tangent adds is rounding


def share(f: Homogeneous, decide: Decide, deadline: Budget) -> Shares | None:
    """The proof that f >= 0, if this finds one; `decide` proves the functions of the parts."""
    feeding = {b for _, b, _ in f.alpha}
    terms = sorted({c for c, _, _ in f.alpha if c not in feeding and f.kinks[c] < 0})
    parts = _parts(f, set(terms)) if terms else []
    if len(parts) < 2:
        return None
    floats = _InFloats(f, terms)
    rays = np.concatenate([floats.first_rays(part) for part in parts])
    for _ in range(_ROUNDS):
        theta = floats.tangents(rays, deadline)
        if theta is None or deadline.passed:
            return None
        found = _proved(f, terms, theta, parts, decide, deadline)
        if not isinstance(found, np.ndarray):
            return found
        rays = np.concatenate([rays, found])
    return None


def _parts(f: Homogeneous, shared: set[int]) -> list[Part]:
    """Coordinates that terms have in common, but for the `shared` ones."""
    import networkx as nx  # here: it takes a while to import, and few proofs need it

    n, d = f.rows.shape
    graph = nx.Graph()
    graph.add_nodes_from(range(n, n + d))
    graph.add_edges_from(
        (c, n + j) for c in range(n) if c not in shared for j in np.flatnonzero(f.rows[c] != 0)
    )
    graph.add_edges_from((c, b) for c, b, _ in f.alpha if c not in shared)
    groups = [sorted(group) for group in nx.connected_components(graph)]
    parts = [([v - n for v in g if v >= n], [v for v in g if v < n]) for g in groups]
    return [part for part in parts if part[0]]


class _InFloats:
    """The function in floats, at many directions together."""

    def __init__(self, f: Homogeneous, terms: list[int]) -> None:
        self.rows = np.array([[float(v) for v in row] for row in f.rows]).reshape(f.rows.shape)
        self.kinks = np.array([float(k) for k in f.kinks])
        self.linear = np.array([float(v) for v in f.linear])
        self.alpha = [(c, b, float(v)) for c, b, v in f.alpha]
        self.terms = terms
        self.others = np.setdiff1d(np.arange(len(self.kinks)), terms)

    def first_rays(self, part: Part) -> Floats:
        """Directions (m, d) of a part: its axes, and the edges of what its terms cut, if few."""
        coordinates, terms = part
        d = self.linear.size
        axes = np.concatenate([np.eye(d)[coordinates], -np.eye(d)[coordinates]])
        if len(coordinates) != _PLANES:
            return axes
        rows = self.rows[np.ix_(terms, coordinates)]
        rows = rows[rows.any(axis=1)]
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        rows *= np.where(rows[:, :1] < 0.0, -1.0, 1.0)
        rows = np.unique(rows.round(12), axis=0)[:_ROWS]
        one, other = np.triu_indices(len(rows), 1)
        edges = np.cross(rows[one], rows[other])
        found = np.zeros((2 * len(edges), d))
        found[:, coordinates] = np.concatenate([edges, -edges])
        return np.concatenate([axes, found])

    def demands(self, rays: Floats) -> tuple[Floats, Floats]:
        """For each ray what each tangent adds there (m, s), and the rest of the function (m,)."""
        t = rays @ self.rows.T
        for c, b, alpha in self.alpha:
            t[:, c] += alpha * np.minimum(t[:, b], 0.0)
        value = rays @ self.linear + np.minimum(t[:, self.others], 0.0) @ self.kinks[self.others]
        gain = t[:, self.terms] * self.kinks[self.terms]
        size = np.maximum(np.abs(gain).max(axis=1), np.abs(value))
        some = np.abs(gain).max(axis=1) > _NOTHING * size
        return gain[some] / size[some, None], value[some] / size[some]

    def tangents(self, rays: Floats, deadline: Budget) -> list[Fraction] | None:
        """Those with which the function is largest at the ray at which it is least."""
        gain, value = self.demands(rays)
        size = len(self.terms)
        result = linear_program(
            np.append(np.zeros(size), -1.0),
            deadline,
            A_ub=np.column_stack([-gain, np.ones(len(gain))]),
            b_ub=value,
            bounds=[(0.0, 1.0)] * size + [(-1.0, 1.0)],
        )
        if result.x is None or result.x[-1] < -PROOF.relaxed:
            return None
        exact = [Fraction(v) for v in np.clip(result.x[:-1], 0.0, 1.0).tolist()]
        simple = [v.limit_denominator(_SIMPLE) for v in exact]
        close = all(abs(v - w) < PROOF.relaxed for v, w in zip(simple, exact, strict=True))
        return simple if close else exact


def _proved(
    f: Homogeneous,
    terms: list[int],
    theta: list[Fraction],
    parts: list[Part],
    decide: Decide,
    deadline: Budget,
) -> Shares | Floats | None:
    """The proof with these tangents; else rays at which a part is negative; None if unknown."""
    linear, kinks = f.linear.copy(), f.kinks.copy()
    slope = {c: v * kinks[c] for c, v in zip(terms, theta, strict=True)}
    for c in terms:
        linear = linear + slope[c] * f.rows[c]
    for c, b, follows in f.alpha:
        if c in slope:
            kinks[b] = kinks[b] + slope[c] * follows
    blocks, rays = [], []
    for coordinates, members in parts:
        if not members:
            if any(linear[coordinates]):
                return None
            continue
        place = {c: i for i, c in enumerate(members)}
        alpha = [(place[c], place[b], v) for c, b, v in f.alpha if c in place and c not in slope]
        rows = f.rows[np.ix_(members, coordinates)]
        function = merged(Homogeneous(linear[coordinates], rows, kinks[members], alpha))
        proof, point = decide(function, deadline)
        if point is not None:
            ray = np.zeros(len(linear))
            size = max(abs(v) for v in point)  # may be more than floats hold
            ray[coordinates] = [float(Fraction(v) / size) for v in point]
            rays.append(ray)
        elif proof is None:
            return None
        else:
            blocks.append(Block(np.array(members), proof))
    if rays:
        return np.array(rays)
    return Shares(np.array(terms), tuple(theta), tuple(blocks))


__all__ = ["share"]
