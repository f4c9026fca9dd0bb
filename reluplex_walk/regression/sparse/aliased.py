"""Aliased columns of sparse features, without a dense matrix of samples and columns.

Vectors that the normal equations take to 0, as far as floats tell, name the columns in question:
the last one of each.  Whether one is aliased is then told by its own remainder.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ...tolerances import PROBLEM
from .columns import Normal, Parts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CLEAR = 1e-4  # remainders this large, of columns of length 1, are told from 0 by squares
_ENTRY = 1e-6  # of the largest of a vector: 0


def find(x: sparse.csc_array) -> Ints:
    """The columns (ascending) that earlier ones of x (n, q) determine up to rounding; and zeros."""
    filled = np.diff(x.indptr) > 0
    numbers = np.flatnonzero(filled)
    x = _of_length_one(x if filled.all() else sparse.csc_array(x[:, numbers]))
    suspects = _suspects(x)
    if suspects.size:
        kept = np.setdiff1d(np.arange(numbers.size), suspects)
        rests = _remainders(x, kept, suspects)
        suspects = suspects[rests <= PROBLEM.aliased]
    return np.sort(np.concatenate([np.flatnonzero(~filled), numbers[suspects]]))


def independent(parts: Parts) -> bool:
    """Whether no column is near to a combination of others: told at little cost."""
    state = parts.interior()
    parts.least_squares(state)
    normal = Normal(state, 0.0)
    lengths = np.sqrt(state.rest.diagonal())
    return not normal.failed and bool((normal.root.diagonal() > _CLEAR * lengths).all())


def _of_length_one(x: sparse.csc_array) -> sparse.csc_array:
    counts = np.diff(x.indptr)
    largest = np.maximum.reduceat(np.abs(x.data), x.indptr[:-1])
    data = x.data / np.repeat(largest, counts)
    size = np.sqrt(np.add.reduceat(data * data, x.indptr[:-1]))
    return sparse.csc_array((data / np.repeat(size, counts), x.indices, x.indptr), shape=x.shape)


def _parts(x: sparse.csc_array) -> tuple[Parts, Normal]:
    parts = Parts.of(x)
    state = parts.interior()
    parts.least_squares(state)
    return parts, Normal(state, 0.0)


def _suspects(x: sparse.csc_array) -> Ints:
    """Last columns of vectors that x takes to 0, nearly."""
    parts, normal = _parts(x)
    if not normal.failed and (normal.root.diagonal() > _CLEAR).all():
        return np.zeros(0, np.int64)
    square = np.tril(normal.square) + np.tril(normal.square, -1).T
    sizes, vectors = np.linalg.eigh(square)
    null = vectors[:, sizes <= _CLEAR**2]
    whole = np.empty((x.shape[1], null.shape[1]))
    whole[parts.rest], whole[parts.apart] = null, -(normal.shares @ null)
    found = []
    for _ in range(null.shape[1]):
        whole /= np.abs(whole).max(axis=0)
        last = int(np.flatnonzero((np.abs(whole) > _ENTRY).any(axis=1))[-1])
        k = int(np.abs(whole[last]).argmax())
        pivot = whole[:, k] / whole[last, k]
        whole = np.delete(whole, k, axis=1)
        whole -= np.outer(pivot, whole[last])
        whole[last] = 0.0
        found.append(last)
    return np.sort(np.array(found, np.int64))


def _remainders(x: sparse.csc_array, kept: Ints, suspects: Ints) -> Floats:
    """What the columns `kept` leave of the others, of length 1."""
    base = sparse.csc_array(x[:, kept])
    base.sort_indices()
    parts, normal = _parts(base)
    if normal.failed:
        return np.ones(suspects.size)
    state, rows, found = parts.interior(), sparse.csr_array(base), []
    normal.state = state
    for column in suspects.tolist():
        rest = x[:, [column]].toarray()[:, 0]
        for _ in range(4):  # the remainder of a remainder mends what rounding left of the first
            g = base.T @ rest
            state.g_apart[:], state.g_rest[:] = g[parts.apart], g[parts.rest]
            normal.solve()
            rest = rest - rows @ parts.whole(state.d_apart, state.d_rest)
        found.append(float(np.linalg.norm(rest)))
    return np.array(found)


__all__ = ["find", "independent"]
