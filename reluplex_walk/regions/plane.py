"""Exact sections of the loss by a plane: where it bends there, without any grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._limits import Limits
from .._logs import logged
from .._shown import repr_html
from .._validate import instance, integer, positive, real_array
from ..ended import Ended
from ..problem.loss import LayerLoss
from ..problem.penalty import refuse
from ..tolerances import REGIONS
from .subdivision import Chunk
from .window import nothing, regions_of, window_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.tri import Triangulation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class HasVertices(Protocol):
    """A walk, or anything else that leads through points (K, h, q) of parameter space."""

    @property
    def vertices(self) -> Floats: ...


@dataclass(frozen=True, eq=False)
class Slice:
    """The loss on a window of the plane ``theta = origin + s u + t v``, piece by piece.

    P is the number of polygons: the regions of the plane on which no breakpoint changes sign.

    Attributes
    ----------
    problem : LayerLoss
    origin, u, v : ndarray (h, q)
    extent : tuple
        Window (s_min, s_max, t_min, t_max).
    corners : ndarray (C, 2)
        Corners (s, t) of all polygons, counter-clockwise, one polygon after the other.
    ends : ndarray (P,)
        Where the corners of each polygon end; :meth:`polygon` cuts them out.
    gradients, offsets : ndarray (P, 2), (P,)
        The affine pieces ``F = gradient . (s, t) + offset``.
    patterns : ndarray (P, bytes) of uint8
        As in :class:`Regions`.
    ended : Ended
        FINISHED: the polygons cover the window.  INTERRUPTED or TIME_LIMIT: some may be missing.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> cut = rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], extent=3.0)
    >>> len(cut), round(float(cut.areas.sum()), 9), round(float(cut.losses.min()), 9)
    (7, 36.0, 1.0)
    >>> len(cut.owner) == len(cut.corners) == sum(len(cut.polygon(k)) for k in range(7))
    True
    """

    problem: LayerLoss
    origin: Floats
    u: Floats
    v: Floats
    extent: tuple[float, float, float, float]
    corners: Floats
    ends: Ints
    gradients: Floats
    offsets: Floats
    patterns: NDArray[np.uint8]
    ended: Ended

    def __len__(self) -> int:
        return len(self.ends)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        return f"Slice({len(self)} polygons, extent={self.extent})"

    def polygon(self, index: int) -> Floats:
        """Corners (k, 2) of polygon `index`, counter-clockwise.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0]], [0.0])
        >>> rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]).polygon(0).tolist()
        [[-1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [-1.0, 1.0]]
        """
        start = self.ends[index - 1] if index else 0
        return self.corners[start : self.ends[index]]

    @cached_property
    def owner(self) -> Ints:
        """Polygon of each corner, (C,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.ends, prepend=0))

    @cached_property
    def losses(self) -> Floats:
        """The loss at each corner, (C,), by its polygon's piece."""
        pieces = self.gradients[self.owner]
        return np.asarray((pieces * self.corners).sum(axis=1) + self.offsets[self.owner])

    @cached_property
    def areas(self) -> Floats:
        """Area of each polygon in the coordinates (s, t), (P,)."""
        if not self.ends.size:
            return np.zeros(0)
        starts = np.concatenate([[0], self.ends[:-1]])
        base = np.repeat(self.corners[starts], np.diff(self.ends, prepend=0), axis=0)
        following = np.arange(len(self.corners)) + 1
        following[self.ends - 1] = starts
        a, b = self.corners - base, self.corners[following] - base
        crosses = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
        return np.asarray(np.add.reduceat(crosses, starts) / 2.0)

    def theta(self, s: float, t: float) -> Floats:
        """Parameters (h, q) at the point (`s`, `t`) of the plane.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0]], [0.0, 1.0])
        >>> rw.slice(loss, [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]).theta(0.5, -0.5).tolist()
        [[0.5, 0.5]]
        """
        return self.origin + s * self.u + t * self.v

    def project(self, theta: ArrayLike) -> tuple[Floats, Floats]:
        """Nearest points (..., 2) of the plane to `theta` (..., h, q), and their distances (...,).

        The distances are those in parameter space.  ValueError, TypeError if `theta` does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 1]), [[0.0, 1.0]], [0.0])
        >>> cut = rw.slice(loss, [0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
        >>> [part.round(9).tolist() for part in cut.project([[2.0, 3.0, 4.0]])]
        [[2.0, 3.0], 4.0]
        """
        h, q = self.problem.shape
        points = real_array("theta", theta, range(2, 9), f"of shape (..., {h}, {q})")
        if points.shape[-2:] != (h, q):
            raise ValueError(
                f"theta: expected an array of shape (..., {h}, {q}), found shape {points.shape}"
            )
        flat = (points - self.origin).reshape(-1, self.problem.dim)
        plane = np.stack([self.u.ravel(), self.v.ravel()])
        at = np.linalg.lstsq(plane.T, flat.T, rcond=None)[0].T
        distance = np.linalg.norm(flat - at @ plane, axis=1)
        shape = points.shape[:-2]
        return at.reshape(*shape, 2), distance.reshape(shape)

    def triangulation(self) -> Triangulation:
        """The polygons cut into fans of triangles, for matplotlib; its points are the corners.

        Linear interpolation on them is exact: the loss is affine on a polygon.  Needs the extra
        ``plot``.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0]], [0.0])
        >>> cut = rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0])  # two rectangles
        >>> len(cut.triangulation().triangles)
        4
        """
        from matplotlib.tri import Triangulation

        starts = np.concatenate([[0], self.ends[:-1]])
        inner = np.setdiff1d(np.arange(len(self.corners)), np.concatenate([starts, self.ends - 1]))
        fans = np.column_stack([starts[self.owner[inner]], inner, inner + 1])
        return Triangulation(self.corners[:, 0], self.corners[:, 1], fans)

    def plot(
        self,
        traj: HasVertices | ArrayLike | None = None,
        ax: Axes | None = None,
        levels: int = 12,
        edges: bool = True,
        title: str | None = None,
    ) -> Axes:
        """The loss over the plane: exact level lines with colours between them, and polygons.

        With the walk `traj` (a Trajectory, or vertices (K, h, q)) on it, on the axes `ax`, with as
        many `levels`, with `edges` of polygons or without, and a `title`: see
        :func:`reluplex_walk.plotting.plot_slice` (extra ``plot``).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0]], [0.0, 1.0])
        >>> cut = rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0])
        >>> ax = cut.plot(ax=Figure().subplots(), levels=5)
        >>> ax.get_xlabel(), ax.get_ylabel()
        ('s', 't')
        """
        from ..plotting import plot_slice

        return plot_slice(self, traj, ax, levels, edges, title)


