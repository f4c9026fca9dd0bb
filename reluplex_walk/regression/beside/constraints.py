"""Linear constraints for fits, as scipy.optimize.LinearConstraint: signs, monotone and convex fits.

For the argument ``constraints`` of :func:`reluplex_walk.quantile` and its kin, where several may be
given as a list.  All are on the coefficients (p + 1,), the intercept first.

Examples
--------
>>> import numpy as np, reluplex_walk as rw
>>> x = np.arange(8.0)
>>> y = np.array([0.0, 1.0, 0.5, 2.0, 1.5, 3.0, 2.5, 4.0])
>>> X = np.maximum(0.0, x[:, None] - np.arange(7.0))  # a line, bent at 1, ..., 6
>>> increasing = rw.constraints.increasing_along(X)
>>> fit = rw.lad(X, y, constraints=increasing)
>>> fit.predict(X)
array([0. , 0.5, 0.5, 1.5, 1.5, 2.5, 2.5, 4. ])
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import LinearConstraint

from .rows import Columns, bends, fit_rows, unit_rows


def nonnegative(X: Any, columns: Columns | None = None) -> LinearConstraint:
    """Coefficients >= 0.

    Parameters
    ----------
    X : array_like (n, p) or QuantileFit
        Features of the fit, or a table of them; for formulas a fit without constraints.
    columns : sequence, optional
        Names of features (of columns of categories such as ``region[T.north]``) if `X` has some,
        else their positions; default all, the intercept left out.

    Returns
    -------
    scipy.optimize.LinearConstraint

    Raises
    ------
    ValueError
        If there is no such column.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_stackloss()
    >>> signs = rw.constraints.nonnegative(data.X)
    >>> rw.lad(data.X, data.y, constraints=signs).coefficients.round(4)
    array([-44.0806,   0.7903,   0.6613,   0.    ])

    By the names of a formula, from a fit without constraints.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"x": [0, 1, 2, 3, 4], "g": list("abbab"), "y": [2, 2, 1, 4, 3]})
    >>> plain = rw.lad(table, formula="y ~ x + g")
    >>> signs = rw.constraints.nonnegative(plain, ["g[T.b]"])
    >>> rw.lad(table, formula="y ~ x + g", constraints=signs).coefficients
    array([1.66666667, 0.33333333, 0.        ])
    """
    return LinearConstraint(unit_rows(X, columns, False), 0.0, np.inf)


def nonpositive(X: Any, columns: Columns | None = None) -> LinearConstraint:
    """Coefficients <= 0; as :func:`nonnegative`.

    Parameters
    ----------
    X : array_like (n, p)
        Features of the fit, or a table of them.
    columns : sequence, optional
        Labels of columns if `X` is a table, else their positions; default all, the intercept left
        out.

    Returns
    -------
    scipy.optimize.LinearConstraint

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.constraints.nonpositive([[1.0, 2.0, 3.0]], [1]).A
    array([[0., 0., 1., 0.]])
    """
    return LinearConstraint(unit_rows(X, columns, False), -np.inf, 0.0)


def increasing(
    X: Any, columns: Columns | None = None, *, reference: bool = False
) -> LinearConstraint:
    """Coefficients that do not fall from one column to the next.

    For indicators of ordered categories, and for the B-splines of a monotone fit: a spline whose
    coefficients ascend ascends.

    Parameters
    ----------
    X : array_like (n, p) or QuantileFit
        Features of the fit, or a table of them; for formulas a fit without constraints.
    columns : sequence, optional
        Names of features (of columns of categories such as ``grade[T.high]``) if `X` has some, else
        their positions, in order; default all.
    reference : bool, default False
        Whether a column before the first one was left out, with coefficient 0 (the reference
        category, or the first of the B-splines beside an intercept).

    Returns
    -------
    scipy.optimize.LinearConstraint

    Raises
    ------
    ValueError
        If there is no such column.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.constraints.increasing([[0.0, 0.0, 0.0]], reference=True).A
    array([[ 0.,  1.,  0.,  0.],
           [ 0., -1.,  1.,  0.],
           [ 0.,  0., -1.,  1.]])
    """
    return LinearConstraint(np.diff(unit_rows(X, columns, reference), axis=0), 0.0, np.inf)


def decreasing(
    X: Any, columns: Columns | None = None, *, reference: bool = False
) -> LinearConstraint:
    """Coefficients that do not rise from one column to the next; as :func:`increasing`.

    Parameters
    ----------
    X : array_like (n, p)
        Features of the fit, or a table of them.
    columns : sequence, optional
        Labels of columns if `X` is a table, else their positions, in order; default all.
    reference : bool, default False
        Whether a column before the first one was left out, with coefficient 0.

    Returns
    -------
    scipy.optimize.LinearConstraint

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.constraints.decreasing([[0.0, 0.0]]).ub
    array([0.])
    """
    return LinearConstraint(np.diff(unit_rows(X, columns, reference), axis=0), -np.inf, 0.0)


def convex(
    X: Any,
    columns: Columns | None = None,
    *,
    at: ArrayLike | None = None,
    reference: bool = False,
) -> LinearConstraint:
    """Coefficients whose slope from one column to the next does not fall.

    Parameters
    ----------
    X : array_like (n, p)
        Features of the fit, or a table of them.
    columns : sequence, optional
        Labels of columns if `X` is a table, else their positions, in order; default all.
    at : array_like (k,), optional
        Where the columns stand (a `reference` first), ascending: knots, levels; default 0, 1, 2...
    reference : bool, default False
        Whether a column before the first one was left out, with coefficient 0.

    Returns
    -------
    scipy.optimize.LinearConstraint

    Raises
    ------
    ValueError
        If there is no such column, or `at` does not ascend.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.constraints.convex([[0.0, 0.0, 0.0]], at=[0.0, 1.0, 3.0]).A
    array([[ 0.,  2., -3.,  1.]])
    """
    return LinearConstraint(bends(unit_rows(X, columns, reference), at), 0.0, np.inf)


def concave(
    X: Any,
    columns: Columns | None = None,
    *,
    at: ArrayLike | None = None,
    reference: bool = False,
) -> LinearConstraint:
    """Coefficients whose slope from one column to the next does not rise; as :func:`convex`.

    Parameters
    ----------
    X : array_like (n, p)
        Features of the fit, or a table of them.
    columns : sequence, optional
        Labels of columns if `X` is a table, else their positions, in order; default all.
    at : array_like (k,), optional
        Where the columns stand (a `reference` first), ascending: knots, levels; default 0, 1, 2...
    reference : bool, default False
        Whether a column before the first one was left out, with coefficient 0.

    Returns
    -------
    scipy.optimize.LinearConstraint

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.constraints.concave([[0.0, 0.0, 0.0]]).A
    array([[ 0.,  1., -2.,  1.]])
    """
    return LinearConstraint(bends(unit_rows(X, columns, reference), at), -np.inf, 0.0)


def fit_at(Z: ArrayLike, lower: ArrayLike = -np.inf, upper: ArrayLike = np.inf) -> LinearConstraint:
    """Bounds on the fit at the features `Z`.

    Parameters
    ----------
    Z : array_like (g, p)
        Features at which the fit is bounded.
    lower, upper : array_like (g,) or float, optional
        Bounds there, default none; both the same number where the fit is to pass through it.

    Returns
    -------
    scipy.optimize.LinearConstraint

    Raises
    ------
    ValueError
        If `Z` is no matrix of numbers.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> X, y = [[1.0], [2.0], [3.0]], [1.0, 2.5, 3.5]
    >>> rw.lad(X, y, constraints=rw.constraints.fit_at([[0.0]], 0.0, 0.0)).coefficients
    array([0.        , 1.16666667])
    """
    return LinearConstraint(fit_rows(Z), np.asarray(lower, float), np.asarray(upper, float))


def increasing_along(Z: ArrayLike) -> LinearConstraint:
    """A fit that does not fall from one row of features `Z` to the next.

    For any features of one variable, evaluated on a grid: where the fit is linear in between, as
    for piecewise linear features and a grid with all bends, it is monotone.

    Parameters
    ----------
    Z : array_like (g, p)
        Features along the way.

    Returns
    -------
    scipy.optimize.LinearConstraint

    Raises
    ------
    ValueError
        If `Z` is no matrix of numbers.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.constraints.increasing_along([[0.0, 0.0], [1.0, 1.0], [2.0, 4.0]]).A
    array([[0., 1., 1.],
           [0., 1., 3.]])
    """
    return LinearConstraint(np.diff(fit_rows(Z), axis=0), 0.0, np.inf)


def decreasing_along(Z: ArrayLike) -> LinearConstraint:
    """A fit that does not rise from one row of `Z` to the next; as :func:`increasing_along`.

    Parameters
    ----------
    Z : array_like (g, p)
        Features along the way.

    Returns
    -------
    scipy.optimize.LinearConstraint

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.constraints.decreasing_along([[0.0], [1.0]]).ub
    array([0.])
    """
    return LinearConstraint(np.diff(fit_rows(Z), axis=0), -np.inf, 0.0)


def convex_along(Z: ArrayLike, at: ArrayLike | None = None) -> LinearConstraint:
    """A fit whose slope does not fall along the rows of features `Z`.

    Parameters
    ----------
    Z : array_like (g, p)
        Features along the way.
    at : array_like (g,), optional
        Where the rows stand, ascending; default 0, 1, 2...

    Returns
    -------
    scipy.optimize.LinearConstraint

    Raises
    ------
    ValueError
        If `Z` is no matrix of numbers, or `at` does not ascend.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.constraints.convex_along([[0.0, 0.0], [1.0, 1.0], [2.0, 4.0]]).A
    array([[0., 0., 2.]])
    """
    return LinearConstraint(bends(fit_rows(Z), at), 0.0, np.inf)


def concave_along(Z: ArrayLike, at: ArrayLike | None = None) -> LinearConstraint:
    """A fit whose slope does not rise along the rows of `Z`; as :func:`convex_along`.

    Parameters
    ----------
    Z : array_like (g, p)
        Features along the way.
    at : array_like (g,), optional
        Where the rows stand, ascending; default 0, 1, 2...

    Returns
    -------
    scipy.optimize.LinearConstraint

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.constraints.concave_along([[0.0, 0.0], [1.0, 1.0], [2.0, 4.0]]).ub
    array([0.])
    """
    return LinearConstraint(bends(fit_rows(Z), at), -np.inf, 0.0)


__all__ = [
    "concave",
    "concave_along",
    "convex",
    "convex_along",
    "decreasing",
    "decreasing_along",
    "fit_at",
    "increasing",
    "increasing_along",
    "nonnegative",
    "nonpositive",
]
