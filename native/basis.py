"""The basis at a vertex: prices of all half-edges, flipping, exchanging and extending.

Row c of ``S.b`` is v_c: it moves one unit away from active breakpoint c into the region and keeps
every other active breakpoint at 0.  Rows marked FREE span the null space of the active normals.
"""

import numpy as np

from ._jit import kernel
from .arrays import (
    FREE,
    N_DESCENDING,
    SLOPE_TOL,
    X_SIZE,
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
def far_edge(P, S, k, out):
    """Out = -(v_c - sum_m alpha_m v_m), the far half-edge of c = S.basis[k] (after ``kink``)."""
    c = S.basis[k]
    for j in range(out.size):
        out[j] = -S.b[k, j]
    if is_hidden(P, c) and S.on_sample[sample_of(P, c)] > 1:
        for m in range(S.basis.size):
            if S.basis[m] != FREE:
                factor = alpha(P, S, c, S.basis[m])
                if factor != 0.0:
                    for j in range(out.size):
                        out[j] += factor * S.b[m, j]


@kernel
def price(P, S):
    """Slopes and lengths of all half-edges: S.price, S.far, S.length; counts the descending ones.

    Returns True if the gradient has a part in the null space of the active normals (phase 1).
    """
    size = S.basis.size
    for k in range(size):
        S.noise[k, 0] = S.scalar[SLOPE_TOL] * reach_of(S, S.b[k])
        S.price[k] = dot(S.b[k], S.g)
        S.length[k, 0] = np.sqrt(dot(S.b[k], S.b[k]))
    descending = 0
    free_descends = False
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
            for m in range(size):
                if S.basis[m] != FREE:
                    factor = alpha(P, S, c, S.basis[m])
                    if factor != 0.0:
                        far += factor * S.price[m]
                        bent = True
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


@kernel
def flip(P, S, k):
    """Look at the vertex from the other side of active breakpoint S.basis[k]."""
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
def exchange(P, S, k, entering):
    """Breakpoint `entering` takes row `k` of the basis; rank-one update of all edges.

    Row k must not lie in the zero set of `entering`.  Only v_k is scaled by the pivot element:
    dividing once and multiplying by the quotient keeps v_k . n = 1 to one rounding.
    """
    oriented_normal(P, S, entering, S.normal)
    size = S.basis.size
    for m in range(size):
        S.beta[m] = dot(S.b[m], S.normal)
    pivot_element = S.beta[k]
    for j in range(size):
        S.b[k, j] /= pivot_element
    for m in range(size):
        if m != k and S.beta[m] != 0.0:
            factor = S.beta[m]
            for j in range(size):
                S.b[m, j] -= factor * S.b[k, j]
    S.basis[k] = entering


@kernel
def extend(P, S, entering):
    """Rotate the FREE rows so that one of them alone meets n_entering; return that row.

    A Householder reflection keeps the free rows orthonormal when they were.
    """
    oriented_normal(P, S, entering, S.normal)
    size = S.basis.size
    k = -1
    norm2 = 0.0
    for m in range(size):
        S.beta[m] = 0.0
        if S.basis[m] == FREE:
            S.beta[m] = dot(S.b[m], S.normal)
            norm2 += S.beta[m] ** 2
            if k < 0 or abs(S.beta[m]) > abs(S.beta[k]):
                k = m
    norm = np.sqrt(norm2)
    pivot = S.beta[k]
    S.beta[k] = pivot + norm if pivot > 0.0 else pivot - norm
    scale = 2.0 / (norm2 - pivot**2 + S.beta[k] ** 2)
    for j in range(size):
        S.normal[j] = 0.0
    for m in range(size):
        if S.beta[m] != 0.0:
            for j in range(size):
                S.normal[j] += S.beta[m] * S.b[m, j]
    for m in range(size):
        if S.beta[m] != 0.0:
            factor = scale * S.beta[m]
            for j in range(size):
                S.b[m, j] -= factor * S.normal[j]
    return k
