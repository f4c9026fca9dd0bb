"""The walk in the plane of three of its vertices, over the loss in that plane."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..regions.plane import PolygonLimitError, slice
from ..tolerances import PLOTTING
from ._axes import ON_SURFACE, VERMILION, new_axes
from ._surface import draw_surface

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.tri import Triangulation

    from ..simplex.trajectory import Trajectory

Floats = NDArray[np.float64]

_MOST = 30_000  # polygons: a second; of more there are several to a mark of the walk
_GRID = 80  # points in each direction where there are more
_LEVELS = 15


def plot_plane(
    traj: Trajectory,
    ax: Axes | None = None,
    xlabel: str = "along first to last vertex",
    ylabel: str = "towards the middle vertex",
    title: str | None = None,
) -> Axes:
    """The loss in the plane of the first, middle and last vertex, and the walk projected to it.

    The plane holds those three vertices, drawn as full marks; all others are projected
    orthogonally, and their loss is not that of the plane beneath them.  Coordinates are distances
    in parameter space.  The loss in the plane is an exact :func:`.slice`, or, where that has more
    than 30,000 polygons or cannot be had in doubles, or the loss has a penalty, sampled on a grid.

    Parameters
    ----------
    traj : Trajectory
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    xlabel, ylabel : str
    title : str, optional
        Above the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If the three vertices lie on one line, as where there are fewer than three.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> ax = plotting.plot_plane(rw.walk(loss, max_pivots=60), ax=Figure().subplots())
    >>> [line.get_label() for line in ax.lines]
    ['walk, projected', 'first vertex', 'middle vertex', 'last vertex']
    """
    axes_of_plane = plane_of(traj)
    if axes_of_plane is None:
        raise ValueError("traj: expected three vertices that span a plane, found them on a line")
    ax = new_axes(ax, title)
    origin = traj.vertices[traj.phase1].ravel()
    walk = (traj.vertices[traj.phase1 :].reshape(-1, traj.problem.dim) - origin) @ axes_of_plane.T
    low, high = walk.min(axis=0), walk.max(axis=0)
    margin = 0.1 * (high - low)
    triangles, losses = _loss_in_plane(traj, origin, axes_of_plane, low - margin, high + margin)
    draw_surface(ax, triangles, losses, _LEVELS, "loss in the plane")
    ax.plot(*walk.T, ".-", color="white", lw=0.8, ms=3, label="walk, projected")
    for at, mark, name in zip(_three(traj), "s^o", ("first", "middle", "last"), strict=True):
        point = walk[at - traj.phase1]
        ax.plot(*point, mark, color=VERMILION, mec="white", ms=9, label=f"{name} vertex")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend(**ON_SURFACE)
    return ax


def _loss_in_plane(
    traj: Trajectory, origin: Floats, axes: Floats, low: Floats, high: Floats
) -> tuple[Triangulation, Floats]:
    """The loss between the corners `low` and `high` (2,) of the plane, at points of triangles."""
    extent = (low[0], high[0], low[1], high[1])
    if not traj.problem.penalty:  # which slices know nothing of
        with suppress(PolygonLimitError, ArithmeticError):
            cut = slice(traj.problem, origin, axes[0], axes[1], extent, max_polygons=_MOST)
            return cut.triangulation(), cut.losses
    from matplotlib.tri import Triangulation

    grid = np.meshgrid(*np.linspace(low, high, _GRID).T)
    at = np.stack(grid, axis=-1).reshape(-1, 2)
    losses = np.array([traj.problem(origin + point @ axes) for point in at])
    return Triangulation(*at.T), losses


def plane_of(traj: Trajectory) -> Floats | None:
    """Orthonormal axes (2, D) of the plane of three vertices, None if they lie on a line."""
    first, middle, last = (traj.vertices[k].ravel() for k in _three(traj))
    vectors = np.column_stack([last - first, middle - first])
    axes, triangle = np.linalg.qr(vectors)
    if abs(triangle[1, 1]) <= PLOTTING.flat * np.abs(vectors).max() or triangle[0, 0] == 0.0:
        return None
    return (axes * np.sign(np.diag(triangle))).T


def _three(traj: Trajectory) -> tuple[int, int, int]:
    """The first vertex, the one halfway in pivots, and the last."""
    return traj.phase1, (traj.phase1 + traj.n_pivots) // 2, traj.n_pivots
