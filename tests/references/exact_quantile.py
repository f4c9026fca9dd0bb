"""Quantile regression as a linear program in rational arithmetic, by the plainest simplex method.

Every vertex is solved for anew, and the steepest half-edge taken to the breakpoint at which it no
longer descends.  Slow, and nothing is rounded.  Targets are moved by about 1e-60, so that all
vertices are simple; the last basis is the minimum of the data if no residual has changed its sign.
"""

from fractions import Fraction
from typing import Any

import flint
import numpy as np


def rationals(column: np.ndarray) -> list[Fraction]:
    """The column as the decimals that were written, if it is one, else as the floats it is."""
    for k in range(10):
        whole = [round(Fraction(v) * 10**k) for v in column.tolist()]
        if all(float(Fraction(a, 10**k)) == v for a, v in zip(whole, column.tolist(), strict=True)):
            return [Fraction(a, 10**k) for a in whole]
    return [Fraction(v) for v in column.tolist()]


def minimum(X: np.ndarray, y: np.ndarray, tau: Fraction) -> tuple[Fraction, list[Fraction], bool]:
    """Least loss, coefficients (p + 1,) there, and whether no other ones are as good."""
    n, level = len(y), _fmpq(tau)
    columns = [[Fraction(1)] * n, *(rationals(column) for column in X.T)]
    x = _matrix(list(zip(*columns, strict=True)))
    targets = [_fmpq(v) for v in rationals(y)]
    moves = np.random.default_rng(0).integers(1, 10**9, n).tolist()
    moved = [t + flint.fmpq(v, 10**69) for t, v in zip(targets, moves, strict=True)]
    basis = _independent(x)
    while True:
        edges = flint.fmpq_mat([[x[i, j] for j in range(x.ncols())] for i in basis]).inv()
        values = x * edges * flint.fmpq_mat([[moved[i]] for i in basis])
        rates = x * edges  # of the fitted values, along each edge
        r = [moved[i] - values[i, 0] for i in range(n)]
        slopes = {
            (k, sign): sum(_slope(r[i], -sign * rates[i, k], level) for i in range(n))
            for k in range(len(basis))
            for sign in (1, -1)
        }
        k, sign = min(slopes, key=slopes.__getitem__)
        slope = slopes[k, sign]
        if slope >= 0:
            break
        ends = [(r[i] / (sign * rates[i, k]), i) for i in range(n) if rates[i, k] != 0]
        for _, i in sorted(end for end in ends if end[0] > 0):
            slope += abs(rates[i, k])
            if slope >= 0:
                basis[k] = i
                break
    theta = edges * flint.fmpq_mat([[targets[i]] for i in basis])
    values = x * theta
    given = [targets[i] - values[i, 0] for i in range(n)]
    assert all(a * b >= 0 for a, b in zip(r, given, strict=True)), "moved too far"
    loss = sum(level * v if v > 0 else (level - 1) * v for v in given)
    return _fraction(loss), [_fraction(v[0]) for v in theta.tolist()], slope > 0


def _slope(r: Any, rate: Any, tau: Any) -> Any:
    """Derivative of the loss of a residual that changes at this rate."""
    return tau * rate if r > 0 or (r == 0 and rate > 0) else (tau - 1) * rate


def _independent(x: Any) -> list[int]:
    """The first rows of x that are independent of those before."""
    form, rank = x.transpose().rref()
    return [next(j for j in range(form.ncols()) if form[k, j] != 0) for k in range(rank)]


def _matrix(rows: list[tuple[Fraction, ...]]) -> Any:
    return flint.fmpq_mat([[_fmpq(v) for v in row] for row in rows])


def _fmpq(value: Fraction) -> Any:
    return flint.fmpq(value.numerator, value.denominator)


def _fraction(value: Any) -> Fraction:
    return Fraction(int(flint.fmpq(value).p), int(flint.fmpq(value).q))
