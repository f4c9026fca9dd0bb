"""The log of a walk: what the kernels and the exact pivots wrote down, and the trajectory of it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..ended import Ended
from ..native import walk as native
from ..native.arrays import FREE, N_DESCENDING, State
from ..problem.loss import LayerLoss
from ..proof.certificate import Certificate, unproved
from ..proof.reason import Reason
from ..tolerances import SIMPLEX
from .exact_pivots import Pivot
from .level import Visited
from .records import Checkpoint, Steps, WalkOptions
from .trajectory import Trajectory

Floats = NDArray[np.float64]


class Log:
    """The entries of a walk from its start on, in the parameters and units of the data.

    Parameters that are not free are those of the start throughout.  Entry 0 is the start, entry k
    what pivot k led to.
    """

    def __init__(self, loss: LayerLoss, start: Floats, value: float) -> None:
        self.loss = loss
        first = self._row(start.ravel(), value)
        self.parts = [first]
        self.known: list[Floats] = []  # further points (h, q), lower perhaps than all entries
        self.n_pivots = 0

    @classmethod
    def of(cls, trajectory: Trajectory, n_pivots: int) -> "Log":
        """The log of a walk up to a pivot."""
        log = cls(trajectory.problem, trajectory.vertices[0], float(trajectory.losses[0]))
        if n_pivots == 0:
            return log
        k, steps = slice(0, n_pivots), trajectory.steps
        log.parts.append(
            native.Pivots(
                theta=trajectory.vertices[1:].reshape(-1, log.loss.dim)[k].copy(),
                loss=trajectory.tracked[1:][k].copy(),
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
        )
        log.n_pivots = n_pivots
        return log

    @property
    def start(self) -> Floats:
        """Parameters (h, q) at the start."""
        return self.parts[0].theta.reshape(self.loss.shape)

    @property
    def first_loss(self) -> float:
        """The loss there."""
        return float(self.parts[0].loss[0])

    def outer(self, theta: Floats) -> Floats:
        """Parameters (k, D) for free ones (k, n_free) of the kernels."""
        inner = theta.reshape(-1, *self.loss.free_shape)
        return self.loss.free_units.outer(inner, self.start).reshape(-1, self.loss.dim)

    def _row(self, theta: Floats, value: float) -> native.Pivots:
        """An entry with no active breakpoint at `theta` (D,), where the loss is `value`."""
        row = native.new_record(1, self.loss.n_free)
        row.loss[0], row.basis[0] = value, FREE
        return replace(row, theta=theta[None].copy())

    @property
    def last(self) -> native.Pivots:
        """The last entry, in arrays of length 1."""
        return native.Pivots(*(array[-1:] for array in self.parts[-1]))

    def between(self, first: int, last: int) -> Floats:
        """Parameters (last - first, D) of the entries from `first` on, before `last`."""
        found, at = [self.start.reshape(1, -1)[:0]], self.n_pivots + 1
        for part in reversed(self.parts):
            at -= len(part.loss)
            found.append(part.theta[max(first - at, 0) : max(last - at, 0)])
            if at <= first:
                break
        return np.concatenate(found[::-1])

    def keep(self, record: native.Pivots, made: int) -> bool:
        """Write down the first `made` pivots of a kernel's record, as copies.

        False if the loss rises by more than rounding on one of them: it and those after it are
        left out.
        """
        rows = native.Pivots(*(array[:made].copy() for array in record))
        rows = replace(rows, theta=self.outer(rows.theta))
        kept = made
        if made and self._doubtful(rows):
            for k, theta in enumerate(rows.theta):
                before = float(rows.loss[k - 1]) if k else float(self.last.loss[0])
                rows.loss[k] = self.loss(theta)
                if self.rises(before, float(rows.loss[k])):
                    kept = k
                    break
        if kept:
            self.parts.append(native.Pivots(*(array[:kept] for array in rows)))
            self.n_pivots += kept
        return kept == made

    def correct(self, inner: Floats) -> None:
        """Put the last entry where it was recomputed, at the free parameters `inner` (n_free,).

        Unless the loss would then rise to it.  Where the entry was stays among the points known.
        """
        last = self.parts[-1]
        if self.n_pivots == 0 or len(last.loss) == 0:
            return
        before = last if len(last.loss) > 1 else self.parts[-2]
        at = -2 if before is last else -1
        theta = self.outer(inner)[0]
        value = self.loss(theta)
        if not self.rises(float(before.loss[at]), value):
            self.known.append(last.theta[-1].reshape(self.loss.shape).copy())
            last.theta[-1], last.loss[-1] = theta, value

    def rises(self, before: float, after: float) -> bool:
        """Whether a loss `after` a pivot lies above that `before` by more than rounding."""
        size = self.loss.target_size or self.first_loss
        return not after <= before + SIMPLEX.rise * before + SIMPLEX.rise_targets * size

    def _doubtful(self, rows: native.Pivots) -> bool:
        """Whether rounding may move the losses by as much as matters."""
        if not self.loss.free_units.units.trivial:
            return True
        theta, tracked = rows.theta[-1].reshape(self.loss.shape), float(rows.loss[-1])
        rounding = SIMPLEX.rounding * self.loss.magnitude(theta)
        off = abs(self.loss(theta) - tracked)
        most = max(rounding, off / SIMPLEX.drifted)
        at_once = self.rises(float(self.last.loss[0]), float(rows.loss[0]))
        return at_once or not most <= SIMPLEX.rise * tracked

    def stalled(self, pivots: int) -> bool:
        """Whether the last `pivots` pivots did not lower the loss by more than rounding."""
        now, back = float(self.last.loss[0]), pivots
        if self.n_pivots < pivots:
            return False
        for part in reversed(self.parts):
            if len(part.loss) > back:
                before = float(part.loss[len(part.loss) - 1 - back])
                return now >= before * (1.0 - SIMPLEX.stalled)
            back -= len(part.loss)
        return False

    def keep_exact(self, pivot: Pivot) -> None:
        """Write down a pivot that was made in rational arithmetic.

        Unless the loss would rise to where it leads: rounding had carried floats below, or they
        cannot hold that vertex.
        """
        value = self.loss(pivot.theta)
        if self.rises(float(self.last.loss[0]), value):
            return
        row = self._row(pivot.theta, value)
        active = self.loss.index.join(pivot.active)
        row.basis[0, : active.size] = active
        row.step[0], row.slope[0] = pivot.length, pivot.slope
        left = self.loss.index.join(pivot.leaving)
        row.leaving[0], row.entering[0] = left[0] if left.size else FREE, active[-1]
        row.flipped[0], row.descending[0] = pivot.flipped, pivot.descending
        self.parts.append(row)
        self.n_pivots += 1

    def _joined(self) -> native.Pivots:
        return native.Pivots(*(np.concatenate(arrays) for arrays in zip(*self.parts, strict=True)))

    def visited(self, state: State) -> Visited:
        """The entries so far; `state` is at the last one, recomputed and priced."""
        return self._visited(self._joined(), int(state.number[N_DESCENDING]))

    def _visited(self, rows: native.Pivots, descending: int) -> Visited:
        return Visited(
            problem=self.loss,
            losses=rows.loss,
            vertices=rows.theta.reshape(-1, *self.loss.shape),
            basis=rows.basis,
            descending=np.concatenate([rows.descending[1:], [descending]]),
        )

    def trajectory(
        self,
        options: WalkOptions,
        state: State,
        ended: Ended,
        certificate: Certificate,
        checkpoint: Checkpoint,
        elapsed: float,
    ) -> Trajectory:
        """The walk as a result; `state` is at its last point, recomputed and priced."""
        rows = self._joined()
        seen = self._visited(rows, int(state.number[N_DESCENDING]))
        end = self.outer(state.theta).reshape(self.loss.shape)
        last = certificate.theta if certificate.is_local_minimum else end
        kept = not self.n_pivots or self.rises(float(seen.losses[-2]), self.loss(last))
        if not ended.early and not kept:  # the end as recomputed, not as tracked
            seen.vertices[-1] = last
            seen.losses[-1] = self.loss(last)
            active = self.loss.index.identify(certificate.active)
            seen.basis[-1] = FREE
            seen.basis[-1, : active.size] = active
        if certificate.is_local_minimum:
            seen.descending[-1] = 0
        theta = self._best(seen, [*self.known, end, certificate.theta])
        if certificate.is_local_minimum:
            if self.rises(self.loss(theta), self.loss(certificate.theta)):
                certificate = unproved(certificate, Reason.PRECISION)
            else:
                theta = certificate.theta
        return Trajectory(
            ended=ended,
            problem=self.loss,
            options=options,
            theta=theta,
            tracked=seen.losses,
            vertices=seen.vertices,
            basis=seen.basis,
            descending=seen.descending,
            steps=self._steps(rows, seen.vertices),
            certificate=certificate,
            checkpoint=checkpoint,
            elapsed=elapsed,
        )

    def _best(self, seen: Visited, ends: list[Floats]) -> Floats:
        """The lowest of the vertices and `ends`, of equals the first."""
        lowest = seen.vertices[np.argmin(seen.losses)]
        known = [theta for theta in (lowest, seen.vertices[-1], *ends) if np.isfinite(theta).all()]
        return min(known, key=self.loss).copy()

    def _steps(self, rows: native.Pivots, vertices: Floats) -> Steps:
        pivots = native.Pivots(*(array[1:] for array in rows))
        length, slope = pivots.step, pivots.slope
        if not self.loss.free_units.units.trivial:
            length = np.linalg.norm(np.diff(vertices, axis=0), axis=(1, 2))
            per_step = pivots.step / np.where(length > 0, length, 1.0)
            slope = slope * np.where(length > 0, per_step, 1.0)
        return Steps(
            length=length,
            slope=slope,
            leaving=pivots.leaving,
            entering=pivots.entering,
            crossed=pivots.crossed,
            flipped=pivots.flipped,
            tied=pivots.tied,
        )


__all__ = ["Log"]
