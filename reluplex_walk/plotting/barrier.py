"""The loss along the path over a pass, beside that along the straight segment."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..regions.line import line_section
from ._axes import BLUE, GREY, VERMILION, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..graphs.barrier_record import Barrier
    from ..problem.loss import LayerLoss

Floats = NDArray[np.float64]


def plot_barrier(found: Barrier, ax: Axes | None = None, title: str | None = None) -> Axes:
    """The loss along the path over the lowest pass found, and along the straight segment.

    Both are exact: they are drawn with every breakpoint crossed.  The top of each is marked, and
    dotted lines are the level, and below it what no path can be lower than, where that is less.
    The horizontal axis is the share of each way, since the ways differ in length.

    Parameters
    ----------
    found : Barrier
        As from :func:`reluplex_walk.barrier`.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    title : str, optional

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
    >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
    >>> found = rw.barrier(loss, [3.0, -6.0], [-2.0, 2.0])
    >>> ax = plotting.plot_barrier(found, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().texts]
    ['straight segment', 'lowest path', 'level 5']
    """
    ax = new_axes(ax)
    straight = _along(found.problem, np.stack([found.a, found.b]))
    path = _along(found.problem, found.path)
    name = "lowest path" if found.exact else "lowest path found"
    for (share, losses), colour, style, label in (
        (straight, GREY, "--", "straight segment"),
        (path, BLUE, "-", name),
    ):
        ax.plot(share, losses, style, color=colour, lw=1.6, label=label)
        top = int(np.argmax(losses))
        ax.plot(share[top], losses[top], "o", color=colour, mec="white", ms=7)
    ax.axhline(found.level, color=VERMILION, lw=1.0, ls=":", label=f"level {found.level:.6g}")
    if not found.exact:
        ax.axhline(
            found.lower, color=VERMILION, lw=1.0, ls="-.", label=f"at least {found.lower:.6g}"
        )
    ax.set(xlabel="share of the way", ylabel="loss")
    ax.legend(loc="best")
    if title is not None:
        ax.set_title(title)
    return ax


def _along(loss: LayerLoss, points: Floats) -> tuple[Floats, Floats]:
    """Shares of the way along the `points` (K, h, q) at which the loss may bend, and the loss."""
    places, losses, begin = [np.zeros(1)], [np.array([loss.value(points[0])])], 0.0
    for a, b in pairwise(points):
        length = float(np.linalg.norm(b - a))
        if length > 0.0:
            section = line_section(loss, a, b - a, (0.0, 1.0))
            places.append(begin + length * section.positions[1:])
            losses.append(section.losses[1:])
            begin += length
    share = np.concatenate(places)
    return share / (begin or 1.0), np.concatenate(losses)
