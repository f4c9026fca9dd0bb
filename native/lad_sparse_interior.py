"""Steps of the interior point method for quantile regression on sparse columns.

The dual problem: multipliers in boxes of width w, with X' d = 0 (Frisch and Newton: Portnoy and
Koenker, The Gaussian hare and the Laplacian tortoise, Statistical Science 12, 1997; Mehrotra 1992).
Each entry is one pass over the samples, block by block: what a block needs stays in the cache, and
the columns without zeros are gone through one by one, so that loops are over samples.
"""

from numba import float64, void
from numba.core.types import UniTuple

from ._jit import entry, inlined, kernel
from .lad_sparse_arrays import BLOCK, C, I

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
def _along(P, S, low, high):
    """S.terms: x_i . (d_apart, d_rest) of the samples from `low` to `high`."""
    dense = P.dense.shape[0]
    terms = S.terms[: high - low]
    for a in range(terms.size):
        i = low + a
        total = 0.0
        for e in range(P.begin[i] + dense, P.begin[i + 1]):
            total += P.entry[e] * S.d_rest[P.column[e]]
        if P.group[i] >= 0:
            total += P.apart[i] * S.d_apart[P.group[i]]
        terms[a] = total
    for k in range(dense):
        x, factor = P.dense[k, low:high], S.d_rest[k]
        for a in range(terms.size):
            terms[a] += factor * x[a]


@kernel
def _add(P, S, low, high):
    """(g_apart, g_rest) += the samples from `low` to `high`, times S.terms."""
    dense = P.dense.shape[0]
    terms = S.terms[: high - low]
    for k in range(dense):
        x, total = P.dense[k, low:high], 0.0
        for a in range(terms.size):
            total += terms[a] * x[a]
        S.g_rest[k] += total
    for a in range(terms.size):
        i = low + a
        for e in range(P.begin[i] + dense, P.begin[i + 1]):
            S.g_rest[P.column[e]] += terms[a] * P.entry[e]
        if P.group[i] >= 0:
            S.g_apart[P.group[i]] += terms[a] * P.apart[i]


@kernel
def _clear(S):
    for g in range(S.g_apart.size):
        S.g_apart[g] = 0.0
    for k in range(S.g_rest.size):
        S.g_rest[k] = 0.0


@entry(void, C, I)
def weigh(P, S):
    """The normal equations with the weights S.q and the right side of S.q S.r.

    Those of the rest as the lower triangle, but of the columns without zeros among themselves.
    """
    _clear(S)
    dense = P.dense.shape[0]
    for g in range(S.diagonal.size):
        S.diagonal[g] = 0.0
        for k in range(S.g_rest.size):
            S.cross[g, k] = 0.0
    for j in range(S.g_rest.size):
        for k in range(S.g_rest.size):
            S.rest[j, k] = 0.0
    for low in range(0, P.y.size, BLOCK):
        high = min(low + BLOCK, P.y.size)
        for a in range(high - low):
            S.terms[a] = S.q[low + a] * S.r[low + a]
        _add(P, S, low, high)
        for i in range(low, high):
            q, g = S.q[i], P.group[i]
            if g >= 0:
                part = q * P.apart[i]
                S.diagonal[g] += part * P.apart[i]
                for k in range(dense):
                    S.cross[g, k] += part * P.dense[k, i]
            for e in range(P.begin[i] + dense, P.begin[i + 1]):
                j, part = P.column[e], q * P.entry[e]
                if g >= 0:
                    S.cross[g, j] += part * P.apart[i]
                for k in range(dense):
                    S.rest[j, k] += part * P.dense[k, i]
                for f in range(P.begin[i] + dense, e + 1):
                    S.rest[j, P.column[f]] += part * P.entry[f]


@entry(float64, C, I, float64)
def begin(P, S, above):
    """The start, on least squares; `above` is the share of that slope in both: the duality gap."""
    size = 0.0
    for low in range(0, P.y.size, BLOCK):
        high = min(low + BLOCK, P.y.size)
        _along(P, S, low, high)
        for a in range(high - low):
            r = -P.y[low + a] - S.terms[a]
            S.r[low + a] = r
            size += abs(r)
    least = max(0.1 * size / P.y.size, LEAST)
    for i in range(P.y.size):
        S.low[i], S.high[i] = above * P.w[i], (1.0 - above) * P.w[i]
        S.z[i], S.v[i] = max(S.r[i], 0.0) + least, max(-S.r[i], 0.0) + least
        S.dx[i], S.dz[i], S.dv[i] = 0.0, 0.0, 0.0
    return _weights(S, 0.0, 0.0)


