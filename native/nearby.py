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

from ._jit import entry, inlined, kernel
from .arrays import LAZY, N_NEAR, N_QUEUE, PARKED, PATH

NEVER = 1e290  # a time no breakpoint is met at
LEAST = 8000  # samples from which on bounds pay: with fewer, vector instructions beat them
_SAFE = 1.0 - 1e-9  # a bound shrinks by this against rounding


@kernel
def sift_down(heap, key, at, size):
    """Move heap[at] down until no child has a smaller key."""
    item = heap[at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and key[heap[child + 1]] < key[heap[child]]:
            child += 1
        if key[heap[child]] >= key[item]:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = item


@kernel
def push(heap, key, size, item):
    """Add `item` to the heap of `size` entries."""
    at = size
    while at > 0:
        parent = (at - 1) // 2
        if key[heap[parent]] <= key[item]:
            break
        heap[at] = heap[parent]
        at = parent
    heap[at] = item


@inlined
def _room(value, zero, growth, room):
    """The path length `room`, or that on which a value may come near 0, if it is shorter.

    `growth` bounds the change of the value per unit of path.  Near means twice what counts as 0.
    """
    if growth > 0.0 and abs(value) < 0.5 * PARKED:
        return min(room, (abs(value) - 2.0 * zero) / growth)
    return room


@inlined
def evaluate(P, S, i):
    """Sample i at S.theta: its values (but parked ones), derivatives along S.d, and S.key[i].

    The gradient norm of a row is at most that of its weights by the gains times that of the whole
    stage below, in which the trained layer counts as 1: its rows have orthogonal gradients.
    """
    q = P.x.shape[0]
    last = P.widths.size - 1
    x2 = 0.0
    for k in range(q):
        x2 += P.xt[i, k] ** 2
    below = np.sqrt(x2)
    room = NEVER
    for t in range(last + 1):
        total2 = 0.0
        for m in range(P.widths[t]):
            a = P.row[t] + m
            value, rate, norm2 = P.bias[a], 0.0, 1.0
            if t == 0:
                for k in range(q):
                    value += S.theta[m * q + k] * P.xt[i, k]
                    rate += S.d[m * q + k] * P.xt[i, k]
            else:
                norm2 = 0.0
                width, inn = P.widths[t - 1], P.row[t - 1]
                at = P.offset[t] + m * width
                for k in range(width):
                    factor = P.w[at + k] * (P.mean_slope + P.half_jump * S.side[inn + k, i])
                    value += factor * S.tail[inn + k]
                    rate += factor * S.back[inn + k]
                    norm2 += factor * factor
            S.tail[a], S.back[a] = value, rate
            total2 += norm2
            growth = np.sqrt(norm2) * below
            if t < last:
                S.dz[a, i] = rate
                if abs(S.z[a, i]) < 0.5 * PARKED:
                    S.z[a, i] = value
                room = _room(S.z[a, i], S.zero_tol[t, i], growth, room)
            else:
                for j in range(P.first[i], P.first[i + 1]):
                    S.dr[m, j] = rate
                    if abs(S.r[m, j]) < 0.5 * PARKED:
                        S.r[m, j] = value - P.y[m, j]
                    room = _room(S.r[m, j], S.zero_tol_r[j], growth, room)
        if t > 0:
            below *= np.sqrt(total2)
    S.key[i] = S.scalar[PATH] + _SAFE * room if S.on_sample[i] == 0 else 0.0


@kernel
def evaluate_near(P, S):
    """`evaluate` for all samples in S.near."""
    for at in range(S.number[N_NEAR]):
        evaluate(P, S, S.near[at])


@kernel
def wake(P, S, path):
    """Move the first sample of the queue to S.near if it may meet a breakpoint before `path`."""
    size = S.number[N_QUEUE]
    if size == 0 or S.key[S.queue[0]] > path:
        return False
    i = S.queue[0]
    S.queue[0] = S.queue[size - 1]
    S.number[N_QUEUE] = size - 1
    if size > 1:
        sift_down(S.queue, S.key, 0, size - 1)
    S.near[S.number[N_NEAR]] = i
    S.number[N_NEAR] += 1
    evaluate(P, S, i)
    return True


@kernel
def retire(S, path):
    """Move samples of S.near that meet nothing before `path` back to the queue."""
    kept = 0
    for at in range(S.number[N_NEAR]):
        i = S.near[at]
        if S.key[i] > path:
            push(S.queue, S.key, S.number[N_QUEUE], i)
            S.number[N_QUEUE] += 1
        else:
            S.near[kept] = i
            kept += 1
    S.number[N_NEAR] = kept


@entry
def watch(P, S, lazy):
    """Begin a path: with bounds (`lazy`) or with all samples in S.near."""
    n = S.near.size
    S.number[LAZY] = 1 if lazy else 0
    S.number[N_QUEUE] = 0
    S.number[N_NEAR] = n
    S.scalar[PATH] = 0.0
    for i in range(n):
        S.near[i] = i
    if lazy:
        evaluate_near(P, S)
        retire(S, 0.0)


def bounds_pay(n):
    """Whether to use bounds with `n` samples."""
    return n >= LEAST
