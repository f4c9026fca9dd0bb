"""Numbers at the border: which values are read as floats, which are refused, and how to mend them.

A number counts if a float holds it: an integer or a long double exactly, a decimal or a fraction as
the float that prints as it does (0.1 for a tenth).  Nothing is rounded in silence, and what is no
number, such as text, a date or a gap, is never made one.
"""

import datetime
import numbers
from collections.abc import Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXACT = 2**53
"""Floats hold every integer up to this size."""


class Place(NamedTuple):
    """What the user calls an array: an argument, or a column of a table."""

    argument: str
    table: bool = False
    column: Hashable = None

    def __str__(self) -> str:
        """As code: ``X`` or ``X['income']``."""
        return f"{self.argument}[{self.column!r}]" if self.table else self.argument

    def at(self, index: tuple[int, ...]) -> str:
        """Where the entry at `index` is."""
        if self.table:
            return f"at row {index[0]} of column {self.column!r}"
        return f"at index {index}" if index else "instead of an array"


class UnreadableError(Exception):
    """A value that is no number a float holds: what it is, and what to do about it."""

    def __init__(self, found: str, remedy: str, error: type[Exception] = TypeError) -> None:
        super().__init__(found)
        self.found, self.remedy, self.error = found, remedy, error


def floats(array: NDArray[Any], place: Place) -> Floats:
    """The numbers of `array`; ValueError, TypeError if one is none that a float holds."""
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "b" or (kind in "fiu" and size < 8) or (kind == "f" and size == 8):
        return array.astype(np.float64, copy=False)
    if kind in "iu" and (not array.size or max(int(array.max()), -int(array.min())) <= EXACT):
        return array.astype(np.float64)
    if kind == "f":
        with np.errstate(over="ignore"):
            rounded = array.astype(np.float64)
        odd = (rounded != array) & ~np.isnan(array)
        if not odd.any():
            return rounded
        return _one_by_one(array, np.argwhere(odd)[:1], place)
    if kind in "iuO":
        return _one_by_one(array, np.ndindex(array.shape), place)
    return _one_by_one(array, [next(np.ndindex(array.shape), None)], place)


def _one_by_one(array: NDArray[Any], indices: Any, place: Place) -> Floats:
    """The numbers of `array` at the `indices`; a value of another kind is told before a gap."""
    found = np.zeros(array.shape)
    gap: tuple[tuple[int, ...], UnreadableError] | None = None
    for index in indices:
        if index is None:  # an empty array of another kind
            continue
        index = tuple(int(k) for k in index)
        value = array[index]
        try:
            if type(value) is float:
                found[index] = value
            elif missing(value):
                gap = gap or (
                    index,
                    _gap(value),
                )
            else:
                found[index] = held(value, place)
        except UnreadableError as reason:
            raise refusal(reason, place, index) from None
    if gap:
        raise refusal(gap[1], place, gap[0])
    return found


def _gap(value: Any) -> UnreadableError:
    remedy = "leave such rows out, or fill them in"
    return UnreadableError(f"{value}, a missing value,", remedy, ValueError)


def refusal(reason: UnreadableError, place: Place, index: tuple[int, ...]) -> Exception:
    """The error that says it."""
    remedy = f"; {reason.remedy}" if reason.remedy else ""
    return reason.error(
        f"{place.argument}: expected real numbers, found {reason.found} {place.at(index)}{remedy}"
    )


def missing(value: Any) -> bool:
    """None, and the NA of pandas, which has no other use."""
    return value is None or type(value).__name__ == "NAType"


