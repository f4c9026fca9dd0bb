"""Making the certificate of a walk's end."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

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
Ints = NDArray[np.int64]


def certify(
    loss: LayerLoss,
    state: State,
    finished: bool,
    settled: ExactEnd | None,
    tolerances: Tolerances,
) -> Certificate:
    """The certificate for a freshly computed `state`.

    `finished`: the walk found no descending half-edge (which is checked again here).  `settled`:
    the exact vertex it settled at, if that was computed; without it, nothing is proved where
    floats leave doubt.
    """
    descends = prices(loss.kernel, state)
    rows = np.flatnonzero(state.basis != FREE)
    tolerance = state.noise[rows].T.ravel()
    slopes = np.concatenate([state.price[rows], state.far[rows]])
    lengths = np.zeros(slopes.size)
    model = local_model(loss.kernel, state) if state.number[N_TIED] > 0 else None
    for places, edges in half_edge_parts(loss.kernel, state):
        outer = loss.units.outer(edges.reshape(-1, *loss.shape))
        lengths[places] = np.linalg.norm(outer, axis=(1, 2))
        if model is not None:
            slopes[places] = slopes_along(model, edges)
    theta = loss.units.outer(state.theta.reshape(loss.shape))
    end, value = End.of(loss, state), loss(theta)
    method = "none"
    if settled is not None and not (
        np.array_equal(end.active, loss.index.join(settled.vertex.active))
        and loss.reproduces(settled.vertex.theta.floats().reshape(loss.shape), float(settled.loss))
    ):
        settled = None  # floats do not follow to where it is
    elif settled is not None:
        method = settled.verdict.method
    elif not finished:
        method = "unfinished"
    elif not (in_doubt(loss, state) or descends):
        reproducible = loss.reproduces(theta, float(state.scalar[LOSS]))
        if reproducible and (slopes >= -tolerance).all():
            method = "vertex"
    if settled is not None:
        theta = settled.vertex.theta.floats().reshape(loss.shape)
        value = float(settled.loss)
        end = _settled_end(loss, settled)
        if settled.slopes is not None:
            slopes = np.array([float(slope) for slope in settled.slopes])
            tolerance = np.zeros(slopes.size)
    vanishing = loss.index.split(np.concatenate([end.active, end.tied]))
    proved = method not in ("none", "unfinished")
    vanish_at = zip(*vanishing, strict=True)
    certificate = Certificate(
        method=method,
        exact=settled is not None,
        theta=theta,
        loss=value,
        slopes=slopes / lengths,
        active=loss.index.locate(end.active),
        tied=loss.index.locate(end.tied),
        sides=np.array([end.sides[t][column, neuron] for t, column, neuron in vanish_at], np.int8),
        is_global=method == "zero-loss" or (proved and loss.n_hidden == 0),
        slope_tolerances=tolerance / lengths,
        zero_tolerance=tolerances.zero,
        fingerprint=loss.fingerprint,
        point=None if settled is None else settled.vertex.theta.fractions().reshape(loss.shape),
    )
    if proved and not loss.units.trivial:
        # Data far from 0 or from unit size: parameters rounded in their units may lose the vertex.
        try:
            certificate.verify(loss)
            certificate.verify_exact(loss)
        except CertificateError:
            return replace(certificate, method="none", exact=False, is_global=False, digest="")
    return certificate


def _settled_end(loss: LayerLoss, settled: ExactEnd) -> End:
    active = loss.index.join(settled.vertex.active)
    vanishing = loss.index.join(zeros(settled.signs))
    return End(active, np.setdiff1d(vanishing, active), settled.vertex.sides)
