"""The bootstrap of a quantile regression: each replicate starts from the basis of the fit.

A replicate moves the fit by about its standard error, so that samples farther from it keep their
sides: they enter by their gradient, one matrix product for many replicates, and pivots are made on
the near ones alone (Chernozhukov, Fernandez-Val and Melly, Empirical Economics 62, 2022, do so with
an interior point method and no basis).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.stats import norm

from .._limits import Limits
from .._validate import choice
from ..ended import Ended, ended_of
from ..native.lad import OPTIMAL, UNBOUNDED
from ..native.lad_arrays import ZERO, First
from ..native.lad_bootstrap import SINGULAR, resample
from ..tolerances import TOLERANCES
from .design import Basis, Samples, new_fit
from .estimate import Estimate
from .inference import level_of
from .solver import minimise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

METHODS = ("xy", "wild")

_NEAR = 3.0  # standard errors of the fit within which samples are near, at first
_LEAST = 200  # of them at least
_BATCH = 2**20  # weights made at once
_PIVOTS = 1000  # in a round, and 100 for each parameter


class BootstrapProgress(NamedTuple):
    """What the callback of a bootstrap is told.

    Attributes
    ----------
    done, n : int
        Replicates made, and to be made.
    elapsed : float
        Seconds.
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
        Replicates whose samples do not tell all coefficients: what they leave open is as it was in
        the fit.

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

    @property
    def bse(self) -> Floats:
        """Standard errors (p + 1,): standard deviations of the replicates; ValueError below 2."""
        return np.std(self._some(2), axis=0, ddof=1)

    @property
    def cov(self) -> Floats:
        """The covariance (p + 1, p + 1) of the replicates; ValueError below 2 of them."""
        return np.atleast_2d(np.cov(self._some(2), rowvar=False))

    def conf_int(self, level: float = 0.9, type: str = "percentile") -> Floats:
        """Confidence intervals (p + 1, 2).

        Parameters
        ----------
        level : float, default 0.9
        type : {"percentile", "normal"}
            Quantiles of the replicates; or the coefficients and normal quantiles times `bse`.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, or there are no replicates.
        """
        tail = 0.5 - 0.5 * level_of(level)
        if choice("type", type, ("percentile", "normal")) == "percentile":
            return np.quantile(self._some(1), [tail, 1.0 - tail], axis=0).T
        far = -float(norm.ppf(tail)) * self.bse
        return np.column_stack([self.centre - far, self.centre + far])

    def _some(self, least: int) -> Floats:
        if len(self.coefficients) < least:
            raise ValueError(
                f"bootstrap: expected {least} replicates at least, found "
                f"{len(self.coefficients)} ({self.ended.name}); {self.ended.advice}"
            )
        return self.coefficients

    def __repr__(self) -> str:
        return f"Bootstrap({self.method}, {len(self.coefficients)} replicates, {self.ended.name})"


class _Start(NamedTuple):
    """The first fit, its samples in ascending order of their distance from it."""

    samples: Samples
    order: Ints  # (n,) their places in the data
    basis: Basis
    r: Floats  # (n,) residuals ``fit - y``
    first: First
    near: int  # how many samples are near at first

    @classmethod
    def of(cls, given: Estimate, nearest: float) -> "_Start":
        found = minimise(given.samples, (given.tau, 1.0 - given.tau), given.basis)
        basis, samples = found.basis, given.samples
        q, n = samples.x.shape
        if (basis.rows < 0).any():
            raise ValueError(
                f"bootstrap: expected samples that tell all {q} coefficients; leave some out"
            )
        zero = TOLERANCES.zero * (samples.size + float(np.abs(basis.theta).sum()))
        r = basis.theta @ samples.x - samples.y
        r[np.abs(r) <= zero] = 0.0
        metric = cholesky(samples.x @ samples.x.T)  # upper: metric.T @ metric
        reach = np.linalg.norm(solve_triangular(metric, samples.x, trans="T"), axis=0)
        share = np.divide(np.abs(r), reach, out=np.full(n, np.inf), where=reach > 0.0)
        share[r == 0.0] = 0.0
        order = np.argsort(share, kind="stable")
        place = np.empty(n, np.int64)
        place[order] = np.arange(n)
        x = np.ascontiguousarray(samples.x[:, order])
        samples = samples._replace(
            x=x, y=samples.y[order], w=samples.w[order], reach=samples.reach[order]
        )
        rows = place[basis.rows]
        upper = np.ascontiguousarray(metric)
        first = First(rows, basis.edges.copy(), share[order], upper, np.empty(q))
        near = max(int(nearest * math.sqrt(q * n)), _LEAST, int((r == 0.0).sum()) + q)
        return cls(samples, order, basis, r[order], first, min(near, n))


