"""The search of :func:`reluplex_walk.train`: starts and kicks, led down, and the lowest of all.

A round is one start: gradient steps, more of them if that looks well, then exact steps of all
layers.  Half of the later rounds are kicked copies of the lowest ends so far (iterated local
search).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..._limits import Limits
from ..._shown import repr_html
from ...problem.network import ReLUNetwork
from .descent import descend
from .held_out import HeldOut
from .layers import walk_layers
from .problem import Problem
from .starts import Starts, balanced

_FRESH = 8  # rounds before the first kick
_KICKS = 0.6  # of the rounds after them
_LEADERS = 4  # lowest ends that are kicked
_SCOUT, _FURTHER, _LAST = (500, 0.1), (2000, 0.05), (3000, 0.005)  # gradient steps, their size
_KICKED = (500, 0.05)
_PROMISING = 0.3  # share of the scouts that are led further
_PASSES = 2  # exact steps through all layers, in a round


class Round(NamedTuple):
    """One round of :func:`train`, a row of its table.

    Attributes
    ----------
    number : int
        Counted from 0.
    start : str
        Where it started: given, linear, fresh or kicked.
    loss : float
        The objective (loss and penalty) at its end.
    best : float
        The least so far.
    held_out : float or None
        The least mean loss of the held-out samples so far; None without such samples.
    elapsed : float
        Seconds.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> fit = rw.train(rw.ReLUNetwork.random([1, 3, 1], seed=0), data.X, data.y, rounds=3)
    >>> [each.start for each in fit.rounds], fit.rounds[0].best >= fit.rounds[-1].best
    (['given', 'linear', 'fresh'], True)
    """

    number: int
    start: str
    loss: float
    best: float
    held_out: float | None
    elapsed: float

    def _repr_html_(self) -> str:
        return repr_html(self)


class Search:
    """The rounds made so far; networks are in the units of the data."""

    def __init__(
        self,
        problem: Problem,
        given: ReLUNetwork,
        rng: np.random.Generator,
        limits: Limits,
        held_out: HeldOut | None,
    ) -> None:
        self.problem, self.rng, self.limits, self.held_out = problem, rng, limits, held_out
        self.inner_given = problem.units.inner(given)
        self.starts = Starts(problem, self.inner_given, rng)
        self.leaders: list[tuple[float, ReLUNetwork]] = [(problem.objective(given), given)]
        self.scouted: list[float] = []
        self.rounds: list[Round] = []
        if held_out is not None:
            held_out.look(given)

    @property
    def best(self) -> tuple[float, ReLUNetwork]:
        """The least objective, and where."""
        return self.leaders[0]

    def step(self) -> None:
        """One more round."""
        name, start = self._start()
        network = self._led_down(start, kicked=name == "kicked")
        loss, network = self._exact(network)
        self._keep(loss, network)
        at_best = None if self.held_out is None else self.held_out.least
        number = len(self.rounds)
        self.rounds.append(Round(number, name, loss, self.best[0], at_best, self.limits.elapsed))

    def finish(self) -> None:
        """The lowest end, led further by ever smaller steps."""
        inner = self.problem.units.inner(self.best[1])
        inner, _ = descend(self.problem, inner, *_LAST, self.limits, self._watch)
        self._keep(*self._exact(inner))

    def _start(self) -> tuple[str, ReLUNetwork]:
        made = len(self.rounds)
        if made == 0:
            return "given", self.inner_given
        linear = self.starts.linear() if made == 1 else None
        if linear is not None:
            return "linear", linear
        if made >= _FRESH and self.rng.random() < _KICKS:
            at = min(int(self.rng.geometric(0.5)), len(self.leaders)) - 1
            inner = self.problem.units.inner(self.leaders[at][1])
            return "kicked", self.starts.kicked(self.starts.revived(inner))
        return "fresh", self.starts.fresh()

    def _led_down(self, network: ReLUNetwork, kicked: bool) -> ReLUNetwork:
        """The end of gradient steps from `network`, of more if the first ones led low."""
        first = _KICKED if kicked else _SCOUT
        power = 1 if self.problem.penalty else 2
        network = balanced(network, self.problem.layers, power)
        network, loss = descend(self.problem, network, *first, self.limits, self._watch)
        self.scouted.append(loss)
        if loss <= np.quantile(self.scouted, _PROMISING):
            network = balanced(network, self.problem.layers, power)
            network, _ = descend(self.problem, network, *_FURTHER, self.limits, self._watch)
        return network

    def _exact(self, inner: ReLUNetwork) -> tuple[float, ReLUNetwork]:
        """Objective and network after exact steps from `inner`, which is for standardised data."""
        power = 1 if self.problem.penalty else 2
        network = self.problem.units.outer(balanced(inner, self.problem.layers, power))
        network, loss = walk_layers(self.problem, network, self.limits, _PASSES)
        if self.held_out is not None:
            self.held_out.look(network)
        return loss, network

    def _keep(self, loss: float, network: ReLUNetwork) -> None:
        self.leaders = sorted([*self.leaders, (loss, network)], key=lambda end: end[0])
        self.leaders = self.leaders[:_LEADERS]

    @property
    def _watch(self) -> Callable[[ReLUNetwork], None] | None:
        held_out = self.held_out
        if held_out is None:
            return None
        return lambda inner: held_out.look(self.problem.units.outer(inner))


__all__ = ["Round", "Search"]
