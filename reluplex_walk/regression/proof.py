"""Proof that a basis of a quantile regression is optimal: bounds on all rounding.

The basis is optimal if the prices z_k = edge_k . g of its edges, g the gradient of all other
samples, satisfy -above w <= z <= below w, and every other residual has the sign that g was summed
with, or is 0.  Both are decided for the *exact* vertex of the basis, with bounds on all rounding;
what these leave in doubt (ties, prices at their ends) is decided in rational arithmetic.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._budget import Budget
from ..exact.rationals import Objects, Rationals, from_fractions, objects, signs, solve
from ..exact.sums import EXACT, exact_sums, products
from ..native.lad import BLOCK
from ..native.lad_arrays import Fit
from ..native.lad_rounding import error_bounds, judge, sides
from ..problem.rows import distinct_columns
from .design import Samples
from .pinned import solve_for_point, solve_for_prices

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FEW = 200  # samples that are not worth a look for equal ones


class Optimality(NamedTuple):
    """What is proved of a basis."""

    prices: Floats  # (q,) of its edges, the nearest floats where they were decided exactly
    proved: bool  # that it is optimal
    descends: int  # a half-edge that does descend, or -1: none is known
    blur: float = np.inf  # relative error of its edges, as `error_bounds` has it


class OptimalityTest:
    """Tests bases of a regression, minimising sum_i w_i rho(r_i) + tilt . theta of `Samples`."""

    def __init__(self, samples: Samples, slopes: Sequence[float | Fraction]) -> None:
        self.samples, self.slopes = samples, tuple(map(float, slopes))
        self._given = slopes
        self.tilt = samples.float_tilt()
        self.seen: Floats | None = None  # sides (n,) that `sums` were taken with
        self.sums: dict[float, Objects] = {}  # exact, of the samples on each side

    @property
    def exact_slopes(self) -> tuple[Fraction, ...]:
        """The slopes without rounding."""
        return tuple(Fraction(slope) for slope in self._given)

    def judge(self, fit: Fit, near: Ints, budget: Budget | None = None) -> Optimality:
        """Whether the basis of `fit` is optimal; not proved if the `budget` forbids to find out.

        Corrects `fit.side` where a residual at `fit.theta` has another sign, and replaces `fit.b`
        where rounding spoilt it.  `fit.g` is the gradient of the tilt and of all samples but
        `near`.
        """
        try:
            if (fit.basis >= 0).all():
                return self._judge(fit, near, budget or Budget(np.inf))
        except (ZeroDivisionError, np.linalg.LinAlgError):
            pass  # the active samples are dependent
        return Optimality(np.zeros(fit.basis.size), False, -1)

    def _judge(self, fit: Fit, near: Ints, budget: Budget) -> Optimality:
        x, y, w, reach, _, largest = self.samples[:6]
        rows, edges, side = fit.basis, fit.b, fit.side
        bound, blur = error_bounds(x, y, rows, edges, fit.theta, fit.d)
        if not bound < np.inf:
            edges[:] = np.linalg.inv(x[:, rows])
            bound, blur = error_bounds(x, y, rows, edges, fit.theta, fit.d)
        count, outside = sides(fit.r, reach, bound, near, side, fit.ids)
        g = fit.g.copy()
        if outside:  # their sides may change: g is summed afresh
            near, g[:] = np.arange(y.size), self.tilt
        doubtful = fit.ids[:count]
        known = count == rows.size and np.array_equal(doubtful, np.sort(rows))
        if not known and (known := budget.begin(_work(len(x), count))):
            _set_exact_sides(self.samples, rows, np.setdiff1d(doubtful, rows), side)
        terms, prices = BLOCK + y.size / BLOCK + near.size + 10.0, np.empty(rows.size)
        ascend, descends = judge(
            x,
            w,
            largest,
            self.tilt,
            side,
            self.slopes,
            near,
            rows,
            edges,
            terms,
            blur,
            g,
            fit.costs,
            prices,
            fit.normal,
        )
        if not known:
            return Optimality(prices, False, -1, blur)
        if ascend or descends >= 0:
            return Optimality(prices, ascend, descends, blur)
        if not budget.begin(_work(len(x), y.size)):
            return Optimality(prices, False, -1, blur)
        exact, descends = self._decide(rows, side)
        return Optimality(exact, descends < 0, descends, blur)

    def _decide(self, rows: Ints, side: Floats) -> tuple[Floats, int]:
        """Exact prices, and the half-edge with the least slope, if that is negative, else -1."""
        (below, above), w = self.exact_slopes, self.samples.w
        prices = self.prices(rows, side)
        slope_of = []
        for price, weight in zip(prices, w[rows].tolist(), strict=True):
            slope_of += [price + above * Fraction(weight), below * Fraction(weight) - price]
        least = min(range(len(slope_of)), key=slope_of.__getitem__)
        return prices.astype(float), least if slope_of[least] < 0 else -1

    def prices(self, rows: Ints, side: Floats) -> Objects:
        """The exact prices (q,) of the basis `rows`, all others costing what `side` (n,) says."""
        x, (below, above) = self.samples.x, self.exact_slopes
        self._sum(side)
        g = above * self.sums[1.0] - below * self.sums[-1.0]
        for sign, slope in ((1.0, above), (-1.0, -below)):
            g -= slope * self._total(rows[side[rows] == sign])
        if self.samples.tilt:
            g += objects(list(self.samples.tilt))
        if self.samples.extra:
            return solve_for_prices(x[:, rows].T, self.samples.y[rows], g)
        normals, gradient = Rationals.of(x[:, rows]), from_fractions(g)
        prices = solve(normals.num, gradient.num[:, None] * normals.den)
        return Rationals(prices.num[:, 0], prices.den * gradient.den).fractions()

    def _sum(self, side: Floats) -> None:
        """Bring `sums` up to date: from one judgement to the next few samples change sides."""
        for sign in (1.0, -1.0):
            if self.seen is None:
                self.sums[sign] = self._total(np.flatnonzero(side == sign))
            else:
                came = np.flatnonzero((side == sign) & (self.seen != sign))
                left = np.flatnonzero((side != sign) & (self.seen == sign))
                self.sums[sign] += self._total(came) - self._total(left)
        self.seen = side.copy()

    def _total(self, rows: Ints) -> Objects:
        """Exact weighted sum (q,) of the columns `rows` of x."""
        return weighted_sums(self.samples.x[:, rows], self.samples.w[rows])


def _work(q: int, rows: int) -> float:
    """Of solving for a vertex of q parameters and looking at so many samples there, exactly."""
    return 0.035 * q**3 + 0.25 * q * rows


def weighted_sums(x: Floats, w: Floats) -> Objects:
    """Exact sums (q,) of the rows of x (q, n) with weights w (n,)."""
    if (w == 1.0).all():
        return exact_sums(x)
    parts = products(x, w)
    if parts is not None:
        return sum((exact_sums(part) for part in parts[1:]), exact_sums(parts[0]))
    terms, weight = Rationals.of(x), Rationals.of(w)
    return Rationals(terms.num @ weight.num, terms.den * weight.den).fractions()


def _set_exact_sides(samples: Samples, rows: Ints, doubtful: Ints, side: Floats) -> None:
    """Sides of the residuals `doubtful` at the exact vertex of `rows`; those that are 0 keep it."""
    x, y = samples.x, samples.y
    for c in rows if doubtful.size <= _FEW else ():  # equal samples vanish together
        doubtful = doubtful[(x[:, doubtful] != x[:, [c]]).any(axis=0) | (y[doubtful] != y[c])]
    if not doubtful.size:
        return
    sign = exact_signs(samples, exact_vertex(samples, rows), doubtful)
    side[doubtful] = np.where(sign == 0, side[doubtful], sign)


def exact_vertex(samples: Samples, rows: Ints) -> Rationals:
    """The point (q,) at which the residuals `rows` vanish; ZeroDivisionError if there is none."""
    if samples.extra:
        return solve_for_point(samples.x[:, rows].T, samples.y[rows])
    normals, targets = Rationals.of(samples.x[:, rows].T), Rationals.of(samples.y[rows])
    theta = solve(normals.num, targets.num[:, None] * normals.den)
    return Rationals(theta.num[:, 0], theta.den * targets.den)


def exact_signs(samples: Samples, theta: Rationals, rows: Ints) -> NDArray[np.int8]:
    """Signs of the residuals `rows` at `theta` (q,)."""
    found = _signs_in_floats(samples, theta, rows)
    if found is not None:
        return found
    if rows.size > _FEW:
        first, number = distinct_columns([*samples.x[:, rows], samples.y[rows]])
        if first.size < rows.size:
            return exact_signs(samples, theta, rows[first])[number]
    x, y = Rationals.of(samples.x[:, rows].T), Rationals.of(samples.y[rows])
    return signs((x.num @ theta.num) * y.den - y.num * (theta.den * x.den))


def _signs_in_floats(samples: Samples, theta: Rationals, rows: Ints) -> NDArray[np.int8] | None:
    """The same where all terms are integers, but for a power of two, whose sums floats hold."""
    x, y, scale = samples.x[:, rows], samples.y[rows], samples.scale[:, None]
    terms = [theta.den, *map(abs, theta.num)]
    if max(terms) > EXACT or (y != np.rint(y)).any() or (x / scale != np.rint(x / scale)).any():
        return None
    den, num = float(theta.den), theta.num.astype(float)
    most = np.abs(num) @ np.abs(x).max(axis=1, initial=0.0) + den * np.abs(y).max(initial=0.0)
    if most > 0.5 * EXACT * min(1.0, scale.min()):
        return None
    return np.sign(num @ x - den * y).astype(np.int8)


__all__ = ["Optimality", "OptimalityTest", "exact_signs", "exact_vertex", "weighted_sums"]
