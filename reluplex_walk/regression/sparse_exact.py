"""A basis of a sparse regression in rational arithmetic: its vertex, its prices, and its proof.

Most active samples are the only ones with an entry in some column, or the only one of some sample:
these are peeled off, one after the other, and FLINT solves for the kernel that is left.
"""

from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..exact.rationals import Rationals, objects, solve
from ..exact.sums import group_sums, products
from ..native.lad_sparse import peel
from .sparse_numbers import Exact, Numbers

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LARGEST_KERNEL = 400  # rows; FLINT takes some seconds for it
_UNIT = 2.0**-53


class SparseSamples(NamedTuple):
    """Samples by columns and by rows, without rounding."""

    x: sparse.csc_array  # (n, q)
    rows: sparse.csr_array  # the same
    y: Floats  # (n,)
    w: Floats  # (n,)
    below: Fraction
    above: Fraction


class _Lines(NamedTuple):
    """Compressed rows or columns of integers."""

    begin: list[int]
    index: list[int]
    entry: list[int]

    def rest(self, line: int, total: Any, found: Numbers) -> Any:
        """`total` less what is `found` already, and the entry of the only other one."""
        for e in range(self.begin[line], self.begin[line + 1]):
            value = found[self.index[e]]
            if value is not None:
                total -= self.entry[e] * value
        return total

    def take(self, pivots: list[tuple[int, int]], right: Numbers, found: Numbers) -> None:
        """Solve for one number after the other: `pivots` are its line and its index."""
        begin, index, entry = self
        for line, k in pivots:
            total, pivot = right[line], 0
            for e in range(begin[line], begin[line + 1]):
                value = found[index[e]]
                if value is not None:
                    total -= entry[e] * value
                elif index[e] == k:
                    pivot = entry[e]
            if pivot != 1:
                whole, left = divmod(total, pivot)
                total = whole if left == 0 else Fraction(total) / pivot
            found[k] = total


