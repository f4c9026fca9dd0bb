"""A basis of a sparse regression in rational arithmetic: its vertex, its prices, and its proof.

Most active samples are the only ones with an entry in some column, or the only one of some sample:
these are peeled off, one after the other, and FLINT solves for the kernel that is left.
"""

from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

import flint
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..exact.rationals import Rationals, objects, solve
from ..exact.sums import group_sums, products
from ..native.lad_sparse import peel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LARGEST_KERNEL = 400  # rows; FLINT takes some seconds for it
_UNIT = 2.0**-53

Numbers = list[Any]  # of flint.fmpq


class SparseSamples(NamedTuple):
    """Samples by columns and by rows, without rounding."""

    x: sparse.csc_array  # (n, q)
    rows: sparse.csr_array  # the same
    y: Floats  # (n,)
    w: Floats  # (n,)
    below: Fraction
    above: Fraction


class SparseBasis:
    """Active samples `rows` (q,) of regular rows, with the order that they are solved in."""

    def __init__(self, samples: SparseSamples, rows: Ints) -> None:
        self.samples, self.rows = samples, rows
        self.matrix = sparse.csr_array(samples.rows[rows])
        self.columns = sparse.csc_array(self.matrix)
        pivots = np.empty((4, rows.size), np.int64)
        parts = (self.matrix.indptr, self.matrix.indices, self.columns.indptr, self.columns.indices)
        first, last = peel(*(part.astype(np.int64) for part in parts), pivots)
        self.by_column = list(zip(*pivots[:2, :first].tolist(), strict=True))
        self.by_row = list(zip(*pivots[:2, first:last].tolist(), strict=True))
        self.kernel_rows = np.setdiff1d(np.arange(rows.size), pivots[0, :last])
        self.kernel_columns = np.setdiff1d(np.arange(rows.size), pivots[1, :last])

    @property
    def too_large(self) -> bool:
        """Whether FLINT would take too long for the kernel."""
        return self.kernel_rows.size > LARGEST_KERNEL

    def vertex(self) -> Numbers:
        """The point (q,) where the residuals of the basis vanish; ZeroDivisionError if none."""
        begin, column, entry = _lists(self.matrix)
        theta: Numbers = [None] * self.rows.size
        y = [_exact(v) for v in self.samples.y[self.rows].tolist()]

        def rest(row: int) -> Any:
            total = y[row]
            for e in range(begin[row], begin[row + 1]):
                if theta[column[e]] is not None:
                    total -= entry[e] * theta[column[e]]
            return total

        def take(pivots: list[tuple[int, int]]) -> None:
            for row, k in pivots:
                at = column.index(k, begin[row], begin[row + 1])
                theta[k] = rest(row) / entry[at]

        take(self.by_row)
        if self.kernel_rows.size:
            found = self._solve_kernel([rest(row) for row in self.kernel_rows.tolist()], False)
            for k, value in zip(self.kernel_columns.tolist(), found, strict=True):
                theta[k] = value
        take(self.by_column[::-1])
        return theta

    def prices(self, gradient: Numbers) -> Numbers:
        """Multipliers (q,) of the basis that make up for the `gradient` (q,) of all others."""
        first, row, entry = _lists(self.columns)
        price: Numbers = [None] * self.rows.size

        def rest(k: int) -> Any:
            total = -gradient[k]
            for e in range(first[k], first[k + 1]):
                if price[row[e]] is not None:
                    total -= entry[e] * price[row[e]]
            return total

        def take(pivots: list[tuple[int, int]]) -> None:
            for pivot, k in pivots:
                at = row.index(pivot, first[k], first[k + 1])
                price[pivot] = rest(k) / entry[at]

        take(self.by_column)
        if self.kernel_rows.size:
            found = self._solve_kernel([rest(k) for k in self.kernel_columns.tolist()], True)
            for k, value in zip(self.kernel_rows.tolist(), found, strict=True):
                price[k] = value
        take(self.by_row[::-1])
        return price

    def _solve_kernel(self, right: Numbers, transposed: bool) -> Numbers:
        kernel = self.matrix[self.kernel_rows][:, self.kernel_columns].toarray()
        exact = Rationals.of(kernel.T if transposed else kernel)
        den = lcm(*(int(v.q) for v in right))
        numbers = objects([int(v.p) * (den // int(v.q)) * exact.den for v in right])
        found = solve(exact.num, numbers[:, None])
        den *= found.den
        return [flint.fmpq(int(v), den) for v in found.num[:, 0]]


def _lists(matrix: Any) -> tuple[list[int], list[int], Numbers]:
    """Compressed rows or columns, with exact entries."""
    known = {v: _exact(v) for v in np.unique(matrix.data).tolist()}
    return (
        matrix.indptr.tolist(),
        matrix.indices.tolist(),
        [known[v] for v in matrix.data.tolist()],
    )


def _exact(value: float) -> Any:
    return flint.fmpq(*value.as_integer_ratio())


def nearest(value: Any) -> float:
    """The float nearest to a rational of FLINT."""
    return int(value.p) / int(value.q)


def gradient(samples: SparseSamples, side: Floats, rows: Ints) -> Numbers:
    """The exact gradient (q,) of all samples but `rows`, on these sides."""
    x, w = samples.x, samples.w
    q = x.shape[1]
    of = np.repeat(np.arange(q), np.diff(x.indptr))
    others = np.ones(w.size, np.bool_)
    others[rows] = False
    some = others[x.indices]
    whole = np.ones(q, np.bool_)
    whole[of[x.data != np.rint(x.data)]] = False
    if (w != np.rint(w)).any():
        whole[:] = False
    total: Numbers = [None] * q
    slopes = [flint.fmpq(s.numerator, s.denominator) for s in (samples.below, samples.above)]
    for kind in (True, False):
        chosen = np.flatnonzero(whole == kind)
        if not chosen.size:
            continue
        number = np.cumsum(whole == kind) - 1
        entries = np.flatnonzero(some & (whole[of] == kind))
        group = 2 * number[of[entries]] + (side[x.indices[entries]] > 0.0)
        sums = _sums(x.data[entries], w[x.indices[entries]], group, 2 * chosen.size)
        num = sums.num.reshape(-1, 2).tolist()
        for k, (low, high) in zip(chosen.tolist(), num, strict=True):
            total[k] = (slopes[1] * int(high) - slopes[0] * int(low)) / sums.den
    return total


def _sums(x: Floats, w: Floats, group: Ints, n_groups: int) -> Rationals:
    """Sums of x w by groups."""
    parts = [x] if (w == 1.0).all() else products(x, w)
    if parts is not None:
        found = [group_sums(part[:, None], group, n_groups) for part in parts]
        den = lcm(*(part.den for part in found))
        return Rationals(sum(p.num * (den // p.den) for p in found), den)
    terms, weight = Rationals.of(x), Rationals.of(w)
    num = np.zeros((n_groups, 1), object)
    np.add.at(num[:, 0], group, terms.num * weight.num)
    return Rationals(num, terms.den * weight.den)


def outside(samples: SparseSamples, rows: Ints, prices: Numbers) -> tuple[int, float] | None:
    """Where a price leaves its box, relative to its weight the most: place and sign of the edge."""
    below, above = (flint.fmpq(s.numerator, s.denominator) for s in samples[-2:])
    worst, found = 0, None
    weights = samples.w[rows].tolist()
    known = {w: (_exact(w), -below * _exact(w), above * _exact(w)) for w in set(weights)}
    for k, (price, weight) in enumerate(zip(prices, weights, strict=True)):
        w, low, high = known[weight]
        if low <= price <= high:
            continue
        size, sign = ((price - high) / w, 1.0) if price > high else ((low - price) / w, -1.0)
        if size > worst:
            worst, found = size, (k, sign)
    return found


def wrong_sides(
    samples: SparseSamples, rows: Ints, theta: Numbers, floats: Floats, side: Floats
) -> Ints:
    """The samples whose residual at `theta` (q,), nearest `floats`, has another sign than `side`.

    Decided in floats with a bound on their rounding, exactly where that leaves doubt.
    """
    x, y = samples.rows, samples.y
    size = abs(x) @ np.abs(floats) + np.abs(y)
    r = x @ floats - y
    most = int(np.diff(x.indptr).max(initial=0))
    bound = (most + 4) * _UNIT * 1.001 * size + 1e-300
    if not (np.isfinite(bound).all() and np.isfinite(r).all()):
        bound[:] = np.inf
    elif _whole(samples) and float(size.max()) < 2.0**53 and _hold(theta, floats):
        bound[:] = 0.0
    wrong = r * side < 0.0
    doubtful = np.abs(r) <= bound
    if not bound.any():
        doubtful[:] = False
    doubtful[rows] = wrong[rows] = False
    wrong &= ~doubtful
    begin, column, entry = x.indptr, x.indices, x.data
    for i in np.flatnonzero(doubtful).tolist():
        total = -_exact(y[i].item())
        for e in range(begin[i], begin[i + 1]):
            total += _exact(entry[e].item()) * theta[column[e]]
        wrong[i] = (total > 0 and side[i] < 0.0) or (total < 0 and side[i] > 0.0)
    return np.flatnonzero(wrong)


def _whole(samples: SparseSamples) -> bool:
    """Whether all features and targets are integers."""
    return all(bool((part == np.rint(part)).all()) for part in (samples.rows.data, samples.y))


def _hold(theta: Numbers, floats: Floats) -> bool:
    """Whether the floats are `theta`, and integers."""
    if not (floats == np.rint(floats)).all():
        return False
    return all(int(v.q) == 1 and int(v.p) == int(f) for v, f in zip(theta, floats, strict=True))


__all__ = [
    "LARGEST_KERNEL",
    "Numbers",
    "SparseBasis",
    "SparseSamples",
    "gradient",
    "nearest",
    "outside",
    "wrong_sides",
]
