"""The loss written from its definition alone, in `fractions.Fraction` on the data as given.

Decimals are decimals, all other floats the rationals they are.  Nothing of the library's exact
arithmetic is used; the same few lines also work in floats, on columns of X centred and scaled.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

import reluplex_walk as rw

_DIGITS = 9  # after the point, of what counts as a decimal

Array = np.ndarray[Any, Any]  # of float or Fraction


def as_written(column: Array, decimals: bool = True) -> list[Fraction]:
    """The numbers that a column of floats stands for: decimals, if all are nearest to some."""
    for digits in range(_DIGITS + 1 if decimals else 0):
        scale = 10**digits
        counts = [round(Fraction(float(v)) * scale) for v in column]
        if all(
            abs(k) < 2**53 and k / scale == v for k, v in zip(counts, column.tolist(), strict=True)
        ):
            return [Fraction(k, scale) for k in counts]
    return [Fraction(float(v)) for v in column]


def fractions(array: Array) -> Array:
    """Floats as the rationals they are."""
    out = np.empty(np.shape(array), object)
    out.ravel()[:] = [Fraction(float(v)) for v in np.ravel(array)]
    return out


@dataclass(frozen=True)
class Network:
    """The loss on numbers of one kind, Fraction or float; every method works on both."""

    x: Array  # (n, q), the constant last
    tail: list[tuple[Array, Array]]
    slope: Any
    y: Array  # (n, K)
    left: Array  # (n, K)
    right: Array

    def values(self, theta: Array, region: list[Array] | None = None) -> list[Array]:
        """Values of all breakpoints, layer by layer, then the residuals: of the affine functions
        that they are in `region`, if it is given.
        """
        values = [self.x @ theta.T]
        for layer, (w, b) in enumerate(self.tail):
            on = (values[-1] if region is None else region[layer]) > 0
            values.append(np.where(on, values[-1], self.slope * values[-1]) @ w.T + b)
        return [*values[:-1], values[-1] - self.y]

    def loss(self, theta: Array) -> Any:
        r = self.values(theta)[-1]
        return np.where(r > 0, self.right * r, -self.left * r).sum()

    def along(self, signs: list[Array], d: Array) -> list[Array]:
        """One-sided derivatives along `d` of all breakpoints, then of the terms of the loss."""
        rates = [self.x @ d.T]
        for (w, _), sign in zip(self.tail, signs, strict=False):
            on = (sign > 0) | ((sign == 0) & (rates[-1] > 0))
            rates.append(np.where(on, rates[-1], self.slope * rates[-1]) @ w.T)
        up = (signs[-1] > 0) | ((signs[-1] == 0) & (rates[-1] > 0))
        return [*rates, np.where(up, self.right * rates[-1], -self.left * rates[-1])]

    def gradients(self, signs: list[Array]) -> list[Array]:
        """Gradients (n, width, h, q) of all breakpoints in the region of `signs` (none 0)."""
        n, h = self.x.shape[0], signs[0].shape[1]
        jacobian = np.broadcast_to(np.eye(h, dtype=int), (n, h, h))
        jacobians = [jacobian]
        for (w, _), sign in zip(self.tail, signs, strict=False):
            factor = np.where(sign > 0, 1 + 0 * self.slope, self.slope)
            jacobian = np.array([(w * f) @ j for f, j in zip(factor, jacobian, strict=True)])
            jacobians.append(jacobian)
        return [j[..., None] * self.x[:, None, None, :] for j in jacobians]


def eliminated(rows: Array, right: Array) -> tuple[list[int], list[int], Array]:
    """Gauss-Jordan in Fractions: independent rows, their pivot columns, and the solution X of
    ``rows[chosen][:, columns] X = right[chosen]``.
    """
    work = np.concatenate([rows, right], axis=1)
    chosen: list[int] = []
    columns: list[int] = []
    for i in range(len(work)):
        for k, c in zip(chosen, columns, strict=True):
            if work[i, c] != 0:
                work[i] = work[i] - work[i, c] * work[k]
        c = next((c for c in range(rows.shape[1]) if work[i, c] != 0), None)
        if c is None:
            continue
        work[i] = work[i] / work[i, c]
        for k in chosen:
            if work[k, c] != 0:
                work[k] = work[k] - work[k, c] * work[i]
        chosen.append(i)
        columns.append(c)
        if len(chosen) == rows.shape[1]:
            break
    return chosen, columns, work[chosen][:, rows.shape[1] :]


class PlainLoss:
    """The loss as its data, network and kind say, in Fractions and in centred floats."""

    def __init__(self, loss: rw.LayerLoss, decimals: bool) -> None:
        self.kept = np.flatnonzero(loss.sample_weight)
        X, y, w = loss.X[self.kept], loss.y[self.kept], loss.sample_weight
        features = loss.network.features(X, loss.layer)
        as_given = decimals and loss.layer == 0
        columns = [as_written(c, as_given) for c in features.T] + [[Fraction(1)] * len(X)]
        x = np.array(columns, object).T
        targets = np.array([as_written(c, decimals) for c in y.T], object).T
        weight = np.array(as_written(w, decimals), object)[self.kept, None]
        left, right = self._costs(loss, targets, weight, decimals)
        tail = [(fractions(w), fractions(b)) for w, b in loss.tail]
        slope = Fraction(loss.network.negative_slope)
        self.exact = Network(x, tail, slope, targets, left, right)
        self.free = np.broadcast_to(getattr(loss, "free", True), loss.shape).astype(bool)
        self.shape, self.n_hidden = loss.shape, loss.n_hidden
        self.targets = (np.maximum(left, right) * abs(targets)).sum()
        self._centre()

    @staticmethod
    def _costs(loss: rw.LayerLoss, y: Array, w: Array, decimals: bool) -> tuple[Array, Array]:
        if loss.kind == "hinge":
            return np.where(y > 0, w, 0 * w), np.where(y > 0, 0 * w, w)
        one = w * np.ones(y.shape, int)
        if loss.kind == "l1":
            return one, one
        tau = as_written(np.array([loss.tau]), decimals)[0]
        return tau * one, (1 - tau) * one

    def _centre(self) -> None:
        """Columns of X in floats: centred, unless the bias is fixed, and scaled by a power of 2."""
        x = self.exact.x
        self.centre = np.array([Fraction(0)] * x.shape[1], object)
        if self.free[:, -1].all():
            self.centre[:-1] = [sorted(c)[len(c) // 2] for c in x[:, :-1].T]
        moved = x - self.centre
        largest = [max(abs(c)) for c in moved.T]
        powers = [int(v.numerator).bit_length() - int(v.denominator).bit_length() for v in largest]
        self.scale = np.array([Fraction(2) ** p for p in powers], object)
        # A common factor of all terms changes no sign, and keeps floats from overflowing.
        factor = max(1, max(self.exact.left.max(), self.exact.right.max()))
        e = self.exact
        self.floats = Network(
            (moved / self.scale).astype(float),
            [(w.astype(float), b.astype(float)) for w, b in e.tail],
            float(e.slope),
            e.y.astype(float),
            (e.left / factor).astype(float),
            (e.right / factor).astype(float),
        )

    def mapped(self, e: Array) -> Array:
        """A direction of the centred columns as one of the data, without rounding."""
        d = fractions(e) / self.scale
        d[:, -1] = d[:, -1] - d[:, :-1] @ self.centre[:-1]
        return d

    def signs(self, point: Array) -> list[Array]:
        return [np.sign((v > 0) * 1 - (v < 0) * 1) for v in self.exact.values(point)]

    def derivative(self, signs: list[Array], d: Array) -> Any:
        return self.exact.along(signs, d)[-1].sum()
