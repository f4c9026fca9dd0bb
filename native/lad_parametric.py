"""Quantile regression for all quantiles: parametric pivots in tau.

The multiplier of the sample in row k of the basis, as a share of its weight, is a line in tau,

    z_k(tau) = tau rate_k - price_k   in [0, w_k],    rate = b @ sum_i w_i x_i,
                                                      price = b @ sum of those with r_i > 0

(Koenker and d'Orey 1987): the vertex is a minimum as long as all of them are in their ranges.  A
loss that is tilted, F(theta) - s theta_j, is traced in s likewise.

The first to leave is that of the half-edge that becomes flat; the pivot along it, to the first
residual that vanishes there, leads to the minimum of the next interval, which begins where this one
ends.

Pivots are those of `lad.meet` and `lad.move`, with slopes 0 and 1 so that the gradient is the sum
above, on targets moved apart by a little, so that each of them has a length.  What is said of a
vertex is said of the true targets and with bounds on all rounding; where these leave doubt, the
trace stops for the caller to decide.
"""

import numpy as np
from numba import int64, void
from numba.core.types import UniTuple

from ._jit import entry, kernel
from .lad import BLOCK, TINY, combine, meet, move
from .lad_arrays import P, S
from .lad_rounding import error_bounds, nearest, residual
from .lad_trace import (
    AGE,
    BEFORE,
    BLUR,
    DIRECTION,
    DOWN,
    ERROR,
    FROM,
    HIGH,
    IS_TAU,
    LOW,
    TERMS,
    UNTIL,
    WEIGHT,
    T,
)

CLEAR, END, FULL, TIES, DOUBT, LOST, UNBOUNDED = range(7)
"""What `look` and `trace` return: the vertex is proved to be a minimum until its end; it is the
last one; no room for more, or sums to be taken afresh; only the sides of some residuals are in
doubt; or more is; its edges are spoilt by rounding; nothing was met."""

REFRESH = 16.0  # pivots after which a Newton step brings back the digits of the edges


@kernel
def _sharpen(P, S, T):
    """A Newton step for the inverse: b' (2 I - A b'), A the active samples."""
    q = S.place.size
    for j in range(q):
        for k in range(q):
            off = 1.0 if j == k else 0.0
            for a in range(q):
                off -= P.x[a, S.place[j]] * S.b[k, a]
            T.off[j, k] = off
    for k in range(q):
        for a in range(q):
            total = S.b[k, a]
            for j in range(q):
                total += S.b[j, a] * T.off[j, k]
            T.edges[k, a] = total
    for k in range(q):
        for a in range(q):
            S.b[k, a] = T.edges[k, a]


@kernel
def _solve(P, S, T):
    """T.theta, the vertex of the true targets."""
    q = S.place.size
    for a in range(q):
        T.theta[a] = 0.0
    for k in range(q):
        y = T.y[S.place[k]]
        for a in range(q):
            T.theta[a] += y * S.b[k, a]
    for _ in range(2):
        residual(P.x, T.y, T.theta, S.place, T.spare)
        for k in range(q):
            for a in range(q):
                T.theta[a] -= T.spare[k] * S.b[k, a]


@kernel
def _sides_hold(P, S, T, bound):
    """Whether all residuals have the side they are taken to have, and how many have which.

    Returns (number of them in doubt or wrong, number above, number below).
    """
    doubtful, above, below = 0, 0, 0
    for low in range(0, P.y.size, BLOCK):
        high = min(P.y.size, low + BLOCK)
        combine(T.theta, P.x, low, high, S.r)
        for i in range(low, high):
            side = S.near_side[i]
            clear = (S.r[i] - T.y[i]) * side > bound * P.reach[i]
            counts = P.reach[i] > 0.0
            doubtful += 0 if clear else 1
            above += 1 if side > 0.0 and counts else 0
            below += 1 if side < 0.0 and counts else 0
    for k in range(S.place.size):  # which have no side
        i = S.place[k]
        side = S.near_side[i]
        clear = (S.r[i] - T.y[i]) * side > bound * P.reach[i]
        doubtful -= 0 if clear else 1
        above -= 1 if side > 0.0 else 0
        below -= 1 if side < 0.0 else 0
    return doubtful, above, below


@kernel
def _lines(P, S, T, terms, blur):
    """Rates and prices of the lines in tau, with bounds on their errors."""
    q, unit, weight = S.place.size, 2.0**-53, T.numbers[WEIGHT]
    whole = terms * weight if T.numbers[IS_TAU] == 1.0 else 0.0
    most_price, most_rate = 0.0, 0.0
    for k in range(q):
        price, rate, price_error, rate_error = 0.0, 0.0, 0.0, 0.0
        for a in range(q):
            price += S.b[k, a] * (S.g[a] - T.offset[a])
            rate += S.b[k, a] * T.total[a]
            size = abs(S.b[k, a]) * unit
            summed = 2.0 * terms * weight * T.largest[a]
            price_error += size * (summed + (q + 8) * (abs(S.g[a]) + abs(T.offset[a])))
            rate_error += size * (whole * T.largest[a] + (q + 4) * abs(T.total[a]))
        S.price[k], T.rate[k], T.price_error[k], T.rate_error[k] = (
            price,
            rate,
            price_error,
            rate_error,
        )
        most_price = max(most_price, abs(price) + price_error)
        most_rate = max(most_rate, abs(rate) + rate_error)
    for k in range(q):
        T.price_error[k] += blur * most_price
        T.rate_error[k] += blur * most_rate


