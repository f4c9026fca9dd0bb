"""Tests between fits: of nested models at one quantile, of equal slopes at several."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr
from scipy.stats import f as fisher

from .._shown import repr_html
from .._validate import choice
from .estimate import Estimate
from .inference import covariance, densities, sandwich

Floats = NDArray[np.float64]

TESTS = ("wald", "rank")

_NESTED = 1e-8  # of its length, that may be left of a column in the span of others


@dataclass(frozen=True)
class FitComparison:
    """Whether a larger model fits better than chance would let it.

    Attributes
    ----------
    statistic : float
        F: the test statistic of chi-squared type over its degrees of freedom.
    df : tuple of int
        Degrees of freedom: restrictions, and samples less parameters.
    p_value : float
        Probability of a larger statistic where the restrictions hold.
    test : str
        "wald", "rank" or "slopes".
    message : str
        All of it in words.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_stackloss()
    >>> large, small = rw.lad(data.X, data.y), rw.lad(data.X[:, :2], data.y)
    >>> large.compare(small, test="rank").df
    (1, 17)
    """

    statistic: float
    df: tuple[int, int]
    p_value: float
    test: str
    message: str

    _repr_html_ = repr_html


def compare(
    one: Estimate, others: Sequence[Estimate], test: str, kind: str | None
) -> FitComparison:
    """The test of two nested fits, or of equal slopes of fits that differ in tau alone."""
    choice("test", test, TESTS)
    if len(others) != 1 or one.tau != others[0].tau:
        return equal_slopes([one, *others], kind or "nid")
    other = others[0]
    _same_samples([one, other])
    large, small = (one, other) if one.fitted.size > other.fitted.size else (other, one)
    restrictions = _restrictions(large.design, small.design)
    statistic = {"wald": _wald, "rank": _rank}[test](large, small, restrictions, kind)
    count = len(restrictions)
    what = f"{count} restriction{'s' if count > 1 else ''} at tau={large.tau:g}"
    return _record(statistic / count, (count, large.freedom), test, what)


def equal_slopes(fits: Sequence[Estimate], kind: str) -> FitComparison:
    """Wald's test of equal slopes of fits of one model at several quantiles.

    Koenker and Bassett (Econometrica 50, 1982), as ``anova.rq`` has it.
    """
    _same_samples(fits)
    first, m = fits[0], len(fits)
    if any(not np.array_equal(fit.design, first.design) for fit in fits):
        raise ValueError("other: expected the same features where tau differs")
    slopes = np.flatnonzero(first.fitted > 0)
    if slopes.size == first.fitted.size:
        raise ValueError("other: expected fits with an intercept where tau differs")
    taus = np.array([fit.tau for fit in fits])
    if len(set(taus.tolist())) < m:
        raise ValueError("other: expected fits that differ in tau")
    common = np.minimum.outer(taus, taus) - np.multiply.outer(taus, taus)
    square = first.design.T @ first.design
    bread = [sandwich(fit, kind)[0][slopes] for fit in fits]
    parts = [[common[j, k] * bread[j] @ square @ bread[k].T for k in range(m)] for j in range(m)]
    q = slopes.size
    difference = np.kron(np.diff(np.eye(m), axis=0), np.eye(q))
    values = np.concatenate([fit.coefficients[first.fitted[slopes]] for fit in fits])
    count, n = q * (m - 1), len(first.y)
    statistic = _quadratic(difference @ values, difference @ np.block(parts) @ difference.T)
    what = f"equal slopes at tau={', '.join(f'{tau:g}' for tau in taus.tolist())}"
    return _record(statistic / count, (count, n * m - count), "slopes", what)


def _record(statistic: float, df: tuple[int, int], test: str, what: str) -> FitComparison:
    p_value = float(fisher.sf(statistic, *df))
    message = f"{what}: F({df[0]}, {df[1]}) = {statistic:.6g}, p = {p_value:.3g} ({test})"
    return FitComparison(statistic, df, p_value, test, message)


def _same_samples(fits: Sequence[Estimate]) -> None:
    """Check that all fits are of the same targets and weights."""
    first = fits[0]
    for fit in fits[1:]:
        for name, a, b in (("targets", first.y, fit.y), ("weights", first.w, fit.w)):
            if not np.array_equal(a, b):
                rows = f" {len(b)} instead of {len(a)}" if len(a) != len(b) else " others"
                raise ValueError(
                    f"other: expected a fit of the same {name}, found{rows}; fit both on the same "
                    f"rows (after dropna() of all columns, if values are missing) and weights"
                )


def _unit(x: Floats) -> tuple[Floats, Floats]:
    """Columns of length 1, and their lengths."""
    size = np.linalg.norm(x, axis=0)
    return x / size, size


def _restrictions(large: Floats, small: Floats) -> Floats:
    """R (k, q) with R b = 0 where b makes a function that `small` makes too.

    ValueError if they are not nested.
    """
    (big, size), (little, _) = _unit(large), _unit(small)
    basis, root, order = qr(big, mode="economic", pivoting=True)
    inside = basis.T @ little
    if np.linalg.norm(little - basis @ inside, axis=0).max() > _NESTED:
        raise ValueError(
            "other: expected nested fits, each feature of one in the span of the other's"
        )
    if small.shape[1] == large.shape[1]:
        raise ValueError("other: expected a fit with fewer or more features, found the same model")
    outside = qr(inside, mode="full")[0][:, small.shape[1] :]  # directions that `small` has not
    found = np.empty((outside.shape[1], large.shape[1]))
    found[:, order] = outside.T @ root
    return found * size


def _wald(large: Estimate, small: Estimate, restrictions: Floats, kind: str | None) -> float:
    b = large.coefficients[large.fitted]
    matrix = covariance(large, kind or "nid")
    return _quadratic(restrictions @ b, restrictions @ matrix @ restrictions.T)


def _rank(large: Estimate, small: Estimate, restrictions: Floats, kind: str | None) -> float:
    """Rank scores of the small model: Gutenbrunner, Jureckova, Koenker and Portnoy (1993).

    With the score of the quantile, as ``anova.rq(test="rank")``.
    """
    root = np.ones(len(small.y))
    if choice("kind", kind or "iid", ("iid", "nid")) == "nid":
        root = np.sqrt(densities(small, "nid"))
    rest = large.design @ np.linalg.pinv(restrictions)  # columns that the small model has not
    within, _ = _unit(small.design)
    rest -= within @ np.linalg.lstsq(within * root[:, None], rest * root[:, None])[0]
    rank = small.dual / small.w
    scale = small.tau * (1.0 - small.tau)
    return _quadratic(rest.T @ rank, scale * (rest.T @ rest))


def _quadratic(values: Floats, matrix: Floats) -> float:
    """``values' matrix^-1 values``; 0 or inf where there are no errors at all."""
    if not matrix.any():
        return np.inf if np.abs(values).max() > 0.0 else 0.0
    size = np.sqrt(matrix.diagonal())
    return float((values / size) @ np.linalg.solve(matrix / np.outer(size, size), values / size))


__all__ = ["TESTS", "FitComparison", "compare", "equal_slopes"]
