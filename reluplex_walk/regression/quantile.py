"""`lad`, `quantile`, `quantile_path`: linear regression by least absolute deviations, exactly.

The special case of the walk without a hidden layer: the loss is convex, so that its local minima
are global, and the walk is the algorithm of Barrodale and Roberts (1973), for quantiles that of
Koenker and d'Orey (1987).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._frames import column_labels
from .._limits import Limits
from .._validate import flag, real, real_array
from ..ended import Ended
from ..problem.aliased import warn_of_aliased
from ..proof.certificate import Certificate
from ..simplex.records import WalkStatus
from ..tolerances import PROOF
from .data import Data, Posed, slopes_of
from .fit import Proof, QuantileFit
from .solver import FitProgress, Solution, minimise
from .sparse_fit import fit_sparse, is_sparse
from .vertex import exact_loss, nearest_coefficients
from .walking import by_walking

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Callback = Callable[[FitProgress], Any]

_PRUDENCE = 0.999  # of what a claim allows, here


def lad(
    X: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    time_limit: float | None = None,
    callback: Callback | None = None,
) -> QuantileFit:
    """Least absolute deviations: minimise ``sum_i w_i |y_i - b_0 - x_i . b|`` exactly.

    Parameters
    ----------
    X : array_like or sparse array (n, p)
        Features, without a column for the intercept.  Of sparse ones (`scipy.sparse`, fixed effects
        with thousands of dummies) no dense matrix is made.
    y : array_like (n,)
        Targets.
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1; those below 1e-100 count as 0.
    fit_intercept : bool, default True
        If not, the intercept is 0.
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
    limits = Limits.asked(time_limit, callback)
    if is_sparse(X):
        return _sparse(X, y, None, sample_weight, flag("fit_intercept", fit_intercept), limits)
    data = Data.of(X, y, sample_weight)
    posed = Posed.of(data.kept(), flag("fit_intercept", fit_intercept))
    if len(posed.aliased):
        warn_of_aliased(data.kept().X, posed.aliased)
    return _named(X, _path(data, posed, fit_intercept, [None], limits))[0]


def quantile(
    X: ArrayLike,
    y: ArrayLike,
    tau: float = 0.5,
    *,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    time_limit: float | None = None,
    callback: Callback | None = None,
) -> QuantileFit:
    """Linear regression for the quantile `tau` of y, exactly.

    Parameters
    ----------
    X : array_like or sparse array (n, p)
        Features, without a column for the intercept.  Of sparse ones (`scipy.sparse`, fixed effects
        with thousands of dummies) no dense matrix is made.
    y : array_like (n,)
        Targets.
    tau : float, default 0.5
        The quantile, in (0, 1).
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1; those below 1e-100 count as 0.
    fit_intercept : bool, default True
        If not, the intercept is 0.
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
    limits = Limits.asked(time_limit, callback)
    if is_sparse(X):
        level, whole = _level("tau", tau), flag("fit_intercept", fit_intercept)
        return _sparse(X, y, level, sample_weight, whole, limits)
    data = Data.of(X, y, sample_weight)
    posed = Posed.of(data.kept(), flag("fit_intercept", fit_intercept))
    if len(posed.aliased):
        warn_of_aliased(data.kept().X, posed.aliased)
    levels = [_level("tau", tau)]
    return _named(X, _path(data, posed, fit_intercept, levels, limits))[0]


def quantile_path(
    X: ArrayLike,
    y: ArrayLike,
    taus: Sequence[float],
    *,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    time_limit: float | None = None,
    callback: Callback | None = None,
) -> list[QuantileFit]:
    """Linear regressions for several quantiles, each started from the one before.

    Parameters
    ----------
    X : array_like or sparse array (n, p)
        Features, without a column for the intercept.  Of sparse ones (`scipy.sparse`, fixed effects
        with thousands of dummies) no dense matrix is made.
    y : array_like (n,)
        Targets.
    taus : sequence of float
        The quantiles, each in (0, 1), best in ascending order.
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1; those below 1e-100 count as 0.
    fit_intercept : bool, default True
        If not, the intercept is 0.
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
    levels = [_level(f"taus[{k}]", tau) for k, tau in enumerate(levels)]
    limits = Limits.asked(time_limit, callback)
    if is_sparse(X):
        whole, fits = flag("fit_intercept", fit_intercept), []
        for tau in levels:
            fits.append(_sparse(X, y, tau, sample_weight, whole, limits))
            if fits[-1].ended.early:
                break
        return fits
    data = Data.of(X, y, sample_weight)
    posed = Posed.of(data.kept(), flag("fit_intercept", fit_intercept))
    if len(posed.aliased):
        warn_of_aliased(data.kept().X, posed.aliased)
    return _named(X, _path(data, posed, fit_intercept, levels, limits))


