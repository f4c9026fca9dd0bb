"""Figures along the pivots of a walk: loss, gap to the end, descending half-edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..tolerances import PLOTTING
from ._axes import BLUE, GREEN, GREY, SKY_BLUE, VERMILION, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..simplex.level import LevelEstimate
    from ..simplex.trajectory import Trajectory


def plot_loss(
    traj: Trajectory,
    ax: Axes | None = None,
    levels: LevelEstimate | None = None,
    log: bool = False,
    xlabel: str = "pivot",
    ylabel: str = "loss",
) -> Axes:
    """The loss against the pivot number; the steps before the first vertex are shaded.

    Parameters
    ----------
    traj : Trajectory
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    levels : optional
        What was expected at each entry as the loss at the end, drawn with its band: an object
        with arrays ``level``, ``low`` and ``high`` (K,).
    log : bool, default False
        Whether the loss has a logarithmic axis.
    xlabel, ylabel : str

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If `levels` does not hold one for each entry.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0]))
    >>> ax = plotting.plot_loss(traj, ax=Figure().subplots(), levels=traj.levels())
    >>> ax.get_xlabel(), [text.get_text() for text in ax.get_legend().texts]  # phase 1 is shaded
    ('pivot', ['before the first vertex', 'end: 0.9351', 'level expected', 'its interval'])
    """
    entries = np.arange(len(traj.losses))
    if levels is not None and np.shape(levels.level) != entries.shape:
        raise ValueError(
            f"levels: expected one for each of {entries.size} entries, "
            f"found shape {np.shape(levels.level)}"
        )
    ax = new_axes(ax)
    _shade_phase1(traj, ax, "before the first vertex")
    ax.plot(traj.losses, color=BLUE, lw=1.5)
    ax.plot(entries[-1], traj.loss, "o", color=VERMILION, label=f"end: {traj.loss:.4g}")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if log:
        ax.set_yscale("log")
    if levels is not None:
        ax.plot(entries, levels.level, color=GREEN, lw=1.2, label="level expected")
        ax.set_ylim(ax.get_ylim())  # the interval may be far wider
        ax.fill_between(
            entries, levels.low, levels.high, color=GREEN, alpha=0.25, lw=0, label="its interval"
        )
    _whole_numbers(ax)
    ax.legend(frameon=False)
    return ax


def plot_gap(
    traj: Trajectory,
    ax: Axes | None = None,
    xlabel: str = "pivot",
    ylabel: str = "loss above the end",
) -> Axes:
    """The gap between the loss and its end on a logarithmic axis, with an exponential fit.

    The fit is the least-squares line through the logarithms from the first vertex on; exponential
    decay over the visited vertices (Hinz, arXiv 2105.02831) would follow it all the way.

    Parameters
    ----------
    traj : Trajectory
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    xlabel, ylabel : str

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> ax = plotting.plot_gap(rw.walk(loss, max_pivots=60), ax=Figure().subplots())
    >>> [line.get_label() for line in ax.lines]
    ['gap', 'fit: halved every 9.23 pivots']
    """
    ax = new_axes(ax)
    gap = traj.losses - traj.losses[-1]
    entries = np.flatnonzero(gap > PLOTTING.same * abs(traj.losses[-1]))  # else it is rounding
    _shade_phase1(traj, ax)
    ax.plot(entries, gap[entries], color=BLUE, lw=1.5, label="gap")
    fitted = entries[entries >= traj.phase1]
    if fitted.size >= 2:
        rate, offset = np.polyfit(fitted, np.log(gap[fitted]), 1)
        label = f"fit: halved every {-np.log(2.0) / rate:.3g} pivots"
        ax.plot(fitted, np.exp(offset + rate * fitted), "--", color=VERMILION, label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_yscale("log")
    _whole_numbers(ax)
    ax.legend(frameon=False)
    return ax


def plot_descending(
    traj: Trajectory,
    ax: Axes | None = None,
    xlabel: str = "pivot",
    ylabel: str = "descending half-edges",
) -> Axes:
    """The number of descending half-edges at each vertex, and twice its active breakpoints.

    0 is a local minimum; 2 r, twice the number of active breakpoints, is all there are at a
    vertex.  Before the first vertex also the directions that are still free may descend.

    Parameters
    ----------
    traj : Trajectory
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    xlabel, ylabel : str

    Returns
    -------
    matplotlib Axes

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
    >>> ax = plotting.plot_descending(traj, ax=Figure().subplots())
    >>> int(ax.lines[-1].get_ydata()[-1])  # none at the end
    0
    """
    ax = new_axes(ax)
    _shade_phase1(traj, ax)
    ax.plot(2 * traj.ranks, color=GREY, lw=1.2, label="all, 2 r")
    ax.plot(traj.descending, color=BLUE, lw=1.0, label="descending")
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, 2.5 * max(1, traj.ranks.max())))
    _whole_numbers(ax)
    ax.legend(frameon=False, loc="upper center", ncols=2)  # above the lines
    return ax


def _shade_phase1(traj: Trajectory, ax: Axes, label: str | None = None) -> None:
    if traj.phase1:
        ax.axvspan(0, traj.phase1, color=SKY_BLUE, alpha=0.25, lw=0, label=label)


def _whole_numbers(ax: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
