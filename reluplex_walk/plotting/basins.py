"""The valleys of a slice on its plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from .._validate import integer
from ..regions.plane import Slice
from ._axes import BLUE, OVER_SURFACE, VERMILION, new_axes
from ._surface import draw_surface
from .merge_tree import entitled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..graphs.merge_tree import MergeTree

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def plot_basins(
    tree: MergeTree,
    ax: Axes | None = None,
    title: str | None = None,
    path: tuple[int, int] | None = None,
    levels: int = 12,
) -> Axes:
    """The valleys of a slice on its plane: level lines, minima, passes, and what floods when.

    Beside level lines there is, lighter, the valley of each minimum up to the level at which it
    first meets another.  Its outline is exact: one straight line cuts it out of each polygon.

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
    from matplotlib.collections import LineCollection, PolyCollection

    draw_surface(ax, cut.triangulation(), cut.losses, levels, "loss")
    ends = np.flatnonzero(np.isfinite(tree.deaths))
    parts, outlines = _valleys(tree, cut)
    ax.add_collection(PolyCollection(parts, facecolor="white", edgecolor="none", alpha=0.4))
    ax.add_collection(LineCollection(outlines, color="white", lw=1.3))
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
    return entitled(ax, tree, title)


def _valleys(tree: MergeTree, cut: Slice) -> tuple[list[Floats], list[Floats]]:
    """Polygons (k, 2) that make up the valleys, each up to its first pass, and lines around them.

    A sublevel set is convex on a polygon, so that all of it belongs to the valley of its corner.
    """
    place = cKDTree(tree.points).query(cut.corners)[1]  # the point at each corner
    starts = np.append(0, cut.ends)
    parts, outlines = [], []
    for k, level in enumerate(_first_passes(tree)):
        if np.isinf(level):
            continue
        inside = _lake(tree, int(tree.minima[k]), level)[place]
        for polygon in np.unique(cut.owner[inside]):
            corners = np.arange(starts[polygon], starts[polygon + 1])
            part, line = _below(cut.corners[corners], cut.losses[corners], level)
            parts.append(part)
            if len(line) == 2:
                outlines.append(line)
    return parts, outlines


def _first_passes(tree: MergeTree) -> Floats:
    """(m,) The level at which the valley of each minimum first meets another; inf: never."""
    levels = tree.deaths.copy()
    inner = tree.parents >= 0
    np.minimum.at(levels, tree.parents[inner], tree.deaths[inner])
    return levels


def _lake(tree: MergeTree, minimum: int, level: float) -> Bools:
    """(K,) Which points are joined to `minimum` below `level`."""
    a, b = tree.links[(tree.losses[tree.links] < level).all(axis=1)].T
    size = len(tree.points)
    links = sparse.coo_matrix((np.ones(len(a)), (a, b)), (size, size))
    found = np.zeros(size, bool)
    found[csgraph.breadth_first_order(links, minimum, False, return_predecessors=False)] = True
    return found


def _below(corners: Floats, losses: Floats, level: float) -> tuple[Floats, Floats]:
    """The part of a polygon on which the loss is at most `level`, and the line that cuts it off."""
    part, line = [], []
    for k in range(len(corners)):
        before = losses[k - 1] - level, losses[k] - level
        if min(before) < 0.0 < max(before):
            share = before[0] / (before[0] - before[1])
            line.append(corners[k - 1] + share * (corners[k] - corners[k - 1]))
            part.append(line[-1])
        if losses[k] <= level:
            part.append(corners[k])
            if losses[k] == level:
                line.append(corners[k])
    return np.array(part), np.array(line)
