"""What is kept of each region: pattern, piece, a point inside, least loss, facets or vertices."""

import numpy as np

from ._jit import entry, kernel
from .arrays import side_of
from .region_arrays import (
    COUNT,
    EMPTY,
    FIRST,
    FULL,
    LEAF,
    N_DOUBTS,
    N_FACETS,
    N_FRAMES,
    N_REGIONS,
    N_VERTICES,
    NONE,
)
from .subdivide import affine, descend

_ZERO = 1e-11  # relative size up to which a value at a vertex or on a facet counts as 0


@kernel
def _lies_on(C, r, s):
    """1 if ray `r` lies on the facet with bit `s` (every ray does for s = NONE)."""
    if s == NONE:
        return 1
    return int(C.on[r, s // 64] >> np.uint64(s % 64) & np.uint64(1))


@kernel
def _centre(C, first, last, s, y):
    """A point y (D,) inside the face of all rays with bit `s` (NONE: the region); y[D]: its scale.

    The mean of its vertices, moved along its directions by as much as they are far from 0.  False
    if it lies at infinity.
    """
    D = C.f.size - 1
    vertices, directions, scale = 0, 0, 0.0
    for k in range(D):
        y[k] = 0.0
    for r in range(first, last):
        if _lies_on(C, r, s) == 1:
            if C.ray[r, D] > 0.0:
                vertices += 1
                scale = max(scale, C.scale[r])
                for k in range(D):
                    y[k] += C.ray[r, k]
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
            if C.ray[r, D] == 0.0 and _lies_on(C, r, s) == 1:
                for k in range(D):
                    y[k] += C.ray[r, k] * length / directions
    y[D] = scale
    return True


@kernel
def _least(C, first, last, out):
    """The least loss on the closed region, and the centre of the face where it is attained."""
    D = C.f.size - 1
    least, size = 1e300, 0.0
    for r in range(first, last):
        if C.ray[r, D] > 0.0:
            value, terms = C.piece[out, D], abs(C.piece[out, D])
            for k in range(D):
                value += C.piece[out, k] * C.ray[r, k]
                terms += abs(C.piece[out, k]) * C.scale[r]
            if value < least:
                least, size = value, terms
    vertices, directions = 0, 0
    for k in range(D):
        C.least[out, k], C.f[k], C.f_size[k] = 0.0, 0.0, 0.0
    for r in range(first, last):
        value, terms = C.piece[out, D] * C.ray[r, D], 0.0
        for k in range(D):
            value += C.piece[out, k] * C.ray[r, k]
            terms += abs(C.piece[out, k]) * C.scale[r]
        if C.ray[r, D] > 0.0 and value <= least + _ZERO * size:
            vertices += 1
            for k in range(D):
                C.f[k] += C.ray[r, k]
        elif C.ray[r, D] == 0.0 and value <= _ZERO * terms:
            directions += 1
            for k in range(D):
                C.f_size[k] += C.ray[r, k]
    for k in range(D):
        C.least[out, k] = C.f[k] / vertices + C.f_size[k] / max(1, directions)
    C.flat[out] = vertices > 1 or directions > 0
    C.least[out, D] = max(least, 0.0)


@kernel
def _is_facet(C, top, s):
    """Whether no other face of the region holds all rays of face `s` and more."""
    first, last = C.frame[top, FIRST], C.frame[top, FIRST] + C.frame[top, COUNT]
    for other in range(C.facet.shape[1]):
        if other == s or C.facet[top, other] == NONE:
            continue
        within, more = True, False
        for r in range(first, last):
            here, there = _lies_on(C, r, s), _lies_on(C, r, other)
            if here > there:
                within = False
                break
            more = more or there > here
        if within and (more or other < s):
            return False
    return True


@kernel
def _put_flip(C, c, began):
    """Append breakpoint `c` to the region's facets; False if there is no room."""
    at = C.number[N_FACETS]
    if at >= C.flips.size:
        return False
    C.flips[at] = c if began else ~c
    C.number[N_FACETS] += 1
    return True


@kernel
def _one_sided(value, size, rate, rate_size):
    """Sign just beyond a facet's centre; what is constant 0 there counts as positive."""
    if abs(value) > _ZERO * size:
        return 1.0 if value > 0.0 else -1.0
    if abs(rate) > _ZERO * rate_size:
        return 1.0 if rate > 0.0 else -1.0
    return 1.0


@kernel
def _cross(P, C, c, y, d):
    """Append facet `c`: all breakpoints that have another sign beyond y, in direction d (D,).

    One-sided: where a value vanishes at y, its derivative along d decides.
    """
    if not _put_flip(C, c, True):
        return False
    D, last = C.f.size - 1, P.widths.size - 1
    n, m = P.x.shape[1], P.owner.size
    hidden = P.row[last] * n
    for i in range(n):
        for t in range(last + 1):
            for a in range(P.row[t], P.row[t + 1]):
                value, size, rate, rate_size = P.bias[a], abs(P.bias[a]), 0.0, 0.0
                if t == 0:
                    value += C.linear[a, i, D]
                    size += C.linear_size[a, i, D]
                    for k in range(D):
                        value += C.linear[a, i, k] * y[k]
                        size += C.linear_size[a, i, k] * y[D]
                        rate += C.linear[a, i, k] * d[k]
                        rate_size += C.linear_size[a, i, k] * abs(d[k])
                else:
                    inn, width = P.row[t - 1], P.widths[t - 1]
                    for k in range(width):
                        w = P.w[P.offset[t] + (a - P.row[t]) * width + k]
                        value += w * C.forward[inn + k, 0]
                        size += abs(w) * C.forward[inn + k, 1]
                        rate += w * C.forward[inn + k, 2]
                        rate_size += abs(w) * C.forward[inn + k, 3]
                if t < last:
                    side = C.side[a, i]
                    if a * n + i == c:
                        sign = -side
                    else:
                        sign = _one_sided(value, size, rate, rate_size)
                    if sign != side and a * n + i != c and not _put_flip(C, a * n + i, False):
                        return False
                    slope = P.mean_slope + P.half_jump * sign
                    C.forward[a, 0], C.forward[a, 1] = slope * value, slope * size
                    C.forward[a, 2], C.forward[a, 3] = slope * rate, slope * rate_size
                else:
                    k = a - P.row[last]
                    for j in range(P.first[i], P.first[i + 1]):
                        other = hidden + k * m + j
                        side = C.side_r[k, j]
                        far = value - P.y[k, j]
                        terms = size + abs(P.y[k, j])
                        sign = _one_sided(far, terms, rate, rate_size)
                        if sign != side and other != c and not _put_flip(C, other, False):
                            return False
    return True


@kernel
def _pack(P, C, out):
    """The signs of all breakpoints, in the order of their ids, as bits."""
    at, byte = 0, 0
    hidden = P.row[P.widths.size - 1]
    for a in range(hidden + P.y.shape[0]):
        for i in range(P.x.shape[1] if a < hidden else P.owner.size):
            side = C.side[a, i] if a < hidden else C.side_r[a - hidden, i]
            byte = 2 * byte + int(side > 0.0)
            at += 1
            if at % 8 == 0:
                C.pattern[out, at // 8 - 1] = byte
                byte = 0
    if at % 8 != 0:
        C.pattern[out, at // 8] = byte << (8 - at % 8)


@kernel
def _record(P, C, y, d, with_facets):
    """Keep the region on top of the stack; False if there is no room."""
    out, top = C.number[N_REGIONS], C.number[N_FRAMES] - 1
    if out >= C.facet_end.size:
        return False
    D = C.f.size - 1
    first, last = C.frame[top, FIRST], C.frame[top, FIRST] + C.frame[top, COUNT]
    facets, vertices = C.number[N_FACETS], C.number[N_VERTICES]
    for k in range(D + 1):
        C.piece[out, k] = C.sum[top, k]
    _least(C, first, last, out)
    _centre(C, first, last, NONE, y)
    C.bounded[out] = True
    for k in range(D):
        C.point[out, k] = y[k]
    for r in range(first, last):
        if C.ray[r, D] == 0.0:
            C.bounded[out] = False
    _pack(P, C, out)
    if with_facets:
        for s in range(C.facet.shape[1]):
            c = C.facet[top, s]
            if c >= 0 and _is_facet(C, top, s) and _centre(C, first, last, s, y):
                affine(P, C, c)
                for k in range(D):
                    d[k] = -side_of(P, C, c) * C.f[k]
                if not _cross(P, C, c, y, d):
                    C.number[N_FACETS] = facets
                    return False
    else:
        if vertices + last - first > C.vertex.shape[0]:
            return False
        for r in range(first, last):
            for k in range(D):
                C.vertex[vertices + r - first, k] = C.ray[r, k]
        C.number[N_VERTICES] = vertices + last - first
    C.facet_end[out] = C.number[N_FACETS]
    C.vertex_end[out] = C.number[N_VERTICES]
    C.number[N_REGIONS] = out + 1
    return True


@entry
def advance(P, C, y, d, with_facets):
    """Find regions until the stack is EMPTY or the output FULL, a sign is asked for or room lacks.

    y (D + 1,), d (D,) are scratch.  Regions are kept with their facets, or else (all bounded)
    with their vertices.
    """
    while C.number[N_FRAMES] > 0:
        status = descend(P, C, False)
        if status != LEAF:
            return status
        if not _record(P, C, y, d, with_facets):
            return FULL
        C.number[N_DOUBTS] = 0
        C.number[N_FRAMES] -= 1
    return EMPTY
