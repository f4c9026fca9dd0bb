"""`lad`, `quantile`, `quantile_path`: linear regression by least absolute deviations, exactly.

The special case of the walk without a hidden layer: the loss is convex, so that its local minima
are global, and the walk is the algorithm of Barrodale and Roberts (1973), for quantiles that of
Koenker and d'Orey (1987).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._limits import Limits
from .._logs import logged
from .._validate import flag, real_array, share
from .fit import QuantileFit
from .fitting import Task, path
from .solver import FitProgress
from .sparse.data import is_sparse
from .sparse_path import sparse_path
from .tables.table import given
from .uncrossed_path import uncrossed_path

Callback = Callable[[FitProgress], Any]


@logged("lad")
def lad(
    X: ArrayLike,
    y: ArrayLike | None = None,
    *,
    formula: str | None = None,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    missing: str = "raise",
    alpha: float = 0.0,
    constraints: Any = None,
    time_limit: float | None = None,
    callback: Callback | None = None,
) -> QuantileFit:
    """Least absolute deviations: minimise ``sum_i w_i |y_i - b_0 - x_i . b|`` exactly.

    Parameters
    ----------
    X : array_like or sparse array (n, p)
        Features, without a column for the intercept; of a table, columns of categories or text
        become indicators, the first category being the reference.  Of sparse ones (`scipy.sparse`,
        fixed effects with thousands of dummies) no dense matrix is made.
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
        left out: then the arrays of the fit have the other rows, ``fit.rows``.
    alpha : float, default 0.0
        Adds ``alpha * sum(sample_weight) * sum_j |b_j|`` to the loss, the intercept left out: an L1
        penalty, scaled as that of scikit-learn's QuantileRegressor.
    constraints : LinearConstraint, Bounds or list of them, optional
        Of scipy.optimize, on the coefficients (p + 1,), the intercept first; see
        :mod:`reluplex_walk.constraints`.  They hold exactly at the exact minimum, at the
        coefficients, the floats nearest to it, up to rounding.
    time_limit : float, optional
        Seconds; looked at between rounds of pivots.
    callback : callable, optional
        Called between rounds of pivots with a :class:`FitProgress`; StopIteration or
        KeyboardInterrupt raised in it ends the fit as Ctrl-C does.

    Returns
    -------
    QuantileFit
        Coefficients (intercept first), loss, dual solution and certificate.  Also after Ctrl-C
        (looked at between rounds of pivots) or at the time limit: then nothing is proved.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Warns
    -----
    RankWarning
        If columns of `X` are determined by earlier ones and the constant, up to rounding: they are
        left out, with coefficients 0 (see ``QuantileFit.aliased``).

    See Also
    --------
    quantile : other quantiles than the median; the loss of `lad` is twice that of ``tau=0.5``.

    Notes
    -----
    Long steps from weighted median to weighted median (Barrodale and Roberts, SIAM J. Numer. Anal.
    10, 1973), on samples near the fit of a subsample (Portnoy and Koenker, Statist. Sci. 12, 1997),
    checked on all of them.  The basis at the end is proved optimal with bounds on all rounding, in
    rational arithmetic where these leave doubt.

    Sparse `X`: an interior point method (Portnoy and Koenker) leads near a vertex, long steps to
    its end, which is proved in rational arithmetic; ``fit.verify()`` checks that independently.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_stackloss()
    >>> fit = rw.lad(data.X, data.y)
    >>> fit.coefficients.round(5)
    array([-39.68986,   0.83188,   0.57391,  -0.06087])
    >>> fit.status.name, round(fit.loss, 8)
    ('GLOBAL_MINIMUM', 42.08115942)
    """
    limits, given_X = Limits.asked(time_limit, callback), (X, y, sample_weight)
    options = fit_intercept, missing, formula, alpha, constraints
    return _fits(given_X, *options, [None], limits)[0]


@logged("quantile")
def quantile(
    X: ArrayLike,
    y: ArrayLike | None = None,
    tau: float = 0.5,
    *,
    formula: str | None = None,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    missing: str = "raise",
    alpha: float = 0.0,
    constraints: Any = None,
    time_limit: float | None = None,
    callback: Callback | None = None,
) -> QuantileFit:
    """Linear regression for the quantile `tau` of y, exactly.

    Parameters
    ----------
    X : array_like or sparse array (n, p)
        Features, without a column for the intercept; of a table, columns of categories or text
        become indicators, the first category being the reference.  Of sparse ones (`scipy.sparse`,
        fixed effects with thousands of dummies) no dense matrix is made.
    y : array_like (n,)
        Targets; None with a `formula`.
    tau : float, default 0.5
        The quantile, in (0, 1).
    formula : str, optional
        Response and features, as columns of the table `X`: ``"foodexp ~ income + C(region)"``
        (extra ``formula``); ``- 1`` leaves out the intercept.
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1; those below 1e-100 count as 0.
    fit_intercept : bool, default True
        If not, the intercept is 0.
    missing : {"raise", "drop"}, default "raise"
        Whether rows of X, y or `sample_weight` with a missing value (NaN, None) are refused, or
        left out: then the arrays of the fit have the other rows, ``fit.rows``.
    alpha : float, default 0.0
        Adds ``alpha * sum(sample_weight) * sum_j |b_j|`` to the loss, the intercept left out: an L1
        penalty, scaled as that of scikit-learn's QuantileRegressor.
    constraints : LinearConstraint, Bounds or list of them, optional
        Of scipy.optimize, on the coefficients (p + 1,), the intercept first; see
        :mod:`reluplex_walk.constraints`.  They hold exactly at the exact minimum, at the
        coefficients, the floats nearest to it, up to rounding.
    time_limit : float, optional
        Seconds; looked at between rounds of pivots.
    callback : callable, optional
        Called between rounds of pivots with a :class:`FitProgress`; StopIteration or
        KeyboardInterrupt raised in it ends the fit as Ctrl-C does.

    Returns
    -------
    QuantileFit
        Coefficients (intercept first), loss, dual solution and certificate.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Warns
    -----
    RankWarning
        If columns of `X` are determined by earlier ones and the constant, up to rounding: they are
        left out, with coefficients 0 (see ``QuantileFit.aliased``).

    See Also
    --------
    quantile_path : for several quantiles.

    Notes
    -----
    As for :func:`lad`; Koenker and d'Orey (Applied Statistics 36, 1987) for quantiles.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_engel()
    >>> rw.quantile(data.X, data.y, tau=0.9).coefficients.round(4)
    array([67.3509,  0.6863])
    """
    limits, given_X = Limits.asked(time_limit, callback), (X, y, sample_weight)
    options = fit_intercept, missing, formula, alpha, constraints
    return _fits(given_X, *options, [share("tau", tau)], limits)[0]


@logged("quantile_path")
def quantile_path(
    X: ArrayLike,
    y: ArrayLike | None = None,
    taus: Sequence[float] = (0.25, 0.5, 0.75),
    *,
    formula: str | None = None,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    missing: str = "raise",
    alpha: float = 0.0,
    constraints: Any = None,
    noncrossing: bool = False,
    time_limit: float | None = None,
    callback: Callback | None = None,
) -> list[QuantileFit]:
    """Linear regressions for several quantiles, each started from the one before.

    Parameters
    ----------
    X : array_like or sparse array (n, p)
        Features, without a column for the intercept; of a table, columns of categories or text
        become indicators, the first category being the reference.  Of sparse ones (`scipy.sparse`,
        fixed effects with thousands of dummies) no dense matrix is made.
    y : array_like (n,)
        Targets; None with a `formula`.
    taus : sequence of float, default (0.25, 0.5, 0.75)
        The quantiles, each in (0, 1), best in ascending order.
    formula : str, optional
        Response and features, as columns of the table `X`: ``"foodexp ~ income + C(region)"``
        (extra ``formula``); ``- 1`` leaves out the intercept.
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1; those below 1e-100 count as 0.
    fit_intercept : bool, default True
        If not, the intercept is 0.
    missing : {"raise", "drop"}, default "raise"
        Whether rows of X, y or `sample_weight` with a missing value (NaN, None) are refused, or
        left out: then the arrays of the fit have the other rows, ``fit.rows``.
    alpha : float, default 0.0
        Adds ``alpha * sum(sample_weight) * sum_j |b_j|`` to the loss, the intercept left out: an L1
        penalty, scaled as that of scikit-learn's QuantileRegressor.
    constraints : LinearConstraint, Bounds or list of them, optional
        Of scipy.optimize, on the coefficients (p + 1,), the intercept first; see
        :mod:`reluplex_walk.constraints`.  They hold exactly at the exact minimum, at the
        coefficients, the floats nearest to it, up to rounding.
    noncrossing : bool, default False
        Whether the fits may not cross at the rows of X (those of weight > 0): the sum of their
        losses is minimised under that condition.  Then `taus` ascend strictly, without `alpha` and
        `constraints`.
    time_limit : float, optional
        Seconds; looked at between rounds of pivots.
    callback : callable, optional
        Called between rounds of pivots with a :class:`FitProgress`; StopIteration or
        KeyboardInterrupt raised in it ends the fit as Ctrl-C does.

    Returns
    -------
    list of QuantileFit
        One for each of `taus`; after Ctrl-C or at the time limit those made until then, of which
        the last one may not be at its end.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_engel()
    >>> path = rw.quantile_path(data.X, data.y, [0.25, 0.5, 0.75])
    >>> np.round([fit.coefficients[1] for fit in path], 4)
    array([0.4741, 0.5602, 0.644 ])
    """
    levels = real_array("taus", taus, 1).tolist()
    if not levels:
        raise ValueError("taus: expected at least one quantile, found none")
    levels = [share(f"taus[{k}]", tau) for k, tau in enumerate(levels)]
    limits, given_X = Limits.asked(time_limit, callback), (X, y, sample_weight)
    options = fit_intercept, missing, formula, alpha, constraints
    return _fits(given_X, *options, levels, limits, noncrossing)


def _fits(
    samples: tuple[ArrayLike, ArrayLike | None, ArrayLike | None],
    fit_intercept: bool,
    missing: str,
    formula: str | None,
    alpha: float,
    constraints: Any,
    levels: Sequence[float | None],
    limits: Limits,
    noncrossing: bool = False,
) -> list[QuantileFit]:
    """Fits for each quantile (None: `lad`) of `samples` X, y and their weights."""
    X, y, weight = samples
    if is_sparse(X):
        unknown = {"formula": formula, "alpha": alpha, "constraints": constraints}
        unknown |= {"noncrossing": noncrossing}
        return sparse_path(X, y, weight, fit_intercept, missing, levels, limits, unknown)
    data, intercept, names = given(X, y, formula, weight, fit_intercept, missing)
    task = Task.of(data, intercept, alpha, constraints, names)
    task.warn(depth=3)
    if not flag("noncrossing", noncrossing):
        return path(task, levels, limits)
    taus = [tau for tau in levels if tau is not None]
    if task.beside is not None:
        raise ValueError("noncrossing: expected False beside alpha or constraints, found True")
    if (np.diff(taus) <= 0.0).any():
        raise ValueError(
            "taus: expected ascending quantiles for noncrossing=True; give np.unique(taus)"
        )
    return uncrossed_path(task, taus, limits)


__all__ = ["lad", "quantile", "quantile_path"]
