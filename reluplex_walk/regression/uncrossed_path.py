"""`quantile_path` without crossings: the fits from groups of quantiles solved together."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from ..ended import Ended
from ..simplex.records import WalkStatus
from .beside.noncrossing import Group, uncrossed
from .beside.together import Together
from .claim import allowed_gap
from .data import Data, Posed, slopes_of
from .fit import QuantileFit
from .fitting import Task, loss_of, path
from .solver import Solution
from .vertex import exact_loss

Floats = NDArray[np.float64]


def uncrossed_path(task: Task, levels: Sequence[float], limits: Limits) -> list[QuantileFit]:
    """Fits that do not cross; where that is not proved none of them claims anything."""
    solutions: list[Solution] = []
    fits = path(task, levels, limits, solutions)
    over = fits[-1].ended if fits[-1].ended.early else None
    if over is None and all(found.proved for found in solutions):
        with limits:
            groups = uncrossed(task.posed, levels, solutions, limits)
        for group in groups:
            if len(group.levels) > 1:
                for k, fit in zip(group.levels, _together(task, levels, group), strict=True):
                    fits[k] = fit
        unproved = [group.found for group in groups if not group.found.proved]
        if not unproved:
            return fits
        over = unproved[0].ended or limits.over
    ended, status = Ended.PRECISION, WalkStatus.NOT_PROVED
    if over is not None:
        ended, status = over, WalkStatus[over.name]
    # Those fitted together are still not plain fits, of which there is inference.
    ends = [fit._end if isinstance(fit._end, Together) else None for fit in fits]
    return [
        replace(fit, status=status, ended=ended, _end=end)
        for fit, end in zip(fits, ends, strict=True)
    ]


def _together(task: Task, levels: Sequence[float], group: Group) -> list[QuantileFit]:
    """Fits of quantiles that were solved together."""
    data = task.data
    end = Together.of(group, tuple(levels[k] for k in group.levels), task.posed.units.fitted)
    thetas, duals = end.coefficients(group.found, data.X.shape[1]), end.dual(group, data)
    losses = [loss_of(data, slopes_of(tau), b) for tau, b in zip(end.taus, thetas, strict=True)]
    status = WalkStatus.GLOBAL_MINIMUM
    if group.found.proved and not _all_held_by_floats(data, task.posed, end, thetas):
        status = WalkStatus.NOT_PROVED
    aliased, intercept, pivots = task.posed.aliased, task.fit_intercept, group.found.pivots
    parts = zip(thetas, losses, duals, end.taus, strict=True)
    ended = Ended.FINISHED
    return [
        QuantileFit(
            *(b, loss, dual, status, ended, tau, pivots, *data, aliased, intercept, end, task.names)
        )
        for b, loss, dual, tau in parts
    ]


def _all_held_by_floats(data: Data, posed: Posed, end: Together, thetas: Floats) -> bool:
    """The same of quantiles together: by the sum of their losses."""
    samples, units = posed[:2]
    targets = len(thetas) * float(data.w @ np.abs(data.y))
    total, least = Fraction(0), end.vertex().loss
    for tau, theta in zip(end.taus, thetas, strict=True):
        total += exact_loss(samples, units, slopes_of(tau), theta)
    return abs(total - least) <= allowed_gap(least, targets)


__all__ = ["uncrossed_path"]
