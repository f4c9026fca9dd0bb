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

Floats = NDArray[np.float64]


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
