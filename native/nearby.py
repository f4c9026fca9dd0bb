"""Samples a step could reach: at large n a pivot looks at those alone.

The breakpoints of a sample that meets none have constant gradients ``u (x) x_i``: while theta
travels a path of length s, their values change by at most s |u| |x_i|.  So sample i meets nothing
before the path is longer than the least |z| / (|u| |x_i|) of its breakpoints.  That path length,
S.key[i], orders a heap, S.queue, of all samples but those in S.near; `wake` moves the first of
the queue to S.near, with its values computed from theta, and `retire` moves samples back.  Active
samples stay in S.near.

Without bounds S.near holds all samples for good, and their values are carried along.
"""

import numpy as np
from numba import float64, int64, void

from ._jit import entry, kernel
from .arrays import LAZY, N_NEAR, N_QUEUE, PARKED, PATH, P, S

NEVER = 1e290  # a time no breakpoint is met at
LEAST = 8000  # samples from which on bounds pay: with fewer, vector instructions beat them ...
_PER_ACTIVE = 20  # ... and samples per active breakpoint, whose samples are looked at anyway
_SAFE = 1.0 - 1e-9  # a bound shrinks by this against rounding


@kernel
def sift_down(keys, items, at, size):
    """Move the entry `at` of a heap down until no child has a smaller key.

    First to the bottom, along the smaller children, then up to its place, which is seldom far: one
    comparison a level, not two (Wegener 1993).
    """
    key, item, top, child = keys[at], items[at], at, 2 * at + 1
    while child + 1 < size:
        child += int(keys[child + 1] < keys[child])
        keys[at], items[at] = keys[child], items[child]
        at, child = child, 2 * child + 1
    if child < size:
        keys[at], items[at] = keys[child], items[child]
        at = child
    while at > top and keys[(at - 1) // 2] > key:
        keys[at], items[at] = keys[(at - 1) // 2], items[(at - 1) // 2]
        at = (at - 1) // 2
    keys[at], items[at] = key, item


@kernel
def push(keys, items, size, key, item):
    """Add `item` to the heap of `size` entries."""
    at = size
    while at > 0 and keys[(at - 1) // 2] > key:
        keys[at], items[at] = keys[(at - 1) // 2], items[(at - 1) // 2]
        at = (at - 1) // 2
    keys[at], items[at] = key, item


@kernel
def _nearer(value, zero, norm2, room):
    """The pair `room`, or what takes its place if this value may come near 0 on a shorter path.

    A pair is (g^2, u^2): g is how far the value is from twice what counts as 0, u the norm of its
    gradient, and g / u the path length; comparing takes no root and no division.  A parked value
    is infinitely far.
    """
    gap = max(abs(value) - 2.0 * zero, 0.0)
    if gap * gap * room[1] < room[0] * norm2:
        return gap * gap, norm2
    return room


@entry(void, P, S, int64)
def evaluate(P, S, i):
    """Sample i at S.theta: its values (but parked ones), derivatives along S.d, and S.key[i].

    The gradient norm of a row is at most that of its weights by the gains times that of the whole
    stage below, in which the trained layer counts as 1: its rows have orthogonal gradients.
    """
    q = P.x.shape[0]
    last = P.widths.size - 1
    below2 = 0.0
    for k in range(q):
        below2 += P.xt[i, k] ** 2
    room = (NEVER, 1.0)
    top = last if i < P.samples[0] else 0
    for t in range(top + 1):
        total2 = 0.0
        for m in range(P.widths[t]):
            a = P.row[t] + m
            value, rate, norm2 = P.bias[a], 0.0, 0.0
            if t == 0:
                norm2 = 1.0
                if i >= P.samples[0]:
                    value = 0.0
                for k in range(q):
                    value += S.theta[m * q + k] * P.xt[i, k]
                    rate += S.d[m * q + k] * P.xt[i, k]
            else:
                width, inn = P.widths[t - 1], P.row[t - 1]
                at = P.offset[t] + m * width
                for k in range(width):
                    factor = P.w[at + k] * (P.mean_slope + P.half_jump * S.side[inn + k, i])
                    value += factor * S.tail[inn + k]
                    rate += factor * S.back[inn + k]
                    norm2 += factor * factor
            S.tail[a], S.back[a] = value, rate
            total2 += norm2
            norm2 *= below2
            if t < last:
                S.dz[a, i] = rate
                if abs(S.z[a, i]) < 0.5 * PARKED:
                    S.z[a, i] = value
                room = _nearer(S.z[a, i], S.zero_tol[t, i], norm2, room)
            else:
                for j in range(P.first[i], P.first[i + 1]):
                    S.dr[m, j] = rate
                    if abs(S.r[m, j]) < 0.5 * PARKED:
                        S.r[m, j] = value - P.y[m, j]
                    room = _nearer(S.r[m, j], S.zero_tol_r[j], norm2, room)
        if t > 0:
            below2 *= total2
    path = S.scalar[PATH] + _SAFE * np.sqrt(room[0] / room[1])
    S.key[i] = path if S.on_sample[i] == 0 else 0.0


@entry(void, P, S)
def evaluate_near(P, S):
    """`evaluate` for all samples in S.near."""
    for at in range(S.number[N_NEAR]):
        evaluate(P, S, S.near[at])


@kernel
def wake(P, S, path):
    """Move the first sample of the queue to S.near if it may meet a breakpoint before `path`."""
    size = S.number[N_QUEUE]
    if size == 0 or S.queue_key[0] > path:
        return False
    i = S.queue[0]
    S.queue[0], S.queue_key[0] = S.queue[size - 1], S.queue_key[size - 1]
    S.number[N_QUEUE] = size - 1
    if size > 1:
        sift_down(S.queue_key, S.queue, np.int64(0), size - 1)  # a literal is a type of its own
    S.near[S.number[N_NEAR]] = i
    S.number[N_NEAR] += 1
    evaluate(P, S, i)
    return True


@entry(void, S, float64)
def retire(S, path):
    """Move samples of S.near that meet nothing before `path` back to the queue."""
    kept = 0
    for at in range(S.number[N_NEAR]):
        i = S.near[at]
        if S.key[i] > path:
            push(S.queue_key, S.queue, S.number[N_QUEUE], S.key[i], i)
            S.number[N_QUEUE] += 1
        else:
            S.near[kept] = i
            kept += 1
    S.number[N_NEAR] = kept


def watch(P, S, lazy):
    """Begin a path: with bounds (`lazy`) or with all samples in S.near."""
    n = S.near.size
    S.number[LAZY] = 1 if lazy else 0
    S.number[N_QUEUE] = 0
    S.number[N_NEAR] = n
    S.scalar[PATH] = 0.0
    S.near[:] = np.arange(n)
    if lazy:
        evaluate_near(P, S)
        retire(S, 0.0)


def bounds_pay(n, dim, long_step):
    """Whether to use bounds with `n` samples and `dim` parameters.  Long steps reach too many."""
    return not long_step and n >= LEAST and n >= _PER_ACTIVE * dim