def _sparse(
    X: Any,
    y: ArrayLike,
    tau: float | None,
    sample_weight: ArrayLike | None,
    fit_intercept: bool,
    limits: Limits,
) -> QuantileFit:
    """The fit for sparse features."""
    fit = fit_sparse(X, y, tau, sample_weight, fit_intercept, limits)
    theta, loss, dual, status, ended, pivots, data, aliased, proof = fit
    return QuantileFit(
        theta, loss, dual, status, ended, tau, pivots, *data, aliased, fit_intercept, proof
    )


def _level(name: str, tau: float) -> float:
    level = real(name, tau)
    if not 0.0 < level < 1.0:
        raise ValueError(f"{name}: expected a number in (0, 1), found {tau}")
    return level


def _named(X: ArrayLike, fits: list[QuantileFit]) -> list[QuantileFit]:
    """The `fits` with the names of the columns of `X`, if it has them."""
    names = column_labels("X", X)
    return fits if names is None else [replace(fit, feature_names=names) for fit in fits]


def _path(
    data: Data,
    posed: Posed,
    fit_intercept: bool,
    levels: Sequence[float | None],
    limits: Limits,
) -> list[QuantileFit]:
    """Fits for each quantile (None: `lad`)."""
    samples, units, aliased = posed
    fits: list[QuantileFit] = []
    basis = None
    with limits:
        for tau in levels:
            if fits and limits.over is not None:
                break
            slopes = slopes_of(tau)
            found = minimise(samples, slopes[:2], basis, limits)
            proof = Proof(samples, units, slopes, found.basis, found.side)
            fit = _fit(data, tau, aliased, fit_intercept, found, proof, limits)
            fits.append(fit)
            basis = found.basis if found.proved else None
            if fit.ended.early:
                break
    if len(fits) == len(levels) and not fits[-1].ended.early:  # nobody would see that it came
        limits.pass_on()
    return fits


def _fit(
    data: Data,
    tau: float | None,
    aliased: Ints,
    fit_intercept: bool,
    found: Solution,
    proof: Proof,
    limits: Limits,
) -> QuantileFit:
    """The fit from the end of the solver, by walking on from there where that is not proved."""
    samples, units, slopes = proof[:3]
    theta, dual = np.zeros(data.X.shape[1] + 1), found.dual / -(slopes.unit * units.w)
    if len(dual) < len(data.y):
        dual = _spread(dual, data.w > 0.0)
    status, ended = WalkStatus.GLOBAL_MINIMUM, Ended.FINISHED
    end: Certificate | Proof | None = proof
    if found.proved:
        theta[units.fitted] = nearest_coefficients(samples, units, found.basis, found.blur)
    else:
        factors = np.array([float(f) for f in units.factors(samples)])
        theta[units.fitted] = found.basis.theta * factors
        over = found.ended or limits.over
        if over is not None:
            status, ended, end = WalkStatus[over.name], over, None
        else:
            theta, dual, traj = by_walking(data, tau, fit_intercept, theta, limits)
            status, ended, end = traj.status, traj.ended, traj.certificate
    r = data.y - ((data.X @ theta[1:, None])[:, 0] + theta[0])  # rounded as a `LayerLoss` does
    below, above = slopes.floats
    loss = float((data.w * np.where(r > 0.0, below * r, -above * r)).sum())
    if found.proved and not _held_by_floats(data, theta, loss, proof):
        status = WalkStatus.NOT_PROVED
    return QuantileFit(
        theta, loss, dual, status, ended, tau, found.pivots, *data, aliased, fit_intercept, end
    )


def _spread(values: Floats, places: NDArray[np.bool_]) -> Floats:
    """The `values` at these places, 0 elsewhere."""
    found = np.zeros(len(places))
    found[places] = values
    return found


def _held_by_floats(data: Data, theta: Floats, loss: float, proof: Proof) -> bool:
    """Whether the loss at the rounded coefficients is that of the exact ones, as far as a claim
    about them demands.
    """
    samples, units, slopes, basis, _ = proof
    sizes = samples.largest @ np.abs(basis.theta) / units.y
    gap = max(slopes.floats) * 2.0**-53 * float(data.w.sum() * sizes)
    if gap <= 0.5 * PROOF.gap_share * loss:
        return True
    targets = float(data.w @ np.abs(data.y))
    sums = np.append(data.w.sum(), data.w @ np.abs(data.X))
    gap = max(slopes.floats) * 2.0**-53 * float(sums @ np.abs(theta))
    if gap <= 0.5 * (PROOF.gap_share * loss + PROOF.gap_targets * targets):
        return True
    least = proof.vertex().loss
    allowed = Fraction(PROOF.gap_share) * least + Fraction(PROOF.gap_targets * targets)
    return exact_loss(samples, units, slopes, theta) - least <= allowed * Fraction(_PRUDENCE)


__all__ = ["lad", "quantile", "quantile_path"]
