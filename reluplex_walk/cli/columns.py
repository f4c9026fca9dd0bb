"""Which columns of a table are inputs: names that are found, and columns that number the rows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from .cells import are_dates, quoted, short, zero_led
from .rows import Rows

_UNNAMED = re.compile(r"Unnamed: \d+|__index_level_\d+__|level_\d+")
_INDEX = re.compile(
    r"(x|index|idx|no|nr|case|obs|observation|rank_?no|s\.?no|"
    r"row[ _.-]?(id|names?|no|nr|num|number|index)?)\.?",
    re.IGNORECASE,
)
_ID = re.compile(r"(?i:id|.*[ _.-]id)|.*[a-z](ID|Id)")
_SHOWN = 12  # names in a message


def split_names(words: Iterable[str], header: Sequence[str], option: str, where: str) -> list[str]:
    """The columns that an option names, once or more often: ``a`` or ``a,b``.

    A name of a column may hold commas itself.
    """
    names: list[str] = []
    for word in words:
        found = [word] if word in header else [name.strip() for name in word.split(",")]
        names.extend(name for name in found if name)
    for name in names:
        if name not in header:
            raise ValueError(unknown(name, header, option, where))
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{option}: found {twice[0]!r} twice")
    return names


def unknown(name: str, header: Sequence[str], option: str, where: str, suspicion: str = "") -> str:
    """That there is no such column, and which one may be meant."""
    lower = {each.strip().lower(): each for each in header}
    close = difflib.get_close_matches(name.strip().lower(), lower, 1)
    shown = ", ".join(header[:_SHOWN]) + (", ..." if len(header) > _SHOWN else "")
    hint = suspicion or (f"did you mean {lower[close[0]]!r}?" if close else "")
    found = f"{option}: no column {name!r} in {where} ({shown})"
    return f"{found}; {hint}" if hint else found


def inputs(
    rows: Rows, targets: Sequence[str], drop: Sequence[str], features: Sequence[str]
) -> list[str]:
    """The columns that are inputs: `features`, or all but `drop` and the `targets`.

    A column that numbers the rows is asked about, as it is an input only where it is named.
    """
    if features and drop:
        raise ValueError("--drop: expected --drop or --features, found both")
    chosen = split_names(features, rows.header, "--features", rows.where)
    if both := [name for name in chosen if name in targets]:
        raise ValueError(f"--features: {both[0]!r} is the target")
    dropped = split_names(drop, rows.header, "--drop", rows.where)
    if both := [name for name in dropped if name in targets]:
        raise ValueError(f"--drop: {both[0]!r} is the target")
    if not chosen:
        chosen = [name for name in rows.header if name not in (*targets, *dropped)]
        for name in chosen:
            _ask(rows, name, chosen)
    for name in (*targets, *chosen):
        if rows.header.count(name) > 1:
            raise ValueError(
                f"column {name!r} is there twice in {rows.where}: rename one, "
                f"or leave both out: --drop {quoted(name)}"
            )
    if not chosen:
        besides = " and ".join(map(repr, [*targets, *dropped]))
        hint = f"; {rows.suspicion}" if rows.suspicion else ": add columns to predict it from"
        raise ValueError(f"{rows.where} has no column besides {besides}{hint}")
    return chosen


def _ask(rows: Rows, name: str, chosen: Sequence[str]) -> None:
    """Refuse the column `name` where it seems to number or to name the rows."""
    cells = rows.column(name)
    unnamed = _UNNAMED.fullmatch(name) is not None
    whole = all(cell.isascii() and cell.isdecimal() for cell in cells)
    counts = whole and [int(cell) for cell in cells] in (
        list(range(len(cells))),
        list(range(1, len(cells) + 1)),
    )
    distinct = len(set(cells)) == len(cells) > 1
    if counts and (unnamed or _INDEX.fullmatch(name) or _ID.fullmatch(name)):
        what = f"numbers the rows ({', '.join(cells[:2])}, ...)"
        if len(chosen) == 1 and name.lower() == "x":
            return  # the only input there is
    elif distinct and ((_ID.fullmatch(name) and whole) or _names_rows(name)):
        what = f"names the rows ({cells[0]}, {cells[1]}, ...)"
    elif unnamed:
        what = "has no name"
    else:
        return
    raise ValueError(
        f"column {name!r} of {rows.where} {what}: is it an input?  --drop {quoted(name)} if not, "
        f"--features {_keep(name, chosen)} if so"
    )


def ask_about_digits(rows: Rows, name: str, kept: Sequence[int], chosen: Sequence[str]) -> None:
    """Refuse the column `name` where its digits seem to be no numbers, in the rows `kept`."""
    column = rows.column(name)
    cells = [column[k] for k in kept]
    if (cell := zero_led(cells)) is not None:
        at = rows.at(kept[cells.index(cell)])
        what = f"{at}, column {name!r}: {short(cell)} starts with a zero, as codes do"
        remedy = f"--onehot {quoted(name)} if it is a category, --drop {quoted(name)}"
    elif are_dates(cells):
        what = f"column {name!r} of {rows.where} holds dates ({cells[0]}, ...)"
        remedy = f"convert them to numbers, --drop {quoted(name)}"
    else:
        return
    raise ValueError(f"{what}: {remedy}, or --features {_keep(name, chosen)} if it is a number")


def _keep(name: str, chosen: Sequence[str]) -> str:
    """What --features takes to keep the column `name`."""
    others = ",".join(other for other in chosen if other != name)
    return quoted(name if not others else f"{name},{others if len(others) <= 60 else '...'}")


def _names_rows(name: str) -> bool:
    return bool(_UNNAMED.fullmatch(name) or re.fullmatch(r"(?i)row[ _.-]?names?", name))


__all__ = ["ask_about_digits", "inputs", "split_names", "unknown"]
