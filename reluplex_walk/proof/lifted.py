"""The forms of a leaf in exact arithmetic, and multipliers in floats made exact.

The forms m_c and p_c = m_c + t_c of :mod:`reluplex_walk.proof.tree`, as linear functions of (y, m).
"""

from collections.abc import Iterable
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

from ..exact.rationals import reduce
from .cones import Homogeneous
from .witness import Leaf

Floats = NDArray[np.float64]
Form = dict[int, Fraction]  # coefficients of y_j at j, and of m_c at d + c

_SMALL = 1e-10  # multipliers of at most this share of the largest are 0


class Lifted:
    """The forms on a path of splits, made as they are asked for."""

    def __init__(self, f: Homogeneous, path: dict[int, int]) -> None:
        self.f, self.path = f, path
        self.d, self.n = len(f.linear), len(f.kinks)
        self.links: dict[int, list[tuple[int, Fraction]]] = {}
        for c, b, alpha in f.alpha:
            self.links.setdefault(c, []).append((b, alpha))
        self._t: dict[int, Form] = {}

    def t(self, c: int) -> Form:
        """t_c."""
        if c not in self._t:
            parts = [
                (Fraction(1), {j: Fraction(v) for j, v in enumerate(self.f.rows[c]) if v != 0})
            ]
            parts += [(-alpha, self.m(b)) for b, alpha in self.links.get(c, [])]
            self._t[c] = combined(parts)
        return self._t[c]

    def m(self, c: int) -> Form:
        """m_c = max(0, -t_c)."""
        sign = self.path.get(c)
        if sign is None:
            return {self.d + c: Fraction(1)}
        return {} if sign > 0 else combined([(Fraction(-1), self.t(c))])

    def form(self, i: int) -> Form:
        """Form i: m_i, or p_(i - n)."""
        if i < self.n:
            return self.m(i)
        one = Fraction(1)
        return combined([(one, self.m(i - self.n)), (one, self.t(i - self.n))])

    def function(self) -> Form:
        """F itself."""
        parts = [(Fraction(1), {j: Fraction(v) for j, v in enumerate(self.f.linear)})]
        parts += [(-Fraction(k), self.m(c)) for c, k in enumerate(self.f.kinks) if k != 0]
        return combined(parts)


def combined(parts: Iterable[tuple[Fraction, Form]]) -> Form:
    """The sum of multiples of forms."""
    total: Form = {}
    for factor, form in parts:
        if factor != 0:
            for at, value in form.items():
                total[at] = total.get(at, Fraction(0)) + factor * value
    return {at: value for at, value in total.items() if value != 0}


def exact_leaf(
    f: Homogeneous,
    path: dict[int, int],
    multipliers: Floats,
    above: dict[int, tuple[float, Floats]],
) -> Leaf | None:
    """The leaf with multipliers that are not 0 where those in floats are not; None if none are.

    ``multipliers`` (2n,) of the forms; ``above``: term, kappa, and x (n,) times kappa.
    """
    lifted = Lifted(f, path)
    bounds: list[tuple[int, tuple[tuple[int, Fraction], ...], Form]] = []
    kappas_in_floats = [kappa for kappa, _ in above.values()]
    largest = max([*kappas_in_floats, *multipliers], default=0.0)
    for e, (kappa, weights) in above.items():
        if kappa <= _SMALL * largest:
            continue
        order = np.argsort(-np.abs(weights), kind="stable")
        order = order[np.abs(weights[order]) > _SMALL * kappa]
        exact = _solution([lifted.t(int(c)) for c in order], lifted.t(e))
        if exact is None:
            return None
        x = tuple((int(c), v) for c, v in zip(order, exact, strict=True) if v != 0)
        low = [(abs(v), lifted.form(c if v > 0 else lifted.n + c)) for c, v in x]
        bounds.append((e, x, combined([*low, (Fraction(-1), lifted.m(e))])))
    order = np.argsort(-multipliers, kind="stable")
    order = order[multipliers[order] > _SMALL * largest]
    forms = [lifted.form(int(i)) for i in order]
    values = _solution([low for _, _, low in bounds] + forms, lifted.function())
    if values is None or any(v < 0 for v in values):
        return None
    kappas, lambdas = values[: len(bounds)], values[len(bounds) :]
    return Leaf(
        tuple((int(i), v) for i, v in zip(order, lambdas, strict=True) if v != 0),
        tuple((e, kappa, x) for (e, x, _), kappa in zip(bounds, kappas, strict=True) if kappa != 0),
    )


def _solution(columns: list[Form], target: Form) -> list[Fraction] | None:
    """Factors with which the `columns` add up to `target`, those of dependent ones 0."""
    rows: dict[int, list[tuple[int, Fraction]]] = {}  # the entries of each coordinate
    for k, form in enumerate([*columns, target]):
        for at, number in form.items():
            rows.setdefault(at, []).append((k, number))
    if not rows:
        return [Fraction(0)] * len(columns)
    matrix = np.zeros((len(rows), len(columns) + 1), object)
    for row, entries in zip(matrix, rows.values(), strict=True):
        den = lcm(*(number.denominator for _, number in entries))
        for k, number in entries:
            row[k] = number.numerator * (den // number.denominator)
    reduced, pivots = reduce(matrix)
    if len(columns) in pivots:  # the target is no combination
        return None
    values = [Fraction(0)] * len(columns)
    for row, pivot in zip(reduced.num, pivots, strict=True):
        values[pivot] = Fraction(row[-1], reduced.den)
    return values


__all__ = ["Lifted", "exact_leaf"]
