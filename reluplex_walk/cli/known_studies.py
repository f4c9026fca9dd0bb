"""The studies that ``reluplex-walk study`` knows: each one small function, and a line in a table.

A study takes a seed and limits, to which it passes what its steps are told, and returns columns for
the CSV file, a function that draws on a figure, and why it ended.  A run that was cut short is in
the table, which says so, but in no picture of what runs came to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .._limits import Limits
from ..ended import Ended

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Outcome(NamedTuple):
    """What a study found."""

    columns: Mapping[str, Any]  # of equal lengths; masked numbers become empty
    draw: Callable[[Figure], Any] | None  # None: too little was found to draw
    ended: Ended


class Study(NamedTuple):
    """What `run` does, and how much it tells the limits when it is done."""

    about: str
    total: Callable[[], int]
    run: Callable[[int, Limits], Outcome]


def _glass(seed: int, limits: Limits) -> Outcome:
    import reluplex_walk as rw

    data, _ = rw.datasets.make_teacher(500, [4, 5, 4, 2, 1], noise=0.5, seed=seed)
    loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 4, 2, 1], seed=seed + 1), data.X, data.y)
    found = rw.glass.exact(loss, loss.theta, 0.1, 24, seed, **_within(limits))
    columns = {
        "crossings": found.n_crossings,
        "rho": found.rho,
        "rho_hidden": found.rho_hidden,
        "rho_residual": found.rho_residual,
        "curvature": found.curvature,
    }
    return Outcome(columns, lambda figure: found.plot(figure.subplots()), found.ended)


_HORIZONS = (25, 50, 100, 200, 400)


def _regret(seed: int, limits: Limits) -> Outcome:
    import reluplex_walk as rw

    data, _ = rw.datasets.make_teacher(200, [2, 6, 1], noise=0.5, seed=seed)
    network = rw.ReLUNetwork.random([2, 6, 1], seed=seed + 1)
    asked: dict[str, Any] = {"learning_rate": 0.02, "horizons": _HORIZONS, "seed": seed}
    found: Any = rw.taylor.regret(network, data.X, data.y, **asked, **_within(limits))
    names = ("horizon", "regret", "bound", "slack", "optimum", "proved", "rank", "interpolates")
    columns = {name: getattr(found, name) for name in names}
    draw = (lambda figure: found.plot(figure.subplots())) if len(found.horizon) else None
    return Outcome(columns, draw, found.ended)


_TRAINED = ("sgd", "momentum", "rmsprop", "adam", "alice")
_GRADIENTS = 400


def _exploration(seed: int, limits: Limits) -> Outcome:
    import reluplex_walk as rw
    from reluplex_walk.plotting import plot_exploration

    data, _ = rw.datasets.make_teacher(100, [4, 16, 1], noise=0.5, seed=seed)
    loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 16, 1], seed=seed + 1), data.X, data.y)
    runs: dict[str, Any] = {}
    for method in _TRAINED:
        path = rw.descend(loss, method, _GRADIENTS, learning_rate=0.03, seed=seed)
        asked = _within(limits, _GRADIENTS * len(runs))
        runs[method] = rw.activations.exploration(path, **asked)
        if runs[method].ended is not Ended.FINISHED:
            break
    ends = runs.values()
    columns = {
        "method": list(runs),
        "loss": [found.losses[-1] for found in ends],
        "configurations": [found.configurations[-1] for found in ends],
        "passed": [found.passed[-1] for found in ends],
        "switched": [found.switched[-1] for found in ends],
        "crossed": [found.crossed[-1] for found in ends],
        "ended": [found.ended.name.lower() for found in ends],
    }
    return Outcome(
        columns, lambda figure: plot_exploration(runs, figure.subplots()), [*ends][-1].ended
    )


_DEPTHS = (1, 2, 4, 8, 16)


def _shattering(seed: int, limits: Limits) -> Outcome:
    import reluplex_walk as rw
    from reluplex_walk.plotting import plot_shattering
    from reluplex_walk.studies.shattering import DESIGNS

    runs: list[Any] = []
    for design in DESIGNS:
        before = len(runs) * len(_DEPTHS)
        runs.append(
            rw.taylor.shattering(_DEPTHS, design=design, seed=seed, **_within(limits, before))
        )
        if runs[-1].ended is not Ended.FINISHED:
            break
    columns: dict[str, list[Any]] = {
        name: [] for name in ("design", "depth", "mean", "error", "law")
    }
    for run in runs:
        laws = [""] * len(run.depths) if run.law is None else run.law.tolist()
        parts = ([run.design] * len(laws), run.depths.tolist(), run.mean, run.error, laws)
        for name, values in zip(columns, parts, strict=True):
            columns[name] += list(values)
    return Outcome(columns, lambda figure: plot_shattering(runs, figure.subplots()), runs[-1].ended)


def _shattering_total() -> int:
    from reluplex_walk.studies.shattering import DESIGNS

    return len(DESIGNS) * len(_DEPTHS)


def _vanishing(seed: int, limits: Limits) -> Outcome:
    import numpy as np

    import reluplex_walk as rw

    found = rw.chains.vanishing(seed=seed, **_within(limits))
    columns = {
        "width": np.repeat(found.widths, len(found.depths)),
        "depth": np.tile(found.depths, len(found.widths)),
        "log_gradient": found.log_gradient.ravel(),
        "log_hessian": found.log_hessian.ravel(),
        "dead": found.dead.ravel(),
    }

    def draw(figure: Figure) -> None:
        for ax, what in zip(figure.subplots(1, 2), ("gradient", "hessian"), strict=True):
            found.plot(ax, what)

    enough = min(found.log_gradient.shape) > 1  # a map has two rows and two columns at least
    return Outcome(columns, draw if enough else None, found.ended)


def _vanishing_total() -> int:
    from reluplex_walk.studies.vanishing import WIDTHS

    return len(WIDTHS)


_METHODS = ("gd", "sgd", "rmsprop", "adam", "alice")
_CHAINS = (5, 7, 10, 14)


def _escape(seed: int, limits: Limits) -> Outcome:
    import reluplex_walk as rw
    from reluplex_walk.plotting import plot_escape

    runs: list[Any] = []
    for method, depth in ((method, depth) for method in _METHODS for depth in _CHAINS):
        asked = _within(limits, 200 * len(runs))
        runs.append(rw.chains.escape(depth, method, 200, seed=seed, **asked))
        if runs[-1].ended not in (Ended.FINISHED, Ended.WORK_LIMIT):
            break
    columns = {
        "method": [run.method for run in runs],
        "depth": [run.depth for run in runs],
        "median_gradients": [run.median for run in runs],
        "escaped": [run.escaped for run in runs],
        "ended": [run.ended.name.lower() for run in runs],
    }
    ended = runs[-1].ended
    if ended is Ended.WORK_LIMIT:  # chains that stay where they are belong to the study
        ended = Ended.FINISHED
    whole = runs if ended is Ended.FINISHED else runs[:-1]
    draw = (lambda figure: plot_escape(whole, figure.subplots())) if whole else None
    return Outcome(columns, draw, ended)


def _within(limits: Limits, before: int = 0) -> dict[str, Any]:
    """The limits of work within a study, `before` which so much was done."""
    return {
        "time_limit": limits.remaining,
        "callback": lambda done: limits.pass_to(before + done),
    }


STUDIES = {
    "glass": Study("the jumps of the gradient around a point", lambda: 24, _glass),
    "regret": Study(
        "the regret of gradient descent against Taylor optima", lambda: _HORIZONS[-1], _regret
    ),
    "exploration": Study(
        "how many activation patterns methods see",
        lambda: _GRADIENTS * len(_TRAINED),
        _exploration,
    ),
    "shattering": Study("correlations of gradients along depth", _shattering_total, _shattering),
    "vanishing": Study("gradient and curvature over width and depth", _vanishing_total, _vanishing),
    "escape": Study(
        "how long methods stay on the plateau",
        lambda: 200 * len(_METHODS) * len(_CHAINS),
        _escape,
    ),
}

__all__ = ["STUDIES", "Outcome", "Study"]
