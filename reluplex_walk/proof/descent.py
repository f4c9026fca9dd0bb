"""A search for a point at which a positively homogeneous function is negative, in floats.

From random directions: the terms that bend downwards are taken as they are at the direction (they
lie below that), the signs of terms that others follow are kept, and a linear program minimises what
is left, which is convex.  Its solution is the next direction, until the signs stay.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .._budget import Budget
from ..exact.rationals import Objects, objects
from ..tolerances import PROOF
from .cones import Homogeneous, rates, value
from .relaxation import Relaxation

Floats = NDArray[np.float64]

_ROUNDS = 8  # linear programs from each direction


def search(f: Homogeneous, relaxation: Relaxation, starts: int, deadline: Budget) -> Objects | None:
    """A point (d,) with f < 0, looked for from `starts` directions until `deadline`."""
    rng = np.random.default_rng(0)
    n, d = relaxation.rows.shape
    for k in range(starts):
        if deadline.passed:
            break
        start = np.asarray(rng.normal(size=d))
        if k % 3 == 1:  # near the normal of a term
            near = rng.choice([-1, 1]) * relaxation.rows[rng.integers(n)]
            start = np.asarray(near + 1e-3 * start)
        point = _fall(f, relaxation, start, deadline)
        if point is not None:
            return point
    return None


def exact_point(f: Homogeneous, relaxation: Relaxation, y: Floats) -> Objects | None:
    """The point at the scaled coordinates `y` (d,), if f < 0 there, exactly."""
    if relaxation.value(y) >= -PROOF.relaxed:
        return None
    y = relaxation.back @ y
    point = objects([Fraction(v) for v in (y / np.abs(y).max()).tolist()])
    return point if value(f, point, rates(f, point)) < 0 else None


def _fall(f: Homogeneous, relaxation: Relaxation, y: Floats, deadline: Budget) -> Objects | None:
    before: NDArray[np.bool_] | None = None
    for _ in range(_ROUNDS):
        positive = relaxation.rates(y) > 0.0
        if before is not None and (positive == before).all():
            return None
        before = positive
        found = relaxation.convex_part(positive, deadline)
        if found is None:
            return None
        y = found
        point = exact_point(f, relaxation, y)
        if point is not None:
            return point
    return None


__all__ = ["exact_point", "search"]
