"""Quantile regression as the linear special case of the walk: long steps on few of the samples.

    F(theta) = sum_i w_i rho(r_i),   r_i = x_i . theta - y_i,   rho(r) = below max(-r, 0)
                                                                        + above max(r, 0)

`sweep` looks at all samples once and sets aside those far from the fit, whose residuals will
hardly change sign; `descend` pivots on the near ones (Barrodale and Roberts 1973: the stop on
each edge is a weighted median) until no half-edge descends there; the next sweep tells whether a
far residual did change sign (Portnoy and Koenker 1997).  `error_bounds` bounds all rounding at the
end.
"""

import numpy as np

from ._jit import entry, kernel, precise
from .arrays import FREE, PARKED
from .basis import dot
from .nearby import NEVER
from .pivot import uniform

BLOCK = 512  # samples handled together, so that a block of results stays in the first-level cache
SOME = 64  # samples that tell how far a step may lead
TINY = 1e-300  # slope of a half-edge known to descend, by less than floats can tell

OPTIMAL, UNBOUNDED, STUCK = range(3)
"""What `descend` returns: no half-edge descends; an edge without end, so that samples set aside
must be met on it; too many pivots."""

DEPENDENT = -2
"""Id in `basis` of a direction in which no near residual changes."""

ZERO, RATE, SLOPE = range(3)
"""Entries of `tolerances`: |r| that counts as 0; the derivative along a direction of unit length
that counts as 0; the slope of a half-edge of unit length that does, relative to the gradient."""

TIMES, JUMPS, RATES, COSTS = range(4)
"""Rows of the scratch array `work`."""


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


@entry
def measure(x, sums, largest):
    """Sum and largest of the absolute values in each row of x (q, n)."""
    for k in range(x.shape[0]):
        total, most = 0.0, 0.0
        row = x[k]
        for i in range(row.size):
            total += abs(row[i])
            most = max(most, abs(row[i]))
        sums[k], largest[k] = total, most


@entry
def rescale(x, scale, reach):
    """Multiply the rows of x (q, n); reach (n,) becomes the lengths of its columns."""
    for low in range(0, reach.size, BLOCK):
        high = min(reach.size, low + BLOCK)
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


@entry
def sweep(x, y, w, reach, slopes, theta, band, zero, r, side, g, near, work):
    """Residuals r, sides and gradient g (q,) of all samples x (q, n) but the near ones.

    `slopes` (below, above).  Samples with |r| <= band * reach are listed in `near`; those with
    |r| <= zero keep their side.  Returns (number of near samples, number of changed sides).
    """
    below, above = slopes[0], slopes[1]
    costs = work[COSTS]
    n_near, changed = 0, 0
    for k in range(g.size):
        g[k] = 0.0
    for low in range(0, y.size, BLOCK):
        high = min(y.size, low + BLOCK)
        combine(theta, x, low, high, r)
        for i in range(low, high):
            r[i] -= y[i]
            if r[i] * side[i] < 0.0 and abs(r[i]) > zero:
                side[i] = -side[i]
                changed += 1
            if abs(r[i]) <= band * reach[i]:
                near[n_near] = i
                n_near += 1
                costs[i] = 0.0
            else:
                costs[i] = above * w[i] if side[i] > 0.0 else -below * w[i]
        for k in range(g.size):
            g[k] += dot(x[k, low:high], costs[low:high])
    return n_near, changed


@entry
def gather(x, w, r, side, near, x_near, w_near, r_near, side_near):
    """Copy the samples `near` side by side."""
    for k in range(x.shape[0]):
        for a in range(near.size):
            x_near[k, a] = x[k, near[a]]
    for a in range(near.size):
        i = near[a]
        w_near[a], r_near[a], side_near[a] = w[i], r[i], side[i]


@kernel
def _stop(times, ids, jumps, size, need):
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
        at = _stop(scratch, ids, jumps, SOME, 1.5 * need * SOME / m)
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
def _add_column(g, factor, x, i):
    for k in range(g.size):
        g[k] += factor * x[k, i]


