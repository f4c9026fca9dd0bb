"""The steepest way down from a point that exact arithmetic finds, per unit length.

Where nothing vanishes it is the negative gradient.  Elsewhere directions are tried: what the proof
found to descend, half-edges, and from region to region the negative gradient.  The slope of each is
its one-sided derivative in rational arithmetic, of the direction as floats hold it.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._budget import Budget
from ..exact.loss import ExactLoss, Sides
from ..exact.rationals import Rationals
from ..exact.vertex import At, vertex_work
from ..proof.end import ExactEnd
from .exact_pivots import steepest

Floats = NDArray[np.float64]

_ROUNDS = 6  # regions whose negative gradient is tried in turn


class WayDown(NamedTuple):
    """A direction, and the slope of the loss along it per unit length, < 0."""

    slope: float
    direction: Floats | None  # (D,), of length 1; None if no floats descend


def slope_along(exact: ExactLoss, signs: Sides, d: Rationals) -> tuple[Fraction, Rationals]:
    """One-sided derivative along `d` (D,) where breakpoints have these signs, and the gradient."""
    gradient = exact.gradient(exact.leave(d, signs)[0])
    product = int((gradient.num * d.num).sum())
    return Fraction(product, gradient.den * d.den), gradient


def way_down(exact: ExactLoss, at: At, seen: list[ExactEnd], budget: Budget) -> WayDown | None:
    """The steepest that is found from the point `at`; None if nothing is found to descend.

    `seen` are ends at the point or within rounding of it, whose directions are tried.
    """
    vertex, signs, _ = at
    work = vertex_work(exact.loss)
    known = [d for end in seen if (d := descent(end)) is not None]
    best: WayDown | None = None
    for start in [*known, _downhill(exact.gradient(vertex.sides))]:
        for d in _regions(exact, signs, start):
            slope, unit = _floats(exact, signs, d)
            if slope < 0 and (best is None or best.direction is None or slope < best.slope):
                best = WayDown(slope, unit)
            elif best is None and (steep := _size(slope_along(exact, signs, d)[0], d)) < 0:
                best = WayDown(steep, None)
            budget.spend(work)
            if budget.passed:
                return best
    return best


def descent(end: ExactEnd) -> Rationals | None:
    """A direction (D,) that the loss descends along from `end`, if one is known."""
    if end.verdict.direction is not None:
        return end.verdict.direction
    if end.local is not None and end.verdict.method == "none":
        return steepest(*end.local, end.vertex)[1]
    return None


def _regions(exact: ExactLoss, signs: Sides, d: Rationals) -> Iterator[Rationals]:
    """`d`, the negative gradient of the region it leads to, that of the next, and so on."""
    for _ in range(_ROUNDS):
        yield d
        after = _downhill(slope_along(exact, signs, d)[1])
        if not after.num.any() or _same(after, d):
            return
        d = after


def _downhill(gradient: Rationals) -> Rationals:
    return Rationals(-gradient.num, gradient.den)


def _same(a: Rationals, b: Rationals) -> bool:
    return bool((a.num * b.den == b.num * a.den).all())


def _floats(exact: ExactLoss, signs: Sides, d: Rationals) -> tuple[float, Floats]:
    """The slope per unit length along the unit vector in floats nearest to `d`, and that vector."""
    unit = d.unit()
    length = np.linalg.norm(unit)
    if length == 0.0:
        return 0.0, unit
    unit = unit / length
    rounded = Rationals.of(unit)
    return _size(slope_along(exact, signs, rounded)[0], rounded), unit


def _size(slope: Fraction, d: Rationals) -> float:
    """`slope` per unit length of `d`; it keeps its sign."""
    length = float(np.linalg.norm(d.floats()))
    if not slope or not length:
        return 0.0
    least = np.finfo(float).tiny.item()
    size = max(float(abs(slope) / Fraction(length)), least)
    return size if slope > 0 else -size


__all__ = ["WayDown", "descent", "slope_along", "way_down"]
