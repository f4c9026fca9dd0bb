"""The sections of a report on a gradient method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .figures import figure
from .page import Section
from .scatter import axes, line
from .tables import table
from .thinned import evenly, note

if TYPE_CHECKING:
    from ..optimize.descent_path import DescentPath


def sections(path: DescentPath) -> list[Section]:
    """The loss against gradients, and the steps.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk.reports.of_descent import sections
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
    >>> [part.id for part in sections(rw.descend(loss, "sgd", 50, learning_rate=0.05))]
    ['descent', 'steps']
    """
    return [
        Section("descent", "The descent", _course(path)),
        Section("steps", "Steps", _steps(path)),
    ]


def _course(path: DescentPath) -> str:
    shown = evenly(len(path.losses))
    least = np.minimum.accumulate(path.losses)
    traces = [
        line(path.gradients[shown], path.losses[shown], "loss", line={"width": 2}),
        line(
            path.gradients[shown], least[shown], "least so far", line={"width": 2, "dash": "dash"}
        ),
    ]
    label = f"Loss against gradients: from {path.losses[0]:.6g} to {path.loss:.6g}"
    layout = axes("gradients", "loss")
    return figure(traces, layout, label, caption=note(len(path.losses), "steps are drawn"))


def _steps(path: DescentPath) -> str:
    """A row for the start and for each step."""
    columns = {
        "step": np.arange(len(path.losses)),
        "gradients": path.gradients,
        "loss": path.losses,
        "least so far": np.minimum.accumulate(path.losses),
        "share of coordinates cut": [None, *path.clip_shares],
        "length over that of its gradient": [None, *path.effective_rates],
    }
    return table(columns, caption="The start and each step", digits=9)


__all__ = ["sections"]
