"""Ratio test and line search: how far the walk may follow S.d, and what it meets there.

`tangent` computes the derivative of every breakpoint along S.d, `first_breakpoint` the nearest
one, `line_search` crosses breakpoints while the slope stays negative, `advance` moves the values.
Active and tied breakpoints are parked at a huge value and so never met.
"""

import numpy as np
from numba import float64, int64, void
from numba.core.types import Tuple

from ._jit import entry, inlined, kernel
from .arrays import (
    CROSSED,
    LAZY,
    LOSS,
    N_HITS,
    N_NEAR,
    PATH,
    SLOPE,
    STEP,
    P,
    S,
    column_of,
    derivative_of,
    is_hidden,
    row_of,
    side_of,
)
from .basis import dot
from .nearby import NEVER, evaluate_near, push, retire, sift_down, wake
from .tail import bends_at, cross, kink

BLOCK = 256  # samples handled together, so that all their rows stay in the first-level cache
SCAN = 64  # samples searched together for the nearest breakpoint

MET = Tuple((int64, float64))
"""A breakpoint met on the way, and when."""


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
    """S.dz (R, n), S.dr (K, m): derivatives along S.d of all rows and residuals of S.near."""
    if S.number[LAZY]:
        evaluate_near(P, S)
    else:
        tangent_all(P, S)


@entry(void, P, S)
def tangent_all(P, S):
    q, n = P.x.shape
    last = P.widths.size - 1
    for low in range(0, n, BLOCK):
        high = min(n, low + BLOCK)
        for j in range(P.widths[0]):
            out = S.dz[j, low:high]
            inputs, rate = P.x[q - 1, low:high], S.d[j * q + q - 1]
            for i in range(out.size):
                out[i] = rate * inputs[i]
            for k in range(q - 1):
                _add_row(out, S.d[j * q + k], P.x[k, low:high])
        through = max(low, min(high, P.samples[0]))  # what goes through the tail
        for t in range(1, last + 1):
            width = P.widths[t - 1]
            for m in range(P.widths[t]):
                out = S.dz[P.row[t] + m, low:through]
                for i in range(out.size):
                    out[i] = 0.0
                for k in range(width):
                    factor = P.w[P.offset[t] + m * width + k]
                    a = P.row[t - 1] + k
                    side, row = S.side[a, low:through], S.dz[a, low:through]
                    _add_activated_row(out, factor * P.mean_slope, factor * P.half_jump, side, row)
    for k in range(P.widths[last]):
        a = P.row[last] + k
        if P.owner.size == P.samples[0]:
            for i in range(P.samples[0]):
                S.dr[k, i] = S.dz[a, i]
        else:
            for j in range(P.owner.size):
                S.dr[k, j] = S.dz[a, P.owner[j]]


@kernel
def _meets(z, dz, time):
    """How many values change sign on the way to `time`."""
    found = 0
    for i in range(z.size):
        found += z[i] * (z[i] + time * dz[i]) < 0.0
    return found


@kernel
def _first_of_row(z, dz, tol, time):
    """Index of the first value to reach 0 before `time` (-1: none), and when."""
    found = -1
    for low in range(0, z.size, SCAN):
        high = min(z.size, low + SCAN)
        # Counting takes vector instructions; the search, which divides, is rarely needed.
        if _meets(z[low:high], dz[low:high], time) > 0:
            for i in range(low, high):
                if z[i] * (z[i] + time * dz[i]) < 0.0 and abs(dz[i]) > tol:
                    found, time = i, -z[i] / dz[i]
    return found, time


@entry(MET, P, S, float64)
def first_of_all(P, S, reach):
    """Nearest breakpoint along S.d and its step reach (-1 if there is none), by rows."""
    found, time = -1, NEVER
    last = P.widths.size - 1
    hidden = P.row[last]
    n, m = P.x.shape[1], P.owner.size
    for a in range(hidden):
        i, time = _first_of_row(S.z[a], S.dz[a], S.rate_tol[P.stage[a]] * reach, time)
        if i >= 0:
            found = a * n + i
    for k in range(P.widths[last]):
        j, time = _first_of_row(S.r[k], S.dr[k], S.rate_tol[last] * reach, time)
        if j >= 0:
            found = hidden * n + k * m + j
    return found, time


