"""The regions of a piecewise affine loss, by depth-first subdivision.

The loss is looked at on an affine space with coordinates y in R^D: all parameters, or a line or a
plane of them.  A *region* is an open convex polyhedron on which no breakpoint changes sign.  It is
held as the extreme rays of its homogenisation in R^(D+1): (y, 1) for a vertex, (y, 0) for a
direction; each ray knows, as bits, the facets it lies on.  This is exact combinatorics on
floating-point coordinates: degenerate arrangements need no perturbation.

A node of the search is a region of some of the breakpoints and the list of the *open* ones, whose
sign in it is not known yet.  A breakpoint is affine in a region once all shallower ones of its
sample have a sign; it cuts the region if and only if it is positive on one ray and negative on
another.  If it does not, it has a sign here and in all parts of the region, and leaves the list;
with the last one of a sample, the sample's loss is affine and is added to that of the node.  One
that cuts splits the region by a step of the double description method (Motzkin et al. 1953; Fukuda
and Prodon 1996): new rays lie on the edges between a positive and a negative ray, which are
adjacent if and only if no third ray lies on all facets the two share.

A value on a ray is 0 up to NOISE times the sum of its absolute terms, taken at the size of the
coordinates that the ray was computed from; it has its sign from CLEAR times that on, and is
*doubtful* between the two: the kernel then stops and asks for the exact sign.
"""

import numpy as np

from ._jit import entry, kernel
from .arrays import column_of, is_hidden, row_of, sample_of
from .pivot import uniform
from .region_arrays import (
    COUNT,
    CUT,
    DOUBT,
    EMPTY,
    FACETS,
    FIRST,
    FIRST_OPEN,
    FRAMES,
    LEAF,
    N_DOUBTS,
    N_FRAMES,
    N_OPEN,
    N_SPLITS,
    NONE,
    RAYS,
    ROOT,
    SIDE,
)

NOISE = 1e-13
CLEAR = 1e-9

ASKED = -2  # beside breakpoints and NONE, what `_sift` returns


@kernel
def pull(P, C, i, t):
    """Turn derivatives by the rows of stage t, in C.back, into those by stage 0, on sample `i`.

    With their sums of absolute terms in C.back_size.  Returns the constant that the biases add,
    and its terms.
    """
    constant, size = 0.0, 0.0
    for m in range(P.row[t], P.row[t + 1]):
        constant += C.back[m] * P.bias[m]
        size += C.back_size[m] * abs(P.bias[m])
    for earlier in range(t - 1, -1, -1):
        inn, out = P.row[earlier], P.row[earlier + 1]
        width = P.widths[earlier]
        for k in range(width):
            total, total_size = 0.0, 0.0
            for m in range(P.widths[earlier + 1]):
                w = P.w[P.offset[earlier + 1] + m * width + k]
                total += C.back[out + m] * w
                total_size += C.back_size[out + m] * abs(w)
            slope = P.mean_slope + P.half_jump * C.side[inn + k, i]
            C.back[inn + k] = slope * total
            C.back_size[inn + k] = slope * total_size
            constant += C.back[inn + k] * P.bias[inn + k]
            size += C.back_size[inn + k] * abs(P.bias[inn + k])
    return constant, size


@kernel
def affine(P, C, c):
    """C.f = coefficients of breakpoint `c` in the top region, C.f_size their sums of terms."""
    a, i = row_of(P, c), sample_of(P, c)
    t = P.stage[a]
    for m in range(P.row[t], P.row[t + 1]):
        C.back[m], C.back_size[m] = 0.0, 0.0
    C.back[a], C.back_size[a] = 1.0, 1.0
    constant, size = pull(P, C, i, t)
    if not is_hidden(P, c):
        y = P.y[a - P.row[P.widths.size - 1], column_of(P, c)]
        constant -= y
        size += abs(y)
    D = C.f.size - 1
    for k in range(D + 1):
        C.f[k], C.f_size[k] = 0.0, 0.0
    for j in range(P.widths[0]):
        u, u_size = C.back[j], C.back_size[j]
        if u_size != 0.0:
            for k in range(D + 1):
                C.f[k] += u * C.linear[j, i, k]
                C.f_size[k] += u_size * C.linear_size[j, i, k]
    C.f[D] += constant
    C.f_size[D] += size


