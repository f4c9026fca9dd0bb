"""Terrains made of polytopes on which the loss is affine: slices, and boxes of parameters.

A polytope is convex, so that the component of its part below a level holds all its corners below
that level: they are joined to the lowest of them.  Border included: nothing has to be known about
edges, or about what is degenerate.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from .._limits import Limits
from ..ended import Ended
from ..problem.loss import LayerLoss
from ..regions.plane import Slice
from ..regions.window import nothing, regions_of
from ..tolerances import GRAPHS
from .flooding import lakes_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Box(NamedTuple):
    """The part of a loss between two bounds: a terrain.

    Attributes
    ----------
    problem : LayerLoss
    lower, upper : ndarray (h, q)
    """

    problem: LayerLoss
    lower: Floats
    upper: Floats


class Polytopes(NamedTuple):
    """Corners of polytopes, one polytope after the other."""

    corners: Floats  # (C, d)
    ends: Ints  # (P,) where the corners of each end
    losses: Floats  # (C,)
    slope: float  # the largest component of a gradient
    width: float  # the largest side of what they fill
    ended: Ended


class Points(NamedTuple):
    """Distinct corners, the loss there, which are joined, and how much of a level is rounding."""

    points: Floats  # (K, d)
    losses: Floats  # (K,)
    links: Ints  # (E, 2)
    rounding: float


def of_slice(cut: Slice) -> Polytopes:
    """The polygons of a slice."""
    s_min, s_max, t_min, t_max = cut.extent
    slope = float(np.abs(cut.gradients).max(initial=0.0))
    width = max(s_max - s_min, t_max - t_min)
    return Polytopes(cut.corners, cut.ends, cut.losses, slope, width, cut.ended)


def of_box(box: Box, limits: Limits) -> Polytopes:
    """The regions of a loss in a box; their corners are parameters (D,)."""
    lower, upper = box.lower.ravel(), box.upper.ravel()
    moving = np.flatnonzero(upper > lower)
    origin = np.where(upper > lower, 0.0, lower)
    directions = [row.reshape(box.problem.shape) for row in np.eye(lower.size)[moving]]
    bounds = tuple(np.column_stack([lower, upper])[moving].ravel().tolist())
    chunks, found, ended = [], 0, None
    start = origin.reshape(box.problem.shape)
    for chunk in regions_of(box.problem, start, directions, bounds, limits):
        chunks.append(chunk)
        found += len(chunk.point)
        ended = limits.look(found, found)
        if ended is not None:
            break
    chunks = chunks or [nothing(box.problem, moving.size)]
    counts = np.concatenate([np.diff(chunk.vertex_end, prepend=0) for chunk in chunks])
    moved = np.concatenate([chunk.vertex for chunk in chunks])
    pieces = np.concatenate([chunk.piece for chunk in chunks])
    owned = np.repeat(pieces, counts, axis=0)
    corners = np.tile(origin, (len(moved), 1))
    corners[:, moving] = moved
    return Polytopes(
        corners=corners,
        ends=np.cumsum(counts),
        losses=(owned[:, :-1] * moved).sum(axis=1) + owned[:, -1],
        slope=float(np.abs(pieces[:, :-1]).max(initial=0.0)),
        width=float((upper - lower).max()),
        ended=ended or limits.over or Ended.FINISHED,
    )


def joined(found: Polytopes) -> Points:
    """The distinct corners of polytopes, each joined to the lowest ones of its polytopes."""
    reach = GRAPHS.corner * found.width
    pairs = cKDTree(found.corners).query_pairs(reach, output_type="ndarray")
    lakes = lakes_of(pairs.astype(np.int64), len(found.corners))
    place = np.zeros(len(found.corners), np.int64)
    for k, lake in enumerate(lakes):
        place[lake] = k
    first = [lake[0] for lake in lakes]
    counts = np.diff(found.ends, prepend=0)
    owner = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort([found.losses, owner])  # the lowest corner of each polytope comes first
    lowest = order[found.ends - counts][owner]
    spokes = np.column_stack([place[lowest], place])
    links = np.unique(np.sort(spokes[spokes[:, 0] != spokes[:, 1]], axis=1), axis=0)
    largest = float(np.abs(found.losses).max(initial=0.0))
    rounding = GRAPHS.rounding * largest + found.slope * reach
    return Points(found.corners[first], found.losses[first], links, rounding)


__all__ = ["Box", "Points", "Polytopes", "joined", "of_box", "of_slice"]
