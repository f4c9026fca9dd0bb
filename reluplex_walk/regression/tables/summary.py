"""The summary of a fit: what was fitted, what is proved of it, and the table of coefficients.

As text, HTML or a data frame.
"""

import io
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from ..._conversions import pandas
from ..._shown import repr_html
from ..._validate import share

Floats = NDArray[np.float64]

INTERVALS_ONLY = ("rank",)
"""Kinds of inference without standard errors."""

_WIDTH = 10_000  # of a line that rich may fill: names are not wrapped


@dataclass(frozen=True)
class Summary:
    """The summary of a :class:`QuantileFit`: ``print`` it, or let a notebook show it.

    Attributes
    ----------
    header : dict
        What was fitted and what is proved, in words.
    names : tuple
        Of the coefficients in the table.
    table : dict
        Its columns, arrays: "coefficient" and, as far as they were asked for and can be told, "std
        error", "t", "P>|t|", "lower", "upper".
    aliased : ndarray
        Which coefficients were not estimated, as their columns are aliased.
    notes : tuple
        What else should be known.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_engel()
    >>> summary = rw.quantile(data.X, data.y, tau=0.9).summary()
    >>> summary.header["samples"], summary.header["proof"]
    ('235', 'global minimum, proved')
    >>> summary.table["coefficient"].round(4)
    array([67.3509,  0.6863])
    """

    header: dict[str, str]
    names: tuple[Any, ...]
    table: dict[str, Floats]
    aliased: NDArray[np.bool_]
    notes: tuple[str, ...]

    @property
    def frame(self) -> Any:
        """The table as a data frame of pandas, a row for each coefficient.

        Aliased coefficients are 0, and a column says which they are, if there are any.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> rw.lad(data.X, data.y).summary().frame["coefficient"].round(4)
        Intercept    81.4822
        x1            0.5602
        Name: coefficient, dtype: float64
        """
        library = pandas()
        index = library.Index(self.names, tupleize_cols=False)
        frame = library.DataFrame(self.table, index)
        return frame.assign(aliased=self.aliased) if self.aliased.any() else frame

    def as_text(self) -> str:
        """The summary as plain text.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> print(rw.lad(data.X, data.y).summary().as_text())
        response   y
        quantile   median (least absolute deviations)
        samples    235
        loss       17559.93265
        ...
        """
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        head = Table(box=None, show_header=False, pad_edge=False)
        for label, value in self.header.items():
            head.add_row(Text(label), Text(value))
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("", no_wrap=True)
        for name in self.table:
            table.add_column(Text(name), justify="right", no_wrap=True)
        for name, cells in self._rows():
            table.add_row(Text(name), *map(Text, cells))
        console = Console(
            file=io.StringIO(),
            width=_WIDTH,
            color_system=None,
            emoji=False,
            force_jupyter=False,  # which would show it there and then
        )
        for part in (head, table, *map(Text, self.notes)):
            console.print(part, soft_wrap=isinstance(part, Text))
        text = console.file.getvalue()  # type: ignore[attr-defined]
        return "\n".join(line.rstrip() for line in text.splitlines())

    def as_html(self) -> str:
        """The summary as HTML tables.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> rw.lad(data.X, data.y).summary().as_html()[:55]
        '<div><table><tbody><tr><th>response</th><td>y</td></tr>'
        """
        head = "".join(
            f"<tr><th>{escape(label)}</th><td>{escape(value)}</td></tr>"
            for label, value in self.header.items()
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<div><table><tbody>{head}</tbody></table>{self.coefficients_html()}{notes}</div>"

    def coefficients_html(self) -> str:
        """The table of coefficients alone, as HTML.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> rw.lad(data.X, data.y).summary().coefficients_html()[:43]
        '<table><thead><tr><th></th><th>coefficient<'
        """
        names = "".join(f"<th>{escape(name)}</th>" for name in ("", *self.table))
        rows = "".join(
            f"<tr><th>{escape(name)}</th>{''.join(f'<td>{escape(c)}</td>' for c in cells)}</tr>"
            for name, cells in self._rows()
        )
        return f"<table><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>"

    def _repr_html_(self) -> str:
        return repr_html(self, self.coefficients_html())

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return self.as_text()

    def _rows(self) -> list[tuple[str, list[str]]]:
        """Name and cells of each row, as text."""
        shown = ~self.aliased
        form = _form(self.table, shown)
        columns = [(_FORMATS.get(name, form), values) for name, values in self.table.items()]
        rows = []
        for k, name in enumerate(self.names):
            row = [form.format(values[k]) for form, values in columns]
            rows.append((str(name), row if shown[k] else ["aliased", *[""] * (len(row) - 1)]))
        return rows


_FORMATS = {"t": "{:.2f}", "P>|t|": "{:.3f}"}
_MOST = 9  # decimals, and digits before the point


def _form(table: dict[str, Floats], shown: NDArray[np.bool_]) -> str:
    """How numbers are written, all alike: the smallest error has three digits."""
    values, digits = table["coefficient"], 5
    if "std error" in table:
        values, digits = table["std error"], 3
    size = np.abs(values[shown & np.isfinite(values) & (values != 0.0)])
    least = float(size.min()) if size.size else 1.0
    most = max(float(np.abs(table["coefficient"]).max(initial=0.0)), *size.tolist(), least)
    decimals = max(0, digits - 1 - math.floor(math.log10(least)))
    return f"{{:.{decimals}f}}" if decimals <= _MOST and most < 10.0**_MOST else "{:.5g}"


def summary_of(fit: Any, kind: str, level: float, options: dict[str, Any]) -> Summary:
    """The summary of a `QuantileFit`, with inference of that `kind`."""
    level = share("level", level)
    first = 0 if fit.fit_intercept else 1
    shown = slice(first, None)
    aliased = np.zeros(fit.coefficients.size, np.bool_)
    aliased[fit.aliased + 1] = True
    table = {"coefficient": fit.coefficients[shown]}
    notes = []
    inferred, reason = _asked(lambda: _inference(fit, kind, level, options))
    if reason.startswith(("kind:", *(f"{name}:" for name in options))):
        raise ValueError(reason)
    if inferred is None:
        notes.append(f"no intervals: {reason}")
    else:
        table |= {name: values[shown] for name, values in inferred.items()}
        notes.append(f"{kind}: {100.0 * level:g} % intervals")
    names = tuple(fit.names.of_parameters(fit.X.shape[1]))
    if aliased.any():
        columns = ", ".join(str(names[k]) for k in np.flatnonzero(aliased).tolist())
        notes.append(f"aliased, determined by the constant and earlier columns: {columns}")
    for label, levels in fit.names.encoding.unused if fit.names.encoding else ():
        notes.append(f"{label}: no row has {', '.join(map(repr, levels))}")
    return Summary(header_of(fit), names[shown], table, aliased[shown], tuple(notes))


_REFUSAL = re.compile(r"[^:]*: expected .* found")


def _asked(call: Callable[[], Any]) -> tuple[Any, str]:
    """What `call` returns, or None and the words in which it is refused."""
    try:
        return call(), ""
    except ValueError as error:
        if _REFUSAL.match(str(error)) is None:
            raise
        return None, str(error)


def header_of(fit: Any) -> dict[str, str]:
    """What was fitted and what is proved."""
    header = {
        "response": str("y" if fit.response_name is None else fit.response_name),
        "quantile": "median (least absolute deviations)" if fit.tau is None else f"{fit.tau:.10g}",
        "samples": str(len(fit.y)),
    }
    if fit.n_dropped:
        header["rows left out"] = f"{fit.n_dropped} with missing values"
    if (fit.sample_weight != 1.0).any():
        header["sum of weights"] = f"{fit.sample_weight.sum():.10g}"
    header["loss"] = f"{fit.loss:.10g}"
    share = _asked(lambda: fit.pseudo_r2)[0] if fit.beside is None else None
    if share is not None:
        header["pseudo R1"] = f"{round(share, 12) + 0.0:.6g}"  # no rounding of 0
    proved = fit.status.proved
    header["proof"] = "global minimum, proved" if proved else f"not proved: {fit.status.message}"
    unique = _asked(lambda: fit.unique)[0]
    if unique is not None:
        header["unique"] = "yes" if unique else "no, other coefficients have the same loss"
    return header


def _inference(fit: Any, kind: str, level: float, options: dict[str, Any]) -> dict[str, Floats]:
    """Columns of the table beside the coefficients."""
    lower, upper = np.asarray(fit.conf_int(kind, level, **options)).T
    ends = {"lower": lower, "upper": upper}
    if kind in INTERVALS_ONLY:
        return ends
    b, errors = fit.coefficients, np.asarray(fit.bse(kind, **options))
    freedom = fit.freedom_of(kind, options.get("groups"))
    with np.errstate(divide="ignore"):
        t = np.divide(b, errors, out=np.zeros(b.size), where=(errors > 0.0) | (b != 0.0))
    return {"std error": errors, "t": t, "P>|t|": 2.0 * stdtr(freedom, -np.abs(t))} | ends


__all__ = ["Summary", "header_of", "summary_of"]
