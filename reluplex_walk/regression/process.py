"""`quantile_process`: the minima of a quantile regression for all quantiles, by parametric pivots."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._limits import Limits
from .._validate import flag, inputs, real_array
from ..ended import Ended
from ..problem.aliased import warn_of_aliased
from ..simplex.records import WalkStatus
from .data import Data, Posed
from .solver import FitProgress, minimise
from .tracing import Minima, Tracer

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Callback = Callable[[FitProgress], Any]

_START = Fraction(1, 2)


@dataclass(frozen=True, eq=False, repr=False)
class QuantileProcess:
    """All quantile regressions of y on X, as :func:`quantile_process` finds them.

    Attributes
    ----------
    taus : ndarray (m,)
        From 0 to 1: each tau at which the coefficients change, and 1.
    coefficients : ndarray (m, p + 1)
        ``coefficients[k]`` minimise the loss for each tau in ``[taus[k], taus[k + 1]]``; the last
        row repeats the one before.
    """

    taus: Floats
    coefficients: Floats
    status: WalkStatus
    ended: Ended
    n_pivots: int
    X: Floats
    y: Floats
    sample_weight: Floats
    aliased: Ints
    fit_intercept: bool


def quantile_process(
    X: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    time_limit: float | None = None,
    callback: Callback | None = None,
) -> QuantileProcess:
    """All."""
    limits = Limits.asked(time_limit, callback)
    data = Data.of(X, y, sample_weight)
    kept = data.kept()
    posed = Posed.of(kept, flag("fit_intercept", fit_intercept))
    if len(posed.aliased):
        warn_of_aliased(kept.X, posed.aliased)
    with limits:
        taus, found, status, ended, pivots = _traced(posed, limits)
    if not ended.early:  # nobody would see that it came
        limits.pass_on()
    coefficients = np.zeros((len(taus), data.X.shape[1] + 1))
    coefficients[:, posed.units.fitted] = found
    return QuantileProcess(
        taus, coefficients, status, ended, pivots, *data, posed.aliased, fit_intercept
    )


def _traced(posed: Posed, limits: Limits) -> tuple[Floats, Floats, WalkStatus, Ended, int]:
    """Taus, coefficients (m, q) of the fitted parameters, and how that ended."""
    samples, units, _ = posed
    q = len(samples.x)
    start = minimise(samples, (_START, 1 - _START), None, limits)
    pivots = start.pivots
    if start.proved and (start.basis.rows >= 0).all():
        minima = Minima(samples, units)
        falling, rising = (
            Tracer(minima, start.basis, start.side, _START, up) for up in (False, True)
        )
        for tracer in (falling, rising):
            tracer.run(limits)
            pivots += tracer.pivots
        taus, found = _joined(falling, rising)
        if falling.finished and rising.finished:
            return taus, found, WalkStatus.GLOBAL_MINIMUM, Ended.FINISHED, pivots
    else:
        taus, found = np.zeros(0), np.zeros((0, q))
    over = limits.over
    if over is not None:
        return taus, found, WalkStatus[over.name], over, pivots
    return taus, found, WalkStatus.NOT_PROVED, Ended.PRECISION, pivots


def _joined(falling: Tracer, rising: Tracer) -> tuple[Floats, Floats]:
    """Both in one, in order of tau: where each minimum begins, and the end."""
    (down, low, below), (up, high, above) = (tracer.found() for tracer in (falling, rising))
    middle = float(_START)
    if falling.begins and rising.begins:  # both have it
        above.setdefault(0, below.get(0))
        up, high, middle, low = up, high, down[0], low[1:]
        below = {k - 1: theta for k, theta in below.items() if k}
        down = down[1:]
    starts = np.concatenate([down[::-1], [middle], up])
    if not len(starts) - 1:
        return np.zeros(0), np.zeros((0, low.shape[1]))
    found = np.concatenate([low[::-1], high, high[-1:] if len(high) else low[:1]])
    exact = {len(down) - 1 - k: theta for k, theta in below.items()}
    exact |= {len(down) + k: theta for k, theta in above.items()}
    keep = np.ones(len(starts), np.bool_)
    for k, theta in exact.items():
        keep[k] = theta is None or exact.get(k - 1) != theta
    return np.maximum.accumulate(starts[keep]), found[keep]


__all__ = ["QuantileProcess", "quantile_process"]
