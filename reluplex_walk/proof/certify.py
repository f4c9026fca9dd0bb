"""Making the certificate of a walk's end."""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..exact.dependence import exact_combination
from ..exact.loss import ExactLoss
from ..exact.rationals import Objects, Rationals
from ..exact.vertex import zeros
from ..native.arrays import FREE, N_TIED, State
from ..native.walk import prices
from ..problem.loss import LayerLoss
from ..tolerances import PROOF, Tolerances
from .certificate import Certificate
from .directional import half_edge_parts, local_model, slopes_along
from .end import End, ExactEnd
from .reason import Reason
from .slopes import half_edges

Floats = NDArray[np.float64]

_PRUDENCE = 1 - Fraction(1, 10**6)  # of the gap that a claim allows, here
_LEAST, _MOST = np.finfo(float).tiny.item(), np.finfo(float).max.item()


def certify(
    loss: LayerLoss,
    state: State,
    anchor: Floats,
    settled: ExactEnd | None,
    reason: Reason | None,
    tolerances: Tolerances,
) -> Certificate:
    """The certificate for a freshly computed `state`; `anchor` (h, q) has what is not free.

    `settled`: the exact vertex the walk settled at.  Nothing is claimed if there is a `reason`, or
    no exact vertex, or if the floats nearest to it do not have its loss.
    """
    if settled is not None and reason is None:
        reason = settled.verdict.reason
        if settled.verdict.method == "none":
            descends = settled.verdict.direction is not None
            reason = reason or (Reason.DESCENDS if descends else Reason.BUDGET)
        if reason is None and not _held_by_floats(loss, settled):
            reason = Reason.PARAMETERS
    if settled is None or reason is not None:
        return _seen_in_floats(loss, state, anchor, settled, reason or Reason.PRECISION, tolerances)
    return _proved(loss, settled, tolerances)


def certify_vertex(
    loss: LayerLoss, settled: ExactEnd, tolerances: Tolerances
) -> Certificate | None:
    """The certificate of an exact vertex; None if it is not proved, or floats do not hold it."""
    if settled.verdict.method == "none" or not _held_by_floats(loss, settled):
        return None
    return _proved(loss, settled, tolerances)


def _held_by_floats(loss: LayerLoss, settled: ExactEnd) -> bool:
    """Whether the loss at the rounded vertex lies above its own by what a claim allows at most."""
    theta = settled.vertex.theta.floats()
    if not np.isfinite(theta).all():
        return False
    if settled.loss == 0 and loss.target_size == 0.0:  # no scale: rounding is all there is
        return True
    targets = Fraction(PROOF.gap_targets) * Fraction(loss.target_size)
    allowed = Fraction(PROOF.gap_share) * settled.loss + targets
    exact, rounded = ExactLoss(loss), Rationals.of(theta)
    here = exact.loss_at(rounded, exact.signs(rounded))
    return here - settled.loss <= allowed * _PRUDENCE


def _proved(loss: LayerLoss, settled: ExactEnd, tolerances: Tolerances) -> Certificate:
    """The certificate of an exact vertex that is proved to be a local minimum."""
    vertex, method = settled.vertex, settled.verdict.method
    vanishing, witness = zeros(settled.signs), settled.verdict.witness
    if witness is None:  # of loss 0
        active, slopes = vertex.active, np.zeros(2 * vertex.active.stage.size)
    else:
        if settled.local is not None:  # simple: in the order of the basis
            vanishing = vertex.active
        active = vanishing.take(witness.pivots)
        slopes = per_length(*half_edges(ExactLoss(loss), vanishing, vertex.sides, witness))
    basis, all_ids = loss.index.join(active), loss.index.join(vanishing)
    tied = np.setdiff1d(all_ids, basis)
    listed = np.concatenate([basis, tied])
    if witness is not None:
        place = {int(c): at for at, c in enumerate(listed)}
        witness = witness._replace(order=np.array([place[int(c)] for c in all_ids], np.int64))
        seen = np.zeros(len(listed), np.int8)
        seen[witness.order] = witness.sides
    else:
        seen = _sides(loss, listed, vertex.sides)
    return Certificate(
        method=method,
        theta=vertex.theta.floats().reshape(loss.shape),
        loss=settled.loss,
        slopes=slopes,
        active=loss.index.locate(basis),
        tied=loss.index.locate(tied),
        sides=seen,
        is_global=settled.loss == 0 or loss.n_hidden == 0,
        slope_tolerances=np.zeros(slopes.size),
        zero_tolerance=tolerances.zero,
        fingerprint=loss.fingerprint,
        point=vertex.theta.fractions().reshape(loss.shape),
        witness=witness,
        **held(loss),
    )


