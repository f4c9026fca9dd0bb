"""A walk of `minimize`: long steps down to where floats see no descent, neurons at 0 switched off.

A neuron at 0 stops a walk: all its breakpoints vanish there.  One that is off for every sample adds
as little, and leaves the others free to go on.
"""

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from ..problem.loss import LayerLoss
from ..simplex.records import WalkOptions
from ..simplex.trajectory import Trajectory
from ..simplex.walker import Walker
from .kicks import Kicks

Floats = NDArray[np.float64]


class Scout:
    """Makes the walks of a search, each a function of its start alone; none of them proves."""

    def __init__(self, loss: LayerLoss, options: WalkOptions) -> None:
        self.loss = loss
        self.options = options
        self.kicks = Kicks(loss, np.random.default_rng(0))  # nothing is drawn from it

    def walk(self, theta: Floats, limits: Limits) -> Trajectory:
        """The walk from `theta` (h, q), and on from its end as long as there are neurons at 0."""
        traj = self._once(theta, limits)
        for _ in range(self.loss.shape[0] * self.kicks.can_be_off):
            zero = _zero_neurons(traj)
            if not zero.any() or limits.look() is not None:
                break
            again = self._once(self.kicks.switched_off(traj.theta, zero), limits)
            if again.ended.early and again.loss >= traj.loss:
                break
            traj = again
        return traj

    def _once(self, theta: Floats, limits: Limits) -> Trajectory:
        walker = Walker(self.loss, self.options, thorough=False)
        walker.begin(theta)
        return walker.walk(Limits(seconds=limits.left))


def _zero_neurons(traj: Trajectory) -> NDArray[np.bool_]:
    """(h,) Hidden neurons of which all breakpoints vanish at the end of `traj`."""
    vanishing = np.concatenate([traj.certificate.active, traj.certificate.tied])
    loss = traj.problem
    hidden = (vanishing[:, 0] == 0) & (loss.n_hidden > 0)
    count = np.bincount(vanishing[hidden, 2], minlength=loss.shape[0])
    return np.asarray(count == len(loss.inputs))


__all__ = ["Scout"]
