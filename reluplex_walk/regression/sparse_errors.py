"""Covariance of the coefficients of sparse features, for errors of one distribution."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from .inference import bandwidth, sparsity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST = 3000  # coefficients, whose covariance is dense
_ROUNDING = 1e-11  # of the terms of a residual, up to which it counts as 0
_DEPENDENT = 1e-8  # share of a column of length 1 that may be left of it by others


def iid_covariance(
    X: Any, y: Floats, w: Floats, tau: float, coefficients: Floats, fitted: Ints, rule: str
) -> Floats:
    """The covariance (q, q) of the fitted coefficients, as ``kind="iid"`` of dense `X` has it."""
    q, keep = fitted.size, np.flatnonzero(w > 0.0)
    if q > _MOST:
        raise ValueError(
            f"kind='iid': expected at most {_MOST} coefficients of sparse X, found {q}, whose "
            "covariance is a dense matrix; leave some columns out of X"
        )
    if keep.size <= q:
        raise ValueError(
            f"errors of coefficients: expected more samples than the {q} coefficients, "
            f"found {keep.size}; give more samples or fewer features"
        )
    X, y, w, b = X[keep], y[keep], w[keep], coefficients
    r = y - (X @ b[1:] + b[0])
    size = np.abs(y) + abs(X) @ np.abs(b[1:]) + abs(b[0])
    r = w * np.where(np.abs(r) <= _ROUNDING * size, 0.0, r)
    if not r.any():  # all on the fit: no errors
        return np.zeros((q, q))
    width = sparsity(r, q, bandwidth(tau, keep.size, rule), keep.size - q)
    rows = sparse.hstack([np.ones((keep.size, 1)), X], format="csc")[:, fitted]
    return width**2 * tau * (1.0 - tau) * _inverse(sparse.diags_array(w) @ rows)


def _inverse(rows: Any) -> Floats:
    """The inverse (q, q) of ``rows' rows``."""
    gram = (rows.T @ rows).toarray()
    size = np.sqrt(gram.diagonal())
    try:
        root = linalg.cholesky(gram / np.outer(size, size), lower=True)
    except linalg.LinAlgError:
        root = np.zeros((1, 1))
    if root.diagonal().min() <= _DEPENDENT:
        raise ValueError(
            "kind='iid': expected columns that are far from dependent, found some that are not, up "
            "to the rounding of their products; refit with X.toarray()"
        )
    half = linalg.solve_triangular(root, np.diag(1.0 / size), lower=True)
    return np.asarray(half.T @ half)


__all__ = ["iid_covariance"]
