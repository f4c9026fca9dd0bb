"""A histogram of the levels of minima, and of what is proved of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._validate import integer
from ..ensembles.minima import EnsembleMinima
from ..ensembles.result import Ensemble
from ..optimize.minimize import Minimization
from ..regions.minima import LocalMinima
from ..tolerances import OPTIMIZE
from ._axes import BLUE, GREY, SKY_BLUE, ink, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

_MOST = 60  # bins


class Look(NamedTuple):
    """Colour and hatch of bars: either alone tells them apart."""

    colour: str
    hatch: str


PROVED: Final = Look(BLUE, "")
FACE: Final = Look(SKY_BLUE, "....")
OPEN: Final = Look(GREY, "////")


class Part(NamedTuple):
    """Minima of one kind: their levels (k,), and how many each counts for."""

    label: str
    look: Look
    levels: Floats
    counts: Floats


def plot_minima(
    found: EnsembleMinima | Ensemble | Minimization | LocalMinima,
    ax: Axes | None = None,
    bins: int | None = None,
    log: bool = False,
    xlabel: str = "level",
    ylabel: str | None = None,
    title: str | None = None,
) -> Axes:
    """Levels of minima, as a histogram of what is proved of them.

    Walks of an ensemble count where they ended: at a vertex that is a proved local minimum, at a
    proved face (the loss is constant on it), or at a point of which nothing is proved; those that
    were stopped are left out.  Walks of a minimization count at the level nearest to their end.
    Local minima of regions are all proved and count once, strict ones apart from flat ones.
    Marks below the bars are the levels one by one.

    Parameters
    ----------
    found : EnsembleMinima, Ensemble, Minimization or LocalMinima
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    bins : int, optional
        Default: the square root of the number counted, 10 at least and 60 at most.
    log : bool, default False
        Whether the counts have a logarithmic axis.
    xlabel : str
    ylabel : str, optional
        Default: "walks" or "local minima".
    title : str, optional
        Above the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        If there are no minima in `found`, or it is something else.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
    >>> found = rw.ensemble(loss, walks=20, step="long")
    >>> ax = plotting.plot_minima(found, ax=Figure().subplots())
    >>> ax.get_ylabel(), [text.get_text() for text in ax.get_legend().texts]
    ('walks', ['proved, a vertex', 'proved, a face'])
    """
    if bins is not None:
        integer("bins", bins, 1)
    parts, counted = _parts(found)
    levels = np.concatenate([part.levels for part in parts])
    if not levels.size:
        raise ValueError("found: expected a minimum at least, found none")
    total = sum(part.counts.sum() for part in parts)
    ax = new_axes(ax, title)
    wanted = int(np.clip(np.sqrt(total), 10, _MOST)) if bins is None else bins
    if np.ptp(levels) <= OPTIMIZE.level * np.abs(levels).max():
        levels = levels[:1]  # one level, but for rounding
    edges = np.histogram_bin_edges(levels, wanted)
    draw_levels(ax, parts, edges)
    marks = {"transform": ax.get_xaxis_transform(), "clip_on": False, "color": ink()}
    ax.plot(levels, np.full(levels.size, -0.015), "|", ms=5, mew=0.6, **marks)
    ax.tick_params(axis="x", pad=6)
    ax.set(xlabel=xlabel, ylabel=ylabel or counted)
    if log:
        ax.set_yscale("log")
    else:
        _whole_counts(ax)
    ax.legend(frameon=False)
    return ax


def draw_levels(ax: Axes, parts: Sequence[Part], edges: Floats) -> None:
    """Bars between `edges`, stacked; parts without levels are left out."""
    below = np.zeros(len(edges) - 1)
    for label, (colour, hatch), levels, counts in parts:
        if levels.size:
            inside = np.clip(levels, edges[0], edges[-1])
            height = np.histogram(inside, edges, weights=counts)[0]
            bars: dict[str, Any] = {"color": colour, "hatch": hatch, "edgecolor": ink(), "lw": 0.4}
            shown = height > 0
            at, width = edges[:-1][shown], np.diff(edges)[shown]
            ax.bar(at, height[shown], width, below[shown], align="edge", label=label, **bars)
            below += height


def _parts(found: Any) -> tuple[list[Part], str]:
    """Minima by kind, and what is counted."""
    if isinstance(found, Ensemble):
        found = found.minima()
    if isinstance(found, EnsembleMinima):
        counts = found.counts.astype(float)
        kinds = [
            ("proved, a vertex", PROVED, found.proved & found.vertices),
            ("proved, a face", FACE, found.proved & ~found.vertices),
            ("not proved", OPEN, ~found.proved),
        ]
        losses, counted = found.losses, "walks"
    elif isinstance(found, Minimization):
        losses, counted = found.levels, "walks"
        nearest = np.abs(found.losses[:, None] - losses).argmin(axis=1)
        counts = np.bincount(nearest, minlength=len(losses)).astype(float)
        kinds = [("proved", PROVED, found.proved), ("not proved", OPEN, ~found.proved)]
    elif isinstance(found, LocalMinima):
        losses, counted = np.array([each.loss for each in found]), "local minima"
        counts = np.ones(len(losses))
        strict = np.array([each.strict for each in found], bool)
        kinds = [("proved, strict", PROVED, strict), ("proved, flat", FACE, ~strict)]
    else:
        expected = "an Ensemble, its minima, a Minimization or LocalMinima"
        raise TypeError(f"found: expected {expected}, found {type(found).__name__}")
    parts = [Part(name, look, losses[some], counts[some]) for name, look, some in kinds]
    return parts, counted


def _whole_counts(ax: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
