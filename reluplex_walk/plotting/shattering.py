"""Shattered gradients: correlations against depth, and what shatters along it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ._axes import BLUE, GREEN, GREY, SKY_BLUE, VERMILION, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..studies.shatteredness import Shatteredness
    from ..studies.shattering import Shattering

_DESIGNS = {
    "plain": (BLUE, "o", "-"),
    "residual": (VERMILION, "s", "--"),
    "layernorm": (GREEN, "^", "-."),
    "batchnorm": (SKY_BLUE, "D", ":"),
}


def plot_shattering(
    runs: Sequence[Shattering], ax: Axes | None = None, title: str | None = None
) -> Axes:
    """The correlation of the gradients at two inputs against depth, with twice its error.

    Parameters
    ----------
    runs : sequence of Shattering
        As from :func:`reluplex_walk.taylor.shattering`, of several designs; where a law is known it
        is drawn as a line.
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
    >>> runs = [rw.taylor.shattering([1, 2], 16, design) for design in ("plain", "layernorm")]
    >>> ax = rw.plotting.plot_shattering(runs, Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().texts]
    ['plain, law', 'plain', 'layernorm']
    """
    if not runs:
        raise ValueError("runs: expected one at least, found none")
    ax = new_axes(ax, title)
    for run in runs:
        color, mark, style = _DESIGNS[run.design]
        if run.law is not None:
            ax.plot(run.depths, run.law, style, color=color, lw=1.0, label=f"{run.design}, law")
        ax.errorbar(
            run.depths, run.mean, 2.0 * run.error, fmt=mark, ms=4, color=color, label=run.design
        )
    ax.set(xlabel="ReLU layers", ylabel="correlation of gradients")
    ax.set_xscale("log", base=2)
    depths = sorted({depth for run in runs for depth in run.depths.tolist()})
    ax.xaxis.set_ticks(depths, [str(depth) for depth in depths])
    ax.legend(frameon=False)
    return ax


def plot_shatteredness(
    found: Shatteredness, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Gradient, curvature, glass and their index along depth, as factors of the first depth.

    Parameters
    ----------
    found : Shatteredness
        As from :func:`reluplex_walk.taylor.shatteredness`.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
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
    >>> found = rw.taylor.shatteredness([2, 4], samples=40, networks=4)
    >>> len(rw.plotting.plot_shatteredness(found, Figure().subplots()).lines)
    5
    """
    ax = new_axes(ax, title)
    for name, label, style, color in (
        ("log_gradient", "gradient", "o-", BLUE),
        ("log_slopes", "squared slopes of the outputs", "s--", GREY),
        ("log_curvature", "curvature (residuals)", "^-", SKY_BLUE),
        ("log_hidden", "glass (hidden neurons)", "D-", VERMILION),
        ("log_index", "index: glass / squared slopes", "v-", GREEN),
    ):
        values = getattr(found, name)
        ax.plot(found.depths, np.ma.exp(values - values[0]), style, color=color, ms=4, label=label)
    ax.set(xlabel="hidden layers", ylabel="factor, geometric mean")
    ax.set_yscale("log")
    ax.legend(frameon=False, fontsize="small")
    return ax
