"""The exact vertex that parameters in floats are a rounding of, if there is one.

Rounding a vertex moves each breakpoint's value by at most half a unit in the last place of the
absolute terms that it is made of.  So the breakpoints that may vanish at the vertex are known; it
is where they do, exactly.  On a face further parameters are free: they stay as they are, or else
all are moved, each by as little as can be of its last place.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..exact.loss import ExactLoss, Sides
from ..exact.rationals import Rationals, from_fractions, solve
from ..exact.vertex import At, independent, point_at, vertex_at, zeros
from ..problem.breakpoints import Breakpoints

Floats = NDArray[np.float64]

_HALF_ULP = 1.001 * 2.0**-53  # with what the terms themselves are rounded by


def exactly_at(exact: ExactLoss, theta: Rationals) -> At | None:
    """The point `theta` (D,) itself as a vertex of what vanishes there."""
    signs = exact.signs(theta)
    sides = _sides(signs)
    return point_at(exact, theta, independent(exact, zeros(signs), sides), sides)


def rounded_vertices(exact: ExactLoss, theta: Floats) -> Iterator[At]:
    """Exact vertices whose nearest floats are `theta` (h, q), but for `theta` itself."""
    point = Rationals.of(theta.ravel())
    vanishing, sides = _vanishing(exact, theta, point)
    if not vanishing.stage.size:
        return
    active = independent(exact, vanishing, sides)
    for at in (vertex_at(exact, point, active, sides), _least_moved(exact, point, active, sides)):
        if at is not None and (at[0].theta.floats() == theta.ravel()).all():
            yield at


def _sides(signs: Sides) -> Sides:
    return [np.where(sign == 0, 1, sign).astype(np.int8) for sign in signs]


def _vanishing(exact: ExactLoss, theta: Floats, point: Rationals) -> tuple[Breakpoints, Sides]:
    """What may vanish at a vertex that `point` is a rounding of, and the sides of all at it."""
    values = exact.values(point)
    signs = [np.sign(value.num).astype(np.int8) for value in values]
    for sign, value, terms in zip(signs, values, _terms(exact, theta), strict=False):
        sign[np.abs(value.floats()) <= _HALF_ULP * terms] = 0
    exactly = [np.sign(value.num).astype(np.int8) for value in values]
    return zeros(signs), _sides(exactly)


def _terms(exact: ExactLoss, theta: Floats) -> Iterator[Floats]:
    """By what a relative change of all of `theta` by 1 changes each breakpoint's value at most."""
    loss = exact.loss
    terms = np.abs(loss.inputs) @ np.abs(theta[:, :-1]).T + np.abs(theta[:, -1])
    for w, _ in loss.tail:
        yield terms
        terms = terms @ np.abs(w).T
    yield terms[loss.owner]


def _least_moved(
    exact: ExactLoss, theta: Rationals, active: Breakpoints, sides: Sides
) -> At | None:
    """The point at which `active` vanish that is nearest to `theta`, each entry by its last place.

    With N the normals, c the values at theta and S the units: theta - S^2 N' (N S^2 N')^-1 c.
    """
    u, constants = exact.rows(active, sides)
    normals = exact.normals(active, u)
    n, size = normals.fractions(), np.abs(theta.floats())
    units = Rationals.of(np.exp2(np.floor(np.log2(np.where(size > 0.0, size, 2.0**-50)))))
    values = n @ theta.fractions() + constants
    squares = units.fractions() ** 2
    square = from_fractions((n * squares) @ n.T)
    right = from_fractions(values[:, None])
    try:
        found = solve(square.num, right.num)
    except ZeroDivisionError:
        return None
    moved = (squares[:, None] * n.T) @ found.fractions()[:, 0]
    moved = moved * square.den / right.den
    return point_at(exact, from_fractions(theta.fractions() - moved), active, sides)


__all__ = ["exactly_at", "rounded_vertices"]
