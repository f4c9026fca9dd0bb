"""The forms of a leaf in exact arithmetic, and multipliers in floats made exact.

The forms m_c, p_c = m_c + t_c and low_e - m_e of :class:`.Leaf`, as linear functions of (y, m).
"""

from collections.abc import Iterable
from fractions import Fraction
from math import lcm
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..exact.rationals import reduce
from .cones import Homogeneous
from .relaxation import Solution
from .witness import Bound, Leaf

Floats = NDArray[np.float64]
Form = dict[int, Fraction]  # coefficients of y_j at j, and of m_c at d + c

_SMALL = 1e-10  # multipliers of at most this share of the largest are 0


class Lifted:
    """The forms on a path of splits, made as they are asked for."""

    def __init__(self, f: Homogeneous, path: dict[int, int], near: list[Bound]) -> None:
        self.f, self.path, self.near = f, path, near
        self.d, self.n = len(f.linear), len(f.kinks)
        self.links: dict[int, list[tuple[int, Fraction]]] = {}
        for c, b, alpha in f.alpha:
            self.links.setdefault(c, []).append((b, alpha))
        self._t: dict[int, Form] = {}
        self._low: dict[int, Form] = {}

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
        """Form i: m_i, then p_(i - n), then those of the bounds by neighbours."""
        if i < self.n:
            return self.m(i)
        if i < 2 * self.n:
            one = Fraction(1)
            return combined([(one, self.m(i - self.n)), (one, self.t(i - self.n))])
        if i not in self._low:
            e, _, x, rest = self.near[i - 2 * self.n]
            parts = [(Fraction(-1), self.m(e))]
            parts += [(abs(v), self.form(c if v > 0 else self.n + c)) for c, v in x]
            parts += [(-v, self.form(j)) for j, v in rest if v < 0]
            self._low[i] = combined(parts)
        return self._low[i]

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
    f: Homogeneous, path: dict[int, int], solution: Solution, near: list[Bound]
) -> Leaf | None:
    """The leaf with multipliers that are not 0 where those in floats are not; None if none are.

    `near` are the bounds by neighbours of `solution`.
    """
    lifted = Lifted(f, path, near)
    above = solution.above
    multipliers = np.concatenate([solution.multipliers, solution.kappas])
    largest = max([*multipliers, *(kappa for kappa, _ in above.values())], default=0.0)
    bounds = []
    for e, (kappa, x) in above.items():
        if kappa > _SMALL * largest:
            bound = _Bound.of(lifted, e, kappa, np.where(np.abs(x) > _SMALL * kappa, x, 0.0))
            if bound is None:
                return None
            bounds.append(bound)
    support = [int(i) for i in np.flatnonzero(multipliers > _SMALL * largest)]
    # An m_c among them is a coordinate of its own: it takes up what the others leave of that.
    own = [i for i in support if i < lifted.n and i not in path]
    others = [i for i in support if i >= lifted.n or i in path]
    others.sort(key=lambda i: -float(multipliers[i]))
    columns = [column for bound in bounds for column in bound.columns]
    columns += [lifted.form(i) for i in others]
    guesses = [guess for bound in bounds for guess in bound.guesses] + list(multipliers[others])
    values = _near(columns, lifted.function(), {lifted.d + i for i in own}, guesses)
    if values is None:
        return None
    left = combined(
        [(Fraction(1), lifted.function()), *((-v, c) for v, c in zip(values, columns, strict=True))]
    )
    lists = []
    for bound in bounds:
        part, values = values[: len(bound.columns)], values[len(bound.columns) :]
        x_of = bound.weights(part)
        if x_of is None:
            return None
        if part[0] > 0:
            lists.append(Bound(bound.term, part[0], x_of))
    pairs = [*zip(others, values, strict=True)]
    pairs += [(i, left.pop(lifted.d + i, Fraction(0))) for i in own]
    if left or any(v < 0 for _, v in pairs):
        return None
    used = {i - 2 * lifted.n: v for i, v in pairs if i >= 2 * lifted.n and v != 0}
    return Leaf(
        tuple((i, v) for i, v in pairs if i < 2 * lifted.n and v != 0),
        (*_with_their_own(near, used, 2 * lifted.n), *lists),
    )


def _with_their_own(near: list[Bound], used: dict[int, Fraction], first: int) -> list[Bound]:
    """The bounds `used`, by their numbers and kappas, and those they refer to, numbered anew.

    `first` is the form of bound 0.
    """
    kept = set(used)
    for k in used:
        kept |= {i - first for i, _ in near[k].rest if i >= first}
    number = {k: at for at, k in enumerate(sorted(kept))}

    def rest(bound: Bound) -> tuple[tuple[int, Fraction], ...]:
        return tuple((first + number[i - first] if i >= first else i, v) for i, v in bound.rest)

    return [near[k]._replace(kappa=used.get(k, Fraction(0)), rest=rest(near[k])) for k in number]


