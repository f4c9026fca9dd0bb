"""What a few long steps from a vertex find: the geometry ahead of a walk, seen from one vertex.

Only the loss and the vertex are used, nothing of the walk beyond it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..native import walk as native
from ..native.arrays import LOSS
from ..native.refresh import new_state, place, refresh
from ..problem.loss import LayerLoss
from ..tolerances import TOLERANCES

Floats = NDArray[np.float64]

_AT_ONCE = 256  # pivots written down together


class Ahead(NamedTuple):
    """What a look-ahead found."""

    losses: Floats  # (pivots made + 1,) from the vertex on
    optimal: bool  # no half-edge descended any more


def look_ahead(loss: LayerLoss, theta: Floats, basis: NDArray[np.int64], pivots: int) -> Ahead:
    """Up to `pivots` long pivots (rule "steepest") from the vertex `theta` (h, q).

    `basis` (n_free,) are the breakpoints active there.  It stops early where no half-edge descends.
    Nothing is proved there, and degenerate vertices are left by pivots of length zero only: it is
    quick, not thorough.
    """
    kernel = loss.kernel_from(theta)
    state = new_state(kernel)
    place(kernel, state, loss.free_units.inner(theta).ravel())
    state.basis[:] = basis
    refresh(kernel, state, TOLERANCES, long_step=True)
    record = native.new_record(min(pivots, _AT_ONCE), loss.n_free)
    losses = [np.array([state.scalar[LOSS]])]
    ended, made, one = native.LIMIT, 0, 1
    while ended in (native.LIMIT, native.DRIFTED) and one and made < pivots:
        limit = min(pivots - made, _AT_ONCE)
        ended, one = native.run(
            kernel,
            state,
            native.STEEPEST,
            True,
            TOLERANCES.drift,
            native.ANY_TIED,
            0,
            limit,
            record,
        )
        losses.append(record.loss[:one].copy())
        made += one
        if ended != native.LIMIT:
            refresh(kernel, state, TOLERANCES, long_step=True)
    return Ahead(np.concatenate(losses), ended == native.OPTIMAL)


__all__ = ["Ahead", "look_ahead"]
