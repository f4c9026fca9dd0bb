"""How long methods take to leave a plateau."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ._axes import line_style, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..studies.escape import Escape


def plot_escape(runs: Sequence[Escape], ax: Axes | None = None, title: str | None = None) -> Axes:
    """The median gradients until escape against depth, a line for each method.

    Where fewer than half of the chains escaped, an open marker at what they were allowed.

    Parameters
    ----------
    runs : sequence of Escape
        As from :func:`reluplex_walk.chains.escape`, of any depths and methods.
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
        If there are no runs.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> runs = [rw.chains.escape(depth, "adam", 20) for depth in (3, 5)]
    >>> ax = rw.plotting.plot_escape(runs, Figure().subplots())
    >>> [line.get_label() for line in ax.lines]
    ['adam']
    """
    if not runs:
        raise ValueError("runs: expected one at least, found none")
    ax = new_axes(ax, title)
    names = [_name(run) for run in runs]
    for k, name in enumerate(dict.fromkeys(names)):
        own = [run for run, each in zip(runs, names, strict=True) if each == name]
        style = {**line_style(k), "marker": "osD^vP"[k % 6]}
        ax.plot([run.depth for run in own], [run.median for run in own], **style, label=name)
        late = [run for run in own if not np.isfinite(run.median)]
        if late:
            places = [run.depth for run in late], [run.taken for run in late]
            label = f"{name}: half not yet"
            ax.plot(*places, **{**style, "ls": "none"}, fillstyle="none", label=label)
    ax.set(xlabel="depth", ylabel="gradients until escape, median")
    ax.set_yscale("log")
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def _name(run: Escape) -> str:
    return run.method if isinstance(run.method, str) else type(run.method).__name__.lower()
