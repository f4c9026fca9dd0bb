"""Assertions for regression tests: of local minima, of certificates, of walks.

They raise AssertionError, as those of `numpy.testing`, and say what differs.  What may differ
between machines and versions is on the page "What is stable between machines".
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._validate import instance, positive
from .problem.loss import LayerLoss
from .proof.certificate import Certificate
from .proof.check import CertificateError
from .regression.fit import QuantileFit
from .simplex.trajectory import Trajectory
from .simplex.walk import walk
from .tolerances import TESTING

Floats = NDArray[np.float64]


def assert_local_minimum(loss: LayerLoss, theta: ArrayLike, proof_budget: float = 5.0) -> None:
    """Check that `theta` is a local minimum of `loss`, but for the rounding of `theta`.

    A walk from `theta` must stay there, and its end be proved a local minimum in rational
    arithmetic, which the independent checker confirms: at a point that rounds to `theta` up to
    1e-9 of its largest parameter (in units of the inputs), and whose loss is that at `theta` up to
    1e-9 of it + 1e-12 of ``sum w |y|``.

    Parameters
    ----------
    loss : LayerLoss
    theta : array_like (h, q) or (D,)
    proof_budget : float, default 5.0
        As :func:`.walk` takes it: seconds for the proof.

    Raises
    ------
    AssertionError
        If it is none, or no proof is found; the message says which, and where the loss falls.
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    The median of three numbers, and one of them that is none:

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
    >>> rw.testing.assert_local_minimum(loss, [[4.5, 1.0]])
    >>> rw.testing.assert_local_minimum(loss, [[1.0, 1.0]])
    Traceback (most recent call last):
    AssertionError: theta is no local minimum: the loss there is 7, ...
    """
    instance("loss", loss, LayerLoss)
    start = loss.parameters(theta)
    traj = walk(loss, start, proof_budget=positive("proof_budget", proof_budget))
    here, end = loss(start), traj.loss
    room = TESTING.loss * here + TESTING.targets * loss.target_size
    if here > end + room:
        raise AssertionError(
            f"theta is no local minimum: the loss there is {here:.10g}, and a walk from there ends "
            f"at {end:.10g}"
        )
    certificate = traj.certificate
    if not certificate.is_local_minimum:
        why = certificate.reason.message if certificate.reason else certificate.method
        raise AssertionError(f"theta is not proved to be a local minimum: {why}")
    apart, size = _distance(loss, start, certificate.theta)
    if apart > TESTING.theta * size:
        raise AssertionError(
            "theta is not proved to be a local minimum: a walk from there ends at a minimum of the "
            f"same loss, {apart / size:.3g} of the size of the parameters away"
        )
    assert_certified(traj)


def assert_certified(result: Any, loss: LayerLoss | None = None) -> None:
    """Check that `result` claims a proved minimum, and that the claim holds.

    The independent checker computes all that the certificate says anew, from the data and in
    rational arithmetic; it believes nothing (see :meth:`.Certificate.verify_exact`).

    Parameters
    ----------
    result : Trajectory, QuantileFit, Minimization or Certificate
        Anything with a certificate; of several walks the best is checked.
    loss : LayerLoss, optional
        What a bare certificate is about.

    Raises
    ------
    AssertionError
        If nothing is claimed, or the claim does not hold; the message says what.
    TypeError
        If `result` has no certificate, or `loss` is missing or superfluous.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_stackloss()
    >>> fit = rw.lad(data.X, data.y)
    >>> rw.testing.assert_certified(fit)
    >>> net = rw.ReLUNetwork.random([3, 2, 1])
    >>> rw.testing.assert_certified(rw.walk(rw.LayerLoss(net, data.X, data.y), max_pivots=1))
    Traceback (most recent call last):
    AssertionError: Trajectory(PIVOT_LIMIT...) claims nothing: the walk stopped before its end
    """
    if (loss is not None) != isinstance(result, Certificate):
        raise TypeError("loss: expected with a Certificate as result, and only then")
    best = getattr(result, "best", result)  # of a Minimization
    if not isinstance(best, (Certificate, QuantileFit, Trajectory)):
        raise TypeError(f"result: expected one with a certificate, found {type(result).__name__}")
    certificate = best if isinstance(best, Certificate) else best.certificate
    if not certificate.is_local_minimum:
        why = certificate.reason.message if certificate.reason else certificate.method
        raise AssertionError(f"{result!r} claims nothing: {why}")
    try:
        if isinstance(best, Trajectory):
            best.verify()
        elif isinstance(best, QuantileFit):
            certificate.verify_exact(best.problem)
            _check_fit(best)
        elif loss is not None:
            certificate.verify_exact(loss)
    except CertificateError as error:
        raise AssertionError(f"the claim of {result!r} does not hold: {error}") from None


def assert_same_walk(
    actual: Trajectory, desired: Trajectory, rtol: float = 1e-9, path: bool = True
) -> None:
    """Check that two walks are the same: their loss, path, end, and what is proved of it.

    Floats may differ by rounding: losses by `rtol` of them + 1e-12 of ``sum w |y|``, vertices by
    a thousand times `rtol` of their largest parameter (in units of the inputs).  Active sets,
    numbers of pivots, status and certificates have to be equal.

    Parameters
    ----------
    actual, desired : Trajectory
        `desired` may come from a file of an earlier version.
    rtol : float, default 1e-9
    path : bool, default True
        Whether the vertices on the way are compared, too.  Under ties another machine may take
        another way; the ends then often are the same, but need not be.

    Raises
    ------
    AssertionError
        If they are not the same; the message says where they part.
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, teacher = rw.datasets.make_teacher(30, noise=0.1)
    >>> loss = rw.LayerLoss(teacher, data.X, data.y)
    >>> traj = rw.walk(loss, seed=0)
    >>> rw.testing.assert_same_walk(rw.walk(loss, seed=0), traj)
    >>> rw.testing.assert_same_walk(rw.walk(loss, seed=0, rule="dantzig"), traj)
    Traceback (most recent call last):
    AssertionError: Walks are not the same: ...
    """
    instance("actual", actual, Trajectory)
    instance("desired", desired, Trajectory)
    positive("rtol", rtol)
    _equal("loss", actual.problem.fingerprint, desired.problem.fingerprint)
    if path:
        _same_path(actual, desired, rtol)
    for name in ("status", "ended"):
        _equal(name, getattr(actual, name).name, getattr(desired, name).name)
    for name in ("method", "is_global", "rank", "n_tied", "strict"):
        _equal(
            f"certificate.{name}",
            getattr(actual.certificate, name),
            getattr(desired.certificate, name),
        )
    _same_losses("at the end", np.array([actual.loss]), np.array([desired.loss]), actual, rtol)
    _same_theta("at the end", actual.theta, desired.theta, actual.problem, rtol)


def _same_path(actual: Trajectory, desired: Trajectory, rtol: float) -> None:
    both = min(actual.n_pivots, desired.n_pivots) + 1
    for k in range(both):
        mine, theirs = (np.sort(traj.basis[k]) for traj in (actual, desired))
        if (mine != theirs).any():
            words = [
                "{" + ", ".join(map(str, sorted(map(tuple, traj.active[k].tolist())))) + "}"
                for traj in (actual, desired)
            ]
            _differ(f"active breakpoints at entry {k} of {both}", *words)
        _same_theta(f"at entry {k}", actual.vertices[k], desired.vertices[k], actual.problem, rtol)
    _same_losses("on the way", actual.losses[:both], desired.losses[:both], actual, rtol)
    _equal("n_pivots", actual.n_pivots, desired.n_pivots)


def _same_losses(
    where: str, actual: Floats, desired: Floats, traj: Trajectory, rtol: float
) -> None:
    room = rtol * np.abs(desired) + TESTING.targets * traj.problem.target_size
    wrong = np.flatnonzero(np.abs(actual - desired) > room)
    if wrong.size:
        k = int(wrong[0])
        _differ(
            f"losses {where}, {wrong.size} of {room.size}, entry {k} first", actual[k], desired[k]
        )


def _same_theta(where: str, actual: Floats, desired: Floats, loss: LayerLoss, rtol: float) -> None:
    apart, size = _distance(loss, actual, desired)
    if apart > TESTING.vertices * rtol * size:
        at = np.unravel_index(int(np.abs(actual - desired).argmax()), actual.shape)
        place = tuple(int(k) for k in at)
        _differ(f"parameters {where}, most at {place}", actual[place], desired[place])


def _distance(loss: LayerLoss, a: Floats, b: Floats) -> tuple[float, float]:
    """Largest difference of two parameters, and the largest of the second, by what they do.

    A weight counts times the largest input that it sees.
    """
    reach = np.append(np.abs(loss.inputs).max(axis=0, initial=0.0), 1.0)
    return float((np.abs(a - b) * reach).max()), float((np.abs(b) * reach).max())


def _check_fit(fit: QuantileFit) -> None:
    """CertificateError if a fit is not at the point that its certificate is about."""
    if (np.roll(fit.coefficients, -1) != fit.certificate.theta.ravel()).any():
        raise CertificateError("coefficients: are not those of the certificate")
    if not fit.status.proved:
        raise CertificateError(f"status: {fit.status.name}, the certificate claims a proof")


def _equal(name: str, actual: object, desired: object) -> None:
    if actual != desired:
        _differ(name, actual, desired)


def _differ(what: str, actual: object, desired: object) -> None:
    raise AssertionError(f"Walks are not the same: {what}\n ACTUAL: {actual}\n DESIRED: {desired}")


__all__ = ["assert_certified", "assert_local_minimum", "assert_same_walk"]
