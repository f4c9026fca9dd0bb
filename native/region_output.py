"""What is kept of each region: pattern, piece, a point inside, least loss, facets or vertices."""

import numpy as np
from numba import boolean, float64, int64

from ._jit import entry, kernel
from .arrays import P, side_of
from .region_affine import affine, lost_digits
from .region_arrays import (
    COUNT,
    DOUBT,
    EMPTY,
    FIRST,
    FULL,
    LEAF,
    N_DOUBTS,
    N_FACETS,
    N_FAR,
    N_FRAMES,
    N_REGIONS,
    N_VERTICES,
    NONE,
    S,
)
from .subdivide import descend

_ZERO = 1e-11  # relative size up to which a value at a vertex or on a facet counts as 0


@kernel
def _lies_on(S, r, s):
    """1 if ray `r` lies on the facet with bit `s` (every ray does for s = NONE)."""
    if s == NONE:
        return 1
    return int(S.on[r, s // 64] >> np.uint64(s % 64) & np.uint64(1))


@entry(boolean, S, int64, int64, int64, float64[::1])
def centre(S, first, last, s, y):
    """A point y (D,) inside the face of all rays with bit `s` (NONE: the region); y[D]: its scale.

    The mean of its vertices, moved along its directions by as much as they are far from 0.  False
    if it lies at infinity.
    """
    D = S.f.size - 1
    vertices, directions, scale = 0, 0, 0.0
    for k in range(D):
        y[k] = 0.0
    for r in range(first, last):
        if _lies_on(S, r, s) == 1:
            if S.ray[r, D] > 0.0:
                vertices += 1
                scale = max(scale, S.scale[r])
                for k in range(D):
                    y[k] += S.ray[r, k]
            else:
                directions += 1
    if vertices == 0:
        return False
    for k in range(D):
        y[k] /= vertices
    if directions > 0:
        length = max(1.0, scale)
        scale += length
        for r in range(first, last):
            if S.ray[r, D] == 0.0 and _lies_on(S, r, s) == 1:
                for k in range(D):
                    y[k] += S.ray[r, k] * length / directions
    y[D] = scale
    return True


@kernel
def _least(S, first, last, out):
    """The least loss on the closed region, and the centre of the face where it is attained."""
    D = S.f.size - 1
    least, size = 1e300, 0.0
    for r in range(first, last):
        if S.ray[r, D] > 0.0:
            value, terms = S.piece[out, D], abs(S.piece[out, D])
            for k in range(D):
                value += S.piece[out, k] * S.ray[r, k]
                terms += abs(S.piece[out, k]) * S.scale[r]
            if value < least:
                least, size = value, terms
    vertices, directions = 0, 0
    for k in range(D):
        S.least[out, k], S.f[k], S.f_size[k] = 0.0, 0.0, 0.0
    for r in range(first, last):
        value, terms = S.piece[out, D] * S.ray[r, D], 0.0
        for k in range(D):
            value += S.piece[out, k] * S.ray[r, k]
            terms += abs(S.piece[out, k]) * S.scale[r]
        if S.ray[r, D] > 0.0 and value <= least + _ZERO * size:
            vertices += 1
            for k in range(D):
                S.f[k] += S.ray[r, k]
        elif S.ray[r, D] == 0.0 and value <= _ZERO * terms:
            directions += 1
            for k in range(D):
                S.f_size[k] += S.ray[r, k]
    for k in range(D):
        S.least[out, k] = S.f[k] / vertices + S.f_size[k] / max(1, directions)
    S.flat[out] = vertices > 1 or directions > 0
    S.least[out, D] = max(least, 0.0)


@kernel
def _is_facet(S, top, s):
    """Whether no other face of the region holds all rays of face `s` and more."""
    first, last = S.frame[top, FIRST], S.frame[top, FIRST] + S.frame[top, COUNT]
    for other in range(S.facet.shape[1]):
        if other == s or S.facet[top, other] == NONE:
            continue
        within, more = True, False
        for r in range(first, last):
            here, there = _lies_on(S, r, s), _lies_on(S, r, other)
            if here > there:
                within = False
                break
            more = more or there > here
        if within and (more or other < s):
            return False
    return True


@kernel
def _put_flip(S, flip):
    """Append a breakpoint, or ~ one, to the region's facets; False if there is no room."""
    at = S.number[N_FACETS]
    if at >= S.flips.size:
        return False
    S.flips[at] = flip
    S.number[N_FACETS] += 1
    return True


@kernel
def _one_sided(value, size, rate, rate_size):
    """Sign just beyond a facet's centre; what is constant 0 there counts as positive."""
    if abs(value) > _ZERO * size:
        return 1.0 if value > 0.0 else -1.0
    if abs(rate) > _ZERO * rate_size:
        return 1.0 if rate > 0.0 else -1.0
    return 1.0


@entry(boolean, P, S, int64, float64[::1], float64[::1])
def cross(P, S, c, y, d):
    """Append facet `c`: all breakpoints that have another sign beyond y, in direction d (D,).

    One-sided: where a value vanishes at y, its derivative along d decides.
    """
    if not _put_flip(S, c):
        return False
    D, last = S.f.size - 1, P.widths.size - 1
    n, m = P.x.shape[1], P.owner.size
    hidden = P.row[last] * n
    for i in range(n):
        for t in range(last + 1):
            for a in range(P.row[t], P.row[t + 1]):
                value, size, rate, rate_size = P.bias[a], abs(P.bias[a]), 0.0, 0.0
                if t == 0:
                    value += S.linear[a, i, D]
                    size += S.linear_size[a, i, D]
                    for k in range(D):
                        value += S.linear[a, i, k] * y[k]
                        size += S.linear_size[a, i, k] * y[D]
                        rate += S.linear[a, i, k] * d[k]
                        rate_size += S.linear_size[a, i, k] * abs(d[k])
                else:
                    inn, width = P.row[t - 1], P.widths[t - 1]
                    for k in range(width):
                        w = P.w[P.offset[t] + (a - P.row[t]) * width + k]
                        value += w * S.forward[inn + k, 0]
                        size += abs(w) * S.forward[inn + k, 1]
                        rate += w * S.forward[inn + k, 2]
                        rate_size += abs(w) * S.forward[inn + k, 3]
                if t < last:
                    side = S.side[a, i]
                    if a * n + i == c:
                        sign = -side
                    else:
                        sign = _one_sided(value, size, rate, rate_size)
                    if sign != side and a * n + i != c and not _put_flip(S, ~(a * n + i)):
                        return False
                    slope = P.mean_slope + P.half_jump * sign
                    S.forward[a, 0], S.forward[a, 1] = slope * value, slope * size
                    S.forward[a, 2], S.forward[a, 3] = slope * rate, slope * rate_size
                else:
                    k = a - P.row[last]
                    for j in range(P.first[i], P.first[i + 1]):
                        other = hidden + k * m + j
                        side = S.side_r[k, j]
                        far = value - P.y[k, j]
                        terms = size + abs(P.y[k, j])
                        sign = _one_sided(far, terms, rate, rate_size)
                        if sign != side and other != c and not _put_flip(S, ~other):
                            return False
    return True


@kernel
def _pack(P, S, out):
    """The signs of all breakpoints, in the order of their ids, as bits."""
    at, byte = 0, 0
    hidden = P.row[P.widths.size - 1]
    for a in range(hidden + P.y.shape[0]):
        for i in range(P.x.shape[1] if a < hidden else P.owner.size):
            side = S.side[a, i] if a < hidden else S.side_r[a - hidden, i]
            byte = 2 * byte + int(side > 0.0)
            at += 1
            if at % 8 == 0:
                S.pattern[out, at // 8 - 1] = byte
                byte = 0
    if at % 8 != 0:
        S.pattern[out, at // 8] = byte << (8 - at % 8)


@entry(boolean, P, S, float64[::1], float64[::1], boolean)
def record(P, S, y, d, with_facets):
    """Keep the region on top of the stack; False if there is no room."""
    out, top = S.number[N_REGIONS], S.number[N_FRAMES] - 1
    if out >= S.facet_end.size:
        return False
    D = S.f.size - 1
    first, last = S.frame[top, FIRST], S.frame[top, FIRST] + S.frame[top, COUNT]
    facets, vertices = S.number[N_FACETS], S.number[N_VERTICES]
    for k in range(D + 1):
        S.piece[out, k] = S.sum[top, k]
    _least(S, first, last, out)
    centre(S, first, last, NONE, y)
    S.bounded[out] = True
    for k in range(D):
        S.point[out, k] = y[k]
    for r in range(first, last):
        if S.ray[r, D] == 0.0:
            S.bounded[out] = False
    _pack(P, S, out)
    if with_facets:
        for s in range(S.facet.shape[1]):
            c = S.facet[top, s]
            if c >= 0 and _is_facet(S, top, s) and centre(S, first, last, s, y):
                affine(P, S, c)
                for k in range(D):
                    d[k] = -side_of(P, S, c) * S.f[k]
                if not cross(P, S, c, y, d):
                    S.number[N_FACETS] = facets
                    return False
    else:
        if vertices + last - first > S.vertex.shape[0]:
            return False
        for r in range(first, last):
            for k in range(D):
                S.vertex[vertices + r - first, k] = S.ray[r, k]
        S.number[N_VERTICES] = vertices + last - first
    S.facet_end[out] = S.number[N_FACETS]
    S.vertex_end[out] = S.number[N_VERTICES]
    S.number[N_REGIONS] = out + 1
    return True


@kernel
def _asks(S):
    """Whether a ray of the top region, whose signs are known, is yet to come without rounding."""
    top = S.number[N_FRAMES] - 1
    first = S.frame[top, FIRST]
    for r in range(first, first + S.frame[top, COUNT]):
        if lost_digits(S, r):
            d = S.number[N_DOUBTS]
            S.doubt[d, 0], S.doubt[d, 1] = 0, r
            return True
    return False


@entry(int64, P, S, float64[::1], float64[::1], boolean)
def advance(P, S, y, d, with_facets):
    """Find regions until the stack is EMPTY or the output FULL, a sign is asked for or room lacks.

    y (D + 1,), d (D,) are scratch.  Regions are kept with their facets, or else (all bounded)
    with their vertices.
    """
    while S.number[N_FRAMES] > 0:
        status = descend(P, S, False)
        if status != LEAF:
            return status
        if S.number[N_FAR] == 1 and _asks(S):
            return DOUBT
        if not record(P, S, y, d, with_facets):
            return FULL
        S.number[N_DOUBTS] = 0
        S.number[N_FRAMES] -= 1
    return EMPTY
