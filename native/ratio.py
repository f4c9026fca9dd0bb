"""Ratio test and line search: how far the walk may follow S.d, and what it meets there.

`tangent` computes the derivative of every breakpoint along S.d, `first_breakpoint` the nearest
one, `line_search` crosses breakpoints while the slope stays negative, `advance` moves the values.
Active and tied breakpoints are parked at a huge value and so never met.
"""

from ._jit import kernel
from .arrays import (
    CROSSED,
    LOSS,
    N_HITS,
    SLOPE,
    STEP,
    column_of,
    derivative_of,
    is_hidden,
    row_of,
    side_of,
)
from .tail import bends_at, cross, kink

BLOCK = 256  # samples handled together, so that all their rows stay in the first-level cache
NEVER = 1e290  # a time no breakpoint is met at


@kernel
def _add_row(out, factor, row):
    for i in range(out.size):
        out[i] += factor * row[i]


@kernel
def _add_activated_row(out, plus, minus, side, row):
    """Out += (plus + minus * side) * row"""
    for i in range(out.size):
        out[i] += (plus + minus * side[i]) * row[i]


@kernel
def tangent(P, S):
    """S.dz (R, n), S.dr (K, m): derivatives of all rows and residuals along S.d."""
    q, n = P.x.shape
    last = P.widths.size - 1
    for low in range(0, n, BLOCK):
        high = min(n, low + BLOCK)
        for j in range(P.widths[0]):
            out = S.dz[j, low:high]
            bias = S.d[j * q + q - 1]
            for i in range(out.size):
                out[i] = bias
            for k in range(q - 1):
                _add_row(out, S.d[j * q + k], P.x[k, low:high])
        for t in range(1, last + 1):
            width = P.widths[t - 1]
            for m in range(P.widths[t]):
                out = S.dz[P.row[t] + m, low:high]
                for i in range(out.size):
                    out[i] = 0.0
                for k in range(width):
                    factor = P.w[P.offset[t] + m * width + k]
                    a = P.row[t - 1] + k
                    side, row = S.side[a, low:high], S.dz[a, low:high]
                    _add_activated_row(out, factor * P.mean_slope, factor * P.half_jump, side, row)
    for k in range(P.widths[last]):
        a = P.row[last] + k
        if P.owner.size == n:
            for i in range(n):
                S.dr[k, i] = S.dz[a, i]
        else:
            for j in range(P.owner.size):
                S.dr[k, j] = S.dz[a, P.owner[j]]


@kernel
def _fastest(z, dz, tol):
    """Max over one row of the rate 1 / time at which values reach 0 (0 if none does)."""
    top = 0.0
    for i in range(z.size):
        rate = -dz[i] / z[i] if abs(dz[i]) > tol else 0.0
        top = max(top, rate)
    return top


@kernel
def first_breakpoint(P, S, reach):
    """Nearest breakpoint along S.d and its step reach (-1 if there is none)."""
    best, best_row = 0.0, -1
    last = P.widths.size - 1
    hidden = P.row[last]
    for a in range(hidden):
        rate = _fastest(S.z[a], S.dz[a], S.rate_tol[P.stage[a]] * reach)
        if rate > best:
            best, best_row = rate, a
    for k in range(P.widths[last]):
        rate = _fastest(S.r[k], S.dr[k], S.rate_tol[last] * reach)
        if rate > best:
            best, best_row = rate, hidden + k
    # A parked value has a rate near 1e-300: not a breakpoint.
    if best < 1.0 / NEVER:
        return -1, NEVER
    n, m = P.x.shape[1], P.owner.size
    arg, top = 0, 0.0
    if best_row < hidden:
        tol = S.rate_tol[P.stage[best_row]] * reach
        for i in range(n):
            if abs(S.dz[best_row, i]) > tol and -S.dz[best_row, i] / S.z[best_row, i] > top:
                top = -S.dz[best_row, i] / S.z[best_row, i]
                arg = i
        return best_row * n + arg, 1.0 / best
    k = best_row - hidden
    tol = S.rate_tol[last] * reach
    for j in range(m):
        if abs(S.dr[k, j]) > tol and -S.dr[k, j] / S.r[k, j] > top:
            top = -S.dr[k, j] / S.r[k, j]
            arg = j
    return hidden * n + k * m + arg, 1.0 / best


