"""Tables as HTML that sort by a click or a key; the page has the script, `assets/tables.js`.

Without it they are plain tables.  Numbers stand to the right and sort as numbers, as exactly as
they are, however they are written.
"""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from .._validate import integer
from .thinned import evenly

_SORT = '<button type="button">{name}<span class="arrow" aria-hidden="true"></span></button>'
_NUMBER = ' class="number"'
_NONE = '<td class="none">&ndash;</td>'


def table(
    columns: Mapping[str, Any],
    caption: str = "",
    most: int = 1000,
    digits: int | Mapping[str, int] = 6,
) -> str:
    """A table with a header for each of the `columns`, equally long sequences or arrays.

    Of more than `most` rows, evenly chosen ones are shown, the first and the last among them, and a
    line says so.  Numbers are written with so many `digits`, which may be told by the names of
    columns (of others 6), and sort as they are.  ValueError if the columns differ in length, or
    `most` is below 2.

    Examples
    --------
    >>> from reluplex_walk.reports.tables import table
    >>> html = table({"walk": [0, 1], "loss": [2.5, 1.25]}, caption="Walks")
    >>> html.count("<tr>"), 'data-value="1.25"' in html
    (3, True)
    """
    most = integer("most", most, 2)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns: expected equal lengths, found {lengths}")
    n = next(iter(lengths.values()), 0)
    rows = evenly(n, most).tolist()
    wanted = digits if isinstance(digits, Mapping) else dict.fromkeys(columns, digits)
    made = {
        name: [_cell(values[k], wanted.get(name, 6)) for k in rows]
        for name, values in columns.items()
    }
    heads = "".join(
        f'<th scope="col" aria-sort="none"{_NUMBER if _NUMBER in "".join(cells) else ""}>'
        f"{_SORT.format(name=escape(str(name)))}</th>"
        for name, cells in made.items()
    )
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in zip(*made.values(), strict=True))
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    label = escape(caption or "table")
    left_out = (
        f'<p class="thinned">{len(rows)} of {n} rows are shown, evenly chosen.</p>'
        if n > most
        else ""
    )
    return (
        f'<div class="table" role="region" aria-label="{label}" tabindex="0">'
        f'<table class="sortable">{title}<thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{left_out}"
    )


def _cell(value: Any, digits: int) -> str:
    """A cell of a number, of yes or no, of text, or of nothing."""
    if value is None or value is np.ma.masked:
        return _NONE
    if isinstance(value, bool | np.bool_):
        return f"<td>{'yes' if value else 'no'}</td>"
    if isinstance(value, int | np.integer):
        return f'<td{_NUMBER} data-value="{int(value)}">{int(value)}</td>'
    if isinstance(value, float | np.floating):
        return _float(float(value), digits)
    return f"<td>{escape(str(value))}</td>"


def _float(value: float, digits: int) -> str:
    if math.isnan(value):
        return _NONE
    text = f"{value:.{digits}g}" if math.isfinite(value) else "∞" if value > 0 else "-∞"
    exact = repr(value) if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
    return f'<td{_NUMBER} data-value="{exact}">{text}</td>'


__all__ = ["table"]
