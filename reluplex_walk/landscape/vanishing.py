"""Breakpoints that vanish at a point, where the gradient has no value of its own."""

import numpy as np
from numpy.typing import NDArray

from ..problem.either import Loss, passes_of, weighed
from ..problem.loss import Floats

Bools = NDArray[np.bool_]


def off_breakpoints(loss: Loss, theta: Floats, name: str, moving: Bools | None = None) -> None:
    """ValueError, which calls `theta` (h, q) or (D,) `name`, if breakpoints vanish there.

    Those that the parameters `moving` (D,), default all, leave at 0 all around, as above neurons
    that are off, do not count.
    """
    zeros = [part == 0 for part in loss.pattern(theta)]
    if not any(part.any() for part in zeros):
        return
    passes, kept = passes_of(loss), np.flatnonzero(loss.sample_weight)
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


__all__ = ["off_breakpoints"]
