"""The topology of a terrain: the merge tree, the persistence diagram, and valleys on a plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._validate import integer
from ..regions.plane import Slice
from ._axes import BLUE, GREY, OVER_SURFACE, VERMILION, new_axes
from ._surface import draw_surface

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..graphs.merge_tree import MergeTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROOM = 0.12  # above the highest pass, of the range of losses, for what never merges


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
        ax.plot(*marks, "s", color=BLUE, mfc="white", ms=_size(order) - 1.0, label="pass")
    for line in endless:
        ax.plot(*line[-1], "^", color=BLUE, ms=_size(order))
    shown = f"{len(order)} of {len(tree)} minima, the most persistent"
    ax.set(xlabel="minima" if len(order) == len(tree) else shown, ylabel="loss")
    ax.set_xticks([])
    ax.margins(x=0.05)
    ax.legend(loc="best")
    return _entitled(ax, tree, title)


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
    return _entitled(ax, tree, title)


def plot_basins(
    tree: MergeTree,
    ax: Axes | None = None,
    title: str | None = None,
    path: tuple[int, int] | None = None,
    levels: int = 12,
) -> Axes:
    """The valleys of a slice on its plane: level lines, minima, passes, and what floods when.

    Beside level lines there are the outlines, white, of the valley of each minimum just before it
    meets another.  They are exact: on a polygon a sublevel set is cut out by one straight line.

    Parameters
    ----------
    tree : MergeTree
        That of a slice: ``rw.merge_tree(rw.slice(...))``.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    title : str, optional
    path : pair of int, optional
        Two minima: draw the path between them over their lowest pass.
    levels : int, default 12
        Number of level lines.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError, TypeError
        If the tree is not that of a slice, or `path` or `levels` do not fit.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
    >>> tree = rw.merge_tree(rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], extent=8.0))
    >>> ax = plotting.plot_basins(tree, ax=Figure().subplots(), path=(0, 1))
    >>> [text.get_text() for text in ax.get_legend().texts]
    ['path between minima 0 and 1', 'minimum', 'pass']
    """
    cut = tree.terrain
    if not isinstance(cut, Slice):
        raise ValueError("tree: expected the merge tree of a slice, found that of a graph")
    integer("levels", levels, 1)
    ax = new_axes(ax)
    triangles = cut.triangulation()
    draw_surface(ax, triangles, cut.losses, levels, "loss")
    ends = np.flatnonzero(np.isfinite(tree.deaths))
    passes = np.unique(tree.deaths[ends])
    if passes.size:
        ax.tricontour(triangles, cut.losses, passes, colors="white", linewidths=1.2)
    if path is not None:
        i, j = path
        steps = tree.points[tree.path(i, j)]
        ax.plot(*steps.T, color=VERMILION, lw=1.8, label=f"path between minima {i} and {j}")
    minima, saddles = tree.points[tree.minima], tree.points[tree.saddles[ends]]
    ax.plot(*minima.T, "o", color=VERMILION, mec="white", ms=7, label="minimum", ls="")
    if ends.size:
        ax.plot(*saddles.T, "s", color=BLUE, mec="white", ms=6, label="pass", ls="")
    ax.set(xlim=cut.extent[:2], ylim=cut.extent[2:], xlabel="s", ylabel="t")
    ax.legend(loc=OVER_SURFACE)
    return _entitled(ax, tree, title)


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


def _entitled(ax: Axes, tree: MergeTree, title: str | None) -> Axes:
    """The title, or, where there is none, a word that levels are not exact."""
    if title is not None or not tree.exact:
        ax.set_title(title if title is not None else "not exact: passes are upper bounds")
    return ax
