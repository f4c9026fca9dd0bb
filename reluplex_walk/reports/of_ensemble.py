"""The sections of a report on an ensemble of walks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import of_walk
from .figures import figure
from .head import paragraphs
from .page import Section
from .said.record import count
from .scatter import axis
from .tables import table
from .thinned import evenly
from .words import in_words

if TYPE_CHECKING:
    from ..ensembles.minima import EnsembleMinima
    from ..ensembles.result import Ensemble

Floats = NDArray[np.float64]

_BARS = (10, 60)  # of a histogram, at least and at most
_ENDS = 40  # whose probabilities are drawn
_DIGITS = 9  # of losses, which differ by little
_CHEAP = 5000  # pivots of a walk that is made again for its page


def sections(found: Ensemble) -> list[Section]:
    """Levels, distinct ends, what was not seen, the rows, and the page of the best walk.

    The last is left out where that walk was not kept and has more than 5,000 pivots.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk.reports.of_ensemble import sections
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
    >>> [part.id for part in sections(rw.ensemble(loss, walks=10, step="long"))][:4]
    ['levels', 'ends', 'unseen', 'walks']
    """
    minima = found.minima()
    parts = []
    if len(minima):
        parts = [
            Section("levels", "Levels", _levels(minima)),
            Section("ends", "Distinct ends", _ends(minima)),
            Section("unseen", "What was not seen", _unseen(found)),
        ]
    parts.append(Section("walks", "Walks", _walks(found)))
    best = _best(found)
    if best is None:
        return parts
    words = f"What follows is the walk to the lowest end, that of seed {best.options.seed}."
    return [*parts, Section("best", "The best walk", paragraphs([words])), *of_walk.sections(best)]


def _best(found: Ensemble) -> Any:
    """The walk to the lowest end, if it is kept or quickly made again."""
    if not len(found):
        return None
    lowest = min(found._rows, key=lambda row: (row.loss, row.seed))
    kept = found._store.trajectory(lowest.seed) is not None
    return found.best if kept or lowest.pivots <= _CHEAP else None


def _levels(minima: EnsembleMinima) -> str:
    """A histogram of the losses, by whether they are those of proved minima."""
    n = int(minima.counts.sum())
    edges = _edges(minima.losses, n)
    traces = []
    for name, some, shape in (
        ("proved local minimum", minima.proved, ""),
        ("not proved", ~minima.proved, "/"),
    ):
        if some.any():
            heights, _ = np.histogram(minima.losses[some], edges, weights=minima.counts[some])
            traces.append(
                {
                    "type": "bar",
                    "name": name,
                    "x": (edges[:-1] + edges[1:]) / 2.0,
                    "y": heights.astype(np.int64),
                    "width": np.diff(edges),
                    "marker": {"pattern": {"shape": shape}},
                }
            )
    layout = {
        "barmode": "stack",
        "bargap": 0,
        "xaxis": axis("loss at the end"),
        "yaxis": axis("walks"),
        "showlegend": True,
    }
    label = (
        f"Histogram of {count(n, 'walk')} by the loss at their end, from {minima.losses[0]:.6g} to "
        f"{minima.losses[-1]:.6g}"
    )
    return figure(traces, layout, label)


def _edges(losses: Floats, n: int) -> Floats:
    """Edges of bars that cover the losses."""
    low, high = float(losses.min()), float(losses.max())
    if not high - low > 1e-9 * abs(high):  # one level: a bar around it
        half = 0.05 * abs(high) or 0.5
        low, high = low - half, high + half
    return np.linspace(low, high, int(np.clip(np.sqrt(n), *_BARS)) + 1)


def _ends(minima: EnsembleMinima) -> str:
    """How often each end is met, with intervals, and a table of all."""
    n = int(minima.counts.sum())
    share = minima.counts / n
    order = np.sort(np.argsort(-minima.counts, kind="stable")[:_ENDS])
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": "share of walks",
        "x": order + 1,
        "y": share[order],
        "hovertext": [f"loss {loss:.9g}" for loss in minima.losses[order]],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": (minima.high - share)[order],
            "arrayminus": (share - minima.low)[order],
        },
        "marker": {
            "size": 9,
            "symbol": ["circle" if each else "x-thin-open" for each in minima.proved[order]],
            "line": {"width": 2},
        },
    }
    layout = {
        "xaxis": axis("end, from the lowest loss up"),
        "yaxis": axis("probability that a walk ends there", rangemode="tozero"),
        "showlegend": False,
    }
    caption = "Intervals of 95 %. Discs are proved local minima, crosses are not proved." + (
        f" The {_ENDS} ends that were met most often, of {len(minima)}."
        if len(minima) > _ENDS
        else ""
    )
    label = f"Probability of {count(len(order), 'end')} from the lowest loss up, with intervals"
    columns = {
        "end": np.arange(1, len(minima) + 1),
        "loss": minima.losses,
        "proved local minimum": minima.proved,
        "vertex": minima.vertices,
        "walks": minima.counts,
        "share": share,
        "from": minima.low,
        "to": minima.high,
        "first seed": minima.seeds,
    }
    return (
        figure([trace], layout, label, caption=caption)
        + table(
            columns,
            caption="Distinct ends; the share of walks with its interval of 95 %",
            digits={"loss": _DIGITS, "share": 3, "from": 3, "to": 3},
        )
        + paragraphs(_alike(minima.losses))
    )


def _alike(losses: Floats) -> list[str]:
    """What tells ends apart whose losses look the same."""
    if len({f"{loss:.{_DIGITS}g}" for loss in losses}) == len(losses):
        return []
    return [
        "Ends with losses that look the same are distinct: their active breakpoints, or the "
        "sides of the others, differ."
    ]


def _unseen(found: Ensemble) -> str:
    """The estimates in words, and how the number of distinct ends grew."""
    unseen = found.unseen()
    keys = [row.key for row in found._rows if row.key is not None]
    new = np.zeros(len(keys), np.int64)
    new[np.unique(keys, return_index=True)[1]] = 1
    made, ends = np.arange(1, len(keys) + 1), np.cumsum(new)
    shown = evenly(len(keys))
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "distinct ends met",
            "x": made[shown],
            "y": ends[shown],
            "line": {"shape": "hv", "width": 3},
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": "estimated to exist, at least",
            "x": [1, len(keys)],
            "y": [unseen.total, unseen.total],
            "line": {"dash": "dash"},
        },
    ]
    layout = {
        "xaxis": axis("walks, in the order of seeds"),
        "yaxis": axis("distinct ends", rangemode="tozero"),
    }
    label = f"Distinct ends by walks made: {ends[-1]} after {len(keys)}"
    return paragraphs(in_words(unseen)) + figure(traces, layout, label)


def _walks(found: Ensemble) -> str:
    """A row for each walk, with the figures that were measured."""
    rows = found._rows
    numbers = {str(key): k for k, key in enumerate(found.minima().keys, 1)}
    columns: dict[str, Any] = {
        "seed": [row.seed for row in rows],
        "loss": [row.loss for row in rows],
        "end": [numbers.get(str(row.key)) for row in rows],
        "status": [row.status.lower().replace("_", " ") for row in rows],
        "pivots": [row.pivots for row in rows],
        "seconds": [row.seconds for row in rows],
        **found.figures,
    }
    return table(
        columns,
        caption="Walks in the order of seeds, and the end that each came to",
        digits=_DIGITS,
    )


__all__ = ["sections"]
