"""Subgradient descent with Polyak's step, whose length an estimated level decides.

The step from theta along the subgradient g is (F - level) / |g|^2: for a convex loss with that
minimum it never moves away from the minimisers (Polyak 1969).  Here the level is an estimate and
the loss is not convex, so the target adapts, as in the subgradient level method of Goffin and
Kiwiel (1999).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._limits import Limits
from .._validate import instance, integer, real
from ..ended import Ended
from ..problem.loss import LayerLoss
from ..simplex.level import LevelEstimate
from ..simplex.walker import Progress

Floats = NDArray[np.float64]

_PATIENCE = 50  # steps to reach the first target in; then the gap is halved
_SLOWER = 1.5  # growth of the patience each time: the gap must not vanish before the descent ends


@dataclass(frozen=True, eq=False)
class Descent:
    """What a descent found.

    Attributes
    ----------
    theta : ndarray (h, q)
        The best parameters.
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

    @property
    def loss(self) -> float:
        """The least loss found."""
        return float(self.losses.min())


def polyak_descent(
    loss: LayerLoss,
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
    loss : LayerLoss
    level : float or LevelEstimate
        Where the loss is thought to end, as from ``traj.level()`` of a short walk; below the loss
        at the start.
    start : array_like (h, q) or (D,), optional
        Default: drawn uniformly from (-1, 1) with `seed`, as a walk starts.
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
    instance("loss", loss, LayerLoss)
    if isinstance(level, LevelEstimate):
        if isinstance(level.level, np.ndarray):
            raise ValueError("level: expected one level, found those of a whole walk")
        level = level.level
    target = real("level", level)
    steps = integer("steps", steps, 0)
    seed = integer("seed", seed, 0)
    theta = loss.random_start(seed) if start is None else loss.parameters(start, "start")
    value = loss(theta)
    if target >= value > 0.0:
        raise ValueError(
            f"level: expected less than the loss at the start, {value:g}, found {level}"
        )
    losses, best, best_theta = [value], value, theta
    gap, waited, patience = value - target, 0, float(_PATIENCE)
    with Limits.asked(time_limit, callback, steps) as limits:
        while True:
            made = len(losses) - 1
            ended = limits.look(made, Progress(made, value, limits.elapsed))
            if ended is not None:
                break
            if best <= target:
                target, waited = best - gap, 0
            elif waited >= patience:
                gap, waited, patience = gap / 2.0, 0, patience * _SLOWER
                target, value, theta = best - gap, best, best_theta
            g = loss.gradient(theta) * loss.free
            size = float((g * g).sum())
            if value == 0.0 or size == 0.0:
                break
            theta = theta - (value - target) / size * g
            value = loss(theta)
            losses.append(value)
            waited += 1
            if value < best:
                best, best_theta = value, theta
    return Descent(best_theta, np.array(losses), ended or Ended.FINISHED)


__all__ = ["Descent", "polyak_descent"]
