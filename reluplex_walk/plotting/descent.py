"""The loss along gradient methods, against the gradients they were charged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ._axes import BLUE, SKY_BLUE, VERMILION, line_style, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..optimize.descent_path import DescentPath


def plot_descent(
    paths: DescentPath | Mapping[str, DescentPath],
    ax: Axes | None = None,
    log: bool = False,
    xlabel: str = "gradients",
    ylabel: str = "loss",
    title: str | None = None,
) -> Axes:
    """The loss against the gradients charged: of one path with its best so far, or of several.

    Parameters
    ----------
    paths : DescentPath or mapping of str to DescentPath
        Of several, by name, the best so far is drawn.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
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
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
    >>> paths = {name: rw.descend(loss, name, gradients=50) for name in ("sgd", "adam")}
    >>> ax = plotting.plot_descent(paths, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().texts]
    ['sgd', 'adam']
    """
    ax = new_axes(ax, title)
    if isinstance(paths, Mapping):
        for k, (name, path) in enumerate(paths.items()):
            best = np.minimum.accumulate(path.losses)
            ax.plot(path.gradients, best, **line_style(k), lw=1.5, label=name)
    else:
        best = np.minimum.accumulate(paths.losses)
        ax.plot(paths.gradients, paths.losses, color=SKY_BLUE, lw=1.0, label="loss")
        ax.plot(paths.gradients, best, color=BLUE, lw=1.5, label="best so far")
        end = f"end: {paths.loss:.4g}"
        ax.plot(paths.gradients[-1], paths.loss, "o", color=VERMILION, label=end)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if log:
        ax.set_yscale("log")
    ax.legend(frameon=False)
    return ax