class SparseBasis:
    """Active samples `rows` (q,) of regular rows, with the order that they are solved in.

    Columns are multiplied by powers of two, `units` (q,), that make integers of them.
    """

    def __init__(self, samples: SparseSamples, rows: Ints) -> None:
        self.samples, self.rows = samples, rows
        matrix = samples.rows[rows]
        columns = sparse.csc_array(matrix)
        self.matrix = matrix
        pivots = np.empty((4, rows.size), np.int64)
        parts = (matrix.indptr, matrix.indices, columns.indptr, columns.indices)
        first, last = peel(*(part.astype(np.int64) for part in parts), pivots)
        self.by_column = list(zip(*pivots[:2, :first].tolist(), strict=True))
        self.by_row = list(zip(*pivots[:2, first:last].tolist(), strict=True))
        every = np.arange(rows.size)
        self.kernel_rows, self.kernel_columns = (np.delete(every, p[:last]) for p in pivots[:2])
        self.units = [1] * rows.size
        entries = np.empty(matrix.nnz, object)
        whole = columns.data == np.rint(columns.data)
        whole &= np.abs(columns.data) < 2.0**53
        entries[whole] = columns.data[whole].astype(np.int64).astype(object)
        for k in _marked(columns, ~whole).tolist():
            part = slice(columns.indptr[k], columns.indptr[k + 1])
            entries[part], self.units[k] = Rationals.of(columns.data[part])
        place = sparse.csc_array((np.arange(matrix.nnz), columns.indices, columns.indptr))
        by_rows = entries[sparse.csr_array(place).data]
        self.lines = _Lines(matrix.indptr.tolist(), matrix.indices.tolist(), by_rows.tolist())
        self.columns = _Lines(columns.indptr.tolist(), columns.indices.tolist(), entries.tolist())

    @property
    def too_large(self) -> bool:
        """Whether FLINT would take too long for the kernel."""
        return self.kernel_rows.size > LARGEST_KERNEL

    def vertex(self) -> Exact:
        """The point (q,) where the residuals of the basis vanish; ZeroDivisionError if none."""
        y = Rationals.of(self.samples.y[self.rows])
        first, last = self.by_row, self.by_column[::-1]
        of_kernel = self.kernel_rows, self.kernel_columns
        theta = self._solve(self.lines, y.num.tolist(), first, of_kernel, last)
        num = [v * unit for v, unit in zip(theta.num, self.units, strict=True)]
        return Exact(num, theta.den * y.den)

    def prices(self, gradient: Exact) -> Exact:
        """Multipliers (q,) of the basis that make up for the `gradient` (q,) of all others."""
        right = [-v * unit for v, unit in zip(gradient.num, self.units, strict=True)]
        turned = [[(k, row) for row, k in part] for part in (self.by_column, self.by_row[::-1])]
        of_kernel = self.kernel_columns, self.kernel_rows
        price = self._solve(self.columns, right, turned[0], of_kernel, turned[1])
        return Exact(price.num, price.den * gradient.den)

    def _solve(
        self,
        lines: _Lines,
        right: Numbers,
        first: list[tuple[int, int]],
        of_kernel: tuple[Ints, Ints],
        last: list[tuple[int, int]],
    ) -> Exact:
        """The numbers that `lines` take to `right`."""
        found: Numbers = [None] * self.rows.size
        lines.take(first, right, found)
        if not of_kernel[0].size:
            lines.take(last, right, found)
            return Exact(found, 1)
        here = of_kernel[0].tolist()
        place = {k: c for c, k in enumerate(of_kernel[1].tolist())}
        kernel = np.zeros((len(here), len(here)), object)
        for c, line in enumerate(here):
            for e in range(lines.begin[line], lines.begin[line + 1]):
                if lines.index[e] in place:
                    kernel[c, place[lines.index[e]]] = lines.entry[e]
        rest = [Fraction(lines.rest(line, right[line], found)) for line in here]
        den = lcm(*(v.denominator for v in rest))
        numbers = objects([v.numerator * (den // v.denominator) for v in rest])
        solution = solve(kernel, numbers[:, None])
        den *= solution.den
        found = [None if v is None else v * den for v in found]
        for k, value in zip(of_kernel[1].tolist(), solution.num[:, 0].tolist(), strict=True):
            found[k] = value
        lines.take(last, [v * den for v in right], found)
        return Exact(found, den)


def gradient(samples: SparseSamples, side: Floats, rows: Ints) -> Exact:
    """The exact gradient (q,) of all samples but `rows`, on these sides."""
    x, w = samples.x, samples.w
    q = x.shape[1]
    cost = np.where(side > 0.0, w, -w)
    cost[rows] = 0.0
    weight = cost[x.indices]
    whole = np.full(q, bool((w == np.rint(w)).all()))
    whole[_marked(x, x.data != np.rint(x.data))] = False
    of = np.repeat(np.arange(q), np.diff(x.indptr))
    unit = lcm(samples.below.denominator, samples.above.denominator)
    below, above = int(samples.below * unit), int(samples.above * unit)
    total, dens = np.zeros(q, object), [1]
    for kind in (True, False):
        chosen = np.flatnonzero(whole == kind)
        if not chosen.size:
            continue
        number = np.cumsum(whole == kind) - 1
        entries = (weight != 0.0) & np.repeat(whole == kind, np.diff(x.indptr))
        some = weight[entries]
        group = 2 * number[of[entries]] + (some > 0.0)
        sums = _sums(x.data[entries], np.abs(some), group, 2 * chosen.size)
        num = sums.num.reshape(-1, 2)
        total *= sums.den
        total[chosen] = (above * num[:, 1] - below * num[:, 0]) * dens[-1]
        dens.append(dens[-1] * sums.den)
    return Exact(total.tolist(), dens[-1] * unit)


def _marked(x: sparse.csc_array, entries: NDArray[np.bool_]) -> Ints:
    """Columns some of whose `entries` are marked."""
    count = np.concatenate([[0], np.cumsum(entries)])
    return np.flatnonzero(count[x.indptr[1:]] > count[x.indptr[:-1]])


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


def outside(samples: SparseSamples, rows: Ints, prices: Exact) -> tuple[int, float] | None:
    """Where a price leaves its box, relative to its weight the most: place and sign of the edge."""
    worst, found = Fraction(0), None
    weights = samples.w[rows].tolist()
    bounds = {}
    for weight in set(weights):
        scale = Fraction(weight) * prices.den
        bounds[weight] = _plain(-samples.below * scale), _plain(samples.above * scale)
    for k, (price, weight) in enumerate(zip(prices.num, weights, strict=True)):
        low, high = bounds[weight]
        if low <= price <= high:
            continue
        over = Fraction(price - high if price > high else low - price) / Fraction(weight)
        if over > worst:
            worst, found = over, (k, 1.0 if price > high else -1.0)
    return found


def _plain(value: Fraction) -> Any:
    return value.numerator if value.denominator == 1 else value


def wrong_sides(
    samples: SparseSamples, rows: Ints, theta: Exact, floats: Floats, side: Floats
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
    elif float(size.max()) < 2.0**53 and _all_whole(samples, theta, floats):
        bound[:] = -1.0  # nothing was rounded
    wrong, doubtful = r * side < 0.0, np.abs(r) <= bound
    doubtful[rows] = wrong[rows] = False
    wrong &= ~doubtful
    known: dict[int, Fraction] = {}
    begin, column, entry = x.indptr, x.indices, x.data
    for i in np.flatnonzero(doubtful).tolist():
        total = -Fraction(y[i].item())
        for e in range(begin[i], begin[i + 1]):
            k = int(column[e])
            if k not in known:
                known[k] = Fraction(theta.num[k]) / theta.den
            total += Fraction(entry[e].item()) * known[k]
        wrong[i] = (total > 0 and side[i] < 0.0) or (total < 0 and side[i] > 0.0)
    return np.flatnonzero(wrong)


def _all_whole(samples: SparseSamples, theta: Exact, floats: Floats) -> bool:
    """Whether all features and targets are integers, and `theta` are those that floats hold."""
    parts = samples.rows.data, samples.y, floats
    if not all(bool((part == np.rint(part)).all()) for part in parts):
        return False
    den = theta.den
    return all(v == int(f) * den for v, f in zip(theta.num, floats.tolist(), strict=True))


__all__ = [
    "LARGEST_KERNEL",
    "SparseBasis",
    "SparseSamples",
    "gradient",
    "outside",
    "wrong_sides",
]
