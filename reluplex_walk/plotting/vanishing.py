"""A map of gradient or curvature over widths and depths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._validate import choice
from ._axes import SCALE, VERMILION, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..studies.vanishing import Vanishing


def plot_vanishing(
    found: Vanishing, ax: Axes | None = None, what: str = "gradient", title: str | None = None
) -> Axes:
    """The median gradient or Hessian of random networks over depth and width, as colours.

    With the line along which gradients shrink to 1/e, where there is one; blank where all networks
    are dead.

    Parameters
    ----------
    found : Vanishing
        As from :func:`reluplex_walk.chains.vanishing`, of two widths and two depths at least.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    what : {"gradient", "hessian"}, default "gradient"
    title : str, optional
        Above the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If `what` is something else, or there is one width or depth only.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> found = rw.chains.vanishing([4, 8, 16], [2, 4, 8], networks=20)
    >>> ax = rw.plotting.plot_vanishing(found, Figure().subplots(), "hessian")
    >>> ax.get_xlabel(), [line.get_label() for line in ax.lines]
    ('hidden layers', ['width = 1.25 depth'])
    """
    values = getattr(found, f"log_{choice('what', what, ('gradient', 'hessian'))}")
    if min(values.shape) < 2:
        raise ValueError(f"found: expected two widths and two depths, found shape {values.shape}")
    ax = new_axes(ax, title)
    mesh = ax.pcolormesh(
        _edges(found.depths), _edges(found.widths), values / np.log(10.0), cmap=SCALE
    )
    ax.set(xlabel="hidden layers", ylabel="width")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    for axis, ticks in ((ax.xaxis, found.depths), (ax.yaxis, found.widths)):
        axis.set_ticks(ticks.tolist(), [str(tick) for tick in ticks.tolist()], fontsize="small")
    if found.c is not None:
        limits = ax.get_xlim(), ax.get_ylim()
        ends = np.array(limits[0])
        ax.plot(ends, found.c * ends, color=VERMILION, label=f"width = {found.c:g} depth")
        ax.set(xlim=limits[0], ylim=limits[1])
        ax.legend(loc="upper left", fontsize="small")
    label = {"gradient": "gradient in the first layer", "hessian": "norm of the Hessian"}[what]
    if (figure := ax.get_figure()) is not None:
        figure.colorbar(mesh, ax=ax, label=f"log10 of the {label}, median")
    return ax


def _edges(centres: NDArray[np.int64]) -> NDArray[np.float64]:
    """The edges of the columns or rows around `centres`, on a logarithmic axis."""
    logs = np.log(centres)
    middle = (logs[1:] + logs[:-1]) / 2.0
    return np.exp([2.0 * logs[0] - middle[0], *middle, 2.0 * logs[-1] - middle[-1]])
