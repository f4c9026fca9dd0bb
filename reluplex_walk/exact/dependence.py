"""Whether aliased columns depend on the others exactly, or only up to rounding."""

import numpy as np
from scipy import linalg

from ..problem.loss import LayerLoss
from .rationals import Rationals, solve

_ROWS = 1000  # looked at together


def depends_exactly(loss: LayerLoss) -> bool:
    """Whether the aliased columns of `loss` are combinations of the free ones, in rationals.

    What is proved of the free parameters then holds of all: the others add no direction.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk.exact.dependence import depends_exactly
    >>> feet = [4.0, 1.5, 8.5]
    >>> for scale in (0.25, 0.3048):
    ...     X = [[length, scale * length] for length in feet]
    ...     depends_exactly(rw.LayerLoss(rw.ReLUNetwork.random([2, 1]), X, [1.0, 2.0, 4.0]))
    True
    False
    """
    if not len(loss.aliased):
        return True
    x = np.column_stack([loss.inputs, np.ones(len(loss.inputs))])
    free = np.flatnonzero(loss.free[0])
    columns, aliased = x[:, free], x[:, loss.aliased]
    _, order = linalg.qr((columns / np.abs(columns).max(axis=0)).T, mode="r", pivoting=True)
    some = Rationals.of(np.column_stack([columns, aliased])[order[: len(free)]]).num
    try:
        combination = solve(some[:, : len(free)], some[:, len(free) :])
    except ZeroDivisionError:
        return False
    for first in range(0, len(x), _ROWS):  # what depends up to rounding only is seen at once
        rows = slice(first, first + _ROWS)
        part = Rationals.of(np.column_stack([columns[rows], aliased[rows]])).num
        found = part[:, : len(free)] @ combination.num
        if (found != part[:, len(free) :] * combination.den).any():
            return False
    return True


__all__ = ["depends_exactly"]
