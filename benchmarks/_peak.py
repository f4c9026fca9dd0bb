"""What one core of this machine can do at most, measured in the run that needs it."""

import time
from collections.abc import Callable

import numba
import numpy as np

_jit = numba.njit(fastmath={"contract"})
_FLOPS = 32  # per element in `_horner`


@_jit
def _four(v, p, q):
    return (((v * p + q) * p + q) * p + q) * p + q


@_jit
def _horner(x, p, q, repeats):
    """16 multiply-adds per element in registers; elements are independent."""
    for _ in range(repeats):
        for i in range(x.size):
            x[i] = _four(_four(_four(_four(x[i], p, q), p, q), p, q), p, q)


@_jit
def _triad(a, b, c, factor, repeats):
    for _ in range(repeats):
        for i in range(a.size):
            a[i] = b[i] + factor * c[i]


def _seconds(function: Callable[[], None]) -> float:
    """Least of several runs, after one that compiles."""
    times = []
    for _ in range(6):
        began = time.process_time()
        function()
        times.append(time.process_time() - began)
    return min(times[1:])


def gflops() -> float:
    """Fused multiply-adds, two operations each, in units of 1e9 per second."""
    x, repeats = np.ones(1024), 2000
    return _FLOPS * x.size * repeats / _seconds(lambda: _horner(x, 0.5, 1.0, repeats)) / 1e9


def gigabytes(size: int) -> float:
    """GB/s of a = b + f c on arrays of `size` bytes in all (three are moved)."""
    a, b, c = np.zeros((3, max(1, size // 24)))
    repeats = max(1, int(3e8 // size))
    seconds = _seconds(lambda: _triad(a, b, c, 0.5, repeats))
    return 3 * a.nbytes * repeats / seconds / 1e9
