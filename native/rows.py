"""Distinct rows of a table, by a hash table in which whole rows are compared."""

import numpy as np
from numba import float64, int64, uint64

from ._jit import entry

ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: high bits of multiples tell most


@entry(int64, float64[:, ::1], uint64[::1], int64[::1], int64[::1], int64[::1], precise=True)
def number_rows(rows, key, table, first, number):
    """Number the distinct rows of `rows` (n, k) in order of appearance; returns how many there are.

    Rows of the same bits (there are no -0.0) have the same `key` (n,).  `table`, of a power of two
    > n entries, is -1 everywhere; `first` (n,) becomes the first index of each, `number` (n,) the
    number of each row.
    """
    mask, count, shift = table.size - 1, 0, np.uint64(64)
    for bits in range(64):
        if table.size == 1 << bits:
            shift = np.uint64(64 - bits)
    for i in range(key.size):
        place = np.int64((key[i] * ODD) >> shift)
        while True:
            other = table[place]
            if other < 0:
                table[place], first[count], number[i] = count, i, count
                count += 1
                break
            same = key[first[other]] == key[i]
            for j in range(rows.shape[1]):
                same = same and rows[first[other], j] == rows[i, j]
            if same:
                number[i] = other
                break
            place = (place + 1) & mask
    return count
