"""The sections of a report on a search by many walks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import of_walk
from .figures import figure
from .head import paragraphs
from .page import Section
from .said.record import count, named
from .scatter import axes, axis, line
from .tables import table
from .thinned import evenly, note

if TYPE_CHECKING:
    from ..optimize.minimize import Minimization

Floats = NDArray[np.float64]

_BEST = (
    "What follows is the walk to the lowest end that is proved to be a local minimum or, if none "
    "is, to the lowest end. It starts where a kick led to, or where the proof took up."
)
_DIGITS = 9  # of losses, which differ by little
_DRAWN, _FAR = 0.9, 3.0  # share of losses drawn at least; so many times their height is far


def sections(found: Minimization) -> list[Section]:
    """How the search went, the levels it found, all its walks, and the page of the best one.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk.reports.of_minimization import sections
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
    >>> [part.id for part in sections(rw.minimize(loss, max_walks=4))][:3]
    ['search', 'levels', 'walks']
    """
    return [
        Section("search", "The search", _search(found)),
        Section("levels", "Levels found", _levels(found)),
        Section("walks", "Walks", _walks(found)),
        Section("best", "The best walk", paragraphs([_BEST])),
        *of_walk.sections(found.best),
    ]


def _search(found: Minimization) -> str:
    """The losses at the ends of walks, and the least so far; far ones stand at the upper edge."""
    losses, least = found.losses, np.minimum.accumulate(found.losses)
    shown, edge = evenly(len(losses)), _edge(losses)
    far = losses[shown] > edge
    made = np.arange(1, len(losses) + 1)
    traces = [
        _ends("end of a walk", made, found, shown[~far], np.inf, "circle-open"),
        line(made[shown], least[shown], "least so far", line={"shape": "hv", "width": 3}),
    ]
    layout = axes("walks made", named(found.best.problem))
    words = note(len(losses), "walks")
    if far.any():
        traces.append(_ends("end above", made, found, shown[far], edge, "triangle-up"))
        room = 0.05 * (edge - least[-1])
        layout["yaxis"]["range"] = [least[-1] - room, edge + room]
        count_far = count(int(far.sum()), "end lies", "ends lie")
        words += f" {count_far} above what is drawn: triangles at the edge, with their loss."
    label = (
        f"Ends by walk: from {losses[0]:.6g} down to {least[-1]:.6g} in "
        f"{count(len(losses), 'walk')}"
    )
    return figure(traces, layout, label, caption=words.strip())


def _ends(
    name: str, made: Any, found: Minimization, k: Any, edge: float, symbol: str
) -> dict[str, Any]:
    """Ends of the walks `k`, none drawn above `edge`."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": made[k],
        "y": np.minimum(found.losses[k], edge),
        "hovertext": [
            f"{loss:.9g} after {time:.3g} s"
            for loss, time in zip(found.losses[k], found.seconds[k], strict=True)
        ],
        "hoverinfo": "x+text",
        "marker": {"size": 6, "symbol": symbol},
    }


def _edge(losses: Floats) -> float:
    """Up to where losses are drawn: all of them, unless a few lie far above the others."""
    low, middle = np.quantile(losses, [0.0, _DRAWN], method="lower")
    near = losses[losses <= low + _FAR * (middle - low)] if middle > low else losses
    return float(near.max())


def _levels(found: Minimization) -> str:
    """A table of the levels, and how they lie."""
    n = len(found.levels)
    if not n:
        return "<p>No walk came to its own end.</p>"
    apart = np.linalg.norm((found.thetas - found.thetas[0]).reshape(n, -1), axis=1)
    number = np.arange(1, n + 1)
    columns = {
        "level": number,
        "loss": found.levels,
        "proved local minimum": found.proved,
        "above the lowest": found.levels - found.levels[0],
        "distance from the lowest": apart,
    }
    marks = {
        "proved local minimum": (found.proved, "circle"),
        "not proved": (~found.proved, "x-thin-open"),
    }
    shown = evenly(n)
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": number[shown][some[shown]],
            "y": found.levels[shown][some[shown]],
            "marker": {"symbol": symbol, "size": 9, "line": {"width": 2}},
        }
        for name, (some, symbol) in marks.items()
        if some.any()
    ]
    layout = {
        "xaxis": axis("level, from the lowest up"),
        "yaxis": axis("loss"),
        "showlegend": True,
    }
    label = f"{count(n, 'level')} from the lowest up, {int(found.proved.sum())} of them proved"
    return figure(traces, layout, label, caption=note(n, "levels")) + table(
        columns,
        caption="Levels: losses at the ends of walks that came to their own end",
        digits=_DIGITS,
    )


def _walks(found: Minimization) -> str:
    columns = {
        "walk": np.arange(len(found.losses)),
        "seconds": found.seconds,
        "loss": found.losses,
        "least so far": np.minimum.accumulate(found.losses),
    }
    return table(columns, caption="Walks in their order: when and where each ended", digits=_DIGITS)


__all__ = ["sections"]
