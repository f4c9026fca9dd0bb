"""The regret of a run against Taylor optima, and what it cannot exceed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ._axes import BLUE, GREY, VERMILION, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..studies.run_regret import Regret


def plot_regret(found: Regret, ax: Axes | None = None, title: str | None = None) -> Axes:
    """The regret R_N over N against N, on logarithmic axes, and its bound.

    Hollow points where the optimum interpolates: it is 0 there whatever the targets are.  Where the
    bound is no theorem it is drawn dotted, as a comparison.

    Parameters
    ----------
    found : Regret
        As from :func:`reluplex_walk.taylor.regret`.
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
        If the run came to no horizon.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> data, _ = rw.datasets.make_teacher(200, [2, 4, 1], noise=0.5)
    >>> net = rw.ReLUNetwork.random([2, 4, 1], seed=1)
    >>> run = rw.taylor.regret(net, data.X, data.y, horizons=[8, 32, 64])
    >>> ax = rw.plotting.plot_regret(run, ax=Figure().subplots())
    >>> [line.get_label() for line in ax.lines]
    ['regret', 'interpolates', 'bound']
    """
    if not len(found.horizon):
        raise ValueError("found: expected a horizon at least, found a run that came to none")
    ax, N = new_axes(ax, title), found.horizon
    each, fitted = found.regret / N, ~found.interpolates
    ax.plot(N[fitted], each[fitted], "o-", color=BLUE, label="regret")
    ax.plot(
        N[~fitted], each[~fitted], "o", mfc=ax.get_facecolor(), color=BLUE, label="interpolates"
    )
    if np.isfinite(found.bound).any():
        ax.plot(N, found.bound / N, "--", color=VERMILION, label="bound")
    elif np.isfinite(found.comparison).any():
        ax.plot(N, found.comparison / N, ":", color=GREY, label="as for SGD: no theorem")
    ax.set(xlabel="steps N", ylabel="regret per step", xscale="log", yscale="log")
    ax.legend(frameon=False)
    return ax
