"""Sizes kept within what double precision holds, by powers of two, which round nothing."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOG2 = float(np.log(2.0))

_FAR = 100  # binary orders of magnitude: squares, and what one layer adds, are safe


def exponents(values: Floats) -> NDArray[np.int64]:
    """E (n,), so that the largest number of each `values` (n, ...) is 2^e x [1/2, 1); 0 of a 0."""
    largest = np.abs(values).reshape(len(values), -1).max(axis=1)
    return np.asarray(np.frexp(largest)[1], np.int64)


def rescaled(values: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """`values` (n, ...) x 2^-e and e (n,), which is 0 where they are far from any limit."""
    found = exponents(values)
    found[np.abs(found) <= _FAR] = 0
    if not found.any():
        return values, found
    return np.ldexp(values, -found.reshape(-1, *[1] * (values.ndim - 1))), found


__all__ = ["LOG2", "exponents", "rescaled"]
