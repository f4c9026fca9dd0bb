"""The sections of a report on a trained network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .figures import figure
from .head import paragraphs
from .page import Section
from .said.record import count
from .scatter import against, axes, line, over_input, points, residuals
from .tables import table
from .thinned import evenly

if TYPE_CHECKING:
    from ..optimize.training.fit import TrainingFit

Floats = NDArray[np.float64]

_GRID = 1000  # points of a curve, besides the samples
_OUTPUTS = 4  # that are drawn


def sections(fit: TrainingFit) -> list[Section]:
    """The rounds of the search, what is proved of each layer, and the fit.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk.reports.of_training import sections
    >>> net = rw.ReLUNetwork.random([1, 1, 1], seed=0)
    >>> fit = rw.train(net, [[0.0], [1.0], [2.0]], [0.0, 0.0, 1.0], rounds=2)
    >>> [part.id for part in sections(fit)]
    ['layers', 'fit', 'samples', 'rounds']
    """
    return [
        Section("layers", "Layers", _layers(fit)),
        Section("fit", "The fit", _fit(fit)),
        Section("samples", "Samples", _samples(fit)),
        *([Section("rounds", "Rounds", _rounds(fit))] if fit.rounds else []),
    ]


def _layers(fit: TrainingFit) -> str:
    """What each certificate says."""
    layers = range(fit.network.n_layers)
    known = [fit.certificates[k] for k in layers]
    reasons = [each and each.reason and each.reason.message for each in known]
    columns: dict[str, Any] = {
        "layer": [*layers],
        "neurons": [*fit.network.widths[1:]],
        "trained": [k in fit.layers for k in layers],
        "proved": [_proved(each) for each in known],
        "method": [each and each.method for each in known],
        "active breakpoints": [each and each.rank for each in known],
        "dimensions": [each and each.dim for each in known],
        "tied": [each and each.n_tied for each in known],
        "least slope": [each and each.smallest_slope for each in known],
        "why not": reasons,
    }
    if not any(reasons):
        del columns["why not"]
    words = [
        "Each layer is looked at on its own, the others as they are. A layer that is proved is at "
        "a minimum of the loss in its own parameters, up to the rounding of floats: the method "
        "names the proof. Of changes in several layers together nothing is claimed."
    ]
    return paragraphs(words) + table(columns, caption="What is proved of each layer")


def _proved(certificate: Any) -> str:
    if certificate is None:
        return "no certificate"
    if not certificate.is_local_minimum:
        return "nothing"
    return "global minimum" if certificate.is_global else "local minimum"


def _rounds(fit: TrainingFit) -> str:
    """The losses at the ends of rounds, and the least held-out loss."""
    rounds = fit.rounds
    number = np.array([each.number for each in rounds], float)
    losses, best = (np.array([getattr(each, name) for each in rounds]) for name in ("loss", "best"))
    name = "loss and penalty" if fit.penalty else "loss"
    shown = evenly(len(rounds))
    traces = [
        points(number, losses, "end of a round"),
        line(number[shown], best[shown], "least so far", line={"shape": "hv", "width": 3}),
    ]
    label = f"{name} by round: least {best[-1]:.6g} after {count(len(rounds), 'round')}"
    made = figure(traces, axes("round", name), label)
    held = [(each.number, each.held_out) for each in rounds if each.held_out is not None]
    if held:
        x, y = np.array(held, float).T
        curve = line(x, y, "least so far", line={"shape": "hv", "width": 3})
        text = "mean held-out loss"
        made += figure([curve], axes("round", text), f"Least {text} by round", 300)
    columns = {
        "round": [each.number for each in rounds],
        "start": [each.start for each in rounds],
        name: losses,
        "least so far": best,
        "least held-out loss": [each.held_out for each in rounds],
        "seconds": [each.elapsed for each in rounds],
    }
    if not held:
        del columns["least held-out loss"]
    return made + table(columns, caption="Rounds of the search")


def _fit(fit: TrainingFit) -> str:
    """The network over one input, or targets against what it gives."""
    outputs, targets = fit.predict(fit.X), np.reshape(fit.y, (len(fit.X), -1))
    k = targets.shape[1]
    made = [_output(fit, j, outputs[:, j], targets[:, j]) for j in range(min(k, _OUTPUTS))]
    words = [f"The first {_OUTPUTS} of {k} outputs."] if k > _OUTPUTS else []
    return paragraphs(words) + "".join(made)


def _output(fit: TrainingFit, j: int, output: Floats, target: Floats) -> str:
    name = "target" if fit.network.widths[-1] == 1 else f"target {j}"
    if fit.kind == "hinge":
        return _margins(output, target, name)
    if fit.X.shape[1] > 1:
        return against(output, target, name) + residuals(output, target - output)
    x = fit.X[:, 0]
    grid = np.union1d(np.linspace(x.min(), x.max(), _GRID), x[evenly(len(x))])
    curve = grid, fit.network(grid[:, None])[:, j]
    return over_input(x, target, curve, ("input", name)) + residuals(output, target - output)


def _margins(output: Floats, target: Floats, name: str) -> str:
    """How the outputs of both classes lie; the sign decides."""
    low, high = float(output.min()), float(output.max())
    size = (high - low) / 40.0 or 1.0
    traces = [
        {
            "type": "histogram",
            "name": f"{name} {label:+g}",
            "x": output[target == label],
            "opacity": 0.6,
            "xbins": {"start": low, "end": high + size, "size": size},
            "marker": {"pattern": {"shape": shape}},
        }
        for label, shape in ((-1.0, "/"), (1.0, ""))
    ]
    right = int(((output >= 0.0) == (target > 0.0)).sum())
    label = f"Outputs by class; the sign decides {right} of {len(target)} samples rightly"
    layout = axes("output", "samples", barmode="overlay")
    return figure(traces, layout, label, caption=f"{label}.")


def _samples(fit: TrainingFit) -> str:
    outputs, targets = fit.predict(fit.X), np.reshape(fit.y, (len(fit.X), -1))
    columns: dict[str, Any] = {"sample": np.arange(len(fit.X))}
    for j in range(fit.X.shape[1]) if fit.X.shape[1] <= _OUTPUTS else ():
        columns[f"input {j}"] = fit.X[:, j]
    for j in range(min(targets.shape[1], _OUTPUTS)):
        place = "" if targets.shape[1] == 1 else f" {j}"
        columns[f"target{place}"] = targets[:, j]
        columns[f"output{place}"] = outputs[:, j]
        columns[f"residual{place}"] = targets[:, j] - outputs[:, j]
    if (fit.sample_weight != 1.0).any():
        columns["weight"] = fit.sample_weight
    return table(columns, caption="Samples and what the network makes of them")


__all__ = ["sections"]
