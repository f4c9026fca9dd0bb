"""Figures along the pivots of walks: loss, gap to the end, descending half-edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..tolerances import PLOTTING
from ._axes import BLUE, GREEN, GREY, SKY_BLUE, VERMILION, new_axes
from ._several import FEW, Walks, draw_lines, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..simplex.level import LevelEstimate
    from ..simplex.trajectory import Trajectory

Floats = NDArray[np.float64]


def plot_loss(
    traj: Walks,
    ax: Axes | None = None,
    levels: LevelEstimate | None = None,
    log: bool = False,
    xlabel: str = "pivot",
    ylabel: str = "loss",
    title: str | None = None,
) -> Axes:
    """The loss against the pivot number; the steps before the first vertex are shaded.

    Of several walks up to six have a line and a name each; more are faint lines with the median
    of the losses at each pivot, for which a walk that ended stays at its end.

    Parameters
    ----------
    traj : Trajectory, or iterable or mapping of str to Trajectory
        Walks without names are called by their seeds.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    levels : optional
        What was expected at each entry as the loss at the end, drawn with its band: an object
        with arrays ``level``, ``low`` and ``high`` (K,).  Of one walk only.
    log : bool, default False
        Whether the loss has a logarithmic axis.
    xlabel, ylabel : str
    title : str, optional
        Above the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If `levels` does not hold one for each entry, or there is not one walk that it is of.
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
    >>> walks = [rw.walk(traj.problem, seed=seed) for seed in range(2)]
    >>> ax = plotting.plot_loss(walks, ax=Figure().subplots())
    >>> [line.get_label() for line in ax.lines]
    ['seed 0: 0.9351', 'seed 1: 0.9351']
    """
    walks = named(traj)
    if len(walks) > 1 and levels is not None:
        raise ValueError(f"levels: expected none for several walks, found some for {len(walks)}")
    ax = new_axes(ax, title)
    if len(walks) == 1:
        _loss_of_one(next(iter(walks.values())), ax, levels)
    else:
        few = len(walks) <= FEW
        names = {name: f"{name}: {each.loss:.4g}" if few else name for name, each in walks.items()}
        draw_lines(ax, {names[name]: each.losses for name, each in walks.items()})
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if log:
        ax.set_yscale("log")
    _whole_numbers(ax)
    ax.legend(frameon=False)
    return ax


def _loss_of_one(traj: Trajectory, ax: Axes, levels: LevelEstimate | None) -> None:
    entries = np.arange(len(traj.losses))
    if levels is not None and np.shape(levels.level) != entries.shape:
        raise ValueError(
            f"levels: expected one for each of {entries.size} entries, "
            f"found shape {np.shape(levels.level)}"
        )
    _shade_phase1(traj, ax, "before the first vertex")
    ax.plot(traj.losses, color=BLUE, lw=1.5)
    ax.plot(entries[-1], traj.loss, "o", color=VERMILION, label=f"end: {traj.loss:.4g}")
    if levels is not None:
        ax.plot(entries, levels.level, "--", color=GREEN, lw=1.2, label="level expected")
        ax.set_ylim(ax.get_ylim())  # the interval may be far wider
        ax.fill_between(
            entries, levels.low, levels.high, color=GREEN, alpha=0.25, lw=0, label="its interval"
        )


def plot_gap(
    traj: Walks,
    ax: Axes | None = None,
    xlabel: str = "pivot",
    ylabel: str = "loss above the end",
    title: str | None = None,
) -> Axes:
    """The gap between the loss and its end on a logarithmic axis, with an exponential fit.

    Of several walks each is drawn above its own end, as :func:`plot_loss` draws them, without fits.

    The fit is the least-squares line through the logarithms from the first vertex on; exponential
    decay over the visited vertices (Hinz, arXiv 2105.02831) would follow it all the way.

    Parameters
    ----------
    traj : Trajectory, or iterable or mapping of str to Trajectory
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
    ax, walks = new_axes(ax, title), named(traj)
    if len(walks) == 1:
        _gap_of_one(next(iter(walks.values())), ax)
    else:
        draw_lines(ax, {name: _gap(each) for name, each in walks.items()})
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_yscale("log")
    _whole_numbers(ax)
    ax.legend(frameon=False)
    return ax


def _gap(traj: Trajectory) -> Floats:
    """The loss above the end (K,), 0 where the difference is rounding."""
    gap = traj.losses - traj.losses[-1]
    return np.where(gap > PLOTTING.same * abs(traj.losses[-1]), gap, 0.0)


def _gap_of_one(traj: Trajectory, ax: Axes) -> None:
    gap = _gap(traj)
    entries = np.flatnonzero(gap)
    _shade_phase1(traj, ax)
    ax.plot(entries, gap[entries], color=BLUE, lw=1.5, label="gap")
    fitted = entries[entries >= traj.phase1]
    if fitted.size >= 2:
        rate, offset = np.polyfit(fitted, np.log(gap[fitted]), 1)
        label = f"fit: halved every {-np.log(2.0) / rate:.3g} pivots"
        ax.plot(fitted, np.exp(offset + rate * fitted), "--", color=VERMILION, label=label)


def plot_descending(
    traj: Walks,
    ax: Axes | None = None,
    xlabel: str = "pivot",
    ylabel: str = "descending half-edges",
    title: str | None = None,
) -> Axes:
    """The number of descending half-edges at each vertex, and twice its active breakpoints.

    0 is a local minimum; 2 r, twice the number of active breakpoints, is all there are at a
    vertex.  Before the first vertex also the directions that are still free may descend.  Of
    several walks the descending ones alone, as :func:`plot_loss` draws them.

    Parameters
    ----------
    traj : Trajectory, or iterable or mapping of str to Trajectory
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
    ax, walks = new_axes(ax, title), named(traj)
    if len(walks) == 1:
        (one,) = walks.values()
        _shade_phase1(one, ax)
        ax.plot(2 * one.ranks, "--", color=GREY, lw=1.2, label="all, 2 r")
        ax.plot(one.descending, color=BLUE, lw=1.0, label="descending")
        top = 2.5 * max(1, one.ranks.max())
    else:
        draw_lines(ax, {name: each.descending.astype(float) for name, each in walks.items()})
        top = 1.3 * max(1, *(each.descending.max() for each in walks.values()))
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, top))
    _whole_numbers(ax)
    ax.legend(frameon=False, loc="upper center", ncols=2)  # above the lines
    return ax


def _shade_phase1(traj: Trajectory, ax: Axes, label: str | None = None) -> None:
    if traj.phase1:
        ax.axvspan(0, traj.phase1, color=SKY_BLUE, alpha=0.25, lw=0, label=label)


def _whole_numbers(ax: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
