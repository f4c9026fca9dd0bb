"""The columns of a table as features: numbers as they are, categories by indicators.

A category has one indicator for each of its levels but the first, the reference, which the
intercept stands for; without an intercept the first category has one for each (as R has it).
Levels that are in no row have none.  What was read of one table is read the same of the next.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..._frames import Labels, column_labels, is_table, order_of_columns, part
from ..._memory import require_memory
from ..._numbers import Place, short
from ..._validate import LARGEST
from .raw_columns import (
    GAP,
    Categories,
    Gaps,
    Levels,
    categories,
    gap_refusal,
    numbers,
    refuse_numbers_in_text,
    values_of,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SHOWN = 8  # levels named in a message
_UNKNOWN = -2


class Column(NamedTuple):
    """A column of the table that a fit was made from."""

    label: Hashable
    levels: Levels | None = None  # of a category, those in some row; None: numbers
    unused: Levels = ()  # levels that are in no row
    ordered: bool = False
    by_text: bool = False  # levels are known as text only, as from a file

    def read(self, argument: str, raw: Any) -> NDArray[Any]:
        """The numbers of another column (m,), or for each row the number of its level.

        ValueError, TypeError if one is missing, is no number, or is another level.
        """
        place = Place(argument, True, self.label)
        values: NDArray[Any]
        if self.levels is None:
            values, gaps = numbers(place, raw)
        else:
            found = categories(raw) or Categories.of_values(values_of(raw))
            values = self._codes(place, found)
            gaps = values == GAP
        if gaps.any():
            raise gap_refusal(place, int(gaps.argmax()))
        return values

    def _codes(self, place: Place, found: Categories) -> Ints:
        """The number of the level of each row, GAP where it is missing."""
        known = {level: k for k, level in enumerate(self.levels or ())}
        keys = map(str, found.levels) if self.by_text else iter(found.levels)
        codes = np.array([*(known.get(key, _UNKNOWN) for key in keys), GAP])[found.codes]
        odd = codes == _UNKNOWN
        if odd.any():
            row = int(odd.argmax())
            raise self._unknown(place, row, found.levels[found.codes[row]])
        return codes

    def _unknown(self, place: Place, row: int, value: Any) -> ValueError:
        levels = self.levels or ()
        names = ", ".join(short(level) for level in levels[:_SHOWN])
        names += f" and {len(levels) - _SHOWN} more" if len(levels) > _SHOWN else ""
        key = str(value) if self.by_text else value
        why = "which no row of the fit had" if key in self.unused else "unknown to the fit"
        return ValueError(
            f"{place.argument}: expected categories of the fit ({names}), found {short(value)}, "
            f"{why}, {place.at((row,))}; leave such rows out"
        )

    def names(self, whole: bool) -> Labels:
        """The names of its features, as R and statsmodels have them; `whole`: no reference."""
        if self.levels is None:
            return (self.label,)
        if whole:
            return tuple(f"{self.label}[{level}]" for level in self.levels)
        return tuple(f"{self.label}[T.{level}]" for level in self.levels[1:])

    def known_by_text(self) -> "Column":
        """The same, its levels known as text."""
        if self.levels is None:
            return self
        levels, unused = (tuple(map(str, part)) for part in (self.levels, self.unused))
        return self._replace(levels=levels, unused=unused, by_text=True)


class Found(NamedTuple):
    """A column of a table, as it is found."""

    column: Column
    values: NDArray[Any]  # (n,) numbers, or numbers of levels
    gaps: Gaps  # (n,)

    @classmethod
    def of(cls, label: Hashable, raw: Any, argument: str = "X") -> "Found":
        """What stands in it; TypeError, ValueError if that is neither numbers nor categories."""
        place = Place(argument, True, label)
        found = categories(raw)
        if found is None:
            return cls(Column(label), *numbers(place, raw))
        refuse_numbers_in_text(place, raw, found.levels)
        return cls.of_categories(Column(label, found.levels, (), found.ordered), found.codes)

    @classmethod
    def of_categories(cls, column: Column, codes: Ints) -> "Found":
        """Without the levels that are in no row."""
        found, unused = Categories(codes, column.levels or ()).used()
        column = column._replace(levels=found.levels, unused=(*column.unused, *unused))
        return cls(column, found.codes, found.codes == GAP)

    def only(self, kept: Gaps) -> "Found":
        """The `kept` rows."""
        values = self.values[kept]
        if self.column.levels is None:
            return Found(self.column, values, self.gaps[kept])
        return self.of_categories(self.column, values)


def found_in(X: Any, argument: str = "X") -> list[Found]:
    """The columns of the table `X`."""
    labels = column_labels(argument, X) or ()
    return [Found.of(label, part(X, k), argument) for k, label in enumerate(labels)]


@dataclass(frozen=True)
class Columns:
    """How features are made of the columns of a table."""

    columns: tuple[Column, ...]
    intercept: bool = True

    @property
    def labels(self) -> Labels:
        """Of the columns of the table."""
        return tuple(column.label for column in self.columns)

    @property
    def names(self) -> Labels:
        """Of the features."""
        return tuple(name for column, whole in self._coded() for name in column.names(whole))

    @property
    def unused(self) -> list[tuple[Hashable, Levels]]:
        """Columns with levels that are in no row, and these."""
        return [(column.label, column.unused) for column in self.columns if column.unused]

    @property
    def plain(self) -> bool:
        """Whether the features are the columns themselves."""
        return all(column.levels is None for column in self.columns)

    def _coded(self) -> Iterator[tuple[Column, bool]]:
        """The columns, and which of them has an indicator for each level."""
        first = not self.intercept
        for column in self.columns:
            yield column, first and column.levels is not None
            first = first and column.levels is None

    @staticmethod
    def reads(X: Any) -> bool:
        """Whether `X` is a table."""
        return is_table(X)

    def read(self, X: Any, argument: str = "X") -> Floats:
        """Features (m, p) of another table with these columns, in any order.

        ValueError, TypeError if it has others, or values that are missing or unknown.
        """
        order = order_of_columns(argument, X, self.labels) or range(len(self.columns))
        raws = (part(X, k) for k in order)
        parts = [c.read(argument, raw) for c, raw in zip(self.columns, raws, strict=True)]
        return self.features(parts, argument)

    def features(self, parts: Sequence[NDArray[Any]], argument: str = "X") -> Floats:
        """Features (m, p) of columns of numbers, and of numbers of levels."""
        m, p = len(parts[0]) if parts else 0, len(self.names)
        require_memory(f"{argument}: {p} features of {m} rows", 8.0 * m * p, "leave columns out")
        features = np.zeros((m, p))
        at = 0
        for (column, whole), values in zip(self._coded(), parts, strict=True):
            if column.levels is None:
                _check_size(Place(argument, True, column.label), values)
                features[:, at] = values
            else:
                level = values - (0 if whole else 1)
                rows = np.flatnonzero(level >= 0)
                features[rows, at + level[rows]] = 1.0
            at += len(column.names(whole))
        return features


def _check_size(place: Place, values: Floats) -> None:
    """ValueError if a number is not finite, or too large."""
    odd = ~(np.abs(values) <= LARGEST)
    if odd.any():
        row = int(odd.argmax())
        expected, remedy = "finite numbers", "leave such rows out, or fill them in"
        if np.isfinite(values[row]):
            expected, remedy = f"numbers up to {LARGEST:g} in size", "take other units"
        raise ValueError(
            f"{place.argument}: expected {expected}, found {values[row]:g} {place.at((row,))}; "
            f"{remedy}"
        )


__all__ = ["Column", "Columns", "Found", "found_in"]
