"""One sample's tail: how later rows respond to an activation, and pulling derivatives back.

Rank-one rule: the gradient of any breakpoint or loss term of sample i is ``u (x) x_i``, with ``u``
(h,) the derivative by the trained layer's pre-activations.
"""

from ._jit import inlined, kernel
from .arrays import PARKED, column_of, is_hidden, row_of, sample_of, side_of


@inlined
def respond(P, S, a, i):
    """S.tail[later rows] = derivatives by the *activation* of hidden row `a` on sample `i`.

    Returns the derivative of the loss by the same activation.
    """
    t = P.stage[a]
    last = P.widths.size - 1
    for later in range(t + 1, last + 1):
        out, inn = P.row[later], P.row[later - 1]
        width = P.widths[later - 1]
        for m in range(P.widths[later]):
            at = P.offset[later] + m * width
            if later == t + 1:
                S.tail[out + m] = P.w[at + a - inn]
            else:
                total = 0.0
                for k in range(width):
                    slope = P.mean_slope + P.half_jump * S.side[inn + k, i]
                    total += P.w[at + k] * slope * S.tail[inn + k]
                S.tail[out + m] = total
    total = 0.0
    for k in range(P.widths[last]):
        total += S.rho[k, i] * S.tail[P.row[last] + k]
    return total


@inlined
def pull_back(P, S, i, t):
    """Turn S.back[rows of stage t] into S.back[:h], the derivative by stage 0, on sample `i`."""
    for earlier in range(t - 1, -1, -1):
        inn, out = P.row[earlier], P.row[earlier + 1]
        width = P.widths[earlier]
        for k in range(width):
            total = 0.0
            for m in range(P.widths[earlier + 1]):
                total += S.back[out + m] * P.w[P.offset[earlier + 1] + m * width + k]
            S.back[inn + k] = total * (P.mean_slope + P.half_jump * S.side[inn + k, i])


@inlined
def breakpoint_row(P, S, c):
    """S.back[:h] = u of the gradient ``u (x) x`` of breakpoint `c` (not oriented)."""
    a = row_of(P, c)
    t = P.stage[a]
    for m in range(P.widths[t]):
        S.back[P.row[t] + m] = 0.0
    S.back[a] = 1.0
    pull_back(P, S, sample_of(P, c), t)


@kernel
def oriented_normal(P, S, c, out):
    """Out (D,) = n_c = side of c times its gradient."""
    breakpoint_row(P, S, c)
    q = P.x.shape[0]
    i = sample_of(P, c)
    side = side_of(P, S, c)
    for j in range(P.widths[0]):
        u = side * S.back[j]
        for k in range(q):
            out[j * q + k] = u * P.xt[i, k]


@kernel
def loss_row(P, S, i):
    """S.back[:h] = derivative of sample i's loss by the trained layer's pre-activations."""
    last = P.widths.size - 1
    for k in range(P.widths[last]):
        S.back[P.row[last] + k] = S.rho[k, i]
    pull_back(P, S, i, last)


@inlined
def kink(P, S, c):
    """gamma, by which crossing `c` changes the gradient: g -> g + gamma n_c.

    For a hidden `c` it leaves the response of the later rows in S.tail.
    """
    if is_hidden(P, c):
        i = column_of(P, c)
        if i < P.samples[0]:
            return -2.0 * P.half_jump * respond(P, S, row_of(P, c), i)
        for a in range(P.row[1], P.stage.size):
            S.tail[a] = 0.0
        return -2.0 * P.penalty
    k = row_of(P, c) - P.row[P.widths.size - 1]
    j = column_of(P, c)
    return -(P.left[k, j] + P.right[k, j])


@inlined
def cross(P, S, c, gamma):
    """Move the region to the other side of `c`: side, rho and gradient (gamma as from `kink`).

    The bound on where its sample meets the next breakpoint is void after it.
    """
    q = P.x.shape[0]
    i = sample_of(P, c)
    S.key[i] = 0.0
    if gamma != 0.0:
        breakpoint_row(P, S, c)
        change = gamma * side_of(P, S, c)
        for j in range(P.widths[0]):
            u = change * S.back[j]
            if u != 0.0:
                for k in range(q):
                    S.g[j * q + k] += u * P.xt[i, k]
    if is_hidden(P, c):
        a = row_of(P, c)
        S.side[a, i] = -S.side[a, i]
    else:
        k = row_of(P, c) - P.row[P.widths.size - 1]
        j = column_of(P, c)
        S.rho[k, i] += gamma * S.side_r[k, j]
        S.side_r[k, j] = -S.side_r[k, j]


@kernel
def moved_by_crossing(P, S, c, m):
    """Derivative of breakpoint `m` by the activation of hidden `c` (S.tail as `kink` left it).

    0 unless `m` lies deeper on the same sample.
    """
    if sample_of(P, m) != column_of(P, c):
        return 0.0
    a = row_of(P, m)
    if P.stage[a] <= P.stage[row_of(P, c)]:
        return 0.0
    return S.tail[a]


@inlined
def bends_at(P, S, c):
    """Whether the edge bends at hidden `c`: crossing it moves an active or tied breakpoint.

    Those are parked.  After ``kink(c)``.
    """
    a, i = row_of(P, c), column_of(P, c)
    if S.on_sample[i] == 0:
        return False
    last = P.widths.size - 1
    hidden = P.row[last]
    for b in range(P.row[P.stage[a] + 1], hidden):
        if S.tail[b] != 0.0 and abs(S.z[b, i]) > 0.5 * PARKED:
            return True
    for k in range(P.widths[last]):
        for j in range(P.first[i], P.first[i + 1]):
            if S.tail[hidden + k] != 0.0 and abs(S.r[k, j]) > 0.5 * PARKED:
                return True
    return False