@kernel
def _next_of_sample(P, S, i, reach):
    """Set S.next_time[i], S.next_id[i]: the next breakpoint of sample `i` along S.d."""
    n, m = P.x.shape[1], P.owner.size
    last = P.widths.size - 1
    hidden = P.row[last]
    time, found = NEVER, -1
    for a in range(hidden):
        if S.side[a, i] * S.dz[a, i] < -S.rate_tol[P.stage[a]] * reach:
            when = -S.z[a, i] / S.dz[a, i]
            if when < time:
                time, found = when, a * n + i
    for k in range(P.widths[last]):
        for j in range(P.first[i], P.first[i + 1]):
            if S.side_r[k, j] * S.dr[k, j] < -S.rate_tol[last] * reach:
                when = -S.r[k, j] / S.dr[k, j]
                if when < time:
                    time, found = when, hidden * n + k * m + j
    S.next_time[i] = time
    S.next_id[i] = found


@kernel
def _sift(heap, key, at, size):
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
def _pass_through(P, S, c, gamma, time):
    """Cross `c` at step reach `time`: region, gradient and, deeper on its sample, derivatives."""
    if is_hidden(P, c):
        a, i = row_of(P, c), column_of(P, c)
        last = P.widths.size - 1
        hidden = P.row[last]
        jump = -2.0 * P.half_jump * S.side[a, i] * S.dz[a, i]
        cross(P, S, c, gamma)
        for b in range(P.row[P.stage[a] + 1], hidden):
            change = jump * S.tail[b]
            S.dz[b, i] += change
            S.z[b, i] -= change * time  # z + time * dz is continuous
        for k in range(P.widths[last]):
            change = jump * S.tail[hidden + k]
            for j in range(P.first[i], P.first[i + 1]):
                S.dr[k, j] += change
                S.r[k, j] -= change * time
    else:
        cross(P, S, c, gamma)


@kernel
def line_search(P, S, reach, flat):
    """Cross breakpoints along S.d while the slope is below -`flat` and the edge is straight.

    Returns the breakpoint stopped at (-1: none) and the step reach; updates loss, region and
    gradient.
    """
    n = P.x.shape[1]
    for i in range(n):
        _next_of_sample(P, S, i, reach)
        S.heap[i] = i
    for at in range(n // 2 - 1, -1, -1):
        _sift(S.heap, S.next_time, at, n)
    before, slope = 0.0, S.scalar[SLOPE]
    while True:
        i = S.heap[0]
        time, c = S.next_time[i], S.next_id[i]
        if time >= NEVER:
            return -1, NEVER
        time = max(time, before)
        S.scalar[LOSS] += slope * (time - before)
        before = time
        gamma = kink(P, S, c)
        # n_c . d is negative on the way to c: the slope changes by gamma n_c . d
        slope += gamma * side_of(P, S, c) * derivative_of(P, S, c)
        straight = not (is_hidden(P, c) and bends_at(P, S, c))
        if slope >= -flat or not straight:
            return c, time
        _pass_through(P, S, c, gamma, time)
        S.number[CROSSED] += 1
        _next_of_sample(P, S, i, reach)
        S.next_time[i] = max(S.next_time[i], time)
        _sift(S.heap, S.next_time, 0, n)


@kernel
def _advance_row(value, change, side, time, zero):
    """Value += time * change; returns whether any value on its side is within its `zero` of 0."""
    lowest = 1e300
    for i in range(value.size):
        value[i] += time * change[i]
        lowest = min(lowest, value[i] * side[i] - zero[i])
    return lowest <= 0.0


@kernel
def advance(P, S, time):
    """Move theta and all values by `time` along S.d; list in S.hits what now counts as 0."""
    S.scalar[STEP] = time
    for j in range(S.theta.size):
        S.theta[j] += time * S.d[j]
    n, m = P.x.shape[1], P.owner.size
    last = P.widths.size - 1
    hidden = P.row[last]
    hits = 0
    for a in range(hidden):
        zero = S.zero_tol[P.stage[a]]
        if _advance_row(S.z[a], S.dz[a], S.side[a], time, zero):
            for i in range(n):
                if S.z[a, i] * S.side[a, i] <= zero[i]:
                    S.hits[hits] = a * n + i
                    hits += 1
    zero = S.zero_tol_r
    for k in range(P.widths[last]):
        if _advance_row(S.r[k], S.dr[k], S.side_r[k], time, zero):
            for j in range(m):
                if S.r[k, j] * S.side_r[k, j] <= zero[j]:
                    S.hits[hits] = hidden * n + k * m + j
                    hits += 1
    S.number[N_HITS] = hits