def bootstrap(
    given: Estimate, n: int, method: str, groups: Ints | None, seed: int, limits: Limits
) -> tuple[Floats, int, Ended]:
    """Replicates (n, q) of the fitted parameters, how many are singular, and why they ended.

    `groups` (n,) from 0: whole groups are drawn.
    """
    choice("method", method, METHODS)
    given.freedom  # noqa: B018  or else an error
    start = _Start.of(given, _NEAR)
    theta = np.empty((n, given.fitted.size))
    done, singular, over = 0, 0, None
    slopes = np.array([given.tau, 1.0 - given.tau])
    solver = _Resampler(start, slopes, 1.0 if method == "xy" else 2.0 * float(slopes.min()))
    draw = _Draws(start, method, given.tau, groups, seed)
    with limits:
        while done < n and over is None:
            weights, r = draw.next(min(n - done, max(1, _BATCH // start.order.size)))
            gradients = solver.gradients(weights, r)
            for k in range(max(len(weights), len(r))):
                over = limits.look(0, BootstrapProgress(done, n, limits.elapsed))
                if over is not None:
                    break
                pair = weights[k % len(weights)], r[k % len(r)]
                singular += solver.solve(*pair, gradients[k], theta[done])
                done += 1
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

    def next(self, count: int) -> tuple[Floats, Floats]:
        """Weights and residuals, one of them (count, n), the other (1, n)."""
        start, size = self.start, self.size
        if self.method == "wild":
            below = self.rng.random((count, size)) < self.tau
            sign = np.where(below, 2.0 * self.tau, 2.0 * (self.tau - 1.0))[:, self.which]
            return start.samples.w[None], sign * np.abs(start.r)
        drawn = self.rng.integers(0, size, (count, size))
        weights = np.empty((count, self.which.size))
        for row, some in zip(weights, drawn, strict=True):
            row[:] = np.bincount(some, minlength=size)[self.which]
        return weights * start.samples.w if self.weighted else weights, start.r[None]


class _Resampler:
    """The records of the kernel."""

    def __init__(self, start: _Start, slopes: Floats, factor: float) -> None:
        self.start, self.factor = start, factor
        q, n = start.samples.x.shape
        basis = Basis(start.first.rows.copy(), start.first.edges.copy(), np.zeros(q))
        samples = start.samples._replace(w=np.ones(n))
        self.regression = samples.regression(slopes)
        self.fit = new_fit(basis, np.ones(n))
        zero = TOLERANCES.zero * (start.samples.size + float(np.abs(start.basis.theta).sum()))
        self.fit.tolerances[ZERO] = zero
        self.far = start.samples.x[:, start.near :].T

    def gradients(self, weights: Floats, r: Floats) -> Floats:
        """That of the samples that are not near (k, q), for each replicate."""
        below, above = self.regression.slopes
        far = slice(self.start.near, None)
        costs = np.where(r[:, far] > 0.0, above, -below) * weights[:, far]
        return np.ascontiguousarray(costs @ self.far)

    def solve(self, weight: Floats, r: Floats, gradient: Floats, out: Floats) -> bool:
        """One replicate; whether it is singular."""
        start, most = self.start, _PIVOTS + 100 * out.size
        ended = resample(
            self.regression, self.fit, start.first, weight, r, gradient, start.near, self.factor, most
        )
        if ended in (OPTIMAL, SINGULAR):
            out[:] = start.basis.theta + self.fit.theta
            return bool(ended == SINGULAR)
        slopes = self.regression.slopes
        some = np.flatnonzero(weight > 0.0)
        x, reach = np.ascontiguousarray(start.samples.x[:, some]), start.samples.reach[some]
        samples = start.samples._replace(x=x, y=-r[some], w=weight[some], reach=reach)
        out[:] = start.basis.theta + minimise(samples, slopes.tolist()).basis.theta
        return False


__all__ = ["METHODS", "Bootstrap", "BootstrapProgress", "bootstrap"]
