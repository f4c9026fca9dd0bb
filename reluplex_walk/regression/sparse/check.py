"""An independent check that a sparse regression is optimal: no searching, no floats.

Multipliers d of the residuals with X' d = 0, each within the slopes of its term, and at an end of
them where its residual has that sign: then no other coefficients have a smaller loss.  Nothing of
the code that solves and proves is used.
"""

from fractions import Fraction
from math import lcm
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ...exact.rationals import Rationals, from_fractions
from ...problem.decimals import places, written
from .numbers import Exact

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class SparseProof(NamedTuple):
    """What is claimed of the exact minimum of a sparse regression."""

    fitted: Ints  # (q,) of the p + 1 coefficients, intercept 0; all others are 0
    coefficients: Exact  # (q,)
    active: Ints  # (q,) samples
    multipliers: Exact  # (q,) their subgradients by the residual ``fit - y``
    above: NDArray[np.bool_]  # (n,) of all others: whether they have the slope above 0


def check(
    X: sparse.csc_array, y: Floats, w: Floats, tau: float | None, proof: SparseProof
) -> Fraction:
    """The exact minimum of the loss; ValueError if the `proof` does not show that it is one."""
    below, above = _slopes(tau)
    weights = _column(w)
    d = np.array([-below, above], object)[proof.above.astype(int)] * weights.fractions()
    d[proof.active] = multipliers = proof.multipliers.fractions()
    for i, multiplier in zip(proof.active.tolist(), multipliers, strict=True):
        weight = Fraction(int(weights.num[i]), weights.den)
        if not -below * weight <= multiplier <= above * weight:
            raise ValueError(f"not proved: the multiplier of sample {i} is not within its slopes")
    kept = w > 0.0
    exact, targets = from_fractions(d), _column(y, kept)
    theta = from_fractions(proof.coefficients.fractions())
    sizes, den = np.zeros(len(y), object), 1
    for k, value in zip(proof.fitted.tolist(), theta.num, strict=True):
        if k == 0:
            samples, column = np.arange(len(y)), Rationals(np.ones(len(y), object), 1)
        else:
            part = slice(X.indptr[k - 1], X.indptr[k])
            samples = X.indices[part]
            column = _column(X.data[part], kept[samples])
        if (column.num * exact.num[samples]).sum() != 0:
            raise ValueError(f"not proved: the multipliers do not balance in coefficient {k}")
        if den % column.den:
            new = lcm(den, column.den)
            sizes, den = sizes * (new // den), new
        sizes[samples] += column.num * (value * (den // column.den))
    r = sizes * targets.den - targets.num * (theta.den * den)
    wrong = np.where(proof.above, r < 0, r > 0) & (w > 0.0)
    wrong[proof.active] = r[proof.active] != 0
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"not proved: the residual of sample {i} has another sign")
    total = Fraction(int((r * exact.num).sum()), targets.den * theta.den * den * exact.den)
    if total != -Fraction(int((targets.num * exact.num).sum()), targets.den * exact.den):
        raise ValueError("not proved: the loss is not that of the dual problem")
    return total


def exact_loss(
    X: sparse.csc_array, y: Floats, w: Floats, tau: float | None, coefficients: Floats
) -> Fraction:
    """The loss at the floats `coefficients` (p + 1,), intercept first, without rounding."""
    below, above = _slopes(tau)
    total, kept = np.full(len(y), Fraction(float(coefficients[0])), object), w > 0.0
    for k in np.flatnonzero(coefficients[1:]).tolist():
        part = slice(X.indptr[k], X.indptr[k + 1])
        entries = _column(X.data[part], kept[X.indices[part]]).fractions()
        total[X.indices[part]] += entries * Fraction(float(coefficients[k + 1]))
    r = total - _column(y, kept).fractions()
    terms = np.where(r > 0, above * r, -below * r) * _column(w).fractions()
    return Fraction(terms.sum())


def _slopes(tau: float | None) -> tuple[Fraction, Fraction]:
    if tau is None:
        return Fraction(1), Fraction(1)
    share = _column(np.array([tau])).fractions()[0]
    return share, 1 - share


def _column(values: Floats, kept: NDArray[np.bool_] | None = None) -> Rationals:
    """A column as it was written: see :mod:`reluplex_walk.problem.decimals`.

    Of samples those that are `kept` have a say, and the others are 0: they have no weight.
    """
    if kept is not None and not kept.all():
        found = np.zeros(values.size)
        found[kept] = values[kept]
        values = found
    numbers, unit = written(values, *places(values[:, None]))
    exact = Rationals.of(numbers)
    return Rationals(exact.num, exact.den * unit)


__all__ = ["SparseProof", "check", "exact_loss"]
