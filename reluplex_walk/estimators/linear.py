"""`LADRegressor`, `QuantileRegressor`: linear regressions, solved exactly."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from ..problem.aliased import RankWarning
from ..proof.certificate import Certificate
from ..regression.beside.optimality import OptimalityCertificate
from ..regression.fit import QuantileFit
from ..regression.quantile import lad, quantile_path
from ._checks import Weighted, inputs, levels, shares_explained, training_data

Floats = NDArray[np.float64]


class _Linear(RegressorMixin, BaseEstimator):
    """What both regressions share."""

    alpha: float
    fit_intercept: bool

    def _fit(self, X: Any, y: Any, weight: Any, taus: Sequence[float | None], several: bool) -> Any:
        data = training_data(self, X, y, weight, sparse=True)
        fits = _fits(data, taus, self.alpha, self.fit_intercept)
        self.fits_: tuple[QuantileFit, ...] = tuple(fits)
        both = np.array([fit.coefficients for fit in fits])
        self.coef_ = both[:, 1:] if several else both[0, 1:]
        self.intercept_ = both[:, 0] if several else float(both[0, 0])
        self.n_iter_ = sum(fit.n_pivots for fit in fits)
        return self

    def _predict(self, X: Any) -> Floats:
        return np.asarray(inputs(self, X, sparse=True) @ self.coef_.T + self.intercept_)

    @property
    def fit_(self) -> QuantileFit:
        """The fit, with loss, dual solution and everything else known of it; see `fits_`."""
        check_is_fitted(self)
        if len(self.fits_) > 1:
            raise AttributeError("fit_: expected one quantile, found several; take fits_")
        return self.fits_[0]

    @property
    def certificates_(self) -> tuple[Certificate | OptimalityCertificate, ...]:
        """The proofs of `fits_`, made when asked for; ``fit.verify()`` checks one."""
        check_is_fitted(self)
        return tuple(_proof(fit) for fit in self.fits_)

    @property
    def certificate_(self) -> Certificate | OptimalityCertificate:
        """The proof of `fit_`, that of its penalty included."""
        return _proof(self.fit_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class LADRegressor(_Linear):
    """Linear regression by least absolute deviations.

    Minimises ``sum_i w_i |y_i - b_0 - x_i . b| / sum_i w_i + alpha * sum_j |b_j|``, exactly.

    Parameters
    ----------
    alpha : float, default 0.0
        Weight of the L1 penalty, the intercept left out.  Sparse `X` is made dense for one.
    fit_intercept : bool, default True
        If not, the intercept is 0.

    Attributes
    ----------
    coef_ : ndarray (p,)
        Coefficients of the features.
    intercept_ : float
        The constant.
    n_features_in_, feature_names_in_ : int, ndarray (p,)
        Of the data of :meth:`fit`; names of data frames alone.
    n_iter_ : int
        Pivots made.
    fits_ : tuple of QuantileFit
        The one fit, also ``fit_``.

    See Also
    --------
    reluplex_walk.lad : the function, with formulas, tables and constraints.

    Examples
    --------
    >>> from reluplex_walk.estimators import LADRegressor
    >>> model = LADRegressor().fit([[0.0], [1.0], [2.0], [3.0], [4.0]], [1.0, 3.0, 70.0, 7.0, 9.0])
    >>> model.predict([[10.0]])
    array([21.])
    >>> model.fit_.loss, model.fit_.verify()
    (65.0, Fraction(65, 1))
    >>> model.certificate_.is_global, len(model.certificates_)
    (True, 1)
    """

    def __init__(self, alpha: float = 0.0, fit_intercept: bool = True) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> "LADRegressor":
        """Fit to `X` (n, p) and `y` (n,), with weights >= 0 `sample_weight` (n,); returns self.

        Raises ValueError or TypeError if an argument does not fit.

        Examples
        --------
        >>> from reluplex_walk.estimators import LADRegressor
        >>> LADRegressor().fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 9.0], [1.0, 1.0, 0.0]).coef_
        array([1.])
        """
        self._fit(X, y, sample_weight, [None], several=False)
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Predictions (m,) at the rows of `X` (m, p).

        Examples
        --------
        >>> from reluplex_walk.estimators import LADRegressor
        >>> LADRegressor().fit([[0.0], [1.0], [2.0]], [0.0, 2.0, 4.0]).predict([[3.0]])
        array([6.])
        """
        return self._predict(X)


