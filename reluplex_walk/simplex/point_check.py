"""`PointCheck`: whether parameters are a local minimum of a layer, and if not, the way down."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .._shown import repr_html
from ..ended import Ended
from ..proof.certificate import Certificate
from ..proof.reason import Reason
from ..tolerances import SIMPLEX
from .trajectory import Trajectory

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PointCheck:
    """What :func:`certify` found out about the parameters of one layer.

    Attributes
    ----------
    is_local_minimum : bool
        True only if it is proved: theta, or the exact point that theta is the rounding of, is a
        local minimum.
    decided : bool
        False where neither that is proved nor a direction is found that descends.
    slope : float
        The steepest slope that was found, per unit length: a one-sided derivative in rational
        arithmetic, rounded. 0.0 at a local minimum and where nothing is decided.
    direction : ndarray (h, q) or None
        The way down with that slope, of length 1; None where none is known, or it is too faint
        for floats.
    theta : ndarray (h, q)
        The parameters that were looked at.
    loss : float
        The loss there.
    certificate : Certificate
        Of the point, where it is proved to be a local minimum, else of the `end`.
    end : Trajectory
        The walk from theta down, of no pivots where theta is a local minimum.
    gap : float
        The loss at theta minus that at the end.
    reason : Reason or None
        Why nothing is decided.

    Examples
    --------
    The median of 1, 2, 10, and another number:

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [0.0], [0.0]], [1.0, 2.0, 10.0])
    >>> check = rw.certify(loss, [[0.0, 3.0]])
    >>> check.is_local_minimum, check.decided, check.slope, check.direction.tolist(), check.gap
    (False, True, -1.0, [[0.0, -1.0]], 1.0)
    >>> check.ended.name
    'FINISHED'
    >>> print(check)
    not a local minimum of layer 0: the loss 10 falls with slope -1; a walk from there ends 10 %
    lower, at a proved global minimum, after 1 pivot
    >>> rw.certify(loss, check.end.theta)
    PointCheck(local minimum, loss=9)
    """

    is_local_minimum: bool
    decided: bool
    slope: float
    direction: Floats | None
    theta: Floats
    loss: float
    certificate: Certificate
    end: Trajectory
    gap: float
    reason: Reason | None = None

    @property
    def ended(self) -> Ended:
        """Why the walk down stopped; FINISHED without one."""
        return self.end.ended

    @cached_property
    def distance(self) -> float:
        """The Euclidean distance from theta to the end.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [0.0], [0.0]], [1.0, 2.0, 10.0])
        >>> rw.certify(loss, [[0.0, 3.0]]).distance
        1.0
        """
        return float(np.linalg.norm(self.theta - self.end.theta))

    @property
    def message(self) -> str:
        """All of it in words.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [0.0], [0.0]], [1.0, 2.0, 10.0])
        >>> rw.certify(loss, [[0.0, 2.0]]).message
        'a proved global minimum of layer 0: the loss 9 falls in no direction'
        """
        layer = f"layer {self.end.problem.layer}"
        if self.is_local_minimum:
            return f"{self._proved} of {layer}: the loss {self.loss:.6g} falls in no direction"
        if self.decided:
            words = f"not a local minimum of {layer}: the loss {self.loss:.6g} falls"
            words += f" with slope {self.slope:.3g}"
            words += "" if self.direction is not None else ", too faint for floats to follow"
        else:
            why = self.reason.message if self.reason else ""
            words = f"nothing is proved of {layer} at the loss {self.loss:.6g}: {why}"
        return f"{words}; {self._walked}"

    @property
    def _proved(self) -> str:
        point = self.certificate.point
        rounded = point is None or bool((point != self.theta).any())
        kind = "global minimum" if self.certificate.is_global else "local minimum"
        return f"a proved {kind}{', up to the rounding of floats,' if rounded else ''}"

    @property
    def _walked(self) -> str:
        end, pivots = self.end, self.end.n_pivots
        where = {
            "LOCAL_MINIMUM": "a proved local minimum",
            "GLOBAL_MINIMUM": "a proved global minimum",
        }
        name = where.get(
            end.status.name, f"a point of which nothing is proved ({end.ended.message})"
        )
        if self.distance <= SIMPLEX.near * float(np.linalg.norm(self.theta)):
            return f"{name} is within {self.distance:.1g} of it, {self.gap:.2g} lower"
        share = 100.0 * self.gap / self.loss if self.loss else 0.0
        steps = f"{pivots} pivot{'' if pivots == 1 else 's'}"
        return f"a walk from there ends {share:.3g} % lower, at {name}, after {steps}"

    def __str__(self) -> str:
        return self.message

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        if self.is_local_minimum:
            return f"PointCheck(local minimum, loss={self.loss:.10g})"
        kind = "no local minimum" if self.decided else "undecided"
        return (
            f"PointCheck({kind}, loss={self.loss:.10g}, slope={self.slope:.3g}, gap={self.gap:.3g})"
        )


__all__ = ["PointCheck"]
