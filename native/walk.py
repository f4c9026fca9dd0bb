"""The walk: price, choose a descending half-edge by the pivot rule, pivot, record; in chunks."""

from dataclasses import dataclass

import numpy as np
from numba import boolean, float64, int64, void
from numba.core.types import Tuple

from ._jit import entry, kernel
from ._record import Bools1, Floats1, Floats2, Ints1, Ints2, Record
from .arrays import (
    CHOSEN,
    CROSSED,
    DRIFT,
    ENTERING,
    FREE,
    LEAVING,
    LOSS,
    N_DESCENDING,
    N_TIED,
    SLOPE,
    STEP,
    P,
    S,
)
from .basis import dot, far_edge, flip, list_samples, price_far, price_near
from .pivot import BLOCKED, DONE, GIVEN, PHASE1, depart, pivot, travel, uniform
from .tail import kink

STEEPEST, DANTZIG, GREATEST, SEQUENTIAL, RANDOM = range(5)
"""Pivot rules."""

OPTIMAL, LIMIT, DRIFTED, CROWDED, UNBOUNDED = range(5)
"""What ended a chunk: no half-edge descends; all pivots done; the basis wants to be refactorised;
so many tied breakpoints block the half-edge that pivots of length zero do not pay; a descending
edge without end."""

ENDED = Tuple((int64, int64))
"""What ended a chunk, and how many pivots it made."""

ANY_TIED = np.iinfo(np.int64).max
"""As `max_tied` of `run`: however many breakpoints are tied, pivots of length zero go on."""


@dataclass(frozen=True, eq=False, init=False)
class Pivots(Record):
    """What a chunk writes down, one entry per pivot."""

    theta: Floats2  # (C, D) the vertex reached
    loss: Floats1  # (C,)
    basis: Ints2  # (C, D) its active breakpoints (FREE in phase 1)
    step: Floats1  # (C,) length of the edge in parameter space, 0 at degenerate vertices
    slope: Floats1  # (C,) slope per unit length in parameter space where the edge starts
    leaving: Ints1  # (C,) FREE in phase 1
    entering: Ints1  # (C,)
    crossed: Ints1  # (C,) breakpoints passed on the way (long steps)
    flipped: Bools1  # (C,) the far half-edge was taken
    descending: Ints1  # (C,) half-edges that descend from the vertex the pivot *leaves*
    tied: Ints1  # (C,) tied breakpoints at the vertex reached


def new_record(length, dim):
    """Empty `Pivots`: room for `length` pivots in `dim` parameters."""
    floats, ints = np.zeros(length), np.zeros(length, np.int64)
    return Pivots(
        theta=np.zeros((length, dim)),
        loss=floats.copy(),
        basis=np.zeros((length, dim), np.int64),
        step=floats.copy(),
        slope=floats.copy(),
        leaving=ints.copy(),
        entering=ints.copy(),
        crossed=ints.copy(),
        flipped=np.zeros(length, np.bool_),
        descending=ints.copy(),
        tied=ints.copy(),
    )


@entry(Tuple((int64, boolean)), P, S, int64)
def choose(P, S, rule):
    """Row of the basis and side of the half-edge to follow; row -1 if none descends.

    Needs the prices.  SEQUENTIAL stays in the region while a near half-edge descends, then takes
    the first far one.
    """
    found, found_far, best, seen = -1, False, 0.0, 0
    best_near = False
    for k in range(S.basis.size):
        if S.basis[k] == FREE:
            continue
        for far in range(2):
            slope = S.far[k] if far == 1 else S.price[k]
            length = S.length[k, far]
            if slope >= -S.noise[k, far]:
                continue
            if rule == DANTZIG:
                merit = -slope
            elif rule == RANDOM:
                seen += 1
                merit = best + 1.0 if uniform(S.random) * seen < 1.0 else best
            else:
                merit = -slope / length
            if rule == SEQUENTIAL:
                near = far == 0
                better = found < 0 or (near and (not best_near or merit > best))
                best_near = best_near or near
            else:
                better = found < 0 or merit > best
            if better:
                found, found_far, best = k, far == 1, merit
    return found, found_far


