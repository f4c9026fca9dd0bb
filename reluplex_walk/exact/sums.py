"""Sums of floats without rounding, by groups, and products of floats as sums of two."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rationals import Objects, Rationals

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EXACT = 2.0**53
"""Integers up to here are floats, and so are their sums."""

_SPLIT = 134217729.0  # 2^27 + 1 cuts a float in halves whose products are exact
_RANGE = 2.0**-900, 2.0**900  # sizes of products whose parts neither under- nor overflow


def exact_sums(rows: Floats) -> Objects:
    """Sum of each row of floats (k, n), as `Fraction`."""
    parts = [np.zeros(len(rows))]
    parts += [part.sum(axis=1) for part in _slices(np.array(rows, float), rows.shape[1])]
    exact = Rationals.of(parts)
    return Rationals(exact.num.sum(axis=0), exact.den).fractions()


def group_sums(terms: Floats, group: Ints, n_groups: int) -> Rationals:
    """Sums (n_groups, k) of the rows of `terms` (n, k) that each `group` (n,) has."""
    n, k = terms.shape
    place = (group[:, None] * k + np.arange(k)).ravel()
    rest = np.array(terms, float).ravel()
    largest = max(rest.max(initial=0.0), -rest.min(initial=0.0))
    shape = (n_groups, k)
    if largest * n < EXACT and (rest == np.rint(rest)).all():
        sums = np.bincount(place, rest, n_groups * k).reshape(shape)
        return Rationals(sums.astype(np.int64).astype(object), 1)
    parts: Any = [np.zeros(shape)]
    parts += [np.bincount(place, part, n_groups * k).reshape(shape) for part in _slices(rest, n)]
    exact = Rationals.of(np.array(parts))
    return Rationals(exact.num.sum(axis=0), exact.den)


def _slices(rest: Floats, n: int) -> Iterator[Floats]:
    """Arrays that add up to `rest`, of so few leading bits that no sum of `n` is rounded.

    Each is gone when the next one is asked for, and so is `rest` (Zielke and Drygalla 2003; Rump,
    Ogita and Oishi 2008).
    """
    largest = max(rest.max(initial=0.0), -rest.min(initial=0.0))
    bits = n.bit_length() + 1
    exponent = int(np.frexp(largest)[1])  # all of the rest is below 2^exponent
    leading = np.empty_like(rest)
    while rest.any():
        shift = np.ldexp(1.5, exponent + bits)
        np.add(rest, shift, out=leading)
        leading -= shift
        yield leading
        rest -= leading
        exponent += bits - 52


def products(a: Floats, b: Floats) -> list[Floats] | None:
    """Arrays that add up to ``a * b`` without rounding; None where floats are too short for it.

    By the splitting of Veltkamp and Dekker.
    """
    product = a * b
    size = np.abs(product)
    largest = float(size.max(initial=0.0))
    if largest < EXACT and all((part == np.rint(part)).all() for part in (a, b)):
        return [product]
    if largest > _RANGE[1] or ((size < _RANGE[0]) & (a != 0.0) & (b != 0.0)).any():
        return None
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    low = ((product - a_high * b_high) - a_low * b_high) - a_high * b_low
    return [product, a_low * b_low - low]


def _halves(a: Floats) -> tuple[Floats, Floats]:
    big = _SPLIT * a
    high = big - (big - a)
    return high, a - high


__all__ = ["EXACT", "exact_sums", "group_sums", "products"]