def held(value: Any, place: Place) -> float:
    """`value` as a float; UnreadableError if it is no number, or one that no float holds."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.timedelta64):  # which NumPy counts among the integers
        raise _unreadable(value, place)
    if isinstance(value, (float, np.floating)) and not isinstance(value, np.longdouble):
        return float(value)
    if isinstance(value, (bool, np.bool_)):
        return float(value)
    if isinstance(value, (numbers.Rational, Decimal, np.longdouble)):
        return _nearest(value, place)
    if isinstance(value, numbers.Real):  # some other library's
        return float(value)
    raise _unreadable(value, place)


def _nearest(value: Any, place: Place) -> float:
    """The float that is `value` or, for decimals and fractions, prints as it does."""
    if isinstance(value, Decimal) and not value.is_finite():
        return np.nan if value.is_nan() else float(value)
    if isinstance(value, np.longdouble) and not np.isfinite(value):
        return float(value)
    try:
        with np.errstate(over="ignore"):
            near = float(value)
    except OverflowError:
        near = np.inf
    if np.isinf(near):
        raise UnreadableError(f"the large number {_digits(value)}", "take other units", ValueError)
    if isinstance(value, np.longdouble):
        same = bool(near == value)
    else:
        exact = Fraction(value)
        same = exact == Fraction(near)
        if not same and not isinstance(value, numbers.Integral):
            same = exact == Fraction(repr(near))
    if same:
        return near
    advice = f"np.asarray({place}, float) rounds"
    if isinstance(value, numbers.Integral):
        advice = f"leave identifiers out, subtract an offset, or round: {advice}"
    raise UnreadableError(f"{_digits(value)}, which no float holds,", advice, ValueError)


def _unreadable(value: Any, place: Place) -> UnreadableError:
    """What else `value` is, and how to make numbers of it."""
    if isinstance(value, (str, bytes)):
        return UnreadableError(f"text ({short(value)})", _text_remedy(value, place))
    if isinstance(value, (np.timedelta64, datetime.timedelta)):
        days = f"np.asarray({place}, 'm8[us]') / np.timedelta64(1, 'D')"
        return UnreadableError(f"a time difference ({value})", f"take it in days: {days}")
    if isinstance(value, (np.datetime64, datetime.date)) or type(value).__name__ == "NaTType":
        since = f"(np.asarray({place}, 'M8[us]') - np.datetime64('2000-01-01'))"
        days = f"{since} / np.timedelta64(1, 'D')"
        return UnreadableError(f"a date ({value})", f"count days since some day: {days}")
    if isinstance(value, (numbers.Complex, np.complexfloating)):
        return UnreadableError(f"the complex number {value}", f"np.real({place}) is its real part")
    kind = type(value).__name__
    return UnreadableError(f"a value of type {kind}", _remedy_of_kind(value, place))


def _remedy_of_kind(value: Any, place: Place) -> str:
    """What to do about a value that stands for others."""
    if hasattr(value, "to_timestamp"):
        return f"make dates of it first: {place}.dt.to_timestamp()"
    if hasattr(value, "collect"):
        return f"give {place}.collect()"
    if isinstance(value, Mapping):
        return f"give a table, or an array: np.column_stack(list({place}.values()))"
    if isinstance(value, Iterable) and not isinstance(value, Sequence):
        return f"take its values first: list({place})"
    return "give a number, or an array of numbers"


def _text_remedy(value: Any, place: Place) -> str:
    try:
        float(value)
    except ValueError:
        pass
    else:
        return f"convert it: np.asarray({place}, float)"
    if place.table:
        rest = f"columns=[{place.column!r}], drop_first=True, dtype=float"
        return f"leave it out, or encode it: pandas.get_dummies({place.argument}, {rest})"
    labels = f"np.where(np.asarray({place}) == {short(value)}, 1.0, -1.0)"
    return f"encode it by numbers, labels of two classes by {labels}"


def _digits(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:36]} ..."


def short(value: Any) -> str:
    """`value` in a few characters, for messages."""
    plain = value.item() if isinstance(value, np.generic) else value
    text = " ".join(repr(plain).split())
    return text if len(text) <= 60 else f"{text[:56]} ..."


__all__ = ["EXACT", "Place", "UnreadableError", "floats", "held", "missing", "refusal", "short"]
