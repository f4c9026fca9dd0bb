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
that cuts splits the region in two.
"""

from numba import boolean, int64

from ._jit import entry, kernel
from .arrays import P, column_of, is_hidden, row_of, sample_of
from .region_affine import affine, pull, sign_on
from .region_arrays import (
    COUNT,
    CUT,
    DOUBT,
    EMPTY,
    FIRST,
    FIRST_OPEN,
    LEAF,
    N_DOUBTS,
    N_FRAMES,
    N_OPEN,
    N_STOP,
    NONE,
    ROOT,
    SIDE,
    STOPPED,
    S,
)
from .region_split import split

ASKED, HALTED = -2, -3  # beside breakpoints and NONE, what `sift` returns


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


@entry(int64, P, S)
def sift(P, S):
    """Decide what does not cut the top region.  Returns the breakpoint to split it by, or NONE.

    ASKED: the row of S.doubt after the last answer holds a question.  HALTED: N_STOP is set.
    """
    _enter(P, S)
    top = S.number[N_FRAMES] - 1
    first, count = S.frame[top, FIRST], S.frame[top, COUNT]
    at, n_open = S.frame[top, FIRST_OPEN], S.frame[top, N_OPEN]
    kept, best, splitter = 0, 0, NONE
    asked = False
    for e in range(at, at + n_open):
        if S.number[N_STOP] != 0:
            return HALTED
        c = S.open[e]
        i, t = sample_of(P, c), P.stage[row_of(P, c)]
        cuts = S.blocked[i] < t
        if not cuts:
            affine(P, S, c)
            above, below = 0, 0
            for r in range(first, first + count):
                sign, _ = sign_on(S, c, r)
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


@entry(int64, P, S, boolean)
def branch(P, S, probing):
    """Split the top node once: EMPTY if it is done, LEAF if it is a region, or what is lacking."""
    c = sift(P, S)
    if c == ASKED:
        return DOUBT
    if c == HALTED:
        return STOPPED
    if c == NONE:
        return LEAF
    return split(P, S, c, probing)


@entry(int64, P, S, boolean)
def descend(P, S, probing):
    """Split the top node until it is a region: LEAF, or what is lacking."""
    while True:
        status = branch(P, S, probing)
        if status != EMPTY:
            return status
        S.number[N_DOUBTS] = 0


@entry(int64, P, S)
def probe(P, S):
    """Follow one random path from the node on the stack to a region: LEAF, or what is lacking.

    2 to the power of S.number[N_SPLITS] is an unbiased estimate of the number of regions below it
    (Knuth 1975).
    """
    return descend(P, S, True)