@kernel
def _sign_on(C, c, r):
    """Sign of breakpoint `c`, prepared by `_affine`, on ray `r`; 2 if doubtful.  (sign, value)."""
    D = C.f.size - 1
    value, size = C.f[D] * C.ray[r, D], C.f_size[D] * C.ray[r, D]
    for k in range(D):
        value += C.f[k] * C.ray[r, k]
        size += C.f_size[k] * C.scale[r]
    if abs(value) <= NOISE * size:
        return 0, value
    if abs(value) < CLEAR * size:
        for d in range(C.number[N_DOUBTS]):
            if C.doubt[d, 0] == c and C.doubt[d, 1] == r:
                return C.doubt[d, 2], value
        return 2, value
    return (1 if value > 0.0 else -1), value


@kernel
def _set_side(P, C, c, side):
    if is_hidden(P, c):
        C.side[row_of(P, c), column_of(P, c)] = side
    else:
        C.side_r[row_of(P, c) - P.row[P.widths.size - 1], column_of(P, c)] = side


@kernel
def _add_sample(P, C, i):
    """Add the affine loss of sample `i`, all decided, to that of the top node."""
    top, D, last = C.number[N_FRAMES] - 1, C.f.size - 1, P.widths.size - 1
    constant = 0.0
    for m in range(P.row[last], P.row[last + 1]):
        k = m - P.row[last]
        C.back[m], C.back_size[m] = 0.0, 0.0
        for j in range(P.first[i], P.first[i + 1]):
            slope = P.right[k, j] if C.side_r[k, j] > 0.0 else -P.left[k, j]
            C.back[m] += slope
            constant -= slope * P.y[k, j]
    biases, _ = pull(P, C, i, last)
    C.sum[top, D] += constant + biases
    for j in range(P.widths[0]):
        if C.back[j] != 0.0:
            for k in range(D + 1):
                C.sum[top, k] += C.back[j] * C.linear[j, i, k]


@kernel
def _enter(P, C):
    """Begin the top node: the sign it was cut by, the open breakpoints of each sample."""
    top = C.number[N_FRAMES] - 1
    at, n_open, cut = C.frame[top, FIRST_OPEN], C.frame[top, N_OPEN], C.frame[top, CUT]
    for e in range(at, at + n_open):
        C.left[sample_of(P, C.open[e])] = 0
    if cut >= 0:
        C.left[sample_of(P, cut)] = 0
    for e in range(at, at + n_open):
        C.left[sample_of(P, C.open[e])] += 1
    if cut >= 0:
        _set_side(P, C, cut, float(C.frame[top, SIDE]))
        if C.left[sample_of(P, cut)] == 0:
            _add_sample(P, C, sample_of(P, cut))
    elif cut == ROOT:
        for i in range(C.left.size):
            if C.left[i] == 0:
                _add_sample(P, C, i)
    C.frame[top, CUT] = NONE


