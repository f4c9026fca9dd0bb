"""The plane of three vertices of a walk: its axes, the walk projected to it, the loss in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..ended import Ended
from ..regions.plane import PolygonLimitError, Slice, slice
from ..tolerances import PLOTTING

if TYPE_CHECKING:
    from ..simplex.trajectory import Trajectory

Floats = NDArray[np.float64]

_PATIENCE = 5.0  # seconds: planes that are 100 times as long as high may take minutes
_MARGIN = 0.1  # beyond the walk, as a share of its extent


class Frame(NamedTuple):
    """A window of the plane of the first, middle and last vertex; lengths are those of parameters.

    `walk` (k, 2) are the vertices from the first one on, projected orthogonally.
    """

    origin: Floats  # (D,), the first vertex
    axes: Floats  # (2, D), orthonormal
    walk: Floats
    low: Floats  # (2,)
    high: Floats  # (2,)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """As :func:`.slice` takes it."""
        return self.low[0], self.high[0], self.low[1], self.high[1]


def frame_of(traj: Trajectory) -> Frame | None:
    """The plane of a walk, None if its three vertices lie on a line."""
    axes = plane_of(traj)
    if axes is None:
        return None
    origin = traj.vertices[traj.phase1].ravel()
    walk = (traj.vertices[traj.phase1 :].reshape(-1, traj.problem.dim) - origin) @ axes.T
    low, high = walk.min(axis=0), walk.max(axis=0)
    margin = _MARGIN * (high - low)
    return Frame(origin, axes, walk, low - margin, high + margin)


def plane_of(traj: Trajectory) -> Floats | None:
    """Orthonormal axes (2, D) of the plane of three vertices, None if they lie on a line."""
    first, middle, last = (traj.vertices[k].ravel() for k in three(traj))
    vectors = np.column_stack([last - first, middle - first])
    axes, triangle = np.linalg.qr(vectors)
    if abs(triangle[1, 1]) <= PLOTTING.flat * np.abs(vectors).max() or triangle[0, 0] == 0.0:
        return None
    return (axes * np.sign(np.diag(triangle))).T


def three(traj: Trajectory) -> tuple[int, int, int]:
    """The first vertex, the one halfway in pivots, and the last."""
    return traj.phase1, (traj.phase1 + traj.n_pivots) // 2, traj.n_pivots


def around(frame: Frame, share: float) -> Frame:
    """The window, or what of it is left, of that `share` of its extent around the last vertex."""
    half = share * (frame.high - frame.low) / 2.0
    low = np.maximum(frame.low, frame.walk[-1] - half)
    high = np.minimum(frame.high, frame.walk[-1] + half)
    return frame._replace(low=low, high=high)


def exact_cut(traj: Trajectory, frame: Frame, most: int) -> tuple[Slice | None, str]:
    """The slice in the window of `frame`; None, and why in words, where it cannot be had."""
    if traj.problem.penalty:
        return None, "the loss has a penalty, which slices know nothing of"
    try:
        u, v = frame.axes
        cut = slice(
            traj.problem, frame.origin, u, v, frame.extent, max_polygons=most, time_limit=_PATIENCE
        )
    except PolygonLimitError:
        return None, f"breakpoints cut this window into more than {most:,} polygons"
    except ArithmeticError:
        return None, "doubles do not tell the polygons of this window apart"
    if cut.ended is Ended.TIME_LIMIT:
        return None, f"to cut this window takes more than {_PATIENCE:g} s"
    return cut, ""


def grid_of(traj: Trajectory, frame: Frame, n: int) -> tuple[Floats, Floats]:
    """Points (n n, 2) of a grid over the window, row by row from below, and the loss at each."""
    grid = np.meshgrid(*np.linspace(frame.low, frame.high, n).T)
    at = np.stack(grid, axis=-1).reshape(-1, 2)
    return at, losses_at(traj, frame, at)


def losses_at(traj: Trajectory, frame: Frame, at: Floats) -> Floats:
    """The loss at the points `at` (m, 2) of the plane, (m,)."""
    value, shape = traj.problem.value, traj.problem.shape
    return np.array([value((frame.origin + p @ frame.axes).reshape(shape)) for p in at])
