"""A figure of a whole walk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._axes import new_figure
from ._cut import plane_of
from .fit import one_dimensional, plot_fit
from .losses import plot_descending, plot_gap, plot_loss
from .plane import plot_plane

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..simplex.level import LevelEstimate
    from ..simplex.trajectory import Trajectory


def overview(
    traj: Trajectory,
    title: str | None = None,
    figure: Figure | None = None,
    xlabel: str = "x",
    ylabel: str = "y",
    levels: LevelEstimate | None = None,
) -> Figure:
    """A figure of a whole walk: loss, gap to the end, descending half-edges, and what was fitted.

    The last panel is the fit over the data where they have one input, else the walk in the plane
    of three of its vertices, if they span one.  The loss has a logarithmic axis where it falls
    more than twentyfold, but not to 0.

    Parameters
    ----------
    traj : Trajectory
    title : str, optional
    figure : matplotlib Figure, optional
        An empty figure to draw on; default: a new one, 8 by 6 inches.
    xlabel, ylabel : str
        Names of the input and of the target.
    levels : optional
        Estimates of the level at each entry, see :func:`plot_loss`; default: those of the losses
        and active sets alone, ``traj.levels("record")``.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0]))
    >>> figure = plotting.overview(traj, ylabel="head", figure=Figure(figsize=(8.0, 6.0)))
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['loss', 'head', 'loss above the end', 'descending half-edges']
    """
    canvas = figure or new_figure(8.0, 6.0)
    (top, last), (middle, bottom) = canvas.subplots(2, 2)
    levels = traj.levels("record") if levels is None else levels
    plot_loss(traj, top, levels=levels, log=bool(0 < 20 * traj.loss < traj.losses[0]))
    plot_gap(traj, middle)
    plot_descending(traj, bottom)
    if one_dimensional(traj):
        plot_fit(traj, last, xlabel=xlabel, ylabel=ylabel)
    elif plane_of(traj) is not None:
        plot_plane(traj, last)
    else:
        last.remove()
    if title is not None:
        canvas.suptitle(title)
    return canvas
