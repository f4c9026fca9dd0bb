"""The border of regression: arguments become arrays, names of columns and labels of rows.

Tables are read by their columns, categories encoded, formulas computed; rows with missing values
are refused or left out.  Every function of this room that takes X and y begins here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..._frames import check_rows, column_labels, index_of, plain
from ..._numbers import Place, short
from ..._validate import choice, flag
from ..data import Data
from .columns import Columns, Found, found_in
from .formula import HOW, modelled
from .names import Names
from .raw_columns import gap_refusal, gaps_of

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MISSING = ("raise", "drop")


class Arguments(NamedTuple):
    """Arguments of a regression without table, formula or missing values, still to be checked."""

    X: Any  # (n, p) numbers
    y: Any  # (n,), or whatever a function takes for y
    sample_weight: Any  # (n,) or None
    fit_intercept: bool
    names: Names


class Given(NamedTuple):
    """What a regression is given: arrays, and names for them."""

    data: Data
    fit_intercept: bool
    names: Names


def given(
    X: Any,
    y: Any,
    formula: str | None = None,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    missing: str = "raise",
) -> Given:
    """The checked arguments of a regression of one response.

    ValueError, TypeError if one does not fit; the message names it.
    """
    read = arguments(X, y, formula, sample_weight, fit_intercept, missing)
    with counted_gaps(read.X, read.y, read.sample_weight):
        data = Data.of(read.X, read.y, read.sample_weight)
    return Given(data, read.fit_intercept, read.names)


def arguments(
    X: Any,
    y: Any,
    formula: str | None = None,
    sample_weight: Any = None,
    fit_intercept: bool = True,
    missing: str = "raise",
) -> Arguments:
    """The arguments of a regression, with the features of tables and formulas as arrays.

    Arrays, of X also sparse ones, are handed on as they are, for others to check (within
    :func:`counted_gaps`); with ``missing="drop"`` without the rows in which a value is missing.
    """
    drop = choice("missing", missing, MISSING) == "drop"
    intercept = flag("fit_intercept", fit_intercept)
    if isinstance(sample_weight, str):
        raise TypeError(
            f"sample_weight: expected weights, found text ({short(sample_weight)}) {_ALONE}; for a "
            f"column of the table give X[{sample_weight!r}]"
        )
    if formula is not None:
        return _by_formula(X, y, formula, sample_weight, intercept, drop)
    _check_text(X, y)
    check_rows(X=X, y=y, sample_weight=sample_weight)
    names = Names(response=_name(y), index=index_of(X) if index_of(y) is None else index_of(y))
    if column_labels("X", X) is None:
        return (
            _without_gaps(X, y, sample_weight, intercept, names, [])
            if drop
            else (Arguments(X, y, sample_weight, intercept, names))
        )
    with counted_gaps(X, y, sample_weight):
        found = found_in(X)
        if drop:
            return _without_gaps(X, y, sample_weight, intercept, names, found)
        return _encoded(X, y, sample_weight, intercept, names, found)


def _encoded(
    X: Any, y: Any, weight: Any, intercept: bool, names: Names, found: list[Found]
) -> Arguments:
    """With the columns `found` in a table as features; ValueError if they have gaps."""
    columns = Columns(tuple(each.column for each in found), intercept)
    names = replace(names, encoding=columns)
    if columns.plain and names.kept is None:  # messages about X know where
        return Arguments(X, y, weight, intercept, names)
    for each in found:
        if each.gaps.any():
            raise gap_refusal(Place("X", True, each.column.label), int(each.gaps.argmax()))
    features = columns.features([each.values for each in found])
    return Arguments(features, y, weight, intercept, names)


def _without_gaps(
    X: Any, y: Any, weight: Any, intercept: bool, names: Names, found: list[Found]
) -> Arguments:
    """Without the rows in which a value is missing; `found` are the columns, if X is a table."""
    masks: list[Mask | None] = [each.gaps for each in found]
    kept = _kept([*(masks or [_gaps("X", X)]), _gaps("y", y), _gaps("sample_weight", weight)])
    if kept is not None:
        index = None if names.index is None else names.index[kept]
        names = replace(names, kept=kept, index=index)
        y, weight = _rows("y", y, kept), _rows("sample_weight", weight, kept)
        X = X if found else _rows("X", X, kept)
        found = [each.only(kept) for each in found]
    if found:
        return _encoded(X, y, weight, intercept, names, found)
    return Arguments(X, y, weight, intercept, names)


def _by_formula(
    X: Any, y: Any, formula: Any, weight: Any, intercept: bool, drop: bool
) -> Arguments:
    """Features and response as a formula has them."""
    if y is not None:
        raise TypeError(
            f"y: expected None beside a formula, which names the response, found {short(y)}"
        )
    if not intercept:
        raise ValueError(
            "fit_intercept: expected True beside a formula, found False; write '- 1' in the formula"
        )
    check_rows(X=X, sample_weight=weight)
    odd = _gaps("sample_weight", weight)
    made = modelled(formula, X, None if odd is None or not odd.any() else ~odd)
    counts = list(made.counts)
    if odd is not None and odd.any():
        counts.append(("sample_weight", int(odd.sum())))
    gaps = made.gaps
    if gaps.any() and not drop:
        raise ValueError(
            f"X: expected no missing values, found some, the first at row {int(gaps.argmax())}; "
            f"{_GAPS}{_advice(gaps, counts)}"
        )
    index = index_of(X)
    names = Names(made.encoding, made.response, index)
    if gaps.any():
        kept = ~gaps
        names = replace(names, kept=kept, index=None if index is None else index[kept])
        weight = _rows("sample_weight", weight, kept)
    return Arguments(made.X, made.y, weight, made.fit_intercept, names)


def _check_text(X: Any, y: Any) -> None:
    """TypeError if a formula or the name of a column is given where data are expected."""
    if isinstance(X, str):
        raise TypeError(f"X: expected an array or a table, found text ({short(X)}) {_ALONE}; {HOW}")
    if y is None:
        raise TypeError(f"y: expected targets, found None; give y, or a formula: {HOW}")
    if isinstance(y, str):
        column = ""
        if y in (column_labels("X", X) or ()):
            column = f"X.drop(columns={y!r}) and X[{y!r}], or "
        raise TypeError(
            f"y: expected targets, found text ({short(y)}) {_ALONE}; give {column}a formula: {HOW}"
        )


_ALONE = "instead of an array"
_GAPS = "leave such rows out, or fill them in"  # in errors about missing values


@contextmanager
def counted_gaps(X: Any, y: Any, sample_weight: Any) -> Iterator[None]:
    """Errors about a missing value say how many there are, and what leaves them out."""
    try:
        yield
    except ValueError as error:
        if _GAPS not in str(error) or "inf " in str(error):
            raise
        masks = {name: _gaps(name, v) for name, v in (("y", y), ("sample_weight", sample_weight))}
        labels = column_labels("X", X)
        if labels is None:
            masks["X"] = _gaps("X", X)
        else:
            masks |= {str(each.column.label): each.gaps for each in found_in(X)}
        gaps = {name: mask for name, mask in masks.items() if mask is not None and mask.any()}
        if not gaps or len({len(mask) for mask in gaps.values()}) > 1:  # an infinity
            raise
        counts = [(name, int(mask.sum())) for name, mask in gaps.items()]
        advice = _advice(np.logical_or.reduce(list(gaps.values())), counts)
        raise ValueError(f"{error}{advice}") from None


def _advice(rows: Mask, counts: list[tuple[Any, int]]) -> str:
    where = ", ".join(f"{name} {count}" for name, count in counts[:8])
    return (
        f" (missing='drop' leaves out {int(rows.sum())} of {len(rows)} rows with missing values: "
        f"{where}{', ...' if len(counts) > 8 else ''})"
    )


def _gaps(name: str, value: Any) -> Mask | None:
    """Rows (n,) of an array in which a value is missing; None if it has no rows."""
    if value is None:
        return None
    if hasattr(value, "tocsr"):
        rows = value.tocoo()
        return np.isin(np.arange(value.shape[0]), rows.row[np.isnan(rows.data)])
    array = value if isinstance(value, np.ndarray) else plain(name, value)
    if array.ndim not in (1, 2) or array.dtype.names:
        return None
    gaps = gaps_of(array)
    return gaps if gaps.ndim == 1 else np.asarray(gaps.any(axis=1))


def _kept(masks: list[Mask | None]) -> Mask | None:
    """The rows without gaps; None: all, or nobody knows, as lengths differ."""
    some = [mask for mask in masks if mask is not None]
    if not any(mask.any() for mask in some) or len({len(mask) for mask in some}) > 1:
        return None
    kept = ~np.logical_or.reduce(some)
    if not kept.any():
        raise ValueError(
            f"X: expected a row without missing values in X, y and sample_weight, found none of "
            f"{len(kept)}; fill them in"
        )
    return np.asarray(kept)


def _rows(name: str, value: Any, kept: Mask) -> Any:
    """The `kept` rows of what is no table, or of a series."""
    if value is None:
        return None
    if hasattr(value, "tocsr"):
        return value.tocsr()[kept]
    if hasattr(value, "iloc"):
        return value.iloc[np.flatnonzero(kept)]
    array = value if isinstance(value, np.ndarray) else plain(name, value)
    if isinstance(array, np.ma.MaskedArray):
        array = np.ma.filled(array, 0)  # masked rows are not kept
    return array[kept]


def _name(y: Any) -> Any:
    """The name of the targets, if they have one."""
    labels = column_labels("y", y)
    if labels is not None:
        return labels[0] if len(labels) == 1 else None
    return getattr(y, "name", None) if hasattr(y, "to_numpy") else None


__all__ = ["Arguments", "Given", "arguments", "counted_gaps", "given"]
