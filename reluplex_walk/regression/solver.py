"""Solving a quantile regression on few of its samples, and proving the solution on all of them.

Coarse subsamples give a start for finer ones; on each, samples far from the fit are set aside
(Portnoy and Koenker, The Gaussian hare and the Laplacian tortoise, Statistical Science 12, 1997).
What is set aside is checked at the end, so the result is that of all samples.  The last basis is
proved optimal in floating point with bounds on all rounding, or not at all.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack

from .._budget import Budget
from .._limits import Limits
from ..ended import Ended
from ..native.arrays import FREE
from ..native.lad import OPTIMAL, STUCK, UNBOUNDED, descend, sweep
from ..native.lad_arrays import DEPENDENT, ZERO
from ..native.lad_rounding import residual
from ..tolerances import TOLERANCES
from .design import Basis, Samples, new_fit, typical_size
from .progress import FitProgress
from .proof import OptimalityTest
from .repeated import Merged, untied
from .sparse.start import sparse_start

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_COARSEST = 200  # samples from which on a coarser level saves time
_RATIO = 8  # samples of a level to those of the next coarser one
_REWEIGHT = 24  # parameters from which on reweighting saves time
_TINY = 1e-300  # added to a size to be divided by
_TOLD = 20_000  # samples that tell how far the others are
_MOST = 0.6  # of the samples may be near: else all are
_NEAR = 2.0  # standard errors of the coarse fit within which samples are not set aside
_SMOOTHING = (0.5, 0.3, 0.2, 0.1, 0.05, 0.02)  # of |r|, relative to its median, in weights 1 / |r|
_REFINE = 2  # proofs that fail before the residuals are looked at more closely
_TIED = 1e-10  # |r| / reach, relative to typical targets, that may be one of rounded numbers
_ROUNDS = 40  # after which nothing is set aside any more
_SETTLING = 3  # rounds after which samples that were set aside and changed sides stay near
_PIVOTS = (1000, 100)  # in a round, and more for each parameter
_CHUNK_WORK = 2e8  # multiply-adds between two looks at the limits, some 100 ms


class Solution(NamedTuple):
    """The end of `minimise`."""

    basis: Basis
    side: Floats  # (n,) +1 or -1: the sign each residual is taken to have
    dual: Floats  # (n,) subgradient of each term at its residual
    proved: bool
    pivots: int
    blur: float  # relative error of the edges of the basis, inf where it is not known
    ended: Ended | None  # the limit that was over before


def minimise(
    samples: Samples,
    slopes: Sequence[float | Fraction],
    start: Basis | None = None,
    limits: Limits | None = None,
) -> Solution:
    """Minimise sum_i w_i rho(x_i . theta - y_i) + tilt . theta, rho of slopes -slopes[0] and
    slopes[1].

    From the basis `start`, or else from the end on a coarser subsample.  `limits` are looked at
    between rounds.
    """
    limits = limits or Limits()
    merged = Merged.of(samples)
    if merged is not None:
        start = None if start is None else merged.inward(start)
        found = _minimise(merged.samples, slopes, start, limits)
        basis, side, dual = merged.outward(found.basis, found.side, found.dual, slopes)
        return found._replace(basis=basis, side=side, dual=dual)
    return _minimise(samples, slopes, start, limits)


def _minimise(
    samples: Samples, slopes: Sequence[float | Fraction], start: Basis | None, limits: Limits
) -> Solution:
    """The same of samples that need not be merged."""
    costs, moved = np.array([float(slope) for slope in slopes]), untied(samples)
    solver = _solved(moved, costs, start, limits)
    if moved is not samples:
        before, solver = solver, _Solver(samples, costs, solver.basis, limits, solver.fit.side)
        solver.pivots = before.pivots
        solver.polish()
        solver.sweep(solver.band())
    judge, budget = OptimalityTest(samples, slopes), Budget(np.inf, limits)
    for attempt in range(_ROUNDS):
        prices, proved, descends, blur = judge.judge(solver.fit, solver.near, budget)
        if descends < 0 or budget.passed:
            break
        if attempt == _REFINE:
            solver.refine()
        else:
            solver.solve(solver.band(), descends)
    dual = solver.dual(prices)
    return Solution(solver.basis, solver.fit.side, dual, proved, solver.pivots, blur, budget.cut)


def _solved(samples: Samples, slopes: Floats, start: Basis | None, limits: Limits) -> "_Solver":
    q, n = len(samples.x), samples.y.size - samples.extra
    pivots = 0
    theta = sparse_start(samples, slopes, limits) if start is None else None
    if theta is not None:
        start = Basis.free(q)._replace(theta=theta)
    if start is None and n // _RATIO >= max(_COARSEST, 12 * q):
        coarse, rows = samples.thinned(_RATIO)
        before = _solved(coarse, slopes, None, limits)
        start, pivots = before.basis, before.pivots
        start.rows[start.rows >= 0] = rows[start.rows[start.rows >= 0]]
    if start is not None:
        solver = _Solver(samples, slopes, Basis(*(part.copy() for part in start)), limits)
        solver.before = pivots
        solver.solve(solver.band())
    else:
        solver = _Solver(samples, slopes, Basis.free(q), limits)
        if n >= 2 * q:
            solver.smooth_start()
        solver.solve(np.inf)
    solver.pivots, solver.before = solver.pivots + pivots, 0
    return solver


class _Solver:
    """The records of one level, on `basis`, which changes with them; `side` (n,) likewise."""

    def __init__(
        self,
        samples: Samples,
        slopes: Floats,
        basis: Basis,
        limits: Limits | None = None,
        side: Floats | None = None,
    ) -> None:
        n = samples.y.size
        self.samples, self.basis = samples, basis
        self.limits = limits or Limits()
        self.regression = samples._replace(reach=samples.reach.copy()).regression(slopes)
        self.fit = new_fit(basis, np.ones(n) if side is None else side)
        self.near = self.fit.near[:0]
        self.pivots = 0
        self.before = 0  # pivots on coarser subsamples

    def smooth_start(self) -> None:
        """Start from least squares, where many pivots are to be saved iteratively reweighted."""
        (x, y, w), data = self.samples[:3], self.samples.y.size - self.samples.extra
        x, y, w = x[:, :data], y[:data], w[:data]
        weight = w
        for smoothing in (*(_SMOOTHING if len(x) >= _REWEIGHT else ()), None):
            if self.limits.over is not None:
                return
            weighted = x * np.sqrt(weight)
            square = blas.dsyrk(1.0, weighted.T, trans=1)
            _, theta, failed = lapack.dposv(square, x @ (weight * y))
            if failed:
                return
            if smoothing is not None:
                r = theta @ x - y
                size = np.abs(r)
                below, above = self.regression.slopes
                weight = w * np.where(r > 0.0, above, below)
                weight /= np.maximum(size, smoothing * np.median(size) + _TINY)
        self.basis.theta[:] = theta

    def band(self, near: float = 0.0) -> float:
        """|r| / reach up to which samples are near: of about so many, at least `_NEAR` sqrt(8 q n)
        beside those whose residuals count as 0.
        """
        (x, y, _, reach), n = self.samples[:4], self.samples.y.size
        near = max(near, _NEAR * np.sqrt(_RATIO * len(x) * n))
        if near > _MOST * n:
            return np.inf
        some = slice(None, None, max(_RATIO, n // _TOLD))
        size = _per_length(self.basis.theta @ x[:, some] - y[some], reach[some])
        at = int(near / n * size.size)
        found = float(np.partition(size, at)[at])
        if found > 4.0 * self.zero():
            return found
        at += np.count_nonzero(size <= 4.0 * self.zero())
        return float(np.partition(size, at)[at]) if at < _MOST * size.size else np.inf

    def solve(self, band: float, first: int = -1) -> None:
        """Minimise; samples with |r| > band * reach are set aside, and looked at afterwards.

        The first pivot is along half-edge `first`, if that is not negative.
        """
        rows, n = self.basis.rows, self.samples.y.size
        status = UNBOUNDED
        attempt, most = 0, _PIVOTS[0] + _PIVOTS[1] * rows.size
        left = most  # pivots of this round
        while attempt < _ROUNDS:
            before = self.fit.side.copy() if attempt >= _SETTLING else self.fit.side
            changed = self.sweep(band)
            self.regression.reach[before != self.fit.side] = np.inf  # lest the same ones turn again
            if status == OPTIMAL and changed == 0:
                return
            now = FitProgress(self.pivots + self.before, n, self.limits.elapsed)
            if self.limits.look(0, now) is not None:
                break
            rows[rows == DEPENDENT] = FREE
            if attempt == _ROUNDS // 2:
                band = np.inf
            elif attempt and changed > 0.1 * self.near.size:
                band = max(2.0 * band, self.band(2.0 * self.near.size))
            made = self.pivots
            status = self.descend(first, left)
            first, left = -1, left - (self.pivots - made)
            if self.near.size < n:
                endless = [self.fit.d.copy()] if status == UNBOUNDED else []
                endless += list(self.basis.edges[rows == DEPENDENT])
                if endless:
                    status = UNBOUNDED
                    band = band if self.widen(endless) else np.inf
            if status != STUCK or left <= 0:  # else the round goes on, after a look at the limits
                attempt, left = attempt + 1, most
        self.sweep(np.inf)  # whatever is claimed of the end is claimed of these residuals

    def widen(self, endless: list[Floats]) -> bool:
        """Let samples be near at which steps in these directions may end: of the few that a rare
        category has all may be set aside.  Returns whether there are some for each direction.
        """
        x, y, found = *self.samples[:2], True
        for d in endless:
            rate = np.abs(d @ x)
            moving = np.flatnonzero(rate > TOLERANCES.rate * np.sqrt(d @ d))
            most = max(self.near.size // 2, 100)
            if moving.size > most:
                times = np.abs(self.basis.theta @ x[:, moving] - y[moving]) / rate[moving]
                moving = moving[np.argpartition(times, most)[:most]]
            found = found and bool((self.regression.reach[moving] < np.inf).any())
            self.regression.reach[moving] = np.inf
        return found

    def zero(self) -> float:
        """|r| that counts as 0."""
        fitted = float(np.abs(self.basis.theta).sum())  # features of typical size are about 1
        return TOLERANCES.zero * (self.samples.size + fitted)

    def sweep(self, band: float) -> int:
        """Look at all samples; returns how many have changed sides."""
        zero = self.zero()
        self.fit.tolerances[ZERO] = zero
        n_near, changed = sweep(self.regression, self.fit, max(band, 4.0 * zero))
        self.near = self.fit.near[:n_near]
        if n_near < self.samples.y.size:
            active = self.basis.rows[self.basis.rows >= 0]
            place = np.minimum(np.searchsorted(self.near, active), n_near - 1)
            if (self.near[place] != active).any():
                return self.sweep(np.inf)  # theta lies far off its vertex: rounding
        return int(changed)

    def descend(self, first: int, most: int) -> int:
        """Pivot on the near samples, first along a given half-edge; returns the status.

        STUCK after `most` pivots, or so many as may be made between two looks at the limits.
        """
        q, m = self.basis.rows.size, self.near.size
        chunk = 1 + int(_CHUNK_WORK / (q * max(m, q)))
        status, pivots = descend(self.regression, self.fit, m, first, min(most, chunk))
        self.pivots += pivots
        self.polish()
        return int(status)

    def polish(self) -> None:
        """Put theta on the active samples, whose targets `descend` may have moved, as well as
        floats can: by Newton steps from residuals as if in twice the precision.
        """
        rows, edges, theta = self.basis
        if (rows >= 0).all():
            theta[:] = self.samples.y[rows] @ edges
        else:
            rows, edges = rows[rows >= 0], edges[rows >= 0]
        off = np.empty(rows.size)
        for _ in range(3):
            residual(self.samples.x, self.samples.y, theta, rows, off)
            theta -= off @ edges

    def refine(self) -> None:
        """Solve again for the residuals as targets, which tells apart what is 0 beside y."""
        theta, every = self.basis.theta.copy(), np.arange(self.samples.y.size)
        off = np.empty(every.size)
        residual(self.samples.x, self.samples.y, theta, every, off)
        basis = self.basis._replace(theta=np.zeros(theta.size))
        samples, slopes = self.samples.with_targets(-off), self.regression.slopes
        share = _per_length(off, self.samples.reach)
        tied = (share <= _TIED * self.samples.size) & (off != 0.0)
        band = np.inf
        if tied.any():  # these alone are in doubt: sizes are those of their residuals
            band = 2.0 * float(share[tied].max())
            samples = samples._replace(size=typical_size(off[tied]))
        inner = _Solver(samples, slopes, basis, self.limits, self.fit.side)
        inner.before = self.pivots
        inner.solve(min(band, inner.band()))
        self.pivots += inner.pivots
        self.basis.theta[:] = theta + inner.basis.theta
        self.polish()
        self.sweep(self.band())

    def dual(self, prices: Floats) -> Floats:
        """Subgradient of each term (n,) with these prices (q,) of the active samples."""
        rows, (below, above) = self.basis.rows, self.regression.slopes
        dual = np.where(self.fit.side > 0.0, above, -below)
        dual *= self.samples.w
        dual[rows[rows >= 0]] = -prices[rows >= 0]
        return dual


def _per_length(r: Floats, reach: Floats) -> Floats:
    """|r| / reach, inf where features are all 0 (without intercept): nothing comes near there."""
    return np.divide(np.abs(r), reach, out=np.full(r.size, np.inf), where=reach > 0.0)


__all__ = ["FitProgress", "Solution", "minimise"]
