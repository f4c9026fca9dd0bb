"""What the page needs to play a walk: its losses, and the fit at each vertex.

The losses are those of the trajectory.  The fits are computed by the page, from the parameters of
the vertices: floats of 32 bits where those of 64 would take too much room, which is enough to look
at, for inputs that were brought to mean 0 and deviation 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..simplex.trajectory import Trajectory
from .said.record import count
from .thinned import evenly

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NUMBERS = 350_000  # numbers of all parameters played; 2 MB in the file
_EXACT = 100_000  # as many travel as float64
_POINTS = 4_000  # of a curve
_GRID = 240  # inputs that a curve of one input is drawn through
_SAMPLES = 1_500  # samples that fits are compared on


class Played(NamedTuple):
    """The entries of a walk that are played, and what is said of them."""

    entries: Ints  # (F,)
    data: dict[str, Any]
    words: str


def played(traj: Trajectory) -> Played:
    """The data of the player."""
    entries = evenly(len(traj.losses), max(2, _NUMBERS // traj.problem.dim))
    words = "Every entry of the walk is played."
    if len(entries) < len(traj.losses):
        words = f"{len(entries):,} of {len(traj.losses):,} entries are played, evenly chosen."
    data = {
        "entries": entries,
        "losses": traj.losses[entries],
        "descending": traj.descending[entries],
        "ranks": traj.ranks[entries],
        "phase1": traj.phase1 if reached(traj) else len(traj.losses),  # entries before a vertex
        "last": traj.n_pivots,
        "curve": _curve(traj),
        "fit": _fit(traj, entries),
    }
    return Played(entries, data, words)


def reached(traj: Trajectory) -> bool:
    """Whether a vertex was reached; a walk cut short before has entries alone."""
    return bool(traj.is_vertex.any())


def before_a_vertex(traj: Trajectory, sentence: str) -> list[str]:
    """What there is instead of a plane where no vertex was reached; `sentence` has vertices."""
    told = sentence.replace("the first vertex to the last", "its start to its last entry")
    return [
        f"This walk stopped after {count(traj.n_pivots, 'pivot')}, before its first vertex: none "
        "of its entries is one, and there is no plane through vertices to show.",
        told.replace("one vertex alone", "one entry alone"),
    ]


def _curve(traj: Trajectory) -> dict[str, Any]:
    """The loss by pivot, and what was expected of the end."""
    at = _early_and_evenly(len(traj.losses))
    losses = traj.losses[at]
    levels = traj.levels("lookahead" if len(traj.losses) * traj.problem.dim < 2e5 else "record")
    end = float(traj.losses.min())
    # As many digits as are seen of it above the end.
    curve = {"at": at, "loss": losses, "gap": (losses - end).astype(np.float32), "end": end}
    expected = [np.asarray(part)[at] for part in (levels.level, levels.low, levels.high)]
    if np.isfinite(expected).all():
        names = ("level", "low", "high")
        curve |= {name: part.astype(np.float32) for name, part in zip(names, expected, strict=True)}
    return curve


def _early_and_evenly(n: int) -> Ints:
    """Numbers below n: all if they are few, else half of them evenly, half more densely early."""
    if n <= _POINTS:
        return np.arange(n)
    early = np.geomspace(1, n - 1, _POINTS // 2).round().astype(np.int64)
    return np.union1d(evenly(n, _POINTS // 2), early)


def _fit(traj: Trajectory, entries: Ints) -> dict[str, Any]:
    """Data, and what the outputs are computed from."""
    problem = traj.problem
    network, layer = problem.network, problem.layer
    mean, size = _units(problem.inputs)
    theta = traj.vertices[entries].copy()
    theta[:, :, -1] += theta[:, :, :-1] @ mean
    theta[:, :, :-1] *= size
    rows = evenly(len(problem.X), _SAMPLES)

    def features(X: Floats) -> NDArray[np.float32]:
        return ((network.features(X, layer) - mean) / size).astype(np.float32)

    found: dict[str, Any] = {
        "theta": theta if theta.size <= _EXACT else theta.astype(np.float32),
        "tail": [{"weights": w, "biases": b} for w, b in problem.tail],
        "slope": float(network.negative_slope),
        "features": features(problem.X[rows]),
        "observed": problem.y[rows].T.astype(np.float32),
        "outputs": problem.y.shape[1],
        "samples": len(problem.X),
    }
    if problem.X.shape[1] == 1:
        x = problem.X[:, 0]
        grid = np.linspace(x.min(), x.max(), _GRID)
        found |= {"x": x[rows], "grid": grid, "grid_features": features(grid[:, None])}
    return found


def _units(inputs: Floats) -> tuple[Floats, Floats]:
    """Mean and deviation (q - 1,) of inputs, 1 where there is none."""
    deviation = inputs.std(axis=0)
    return inputs.mean(axis=0), np.where(deviation > 0, deviation, 1.0)


__all__ = ["Played", "before_a_vertex", "played", "reached"]
