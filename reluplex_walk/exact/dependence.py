"""Whether aliased columns depend on the others exactly, or only up to rounding."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ..problem.loss import LayerLoss
from .data import ExactData
from .rationals import Objects, Rationals, objects, solve

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROWS = 1000  # looked at together


def exact_combination(loss: LayerLoss) -> Objects | None:
    """The aliased columns of `loss` by its free ones in rationals, (k, q); None if they are not.

    What is proved of the free parameters then holds of all: the others add no direction.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk.exact.dependence import exact_combination
    >>> feet = [4.0, 1.5, 8.5]
    >>> X = [[length, round(0.3 * length, 2)] for length in feet]
    >>> exact_combination(rw.LayerLoss(rw.ReLUNetwork.random([2, 1]), X, [1.0, 2.0, 4.0]))
    array([[Fraction(3, 10), 0, Fraction(0, 1)]], dtype=object)
    >>> third = [[length, length / 3.0] for length in feet]
    >>> exact_combination(rw.LayerLoss(rw.ReLUNetwork.random([2, 1]), third, [1.0, 2.0, 4.0]))
    """
    q, aliased = loss.shape[1], loss.aliased
    combination = np.zeros((len(aliased), q), object)
    free = np.flatnonzero(loss.free[0])
    if not aliased.size:
        return combination
    data = ExactData.of(loss).x
    floats = data.num[:, free]
    _, order = linalg.qr((floats / np.abs(floats).max(axis=0)).T, mode="r", pivoting=True)
    some = data.num[order[: len(free)]]
    try:
        found = solve(*_integers(some, free, aliased))
    except ZeroDivisionError:
        return None
    for first in range(0, len(data.num), _ROWS):  # what depends up to rounding is seen at once
        rows = data.num[first : first + _ROWS]
        columns, others = _integers(rows, free, aliased)
        if (columns @ found.num != others * found.den).any():
            return None
    scale = objects([Fraction(den) for den in data.den])
    combination[:, free] = found.fractions().T * scale[free] / scale[aliased][:, None]
    return combination


def _integers(rows: Floats, free: Ints, aliased: Ints) -> tuple[Objects, Objects]:
    """The columns, free and aliased, times one number that makes them integers."""
    num = Rationals.of(rows).num
    return num[:, free], num[:, aliased]


__all__ = ["exact_combination"]
