"""Making the certificate of a walk's end."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..exact.dependence import depends_exactly
from ..exact.rationals import Objects
from ..exact.vertex import zeros
from ..native.arrays import FREE, LOSS, N_TIED, State
from ..native.walk import prices
from ..problem.loss import LayerLoss
from ..tolerances import Tolerances
from .certificate import Certificate
from .check import CertificateError
from .directional import half_edge_parts, local_model, slopes_along
from .end import End, ExactEnd, in_doubt

Floats = NDArray[np.float64]


class _Evidence(NamedTuple):
    """What is known of an end, and the proof that it is a local minimum."""

    method: str  # as in a certificate
    theta: Floats  # (h, q)
    loss: float
    end: End
    slopes: Floats  # (2r,) of the half-edges of the basis, per unit of the breakpoint left
    tolerance: Floats  # (2r,) size up to which each counts as 0
    point: Objects | None  # (h, q) theta without rounding, where that is known


def certify(
    loss: LayerLoss,
    state: State,
    anchor: Floats,
    finished: bool,
    settled: ExactEnd | None,
    tolerances: Tolerances,
) -> Certificate:
    """The certificate for a freshly computed `state`; `anchor` (h, q) has what is not free.

    `finished`: the walk found no descending half-edge (which is checked again here).  `settled`:
    the exact vertex it settled at, if that was computed; without it, nothing is proved where
    floats leave doubt.
    """
    leaves = bool(prices(loss.free_kernel, state))
    slopes, lengths = _half_edges(loss, state)
    seen = _seen_in_floats(loss, state, anchor, slopes, leaves)
    if not finished:
        seen = seen._replace(method="unfinished")
    if settled is None:
        evidence = seen
    elif _leads_to(loss, seen.end, settled):
        evidence = _decided_exactly(loss, settled, seen)
    else:
        evidence = seen._replace(method="none")
    return _confirmed(loss, _certificate(loss, evidence, lengths, tolerances))


def _half_edges(loss: LayerLoss, state: State) -> tuple[Floats, Floats]:
    """Slopes and lengths (2r,) of the half-edges of the basis, where `state` is priced."""
    rows = np.flatnonzero(state.basis != FREE)
    slopes = np.concatenate([state.price[rows], state.far[rows]])
    lengths = np.zeros(slopes.size)
    model = local_model(loss.free_kernel, state) if state.number[N_TIED] > 0 else None
    for places, edges in half_edge_parts(loss.free_kernel, state):
        outer = loss.free_units.outer(edges.reshape(-1, *loss.free_shape))
        lengths[places] = np.linalg.norm(outer, axis=(1, 2))
        if model is not None:
            slopes[places] = slopes_along(model, edges)
    return slopes, lengths


def _seen_in_floats(
    loss: LayerLoss, state: State, anchor: Floats, slopes: Floats, leaves: bool
) -> _Evidence:
    """The end as floats see it, proved where they leave no doubt.

    `leaves`: the gradient leaves the span of the active normals.
    """
    theta = loss.free_units.outer(state.theta.reshape(loss.free_shape), anchor)
    tolerance = state.noise[state.basis != FREE].T.ravel()
    doubt = leaves or in_doubt(loss, state) or not loss.reproduces(theta, state.scalar[LOSS])
    method = "none" if doubt or (slopes < -tolerance).any() else "vertex"
    return _Evidence(method, theta, loss(theta), End.of(loss, state), slopes, tolerance, None)


def _leads_to(loss: LayerLoss, end: End, settled: ExactEnd) -> bool:
    """Whether floats follow to the exact vertex: basis and loss are those that they see."""
    return np.array_equal(end.active, loss.index.join(settled.vertex.active)) and loss.reproduces(
        settled.vertex.theta.floats().reshape(loss.shape), float(settled.loss)
    )


def _decided_exactly(loss: LayerLoss, settled: ExactEnd, seen: _Evidence) -> _Evidence:
    """The exact vertex, with its own slopes where it is simple."""
    vertex = settled.vertex
    active = loss.index.join(vertex.active)
    vanishing = loss.index.join(zeros(settled.signs))
    slopes, tolerance = seen.slopes, seen.tolerance
    if settled.slopes is not None:
        slopes = np.array([float(slope) for slope in settled.slopes])
        tolerance = np.zeros(slopes.size)
    return _Evidence(
        method=settled.verdict.method,
        theta=vertex.theta.floats().reshape(loss.shape),
        loss=float(settled.loss),
        end=End(active, np.setdiff1d(vanishing, active), vertex.sides),
        slopes=slopes,
        tolerance=tolerance,
        point=vertex.theta.fractions().reshape(loss.shape),
    )


def _certificate(
    loss: LayerLoss, evidence: _Evidence, lengths: Floats, tolerances: Tolerances
) -> Certificate:
    """The evidence in the words and units of users; `lengths` (2r,) of the half-edges."""
    method, end = evidence.method, evidence.end
    vanishing = loss.index.split(np.concatenate([end.active, end.tied]))
    places = zip(*vanishing, strict=True)
    proved = method not in ("none", "unfinished")
    return Certificate(
        method=method,
        exact=evidence.point is not None,
        theta=evidence.theta,
        loss=evidence.loss,
        slopes=evidence.slopes / lengths,
        active=loss.index.locate(end.active),
        tied=loss.index.locate(end.tied),
        sides=np.array([end.sides[t][column, neuron] for t, column, neuron in places], np.int8),
        is_global=method == "zero-loss" or (proved and loss.n_hidden == 0),
        slope_tolerances=evidence.tolerance / lengths,
        zero_tolerance=tolerances.zero,
        fingerprint=loss.fingerprint,
        point=evidence.point,
        aliased=loss.aliased,
        fit_intercept=loss.fit_intercept,
        given_aliased=len(loss.aliased) > 0 and not (proved and depends_exactly(loss)),
    )


def _confirmed(loss: LayerLoss, certificate: Certificate) -> Certificate:
    """The certificate; nothing is claimed if rounding loses what was proved.

    Data far from 0 or from unit size: parameters rounded in their units may lose the vertex.
    """
    if certificate.is_local_minimum and not loss.free_units.units.trivial:
        try:
            certificate.verify(loss)
            certificate.verify_exact(loss)
        except CertificateError:
            return replace(
                certificate, method="none", exact=False, is_global=False, digest="", point=None
            )
    return certificate


__all__ = ["certify"]
