"""Tables at the border: data frames by their columns, and rows and columns by their labels.

Known by what they can do: pandas, polars and pyarrow are not imported.  Arrays go by position,
tables by the labels of their columns, and two that have row labels must have the same ones.
"""

import warnings
from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._numbers import EXACT, Floats, Place, UnreadableError, floats, refusal

Labels = tuple[Hashable, ...]

_SHOWN = 8  # names of columns in messages


def read(name: str, value: Any) -> Floats:
    """The numbers of `value`, an array, a nested sequence or a table, as floats."""
    if type(value) is np.ndarray and value.dtype.names is None:
        return floats(value, Place(name))
    labels = _labels(value)
    if labels is None:
        _refuse_what_hides(name, value)
        return floats(plain(name, value), Place(name))
    if _all_floats(value):
        return floats(np.asarray(value), Place(name))
    if not labels:
        return np.zeros((len(value), 0))
    parts = (_column(Place(name, True, label), value, k) for k, label in enumerate(labels))
    return np.column_stack(list(parts))


def column_labels(name: str, value: Any) -> Labels | None:
    """Labels of the columns of `value`, None if it is no table; ValueError if two are the same."""
    labels = _labels(value)
    if labels is not None and len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ValueError(
            f"{name}: expected columns of different names, found {twice!r} twice; rename one"
        )
    return labels


def is_table(value: Any) -> bool:
    """Whether `value` has columns with labels."""
    return _labels(value) is not None


def index_of(value: Any) -> Any:
    """Labels of the rows of `value`, an index of pandas or its kin; None without."""
    index = getattr(value, "index", None)
    return index if hasattr(index, "equals") else None


def order_of_columns(name: str, value: Any, labels: Labels | None) -> list[int] | None:
    """Which columns of `value` are those of `labels`; None: go by position.

    ValueError if `value` is a table with other columns.
    """
    found = None if labels is None else column_labels(name, value)
    if labels is None or found is None or found == labels:
        return None
    missing = [label for label in labels if label not in found]
    unknown = [label for label in found if label not in labels]
    if missing or unknown:
        parts = [f"no column {missing[0]!r}"] if missing else []
        parts += [f"a column {unknown[0]!r} that it does not have"] if unknown else []
        some = ", ".join(map(repr, labels[:_SHOWN])) + (", ..." if len(labels) > _SHOWN else "")
        raise ValueError(
            f"{name}: expected the columns of the fit, found {' and '.join(parts)}; "
            f"choose and name them as there ({some}), or give an array to go by position"
        )
    return [found.index(label) for label in labels]


def check_rows(**arguments: Any) -> None:
    """ValueError if two of the `arguments` have row labels that are not the same."""
    first: tuple[str, Any] | None = None
    for name, value in arguments.items():
        index: Any = getattr(value, "index", None)
        if not hasattr(index, "equals"):
            continue
        if first is None:
            first = name, index
        elif index is not first[1] and len(index) == len(first[1]):
            _check_index(name, index, *first)


def _check_index(name: str, index: Any, other: str, expected: Any) -> None:
    if expected.equals(index):
        return
    rows = zip(index, expected, strict=True)
    differing = ((k, a, b) for k, (a, b) in enumerate(rows) if a != b)
    row, found, wanted = next(differing, (0, index.dtype, expected.dtype))
    remedy = f"np.asarray({name}) goes by position"
    if index.is_unique and expected.is_unique and not len(expected.difference(index)):
        remedy = f"{name}.loc[{other}.index] puts them in its order, {remedy}"
    raise ValueError(
        f"{name}: expected the row labels (index) of {other}, found {found!r} instead of "
        f"{wanted!r} at row {row}; {remedy}"
    )


def place_of(name: str, value: Any, index: tuple[int, ...]) -> str:
    """Where the entry of `value` is that was read to `index`."""
    labels = _labels(value)
    place = Place(name) if labels is None else Place(name, True, labels[index[1]])
    return place.at(index)


