"""Whether aliased columns depend on the others exactly, or only up to rounding."""

import numpy as np
from scipy import linalg

from ..problem.loss import LayerLoss
from .rationals import Rationals, solve


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
    free, exact = np.flatnonzero(loss.free[0]), Rationals.of(x).num
    columns, aliased = exact[:, free], exact[:, loss.aliased]
    size = np.abs(x[:, free]).max(axis=0)
    _, _, order = linalg.qr((x[:, free] / size).T, mode="economic", pivoting=True)
    rows = order[: len(free)]
    try:
        combination = solve(columns[rows], aliased[rows])
    except ZeroDivisionError:
        return False
    return bool((columns @ combination.num == aliased * combination.den).all())


__all__ = ["depends_exactly"]