class QuantileRegressor(_Linear):
    """Linear regression for one or several quantiles; in place of scikit-learn's of that name.

    Minimises ``sum_i w_i rho(y_i - b_0 - x_i . b) / sum_i w_i + alpha * sum_j |b_j|`` with
    ``rho(u) = quantile * max(u, 0) + (1 - quantile) * max(-u, 0)``, exactly: what
    ``sklearn.linear_model.QuantileRegressor`` minimises, with the same arguments and defaults.

    Several quantiles do not cross: with ``alpha=0`` they are fitted under that condition at the
    rows of X, and predictions, one column for each, are sorted in each row.

    Parameters
    ----------
    quantile : float or sequence of float, default 0.5
        In (0, 1); several in ascending order.
    alpha : float, default 1.0
        Weight of the L1 penalty, the intercept left out.  Sparse `X` is made dense for one.
    fit_intercept : bool, default True
        If not, the intercept is 0.
    solver, solver_options : str and dict, optional
        Taken for the sake of scikit-learn's, and not looked at: there is one solver.

    Attributes
    ----------
    coef_ : ndarray (p,) or (k, p)
        Coefficients of the features; a row for each of several quantiles.
    intercept_ : float or ndarray (k,)
        The constant.
    n_features_in_, feature_names_in_ : int, ndarray (p,)
        Of the data of :meth:`fit`; names of data frames alone.
    n_iter_ : int
        Pivots made.
    fits_ : tuple of QuantileFit
        One for each quantile; ``fit_`` if there is one.

    See Also
    --------
    reluplex_walk.quantile : the function, with formulas, tables and constraints.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk.estimators import QuantileRegressor
    >>> data = rw.datasets.load_engel()
    >>> model = QuantileRegressor(quantile=0.9, alpha=0.0).fit(data.X, data.y)
    >>> model.coef_.round(4), model.fit_.status.name, model.certificate_.is_global
    (array([0.6863]), 'GLOBAL_MINIMUM', True)
    >>> bands = QuantileRegressor([0.1, 0.5, 0.9], alpha=0.0).fit(data.X, data.y)
    >>> bands.predict([[1000.0]]).round(1), len(bands.certificates_)
    (array([[511.9, 641.7, 753.7]]), 3)
    """

    def __init__(
        self,
        quantile: float | Sequence[float] = 0.5,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        solver: str | None = None,
        solver_options: dict[str, Any] | None = None,
    ) -> None:
        self.quantile = quantile
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.solver_options = solver_options

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> "QuantileRegressor":
        """Fit to `X` (n, p) and `y` (n,), with weights >= 0 `sample_weight` (n,); returns self.

        Raises ValueError or TypeError if an argument does not fit.

        Examples
        --------
        >>> from reluplex_walk.estimators import QuantileRegressor
        >>> model = QuantileRegressor(alpha=0.0)
        >>> model.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 9.0], sample_weight=[1, 1, 0]).coef_
        array([1.])
        """
        taus, several = levels("quantile", self.quantile)
        self._fit(X, y, sample_weight, taus, several)
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Predictions (m,) at the rows of `X` (m, p), for several quantiles (m, k).

        Examples
        --------
        >>> from reluplex_walk.estimators import QuantileRegressor
        >>> model = QuantileRegressor([0.25, 0.75], alpha=0.0)
        >>> model.fit([[0.0], [1.0], [2.0]], [0.0, 2.0, 4.0]).predict([[3.0]])
        array([[6., 6.]])
        """
        found = self._predict(X)
        return np.sort(found, axis=1) if found.ndim == 2 else found

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """R^2 of the predictions at `X` for `y` and `sample_weight`, as scikit-learn has it.

        For several quantiles the share of the pinball loss that is explained, their mean.

        Examples
        --------
        >>> from reluplex_walk.estimators import QuantileRegressor
        >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 2.0, 4.0]
        >>> QuantileRegressor([0.25, 0.75], alpha=0.0).fit(X, y).score(X, y)
        1.0
        """
        taus, several = levels("quantile", self.quantile)
        if not several:
            return float(super().score(X, y, sample_weight))
        return shares_explained(y, self.predict(X), taus, sample_weight)


def _fits(
    data: Weighted, taus: Sequence[float | None], alpha: float, intercept: bool
) -> list[QuantileFit]:
    """Fits for each quantile (None: `lad`); what is aliased stands in them, nobody is warned."""
    X, y, weight = data
    if sparse.issparse(X) and alpha != 0.0:
        X = X.toarray()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankWarning)
        if taus[0] is None:
            return [lad(X, y, sample_weight=weight, fit_intercept=intercept, alpha=alpha)]
        levels = [tau for tau in taus if tau is not None]
        free = alpha == 0.0 and len(taus) > 1 and not sparse.issparse(X)
        return quantile_path(
            X, y, levels, sample_weight=weight, fit_intercept=intercept, alpha=alpha,
            noncrossing=free,
        )  # fmt: skip


def _proof(fit: QuantileFit) -> Certificate | OptimalityCertificate:
    """The certificate of a fit, whatever was minimised."""
    try:
        return fit.certificate
    except ValueError:  # a penalty, or several quantiles at once, are no part of its problem
        return fit.optimality


__all__ = ["LADRegressor", "QuantileRegressor"]
