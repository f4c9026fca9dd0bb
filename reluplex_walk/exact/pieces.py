"""`Pieces`: the affine function that the loss is in a region, from sums over equal patterns.

Samples with the same activation pattern differ in their data alone: sums of these, weighted with
the costs of their residuals, tell all there is to know of them.  Sums are taken in floats, without
rounding; rational arithmetic sees one row for each pattern.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..problem.loss import LayerLoss
from .data import ExactData
from .layers import ExactLayers
from .rationals import Rationals
from .sums import EXACT, group_sums, products

Sides = list[NDArray[np.int8]]
Ints = NDArray[np.int64]


class Affine(NamedTuple):
    """An affine function of theta (D,)."""

    gradient: Rationals  # (D,)
    constant: Fraction

    def at(self, theta: Rationals) -> Fraction:
        """Its value."""
        product = int((self.gradient.num * theta.num).sum())
        return Fraction(product, self.gradient.den * theta.den) + self.constant


class Pieces:
    """The affine pieces of a loss in rational arithmetic."""

    def __init__(self, loss: LayerLoss, data: ExactData, layers: ExactLayers) -> None:
        self.loss, self.data, self.layers = loss, data, layers
        kinks = data.kinks.num
        small = kinks.max() < EXACT
        self.costs = kinks.astype(float) if small else None  # (2, m, K) without rounding

    def affine(self, sides: Sides) -> Affine:
        """The loss in the region `sides`; what has the side 0 counts as negative."""
        hidden = sides[: self.loss.n_hidden]
        first, group = _patterns(hidden, len(self.loss.inputs))
        of_x, of_y = self._sums(sides[len(hidden)], group[self.loss.owner], len(first))
        patterns = [side[first] > 0 for side in hidden]
        rows = self._back(patterns)  # (K, patterns, h)
        offset = self._offsets(patterns)  # (patterns, K)
        h = self.loss.shape[0]
        left = np.moveaxis(rows.num, 2, 0).reshape(h, -1)
        right = np.moveaxis(of_x.num, 1, 0).reshape(left.shape[1], -1)
        den = of_x.den * self.data.kinks.den
        gradient = Rationals((left @ right).ravel(), rows.den * den)
        ones = of_x.num[:, :, -1]
        columns = self.data.x.den
        common = _common(columns)
        if common > 1:
            scale = np.array([*(common // k for k in columns), None], object)[:-1]
            num = gradient.num.reshape(h, -1) * scale
            gradient = Rationals(num.ravel(), gradient.den * common)
        constant = Fraction(int((offset.num * ones).sum()), offset.den * den)
        for k, den_y in enumerate(self.data.y.den):
            total = int(of_y.num[:, k].sum())
            constant -= Fraction(total, of_y.den * self.data.kinks.den * den_y)
        if self.data.penalty:
            gradient = self._penalised(gradient, sides[-1])
        return Affine(gradient, constant)

    def _penalised(self, gradient: Rationals, side: NDArray[np.int8]) -> Rationals:
        """The `gradient` (D,) and that of the penalty, of weights with the `side` (q - 1, h)."""
        penalty = self.data.penalty
        num = (gradient.num * penalty.denominator).reshape(self.loss.shape)
        num[:, :-1] += np.where(side.T > 0, 1, -1).astype(object) * (
            penalty.numerator * gradient.den
        )
        return Rationals(num.ravel(), gradient.den * penalty.denominator)

    def _sums(self, side: NDArray[np.int8], group: Ints, size: int) -> tuple[Rationals, Rationals]:
        """Sums for each pattern of costs times inputs (size, K, q) and times targets (size, K).

        `side` (m, K) of the residuals; all of it over the denominator of the costs, and that of
        each column.
        """
        x, y = self.data.x.num[self.loss.owner], self.data.y.num
        m, n_out = y.shape
        terms = np.concatenate([np.repeat(x[:, None], n_out, axis=1), y[:, :, None]], axis=2)
        parts = None
        if self.costs is not None:
            costs = np.where(side > 0, self.costs[1], -self.costs[0])
            parts = products(costs[:, :, None], terms)
        if parts is None:
            left, right = self.data.kinks.num
            exact = Rationals.of(terms)
            exact_costs = np.where(side > 0, right, -left)
            num = np.zeros((size, *terms.shape[1:]), object)
            np.add.at(num, group, exact.num * exact_costs[:, :, None])
            sums = Rationals(num, exact.den)
        else:
            stacked = np.concatenate([part.reshape(m, -1) for part in parts])
            sums = group_sums(stacked, np.tile(group, len(parts)), size)
            sums = Rationals(sums.num.reshape(size, *terms.shape[1:]), sums.den)
        return Rationals(sums.num[:, :, :-1], sums.den), Rationals(sums.num[:, :, -1], sums.den)

    def _back(self, patterns: list[NDArray[np.bool_]]) -> Rationals:
        """Derivatives (K, patterns, h) of the outputs by the trained layer's rows."""
        n_out, size = self.data.y.num.shape[1], len(patterns[0]) if patterns else 1
        rows = np.zeros((n_out, size, n_out), object)
        rows[np.arange(n_out), :, np.arange(n_out)] = 1
        den = 1
        for layer, positive in zip(reversed(self.layers.weights), reversed(patterns), strict=True):
            rows = (rows @ layer.num[:, :-1]) * self.layers.slopes(positive)
            den *= layer.den * self.layers.slope.denominator
        return Rationals(rows, den)

    def _offsets(self, patterns: list[NDArray[np.bool_]]) -> Rationals:
        """Outputs (patterns, K) where theta is 0, continued from each pattern."""
        size = len(patterns[0]) if patterns else 1
        rows = Rationals(np.zeros((size, self.loss.shape[0]), object), 1)
        for stage, positive in enumerate(patterns):
            rows = self.layers.above(stage, rows, positive, biases=1)
        return rows


def _patterns(hidden: Sides, n: int) -> tuple[Ints, Ints]:
    """The first sample of each activation pattern, and the number of each sample's (n,)."""
    if not hidden:
        return np.zeros(1, np.int64), np.zeros(n, np.int64)
    bits = np.packbits(np.concatenate(hidden, axis=1) > 0, axis=1)
    keys = np.ascontiguousarray(bits).view(f"V{bits.shape[1]}").ravel()
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    return first.astype(np.int64), group.ravel().astype(np.int64)


def _common(numbers: tuple[int, ...]) -> int:
    return int(np.lcm.reduce(np.array(numbers, np.int64)))


__all__ = ["Affine", "Pieces"]