def _labels(value: Any) -> Labels | None:
    """Labels of the columns of a table, None for what is no table."""
    if isinstance(value, np.ndarray):  # of records
        return value.dtype.names
    if hasattr(value, "iloc") or hasattr(value, "get_columns"):  # pandas and its kin, polars
        return tuple(value.columns) if hasattr(value, "columns") else None
    if hasattr(value, "column_names") and hasattr(value, "column"):  # pyarrow
        return tuple(value.column_names)
    return None


def part(table: Any, k: int) -> Any:
    """Column `k` of a table."""
    if isinstance(table, np.ndarray):
        return table[table.dtype.names[k]]
    if hasattr(table, "iloc"):
        return table.iloc[:, k]
    return table.get_columns()[k] if hasattr(table, "get_columns") else table.column(k)


def _all_floats(table: Any) -> bool:
    """Whether the columns of a data frame are plain floats, to be read at once."""
    return hasattr(table, "iloc") and all(
        isinstance(dtype, np.dtype) and dtype.kind == "f" and dtype.itemsize <= 8
        for dtype in table.dtypes
    )


def _column(place: Place, table: Any, k: int) -> Floats:
    """The numbers of column `k` of a table."""
    column = part(table, k)
    if getattr(getattr(column, "dtype", None), "name", None) == "category":
        rest = f"columns=[{place.column!r}], drop_first=True, dtype=float"
        reason = UnreadableError(
            f"a category ({next(iter(column), None)!r})",
            f"encode it: pandas.get_dummies({place.argument}, {rest}), or take categories that "
            f"are numbers for numbers: np.asarray({place}, float)",
        )
        raise refusal(reason, place, (0,))
    numbers = floats(plain(place.argument, column), place)
    if numbers.ndim != 1:
        raise refusal(UnreadableError("an array", "give one number for each row"), place, (0,))
    return numbers


def _refuse_what_hides(name: str, value: Any) -> None:
    """What NumPy would read without its mask, its zeros or its categories."""
    if hasattr(value, "toarray") or hasattr(value, "todense"):
        raise TypeError(
            f"{name}: expected a dense array, found a sparse {type(value).__name__}; "
            f"give {name}.toarray()"
        )
    parts = enumerate(value) if isinstance(value, list | tuple) else ((None, value),)
    for k, part in parts:
        if isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part):
            first = np.argwhere(np.ma.getmaskarray(part))[0].tolist()
            at = Place(name).at(tuple(first if k is None else [k, *first]))
            raise ValueError(
                f"{name}: expected real numbers, found a masked one {at}; leave such rows out, "
                f"or fill them in: {name}.filled(...)"
            )
    if getattr(getattr(value, "dtype", None), "name", None) == "category":
        raise TypeError(
            f"{name}: expected real numbers, found categories; where these are numbers give "
            f"np.asarray({name}, float), else np.where({name} == ..., 1.0, -1.0)"
        )


def plain(name: str, value: Any) -> NDArray[Any]:
    """`value` as an array of whatever it holds, without changing any of it."""
    try:
        with warnings.catch_warnings():  # what is odd is refused
            warnings.simplefilter("ignore")
            array = np.asarray(value)
        if isinstance(value, list | tuple) and _may_have_changed(array):
            array = np.asarray(value, dtype=object)
    except Exception as error:  # of whatever library it is
        if "inhomogeneous" in str(error):
            raise ValueError(
                f"{name}: expected rows of one length, found sequences of several"
            ) from None
        raise TypeError(
            f"{name}: expected an array, found a {type(value).__name__} that NumPy cannot read "
            f"({error}); convert it to an array first"
        ) from None
    return array


def _may_have_changed(array: NDArray[Any]) -> bool:
    """Whether NumPy may have made text of numbers, or rounded large integers."""
    if array.dtype.kind == "f" and array.size:
        return bool((np.abs(array) >= EXACT).any())
    return array.dtype.kind not in "fiubO"


__all__ = [
    "Labels",
    "check_rows",
    "column_labels",
    "index_of",
    "is_table",
    "order_of_columns",
    "part",
    "place_of",
    "plain",
    "read",
]
