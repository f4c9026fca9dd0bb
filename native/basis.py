"""The basis at a vertex: prices of all half-edges, flipping and exchanging.

Row c of ``S.b`` is v_c: it moves one unit away from active breakpoint c into the region and keeps
every other active breakpoint at 0.  Rows marked FREE span the null space of the active normals.

At large D the passes over the (D, D) matrix ``S.b`` are what a pivot costs.  `exchange` makes two:
one reads the columns in which the entering normal is not 0 (one neuron's, for a breakpoint of the
trained layer), one updates each row and prices it while it is in the cache.
"""

import numpy as np
from numba import boolean, int64, void

from ._jit import entry, kernel
from .arrays import (
    FREE,
    N_DESCENDING,
    SLOPE_TOL,
    X_SIZE,
    P,
    S,
    is_hidden,
    park,
    sample_of,
    set_value,
    side_of,
)
from .tail import cross, kink, moved_by_crossing, oriented_normal


@kernel
def dot(a, b):
    total = 0.0
    for k in range(a.size):
        total += a[k] * b[k]
    return total


@kernel
def reach_of(S, d):
    """Bound on the derivative of the trained layer's pre-activations along `d`, on any sample."""
    return S.scalar[X_SIZE] * np.sqrt(dot(d, d))


@kernel
def alpha(P, S, c, m):
    """alpha_m of design: flipping `c` turns n_m into n_m + alpha_m n_c (after ``kink(c)``)."""
    return -2.0 * P.half_jump * side_of(P, S, m) * moved_by_crossing(P, S, c, m)


@kernel
def list_samples(P, S):
    """List the rows of the active breakpoints of each sample i: S.head[i], S.chain[S.head[i]], ...

    Until it is called again the lists may hold rows that have become FREE.
    """
    for k in range(S.basis.size):
        if S.listed[k] >= 0:
            S.head[S.listed[k]] = -1
    for k in range(S.basis.size):
        S.listed[k] = -1
        if S.basis[k] != FREE:
            i = sample_of(P, S.basis[k])
            S.listed[k], S.chain[k] = i, S.head[i]
            S.head[i] = k


@kernel
def far_edge(P, S, k, out):
    """Out = -(v_c - sum_m alpha_m v_m), the far half-edge of c = S.basis[k].

    After `list_samples` and ``kink(c)``.
    """
    c = S.basis[k]
    for j in range(out.size):
        out[j] = -S.b[k, j]
    if is_hidden(P, c):
        m = S.head[sample_of(P, c)]
        while m >= 0:
            factor = alpha(P, S, c, S.basis[m])
            if factor != 0.0:
                for j in range(out.size):
                    out[j] += factor * S.b[m, j]
            m = S.chain[m]


@kernel
def _priced(S, k, length2):
    """Store the length of near half-edge `k`, and the slope that counts as 0 along it."""
    S.length[k, 0] = np.sqrt(length2)
    S.noise[k, 0] = S.scalar[SLOPE_TOL] * S.scalar[X_SIZE] * S.length[k, 0]


@entry(void, S)
def price_near(S):
    """Slopes and lengths of the near half-edges: S.price, S.length[:, 0], S.noise[:, 0]."""
    for k in range(S.basis.size):
        S.price[k] = dot(S.b[k], S.g)
        _priced(S, k, dot(S.b[k], S.b[k]))


@entry(boolean, P, S)
def price_far(P, S):
    """Slopes and lengths of the far half-edges, from the near ones; counts all that descend.

    Returns True if the gradient has a part in the null space of the active normals (phase 1).
    """
    size = S.basis.size
    descending = 0
    free_descends = False
    list_samples(P, S)
    for k in range(size):
        c = S.basis[k]
        if c == FREE:
            if abs(S.price[k]) > S.noise[k, 0]:
                free_descends = True
                descending += 1
            continue
        gamma = kink(P, S, c)
        far = -S.price[k] - gamma
        S.length[k, 1], S.noise[k, 1] = S.length[k, 0], S.noise[k, 0]
        if is_hidden(P, c) and S.on_sample[sample_of(P, c)] > 1:
            bent = False
            m = S.head[sample_of(P, c)]
            while m >= 0:
                factor = alpha(P, S, c, S.basis[m])
                if factor != 0.0:
                    far += factor * S.price[m]
                    bent = True
                m = S.chain[m]
            if bent:
                far_edge(P, S, k, S.beta)
                S.length[k, 1] = np.sqrt(dot(S.beta, S.beta))
                S.noise[k, 1] = S.scalar[SLOPE_TOL] * reach_of(S, S.beta)
        S.far[k] = far
        if S.price[k] < -S.noise[k, 0]:
            descending += 1
        if far < -S.noise[k, 1]:
            descending += 1
    S.number[N_DESCENDING] = descending
    return free_descends


