"""Standard errors, intervals and goodness of fit of a quantile regression, as in R's quantreg.

All are asymptotic (Koenker, Quantile Regression, 2005, sections 3.4 and 4.10): the covariance of
the coefficients is ``H J H`` with ``J = tau (1 - tau) sum x x'`` and ``H`` the inverse of
``sum f_i x_i x_i'``; kinds differ in the densities f_i of the errors at the quantile.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr, solve_triangular
from scipy.stats import norm, t as student

from .._validate import choice, real
from .data import Data, Posed
from .estimate import Estimate
from .solver import minimise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KINDS = ("iid", "nid", "ker", "cluster")
"""What `covariance` knows."""
BANDWIDTHS = ("hall-sheather", "bofinger", "chamberlain")

_LEVEL = 0.05  # of the test that the bandwidth of Hall and Sheather is best for
_NORMAL_IQR = 1.34  # interquartile range of a standard normal variable
_PULL = 1e-8  # weight of a sample that tells apart equally good slopes
_DEPENDENT = 1e-12  # what QR leaves of a column of length 1 that depends on others


def bandwidth(tau: float, n: int, rule: str = "hall-sheather") -> float:
    """Half the difference h of the quantiles that tell the density at `tau`, from `n` samples.

    Hall and Sheather (JRSS B 50, 1988) and Bofinger (Austral. J. Statist. 17, 1975) as
    ``bandwidth.rq`` of quantreg, Chamberlain (1994) as Stata; halved until ``tau - h`` and
    ``tau + h`` are quantiles.
    """
    z = float(norm.ppf(tau))
    density, curved = float(norm.pdf(z)), 2.0 * z * z + 1.0
    critical = float(norm.ppf(1.0 - _LEVEL / 2.0))
    if choice("bandwidth", rule, BANDWIDTHS) == "hall-sheather":
        cube = 1.5 * density**2 / curved
        h = n ** (-1.0 / 3.0) * critical ** (2.0 / 3.0) * cube ** (1.0 / 3.0)
    elif rule == "bofinger":
        h = n**-0.2 * (4.5 * density**4 / curved**2) ** 0.2
    else:
        h = critical * math.sqrt(tau * (1.0 - tau) / n)
    while not 0.0 < tau - h < tau + h < 1.0:
        h *= 0.5
    return h


def covariance(
    given: Estimate, kind: str, rule: str = "hall-sheather", groups: Ints | None = None
) -> Floats:
    """The covariance (q, q) of the fitted parameters; `groups` (n,) from 0 for kind "cluster"."""
    choice("kind", kind, KINDS)
    bread, meat = sandwich(given, kind, rule, groups)
    return bread @ meat @ bread


def sandwich(
    given: Estimate, kind: str, rule: str = "hall-sheather", groups: Ints | None = None
) -> tuple[Floats, Floats]:
    """H and J (q, q), whose product ``H J H`` is the covariance; J contains tau (1 - tau)."""
    x, tau, q = given.design, given.tau, given.fitted.size
    freedom, r = given.freedom, given.residuals
    if not r.any():  # all on the fit: no errors
        return np.zeros((q, q)), np.zeros((q, q))
    meat = tau * (1.0 - tau) * (x.T @ x)
    if kind == "iid":
        h = bandwidth(tau, len(r), rule)
        return sparsity(r, q, h, freedom) * _inverse(x, np.ones(len(r)), kind), meat
    if kind == "cluster":
        if groups is None:
            raise ValueError("groups: expected the group of each sample for kind='cluster'")
        sums = np.zeros((int(groups.max()) + 1, q))
        np.add.at(sums, groups, x * (given.dual / given.w)[:, None])
        meat = sums.T @ sums
    return _inverse(x, densities(given, kind, rule), kind), meat


def sparsity(r: Floats, q: int, h: float, freedom: int) -> float:
    """1 / f of errors of one density f: the slope of residuals near 0 in their rank / freedom.

    Those next to the ones that are 0, one more than max(q + 1, n h), as quantreg counts.
    """
    size = np.abs(r)
    zeros = int((size == 0.0).sum())
    ranks = np.arange(zeros, zeros + max(q + 1, math.ceil(r.size * h)) + 1)
    ranks = ranks[ranks < r.size]
    if ranks.size < 2:
        raise ValueError(
            f"kind='iid': expected two samples at least off the fit, found {ranks.size}; "
            "give more samples, or take kind='boot'"
        )
    return freedom * _slope(
        1.0 + ranks.astype(np.float64), np.sort(r[np.argsort(size, kind="stable")[ranks]])
    )


def _slope(x: Floats, y: Floats) -> float:
    """That of the line of least absolute deviations, the largest if there are several.

    For that a sample far above pulls at it by next to nothing.
    """
    far = 4.0 * float(np.abs(y).max())  # no two targets rise by that
    rows = np.column_stack([np.append(np.ones(x.size), 0.0), np.append(x, 1.0)])
    weight = np.append(np.ones(x.size), _PULL)
    samples, units, _ = Posed.of(Data(rows, np.append(y, far), weight), False)
    theta = minimise(samples, (1.0, 1.0)).basis.theta
    return float(theta[1]) * float(units.factors(samples)[1])


def _differences(given: Estimate, r: Floats, rule: str) -> Floats:
    """Densities (n,) by the distance of fits at tau + h and tau - h, 0 where these cross.

    Hendricks and Koenker (JASA 87, 1992).
    """
    h = bandwidth(given.tau, r.size, rule)
    rise = given.design @ (given.at(given.tau + h) - given.at(given.tau - h))
    least = 1e-11 * np.abs(rise).max()
    return np.divide(2.0 * h, rise, out=np.zeros(r.size), where=rise > least)


def _kernel(given: Estimate, r: Floats, rule: str) -> Floats:
    """Densities (n,) by a Gaussian kernel: Powell (1991)."""
    return kernel_density(r, given.tau, rule)


def kernel_density(r: Floats, tau: float, rule: str = "hall-sheather") -> Floats:
    """Gaussian kernels (n,) at residuals, 0 where all are 0: their mean estimates the density."""
    size = float(np.std(r, ddof=1))
    middle = float(np.subtract(*np.quantile(r, [0.75, 0.25]))) / _NORMAL_IQR
    width = _normal_width(tau, r.size, rule) * (min(size, middle) if middle > 0.0 else size)
    return norm.pdf(r / width) / width if width > 0.0 else np.zeros(r.size)


def _uniform(given: Estimate, r: Floats, rule: str) -> Floats:
    """Densities (n,) by a uniform kernel, as Parente and Santos Silva (2016)."""
    size = float(np.median(np.abs(r - np.median(r)))) or float(np.std(r, ddof=1))
    width = _normal_width(given.tau, r.size, rule) * size
    return (np.abs(r) <= width) / (2.0 * width)


def _normal_width(tau: float, n: int, rule: str) -> float:
    """What lies between tau - h and tau + h of a standard normal variable."""
    h = bandwidth(tau, n, rule)
    return float(norm.ppf(tau + h) - norm.ppf(tau - h))


_DENSITIES: dict[str, Callable[[Estimate, Floats, str], Floats]] = {
    "nid": _differences,
    "ker": _kernel,
    "cluster": _uniform,
}


def densities(given: Estimate, kind: str, rule: str = "hall-sheather") -> Floats:
    """The densities (n,) of errors at the quantile: by "nid", "ker" or "cluster"."""
    return _DENSITIES[kind](given, given.residuals, rule)


def _inverse(x: Floats, weight: Floats, kind: str) -> Floats:
    """The inverse (q, q) of sum_i weight_i x_i x_i'; ValueError if there is none."""
    rows = x * np.sqrt(weight)[:, None]
    size = np.sqrt((rows * rows).sum(axis=0))
    root = None
    if size.all():
        root = qr(rows / size, mode="r", check_finite=False)[0][: x.shape[1]]
    if root is None or np.abs(root.diagonal()).min() <= _DEPENDENT:
        raise ValueError(
            f"kind='{kind}': expected densities > 0 at samples that tell all coefficients, found "
            f"{int((weight > 0.0).sum())} of {len(weight)} such samples; take kind='iid' or 'boot'"
        )
    half = solve_triangular(root, np.eye(len(root)), check_finite=False) / size[:, None]
    return half @ half.T


