"""`ExactData`: the data of a loss without rounding, as floats over one integer for each column.

Columns of decimals are integers over a power of ten, others the floats they are over 1: either way
floats hold the numerators, so that sums over samples need no other numbers.
"""

from fractions import Fraction
from math import lcm
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..problem.decimals import written
from ..problem.loss import LayerLoss
from .rationals import Objects, Rationals
from .sums import EXACT

Floats = NDArray[np.float64]


class Table(NamedTuple):
    """Columns ``num / den`` without rounding."""

    num: Floats  # (n, k)
    den: tuple[int, ...]  # (k,)

    @classmethod
    def of(cls, columns: Floats, places: tuple[int | None, ...]) -> "Table":
        """The `columns` (n, k) of floats, decimals where `places` says so."""
        parts = [written(column, k) for column, k in zip(columns.T, places, strict=True)]
        num = np.empty(columns.shape)
        for j, (part, _) in enumerate(parts):
            num[:, j] = part
        return cls(num, tuple(den for _, den in parts))

    def rationals(self) -> Rationals:
        """All of it over one denominator."""
        exact, common = Rationals.of(self.num), lcm(*self.den)
        if common > 1:
            factors = np.array([*(common // den for den in self.den), None], object)[:-1]
            exact = Rationals(exact.num * factors, exact.den * common)
        return exact


class ExactData(NamedTuple):
    """Inputs of the trained layer with a column of ones, targets, and costs of the residuals."""

    x: Table  # (samples, q)
    y: Table  # (residual rows, K)
    kinks: Rationals  # (2, residual rows, K) slopes below and above each kink, as `loss.left`
    penalty: Fraction  # of the sum of the absolute weights

    @classmethod
    def of(cls, loss: LayerLoss) -> "ExactData":
        """The data of `loss` as it takes them: see :attr:`.LayerLoss.decimals`."""
        inputs = np.column_stack([loss.inputs, np.ones(len(loss.inputs))])
        places = loss.decimals
        x, y = Table.of(inputs, (*places.X, 0)), Table.of(loss.targets, places.y)
        return cls(x, y, _costs(loss), loss.exact_penalty)


def _costs(loss: LayerLoss) -> Rationals:
    """Weights, summed over equal rows without rounding, times the slopes of the kind of loss."""
    kept, den = written(loss.sample_weight[loss.sample_weight > 0], loss.decimals.sample_weight)
    rows, whole = len(loss.targets), loss.decimals.sample_weight is not None
    if whole and kept.sum() < EXACT:
        num = np.bincount(loss.row_of, kept, rows).astype(np.int64).astype(object)
    else:
        exact = Rationals.of(kept)
        num, den = np.zeros(rows, object), den * exact.den
        np.add.at(num, loss.row_of, exact.num)
    below, above, share = _slopes(loss)
    return Rationals(np.stack([num[:, None] * below, num[:, None] * above]), den * share)


def _slopes(loss: LayerLoss) -> tuple[Objects, Objects, int]:
    """Slopes (rows, K) below and above the kinks for weights 1: integers over one more."""
    ones = np.ones(loss.targets.shape, object)
    if loss.kind == "hinge":
        below = (loss.targets > 0).astype(object) * 1
        return below, 1 - below, 1
    if loss.kind == "pinball":
        share = loss.share
        return (
            ones * share.numerator,
            ones * (share.denominator - share.numerator),
            share.denominator,
        )
    return ones, ones, 1


__all__ = ["ExactData", "Table"]
