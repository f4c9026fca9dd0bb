"""A figure of a whole walk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._axes import new_figure
from ._cut import plane_of
from .fit import plot_fit
from .losses import plot_descending, plot_gap, plot_loss
from .plane import plot_plane
from .residuals import plot_residuals

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

    With one input the fit is a curve over the data.  With several it is the predictions against the
    targets, and there is a row more: the residuals, and the walk in the plane of three of its
    vertices, if they span one.  Of several outputs the first is drawn.  The loss has a logarithmic
    axis where it falls more than twentyfold, but not to 0.

    Parameters
    ----------
    traj : Trajectory
    title : str, optional
    figure : matplotlib Figure, optional
        An empty figure to draw on; default: a new one, 8 inches wide, and 6 high or with several
        inputs 9.
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
    several = traj.network.widths[0] > 1
    canvas = figure or new_figure(*size_of(traj))
    panels = canvas.subplots(3 if several else 2, 2)
    levels = traj.levels("record") if levels is None else levels
    plot_loss(traj, panels[0, 0], levels=levels, log=bool(0 < 20 * traj.loss < traj.losses[0]))
    plot_gap(traj, panels[1, 0])
    plot_descending(traj, panels[1, 1])
    if several:
        plot_fit(traj, panels[0, 1], xlabel=f"{ylabel}, observed", ylabel=f"{ylabel}, predicted")
        plot_residuals(traj, panels[2, 0], xlabel=f"{ylabel}, predicted")
        if plane_of(traj) is not None:
            plot_plane(traj, panels[2, 1])
        else:
            panels[2, 1].remove()
    else:
        plot_fit(traj, panels[0, 1], xlabel=xlabel, ylabel=ylabel)
    if title is not None:
        canvas.suptitle(title)
    return canvas


def size_of(traj: Trajectory) -> tuple[float, float]:
    """Inches of a figure in which the panels of :func:`overview` are easy to read."""
    return 8.0, 9.0 if traj.network.widths[0] > 1 else 6.0