@entry(MET, P, S, float64)
def first_of_near(P, S, reach):
    """Nearest breakpoint along S.d and its step reach (-1 if there is none), of S.near."""
    found, time = -1, NEVER
    path, length = S.scalar[PATH], np.sqrt(dot(S.d, S.d))
    at = 0
    while at < S.number[N_NEAR] or wake(P, S, path + time * length):
        i = S.near[at]
        at += 1
        _next_of_sample(P, S, i, reach)
        if S.next_time[i] < time:
            found, time = S.next_id[i], max(S.next_time[i], 0.0)
    return found, time


@kernel
def first_breakpoint(P, S, reach):
    """Nearest breakpoint along S.d and its step reach (-1 if there is none)."""
    if S.number[LAZY]:
        return first_of_near(P, S, reach)
    return first_of_all(P, S, reach)


@inlined
def _next_of_sample(P, S, i, reach):
    """Set S.next_time[i], S.next_id[i]: the next breakpoint of sample `i` along S.d."""
    n, m = P.x.shape[1], P.owner.size
    last = P.widths.size - 1
    hidden = P.row[last]
    time, found = NEVER, -1
    z, dz, side, r, dr, side_r = S.z, S.dz, S.side, S.r, S.dr, S.side_r
    tol, stage = S.rate_tol, P.stage
    for a in range(hidden):
        if side[a, i] * dz[a, i] < -tol[stage[a]] * reach:
            when = -z[a, i] / dz[a, i]
            if when < time:
                time, found = when, a * n + i
    low, high = P.first[i], P.first[i + 1]
    for k in range(P.widths[last]):
        for j in range(low, high):
            if side_r[k, j] * dr[k, j] < -tol[last] * reach:
                when = -r[k, j] / dr[k, j]
                if when < time:
                    time, found = when, hidden * n + k * m + j
    S.next_time[i] = time
    S.next_id[i] = found


@kernel
def _next_in_row(z, dz, side, tol, first_id, time, found):
    """Lower `time` to that at which each value reaches 0, where that is sooner; `found`: its id."""
    for i in range(z.size):
        when = -z[i] / dz[i]
        sooner = (side[i] * dz[i] < -tol) & (when < time[i])
        time[i] = when if sooner else time[i]
        found[i] = first_id + i if sooner else found[i]


@kernel
def _next_of_all(P, S, reach):
    """`_next_of_sample` for all samples, by rows."""
    n, m = P.x.shape[1], P.owner.size
    last = P.widths.size - 1
    hidden = P.row[last]
    for i in range(n):
        S.next_time[i] = NEVER
    for low in range(0, n, BLOCK):
        high = min(n, low + BLOCK)
        time, found = S.next_time[low:high], S.next_id[low:high]
        for a in range(hidden):
            z, dz, side = S.z[a, low:high], S.dz[a, low:high], S.side[a, low:high]
            tol = S.rate_tol[P.stage[a]] * reach
            _next_in_row(z, dz, side, tol, a * n + low, time, found)
    tol = S.rate_tol[last] * reach
    for k in range(P.widths[last]):
        for j in range(m):
            if S.side_r[k, j] * S.dr[k, j] < -tol:
                i, when = P.owner[j], -S.r[k, j] / S.dr[k, j]
                if when < S.next_time[i]:
                    S.next_time[i], S.next_id[i] = when, hidden * n + k * m + j


@inlined
def _pass_through(P, S, c, gamma, time):
    """Cross `c` at step reach `time`: region, gradient and, deeper on its sample, derivatives."""
    jump = 0.0
    if is_hidden(P, c):
        jump = -2.0 * P.half_jump * side_of(P, S, c) * derivative_of(P, S, c)
    cross(P, S, c, gamma)
    if jump == 0.0:
        return
    a, i = row_of(P, c), column_of(P, c)
    last = P.widths.size - 1
    hidden = P.row[last]
    for b in range(P.row[P.stage[a] + 1], hidden):
        change = jump * S.tail[b]
        S.dz[b, i] += change
        S.z[b, i] -= change * time  # z + time * dz is continuous
    for k in range(P.widths[last]):
        change = jump * S.tail[hidden + k]
        for j in range(P.first[i], P.first[i + 1]):
            S.dr[k, j] += change
            S.r[k, j] -= change * time


