"""Sparse features at the border, and the integers that a sparse regression is solved on."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from ..._frames import check_rows
from ..._validate import LARGEST, targets, weights
from ...problem.aliased import RankWarning
from ...problem.decimals import places, written
from ..data import Units
from .aliased import find, independent
from .columns import Parts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LISTED = 10  # aliased columns that the warning names


def sparse_features(name: str, X: Any, width: int | None = None) -> sparse.csc_array:
    """`X` as sorted columns of finite floats (n, `width`), a copy; zeros are left out."""
    if getattr(X, "ndim", 2) != 2:
        raise ValueError(f"{name}: expected a sparse array of shape (n, p), found shape {X.shape}")
    if X.dtype.kind not in "fiub":
        raise TypeError(f"{name}: expected real numbers, found a sparse array of {X.dtype}")
    if X.dtype.kind in "iu" and X.nnz and max(int(X.max()), -int(X.min())) > 2**53:
        raise ValueError(f"{name}: expected numbers that floats hold, found integers above 2^53")
    x = sparse.csc_array(X, dtype=np.float64, copy=True)
    x.sum_duplicates()
    data = x.data
    odd = np.flatnonzero(~(np.abs(data) <= LARGEST))
    if odd.size:
        e = int(odd[0])
        at = int(x.indices[e]), int(np.searchsorted(x.indptr, e, side="right") - 1)
        expected = "finite numbers" if not np.isfinite(data[e]) else f"numbers up to {LARGEST:g}"
        raise ValueError(f"{name}: expected {expected}, found {data[e]:g} at index {at}")
    data[np.abs(data) < 1.0 / LARGEST] = 0.0
    x.eliminate_zeros()
    if width is not None and x.shape[1] != width:
        raise ValueError(f"{name}: expected an array of shape (n, {width}), found shape {x.shape}")
    return x


def is_sparse(X: Any) -> bool:
    """Whether `X` is an array or a matrix of scipy.sparse."""
    return hasattr(X, "tocsc") and hasattr(X, "nnz")


class SparseData(NamedTuple):
    """What a sparse regression is given."""

    X: sparse.csc_array  # (n, p)
    y: Floats  # (n,)
    w: Floats  # (n,)

    @classmethod
    def of(cls, X: Any, y: ArrayLike, sample_weight: ArrayLike | None) -> "SparseData":
        """The checked arguments of a regression."""
        check_rows(y=y, sample_weight=sample_weight)
        x = sparse_features("X", X)
        n, p = x.shape
        if n == 0 or p == 0:
            raise ValueError(
                f"X: expected an array of shape (n, p) with n, p >= 1, found shape {x.shape}; "
                "give some data"
            )
        weight = np.ones(n)
        if sample_weight is not None:
            weight = weights("sample_weight", sample_weight, n)
        return cls(x, targets(y, n)[:, 0], weight)


class Scaled(NamedTuple):
    """The columns multiplied by powers of two, so that their largest entries are about 1."""

    parts: Parts
    scale: Floats  # (q,)

    @classmethod
    def of(cls, x: sparse.csc_array) -> "Scaled":
        """Those of x (n, q), none of whose columns is 0."""
        scale = np.ldexp(1.0, -np.frexp(np.maximum.reduceat(np.abs(x.data), x.indptr[:-1]))[1])
        data = x.data * np.repeat(scale, np.diff(x.indptr))
        return cls(Parts.of(sparse.csc_array((data, x.indices, x.indptr), shape=x.shape)), scale)


class SparsePosed(NamedTuple):
    """A sparse regression as the solver sees it: decimals are integers over powers of ten."""

    x: sparse.csc_array  # (n, q) samples of weight > 0, columns that are fitted
    y: Floats  # (n,)
    w: Floats  # (n,)
    units: Units
    aliased: Ints  # columns of X
    scaled: "Scaled"

    @classmethod
    def of(cls, data: SparseData, intercept: bool) -> "SparsePosed":
        """That of the samples of weight > 0."""
        X, y, w = data
        if not w.all():
            kept = np.flatnonzero(w > 0.0)
            X, y, w = sparse.csc_array(sparse.csr_array(X)[kept]), y[kept], w[kept]
            X.sort_indices()
        values, units = _integers(X)
        x = sparse.csc_array((values, X.indices, X.indptr), shape=X.shape)
        if intercept:
            n = len(y)
            x = sparse.csc_array(
                (
                    np.concatenate([np.ones(n), x.data]),
                    np.concatenate([np.arange(n, dtype=x.indices.dtype), x.indices]),
                    np.concatenate([np.zeros(1, x.indptr.dtype), x.indptr + n]),
                ),
                shape=(n, x.shape[1] + 1),
            )
        fitted, dependent = np.arange(x.shape[1]), np.zeros(0, np.int64)
        scaled = Scaled.of(x) if np.diff(x.indptr).all() else None
        if scaled is None or not independent(scaled.parts):
            dependent = find(x)
            fitted = np.delete(fitted, dependent)
            if not fitted.size:
                raise ValueError("fit_intercept: expected True, found False where all inputs are 0")
            if dependent.size:
                x = sparse.csc_array(x[:, fitted])
                x.sort_indices()
                scaled = None
        y, y_unit = written(y, *places(y[:, None]))
        w, w_unit = written(w, *places(w[:, None]))
        columns = fitted + 1 - intercept  # of the p + 1 coefficients
        of_x = tuple(1 if k == 0 else units[k - 1] for k in columns.tolist())
        units_of = Units(columns, of_x, y_unit, w_unit)
        return cls(x, y, w, units_of, dependent - intercept, scaled or Scaled.of(x))

    def warn(self, X: sparse.csc_array) -> None:
        """The RankWarning, if there is cause for one; for the caller of `lad` and its kin."""
        n, p = X.shape
        some = [k for k in self.aliased.tolist() if _varies(X, k)]
        if some and n > p + 1:
            names = ", ".join(map(str, some[:_LISTED])) + (", ..." if len(some) > _LISTED else "")
            warnings.warn(
                f"X: the constant and earlier columns determine column{'s' * (len(some) > 1)} "
                f"{names} up to rounding; searches leave the weights there alone (see `aliased`)",
                RankWarning,
                stacklevel=6,
            )


def _varies(X: sparse.csc_array, k: int) -> bool:
    entries = X.data[X.indptr[k] : X.indptr[k + 1]]
    if 0 < entries.size < X.shape[0]:
        return True
    return bool(entries.size and np.ptp(entries) > 0.0)


def _integers(X: sparse.csc_array) -> tuple[Floats, list[int]]:
    """The entries, of columns of decimals those of the integers, and the unit of each column."""
    values, units = X.data.copy(), [1] * X.shape[1]
    broken = np.concatenate([[0], np.cumsum(values != np.rint(values))])
    for k in np.flatnonzero(broken[X.indptr[1:]] > broken[X.indptr[:-1]]).tolist():
        part = values[X.indptr[k] : X.indptr[k + 1]]
        part[:], units[k] = written(part, *places(part[:, None]))
    return values, units


__all__ = ["SparseData", "SparsePosed", "sparse_features"]
