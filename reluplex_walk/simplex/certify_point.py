"""`certify`: is this a local minimum of the layer, and if not, what is the way down?

The question has an exact answer at any theta: which breakpoints vanish there is decided in rational
arithmetic, and so is whether the one-sided derivative is negative in some direction.  A minimum
that a walk found is handed over as the floats nearest to an exact vertex, which are a minimum of
nothing: so that vertex is looked for first.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._budget import Budget
from .._limits import Limits
from .._logs import logged
from .._validate import choice, integer, positive, real
from ..ended import Ended
from ..exact.loss import ExactLoss
from ..exact.rationals import Rationals
from ..exact.vertex import vertex_work
from ..native.arrays import FREE
from ..problem.loss import LayerLoss
from ..proof.certificate import Certificate
from ..proof.certify import certify_vertex
from ..proof.end import ExactEnd, examine
from ..proof.reason import Reason
from ..tolerances import TOLERANCES
from .point_check import PointCheck
from .progress import Progress
from .rounded_vertex import exactly_at, rounded_vertices
from .trajectory import Trajectory
from .walk import walk
from .walker import STEPS
from .way_down import WayDown, descent, way_down

Floats = NDArray[np.float64]

_PART = 0.5  # of the budget left, for a point that theta is a rounding of


@logged("certify")
def certify(
    loss: LayerLoss,
    theta: ArrayLike | None = None,
    *,
    step: str = "long",
    proof_budget: float = 5.0,
    seed: int = 0,
    time_limit: float | None = None,
    callback: Callable[[Progress], Any] | None = None,
) -> PointCheck:
    """Whether `theta` is a local minimum of `loss`, and if not, the way down.

    The question of a trained network: its other layers fixed, is this layer at a local minimum?
    It is decided in rational arithmetic.  What a walk or a proof handed over as a certified end is
    recognised, also from a file: then the claim is about the exact point that theta is the rounding
    of.  Anywhere else a walk goes down from there, to show what is to be gained.

    Parameters
    ----------
    loss : LayerLoss
        The loss of one layer; of a :class:`NetworkLoss` take ``loss.layer(k)``.
    theta : array_like (h, q) or (D,), optional
        The parameters, default those that the network has.
    step : {"long", "adjacent"}, default "long"
        Of the walk.
    proof_budget : float, default 5.0
        About how many seconds of computing each proof may take, as for :func:`walk`.
    seed : int, default 0
        Of the walk.
    time_limit : float, optional
        Seconds for all of it.
    callback : callable, optional
        Called by the walk down as :func:`walk` does; StopIteration or KeyboardInterrupt raised in
        it ends that walk as Ctrl-C does.

    Returns
    -------
    PointCheck
        ``is_local_minimum``, ``slope``, ``direction``, ``certificate``, ``end``, ``gap``, and all
        of it in words: ``message``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Notes
    -----
    Directions are those of the free parameters: weights of aliased columns stay (see
    :attr:`LayerLoss.free`), and the certificate says whether that matters.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> check = rw.certify(loss)  # the network as it is
    >>> check.is_local_minimum, check.slope < 0, check.end.status.name, check.gap > 0
    (False, True, 'LOCAL_MINIMUM', True)
    >>> print(rw.certify(loss, check.end.theta))
    a proved local minimum, up to the rounding of floats, of layer 0: the loss ... falls in no
    direction
    """
    if not isinstance(loss, LayerLoss):
        remedy = "; loss.layer(k) is that of one layer" if hasattr(loss, "layer") else ""
        raise TypeError(f"loss: expected a LayerLoss, found {type(loss).__name__}{remedy}")
    point = loss.theta if theta is None else loss.parameters(theta)
    choice("step", step, STEPS)
    positive("proof_budget", proof_budget)
    seed = integer("seed", seed, 0, 2**63 - 1)
    limits = Limits.asked(time_limit, callback)
    with limits:
        found = _look(loss, point, Budget.of(real("proof_budget", proof_budget), limits))
        if found.certificate is None:
            end = walk(
                loss,
                point,
                step,
                seed=seed,
                proof_budget=proof_budget,
                time_limit=limits.remaining,
                callback=callback,
            )
        else:
            end = _staying(loss, point, found.certificate)
    limits.pass_on()
    return _check(loss, point, found, end)


class _Found(NamedTuple):
    """What exact arithmetic says of a point."""

    certificate: Certificate | None = None  # of a local minimum
    way: WayDown | None = None
    reason: Reason | None = None  # why neither is known
    value: Fraction | None = None  # the loss there


def _look(loss: LayerLoss, theta: Floats, budget: Budget) -> _Found:
    work = vertex_work(loss)
    if not budget.begin(3.0 * work):
        return _Found(reason=Reason.BUDGET)
    exact = ExactLoss(loss)
    seen: list[ExactEnd] = []
    reason = None
    for vertex in rounded_vertices(exact, theta):
        end = examine(exact, vertex, budget.part(_PART))
        certificate = certify_vertex(loss, end, TOLERANCES)
        if certificate is not None:
            return _Found(certificate)
        if descent(end) is None:
            reason = end.verdict.reason or Reason.PARAMETERS
        seen.append(end)
    at = exactly_at(exact, Rationals.of(theta.ravel()))
    if at is None:
        return _Found(reason=reason or Reason.PRECISION)
    end = examine(exact, at, budget)
    certificate = certify_vertex(loss, end, TOLERANCES)
    if certificate is not None:
        return _Found(certificate, value=at[2])
    if reason is not None:  # what theta is the rounding of may be a minimum
        return _Found(reason=reason, value=at[2])
    way = way_down(exact, at, [*seen, end], budget)
    return _Found(None, way, None if way else end.verdict.reason or Reason.BUDGET, at[2])


def _staying(loss: LayerLoss, theta: Floats, certificate: Certificate) -> Trajectory:
    """The walk of no pivots from a proved minimum."""
    start = walk(loss, theta, max_pivots=0, proof="off")
    basis = np.full_like(start.basis, FREE)
    active = loss.index.identify(certificate.active)
    basis[0, : active.size] = active
    return replace(
        start,
        ended=Ended.FINISHED,
        theta=certificate.theta,
        basis=basis,
        descending=np.zeros_like(start.descending),
        certificate=certificate,
    )


def _check(loss: LayerLoss, theta: Floats, found: _Found, end: Trajectory) -> PointCheck:
    certificate, way = end.certificate, found.way
    proved = certificate.is_local_minimum and bool((certificate.theta == theta).all())
    here, there = loss(theta), end.loss
    gap = here - there
    if found.value is not None and np.isfinite(there):
        known = certificate.is_local_minimum and isinstance(certificate.loss, Fraction)
        gap = float(found.value - (Fraction(certificate.loss) if known else Fraction(there)))
    if proved:
        way = None
    return PointCheck(
        is_local_minimum=proved,
        decided=proved or way is not None,
        slope=way.slope if way else 0.0,
        direction=way.direction.reshape(loss.shape) if way and way.direction is not None else None,
        theta=theta,
        loss=here,
        certificate=certificate,
        end=end,
        gap=0.0 if proved else max(gap, 0.0),
        reason=None if proved or way else found.reason,
    )


__all__ = ["certify"]