class PolygonLimitError(ValueError):
    """A slice has more polygons than asked for at most.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> try:
    ...     rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], extent=3.0, max_polygons=5)
    ... except ValueError as error:
    ...     print(error)
    max_polygons: more than 5 polygons; take more, or a smaller extent
    """


@logged("slice")
def slice(
    loss: LayerLoss,
    origin: ArrayLike,
    u: ArrayLike,
    v: ArrayLike,
    extent: Any = 1.0,
    max_polygons: int | None = None,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> Slice:
    """Cut `loss` by the plane through `origin` spanned by `u` and `v`.

    The convex polygons into which the breakpoints cut the plane, with the affine loss on each:
    no grid, no sampling.  The polygons come from the double description method, see
    :func:`enumerate_regions`.

    Parameters
    ----------
    loss : LayerLoss
    origin, u, v : array_like (h, q) or (D,)
        The plane ``theta = origin + s u + t v``.
    extent : float or tuple, default 1.0
        Window (s_min, s_max, t_min, t_max); a number e > 0 means (-e, e, -e, e).
    max_polygons : int, optional
        Give up where there are more.
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called from time to time with the number of polygons so far; StopIteration or
        KeyboardInterrupt raised in it ends the work as Ctrl-C does.

    Returns
    -------
    Slice
        Its polygons cover the window; after Ctrl-C or at the time limit those found so far.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit: parallel directions, an empty window.
    PolygonLimitError
        (a ValueError) If there are more than `max_polygons`.
    ArithmeticError
        If the polygons found do not cover the window: no slice is returned that is not exact.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> cut = rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], extent=3.0)
    >>> len(cut), round(float(cut.areas.sum()), 9)
    (7, 36.0)
    """
    instance("loss", loss, LayerLoss)
    refuse(loss.penalty, "slices")
    point = loss.parameters(origin, "origin")
    a, b = loss.parameters(u, "u"), loss.parameters(v, "v")
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    flat = np.stack([a.ravel(), b.ravel()])
    area = np.sqrt(max(0.0, np.linalg.det(flat @ flat.T)))
    if lengths == 0.0 or area <= REGIONS.parallel * lengths:
        raise ValueError("u, v: expected two directions that span a plane, found parallel ones")
    window = window_of(extent, 2)
    if max_polygons is not None:
        integer("max_polygons", max_polygons, 1)
    chunks: list[Chunk] = []
    most = None if max_polygons is None else max_polygons + 1
    with Limits.asked(time_limit, callback, most) as limits:
        ended, found = None, 0
        for chunk in regions_of(loss, point, [a, b], window, limits):
            chunks.append(chunk)
            found += len(chunk.point)
            ended = limits.look(found, found)
            if ended is not None:
                break
        ended = ended or limits.over
    if ended is Ended.WORK_LIMIT:
        raise PolygonLimitError(
            f"max_polygons: more than {max_polygons} polygons; take more, or a smaller extent"
        )
    chunks = chunks or [nothing(loss, 2)]
    ends = np.cumsum(np.concatenate([np.diff(c.vertex_end, prepend=0) for c in chunks]))
    corners = np.concatenate([chunk.vertex for chunk in chunks])
    owner = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    inside = np.concatenate([chunk.point for chunk in chunks])[owner]
    angles = np.arctan2(*(corners - inside).T[::-1])
    piece = np.concatenate([chunk.piece for chunk in chunks])
    cut = Slice(
        problem=loss,
        origin=point,
        u=a,
        v=b,
        extent=window,
        corners=corners[np.lexsort([angles, owner])],
        ends=ends,
        gradients=piece[:, :2],
        offsets=piece[:, 2],
        patterns=np.concatenate([chunk.pattern for chunk in chunks]),
        ended=ended or Ended.FINISHED,
    )
    size = (window[1] - window[0]) * (window[3] - window[2])
    covered = abs(cut.areas.sum() - size) <= REGIONS.covered * size
    if covered:
        return replace(cut, ended=Ended.FINISHED)
    if ended is None:
        raise ArithmeticError(
            "origin: so many breakpoints cross within rounding of one point of this plane that "
            "doubles do not tell its polygons apart; move the origin or take a larger extent"
        )
    return cut


@logged("slice_through")
def slice_through(
    loss: LayerLoss,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    theta_c: ArrayLike,
    margin: float = 0.25,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> Slice:
    """Cut `loss` by the plane through three points of parameter space.

    Parameters
    ----------
    loss : LayerLoss
    theta_a, theta_b, theta_c : array_like (h, q) or (D,)
        Not on one line.  The origin is `theta_a`, u points to `theta_b`, v is orthogonal to it;
        both have length 1, so that distances in the plane are those in parameter space.
    margin : float, default 0.25
        Room around the three points, relative to their extent.
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        As for :func:`slice`.

    Returns
    -------
    Slice
        As :func:`slice` returns it.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit: three points on one line.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> cut = rw.slice_through(loss, [0.0, 0.0], [2.0, 0.0], [0.0, 1.0], margin=0.5)
    >>> cut.extent, len(cut)
    ((-1.0, 3.0, -1.0, 2.0), 6)
    """
    instance("loss", loss, LayerLoss)
    refuse(loss.penalty, "slices")
    positive("margin", margin)
    a = loss.parameters(theta_a, "theta_a")
    b, c = loss.parameters(theta_b, "theta_b") - a, loss.parameters(theta_c, "theta_c") - a
    length = float(np.linalg.norm(b))
    u = b / length if length else b
    across = c - (c * u).sum() * u
    height = float(np.linalg.norm(across))
    if length == 0.0 or height <= REGIONS.parallel * float(np.linalg.norm(c)):
        raise ValueError("theta_a, theta_b, theta_c: expected three points that span a plane")
    s = np.array([0.0, length, (c * u).sum()])
    room = margin * max(float(np.ptp(s)), height)
    extent = (s.min() - room, s.max() + room, -room, height + room)
    return slice(loss, a, u, across / height, extent, None, time_limit, callback)


__all__ = ["PolygonLimitError", "Slice", "slice", "slice_through"]
