"""What stands in a column of a table, of whatever library: numbers or categories, and the gaps.

A gap is a missing value: NaN, None, NA, or what is masked.  Categories are what the library calls
so, and text; but text of numbers is asked about.
"""

from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..._frames import plain
from ..._numbers import Place, UnreadableError, floats, missing, refusal, short

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Gaps = NDArray[np.bool_]
Levels = tuple[Any, ...]

GAP = -1
"""Instead of the number of a level."""

_TEXT = ("str", "utf8", "large_str", "<u", ">u", "object")


class Categories(NamedTuple):
    """A column of categories."""

    codes: Ints  # (n,) the number of the level, or GAP
    levels: Levels
    ordered: bool = False

    def used(self) -> tuple["Categories", Levels]:
        """The same with the levels of some row alone, and the others."""
        present = np.unique(self.codes[self.codes != GAP])
        if len(present) == len(self.levels):
            return self, ()
        again = np.full(len(self.levels) + 1, GAP)  # the last for gaps
        again[present] = np.arange(len(present))
        levels = tuple(self.levels[k] for k in present.tolist())
        unused = tuple(level for k, level in enumerate(self.levels) if again[k] == GAP)
        return self._replace(codes=again[self.codes], levels=levels), unused

    @classmethod
    def of_values(cls, values: list[Any], ordered: bool = False) -> "Categories":
        """Of what can be hashed: the levels sorted, if that can be done."""
        levels = list(dict.fromkeys(value for value in values if not is_gap(value)))
        with suppress(TypeError):  # of several types: in the order of appearance
            levels.sort()
        known = {level: k for k, level in enumerate(levels)}
        codes = [GAP if is_gap(value) else known[value] for value in values]
        return cls(np.array(codes, np.int64), tuple(levels), ordered)


def categories(raw: Any) -> Categories | None:
    """The categories of a column, None if it has none."""
    dtype: Any = getattr(raw, "dtype", getattr(raw, "type", None))
    if getattr(dtype, "name", None) == "category":  # of pandas
        return _of_pandas(raw.cat)
    kind = str(dtype).lower()
    if kind.startswith("enum"):  # of polars, in its order
        known = {level: k for k, level in enumerate(dtype.categories)}
        codes = [GAP if value is None else known[value] for value in values_of(raw)]
        return Categories(np.array(codes, np.int64), tuple(known), True)
    if kind.startswith(("dictionary", "categorical")):  # of pyarrow, polars
        return Categories.of_values(values_of(raw), bool(getattr(dtype, "ordered", False)))
    if not kind.startswith(_TEXT):
        return None
    if hasattr(raw, "astype") and hasattr(raw, "iloc"):  # pandas is quick
        with suppress(TypeError):  # of values that cannot be hashed
            found = _of_pandas(raw.astype("category").cat)
            are_text = [isinstance(level, str) for level in found.levels]
            return found if are_text and all(are_text) else None
    values = values_of(raw)
    texts = [value for value in values if not is_gap(value)]
    if not texts or not all(isinstance(value, str) for value in texts):
        return None
    return Categories.of_values(values)


def _of_pandas(cat: Any) -> Categories:
    levels = (item.item() if isinstance(item, np.generic) else item for item in cat.categories)
    return Categories(np.asarray(cat.codes, np.int64), tuple(levels), bool(cat.ordered))


def refuse_numbers_in_text(place: Place, raw: Any, levels: Levels) -> None:
    """TypeError if the levels of a column of text are all numbers: nobody knows what is meant."""
    dtype = getattr(raw, "dtype", getattr(raw, "type", None))
    is_text = str(dtype).lower().startswith(_TEXT)
    if is_text and levels and all(map(_is_number, levels)):
        advice = f"np.asarray({place}, float); names of categories by {place}.astype('category')"
        reason = UnreadableError(f"text ({short(levels[0])})", f"convert it: {advice}")
        raise refusal(reason, place, (0,))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return not text.strip()
    return True


def numbers(place: Place, raw: Any) -> tuple[Floats, Gaps]:
    """The numbers of a column, 0 where there is none; TypeError, ValueError for anything else."""
    array = raw if isinstance(raw, np.ndarray) else plain(place.argument, raw)
    if array.ndim != 1:
        reason = UnreadableError("an array", "give one number for each row")
        raise refusal(reason, place, (0,))
    gaps = gaps_of(array)
    if gaps.any():
        array = np.where(gaps, 0, array)
    found = floats(array, place)
    if array.dtype == object:  # decimals can be no number
        gaps = gaps | np.isnan(found)
        found = np.where(gaps, 0.0, found)
    return found, gaps


def gaps_of(array: NDArray[Any]) -> Gaps:
    """Where values of an array are missing."""
    if isinstance(array, np.ma.MaskedArray):
        return np.ma.getmaskarray(array) | gaps_of(np.ma.getdata(array))
    if array.dtype.kind == "f":
        return np.asarray(np.isnan(array))
    if array.dtype != object:
        return np.zeros(array.shape, np.bool_)
    return np.array([is_gap(value) for value in array.ravel()], np.bool_).reshape(array.shape)


def is_gap(value: Any) -> bool:
    """Whether a value is missing; no date is one."""
    return missing(value) or (isinstance(value, float | np.floating) and bool(value != value))


def gap_refusal(place: Place, row: int) -> Exception:
    """The error that says that a value is missing."""
    remedy = "leave such rows out, or fill them in"
    return refusal(UnreadableError("a missing value", remedy, ValueError), place, (row,))


def values_of(raw: Any) -> list[Any]:
    """The values of a column as Python's objects."""
    for method in ("to_list", "to_pylist", "tolist"):
        if hasattr(raw, method):
            return list(getattr(raw, method)())
    return list(raw)


__all__ = [
    "GAP",
    "Categories",
    "Gaps",
    "Levels",
    "categories",
    "gap_refusal",
    "gaps_of",
    "is_gap",
    "numbers",
    "refuse_numbers_in_text",
    "values_of",
]
