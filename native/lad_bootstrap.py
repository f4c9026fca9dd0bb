"""The minimum of a quantile regression for other weights or targets, from that of a first one.

Samples are in ascending order of their distance from the first fit, ``share_i = |r_i| / reach_i``
with ``reach_i`` the length of x_i in a metric: where theta moves by d, of length |d| in the dual
metric, none with share_i > |d| changes sides.  The first `m` of them are near, and pivots are made on
these alone; the others enter by their gradient, and those that may have changed sides are looked at
afterwards.
"""

import numpy as np
from numba import float64, int64

from ._jit import entry, kernel
from .arrays import FREE
from .basis import dot
from .lad import BLOCK, OPTIMAL, STUCK, combine, descend
from .lad_arrays import DEPENDENT, ZERO, B, P, S

SINGULAR = 3
"""What `resample` returns beside what `descend` does: an optimum, but samples of weight > 0 do not
tell all parameters; what they leave open stays as it was."""

ROUNDS = 20  # of pivots and looks at the samples


@kernel
def _start(P, S, B, weight, r, gradient, m):
    """The first vertex; active samples of weight 0 leave it."""
    for k in range(B.rows.size):
        S.theta[k], B.g[k] = 0.0, gradient[k]
        S.basis[k] = B.rows[k] if weight[B.rows[k]] > 0.0 else FREE
        for j in range(B.rows.size):
            S.b[k, j] = B.edges[k, j]
    _take(P, S, weight, r, 0, m)


@kernel
def _take(P, S, weight, r, low, high):
    """Note weights, residuals and sides of the samples low..high."""
    for i in range(low, high):
        P.w[i], S.r[i] = weight[i], r[i]
        S.side[i] = 1.0 if r[i] > 0.0 else -1.0


@kernel
def _near(S, weight, m):
    """List those of the first m samples that have a weight; how many there are."""
    size = 0
    for i in range(m):
        S.near[size] = i
        size += 1 if weight[i] > 0.0 else 0
    return size


@kernel
def _polish(P, S, r):
    """Put theta on the active samples, whose targets `descend` may have moved."""
    for k in range(S.basis.size):
        i = S.basis[k]
        S.normal[k] = 0.0
        if i >= 0:
            off = r[i]
            for j in range(S.theta.size):
                off += P.x[j, i] * S.theta[j]
            S.normal[k] = off
    for k in range(S.basis.size):
        off = S.normal[k]
        for j in range(S.theta.size):
            S.theta[j] -= off * S.b[k, j]


@kernel
def _within(S, B, factor):
    """How many samples may have changed sides: the length of theta is compared with shares."""
    length = 0.0
    for k in range(S.theta.size):
        length += dot(B.metric[k], S.theta) ** 2
    length = np.sqrt(length) / factor * (1.0 + 1e-9)
    low, high = 0, B.share.size
    while low < high:
        middle = (low + high) // 2
        if B.share[middle] <= length:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _changed(P, S, weight, r, m, within):
    """Residuals of the samples that may have changed sides: how many near and far ones did."""
    near, far, zero = 0, 0, S.tolerances[ZERO]
    for low in range(0, within, BLOCK):
        high = min(within, low + BLOCK)
        combine(S.theta, P.x, low, high, S.r)
        for i in range(low, high):
            S.r[i] += r[i]
        for i in range(low, min(high, m)):
            if S.r[i] * S.side[i] < -zero and weight[i] > 0.0:
                S.side[i] = -S.side[i]
                near += 1
        for i in range(max(low, m), high):
            far += 1 if S.r[i] * r[i] < 0.0 and weight[i] > 0.0 else 0
    return near, far


@kernel
def _widen(P, S, B, weight, r, m, more):
    """Make the samples m..more near ones."""
    for i in range(m, more):
        P.w[i] = weight[i]
        S.side[i] = 1.0 if r[i] > 0.0 else -1.0
        cost = (P.slopes[1] if r[i] > 0.0 else -P.slopes[0]) * weight[i]
        S.r[i] = r[i]
        for k in range(S.theta.size):
            B.g[k] -= cost * P.x[k, i]
            S.r[i] += P.x[k, i] * S.theta[k]
        if S.r[i] * S.side[i] < 0.0:
            S.side[i] = -S.side[i]


@entry(int64, P, S, B, float64[::1], float64[::1], float64[::1], int64, float64, int64)
def resample(P, S, B, weight, r, gradient, m, factor, limit):
    """Minimise sum_i weight_i rho(r_i + x_i . theta); theta in S.theta, 0 at the first fit.

    `gradient` (q,) is that of all samples but the first `m`.  |r_i| is at least ``factor share_i
    reach_i``.  Up to `limit` pivots in each of a few rounds: else STUCK, and S.theta is no minimum.
    """
    n = weight.size
    _start(P, S, B, weight, r, gradient, m)
    for _ in range(ROUNDS):
        size = _near(S, weight, m)
        singular = False
        for k in range(S.basis.size):
            S.g[k] = B.g[k]
        status, _ = descend(P, S, size, np.int64(-1), limit)
        if status == STUCK:
            return STUCK
        for k in range(S.basis.size):
            if S.basis[k] < 0:
                singular = True
        _polish(P, S, r)
        within = max(m, _within(S, B, factor))
        near, far = _changed(P, S, weight, r, m, within)
        wider = far > 0 or status != OPTIMAL or singular
        if near == 0 and (not wider or m == n):
            return SINGULAR if singular else status
        if wider and m < n:
            more = min(n, max(within, 2 * m))
            _widen(P, S, B, weight, r, m, more)
            m = more
        for k in range(S.basis.size):
            if S.basis[k] == DEPENDENT:
                S.basis[k] = FREE
    return STUCK
