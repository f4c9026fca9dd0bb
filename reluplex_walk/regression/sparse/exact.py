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
from scipy.sparse import csgraph

from ...exact.rationals import Rationals, objects, solve
from ...native.lad_sparse import peel
from .gradient import SparseSamples, marked
from .numbers import Exact, Numbers

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LARGEST_KERNEL = 1000  # rows of a block; FLINT takes some seconds for it
_UNIT = 2.0**-53


class _Lines(NamedTuple):
    """Compressed rows or columns of integers."""

    begin: list[int]
    place: list[int]
    entry: list[int]

    def rest(self, line: int, total: Any, found: Numbers) -> Any:
        """`total` less what is `found` already."""
        for e in range(self.begin[line], self.begin[line + 1]):
            value = found[self.place[e]]
            if value is not None:
                total -= self.entry[e] * value
        return total

    def solve(self, here: list[int], there: list[int], right: Numbers, found: Numbers) -> Exact:
        """Solve the lines `here` for the numbers `there`, which they have in common."""
        number = {k: c for c, k in enumerate(there)}
        kernel = np.zeros((len(here), len(here)), object)
        for c, line in enumerate(here):
            for e in range(self.begin[line], self.begin[line + 1]):
                if self.place[e] in number:
                    kernel[c, number[self.place[e]]] = self.entry[e]
        rest = [Fraction(self.rest(line, right[line], found)) for line in here]
        den = lcm(*(v.denominator for v in rest))
        numbers = objects([v.numerator * (den // v.denominator) for v in rest])
        solution = solve(kernel, numbers[:, None])
        return Exact(solution.num[:, 0].tolist(), solution.den * den)

    def take(self, pivots: list[tuple[int, int]], right: Numbers, found: Numbers) -> None:
        """Solve for one number after the other: `pivots` are its line and its place."""
        begin, place, entry = self
        for line, k in pivots:
            total, pivot = right[line], 0
            for e in range(begin[line], begin[line + 1]):
                value = found[place[e]]
                if value is not None:
                    total -= entry[e] * value
                elif place[e] == k:
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
        self.blocks = _blocks(matrix, *(np.delete(every, p[:last]) for p in pivots[:2]))
        self.units = [1] * rows.size
        entries = np.empty(matrix.nnz, object)
        whole = columns.data == np.rint(columns.data)
        whole &= np.abs(columns.data) < 2.0**53
        entries[whole] = columns.data[whole].astype(np.int64).astype(object)
        for k in marked(columns, ~whole).tolist():
            part = slice(columns.indptr[k], columns.indptr[k + 1])
            entries[part], self.units[k] = Rationals.of(columns.data[part])
        place = sparse.csc_array((np.arange(matrix.nnz), columns.indices, columns.indptr))
        by_rows = entries[sparse.csr_array(place).data]
        self.lines = _Lines(matrix.indptr.tolist(), matrix.indices.tolist(), by_rows.tolist())
        self.columns = _Lines(columns.indptr.tolist(), columns.indices.tolist(), entries.tolist())

    @property
    def too_large(self) -> bool:
        """Whether FLINT would take too long for a block of the kernel."""
        return any(rows.size > LARGEST_KERNEL for rows, _ in self.blocks)

    def vertex(self) -> Exact:
        """The point (q,) where the residuals of the basis vanish; ZeroDivisionError if none."""
        y = Rationals.of(self.samples.y[self.rows])
        first, last = self.by_row, self.by_column[::-1]
        theta = self._solve(self.lines, y.num.tolist(), first, self.blocks, last)
        num = [v * unit for v, unit in zip(theta.num, self.units, strict=True)]
        return Exact(num, theta.den * y.den)

    def prices(self, gradient: Exact) -> Exact:
        """Multipliers (q,) of the basis that make up for the `gradient` (q,) of all others."""
        right = [-v * unit for v, unit in zip(gradient.num, self.units, strict=True)]
        turned = [[(k, row) for row, k in part] for part in (self.by_column, self.by_row[::-1])]
        blocks = [(columns, rows) for rows, columns in self.blocks]
        price = self._solve(self.columns, right, turned[0], blocks, turned[1])
        return Exact(price.num, price.den * gradient.den)

    def _solve(
        self,
        lines: _Lines,
        right: Numbers,
        first: list[tuple[int, int]],
        blocks: list[tuple[Ints, Ints]],
        last: list[tuple[int, int]],
    ) -> Exact:
        """The numbers that `lines` take to `right`."""
        found: Numbers = [None] * self.rows.size
        lines.take(first, right, found)
        den = 1
        for here, there in blocks:
            solved = lines.solve(here.tolist(), there.tolist(), right, found)
            num: Numbers = solved.num
            if len(blocks) == 1:  # else all denominators together would be long
                den = solved.den
                found = [None if v is None else v * den for v in found]
                right = [v * den for v in right]
            else:
                num = [Fraction(v, solved.den) for v in num]
            for k, value in zip(there.tolist(), num, strict=True):
                found[k] = value
        lines.take(last, right, found)
        return Exact(found, den)


def _blocks(matrix: sparse.csr_array, rows: Ints, columns: Ints) -> list[tuple[Ints, Ints]]:
    """Rows and columns of the kernel that have no entries in common with others.

    ZeroDivisionError if it is singular for that alone.
    """
    if not rows.size:
        return []
    kernel = matrix[rows][:, columns]
    graph = sparse.block_array([[None, kernel], [kernel.T, None]])
    count, label = csgraph.connected_components(graph, directed=False)
    of_rows, of_columns = label[: rows.size], label[rows.size :]
    sizes = np.bincount(of_rows, minlength=count)
    if (sizes != np.bincount(of_columns, minlength=count)).any():
        raise ZeroDivisionError
    places = [
        np.split(which[np.argsort(of, kind="stable")], np.cumsum(sizes)[:-1])
        for which, of in ((rows, of_rows), (columns, of_columns))
    ]
    return list(zip(*places, strict=True))


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
    "outside",
    "wrong_sides",
]
