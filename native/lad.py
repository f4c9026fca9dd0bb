"""Quantile regression as the linear special case of the walk: long steps on few of the samples.

    F(theta) = sum_i w_i rho(r_i) + tilt . theta,   r_i = x_i . theta - y_i,
    rho(r) = below max(-r, 0) + above max(r, 0)

`sweep` looks at all samples once and sets aside those far from the fit, whose residuals will
hardly change sign; `descend` pivots on the near ones (Barrodale and Roberts 1973: the stop on
each edge is a weighted median) until no half-edge descends there; the next sweep tells whether a
far residual did change sign (Portnoy and Koenker 1997).
"""

import numpy as np
from numba import float64, int64, void
from numba.core.types import UniTuple

from ._jit import entry, kernel
from .arrays import FREE, PARKED
from .basis import dot, subtract_and_price
from .lad_arrays import DEPENDENT, RATE, SLOPE, ZERO, P, S
from .nearby import NEVER
from .pivot import uniform

BLOCK = 512  # samples handled together, so that a block of results stays in the first-level cache
SOME = 64  # samples that tell how far a step may lead
POSITIVE = np.int64(0x7FFFFFFFFFFFFFFF)  # all bits of a float but its sign
TINY = 1e-300  # slope of a half-edge known to descend, by less than floats can tell

OPTIMAL, UNBOUNDED, STUCK = range(3)
"""What `descend` returns: no half-edge descends; an edge without end, so that samples set aside
must be met on it; too many pivots."""


@kernel
def combine(d, x, low, high, out):
    """out[low:high] = d @ x[:, low:high], four rows in one pass over `out`."""
    q = d.size
    o = out[low:high]
    for i in range(o.size):
        o[i] = 0.0
    whole = q - q % 4
    for k in range(0, whole, 4):
        d0, d1, d2, d3 = d[k], d[k + 1], d[k + 2], d[k + 3]
        x0, x1 = x[k, low:high], x[k + 1, low:high]
        x2, x3 = x[k + 2, low:high], x[k + 3, low:high]
        for i in range(o.size):
            o[i] += (d0 * x0[i] + d1 * x1[i]) + (d2 * x2[i] + d3 * x3[i])
    for k in range(whole, q):
        d0, x0 = d[k], x[k, low:high]
        for i in range(o.size):
            o[i] += d0 * x0[i]


@entry(void, float64[:, ::1], int64, int64, float64[::1], float64[::1])
def measure(x, first, end, sums, largest):
    """Add columns first to end of x (q, n) to sum and largest of absolute values of its rows."""
    bits, most = x.view(np.int64), largest.view(np.int64)  # in the order of absolute values
    for k in range(x.shape[0]):
        total, top = 0.0, most[k]
        row, row_bits = x[k, first:end], bits[k, first:end]
        for i in range(row.size):
            total += abs(row[i])
            top = max(top, row_bits[i] & POSITIVE)
        sums[k], most[k] = sums[k] + total, top


@entry(void, float64[:, ::1], int64, int64, float64[::1], float64[::1])
def rescale(x, first, end, scale, reach):
    """Multiply the rows of x (q, n), columns first to end; `reach` there becomes their lengths."""
    for low in range(first, end, BLOCK):
        high = min(end, low + BLOCK)
        size = reach[low:high]
        for i in range(size.size):
            size[i] = 0.0
        for k in range(scale.size):
            row = x[k, low:high]
            for i in range(size.size):
                row[i] *= scale[k]
                size[i] += row[i] * row[i]
        for i in range(size.size):
            size[i] = np.sqrt(size[i])


@entry(UniTuple(int64, 2), P, S, float64)
def sweep(P, S, band):
    """Residuals, sides and the gradient S.g of the tilt and of all samples but the near ones.

    Samples with |r| <= band * reach are listed in S.near; those whose residual counts as 0 keep
    their side.  Returns (number of near samples, number of changed sides).
    """
    below, above, zero = P.slopes[0], P.slopes[1], S.tolerances[ZERO]
    n_near, changed = 0, 0
    for k in range(S.g.size):
        S.g[k] = P.tilt[k]
    for low in range(0, P.y.size, BLOCK):
        high = min(P.y.size, low + BLOCK)
        combine(S.theta, P.x, low, high, S.r)
        for i in range(low, high):
            S.r[i] -= P.y[i]
            if S.r[i] * S.side[i] < 0.0 and abs(S.r[i]) > zero:
                S.side[i] = -S.side[i]
                changed += 1
            if abs(S.r[i]) <= band * P.reach[i]:
                S.near[n_near] = i
                n_near += 1
                S.costs[i - low] = 0.0
            else:
                S.costs[i - low] = above * P.w[i] if S.side[i] > 0.0 else -below * P.w[i]
        for k in range(S.g.size):
            S.g[k] += dot(P.x[k, low:high], S.costs[: high - low])
    return n_near, changed


