"""One step of the double description method: the region on top of the stack, split in two.

New rays lie on the edges between a positive and a negative ray, which are adjacent if and only if
no third ray lies on all facets the two share (Motzkin et al. 1953; Fukuda and Prodon 1996).
"""

import numpy as np
from numba import boolean, int64

from ._jit import entry, kernel
from .arrays import P
from .pivot import uniform
from .region_affine import affine, sign_on
from .region_arrays import (
    COUNT,
    CUT,
    EMPTY,
    FACETS,
    FIRST,
    FIRST_OPEN,
    FRAMES,
    N_FRAMES,
    N_OPEN,
    N_SPLITS,
    N_STOP,
    NONE,
    RAYS,
    SIDE,
    STOPPED,
    S,
)


@kernel
def _shared(S, a, b):
    """Number of facets that rays `a` and `b` share."""
    total = 0
    for w in range(S.on.shape[1]):
        x = S.on[a, w] & S.on[b, w]
        while x != 0:
            x &= x - np.uint64(1)
            total += 1
    return total


@kernel
def _adjacent(S, a, b, first, last):
    """Whether rays `a` and `b` of a region span an edge: no third ray lies on all they share."""
    if _shared(S, a, b) < S.f.size - 2:
        return False
    for r in range(first, last):
        if r in (a, b):
            continue
        inside = True
        for w in range(S.on.shape[1]):
            if S.on[a, w] & S.on[b, w] & ~S.on[r, w] != 0:
                inside = False
                break
        if inside:
            return False
    return True


@kernel
def _copy(S, target, source):
    for k in range(S.f.size):
        S.ray[target, k] = S.ray[source, k]
    for w in range(S.on.shape[1]):
        S.on[target, w] = S.on[source, w]
    S.scale[target] = S.scale[source]