@kernel
def _leaving(P, S, T, direction):
    """The row whose line leaves its range first, and where; (-1, inf) if none does.

    With a bound on the error of that tau.
    """
    first, least, error = -1, np.inf, 0.0
    for k in range(S.place.size):
        rate = T.rate[k] * direction
        if abs(rate) <= T.rate_error[k]:
            continue
        at = S.price[k] + (P.w[S.place[k]] if rate > 0.0 else 0.0)
        time = direction * at / T.rate[k]
        if time < least:
            first, least = k, time
            share = (T.price_error[k] + abs(time) * T.rate_error[k]) / (abs(rate) - T.rate_error[k])
            error = share + 4.0 * 2.0**-52 * abs(time)
    return first, direction * least, error


@kernel
def _within(P, S, T, first, tau, error):
    """Whether all other lines are within their ranges at `tau`, beyond all rounding."""
    for k in range(S.place.size):
        w = P.w[S.place[k]]
        z = tau * T.rate[k] - S.price[k]
        size = abs(tau) * abs(T.rate[k]) + abs(S.price[k]) + w
        bound = T.price_error[k] + abs(tau) * T.rate_error[k] + 4.0 * 2.0**-52 * size
        bound += error * (abs(T.rate[k]) + T.rate_error[k])
        if k != first and not bound < z < w - bound:
            return False
        if abs(T.rate[k]) <= T.rate_error[k] and k == first:
            return False
    return True


@entry(UniTuple(int64, 2), P, S, T)
def look(P, S, T):
    """Look at the vertex that the trace is at.

    Returns (CLEAR, END, TIES, DOUBT or LOST, the half-edge that becomes flat: twice its row of the
    basis, + 1 upwards); where it does, and a bound on the error, are put into T.numbers.
    """
    _solve(P, S, T)
    bound, blur = error_bounds(P.x, T.y, S.place, S.b, T.theta, S.d)
    T.numbers[BLUR] = blur
    if not bound < np.inf:
        return LOST, -1
    doubtful, above, below = _sides_hold(P, S, T, bound)
    _lines(P, S, T, T.numbers[TERMS], blur)
    direction, tau = T.numbers[DIRECTION], T.numbers[FROM]
    first, time, error = _leaving(P, S, T, direction)
    end, left = T.numbers[HIGH], below
    if direction < 0.0:
        end, left = T.numbers[LOW], above
    if T.numbers[IS_TAU] == 0.0:
        left = 1  # the range of the parameter alone ends the trace
    edge = 2 * first + (1 if first >= 0 and T.rate[first] * direction > 0.0 else 0)
    T.numbers[UNTIL], T.numbers[ERROR] = time, error
    if left == 0 or (first >= 0 and direction * (time - end) > error):
        if T.numbers[IS_TAU] == 0.0:  # other bases of this vertex may go on
            return (END, -1) if doubtful == 0 else (TIES, edge)
        T.numbers[UNTIL], T.numbers[ERROR] = end, 0.0
        return END if doubtful == 0 else TIES, -1
    if first < 0 or direction * (time - tau) <= error + T.numbers[BEFORE]:
        return DOUBT, edge
    if direction * (end - time) <= error or not _within(P, S, T, first, time, error):
        return DOUBT, edge
    return CLEAR if doubtful == 0 else TIES, edge


@entry(void, P, S, T, int64)
def record(P, S, T, at):
    """Write down the vertex the trace is at, and where it ends: row `at` of the lists.

    Coefficients that may not be the nearest floats are marked by 0 in T.sure.
    """
    for k in range(S.place.size):
        T.rows[at, k] = S.place[k]
    T.ends[at] = T.numbers[UNTIL]
    T.sure[at] = 0
    if nearest(
        P.x,
        T.y,
        P.reach,
        S.place,
        S.b,
        T.theta,
        T.numbers[BLUR],
        T.up,
        T.numbers[DOWN],
        T.spare,
        T.found,
    ):
        T.sure[at] = 1
        for a in range(T.found.size):
            T.coefficients[at, a] = T.found[a]


@entry(UniTuple(int64, 3), P, S, T, int64, int64, int64)
def trace(P, S, T, edge, at, limit):
    """Go from minimum to minimum, at first along the half-edge `edge`, if that is not negative.

    Vertices are recorded from row `at` of the lists on; at most `limit` pivots.  Returns (status,
    next row, half-edge to go along): see END...
    """
    m = S.near_r.size
    for _ in range(limit):
        if edge >= 0:
            sign = 1.0 if edge % 2 == 1 else -1.0
            place = meet(P, S, m, edge // 2, sign, -TINY)
            if place < 0:
                return UNBOUNDED, at, edge
            move(P, S, m, edge // 2, sign, place)
            T.numbers[FROM], T.numbers[BEFORE] = T.numbers[UNTIL], T.numbers[ERROR]
            T.numbers[AGE] += 1.0
            if T.numbers[AGE] >= REFRESH:
                _sharpen(P, S, T)
                T.numbers[AGE] = 0.0
        if at == T.ends.size:
            return FULL, at, -1
        status, edge = look(P, S, T)
        if status in (TIES, DOUBT, LOST):
            return status, at, edge
        record(P, S, T, at)
        at += 1
        if status == END:
            return END, at, -1
    return FULL, at, edge
