"""The edges at a vertex from scratch: the (pseudo-)inverse of the matrix of active normals.

It is read off a QR factorisation of the transposed normals, a full orthogonal basis whatever their
rank.  At large D the normals of the trained layer's own breakpoints come first: each is 0 outside
the q columns of its neuron, so that they take one small QR per neuron.  The other normals then
live in the null spaces of these blocks, and the QR that costs is only as large as those.
"""

import numpy as np
from numba import float64, int64, void
from scipy import linalg

from ._jit import entry
from .arrays import FREE, P, S
from .tail import oriented_normal

_SPLIT = 128  # parameters from which the factorisation by neurons pays
_DEPENDENT = 1e-13  # of the largest diagonal entry


@entry(void, P, S, int64[::1], float64[:, ::1])
def normals(P, S, ids, out):
    """Out (len(ids), D): oriented normals of the breakpoints `ids`."""
    for k in range(ids.size):
        oriented_normal(P, S, ids[k], out[k])


def refactorise(P, S):
    """S.b from the normals of S.basis; the FREE rows become an orthonormal null space.

    Normals that depend on others leave the basis.
    """
    q, n = P.x.shape
    h = int(P.widths[0]) if S.basis.size >= _SPLIT and P.widths.size > 1 else 0
    active = np.flatnonzero(S.basis != FREE)
    local = S.basis[active] < h * n
    dense = active[~local]
    rest = np.zeros((dense.size, S.basis.size))
    normals(P, S, S.basis[dense], rest)
    neuron = S.basis[active[local]] // n
    rows = [active[local][neuron == j] for j in range(h)]
    columns = [slice(j * q, (j + 1) * q) for j in range(h)]
    factors = []
    for j in range(h):
        samples = S.basis[rows[j]] % n
        factors.append(_qr(P.xt[samples] * S.side[j, samples, None]))
    null = [orthogonal[:, triangle.shape[1] :] for orthogonal, triangle in factors]
    core = rest
    if h:
        core = np.hstack([rest[:, columns[j]] @ null[j] for j in range(h)])
    factors.append(_qr(core))
    diagonal = np.abs(np.concatenate([np.diag(triangle) for _, triangle in factors]))
    if diagonal.size < active.size or (diagonal < _DEPENDENT * diagonal.max(initial=0.0)).any():
        _drop_dependent(P, S, active)
        return refactorise(P, S)

    across = _inverse(*factors[-1])
    _store(S, S.basis == FREE, factors.pop()[0][:, dense.size :].T, null)
    _store(S, dense, across, null)
    across = S.b[dense]
    for j in range(h):
        inverse = _inverse(*factors[j])
        S.b[rows[j]] = -(inverse @ rest[:, columns[j]].T) @ across
        S.b[rows[j], columns[j]] += inverse


def _store(S, rows, edges, null):
    """S.b[rows] = `edges`, given in coordinates in the null spaces of the neurons' blocks."""
    if not null:
        S.b[rows] = edges
    column = start = 0
    for basis in null:
        q, dim = basis.shape
        S.b[rows, column : column + q] = edges[:, start : start + dim] @ basis.T
        column, start = column + q, start + dim


def _qr(normal):
    """Q (m, m) and R (m, r) of the transpose of `normal` (r, m)."""
    if normal.size == 0:
        return np.eye(normal.shape[1]), np.zeros(normal.shape[::-1])
    return linalg.qr(normal.T, check_finite=False)


def _inverse(orthogonal, triangle):
    """Transposed pseudo-inverse (r, m) of the normals with this QR: its rows are the edges."""
    rank = triangle.shape[1]
    return linalg.solve_triangular(triangle[:rank], orthogonal[:, :rank].T, check_finite=False)


def _drop_dependent(P, S, active):
    """Rows of S.basis whose normals depend on the others' become FREE."""
    normal = np.zeros((active.size, S.basis.size))
    normals(P, S, S.basis[active], normal)
    _, triangle, order = linalg.qr(normal.T, mode="economic", pivoting=True)
    size_of = np.abs(np.diag(triangle))
    independent = order[: size_of.size][size_of >= _DEPENDENT * size_of[0]]
    S.basis[np.delete(active, independent)] = FREE