@kernel
def _steepest(w, slopes, g, basis, b, tolerance):
    """Half-edge of steepest descent: (row of the basis or -1, +1 or -1 along it, its slope).

    Rows not yet in the basis go first, whatever their slope.
    """
    found, sign, steepest, slope = -1, 1.0, 0.0, 0.0
    free = False
    size = np.sqrt(dot(g, g))
    for k in range(g.size):
        c = basis[k]
        length = np.sqrt(dot(b[k], b[k]))
        price = dot(b[k], g)
        if c == FREE:
            if not free or abs(price) > steepest * length:
                free, found, slope = True, k, -abs(price)
                sign, steepest = -1.0 if price > 0.0 else 1.0, abs(price) / length
        elif c >= 0 and not free:
            up, down = price + slopes[1] * w[c], slopes[0] * w[c] - price
            least = min(up, down)
            if least < -tolerance * size * length and -least > steepest * length:
                found, sign, steepest, slope = k, 1.0 if up < down else -1.0, -least / length, least
    return found, sign, slope


@kernel
def exchange_rows(b, normal, beta, k):
    """Row k of `b` becomes the edge of a breakpoint with this normal; the others stay within it.

    As `basis.exchange`, which does this for the records of a walk, with prices in the same pass.
    """
    for m in range(beta.size):
        beta[m] = dot(b[m], normal)
    element = beta[k]
    for j in range(beta.size):
        b[k, j] /= element
    for m in range(beta.size):
        if m != k and beta[m] != 0.0:
            factor = beta[m]
            for j in range(beta.size):
                b[m, j] -= factor * b[k, j]


@entry
def descend(
    x, m, w, slopes, r, side, g, basis, b, theta, work, vectors, ids, tolerances, random, first
):
    """Pivots on the `m` samples of x (q, >= m) until no half-edge descends.

    The first one along half-edge `first` (twice the row of the basis, + 1 for its far one), if
    that is not negative.

    `g` is the gradient of all other samples and becomes that of all but the active ones.
    `basis` (q,) holds active samples, FREE or DEPENDENT rows; b (q, q) its edges, theta (q,) its
    vertex; all three are updated, r and side too; `vectors` (2, q) is scratch.  Residuals that
    count as 0 and block an edge are pushed off by a little at random (Wolfe 1963): the vertex is
    then that of slightly moved targets.
    Returns (status, pivots).
    """
    q = g.size
    below, above = slopes[0], slopes[1]
    times, jumps, rates = work[TIMES], work[JUMPS], work[RATES]
    d, normal = vectors[0], vectors[1]
    for k in range(q):
        if basis[k] >= 0:
            r[basis[k]], side[basis[k]] = PARKED, 1.0
    for i in range(m):
        work[COSTS, i] = above * w[i] if side[i] > 0.0 else -below * w[i]
        if r[i] == PARKED:
            work[COSTS, i] = 0.0
    for j in range(q):
        g[j] += dot(x[j, :m], work[COSTS, :m])
    for pivots in range(1000 + 100 * q):
        k, sign, slope = _steepest(w, slopes, g, basis, b, tolerances[SLOPE])
        if pivots == 0 and first >= 0:
            k, sign, slope = first // 2, 1.0 - 2.0 * (first % 2), -TINY
        if k < 0:
            return OPTIMAL, pivots
        leaving = basis[k]
        for j in range(q):
            d[j] = sign * b[k, j]
        for low in range(0, m, BLOCK):
            combine(d, x, low, min(m, low + BLOCK), rates)
        flat = tolerances[RATE] * np.sqrt(dot(d, d))
        for i in range(m):
            rate = -side[i] * rates[i]
            times[i] = max(0.0, side[i] * r[i] / rate) if rate > flat else np.inf
            jumps[i] = (below + above) * w[i] * rate if rate > flat else 0.0
        size = _candidates(times, jumps, m, -slope, ids, work[COSTS])
        at = _stop(times, ids, jumps, size, -slope)
        if at < 0:
            if leaving != FREE:
                return UNBOUNDED, pivots
            basis[k] = DEPENDENT
            continue
        time, entering = times[at], ids[at]
        blocked = abs(r[entering]) <= tolerances[ZERO]
        for a in range(at):
            i = ids[a]
            _add_column(g, -(below + above) * w[i] * side[i], x, i)
            side[i] = -side[i]
        _add_column(
            g, -above * w[entering] if side[entering] > 0.0 else below * w[entering], x, entering
        )
        for i in range(m):
            r[i] += time * rates[i]
        for j in range(q):
            theta[j] += time * d[j]
            normal[j] = x[j, entering]
        if leaving >= 0:
            r[leaving], side[leaving] = time * sign, sign
            _add_column(g, (above if sign > 0.0 else -below) * w[leaving], x, leaving)
        exchange_rows(b, normal, d, k)
        basis[k] = entering
        r[entering], side[entering] = PARKED, 1.0
        if blocked:
            for i in range(m):
                if abs(r[i]) <= tolerances[ZERO]:
                    r[i] = side[i] * tolerances[ZERO] * (500.0 + 1000.0 * uniform(random))
    return STUCK, 1000 + 100 * q


