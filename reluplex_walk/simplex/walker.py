"""The loop of a walk: chunks of pivots in Numba, and what is done where they lead no further.

Between two chunks limits and Ctrl-C are looked at, and degenerate vertices are left through
`escape` or settled exactly.  Every `Walker.period` pivots (one chunk, at large D several) the state
is recomputed from a checkpoint (theta, basis, sides).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._budget import Budget
from .._limits import Limits
from ..ended import Ended
from ..exact.loss import ExactLoss
from ..native import walk as native
from ..native.arrays import CHOSEN, FREE, LOSS, N_TIED, START_SIZE, State
from ..native.nearby import bounds_pay
from ..native.refresh import enter, new_state, place, refresh
from ..problem.loss import LayerLoss
from ..proof import directional
from ..proof.certify import certify
from ..proof.end import hidden_vanishes, zero_loss
from ..proof.reason import Reason
from ..tolerances import SIMPLEX
from . import escape
from .exact_pivots import Settled, settle
from .held_out import Watch
from .level import estimate
from .log import Log
from .plateau import cross
from .records import Checkpoint, WalkOptions
from .size import require_room
from .trajectory import Trajectory

RULES = {
    "steepest": native.STEEPEST,
    "dantzig": native.DANTZIG,
    "greatest": native.GREATEST,
    "sequential": native.SEQUENTIAL,
    "random": native.RANDOM,
}
STEPS = ("adjacent", "long")
PLATEAUS = ("stop", "cross")
PROOFS = ("on", "off")

_MAX_TIED = 8  # more tied breakpoints than this are left by `escape`, not by pivots
_CHUNK = (16, 256)  # least and most pivots in a chunk, but for
_CHUNK_SHARE = 1 / 100  # pivots per sample: recomputing is to be a small part of the work
_CHUNK_WORK = 1e8  # multiply-adds a chunk may take, some 50 ms
_STALLED = (20, 10)  # pivots, and pivots per parameter, in which the loss falls unless they cycle
_REFACTORISE = 4  # times in D pivots at least: O(D^3) then costs little beside the pivots' O(D^2)


class _Figures(NamedTuple):
    n_pivots: int
    loss: float
    elapsed: float


class Progress(_Figures):
    """What `callback` and `stop_when` of :func:`walk` are told between chunks of pivots.

    Attributes
    ----------
    n_pivots : int
        Pivots made since the start.
    loss : float
        The loss there.
    elapsed : float
        Seconds, those before a resumption included.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
    >>> told = []
    >>> traj = rw.walk(loss, callback=told.append)
    >>> told[-1].n_pivots == traj.n_pivots, abs(told[-1].loss - traj.loss) < 1e-9
    (True, True)
    >>> told[-1].theta.shape
    (3, 2)
    """

    _log: Log | None = None

    @property
    def theta(self) -> NDArray[np.float64]:
        """The parameters (h, q) there, a copy, while the walk waits; AttributeError outside walks.

        Examples
        --------
        Stopped where no weight is large any more:

        >>> import numpy as np, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> rw.walk(loss, stop_when=lambda now: np.abs(now.theta).max() < 10.0).ended.name
        'STOPPED'
        """
        if self._log is None:
            raise AttributeError("theta: only a walk has it here")
        return self._log.last.theta[0].reshape(self._log.loss.shape).copy()


def _progress(log: Log, loss: float, elapsed: float) -> Progress:
    """What is told at the last entry of `log`."""
    told = Progress(log.n_pivots, loss, elapsed)
    told._log = log
    return told


class Next(NamedTuple):
    """What a phase of the walk leads to: further pivots, or the end."""

    recompute: bool = True  # the state, before further pivots; a checkpoint is taken there
    ended: Ended | None = None  # the walk has come to its end
    settled: Settled | None = None  # the exact end
    reason: Reason | None = None  # why nothing is proved of it


ON, RECOMPUTE = Next(recompute=False), Next()
LOST = Next(ended=Ended.PRECISION, reason=Reason.PRECISION)


class Walker:
    """A walk between two chunks: the state of the kernels, and the log of their pivots.

    One that is not `thorough` ends where no half-edge of the basis descends: it neither searches
    degenerate vertices further nor decides anything in rational arithmetic.
    """

    log: Log

    def __init__(
        self,
        loss: LayerLoss,
        options: WalkOptions,
        thorough: bool = True,
        stop_when: Callable[[Progress], bool] | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.loss = loss
        self.options = options
        self.thorough = thorough
        self.stop_when = stop_when
        self.watch = watch
        require_room(loss)
        self.kernel = loss.free_kernel
        self.state = new_state(self.kernel)
        self.trial: State | None = None
        self.long_step = options.step == "long"
        self.chunk, self.piece = self._chunk()
        self.period = max(self.chunk, loss.n_free // _REFACTORISE)
        self.lost = False  # precision: floats cannot hold where the walk leads
        self.back_at = -1  # pivots made when rounding last made the loss rise
        self.exact_at = -1  # and when the walk then went on without floats
        self.exact_loss = np.inf  # the loss there
        self.fresh_at = -1  # pivots made when the state was recomputed
        self.limits = Limits()
        self.proof_work = 0.0  # done in rational arithmetic, as budgets count it
        self.cut = False  # a limit ended a chunk before its end
        self.record = native.new_record(self.chunk, loss.n_free)
        self.elapsed = 0.0
        self.seen = 0  # entries that `watch` has looked at

    def _chunk(self) -> tuple[int, int]:
        """Pivots in a chunk, and between two looks at the limits, whatever it costs to find them.

        Functions of the problem and the options alone.
        """
        n, dim = self.kernel.x.shape[1], self.loss.n_free
        touched = 8 * dim if bounds_pay(n, dim, self.long_step) else n
        forward = dim + self.kernel.w.size + self.kernel.stage.size
        work = touched * forward + 3 * dim**2
        if not self.loss.free_units.units.trivial:  # then every loss is computed anew
            work += n * forward
        least, most = _CHUNK
        chunk = int(np.clip(_CHUNK_WORK / work, least, max(most, n * _CHUNK_SHARE)))
        return chunk, int(np.clip(_CHUNK_WORK / (n * forward + 3 * dim**2), 1, chunk))

    @property
    def n_pivots(self) -> int:
        """Pivots made."""
        return self.log.n_pivots

    # ------------------------------------------------------------ begin, store, restore

    def begin(self, theta: NDArray[np.float64]) -> None:
        """Start at `theta` (h, q)."""
        self.state.random[0] = np.uint64(self.options.seed)
        self._log(Log(self.loss, theta, self.loss(theta)))
        place(self.kernel, self.state, self.loss.free_units.inner(theta).ravel())

    def _log(self, log: Log) -> None:
        self.log = log
        self.kernel = self.loss.kernel_from(log.start)
        self.state.scalar[START_SIZE] = self.loss.free_units.size(log.start)  # for the tolerances

    def checkpoint(self) -> Checkpoint:
        """What the walk goes on from: everything else follows from it."""
        state, tied = self.state, int(self.state.number[N_TIED])
        hidden = self.loss.index.hidden_neurons
        return Checkpoint(
            n_pivots=self.n_pivots,
            theta=state.theta.copy(),
            basis=state.basis.copy(),
            side=state.side[:hidden] > 0,
            side_r=state.side_r > 0,
            tied=state.tied[:tied].copy(),
            tied_w=state.tied_w[:tied].copy(),
            random=state.random.copy(),
        )

    def restore(self, trajectory: Trajectory) -> None:
        """Take up at the checkpoint; what was found beyond it is found again."""
        point, state = trajectory.checkpoint, self.state
        hidden, tied = len(point.side), len(point.tied)
        state.theta[:] = point.theta
        state.basis[:] = point.basis
        state.side[:hidden] = np.where(point.side, 1.0, -1.0)
        state.side_r[:] = np.where(point.side_r, 1.0, -1.0)
        state.tied[:tied] = point.tied
        state.tied_w[:tied] = point.tied_w
        state.number[N_TIED] = tied
        state.random[:] = point.random
        self._log(Log.of(trajectory, point.n_pivots))
        self.elapsed = trajectory.elapsed

    # ------------------------------------------------------------ the loop

    def walk(self, limits: Limits, level_gap: float | None = None) -> Trajectory:
        """Walk until the end, or until `limits` or the estimated level say stop."""
        before, found, self.limits = self.elapsed, RECOMPUTE, limits
        ended = Ended.WORK_LIMIT if limits.work == self.n_pivots else None
        with limits:
            while True:
                if found.recompute:  # what follows is a function of the checkpoint alone
                    checkpoint = self.checkpoint()
                    self.refresh()
                    if ended is None and level_gap is not None and self._gap() < level_gap:
                        ended = Ended.LEVEL_GAP
                if ended is not None:
                    break
                room = self.chunk if limits.work is None else limits.work - self.n_pivots
                found = self.advance(min(room, self.chunk))
                self.elapsed = before + limits.elapsed
                if self._look():
                    ended = Ended.STOPPED  # at a vertex before this one: `walk` cuts it there
                    break
                now = _progress(self.log, float(self.state.scalar[LOSS]), self.elapsed)
                ended = found.ended or limits.look(self.n_pivots, now)
                if ended is None and self.stop_when is not None and self.stop_when(now):
                    ended = Ended.STOPPED
                # A chunk cut short is not where an uninterrupted walk would recompute: the
                # checkpoint stays where it was.
                cut = self.cut or (room < self.chunk and self.n_pivots == limits.work)
                if ended is not None and (cut or found.ended is not None):
                    break
        if not self.fresh:
            self.refresh()
        certificate = certify(
            self.loss,
            self.state,
            self.log.start,
            found.settled and found.settled.end,
            Reason.UNFINISHED if ended.early else found.reason,
            self.options.tolerances,
        )
        result = self.log.trajectory(
            self.options, self.state, ended, certificate, checkpoint, self.elapsed
        )
        if self.watch is None:
            return result
        self._look()
        return replace(result, held_out=self.watch.record(result.vertices))

    def _look(self) -> bool:
        """Whether held-out data stop the walk at an entry before the last, which may yet change."""
        if self.watch is None:
            return False
        seen, self.seen = self.seen, self.n_pivots
        return self.watch.see(seen, self.log.between(seen, self.n_pivots))

    @property
    def fresh(self) -> bool:
        """Whether the state was recomputed since the last pivot."""
        return self.n_pivots == self.fresh_at

    def refresh(self) -> None:
        """Recompute the state from its theta, basis and sides."""
        refresh(self.kernel, self.state, self.options.tolerances, self.long_step)
        self.fresh_at = self.n_pivots

    def _gap(self) -> float:
        """Estimated decrease still to come from the fresh state, as a share of the loss."""
        native.prices(self.kernel, self.state)
        seen, here = self.log.visited(self.state), np.array([self.n_pivots])
        level, _, _ = estimate(seen, here, "lookahead")
        loss = float(seen.losses[-1])
        return 1.0 - float(level[0]) / loss if loss > 0.0 else 0.0

    def advance(self, limit: int) -> Next:
        """Up to `limit` pivots; ends are looked at in a fresh state only, which is asked for."""
        fresh, settled = self.fresh, None
        if self.lost:
            return self._without_floats(limit) if fresh else RECOMPUTE
        if self.state.scalar[LOSS] <= SIMPLEX.nothing * self.log.first_loss:
            if not fresh:
                return RECOMPUTE
            # What is left may be rounding: tolerances that shrink with the loss would never tell.
            found = self._settle(limit)
            settled = found.settled
            proved = settled is not None and settled.end.verdict.method != "none"
            if proved or found.ended is not Ended.FINISHED:
                return found
        # Where the loss is convex, pivots of length zero end in a proof: no escape is needed.
        crowded = self.state.number[N_TIED] > _MAX_TIED
        convex = crowded and not hidden_vanishes(self.loss, self.state)
        stopped, made = self._run(limit, native.ANY_TIED if convex else _MAX_TIED)
        if made < 0:
            return RECOMPUTE
        if made > 0 or not fresh:
            due = stopped != native.LIMIT or self.n_pivots - self.fresh_at >= self.period
            return RECOMPUTE if due else ON
        if stopped == native.UNBOUNDED:
            # The loss is bounded below: only lost precision makes an edge look endless.  What was
            # found is kept, and certified to be nothing.
            return LOST._replace(settled=settled)
        if stopped not in (native.OPTIMAL, native.CROWDED):
            return RECOMPUTE
        return self._decide(stopped == native.CROWDED, limit)

    def _without_floats(self, limit: int) -> Next:
        """Where floats raise the loss or do not lower it: on in rational arithmetic, or the end."""
        here = float(self.state.scalar[LOSS])
        if self.exact_at == self.n_pivots or (self._stalled() and here >= self.exact_loss):
            return LOST
        self.lost, self.exact_at, self.exact_loss = False, self.n_pivots, here
        found = self._settle(limit)
        proved = found.settled is not None and found.settled.end.verdict.method != "none"
        if found.ended is Ended.FINISHED and not proved:
            return LOST._replace(settled=found.settled)
        return found

    def _decide(self, crowded: bool, limit: int) -> Next:
        """At a fresh state at which no half-edge descends, or too much vanishes to see that."""
        tied = int(self.state.number[N_TIED])
        hidden = tied > 0 and hidden_vanishes(self.loss, self.state)
        if hidden and not zero_loss(self.loss, self.state) and self._leave():
            return RECOMPUTE
        found = self._settle(limit)
        undecided = found.ended is Ended.FINISHED and found.settled is None
        if not (undecided and crowded and 0 < tied <= self.loss.n_free):
            return found
        # A small crowd, too dear for exact proofs: pivots of length zero search its cones in order.
        _, made = self._run(limit, native.ANY_TIED)
        if made < 0:
            return RECOMPUTE
        return RECOMPUTE if made else found

    # ------------------------------------------------------------ pivots in floats

    def _run(self, limit: int, max_tied: int) -> tuple[int, int]:
        """Up to `limit` pivots; why the kernel stopped, and how many it made.

        -1 if precision was lost on the way.
        """
        rule = RULES[self.options.rule]
        stopped, made = native.LIMIT, 0
        while stopped == native.LIMIT and made < limit:
            if made and self.limits.over is not None:
                self.cut = True
                break
            most = min(self.piece, limit - made)
            if rule == native.GREATEST:
                if not self._choose_greatest():
                    break
                most = 1
            stopped, more = native.run(
                self.kernel,
                self.state,
                rule,
                self.long_step,
                self.options.tolerances.drift,
                max_tied,
                made,
                most,
                self.record,
            )
            made += more
        return stopped, made if self._keep(made) else -1

    def _keep(self, made: int) -> bool:
        """Log `made` pivots; where one raises the loss, go back to before it: precision is lost.

        It is, too, where the loss does not fall for many pivots: of length zero, without end.
        """
        if self.log.keep(self.record, made):
            self.lost = self.lost or (made > 0 and self._stalled())
            return True
        self._go_back()
        return False

    def _stalled(self) -> bool:
        """Whether the loss has not fallen for so many pivots that they go round in circles."""
        least, per_parameter = _STALLED
        return self.log.stalled(least + per_parameter * self.loss.n_free)

    def _go_back(self) -> None:
        """To the last entry of the log, from where on rounding made the loss rise.

        Recomputed there, the walk may go on; where that led no further, without floats.
        """
        self.lost = self.n_pivots == self.back_at
        self.back_at = self.n_pivots
        state, last = self.state, self.log.last
        theta = last.theta.reshape(self.loss.shape)
        place(self.kernel, state, self.loss.free_units.inner(theta).ravel())
        state.basis[:] = last.basis[0]
        self.fresh_at = -1

    def _choose_greatest(self) -> bool:
        """Try all descending half-edges on a copy of the state; S.number[CHOSEN] = the best.

        False if a limit is over before: at many parameters that takes seconds for each pivot.
        """
        state = self.state
        if self.trial is None:
            self.trial = new_state(self.kernel)
        state.number[CHOSEN] = -1
        if native.prices(self.kernel, state):
            return True
        best = -1.0
        for k in np.flatnonzero(state.basis != FREE):
            self.cut = self.limits.over is not None
            if self.cut:
                return False
            for far, slope in enumerate((state.price[k], state.far[k])):
                if slope < -state.noise[k, far]:
                    for array, copy in zip(state, self.trial, strict=True):
                        copy[...] = array
                    fall = native.decrease(self.kernel, self.trial, k, far == 1, self.long_step)
                    if fall > best:
                        best = fall
                        state.number[CHOSEN] = 2 * k + far
        return True

    # ------------------------------------------------------------ degenerate vertices, exact ends

    def _leave(self) -> bool:
        """Leave a degenerate vertex if a half-edge of the basis or random search descends."""
        state, seed = self.state, self.options.seed + self.n_pivots
        model = directional.local_model(self.kernel, state)
        direction = escape.best_half_edge(self.kernel, state, model)
        if direction is None and self.thorough:
            direction = directional.search(state, model, seed, self.limits)
        return direction is not None and self._leap(direction)

    def _settle(self, limit: int) -> Next:
        """Go on in rational arithmetic: to where floats can go on, or to the end."""
        if not self.thorough or self.options.proof == "off":
            return Next(ended=Ended.FINISHED, reason=Reason.OFF)
        settled = self._exactly(limit)
        if isinstance(settled, Settled) and settled.end.verdict.direction is not None:
            if self._go_on(settled.end.verdict.direction.unit()):
                return LOST if self.lost else RECOMPUTE
            limit -= len(settled.pivots)  # too faint for floats: exactly on
            settled = self._exactly(limit, leaps=True)
        if isinstance(settled, Ended):
            return Next(ended=settled)
        if isinstance(settled, Reason):
            return Next(ended=Ended.FINISHED, reason=settled)
        if settled.end.verdict.method != "none":
            return self._cross(settled, limit)
        made = len(settled.pivots)
        if 0 < limit == made or (made and settled.end.verdict.reason is Reason.DESCENDS):
            return RECOMPUTE  # cut short: on from there
        return Next(ended=Ended.FINISHED, settled=settled)

    def _exactly(self, limit: int, leaps: bool = False) -> Settled | Reason | Ended:
        """Up to `limit` exact pivots, and where they end.

        A reason if that cannot be told; or what limit was over before it was.
        """
        budget = Budget.of(self.options.proof_budget, self.limits)
        self.log.correct(self.state.theta)
        settled = settle(self.loss, self.state, self.log.start, budget, limit, leaps)
        self.proof_work += budget.spent
        if isinstance(settled, Settled):
            self._take_over(settled)
            if settled.end.verdict.method != "none" or settled.end.verdict.direction is not None:
                return settled
        return budget.cut or settled

    def _cross(self, settled: Settled, limit: int) -> Next:
        """Across the plateau of a weak minimum and down from there, if that is wanted and found."""
        end = Next(ended=Ended.FINISHED, settled=settled)
        slopes = settled.end.slopes
        if self.options.plateau == "stop" or slopes is None or (slopes > 0).all():
            return end
        deadline = Budget.of(self.options.proof_budget, self.limits)
        found = cross(ExactLoss(self.loss), settled, deadline, limit - len(settled.pivots))
        self.proof_work += deadline.spent
        if found.cut:
            return Next(ended=Ended.WORK_LIMIT)
        if found.beyond is None and deadline.cut is not None:
            return Next(ended=deadline.cut)
        if found.beyond is None or found.beyond.end.verdict.direction is None:
            return end
        self._take_over(found.beyond)
        return RECOMPUTE if self._go_on(found.beyond.end.verdict.direction.unit()) else end

    def _take_over(self, settled: Settled) -> None:
        """Bring the state to where the exact pivots led."""
        loss, state = self.loss, self.state
        for pivot in settled.pivots:
            self.log.keep_exact(pivot)
        vertex = settled.end.vertex
        active = loss.index.join(vertex.active)
        if settled.pivots or not np.array_equal(active, state.basis[state.basis != FREE]):
            state.theta[:] = loss.free_units.inner(
                vertex.theta.floats().reshape(loss.shape)
            ).ravel()
            state.basis[:] = FREE
            state.basis[: active.size] = active
            enter(self.kernel, state, vertex.sides)
            state.number[N_TIED] = 0
            self.refresh()

    def _go_on(self, outer: NDArray[np.float64]) -> bool:
        """Leave along the direction (D,) in the units of the data, if floats see it descend too."""
        direction = self.loss.free_units.inner(outer.reshape(self.loss.shape)).ravel()
        length = np.linalg.norm(direction)
        if length == 0.0:  # below what floats can follow
            return False
        direction /= length
        model = directional.local_model(self.kernel, self.state)
        slope = directional.slopes_along(model, direction[None])[0]
        return slope < -float(directional.noise(self.state, direction)) and self._leap(direction)

    def _leap(self, direction: NDArray[np.float64]) -> bool:
        """Leave a degenerate vertex along `direction`; False if precision was lost on the way."""
        escape.aim(self.kernel, self.state, direction, self.options.tolerances)
        _, made = native.leap(self.kernel, self.state, self.long_step, 0, self.record)
        self._keep(made)
        return made > 0


__all__ = ["PLATEAUS", "PROOFS", "RULES", "STEPS", "Progress", "Walker"]
