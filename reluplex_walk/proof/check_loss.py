"""A loss as the checker sees it: the rows of the data, and all at a point in rational arithmetic.

It shares no code with what proves.  Rows are those of X with a weight, not merged; numbers are
those of the data (a column of decimals: these decimals).  Floats decide a sign only beyond a bound
on all their rounding; what they leave open, and every value that is handed out, is rational.

    f_k(x_i; theta) = M z_i + c,    z_i = theta (x_i, 1),

with M, c fixed by the signs of row i above the trained layer (its *pattern*).  With a penalty the
weights of the trained layer are breakpoints, too: theta[j, c] is that of input c and neuron j.
"""

from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import NamedTuple

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from ..problem.loss import LayerLoss
from ..tolerances import PROBLEM
from .check_integers import Integers, shortest, times, whole
from .check_sums import Masks, Stretches, exact_sums

Floats = NDArray[np.float64]
Signs = list[NDArray[np.int8]]

_UNIT = 2.0**-53
_TINY = 1e-300  # more than all that underflows in a sum of products


class Scaled(NamedTuple):
    """Exact numbers ``floats / scale``, scale a power of ten."""

    floats: Floats
    scale: int

    @classmethod
    def of(cls, floats: Floats, digits: int | None) -> "Scaled":
        """Floats as they are (None), or as the decimals of so many `digits` they are nearest to."""
        if digits is None:
            return cls(floats, 1)
        whole = np.rint(floats * 10.0**digits)
        if (whole / 10.0**digits != floats).any() or (np.abs(whole) >= 2.0**53).any():
            raise ValueError(f"decimals: not all are the nearest to decimals of {digits} digits")
        return cls(whole, 10**digits)

    def rational(self, at: int) -> fmpq:
        """One of the numbers."""
        found = fmpq(*float(self.floats[at]).as_integer_ratio())
        return found if self.scale == 1 else found / self.scale

    def rationals(self, at: list[int]) -> list[fmpq]:
        """Some of the numbers: many together take less time."""
        found = [fmpq(*v.as_integer_ratio()) for v in self.floats[at].tolist()]
        return found if self.scale == 1 else [v / self.scale for v in found]

    def integers(self, at: NDArray[np.int64]) -> tuple[Integers, int]:
        """Some of the numbers as integers over a common denominator."""
        numbers, den = whole(self.floats[at])
        return numbers, den * self.scale


class Piece(NamedTuple):
    """The loss on an affine region: ``gradient . theta + constant``."""

    gradient: fmpq_mat  # (h, q)
    constant: fmpq

    def value(self, theta: fmpq_mat) -> fmpq:
        """The loss at `theta` (h, q) in the region, or on its border."""
        h, q = theta.nrows(), theta.ncols()
        products = (self.gradient[j, i] * theta[j, i] for j in range(h) for i in range(q))
        return sum(products, self.constant)


