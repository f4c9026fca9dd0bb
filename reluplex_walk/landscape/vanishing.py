"""Breakpoints that vanish at a point, where the gradient has no value of its own."""

import numpy as np
from numpy.typing import NDArray

from ..problem.loss import Floats, LayerLoss
from ..problem.network_loss import NetworkLoss
from ..problem.passes import Passes, Rows, passes_of

Bools = NDArray[np.bool_]
Loss = LayerLoss | NetworkLoss


def own_passes(loss: Loss) -> Passes:
    """The quick way through one of our losses."""
    return loss.passes if isinstance(loss, NetworkLoss) else passes_of(loss)


def weighed(loss: Loss, passes: Passes) -> Rows:
    """The samples that have any weight."""
    kept = np.flatnonzero(loss.sample_weight)
    return passes.rows if len(kept) == len(loss.X) else passes.some(kept)


def off_breakpoints(loss: Loss, theta: Floats, name: str, moving: Bools | None = None) -> None:
    """ValueError, which calls `theta` (h, q) or (D,) `name`, if breakpoints vanish there.

    Those that the parameters `moving` (D,), default all, leave at 0 all around, as above neurons
    that are off, do not count.
    """
    zeros = [part == 0 for part in loss.pattern(theta)]
    if not any(part.any() for part in zeros):
        return
    passes, kept = own_passes(loss), np.flatnonzero(loss.sample_weight)
    free = np.ones(loss.dim, np.bool_) if moving is None else moving
    depends = passes.depends(theta.ravel(), weighed(loss, passes), free)
    located = []
    for stage, (zero, moves) in enumerate(zip(zeros, depends, strict=False)):
        found = np.argwhere(zero[kept] & moves.T)
        located += [(stage, int(kept[i]), int(j)) for i, j in found]
    if located:
        raise ValueError(
            f"{name}: expected a point at which no breakpoint vanishes, found {len(located)} that "
            f"do, as (layer, sample, neuron) {located[0]}; take one beside it"
        )


__all__ = ["Loss", "off_breakpoints", "own_passes", "weighed"]
