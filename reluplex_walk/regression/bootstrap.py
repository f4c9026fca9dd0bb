"""The bootstrap of a quantile regression: each replicate starts from the basis of the fit.

A replicate moves the fit by about its standard error, so that samples farther from it keep their
sides: they enter by their gradient, one matrix product for many replicates, and pivots are made on
the near ones alone (Chernozhukov, Fernandez-Val and Melly, Empirical Economics 62, 2022, do so with
an interior point method and no basis).
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr, solve_triangular
from scipy.stats import norm

from .._limits import Limits
from .._shown import repr_html
from .._validate import choice
from ..ended import Ended, ended_of
from ..native.lad import OPTIMAL
from ..native.lad_arrays import ZERO, First
from ..native.lad_bootstrap import SINGULAR, resample
from ..native.lad_rounding import residual
from ..tolerances import TOLERANCES
from .design import Basis, Samples, new_fit, typical_size
from .estimate import Estimate
from .inference import kernel_density, level_of
from .solver import minimise
from .tables.names import NO_NAMES, Names

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

METHODS = ("xy", "wild")

_SEEN = 1.0  # standard errors, and the root of q of them, within which samples are looked at
_NEAR = 4.0  # near samples for each parameter and n^(1/4)
_LEAST = 50  # of them at least
_BATCH = 2**20  # weights made at once


class BootstrapProgress(NamedTuple):
    """What the callback of a bootstrap is told.

    Attributes
    ----------
    done, n : int
        Replicates made, and to be made.
    elapsed : float
        Seconds.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_engel()
    >>> told = []
    >>> found = rw.quantile(data.X, data.y).bootstrap(10, callback=told.append)
    >>> told[-1].done, told[-1].n
    (9, 10)
    """

    done: int
    n: int
    elapsed: float


@dataclass(frozen=True, eq=False, repr=False)
class Bootstrap:
    """Replicates of a quantile regression.

    Attributes
    ----------
    coefficients : ndarray (n, p + 1)
        Of each replicate.
    centre : ndarray (p + 1,)
        Of the fit.
    method : str
        "xy" or "wild".
    ended : Ended
        FINISHED, or why there are fewer replicates than asked for.
    singular : int
        Replicates whose samples do not tell all coefficients: of their many minima one near the
        fit is taken.
    names : Names
        What is known of the table the fit was made from.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_engel()
    >>> rw.quantile(data.X, data.y).bootstrap(200, seed=1)
    Bootstrap(xy, 200 replicates, FINISHED)
    """

    coefficients: Floats
    centre: Floats
    method: str
    ended: Ended
    singular: int
    names: Names = NO_NAMES

    @property
    def bse(self) -> Floats:
        """Standard errors (p + 1,): standard deviations of the replicates; ValueError below 2.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> rw.quantile(data.X, data.y).bootstrap(100).bse.shape
        (2,)
        """
        return np.std(self._some(2), axis=0, ddof=1)

    @property
    def cov(self) -> Floats:
        """The covariance (p + 1, p + 1) of the replicates; ValueError below 2 of them.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> rw.quantile(data.X, data.y).bootstrap(100).cov.shape
        (2, 2)
        """
        return np.atleast_2d(np.cov(self._some(2), rowvar=False))

    def conf_int(self, level: float = 0.9, type: str = "percentile") -> Floats:
        """Confidence intervals (p + 1, 2).

        Parameters
        ----------
        level : float, default 0.9
            How often such intervals hold the coefficient, in (0, 1).
        type : {"percentile", "normal"}, default "percentile"
            Quantiles of the replicates; or the coefficients and normal quantiles times `bse`.

        Returns
        -------
        ndarray
            A row for each coefficient.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, or there are no replicates.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> found = rw.quantile(data.X, data.y).bootstrap(100)
        >>> found.conf_int(0.95, "normal").shape
        (2, 2)
        """
        tail = 0.5 - 0.5 * level_of(level)
        if choice("type", type, ("percentile", "normal")) == "percentile":
            return np.quantile(self._some(1), [tail, 1.0 - tail], axis=0).T
        far = -float(norm.ppf(tail)) * self.bse
        return np.column_stack([self.centre - far, self.centre + far])

    def to_frame(self) -> Any:
        """A table of pandas, a row for each replicate, a column for each coefficient.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> table = rw.quantile(data.X, data.y).bootstrap(100).to_frame()
        >>> table.shape, list(table.columns)
        ((100, 2), ['Intercept', 'x1'])
        """
        return self.names.by_rows(self.coefficients, range(len(self.coefficients)), "replicate")

    def _some(self, least: int) -> Floats:
        if len(self.coefficients) < least:
            raise ValueError(
                f"bootstrap: expected {least} replicates at least, found "
                f"{len(self.coefficients)} ({self.ended.name}); {self.ended.advice}"
            )
        return self.coefficients

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        return f"Bootstrap({self.method}, {len(self.coefficients)} replicates, {self.ended.name})"


class _Start(NamedTuple):
    """The first fit, its samples in ascending order of their distance from it."""

    samples: Samples  # their reach is the length in the metric of `first`
    order: Ints  # (n,) their places in the data
    theta: Floats  # (q,)
    r: Floats  # (n,) residuals ``fit - y``
    slope: Floats  # (n,) subgradients of their terms, for weights of 1
    hessian: Floats  # (q, q) inverse of what the gradient changes by where theta moves
    first: First
    zero: float  # |r| that counts as 0
    seen: int  # how many samples are looked at, at first
    band: float  # |r| / reach of the near ones

    @classmethod
    def of(cls, given: Estimate, factor: float) -> "_Start":
        """Where residuals of replicates are as large as those of the fit times `factor`."""
        samples, slopes = given.samples, (given.tau, 1.0 - given.tau)
        found = minimise(samples, slopes, given.basis)
        basis, theta = found.basis, found.basis.theta
        q, n = samples.x.shape
        if (basis.rows < 0).any():
            raise ValueError(
                f"bootstrap: expected samples that tell all {q} coefficients; leave some out"
            )
        r = _residuals(samples, basis)
        zero = TOLERANCES.zero * (typical_size(r) if r.any() else 1.0)
        r[np.abs(r) <= zero] = 0.0
        metric = qr(samples.x.T, mode="r", check_finite=False)[0][:q]
        reach = np.linalg.norm(solve_triangular(metric, samples.x, trans="T"), axis=0)
        share = factor * np.divide(np.abs(r), reach, out=np.full(n, np.inf), where=reach > 0.0)
        share[r == 0.0] = 0.0
        order = np.argsort(share, kind="stable")
        x = np.ascontiguousarray(samples.x[:, order])
        y, w, reach, share = samples.y[order], samples.w[order], reach[order], share[order]
        samples = samples._replace(x=x, y=y, w=w, reach=reach)
        least = int((r == 0.0).sum()) + q
        near = min(max(int(_NEAR * q * n**0.25), _LEAST, least), n)
        return cls(
            samples=samples,
            order=order,
            theta=theta,
            r=r[order],
            slope=(found.dual / given.samples.w)[order],
            hessian=_hessian(samples, r[order], given.tau),
            first=First(basis.edges.copy(), share, np.ascontiguousarray(metric), np.empty(q)),
            zero=zero,
            seen=min(max(int((_SEEN + math.sqrt(q)) * math.sqrt(q * n)), near), n),
            band=float(share[near - 1]),
        )


def _residuals(samples: Samples, basis: Basis) -> Floats:
    """Those (n,) of the vertex of `basis`, with the rounding of themselves and not of theta."""
    r = np.empty(samples.y.size)
    residual(samples.x, samples.y, basis.theta, np.arange(r.size), r)
    r -= (r[basis.rows] @ basis.edges) @ samples.x
    r[basis.rows] = 0.0
    return r


def _hessian(samples: Samples, r: Floats, tau: float) -> Floats:
    """The inverse (q, q) of the derivative of the gradient; 0 where it cannot be told."""
    x, w = samples.x, samples.w
    density = kernel_density(w * r, tau)
    try:
        found = np.linalg.inv((x * (density * w * w)) @ x.T)
    except np.linalg.LinAlgError:
        found = np.full((len(x),) * 2, np.nan)
    return found if np.isfinite(found).all() else np.zeros_like(found)


def bootstrap(
    given: Estimate, n: int, method: str, groups: Ints | None, seed: int, limits: Limits
) -> tuple[Floats, int, Ended]:
    """Replicates (n, q) of the fitted parameters, how many are singular, and why they ended.

    `groups` (n,) from 0: whole groups are drawn.
    """
    choice("method", method, METHODS)
    given.freedom  # noqa: B018  or else an error
    slopes = np.array([given.tau, 1.0 - given.tau])
    start = _Start.of(given, 1.0 if method == "xy" else 2.0 * float(slopes.min()))
    theta = np.empty((n, given.fitted.size))
    done, singular, over = 0, 0, None
    solver = _Resampler(start, slopes, method == "wild")
    draw = _Draws(start, method, given.tau, groups, seed)
    with limits:
        while done < n and over is None:
            weights, r = draw.next(min(n - done, max(1, _BATCH // start.order.size)))
            gradients, steps = solver.prepare(weights, r)
            for k in range(len(gradients)):
                over = limits.look(0, BootstrapProgress(done, n, limits.elapsed))
                if over is not None:
                    break
                pair = weights[k % len(weights)], r[k % len(r)]
                singular += solver.solve(*pair, gradients[k], steps[k], theta[done])
                done += 1
    if over is None:  # nobody would see that it came
        limits.pass_on()
    factors = np.array([float(f) for f in given.units.factors(given.samples)])
    return theta[:done] * factors, singular, ended_of(done == n, over)


class _Draws:
    """Weights and residuals of replicates, in the order of `start`."""

    def __init__(
        self, start: _Start, method: str, tau: float, groups: Ints | None, seed: int
    ) -> None:
        n = start.order.size
        self.start, self.method, self.tau = start, method, tau
        self.rng = np.random.default_rng(seed)
        self.which = start.order if groups is None else groups[start.order]
        self.size = n if groups is None else int(groups.max()) + 1
        self.weighted = bool((start.samples.w != start.samples.w[0]).any())
        if method == "wild":
            self.sizes = _sizes(start, tau)

    def next(self, count: int) -> tuple[Floats, Floats]:
        """Weights and residuals, one of them (count, n), the other (1, n)."""
        start, size = self.start, self.size
        if self.method == "wild":
            below = self.rng.random((count, size)) < self.tau
            sign = np.where(below, 2.0 * self.tau, 2.0 * (self.tau - 1.0))[:, self.which]
            return start.samples.w[None], np.ascontiguousarray(sign * self.sizes)
        drawn = self.rng.integers(0, size, (count, size))
        weights = np.empty((count, self.which.size))
        for row, some in zip(weights, drawn, strict=True):
            row[:] = np.bincount(some, minlength=size)[self.which]
        return weights * start.samples.w if self.weighted else weights, start.r[None]


def _sizes(start: _Start, tau: float) -> Floats:
    """|r| (n,) made larger by about as much as a sample of its leverage pulls the fit towards it.

    Without, replicates of few samples vary too little: Feng, He and Hu (2011), section 3.
    """
    r, x, w = start.r, start.samples.x, start.samples.w
    density = float(kernel_density(w * r, tau).mean())
    if density == 0.0:
        return np.abs(r)
    leverage = np.square(qr((x * w).T, mode="economic", check_finite=False)[0]).sum(axis=1)
    return np.abs(r) + leverage * np.where(r > 0.0, 1.0 - tau, tau) / (density * w)


class _Resampler:
    """The records of the kernel."""

    def __init__(self, start: _Start, slopes: Floats, wild: bool) -> None:
        self.start, self.wild = start, wild
        q, n = start.samples.x.shape
        samples = start.samples._replace(w=np.ones(n))
        self.regression = samples.regression(slopes)
        self.fit = new_fit(Basis.free(q), np.ones(n))
        self.fit.tolerances[ZERO] = start.zero

    def prepare(self, weights: Floats, r: Floats) -> tuple[Floats, Floats]:
        """For each replicate the gradient (k, q) of the samples not looked at, and a step (k, q)
        to where its minimum may be expected.
        """
        start, at = self.start, self.start.seen
        x, slope = start.samples.x.T, start.slope
        if self.wild:  # other targets, the same weights
            below, above = self.regression.slopes
            costs = np.where(r == 0.0, 0.0, np.where(r > 0.0, above, -below)) * weights
            far, seen = costs[:, at:] @ x[at:], costs[:, :at] @ x[:at]
        else:
            far = weights[:, at:] @ (x[at:] * slope[at:, None])
            seen = weights[:, :at] @ (x[:at] * slope[:at, None])
        steps = -(far + seen) @ start.hessian
        length = np.linalg.norm(steps @ start.first.metric.T, axis=1)
        ordinary = length <= 2.0 * start.first.share[at - 1]
        return np.ascontiguousarray(far), np.where(ordinary[:, None], steps, 0.0)

    def solve(self, weight: Floats, r: Floats, gradient: Floats, step: Floats, out: Floats) -> bool:
        """One replicate; whether it is singular."""
        start, fit = self.start, self.fit
        ended = resample(
            self.regression, fit, start.first, weight, r, gradient, step, start.seen, start.band
        )
        if ended in (OPTIMAL, SINGULAR):
            np.add(start.theta, fit.theta, out)
            return bool(ended == SINGULAR)
        some = np.flatnonzero(weight > 0.0)
        x = np.ascontiguousarray(start.samples.x[:, some])
        reach = np.linalg.norm(x, axis=0)
        samples = start.samples._replace(x=x, y=-r[some], w=weight[some], reach=reach)
        found = minimise(samples, self.regression.slopes.tolist())
        np.add(start.theta, found.basis.theta, out)
        return False


__all__ = ["METHODS", "Bootstrap", "BootstrapProgress", "bootstrap"]
