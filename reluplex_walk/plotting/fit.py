"""The fitted function over data with one input and one output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._validate import integer
from ._axes import GREY, SKY_BLUE, VERMILION, new_axes, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..simplex.trajectory import Trajectory


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
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0]))
    >>> [line.get_label() for line in plotting.plot_fit(traj, ax=Figure().subplots()).lines]
    ['data', 'end', 'start']
    """
    grid = _grid(traj, points)
    ax = new_axes(ax)
    ax.plot(traj.problem.X[:, 0], traj.problem.y[:, 0], "o", color=GREY, ms=3.5, label="data")
    ax.plot(grid, _fitted(traj, -1, grid), color=VERMILION, lw=2, label="end")
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=ax.get_ylim())
    start = _fitted(traj, 0, grid)
    ax.plot(grid, start, color=SKY_BLUE, lw=1.2, ls="--", label="start", zorder=1.5)
    ax.legend(frameon=False)
    return ax


def plot_fits(
    traj: Trajectory,
    axes: Sequence[Axes] | None = None,
    entries: Sequence[int] | None = None,
    points: int = 500,
    xlabel: str = "x",
    ylabel: str = "y",
) -> list[Axes]:
    """The network over data with one input at several entries of the walk, side by side.

    All panels show the same piece of the plane: all of the data and of the end.

    Parameters
    ----------
    traj : Trajectory
        Of a network with one input and one output.
    axes : sequence of matplotlib Axes, optional
        One for each entry; default: those of a new figure, three in a row.
    entries : sequence of int, optional
        Default: the start, where the loss above the end has fallen to 1/2, 1/4, 1/8 and 1/16 of
        that of the start, and the end.
    points : int, default 500
        Points at which the curves are drawn.
    xlabel, ylabel : str

    Returns
    -------
    list of matplotlib Axes

    Raises
    ------
    ValueError
        If the network has more than one input or output, or the numbers of axes and entries differ.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0]))
    >>> axes = Figure().subplots(1, 2)
    >>> [ax.get_title() for ax in plotting.plot_fits(traj, axes, entries=[0, 4])]
    ['start: loss 2.719', 'entry 4: loss 1.537']
    """
    grid = _grid(traj, points)
    if entries is None:
        gap = traj.losses - traj.losses[-1]
        halved = [int(np.argmax(gap <= gap[0] / 2**k)) for k in range(5)]
        entries = [*halved, traj.n_pivots]
    last = traj.n_pivots
    entries = [integer(f"entries[{k}]", at, 0, last) for k, at in enumerate(entries)]
    if axes is None:
        rows = -(-len(entries) // 3)
        figure = new_figure(8.0, 0.4 + 2.3 * rows)
        grid_of_axes = figure.subplots(rows, 3, sharex=True, sharey=True, squeeze=False).ravel()
        for spare in grid_of_axes[len(entries) :]:
            spare.remove()
        axes = list(grid_of_axes[: len(entries)])
    if len(axes) != len(entries):
        raise ValueError(f"axes: expected one for each of {len(entries)}, found {len(axes)}")
    shown = np.concatenate([traj.problem.y[:, 0], _fitted(traj, -1, grid)])
    margin = 0.05 * np.ptp(shown)
    for ax, at in zip(axes, entries, strict=True):
        ax.plot(traj.problem.X[:, 0], traj.problem.y[:, 0], "o", color=GREY, ms=2.5)
        ax.plot(grid, _fitted(traj, at, grid), color=VERMILION, lw=2)
        name = "start" if at == 0 else "end" if at == last else f"entry {at}"
        ax.set_title(f"{name}: loss {traj.losses[at]:.4g}", fontsize="medium")
        ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(shown.min() - margin, shown.max() + margin))
        ax.label_outer()
    return list(axes)


def one_dimensional(traj: Trajectory) -> bool:
    """Whether the network has one input and one output."""
    return traj.network.widths[0] == traj.network.widths[-1] == 1


def _grid(traj: Trajectory, points: int) -> NDArray[np.float64]:
    """Inputs (points, 1) that cover the data; ValueError unless the network can be drawn."""
    integer("points", points, low=2)
    if not one_dimensional(traj):
        raise ValueError(
            f"traj: expected a network with one input and one output, found {traj.network!r}"
        )
    X = traj.problem.X
    return np.linspace(X.min(), X.max(), points)[:, None]


def _fitted(traj: Trajectory, at: int, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """The network at entry `at`, over `grid`: (points,)."""
    problem = traj.problem
    return problem.network.with_layer(problem.layer, traj.vertices[at])(grid)[:, 0]