@kernel
def _gather(P, S, m):
    """Copy the near samples side by side; park the active ones."""
    for k in range(P.x.shape[0]):
        for a in range(m):
            S.near_x[k, a] = P.x[k, S.near[a]]
    for a in range(m):
        i = S.near[a]
        S.near_w[a], S.near_r[a], S.near_side[a] = P.w[i], S.r[i], S.side[i]
    for k in range(S.basis.size):
        S.place[k] = S.basis[k]
        if S.basis[k] >= 0:
            a = np.searchsorted(S.near[:m], S.basis[k])
            S.place[k], S.near_r[a], S.near_side[a] = a, PARKED, 1.0


@kernel
def _scatter(S, m):
    """Bring the basis and the sides of the near samples back from their copies."""
    for k in range(S.basis.size):
        S.basis[k] = S.near[S.place[k]] if S.place[k] >= 0 else S.place[k]
    for a in range(m):
        S.side[S.near[a]] = S.near_side[a]


@entry(int64, float64[::1], int64[::1], float64[::1], int64, float64)
def stop(times, ids, jumps, size, need):
    """Place in `times` of the breakpoint at which the sum of jumps, in order of time, is `need`.

    The breakpoints passed before it are moved in front of it.  -1 if the sum of all is less.
    Selection by partition, not a sort.
    """
    low, high = 0, size
    while high - low > 8:
        first, middle, last = times[low], times[(low + high) // 2], times[high - 1]
        split = max(min(first, middle), min(max(first, middle), last))
        i, j = low, high - 1
        while i <= j:
            while times[i] < split:
                i += 1
            while times[j] > split:
                j -= 1
            if i <= j:
                times[i], times[j] = times[j], times[i]
                ids[i], ids[j] = ids[j], ids[i]
                i += 1
                j -= 1
        total = 0.0
        for a in range(low, i):
            total += jumps[ids[a]]
        if total >= need:
            high = i
        else:
            need -= total
            low = i
    for a in range(low + 1, high):
        time, which, b = times[a], ids[a], a
        while b > low and times[b - 1] > time:
            times[b], ids[b] = times[b - 1], ids[b - 1]
            b -= 1
        times[b], ids[b] = time, which
    for a in range(low, high):
        need -= jumps[ids[a]]
        if need <= 0.0:
            return a
    return -1 if high == size else high - 1


@kernel
def _candidates(times, jumps, m, need, ids, scratch):
    """Move times that may be where jumps add up to `need` to the front, their samples to `ids`.

    Those of a few samples tell how far to look; without a branch for each sample.
    """
    limit = NEVER  # parked samples are met later still
    if m >= 4 * SOME:
        for i in range(SOME):
            scratch[i], ids[i] = times[i], i
        at = stop(scratch, ids, jumps, SOME, 1.5 * need * SOME / m)
        if at >= 0:
            total = 0.0
            for i in range(m):
                total += jumps[i] if times[i] <= scratch[at] else 0.0
            if total > need:
                limit = min(limit, scratch[at])
    size = 0
    for i in range(m):
        times[size], ids[size] = times[i], i
        size += 1 if times[i] <= limit else 0
    return size


@kernel
def _add_sample(S, i, factor):
    """S.g += factor * x_i."""
    for k in range(S.g.size):
        S.g[k] += factor * S.near_x[k, i]


@kernel
def _noise(P, S):
    """Slope of a half-edge of unit length that counts as 0, also where a tilt cancels out."""
    return S.tolerances[SLOPE] * (np.sqrt(dot(S.g, S.g)) + np.sqrt(dot(P.tilt, P.tilt)))


@kernel
def _steepest(P, S):
    """Half-edge of steepest descent: (row of the basis or -1, +1 or -1 along it, its slope).

    Rows not yet in the basis go first, whatever their slope.
    """
    found, sign, steepest, slope = -1, 1.0, 0.0, 0.0
    free = False
    noise = _noise(P, S)
    for k in range(S.basis.size):
        c, price, length = S.place[k], S.price[k], S.length[k]
        if c == FREE:
            if not free or abs(price) > steepest * length:
                free, found, slope = True, k, -abs(price)
                sign, steepest = -1.0 if price > 0.0 else 1.0, abs(price) / length
        elif c >= 0 and not free:
            up, down = price + P.slopes[1] * S.near_w[c], P.slopes[0] * S.near_w[c] - price
            least = min(up, down)
            if least < -noise * length and -least > steepest * length:
                found, sign, steepest, slope = k, 1.0 if up < down else -1.0, -least / length, least
    return found, sign, slope


@kernel
def _begin(P, S, m):
    """Add the gradient of the near samples to S.g, but for the active ones; price all edges."""
    below, above = P.slopes[0], P.slopes[1]
    for i in range(m):
        S.costs[i] = (above if S.near_side[i] > 0.0 else -below) * S.near_w[i]
        if S.near_r[i] == PARKED:
            S.costs[i] = 0.0
    for j in range(S.g.size):
        S.g[j] += dot(S.near_x[j, :m], S.costs[:m])
    for k in range(S.basis.size):
        S.price[k], S.length[k] = dot(S.b[k], S.g), np.sqrt(dot(S.b[k], S.b[k]))


@entry(int64, P, S, int64, int64, float64, float64)
def meet(P, S, m, k, sign, slope):
    """Where a step along half-edge `k` ends: place in S.times of that time, or -1 for nowhere.

    The samples passed on the way come before it in S.times and S.ids.
    """
    for j in range(S.d.size):
        S.d[j] = sign * S.b[k, j]
    for low in range(0, m, BLOCK):
        combine(S.d, S.near_x, low, min(m, low + BLOCK), S.rates)
    flat, jump = S.tolerances[RATE] * np.sqrt(dot(S.d, S.d)), P.slopes[0] + P.slopes[1]
    for i in range(m):
        rate = -S.near_side[i] * S.rates[i]
        S.times[i] = max(0.0, S.near_side[i] * S.near_r[i] / rate) if rate > flat else np.inf
        S.jumps[i] = jump * S.near_w[i] * rate if rate > flat else 0.0
    size = _candidates(S.times, S.jumps, m, -slope, S.ids, S.costs)
    return stop(S.times, S.ids, S.jumps, size, -slope)


@kernel
def _exchange(S, k, entering):
    """Sample `entering` takes row k of the basis; updates and prices all edges.

    As `basis.exchange` does for the walk.
    """
    for j in range(S.normal.size):
        S.normal[j] = S.near_x[j, entering]
    beta = S.d
    for m in range(beta.size):
        beta[m] = dot(S.b[m], S.normal)
    element = beta[k]
    for j in range(beta.size):
        S.b[k, j] /= element
    for m in range(beta.size):
        factor = beta[m] if m != k else 0.0
        S.price[m], length2 = subtract_and_price(S.b[m], factor, S.b[k], S.g)
        S.length[m] = np.sqrt(length2)
    S.place[k] = entering


@entry(void, P, S, int64, int64, float64, int64)
def move(P, S, m, k, sign, at):
    """Go where `meet` says, to S.times[at], and let the sample met there enter the basis."""
    below, above = P.slopes[0], P.slopes[1]
    time, entering, leaving = S.times[at], S.ids[at], S.place[k]
    blocked = abs(S.near_r[entering]) <= S.tolerances[ZERO]
    for a in range(at):
        i = S.ids[a]
        _add_sample(S, i, -(below + above) * S.near_w[i] * S.near_side[i])
        S.near_side[i] = -S.near_side[i]
    cost = -above if S.near_side[entering] > 0.0 else below
    _add_sample(S, entering, cost * S.near_w[entering])
    for i in range(m):
        S.near_r[i] += time * S.rates[i]
    for j in range(S.d.size):
        S.theta[j] += time * S.d[j]
    if leaving >= 0:
        S.near_r[leaving], S.near_side[leaving] = time * sign, sign
        _add_sample(S, leaving, (above if sign > 0.0 else -below) * S.near_w[leaving])
    _exchange(S, k, entering)
    S.near_r[entering], S.near_side[entering] = PARKED, 1.0
    if blocked:
        for i in range(m):
            if abs(S.near_r[i]) <= S.tolerances[ZERO]:
                push = S.tolerances[ZERO] * (500.0 + 1000.0 * uniform(S.random))
                S.near_r[i] = push * S.near_side[i]


@kernel
def _pivots(P, S, m, first, limit):
    """Pivots on the copies until no half-edge descends: (status, pivots)."""
    for pivots in range(limit):
        k, sign, slope = _steepest(P, S)
        if pivots == 0 and first >= 0:
            k, sign, slope = first // 2, 1.0 - 2.0 * (first % 2), -TINY
        if k < 0:
            return OPTIMAL, pivots
        at = meet(P, S, m, k, sign, slope)
        if at < 0:  # one-sided terms may end flat, or lie on the other side of a flat edge alone
            noise = _noise(P, S) * S.length[k]
            at = meet(P, S, m, k, sign, min(0.0, slope + noise))
            if at < 0 and S.place[k] == FREE and slope >= -noise:
                sign = -sign
                at = meet(P, S, m, k, sign, slope)
        if at >= 0:
            move(P, S, m, k, sign, at)
        elif S.place[k] == FREE:
            S.place[k] = DEPENDENT
        else:
            return UNBOUNDED, pivots
    return STUCK, limit


@entry(UniTuple(int64, 2), P, S, int64, int64, int64)
def descend(P, S, m, first, limit):
    """Pivots on the `m` near samples until no half-edge descends; returns (status, pivots).

    Up to `limit` of them.  The first one along half-edge `first` (twice the row of the basis, + 1
    for its far one), if that is not negative.

    S.g is the gradient of all other samples and becomes that of all but the active ones; residuals
    S.r are left as they are.  Residuals that count as 0 and block an edge are pushed off by a
    little at random (Wolfe 1963): the vertex is then that of slightly moved targets.
    """
    _gather(P, S, m)
    _begin(P, S, m)
    status, pivots = _pivots(P, S, m, first, limit)
    _scatter(S, m)
    return status, pivots
