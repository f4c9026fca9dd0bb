"""The sections of a report on a merge tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..plotting.merge_tree import _above, _deepest, _side_by_side
from .figures import figure
from .head import paragraphs
from .page import Section
from .said.record import count
from .scatter import axes, line
from .tables import table

if TYPE_CHECKING:
    from ..graphs.merge_tree import MergeTree

Floats = NDArray[np.float64]

_MINIMA = 60  # that are drawn
_PAIRS = 25  # minima whose barriers are listed in pairs
_DIGITS = 9  # of losses, which differ by little


def sections(tree: MergeTree) -> list[Section]:
    """The tree, the persistence diagram, and the minima and passes as tables.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk.reports.of_merge_tree import sections
    >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
    >>> [part.id for part in sections(rw.merge_tree(loss))]
    ['tree', 'persistence', 'minima', 'barriers']
    """
    if not len(tree):
        return []
    parts = [
        Section("tree", "The merge tree", _tree(tree)),
        Section("persistence", "The persistence diagram", _diagram(tree)),
        Section("minima", "Valleys", _minima(tree)),
    ]
    if len(tree) > 1:
        parts.append(Section("barriers", "Barriers between them", _pairs(tree)))
    return parts


def _tree(tree: MergeTree) -> str:
    """Lines rise from each minimum to the pass at which its valley meets a lower one."""
    order = _side_by_side(tree, _deepest(tree, _MINIMA))
    place = {k: x for x, k in enumerate(order)}
    top = _above(tree, order)
    x: list[float | None] = []
    y: list[float | None] = []
    passes = []
    for k in order:
        birth, death, parent = float(tree.births[k]), float(tree.deaths[k]), int(tree.parents[k])
        if parent < 0:
            x, y = [*x, place[k], place[k], None], [*y, birth, top, None]
            continue
        x, y = [*x, place[k], place[k], place[parent], None], [*y, birth, death, death, None]
        passes.append((place[parent], death, k))
    traces = [
        {"type": "scatter", "mode": "lines", "name": "valley", "x": x, "y": y, "hoverinfo": "skip"},
        _marks("minimum", range(len(order)), tree.births[order], order, "circle"),
    ]
    if passes:
        at, levels, whose = zip(*passes, strict=True)
        traces.append(_marks("pass", at, np.array(levels), whose, "square-open"))
    layout = axes("", "loss", xaxis={"showticklabels": False, "title": {"text": "valleys"}})
    caption = "A line that reaches the top never meets a lower valley."
    if len(order) < len(tree):
        caption += f" The {len(order)} valleys of the largest persistence, of {len(tree)}."
    label = f"Merge tree of {count(len(order), 'valley')}: minima at their loss, joined at passes"
    return figure(traces, layout, label, 440, caption=caption)


def _marks(name: str, x: Any, y: Floats, whose: Any, symbol: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [*map(float, x)],
        "y": y,
        "hovertext": [f"valley {k + 1}: {level:.9g}" for k, level in zip(whose, y, strict=True)],
        "marker": {"symbol": symbol, "size": 10, "line": {"width": 2}},
    }


def _diagram(tree: MergeTree) -> str:
    """Losses of minima against those of their passes."""
    ends = np.isfinite(tree.deaths)
    every = np.arange(len(tree))
    low, top = float(tree.births.min()), _above(tree, every.tolist())
    traces = [
        line([low, top], [low, top], "no height", line={"width": 1, "dash": "dot"}),
        _never(tree, every[~ends], top),
    ]
    if ends.any():
        k = every[ends]
        dots = _marks("valleys that end", tree.births[k], tree.deaths[k], k, "circle")
        traces.insert(1, dots)
    words = "The further above the line, the further a valley has to be climbed to leave it."
    label = f"Persistence diagram of {count(len(tree), 'valley')}"
    layout = axes("birth: loss of the minimum", "death: loss of the pass")
    return figure(traces, layout, label, 440, caption=words)


def _never(tree: MergeTree, k: NDArray[np.int64], top: float) -> dict[str, Any]:
    """Those that never end, at the top."""
    marks = _marks("valleys that never end", tree.births[k], tree.births[k], k, "triangle-up")
    return {**marks, "y": np.full(len(k), top)}


def _minima(tree: MergeTree) -> str:
    into = [int(parent) + 1 if parent >= 0 else None for parent in tree.parents]
    columns = {
        "valley": np.arange(1, len(tree) + 1),
        "loss of its minimum": tree.births,
        "proved local minimum": tree.proved,
        "merges at": [float(x) if np.isfinite(x) else None for x in tree.deaths],
        "above its minimum": [float(x) if np.isfinite(x) else None for x in tree.persistence],
        "into": into,
        "point": tree.minima,
    }
    return table(columns, caption="Valleys, from the lowest minimum up", digits=_DIGITS)


def _pairs(tree: MergeTree) -> str:
    """The barrier of each pair of the lowest minima."""
    m = min(len(tree), _PAIRS)
    levels = tree.barriers()[:m, :m]
    i, j = np.triu_indices(m, 1)
    columns = {
        "from": i + 1,
        "to": j + 1,
        "barrier": [float(x) if np.isfinite(x) else None for x in levels[i, j]],
        "above the higher": [
            float(x) if np.isfinite(x) else None for x in levels[i, j] - tree.births[j]
        ],
    }
    what = (
        "the level of the lowest pass"
        if tree.exact
        else "the level of the lowest pass that was found, an upper bound"
    )
    few = f", of the {m} lowest valleys" if m < len(tree) else ""
    return paragraphs([f"A barrier is {what}{few}."]) + table(
        columns, caption="Barriers between pairs of valleys", digits=_DIGITS
    )


__all__ = ["sections"]
