"""A start near the minimum of a sparse regression: an interior point method on the dual problem.

Portnoy and Koenker (Statistical Science 12, 1997), with the predictor and corrector of Mehrotra
(SIAM J. Optim. 2, 1992); nothing that it finds is trusted.
"""

import numpy as np
from numpy.typing import NDArray

from ..._limits import Limits
from ...native.lad_sparse_interior import advance, begin, correct, predict, step
from .columns import Normal, Parts

Floats = NDArray[np.float64]

_MOST = 60  # steps
_ENOUGH = 1e-6  # of the gap at the start: a vertex is near
_SHARE = 0.9995  # of the way to the boundary


def near_minimum(parts: Parts, limits: Limits, enough: float = _ENOUGH) -> Floats:
    """Theta (q,) with `enough` of the duality gap at the start, or where `limits` were over."""
    columns, state = parts.columns, parts.interior()
    below, above = columns.slopes
    parts.least_squares(state)
    Normal(state).solve()
    apart, rest = state.d_apart.copy(), state.d_rest.copy()
    first = gap = begin(columns, state, above / (below + above))
    for _ in range(_MOST):
        if gap <= enough * first or limits.over is not None:
            break
        parts.weigh(state)
        normal = Normal(state)
        if normal.failed:
            break
        normal.solve()
        *most, of_x, of_both = predict(columns, state)
        x, z = (min(1.0, _SHARE * part) for part in most)
        left = max(1.0 - z + ((x - z) * of_x + x * z * of_both) / gap, 0.0)  # of the gap
        correct(columns, state, gap * left**3 / (2 * columns.y.size))
        normal.solve()
        along = [min(1.0, _SHARE * part) for part in step(columns, state)]
        new = advance(state, *along)
        if not np.isfinite(new):
            break
        apart += along[1] * state.d_apart
        rest += along[1] * state.d_rest
        gap = new
        if max(along) < 1e-3:
            break
    return -parts.whole(apart, rest)


__all__ = ["near_minimum"]