class CheckedLoss:
    """The rows of a `LayerLoss` that have a weight, in exact numbers."""

    def __init__(self, loss: LayerLoss) -> None:
        decimals = loss.decimals
        self.kept = np.flatnonzero(loss.sample_weight)
        rows = self.kept if len(self.kept) < len(loss.X) else slice(None)
        self.inputs = loss.network.features(loss.X[rows], loss.layer)
        self.targets = loss.y[rows]
        columns = np.ascontiguousarray(self.inputs.T)
        self.x = [Scaled.of(v, k) for v, k in zip(columns, decimals.X, strict=True)]
        self.y = [Scaled.of(v, k) for v, k in zip(self.targets.T, decimals.y, strict=True)]
        self.w = Scaled.of(loss.sample_weight[rows], decimals.sample_weight)
        tau = Scaled.of(np.array([loss.tau]), decimals.tau)
        self.below, self.above = fmpq(1), fmpq(1)  # slopes of the loss per weight
        if loss.kind == "pinball":
            self.below = tau.rational(0)
            self.above = 1 - self.below
        self.hinge = loss.kind == "hinge"
        self.penalty = Scaled.of(np.array([loss.penalty]), decimals.penalty).rational(0)
        self.tail = loss.tail
        self.slope = fmpq(*loss.network.negative_slope.as_integer_ratio())
        self.float_slope = loss.network.negative_slope
        self.layers = [_matrix(np.column_stack([w, b])) for w, b in self.tail]
        self.h, self.q = loss.shape
        self.n_hidden = loss.n_hidden
        self._rows: dict[int, list[fmpq]] = {}  # those that were looked at
        self._costs: dict[float, tuple[fmpq, fmpq, fmpq]] = {}  # by weight: it, times both slopes

    # ---------------------------------------------------------------- rows

    def row(self, i: int) -> list[fmpq]:
        """Inputs of row i, and 1."""
        return self._rows[i] if i in self._rows else self._look([i])[0]

    def _look(self, rows: list[int]) -> list[list[fmpq]]:
        """Inputs of some rows, and 1."""
        new = [i for i in rows if i not in self._rows]
        columns = [column.rationals(new) for column in self.x] + [[fmpq(1)] * len(new)]
        self._rows.update(zip(new, map(list, zip(*columns, strict=True)), strict=True))
        return [self._rows[i] for i in rows]

    def integers(self, rows: NDArray[np.int64]) -> tuple[Integers, list[int]]:
        """Inputs of some rows, and 1, as integers; the denominators of the columns."""
        parts = [column.integers(rows) for column in self.x] + [(np.ones(len(rows), np.int64), 1)]
        return np.column_stack([numbers for numbers, _ in parts]), [den for _, den in parts]

    def target(self, i: int, k: int) -> fmpq:
        """Target of row i for output k."""
        return self.y[k].rational(i)

    def costs(self, i: int, k: int) -> tuple[fmpq, fmpq]:
        """Slopes (below, above) of the loss of residual k of row i: what |r| costs there."""
        weight = float(self.w.floats[i])
        if weight not in self._costs:  # most are equal to others
            w = self.w.rational(i)
            self._costs[weight] = w, self.below * w, self.above * w
        w, below, above = self._costs[weight]
        if self.hinge:
            return (w, fmpq(0)) if self.targets[i, k] > 0 else (fmpq(0), w)
        return below, above

    def depends(self, column: int, weights: list[fmpq], exactly: bool) -> bool:
        """Whether a column is the combination of columns and 1 with `weights` (q,).

        Not `exactly`: up to twice what makes a column aliased.
        """
        used = [j for j, weight in enumerate(weights) if weight]
        if not exactly:
            inputs = np.column_stack([self.inputs, np.ones(len(self.inputs))])
            rest = inputs[:, column].copy()
            size = max(float(np.abs(rest).max()), _TINY)
            for j in used:
                rest -= _float(weights[j]) * inputs[:, j]
            norm = float(np.linalg.norm(inputs[:, column] / size))
            return float(np.linalg.norm(rest / size)) <= 2.0 * PROBLEM.aliased * norm
        numbers = [*self.x, Scaled(np.ones(len(self.inputs)), 1)]
        every = list(range(len(self.inputs)))
        left = numbers[column].rationals(every)
        for j in used:
            part = numbers[j].rationals(every)
            left = [v - weights[j] * u for v, u in zip(left, part, strict=True)]
        return not any(left)

    # ---------------------------------------------------------------- signs at a point

    def signs(self, theta: fmpq_mat) -> Signs:
        """Signs of all breakpoints: hidden stages (n, width), residuals (n, K).

        With a penalty those of the weights (q - 1, h) follow.
        """
        floats = to_floats(theta)
        values, bounds = self._enclosures(floats)
        self.bounds, self.weight = bounds[-1], float(np.abs(floats[:, :-1]).sum())
        signs, open_ = [], np.zeros(len(self.inputs), np.bool_)
        for value, bound in zip(values, bounds, strict=True):
            # Not of what is infinite, or no number.
            positive, negative = (value > bound) & (value < np.inf), value < -bound
            negative &= value > -np.inf
            signs.append(positive.astype(np.int8) - negative.astype(np.int8))
            for told in (positive | negative).T:
                open_ |= ~told
        rows = np.flatnonzero(open_)
        for stage, exact in enumerate(self._values(theta, rows)):
            signs[stage][rows] = exact
        if self.penalty > 0:
            signs.append(_signs(theta)[:, :-1].T.copy())
        return signs

    def spread(self) -> Fraction | None:
        """A bound on the change of the loss if theta, as last given to `signs`, is rounded.

        None if floats give none.
        """
        largest = float(self.w.floats.max())
        cost = float((self.w.floats / largest) @ (self.bounds @ np.ones(len(self.y)) + _TINY))
        if not cost < np.inf:
            return None
        steep = max(self.below, self.above) / self.w.scale
        each = Fraction(int(steep.p), int(steep.q)) * Fraction(largest)
        weights = Fraction(2.0 * _UNIT) * (Fraction(self.weight) + Fraction(_TINY))
        penalty = Fraction(int(self.penalty.p), int(self.penalty.q))
        return Fraction(1.0001) * (Fraction(cost) * each + penalty * weights)

    def _enclosures(self, theta: Floats) -> tuple[list[Floats], list[Floats]]:
        """Values of all breakpoints in floats, and bounds on what they are off by.

        `theta` (h, q) and the data may each be off by half a unit in the last place, too.
        """
        inputs, large = self.inputs, np.abs(self.inputs)
        off = None  # at first, a unit of each
        # What underflows: products, and parameters of theta, each times an input.
        tiny = _TINY * (1.0 + large @ np.ones((large.shape[1], 1)))
        values, bounds = [], []
        with np.errstate(over="ignore", invalid="ignore"):
            for w, b in [(theta[:, :-1], theta[:, -1]), *self.tail]:
                size, terms = np.abs(w).T, inputs.shape[1] + 6
                value = inputs @ w.T + b
                most = large @ size
                bound = terms * _UNIT * (most + np.abs(b))
                bound += _UNIT * most if off is None else off @ size
                bound *= 1.0001
                bound += tiny * (1.0 + size.max(initial=0.0))
                values.append(value)
                bounds.append(bound)
                if len(values) <= len(self.tail):
                    inputs = np.where(value > 0.0, value, self.float_slope * value)
                    large = np.abs(inputs)
                    off = bound + _UNIT * large
            residual = values[-1] - self.targets
            bounds[-1] = 1.0001 * (
                bounds[-1] + 2.0 * _UNIT * (np.abs(values[-1]) + np.abs(self.targets))
            )
            values[-1] = residual
        return values, bounds

    def _values(self, theta: fmpq_mat, rows: NDArray[np.int64]) -> list[NDArray[np.int8]]:
        """Exact signs of the breakpoints of `rows`."""
        if not rows.size:
            return [np.zeros((0, w), np.int8) for w in self._widths]
        if self.h == 1 and not self.layers:
            return [self._linear_signs(theta, rows)]
        n = rows.size
        x = fmpq_mat(n, self.q, [v for row in self._look(rows.tolist()) for v in row])
        z = x * theta.transpose()
        signs = [_signs(z)]
        for layer in self.layers:
            width = z.ncols()
            entries = []
            for i in range(n):
                entries += [v if v > 0 else self.slope * v for v in (z[i, j] for j in range(width))]
                entries.append(fmpq(1))
            z = fmpq_mat(n, width + 1, entries) * layer.transpose()
            signs.append(_signs(z))
        targets = zip(*(column.rationals(rows.tolist()) for column in self.y), strict=True)
        signs[-1] = _signs(z - fmpq_mat(n, z.ncols(), [v for row in targets for v in row]))
        return signs

    def _linear_signs(self, theta: fmpq_mat, rows: NDArray[np.int64]) -> NDArray[np.int8]:
        """The same for one linear output, in integers."""
        x, dens = self.integers(rows)
        y, den = self.y[0].integers(rows)
        factors = [theta[0, j] / dens[j] for j in range(self.q)] + [fmpq(-1, den)]
        common = lcm(*(int(v.q) for v in factors))
        weights = [int(v.p) * (common // int(v.q)) for v in factors]
        values = times(np.column_stack([x, y]), shortest(weights))
        return ((values > 0).astype(np.int8) - (values < 0))[:, None].astype(np.int8)

    @property
    def _widths(self) -> list[int]:
        return [self.h, *(len(w) for w, _ in self.tail)]

    # ---------------------------------------------------------------- the loss on a region

    def piece(self, sides: Signs) -> Piece:
        """The loss on the region `sides` (all +-1)."""
        hidden, residuals = sides[: self.n_hidden], sides[self.n_hidden]
        first, group = _alike(np.column_stack([np.zeros(len(self.inputs), np.int8), *hidden]))
        gradient, constant = fmpq_mat(self.h, self.q), fmpq(0)
        chains = [self.chain([side[i] for side in hidden]) for i in first.tolist()]
        for k in range(len(self.y)):
            sums = self._sums(k, residuals[:, k], group, len(first))
            for (m, c), total in zip(chains, sums, strict=True):
                *moments, target = total  # of (x, 1), and of y
                row = fmpq_mat(1, self.h, [m[k, j] for j in range(self.h)])
                gradient += row.transpose() * fmpq_mat(1, self.q, moments)
                constant += c[k, 0] * moments[-1] - target
        if self.penalty > 0:
            for (c, j), side in np.ndenumerate(sides[-1]):
                gradient[j, c] += self.penalty if side > 0 else -self.penalty
        return Piece(gradient, constant)

    def chain(self, pattern: Signs, stage: int | None = None) -> tuple[fmpq_mat, fmpq_mat]:
        """M (width, h) and c (width, 1) of the values of a stage (default: the outputs)."""
        m, c = _identity(self.h), fmpq_mat(self.h, 1)
        for layer, signs in zip(self.layers[:stage], pattern, strict=False):
            width = layer.ncols() - 1
            w = [
                layer[j, i] * (1 if signs[i] > 0 else self.slope)
                for j in range(layer.nrows())
                for i in range(width)
            ]
            weights = fmpq_mat(layer.nrows(), width, w)
            biases = [layer[j, width] for j in range(layer.nrows())]
            m, c = weights * m, weights * c + fmpq_mat(layer.nrows(), 1, biases)
        return m, c

    def _sums(
        self, k: int, side: NDArray[np.int8], group: NDArray[np.int64], size: int
    ) -> list[list[fmpq]]:
        """For each group: sums over its rows of the slope of residual k times (x, 1, y)."""
        up = side > 0
        if self.hinge:
            positive = self.targets[:, k] > 0
            live = up != positive
        else:
            live = np.ones(len(up), np.bool_)
        columns = [*self.x, Scaled(np.ones(len(up)), 1), self.y[k]]
        totals = [[fmpq(0)] * len(columns) for _ in range(size)]
        slopes = {0: -self.below / self.w.scale, 1: self.above / self.w.scale}
        order: NDArray[np.int64] | slice = slice(None)
        add: Masks | Stretches
        if size == 1:
            found = np.array([0, 1])
            add = Masks(np.stack([live & ~up, live & up]))
        else:
            key = (2 * group + up).astype(np.min_scalar_type(2 * size))  # sorted by radix
            rows = np.flatnonzero(live)
            if not rows.size:
                return totals
            order = rows[np.argsort(key[rows], kind="stable")]
            found = key[order]
            starts = np.flatnonzero(np.append(True, found[1:] != found[:-1]))
            found, add = found[starts], Stretches(starts)
        weights = self.w.floats[order]
        for at, column in enumerate(columns):
            sums = exact_sums(column.floats[order], weights, add)
            for which, total in zip(found.tolist(), sums, strict=True):
                totals[which // 2][at] += slopes[which % 2] / column.scale * total
        return totals

    @cached_property
    def target_size(self) -> fmpq:
        """Sum of w |y|."""
        size = fmpq(0)
        for column in self.y:
            every = Masks(np.ones((1, len(column.floats))))
            total = exact_sums(np.abs(column.floats), self.w.floats, every)
            size += total[0] / column.scale / self.w.scale
        return size


def _alike(table: NDArray[np.int8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first of each kind of row, and the number of each row's kind."""
    rows = np.ascontiguousarray(table).view(np.dtype((np.void, table.shape[1]))).ravel()
    if table.shape[1] == 1:
        return np.zeros(1, np.int64), np.zeros(len(table), np.int64)
    _, first, kind = np.unique(rows, return_index=True, return_inverse=True)
    return first, kind.ravel()


def _float(value: fmpq) -> float:
    return int(value.p) / int(value.q)


def to_floats(matrix: fmpq_mat) -> Floats:
    """The nearest floats (h, q)."""
    rows = [[int(v.p) / int(v.q) for v in row] for row in matrix.tolist()]
    return np.array(rows, float).reshape(matrix.nrows(), matrix.ncols())


def _matrix(floats: Floats) -> fmpq_mat:
    entries = [fmpq(*v.as_integer_ratio()) for v in floats.ravel().tolist()]
    return fmpq_mat(floats.shape[0], floats.shape[1], entries)


def _identity(size: int) -> fmpq_mat:
    return fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])


def _signs(matrix: fmpq_mat) -> NDArray[np.int8]:
    rows = [[(v > 0) - (v < 0) for v in row] for row in matrix.tolist()]
    return np.array(rows, np.int8).reshape(matrix.nrows(), matrix.ncols())


__all__ = ["CheckedLoss", "Piece", "Scaled", "to_floats"]
