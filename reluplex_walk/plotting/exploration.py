"""The activation configurations that runs go through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .._validate import choice
from ._axes import line_style, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..studies.exploration import Exploration


def plot_exploration(
    found: Exploration | Mapping[str, Exploration],
    ax: Axes | None = None,
    against: str = "entry",
    title: str | None = None,
) -> Axes:
    """Configurations per point, of one run or of several: seen at entries, and passed on the way.

    Parameters
    ----------
    found : Exploration or mapping of str to Exploration
        As from :func:`reluplex_walk.activations.exploration`, by name.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    against : {"entry", "loss"}, default "entry"
        loss: the least so far, so that methods are compared where they have come as far.
    title : str, optional
        Above the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If `against` is something else.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> data, _ = rw.datasets.make_teacher(100, [2, 4, 1], noise=0.5)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 4, 1], seed=1), data.X, data.y)
    >>> paths = {name: rw.descend(loss, name, 50) for name in ("sgd", "adam")}
    >>> runs = {name: rw.activations.exploration(path) for name, path in paths.items()}
    >>> ax = rw.plotting.plot_exploration(runs, Figure().subplots(), against="loss")
    >>> [line.get_label() for line in ax.lines]
    ['sgd', 'sgd, with those passed', 'adam', 'adam, with those passed']
    """
    choice("against", against, ("entry", "loss"))
    ax = new_axes(ax, title)
    several = found if isinstance(found, Mapping) else {"": found}
    for k, (name, run) in enumerate(several.items()):
        style, start = {**line_style(k), "lw": 1.5}, f"{name}, " if name else ""
        x = np.arange(len(run.losses))
        if against == "loss":
            x = np.minimum.accumulate(run.losses)
        ax.plot(x, run.configurations, **style, label=name or "seen at entries")
        if run.passed is not None:
            label = f"{start}with those passed"
            ax.plot(x, run.passed, **style, marker="o", ms=4, markevery=0.1, label=label)
    ax.set(xlabel=against, ylabel="configurations per point")
    if against == "loss":
        ax.invert_xaxis()
    ax.legend(frameon=False)
    return ax
