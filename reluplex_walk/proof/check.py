"""Checks of a certificate against a loss, in floats and in rationals, without the walk's state."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Deadline
from .._validate import positive
from ..exact.loss import ExactLoss, Sides, region
from ..exact.rationals import Objects, Rationals, from_fractions
from ..exact.vertex import point_at, vertex_at, zeros
from ..native.arrays import FREE, N_TIED, START_SIZE
from ..native.refresh import enter, new_state, place, refresh
from ..native.walk import prices
from ..problem.breakpoints import Breakpoints
from ..problem.loss import LayerLoss
from ..tolerances import PROOF, TOLERANCES
from .directional import local_model, search
from .end import examine

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class CertificateError(ValueError):
    """A certificate that does not hold; the message says what differs.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
    >>> other = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 11.0])
    >>> try:
    ...     rw.walk(loss).certificate.verify(other)
    ... except rw.CertificateError as error:
    ...     print(error)
    loss: the certificate is of another loss: y differs
    """


class Claim(NamedTuple):
    """What a certificate says of the end of a walk; fields as in :class:`.Certificate`."""

    method: str
    exact: bool
    theta: Floats  # (h, q)
    loss: float
    active: Ints  # (r, 3)
    tied: Ints  # (k, 3)
    sides: NDArray[np.int8]  # (r + k,)
    is_global: bool
    point: Objects | None  # (h, q)


class ExactCheck(NamedTuple):
    """What :meth:`Certificate.verify_exact` computed, in rational arithmetic.

    Attributes
    ----------
    theta : ndarray (h, q) of Fraction
        The vertex.
    loss : Fraction
        The loss there.
    slopes : ndarray (2r,) of Fraction, or None
        Slopes of the half-edges, per unit of the breakpoint left; None at a degenerate end.
    method : str
        The proof.
    n_breakpoints, n_vanishing : int
        How many breakpoints have been looked at, and how many of them are exactly 0.
    bits : int
        Length of the longest numerator or denominator of `theta`.
    seconds : float
        Computing time taken.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
    >>> check = rw.walk(loss).certificate.verify_exact(loss)
    >>> check.method, check.loss, sorted(check.slopes)
    ('vertex', Fraction(7, 2), [Fraction(1, 2), Fraction(1, 2), Fraction(3, 2), Fraction(3, 2)])
    >>> check.n_breakpoints, check.n_vanishing
    (3, 2)
    """

    theta: Objects
    loss: Fraction
    slopes: Objects | None
    method: str
    n_breakpoints: int
    n_vanishing: int
    bits: int
    seconds: float


def in_rationals(claim: Claim, loss: LayerLoss, budget: float) -> ExactCheck:
    """See :meth:`Certificate.verify_exact`."""
    positive("budget", budget)
    deadline = Deadline(budget)
    ids = _identified(claim, loss)
    exact = ExactLoss(loss)
    vanishing = loss.index.split(ids)
    point = _point(claim)
    sides = _sides(exact.values(point), vanishing, claim)
    active = loss.index.split(ids[: len(claim.active)])
    find = vertex_at if claim.point is None or not claim.exact else point_at
    at = find(exact, point, active, sides)
    if at is None:
        raise CertificateError("active: these breakpoints do not define a vertex near theta")
    found = examine(exact, at, deadline)
    exact_ids = loss.index.join(zeros(found.signs))
    if set(exact_ids.tolist()) != set(ids.tolist()):
        raise CertificateError(
            f"active, tied: {len(ids)} breakpoints are said to vanish at the end, "
            f"{len(exact_ids)} do, {np.isin(ids, exact_ids).sum()} of them in common"
        )
    theta = found.vertex.theta.floats().reshape(loss.shape)
    if claim.exact and len(claim.active) == loss.n_free and (theta != claim.theta).any():
        raise CertificateError("theta: is not the float nearest to the exact vertex")
    _close("theta", claim.theta, theta, np.abs(theta).max())
    _close("loss", claim.loss, float(found.loss), loss.magnitude(theta))
    if claim.method == "zero-loss" and found.loss != 0:
        raise CertificateError(f"loss: said to be 0, is {float(found.loss):.3g}")
    if found.slopes is not None and (found.slopes < 0).any():
        least = float(min(found.slopes))
        raise CertificateError(f"slopes: a half-edge descends, with slope {least:.3g}")
    if found.verdict.method == "none":
        descends = found.verdict.direction is not None
        ended = "the loss descends from the end" if descends else "no proof in the time given"
        raise CertificateError(f"method: {claim.method} is said, the exact check: {ended}")
    if claim.is_global and loss.n_hidden > 0 and found.loss != 0:
        raise CertificateError("is_global: the loss is neither convex nor 0")
    return ExactCheck(
        theta=found.vertex.theta.fractions().reshape(loss.shape),
        loss=found.loss,
        slopes=found.slopes,
        method=found.verdict.method,
        n_breakpoints=sum(sign.size for sign in found.signs),
        n_vanishing=len(exact_ids),
        bits=found.vertex.theta.bits,
        seconds=deadline.spent,
    )


def in_floats(claim: Claim, loss: LayerLoss) -> None:
    """See :meth:`Certificate.verify`."""
    ids = _identified(claim, loss)
    kernel = loss.kernel_from(claim.theta)
    state = new_state(kernel)
    place(kernel, state, loss.free_units.inner(claim.theta).ravel())
    if len(loss.aliased):
        state.scalar[START_SIZE] = loss.free_units.size(claim.theta)  # for the tolerances
    if claim.exact:  # rounding may carry theta out of the region of the exact vertex
        values = ExactLoss(loss).values(_point(claim))
        enter(kernel, state, _sides(values, loss.index.split(ids), claim))
    else:
        is_hidden = ids < loss.index.hidden
        state.side.reshape(-1)[ids[is_hidden]] = claim.sides[is_hidden]
        state.side_r.reshape(-1)[ids[~is_hidden] - loss.index.hidden] = claim.sides[~is_hidden]
    state.basis[: len(claim.active)] = ids[: len(claim.active)]
    refresh(kernel, state, TOLERANCES)
    found = state.basis[state.basis != FREE]
    if not np.array_equal(found, ids[: len(claim.active)]):
        raise CertificateError("active: these breakpoints do not vanish at theta, or are dependent")
    tied = state.tied[: state.number[N_TIED]]
    if not claim.exact and set(tied.tolist()) != set(ids[len(claim.active) :].tolist()):
        raise CertificateError(f"tied: expected {len(claim.tied)} breakpoints, found {len(tied)}")
    theta = loss.free_units.outer(state.theta.reshape(loss.free_shape), claim.theta)
    if len(claim.active) == loss.n_free and loss.free_units.units.trivial and not claim.exact:
        # Else other points serve as well, or floats may not tell the vertex.
        _close("theta", claim.theta, theta, np.abs(theta).max())
    if not loss.reproduces(claim.theta, claim.loss):
        raise CertificateError(f"loss: {claim.loss:.10g} is said, {loss(theta):.10g} found")
    if claim.method == "zero-loss":
        return
    if len(tied) == 0:
        if prices(kernel, state):
            raise CertificateError("active: the gradient leaves the span of their normals")
        rows = np.flatnonzero(state.basis != FREE)
        slopes = np.concatenate([state.price[rows], state.far[rows]])
        noise = state.noise[rows].T.ravel()
        if (slopes < -noise).any():
            raise CertificateError(f"slopes: a half-edge descends with slope {slopes.min():.3g}")
    elif search(state, local_model(kernel, state), 0) is not None:
        raise CertificateError("method: the loss descends from the end")


def _identified(claim: Claim, loss: LayerLoss) -> Ints:
    """Ids of the active, then the tied breakpoints of the claim."""
    try:
        ids = loss.index.identify(np.concatenate([claim.active, claim.tied]))
    except ValueError as error:
        raise CertificateError(str(error)) from None
    if len(np.unique(ids)) < len(ids) or len(ids) != len(claim.sides):
        raise CertificateError("active, tied: expected each breakpoint once, with a side")
    return ids


def _point(claim: Claim) -> Rationals:
    """The exact end (D,), as far as the claim tells it."""
    if not claim.exact or claim.point is None:
        return Rationals.of(claim.theta.ravel())
    point = from_fractions(claim.point.ravel())
    if claim.point.shape != claim.theta.shape or (point.floats() != claim.theta.ravel()).any():
        raise CertificateError("theta: is not the float nearest to the exact vertex")
    return point


def _sides(values: list[Rationals], vanishing: Breakpoints, claim: Claim) -> Sides:
    """The region the certificate is seen from."""
    sides = [np.where(sign == 0, 1, sign).astype(np.int8) for sign in region(values)]
    for t, column, neuron, side in zip(*vanishing, claim.sides, strict=True):
        sides[t][column, neuron] = side
    return sides


def _close(name: str, said: Floats | float, found: Floats | float, size: float) -> None:
    gap = float(np.abs(np.subtract(said, found)).max())
    if not gap <= PROOF.close * size:
        raise CertificateError(f"{name}: differs from what its active set gives by {gap:.3g}")


__all__ = ["CertificateError", "Claim", "ExactCheck", "in_floats", "in_rationals"]
