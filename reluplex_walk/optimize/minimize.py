"""`minimize`: the best local minimum a budget buys, by many walks.

A walk ends at the first local minimum it meets.  *Iterated local search* (Lourenço, Martin and
Stützle, Handbook of Metaheuristics, 2003) goes on from there: one of the best minima is kicked out
of its basin, and a walk of long steps leads down again.  Walks on the way prove only what floats
can decide; the end of the budget is for proving the best of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._budget import Budget
from .._limits import Limits
from .._logs import logged
from .._validate import function, instance, integer, positive, real_array
from ..ended import Ended
from ..problem.loss import LayerLoss
from ..simplex.records import WalkOptions, WalkStatus
from ..simplex.summary import off
from ..simplex.trajectory import Trajectory
from ..simplex.walker import Walker
from ..tolerances import OPTIMIZE, WORK_PER_SECOND
from .conversions import ConvertedMinimization
from .kicks import Kicks

Floats = NDArray[np.float64]

_FRESH, _FRESH_SHARE = 6, 0.1  # starts before the first kick, and among the kicks
_LEADERS = 8  # lowest walks that are kept to be proved
_FOR_PROOF = (0.1, 0.4)  # shares of the time limit: at a simple vertex, at a degenerate one
_PER_TIED = 2e-3  # seconds a proof takes at least, for each tied breakpoint
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
        proof took up.
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

    Returns
    -------
    Minimization
        Also after Ctrl-C, with all walks made so far and without further proofs.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

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
    ended: Ended | None = None
    with Limits(max_walks, time_limit, callback) as limits:
        search = _Search(loss, seed, given or [loss.random_start(seed)], limits)
        while ended is None:
            search.step()
            if search.perhaps_global:
                search.prove(proof_budget)
            best_possible = search.last is WalkStatus.GLOBAL_MINIMUM
            ended = Ended.FINISHED if best_possible else limits.look(*search.progress)
            if ended is not None or limits.left <= search.reserve(proof_budget):
                search.prove(proof_budget)
            if limits.interrupted:
                ended = Ended.INTERRUPTED
            elif ended is not None and search.last is WalkStatus.GLOBAL_MINIMUM:
                ended = Ended.FINISHED  # the last proof says so
    return search.result(ended)


def _starts(loss: LayerLoss, start: ArrayLike) -> list[Floats]:
    expected = f"of shape {loss.shape} or ({loss.dim},), or several of them"
    array = real_array("start", start, (1, 2, 3), expected)
    one = (loss.shape, (loss.dim,))
    if array.shape in one:
        return [array.reshape(loss.shape)]
    if array.ndim == 1 or array.shape[1:] not in one or not len(array):
        raise ValueError(f"start: expected an array {expected}, found shape {array.shape}")
    return list(array.reshape(-1, *loss.shape))


class _Search:
    """The walks made so far, and where the next one starts."""

    def __init__(self, loss: LayerLoss, seed: int, starts: list[Floats], limits: Limits) -> None:
        self.limits = limits
        self.loss = loss
        self.options = WalkOptions(step="long", seed=seed)
        self.starts = starts
        self.rng = np.random.default_rng(seed)
        self.kicks = Kicks(loss, self.rng)
        self.leaders: list[Trajectory] = []  # lowest first
        self.simple: list[Trajectory] = []  # the lowest at a simple vertex
        self.proved: Trajectory | None = None  # the lowest whose end is
        self.tried: set[float] = set()  # losses of the leaders that were to be proved
        self.ends: list[tuple[float, bool, Floats]] = []  # (loss, proved, theta)
        self.seconds: list[float] = []
        self.losses: list[float] = []
        self.last = WalkStatus.NOT_PROVED  # how the last walk or proof ended

    def step(self) -> None:
        """One more walk."""
        made = len(self.losses)
        if made < len(self.starts):
            theta = self.starts[made]
        elif made < _FRESH or self.rng.random() < _FRESH_SHARE:
            theta = self.kicks.fresh(self.starts[0])
        else:
            theta = self.kicks.kicked(self._parent().theta)
        traj = self._without_zero_neurons(self._scout(theta))
        self.seconds.append(self.limits.elapsed)
        self.losses.append(traj.loss)
        self.last = traj.status
        self.leaders = _lowest([*self.leaders, traj], _LEADERS)
        if not traj.certificate.degenerate:
            self.simple = _lowest([*self.simple, traj], 1)
        self._keep(traj)

    def _without_zero_neurons(self, traj: Trajectory) -> Trajectory:
        """The walk from the end of `traj` with neurons at 0 switched off, as long as there are any.

        A neuron at 0 stops a walk: all its breakpoints vanish there.  One that is off for every
        sample adds as little, and leaves the others free to go on.
        """
        for _ in range(self.loss.shape[0] * self.kicks.can_be_off):
            zero = _zero_neurons(traj)
            if not zero.any() or self.limits.look() is not None:
                break
            again = self._scout(self.kicks.switched_off(traj.theta, zero))
            if again.ended.early and again.loss >= traj.loss:
                break
            traj = again
        return traj

    def _scout(self, theta: Floats) -> Trajectory:
        """A walk from `theta` (h, q) that proves nothing."""
        walker = Walker(self.loss, self.options, thorough=False)
        walker.begin(theta)
        return walker.walk(Limits(seconds=self.limits.left))

    def _parent(self) -> Trajectory:
        """The walk whose end is kicked: the k-th lowest with probability 2^-k."""
        if self.simple and self.simple[0] not in self.leaders and len(self.losses) % 2:
            return self.simple[0]  # often the lowest that can be proved in time
        return self.leaders[min(int(self.rng.geometric(0.5)), len(self.leaders)) - 1]

    def _keep(self, traj: Trajectory) -> None:
        if not traj.ended.early:
            self.ends.append((traj.loss, traj.status.proved, traj.theta))
        if traj.status.proved and (self.proved is None or traj.loss < self.proved.loss):
            self.proved = traj

    @property
    def progress(self) -> tuple[int, MinimizationProgress]:
        """How many walks were made, and what the callback is told."""
        made = len(self.losses)
        return made, MinimizationProgress(made, self.leaders[0].loss, self.limits.elapsed)

    def reserve(self, most: float) -> float:
        """Seconds, up to `most`, that are kept for the proof of the lowest end."""
        leader = self.leaders[0]
        if leader.status is not WalkStatus.NOT_PROVED or leader.loss in self.tried:
            return 0.0
        short, long = (min(most, share * self.limits.seconds) for share in _FOR_PROOF)
        return long if leader.certificate.degenerate and _affordable(leader, long) else short

    @property
    def perhaps_global(self) -> bool:
        """Whether the lowest end, if it is a minimum, is one of all: no other walk is needed."""
        nothing = OPTIMIZE.nothing * (self.loss.target_size or self.losses[0])
        return self.loss.n_hidden == 0 or self.leaders[0].loss <= nothing

    def prove(self, most: float) -> None:
        """Prove the lowest end for which `most` seconds, or what is left of the time, suffice.

        Simple vertices come first: proofs at degenerate ones can take any time.
        """
        budget = Budget.of(min(self.limits.left, most), self.limits)
        ends = [*self.leaders, *self.simple]
        for traj in sorted(ends, key=lambda t: (t.certificate.degenerate, t.loss)):
            if budget.passed:
                break
            done = traj.status is not WalkStatus.NOT_PROVED or traj.loss in self.tried
            if done or (self.proved is not None and self.proved.loss <= traj.loss):
                continue
            seconds = budget.left / WORK_PER_SECOND
            if not _affordable(traj, seconds):
                continue
            self.tried.add(traj.loss)
            # From its last checkpoint, now with proofs, which may lead further down.
            walker = Walker(self.loss, replace(self.options, proof_budget=seconds))
            walker.restore(traj)
            again = walker.walk(Limits(seconds=self.limits.left))
            budget.spend(walker.proof_work)
            self.last = again.status
            self._keep(again)

    def _best(self) -> Trajectory:
        """The lowest proved end, unless it lies above the starts: then the lowest end."""
        start = min(self.loss(theta) for theta in self.starts)
        proved, most = self.proved, start * (1.0 + OPTIMIZE.level)
        if proved is not None and (proved.certificate.is_global or proved.loss <= most):
            return proved
        return self.leaders[0]

    def result(self, ended: Ended) -> Minimization:
        ends: list[tuple[float, bool, Floats]] = []
        for end in sorted(self.ends, key=lambda e: (e[0], not e[1])):
            if not ends or end[0] - ends[-1][0] > OPTIMIZE.level * end[0]:
                ends.append(end)
            elif end[1] and not ends[-1][1]:
                ends[-1] = end
        return Minimization(
            best=self._best(),
            thetas=np.array([theta for _, _, theta in ends]).reshape(-1, *self.loss.shape),
            levels=np.array([level for level, _, _ in ends]),
            proved=np.array([proved for _, proved, _ in ends], np.bool_),
            seconds=np.array(self.seconds),
            losses=np.array(self.losses),
            ended=ended,
            elapsed=self.limits.elapsed,
        )


def _affordable(traj: Trajectory, seconds: float) -> bool:
    """Whether the proof at the end of `traj` may be expected to take at most `seconds`."""
    return _PER_TIED * traj.certificate.n_tied <= seconds


def _lowest(walks: list[Trajectory], count: int) -> list[Trajectory]:
    """Up to `count` of the walks, lowest first, one for each level."""
    kept: list[Trajectory] = []
    for traj in sorted(walks, key=lambda t: t.loss):
        if not kept or traj.loss - kept[-1].loss > OPTIMIZE.level * traj.loss:
            kept.append(traj)
    return kept[:count]


def _zero_neurons(traj: Trajectory) -> NDArray[np.bool_]:
    """(h,) Hidden neurons of which all breakpoints vanish at the end of `traj`."""
    vanishing = np.concatenate([traj.certificate.active, traj.certificate.tied])
    loss = traj.problem
    hidden = (vanishing[:, 0] == 0) & (loss.n_hidden > 0)
    count = np.bincount(vanishing[hidden, 2], minlength=loss.shape[0])
    return np.asarray(count == len(loss.inputs))


__all__ = ["Minimization", "MinimizationProgress", "minimize"]
