"""One walk or several on the same axes: their names, and lines for few and for many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._validate import instance, sequence
from ..simplex.trajectory import Trajectory
from ._axes import COLOURS, GREY, VERMILION, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Walks = Trajectory | Iterable[Trajectory] | Mapping[str, Trajectory]

FEW = len(COLOURS)  # so many have a line and a name each


def named(traj: Walks) -> dict[str, Trajectory]:
    """Walks by name; those without one by their seeds, or where these are equal by number."""
    if isinstance(traj, Trajectory):
        return {"walk": traj}
    if isinstance(traj, Mapping):
        walks = {str(name): each for name, each in traj.items()}
    else:
        several = sequence("traj", traj)
        for k, each in enumerate(several):
            instance(f"traj[{k}]", each, Trajectory)
        seeds = [each.options.seed for each in several]
        if len({*seeds}) == len(seeds):
            walks = {f"seed {each.options.seed}": each for each in several}
        else:
            walks = {f"walk {k}": each for k, each in enumerate(several)}
    for name, each in walks.items():
        instance(f"traj[{name!r}]", each, Trajectory)
    if not walks:
        raise ValueError("traj: expected a walk or several, found none")
    return walks


def draw_lines(ax: Axes, lines: Mapping[str, Floats], x: Floats | None = None) -> None:
    """Lines over `x` or their own entries: few by name, many faint with their median.

    A line that ends before others counts at its last value from there on.
    """
    if len(lines) <= FEW:
        for k, (name, y) in enumerate(lines.items()):
            ax.plot(np.arange(len(y)) if x is None else x, y, **line_style(k), lw=1.5, label=name)
        return
    from matplotlib.collections import LineCollection

    longest = max(map(len, lines.values()))
    at = np.arange(longest, dtype=float) if x is None else x
    each = [np.column_stack([at[: len(y)], y]) for y in lines.values()]
    faint: dict[str, Any] = {"linewidths": 0.7, "alpha": max(0.15, min(0.7, 12.0 / len(lines)))}
    ax.add_collection(LineCollection(each, colors=GREY, label=f"{len(lines)} walks", **faint))
    held = np.array([np.pad(y, (0, longest - len(y)), mode="edge") for y in lines.values()])
    ax.plot(at, np.median(held, axis=0), color=VERMILION, lw=2.0, label="median")
    ax.autoscale_view()
