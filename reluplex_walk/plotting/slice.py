"""An exact slice of the loss, and a walk on it or projected to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .._validate import integer, real_array
from ..tolerances import PLOTTING
from ._axes import ON_SURFACE, VERMILION, new_axes
from ._surface import draw_edges, draw_surface

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from ..regions.plane import HasVertices, Slice


def plot_slice(
    cut: Slice,
    traj: HasVertices | ArrayLike | None = None,
    ax: Axes | None = None,
    levels: int = 12,
    edges: bool = True,
    title: str | None = None,
) -> Axes:
    """The loss over the plane: exact level lines with colours between them, and polygons.

    Parameters
    ----------
    cut : Slice
        As from :func:`reluplex_walk.slice`.
    traj : Trajectory or array_like (K, h, q), optional
        A walk to draw, or points of parameter space: those on the plane as filled markers,
        others projected to it as open ones.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    levels : int, default 12
        Number of level lines, at equal steps of the rank among the losses at corners.
    edges : bool, default True
        Whether to draw the edges of the polygons; the more there are, the fainter they are.
    title : str, optional
        Above the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        If `levels` or `traj` does not fit.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> cut = rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], extent=3.0)
    >>> ax = plotting.plot_slice(cut, rw.walk(loss), ax=Figure().subplots(), levels=6)
    >>> ax.get_xlabel(), ax.get_ylabel(), ax.get_xlim() == cut.extent[:2]
    ('s', 't', True)
    """
    integer("levels", levels, 1)
    ax = new_axes(ax, title)
    draw_surface(ax, cut.triangulation(), cut.losses, levels, "loss")
    if edges:
        draw_edges(ax, cut)
    if traj is not None:
        points: Any = getattr(traj, "vertices", traj)
        vertices = real_array("traj", points, 3, "of shape (K, h, q)")
        at, distance = cut.project(vertices)
        size = np.linalg.norm(vertices, axis=(1, 2)) + np.linalg.norm(cut.origin)
        on = distance <= PLOTTING.on_plane * size
        ax.plot(at[:, 0], at[:, 1], color=VERMILION, lw=1.0)
        ax.plot(*at[~on].T, "o", color=VERMILION, mfc="white", ms=5, label="projected")
        ax.plot(*at[on].T, "o", color=VERMILION, mec="white", ms=6, label="on the plane")
        ax.legend(**ON_SURFACE)
    ax.set(xlim=cut.extent[:2], ylim=cut.extent[2:], xlabel="s", ylabel="t")
    return ax
