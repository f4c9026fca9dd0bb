"""Residuals of a fit: against predictions, or against one input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._validate import integer
from ._axes import BLUE, VERMILION, ink, new_axes
from .fit import predicted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..simplex.trajectory import Trajectory


def plot_residuals(
    traj: Trajectory,
    ax: Axes | None = None,
    against: int | None = None,
    output: int = 0,
    xlabel: str | None = None,
    ylabel: str = "residual",
    title: str | None = None,
) -> Axes:
    """Residuals at the end of a walk, target minus prediction, against the predictions.

    Samples whose residual is 0 are marked: a vertex of the loss fits some of them exactly.  That is
    up to rounding, as :meth:`.LayerLoss.pattern` has it.

    Parameters
    ----------
    traj : Trajectory
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    against : int, optional
        Number of an input that they are drawn against instead.
    output : int, default 0
        The output of the network that is drawn.
    xlabel : str, optional
        Default: "predicted" or the input.
    ylabel : str
    title : str, optional
        Above the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        If there is no such input or output.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> data = rw.datasets.load_stackloss()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([3, 2, 1], seed=0), data.X, data.y)
    >>> ax = plotting.plot_residuals(rw.walk(loss), ax=Figure().subplots())
    >>> [line.get_label() for line in ax.lines[:2]]
    ['not fitted exactly', 'residual 0: 7 of 21']
    """
    problem = traj.problem
    output = integer("output", output, 0, traj.network.widths[-1] - 1)
    fitted = predicted(traj, -1, problem.X)[:, output]
    residuals = problem.y[:, output] - fitted
    exact = problem.pattern(traj.theta)[problem.n_hidden][:, output] == 0
    if against is None:
        x, name = fitted, "predicted"
    else:
        against = integer("against", against, 0, problem.X.shape[1] - 1)
        x, name = problem.X[:, against], f"input {against}"
    ax = new_axes(ax, title)
    ax.plot(x[~exact], residuals[~exact], "o", color=BLUE, ms=4, label="not fitted exactly")
    label = f"residual 0: {np.count_nonzero(exact)} of {exact.size}"
    ax.plot(x[exact], residuals[exact], "D", color=VERMILION, ms=4.5, label=label)
    ax.axhline(0.0, color=ink(), lw=0.8, ls=":", zorder=1.0)
    ax.set(xlabel=xlabel or name, ylabel=ylabel)
    ax.legend(frameon=False)
    return ax
