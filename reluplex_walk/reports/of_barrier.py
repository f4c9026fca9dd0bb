"""The sections of a report on a barrier between two points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..plotting.barrier import _along
from .figures import figure
from .page import Section
from .scatter import axes, line
from .tables import table

if TYPE_CHECKING:
    from ..graphs.barrier_record import Barrier

_DIGITS = 9  # of losses, which differ by little


def sections(found: Barrier) -> list[Section]:
    """The loss along the path and along the straight segment, and the points of the path.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk.reports.of_barrier import sections
    >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
    >>> [part.id for part in sections(rw.barrier(loss, [3.0, -6.0], [-2.0, 2.0]))]
    ['profile', 'path']
    """
    return [
        Section("profile", "The loss on the way", _profile(found)),
        Section("path", "The path", _path(found)),
    ]


def _profile(found: Barrier) -> str:
    name = "lowest path" if found.exact else "lowest path found"
    traces = [line(*_along(found.problem, found.path), name)]
    straight = _along(found.problem, np.stack([found.a, found.b]))
    traces.append(line(*straight, "straight segment", line={"width": 2, "dash": "dash"}))
    level = line([0.0, 1.0], [found.level] * 2, f"level {found.level:.6g}", line={"dash": "dot"})
    traces.append(level)
    if not found.exact:
        bound = f"at least {found.lower:.6g}"
        traces.append(line([0.0, 1.0], [found.lower] * 2, bound, line={"dash": "dashdot"}))
    label = (
        f"Loss on the way: at most {found.level:.6g} on the path, {found.straight:.6g} on the "
        "straight segment"
    )
    return figure(traces, axes("share of the way", "loss"), label, 440)


def _path(found: Barrier) -> str:
    columns = {
        "point": np.arange(len(found.path)),
        "length of the way": found.lengths,
        "loss": found.losses,
        "highest": np.arange(len(found.path)) == found.top,
    }
    return table(
        columns, caption="Points of the path, between which it is straight", digits=_DIGITS
    )


__all__ = ["sections"]
