"""A regression that was asked for, solved: the fits of one or several quantiles."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from ..ended import Ended
from ..problem.aliased import warn_of_aliased
from ..proof.certificate import Certificate
from ..simplex.records import WalkStatus
from ..tolerances import PROOF
from .beside.beside import Beside
from .claim import allowed_gap
from .data import Data, Posed, Slopes, slopes_of
from .design import Basis
from .fit import Proof, QuantileFit
from .solver import Solution, minimise
from .tables.names import Names
from .vertex import exact_loss, nearest_coefficients
from .walking import by_walking

Floats = NDArray[np.float64]

_BLOCK = 2**15  # samples that stay in the cache


class Task(NamedTuple):
    """A regression that is asked for."""

    data: Data
    fit_intercept: bool
    posed: Posed
    beside: Beside | None  # what is added to the loss of the samples
    names: Names

    @classmethod
    def of(
        cls, data: Data, intercept: bool, alpha: float, constraints: Any, names: Names
    ) -> "Task":
        """From its arguments, which are checked but for `alpha` and `constraints`."""
        beside = Beside.of(alpha, constraints, data)
        if beside is None:
            return cls(data, intercept, Posed.of(data.kept(), intercept), None, names)
        return cls(data, intercept, *beside.pose(data.kept(), intercept), names)

    def warn(self, depth: int = 1) -> None:
        """Of aliased columns, the caller of the function that calls this, or one further up."""
        if len(self.posed.aliased):
            features = self.data.kept().X
            warn_of_aliased(features, self.posed.aliased, self.names.features, depth + 1)

    def minimise(
        self, slopes: Slopes, start: Basis | None, limits: Limits
    ) -> tuple[Solution, Proof]:
        """The end of the solver, and what is proved by it."""
        samples, units = self.posed[:2]
        if self.beside is None:
            found = minimise(samples, slopes[:2], start, limits)
        else:
            found, samples = self.beside.minimise(self.posed, slopes, start, limits)
        return found, Proof(samples, units, slopes, found.basis, found.side)


def path(
    task: Task,
    levels: Sequence[float | None],
    limits: Limits,
    solutions: list[Solution] | None = None,
) -> list[QuantileFit]:
    """Fits for each quantile (None: `lad`); the ends of the solver are added to `solutions`."""
    fits: list[QuantileFit] = []
    basis = None
    with limits:
        for tau in levels:
            if fits and limits.over is not None:
                break
            found, proof = task.minimise(slopes_of(tau), basis, limits)
            fit = _fit(task, tau, found, proof, limits)
            fits.append(fit)
            if solutions is not None:
                solutions.append(found)
            basis = found.basis if found.proved else None
            if fit.ended.early:
                break
    if len(fits) == len(levels) and not fits[-1].ended.early:  # nobody would see that it came
        limits.pass_on()
    return fits


def loss_of(data: Data, slopes: Slopes, theta: Floats) -> float:
    """The loss of the samples at coefficients (p + 1,), rounded as a `LayerLoss` does."""
    r = (data.X @ theta[1:, None])[:, 0]
    below, above = slopes.floats
    for low in range(0, len(r), _BLOCK):
        part = r[low : low + _BLOCK]
        part += theta[0]
        np.subtract(data.y[low : low + _BLOCK], part, out=part)
        part *= np.where(part > 0.0, below, -above)
        part *= data.w[low : low + _BLOCK]
    return float(r.sum())


def _fit(
    task: Task, tau: float | None, found: Solution, proof: Proof, limits: Limits
) -> QuantileFit:
    """The fit from the end of the solver, by walking on from there where that is not proved."""
    data, fit_intercept, posed, beside, names = task
    samples, units, slopes = proof[:3]
    theta, dual = np.zeros(data.X.shape[1] + 1), found.dual  # in place: there may be millions
    dual /= -(slopes.unit * units.w)
    dual = dual[: len(dual) - samples.extra]
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
        elif beside is not None:
            status, ended, end = WalkStatus.NOT_PROVED, Ended.PRECISION, None
        else:
            theta, dual, traj = by_walking(data, tau, fit_intercept, theta, limits)
            status, ended, end = traj.status, traj.ended, traj.certificate
    loss = loss_of(data, slopes, theta)
    if beside is not None:
        loss += beside.cost(theta)
    if found.proved and not _held_by_floats(data, theta, loss, proof):
        status = WalkStatus.NOT_PROVED
    known = theta, loss, dual, status, ended, tau, found.pivots
    return QuantileFit(*known, *data, posed.aliased, fit_intercept, end, names, beside)


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
    total = samples.w.sum() / units.w if samples.extra else data.w.sum()
    gap = max(slopes.floats) * 2.0**-53 * float(total * sizes)
    if gap <= 0.5 * PROOF.gap_share * loss:
        return True
    targets = float(data.w @ np.abs(data.y))
    sums = np.append(data.w.sum(), data.w @ np.abs(data.X))
    gap = max(slopes.floats) * 2.0**-53 * float(sums @ np.abs(theta))
    if gap <= 0.5 * (PROOF.gap_share * loss + PROOF.gap_targets * targets) and not samples.extra:
        return True
    least = proof.vertex().loss
    excess = exact_loss(samples, units, slopes, theta) - least
    return excess <= allowed_gap(least, targets)


__all__ = ["Task", "loss_of", "path"]
