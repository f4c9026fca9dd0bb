"""Rounding in a quantile regression: residuals as exact as floats can be, and bounds on errors."""

import numpy as np

from ._jit import entry, precise


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
