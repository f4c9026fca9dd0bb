"""Names in files: what a fit knows of its table, as arrays and a text in JSON.

What is neither text nor a number is told to the user when it is written, never pickled.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._files import check_member
from ..._numbers import short
from ..._validate import LARGEST
from .columns import Column, Columns
from .formula import FormulaColumns, Variable
from .names import Names

Arrays = dict[str, Any]


def to_arrays(names: Names) -> Arrays:
    """The names as arrays; ValueError if they are of kinds that files do not hold."""
    arrays: Arrays = {}
    told: dict[str, Any] = {
        "response": _to_json("response_name", names.response),
        "encoding": _encoding_to_json(names.encoding, arrays),
        "index": None if names.index is None else _index_to_json(names.index, arrays),
    }
    if names.kept is not None:
        arrays["kept"] = names.kept
    return {"text": json.dumps(told), **arrays}


def from_arrays(arrays: Mapping[str, NDArray[Any]], n: int) -> Names:
    """The names of a fit of `n` rows; any error if these are the arrays of none."""
    check_member(arrays, "text", "U", ())
    told = json.loads(str(arrays["text"]))
    kept = None
    if "kept" in arrays:
        kept = arrays["kept"]
        check_member(arrays, "kept", "b", kept.shape)
        if kept.ndim != 1 or kept.sum() != n:
            raise ValueError(f"kept: expected {n} rows, found {kept.sum()}")
    index = None if told["index"] is None else _index_from_json(told["index"], arrays)
    if index is not None and len(index) != n:
        raise ValueError(f"index: expected {n} labels, found {len(index)}")
    encoding = _encoding_from_json(told["encoding"], arrays)
    return Names(encoding, _from_json(told["response"]), index, kept)


# ---------------------------------------------------------------- labels


def _to_json(what: str, value: Any) -> Any:
    """A label; ValueError for what is neither text nor a number, nor a tuple of these."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, tuple):
        return {"tuple": [_to_json(what, each) for each in value]}
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise ValueError(
        f"{what}: expected text or numbers, to be saved, found {short(value)} of type "
        f"{type(value).__name__}; rename it and fit again"
    )


def _from_json(told: Any) -> Any:
    return tuple(map(_from_json, told["tuple"])) if isinstance(told, dict) else told


# ---------------------------------------------------------------- columns


def _column_to_json(column: Column) -> dict[str, Any]:
    levels = [*(column.levels or ()), *column.unused]
    if any(type(level) not in (bool, int, float, str) for level in levels):
        column = column.known_by_text()  # intervals, dates
    return {
        "label": _to_json("feature_names", column.label),
        "levels": column.levels,
        "unused": column.unused,
        "ordered": column.ordered,
        "by_text": column.by_text,
    }


def _column_from_json(told: dict[str, Any]) -> Column:
    levels = None if told["levels"] is None else tuple(told["levels"])
    label, unused = _from_json(told["label"]), tuple(told["unused"])
    return Column(label, levels, unused, bool(told["ordered"]), bool(told["by_text"]))


def _encoding_to_json(encoding: Any, arrays: Arrays) -> dict[str, Any] | None:
    if isinstance(encoding, Columns):
        columns = [_column_to_json(column) for column in encoding.columns]
        return {"columns": columns, "intercept": encoding.intercept}
    if not isinstance(encoding, FormulaColumns):
        return None
    for k, variable in enumerate(encoding.variables):
        arrays[f"variable_{k}"] = variable.values
    return {
        "formula": encoding.text,
        "names": encoding.names,
        "available": encoding.available,
        "variables": [(_column_to_json(v.column), v.kind) for v in encoding.variables],
    }


def _encoding_from_json(
    told: dict[str, Any] | None, arrays: Mapping[str, NDArray[Any]]
) -> Columns | FormulaColumns | None:
    if told is None:
        return None
    if "columns" in told:
        columns = tuple(_column_from_json(column) for column in told["columns"])
        return Columns(columns, bool(told["intercept"]))
    variables = []
    for k, (column, kind) in enumerate(told["variables"]):
        variable = Variable(_column_from_json(column), arrays[f"variable_{k}"], str(kind))
        levels = variable.column.levels
        check_member(arrays, f"variable_{k}", "f8" if levels is None else "i8")
        values, most = variable.values, LARGEST if levels is None else len(levels) - 1
        if values.ndim != 1 or not (np.abs(values) <= most).all() or (levels and values.min() < 0):
            raise ValueError(f"variable_{k}: expected numbers up to {most:g}")
        variables.append(variable)
    names, available = tuple(told["names"]), tuple(told["available"])
    return FormulaColumns(str(told["formula"]), tuple(variables), names, available, loaded=True)


# ---------------------------------------------------------------- labels of rows


def _index_to_json(index: Any, arrays: Arrays, name: str = "index") -> dict[str, Any]:
    """An index of pandas; its numbers in `arrays`."""
    told: dict[str, Any] = {"name": _to_json("rows", index.name)}
    if index.nlevels > 1:
        parts = [index.get_level_values(k) for k in range(index.nlevels)]
        levels = [_index_to_json(part, arrays, f"{name}_{k}") for k, part in enumerate(parts)]
        return {**told, "levels": levels}
    if hasattr(index, "step") and hasattr(index, "start"):
        return {**told, "range": [index.start, index.stop, index.step]}
    dtype = str(index.dtype)
    if dtype.startswith("datetime64["):
        arrays[name] = index.asi8
        zone = None if index.tz is None else str(index.tz)
        return {**told, "array": name, "unit": np.datetime_data(_naive(index))[0], "zone": zone}
    if isinstance(index.dtype, np.dtype) and index.dtype.kind in "biuf":
        arrays[name] = index.to_numpy()
        return {**told, "array": name}
    labels = [_to_json("rows", label) for label in index]
    return {**told, "labels": labels, "objects": dtype == "object"}


def _naive(index: Any) -> Any:
    return index.tz_localize(None).to_numpy().dtype


def _index_from_json(told: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Any:
    try:
        import pandas
    except ImportError:  # rows then go by number
        return None
    name = _from_json(told["name"])
    if "levels" in told:
        levels = [_index_from_json(level, arrays) for level in told["levels"]]
        return pandas.MultiIndex.from_arrays(levels, names=[level.name for level in levels])
    if "range" in told:
        return pandas.RangeIndex(*map(int, told["range"]), name=name)
    if "labels" in told:
        labels = [_from_json(label) for label in told["labels"]]
        dtype = object if told["objects"] else None
        return pandas.Index(labels, dtype=dtype, name=name, tupleize_cols=False)
    values = arrays[told["array"]]
    if "unit" not in told:
        return pandas.Index(values, name=name)
    dates = pandas.DatetimeIndex(values.astype(np.int64).view(f"M8[{told['unit']}]"), name=name)
    return dates if told["zone"] is None else dates.tz_localize("UTC").tz_convert(told["zone"])


__all__ = ["from_arrays", "to_arrays"]
