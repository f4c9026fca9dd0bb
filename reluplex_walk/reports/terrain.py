"""The loss in the plane of a walk, for the page to draw: polygons, and the affine loss on each.

The page computes from them the colour of every point, level lines, edges and the terrain, anew for
each window that is looked at; so they are sharp at any zoom.  Points of the plane are shares of the
window, from 0 to 1 in both directions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ended import Ended
from ..plotting._cut import Frame, around, exact_cut, frame_of, grid_of, losses_at, three
from ..regions.line import line_section
from ..regions.plane import Slice
from ..simplex.trajectory import Trajectory
from .thinned import evenly

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST = 90_000  # polygons: 3 MB in the file, and three seconds to find
_FINE = 100_000  # corners that travel as float32; more as shares of 1 / 65535
_PARTS = (0.3, 0.1, 0.03, 0.01)  # of the window, for an exact part of one that is sampled
_MOST_NEAR = 30_000
_GRID = 100  # points in each direction where there are more polygons
_STEPS = 900  # points of the walk on the terrain, and as many again between them


def terrain(traj: Trajectory, entries: Ints) -> tuple[dict[str, Any] | None, list[str]]:
    """The plane cut as data with the `entries` (F,) that are played, and what it is, in words.

    Without a plane None, and why.
    """
    frame = frame_of(traj)
    if frame is None:
        return None, [
            "There is no plane to show: the first, the middle and the last vertex of this walk "
            f"lie on one line{', as there are fewer than three' if traj.n_pivots < 2 else ''}."
        ]
    cut, why = exact_cut(traj, frame, _MOST)
    shapes, words = _exact(cut) if cut is not None else _sampled(traj, frame, why)
    walk = _shares(frame, (traj.vertices[entries].reshape(len(entries), -1)))
    data = {
        **shapes,
        "extent": [float(x) for x in frame.extent],
        "walk": walk.astype(np.float32),
        "beneath": losses_at(traj, frame, walk * (frame.high - frame.low) + frame.low).astype(
            np.float32
        ),
        "path": _path(traj, frame),
        "marks": _shares(frame, traj.vertices[list(three(traj))].reshape(3, -1)),
    }
    return data, [*words, _PROJECTED]


_PROJECTED = (
    "The plane holds the first, the middle and the last vertex (square, triangle, circle). All "
    "others are projected to it, so that the loss beneath them is not their own, which the slider "
    "shows. Coordinates are distances in parameter space. There is as much of each colour in the "
    "window that is looked at: level lines are not at equal steps of the loss."
)


def _exact(cut: Slice) -> tuple[dict[str, Any], list[str]]:
    s0, s1, t0, t1 = cut.extent
    low, size = np.array([s0, t0]), np.array([s1 - s0, t1 - t0])
    counts = np.diff(cut.ends, prepend=0)
    words = [
        f"The loss in this plane is exact: {len(cut):,} polygons, on each of which it is affine. "
        "No grid, no sampling; zoom in, and it stays sharp."
    ]
    if cut.ended is not Ended.FINISHED:
        words.append("The search for polygons was interrupted: where some are missing, it is bare.")
    corners = (cut.corners - low) / size
    return _shapes(corners, counts, cut.gradients, cut.offsets, low, size), words


def _sampled(traj: Trajectory, frame: Frame, why: str) -> tuple[dict[str, Any], list[str]]:
    at, losses = grid_of(traj, frame, _GRID)
    k = np.arange(_GRID * _GRID).reshape(_GRID, _GRID)
    a, b, c, d = k[:-1, :-1].ravel(), k[:-1, 1:].ravel(), k[1:, 1:].ravel(), k[1:, :-1].ravel()
    triangles = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    first, second, third = (at[triangles[:, j]] for j in range(3))
    edges = np.stack([second - first, third - first], axis=1)  # (P, 2, 2)
    rises = losses[triangles[:, 1:]] - losses[triangles[:, :1]]
    gradients = np.linalg.solve(edges, rises[..., None])[..., 0]
    offsets = losses[triangles[:, 0]] - (gradients * first).sum(axis=1)
    size = frame.high - frame.low
    corners = (at[triangles].reshape(-1, 2) - frame.low) / size
    counts = np.full(len(triangles), 3)
    shapes = _shapes(corners, counts, gradients, offsets, frame.low, size)
    words = [
        f"The loss in this plane is sampled at {_GRID} x {_GRID} points and interpolated between "
        f"them: an exact cut cannot be shown, as {why}."
    ]
    found: dict[str, Any] = {**shapes, "sampled": True}
    near = _near(traj, frame)
    if near is not None:
        found["near"] = near
        words.append(
            f"Around the last vertex, in the frame, it is exact: {len(near['counts']):,} polygons."
        )
    return found, words


def _near(traj: Trajectory, frame: Frame) -> dict[str, Any] | None:
    """An exact cut of a part of the window, around the last vertex, as large as can be shown."""
    if traj.problem.penalty:
        return None
    for share in _PARTS:
        part = around(frame, share)
        cut, _ = exact_cut(traj, part, _MOST_NEAR)
        if cut is not None:
            shapes, _ = _exact(cut)
            within = np.column_stack([part.low, part.high]) - frame.low[:, None]
            within /= (frame.high - frame.low)[:, None]
            return {**shapes, "extent": list(part.extent), "within": within.ravel().tolist()}
    return None


def _shapes(
    corners: Floats,
    counts: Ints,
    gradients: Floats,
    offsets: Floats,
    low: Floats,
    size: Floats,
) -> dict[str, Any]:
    """Polygons by their corners (C, 2), shares of the window, and their numbers of corners (P,)."""
    pieces = np.column_stack([gradients * size, gradients @ low + offsets])
    fine = len(corners) <= _FINE
    kind: Any = np.float32 if fine else np.uint16
    whole = np.clip(corners, 0.0, 1.0)
    return {
        "corners": (whole if fine else (whole * 65535).round()).astype(kind).ravel(),
        "counts": counts,
        "pieces": pieces.astype(np.float32).ravel(),
        "sampled": False,
    }


def _shares(frame: Frame, theta: Floats) -> Floats:
    """Points (k, D) projected to the plane, as shares of the window (k, 2)."""
    at = (theta - frame.origin) @ frame.axes.T
    return np.asarray((at - frame.low) / (frame.high - frame.low))


def _path(traj: Trajectory, frame: Frame) -> Floats:
    """The walk projected to the plane, with further points on long edges: (k, 3), the loss last."""
    size = frame.high - frame.low
    walk = (frame.walk - frame.low) / size
    walk = walk[evenly(len(walk), _STEPS)]
    lengths = np.linalg.norm(np.diff(walk, axis=0), axis=1)
    pieces = np.maximum(1, np.ceil(lengths / max(float(lengths.sum()), 1e-300) * _STEPS)).astype(
        int
    )
    starts = np.repeat(np.arange(len(pieces)), pieces)
    first = np.cumsum(pieces) - pieces
    share = (np.arange(pieces.sum()) - first[starts]) / pieces[starts]
    points = walk[starts] + share[:, None] * (walk[starts + 1] - walk[starts])
    points = np.vstack([points, walk[-1:]])
    return np.column_stack([points, losses_at(traj, frame, points * size + frame.low)]).astype(
        np.float32
    )


def along_line(traj: Trajectory, entries: Ints) -> tuple[dict[str, Any] | None, str]:
    """The loss along the line from the first vertex to the last; None and why without one."""
    first, _, last = three(traj)
    if first == last:  # the walk did not come to a vertex: the line from its start
        first = 0
    origin = traj.vertices[first]
    direction = traj.vertices[last] - origin
    length = float(np.linalg.norm(direction))
    if length == 0.0:
        return None, "The walk has one vertex alone: there is no line to show either."
    if traj.problem.penalty:
        return None, "Lines are not cut exactly where the loss has a penalty."
    u = direction / length
    room = 0.25 * length
    section = line_section(traj.problem, origin, u, (-room, length + room))
    at = ((traj.vertices[entries] - origin) * u).sum(axis=(1, 2))
    data = {
        "positions": section.positions,
        "losses": section.losses.astype(np.float32),
        "at": at,
    }
    return data, (
        "Instead: the loss along the line from the first vertex to the last, exactly; it is affine "
        f"between {len(section.positions):,} positions. Distances are those in parameter space."
    )


__all__ = ["along_line", "terrain"]
