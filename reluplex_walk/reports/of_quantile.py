"""The sections of a report on a quantile regression."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..regression.beside.together import Together
from .figures import figure
from .head import paragraphs
from .page import Section
from .said.fits import on_fit, signs
from .scatter import axes, line, over_input, points, residuals
from .tables import table
from .thinned import note

if TYPE_CHECKING:
    from ..regression.fit import QuantileFit

Floats = NDArray[np.float64]

_VIEWS = 6  # inputs of which a partial view is drawn


def sections(fit: QuantileFit) -> list[Section]:
    """Coefficients, the fit over its inputs, residuals, sides of the fit, and the proof.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk.reports.of_quantile import sections
    >>> data = rw.datasets.load_engel()
    >>> [part.id for part in sections(rw.quantile(data.X, data.y, tau=0.9))]
    ['coefficients', 'fit', 'residuals', 'shares', 'proof', 'samples']
    """
    fit_html = _fit(fit)
    return [
        Section("coefficients", "Coefficients", _coefficients(fit)),
        *([Section("fit", "The fit", fit_html)] if fit_html else []),
        Section("residuals", "Residuals", _residuals(fit)),
        Section("shares", "Above and below", _shares(fit)),
        Section("proof", "The proof", _proof(fit)),
        Section("samples", "Samples", _samples(fit)),
    ]


def _coefficients(fit: QuantileFit) -> str:
    """The table of the summary, as it is: with errors and intervals where these can be told."""
    summary = fit.summary()
    columns: dict[str, Any] = {"name": [str(name) for name in summary.names]}
    for name, values in summary.table.items():
        columns[name] = np.ma.masked_array(values, summary.aliased)
    return table(columns, caption="Coefficients") + paragraphs(list(summary.notes))


def _fit(fit: QuantileFit) -> str:
    """Over one input the line; over several partial views; nothing for sparse inputs."""
    if not isinstance(fit.X, np.ndarray):
        return ""
    names = [str(name) for name in fit.names.of_parameters(fit.X.shape[1])][1:]
    target = _target(fit)
    if fit.X.shape[1] == 1:
        ends = np.array([fit.X.min(), fit.X.max()])
        curve = ends, fit.coefficients[0] + fit.coefficients[1] * ends
        return over_input(fit.X[:, 0], fit.y, curve, (names[0], target))
    moved = np.abs(fit.coefficients[1:]) * np.ptp(fit.X, axis=0)
    order = np.argsort(-moved, kind="stable")[:_VIEWS]
    words = [
        "A view for each input: the target without what the other inputs and the intercept add, "
        "and the part of this input in the fit."
    ]
    if len(order) < len(names):
        words.append(f"The {len(order)} inputs that move the fit most, of {len(names)}.")
    return paragraphs(words) + "".join(_view(fit, int(j), names[j]) for j in order)


def _view(fit: QuantileFit, j: int, name: str) -> str:
    """The residuals plus the part of input `j`, over that input."""
    slope, x = fit.coefficients[1 + j], fit.X[:, j]
    ends = np.array([x.min(), x.max()])
    traces = [
        points(x, np.asarray(fit.residuals) + slope * x, "target without the other parts"),
        line(ends, slope * ends, f"part of {name}"),
    ]
    label = f"Partial view of {name}: slope {slope:.6g}"
    layout = axes(name, f"part of {_target(fit)}")
    return figure(traces, layout, label, 300, caption=note(len(x), "samples are drawn"))


def _residuals(fit: QuantileFit) -> str:
    return residuals(np.asarray(fit.fitted), np.asarray(fit.residuals))


def _tau(fit: QuantileFit) -> float:
    return 0.5 if fit.tau is None else fit.tau


def _cost(fit: QuantileFit, u: Floats) -> Floats:
    """Of residuals, for a weight of 1."""
    up, down = (1.0, 1.0) if fit.tau is None else (fit.tau, 1.0 - fit.tau)
    return up * np.maximum(u, 0.0) + down * np.maximum(-u, 0.0)


def _shares(fit: QuantileFit) -> str:
    """How many samples lie below, on and above the fit, and what they cost."""
    found, on = np.asarray(fit.residuals), on_fit(fit)
    sides = {
        "below the fit": ~on & (found < 0),
        "on the fit": on,
        "above the fit": ~on & (found > 0),
    }
    total, cost = float(fit.sample_weight.sum()) or 1.0, fit.sample_weight * _cost(fit, found)
    cost[on & _exactly_on(fit)] = 0.0  # what floats have there is rounding
    columns = {
        "samples": [*sides],
        "number": list(signs(fit)),
        "share": [float(some.mean()) for some in sides.values()],
        "share of weight": [
            float(fit.sample_weight[some].sum()) / total for some in sides.values()
        ],
        "loss": [float(cost[some].sum()) for some in sides.values()],
    }
    words = (
        f"Of a minimum at the quantile {_tau(fit):g}, with an intercept and nothing beside the "
        f"loss, at most {_tau(fit):g} of the weight lies below, and at most {1.0 - _tau(fit):g} "
        "above; the rest lies on it."
    )
    alone = fit.beside is None and not isinstance(fit._end, Together)  # of its samples
    plain = fit.status.proved and fit.fit_intercept and alone
    return table(columns, caption="Samples by their side of the fit") + paragraphs(
        [words] if plain else []
    )


def _exactly_on(fit: QuantileFit) -> Any:
    """Samples (n,) whose residual is proved to be 0: their multiplier lies between its ends."""
    up, down = (1.0, 1.0) if fit.tau is None else (fit.tau, 1.0 - fit.tau)
    room = 1e-9 * fit.sample_weight
    between = (fit.dual > room - down * fit.sample_weight) & (
        fit.dual < up * fit.sample_weight - room
    )
    return between & fit.status.proved


def _proof(fit: QuantileFit) -> str:
    """What is proved, and the multipliers of the samples on the fit."""
    on = np.flatnonzero(on_fit(fit)).tolist()
    up, down = (1.0, 1.0) if fit.tau is None else (fit.tau, 1.0 - fit.tau)
    words = (
        [
            "The proof is a multiplier for each sample: that of a sample above the fit is its cost "
            f"for a unit upwards ({up:g} times its weight), that of one below is {-down:g} times "
            "its weight, and those of samples on the fit lie between. Times the inputs they add "
            "up to 0; with a penalty, constraints or other fits not to be crossed, to what these "
            "push with. As what is minimised is convex, no other coefficients have less of it.",
            "The numbers below are floats; the proof itself is in rational arithmetic: "
            "`fit.verify()`.",
        ]
        if fit.status.proved
        else [
            f"Nothing is proved of this fit: {fit.status.message}. Its multipliers, below, need "
            "not balance."
        ]
    )
    columns = {
        "row": _labels(fit, on),
        "target": fit.y[on],
        "weight": fit.sample_weight[on],
        "least": -down * fit.sample_weight[on],
        "multiplier": fit.dual[on],
        "most": up * fit.sample_weight[on],
    }
    return paragraphs(words) + table(columns, caption="Samples on the fit and their multipliers")


def _samples(fit: QuantileFit) -> str:
    columns = {
        "row": _labels(fit, range(len(fit.y))),
        "target": fit.y,
        "fitted": np.asarray(fit.fitted),
        "residual": np.asarray(fit.residuals),
        "multiplier": fit.dual,
    }
    return table(columns, caption=f"Samples: {_target(fit)}, fit and residual")


def _labels(fit: QuantileFit, rows: Iterable[int]) -> list[Any]:
    """The labels of some rows: numbers as they are, else text."""
    labels = list(fit.rows)
    return [_plain(labels[k]) for k in rows]


def _plain(label: Any) -> Any:
    return label if isinstance(label, int | np.integer) else str(label)


def _target(fit: QuantileFit) -> str:
    return "y" if fit.response_name is None else str(fit.response_name)


__all__ = ["sections"]