@kernel
def _sift(P, C):
    """Decide what does not cut the top region.  Returns the breakpoint to split it by, or NONE.

    ASKED: the row of C.doubt after the last answer holds a question.
    """
    _enter(P, C)
    top = C.number[N_FRAMES] - 1
    first, count = C.frame[top, FIRST], C.frame[top, COUNT]
    at, n_open = C.frame[top, FIRST_OPEN], C.frame[top, N_OPEN]
    kept, best, splitter = 0, 0, NONE
    asked = False
    for e in range(at, at + n_open):
        c = C.open[e]
        i, t = sample_of(P, c), P.stage[row_of(P, c)]
        cuts = C.blocked[i] < t
        if not cuts:
            affine(P, C, c)
            above, below = 0, 0
            for r in range(first, first + count):
                sign, _ = _sign_on(C, c, r)
                if sign == 2:
                    d = C.number[N_DOUBTS]
                    C.doubt[d, 0], C.doubt[d, 1], asked = c, r, True
                    break
                above += sign > 0
                below += sign < 0
            if asked:
                break
            if above == 0 or below == 0:
                _set_side(P, C, c, -1.0 if below > 0 else 1.0)
                C.left[i] -= 1
                if C.left[i] == 0:
                    _add_sample(P, C, i)
            else:
                cuts = True
                C.blocked[i] = min(C.blocked[i], t)
                if min(above, below) > best:
                    best, splitter = min(above, below), c
        if cuts:
            C.open[at + kept] = c
            kept += 1
    for k in range(at, at + kept):
        C.blocked[sample_of(P, C.open[k])] = P.widths.size
    if asked:  # keep the rest of the list
        splitter = ASKED
        for k in range(e, at + n_open):
            C.open[at + kept] = C.open[k]
            kept += 1
    C.frame[top, N_OPEN] = kept
    return splitter


@kernel
def _shared(C, a, b):
    """Number of facets that rays `a` and `b` share."""
    total = 0
    for w in range(C.on.shape[1]):
        x = C.on[a, w] & C.on[b, w]
        while x != 0:
            x &= x - np.uint64(1)
            total += 1
    return total


@kernel
def _adjacent(C, a, b, first, last):
    """Whether rays `a` and `b` of a region span an edge: no third ray lies on all they share."""
    if _shared(C, a, b) < C.f.size - 2:
        return False
    for r in range(first, last):
        if r in (a, b):
            continue
        inside = True
        for w in range(C.on.shape[1]):
            if C.on[a, w] & C.on[b, w] & ~C.on[r, w] != 0:
                inside = False
                break
        if inside:
            return False
    return True


@kernel
def _copy(C, target, source):
    for k in range(C.f.size):
        C.ray[target, k] = C.ray[source, k]
    for w in range(C.on.shape[1]):
        C.on[target, w] = C.on[source, w]
    C.scale[target] = C.scale[source]


