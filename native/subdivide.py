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
def pull(P, S, i, t):
    """Turn derivatives by the rows of stage t, in S.back, into those by stage 0, on sample `i`.

    With their sums of absolute terms in S.back_size.  Returns the constant that the biases add,
    and its terms.
    """
    constant, size = 0.0, 0.0
    for m in range(P.row[t], P.row[t + 1]):
        constant += S.back[m] * P.bias[m]
        size += S.back_size[m] * abs(P.bias[m])
    for earlier in range(t - 1, -1, -1):
        inn, out = P.row[earlier], P.row[earlier + 1]
        width = P.widths[earlier]
        for k in range(width):
            total, total_size = 0.0, 0.0
            for m in range(P.widths[earlier + 1]):
                w = P.w[P.offset[earlier + 1] + m * width + k]
                total += S.back[out + m] * w
                total_size += S.back_size[out + m] * abs(w)
            slope = P.mean_slope + P.half_jump * S.side[inn + k, i]
            S.back[inn + k] = slope * total
            S.back_size[inn + k] = slope * total_size
            constant += S.back[inn + k] * P.bias[inn + k]
            size += S.back_size[inn + k] * abs(P.bias[inn + k])
    return constant, size


@kernel
def affine(P, S, c):
    """S.f = coefficients of breakpoint `c` in the top region, S.f_size their sums of terms."""
    a, i = row_of(P, c), sample_of(P, c)
    t = P.stage[a]
    for m in range(P.row[t], P.row[t + 1]):
        S.back[m], S.back_size[m] = 0.0, 0.0
    S.back[a], S.back_size[a] = 1.0, 1.0
    constant, size = pull(P, S, i, t)
    if not is_hidden(P, c):
        y = P.y[a - P.row[P.widths.size - 1], column_of(P, c)]
        constant -= y
        size += abs(y)
    D = S.f.size - 1
    for k in range(D + 1):
        S.f[k], S.f_size[k] = 0.0, 0.0
    for j in range(P.widths[0]):
        u, u_size = S.back[j], S.back_size[j]
        if u_size != 0.0:
            for k in range(D + 1):
                S.f[k] += u * S.linear[j, i, k]
                S.f_size[k] += u_size * S.linear_size[j, i, k]
    S.f[D] += constant
    S.f_size[D] += size


@kernel
def _sign_on(S, c, r):
    """Sign of breakpoint `c`, prepared by `_affine`, on ray `r`; 2 if doubtful.  (sign, value)."""
    D = S.f.size - 1
    value, size = S.f[D] * S.ray[r, D], S.f_size[D] * S.ray[r, D]
    for k in range(D):
        value += S.f[k] * S.ray[r, k]
        size += S.f_size[k] * S.scale[r]
    if abs(value) <= NOISE * size:
        return 0, value
    if abs(value) < CLEAR * size:
        for d in range(S.number[N_DOUBTS]):
            if S.doubt[d, 0] == c and S.doubt[d, 1] == r:
                return S.doubt[d, 2], value
        return 2, value
    return (1 if value > 0.0 else -1), value


@kernel
def _set_side(P, S, c, side):
    if is_hidden(P, c):
        S.side[row_of(P, c), column_of(P, c)] = side
    else:
        S.side_r[row_of(P, c) - P.row[P.widths.size - 1], column_of(P, c)] = side


@kernel
def _add_sample(P, S, i):
    """Add the affine loss of sample `i`, all decided, to that of the top node."""
    top, D, last = S.number[N_FRAMES] - 1, S.f.size - 1, P.widths.size - 1
    constant = 0.0
    for m in range(P.row[last], P.row[last + 1]):
        k = m - P.row[last]
        S.back[m], S.back_size[m] = 0.0, 0.0
        for j in range(P.first[i], P.first[i + 1]):
            slope = P.right[k, j] if S.side_r[k, j] > 0.0 else -P.left[k, j]
            S.back[m] += slope
            constant -= slope * P.y[k, j]
    biases, _ = pull(P, S, i, last)
    S.sum[top, D] += constant + biases
    for j in range(P.widths[0]):
        if S.back[j] != 0.0:
            for k in range(D + 1):
                S.sum[top, k] += S.back[j] * S.linear[j, i, k]


@kernel
def _enter(P, S):
    """Begin the top node: the sign it was cut by, the open breakpoints of each sample."""
    top = S.number[N_FRAMES] - 1
    at, n_open, cut = S.frame[top, FIRST_OPEN], S.frame[top, N_OPEN], S.frame[top, CUT]
    for e in range(at, at + n_open):
        S.left[sample_of(P, S.open[e])] = 0
    if cut >= 0:
        S.left[sample_of(P, cut)] = 0
    for e in range(at, at + n_open):
        S.left[sample_of(P, S.open[e])] += 1
    if cut >= 0:
        _set_side(P, S, cut, float(S.frame[top, SIDE]))
        if S.left[sample_of(P, cut)] == 0:
            _add_sample(P, S, sample_of(P, cut))
    elif cut == ROOT:
        for i in range(S.left.size):
            if S.left[i] == 0:
                _add_sample(P, S, i)
    S.frame[top, CUT] = NONE


