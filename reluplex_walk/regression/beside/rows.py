"""The rows of linear constraints: of coefficients, of fits, of their differences and bends."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..._frames import column_labels
from ..._validate import inputs, real_array
from ..tables.columns import Columns as TableColumns, found_in

Floats = NDArray[np.float64]
Columns = Sequence[Hashable]


def fit_rows(Z: ArrayLike) -> Floats:
    """What the coefficients are multiplied by in fits at `Z`."""
    features = inputs("Z", Z)
    return np.column_stack([np.ones(len(features)), features])


def unit_rows(X: Any, columns: Columns | None, reference: bool) -> Floats:
    """A row of the unit matrix (p + 1, p + 1) for each of the columns, 0 for a reference."""
    known = _features(X)
    p = len(known)
    rows = np.zeros((int(reference), p + 1))
    chosen = known if columns is None else list(columns)
    for column in chosen:
        if column not in known:
            raise ValueError(f"columns: expected some of {known}, found {column!r}")
    places = [1 + known.index(column) for column in chosen]
    return np.concatenate([rows, np.eye(p + 1)[places]])


def _features(X: Any) -> list[Any]:
    """The names of features: those of a fit, or that a table has in a fit; else their numbers."""
    if hasattr(X, "feature_names") and hasattr(X, "coefficients"):  # a fit
        return list(X.feature_names or range(len(X.coefficients) - 1))
    if column_labels("X", X) is None:
        return list(range(inputs("X", X).shape[1]))
    return list(TableColumns(tuple(found.column for found in found_in(X))).names)


def bends(rows: Floats, at: ArrayLike | None) -> Floats:
    """Differences of slopes between values at `at`, in numbers without quotients."""
    where = np.arange(float(len(rows))) if at is None else real_array("at", at, 1)
    if len(where) != len(rows) or (np.diff(where) <= 0.0).any():
        raise ValueError(
            f"at: expected {len(rows)} ascending numbers, found {np.array2string(where)}"
        )
    step = np.diff(where)[:, None]
    rise = np.diff(rows, axis=0)
    return np.asarray(rise[1:] * step[:-1] - rise[:-1] * step[1:])


__all__ = ["Columns", "bends", "fit_rows", "unit_rows"]
