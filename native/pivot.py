"""The one pivot primitive: follow a half-edge to the next vertex and exchange one breakpoint.

Degenerate vertices (more breakpoints vanish than the basis holds) are treated as in Wolfe (1963):
the tied breakpoints get small random distances in a local perturbed problem of their own, on whose
simple vertices the pivots of reach zero make strict progress; a half-edge that no tied breakpoint
blocks is an edge of the true problem.  The numbers of the true problem are never touched.
"""

import numpy as np
from numba import boolean, float64, int64, void
from numba.core.types import Tuple

from ._jit import entry, kernel
from .arrays import (
    CROSSED,
    DRIFT,
    ENTERING,
    FREE,
    LEAVING,
    LOSS,
    N_HITS,
    N_TIED,
    REACH,
    SLOPE,
    SLOPE_TOL,
    STEP,
    P,
    S,
    derivative_of,
    row_of,
    sample_of,
    side_of,
)
from .basis import activate, dot, exchange, flip, reach_of, release
from .ratio import advance, first_breakpoint, line_search, tangent

PHASE1 = -1
GIVEN = -2

DONE, BLOCKED, ENDLESS = range(3)
"""What `pivot` returns."""


@kernel
def uniform(state):
    """Next number in (0, 1) of a splitmix64 generator; `state` (1,) uint64 is advanced."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    v = state[0]
    v = (v ^ (v >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    v = (v ^ (v >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    v = v ^ (v >> np.uint64(31))
    return (np.float64(v >> np.uint64(11)) + 0.5) / 9007199254740992.0


@kernel
def rate_tolerance(P, S, c, reach):
    """|derivative| of `c` along S.d up to which it counts as constant."""
    return S.rate_tol[P.stage[row_of(P, c)]] * reach


@kernel
def tie(P, S, c, distance):
    """Put `c` on the tied list, at `distance` > 0 in the local perturbed problem."""
    at = S.number[N_TIED]
    S.tied[at] = c
    S.tied_w[at] = distance
    S.number[N_TIED] = at + 1
    activate(P, S, c)


@kernel
def _untie(P, S, at):
    """Take entry `at` off the tied list (the last entry takes its place)."""
    last = S.number[N_TIED] - 1
    c = S.tied[at]
    S.tied[at] = S.tied[last]
    S.tied_w[at] = S.tied_w[last]
    S.number[N_TIED] = last
    release(P, S, c)


@entry(Tuple((int64, float64)), P, S, float64)
def blocking_tie(P, S, reach):
    """Entry of the tied list met first in the local perturbed problem (-1: none), and its time."""
    found, time = -1, 0.0
    for at in range(S.number[N_TIED]):
        c = S.tied[at]
        rate = side_of(P, S, c) * derivative_of(P, S, c)
        if rate < -rate_tolerance(P, S, c, reach):
            when = -S.tied_w[at] / rate
            if found < 0 or when < time:
                found, time = at, when
    return found, time


@kernel
def _enter(P, S, k, entering):
    exchange(P, S, k, entering)
    activate(P, S, entering)
    S.number[ENTERING] = entering


@entry(void, P, S, int64, int64, float64)
def pivot_at_vertex(P, S, k, blocking, time):
    """A pivot of reach zero: theta stays, the local perturbed problem moves by `time`."""
    reach = S.scalar[REACH]
    leaving = S.number[LEAVING]
    for at in range(S.number[N_TIED]):
        c = S.tied[at]
        rate = side_of(P, S, c) * derivative_of(P, S, c)
        if abs(rate) > rate_tolerance(P, S, c, reach):
            S.tied_w[at] = max(S.tied_w[at] + time * rate, 1e-300)
    entering = S.tied[blocking]
    _untie(P, S, blocking)
    if leaving != FREE:
        S.on_sample[sample_of(P, leaving)] -= 1
    _enter(P, S, k, entering)
    if leaving != FREE:
        tie(P, S, leaving, time)
    S.scalar[STEP] = 0.0


@kernel
def _drift(P, S, k, reach):
    """Largest derivative along S.d, in units of its tolerance, of an active breakpoint but k's."""
    worst = 0.0
    for m in range(S.basis.size):
        if m != k and S.basis[m] != FREE:
            c = S.basis[m]
            worst = max(worst, abs(derivative_of(P, S, c)) / rate_tolerance(P, S, c, reach))
    return worst


