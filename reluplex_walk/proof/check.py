"""Checks of a certificate against a loss, in floats and in rationals, without the walk's state."""

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Deadline
from .._validate import instance, positive
from ..exact.loss import ExactLoss, Sides, region
from ..exact.rationals import Objects, Rationals
from ..native.arrays import FREE, N_TIED
from ..native.refresh import new_state, place, refresh
from ..native.walk import prices
from ..problem.breakpoints import Breakpoints, identify, join, split
from ..problem.loss import LayerLoss
from ..simplex import escape
from ..simplex.exact_pivots import settle, zeros
from ..tolerances import TOLERANCES

Floats = NDArray[np.float64]

if TYPE_CHECKING:
    from .certificate import Certificate

_CLOSE = 1e-9  # relative distance of a float end from its exact vertex that passes


class CertificateError(ValueError):
    """A certificate that does not hold; the message says what differs."""


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
        Time taken.
    """

    theta: Objects
    loss: Fraction
    slopes: Objects | None
    method: str
    n_breakpoints: int
    n_vanishing: int
    bits: int
    seconds: float


def in_rationals(certificate: "Certificate", loss: LayerLoss, budget: float) -> ExactCheck:
    """See :meth:`Certificate.verify_exact`."""
    positive("budget", budget)
    deadline = Deadline(budget)
    ids = _same(certificate, loss)
    exact = ExactLoss(loss)
    vanishing = split(loss, ids)
    sides = _sides(exact.values(Rationals.of(certificate.theta.ravel())), vanishing, certificate)
    active = split(loss, ids[: certificate.rank])
    found = settle(exact, certificate.theta.ravel(), active, sides, deadline)
    if found is None:
        raise CertificateError("active: these breakpoints do not define a vertex near theta")
    exact_ids = join(loss, zeros(found.signs))
    if set(exact_ids.tolist()) != set(ids.tolist()):
        raise CertificateError(
            f"active, tied: {len(ids)} breakpoints are said to vanish at the end, "
            f"{len(exact_ids)} do, {np.isin(ids, exact_ids).sum()} of them in common"
        )
    theta = found.vertex.theta.floats().reshape(loss.shape)
    whole = certificate.rank == loss.dim  # else the point on the face is not unique
    if certificate.exact and whole and not (theta == certificate.theta).all():
        raise CertificateError("theta: is not the float nearest to the exact vertex")
    _close("theta", certificate.theta, theta, np.abs(theta).max())
    _close("loss", certificate.loss, float(found.loss), loss.magnitude(theta))
    if certificate.method == "zero-loss" and found.loss != 0:
        raise CertificateError(f"loss: said to be 0, is {float(found.loss):.3g}")
    if found.slopes is not None and (found.slopes < 0).any():
        least = float(min(found.slopes))
        raise CertificateError(f"slopes: a half-edge descends, with slope {least:.3g}")
    if found.verdict.method == "none":
        descends = found.verdict.direction is not None
        ended = "the loss descends from the end" if descends else "no proof in the time given"
        raise CertificateError(f"method: {certificate.method} is said, the exact check: {ended}")
    if certificate.is_global and loss.n_hidden > 0 and found.loss != 0:
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


def in_floats(certificate: "Certificate", loss: LayerLoss) -> None:
    """See :meth:`Certificate.verify`."""
    ids = _same(certificate, loss)
    problem, state = loss.problem, new_state(loss.problem)
    place(problem, state, loss.units.inner(certificate.theta).ravel())
    n = problem.x.shape[1]
    hidden = int(problem.row[loss.n_hidden])
    for c, side in zip(ids, certificate.sides, strict=True):
        sides = state.side[:hidden] if c < hidden * n else state.side_r
        sides.reshape(-1)[c if c < hidden * n else c - hidden * n] = side
    state.basis[: certificate.rank] = ids[: certificate.rank]
    refresh(problem, state, TOLERANCES)
    found = state.basis[state.basis != FREE]
    if not np.array_equal(found, ids[: certificate.rank]):
        raise CertificateError("active: these breakpoints do not vanish at theta, or are dependent")
    tied = state.tied[: state.number[N_TIED]]
    if not certificate.exact and set(tied.tolist()) != set(ids[certificate.rank :].tolist()):
        raise CertificateError(
            f"tied: expected {certificate.n_tied} breakpoints, found {len(tied)}"
        )
    theta = loss.units.outer(state.theta.reshape(loss.shape))
    if certificate.rank == loss.dim and loss.units.trivial:  # else other points serve as well
        _close("theta", certificate.theta, theta, np.abs(theta).max())
    if not loss.reproduces(certificate.theta, certificate.loss):
        raise CertificateError(f"loss: {certificate.loss:.10g} is said, {loss(theta):.10g} found")
    if certificate.method == "zero-loss":
        return
    if len(tied) == 0:
        if prices(problem, state):
            raise CertificateError("active: the gradient leaves the span of their normals")
        rows = np.flatnonzero(state.basis != FREE)
        slopes = np.concatenate([state.price[rows], state.far[rows]])
        noise = state.noise[rows].T.ravel()
        if (slopes < -noise).any():
            raise CertificateError(f"slopes: a half-edge descends with slope {slopes.min():.3g}")
    elif escape.search(state, escape.local_model(problem, state), 0) is not None:
        raise CertificateError("method: the loss descends from the end")


def _same(certificate: "Certificate", loss: LayerLoss) -> NDArray[np.int64]:
    """Ids of the active, then the tied breakpoints, if the certificate is of this loss."""
    instance("loss", loss, LayerLoss)
    differ = differences(certificate.fingerprint, loss.fingerprint)
    if differ:
        raise CertificateError(f"loss: the certificate is of another loss: {differ}")
    if certificate.checksum() != certificate.digest:
        raise CertificateError("digest: the certificate was changed after it was made")
    if not certificate.is_local_minimum:
        raise CertificateError(f"method: {certificate.method!r}, nothing is claimed")
    try:
        ids = identify(loss, np.concatenate([certificate.active, certificate.tied]))
    except ValueError as error:
        raise CertificateError(str(error)) from None
    if len(np.unique(ids)) < len(ids) or len(ids) != len(certificate.sides):
        raise CertificateError("active, tied: expected each breakpoint once, with a side")
    return ids


def differences(fingerprint: str, other: str) -> str:
    """Which parts of two fingerprints of losses differ, in words."""
    parts = (dict(p.split("=", 1) for p in f.split(" ") if "=" in p) for f in (fingerprint, other))
    mine, theirs = parts
    return ", ".join(f"{k} differs" for k in theirs if mine.get(k) != theirs[k])


def _sides(values: list[Rationals], vanishing: Breakpoints, certificate: "Certificate") -> Sides:
    """The region the certificate is seen from."""
    sides = [np.where(sign == 0, 1, sign).astype(np.int8) for sign in region(values)]
    for t, column, neuron, side in zip(*vanishing, certificate.sides, strict=True):
        sides[t][column, neuron] = side
    return sides


def _close(name: str, said: Floats | float, found: Floats | float, size: float) -> None:
    gap = float(np.abs(np.subtract(said, found)).max())
    if not gap <= _CLOSE * size:
        raise CertificateError(f"{name}: differs from what its active set gives by {gap:.3g}")


__all__ = ["CertificateError", "ExactCheck", "differences"]
