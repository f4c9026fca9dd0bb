"""Two lakes rise from two vertices, lowest vertices first, until they meet.

Whatever is connected to one of the two below the level reached has been seen; as long as they have
not met, every path between them goes higher.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from ..ended import Ended
from ..problem.loss import LayerLoss
from ..simplex.trajectory import Trajectory
from ..tolerances import GRAPHS
from .barrier_record import BarrierProgress
from .flooding import Lakes, shortest_path
from .search import MOST_BASES, Search

Floats = NDArray[np.float64]


@dataclass
class Flood:
    """What was found: `lower` is proved, `path` (of vertices) leads across where the lakes met."""

    search: Search
    lower: float
    met: bool
    path: list[int]
    ended: Ended


def flood_between(
    loss: LayerLoss,
    walks: tuple[Trajectory, Trajectory],
    ceiling: float,
    most: int,
    limits: Limits,
) -> Flood:
    """Flood from the ends of two walks, up to `ceiling`, the level of a path that is known.

    At most so many half-edges are followed.
    """
    inner = [loss.free_units.inner(traj.vertices) for traj in walks]
    size = max(float(np.abs(each).max(initial=0.0)) for each in inner)
    search = Search(loss, size, limits, lowest_first=True)
    held = walks[0].vertices[-1]
    ends = []
    for traj in walks:
        theta = loss.free_units.outer(loss.free_units.inner(traj.vertices[-1]), held)
        ends.append(search.begin(theta, traj.basis[-1]))
    lakes = Lakes(len(search.losses))
    level, certain = -np.inf, np.inf  # of what is seen; up to which nothing is missing
    for end, traj in zip(ends, walks, strict=True):
        if search.losses[end] > traj.loss + GRAPHS.rounding * loss.magnitude(traj.theta):
            certain = -np.inf  # another vertex than the walk's: its lake may be missing
    ended = None
    while lakes.find(ends[0]) != lakes.find(ends[1]):
        first = search.queue[0][0] if search.queue else np.inf
        if first >= ceiling:
            level = ceiling
            break
        level = max(level, first)
        progress = BarrierProgress(ceiling, len(search.losses), limits.elapsed)
        ended = limits.look(-1, progress)
        if search.n_followed >= most:
            ended = ended or Ended.WORK_LIMIT
        stand = search.next()
        crowded = len(search.bases[stand.vertex]) > MOST_BASES
        if ended is not None or not search.expand(stand):
            ended = ended or limits.over
            break
        if crowded:
            certain = min(certain, search.losses[stand.vertex])
        while len(lakes.parent) < len(search.losses):
            lakes.add()
        for other in search.neighbours[stand.vertex]:
            if search.losses[other] <= level:
                lakes.join(lakes.find(stand.vertex), lakes.find(other))
    met = lakes.find(ends[0]) == lakes.find(ends[1])
    path = _path(search, level, *ends) if met else []
    return Flood(search, min(level, certain), met, path, ended or Ended.FINISHED)


def _path(search: Search, level: float, start: int, end: int) -> list[int]:
    """A shortest path between two vertices below `level`."""
    rounding = GRAPHS.rounding * abs(level)
    below = np.array(search.losses) <= level + rounding
    links = [
        (a, b)
        for a in np.flatnonzero(below).tolist()
        for b in search.neighbours[a]
        if a < b and below[b]
    ]
    points = np.array(search.vertices)
    return shortest_path(points, np.array(links, np.int64).reshape(-1, 2), start, end)


__all__ = ["Flood", "flood_between"]
