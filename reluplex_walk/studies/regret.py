"""`regret`: how much worse a run did than the best fixed parameters of its Taylor losses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._limits import Limits
from .._memory import require_memory
from .._validate import choice, instance, integer, positive, sequence
from ..ended import Ended
from ..optimize.known_methods import method_of
from ..optimize.methods import Method, Sgd
from ..optimize.objective import DivergedError, Objective
from ..optimize.polyak_step import Polyak
from ..problem.block import Block, layers_of
from ..problem.kinks import kind_and_tau
from ..problem.network import ReLUNetwork
from ..problem.network_loss import NetworkLoss
from ..proof.certificate import Certificate
from .approximation import outputs_and_jacobian
from .steps import steps
from .taylor_loss import TAYLOR_KINDS, TaylorLoss, TaylorMinimum, of_step

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

_HORIZONS = (16, 32, 64, 128, 256, 512, 1024)
_RATE = 0.01


@dataclass(frozen=True, eq=False)
class Regret:
    """The regret of a run against the Taylor optimum of each horizon; :func:`regret` returns it.

    Attributes
    ----------
    taylor : TaylorLoss
        That of all steps made, by the parameters of the block.
    points : ndarray (N, D)
        W_n, where the method rested before each step.
    losses : ndarray (N,)
        l_n, the mean loss of the samples of step n at W_n.
    rates : ndarray (N,)
        eta_n; NaN of polyak, which has none.
    gradients : ndarray (N, D)
        g_n, a subgradient of that loss at W_n by the block.
    horizon : ndarray (h,) of int
        N, ascending.
    minima : tuple of h TaylorMinimum
        The Taylor optima, with their proofs.
    method : object
        With its options.
    ended : Ended
        FINISHED; DIVERGED, TIME_LIMIT or INTERRUPTED with the horizons until then.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(200, [2, 4, 1], noise=0.5)
    >>> net = rw.ReLUNetwork.random([2, 4, 1], seed=1)
    >>> found = rw.taylor.regret(net, data.X, data.y, learning_rate=0.05, horizons=[50, 100, 200])
    >>> found
    Regret(Sgd, 200 steps, regret ... at most ...)
    >>> bool((found.regret <= found.bound).all()), bool((found.slack >= 0.0).all())
    (True, True)
    >>> bool(found.proved.all()), found.interpolates.tolist(), bool((found.rank <= 17).all())
    (True, [False, False, False], True)
    >>> bool(abs(float(found.certificates[2].loss) - found.optimum[2]) < 1e-9)
    True
    """

    taylor: TaylorLoss
    points: Floats
    losses: Floats
    rates: Floats
    gradients: Floats
    horizon: NDArray[np.int64]
    minima: tuple[TaylorMinimum, ...]
    method: Any
    ended: Ended

    @cached_property
    def optimum(self) -> Floats:
        """The least sum of the first N Taylor losses, (h,)."""
        return np.array([each.value for each in self.minima])

    @cached_property
    def regret(self) -> Floats:
        """R_N, (h,): the sum of the first N losses of the run, minus `optimum`."""
        return np.cumsum(self.losses)[self.horizon - 1] - self.optimum

    @cached_property
    def comparison(self) -> Floats:
        """The right side of the bound for whatever method, (h,): a theorem only where `bound` is.

        ``max_n |W_n - V*|^2 / (2 eta_N) + (1/2) sum eta_n |g_n|^2``, with n = 1 alone in place of
        the maximum where the rate is constant; NaN of polyak.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [2, 4, 1], noise=0.5)
        >>> net = rw.ReLUNetwork.random([2, 4, 1], seed=1)
        >>> run = rw.taylor.regret(net, data.X, data.y, "adam", horizons=[50, 100])
        >>> bool(np.isnan(run.bound).all()), bool((run.comparison > 0.0).all())
        (True, True)
        """
        sums = np.cumsum(self.rates * (self.gradients**2).sum(axis=1))
        found = []
        for N, best in zip(self.horizon.tolist(), self.minima, strict=True):
            apart = ((self.points[:N] - best.V) ** 2).sum(axis=1)
            far = apart[0] if self.rates[0] == self.rates[N - 1] else apart.max()
            found.append((far / self.rates[N - 1] + sums[N - 1]) / 2.0)
        return np.array(found)

    @cached_property
    def bound(self) -> Floats:
        """What R_N cannot exceed, (h,); NaN where that is no theorem: all methods but plain SGD."""
        theorem = type(self.method) is Sgd
        return self.comparison if theorem else np.full(len(self.horizon), np.nan)

    @cached_property
    def slack(self) -> Floats:
        """`bound` minus `regret`, (h,)."""
        return self.bound - self.regret

    @cached_property
    def interpolates(self) -> NDArray[np.bool_]:
        """Whether the Taylor optimum fits any targets, (h,): rank N K, an optimum of 0."""
        return np.array([each.interpolates for each in self.minima], np.bool_)

    @cached_property
    def rank(self) -> NDArray[np.int64]:
        """Of the derivatives of the first N steps, (h,).  R_N says something for N K >> rank."""
        return np.array([each.rank for each in self.minima], np.int64)

    @cached_property
    def zero_share(self) -> Floats:
        """The share of residuals that vanish at the Taylor optimum, (h,).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [2, 4, 1], noise=0.5)
        >>> net = rw.ReLUNetwork.random([2, 4, 1], seed=1)
        >>> run = rw.taylor.regret(net, data.X, data.y, horizons=[4, 64])
        >>> run.interpolates.tolist(), bool(run.zero_share[1] < run.zero_share[0] == 1.0)
        ([True, False], True)
        """
        return np.array([each.zeros / each.outputs for each in self.minima])

    @cached_property
    def proved(self) -> NDArray[np.bool_]:
        """Whether each Taylor optimum is proved, (h,); least squares are not."""
        return np.array([each.proved for each in self.minima], np.bool_)

    @property
    def certificates(self) -> tuple[Certificate | None, ...]:
        """Of each Taylor optimum, made when asked for; None of least squares."""
        return tuple(each.certificate for each in self.minima)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """R_N over N, and its bound, on `ax` or new axes (extra ``plot``).

        See :func:`reluplex_walk.plotting.plot_regret`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> data, _ = rw.datasets.make_teacher(200, [2, 4, 1], noise=0.5)
        >>> net = rw.ReLUNetwork.random([2, 4, 1], seed=1)
        >>> run = rw.taylor.regret(net, data.X, data.y, horizons=[32, 64])
        >>> run.plot(Figure().subplots()).get_xlabel()
        'steps N'
        """
        from ..plotting import plot_regret

        return plot_regret(self, ax)

    def __repr__(self) -> str:
        name, made = type(self.method).__name__, len(self.losses)
        if not len(self.horizon):
            return f"Regret({name}, {made} steps, no horizon)"
        text = f"regret {self.regret[-1]:.4g}"
        if np.isfinite(self.bound[-1]):
            text += f", at most {self.bound[-1]:.4g}"
        return f"Regret({name}, {made} steps, {text})"


def regret(
    network: ReLUNetwork,
    X: ArrayLike,
    y: ArrayLike,
    method: Any = "sgd",
    *,
    learning_rate: float | None = None,
    schedule: str = "constant",
    kind: str = "l1",
    tau: float | None = None,
    block: str | int | tuple[int, ...] = "all",
    trained: str | int | tuple[int, ...] | None = None,
    horizons: Sequence[int] | None = None,
    batch: int | None = 1,
    seed: int = 0,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> Regret:
    """Train `network`, and compare with the best fixed parameters of the linearised losses.

    In step n the loss of the samples seen is l_n; linearised in the parameters of `block` it is
    T_n, convex, with ``T_n(W_n) = l_n`` and the same gradient there.  The Taylor optimum ``V*`` of
    a horizon N minimises T_1 + ... + T_N; the regret is ``R_N = sum l_n - sum T_n(V*)``.  For steps
    along minus a subgradient it is at most::

        |W_1 - V*|^2 / (2 eta) + (eta / 2) sum |g_n|^2             at a constant rate,
        max_n |W_n - V*|^2 / (2 eta_N) + (1/2) sum eta_n |g_n|^2   where rates fall,

    whatever the network, and however other layers move.

    Parameters
    ----------
    network : ReLUNetwork
        Where the run begins.
    X : array_like (n, n_in)
    y : array_like (n,) or (n, K)
    method : str or object, default "sgd"
        As of :func:`~reluplex_walk.descend`; polyak takes all samples in each step.
    learning_rate : float, optional
        For gradients of the mean over the batch; default 0.01.
    schedule : {"constant", "sqrt"}, default "constant"
        sqrt: in step n the learning rate over the root of n.
    kind : {"l1", "pinball", "squared"}, default "l1"
    tau : float, optional
        Quantile of the pinball loss, default 0.5.
    block : "all", int or sequence of int, default "all"
        The layers in which losses are linearised.
    trained : "all", int or sequence of int, optional
        The layers that move, those of the block among them; default the block.
    horizons : sequence of int, optional
        The N, of which the largest is the number of steps; default 16 to 1024 by doubling.  The
        Taylor optimum is solved for at each.
    batch : int, optional
        Samples of a step, drawn without replacement, anew in each epoch; default 1.  None: all.
    seed : int, default 0
        Of the mini-batches and of Alice's lines.
    time_limit : float, optional
        Seconds; looked at between steps.
    callback : callable, optional
        Called before each step with the number of those made; StopIteration or KeyboardInterrupt
        raised in it ends the work as Ctrl-C does.

    Returns
    -------
    Regret
        After Ctrl-C, at the time limit, and where the method diverged, of the horizons until then.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Notes
    -----
    W_n is where the model rests, and g_n is taken there; Alice takes hers ahead of it.  For each
    step ``l_n - T_n(V) <= <g_n, W_n - V>``, by convexity, for every V; the bounds add these up.

    References
    ----------
    Balduzzi, McWilliams and Butler-Yeoman, Neural Taylor Approximations: Convergence and
    Exploration in Rectifier Networks, arXiv 1611.02345.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(200, [2, 4, 1], noise=0.5)
    >>> net = rw.ReLUNetwork.random([2, 4, 1], seed=1)
    >>> run = rw.taylor.regret(
    ...     net, data.X, data.y, learning_rate=0.1, schedule="sqrt", block=0, horizons=[100, 400]
    ... )
    >>> bool((run.regret <= run.bound).all()), run.certificates[1].is_global
    (True, True)
    >>> per_step = run.regret / run.horizon
    >>> bool(per_step[1] < per_step[0])
    True
    """
    instance("network", network, ReLUNetwork)
    layers = layers_of(block, network.n_layers)
    moving = layers if trained is None else layers_of(trained, network.n_layers)
    if not {*layers} <= {*moving}:
        raise ValueError(f"trained: expected the layers of the block {layers} too, found {moving}")
    kind_and_tau(kind, tau, TAYLOR_KINDS)
    chosen = method_of(method)
    decay = choice("schedule", schedule, ("constant", "sqrt")) == "sqrt"
    if isinstance(chosen, Polyak) and (batch is not None or learning_rate is not None or decay):
        raise ValueError(
            "method: polyak takes all samples and has no rate, expected batch=None and neither "
            "learning_rate nor schedule"
        )
    wanted = _horizons(horizons)
    limits = Limits.asked(time_limit, callback)
    loss = NetworkLoss(network, X, y, kind, moving, tau)
    size = None if batch is None else integer("batch", batch, 1)
    rate = _RATE if learning_rate is None else positive("learning_rate", learning_rate)
    rows = wanted[-1] * min(size or len(loss.X), len(loss.X)) * network.widths[-1]
    require_memory(
        "horizons: the derivatives of all outputs",
        16.0 * rows * Block(network, layers).theta.size,
        "give shorter ones, or a smaller batch",
    )
    start = Start(loss, layers, chosen, size, rate, integer("seed", seed, 0, 2**63 - 1), decay)
    return _run(start, wanted, limits)


def _horizons(horizons: Sequence[int] | None) -> list[int]:
    given = _HORIZONS if horizons is None else sequence("horizons", horizons)
    found = [
        integer(f"horizons[{k}]", int(N) if isinstance(N, np.integer) else N, 1)
        for k, N in enumerate(given)
    ]
    if not found or found != sorted(set(found)):
        raise ValueError(f"horizons: expected integers >= 1, ascending, found {found}")
    return found


class Start(NamedTuple):
    """What a run begins with."""

    loss: NetworkLoss
    layers: tuple[int, ...]  # of the block
    method: Method
    batch: int | None
    rate: float
    seed: int
    decay: bool


def _run(start: Start, wanted: list[int], limits: Limits) -> Regret:
    """The steps, and the optimum of each horizon as soon as it is reached."""
    loss, layers = start.loss, start.layers
    objective = Objective(loss, loss.theta, start.batch, start.seed)
    parts: list[TaylorLoss] = []
    rates: list[float] = []
    minima: list[TaylorMinimum] = []
    ended: Ended | None = None
    with limits:
        try:
            for step in steps(objective, start.method, start.rate, start.seed, start.decay):
                ended = limits.look(0, len(parts))
                if ended is not None and parts:
                    break
                network = loss.network_at(step.theta)
                found = outputs_and_jacobian(network, loss.X[step.samples], layers)
                theta, targets = Block(network, layers).theta, loss.y[step.samples]
                parts.append(of_step(theta, *found, targets, loss.kind, loss.tau))
                rates.append(step.rate)
                if len(parts) == wanted[len(minima)]:
                    minima.append(_joined(parts).minimum())
                if len(minima) == len(wanted):
                    break
        except DivergedError:
            ended = Ended.DIVERGED
    own = [part.gradients(part.origin)[0] for part in parts]
    return Regret(
        taylor=_joined(parts),
        points=np.array([part.origin for part in parts]),
        losses=np.array([part(part.origin) for part in parts]),
        rates=np.array(rates),
        gradients=np.array(own),
        horizon=np.array(wanted[: len(minima)], np.int64),
        minima=tuple(minima),
        method=start.method,
        ended=Ended.FINISHED if ended is None else ended,
    )


def _joined(parts: list[TaylorLoss]) -> TaylorLoss:
    """The sum of the losses of single steps, as ``+`` makes it, at once."""
    first = parts[0]
    moved = [p.targets + p.jacobian @ (p.origin - first.origin) for p in parts]
    return TaylorLoss(
        first.kind,
        first.tau,
        first.origin,
        np.concatenate([part.jacobian for part in parts]),
        np.concatenate(moved),
        np.concatenate([part.weights for part in parts]),
        np.repeat(np.arange(len(parts)), [len(part.weights) for part in parts]),
    )


__all__ = ["Regret", "regret"]
