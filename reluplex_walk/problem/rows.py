"""Distinct rows of a table of floats, by hashes: sorting whole rows takes ten times as long."""

import numpy as np
from numpy.typing import NDArray

from ..native.rows import number_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ODD = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio: multiples spread over all bits


def distinct_rows(rows: Floats) -> tuple[Ints, Ints]:
    """First index of each distinct row, in order of appearance, and each row's number there.

    Rows (n, k) are the same if their bits are: no -0.0 should be among them.
    """
    n = len(rows)
    if rows.shape[1] == 0:
        return np.zeros(min(n, 1), np.int64), np.zeros(n, np.int64)
    table = np.full(1 << (2 * n).bit_length(), -1)
    first, number = np.empty((2, n), np.int64)
    count = number_rows(np.ascontiguousarray(rows), _hashes(rows), table, first, number)
    return first[:count].copy(), number


def _hashes(rows: Floats) -> NDArray[np.uint64]:
    """A number for each row, the same for the same bits."""
    key = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        key ^= np.ascontiguousarray(column).view(np.uint64)
        key *= np.uint64(_ODD)
        key ^= key >> np.uint64(29)
    return key


__all__ = ["distinct_rows"]
