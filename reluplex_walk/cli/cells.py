"""Cells of a table as numbers, and what a cell that is none seems to be: a date, a price, a word.

Nothing is guessed: a cell is a number in the notation that was asked for, or refused with a remedy.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MISSING = frozenset(
    ["", "na", "n/a", "#n/a", "nan", "<na>", "nat", "null", "none", "?", "-", "--", "."]
)
THOUSANDS = {"space": "[ \u00a0\u2009\u202f]", "'": "['\u2019]"}

_GROUP = "[ '_\u00a0\u2009\u202f\u2019]"
_SHAPES = (
    (r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(\D.*)?", "a date: convert it to a number, or {drop}"),
    (r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[ap]m)?", "a time: convert it to a number, or {drop}"),
    (
        r"(\d{1,2}[- .])?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[- .,]+\d.*",
        "a date: convert it to a number, or {drop}",
    ),
    (r"[+-]?[\d.,' ]+ ?%", "a percentage: take the % signs away, or {drop}"),
    (r"([$€£¥₹]|[a-z]{3} ).*\d.*|.*\d ?([$€£¥₹]|eur|usd|gbp|chf)",
     "an amount of money: take the currency away, or {drop}"),
    (r"[+-]?(inf|infinity|∞)", "not finite: mend it, or {drop}"),
    (r"\(.*\d\)", "a number in parentheses: write it with a minus sign, or {drop}"),
    (rf"[+-]?\d{{1,3}}(({_GROUP}|[.,])\d{{3}}){{2,}}", "a number in groups: {thousands}"),
    (r"[+-]?\d{1,3}(,\d{3})*\.\d+", "a number with a decimal point: {point}"),
    (r"[+-]?\d{1,3}(\.\d{3})+,\d+", "a number with a decimal comma: --decimal , --thousands ."),
    (r"[+-]?\d{1,3},\d{3}", "a decimal comma or a thousand: --decimal , or --thousands ,"),
    (r"[+-]?\d*,\d+(e[+-]?\d+)?", "a decimal comma: --decimal ,"),
    (rf"[+-]?\d{{1,3}}({_GROUP}\d{{3}})+[.,]?\d*", "a number in groups: {thousands}"),
    (r"[+-]?\d*\.\d+(e[+-]?\d+)?", "a decimal point, or groups: --decimal . or --thousands ."),
    (r"[+-]?[\d.,]+ ?[a-zµ°/]+[\d²³]?", "a number with a unit: take the unit away, or {drop}"),
)  # fmt: skip


class Notation:
    """How numbers are written: the decimal sign, and what parts thousands."""

    def __init__(self, decimal: str = ".", thousands: str | None = None) -> None:
        if thousands == decimal:
            raise ValueError(f"--thousands: expected another sign than --decimal {decimal}")
        self.decimal, self.thousands = decimal, thousands

    @cached_property
    def _groups(self) -> str | None:
        if self.thousands is None:
            return None
        return THOUSANDS.get(self.thousands, re.escape(self.thousands))

    @cached_property
    def _number(self) -> re.Pattern[str]:
        whole = "[0-9]+"
        if self._groups:
            whole = rf"(?:[0-9]{{1,3}}(?:{self._groups}[0-9]{{3}})+|[0-9]+)"
        point = re.escape(self.decimal)
        size = rf"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)"
        return re.compile(rf"[+\-\u2212]?{size}(?:[eE][+-]?[0-9]+)?")

    def number(self, cell: str) -> float | None:
        """The number that `cell` is in this notation, if it is one."""
        if not self._number.fullmatch(cell):
            return None
        plain = cell.replace("\u2212", "-")
        if self._groups:
            plain = re.sub(self._groups, "", plain)
        return float(plain.replace(self.decimal, "."))


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.lower() in MISSING


def numbers(
    cells: list[str], notation: Notation, name: str, at: list[str], remedy: str = ""
) -> NDArray[np.float64]:
    """The `cells` of the column `name` as numbers; ``at[k]`` is where cell k is, in messages.

    `remedy` is for words, where the column holds no numbers.
    """
    import numpy as np

    from .._validate import LARGEST

    values = np.empty(len(cells))
    for k, cell in enumerate(cells):
        value = notation.number(cell)
        if value is None:
            what = _what(cell, notation, name, _mostly_numbers(cells, notation), remedy)
            raise ValueError(f"{at[k]}, column {name!r}: expected a number, found {what}")
        if abs(value) > LARGEST:
            raise ValueError(
                f"{at[k]}, column {name!r}: expected numbers up to {LARGEST:g} in size, "
                f"found {short(cell)}: mend it, or --drop {quoted(name)}"
            )
        if len(cell) > 15 and cell.lstrip("+-").isdecimal() and int(cell) != int(value):
            raise ValueError(
                f"{at[k]}, column {name!r}: {short(cell)} has more digits than a number holds: "
                f"if it names something --drop {quoted(name)}, else write it as {value:.15e}"
            )
        values[k] = value
    return values


def zero_led(cells: list[str]) -> str | None:
    """The first cell of digits after a leading zero: numbers are not written so, names are."""
    return next((cell for cell in cells if re.fullmatch("0[0-9]+", cell)), None)


def are_dates(cells: list[str]) -> bool:
    """Whether all `cells` are dates from 1900 to 2100, written as yyyymmdd."""
    return all(map(_is_date, cells))


def _is_date(cell: str) -> bool:
    if not re.fullmatch("[0-9]{8}", cell):
        return False
    try:
        return 1900 <= date(int(cell[:4]), int(cell[4:6]), int(cell[6:])).year <= 2100
    except ValueError:
        return False


def _mostly_numbers(cells: list[str], notation: Notation) -> bool:
    found = sum(notation.number(cell) is not None for cell in cells)
    return 2 * found > len(cells)


def _what(cell: str, notation: Notation, name: str, mostly: bool, remedy: str) -> str:
    """What a cell seems to be, and what helps."""
    drop = f"--drop {quoted(name)}"
    if remedy:  # of a target, which cannot be dropped
        drop = "choose another --target"
    lower = cell.lower()
    group = next((c for c in cell if not c.isdigit() and c not in "+-\u2212"), ".")
    thousands = "space" if group.isspace() else group.replace("\u2019", "'")
    point = f"--decimal .{' --thousands ,' if ',' in cell else ''}"
    for shape, words in _SHAPES:
        if re.fullmatch(shape, lower):
            flag = f"--thousands {quoted(thousands)}"
            return f"{short(cell)}, {words.format(drop=drop, thousands=flag, point=point)}"
    if mostly:
        return f"{short(cell)}: mend it, or {drop}"
    return f"{short(cell)}: {remedy or f'--onehot {quoted(name)} if it is a category, or {drop}'}"


def short(cell: str) -> str:
    """A cell in quotes, cut if it is long."""
    return repr(cell if len(cell) <= 40 else cell[:37] + "...")


def quoted(word: str) -> str:
    """A word as the shell takes it."""
    return word if re.fullmatch(r"[\w.,:=@%+/-]+", word) else "'" + word.replace("'", "'\\''") + "'"


__all__ = [
    "MISSING",
    "THOUSANDS",
    "Notation",
    "are_dates",
    "is_missing",
    "numbers",
    "quoted",
    "short",
    "zero_led",
]