@kernel
def _prune(C, frame):
    """Forget the facets of a region that hold fewer rays than a facet must."""
    first, last = C.frame[frame, FIRST], C.frame[frame, FIRST] + C.frame[frame, COUNT]
    for s in range(C.facet.shape[1]):
        if C.facet[frame, s] == NONE:
            continue
        bit = np.uint64(1) << np.uint64(s % 64)
        rays = 0
        for r in range(first, last):
            rays += C.on[r, s // 64] & bit != 0
        if rays < C.f.size - 1:
            C.facet[frame, s] = NONE
            for r in range(first, last):
                C.on[r, s // 64] &= ~bit


@kernel
def _join(C, new, a, b, slot):
    """Ray `new` on the edge from positive ray `a` to negative ray `b` where C.value is 0."""
    D = C.f.size - 1
    for k in range(D + 1):
        C.ray[new, k] = C.value[a] * C.ray[b, k] - C.value[b] * C.ray[a, k]
    scale = 0.0
    if C.ray[a, D] == 0.0 and C.ray[b, D] == 0.0:
        C.ray[new, D] = 0.0
        for k in range(D):
            scale = max(scale, abs(C.ray[new, k]))
    else:
        scale = C.ray[new, D]
    for k in range(D + 1):
        C.ray[new, k] /= scale
    C.scale[new] = (C.value[a] * C.scale[b] - C.value[b] * C.scale[a]) / scale
    for w in range(C.on.shape[1]):
        C.on[new, w] = C.on[a, w] & C.on[b, w]
    C.on[new, slot // 64] |= np.uint64(1) << np.uint64(slot % 64)


@kernel
def _split(P, C, c, probing):
    """Split the top region by `c`: the positive part comes on top.  Returns EMPTY or what it lacks.

    Probing keeps one part, drawn at random.
    """
    top = C.number[N_FRAMES] - 1
    first, count = C.frame[top, FIRST], C.frame[top, COUNT]
    last = first + count
    slot = 0
    while slot < C.facet.shape[1] and C.facet[top, slot] != NONE:
        slot += 1
    if slot == C.facet.shape[1]:
        return FACETS
    if top + 1 >= C.frame.shape[0]:
        return FRAMES
    affine(P, C, c)
    above, below = 0, 0
    for r in range(first, last):
        C.sign[r], C.value[r] = _sign_on(C, c, r)
        above += C.sign[r] > 0
        below += C.sign[r] < 0
    new = 0
    for a in range(first, last):
        if C.sign[a] > 0:
            for b in range(first, last):
                if C.sign[b] < 0 and _adjacent(C, a, b, first, last):
                    if last + new >= C.ray.shape[0]:
                        return RAYS
                    _join(C, last + new, a, b, slot)
                    new += 1
    at, n_open = C.frame[top, FIRST_OPEN], C.frame[top, N_OPEN]
    positive = last + new
    if positive + (count - below) + new > C.ray.shape[0] or at + 2 * n_open > C.open.size:
        return RAYS
    bit = np.uint64(1) << np.uint64(slot % 64)
    for r in range(first, last):
        if C.sign[r] == 0:
            C.on[r, slot // 64] |= bit
    # The positive part, above everything: its own rays, then the new ones.
    end = positive
    for r in range(first, last + new):
        if r >= last or C.sign[r] >= 0:
            _copy(C, end, r)
            end += 1
    n_positive = end - positive
    # The negative part, in place.
    end = first
    for r in range(first, last + new):
        if r >= last or C.sign[r] <= 0:
            _copy(C, end, r)
            end += 1
    n_negative = end - first
    for r in range(n_positive):
        _copy(C, end + r, positive + r)
    kept = 0
    for e in range(at, at + n_open):
        if C.open[e] != c:
            C.open[at + kept] = C.open[e]
            kept += 1
    for e in range(kept):
        C.open[at + kept + e] = C.open[at + e]
    C.facet[top, slot] = c
    for s in range(C.facet.shape[1]):
        C.facet[top + 1, s] = C.facet[top, s]
    for k in range(C.f.size):
        C.sum[top + 1, k] = C.sum[top, k]
    for part in range(2):
        C.frame[top + part, FIRST] = first if part == 0 else end
        C.frame[top + part, COUNT] = n_negative if part == 0 else n_positive
        C.frame[top + part, FIRST_OPEN] = at + part * kept
        C.frame[top + part, N_OPEN] = kept
        C.frame[top + part, CUT] = c
        C.frame[top + part, SIDE] = 2 * part - 1
        _prune(C, top + part)
    C.number[N_SPLITS] += 1
    if not probing:
        C.number[N_FRAMES] += 1
    elif uniform(C.random) < 0.5:  # keep the positive part alone
        for r in range(n_positive):
            _copy(C, first + r, end + r)
        for s in range(C.facet.shape[1]):
            C.facet[top, s] = C.facet[top + 1, s]
        C.frame[top, COUNT], C.frame[top, SIDE] = n_positive, 1
    return EMPTY


@entry
def branch(P, C, probing):
    """Split the top node once: EMPTY if it is done, LEAF if it is a region, or what is lacking."""
    c = _sift(P, C)
    if c == ASKED:
        return DOUBT
    if c == NONE:
        return LEAF
    return _split(P, C, c, probing)


@kernel
def descend(P, C, probing):
    """Split the top node until it is a region: LEAF, or what is lacking."""
    while True:
        status = branch(P, C, probing)
        if status != EMPTY:
            return status
        C.number[N_DOUBTS] = 0


@entry
def probe(P, C):
    """Follow one random path from the node on the stack to a region: LEAF, or what is lacking.

    2 to the power of C.number[N_SPLITS] is an unbiased estimate of the number of regions below it
    (Knuth 1975).
    """
    return descend(P, C, True)
