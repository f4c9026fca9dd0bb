"""What a search by many walks knows: its lowest ends, what is proved of them, the next start."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._budget import Budget
from .._limits import Limits
from ..problem.loss import LayerLoss
from ..simplex.records import WalkOptions, WalkStatus
from ..simplex.trajectory import Trajectory
from ..simplex.walker import Walker
from ..tolerances import OPTIMIZE, WORK_PER_SECOND
from .kicks import Kicks

Floats = NDArray[np.float64]

_FRESH, _FRESH_SHARE = 6, 0.1  # starts before the first kick, and among the kicks
_LEADERS = 8  # lowest walks that are kept to be proved
_FOR_PROOF = (0.1, 0.4)  # shares of the time limit: at a simple vertex, at a degenerate one
_PER_TIED = 2e-3  # seconds a proof takes at least, for each tied breakpoint


class End(NamedTuple):
    """Where a walk or a proof ended that came to its own end."""

    loss: float
    proved: bool
    theta: Floats


class Search:
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
        self.ends: list[End] = []
        self.seconds: list[float] = []
        self.losses: list[float] = []
        self.last = WalkStatus.NOT_PROVED  # how the last walk or proof ended

    def start(self, number: int) -> Floats:
        """Where walk `number` starts (h, q); each is drawn once, one after the other."""
        if number < len(self.starts):
            return self.starts[number]
        if number < _FRESH or not self.leaders or self.rng.random() < _FRESH_SHARE:
            return self.kicks.fresh(self.starts[0])
        return self.kicks.kicked(self._parent(number).theta)

    def _parent(self, number: int) -> Trajectory:
        """The walk whose end is kicked: the k-th lowest with probability 2^-k."""
        if self.simple and self.simple[0] not in self.leaders and number % 2:
            return self.simple[0]  # often the lowest that can be proved in time
        return self.leaders[min(int(self.rng.geometric(0.5)), len(self.leaders)) - 1]

    def take(self, traj: Trajectory) -> None:
        """The walk that was made next."""
        self.seconds.append(self.limits.elapsed)
        self.losses.append(traj.loss)
        self.last = traj.status
        self.leaders = _lowest([*self.leaders, traj], _LEADERS)
        if not traj.certificate.degenerate:
            self.simple = _lowest([*self.simple, traj], 1)
        self._keep(traj)

    def _keep(self, traj: Trajectory) -> None:
        if not traj.ended.early:
            self.ends.append(End(traj.loss, traj.status.proved, traj.theta))
        if traj.status.proved and (self.proved is None or traj.loss < self.proved.loss):
            self.proved = traj

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

    @property
    def best(self) -> Trajectory:
        """The lowest proved end, unless it lies above the starts: then the lowest end."""
        start = min(self.loss(theta) for theta in self.starts)
        proved, most = self.proved, start * (1.0 + OPTIMIZE.level)
        if proved is not None and (proved.certificate.is_global or proved.loss <= most):
            return proved
        return self.leaders[0]

    @property
    def levels(self) -> list[End]:
        """The ends, one for each level, lowest first; a proved one if there is any."""
        ends: list[End] = []
        for end in sorted(self.ends, key=lambda e: (e.loss, not e.proved)):
            if not ends or end.loss - ends[-1].loss > OPTIMIZE.level * end.loss:
                ends.append(end)
            elif end.proved and not ends[-1].proved:
                ends[-1] = end
        return ends


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


__all__ = ["End", "Search"]
