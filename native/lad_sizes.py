"""Sizes of the features of a quantile regression, to be scaled by powers of two."""

import math

from numba import float64, int64, void

from ._jit import entry

NEARBY = 60
"""Powers of two by which all data may be scaled: they are 0 or lie above 2^-830 in size."""


@entry(
    void,
    float64[:, ::1],
    float64[::1],
    float64[::1],
    float64[::1],
    int64,
    float64[::1],
    precise=True,
)
def powers(x, typical, sums, largest, far, scale):
    """Powers of two that bring `typical` sizes of the rows of x (p, n) to 1.

    As far as neither squares nor single bits are lost: 2^far and its square, and bits far below
    2^-far, are floats.  Where the typical size is 0 the mean takes its place; `sums` and `largest`
    are those of absolute values.
    """
    p, n = x.shape
    for k in range(p):
        size = typical[k] if typical[k] > 0.0 else sums[k] / n
        power = -math.frexp(size if size > 0.0 else 0.5)[1]
        power = min(power, far - math.frexp(largest[k])[1])
        if power < -NEARBY:
            least = 1.0
            for i in range(n):
                if x[k, i] != 0.0:
                    least = min(least, abs(x[k, i]))
            power = max(power, min(0, -far - math.frexp(least)[1]))
        scale[k] = math.ldexp(1.0, power)
