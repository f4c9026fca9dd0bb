"""Exact integer arrays for the checker: int64 where a bound shows that nothing overflows.

Elsewhere they hold Python's integers.  Many numbers at once take a fraction of the time that
rationals take one by one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

Integers = NDArray[Any]  # of int64, or objects that are ints

_LIMIT = 2**63


def whole(floats: NDArray[np.float64]) -> tuple[Integers, int]:
    """`floats` (n,) without rounding, as integers over a power of two."""
    if (np.abs(floats) < 2.0**53).all() and (np.rint(floats) == floats).all():
        return floats.astype(np.int64), 1
    ratios = [v.as_integer_ratio() for v in floats.tolist()]
    den = max(d for _, d in ratios)
    return shortest([n * (den // d) for n, d in ratios]), den


def shortest(numbers: Sequence[int]) -> Integers:
    """As int64 if all fit."""
    fit = all(-_LIMIT < v < _LIMIT for v in numbers)
    return np.array(numbers, np.int64 if fit else object)


def times(a: Integers, b: Integers) -> Integers:
    """The matrix product, or that of vectors."""
    terms = a.shape[-1]
    if _small(terms * _size(a) * _size(b), a, b):
        return np.asarray(a @ b)
    return np.asarray(a.astype(object) @ b.astype(object))


def scaled(a: Integers, b: Integers | int) -> Integers:
    """The products of entries."""
    b = shortest([b])[0:1] if isinstance(b, int) else b
    if _small(_size(a) * _size(b), a, b):
        return np.asarray(a * b)
    return np.asarray(a.astype(object) * b.astype(object))


def sums(values: Integers, group: NDArray[np.int64], size: int) -> Integers:
    """Sums of the `values` (n,) of each of `size` groups."""
    exact = _small(len(values) * _size(values), values)
    total = np.zeros(size, np.int64 if exact else object)
    np.add.at(total, group, values)
    return total


def from_matrix(matrix: fmpz_mat) -> Integers:
    """The entries (m, n)."""
    numbers = [int(v) for v in matrix.entries()]
    return shortest(numbers).reshape(matrix.nrows(), matrix.ncols())


def _size(a: Integers) -> int:
    return max(int(a.max()), -int(a.min())) if a.size else 0


def _small(bound: int, *arrays: Integers) -> bool:
    return bound < _LIMIT and all(a.dtype != object for a in arrays)


__all__ = ["Integers", "from_matrix", "scaled", "shortest", "sums", "times", "whole"]
