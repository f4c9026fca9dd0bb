"""`quantile_responses`: fits of several responses to the same features."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._frames import column_labels
from .._limits import Limits
from .._logs import logged
from .._validate import samples, share
from ..problem.decimals import places, written
from .data import Data, Posed
from .fit import QuantileFit
from .fitting import Task, path
from .solver import FitProgress
from .tables.table import Arguments, arguments, counted_gaps

Floats = NDArray[np.float64]


@logged("quantile_responses")
def quantile_responses(
    X: ArrayLike,
    Y: ArrayLike,
    tau: float = 0.5,
    *,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    missing: str = "raise",
    alpha: float = 0.0,
    constraints: Any = None,
    time_limit: float | None = None,
    callback: Callable[[FitProgress], Any] | None = None,
) -> list[QuantileFit]:
    """Linear regressions of several responses on the same features, for one quantile.

    Each is the fit of :func:`quantile`; what concerns the features alone is done once.

    Parameters
    ----------
    X : array_like (n, p)
        Features, without a column for the intercept.
    Y : array_like (n, m)
        Responses, a column for each.
    tau : float, default 0.5
        The quantile, in (0, 1).
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1; those below 1e-100 count as 0.
    fit_intercept : bool, default True
        If not, the intercepts are 0.
    missing : {"raise", "drop"}, default "raise"
        Whether rows with a missing value, be it in one response, are refused or left out.
    alpha : float, default 0.0
        L1 penalty, as for :func:`quantile`, the same for each response.
    constraints : LinearConstraint, Bounds or list of them, optional
        As for :func:`quantile`, the same for each response.
    time_limit : float, optional
        Seconds for all fits; looked at between rounds of pivots.
    callback : callable, optional
        Called between rounds of pivots with a :class:`FitProgress`; StopIteration or
        KeyboardInterrupt raised in it ends the fits as Ctrl-C does.

    Returns
    -------
    list of QuantileFit
        One for each column of `Y`, whose label (if `Y` is a table) is the ``response_name`` of the
        fit; after Ctrl-C or at the time limit those made until then, of which the last one may not
        be at its end.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Warns
    -----
    RankWarning
        As for :func:`quantile`, once.

    Examples
    --------
    >>> import numpy as np, reluplex_walk as rw
    >>> data = rw.datasets.load_stackloss()
    >>> Y = np.column_stack([data.y, data.y**2])
    >>> fits = rw.quantile_responses(data.X, Y, tau=0.5)
    >>> [round(fit.loss, 6) for fit in fits]
    [21.04058, 1439.099424]
    """
    limits, level = Limits.asked(time_limit, callback), share("tau", tau)
    read, (features, targets, weight) = _read(X, Y, sample_weight, fit_intercept, missing)
    responses = column_labels("Y", Y) or (None,) * targets.shape[1]
    fits: list[QuantileFit] = []
    first: Task | None = None
    for y, response in zip(targets.T, responses, strict=True):
        data = Data(features, np.ascontiguousarray(y), weight)
        names = replace(read.names, response=response)
        if first is None or first.beside is not None:
            task = Task.of(data, read.fit_intercept, alpha, constraints, names)
        else:
            posed = _with_targets(first.posed, data.kept())
            task = first._replace(data=data, posed=posed, names=names)
        if first is None:
            first = task
            task.warn(depth=2)
        fits += path(task, [level], limits)
        if fits[-1].ended.early:
            break
    return fits


def _read(
    X: ArrayLike, Y: ArrayLike, weight: ArrayLike | None, fit_intercept: bool, missing: str
) -> tuple[Arguments, tuple[Floats, Floats, Floats]]:
    """The arguments, and their checked arrays; messages name Y."""
    try:
        read = arguments(X, Y, None, weight, fit_intercept, missing)
        with counted_gaps(read.X, read.y, read.sample_weight):
            return read, samples(read.X, read.y, read.sample_weight, n_out=_count(Y))
    except (TypeError, ValueError) as error:
        if str(error).startswith("y"):
            raise type(error)(f"Y{str(error)[1:]}") from None
        raise


def _count(Y: ArrayLike) -> int:
    """The number of columns of `Y`; ValueError if it has none."""
    shape = np.shape(Y)
    if len(shape) != 2 or shape[1] == 0:
        raise ValueError(
            f"Y: expected an array of shape (n, m), a column for each response, found shape "
            f"{shape}; rw.quantile fits one response"
        )
    return int(shape[1])


def _with_targets(posed: Posed, kept: Data) -> Posed:
    """The same features with other targets."""
    y, unit = written(kept.y, *places(kept.y[:, None]))
    samples, units = posed.samples.with_targets(y), posed.units._replace(y=unit)
    return posed._replace(samples=samples, units=units)


__all__ = ["quantile_responses"]
