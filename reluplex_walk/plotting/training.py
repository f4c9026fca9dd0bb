"""The search of a training, start by start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ._axes import BLUE, GREEN, GREY, SKY_BLUE, VERMILION, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..optimize.training.fit import TrainingFit

_STARTS = {
    "given": (VERMILION, "s"),
    "linear": (GREEN, "^"),
    "fresh": (SKY_BLUE, "D"),
    "kicked": (BLUE, "o"),
}


def plot_training(fit: TrainingFit, ax: Axes | None = None, title: str | None = None) -> Axes:
    """The objective at the end of each round, by where it started, and the least so far.

    The grey line is the end, after the last exact steps.

    Parameters
    ----------
    fit : TrainingFit
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    title : str, optional
        Above the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If no round was made.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> net = rw.ReLUNetwork.random([1, 2, 1], seed=0)
    >>> fit = rw.train(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0], rounds=3)
    >>> ax = rw.plotting.plot_training(fit, ax=Figure().subplots())
    >>> [line.get_label() for line in ax.lines]
    ['given', 'linear', 'fresh', 'least so far', 'end']
    """
    if not fit.rounds:
        raise ValueError("fit: expected a round at least, found a training that made none")
    ax = new_axes(ax, title)
    number, loss = np.array([(each.number, each.loss) for each in fit.rounds]).T
    starts = np.array([each.start for each in fit.rounds])
    for start, (colour, mark) in _STARTS.items():
        some = starts == start
        if some.any():
            ax.plot(number[some], loss[some], mark, color=colour, label=start)
    best = [each.best for each in fit.rounds]
    ax.step(number, best, where="post", color=GREY, linewidth=1.0, label="least so far")
    ax.axhline(fit.objective, color=GREY, linestyle=":", label="end")
    ax.set(xlabel="round", ylabel="loss and penalty" if fit.penalty else "loss")
    if min(*loss, fit.objective) > 0.0:
        ax.set_yscale("log")
    ax.legend(frameon=False)
    return ax