@precise
def residual(x, y, theta, rows, out):
    """Out = x[:, rows] . theta - y[rows], as if in twice the precision.

    Products and sums without rounding errors: Ogita, Rump and Oishi, Accurate sum and dot product,
    SIAM J. Sci. Comput. 26 (2005), algorithm 5.3.
    """
    split = 134217729.0  # 2^27 + 1 cuts a number in halves whose products are exact
    for a in range(rows.size):
        i = rows[a]
        total, low = -y[i], 0.0
        for k in range(theta.size):
            u, v = x[k, i], theta[k]
            product = u * v
            big = split * u
            u_high = big - (big - u)
            big = split * v
            v_high = big - (big - v)
            u_low, v_low = u - u_high, v - v_high
            low += u_low * v_low - (((product - u_high * v_high) - u_low * v_high) - u_high * v_low)
            before = total
            total += product
            part = total - before
            low += (before - (total - part)) + (product - part)
        out[a] = total + low


@entry
def error_bounds(x, y, basis, b, theta, sums):
    """How far residuals and prices may be from those at the exact vertex (Rump 2010, section 10).

    The rows of b (q, q) are nearly the edges: A b' = I - E with the active samples as rows of A.
    `sums` (q,) is scratch.  Returns (bound on the error of a residual, divided by the length of
    its sample's column; relative error of the prices ``b @ g`` of an exact b); inf if E is not
    small.
    """
    q = theta.size
    unit = (q + 4) * 2.0**-52
    for k in range(q):
        sums[k] = 0.0
    row_sum, residual = 0.0, 0.0
    for k in range(q):
        c = basis[k]
        total = 0.0
        for j in range(q):
            error, terms = (1.0 if j == k else 0.0), 1.0
            for a in range(q):
                error -= x[a, c] * b[j, a]
                terms += abs(x[a, c] * b[j, a])
            error = abs(error) + unit * terms
            total += error
            sums[j] += error
        row_sum = max(row_sum, total)
        value, terms = -y[c], abs(y[c])
        for a in range(q):
            value += x[a, c] * theta[a]
            terms += abs(x[a, c] * theta[a])
        residual = max(residual, abs(value) + unit * terms)
    column_sum = 0.0
    for k in range(q):
        column_sum = max(column_sum, sums[k])
    if not max(row_sum, column_sum) < 0.5:
        return np.inf, np.inf
    # theta is off by b' (I - E)^-1 residuals; a residual's own rounding is that of its products,
    # twice to allow for its target, which is as large as they are where the residual is small.
    total = 0.0
    for a in range(q):
        off = 0.0
        for k in range(q):
            off += abs(b[k, a])
        off = off * residual / (1.0 - row_sum) + 2.0 * unit * abs(theta[a])
        total += off * off
    return np.sqrt(total) * (1.0 + unit), column_sum / (1.0 - column_sum)