def errors(matrix: Floats) -> Floats:
    """Standard errors from a covariance."""
    return np.sqrt(np.maximum(matrix.diagonal(), 0.0))


def interval(centre: Floats, error: Floats, level: float, freedom: int) -> Floats:
    """Intervals (k, 2) of a `level` with critical values of Student's t."""
    critical = float(student.ppf(0.5 + 0.5 * level_of(level), freedom))
    return np.column_stack([centre - critical * error, centre + critical * error])


def level_of(level: float) -> float:
    """A level of confidence, checked."""
    found = real("level", level)
    if not 0.0 < found < 1.0:
        remedy = f"; for {found:g} % give {found / 100.0:g}" if 1.0 < found < 100.0 else ""
        raise ValueError(f"level: expected a number in (0, 1), found {level}{remedy}")
    return found


def pseudo_r2(y: Floats, w: Floats, tau: float, loss: float) -> float:
    """1 - loss / that of the best constant: Koenker and Machado (JASA 94, 1999).

    `loss` is that of the pinball loss; 0 where the constant has none.
    """
    order = np.argsort(y, kind="stable")
    y, w = y[order], w[order]
    total = np.cumsum(w)
    r = y - y[min(np.searchsorted(total, tau * total[-1]), y.size - 1)]
    constant = float(w @ np.where(r > 0.0, tau * r, (tau - 1.0) * r))
    return 1.0 - loss / constant if constant > 0.0 else 0.0


__all__ = [
    "BANDWIDTHS",
    "KINDS",
    "bandwidth",
    "covariance",
    "densities",
    "errors",
    "interval",
    "kernel_density",
    "level_of",
    "pseudo_r2",
    "sandwich",
    "sparsity",
]
