"""The walk of a seed and its row: what workers do, and all that comes back from them."""

from collections.abc import Callable
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._files import pack
from .._limits import Limits
from .._logs import part_of
from .._numbers import short
from ..ended import Ended
from ..problem.loss import LayerLoss
from ..simplex.records import WalkStatus
from ..simplex.trajectory import Trajectory
from ..simplex.trajectory_file import to_arrays
from ..simplex.walk import walk

Measure = Callable[[Trajectory], dict[str, float | None]]

_CUT = (Ended.TIME_LIMIT, Ended.INTERRUPTED)


class Job(NamedTuple):
    """What all walks share.

    `options` are those of :func:`~reluplex_walk.walk`, but for `seed` and `proof`.
    """

    loss: LayerLoss
    options: dict[str, Any]
    measures: tuple[tuple[str, Measure], ...]
    keep: bool  # the trajectories


class Task(NamedTuple):
    """Walks that are made one after the other."""

    seeds: tuple[int, ...]
    proof: str  # on, off
    before: tuple[int, ...] = ()  # pivots of each, where it was made without proofs


class Row(NamedTuple):
    """A walk, by its end."""

    seed: int
    loss: float
    status: str
    reason: str | None  # why nothing is proved
    pivots: int
    seconds: float
    theta: NDArray[np.float64]  # (D,)
    key: str | None  # of the active set and all other sides; None: stopped before its end
    rank: int  # breakpoints in the basis at the end
    certificate: bytes | None  # an archive, where something is proved
    figures: dict[str, float | None]
    trajectory: bytes | None  # an archive, where it is to be kept

    @property
    def proved(self) -> bool:
        """Whether its end is a proved minimum."""
        return WalkStatus[self.status].proved


@part_of("ensemble")
def walks(job: Job, task: Task, seconds: float | None) -> list[Row]:
    """The rows of a task; those of walks that were cut by the clock or Ctrl-C are left out."""
    limits = Limits(seconds=seconds)
    rows: list[Row] = []
    for seed, before in zip_longest(task.seeds, task.before):
        traj = walk(
            job.loss, seed=seed, proof=task.proof, time_limit=limits.remaining, **job.options
        )
        if traj.ended in _CUT:
            break
        known = before == traj.n_pivots  # what is measured does not depend on proofs
        rows.append(row_of(traj, job._replace(measures=()) if known else job))
    return rows


def row_of(traj: Trajectory, job: Job) -> Row:
    """The row of a walk."""
    certificate = traj.certificate
    return Row(
        seed=traj.options.seed,
        loss=traj.loss,
        status=traj.status.name,
        reason=certificate.reason.name if certificate.reason else None,
        pivots=traj.n_pivots,
        seconds=traj.elapsed,
        theta=traj.theta.ravel(),
        key=end_key(traj),
        rank=certificate.rank,
        certificate=pack("certificate", certificate.to_arrays()) if traj.status.proved else None,
        figures=_figures(traj, job.measures),
        trajectory=packed_trajectory(traj) if job.keep else None,
    )


def end_key(traj: Trajectory) -> str | None:
    """The same text for ends that are the same vertex, or lie on the same face.

    None where the walk was stopped before its end.
    """
    if traj.ended.early:
        return None
    certificate = traj.certificate
    vanishing = np.concatenate([certificate.active, certificate.tied])
    return traj.problem.index.key(traj.problem.pattern(traj.theta), vanishing).hex()


def packed_trajectory(traj: Trajectory) -> bytes:
    """The archive that :meth:`Trajectory.load` reads."""
    return pack("trajectory", to_arrays(traj._parts()))


def _figures(traj: Trajectory, measures: tuple[tuple[str, Measure], ...]) -> dict[str, Any]:
    """What the measures say of a walk; what is not defined (NaN) is None, infinity is kept."""
    figures: dict[str, float | None] = {}
    for name, measure in measures:
        for column, value in dict(measure(traj)).items():
            if not isinstance(column, str):
                raise TypeError(
                    f"measures: expected names of columns from {name}, found {short(column)}"
                )
            if column in figures or column in Row._fields:
                raise ValueError(f"measures: {name} gives the column {column!r}, which is taken")
            number = None if value is None else float(value)
            figures[column] = None if number is None or np.isnan(number) else number
    return figures


__all__ = ["Job", "Measure", "Row", "Task", "end_key", "packed_trajectory", "row_of", "walks"]
