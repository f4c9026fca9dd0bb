"""The rows of a table: the text of a CSV file taken apart, or a Parquet file, as cells of text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

SEPARATORS = {"comma": ",", "tab": "\t", "semicolon": ";", "space": " ", "pipe": "|", r"\t": "\t"}
_SUSPECTS = (";", "\t", "|", ",", " ")
_SAMPLE = 20  # rows that are looked at for the separator
_LONGEST = 10_000_000  # characters of a cell: more is a quote that is not closed


class Dialect(NamedTuple):
    """How the cells of a CSV file are written down."""

    sep: str = ","
    comment: str | None = None
    header: bool = True


class Rows(NamedTuple):
    """Cells as text, stripped, each row as long as the header."""

    where: str  # the file, for messages
    header: list[str]
    numbers: list[int]  # of the line in which each row begins, for messages
    cells: list[list[str]]
    unit: str = "line"
    suspicion: str = ""  # what may be wrong with the separator or the header, if a name is missed

    def at(self, row: int) -> str:
        """Where a row is, for messages."""
        return f"{self.unit} {self.numbers[row]} of {self.where}"

    def column(self, name: str) -> list[str]:
        """The cells of one column."""
        k = self.header.index(name)
        return [row[k] for row in self.cells]


class _Lines:
    """Lines of a text for the csv module; between rows, comments are left out."""

    def __init__(self, text: str, dialect: Dialect) -> None:
        self._lines = iter(io.StringIO(text, newline=""))
        self._dialect = dialect
        self.count = 0
        self.first: int | None = None  # line in which the row begins, None before that

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        comment = self._dialect.comment
        for line in self._lines:
            self.count += 1
            if self.first is None and comment and line.lstrip().startswith(comment):
                continue
            if self.first is None:
                self.first = self.count
            return line.replace("\t", " ").rstrip() + "\n" if self._dialect.sep == " " else line
        raise StopIteration


def parse(text: str, dialect: Dialect, where: str) -> Rows:
    """Take `text` apart; ValueError says where that fails, and what may help."""
    text, dialect = _declared(text, dialect)
    rows = list(_rows(text, dialect, where))
    if not rows:
        raise ValueError(f"{where} is empty: expected a header row of column names, and rows below")
    header = [str(k + 1) for k in range(len(rows[0][1]))]
    if dialect.header:
        header = [name.strip() for name in rows.pop(0)[1]]
        header[0] = header[0].lstrip("# ")
    suspicion = _other_separator(text, dialect)
    if not rows:
        raise ValueError(f"{where} holds no rows below its header{_then(suspicion)}")
    cells = [row for _, row in rows]
    mark = text.lstrip()[:1] if dialect.comment is None else ""
    if mark and mark in "#%" and not suspicion:
        suspicion = f"the first line seems to be a comment: --comment '{mark}'"
    header = _fitted(header, cells)
    for number, row in rows:
        if len(row) != len(header):
            raise ValueError(_ragged(number, row, header, where, suspicion))
    header, cells = _named(header, cells)
    if not suspicion and dialect.header and all(map(_numeric, header)):
        suspicion = "the first line seems to be data: --no-header calls the columns 1, 2, ..."
    return Rows(where, header, [number for number, _ in rows], cells, "line", suspicion)


def _declared(text: str, dialect: Dialect) -> tuple[str, Dialect]:
    """Without the line ``sep=;`` by which Excel is told of the separator."""
    if declared := re.match(r"sep=(.)\r?\n", text):
        return "\n" + text[declared.end() :], dialect._replace(sep=declared[1])
    return text, dialect


def _rows(text: str, dialect: Dialect, where: str) -> Iterator[tuple[int, list[str]]]:
    """The line in which each row begins and its stripped cells; empty rows are left out."""
    lines = _Lines(text, dialect)
    limit = csv.field_size_limit(_LONGEST)
    try:
        reader = csv.reader(lines, delimiter=dialect.sep, skipinitialspace=True, strict=True)
        for row in reader:
            number, lines.first = lines.first or 0, None
            if any(map(str.strip, row)):
                yield number, [cell.strip() for cell in row]
    except csv.Error as error:
        begin = lines.first or lines.count
        raise ValueError(
            f"line {begin} of {where}: a cell in quotes is not closed, or followed by text "
            f"({error}); mend that line, or give another --sep"
        ) from None
    finally:
        csv.field_size_limit(limit)


def _fitted(header: list[str], cells: list[list[str]]) -> list[str]:
    """The header with a name for the one cell that all rows have more, if they do.

    Rows that end with a separator hold an empty cell more; R leaves out the name of row names.
    """
    if any(len(row) != len(header) + 1 for row in cells):
        return header
    if all(row[-1] == "" for row in cells):
        return [*header, ""]
    return ["", *header]


def _named(header: list[str], cells: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Columns without a name are called as pandas calls them, and left out if they are empty."""
    kept = [k for k, name in enumerate(header) if name or any(row[k] for row in cells)]
    names = [header[k] or f"Unnamed: {k}" for k in kept]
    return names, cells if len(kept) == len(header) else [[row[k] for k in kept] for row in cells]


