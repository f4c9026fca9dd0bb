"""Subgradient descent with Polyak's step, whose length an estimated level decides."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._conversions import frame, optimize_result
from .._logs import logged
from .._shown import repr_html
from .._validate import function, integer, real
from ..ended import Ended
from ..problem.either import Loss
from ..simplex.level import LevelEstimate
from ..simplex.progress import Progress
from .descend import DescentProgress, descend, starting_point
from .polyak_step import Polyak

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Descent:
    """What a descent found.

    Attributes
    ----------
    theta : ndarray (h, q)
        The best parameters; (D,) of a NetworkLoss.
    losses : ndarray (steps + 1,)
        The loss at the start and after each step; it need not fall every time.
    ended : Ended
        FINISHED where the loss or its subgradient became 0, WORK_LIMIT after all steps,
        TIME_LIMIT or INTERRUPTED.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> descent = rw.polyak_descent(loss, level=1.0, start=[[0.0, 3.0]], steps=20)
    >>> descent.theta.shape, descent.loss == loss(descent.theta)
    ((1, 2), True)
    """

    theta: Floats
    losses: Floats
    ended: Ended

    _repr_html_ = repr_html

    @property
    def loss(self) -> float:
        """The least loss found."""
        return float(self.losses.min())

    def to_frame(self) -> Any:
        """A table of pandas, a row for the start and each step: the loss, and the least so far.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> rw.polyak_descent(loss, level=1.0, start=[[0.0, 3.0]], steps=20).to_frame().shape
        (21, 2)
        """
        return frame({"loss": self.losses, "best": np.minimum.accumulate(self.losses)}, "step")

    def to_scipy(self) -> Any:
        """A ``scipy.optimize.OptimizeResult``; never a ``success``, as nothing is proved.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> found = rw.polyak_descent(loss, level=1.0, start=[[0.0, 3.0]], steps=20).to_scipy()
        >>> found.success, found.nit, found.fun == loss(found.x)
        (False, 20, True)
        """
        return optimize_result(
            self.theta,
            self.loss,
            success=False,
            ended=self.ended,
            message=f"{self.ended.message}; nothing is proved",
            nit=len(self.losses) - 1,
        )


@logged("polyak_descent")
def polyak_descent(
    loss: Loss,
    level: float | LevelEstimate,
    start: ArrayLike | None = None,
    steps: int = 1000,
    seed: int = 0,
    *,
    time_limit: float | None = None,
    callback: Callable[[Progress], Any] | None = None,
) -> Descent:
    """Subgradient descent with steps ``(F - target) / |g|^2``, the target starting at `level`.

    The gap is what lies between the best loss and the target, at first `level`.  Once the target is
    reached (`level` was too high), the next one lies as far below the best loss; when it is not
    reached within 50 steps (half as many again each time), the gap is halved and the descent goes
    on from the best parameters.

    Parameters
    ----------
    loss : LayerLoss or NetworkLoss
    level : float or LevelEstimate
        Where the loss is thought to end, as from ``traj.level()`` of a short walk; below the loss
        at the start.
    start : array_like (h, q) or (D,), optional
        Default: drawn with `seed`, as a walk starts; of a NetworkLoss the network as it stands.
    steps : int, default 1000
        Subgradients to evaluate; fewer are where the loss or its subgradient becomes 0.
    seed : int, default 0
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called after each step with a :class:`Progress`, whose ``n_pivots`` are steps; StopIteration
        or KeyboardInterrupt raised in it ends the descent as Ctrl-C does.

    Returns
    -------
    Descent
        The best parameters, and the loss along the way; also at the time limit or after Ctrl-C.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    See Also
    --------
    descend : which this is, with the method polyak and the best parameters.

    References
    ----------
    Polyak, Minimization of unsmooth functionals, 1969.  Goffin and Kiwiel, Convergence of a simple
    subgradient level method, Mathematical Programming 85, 1999.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> short = rw.walk(loss, seed=0, max_pivots=30)
    >>> descent = rw.polyak_descent(loss, short.level(), start=short.theta, steps=200)
    >>> descent.loss <= short.loss
    True
    """
    if isinstance(level, LevelEstimate):
        if isinstance(level.level, np.ndarray):
            raise ValueError("level: expected one level, found those of a whole walk")
        level = level.level
    target = real("level", level)
    steps, seed = integer("steps", steps, 0), integer("seed", seed, 0)
    theta = starting_point(loss, start, seed)
    function("callback", callback)
    told = None if callback is None else _telling(callback)
    path = descend(
        loss, Polyak(target), steps, seed=seed, start=theta, time_limit=time_limit, callback=told
    )
    return Descent(path.best, path.losses, path.ended)


def _telling(callback: Callable[[Progress], Any]) -> Callable[[DescentProgress], Any]:
    return lambda progress: callback(Progress(*progress))


__all__ = ["Descent", "polyak_descent"]
