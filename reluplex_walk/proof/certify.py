"""Making the certificate of a walk's end."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Deadline
from ..exact.loss import ExactLoss, Sides
from ..native.arrays import FREE, LOSS, N_TIED, PARKED, START_SIZE, State
from ..native.walk import prices
from ..problem import breakpoints
from ..problem.loss import LayerLoss
from ..simplex.escape import half_edge_parts, local_model, slopes_along
from ..simplex.exact_pivots import Settled, affordable, settle, zeros
from ..tolerances import Tolerances
from .certificate import Certificate
from .check import CertificateError

_TINY = 1e-10  # of the start: parameters that may be 0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class End(NamedTuple):
    """The end of a walk: the basis, what else vanishes, and from which region it is seen."""

    active: Ints  # (r,) ids
    tied: Ints  # (k,) ids
    sides: Sides  # +-1 of all breakpoints

    @classmethod
    def of(cls, loss: LayerLoss, state: State) -> "End":
        """The end that `state`, freshly computed, is at."""
        row = loss.problem.row
        return cls(
            active=np.array(state.basis[state.basis != FREE]),
            tied=np.sort(state.tied[: state.number[N_TIED]]),
            sides=[
                *(
                    np.sign(state.side[row[t] : row[t + 1]].T).astype(np.int8)
                    for t in range(loss.n_hidden)
                ),
                np.sign(state.side_r.T).astype(np.int8),
            ],
        )


def hidden_vanishes(loss: LayerLoss, state: State) -> bool:
    """Whether a hidden breakpoint is active or tied: the loss may then not be convex here."""
    return bool((np.abs(state.z[: loss.problem.row[loss.n_hidden]]) >= PARKED / 2).any())


def zero_loss(loss: LayerLoss, state: State) -> bool:
    """Whether no residual row seems to cost anything: it vanishes or lies on its free side."""
    problem = loss.problem
    cost = np.where(state.side_r > 0, problem.right, problem.left)
    return bool(((np.abs(state.r) >= PARKED / 2) | (cost == 0.0)).all())


def settle_state(
    loss: LayerLoss, state: State, seconds: float, limit: int, leaps: bool = False
) -> Settled | None:
    """Go on exactly from the vertex of `state`, freshly computed; arguments as for `settle`.

    None if that cannot be done, or not in about `seconds`.
    """
    if not affordable(loss, seconds):
        return None
    end = End.of(loss, state)
    theta = loss.units.outer(state.theta.reshape(loss.shape)).ravel()
    active = breakpoints.split(loss, end.active)
    return settle(ExactLoss(loss), theta, active, end.sides, Deadline(seconds), limit, leaps)


def in_doubt(loss: LayerLoss, state: State) -> bool:
    """Whether floats leave open what is 0 at a priced vertex: breakpoints, slopes, or the loss.

    Also on a face (r < D), where the gradient within it would have to be exactly 0.
    """
    rows = np.flatnonzero(state.basis != FREE)
    slopes = np.column_stack([state.price[rows], state.far[rows]])
    return bool(
        rows.size < loss.dim
        or state.number[N_TIED] > 0
        or (np.abs(slopes) <= state.noise[rows]).any()
        or zero_loss(loss, state)
        or not loss.units.trivial
        or np.abs(state.theta).max() <= _TINY * state.scalar[START_SIZE]
    )


def certify(
    loss: LayerLoss,
    state: State,
    finished: bool,
    settled: Settled | None,
    tolerances: Tolerances,
) -> Certificate:
    """The certificate for a freshly computed `state`.

    `finished`: the walk found no descending half-edge (which is checked again here).  `settled`:
    the exact vertex it settled at, if that was computed; without it, nothing is proved where
    floats leave doubt.
    """
    descends = prices(loss.problem, state)
    rows = np.flatnonzero(state.basis != FREE)
    tolerance = state.noise[rows].T.ravel()
    slopes = np.concatenate([state.price[rows], state.far[rows]])
    lengths = np.zeros(slopes.size)
    model = local_model(loss.problem, state) if state.number[N_TIED] > 0 else None
    for places, edges in half_edge_parts(loss.problem, state):
        outer = loss.units.outer(edges.reshape(-1, *loss.shape))
        lengths[places] = np.linalg.norm(outer, axis=(1, 2))
        if model is not None:
            slopes[places] = slopes_along(model, edges)
    theta = loss.units.outer(state.theta.reshape(loss.shape))
    end, value = End.of(loss, state), loss(theta)
    method = "none"
    if settled is not None and not (
        np.array_equal(end.active, breakpoints.join(loss, settled.vertex.active))
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
    vanishing = breakpoints.split(loss, np.concatenate([end.active, end.tied]))
    proved = method not in ("none", "unfinished")
    vanish_at = zip(*vanishing, strict=True)
    certificate = Certificate(
        method=method,
        exact=settled is not None,
        theta=theta,
        loss=value,
        slopes=slopes / lengths,
        active=breakpoints.locate(loss, end.active),
        tied=breakpoints.locate(loss, end.tied),
        sides=np.array([end.sides[t][column, neuron] for t, column, neuron in vanish_at], np.int8),
        is_global=method == "zero-loss" or (proved and loss.n_hidden == 0),
        slope_tolerances=tolerance / lengths,
        zero_tolerance=tolerances.zero,
        fingerprint=loss.fingerprint,
    )
    if proved and not loss.units.trivial:
        # Data far from 0 or from unit size: parameters rounded in their units may lose the vertex.
        try:
            certificate.verify(loss)
            certificate.verify_exact(loss)
        except CertificateError:
            return replace(certificate, method="none", exact=False, is_global=False, digest="")
    return certificate


def _settled_end(loss: LayerLoss, settled: Settled) -> End:
    active = breakpoints.join(loss, settled.vertex.active)
    vanishing = breakpoints.join(loss, zeros(settled.signs))
    return End(active, np.setdiff1d(vanishing, active), settled.vertex.sides)