@kernel
def _weights(S, along_x, along_z):
    """Make a step; S.q and S.r are those of the new point, whose duality gap is returned."""
    gap = 0.0
    for i in range(S.z.size):
        low, high = S.low[i] + along_x * S.dx[i], S.high[i] - along_x * S.dx[i]
        z, v = S.z[i] + along_z * S.dz[i], S.v[i] + along_z * S.dv[i]
        S.low[i], S.high[i], S.z[i], S.v[i] = low, high, z, v
        S.q[i], S.r[i] = low * high / (z * high + v * low), z - v
        gap += z * low + v * high
    return gap


@entry(float64, I, float64, float64)
def advance(S, along_x, along_z):
    """Make the step; returns the duality gap."""
    return _weights(S, along_x, along_z)


@entry(UniTuple(float64, 4), C, I)
def predict(P, S):
    """The step for the solution of the normal equations, towards the boundary: S.dx.

    Returns how far it leads in the interior, for dx and for z and v, and the sums of (z - v) dx and
    (dz - dv) dx, which tell the gap after a step of any length.
    """
    most_x, most_z, first, second = 0.0, 0.0, 0.0, 0.0
    for start in range(0, P.y.size, BLOCK):
        end = min(start + BLOCK, P.y.size)
        _along(P, S, start, end)
        terms, q, r, changes = S.terms, S.q[start:end], S.r[start:end], S.dx[start:end]
        lows, highs, zs, vs = S.low[start:end], S.high[start:end], S.z[start:end], S.v[start:end]
        for a in range(q.size):
            dx = q[a] * (terms[a] - r[a])
            per_low, per_high = dx / lows[a], dx / highs[a]
            most_x = max(most_x, max(-per_low, per_high))
            most_z = max(most_z, max(1.0 + per_low, 1.0 - per_high))
            first += (zs[a] - vs[a]) * dx
            second += (vs[a] * (1.0 - per_high) - zs[a] * (1.0 + per_low)) * dx
            changes[a] = dx
    return 1.0 / max(most_x, LEAST), 1.0 / max(most_z, LEAST), first, second


@entry(void, C, I, float64)
def correct(P, S, mu):
    """The right side with the terms of second order, centred on `mu`: in S.dz, S.dv, and S.r."""
    _clear(S)
    for start in range(0, P.y.size, BLOCK):
        end = min(start + BLOCK, P.y.size)
        terms, q, r, changes = S.terms, S.q[start:end], S.r[start:end], S.dx[start:end]
        lows, highs, zs, vs = S.low[start:end], S.high[start:end], S.z[start:end], S.v[start:end]
        of_z, of_v = S.dz[start:end], S.dv[start:end]
        for a in range(q.size):
            dx, per_low, per_high = changes[a], 1.0 / lows[a], 1.0 / highs[a]
            z = mu + dx * zs[a] * (1.0 + dx * per_low)
            v = mu - dx * vs[a] * (1.0 - dx * per_high)
            right = r[a] + v * per_high - z * per_low
            of_z[a], of_v[a], r[a], terms[a] = z, v, right, q[a] * right
        _add(P, S, start, end)


@entry(UniTuple(float64, 2), C, I)
def step(P, S):
    """The corrected step for the solution of the normal equations: S.dx, S.dz, and S.dv.

    Returns how far it leads in the interior, for dx and for z and v.
    """
    most_x, most_z = 0.0, 0.0
    for start in range(0, P.y.size, BLOCK):
        end = min(start + BLOCK, P.y.size)
        _along(P, S, start, end)
        terms, q, r, changes = S.terms, S.q[start:end], S.r[start:end], S.dx[start:end]
        lows, highs, zs, vs = S.low[start:end], S.high[start:end], S.z[start:end], S.v[start:end]
        of_z, of_v = S.dz[start:end], S.dv[start:end]
        for a in range(q.size):
            dx = q[a] * (terms[a] - r[a])
            per_low, per_high = 1.0 / lows[a], 1.0 / highs[a]
            dz = (of_z[a] - zs[a] * dx) * per_low - zs[a]
            dv = (of_v[a] + vs[a] * dx) * per_high - vs[a]
            most_x = max(most_x, max(-dx * per_low, dx * per_high))
            most_z = max(most_z, max(-dz / zs[a], -dv / vs[a]))
            changes[a], of_z[a], of_v[a] = dx, dz, dv
    return 1.0 / max(most_x, LEAST), 1.0 / max(most_z, LEAST)