def held(loss: LayerLoss) -> dict[str, Any]:
    """What a certificate says of parameters that are not free."""
    exact = exact_combination(loss)
    combination = exact
    if combination is None:
        floats = loss.dependence.combination
        combination = Rationals.of(floats).fractions()
    return {
        "aliased": loss.aliased,
        "fit_intercept": loss.fit_intercept,
        "combination": combination,
        "given_aliased": exact is None,
    }


def per_length(slopes: Objects, lengths: Floats) -> Floats:
    """Slopes (2r,) in floats of which none loses its sign."""
    found = []
    for slope, length in zip(slopes, lengths, strict=True):
        size = 0.0
        if slope:
            share = abs(slope) / Fraction(max(float(length), _LEAST))
            size = float(max(Fraction(_LEAST), min(share, Fraction(_MOST))))
        found.append(size)
    return np.array(found)


def _seen_in_floats(
    loss: LayerLoss,
    state: State,
    anchor: Floats,
    settled: ExactEnd | None,
    reason: Reason,
    tolerances: Tolerances,
) -> Certificate:
    """The end as floats see it: nothing is claimed."""
    prices(loss.free_kernel, state)
    # Where a limit is over, nobody waits for the one-sided slopes at a crowd of ties.
    slopes, lengths = _half_edges(loss, state, one_sided=reason is not Reason.UNFINISHED)
    end = End.of(loss, state)
    theta = loss.free_units.outer(state.theta.reshape(loss.free_shape), anchor)
    listed = np.concatenate([end.active, end.tied])
    tolerance = state.noise[state.basis != FREE].T.ravel()
    known = settled is not None and reason is Reason.PARAMETERS
    return Certificate(
        method="unfinished" if reason is Reason.UNFINISHED else "none",
        theta=theta,
        loss=settled.loss if known and settled else loss(theta),
        slopes=slopes / lengths,
        active=loss.index.locate(end.active),
        tied=loss.index.locate(end.tied),
        sides=_sides(loss, listed, end.sides),
        is_global=False,
        slope_tolerances=tolerance / lengths,
        zero_tolerance=tolerances.zero,
        fingerprint=loss.fingerprint,
        point=settled.vertex.theta.fractions().reshape(loss.shape) if known and settled else None,
        reason=reason,
        **held(loss),
    )


def _half_edges(loss: LayerLoss, state: State, one_sided: bool) -> tuple[Floats, Floats]:
    """Slopes and lengths (2r,) of the half-edges of the basis, where `state` is priced.

    Slopes are those in the walk's region and behind the active breakpoint, or `one_sided`.
    """
    rows = np.flatnonzero(state.basis != FREE)
    slopes = np.concatenate([state.price[rows], state.far[rows]])
    lengths = np.ones(slopes.size)
    tied = one_sided and state.number[N_TIED] > 0
    model = local_model(loss.free_kernel, state) if tied else None
    for places, edges in half_edge_parts(loss.free_kernel, state):
        outer = loss.free_units.outer(edges.reshape(-1, *loss.free_shape))
        lengths[places] = np.linalg.norm(outer, axis=(1, 2))
        if model is not None:
            slopes[places] = slopes_along(model, edges)
    return slopes, lengths


def _sides(loss: LayerLoss, ids: NDArray[np.int64], sides: list[NDArray[np.int8]]) -> NDArray:
    places = zip(*loss.index.split(ids), strict=True)
    return np.array([sides[t][column, neuron] for t, column, neuron in places], np.int8)


__all__ = ["certify", "certify_vertex", "held", "per_length"]
