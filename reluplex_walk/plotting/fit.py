"""The fitted function over data with one input, and predictions against targets with several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._validate import integer
from ._axes import (
    COLOURS,
    GREY,
    SKY_BLUE,
    VERMILION,
    figure_title,
    ink,
    new_axes,
    panels,
)
from ._several import FEW, Walks, draw_lines, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..simplex.trajectory import Trajectory

Floats = NDArray[np.float64]

_MARKS = "osD^vP*"  # of the predictions of several walks


def plot_fit(
    traj: Walks,
    ax: Axes | None = None,
    points: int = 500,
    xlabel: str | None = None,
    ylabel: str | None = None,
    output: int = 0,
    title: str | None = None,
) -> Axes:
    """The data, and the network there at the start and at the end of the walk.

    With one input the network is a curve over the data; the axes show all of the data and of the
    end, and a start far off is cut.  With several inputs predictions are drawn against the targets;
    :func:`plot_partial` and :func:`plot_residuals` look closer.

    Of several walks on the same data the ends are drawn.  Up to six have a name each; of more,
    curves are faint lines with the median at each point, predictions a bar from the least to the
    greatest with a mark at the median.

    Parameters
    ----------
    traj : Trajectory, or iterable or mapping of str to Trajectory
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    points : int, default 500
        Points at which curves are drawn.
    xlabel, ylabel : str, optional
        Default: "x" and "y" with one input, "observed" and "predicted" with several.
    output : int, default 0
        The output of the network that is drawn.
    title : str, optional
        Above the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If an argument does not fit, or walks are not on the same data.
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
    >>> data = rw.datasets.load_stackloss()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([3, 2, 1], seed=0), data.X, data.y)
    >>> plotting.plot_fit(rw.walk(loss), ax=Figure().subplots()).get_xlabel()
    'observed'
    """
    walks = named(traj)
    integer("points", points, low=2)
    first = next(iter(walks.values()))
    output = integer("output", output, 0, first.network.widths[-1] - 1)
    for name, each in walks.items():
        X, y = each.problem.X, each.problem.y
        if not (np.array_equal(X, first.problem.X) and np.array_equal(y, first.problem.y)):
            raise ValueError(f"traj[{name!r}]: expected a walk on the data of the first one")
    ax = new_axes(ax, title)
    if first.network.widths[0] == 1:
        _draw_curves(walks, ax, points, output)
        ax.set(xlabel=xlabel or "x", ylabel=ylabel or "y")
    else:
        _draw_predictions(walks, ax, output)
        ax.set(xlabel=xlabel or "observed", ylabel=ylabel or "predicted")
    ax.legend(frameon=False)
    return ax


def _draw_curves(walks: dict[str, Trajectory], ax: Axes, points: int, output: int) -> None:
    first = next(iter(walks.values()))
    X, y = first.problem.X, first.problem.y[:, output]
    grid = np.linspace(X.min(), X.max(), points)[:, None]
    ax.plot(X[:, 0], y, "o", color=GREY, ms=3.5, label="data")
    if len(walks) > 1:
        curves = {name: predicted(each, -1, grid)[:, output] for name, each in walks.items()}
        draw_lines(ax, curves, grid[:, 0])
        return
    ax.plot(grid, predicted(first, -1, grid)[:, output], color=VERMILION, lw=2, label="end")
    ax.set_ylim(ax.get_ylim())
    start = predicted(first, 0, grid)[:, output]
    ax.plot(grid, start, color=SKY_BLUE, lw=1.2, ls="--", label="start", zorder=1.5)


def _draw_predictions(walks: dict[str, Trajectory], ax: Axes, output: int) -> None:
    first = next(iter(walks.values()))
    X, y = first.problem.X, first.problem.y[:, output]
    ends = np.array([predicted(each, -1, X)[:, output] for each in walks.values()])
    if len(walks) == 1:
        ax.plot(y, ends[0], "o", color=VERMILION, ms=4, label="end")
        ax.set_ylim(ax.get_ylim())
        start = predicted(first, 0, X)[:, output]
        ax.plot(y, start, "s", color=SKY_BLUE, ms=3, mfc="none", label="start", zorder=1.5)
    elif len(walks) <= FEW:
        for k, name in enumerate(walks):
            ax.plot(y, ends[k], _MARKS[k], color=COLOURS[k], ms=4, mfc="none", label=name)
    else:
        low, high = ends.min(axis=0), ends.max(axis=0)
        ax.vlines(y, low, high, colors=GREY, lw=1.0, alpha=0.6, label=f"{len(walks)} walks")
        ax.plot(y, np.median(ends, axis=0), "o", color=VERMILION, ms=4, label="median")
    middle = y.mean()
    line = {"color": ink(), "lw": 0.8, "ls": ":", "zorder": 1.0}
    ax.axline((middle, middle), slope=1.0, label="predicted as observed", **line)


def plot_fits(
    traj: Trajectory,
    axes: Sequence[Axes] | None = None,
    entries: Sequence[int] | None = None,
    points: int = 500,
    xlabel: str = "x",
    ylabel: str = "y",
    title: str | None = None,
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
    title : str, optional
        Above the figure.

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
    axes = panels(axes, len(entries), 3, sharex=True, sharey=True)
    shown = np.concatenate([traj.problem.y[:, 0], _fitted(traj, -1, grid)])
    margin = 0.05 * np.ptp(shown)
    for ax, at in zip(axes, entries, strict=True):
        ax.plot(traj.problem.X[:, 0], traj.problem.y[:, 0], "o", color=GREY, ms=2.5)
        ax.plot(grid, _fitted(traj, at, grid), color=VERMILION, lw=2)
        name = "start" if at == 0 else "end" if at == last else f"entry {at}"
        ax.set_title(f"{name}: loss {traj.losses[at]:.4g}", fontsize="medium")
        ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(shown.min() - margin, shown.max() + margin))
        ax.label_outer()
    figure_title(axes, title)
    return axes


def one_dimensional(traj: Trajectory) -> bool:
    """Whether the network has one input and one output."""
    return traj.network.widths[0] == traj.network.widths[-1] == 1


def predicted(traj: Trajectory, at: int, inputs: Floats) -> Floats:
    """The network at entry `at`, at `inputs` (n, n_in): (n, n_out); at -1 it is the result."""
    problem = traj.problem
    theta = traj.theta if at == -1 else traj.vertices[at]
    return problem.network.with_layer(problem.layer, theta)(inputs)


def _grid(traj: Trajectory, points: int) -> Floats:
    """Inputs (points, 1) that cover the data; ValueError unless the network can be drawn."""
    integer("points", points, low=2)
    if not one_dimensional(traj):
        raise ValueError(
            f"traj: expected a network with one input and one output, found {traj.network!r}"
        )
    X = traj.problem.X
    return np.linspace(X.min(), X.max(), points)[:, None]


def _fitted(traj: Trajectory, at: int, grid: Floats) -> Floats:
    """The network at entry `at`, over `grid`: (points,)."""
    return predicted(traj, at, grid)[:, 0]
