"""`barrier`: the lowest pass between two points, or how high it is at most and at least."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._limits import Limits
from .._logs import logged
from .._validate import instance, integer
from ..ended import Ended
from ..exact.loss import ExactLoss
from ..exact.rationals import Rationals
from ..problem.loss import LayerLoss
from ..problem.penalty import refuse
from ..simplex.trajectory import Trajectory
from ..simplex.walk import walk
from ..tolerances import GRAPHS
from .barrier_flood import Flood, flood_between
from .barrier_record import Barrier, BarrierProgress
from .highest import highest_exactly, noise
from .lowering import SegmentPath, lower

Floats = NDArray[np.float64]


@logged("barrier")
def barrier(
    loss: LayerLoss,
    a: ArrayLike | Trajectory,
    b: ArrayLike | Trajectory,
    max_edges: int = 20_000,
    trials: int = 100,
    seed: int = 0,
    time_limit: float | None = None,
    callback: Callable[[BarrierProgress], Any] | None = None,
) -> Barrier:
    """How high the loss has to rise on the way from `a` to `b`: the level of the lowest pass.

    The straight segment gives a first bound.  Its highest point is moved down by pivots, again and
    again; then two lakes rise from the vertices that walks from `a` and `b` end at, vertex by
    vertex, until they meet (then their level is the pass) or reach the level of the path (then that
    is the pass), or `max_edges` were followed.  What was flooded by then proves a lower bound.

    Parameters
    ----------
    loss : LayerLoss
    a, b : array_like (h, q) or (D,), or anything with a ``theta``
        Two points, such as minima that two walks ended at.
    max_edges : int, default 20000
        Half-edges to be followed by the flood at most; 0: no flood.  A second has 3,000 to 10,000.
    trials : int, default 100
        How often the top of the path is moved down at most.
    seed : int, default 0
        Of the places around a top that are tried where none on the way down from it helps.
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called with a :class:`BarrierProgress`; StopIteration or KeyboardInterrupt raised in it ends
        the search as Ctrl-C does.

    Returns
    -------
    Barrier
        ``exact`` if its level is that of the lowest pass, up to rounding; else its level is an
        upper bound, exact for its ``path``, and ``lower`` a proved lower bound.  At a limit or
        after Ctrl-C, what was found by then.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the loss has a penalty; with ``fit_intercept=False`` the biases
        of the two differ, which no path can change.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
    >>> found = rw.barrier(loss, [3.0, -6.0], [-2.0, 2.0])  # its two minima, of 2 and 3
    >>> found.level, found.height, found.exact
    (5.0, 2.0, True)
    """
    instance("loss", loss, LayerLoss)
    refuse(loss.penalty, "barriers")
    start, end = _point(loss, a, "a"), _point(loss, b, "b")
    integer("max_edges", max_edges, 0)
    integer("trials", trials, 0)
    integer("seed", seed, 0)
    if not loss.fit_intercept and not np.array_equal(start[:, -1], end[:, -1]):
        raise ValueError("b: expected the biases of a, which are not fitted, found others")
    floor = max(loss(start), loss(end))
    with Limits.asked(time_limit, callback, max_edges) as limits:
        straight = SegmentPath(loss, [start, end])
        path = SegmentPath(loss, [start, end])
        lower(path, floor, trials, seed, limits)
        flood = None
        if (
            max_edges
            and path.level > floor + GRAPHS.rounding * loss.magnitude(start)
            and limits.over is None
        ):
            flood = _flooded(loss, start, end, path.level, limits)
    return _barrier(loss, straight, path, floor, flood, limits)


def _point(loss: LayerLoss, value: Any, name: str) -> Floats:
    """The parameters (h, q) that were given, or those of what has some."""
    return loss.parameters(getattr(value, "theta", value), name)


def _flooded(
    loss: LayerLoss, a: Floats, b: Floats, ceiling: float, limits: Limits
) -> tuple[Flood, tuple[Trajectory, Trajectory]] | None:
    """The flood between the ends of walks down from both points, and these; None at a limit."""
    walks = tuple(
        walk(loss, point, step="long", proof="off", time_limit=limits.remaining) for point in (a, b)
    )
    if limits.over is not None:
        return None
    found = flood_between(loss, (walks[0], walks[1]), ceiling, limits)
    return found, (walks[0], walks[1])


def _barrier(
    loss: LayerLoss,
    straight: SegmentPath,
    path: SegmentPath,
    floor: float,
    flooded: tuple[Flood, tuple[Trajectory, Trajectory]] | None,
    limits: Limits,
) -> Barrier:
    start, end = path.points[0], path.points[-1]
    rounding = GRAPHS.rounding * max(loss.magnitude(point) for point in (start, end))
    lowest, n_vertices, ended = floor, 0, limits.over or Ended.FINISHED
    if flooded is None or not flooded[0].met:
        path.split()
        points, level = path.points, _level(path, rounding)
    else:
        points, level = _across(*flooded, (start, end)), _level_across(flooded[0], (start, end))
    if flooded is not None:
        flood = flooded[0]
        lowest, n_vertices = max(floor, flood.lower), len(flood.search.losses)
        ended = flood.ended
    losses = np.array([loss(point) for point in points])
    proved = lowest >= float(level) - rounding
    return Barrier(
        problem=loss,
        path=np.array(points),
        losses=losses,
        level=float(level),
        level_exact=level,
        lower=min(lowest, float(level)),
        exact=proved,
        straight=straight.level,
        n_vertices=n_vertices,
        ended=Ended.FINISHED if proved else ended,
        elapsed=limits.elapsed,
    )


def _level(path: SegmentPath, rounding: float) -> Fraction:
    """The exact level of a path of segments."""
    exact, level = ExactLoss(path.loss), path.level
    segments = list(zip(path.tops, pairwise(path.points), strict=True))
    doubt = {k: noise(path.loss, *pair) for k, (_, pair) in enumerate(segments)}
    least = level - max(rounding, *doubt.values())
    return max(
        highest_exactly(exact, *pair)
        for k, (top, pair) in enumerate(segments)
        if top.level + doubt[k] >= least
    )


def _across(
    flood: Flood, walks: tuple[Trajectory, Trajectory], ends: tuple[Floats, Floats]
) -> list[Floats]:
    """Down from one point, across the pass, and up to the other."""
    shape = ends[0].shape
    down, up = (list(traj.vertices) for traj in walks)
    between = [flood.search.vertices[k].reshape(shape) for k in flood.path]
    points = [*down, *between, *up[::-1]]
    path = [ends[0]]
    for point in points:
        if not any(_equal(point, other) for other in (path[-1], ends[1])):
            path.append(point)
    return [*path, ends[1]]


def _equal(point: Floats, other: Floats) -> bool:
    """Whether two points differ by rounding, each component by its own: some may be huge."""
    size = np.maximum(np.abs(point), np.abs(other))
    return bool((np.abs(point - other) <= GRAPHS.rounding * size).all())


def _level_across(flood: Flood, ends: tuple[Floats, Floats]) -> Fraction:
    """The exact level of the vertices the path leads over, and of both its ends."""
    search = flood.search
    exact = search.exact.exact
    points = [Rationals.of(end.ravel()) for end in ends]
    levels = [exact.loss_at(point, exact.signs(point)) for point in points]
    top = max(search.losses[k] for k in flood.path)
    for k in flood.path:
        if search.losses[k] >= top - GRAPHS.rounding * search.exact.terms(search.vertices[k]):
            found = search.exact.level(k, search.vertices[k], search.active[k])
            levels.append(Fraction(search.losses[k]) if found is None else found)
    return max(levels)


__all__ = ["barrier"]