@kernel
def _prune(S, frame):
    """Forget the facets of a region that hold fewer rays than a facet must."""
    first, last = S.frame[frame, FIRST], S.frame[frame, FIRST] + S.frame[frame, COUNT]
    for s in range(S.facet.shape[1]):
        if S.facet[frame, s] == NONE:
            continue
        bit = np.uint64(1) << np.uint64(s % 64)
        rays = 0
        for r in range(first, last):
            rays += S.on[r, s // 64] & bit != 0
        if rays < S.f.size - 1:
            S.facet[frame, s] = NONE
            for r in range(first, last):
                S.on[r, s // 64] &= ~bit


@kernel
def _join(S, new, a, b, slot):
    """Ray `new` on the edge from positive ray `a` to negative ray `b` where S.value is 0."""
    D = S.f.size - 1
    for k in range(D + 1):
        S.ray[new, k] = S.value[a] * S.ray[b, k] - S.value[b] * S.ray[a, k]
    scale = 0.0
    if S.ray[a, D] == 0.0 and S.ray[b, D] == 0.0:
        S.ray[new, D] = 0.0
        for k in range(D):
            scale = max(scale, abs(S.ray[new, k]))
    else:
        scale = S.ray[new, D]
    for k in range(D + 1):
        S.ray[new, k] /= scale
    S.scale[new] = (S.value[a] * S.scale[b] - S.value[b] * S.scale[a]) / scale
    for w in range(S.on.shape[1]):
        S.on[new, w] = S.on[a, w] & S.on[b, w]
    S.on[new, slot // 64] |= np.uint64(1) << np.uint64(slot % 64)


@kernel
def _vacant(S, frame):
    """The first facet bit of a region that is not in use, or -1."""
    for s in range(S.facet.shape[1]):
        if S.facet[frame, s] == NONE:
            return s
    return -1


@kernel
def _cut(S, c, top, slot):
    """Signs of the top region's rays, and above them the new rays on `c`: their number.

    -1 if there is no room for all that a split needs, -2 if it is to stop: with thousands of rays a
    split takes seconds.
    """
    first, count = S.frame[top, FIRST], S.frame[top, COUNT]
    last = first + count
    below = 0
    for r in range(first, last):
        S.sign[r], S.value[r] = sign_on(S, c, r)
        below += S.sign[r] < 0
    new = 0
    for a in range(first, last):
        if S.number[N_STOP] != 0:
            return -2
        if S.sign[a] > 0:
            for b in range(first, last):
                if S.sign[b] < 0 and _adjacent(S, a, b, first, last):
                    if last + new >= S.ray.shape[0]:
                        return -1
                    _join(S, last + new, a, b, slot)
                    new += 1
    if last + new + (count - below) + new > S.ray.shape[0]:
        return -1
    if S.frame[top, FIRST_OPEN] + 2 * S.frame[top, N_OPEN] > S.open.size:
        return -1
    bit = np.uint64(1) << np.uint64(slot % 64)
    for r in range(first, last):
        if S.sign[r] == 0:
            S.on[r, slot // 64] |= bit
    return new


@kernel
def _deal(S, first, last, new):
    """Give both parts their rays, the new ones too: (negative ones, in place, positive ones above).

    Returns their numbers.
    """
    above = last + new
    end = above
    for r in range(first, above):
        if r >= last or S.sign[r] >= 0:
            _copy(S, end, r)
            end += 1
    n_positive = end - above
    end = first
    for r in range(first, above):
        if r >= last or S.sign[r] <= 0:
            _copy(S, end, r)
            end += 1
    for r in range(n_positive):
        _copy(S, end + r, above + r)
    return end - first, n_positive


@kernel
def _divide(S, top, c, n_negative, n_positive):
    """Two nodes from the top one, whose rays are dealt; `c` is open in neither."""
    first, at = S.frame[top, FIRST], S.frame[top, FIRST_OPEN]
    kept = 0
    for e in range(at, at + S.frame[top, N_OPEN]):
        if S.open[e] != c:
            S.open[at + kept] = S.open[e]
            kept += 1
    for e in range(kept):
        S.open[at + kept + e] = S.open[at + e]
    for s in range(S.facet.shape[1]):
        S.facet[top + 1, s] = S.facet[top, s]
    for k in range(S.f.size):
        S.sum[top + 1, k] = S.sum[top, k]
    for part in range(2):
        S.frame[top + part, FIRST] = first + part * n_negative
        S.frame[top + part, COUNT] = n_negative if part == 0 else n_positive
        S.frame[top + part, FIRST_OPEN] = at + part * kept
        S.frame[top + part, N_OPEN] = kept
        S.frame[top + part, CUT] = c
        S.frame[top + part, SIDE] = 2 * part - 1
        _prune(S, top + part)


@kernel
def _keep_positive(S, top):
    """Put the positive part in the place of the negative one."""
    for r in range(S.frame[top + 1, COUNT]):
        _copy(S, S.frame[top, FIRST] + r, S.frame[top + 1, FIRST] + r)
    for s in range(S.facet.shape[1]):
        S.facet[top, s] = S.facet[top + 1, s]
    S.frame[top, COUNT], S.frame[top, SIDE] = S.frame[top + 1, COUNT], 1


@entry(int64, P, S, int64, boolean)
def split(P, S, c, probing):
    """Split the top region by `c`: the positive part comes on top.  Returns EMPTY or what it lacks.

    Probing keeps one part, drawn at random.
    """
    top = S.number[N_FRAMES] - 1
    first, last = S.frame[top, FIRST], S.frame[top, FIRST] + S.frame[top, COUNT]
    slot = _vacant(S, top)
    if slot < 0:
        return FACETS
    if top + 1 >= S.frame.shape[0]:
        return FRAMES
    affine(P, S, c)
    new = _cut(S, c, top, slot)
    if new < 0:
        return RAYS if new == -1 else STOPPED
    S.facet[top, slot] = c
    n_negative, n_positive = _deal(S, first, last, new)
    _divide(S, top, c, n_negative, n_positive)
    S.number[N_SPLITS] += 1
    if not probing:
        S.number[N_FRAMES] += 1
    elif uniform(S.random) < 0.5:
        _keep_positive(S, top)
    return EMPTY
