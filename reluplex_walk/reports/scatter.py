"""Figures that several kinds of results have: data and a fitted function, residuals, outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .figures import figure
from .said.record import count
from .thinned import evenly, note

Floats = NDArray[np.float64]

ROUND = {"size": 6, "opacity": 0.7}
"""Markers of samples."""


def points(x: Floats, y: Floats, name: str, **more: Any) -> dict[str, Any]:
    """A trace of markers, of evenly chosen samples if they are many."""
    shown = evenly(len(x))
    trace = {"type": "scatter", "mode": "markers", "name": name, "marker": ROUND}
    return {**trace, "x": x[shown], "y": y[shown], **more}


def line(x: Any, y: Any, name: str, **more: Any) -> dict[str, Any]:
    """A trace of a line."""
    trace = {"type": "scatter", "mode": "lines", "name": name, "line": {"width": 3}}
    return {**trace, "x": np.asarray(x, float), "y": np.asarray(y, float), **more}


def axes(x: str, y: str, **more: Any) -> dict[str, Any]:
    """A layout with names of both axes."""
    return {"xaxis": axis(x), "yaxis": axis(y), **more}


def axis(name: str, **more: Any) -> dict[str, Any]:
    """An axis with its name, and numbers written as on all others of a page: powers of ten."""
    return {"title": {"text": name}, "exponentformat": "power", **more}


def over_input(x: Floats, y: Floats, curve: tuple[Floats, Floats], names: Sequence[str]) -> str:
    """Samples (n,), (n,) and a fitted `curve` over one input; `names` of input and target."""
    traces = [points(x, y, "data"), line(*curve, "fit")]
    label = f"{names[1]} and its fit over {names[0]}, {count(len(x), 'sample')}"
    return figure(traces, axes(*names), label, caption=note(len(x), "samples are drawn"))


def residuals(fitted: Floats, found: Floats, name: str = "target - fit") -> str:
    """Residuals (n,) against fitted values (n,), with the line of 0."""
    reach = [fitted.min(), fitted.max()] if len(fitted) else [0.0, 1.0]
    zero = line(reach, [0.0, 0.0], "0", line={"width": 2, "dash": "dash"})
    traces = [points(fitted, found, "samples"), zero]
    label = f"Residuals of {count(len(found), 'sample')} against fitted values"
    layout = axes("fitted", f"residual: {name}", showlegend=False)
    return figure(traces, layout, label, caption=note(len(found), "samples are drawn"))


def against(fitted: Floats, target: Floats, name: str) -> str:
    """Targets (n,) against fitted values (n,), with the line on which they are equal."""
    both = np.concatenate([fitted, target])
    reach = [both.min(), both.max()]
    equal = line(reach, reach, "fit = target", line={"width": 2, "dash": "dash"})
    traces = [points(fitted, target, "samples"), equal]
    label = f"{name} against fitted values, {count(len(fitted), 'sample')}"
    layout = axes("fitted", name)
    return figure(traces, layout, label, caption=note(len(fitted), "samples are drawn"))


__all__ = ["against", "axes", "axis", "line", "over_input", "points", "residuals"]
