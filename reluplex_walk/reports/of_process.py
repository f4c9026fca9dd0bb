"""The sections of a report on a quantile process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .figures import figure
from .head import paragraphs
from .page import Section
from .said.record import count
from .scatter import axes, line, points
from .tables import table
from .thinned import evenly, note

if TYPE_CHECKING:
    from ..regression.parametric.process_fit import QuantileProcess

_DRAWN = 8  # coefficients that are drawn
_TAUS = (0.1, 0.25, 0.5, 0.75, 0.9)


def sections(found: QuantileProcess) -> list[Section]:
    """Each coefficient against the quantile, fits over one input, and all solutions.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk.reports.of_process import sections
    >>> found = rw.quantile_process([[0.0], [1.0], [2.0], [3.0]], [0.0, 2.0, 1.0, 5.0])
    >>> [part.id for part in sections(found)]
    ['coefficients', 'fits', 'solutions']
    """
    if not len(found.taus):
        return []
    parts = [Section("coefficients", "Coefficients by quantile", _coefficients(found))]
    if isinstance(found.X, np.ndarray) and found.X.shape[1] == 1:
        parts.append(Section("fits", "Fits", _fits(found)))
    return [*parts, Section("solutions", "Solutions", _solutions(found))]


def _names(found: QuantileProcess) -> list[str]:
    return [str(name) for name in found.names.of_parameters(found.X.shape[1])]


def _coefficients(found: QuantileProcess) -> str:
    """Each is constant between two solutions."""
    names, first = _names(found), 0 if found.fit_intercept else 1
    moved = np.ptp(found.coefficients, axis=0)
    moved[:first] = -1.0
    order = np.sort(np.argsort(-moved, kind="stable")[: min(_DRAWN, len(names) - first)]).tolist()
    shown, n = evenly(len(found.taus)), len(found.taus)
    words = [f"The {len(order)} coefficients that change most, of {len(names) - first}."]
    made = [
        figure(
            [line(found.taus[shown], found.coefficients[shown, k], names[k], line={"shape": "hv"})],
            axes("quantile", names[k]),
            f"{names[k]} by quantile, {count(n, 'solution')}",
            260,
            caption=note(n, "solutions are drawn"),
        )
        for k in order
    ]
    return paragraphs(words if len(order) < len(names) - first else []) + "".join(made)


def _fits(found: QuantileProcess) -> str:
    """The fits at some quantiles over the one input."""
    x = found.X[:, 0]
    ends = np.array([x.min(), x.max()])
    reached = [tau for tau in _TAUS if found.taus[0] <= tau <= found.taus[-1]]
    traces = [points(x, found.y, "data")]
    for tau in reached:
        b0, b1 = np.asarray(found.at(tau))
        traces.append(line(ends, b0 + b1 * ends, f"quantile {tau:g}", line={"width": 2}))
    target = "y" if found.names.response is None else str(found.names.response)
    label = f"Data and fits at the quantiles {', '.join(f'{tau:g}' for tau in reached)}"
    layout = axes(_names(found)[1], target)
    return figure(traces, layout, label, 420, caption=note(len(x), "samples are drawn"))


def _solutions(found: QuantileProcess) -> str:
    columns: dict[str, Any] = {"from the quantile": found.taus}
    for name, values in zip(_names(found), found.coefficients.T, strict=True):
        columns[f"coefficient of {name}" if name in columns else name] = values
    return table(columns, caption="Solutions, and the quantile from which each holds", digits=7)


__all__ = ["sections"]
