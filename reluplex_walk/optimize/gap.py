"""How far above a certified minimum a point lies: the fall of a walk from there, exactly."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._shown import repr_html
from ..ended import Ended
from ..exact.loss import ExactLoss
from ..exact.rationals import Rationals
from ..problem.loss import LayerLoss
from ..simplex.progress import Progress
from ..simplex.trajectory import Trajectory
from ..simplex.walk import walk


@dataclass(frozen=True, eq=False)
class DescentGap:
    """How far from a local minimum a descent has stopped.

    Attributes
    ----------
    exact : Fraction
        The loss at the end of the descent minus that at the end of the walk, both in rational
        arithmetic; of the floats that they are, where no exact vertex is known.
    walk : Trajectory
        The walk from there down, with the certificate of its end.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [0.0], [0.0]], [1.0, 2.0, 10.0])
    >>> path = rw.descend(loss, "sgd", 2, learning_rate=0.75, start=[[0.0, 3.5]])
    >>> path.theta  # the median is 2: |a - 1| + |a - 2| + |a - 10| is 10 here, and 9 there
    array([[0., 3.]])
    >>> gap = path.gap()
    >>> gap.exact, gap.fall, gap.relative, gap.certified, gap.ended.name
    (Fraction(1, 1), 1.0, 0.1, True, 'FINISHED')
    """

    exact: Fraction
    walk: Trajectory

    @property
    def fall(self) -> float:
        """The gap as a float."""
        return float(self.exact)

    @property
    def relative(self) -> float:
        """The gap over the loss at the end of the descent; 0 where that is 0."""
        start = float(self.walk.losses[0])
        return self.fall / start if start else 0.0

    @property
    def ended(self) -> Ended:
        """Why the walk stopped."""
        return self.walk.ended

    @property
    def certified(self) -> bool:
        """Whether the end of the walk is a proved local minimum."""
        return self.walk.certificate.is_local_minimum

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        end = "a certified minimum" if self.certified else "the end of a walk, not proved a minimum"
        return f"DescentGap({self.fall:.6g} above {end}, {self.walk.n_pivots} pivots)"


def gap_from(
    loss: LayerLoss,
    theta: NDArray[np.float64],
    seed: int,
    proof_budget: float,
    limit: float | None,
    callback: Callable[[Progress], Any] | None = None,
) -> DescentGap:
    """The gap of `theta` (h, q), by a walk of long steps."""
    traj = walk(
        loss, theta, "long", seed=seed, proof_budget=proof_budget, time_limit=limit,
        callback=callback,
    )  # fmt: skip
    exact = ExactLoss(loss)
    end = traj.certificate.loss
    if not isinstance(end, Fraction):
        end = _value(exact, traj.theta)
    return DescentGap(_value(exact, theta) - end, traj)


def _value(exact: ExactLoss, theta: NDArray[np.float64]) -> Fraction:
    return exact.value(exact.values(Rationals.of(theta.ravel())))


__all__ = ["DescentGap", "gap_from"]
