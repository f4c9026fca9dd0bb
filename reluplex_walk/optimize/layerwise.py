"""`train`: all layers of a network, led down together and ended exactly, layer by layer.

The loss is piecewise affine in each layer, the others fixed, and convex in the output layer.  So
the way down may take any means; its end is made of exact steps, walks of one layer after the other
along which the loss never rises, until every layer is at a certified local minimum of its own loss
(block coordinate descent; Tseng, Journal of Optimization Theory and Applications 109, 2001).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._limits import Limits
from .._logs import logged
from .._validate import function, instance, integer, positive, real, samples, share
from ..ended import Ended
from ..problem.block import layers_of
from ..problem.kinks import check_labels, kind_and_tau
from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork
from ..proof.certificate import Certificate
from .training.fit import TrainingFit
from .training.held_out import HeldOut, split
from .training.layers import certify, ordered, settle
from .training.problem import Problem, Samples, data_loss
from .training.search import Search

_ROUNDS = 20  # where no time limit is given
_AGAIN = 2.0  # times the seconds that an end took are kept for another
_FOR_ENDS = 0.6  # share of the time limit that is kept for exact ends and their proofs
_PATIENCE = 10  # rounds without a better held-out loss


class TrainingProgress(NamedTuple):
    """What the callback of :func:`train` is told after each round.

    Attributes
    ----------
    n_rounds : int
        Made so far.
    loss : float
        The least objective (loss and penalty) so far.
    elapsed : float
        Seconds.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> told = []
    >>> net = rw.ReLUNetwork.random([1, 1, 1], seed=0)
    >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 0.0, 1.0]
    >>> fit = rw.train(net, X, y, rounds=2, callback=told.append)
    >>> [progress.n_rounds for progress in told]
    [1, 2]
    """

    n_rounds: int
    loss: float
    elapsed: float


@logged("train")
def train(
    network: ReLUNetwork,
    X: ArrayLike,
    y: ArrayLike,
    kind: str = "l1",
    tau: float | None = None,
    *,
    layers: Any = "all",
    sample_weight: ArrayLike | None = None,
    penalty: float = 0.0,
    rounds: int | None = None,
    time_limit: float | None = None,
    validation: Any = None,
    seed: int = 0,
    proof_budget: float = 5.0,
    callback: Callable[[TrainingProgress], Any] | None = None,
) -> TrainingFit:
    """Train all layers of `network`, to certified local minima of each.

    Starts are led down by gradient steps on all layers together, in standardised units, and then by
    exact walks of one layer after the other; the later rounds start from kicked copies of the
    lowest ends.  The lowest end of all is walked on until every layer is at a proved local minimum
    of its loss, the others as they are.  There is no learning rate to choose.

    Parameters
    ----------
    network : ReLUNetwork
        The first start, and the widths of all others.
    X : array_like (n, n_in)
    y : array_like (n,) or (n, n_out)
        Targets; labels -1 or +1 for the hinge loss.
    kind : {"l1", "pinball", "hinge"}, default "l1"
    tau : float, optional
        Quantile of the pinball loss, in (0, 1), default 0.5.
    layers : "all", int or sequence of int, default "all"
        The layers that are trained, counted from 0; the others stay as they are.
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1.
    penalty : float, default 0.0
        Times the sum of the absolute weights (not the constants) of the trained layers, added to
        the loss, which is the *sum* over samples.
    rounds : int, optional
        How many starts; default 20 where no `time_limit` is given, else as many as it allows.
    time_limit : float, optional
        Seconds, proofs included, those in which kernels are compiled not.  Three fifths are kept
        for the exact end.
    validation : float or (X, y), optional
        Samples that are held out, as a share in (0, 1) of those given or as data of their own.  The
        network handed over is the one that was best for them, and training stops when no better one
        is found for 10 rounds.  Nothing is certified then: the least training loss is not sought.
    seed : int, default 0
        Of starts, kicks and the held-out share.  The same seed gives the same network, unless a
        time limit cuts the search.
    proof_budget : float, default 5.0
        Seconds of computing, counted as work, for the proof of one layer.
    callback : callable, optional
        Called after each round with a :class:`TrainingProgress`; StopIteration or KeyboardInterrupt
        raised in it ends the training as Ctrl-C does.

    Returns
    -------
    TrainingFit
        Also at a limit or after Ctrl-C, with the best network found; never worse than `network`, up
        to what a claim allows for rounding (with `validation`: for the held-out samples).

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Warns
    -----
    RankWarning
        If columns of `X` depend on each other and there is no penalty, which would decide.

    See Also
    --------
    minimize : the same for one layer.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> fit = rw.train(rw.ReLUNetwork.random([1, 4, 1], seed=0), data.X, data.y, rounds=5)
    >>> fit.status, fit.loss < 0.75 * rw.baselines(data.X, data.y).linear
    ('certified', True)
    """
    instance("network", network, ReLUNetwork)
    kind, tau = kind_and_tau(kind, tau)
    trained = layers_of(layers, network.n_layers)
    given = _samples(network, X, y, sample_weight, kind)
    penalty = real("penalty", penalty)
    if not 0.0 <= penalty < np.inf:
        raise ValueError(f"penalty: expected a number >= 0, found {penalty}")
    if rounds is not None:
        rounds = integer("rounds", rounds, 0)
    elif time_limit is None:
        rounds = _ROUNDS
    if 0 in trained and not penalty:  # warns of columns that depend on others
        LayerLoss(network, given.X, given.y, 0, kind, None, given.weight)
    positive("proof_budget", proof_budget)
    function("callback", callback)
    seed = integer("seed", seed, 0, 2**63 - 1)
    rng = np.random.default_rng(seed)
    seen, held_out = _held_out(given, validation, network, kind, tau, rng)
    problem = Problem(seen, kind, tau, trained, penalty)
    with Limits.asked(time_limit, callback, rounds) as limits:
        search = Search(problem, network, rng, limits, held_out)
        stopped = _search(search, limits, _FOR_ENDS * limits.seconds)
        if held_out is not None and held_out.best is not None:
            end = End(held_out.best, {}, np.inf)
        else:
            end = _end(search, problem, limits, proof_budget, seed)
            end = _go_on(end, search, problem, limits, proof_budget, seed)
        over = limits.over or stopped
    best, found, _ = end
    ended = Ended.FINISHED if end.certified(trained) else over
    if limits.interrupted:
        ended = Ended.INTERRUPTED
    for array in given:
        array.flags.writeable = False
    return TrainingFit(
        network=best,
        loss=data_loss(best, given, kind, tau),
        certificates=tuple(ordered(found, network.n_layers)),
        kind=kind,
        tau=tau if kind == "pinball" else None,
        penalty=penalty,
        layers=trained,
        rounds=tuple(search.rounds),
        validation_loss=None if held_out is None else held_out.least,
        seed=seed,
        ended=ended,
        elapsed=limits.elapsed,
        X=given.X,
        y=given.y,
        sample_weight=given.weight,
    )


def _samples(
    network: ReLUNetwork, X: ArrayLike, y: ArrayLike, weight: ArrayLike | None, kind: str
) -> Samples:
    found = Samples(*samples(X, y, weight, network.widths[0], network.widths[-1]))
    check_labels(kind, found.y)
    return found


def _held_out(
    given: Samples,
    validation: Any,
    network: ReLUNetwork,
    kind: str,
    tau: float | None,
    rng: np.random.Generator,
) -> tuple[Samples, HeldOut | None]:
    """The samples to train on, and those that are held out."""
    if validation is None:
        return given, None
    if isinstance(validation, tuple | list):
        if len(validation) != 2:
            raise ValueError(
                f"validation: expected a share or (X, y), found {len(validation)} parts"
            )
        held = _samples(network, validation[0], validation[1], None, kind)
        return given, HeldOut(held, kind, tau)
    part = share("validation", validation)
    if len(given.X) < 2:
        raise ValueError("validation: expected at least 2 samples to hold some out, found 1")
    seen, held = split(given, part, rng)
    return seen, HeldOut(held, kind, tau)


def _search(search: Search, limits: Limits, reserve: float) -> Ended:
    """Rounds until a limit, or `reserve` seconds before the last one; what ended them."""
    patience, held_out = 0, search.held_out
    while True:
        made = len(search.rounds)
        progress = TrainingProgress(made, search.best[0], limits.elapsed) if made else None
        over = limits.look(made, progress)
        if over is not None:
            return over
        if held_out is None and limits.left <= reserve < np.inf:
            return Ended.TIME_LIMIT
        search.step()
        if held_out is not None:
            patience = patience + 1 if held_out.stale() else 0
            if patience >= _PATIENCE:
                return Ended.STOPPED


class End(NamedTuple):
    """Where a training may end."""

    network: ReLUNetwork
    certificates: dict[int, Certificate]
    objective: float

    def certified(self, layers: tuple[int, ...]) -> bool:
        """Whether all `layers` are."""
        found = self.certificates
        return all(layer in found and found[layer].is_local_minimum for layer in layers)


def _end(search: Search, problem: Problem, limits: Limits, proof_budget: float, seed: int) -> End:
    """The lowest network, walked on to the end, and the certificates of its layers."""
    if limits.over is None and search.rounds:
        search.finish()
    network, found = search.best[1], dict[int, Certificate]()
    if limits.over is None:
        network = settle(problem, network, limits)
        network, found = certify(problem, network, limits, proof_budget, seed)
    return End(network, found, problem.objective(network))


def _go_on(
    end: End, search: Search, problem: Problem, limits: Limits, proof_budget: float, seed: int
) -> End:
    """The best end, if the time that proofs have left over is used to search on."""
    layers, rounds = problem.layers, -1
    while limits.seconds < np.inf and len(search.rounds) > rounds:
        rounds, began, least = len(search.rounds), limits.elapsed, search.best[0]
        reserve = _AGAIN * (began - search.rounds[-1].elapsed) if search.rounds else np.inf
        if limits.left <= reserve or limits.look(rounds) is not None:
            break
        _search(search, limits, reserve)
        if search.best[0] < min(least, end.objective):
            other = _end(search, problem, limits, proof_budget, seed)
            worse = end.certified(layers) and not other.certified(layers)
            if not worse and other.objective <= end.objective:
                end = other
    return end


__all__ = ["TrainingProgress", "train"]
