"""A path of segments whose highest point is lowered, again and again, where that is easy.

The top of the path is moved down by a few pivots of a walk; where that makes the highest point of
the two segments that meet there lower, it is kept.  The level of a path is exact: that of its
sections.  It bounds the lowest pass from above, and need not reach it.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from ..problem.loss import LayerLoss
from ..simplex.walk import walk
from ..tolerances import GRAPHS
from .highest import Top, highest

Floats = NDArray[np.float64]

_PIVOTS = 64  # of the walk that the top is moved along
_SHARES = 0.5, 0.25, 0.125  # of its first step, where that is too far


class SegmentPath:
    """Points (h, q) and the highest point of each segment between them."""

    def __init__(self, loss: LayerLoss, points: list[Floats]) -> None:
        self.loss = loss
        self.points = points
        self.tops = [highest(loss, *pair) for pair in pairwise(points)]

    @property
    def level(self) -> float:
        """The highest loss on the path."""
        return max(top.level for top in self.tops)

    def split(self) -> int | None:
        """Number of the point the path is highest at, made one of its points; None at an end."""
        segment = int(np.argmax([top.level for top in self.tops]))
        level, position = self.tops[segment]
        at = segment + round(position) if position in (0.0, 1.0) else segment + 1
        if position not in (0.0, 1.0):
            start, end = self.points[segment : segment + 2]
            self.points.insert(at, start + position * (end - start))
            self.tops[segment : segment + 1] = [Top(level, 1.0), Top(level, 0.0)]
        return at if 0 < at < len(self.points) - 1 else None

    def around(self, at: int, point: Floats) -> list[Top]:
        """The tops of both segments that meet at point number `at`, if that were `point`."""
        before, after = self.points[at - 1], self.points[at + 1]
        return [highest(self.loss, before, point), highest(self.loss, point, after)]

    def move(self, at: int, point: Floats, tops: list[Top]) -> None:
        """Let point number `at` be `point`, which makes the tops around it `tops`."""
        self.points[at] = point
        self.tops[at - 1 : at + 1] = tops


def lower(path: SegmentPath, floor: float, trials: int, limits: Limits) -> None:
    """Lower `path` until its level is `floor`, nothing helps, or so many tops were moved."""
    rounding = GRAPHS.rounding * max(1.0, abs(floor))
    for _ in range(trials):
        if limits.over is not None or path.level <= floor + rounding:
            return
        at = path.split()
        if at is None:
            return
        level = path.level
        best = None
        for point in _candidates(path.loss, path.points[at], limits):
            tops = path.around(at, point)
            reached = max(top.level for top in tops)
            if reached < level - rounding and (best is None or reached < best[0]):
                best = reached, point, tops
            if limits.over is not None:
                break
        if best is None:
            return
        path.move(at, *best[1:])


def _candidates(loss: LayerLoss, top: Floats, limits: Limits) -> Iterator[Floats]:
    """Points a walk from `top` comes by, ever further down."""
    down = walk(
        loss,
        top,
        step="long",
        proof="off",
        max_pivots=_PIVOTS,
        time_limit=limits.remaining,
    )
    entries = down.vertices[1:]
    if not len(entries):
        return
    for share in _SHARES:
        yield top + share * (entries[0] - top)
    k = 1
    while k < len(entries):
        yield entries[k - 1]
        k *= 2
    yield entries[-1]


__all__ = ["SegmentPath", "lower"]
