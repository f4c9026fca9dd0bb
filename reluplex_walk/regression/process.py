"""`quantile_process`: the minima of a quantile regression for all quantiles, by parametric pivots."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._limits import Limits
from .._validate import flag
from ..ended import Ended
from ..problem.aliased import warn_of_aliased
from ..simplex.records import WalkStatus
from .data import Data, Posed
from .solver import FitProgress, minimise
from .tracing import Minima, Parameter, Tracer

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
    basis_taus: Floats
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
        taus, found, bases, status, ended, pivots = _traced(posed, limits)
    if not ended.early:  # nobody would see that it came
        limits.pass_on()
    coefficients = np.zeros((len(taus), data.X.shape[1] + 1))
    coefficients[:, posed.units.fitted] = found
    return QuantileProcess(
        taus, coefficients, bases, status, ended, pivots, *data, posed.aliased, fit_intercept
    )


def _traced(posed: Posed, limits: Limits) -> tuple[Floats, Floats, Floats, WalkStatus, Ended, int]:
    """Taus, coefficients (m, q) of the fitted parameters, and how that ended."""
    samples, units, _ = posed
    q = len(samples.x)
    start = minimise(samples, (_START, 1 - _START), None, limits)
    pivots = start.pivots
    if start.proved and (start.basis.rows >= 0).all():
        minima = Minima(samples, units, Parameter.tau(samples))
        falling, rising = (
            Tracer(minima, start.basis, start.side, _START, up) for up in (False, True)
        )
        for tracer in (falling, rising):
            tracer.run(limits)
            pivots += tracer.pivots
        taus, found, bases = _joined(falling, rising)
        if falling.finished and rising.finished:
            return taus, found, bases, WalkStatus.GLOBAL_MINIMUM, Ended.FINISHED, pivots
    else:
        taus, found, bases = np.zeros(0), np.zeros((0, q)), np.zeros(0)
    over = limits.over
    if over is not None:
        return taus, found, bases, WalkStatus[over.name], over, pivots
    return taus, found, bases, WalkStatus.NOT_PROVED, Ended.PRECISION, pivots


def _joined(falling: Tracer, rising: Tracer) -> tuple[Floats, Floats, Floats]:
    """Both in one: taus at which minima begin, and the end; minima; taus of all bases."""
    (down, low), (up, high) = falling.found(), rising.found()
    both, middle = falling.begins and rising.begins, float(_START)
    if not falling.count + rising.count:
        return np.zeros(0), low, np.zeros(0)
    k = falling.count
    starts = np.concatenate([down[::-1], [middle], up])
    found = np.concatenate([low[::-1], high, high[-1:] if len(high) else low[:1]])
    keep = np.ones(len(starts), np.bool_)
    keep[[k - j for j in falling.repeats] + [k + j for j in rising.repeats]] = False
    if both or (k and rising.count and np.isin(rising.first, falling.met_first).all()):
        keep[k] = False
    starts = np.maximum.accumulate(starts)
    bases = np.delete(starts, k) if both else starts
    return starts[keep], found[keep], bases


__all__ = ["QuantileProcess", "quantile_process"]
