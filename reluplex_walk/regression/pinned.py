"""Exact systems of a basis in which single samples hold single parameters at 0.

Under an L1 penalty most parameters are 0, held there by a term of their own: what is left to solve
is a small system.  A is (q, q), a row for each active sample.
"""

import numpy as np
from numpy.typing import NDArray

from ..exact.rationals import Objects, Rationals, from_fractions, objects, solve

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def solve_for_point(A: Floats, y: Floats) -> Rationals:
    """The point theta (q,) with A theta = y; ZeroDivisionError if A is singular."""
    holds, held = _pinned(A, y)
    num, den = np.zeros(len(A), object), 1
    if not held.all():
        normals, targets = Rationals.of(A[~holds][:, ~held]), Rationals.of(y[~holds])
        theta = solve(normals.num, targets.num[:, None] * normals.den)
        num[~held], den = theta.num[:, 0], theta.den * targets.den
    return Rationals(num, den)


def solve_for_prices(A: Floats, y: Floats, g: Objects) -> Objects:
    """Prices z (q,) with A^T z = g, as `Fraction`."""
    holds, held = _pinned(A, y)
    found, rest = np.zeros(len(A), object), g
    if not held.all():
        normals, gradient = Rationals.of(A[~holds].T), from_fractions(g)
        some = solve(normals.num[~held], gradient.num[~held, None] * normals.den)
        z = Rationals(some.num[:, 0], some.den * gradient.den)
        found[~holds] = z.fractions()
        rest = g - Rationals(normals.num @ z.num, normals.den * z.den).fractions()
    places = (A[holds] != 0.0).argmax(axis=1)
    entries = Rationals.of(A[holds, places]).fractions()
    found[holds] = objects([rest[j] for j in places.tolist()]) / entries
    return found


def _pinned(A: Floats, y: Floats) -> tuple[Bools, Bools]:
    """Which rows hold a parameter at 0, and which parameters they hold."""
    holds = ((A != 0.0).sum(axis=1) == 1) & (y == 0.0)
    held = (A[holds] != 0.0).any(axis=0)
    if held.sum() < holds.sum():
        raise ZeroDivisionError("two samples hold one parameter")
    return holds, held


__all__ = ["solve_for_point", "solve_for_prices"]
