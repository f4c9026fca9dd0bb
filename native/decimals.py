"""Decimal places of columns, found in one pass over a table."""

import numpy as np
from numba import float64, int64, void

from ._jit import entry

BLOCK = 256  # rows handled together, so that they stay in the cache for all columns


@entry(void, float64[:, ::1], int64, float64, int64[::1], float64[::1], precise=True)
def decimal_places(table, most, largest, found, top):
    """The least k <= most for which all values of a column are nearest to decimals of k places.

    Columns of `table` (n, p); `found` (p,) becomes k, or -1 where there is none with integers
    ``value * 10^k`` up to `largest`.  `top` (p,) is scratch.

    A value fits all k from its own places on, up to where its integer is too large: what is found
    for the values so far fits all of them, if it fits the largest.
    """
    n, p = table.shape
    for j in range(p):
        found[j], top[j] = 0, 0.0
    for low in range(0, n, BLOCK):
        for j in range(p):
            k = found[j]
            if k < 0:
                continue
            power = 10.0**k
            size = top[j]
            for i in range(low, min(n, low + BLOCK)):
                value = table[i, j]
                size = max(size, abs(value))
                # Below 10^15 the product is off by at most 1/4, and the quotient of exact numbers
                # is rounded to the nearest.
                while np.rint(value * power) / power != value:
                    k += 1
                    power *= 10.0
                    if k > most:
                        break
                if k > most:
                    break
            found[j], top[j] = (k, size) if k <= most else (-1, size)
    for j in range(p):
        if found[j] >= 0 and np.rint(top[j] * 10.0 ** found[j]) > largest:
            found[j] = -1