def _ragged(number: int, row: list[str], header: list[str], where: str, suspicion: str) -> str:
    counts = f"expected {len(header)} cell{'s' * (len(header) > 1)}, found {len(row)}"
    if row[0][:1] in ("#", "%", "/"):
        suspicion = f"it seems to be a comment: --comment '{row[0][0]}'"
    if not suspicion:
        suspicion = "mend that line (a cell that holds the separator needs quotes), or give --sep"
    return f"line {number} of {where}: {counts}; {suspicion}"


def _other_separator(text: str, dialect: Dialect) -> str:
    """What the separator seems to be, if another divides all rows alike and this one none."""
    if len(set(_lengths(text, dialect))) == 1 and _lengths(text, dialect)[0] > 1:
        return ""
    for sep in _SUSPECTS:
        lengths = _lengths(text, dialect._replace(sep=sep)) if sep != dialect.sep else []
        alike = len(lengths) > 1 and lengths[0] > 1 and len(set(lengths[1:])) == 1
        if alike and lengths[1] - lengths[0] in (0, 1):
            name = {"\t": "tab", " ": "space"}.get(sep, f"'{sep}'")
            return f"columns seem to be separated by {name}: --sep {name}"
    return ""


def _lengths(text: str, dialect: Dialect) -> list[int]:
    try:
        return [len(row) for _, row in islice(_rows(text, dialect, ""), _SAMPLE)]
    except ValueError:
        return []


def _numeric(cell: str) -> bool:
    return bool(re.fullmatch(r"[+-]?[0-9]*[.,]?[0-9]+(e[+-]?[0-9]+)?", cell, re.IGNORECASE))


def _then(suspicion: str) -> str:
    return f"; {suspicion}" if suspicion else ""


def read_parquet(data: bytes, where: str) -> Rows:
    """The table in a Parquet file (extra "parquet"), its values as text."""
    try:
        import pyarrow.parquet
    except ImportError:
        raise ValueError(
            f"{where} is a Parquet file, which needs pyarrow: "
            'pip install "reluplex_walk[parquet]", or save the table as CSV'
        ) from None
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(data))
        columns = [[_written(value) for value in column.to_pylist()] for column in table.columns]
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise ValueError(f"{where} is a damaged Parquet file ({error})") from None
    if not columns or not columns[0]:
        raise ValueError(f"{where} holds no rows")
    cells = [list(row) for row in zip(*columns, strict=True)]
    return Rows(where, list(table.column_names), list(range(1, len(cells) + 1)), cells, "row")


def _written(value: Any) -> str:
    return "" if value is None else str(value).strip()


__all__ = ["SEPARATORS", "Dialect", "Rows", "parse", "read_parquet"]
