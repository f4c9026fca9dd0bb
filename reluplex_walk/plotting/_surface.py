"""A loss over a plane that is affine on triangles, as bands between level lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..tolerances import PLOTTING
from ._axes import SCALE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.tri import Triangulation

    from ..regions.plane import Slice

Floats = NDArray[np.float64]

_DENSE = 1_000  # polygons of which the edges are drawn in full
_RUN = 100  # edges in one path: far quicker than a path for each


def draw_surface(
    ax: Axes, triangles: Triangulation, losses: Floats, levels: int, label: str
) -> None:
    """Bands of colour between `levels` level lines, and the bar that explains them.

    On a triangle the loss is affine, so bands and lines are exact (shading that interpolates
    colours is not, as no scale of colours is a straight line).
    """
    from matplotlib.colors import BoundaryNorm

    bounds = level_bounds(losses, levels)
    norm = BoundaryNorm(bounds.tolist(), 256)  # colours at equal steps, whatever the range
    bands = ax.tricontourf(triangles, losses, bounds, cmap=SCALE, norm=norm)
    ax.tricontour(triangles, losses, bounds[1:-1], colors="k", linewidths=0.4)
    bar = ax.figure.colorbar(bands, ax=ax, label=label, spacing="uniform")
    ticks = bounds[:: max(1, levels // 5)].tolist()
    bar.set_ticks(ticks, labels=[f"{level:.4g}" for level in ticks])


def draw_edges(ax: Axes, cut: Slice) -> None:
    """The edges of the polygons, each once, and the fainter the more there are."""
    from matplotlib.collections import LineCollection

    faint = min(1.0, (_DENSE / max(1, len(cut))) ** 0.5)
    edges = unique_edges(cut)
    broken = np.concatenate([edges, np.full_like(edges[:, :1], np.nan)], axis=1)  # NaN: pen up
    runs = [broken[k : k + _RUN].reshape(-1, 2) for k in range(0, len(broken), _RUN)]
    lines = LineCollection(runs, colors="w", linewidths=max(0.1, 0.5 * faint), alpha=faint)
    ax.add_collection(lines, autolim=False)


def unique_edges(cut: Slice) -> Floats:
    """Ends (E, 2, 2) of the edges of all polygons, those that two of them share once.

    Two polygons have their common corners from computations of their own: corners are the same
    up to rounding, and an edge that is taken for two is drawn twice.
    """
    following = np.arange(len(cut.corners)) + 1
    following[cut.ends - 1] = np.concatenate([[0], cut.ends[:-1]])
    low, high = np.array(cut.extent[::2]), np.array(cut.extent[1::2])
    places = np.rint((cut.corners - low) / (high - low) / PLOTTING.same).astype(np.int64)
    names = np.unique(places, axis=0, return_inverse=True)[1].reshape(-1)
    ends = np.sort(np.column_stack([names, names[following]]), axis=1)
    once = np.unique(ends[:, 0] * np.int64(len(names) + 1) + ends[:, 1], return_index=True)[1]
    return np.stack([cut.corners[once], cut.corners[following[once]]], axis=1)


def level_bounds(losses: Floats, levels: int) -> Floats:
    """The levels of the lines, ascending, between bounds below and above all `losses` (C,).

    They are at equal steps of the rank among the losses of corners, so that valleys and slopes
    show whatever the range; and midway between two of those, where no line runs along a flat edge.
    """
    values = np.unique(losses)
    room = PLOTTING.same * (np.ptp(values) + np.abs(values).max())
    values = values[np.append(True, np.diff(values) > room)]
    between = (values[1:] + values[:-1]) / 2.0
    # levels + 2 ranks, of which the outermost are the bounds.
    ranks = np.linspace(0, between.size, levels + 2)[1:-1].astype(int)
    inner = between[np.unique(ranks)] if between.size else between
    return np.concatenate([[losses.min() - room], inner, [losses.max() + room]])
