"""`quantile_process`: the quantile regressions for all quantiles at once, by parametric pivots."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..._limits import Limits
from ..._logs import logged
from ...ended import Ended
from ...problem.aliased import warn_of_aliased
from ...simplex.records import WalkStatus
from ..data import Posed
from ..solver import FitProgress, minimise
from ..tables.table import given
from .minima import Minima, Parameter
from .process_fit import QuantileProcess
from .tracing import Tracer

Floats = NDArray[np.float64]
Callback = Callable[[FitProgress], Any]

_START = Fraction(1, 2)


@logged("quantile_process")
def quantile_process(
    X: ArrayLike,
    y: ArrayLike | None = None,
    *,
    formula: str | None = None,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    missing: str = "raise",
    time_limit: float | None = None,
    callback: Callback | None = None,
) -> QuantileProcess:
    """Linear regressions for all quantiles, exactly: each solution, and where it begins.

    Parameters
    ----------
    X : array_like (n, p)
        Features, without a column for the intercept; of a table, columns of categories or text
        become indicators, the first category being the reference.
    y : array_like (n,)
        Targets; None with a `formula`.
    formula : str, optional
        Response and features, as columns of the table `X`: ``"foodexp ~ income + C(region)"``
        (extra ``formula``); ``- 1`` leaves out the intercept.
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1; those below 1e-100 count as 0.
    fit_intercept : bool, default True
        If not, the intercept is 0.
    missing : {"raise", "drop"}, default "raise"
        Whether rows of X, y or `sample_weight` with a missing value (NaN, None) are refused, or
        left out.
    time_limit : float, optional
        Seconds; looked at every thousand pivots.
    callback : callable, optional
        Called every thousand pivots with a :class:`FitProgress`; StopIteration or
        KeyboardInterrupt raised in it ends the process as Ctrl-C does.

    Returns
    -------
    QuantileProcess
        Also after Ctrl-C or at the time limit: then its ``taus`` reach as far as it came, and may
        be none.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Warns
    -----
    RankWarning
        If columns of `X` are determined by earlier ones and the constant, up to rounding: they are
        left out, with coefficients 0.

    See Also
    --------
    quantile_path : for some quantiles, each with its fit.

    Notes
    -----
    The multipliers of a vertex are lines in tau.  The first to leave its range says until when the
    vertex is a minimum, and which pivot leads to the next one (Koenker and d'Orey, Applied
    Statistics 36, 1987).  Vertices and intervals are proved with bounds on all rounding, in
    rational arithmetic where these leave doubt: with ties, too, ``changes`` are where coefficients
    change, and no others.

    There are some n log n of them.  A vertex takes time proportional to n p.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_engel()
    >>> process = rw.quantile_process(data.X, data.y)
    >>> process
    QuantileProcess(271 taus from 0 to 1, GLOBAL_MINIMUM)
    >>> process.taus[:4].round(6), process.changes[:2]
    (array([0.      , 0.005669, 0.011538, 0.016002]), array([1, 3]))
    >>> process.coefficients[:3].round(4)  # two bases of one vertex
    array([[113.1406,   0.2942],
           [131.0819,   0.2872],
           [131.0819,   0.2872]])
    """
    limits = Limits.asked(time_limit, callback)
    data, intercept, names = given(X, y, formula, sample_weight, fit_intercept, missing)
    posed = Posed.of(data.kept(), intercept)
    if len(posed.aliased):
        warn_of_aliased(data.kept().X, posed.aliased, names.features, depth=2)
    with limits:
        taus, found, status, ended, pivots = _traced(posed, limits)
    if not ended.early:  # nobody would see that it came
        limits.pass_on()
    coefficients = np.zeros((len(taus), data.X.shape[1] + 1))
    coefficients[:, posed.units.fitted] = found
    return QuantileProcess(
        taus, coefficients, status, ended, pivots, *data, posed.aliased, intercept, names
    )


def _traced(posed: Posed, limits: Limits) -> tuple[Floats, Floats, WalkStatus, Ended, int]:
    """Taus, fitted parameters (m, q), how that ended, how many pivots."""
    samples, units, _ = posed
    start = minimise(samples, (_START, 1 - _START), None, limits)
    pivots, finished = start.pivots, False
    taus, found = np.zeros(0), np.zeros((0, len(samples.x)))
    if start.proved and (start.basis.rows >= 0).all():
        minima = Minima(samples, units, Parameter.tau(samples))
        falling = Tracer(minima, start.basis, start.side, _START, False)
        rising = Tracer(minima, start.basis, start.side, _START, True)
        for tracer in (falling, rising):
            tracer.run(limits)
            pivots += tracer.pivots
        taus, found = _joined(falling, rising)
        finished = falling.finished and rising.finished
    over = limits.over
    if finished:
        status, ended = WalkStatus.GLOBAL_MINIMUM, Ended.FINISHED
    elif over is not None:
        status, ended = WalkStatus[over.name], over
    else:
        status, ended = WalkStatus.NOT_PROVED, Ended.PRECISION
    return taus, found, status, ended, pivots


def _joined(falling: Tracer, rising: Tracer) -> tuple[Floats, Floats]:
    """Both in one: taus at which bases begin to be minima, and the end; the minima."""
    (down, low), (up, high) = falling.found(), rising.found()
    if not falling.count + rising.count:
        return down, low
    starts = np.maximum.accumulate(np.concatenate([down[::-1], [float(_START)], up]))
    found = np.concatenate([low[::-1], high, high[-1:] if rising.count else low[:1]])
    if falling.begins and rising.begins:  # with the same basis
        starts, found = (np.delete(part, falling.count, axis=0) for part in (starts, found))
    keep = np.diff(starts) > 0.0  # others have no float, or were found again by a fit of their own
    found = found[:-1][keep]
    return np.append(starts[:-1][keep], starts[-1]), np.append(found, found[-1:], axis=0)


__all__ = ["quantile_process"]