class _Bound(NamedTuple):
    """How t_e is a sum of x_c t_c: one solution x, and what may be added to it."""

    term: int
    signs: dict[int, int]  # of the x_c, which say whether x_c stands before m_c or p_c
    x: dict[int, Fraction]
    null: list[dict[int, Fraction]]
    columns: list[Form]  # low_e - m_e with x, and what each of `null` adds to low_e
    guesses: list[float]  # factors of `columns`

    @classmethod
    def of(cls, lifted: Lifted, e: int, kappa: float, x: Floats) -> "_Bound | None":
        order = np.argsort(-np.abs(x), kind="stable")
        terms = [int(c) for c in order if x[c] != 0.0]
        found = _combinations([lifted.t(c) for c in terms], lifted.t(e))
        if found is None:
            return None
        signs = {c: 1 if x[c] > 0.0 else -1 for c in terms}

        def low(weights: dict[int, Fraction]) -> list[tuple[Fraction, Form]]:
            return [
                (signs[c] * v, lifted.form(c if signs[c] > 0 else lifted.n + c))
                for c, v in weights.items()
            ]

        one, *null = (
            {c: v for c, v in zip(terms, values, strict=True) if v != 0}
            for values in (found[0], *found[1])
        )
        first = combined([*low(one), (Fraction(-1), lifted.m(e))])
        columns = [first, *(combined(low(part)) for part in null)]
        guesses = [kappa, *(float(x[terms[column]]) for column in found[2])]
        return cls(e, signs, one, null, columns, guesses)

    def weights(self, factors: list[Fraction]) -> tuple[tuple[int, Fraction], ...] | None:
        """The x of these factors of `columns`; None if its signs are not as they should be."""
        kappa, *rest = factors
        if kappa <= 0:
            return () if not any(factors) else None
        x = combined(
            [(Fraction(1), self.x), *zip((v / kappa for v in rest), self.null, strict=True)]
        )
        return tuple(x.items()) if all(v * self.signs[c] > 0 for c, v in x.items()) else None


def _near(
    columns: list[Form], target: Form, ignored: set[int], guesses: list[float]
) -> list[Fraction] | None:
    """Factors near `guesses` with which the `columns` add up to `target`, but for some places."""
    kept = [{at: v for at, v in form.items() if at not in ignored} for form in columns]
    rest = {at: v for at, v in target.items() if at not in ignored}
    values: dict[int, Fraction] = {}
    where: dict[int, set[int]] = {}  # the columns of each coordinate
    for k, form in enumerate(kept):
        for at in form:
            where.setdefault(at, set()).add(k)
    alone = [at for at, those in where.items() if len(those) == 1]
    while alone:  # a coordinate of one column alone says what its factor is
        at = alone.pop()
        if len(where[at]) != 1:
            continue
        (k,) = where[at]
        values[k] = rest.get(at, Fraction(0)) / kept[k][at]
        rest = combined([(Fraction(1), rest), (-values[k], kept[k])])
        for other in kept[k]:
            where[other].discard(k)
            if len(where[other]) == 1:
                alone.append(other)
    open_columns = [k for k in range(len(kept)) if k not in values]
    found = _combinations([kept[k] for k in open_columns], rest)
    if found is None:
        return None
    solved = found[0]
    for null, column in zip(found[1], found[2], strict=True):
        guess = Fraction(guesses[open_columns[column]])
        solved = [v + guess * w if w else v for v, w in zip(solved, null, strict=True)]
    values.update(zip(open_columns, solved, strict=True))
    return [values[k] for k in range(len(kept))]


def _combinations(
    columns: list[Form], target: Form
) -> tuple[list[Fraction], list[list[Fraction]], list[int]] | None:
    """Factors with which the `columns` add up to `target`, and those with which they vanish.

    The former are 0 for columns that depend on those before; each of the latter has a 1 at one of
    these, which come last.
    """
    rows: dict[int, list[tuple[int, Fraction]]] = {}  # the entries of each coordinate
    for k, form in enumerate([*columns, target]):
        for at, number in form.items():
            rows.setdefault(at, []).append((k, number))
    matrix = np.zeros((len(rows), len(columns) + 1), object)
    for row, entries in zip(matrix, rows.values(), strict=True):
        den = lcm(*(number.denominator for _, number in entries))
        for k, number in entries:
            row[k] = number.numerator * (den // number.denominator)
    reduced, pivots = reduce(matrix)
    if len(columns) in pivots:  # the target is no combination
        return None

    def factors(column: int) -> list[Fraction]:
        values = [Fraction(0)] * len(columns)
        for row, pivot in zip(reduced.num, pivots, strict=True):
            values[pivot] = Fraction(row[column], reduced.den)
        return values

    dependent = sorted(set(range(len(columns))) - set(pivots))
    null = []
    for column in dependent:
        values = [-v for v in factors(column)]
        values[column] = Fraction(1)
        null.append(values)
    return factors(len(columns)), null, dependent


__all__ = ["Lifted", "exact_leaf"]
