"""What many walks found, together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..ensembles.statistics import median_ranks
from ._axes import BLUE, GREY, SKY_BLUE, VERMILION, new_figure
from .minima import OPEN, PROVED, Part, draw_levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..ensembles.result import Ensemble

Floats = NDArray[np.float64]

_ACROSS = 4  # strips in a row
_TICKS = 200  # values shown in a strip, at most
_SPREAD = 30.0  # a logarithmic axis for figures > 0 that differ by more than this factor


def plot_ensemble(
    ensemble: Ensemble, title: str | None = None, figure: Figure | None = None
) -> Figure:
    """A figure of an ensemble: levels, distinct ends against walks, and a strip for each figure.

    Left the losses at the ends, proved local minima apart from others.  Right how many distinct
    ends the first walks have found, in the order of seeds, with the estimate of how many there are
    at least (Chao1) and its interval of 95 %; it may lie above the axes, then the legend has it.
    Walks that were stopped before their end are in neither.

    Below, for each figure of `measures`, up to 200 evenly chosen values, the quartiles (bar) and
    the median with its interval of 95 % (red), or where all are 0 or 1 the share of ones.
    Infinite ones are not drawn but counted.

    Parameters
    ----------
    ensemble : Ensemble
    title : str, optional
    figure : matplotlib Figure, optional
        An empty figure to draw on; default: a new one, 8 inches wide.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If no walk came to its own end.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
    >>> found = rw.ensemble(loss, walks=20, step="long", measures="decay")
    >>> figure = rw.plotting.plot_ensemble(found, figure=Figure(figsize=(8.0, 6.0)))
    >>> [ax.get_ylabel() for ax in figure.axes[:2]], len(figure.axes) - 2 == len(found.figures)
    (['walks', 'distinct ends'], True)
    """
    keys = [row.key for row in ensemble._rows if row.key is not None]
    if not keys:
        raise ValueError("ensemble: expected a walk that came to its own end, found none")
    losses = np.array([row.loss for row in ensemble._rows if row.key is not None])
    figures = ensemble.figures
    down = -(-len(figures) // _ACROSS)
    canvas = figure or new_figure(8.0, 3.4 + 0.85 * down)
    grid = canvas.add_gridspec(1 + down, 2 * _ACROSS, height_ratios=[4.0, *[1.0] * down])
    minima = ensemble.minima()
    proved = {key for key, some in zip(minima.keys, minima.proved, strict=True) if some}
    _, edges = ensemble.level_histogram(int(np.clip(np.sqrt(losses.size), 10, 60)))
    held = np.array([key in proved for key in keys])
    _levels(canvas.add_subplot(grid[0, :_ACROSS]), losses, held, edges)
    _discovery(canvas.add_subplot(grid[0, _ACROSS:]), ensemble, keys)
    for k, (name, values) in enumerate(figures.items()):
        row, column = divmod(k, _ACROSS)
        _strip(
            canvas.add_subplot(grid[1 + row, 2 * column : 2 * column + 2]),
            name,
            values[~np.isnan(values)],
        )
    if title is not None:
        canvas.suptitle(title)
    return canvas


def _levels(ax: Axes, losses: Floats, proved: NDArray[np.bool_], edges: Floats) -> None:
    once = np.ones(losses.size)
    draw_levels(
        ax,
        [
            Part("proved local minimum", PROVED, losses[proved], once[proved]),
            Part("not proved", OPEN, losses[~proved], once[~proved]),
        ],
        edges,
    )
    ax.set(xlabel="loss at the end", ylabel="walks")
    ax.legend(frameon=False, fontsize="small")


def _discovery(ax: Axes, ensemble: Ensemble, keys: list[str]) -> None:
    new = np.zeros(len(keys), np.int64)
    new[np.unique(keys, return_index=True)[1]] = 1
    found, unseen = np.cumsum(new), ensemble.unseen()
    ax.plot(
        np.arange(len(keys) + 1), [0, *found], color=BLUE, drawstyle="steps-post", label="found"
    )
    label = (
        f"in all at least {unseen.total:.0f} ({unseen.total_low:.0f} to {unseen.total_high:.0f})"
    )
    ax.axhline(unseen.total, color=VERMILION, ls="--", lw=1.0, label=label)
    if np.isfinite(unseen.total_high):
        ax.axhspan(unseen.total_low, unseen.total_high, color=VERMILION, alpha=0.15, lw=0.0)
    top = 1.35 * min(unseen.total_high, 3.0 * int(found[-1]))  # room for the legend
    ax.set(xlabel="walks", ylabel="distinct ends", ylim=(0.0, top), xlim=(0, len(keys)))
    ax.legend(frameon=False, fontsize="small", loc="upper left")


def _strip(ax: Axes, name: str, values: Floats) -> None:
    finite = np.sort(values[np.isfinite(values)])
    lost = values.size - finite.size
    ax.set_title(f"{name} ({lost} infinite)" if lost else name, fontsize="x-small")
    ax.tick_params(labelsize="x-small")
    ax.set(yticks=[], ylim=(-1.0, 1.0))
    for side in ("left", "right", "top"):
        ax.spines[side].set_visible(False)
    if not finite.size:
        ax.set(xticks=[])
    elif not lost and np.isin(finite, (0.0, 1.0)).all():
        ax.barh([0.0], [finite.mean()], color=SKY_BLUE)
        ax.set(xlim=(0.0, 1.0))
    else:
        _quantiles(ax, np.sort(values), finite)


def _quantiles(ax: Axes, values: Floats, finite: Floats) -> None:
    """`values` ascending, of which the `finite` ones are drawn."""
    shown = finite[np.unique(np.linspace(0, finite.size - 1, _TICKS).astype(np.int64))]
    ax.plot(shown, np.zeros(shown.size), "|", color=GREY, ms=9, alpha=0.5)
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], method="lower")
    if np.isfinite(high):
        ax.plot([low, high], [0.0, 0.0], color=BLUE, lw=4.0, solid_capstyle="butt")
    ranks = median_ranks(values.size)
    if ranks is not None and np.isfinite(values[ranks[1]]):
        ax.plot(values[list(ranks)], [0.0, 0.0], color=VERMILION, lw=1.5)
    if np.isfinite(middle):
        ax.plot([middle], [0.0], "|", color=VERMILION, ms=14, mew=1.5)
    if finite[0] > 0.0 and finite[-1] > _SPREAD * finite[0]:
        ax.set_xscale("log")
        ax.tick_params(which="minor", labelbottom=False)
