"""The minimum of a quantile regression for other weights or targets, from that of a first one.

Samples are in ascending order of their distance from the first fit, ``share_i = |r_i| / reach_i``
with ``reach_i`` the length of x_i in a metric: where theta moves by d, of length |d| in the dual
metric, none with share_i > |d| changes sides.  So the first `m` of them are looked at, and the
others enter by their gradient.  Of the first ones those near to a start, which is what the gradient
at the first fit lets expect, are pivoted on.
"""

import numpy as np
from numba import float64, int64

from ._jit import entry, kernel
from .arrays import FREE
from .basis import dot
from .lad import BLOCK, OPTIMAL, STUCK, UNBOUNDED, combine, descend
from .lad_arrays import DEPENDENT, ZERO, B, P, S

SINGULAR = 3
"""What `resample` returns beside what `descend` does: an optimum, one of many, as samples of weight
> 0 do not tell all parameters."""

ROUNDS = 16  # of pivots and looks at the samples


@kernel
def _start(S, B, gradient, step):
    """At theta = `step`, with no sample active but the edges of the first basis."""
    for k in range(B.edges.shape[0]):
        S.theta[k], B.g[k], S.basis[k] = step[k], gradient[k], FREE
        for j in range(B.edges.shape[0]):
            S.b[k, j] = B.edges[k, j]


@kernel
def _within(S, B, room):
    """How many samples have a share up to the length of theta plus `room`."""
    length = 0.0
    for k in range(S.theta.size):
        length += dot(B.metric[k], S.theta) ** 2
    length = (np.sqrt(length) + room) * (1.0 + 1e-6)  # against the rounding of reach
    low, high = 0, B.share.size
    while low < high:
        middle = (low + high) // 2
        if B.share[middle] <= length:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _note(P, S, weight, r, low, high):
    """Weights and sides at the first fit of the samples low..high."""
    for i in range(low, high):
        P.w[i] = weight[i]
        S.side[i] = 1.0 if r[i] > 0.0 else -1.0


@kernel
def _widen(P, S, B, r, m, more):
    """Take the samples m..more out of the gradient of those not looked at."""
    for i in range(m, more):
        cost = (P.slopes[1] if r[i] > 0.0 else -P.slopes[0]) * P.w[i]
        for k in range(S.theta.size):
            B.g[k] -= cost * P.x[k, i]


@kernel
def _look(P, S, B, r, m, band):
    """Residuals, sides and gradient of the first m samples: (near ones, changed sides).

    As `lad.sweep`, for them alone.
    """
    below, above, zero = P.slopes[0], P.slopes[1], S.tolerances[ZERO]
    size, changed = 0, 0
    for k in range(S.g.size):
        S.g[k] = B.g[k]
    for low in range(0, m, BLOCK):
        high = min(m, low + BLOCK)
        combine(S.theta, P.x, low, high, S.r)
        for i in range(low, high):
            S.r[i] += r[i]
            other = S.r[i] * S.side[i] < -zero
            changed += 1 if other and P.w[i] > 0.0 else 0
            S.side[i] = -S.side[i] if other else S.side[i]
            S.costs[i] = (above if S.side[i] > 0.0 else -below) * P.w[i]
        for i in range(low, high):
            S.near[size] = i
            if abs(S.r[i]) <= max(band * P.reach[i], 4.0 * zero) and P.w[i] > 0.0:
                size += 1
                S.costs[i] = 0.0
        for k in range(S.g.size):
            S.g[k] += dot(P.x[k, low:high], S.costs[low:high])
    return size, changed


@kernel
def _polish(P, S, r):
    """Put theta on the active samples, whose targets `descend` may have moved.

    Whether all of the basis are active.
    """
    full = True
    for k in range(S.basis.size):
        i = S.basis[k]
        S.normal[k] = 0.0
        if i >= 0:
            off = r[i]
            for j in range(S.theta.size):
                off += P.x[j, i] * S.theta[j]
            S.normal[k] = off
        else:
            full = False
    for k in range(S.basis.size):
        off = S.normal[k]
        for j in range(S.theta.size):
            S.theta[j] -= off * S.b[k, j]
    return full


@entry(int64, P, S, B, float64[::1], float64[::1], float64[::1], float64[::1], int64, float64)
def resample(P, S, B, weight, r, gradient, step, m, band):
    """Minimise sum_i weight_i rho(r_i + x_i . theta); theta in S.theta, 0 at the first fit.

    From theta = `step`; `gradient` (q,) is that of all samples but the first `m` at 0.  Samples
    with |r| <= band * reach are near.  STUCK if rounds of pivots lead to no end.
    """
    _start(S, B, gradient, step)
    _note(P, S, weight, r, np.int64(0), m)
    status, full, every = UNBOUNDED, False, False
    for attempt in range(ROUNDS):
        more = _within(S, B, band)
        if more > m:
            _note(P, S, weight, r, m, more)
            _widen(P, S, B, r, m, more)
            m = more
        size, changed = _look(P, S, B, r, m, band)
        if status == OPTIMAL and changed == 0 and (full or every):
            return OPTIMAL if full else SINGULAR
        status, _ = descend(P, S, size, np.int64(-1), 1000 + 100 * step.size)
        full, every = _polish(P, S, r), band == np.inf
        for k in range(S.basis.size):
            if S.basis[k] == DEPENDENT:
                S.basis[k] = FREE
        if attempt == ROUNDS // 2:
            band = np.inf
        elif status != OPTIMAL or not full:
            band *= 8.0
        else:  # what is left is far less than what was, unless many samples change sides
            band *= 2.0 if attempt > 0 and changed > size // 8 else 0.5
    return STUCK
