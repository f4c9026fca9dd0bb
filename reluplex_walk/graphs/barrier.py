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
Flooded = tuple[Flood, list[Trajectory]]

_FIRST = (
    20  # the part of the flood that comes before the path is lowered: small problems need no more
)


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

    Two lakes rise from the vertices that walks from `a` and `b` end at, vertex by vertex, until
    they meet (then their level is the pass), reach the level of a path that is known (then that is
    the pass), or `max_edges` were followed; what was flooded proves a lower bound.  The path that
    is known is the straight segment at first.  Where a twentieth of the flood does not decide, its
    highest point is moved down by pivots, again and again, before the rest.

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
    with Limits.asked(time_limit, callback) as limits:
        straight = SegmentPath(loss, [start, end])
        path = SegmentPath(loss, [start, end])
        flooded = _flooded(path, floor, max_edges // _FIRST, limits)
        if flooded is None or flooded[0].ended is not Ended.FINISHED:
            lower(path, floor, trials, seed, limits)
            flooded = _flooded(path, floor, max_edges, limits) or flooded
    return _barrier(loss, straight, path, floor, flooded, limits)


def _point(loss: LayerLoss, value: Any, name: str) -> Floats:
    """The parameters (h, q) that were given, or those of what has some."""
    return loss.parameters(getattr(value, "theta", value), name)


def _flooded(path: SegmentPath, floor: float, most: int, limits: Limits) -> Flooded | None:
    """The flood between the ends of walks down from both ends of `path`, and these walks.

    None where there is nothing to flood for, or time for it.
    """
    loss, ends = path.loss, (path.points[0], path.points[-1])
    rounding = GRAPHS.rounding * loss.magnitude(ends[0])
    if not most or path.level <= floor + rounding or limits.over is not None:
        return None
    walks = [
        walk(loss, point, step="long", proof="off", time_limit=limits.remaining) for point in ends
    ]
    if limits.over is not None:
        return None
    return flood_between(loss, (walks[0], walks[1]), path.level, most, limits), walks


def _barrier(
    loss: LayerLoss,
    straight: SegmentPath,
    path: SegmentPath,
    floor: float,
    flooded: Flooded | None,
    limits: Limits,
) -> Barrier:
    ends = path.points[0], path.points[-1]
    rounding = GRAPHS.rounding * max(loss.magnitude(point) for point in ends)
    exact = ExactLoss(loss)
    flood = None if flooded is None else flooded[0]
    if flooded is None or not flooded[0].met:
        path.split()
        points, level = path.points, _level(exact, path, rounding)
    else:
        points, level = _across(*flooded, ends), _level_across(flooded[0])
    losses = np.array([loss(point) for point in points])
    # Whatever floats made of the segments, no point that is handed over is higher than the level.
    level = max(level, *(_loss_at(exact, point) for point in (*ends, points[losses.argmax()])))
    lowest = floor if flood is None else max(floor, flood.lower)
    proved = lowest >= float(level) - rounding
    ended = limits.over or (Ended.FINISHED if flood is None else flood.ended)
    return Barrier(
        problem=loss,
        path=np.array(points),
        losses=losses,
        level=float(level),
        level_exact=level,
        lower=min(lowest, float(level)),
        exact=proved,
        reason=_reason(proved, flood, ended),
        straight=straight.level,
        n_vertices=0 if flood is None else len(flood.search.losses),
        ended=Ended.FINISHED if proved else ended,
        elapsed=limits.elapsed,
    )


def _reason(proved: bool, flood: Flood | None, ended: Ended) -> str:
    """Why the level is that of the lowest pass, or may not be."""
    if proved:
        return "no path between them stays lower"
    if ended is not Ended.FINISHED:
        return f"the search {ended.message}"
    if flood is None:
        return "no flood was asked for"
    return "floats leave open whether the flood has seen all that lies below the path"


def _level(exact: ExactLoss, path: SegmentPath, rounding: float) -> Fraction:
    """The exact level of a path of segments."""
    segments = list(pairwise(path.points))
    doubt = [noise(path.loss, *segment) for segment in segments]
    least = path.level - max(rounding, *doubt)
    return max(
        highest_exactly(exact, *segment)
        for segment, top, noisy in zip(segments, path.tops, doubt, strict=True)
        if top.level + noisy >= least
    )


def _loss_at(exact: ExactLoss, point: Floats) -> Fraction:
    theta = Rationals.of(point.ravel())
    return exact.loss_at(theta, exact.signs(theta))


def _across(flood: Flood, walks: list[Trajectory], ends: tuple[Floats, Floats]) -> list[Floats]:
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


def _level_across(flood: Flood) -> Fraction:
    """The exact level of the vertices the path leads over."""
    search, levels = flood.search, []
    top = max(search.losses[k] for k in flood.path)
    for k in flood.path:
        if search.losses[k] >= top - GRAPHS.rounding * search.exact.terms(search.vertices[k]):
            found = search.exact.level(k, search.vertices[k], search.active[k])
            levels.append(Fraction(search.losses[k]) if found is None else found)
    return max(levels)


__all__ = ["barrier"]
