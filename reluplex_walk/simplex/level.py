"""Where a walk is heading: estimates of the level, the loss at its end, from what is known so far.

At vertex k the walk has a past (losses, descending half-edges, active breakpoints) and a present
(the vertex, on a loss that can be evaluated).  Their scale-free features are mapped to quantiles
of log((F_k - level) / F_k), the logarithm of the share of the loss that is still to go, by boosted
trees fitted on other walks.  ``python -m benchmarks level --train`` fits them anew and writes them
to data/level.npz; ``python -m benchmarks level`` scores them.

Two estimators: ``record`` knows the past alone, ``lookahead`` also follows the loss for 2 D long
pivots from the vertex.  The long pivots start at every (D / 2)-th vertex only, so that the
estimates along a whole walk stay affordable.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from .._conversions import frame
from .._files import open_archive
from .._shown import repr_html
from ..problem.loss import LayerLoss
from .lookahead import look_ahead
from .trees import Trees

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

METHODS = ("lookahead", "record")
QUANTILES = (0.1, 0.5, 0.9)
"""Of the remaining decrease: the ends of the 80 % interval around the estimate."""

ANNOUNCE = 0.7
"""Proximity from which the end counts as announced."""

_WINDOWS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # pivots over D
_SHARES = (0.1, 0.25, 0.5)  # pivots over the pivots so far
_AHEAD = (0.5, 1.0, 2.0)  # long pivots over D
_TINY = 1e-300


class Visited(NamedTuple):
    """What a walk has seen so far: its entries, as in `Trajectory`."""

    problem: LayerLoss
    losses: Floats
    vertices: Floats
    basis: Ints
    descending: Ints


@dataclass(frozen=True, eq=False)
class LevelEstimate:
    """An estimate of the level: the loss at the end of the walk.

    Attributes
    ----------
    level : float or ndarray (K,)
        The estimate: the walk is as likely to end above it as below.
    low, high : float or ndarray (K,)
        80 % interval, calibrated on other walks (conformal quantile regression).
    method : str
        ``lookahead`` or ``record``, see :meth:`Trajectory.level`.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> traj = rw.walk(loss, max_pivots=30)  # long before its end
    >>> seen = traj.level()
    >>> seen.method, bool(seen.low <= seen.level <= seen.high <= traj.loss)
    ('lookahead', True)
    """

    level: float | Floats
    low: float | Floats
    high: float | Floats
    method: str

    _repr_html_ = repr_html

    def to_frame(self) -> Any:
        """A table of pandas, a row for each entry of the walk, or one for one estimate.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> table = rw.walk(loss).levels("record").to_frame()
        >>> list(table.columns), len(table)
        (['level', 'low', 'high'], 7)
        """
        parts = {"level": self.level, "low": self.low, "high": self.high}
        return frame({name: np.atleast_1d(values) for name, values in parts.items()})


def estimate(seen: Visited, at: Ints, method: str) -> tuple[Floats, Floats, Floats]:
    """Level, low and high (m,) at the entries `at` (m,), each from what is known there."""
    x = features(seen, at, method)
    logs = np.sort([trees(x) for trees in _model(method)], axis=0)
    loss = seen.losses[at]
    low, level, high = loss * (1.0 - np.exp(np.minimum(logs, 0.0)))[::-1]
    return level, low, high


def proximity(seen: Visited) -> Floats:
    """How far the number of descending half-edges has collapsed, in [0, 1], at each entry (K,)."""
    k = np.arange(len(seen.losses))
    so_far = _mean_since(seen.descending, k, np.zeros_like(k))
    recent = _mean_since(seen.descending, k, _since(k, 0.25 * seen.problem.n_free))
    return np.clip(1.0 - recent / np.maximum(so_far, _TINY), 0.0, 1.0)


# ---------------------------------------------------------------- features


def features(seen: Visited, at: Ints, method: str) -> Floats:
    """Scale-free features (m, p) at the entries `at` (m,); entry k is used only from k on."""
    columns = _record_features(seen, at)
    if method == "lookahead":
        columns += _ahead_features(seen, at)
    return np.clip(np.column_stack(columns), -30.0, 30.0)


def _record_features(seen: Visited, at: Ints) -> list[Floats]:
    loss, dim = seen.losses, seen.problem.n_free
    here = np.maximum(loss[at], _TINY)
    columns = []
    for since in [_since(at, w * dim) for w in _WINDOWS] + [_since(at, s * at) for s in _SHARES]:
        fall = (loss[since] - loss[at]) * dim / np.maximum(at - since, 1)
        columns.append(_log(fall / here, 1e-9))  # decrease per D pivots
        columns.append(_log(_mean_since(seen.descending, at, since) / dim, 0.02))
    for window in (1.0, 2.0, 4.0):
        size = 1 + max(1, round(window * dim))
        padded = np.concatenate([np.full(size - 1, seen.descending[0]), seen.descending])
        columns.append(_log(sliding_window_view(padded, size)[at].min(axis=1) / dim, 0.02))
    ones, index = np.ones(len(at)), seen.problem.index
    columns += [
        _log(seen.descending[at] / dim, 0.02),
        _log((at + 1) / dim, 0.0),  # vertices so far
        _log(loss[at] / np.maximum(loss[0], _TINY), 1e-9),
        (seen.basis[at] >= index.hidden).mean(axis=1),  # share of residuals in the active set
        _log(ones * index.columns[index.residuals] / dim, 0.0),
        _log(ones * dim, 0.0),
    ]
    return columns


def _ahead_features(seen: Visited, at: Ints) -> list[Floats]:
    dim = seen.problem.n_free
    origins, which = np.unique(at - at % max(1, dim // 2), return_inverse=True)
    found = []
    for k in origins:
        ahead = look_ahead(seen.problem, seen.vertices[k], seen.basis[k], round(_AHEAD[-1] * dim))
        made = len(ahead.losses) - 1
        stops = [ahead.losses[min(made, max(1, round(share * dim)))] for share in _AHEAD]
        found.append([*stops, made / dim, float(ahead.optimal)])
    table = np.array(found)[which]
    here = np.maximum(seen.losses[at], _TINY)[:, None]
    gaps = _log(np.maximum(1.0 - table[:, : len(_AHEAD)] / here, 0.0), 1e-6)
    return [*gaps.T, *table[:, len(_AHEAD) :].T]


def _since(at: Ints, pivots: ArrayLike) -> Ints:
    """First entry of the window of so many pivots (one at least) that ends at each entry."""
    return np.maximum(at - np.maximum(np.round(np.asarray(pivots)), 1).astype(np.int64), 0)


def _mean_since(values: Ints, at: Ints, since: Ints) -> Floats:
    total = np.concatenate([[0], np.cumsum(values)])
    return np.asarray((total[at + 1] - total[since]) / (at + 1 - since), float)


def _log(value: Floats, floor: float) -> Floats:
    return np.asarray(np.log(np.maximum(value, 0.0) + floor))


# ---------------------------------------------------------------- the fitted model


@cache
def _model(method: str) -> list[Trees]:
    """One sum of trees per quantile of log((F - level) / F), the widening of the interval in it."""
    with resources.as_file(resources.files("reluplex_walk") / "data" / "level.npz") as path:
        arrays = open_archive(path, "level model")
    return [
        Trees._make(arrays[f"{method}_{quantile}_{field}"] for field in Trees._fields)
        for quantile in QUANTILES
    ]


__all__ = ["ANNOUNCE", "METHODS", "QUANTILES", "LevelEstimate", "Visited"]