@kernel
def _sift(P, S):
    """Decide what does not cut the top region.  Returns the breakpoint to split it by, or NONE.

    ASKED: the row of S.doubt after the last answer holds a question.
    """
    _enter(P, S)
    top = S.number[N_FRAMES] - 1
    first, count = S.frame[top, FIRST], S.frame[top, COUNT]
    at, n_open = S.frame[top, FIRST_OPEN], S.frame[top, N_OPEN]
    kept, best, splitter = 0, 0, NONE
    asked = False
    for e in range(at, at + n_open):
        c = S.open[e]
        i, t = sample_of(P, c), P.stage[row_of(P, c)]
        cuts = S.blocked[i] < t
        if not cuts:
            affine(P, S, c)
            above, below = 0, 0
            for r in range(first, first + count):
                sign, _ = _sign_on(S, c, r)
                if sign == 2:
                    d = S.number[N_DOUBTS]
                    S.doubt[d, 0], S.doubt[d, 1], asked = c, r, True
                    break
                above += sign > 0
                below += sign < 0
            if asked:
                break
            if above == 0 or below == 0:
                _set_side(P, S, c, -1.0 if below > 0 else 1.0)
                S.left[i] -= 1
                if S.left[i] == 0:
                    _add_sample(P, S, i)
            else:
                cuts = True
                S.blocked[i] = min(S.blocked[i], t)
                if min(above, below) > best:
                    best, splitter = min(above, below), c
        if cuts:
            S.open[at + kept] = c
            kept += 1
    for k in range(at, at + kept):
        S.blocked[sample_of(P, S.open[k])] = P.widths.size
    if asked:  # keep the rest of the list
        splitter = ASKED
        for k in range(e, at + n_open):
            S.open[at + kept] = S.open[k]
            kept += 1
    S.frame[top, N_OPEN] = kept
    return splitter


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
def _split(P, S, c, probing):
    """Split the top region by `c`: the positive part comes on top.  Returns EMPTY or what it lacks.

    Probing keeps one part, drawn at random.
    """
    top = S.number[N_FRAMES] - 1
    first, count = S.frame[top, FIRST], S.frame[top, COUNT]
    last = first + count
    slot = 0
    while slot < S.facet.shape[1] and S.facet[top, slot] != NONE:
        slot += 1
    if slot == S.facet.shape[1]:
        return FACETS
    if top + 1 >= S.frame.shape[0]:
        return FRAMES
    affine(P, S, c)
    above, below = 0, 0
    for r in range(first, last):
        S.sign[r], S.value[r] = _sign_on(S, c, r)
        above += S.sign[r] > 0
        below += S.sign[r] < 0
    new = 0
    for a in range(first, last):
        if S.sign[a] > 0:
            for b in range(first, last):
                if S.sign[b] < 0 and _adjacent(S, a, b, first, last):
                    if last + new >= S.ray.shape[0]:
                        return RAYS
                    _join(S, last + new, a, b, slot)
                    new += 1
    at, n_open = S.frame[top, FIRST_OPEN], S.frame[top, N_OPEN]
    positive = last + new
    if positive + (count - below) + new > S.ray.shape[0] or at + 2 * n_open > S.open.size:
        return RAYS
    bit = np.uint64(1) << np.uint64(slot % 64)
    for r in range(first, last):
        if S.sign[r] == 0:
            S.on[r, slot // 64] |= bit
    # The positive part, above everything: its own rays, then the new ones.
    end = positive
    for r in range(first, last + new):
        if r >= last or S.sign[r] >= 0:
            _copy(S, end, r)
            end += 1
    n_positive = end - positive
    # The negative part, in place.
    end = first
    for r in range(first, last + new):
        if r >= last or S.sign[r] <= 0:
            _copy(S, end, r)
            end += 1
    n_negative = end - first
    for r in range(n_positive):
        _copy(S, end + r, positive + r)
    kept = 0
    for e in range(at, at + n_open):
        if S.open[e] != c:
            S.open[at + kept] = S.open[e]
            kept += 1
    for e in range(kept):
        S.open[at + kept + e] = S.open[at + e]
    S.facet[top, slot] = c
    for s in range(S.facet.shape[1]):
        S.facet[top + 1, s] = S.facet[top, s]
    for k in range(S.f.size):
        S.sum[top + 1, k] = S.sum[top, k]
    for part in range(2):
        S.frame[top + part, FIRST] = first if part == 0 else end
        S.frame[top + part, COUNT] = n_negative if part == 0 else n_positive
        S.frame[top + part, FIRST_OPEN] = at + part * kept
        S.frame[top + part, N_OPEN] = kept
        S.frame[top + part, CUT] = c
        S.frame[top + part, SIDE] = 2 * part - 1
        _prune(S, top + part)
    S.number[N_SPLITS] += 1
    if not probing:
        S.number[N_FRAMES] += 1
    elif uniform(S.random) < 0.5:  # keep the positive part alone
        for r in range(n_positive):
            _copy(S, first + r, end + r)
        for s in range(S.facet.shape[1]):
            S.facet[top, s] = S.facet[top + 1, s]
        S.frame[top, COUNT], S.frame[top, SIDE] = n_positive, 1
    return EMPTY


@entry
def branch(P, S, probing):
    """Split the top node once: EMPTY if it is done, LEAF if it is a region, or what is lacking."""
    c = _sift(P, S)
    if c == ASKED:
        return DOUBT
    if c == NONE:
        return LEAF
    return _split(P, S, c, probing)


@kernel
def descend(P, S, probing):
    """Split the top node until it is a region: LEAF, or what is lacking."""
    while True:
        status = branch(P, S, probing)
        if status != EMPTY:
            return status
        S.number[N_DOUBTS] = 0


@entry
def probe(P, S):
    """Follow one random path from the node on the stack to a region: LEAF, or what is lacking.

    2 to the power of S.number[N_SPLITS] is an unbiased estimate of the number of regions below it
    (Knuth 1975).
    """
    return descend(P, S, True)
