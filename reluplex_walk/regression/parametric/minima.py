"""Exact statements about the minima of a regression that has a parameter, tau or another.

A basis is a minimum for an interval of the parameter: as long as its multipliers, which are lines
in it, are in their ranges.
"""

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..._limits import Limits
from ...exact.rationals import Objects, Rationals, from_fractions, objects, solve
from ...native.lad_rounding import error_bounds
from ..data import Units
from ..design import Samples
from ..proof import OptimalityTest, exact_signs, exact_vertex, weighted_sums
from ..solver import minimise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Exact = tuple[Fraction, ...]


class Piece(NamedTuple):
    """A minimum for an interval of tau, exactly."""

    low: Fraction
    high: Fraction
    rows: Ints  # (q,) its basis
    theta: Exact


class Parameter(NamedTuple):
    """By what the gradient changes: tau, or another that tilts the loss.

    With the sum ``above`` of w x over residuals above 0, the gradient of all samples but those of
    the basis is ``above - offset - parameter rate``, up to what is 0 for the basis.
    """

    rate: Objects  # (q,)
    offset: Objects  # (q,)
    low: Fraction
    high: Fraction
    is_tau: bool  # all there is lies within the range then

    @classmethod
    def tau(cls, samples: Samples) -> "Parameter":
        """The quantile."""
        total = weighted_sums(samples.x, samples.w)
        return cls(total, objects([Fraction(0)] * len(total)), Fraction(0), Fraction(1), True)

    @classmethod
    def tilt(cls, samples: Samples, tau: Fraction, j: int, most: float) -> "Parameter":
        """The loss minus ``s theta_j`` for s from -most to most."""
        total = weighted_sums(samples.x, samples.w) * tau
        rate = objects([Fraction(int(k == j)) for k in range(len(total))])
        return cls(rate, total, Fraction(-most), Fraction(most), False)


class Line(NamedTuple):
    """The interval in which the multipliers of a basis, lines in the parameter, are in range."""

    low: Fraction | float  # low > high: there is none
    high: Fraction | float
    first: int  # half-edge that becomes flat at `high`: twice its row, + 1 upwards; -1 if none
    last: int  # and at `low`


class Minima:
    """Exact statements about bases of one problem."""

    def __init__(self, samples: Samples, units: Units, parameter: Parameter) -> None:
        self.samples, self.units, self.parameter = samples, units, parameter
        self.test = OptimalityTest(samples, (Fraction(0), Fraction(1)))

    def shares(self, rows: Ints, side: Floats) -> tuple[Objects, Objects]:
        """Rates and prices (q,) of the multipliers ``parameter rate - price`` of a basis.

        `side` (n,) are the sides of residuals ``fit - y``.
        """
        above, normals = self.test.prices(rows, side), Rationals.of(self.samples.x[:, rows])
        both = from_fractions(np.column_stack(self.parameter[:2]))
        found = solve(normals.num, both.num * normals.den)
        rate, offset = Rationals(found.num, found.den * both.den).fractions().T
        return rate, above - offset

    def lines(self, rows: Ints, side: Floats) -> Line:
        """Where the multipliers of the basis `rows` are in their ranges."""
        rate, price = self.shares(rows, side)
        low: Fraction | float = -math.inf
        high: Fraction | float = math.inf
        first, last = -1, -1
        if self.parameter.is_tau:
            low, high = self.parameter[2:4]
        for k, (u, p, weight) in enumerate(
            zip(rate, price, self.samples.w[rows].tolist(), strict=True)
        ):
            if u == 0:
                if not 0 <= -p <= weight:
                    return Line(Fraction(1), Fraction(0), -1, -1)
                continue
            ends = [(p / u, 2 * k), ((p + Fraction(weight)) / u, 2 * k + 1)]
            (begin, edge_down), (end, edge_up) = ends if u > 0 else ends[::-1]
            if begin > low:
                low, last = begin, edge_down
            if end < high:
                high, first = end, edge_up
        return Line(low, high, first, last)

    def vanishing(
        self, rows: Ints, edges: Floats, theta: Floats, side: Floats
    ) -> tuple[Mask, bool]:
        """Which residuals (n,) are 0 at the exact vertex of a basis, and whether all others
        have the `side` (n,) they are taken to have.

        `theta` and `edges` are the vertex and the edges in floats.
        """
        x, y, _, reach = self.samples[:4]
        bound, _ = error_bounds(x, y, rows, edges, theta, np.empty(len(x)))
        r = theta @ x - y
        small = ~(np.abs(r) > bound * reach)
        small[rows] = False
        clear = ~small
        clear[rows] = False
        right = not (clear & (r * side < 0.0)).any()
        doubtful = np.flatnonzero(small)
        sign = exact_signs(self.samples, exact_vertex(self.samples, rows), doubtful)
        right = right and not (sign * side[doubtful] < 0).any()
        met = np.zeros(r.size, np.bool_)
        met[rows] = met[doubtful[sign == 0]] = True
        return met, right

    def met(self, theta: Exact) -> Mask:
        """Which residuals (n,) are 0 at this vertex."""
        every, vertex = np.arange(self.samples.y.size), from_fractions(objects([*theta]))
        return exact_signs(self.samples, vertex, every) == 0

    def theta(self, rows: Ints) -> Exact:
        """The exact vertex of a basis."""
        return tuple(exact_vertex(self.samples, rows).fractions())

    def coefficients(self, theta: Exact) -> Floats:
        """The nearest floats, in the units of the data."""
        factors = self.units.factors(self.samples)
        return np.array([float(v * f) for v, f in zip(theta, factors, strict=True)])

    def fill(self, low: Fraction, high: Fraction, limits: Limits) -> tuple[list[Piece], bool]:
        """Minima for tau from `low` to `high`, each by a fit of its own; whether all are proved."""
        found: list[Piece] = []
        proved, gaps = True, [(low, high)]
        while gaps and proved:
            a, b = gaps.pop()
            tau = _between(a, b)
            fit = minimise(self.samples, (tau, 1 - tau), None, limits)
            proved = fit.proved and limits.over is None
            if not proved:
                break
            rows = fit.basis.rows.copy()
            line = self.lines(rows, fit.side)
            start, end = max(a, Fraction(line.low)), min(b, Fraction(line.high))
            if start < end:
                found.append(Piece(start, end, rows, self.theta(rows)))
            gaps += [gap for gap in ((a, start), (end, b)) if gap[0] < gap[1]]
        return sorted(found, key=lambda piece: piece.low), proved


def _between(low: Fraction, high: Fraction) -> Fraction:
    """A number between them, a simple one."""
    middle = (low + high) / 2
    for digits in (10, 1000, 10**6, 10**9):
        simple = middle.limit_denominator(digits)
        if low < simple < high:
            return simple
    return middle


__all__ = ["Line", "Minima", "Parameter", "Piece"]
