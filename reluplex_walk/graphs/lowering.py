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
from .barrier_record import BarrierProgress
from .highest import Top, highest, noise

Floats = NDArray[np.float64]

_PIVOTS = 64  # of the walk that the top is moved along
_AROUND = [0.3, 0.1, 0.03, 0.01] * 4  # of the way between the points beside it
_FAR = 10.0  # times the noise at the ends that is suffered elsewhere
_ROUND = 5  # tops between two looks at what they gained,
_WORTH = 0.01  # and what of the height that has to be
_SHARES = [2.0**-k for k in range(1, 11)]  # of its first step, where that is too far


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

    def around(self, at: int, points: list[Floats]) -> list[Top]:
        """The tops of the segments that meet at point number `at`, if that were `points`."""
        row = [self.points[at - 1], *points, self.points[at + 1]]
        return [highest(self.loss, *pair) for pair in pairwise(row)]

    def move(self, at: int, points: list[Floats], tops: list[Top]) -> None:
        """Let point number `at` be `points`, which makes the tops around it `tops`."""
        self.points[at : at + 1] = points
        self.tops[at - 1 : at + 1] = tops

    def too_far(self, point: Floats) -> bool:
        """Whether floats see less of the loss around `point` than around both ends of the path."""
        ends = noise(self.loss, self.points[0], self.points[-1])
        return noise(self.loss, point, point) > max(_FAR * ends, GRAPHS.same * abs(self.level))

    def repeats(self, at: int, point: Floats) -> bool:
        """Whether `point` is one of those beside point number `at`, up to rounding."""
        beside = self.points[at - 1], self.points[at + 1]
        size = max(np.abs(each).max() for each in (*beside, point))
        return any(np.abs(each - point).max() <= GRAPHS.same * size for each in beside)


def lower(path: SegmentPath, floor: float, trials: int, seed: int, limits: Limits) -> None:
    """Lower `path` until its level is `floor`, little is gained, or so many tops were moved.

    Each top is moved to the best of the places a walk from there comes by; where none of them
    makes the path lower, to the first that does of those that walks from places around it,
    drawn with `seed`, come by.
    """
    rng = np.random.default_rng(seed)
    rounding = GRAPHS.rounding * max(1.0, abs(floor))
    before = np.inf
    for trial in range(trials):
        level = path.level
        if trial % _ROUND == 0:
            if before - level < _WORTH * (level - floor):
                return
            before = level
        over = limits.look(-1, BarrierProgress(level, 0, limits.elapsed))
        if over is not None or level <= floor + rounding:
            return
        at = path.split()
        if at is None:
            return
        top, span = path.points[at], np.linalg.norm(path.points[at + 1] - path.points[at - 1])
        starts = [top]
        for share in _AROUND:
            d = rng.standard_normal(top.shape) * path.loss.free
            starts.append(top + share * span / np.linalg.norm(d) * d)
        if not any(_moved(path, at, start, rounding, limits) for start in starts):
            return


def _moved(path: SegmentPath, at: int, start: Floats, rounding: float, limits: Limits) -> bool:
    """Whether point number `at` was moved to a place where the path is lower."""
    level, best = path.level, None
    for point in _places(path.loss, start, limits):
        if limits.over is not None:
            break
        if path.too_far(point):
            continue
        points = [] if path.repeats(at, point) else [point]
        tops = path.around(at, points)
        reached = max(top.level for top in tops)
        if reached < level - rounding and (best is None or reached < best[0]):
            best = reached, points, tops
    if best is not None:
        path.move(at, *best[1:])
    return best is not None


def _places(loss: LayerLoss, start: Floats, limits: Limits) -> Iterator[Floats]:
    """Places a walk from `start` comes by, ever further down, and then on its first step."""
    yield start
    down = walk(
        loss, start, step="long", proof="off", max_pivots=_PIVOTS, time_limit=limits.remaining
    )
    entries = down.vertices[1:]
    if not len(entries):
        return
    k = 1
    while k < len(entries):
        yield entries[k - 1]
        k *= 2
    yield entries[-1]
    for share in _SHARES:
        yield start + share * (entries[0] - start)


__all__ = ["SegmentPath", "lower"]