@entry(void, P, S, int64)
def flip(P, S, k):
    """Look at the priced vertex from the other side of active breakpoint S.basis[k]."""
    c = S.basis[k]
    gamma = kink(P, S, c)
    far_edge(P, S, k, S.beta)
    cross(P, S, c, gamma)
    park(P, S, c)
    for j in range(S.beta.size):
        S.b[k, j] = S.beta[j]


@kernel
def activate(P, S, c):
    """Park `c`: it is zero here and the ratio test must pass over it."""
    S.on_sample[sample_of(P, c)] += 1
    park(P, S, c)


@kernel
def release(P, S, c):
    """Let the ratio test see `c` again, at a value of 0 (but on its side)."""
    S.on_sample[sample_of(P, c)] -= 1
    set_value(P, S, c, 1e-300 * side_of(P, S, c))


@kernel
def _multiply(P, S):
    """S.beta = v_m . S.normal for all rows m, over the columns in which S.normal is not 0."""
    q, h = P.x.shape[0], P.widths[0]
    low, high = 0, h
    while low < high and S.back[low] == 0.0:
        low += 1
    while low < high and S.back[high - 1] == 0.0:
        high -= 1
    for m in range(S.basis.size):
        S.beta[m] = dot(S.b[m, low * q : high * q], S.normal[low * q : high * q])


@kernel
def _reflect(S):
    """A Householder reflection of the FREE rows after which one of them alone meets S.normal.

    Returns that row k and a factor f: row m becomes  b_m - f beta_m S.mirror,  and S.beta is
    changed to that end.  The free rows stay orthonormal if they were.
    """
    k = -1
    norm2 = 0.0
    for j in range(S.mirror.size):
        S.mirror[j] = 0.0
    for m in range(S.basis.size):
        if S.basis[m] == FREE and S.beta[m] != 0.0:
            norm2 += S.beta[m] ** 2
            if k < 0 or abs(S.beta[m]) > abs(S.beta[k]):
                k = m
            for j in range(S.mirror.size):
                S.mirror[j] += S.beta[m] * S.b[m, j]
    norm = np.sqrt(norm2) if S.beta[k] > 0.0 else -np.sqrt(norm2)
    for j in range(S.mirror.size):
        S.mirror[j] += norm * S.b[k, j]
    S.beta[k] += norm
    return k, 1.0 / (norm * S.beta[k])


@kernel
def subtract_and_price(edge, factor, row, g):
    """Edge -= factor * row, in one pass with its slope and squared length, which are returned."""
    slope, length2 = 0.0, 0.0
    for j in range(row.size):
        value = edge[j] - factor * row[j]
        edge[j] = value
        slope += value * g[j]
        length2 += value * value
    return slope, length2


@entry(void, P, S, int64, int64)
def exchange(P, S, k, entering):
    """Breakpoint `entering` takes row `k` of the basis, or a FREE one if k < 0; updates all edges.

    A rank-one update, after which the near half-edges are priced.  Row k must not lie in the zero
    set of `entering`.  Only v_k is scaled by the pivot element: dividing once and multiplying by
    the quotient keeps v_k . n = 1 to one rounding.
    """
    oriented_normal(P, S, entering, S.normal)
    _multiply(P, S)
    size = S.basis.size
    reflected = k < 0
    reflection = 0.0
    if reflected:
        k, reflection = _reflect(S)
        factor = reflection * S.beta[k]
        for j in range(size):
            S.b[k, j] -= factor * S.mirror[j]
    pivot_element = dot(S.b[k], S.normal)
    for j in range(size):
        S.b[k, j] /= pivot_element
    for m in range(size):
        if reflected and m != k and S.basis[m] == FREE:
            factor, row = reflection * S.beta[m], S.mirror
        else:
            factor, row = S.beta[m] if m != k else 0.0, S.b[k]
        S.price[m], length2 = subtract_and_price(S.b[m], factor, row, S.g)
        _priced(S, m, length2)
    S.basis[k] = entering
