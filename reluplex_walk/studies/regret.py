"""`regret`: how much worse a run did than the best fixed parameters of its Taylor losses."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._limits import Limits
from .._logs import logged
from .._memory import require_memory
from .._validate import choice, instance, integer, positive, sequence
from ..ended import Ended
from ..optimize.diverged import DivergedError
from ..optimize.known_methods import method_of
from ..optimize.methods import Method
from ..optimize.objective import Objective
from ..optimize.polyak_step import Polyak
from ..problem.block import Block, layers_of
from ..problem.kinks import kind_and_tau
from ..problem.network import ReLUNetwork
from ..problem.network_loss import NetworkLoss
from .approximation import outputs_and_jacobian
from .run_regret import Regret
from .steps import steps
from .taylor_loss import TAYLOR_KINDS, TaylorLoss, TaylorMinimum, of_step

_HORIZONS = (16, 32, 64, 128, 256, 512, 1024)
_RATE = 0.01


@logged("taylor.regret")
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
        ended=ended or Ended.FINISHED,
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


__all__ = ["regret"]
