"""Minimising under linear constraints: slopes of violations are raised until nothing is violated.

Then the minimum is that under the constraints: elsewhere they hold at no smaller loss.
"""

import numpy as np
from numpy.typing import NDArray

from ..._limits import Limits
from ..data import Slopes
from ..design import Basis, Samples
from ..proof import exact_signs, exact_vertex
from ..solver import Solution, minimise
from .linear import Demands, infeasible_by_rounding

Floats = NDArray[np.float64]

_STEEPER = 64.0  # by which the slope of a violation is raised
_RAISED = 9  # times, at most; HiGHS is asked after the first whether there is a solution


def minimise_under(
    demands: Demands,
    samples: Samples,
    slopes: Slopes,
    start: Basis | None,
    limits: Limits,
) -> tuple[Solution, Samples]:
    """The end of the solver under these demands, and the samples with the terms it was given.

    If it is proved, nothing is violated.  ValueError if nothing can satisfy all of them.
    """
    weights, pivots = demands.first_weights(samples, slopes), 0
    for raised in range(_RAISED):
        whole = demands.terms(weights).beside(samples, slopes)
        found = minimise(whole, slopes[:2], start, limits)
        pivots += found.pivots
        found = found._replace(pivots=pivots)
        if not found.proved:
            return found, whole
        violated = _violated(whole, found, demands.shares)
        if not violated.any():
            return found, whole
        if raised == 0:
            demands.check_feasible()
        weights[violated] *= _STEEPER
        start = found.basis
    raise infeasible_by_rounding()


def _violated(samples: Samples, found: Solution, shares: Floats) -> NDArray[np.bool_]:
    """Which of the last terms are violated at the exact vertex of a proved solution."""
    first = samples.y.size - len(shares)
    side = found.side[first:]
    wrong = (shares == 0.5) | (side == np.where(shares == 0.0, -1.0, 1.0))
    wrong[found.basis.rows[found.basis.rows >= first] - first] = False
    doubtful = np.flatnonzero(wrong)
    if len(doubtful):
        vertex = exact_vertex(samples, found.basis.rows)
        wrong[doubtful] = exact_signs(samples, vertex, first + doubtful) != 0
    return wrong


__all__ = ["minimise_under"]
