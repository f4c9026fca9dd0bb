"""Rounding in a quantile regression: residuals as exact as floats can be, and bounds on errors."""

import math

import numpy as np
from numba import boolean, float64, int64, void
from numba.core.types import Tuple, UniTuple

from ._jit import entry, exact_kernel


@entry(void, float64[:, ::1], float64[::1], float64[::1], int64[::1], float64[::1], precise=True)
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


@entry(
    UniTuple(float64, 2),
    float64[:, ::1],
    float64[::1],
    int64[::1],
    float64[:, ::1],
    float64[::1],
    float64[::1],
)
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


@exact_kernel
def two_product(u, v):
    """The product rounded, and what it is off by (Dekker 1971)."""
    product = u * v
    big = 134217729.0 * u  # 2^27 + 1
    u_high = big - (big - u)
    big = 134217729.0 * v
    v_high = big - (big - v)
    u_low, v_low = u - u_high, v - v_high
    return product, u_low * v_low - (
        ((product - u_high * v_high) - u_low * v_high) - u_high * v_low
    )


@entry(
    boolean,
    float64[:, ::1],  # x
    float64[::1],  # y
    float64[::1],  # reach
    int64[::1],  # basis
    float64[:, ::1],  # b
    float64[::1],  # theta
    float64,  # blur
    float64[::1],  # up
    float64,  # down
    float64[::1],  # off
    float64[::1],  # out
    precise=True,
)
def nearest(x, y, reach, basis, b, theta, blur, up, down, off, out):
    """Out = theta* up / down rounded to nearest, theta* the exact vertex; whether that is proved.

    With A the active samples, A b' = I - E and r their residuals at theta (q,),
    theta* = theta - b' (I - E)^-1 r, and blur, of `error_bounds`, is a bound on the 1-norm of
    E (I - E)^-1.  Products with `up` (q,) and `down` are taken in twice the precision.  `off` (q,)
    is scratch.
    """
    q = theta.size
    if not blur < 1.0:
        return False
    unit, square = (q + 4) * 2.0**-52, 0.0
    residual(x, y, theta, basis, off)
    for k in range(q):
        square += theta[k] * theta[k]
    length, total = math.sqrt(square), 0.0
    rounding = (q + 4) ** 2 * 2.0**-104
    for k in range(q):
        terms = reach[basis[k]] * length + abs(y[basis[k]])
        total += (1.0 + unit) * abs(off[k]) + rounding * terms
    for a in range(q):
        rest, error = 0.0, 0.0
        for k in range(q):
            size = abs(off[k])
            terms = reach[basis[k]] * length + abs(y[basis[k]])
            rest -= off[k] * b[k, a]
            error += (blur * total + 2.0 * unit * size + rounding * terms) * abs(b[k, a])
        error *= (1.0 + unit) * up[a] / down
        fitted, low = two_product(theta[a], up[a])
        number, proved = (theta[a] + rest) * up[a] / down, False
        if not (1e-250 < abs(fitted) < 1e250):
            return False
        for _ in range(2):
            rounded, lower = two_product(number, down)
            if not (1e-250 < abs(rounded) < 1e250):
                return False
            change = ((fitted - rounded) + (low - lower) + rest * up[a]) / down
            # Just below a power of two floats are denser.
            mantissa, exponent = math.frexp(abs(number))
            space = math.ldexp(1.0, exponent - (54 if mantissa == 0.5 else 53))
            if abs(change) + error < 0.499999 * space:
                proved = True
                break
            number += change
        if not proved:
            return False
        out[a] = number
    return True


@entry(
    Tuple((int64, boolean)),
    float64[::1],  # r
    float64[::1],  # reach
    float64,  # bound
    int64[::1],  # near
    float64[::1],  # side
    int64[::1],  # doubtful
    precise=True,
)
def sides(r, reach, bound, near, side, doubtful):
    """Sides of the residuals beyond their `bound`; the others are listed in `doubtful`, ascending.

    Returns (how many these are, whether one of them is not among `near`, which ascends).
    """
    count, at, outside = 0, 0, False
    for i in range(r.size):
        if abs(r[i]) > bound * reach[i]:  # not if it is no number
            side[i] = 1.0 if r[i] > 0.0 else -1.0
            continue
        doubtful[count] = i
        count += 1
        while at < near.size and near[at] < i:
            at += 1
        if at == near.size or near[at] != i:
            outside = True
    return count, outside


@entry(
    Tuple((boolean, int64)),
    float64[:, ::1],  # x
    float64[::1],  # w
    float64[::1],  # largest
    float64[::1],  # tilt
    float64[::1],  # side
    UniTuple(float64, 2),  # slopes
    int64[::1],  # near
    int64[::1],  # basis
    float64[:, ::1],  # b
    float64,  # terms
    float64,  # blur
    float64[::1],  # g
    float64[::1],  # costs
    float64[::1],  # price
    float64[::1],  # error
)
def judge(x, w, largest, tilt, side, slopes, near, basis, b, terms, blur, g, costs, price, error):
    """Prices ``b @ g`` of a basis, and what they say of its half-edges.

    `g` (q,) is the gradient of the tilt and of all samples but `near`, and becomes that of all but
    the basis, in sums of at most so many `terms` one after the other.  `costs` (n,) and `error`
    (q,) are scratch.
    Returns (whether all half-edges ascend, the steepest if one descends or else -1), both beyond
    all rounding.
    """
    below, above, q = slopes[0], slopes[1], g.size
    steep, total = max(below, above), 0.0
    for i in range(w.size):
        total += w[i]
    for a in range(near.size):
        i = near[a]
        costs[i] = above * w[i] if side[i] > 0.0 else -below * w[i]
    for k in range(q):
        costs[basis[k]] = 0.0
    for k in range(q):
        row, moment = x[k], 0.0
        for a in range(near.size):
            moment += row[near[a]] * costs[near[a]]
        g[k] += moment
    unit, most = 2.0**-53, 0.0
    for k in range(q):
        value, size = 0.0, 0.0
        for a in range(q):
            value += b[k, a] * g[a]
            rounding = terms * (steep * total * largest[a] + abs(tilt[a])) + (q + 4) * abs(g[a])
            size += abs(b[k, a]) * unit * rounding
        price[k], error[k] = value, size
        most = max(most, abs(value) + size)
    ascend, descend, steepest, least = True, False, -1, np.inf
    for k in range(q):
        bound = error[k] + blur * most
        for edge in range(2):
            price_of = price[k] if edge == 0 else -price[k]
            slope = (above if edge == 0 else below) * w[basis[k]] + price_of
            ascend = ascend and slope > bound
            descend = descend or slope < -bound
            if slope < least:
                steepest, least = 2 * k + edge, slope
    return ascend, (steepest if descend else -1)
