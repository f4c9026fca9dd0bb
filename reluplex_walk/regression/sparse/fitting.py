"""`lad` and `quantile` for sparse features: the fit of the solver in the units of the data."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..._limits import Limits
from ...ended import Ended
from ...simplex.records import WalkStatus
from ...tolerances import PROOF
from ..claim import allowed_gap
from ..data import slopes_of
from .check import SparseProof, check, exact_loss
from .data import SparseData, SparsePosed
from .numbers import Exact
from .solver import SparseEnd, minimise_sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class SparseFit(NamedTuple):
    """What a fit is made of."""

    coefficients: Floats  # (p + 1,)
    loss: float
    dual: Floats  # (n,)
    status: WalkStatus
    ended: Ended
    n_pivots: int
    proof: SparseProof | None


def fit_sparse(
    data: SparseData, posed: SparsePosed, tau: float | None, limits: Limits
) -> SparseFit:
    """The fit for the quantile `tau` (None: `lad`) of data that were `posed`."""
    slopes = slopes_of(tau)
    with limits:
        end = minimise_sparse(posed, slopes, limits)
    if end.ended is None:
        limits.pass_on()
    p, units = data.X.shape[1], posed.units
    kept = np.flatnonzero(data.w > 0.0)
    theta, proof = np.zeros(p + 1), None
    if end.exact is not None:
        proof = _proof(end, posed, kept, len(data.y), slopes.unit)
        same = proof.coefficients.num is end.exact[0].num and units.y == 1
        theta[units.fitted] = end.theta if same else proof.coefficients.floats()
    else:
        theta[units.fitted] = end.theta * np.array([x / units.y for x in units.x])
    below, above = slopes.floats
    cost = np.where(end.side > 0.0, above, -below) * posed.w / units.w
    cost[end.rows] = end.prices / (slopes.unit * units.w)
    dual = np.zeros(len(data.y))
    dual[kept] = -cost
    r = data.y - (data.X @ theta[1:] + theta[0])
    loss = float((data.w * np.where(r > 0.0, below * r, -above * r)).sum())
    status, ended = WalkStatus.GLOBAL_MINIMUM, Ended.FINISHED
    if end.ended is not None:
        status, ended = WalkStatus[end.ended.name], end.ended
    elif proof is None:
        status, ended = WalkStatus.NOT_PROVED, Ended.PRECISION
    elif not _held_by_floats(data, tau, theta, loss, proof, slopes.floats):
        status = WalkStatus.NOT_PROVED
    return SparseFit(theta, loss, dual, status, ended, end.pivots, proof)


def _proof(end: SparseEnd, posed: SparsePosed, kept: Ints, n: int, unit: int) -> SparseProof:
    """What was proved, in the units of the data."""
    assert end.exact is not None
    theta, prices = end.exact
    units = posed.units
    above = np.zeros(n, np.bool_)
    above[kept] = end.side > 0.0
    num = theta.num
    if any(x != 1 for x in units.x):
        num = [v * x for v, x in zip(num, units.x, strict=True)]
    coefficients = Exact(num, theta.den * units.y)
    multipliers = Exact(prices.num, prices.den * unit * units.w)
    return SparseProof(units.fitted, coefficients, kept[end.rows], multipliers, above)


def _held_by_floats(
    data: SparseData,
    tau: float | None,
    theta: Floats,
    loss: float,
    proof: SparseProof,
    slopes: tuple[float, float],
) -> bool:
    """Whether the loss at the rounded coefficients is that of the exact ones, as far as a claim
    about them demands.
    """
    X, y, w = data
    targets = float(w @ np.abs(y))
    gap = max(slopes) * 2.0**-53 * float(w @ (abs(X) @ np.abs(theta[1:]) + abs(theta[0])))
    if gap <= 0.5 * (PROOF.gap_share * loss + PROOF.gap_targets * targets):
        return True
    least = check(X, y, w, tau, proof)
    return exact_loss(X, y, w, tau, theta) - least <= allowed_gap(least, targets)


__all__ = ["SparseFit", "fit_sparse"]