@kernel
def direct(P, S, k, far):
    """Set S.d to half-edge `k` (flipping the region first if `far`), or for k = PHASE1."""
    size = S.basis.size
    if k >= 0:
        if far:
            flip(P, S, k)
        for j in range(size):
            S.d[j] = S.b[k, j]
        S.scalar[SLOPE] = dot(S.d, S.g)
        return
    slope = 0.0
    for j in range(size):
        S.d[j] = 0.0
    for m in range(size):
        if S.basis[m] == FREE:
            slope -= S.price[m] ** 2
            for j in range(size):
                S.d[j] -= S.price[m] * S.b[m, j]
    S.scalar[SLOPE] = slope


@entry(Tuple((int64, float64)), P, S, int64, boolean)
def depart(P, S, k, far):
    """Aim along half-edge `k` (or as `pivot` says) and set free what leaves 0 along it.

    Returns (entry of the tied list that blocks the edge at the vertex itself or -1, its time in
    the local perturbed problem).  If nothing blocks, row k of the basis is vacant (FREE) after it.
    """
    S.number[LEAVING] = FREE if k < 0 else S.basis[k]
    S.number[CROSSED] = 0
    if k == GIVEN:
        S.scalar[SLOPE] = dot(S.d, S.g)
    else:
        direct(P, S, k, far)
    reach = reach_of(S, S.d)
    S.scalar[REACH] = reach
    tangent(P, S)
    S.scalar[DRIFT] = _drift(P, S, k, reach)
    if S.number[N_TIED] > 0:
        blocking, time = blocking_tie(P, S, reach)
        if blocking >= 0:
            return blocking, time
        for at in range(S.number[N_TIED] - 1, -1, -1):
            c = S.tied[at]
            if abs(derivative_of(P, S, c)) > rate_tolerance(P, S, c, reach):
                _untie(P, S, at)
    if k >= 0:
        release(P, S, S.basis[k])
        S.basis[k] = FREE
    return -1, 0.0


@kernel
def travel(P, S, long_step):
    """Breakpoint where the step along S.d ends (-1: none) and the time; updates the loss."""
    reach = S.scalar[REACH]
    if long_step:
        return line_search(P, S, reach, S.scalar[SLOPE_TOL] * reach)
    entering, time = first_breakpoint(P, S, reach)
    S.scalar[LOSS] += S.scalar[SLOPE] * time
    return entering, time


@entry(int64, P, S, int64, boolean, boolean, int64)
def pivot(P, S, k, far, long_step, max_tied):
    """Follow half-edge `k` of the basis to the next breakpoint and exchange or extend the basis.

    k = PHASE1 follows the projected negative gradient, k = GIVEN the direction in S.d, along which
    every active breakpoint must stay 0.  Modifies `S` in place; S.scalar and S.number say what
    happened.  Returns DONE, ENDLESS if nothing bounds the edge, which a loss bounded below
    excludes, or BLOCKED (nothing moved) if one of more than `max_tied` tied breakpoints stops a
    half-edge at the vertex itself.
    """
    blocking, time = depart(P, S, k, far)
    if blocking >= 0:
        if k >= 0 and S.number[N_TIED] > max_tied:
            return BLOCKED
        pivot_at_vertex(P, S, k, blocking, time)
        return DONE
    entering, time = travel(P, S, long_step)
    if entering < 0:
        return ENDLESS
    advance(P, S, time)

    # Of the breakpoints met together the steepest enters: the largest pivot element.
    reach = S.scalar[REACH]
    best = abs(derivative_of(P, S, entering)) / rate_tolerance(P, S, entering, reach)
    for at in range(S.number[N_HITS]):
        c = S.hits[at]
        rate = -side_of(P, S, c) * derivative_of(P, S, c) / rate_tolerance(P, S, c, reach)
        if rate > best:
            best, entering = rate, c
    _enter(P, S, k, entering)
    for at in range(S.number[N_HITS]):
        c = S.hits[at]
        if c != entering:
            tie(P, S, c, 0.5 + uniform(S.random))
    return DONE
