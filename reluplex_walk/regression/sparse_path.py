"""`lad`, `quantile` and `quantile_path` of sparse features: one fit after the other."""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from .._limits import Limits
from .._numbers import short
from .fit import QuantileFit
from .sparse.data import SparseData, SparsePosed
from .sparse.fitting import fit_sparse
from .tables.table import arguments, counted_gaps


def sparse_path(
    X: Any,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    fit_intercept: bool,
    missing: str,
    levels: Sequence[float | None],
    limits: Limits,
    unknown: Mapping[str, Any],
) -> list[QuantileFit]:
    """Fits for each quantile (None: `lad`); arguments that are `unknown` here must not be given."""
    for name, value in unknown.items():
        if value is not None and not (isinstance(value, (bool, int, float)) and value == 0):
            raise ValueError(
                f"{name}: expected none for sparse X, found {short(value)}; give X.toarray()"
            )
    read = arguments(X, y, None, sample_weight, fit_intercept, missing)
    intercept = read.fit_intercept
    with counted_gaps(read.X, read.y, read.sample_weight):
        data = SparseData.of(read.X, read.y, read.sample_weight)
    posed = SparsePosed.of(data, intercept)
    posed.warn(data.X)
    fits: list[QuantileFit] = []
    for tau in levels:
        theta, loss, dual, status, ended, pivots, proof = fit_sparse(data, posed, tau, limits)
        known = theta, loss, dual, status, ended, tau, pivots
        fits.append(QuantileFit(*known, *data, posed.aliased, intercept, proof, read.names))
        if ended.early:
            break
    return fits


__all__ = ["sparse_path"]
