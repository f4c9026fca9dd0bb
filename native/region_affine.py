"""A breakpoint in the region on top of the stack: an affine function, and its sign on a ray.

A value on a ray is 0 up to NOISE times the sum of its absolute terms; it has its sign from CLEAR
times that sum on, taken at the size of the coordinates that the ray was computed from, and is
*doubtful* between the two: the kernel then stops and asks for the exact sign.

A box of parameters for inputs far from 0 is huge in the units of the kernels, the regions in it
are not: S.number[N_FAR] is then 1.  What is 0 is told at the size of the ray itself, and where that
is much smaller than what it was computed from, every sign is doubtful: the answer brings its
coordinates without rounding.
"""

from numba import int64, void

from ._jit import entry, kernel
from .arrays import P, column_of, is_hidden, row_of, sample_of
from .region_arrays import N_DOUBTS, N_FAR, S

NOISE = 1e-13
CLEAR = 1e-9
LOST = 2.0**13  # size of what a ray (or a value on it) was computed from, over its own


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


@entry(void, P, S, int64)
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
def lost_digits(S, r):
    """Whether ray `r` is much smaller than what it was computed from."""
    largest = 0.0
    for k in range(S.f.size - 1):
        largest = max(largest, abs(S.ray[r, k]))
    return S.scale[r] > LOST * largest


@kernel
def sign_on(S, c, r):
    """Sign of breakpoint `c`, prepared by `affine`, on ray `r`; 2 if doubtful.  (sign, value)."""
    D = S.f.size - 1
    value, size = S.f[D] * S.ray[r, D], S.f_size[D] * S.ray[r, D]
    own = size
    for k in range(D):
        value += S.f[k] * S.ray[r, k]
        own += S.f_size[k] * abs(S.ray[r, k])
        size += S.f_size[k] * S.scale[r]
    if S.number[N_FAR] == 0:
        own = size
    lost = size > LOST * own
    if abs(value) <= NOISE * own and not lost:
        return 0, value
    if abs(value) < CLEAR * size or lost:
        for d in range(S.number[N_DOUBTS]):
            if S.doubt[d, 0] == c and S.doubt[d, 1] == r:
                return S.doubt[d, 2], value
        return 2, value
    return (1 if value > 0.0 else -1), value
