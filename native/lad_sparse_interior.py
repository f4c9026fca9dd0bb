"""Steps of the interior point method for quantile regression on sparse columns.

The dual problem: multipliers in boxes of width w, with X' d = 0 (Frisch and Newton: Portnoy and
Koenker, The Gaussian hare and the Laplacian tortoise, Statistical Science 12, 1997; Mehrotra 1992).
Each entry is one pass over the samples.
"""

from numba import float64, int64, void
from numba.core.types import UniTuple

from ._jit import entry, inlined, kernel
from .lad_sparse_arrays import C, I

LEAST = 1e-300


@inlined
def at(P, i, of_apart, of_rest):
    """x_i . (of_apart, of_rest)."""
    total = 0.0
    for e in range(P.begin[i], P.begin[i + 1]):
        total += P.entry[e] * of_rest[P.column[e]]
    if P.group[i] >= 0:
        total += P.apart[i] * of_apart[P.group[i]]
    return total


@inlined
def add(P, i, factor, to_apart, to_rest):
    """(to_apart, to_rest) += factor * x_i."""
    for e in range(P.begin[i], P.begin[i + 1]):
        to_rest[P.column[e]] += factor * P.entry[e]
    if P.group[i] >= 0:
        to_apart[P.group[i]] += factor * P.apart[i]


@kernel
def _clear(S):
    for k in range(S.g_apart.size):
        S.g_apart[k] = 0.0
    for k in range(S.g_rest.size):
        S.g_rest[k] = 0.0


@entry(void, C, I, int64, int64)
def weigh(P, S, start, squares):
    """The normal equations for a step; with `start` those of least squares for the targets.

    Without `squares` S.rest, the lower triangle of the products in the rest, stays as it is.
    """
    _clear(S)
    for g in range(S.diagonal.size):
        S.diagonal[g] = 0.0
        for k in range(S.g_rest.size):
            S.cross[g, k] = 0.0
    if squares != 0:
        for j in range(S.g_rest.size):
            for k in range(S.g_rest.size):
                S.rest[j, k] = 0.0
    if start != 0:
        for i in range(P.y.size):
            S.q[i], S.r[i] = P.w[i], -P.y[i]
    else:
        for i in range(P.y.size):
            S.r[i] = S.z[i] - S.v[i]
            S.q[i] = S.low[i] * S.high[i] / (S.z[i] * S.high[i] + S.v[i] * S.low[i])
    for i in range(P.y.size):
        q, g = S.q[i], P.group[i]
        add(P, i, q * S.r[i], S.g_apart, S.g_rest)
        if g >= 0:
            S.diagonal[g] += q * P.apart[i] * P.apart[i]
        for e in range(P.begin[i], P.begin[i + 1]):
            j, part = P.column[e], q * P.entry[e]
            if g >= 0:
                S.cross[g, j] += part * P.apart[i]
            if squares != 0:
                for f in range(P.begin[i], e + 1):
                    S.rest[j, P.column[f]] += part * P.entry[f]


@entry(void, C, I, float64)
def begin(P, S, above):
    """The start, on residuals of least squares; `above` is the share of that slope in both."""
    size = 0.0
    for i in range(P.y.size):
        S.r[i] = -P.y[i] - at(P, i, S.d_apart, S.d_rest)
        size += abs(S.r[i])
    least = max(0.1 * size / P.y.size, LEAST)
    for i in range(P.y.size):
        S.low[i], S.high[i] = above * P.w[i], (1.0 - above) * P.w[i]
        S.z[i], S.v[i] = max(S.r[i], 0.0) + least, max(-S.r[i], 0.0) + least


@entry(UniTuple(float64, 2), C, I, int64, float64)
def step(P, S, corrected, mu):
    """The step for the solution of the normal equations, and how far it leads in the interior."""
    most_x, most_z = 0.0, 0.0
    for i in range(P.y.size):
        along = at(P, i, S.d_apart, S.d_rest) - S.r[i]
        per_low, per_high = 1.0 / S.low[i], 1.0 / S.high[i]
        if corrected == 0:
            dx = S.q[i] * along
            share_z, share_v = 1.0 + dx * per_low, 1.0 - dx * per_high
            S.dz[i], S.dv[i] = -S.z[i] * share_z, -S.v[i] * share_v
            most_z = max(most_z, max(share_z, share_v))
        else:
            dx = S.q[i] * (along - S.second[i])
            second_z, second_v = S.dx[i] * S.dz[i], -S.dx[i] * S.dv[i]
            dz = (mu - second_z - S.z[i] * dx) * per_low - S.z[i]
            dv = (mu - second_v + S.v[i] * dx) * per_high - S.v[i]
            S.dz[i], S.dv[i] = dz, dv
            most_z = max(most_z, max(-dz / S.z[i], -dv / S.v[i]))
        most_x = max(most_x, max(-dx * per_low, dx * per_high))
        S.dx[i] = dx
    return 1.0 / max(most_x, LEAST), 1.0 / max(most_z, LEAST)


@entry(UniTuple(float64, 2), I, float64, float64)
def gaps(S, along_x, along_z):
    """The duality gap, and what steps of such lengths would leave of it."""
    now, then = 0.0, 0.0
    for i in range(S.z.size):
        dx = along_x * S.dx[i]
        now += S.z[i] * S.low[i] + S.v[i] * S.high[i]
        then += (S.z[i] + along_z * S.dz[i]) * (S.low[i] + dx)
        then += (S.v[i] + along_z * S.dv[i]) * (S.high[i] - dx)
    return now, then


@entry(void, C, I, float64)
def correct(P, S, mu):
    """The right side with the terms of second order, centred on `mu`."""
    _clear(S)
    for i in range(P.y.size):
        z, v = mu - S.dx[i] * S.dz[i], mu + S.dx[i] * S.dv[i]
        S.second[i] = v / S.high[i] - z / S.low[i]
    for i in range(P.y.size):
        add(P, i, S.q[i] * (S.r[i] + S.second[i]), S.g_apart, S.g_rest)


@entry(float64, I, float64, float64)
def advance(S, along_x, along_z):
    """Make the step; returns the duality gap."""
    gap = 0.0
    for i in range(S.z.size):
        S.low[i] += along_x * S.dx[i]
        S.high[i] -= along_x * S.dx[i]
        S.z[i] += along_z * S.dz[i]
        S.v[i] += along_z * S.dv[i]
        gap += S.z[i] * S.low[i] + S.v[i] * S.high[i]
    return gap
