"""The tangents that prove a convex block; merging terms makes more blocks convex."""

from fractions import Fraction

import numpy as np

from .._budget import Budget
from .._programs import linear_program
from ..exact.rationals import Rationals, from_fractions, reduce, solve
from .cones import Homogeneous


def tangents(f: Homogeneous, deadline: Budget) -> tuple[Fraction, ...] | None:
    """Why a convex f is >= 0, if it is: theta in [0, 1] with  l + sum_c theta_c k_c a_c = 0.

    A linear program finds which theta are 0, 1 or between; the latter are solved for exactly.
    """
    slopes = from_fractions(f.rows * f.kinks[:, None])
    linear = from_fractions(f.linear)
    size = max(1, *(abs(v) for v in slopes.num.ravel()))
    scale = Fraction(slopes.den, size)
    result = linear_program(
        np.zeros(len(slopes.num)),
        deadline,
        A_eq=Rationals(slopes.num.T, size).floats(),
        b_eq=-np.array([float(v * scale) for v in f.linear]),
        bounds=(0.0, 1.0),
    )
    if result.x is None:
        return None
    inside = np.abs(result.x - 0.5)
    order = np.argsort(inside, kind="stable")
    _, pivots = reduce(slopes.num[order].T)
    free = order[pivots]
    fixed = np.round(result.x).astype(np.int64).astype(object)
    fixed[free] = 0
    target = -(linear.num * slopes.den + (slopes.num.T @ fixed) * linear.den)
    _, rows = reduce(slopes.num[free])
    theta = solve(slopes.num[free][:, rows].T, target[rows, None])
    # slopes.num / slopes.den theta = target / (linear.den slopes.den)
    if ((slopes.num[free].T @ theta.num)[:, 0] != target * theta.den).any():
        return None
    found = fixed.copy()
    found[free] = Rationals(theta.num[:, 0], theta.den * linear.den).fractions()
    return tuple(Fraction(v) for v in found) if all(0 <= v <= 1 for v in found) else None


def merged(f: Homogeneous) -> Homogeneous:
    """The same function with the kinks of parallel terms moved to the first of them.

    Of the terms that follow nothing, those with proportional rows (samples with equal inputs) bend
    on one hyperplane: k min(0, m t) is (k m) min(0, t) for m > 0, and for m < 0, as
    min(0, -t) = min(0, t) - t,  it is (k |m|) (min(0, t) - t).
    """
    linear, kinks = f.linear.copy(), f.kinks.copy()
    following = {c for c, _, _ in f.alpha}
    first: dict[tuple[Fraction, ...], tuple[int, Fraction]] = {}
    for c, row in enumerate(f.rows):
        lead = next((v for v in row if v != 0), None)
        if lead is None or c in following:
            continue
        at, size = first.setdefault(tuple(v / lead for v in row), (c, Fraction(lead)))
        if at == c:
            continue
        ratio = lead / size
        kinks[at] = kinks[at] + kinks[c] * abs(ratio)
        if ratio < 0:
            linear = linear + kinks[c] * ratio * f.rows[at]
        kinks[c] = Fraction(0)
    return f._replace(linear=linear, kinks=kinks)