@entry(boolean, P, S)
def prices(P, S):
    """Price all half-edges; returns whether a phase-1 move descends."""
    price_near(S)
    return price_far(P, S)


@entry(void, P, S, int64[::1], float64[:, ::1])
def half_edges(P, S, rows, out):
    """Out (2 len(rows), D): near half-edges of the basis rows `rows`, then the far ones."""
    list_samples(P, S)
    for at in range(rows.size):
        for j in range(S.d.size):
            out[at, j] = S.b[rows[at], j]
        kink(P, S, S.basis[rows[at]])
        far_edge(P, S, rows[at], out[rows.size + at])


@entry(float64, P, S, int64, boolean, boolean)
def decrease(P, S, k, far, long_step):
    """By how much the loss falls along half-edge `k`; `S` must be priced and is used up."""
    before = S.scalar[LOSS]
    if depart(P, S, k, far)[0] < 0:
        travel(P, S, long_step)
    return before - S.scalar[LOSS]


@kernel
def _note(S, at, record):
    """Write down the pivot just made, but for `descending` and `flipped`."""
    length = np.sqrt(dot(S.d, S.d))
    for j in range(S.theta.size):  # loops: array assignment would cost seconds to compile
        record.theta[at, j] = S.theta[j]
        record.basis[at, j] = S.basis[j]
    record.loss[at] = S.scalar[LOSS]
    record.step[at] = S.scalar[STEP] * length
    record.slope[at] = S.scalar[SLOPE] / length
    record.leaving[at] = S.number[LEAVING]
    record.entering[at] = S.number[ENTERING]
    record.crossed[at] = S.number[CROSSED]
    record.tied[at] = S.number[N_TIED]


@entry(ENDED, P, S, int64, boolean, float64, int64, int64, int64, Pivots.type)
def run(P, S, rule, long_step, drift_tol, max_tied, first, limit, record):
    """Up to `limit` pivots; returns what ended the chunk and the number of pivots made.

    Entries ``record[first:]`` are filled.  With the rule GREATEST the first half-edge is the one
    in S.number[CHOSEN] (see `decrease`), and `limit` must be 1.
    """
    price_near(S)
    for step in range(limit):
        phase1 = price_far(P, S)
        k, far = PHASE1, False
        if not phase1:
            if rule == GREATEST:
                k, far = S.number[CHOSEN] // 2, S.number[CHOSEN] % 2 == 1
            else:
                k, far = choose(P, S, rule)
            if k < 0:
                return OPTIMAL, step
        record.descending[first + step] = S.number[N_DESCENDING]
        while True:  # one call: each costs seconds to compile
            ended = pivot(P, S, k, far, long_step, max_tied)
            if ended != BLOCKED or rule == GREATEST:
                break
            # The next best half-edge: in a crowd (a zero block) most leave it alone.
            if far:
                flip(P, S, k)
            S.noise[k, 1 if far else 0] = 1e300
            k, far = choose(P, S, rule)
            if k < 0:
                return CROWDED, step
        if ended != DONE:
            return CROWDED if ended == BLOCKED else UNBOUNDED, step
        _note(S, first + step, record)
        record.flipped[first + step] = far
        if S.scalar[DRIFT] > drift_tol:
            return DRIFTED, step + 1
    return LIMIT, limit


@entry(ENDED, P, S, boolean, int64, Pivots.type)
def leap(P, S, long_step, first, record):
    """One pivot along the direction in S.d; record[first] is filled.  Returns like `run`."""
    price_near(S)
    price_far(P, S)
    record.descending[first] = S.number[N_DESCENDING]
    if pivot(P, S, GIVEN, False, long_step, 0) != DONE:
        return UNBOUNDED, 0
    _note(S, first, record)
    record.flipped[first] = False
    return LIMIT, 1


@entry(int64, P, S, int64, boolean)
def follow(P, S, k, far):
    """Follow half-edge `k` of the priced state `S` (or S.d for k = GIVEN) to the next vertex.

    Up or down; returns like `pivot`: ENDLESS where the half-edge is a ray.
    """
    return pivot(P, S, k, far, False, S.tied.size)
