"""`minimize`: the best local minimum a budget buys, by many walks.

A walk ends at the first local minimum it meets.  *Iterated local search* (Lourenço, Martin and
Stützle, Handbook of Metaheuristics, 2003) goes on from there: one of the best minima is kicked out
of its basin, and a walk of long steps leads down again.  Walks on the way prove only what floats
can decide; the end of the budget is for proving the best of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._executors import kind_of
from .._limits import Limits
from .._logs import logged
from .._shown import repr_html
from .._validate import function, instance, integer, positive, real_array
from ..ended import Ended
from ..problem.loss import LayerLoss
from ..simplex.records import WalkStatus
from ..simplex.summary import off
from ..simplex.trajectory import Trajectory
from .conversions import ConvertedMinimization
from .rounds import walks
from .search import Search

Floats = NDArray[np.float64]

_STATUS = {
    Ended.FINISHED: "global_minimum",
    Ended.WORK_LIMIT: "max_walks",
    Ended.TIME_LIMIT: "time_limit",
    Ended.INTERRUPTED: "interrupted",
}


class MinimizationProgress(NamedTuple):
    """What the callback of :func:`minimize` is told after each walk.

    Attributes
    ----------
    n_walks : int
        Walks made so far.
    loss : float
        The least loss at their ends.
    elapsed : float
        Seconds.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
    >>> told = []
    >>> found = rw.minimize(loss, max_walks=3, callback=told.append)
    >>> [progress.n_walks for progress in told]
    [1, 2, 3]
    """

    n_walks: int
    loss: float
    elapsed: float


@dataclass(frozen=True, eq=False)
class Minimization(ConvertedMinimization):
    """What a search by many walks found.

    Attributes
    ----------
    best : Trajectory
        The walk with the lowest end that is a proved local minimum; if none is proved that lies
        as low as the first start, with the lowest end.  It starts where the kick led to, or the
        proof took up; made by an executor, at its last checkpoint.
    thetas : ndarray (M, h, q)
        Ends of walks, one for each level (loss at a local minimum), lowest first.
    levels : ndarray (M,)
        The losses there.
    proved : ndarray (M,) of bool
        Which of them are proved local minima.
    seconds, losses : ndarray (W,)
        The time course: when each walk ended and at which loss; ``np.minimum.accumulate(losses)``
        is the least so far.
    ended : Ended
        Why the search stopped: FINISHED with a global minimum, WORK_LIMIT at `max_walks`,
        TIME_LIMIT or INTERRUPTED.
    elapsed : float
        Seconds, with the proof.

    Examples
    --------
    >>> import numpy as np, reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> found = rw.minimize(loss, max_walks=5)
    >>> found.status, len(found.losses), len(found.thetas) == len(found.levels) <= 5
    ('max_walks', 5, True)
    >>> found.loss in found.levels, bool((found.theta == found.best.theta).all())
    (True, True)
    """

    best: Trajectory
    thetas: Floats
    levels: Floats
    proved: NDArray[np.bool_]
    seconds: Floats
    losses: Floats
    ended: Ended
    elapsed: float

    @property
    def status(self) -> str:
        """What ended the search: max_walks, time_limit, interrupted or global_minimum."""
        return _STATUS[self.ended]

    @property
    def theta(self) -> Floats:
        """Parameters (h, q) at the end of the best walk."""
        return self.best.theta

    @property
    def loss(self) -> float:
        """Loss at the end of the best walk."""
        return self.best.loss

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        dead, neurons = len(self.best.dead_neurons), self.best.problem.shape[0]
        return (
            f"Minimization({self.best.status.name}, loss={self.loss:.10g}, "
            f"{len(self.losses)} walks, {len(self.levels)} levels"
            f"{f', {off(dead, dead)}' if dead == neurons else ''})"
        )


@logged("minimize")
def minimize(
    loss: LayerLoss,
    time_limit: float | None = None,
    seed: int = 0,
    *,
    max_walks: int | None = None,
    start: ArrayLike | None = None,
    proof_budget: float = 5.0,
    callback: Callable[[MinimizationProgress], Any] | None = None,
    executor: Any = None,
) -> Minimization:
    """The best local minimum of `loss` that a budget of time or walks buys.

    Six walks of long steps from different starts, then walks from kicked copies of the best ends so
    far: one neuron or all are jolted, one is made larger or smaller, or replaced by one that bends
    at a random sample.  Every tenth walk has a start of its own.

    Parameters
    ----------
    loss : LayerLoss
    time_limit : float, optional
        Seconds, the proof included; looked at between walks and between their chunks of pivots.
    seed : int, default 0
        Of starts and kicks.  The same seed gives the same walks one after the other; what depends
        on the clock is where a time limit cuts the sequence and what the proof has time for.
    max_walks : int, optional
        Limit on the walks.  One of `time_limit` and `max_walks` is needed.
    start : array_like (h, q) or (D,), or several of them, optional
        Where the first walks start, such as the end point of a gradient method.  Default: that of
        ``walk(loss, seed=seed)``.
    proof_budget : float, default 5.0
        Seconds that are kept for proofs of the lowest ends, at most a tenth of `time_limit`, or
        two fifths where the lowest is a degenerate vertex and that may suffice.
    callback : callable, optional
        Called after each walk with a :class:`MinimizationProgress`; StopIteration or
        KeyboardInterrupt raised in it ends the search as Ctrl-C does.
    executor : int, concurrent.futures.Executor or dask.distributed.Client, optional
        Who makes the walks: so many processes (extra ``ensemble``), or the workers of an executor.
        Walks are then made in rounds of eight, all from what the round before found, so that they
        are others than without an executor, but the same for every executor and number of workers.
        Walks that are not complete when the search ends are left out.  Processes need seconds to
        start: they pay where the walks take longer.  Default: one walk after the other, here.

    Returns
    -------
    Minimization
        Also after Ctrl-C, with all walks made so far and without further proofs.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.
    ImportError
        If `executor` needs a package that is not installed; the message says which.
    RuntimeError
        If a process of a given executor dies.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> found = rw.minimize(loss, max_walks=10)
    >>> found.best.status.name, bool(found.loss < found.losses[0])  # lower than a single walk
    ('LOCAL_MINIMUM', True)
    """
    instance("loss", loss, LayerLoss)
    if time_limit is None and max_walks is None:
        raise ValueError("time_limit: expected a number > 0 where max_walks is not given")
    if time_limit is not None:
        positive("time_limit", time_limit)
    if max_walks is not None:
        max_walks = integer("max_walks", max_walks, 1)
    positive("proof_budget", proof_budget)
    function("callback", callback)
    seed = integer("seed", seed, 0, 2**63 - 1)
    given = None if start is None else _starts(loss, start)
    kind_of(executor)  # raises if it is none
    with Limits(max_walks, time_limit, callback) as limits:
        search = Search(loss, seed, given or [loss.random_start(seed)], limits)
        with walks(search, executor, limits) as made:
            ended: Ended | None = None
            for traj in made:
                search.take(traj)
                ended = ended or _look(search, proof_budget)
                if limits.called_off or ended in (Ended.FINISHED, Ended.WORK_LIMIT):
                    break  # at other limits workers may have made more
            return _result(search, ended or limits.over or Ended.TIME_LIMIT)


def _look(search: Search, proof_budget: float) -> Ended | None:
    """After a walk: prove what it is time to prove, and why to stop, if there is a reason."""
    limits = search.limits
    if search.perhaps_global:
        search.prove(proof_budget)
    best_possible = search.last is WalkStatus.GLOBAL_MINIMUM
    ended = Ended.FINISHED if best_possible else limits.look(*_progress(search))
    if ended is not None or limits.left <= search.reserve(proof_budget):
        search.prove(proof_budget)
    if limits.interrupted:
        return Ended.INTERRUPTED
    if ended is not None and search.last is WalkStatus.GLOBAL_MINIMUM:
        return Ended.FINISHED  # the last proof says so
    return ended


def _starts(loss: LayerLoss, start: ArrayLike) -> list[Floats]:
    expected = f"of shape {loss.shape} or ({loss.dim},), or several of them"
    array = real_array("start", start, (1, 2, 3), expected)
    one = (loss.shape, (loss.dim,))
    if array.shape in one:
        return [array.reshape(loss.shape)]
    if array.ndim == 1 or array.shape[1:] not in one or not len(array):
        raise ValueError(f"start: expected an array {expected}, found shape {array.shape}")
    return list(array.reshape(-1, *loss.shape))


def _progress(search: Search) -> tuple[int, MinimizationProgress]:
    """How many walks were made, and what the callback is told."""
    made = len(search.losses)
    return made, MinimizationProgress(made, search.leaders[0].loss, search.limits.elapsed)


def _result(search: Search, ended: Ended) -> Minimization:
    levels = search.levels
    return Minimization(
        best=search.best,
        thetas=np.array([end.theta for end in levels]).reshape(-1, *search.loss.shape),
        levels=np.array([end.loss for end in levels]),
        proved=np.array([end.proved for end in levels], np.bool_),
        seconds=np.array(search.seconds),
        losses=np.array(search.losses),
        ended=ended,
        elapsed=search.limits.elapsed,
    )


__all__ = ["Minimization", "MinimizationProgress", "minimize"]
