"""Figures of a trajectory, with matplotlib (``pip install "reluplex_walk[plot]"``).

Every function takes the axes to draw on and returns them; without axes it makes a new figure.
matplotlib is imported when a function is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._validate import integer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .trajectory import Trajectory

# The colours of Okabe and Ito, told apart by colour-blind readers.
BLUE, VERMILION, SKY_BLUE, GREY = "#0072B2", "#D55E00", "#56B4E9", "#999999"


def plot_loss(
    traj: Trajectory,
    ax: Axes | None = None,
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
    log : bool, default False
        Whether the loss has a logarithmic axis.
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
    >>> from reluplex_walk import plotting
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0]))
    >>> plotting.plot_loss(traj).get_xlabel()
    'pivot'
    """
    ax = _axes(ax)
    from matplotlib.ticker import MaxNLocator

    losses, phase1 = np.asarray(traj.losses), int(traj.phase1)
    last = len(losses) - 1
    if phase1:
        ax.axvspan(
            0, min(phase1, last), color=SKY_BLUE, alpha=0.25, lw=0, label="before the first vertex"
        )
    ax.plot(losses, color=BLUE, lw=1.5)
    ax.plot(last, losses[-1], "o", color=VERMILION, label=f"end: {losses[-1]:.4g}")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if log:
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(frameon=False)
    return ax


def plot_fit(
    traj: Trajectory,
    ax: Axes | None = None,
    points: int = 500,
    xlabel: str = "x",
    ylabel: str = "y",
) -> Axes:
    """Data with one input, and the network over it at the start and at the end of the walk.

    The axes show all of the data and of the end; a start far off is cut.

    Parameters
    ----------
    traj : Trajectory
        Of a network with one input and one output.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    points : int, default 500
        Points at which the curves are drawn.
    xlabel, ylabel : str

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If the network has more than one input or output.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk import plotting
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0]))
    >>> [line.get_label() for line in plotting.plot_fit(traj).lines]
    ['data', 'end', 'start']
    """
    integer("points", points, low=2)
    if not _one_dimensional(traj):
        raise ValueError(
            f"traj: expected a network with one input and one output, found {traj.network!r}"
        )
    ax = _axes(ax)
    problem = traj.problem
    grid = np.linspace(problem.X.min(), problem.X.max(), points)[:, None]
    start = problem.network.with_layer(problem.layer, traj.vertices[0])
    ax.plot(problem.X[:, 0], problem.y[:, 0], "o", color=GREY, ms=3.5, label="data")
    ax.plot(grid, traj.network(grid), color=VERMILION, lw=2, label="end")
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=ax.get_ylim())
    ax.plot(grid, start(grid), color=SKY_BLUE, lw=1.2, ls="--", label="start", zorder=1.5)
    ax.legend(frameon=False)
    return ax


def overview(
    traj: Trajectory,
    title: str | None = None,
    figure: Figure | None = None,
    xlabel: str = "x",
    ylabel: str = "y",
) -> Figure:
    """A figure of a whole walk: the loss and, for data with one input, the fit beside it.

    The loss has a logarithmic axis where it falls more than twentyfold, but not to 0.

    Parameters
    ----------
    traj : Trajectory
    title : str, optional
    figure : matplotlib Figure, optional
        An empty figure to draw on; default: a new one, 8 by 3.6 inches.
    xlabel, ylabel : str
        Names of the input and of the target.

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
    >>> from reluplex_walk import plotting
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0]))
    >>> len(plotting.overview(traj, title="four samples").axes)
    2
    """
    canvas: Figure = figure or _pyplot().figure(figsize=(8.0, 3.6), layout="constrained")
    with_fit = _one_dimensional(traj)
    left, *right = canvas.subplots(1, 2 if with_fit else 1, squeeze=False)[0]
    plot_loss(traj, left, log=bool(0 < 20 * traj.loss < traj.losses[0]))
    if with_fit:
        plot_fit(traj, right[0], xlabel=xlabel, ylabel=ylabel)
    if title is not None:
        canvas.suptitle(title)
    return canvas


def _one_dimensional(traj: Trajectory) -> bool:
    return traj.network.widths[0] == traj.network.widths[-1] == 1


def _axes(ax: Axes | None) -> Axes:
    if ax is None:
        _, ax = _pyplot().subplots(layout="constrained")
    return ax


def _pyplot() -> Any:
    """matplotlib.pyplot, imported at the first use."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError('plotting needs matplotlib: pip install "reluplex_walk[plot]"') from None
    return plt


__all__ = ["overview", "plot_fit", "plot_loss"]
