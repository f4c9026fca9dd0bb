"""The walk in the plane of three of its vertices, over the loss in that plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ._axes import ON_SURFACE, VERMILION, new_axes
from ._cut import Frame, exact_cut, frame_of, grid_of, three
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
    than 30,000 polygons, cannot be had in doubles or takes 5 s, or the loss has a penalty, sampled
    on a grid.

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
    frame = frame_of(traj)
    if frame is None:
        raise ValueError("traj: expected three vertices that span a plane, found them on a line")
    ax = new_axes(ax, title)
    triangles, losses = _loss_in_plane(traj, frame)
    draw_surface(ax, triangles, losses, _LEVELS, "loss in the plane")
    ax.plot(*frame.walk.T, ".-", color="white", lw=0.8, ms=3, label="walk, projected")
    for at, mark, name in zip(three(traj), "s^o", ("first", "middle", "last"), strict=True):
        point = frame.walk[at - traj.phase1]
        ax.plot(*point, mark, color=VERMILION, mec="white", ms=9, label=f"{name} vertex")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend(**ON_SURFACE)
    return ax


def _loss_in_plane(traj: Trajectory, frame: Frame) -> tuple[Triangulation, Floats]:
    """The loss in the window of the plane, at points of triangles."""
    cut, _ = exact_cut(traj, frame, _MOST)
    if cut is not None:
        return cut.triangulation(), cut.losses
    from matplotlib.tri import Triangulation

    at, losses = grid_of(traj, frame, _GRID)
    return Triangulation(*at.T), losses
