"""`descend`: gradient methods on a loss, counted in gradients."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._limits import Limits
from .._logs import logged
from .._validate import instance, integer, positive
from ..ended import Ended
from ..problem.either import Loss
from ..problem.loss import LayerLoss
from ..problem.network_loss import NetworkLoss
from .descent_path import DescentPath
from .diverged import DivergedError
from .known_methods import method_of
from .methods import Method, Run
from .objective import Objective
from .polyak_step import Polyak

Floats = NDArray[np.float64]

_RATE = 0.01


class DescentProgress(NamedTuple):
    """What the callback of :func:`descend` is told after each step.

    Attributes
    ----------
    gradients : int
        Charged so far.
    loss : float
        The loss where the model rests.
    elapsed : float
        Seconds.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
    >>> told = []
    >>> path = rw.descend(loss, "sgd", 3, callback=told.append)
    >>> [progress.gradients for progress in told], told[-1].loss == path.loss
    ([0, 1, 2, 3], True)
    """

    gradients: int
    loss: float
    elapsed: float


@logged("descend")
def descend(
    loss: Loss,
    method: Any = None,
    gradients: int = 1000,
    *,
    batch: int | None = None,
    learning_rate: float | None = None,
    seed: int | None = None,
    start: ArrayLike | None = None,
    time_limit: float | None = None,
    callback: Callable[[DescentProgress], Any] | None = None,
    resume: DescentPath | None = None,
) -> DescentPath:
    """Minimise `loss` by a gradient method, with a budget of gradients.

    Parameters
    ----------
    loss : LayerLoss or NetworkLoss
        Of a LayerLoss the parameters that walks move (:attr:`LayerLoss.free`).
    method : str or object, default "adam"
        sgd, momentum, nesterov, rmsprop, adam (with the defaults of PyTorch: momentum 0.9,
        alpha 0.99, betas 0.9 and 0.999, eps 1e-8), polyak (aiming at 0.8 of the
        loss at the start; see :func:`polyak_descent`), alice, or one with options of its own, as
        ``rw.Alice(glass=False)`` or any of ``reluplex_walk.optimize.known_methods``, such as
        ``Polyak(level=10.0)``.
    gradients : int, default 1000
        The budget, counted from the start also when resuming.  Most methods take one gradient a
        step, Alice one or three; a step that does not fit is not begun.
    batch : int, optional
        Samples of a mini-batch, drawn without replacement, anew in each epoch; default all.
    learning_rate : float, optional
        For gradients of the mean over the batch; default 0.01.  polyak has none.
    seed : int, default 0
        For the start, the mini-batches and the random lines of Alice.  The same seed gives the same
        path.
    start : array_like (h, q) or (D,), optional
        Default: ``loss.random_start(seed)``, as a walk starts; of a NetworkLoss the network as it
        stands.
    time_limit : float, optional
        Seconds; looked at between steps.
    callback : callable, optional
        Called before the first step and after each with a :class:`DescentProgress`; StopIteration
        or KeyboardInterrupt raised in it ends the descent as Ctrl-C does.
    resume : DescentPath, optional
        A path on the same loss to go on from, with its own method, batch, learning rate and seed,
        which are not to be given again.  The result is the uninterrupted one, bit for bit.

    Returns
    -------
    DescentPath
        Also at a limit, after Ctrl-C, and where the method diverged: with what was found so far.
        ``ended`` says which: WORK_LIMIT where the budget is spent, FINISHED at a loss of 0, and of
        polyak also at a subgradient of 0.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Notes
    -----
    Gradients are those of the mean of the samples' losses over the mini-batch (with weights: of
    their weighted losses, over the mean weight times the samples of the batch), losses are sums
    over all samples, as ``loss(theta)``: they are computed after each step, and not charged.

    References
    ----------
    Polyak, Some methods of speeding up the convergence of iteration methods, 1964.  Nesterov, A
    method for solving the convex programming problem with convergence rate O(1/k^2), 1983.
    Kingma and Ba, Adam, arXiv 1412.6980.  Duersch et al., Curvature in the Looking-Glass,
    arXiv 2411.16914 (Alice).

    Examples
    --------
    How far from a certified minimum did Adam stop?

    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> path = rw.descend(loss, "adam", gradients=500, learning_rate=0.03)
    >>> path.loss == loss(path.theta), path.best_loss <= path.loss, len(path.losses)
    (True, True, 501)
    >>> gap = path.gap()
    >>> gap.certified, 0.0 < gap.fall < path.loss
    (True, True)

    One that was cut short goes on to the same end:

    >>> short = rw.descend(loss, "adam", gradients=200, learning_rate=0.03)
    >>> again = rw.descend(loss, gradients=500, resume=short)
    >>> bool((again.losses == path.losses).all())
    True
    """
    _check_loss(loss)
    budget = integer("gradients", gradients, 0)
    limits = Limits.asked(time_limit, callback, budget)
    if resume is not None:
        _check_resume(loss, resume)
        given = {"method": method, "batch": batch, "learning_rate": learning_rate, "seed": seed}
        _check_alone(given | {"start": start})
        if not resume.ended.early or budget <= resume.gradients[-1]:
            return resume
        return _Descent.resumed(loss, resume).run(limits, budget)
    seed = 0 if seed is None else integer("seed", seed, 0, 2**63 - 1)
    chosen = method_of("adam" if method is None else method)
    options = Options(
        chosen,
        None if batch is None else integer("batch", batch, 1),
        None if learning_rate is None else positive("learning_rate", learning_rate),
        seed,
    )
    options.check()
    return _Descent.begun(loss, options, starting_point(loss, start, seed)).run(limits, budget)


def starting_point(loss: Loss, start: ArrayLike | None, seed: int) -> Floats:
    """The parameters that `start` says, those by `seed` if it says nothing."""
    _check_loss(loss)
    if start is not None:
        return loss.parameters(start, "start")
    return loss.random_start(seed) if isinstance(loss, LayerLoss) else loss.theta


def _check_loss(loss: Any) -> None:
    if not isinstance(loss, LayerLoss | NetworkLoss):
        raise TypeError(f"loss: expected a LayerLoss or NetworkLoss, found {type(loss).__name__}")


def _check_resume(loss: Loss, resume: DescentPath) -> None:
    instance("resume", resume, DescentPath)
    if resume.problem.fingerprint != loss.fingerprint:
        raise ValueError("resume: this path belongs to another loss (data, network, kind)")


def _check_alone(given: dict[str, Any]) -> None:
    """ValueError if something is `given` of which a path that goes on has its own."""
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"{name}: expected None together with resume, which goes on with its own"
            )


class Options(NamedTuple):
    """How a descent goes; one that is resumed keeps them."""

    method: Method
    batch: int | None
    learning_rate: float | None
    seed: int

    def check(self) -> None:
        """ValueError if an option does not go with the method."""
        if not isinstance(self.method, Polyak):
            return
        for name in ("batch", "learning_rate"):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"{name}: expected None with the method polyak, whose step is decided by the "
                    f"loss of all samples, found {getattr(self, name)}"
                )

    @property
    def rate(self) -> float:
        """The learning rate, or its default."""
        return _RATE if self.learning_rate is None else self.learning_rate


@dataclass
class _Descent:
    """A descent under way: a run, and what is recorded of it."""

    loss: Loss
    options: Options
    objective: Objective
    method_run: Run
    losses: list[float]
    gradients: list[int]
    best: Floats  # (d,)
    least: float  # the loss there
    clip_shares: list[float] = field(default_factory=list)
    effective_rates: list[float] = field(default_factory=list)
    elapsed: float = 0.0  # before a resumption
    reason: str = ""

    @classmethod
    def begun(cls, loss: Loss, options: Options, start: Floats) -> "_Descent":
        objective = Objective(loss, start, options.batch, options.seed)
        try:
            value = objective.loss(objective.start)
        except DivergedError:
            raise ValueError("start: expected parameters at which floats hold the loss") from None
        run = options.method.begin(objective.start, options.rate, options.seed)
        return cls(loss, options, objective, run, [value], [0], objective.start, value)

    @classmethod
    def resumed(cls, loss: Loss, path: DescentPath) -> "_Descent":
        options = Options(path.method, path.batch, path.learning_rate, path.seed)
        objective = Objective(loss, path.theta, options.batch, options.seed)
        return cls(
            loss,
            options,
            objective,
            options.method.restore(path.checkpoint),
            path.losses.tolist(),
            path.gradients.tolist(),
            objective.point(path.best),
            path.best_loss,
            path.clip_shares.tolist(),
            path.effective_rates.tolist(),
            path.elapsed,
        )

    def run(self, limits: Limits, budget: int) -> DescentPath:
        """Steps until a limit, a loss of 0, the end of the method, or where floats end."""
        theta = self.method_run.theta.copy()
        with limits:
            while (ended := self._looked(limits)) is None:
                ended = self._step(budget - self.gradients[-1])
                if ended is not None:
                    break
                theta = self.method_run.theta.copy()
                if self.losses[-1] < self.least:
                    self.least, self.best = self.losses[-1], theta
        return self._path(theta, ended, limits.elapsed)

    def _looked(self, limits: Limits) -> Ended | None:
        charged, value = self.gradients[-1], self.losses[-1]
        elapsed = self.elapsed + limits.elapsed
        ended = limits.look(charged, DescentProgress(charged, value, elapsed))
        return Ended.FINISHED if ended is None and value == 0.0 else ended

    def _step(self, left: int) -> Ended | None:
        """One step, recorded; why there was none, if so."""
        run, steps = self.method_run, len(self.losses) - 1
        try:
            charged = run.step(self.objective.batch(steps), left)
            if charged == 0:
                finished = getattr(run, "finished", False)
                return Ended.FINISHED if finished else Ended.WORK_LIMIT
            value = self.objective.loss(run.theta)
        except DivergedError as error:
            self.reason = str(error)
            return Ended.DIVERGED
        self.losses.append(value)
        self.gradients.append(self.gradients[-1] + charged)
        self.clip_shares.append(float(run.clip_share))
        self.effective_rates.append(float(run.effective_rate))
        return None

    def _path(self, theta: Floats, ended: Ended, elapsed: float) -> DescentPath:
        return DescentPath(
            ended=ended,
            problem=self.loss,
            method=self.options.method,
            batch=self.options.batch,
            learning_rate=self.options.learning_rate,
            seed=self.options.seed,
            theta=self.objective.theta(theta),
            best=self.objective.theta(self.best),
            losses=np.array(self.losses),
            gradients=np.array(self.gradients, np.int64),
            clip_shares=np.array(self.clip_shares),
            effective_rates=np.array(self.effective_rates),
            checkpoint={} if ended is Ended.DIVERGED else self.method_run.arrays(),
            elapsed=self.elapsed + elapsed,
            reason=self.reason,
        )


__all__ = ["DescentProgress", "descend", "starting_point"]
