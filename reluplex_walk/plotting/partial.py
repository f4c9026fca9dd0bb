"""The network against one input at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._validate import choice, integer
from ._axes import GREY, SKY_BLUE, VERMILION, figure_title, panels
from .fit import predicted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..simplex.trajectory import Trajectory

Floats = NDArray[np.float64]

_MOST = 6  # panels that are drawn unless more are asked for
_AVERAGED = 500  # samples that an average is over, evenly chosen of more
_AT_ONCE = 100_000  # points at which the network is evaluated in one call


def plot_partial(
    traj: Trajectory,
    axes: Sequence[Axes] | None = None,
    inputs: Sequence[int] | None = None,
    others: str = "median",
    output: int = 0,
    points: int = 200,
    names: Sequence[str] | None = None,
    ylabel: str = "y",
    title: str | None = None,
) -> list[Axes]:
    """The network at the start and at the end of a walk, against one input at a time.

    A curve is a cut: the network along that input while the others stay at their medians, exact
    but true there only; or with ``others="average"`` its mean over the samples, each with its own
    other inputs (partial dependence, Friedman 2001).  Marks are partial residuals: the curve of the
    end at the sample's input, plus its residual.  Where inputs act together, neither says what the
    network does elsewhere.

    Parameters
    ----------
    traj : Trajectory
    axes : sequence of matplotlib Axes, optional
        One for each input; default: those of a new figure, three in a row.
    inputs : sequence of int, optional
        Default: all; of more than six those along which the end varies most between the least and
        the greatest value in the data.
    others : {"median", "average"}, default "median"
        What is done with the other inputs.  An average of more than 500 samples is over 500 of
        them, evenly chosen in their order.
    output : int, default 0
        The output of the network that is drawn.
    points : int, default 200
        Points at which curves are drawn.
    names : sequence of str, optional
        Of all inputs of the network; default: "input 0" and so on.
    ylabel : str
    title : str, optional
        Above the figure.

    Returns
    -------
    list of matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> data = rw.datasets.load_stackloss()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([3, 2, 1], seed=0), data.X, data.y)
    >>> traj, axes = rw.walk(loss), Figure().subplots(1, 2)
    >>> [ax.get_xlabel() for ax in plotting.plot_partial(traj, axes, inputs=[0, 2])]
    ['input 0', 'input 2']
    """
    problem = traj.problem
    X = problem.X
    choice("others", others, ("median", "average"))
    output = integer("output", output, 0, traj.network.widths[-1] - 1)
    integer("points", points, 2)
    if names is not None and len(names) != X.shape[1]:
        raise ValueError(f"names: expected {X.shape[1]} of inputs, found {len(names)}")
    average = others == "average"
    if inputs is None:
        inputs = _largest(traj, output, average)
    inputs = [integer(f"inputs[{k}]", j, 0, X.shape[1] - 1) for k, j in enumerate(inputs)]
    if not inputs:
        raise ValueError("inputs: expected one at least, found none")
    residuals = problem.y[:, output] - predicted(traj, -1, X)[:, output]
    axes = panels(axes, len(inputs), 3, sharey=True)
    for ax, j in zip(axes, inputs, strict=True):
        grid = np.linspace(X[:, j].min(), X[:, j].max(), points)
        end = _along(traj, -1, j, grid, output, average)
        at = _along(traj, -1, j, X[:, j], output, average)
        ax.plot(X[:, j], at + residuals, "o", color=GREY, ms=3, label="end and residual")
        ax.plot(grid, end, color=VERMILION, lw=2, label="end")
        place = ax.get_subplotspec()
        beside = place is not None and not place.is_first_col()
        ax.set(xlabel=names[j] if names else f"input {j}", ylabel="" if beside else ylabel)
    limits = [ax.get_ylim() for ax in axes]  # a start far off is cut
    for ax, j, limit in zip(axes, inputs, limits, strict=True):
        grid = np.linspace(X[:, j].min(), X[:, j].max(), points)
        start = _along(traj, 0, j, grid, output, average)
        ax.plot(grid, start, "--", color=SKY_BLUE, lw=1.2, label="start", zorder=1.5)
        ax.set_ylim(limit)
    axes[0].legend(frameon=False, fontsize="small")
    figure_title(axes, title)
    return axes


def _largest(traj: Trajectory, output: int, average: bool) -> list[int]:
    """The inputs, or the most that are drawn, along which the end varies most; ascending."""
    X = traj.problem.X
    if X.shape[1] <= _MOST:
        return list(range(X.shape[1]))
    spans = []
    for j in range(X.shape[1]):
        grid = np.linspace(X[:, j].min(), X[:, j].max(), 50)
        spans.append(np.ptp(_along(traj, -1, j, grid, output, average)))
    return sorted(np.argsort(spans, kind="stable")[-_MOST:].tolist())


def _along(traj: Trajectory, at: int, j: int, values: Floats, output: int, average: bool) -> Floats:
    """The network at entry `at`, with input `j` at each of the `values` (k,): (k,)."""
    X = traj.problem.X
    if average:
        rows = np.unique(np.linspace(0, len(X) - 1, min(_AVERAGED, len(X))).astype(np.int64))
        base = X[rows]
    else:
        base = np.median(X, axis=0, keepdims=True)
    found, once = np.unique(values, return_inverse=True)
    network = traj.problem.network.with_layer(
        traj.problem.layer, traj.theta if at == -1 else traj.vertices[at]
    )
    curve = []
    for some in np.array_split(found, -(-len(found) * len(base) // _AT_ONCE)):
        rows = np.tile(base, (len(some), 1))
        rows[:, j] = np.repeat(some, len(base))
        curve.append(network(rows)[:, output].reshape(len(some), -1).mean(axis=1))
    return np.concatenate(curve)[once.reshape(-1)]
