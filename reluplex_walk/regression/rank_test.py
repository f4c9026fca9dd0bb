"""Confidence intervals of coefficients by inversion of the regression rank score test.

Koenker, Confidence intervals for regression quantiles (1994), as in R's quantreg: for a value b of
coefficient j, the statistic is

    T(b) = S(b) / sqrt(tau (1 - tau) Q),    S(b) = sum_i w_i x_ij (a_i(b) - (1 - tau)),

with a(b) the dual solution of the regression of ``y - b x_j`` on the other columns and Q what these
leave of column j by least squares.  S is minus the slope of the loss, minimised for given b, and a
step function: to trace the minima of ``F(theta) - s theta_j`` in s, by parametric pivots, is to
trace b, and s = S between two vertices.  The interval ends where T, interpolated between steps,
meets the critical value.

Where several residuals vanish at one b, quantreg crosses one of them and takes the loss to be
linear beyond the others until its next pivot; which one, rounding decides, and T is not monotone
there.  Here all are crossed: S is the slope of the loss on each side, whatever the units and order
of columns.

Where the others have several minima for given b (a constant alone, n tau an integer), quantreg also
lists values b at which its basis changes and T does not, and interpolates from the last of them.
Steps are here those of T alone.
"""

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from .._limits import Limits
from .._validate import flag
from .data import slopes_of
from .estimate import Estimate
from .inference import bandwidth, level_of
from .parametric.minima import Minima, Parameter
from .parametric.tracing import Tracer
from .solver import Solution, minimise

Floats = NDArray[np.float64]

_LEAST = 2.0 ** (-52.0 * 2.0 / 3.0)  # difference of fits that counts, in quantreg
_LOST = "kind='rank': floats cannot follow the test; bring columns to ordinary sizes or take 'boot'"


class Step(NamedTuple):
    """The two values of a coefficient between which T crosses the critical value."""

    inner: float
    outer: float
    share: float  # of the way, interpolated

    @property
    def value(self) -> float:
        """The value at which the interpolated T is critical."""
        if self.share == 0.0:
            return self.inner
        return self.inner + self.share * (self.outer - self.inner)


def rank_intervals(
    given: Estimate, level: float = 0.9, iid: bool = True, interpolate: bool = True
) -> Floats:
    """Intervals (q, 2) of the fitted parameters; without `interpolate` all that is not rejected.

    An end is infinite where T stays below the critical value.  ValueError if floats cannot follow.
    """
    critical = float(student.ppf(0.5 + 0.5 * level_of(level), given.freedom))
    below, above, unit, _ = slopes_of(given.tau)
    tau = below / unit
    start = minimise(given.samples, (tau, above / unit), given.basis)
    if not start.proved or (start.basis.rows < 0).any():
        raise ValueError(_LOST)
    sizes = np.sqrt(_leftover(given, flag("iid", iid)) * float(tau * (1 - tau)))
    found = np.empty((len(sizes), 2))
    flag("interpolate", interpolate)
    with Limits() as limits:
        for j, size in enumerate(sizes.tolist()):
            for end, rising in enumerate((False, True)):
                step = _crossing(given, start, tau, j, critical * size, rising, limits)
                found[j, end] = step.value if interpolate else step.outer
    limits.pass_on()
    return found


def _leftover(given: Estimate, iid: bool) -> Floats:
    """Sums of squares (q,) of what the other columns leave of each."""
    x = given.design
    weight = np.ones(len(x)) if iid else _densities(given)
    left = np.empty(x.shape[1])
    for j, column in enumerate(x.T):
        others, root = np.delete(x, j, axis=1), np.sqrt(weight)
        size = np.linalg.norm(others, axis=0)
        others = others / np.where(size > 0.0, size, 1.0)
        by = np.linalg.lstsq(others * root[:, None], column * root, rcond=None)[0]
        rest = column - others @ by
        left[j] = rest @ rest
    return left


def _densities(given: Estimate) -> Floats:
    """Of the errors at the quantile, by fits at tau + h and tau - h; tiny where these cross."""
    h = bandwidth(given.tau, len(given.y))
    rise = given.design @ (given.at(given.tau + h) - given.at(given.tau - h)) - _LEAST
    return np.maximum(_LEAST, np.divide(2.0 * h, rise, out=np.zeros(rise.size), where=rise > 0.0))


def _crossing(
    given: Estimate,
    start: Solution,
    tau: Fraction,
    j: int,
    critical: float,
    rising: bool,
    limits: Limits,
) -> Step:
    """The step of S (for parameter j) across `critical` or its negative."""
    samples, units = given.samples, given.units
    most = critical * float(units.w) * float(samples.scale[j]) * units.x[j]
    minima = Minima(samples, units, Parameter.tilt(samples, tau, j, most))
    tracer = Tracer(minima, start.basis, start.side, Fraction(0), rising)
    tracer.run(limits)
    if not tracer.finished:
        if limits.interrupted:
            raise KeyboardInterrupt
        raise ValueError(_LOST)
    return _step(tracer, j, most)


def _step(tracer: Tracer, j: int, most: float) -> Step:
    """Where S crosses `most`, at the end of a trace."""
    (ends, found), minima = tracer.found(), tracer.minima
    keep = np.ones(len(ends), np.bool_)
    keep[[k - 1 for k in tracer.repeats]] = False  # of several bases of a vertex the last one ends
    values, sums = found[keep, j], np.abs(ends[keep])
    centre = float(minima.coefficients(minima.theta(tracer.start))[j])
    if not tracer.begins:  # the fit, at which S jumps from 0
        values, sums = np.append(centre, values), np.append(0.0, sums)
    crossed = np.flatnonzero(sums >= most)
    if not crossed.size:
        far = math.inf if tracer.rising else -math.inf
        return Step(far, far, 0.0)
    k = int(crossed[0])
    if k == 0:
        return Step(centre, centre, 0.0)
    share = (most - sums[k - 1]) / (sums[k] - sums[k - 1])
    return Step(float(values[k - 1]), float(values[k]), float(share))


__all__ = ["rank_intervals"]
