"""The walks of `minimize`: one after the other, or in rounds on the workers of an executor.

All walks of a round start from what the round before knew, and are taken in the order of their
numbers: who made them, and which came first, decides nothing.  A round has as many walks on two
workers as on a hundred.
"""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._executors import Workers
from .._limits import Limits
from ..simplex.trajectory import Trajectory
from .scout import Scout
from .search import Search

Floats = NDArray[np.float64]

_ROUND = 8  # walks
_TIME_SHARE = 0.95  # of the time left: a walk that is cut short must come back in time


@contextmanager
def walks(search: Search, executor: Any, limits: Limits) -> Iterator[Iterator[Trajectory]]:
    """The walks of `search` in their order; each is to be taken before the next one is asked for.

    They end where `limits` are over, and not before the first one.
    """
    scout = Scout(search.loss, search.options)
    if executor is None:
        yield _in_turn(search, scout, limits)
        return
    with (
        Workers(executor, _walk, scout) as workers,
        closing(_in_rounds(search, workers, limits)) as found,
    ):
        yield _at_least_one(found, search, scout, limits)


def _in_turn(search: Search, scout: Scout, limits: Limits) -> Iterator[Trajectory]:
    while limits.over is None or not search.losses:
        yield scout.walk(search.start(len(search.losses)), limits)


def _at_least_one(
    found: Iterator[Trajectory], search: Search, scout: Scout, limits: Limits
) -> Iterator[Trajectory]:
    """Those `found`; where no worker came to an end in time, what there is time for here."""
    yield from found
    if not search.losses:
        yield scout.walk(search.starts[0], limits)


def _in_rounds(
    search: Search, workers: Workers, limits: Limits
) -> Generator[Trajectory, None, None]:
    while limits.over is None:
        first = len(search.losses)
        size = _ROUND if limits.work is None else min(_ROUND, limits.work - first)
        tasks = [(number, search.start(number)) for number in range(first, first + size)]
        waiting: dict[int, dict[str, Any]] = {}  # those that came before their turn
        for (number, _), end in workers.run(tasks, limits):
            waiting[number] = end
            while len(search.losses) in waiting:
                yield Trajectory(problem=search.loss, **waiting.pop(len(search.losses)))
        for number in sorted(waiting):  # at a limit, walks that came before slower ones
            yield Trajectory(problem=search.loss, **waiting[number])


def _walk(scout: Scout, task: tuple[int, Floats], seconds: float | None) -> dict[str, Any]:
    """A walk, in a worker."""
    limits = Limits(seconds=None if seconds is None else _TIME_SHARE * seconds)
    return _from_checkpoint(scout.walk(task[1], limits))


def _from_checkpoint(traj: Trajectory) -> dict[str, Any]:
    """What `traj` is made of, but for its problem, as if the walk had started at its checkpoint.

    That is all that is needed for a proof or a kick: some kB, where a walk of thousands of pivots
    takes hundreds of MB.
    """
    parts = {field.name: getattr(traj, field.name) for field in fields(traj)}
    del parts["problem"]
    k = traj.checkpoint.n_pivots
    for name in ("tracked", "vertices", "basis", "descending"):
        parts[name] = parts[name][k:].copy()
    steps = vars(traj.steps)
    parts["steps"] = type(traj.steps)(**{name: rows[k:].copy() for name, rows in steps.items()})
    return parts | {"checkpoint": replace(traj.checkpoint, n_pivots=0)}


__all__ = ["walks"]
