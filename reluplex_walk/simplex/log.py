"""The log of a walk: what the kernels and the exact pivots wrote down, and the trajectory of it."""

import numpy as np
from numpy.typing import NDArray

from ..ended import Ended
from ..native import walk as native
from ..native.arrays import FREE, N_DESCENDING, State
from ..problem.loss import LayerLoss
from ..proof.certificate import Certificate
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
        self.n_pivots = 0

    @classmethod
    def of(cls, trajectory: Trajectory, n_pivots: int) -> "Log":
        """The log of a walk up to a pivot."""
        log = cls(trajectory.problem, trajectory.vertices[0], float(trajectory.losses[0]))
        k, steps = slice(0, n_pivots), trajectory.steps
        log.parts.append(
            native.Record(
                theta=trajectory.vertices[1:].reshape(-1, log.loss.dim)[k],
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

    def _row(self, theta: Floats, value: float) -> native.Record:
        """An entry with no active breakpoint at `theta` (D,), where the loss is `value`."""
        row = native.new_record(1, self.loss.n_free)
        row.loss[0], row.basis[0] = value, FREE
        return row._replace(theta=theta[None].copy())

    def keep(self, record: native.Record, made: int) -> None:
        """Write down the first `made` pivots of a kernel's record, as copies."""
        if made:
            rows = native.Record(*(array[:made].copy() for array in record))
            self.parts.append(rows._replace(theta=self.outer(rows.theta)))
            self.n_pivots += made

    def keep_exact(self, pivot: Pivot) -> None:
        """Write down a pivot that was made in rational arithmetic."""
        row = self._row(pivot.theta, pivot.loss)
        active = self.loss.index.join(pivot.active)
        row.basis[0, : active.size] = active
        row.step[0], row.slope[0] = pivot.length, pivot.slope
        left = self.loss.index.join(pivot.leaving)
        row.leaving[0], row.entering[0] = left[0] if left.size else FREE, active[-1]
        row.flipped[0], row.descending[0] = pivot.flipped, pivot.descending
        self.parts.append(row)
        self.n_pivots += 1

    def _joined(self) -> native.Record:
        return native.Record(*(np.concatenate(arrays) for arrays in zip(*self.parts, strict=True)))

    def visited(self, state: State) -> Visited:
        """The entries so far; `state` is at the last one, recomputed and priced."""
        return self._visited(self._joined(), int(state.number[N_DESCENDING]))

    def _visited(self, rows: native.Record, descending: int) -> Visited:
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
        if self.n_pivots and not ended.early:  # the end as recomputed, not as tracked
            ends = [self.outer(state.theta).reshape(self.loss.shape)]
            if certificate.exact:
                ends.insert(0, certificate.theta)  # where rounding it costs nothing
            seen.vertices[-1] = min(ends, key=self.loss)
            seen.losses[-1] = self.loss(seen.vertices[-1])
            active = self.loss.index.identify(certificate.active)
            seen.basis[-1] = FREE
            seen.basis[-1, : active.size] = active
        return Trajectory(
            ended=ended,
            problem=self.loss,
            options=options,
            # Recomputing moves the last digits; the exact losses never increase.  (If more than
            # digits are lost, `certify` sees it and proves nothing.)
            losses=np.maximum.accumulate(np.maximum(seen.losses, 0.0)[::-1])[::-1].copy(),
            vertices=seen.vertices,
            basis=seen.basis,
            descending=seen.descending,
            steps=self._steps(rows, seen.vertices),
            certificate=certificate,
            checkpoint=checkpoint,
            elapsed=elapsed,
        )

    def _steps(self, rows: native.Record, vertices: Floats) -> Steps:
        pivots = native.Record._make(array[1:] for array in rows)
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
