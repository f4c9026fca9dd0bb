"""`Progress`: what a walk tells its callers between chunks of pivots."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .log import Log


class _Figures(NamedTuple):
    n_pivots: int
    loss: float
    elapsed: float


class Progress(_Figures):
    """What `callback` and `stop_when` of :func:`walk` are told between chunks of pivots.

    Attributes
    ----------
    n_pivots : int
        Pivots made since the start.
    loss : float
        The loss there.
    elapsed : float
        Seconds, those before a resumption included.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
    >>> told = []
    >>> traj = rw.walk(loss, callback=told.append)
    >>> told[-1].n_pivots == traj.n_pivots, abs(told[-1].loss - traj.loss) < 1e-9
    (True, True)
    >>> told[-1].theta.shape
    (3, 2)
    """

    _log: Log | None = None

    @property
    def theta(self) -> NDArray[np.float64]:
        """The parameters (h, q) there, a copy, while the walk waits; AttributeError outside walks.

        Examples
        --------
        Stopped where no weight is large any more:

        >>> import numpy as np, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> rw.walk(loss, stop_when=lambda now: np.abs(now.theta).max() < 10.0).ended.name
        'STOPPED'
        """
        if self._log is None:
            raise AttributeError("theta: only a walk has it here")
        return self._log.last.theta[0].reshape(self._log.loss.shape).copy()


def progress_at(log: Log, loss: float, elapsed: float) -> Progress:
    """What is told at the last entry of `log`."""
    told = Progress(log.n_pivots, loss, elapsed)
    told._log = log
    return told


__all__ = ["Progress", "progress_at"]
