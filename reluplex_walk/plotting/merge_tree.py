"""The topology of a terrain: the merge tree and the persistence diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._validate import integer
from ._axes import BLUE, GREY, VERMILION, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..graphs.merge_tree import MergeTree

_ROOM = 0.12  # above the highest pass, of the range of losses, for what never merges
_NUMBERED = 20  # minima at most whose numbers are written


def plot_merge_tree(
    tree: MergeTree, ax: Axes | None = None, title: str | None = None, most: int = 40
) -> Axes:
    """The merge tree: minima as leaves at their loss, joined at the passes between them.

    A line rises from each minimum to the level at which its valley meets that of a lower one, and
    leads across to it; none cross.  Of many minima those of the largest persistence are shown, and
    the axis says how many there are: what is left out are shallow dents in the valleys shown.

    Parameters
    ----------
    tree : MergeTree
        As from :func:`reluplex_walk.merge_tree`.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    title : str, optional
    most : int, default 40
        Minima to be shown at most.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        If `most` is not at least 1.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
    >>> ax = plotting.plot_merge_tree(rw.merge_tree(loss), ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('minima', 'loss')
    >>> [text.get_text() for text in ax.get_legend().texts]
    ['minimum', 'pass']
    """
    integer("most", most, 1)
    ax = new_axes(ax)
    from matplotlib.collections import LineCollection

    order = _side_by_side(tree, _deepest(tree, most))
    place = {k: x for x, k in enumerate(order)}
    top = _above(tree, order)
    lines, endless, passes = [], [], []
    for k in order:
        x, birth, death, parent = place[k], tree.births[k], tree.deaths[k], int(tree.parents[k])
        if parent < 0:
            endless.append([(x, birth), (x, top)])
        else:
            lines.append([(x, birth), (x, death), (place[parent], death)])
            passes.append((place[parent], death))
    ax.add_collection(LineCollection(lines, color=BLUE, lw=1.5))
    ax.add_collection(LineCollection(endless, color=BLUE, lw=1.5))
    ax.plot(
        range(len(order)),
        tree.births[order],
        "o",
        color=VERMILION,
        ms=_size(order),
        label="minimum",
    )
    if passes:
        marks = np.array(passes).T
        ax.plot(
            *marks, "s", color=BLUE, mfc=ax.get_facecolor(), ms=_size(order) - 1.0, label="pass"
        )
    for line in endless:
        ax.plot(*line[-1], "^", color=BLUE, ms=_size(order))
    shown = f"{len(order)} of {len(tree)} minima, the most persistent"
    ax.set(xlabel="minima" if len(order) == len(tree) else shown, ylabel="loss")
    few = len(order) <= _NUMBERED
    ax.set_xticks(range(len(order)) if few else [], [str(k) for k in order] if few else [])
    ax.margins(x=0.05)
    ax.legend(loc="lower right")  # where the lowest are not
    return entitled(ax, tree, title)


def plot_persistence(tree: MergeTree, ax: Axes | None = None, title: str | None = None) -> Axes:
    """The persistence diagram: the levels at which valleys begin against those at which they end.

    The further above the diagonal, the further a valley has to be climbed to leave it downwards.
    What never ends, as the lowest valley, is a triangle on a line of its own at the top.

    Parameters
    ----------
    tree : MergeTree
        As from :func:`reluplex_walk.merge_tree`.
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
    >>> ax = plotting.plot_persistence(rw.merge_tree(loss), ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().texts]
    ['valleys that end', 'valleys that never end']
    """
    ax = new_axes(ax)
    ends = np.isfinite(tree.deaths)
    every = np.arange(len(tree))
    low, top = float(np.min(tree.births, initial=np.inf)), _above(tree, every.tolist())
    if not len(tree):
        low = top = 0.0
    ax.plot([low, top], [low, top], color=GREY, lw=1.0, zorder=1)
    if ends.any():
        points = tree.births[ends], tree.deaths[ends]
        ax.plot(*points, "o", color=BLUE, ms=6, label="valleys that end")
    if not ends.all():
        ax.axhline(top, color=GREY, lw=1.0, ls=":", zorder=1)
        never = tree.births[~ends]
        ax.plot(
            never,
            np.full(len(never), top),
            "^",
            color=VERMILION,
            ms=8,
            label="valleys that never end",
        )
    ax.set(xlabel="birth: loss of the minimum", ylabel="death: loss of the pass")
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="lower right")
    return entitled(ax, tree, title)


def _deepest(tree: MergeTree, most: int) -> list[int]:
    """The minima of largest persistence, and so, with each, the one it merges into."""
    return np.argsort(-tree.persistence, kind="stable")[:most].tolist()


def _side_by_side(tree: MergeTree, shown: list[int]) -> list[int]:
    """The minima `shown` from left to right so that the lines of the tree do not cross.

    To the right of each minimum are those that merge into it, the first to do so next to it.
    """
    inside: dict[int, list[int]] = {}
    for k in sorted(shown, key=lambda k: (tree.deaths[k], tree.births[k])):
        inside.setdefault(int(tree.parents[k]), []).append(k)
    order: list[int] = []
    ahead = inside.get(-1, [])[::-1]
    while ahead:
        order.append(k := ahead.pop())
        ahead.extend(inside.get(k, [])[::-1])
    return order


def _above(tree: MergeTree, shown: list[int]) -> float:
    """A level above all of those shown."""
    levels = np.concatenate([tree.births[shown], tree.deaths[shown]])
    levels = levels[np.isfinite(levels)]
    if not levels.size:
        return 0.0
    room = _ROOM * float(np.ptp(levels)) or _ROOM * abs(float(levels[0])) or 1.0
    return float(levels.max()) + room


def _size(order: list[int]) -> float:
    """Of marks: smaller where there are many."""
    return 7.0 if len(order) <= 20 else 4.5


def entitled(ax: Axes, tree: MergeTree, title: str | None) -> Axes:
    """The title, or, where there is none, a word that levels are not exact."""
    if title is not None or not tree.exact:
        ax.set_title(title if title is not None else "not exact: passes are upper bounds")
    return ax
