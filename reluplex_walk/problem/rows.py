"""Distinct rows of a table of floats, by hashes: sorting whole rows takes ten times as long."""

from collections.abc import Iterable, Sequence

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
    return _numbered(np.ascontiguousarray(rows), _hashes(rows.T))


def distinct_columns(parts: Sequence[Floats]) -> tuple[Ints, Ints]:
    """The same for samples of which each array (n,) of `parts` has a number, none of them copied.

    That two samples are equal is looked up, not told by their hashes; -0.0 and 0.0 are the same
    or not, as it happens.
    """
    *others, last = parts
    first, number = _numbered(np.ascontiguousarray(last)[:, None], _hashes(parts))
    if any((part[first][number] != part).any() for part in others):  # hashes that collide
        return distinct_rows(np.column_stack(parts) + 0.0)
    return first, number


def _numbered(rows: Floats, key: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    n = len(rows)
    table = np.full(1 << (2 * n).bit_length(), -1)
    first, number = np.empty((2, n), np.int64)
    count = number_rows(rows, key, table, first, number)
    return first[:count].copy(), number


def _hashes(columns: Iterable[Floats]) -> NDArray[np.uint64]:
    """A number for each row of a table of these columns, the same for the same bits."""
    key = np.zeros(1, np.uint64)
    for column in columns:
        key = key ^ np.ascontiguousarray(column).view(np.uint64)
        key *= np.uint64(_ODD)
        key ^= key >> np.uint64(29)
    return key


__all__ = ["distinct_columns", "distinct_rows"]
