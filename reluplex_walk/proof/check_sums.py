"""Sums of products of floats without rounding, for the checker.

What is added up is cut into pieces of so few leading bits that no sum of them is rounded, in any
order.
"""

from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SAFE = (1e-280, 1e280)  # sizes of products whose rounding error is a float


class Stretches:
    """Parts of a sum that follow each other: where they start."""

    def __init__(self, starts: NDArray[np.int64]) -> None:
        self.starts = starts

    def __len__(self) -> int:
        return len(self.starts)

    def __call__(self, rows: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(np.add.reduceat(rows, self.starts, axis=1))


class Masks:
    """A few parts of a sum: which terms each has."""

    def __init__(self, masks: NDArray[Any]) -> None:
        self.masks = masks.astype(float)

    def __len__(self) -> int:
        return len(self.masks)

    def __call__(self, rows: NDArray[Any]) -> NDArray[Any]:
        if rows.dtype == object:
            parts = [rows[:, mask > 0.0].sum(axis=1) for mask in self.masks]
            return np.stack(parts, axis=1)
        return np.asarray(rows @ self.masks.T)


def exact_sums(a: Floats, b: Floats, add: Stretches | Masks) -> list[fmpq]:
    """Sums of the products ``a b`` over the parts that `add` adds up, without rounding."""
    if (b == 1.0).all():
        return _sums(a[None], add)
    size = np.abs(a * b)[(a != 0.0) & (b != 0.0)]
    if size.size and not (_SAFE[0] < size.min() and size.max() < _SAFE[1]):
        return _slow_sums(a, b, add)
    product = a * b
    return _sums(np.stack([product, _product_error(a, b, product)]), add)


def _sums(rest: Floats, add: Stretches | Masks) -> list[fmpq]:
    """Sums of the rows of `rest` together over the parts."""
    totals = [fmpq(0)] * len(add)
    n = rest.shape[1]
    bits = n.bit_length() + 1
    largest = max(float(rest.max(initial=0.0)), -float(rest.min(initial=0.0)))
    if largest * n < 2.0**52 and (np.rint(rest) == rest).all():
        return _added(totals, add(rest))  # no sum of these integers is rounded
    exponent = int(np.frexp(largest)[1])  # all of the rest is below 2^exponent
    rest, leading = rest.copy(), np.empty_like(rest)
    while rest.any():
        # Multiples of 2^(exponent + bits - 52) below 2^exponent: their sums are not rounded.
        shift = np.ldexp(1.5, exponent + bits)
        np.add(rest, shift, out=leading)
        leading -= shift
        rest -= leading
        totals = _added(totals, add(leading))
        exponent += bits - 52
    return totals


def _added(totals: list[fmpq], parts: Floats) -> list[fmpq]:
    for part in parts:
        totals = [
            t + fmpq(*s.as_integer_ratio()) if s else t
            for t, s in zip(totals, part.tolist(), strict=True)
        ]
    return totals


def _slow_sums(a: Floats, b: Floats, add: Stretches | Masks) -> list[fmpq]:
    products = [
        fmpq(*x.as_integer_ratio()) * fmpq(*y.as_integer_ratio())
        for x, y in zip(a.tolist(), b.tolist(), strict=True)
    ]
    found: list[fmpq] = (fmpq(0) + add(np.array([products], object))[0]).tolist()
    return found


def _product_error(a: Floats, b: Floats, product: Floats) -> Floats:
    """``a b - product``, a float (Dekker 1971)."""

    def halves(v: Floats) -> tuple[Floats, Floats]:
        scaled = v * 134217729.0  # 2^27 + 1
        high = scaled - (scaled - v)
        return high, v - high

    (a1, a2), (b1, b2) = halves(a), halves(b)
    return ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2


__all__ = ["Masks", "Stretches", "exact_sums"]