@entry(MET, P, S, float64, float64)
def line_search(P, S, reach, flat):
    """Cross breakpoints along S.d while the slope is below -`flat` and the edge is straight.

    Only the breakpoints crossed are sorted, by a heap of the samples' next ones.  Where the edge
    bends the step ends: its continuation is the far half-edge of the breakpoint that enters there,
    which the pricing compares with the others at a small part of a step's cost (`python -m
    benchmarks bends`: to follow it unasked gains nothing).

    Returns the breakpoint stopped at (-1: none) and the step reach; updates loss, region and
    gradient.
    """
    path, length = S.scalar[PATH], np.sqrt(dot(S.d, S.d))
    size = 0
    if S.number[LAZY] == 0:
        _next_of_all(P, S, reach)
        size = S.heap.size
        for i in range(size):
            S.heap[i], S.heap_key[i] = i, S.next_time[i]
        for at in range(size // 2 - 1, -1, -1):
            sift_down(S.heap_key, S.heap, at, size)
    before, slope = 0.0, S.scalar[SLOPE]
    while True:
        sure = path + length * (S.heap_key[0] if size > 0 else NEVER)
        while size < S.number[N_NEAR] or wake(P, S, sure):
            i = S.near[size]
            size += 1
            _next_of_sample(P, S, i, reach)
            push(S.heap_key, S.heap, size - 1, S.next_time[i], i)
            sure = path + length * S.heap_key[0]
        i = S.heap[0]
        time, c = S.heap_key[0], S.next_id[i]
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
        S.heap_key[0] = max(S.next_time[i], time)
        sift_down(S.heap_key, S.heap, np.int64(0), size)  # a literal is a type of its own


@kernel
def _advance_row(value, change, side, time, zero):
    """Value += time * change; returns how many values on their sides are within `zero` of 0."""
    found = 0
    for i in range(value.size):
        value[i] += time * change[i]
        found += value[i] * side[i] <= zero[i]
    return found


@entry(void, P, S, float64)
def advance_all(P, S, time):
    n, m = P.x.shape[1], P.owner.size
    last = P.widths.size - 1
    hidden = P.row[last]
    hits = 0
    for a in range(hidden):
        zero = S.zero_tol[P.stage[a]]
        if _advance_row(S.z[a], S.dz[a], S.side[a], time, zero) > 0:
            for i in range(n):
                if S.z[a, i] * S.side[a, i] <= zero[i]:
                    S.hits[hits] = a * n + i
                    hits += 1
    zero = S.zero_tol_r
    for k in range(P.widths[last]):
        if _advance_row(S.r[k], S.dr[k], S.side_r[k], time, zero) > 0:
            for j in range(m):
                if S.r[k, j] * S.side_r[k, j] <= zero[j]:
                    S.hits[hits] = hidden * n + k * m + j
                    hits += 1
    S.number[N_HITS] = hits


@entry(void, P, S, float64)
def advance_near(P, S, time):
    """The same for S.near: the other samples are too far away to be hit."""
    n, m = P.x.shape[1], P.owner.size
    last = P.widths.size - 1
    hidden = P.row[last]
    hits = 0
    for at in range(S.number[N_NEAR]):
        i = S.near[at]
        if S.key[i] > S.scalar[PATH]:
            continue
        for a in range(hidden):
            S.z[a, i] += time * S.dz[a, i]
            if S.z[a, i] * S.side[a, i] <= S.zero_tol[P.stage[a], i]:
                S.hits[hits] = a * n + i
                hits += 1
        for k in range(P.widths[last]):
            for j in range(P.first[i], P.first[i + 1]):
                S.r[k, j] += time * S.dr[k, j]
                if S.r[k, j] * S.side_r[k, j] <= S.zero_tol_r[j]:
                    S.hits[hits] = hidden * n + k * m + j
                    hits += 1
    S.number[N_HITS] = hits


@kernel
def advance(P, S, time):
    """Move theta and all values by `time` along S.d; list in S.hits what now counts as 0."""
    S.scalar[STEP] = time
    for j in range(S.theta.size):
        S.theta[j] += time * S.d[j]
    if S.number[LAZY] == 0:
        advance_all(P, S, time)
        return
    length = time * np.sqrt(dot(S.d, S.d))
    S.scalar[PATH] += length
    advance_near(P, S, time)
    retire(S, S.scalar[PATH] + length)  # what the next step may reach if it is as long
