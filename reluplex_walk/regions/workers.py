"""A search for regions divided into subtrees, which workers of an executor go through in slices.

After a slice a worker sends what it found and what is left of its subtree: nothing long is lost
where the search is stopped.  How it is divided, and where slices end, changes no bit of any region,
nor their order.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from threading import Event

from .._executors import Workers
from .._limits import Limits
from ..native.arrays import KernelArrays
from ..native.region_arrays import Stack
from ..problem.loss import LayerLoss
from .essential import Coordinates
from .search import new_search
from .subdivision import Chunk, Root, Settle, pausing, split_off

_PER_WORKER = 32  # subtrees: the last ones to be searched are then small parts of the whole
_MOST = 1024  # subtrees: dividing is work of the client
_SLICE = 0.5  # seconds
_CHUNK = 128  # regions between two looks at the clock
_TIME_SHARE = 0.95  # of the time left: what was found must come back in time

Task = tuple[int, list[Root], int | None]
"""Number of a subtree, what is left of it, how many regions are enough."""


def spread(
    kernel: KernelArrays, stack: Stack, settle: Settle, roots: list[Root], size: int
) -> list[Root]:
    """`roots`, split into enough parts for `size` workers, each as a search would come to it."""
    while len(roots) < min(_PER_WORKER * size, _MOST):
        parts = [part for root in roots for part in split_off(kernel, stack, root, settle)]
        if len(parts) == len(roots):
            break
        roots = parts
    return roots


def explore_on(
    workers: Workers, roots: list[Root], stop: Event, limits: Limits
) -> Generator[tuple[int, Chunk | None], None, None]:
    """(root, chunk of its regions) as `workers` find them; (root, None) after the last one.

    The chunks of each root come in order.  Once `stop` is set it ends with the slice at hand.
    """
    waiting = _Waiting((number, [root], limits.work) for number, root in enumerate(roots))
    for (number, _, most), (chunks, left) in workers.run(waiting, limits):
        if left:
            waiting.first((number, left, most))
        for chunk in chunks:
            yield number, chunk
        if not left:
            yield number, None
        if stop.is_set():
            return


class _Waiting:
    """Tasks to be sent, to which others may be added at any time."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self.tasks = deque(tasks)

    def first(self, task: Task) -> None:
        """To be sent next."""
        self.tasks.appendleft(task)

    def __iter__(self) -> Iterator[Task]:
        return self

    def __next__(self) -> Task:
        if not self.tasks:
            raise StopIteration
        return self.tasks.popleft()


def explore_some(
    shared: tuple[LayerLoss, Coordinates], task: Task, seconds: float | None
) -> tuple[list[Chunk], list[Root]]:
    """The regions that a slice of time, in a worker, suffices for, and what is left."""
    loss, space = shared
    _, roots, most = task
    stack, settle = new_search(loss, space, _CHUNK)
    limits = Limits(most, _SLICE if seconds is None else min(_SLICE, _TIME_SHARE * seconds))
    chunks: list[Chunk] = []
    count = 0
    for k, root in enumerate(roots):
        for chunk, rest in pausing(loss.kernel, stack, root, settle):
            chunks.append(chunk)
            count += len(chunk.point)
            if limits.look(count) is not None:
                return chunks, [*rest(), *roots[k + 1 :]]
    return chunks, []


__all__ = ["explore_on", "explore_some", "spread"]
