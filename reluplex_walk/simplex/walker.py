"""The loop of a walk: chunks of pivots in Numba, with the log of what they did.

Between two chunks limits and Ctrl-C are looked at, and degenerate vertices are left through
`escape` or settled exactly.  Every `Walker.period` pivots (one chunk, at large D several) the state
is recomputed from a checkpoint (theta, basis, sides).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Deadline, Limits
from ..ended import Ended
from ..exact.loss import ExactLoss
from ..native import walk as native
from ..native.arrays import CHOSEN, FREE, LOSS, N_DESCENDING, N_TIED, START_SIZE, State
from ..native.nearby import bounds_pay
from ..native.refresh import new_state, place, refresh
from ..problem.loss import LayerLoss
from ..proof import directional
from ..proof.certificate import Certificate
from ..proof.certify import certify
from ..proof.end import hidden_vanishes, in_doubt, zero_loss
from . import escape
from .exact_pivots import Pivot, Settled, settle
from .level import Visited, estimate
from .plateau import cross
from .records import Checkpoint, Steps, WalkOptions
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

_NOTHING = 1e-13  # of the first loss: a loss to be looked at exactly
_MAX_TIED = 8  # more tied breakpoints than this are left by `escape`, not by pivots
_CHUNK = (16, 256)  # least and most pivots in a chunk, but for
_CHUNK_SHARE = 1 / 100  # pivots per sample: recomputing is to be a small part of the work
_CHUNK_WORK = 1e8  # multiply-adds a chunk may take, some 50 ms
_REFACTORISE = 4  # times in D pivots at least: O(D^3) then costs little beside the pivots' O(D^2)


class Progress(NamedTuple):
    """What the callback of :func:`walk` is told between chunks of pivots.

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
    """

    n_pivots: int
    loss: float
    elapsed: float


class Walker:
    """The state of a walk between chunks, and the log of its pivots.

    One that is not `thorough` ends where no half-edge of the basis descends: it neither searches
    degenerate vertices further nor decides anything in rational arithmetic.
    """

    def __init__(self, loss: LayerLoss, options: WalkOptions, thorough: bool = True) -> None:
        self.loss = loss
        self.options = options
        self.thorough = thorough
        self.kernel = loss.kernel
        self.state = new_state(self.kernel)
        self.trial: State | None = None
        self.chunk = self._chunk()
        self.period = max(self.chunk, loss.dim // _REFACTORISE)
        self.due = True  # the state wants to be recomputed
        self.fresh_at = -1  # pivots made when it was
        self.record = native.new_record(self.chunk, loss.dim)
        self.log: list[native.Record] = []
        self.n_pivots = 0
        self.elapsed = 0.0
        self.settled: Settled | None = None  # the exact end

    def _chunk(self) -> int:
        """Pivots in a chunk: a function of the problem and the options alone."""
        n, dim = self.kernel.x.shape[1], self.loss.dim
        touched = 8 * dim if bounds_pay(n, dim, self.options.step == "long") else n
        work = touched * (dim + self.kernel.w.size + self.kernel.stage.size) + 3 * dim**2
        least, most = _CHUNK
        return int(np.clip(_CHUNK_WORK / work, least, max(most, n * _CHUNK_SHARE)))

    # ------------------------------------------------------------ begin, store, restore

    def begin(self, theta: NDArray[np.float64]) -> None:
        self.state.random[0] = np.uint64(self.options.seed)
        place(self.kernel, self.state, self.loss.units.inner(theta).ravel())
        self._remember(theta, self.loss(theta))

    def _remember(self, theta: NDArray[np.float64], loss: float) -> None:
        """The start (h, q), and its size for the tolerances."""
        self.first = (theta.ravel().copy(), loss)
        size = np.abs(self.loss.units.inner(theta)).sum(axis=1).max()
        self.state.scalar[START_SIZE] = size

    def checkpoint(self) -> Checkpoint:
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
        self.n_pivots = point.n_pivots
        k = slice(0, self.n_pivots)
        steps = trajectory.steps
        self._remember(trajectory.vertices[0], float(trajectory.losses[0]))
        self.log = [
            native.Record(
                theta=trajectory.vertices[1:].reshape(-1, self.loss.dim)[k],
                loss=trajectory.losses[1:][k],
                basis=trajectory.basis[1:][k],
                step=steps.length[k],
                slope=steps.slope[k],
                leaving=steps.leaving[k],
                entering=steps.entering[k],
                crossed=steps.crossed[k],
                flipped=steps.flipped[k],
                descending=trajectory.descending[:-1][k],
                tied=steps.tied[k],
            )
        ]
        self.elapsed = trajectory.elapsed

    # ------------------------------------------------------------ the loop

    def walk(self, limits: Limits, level_gap: float | None = None) -> Trajectory:
        before, most = self.elapsed, limits.work
        ended: Ended | None = None
        with limits:
            while True:
                if self.due:  # what follows is a function of the checkpoint alone
                    checkpoint = self.checkpoint()
                    self.refresh()
                if ended is not None:
                    break
                if level_gap is not None and self.due and self._remaining() < level_gap:
                    ended = Ended.LEVEL_GAP
                    break
                room = self.chunk if most is None else most - self.n_pivots
                if room <= 0:
                    ended = Ended.WORK_LIMIT
                    break
                ended = self.advance(min(room, self.chunk))
                self.elapsed = before + limits.elapsed
                if ended is not None:
                    break
                if room < self.chunk and self.n_pivots == most:
                    # A chunk cut short is not where an uninterrupted walk would recompute: the
                    # checkpoint stays where it was.
                    ended = Ended.WORK_LIMIT
                    break
                now = Progress(self.n_pivots, float(self.state.scalar[LOSS]), self.elapsed)
                ended = limits.look(self.n_pivots, now)
        finished = not ended.early
        if self.n_pivots != self.fresh_at:
            self.refresh()
        certificate = certify(
            self.loss,
            self.state,
            finished,
            self.settled and self.settled.end,
            self.options.tolerances,
        )
        return self._trajectory(ended, certificate, checkpoint)

    def _remaining(self) -> float:
        """Estimated decrease still to come from the fresh state, as a share of the loss."""
        native.prices(self.kernel, self.state)
        seen, here = self._visited(self._entries()), np.array([self.n_pivots])
        level, _, _ = estimate(seen, here, "lookahead")
        loss = float(seen.losses[-1])
        return 1.0 - float(level[0]) / loss if loss > 0.0 else 0.0

    def refresh(self) -> None:
        long_step = self.options.step == "long"
        refresh(self.kernel, self.state, self.options.tolerances, long_step)
        self.fresh_at = self.n_pivots

    def advance(self, limit: int) -> Ended | None:
        """Up to `limit` pivots; FINISHED or PRECISION if the walk has come to its end.

        Ends are looked at in a fresh state only: where one seems near, `due` asks for it.
        """
        self.settled = None
        self.due = True
        fresh = self.n_pivots == self.fresh_at
        if self.state.scalar[LOSS] <= _NOTHING * self.first[1]:
            if not fresh:
                return None
            # What is left may be rounding: tolerances that shrink with the loss would never tell.
            if self._settle(limit):
                self.settled = None
                return None
            if self.settled is not None and self.settled.end.verdict.method != "none":
                return Ended.FINISHED
        # Where the loss is convex, pivots of length zero end in a proof: no escape is needed.
        convex = not hidden_vanishes(self.loss, self.state)
        crowded = self.state.number[N_TIED] > _MAX_TIED
        ended, made = self._run(limit, native.ANY_TIED if convex and crowded else _MAX_TIED)
        self._keep(made)
        self.due = ended != native.LIMIT or self.n_pivots - self.fresh_at >= self.period
        if made > 0 or not fresh:
            return None
        if ended == native.UNBOUNDED:
            # The loss is bounded below: only lost precision makes an edge look endless.  What was
            # found is kept, and certified to be nothing.
            return Ended.PRECISION
        if ended not in (native.OPTIMAL, native.CROWDED):
            return None
        # A fresh state at which no half-edge descends, or at which too much vanishes.
        tied = int(self.state.number[N_TIED])
        if not in_doubt(self.loss, self.state):
            return Ended.FINISHED
        if tied and not convex and not zero_loss(self.loss, self.state) and self._leave():
            return None
        if self._settle(limit):
            self.settled = None
            return None
        if self.settled is not None or not tied or ended == native.OPTIMAL or tied > self.loss.dim:
            return Ended.FINISHED
        # A small crowd, too dear for exact proofs: pivots of length zero search its cones in order.
        ended, made = self._run(limit, native.ANY_TIED)
        self._keep(made)
        return None if made else Ended.FINISHED

    def _run(self, limit: int, max_tied: int) -> tuple[int, int]:
        rule = RULES[self.options.rule]
        long_step = self.options.step == "long"
        drift = self.options.tolerances.drift
        if rule != native.GREATEST:
            return native.run(
                self.kernel, self.state, rule, long_step, drift, max_tied, 0, limit, self.record
            )
        ended, made = native.LIMIT, 0
        while ended == native.LIMIT and made < limit:
            self._choose_greatest(long_step)
            ended, one = native.run(
                self.kernel, self.state, rule, long_step, drift, max_tied, made, 1, self.record
            )
            made += one
        return ended, made

    def _choose_greatest(self, long_step: bool) -> None:
        """Try all descending half-edges on a copy of the state; S.number[CHOSEN] = the best."""
        state = self.state
        if self.trial is None:
            self.trial = new_state(self.kernel)
        state.number[CHOSEN] = -1
        if native.prices(self.kernel, state):
            return
        best = -1.0
        for k in np.flatnonzero(state.basis != FREE):
            for far, slope in enumerate((state.price[k], state.far[k])):
                if slope < -state.noise[k, far]:
                    for array, copy in zip(state, self.trial, strict=True):
                        copy[...] = array
                    fall = native.decrease(self.kernel, self.trial, k, far == 1, long_step)
                    if fall > best:
                        best = fall
                        state.number[CHOSEN] = 2 * k + far

    def _leave(self) -> bool:
        """Leave a degenerate vertex if a half-edge of the basis or random search descends."""
        state, seed = self.state, self.options.seed + self.n_pivots
        model = directional.local_model(self.kernel, state)
        direction = escape.best_half_edge(self.kernel, state, model)
        if direction is None and self.thorough:
            direction = directional.search(state, model, seed)
        return direction is not None and self._leap(direction)

    def _settle(self, limit: int) -> bool:
        """Go on in rational arithmetic; True if the walk can then go on in floats."""
        if not self.thorough:
            return False
        budget = self.options.proof_budget
        self.settled = settled = settle(self.loss, self.state, budget, limit)
        if settled is None:
            return False
        self._take_over(settled)
        if settled.end.verdict.direction is not None:
            if self._go_on(settled.end.verdict.direction.unit()):
                return True
            limit -= len(settled.pivots)  # too faint for floats: exactly on
            self.settled = settled = settle(self.loss, self.state, budget, limit, leaps=True)
            if settled is None:
                return False
            self._take_over(settled)
        if settled.end.verdict.method == "none":
            return 0 < limit == len(settled.pivots)
        if (
            self.options.plateau == "stop"
            or settled.end.slopes is None
            or (settled.end.slopes > 0).all()
        ):
            return False
        left = limit - len(settled.pivots)
        beyond = cross(ExactLoss(self.loss), settled, Deadline(budget), left)
        if beyond is None or beyond.end.verdict.direction is None:
            return False
        self._take_over(beyond)
        return self._go_on(beyond.end.verdict.direction.unit())

    def _take_over(self, settled: Settled) -> None:
        """Bring the state to where the exact pivots led."""
        loss, state = self.loss, self.state
        for pivot in settled.pivots:
            self._keep_exact(pivot)
        vertex = settled.end.vertex
        active = loss.index.join(vertex.active)
        if settled.pivots or not np.array_equal(active, state.basis[state.basis != FREE]):
            state.theta[:] = loss.units.inner(vertex.theta.floats().reshape(loss.shape)).ravel()
            state.basis[:] = FREE
            state.basis[: active.size] = active
            hidden = loss.index.hidden_neurons
            sides = vertex.sides
            if hidden:
                state.side[:hidden] = np.concatenate([side.T for side in sides[:-1]])
            state.side_r[:] = sides[-1].T
            state.number[N_TIED] = 0
            self.refresh()

    def _go_on(self, outer: NDArray[np.float64]) -> bool:
        """Leave along the direction (D,) in the units of the data, if floats see it descend too."""
        direction = self.loss.units.inner(outer.reshape(self.loss.shape)).ravel()
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
        _, made = native.leap(self.kernel, self.state, self.options.step == "long", 0, self.record)
        self._keep(made)
        return made > 0

    def _keep(self, made: int) -> None:
        if made:
            rows = native.Record(*(array[:made].copy() for array in self.record))
            self.log.append(rows._replace(theta=self._outer(rows.theta)))
            self.n_pivots += made

    def _keep_exact(self, pivot: Pivot) -> None:
        row = native.new_record(1, self.loss.dim)
        row.theta[0], row.loss[0] = pivot.theta, pivot.loss
        row.basis[0] = FREE
        active = self.loss.index.join(pivot.active)
        row.basis[0, : active.size] = active
        row.step[0], row.slope[0] = pivot.length, pivot.slope
        left = self.loss.index.join(pivot.leaving)
        row.leaving[0], row.entering[0] = left[0] if left.size else FREE, active[-1]
        row.flipped[0], row.descending[0] = pivot.flipped, pivot.descending
        self.log.append(row)
        self.n_pivots += 1

    # ------------------------------------------------------------ the result

    def _outer(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Parameters (..., D) of the kernels in the units of the data."""
        shape = self.loss.shape
        return self.loss.units.outer(theta.reshape(-1, *shape)).reshape(theta.shape)

    def _entries(self) -> native.Record:
        """The log in one piece, below a row for the start: its rows are the entries."""
        start = native.new_record(1, self.loss.dim)
        start.theta[0], start.loss[0] = self.first
        start.basis[0] = FREE
        parts = zip(start, *self.log, strict=True)
        return native.Record(*(np.concatenate(arrays) for arrays in parts))

    def _visited(self, log: native.Record) -> Visited:
        """What the entries `log` led to; the state must be fresh and priced."""
        return Visited(
            problem=self.loss,
            losses=log.loss,
            vertices=log.theta.reshape(-1, *self.loss.shape),
            basis=log.basis,
            descending=np.concatenate([log.descending[1:], [self.state.number[N_DESCENDING]]]),
        )

    def _trajectory(
        self,
        ended: Ended,
        certificate: Certificate,
        checkpoint: Checkpoint,
    ) -> Trajectory:
        log = self._entries()
        seen = self._visited(log)
        log = native.Record._make(array[1:] for array in log)  # its rows are the pivots
        if self.n_pivots and not ended.early:  # the end as recomputed, not as tracked
            ends = [self._outer(self.state.theta).reshape(self.loss.shape)]
            if certificate.exact:
                ends.insert(0, certificate.theta)  # where rounding it costs nothing
            seen.vertices[-1] = min(ends, key=self.loss)
            seen.losses[-1] = self.loss(seen.vertices[-1])
            active = self.loss.index.identify(certificate.active)
            seen.basis[-1] = FREE
            seen.basis[-1, : active.size] = active
        length, slope = log.step, log.slope
        if not self.loss.units.trivial:
            length = np.linalg.norm(np.diff(seen.vertices, axis=0), axis=(1, 2))
            slope = slope * np.where(length > 0, log.step / np.where(length > 0, length, 1.0), 1.0)
        return Trajectory(
            ended=ended,
            problem=self.loss,
            options=self.options,
            # Recomputing moves the last digits; the exact losses never increase.  (If more than
            # digits are lost, `certify` sees it and proves nothing.)
            losses=np.maximum.accumulate(np.maximum(seen.losses, 0.0)[::-1])[::-1].copy(),
            vertices=seen.vertices,
            basis=seen.basis,
            descending=seen.descending,
            steps=Steps(
                length, slope, log.leaving, log.entering, log.crossed, log.flipped, log.tied
            ),
            certificate=certificate,
            checkpoint=checkpoint,
            elapsed=self.elapsed,
        )


__all__ = ["PLATEAUS", "RULES", "STEPS", "Progress", "Walker"]
