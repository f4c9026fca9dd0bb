"""A search for regions divided into subtrees, which threads work through.

The kernels run without Python's lock, so threads run on as many cores.  How the search is divided
does not depend on their number, nor do the regions of a subtree and their order.
"""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Event

from numpy.typing import NDArray

from .._limits import Limits
from .._threads import LOOK
from ..native.arrays import KernelArrays
from ..native.region_arrays import N_STOP, Stack
from .subdivision import Chunk, Root, Settle, halves, subdivide

_ENOUGH = 16  # subtrees: work for several threads, at little cost for small problems


def divide(kernel: KernelArrays, stack: Stack, settle: Settle, roots: list[Root]) -> list[Root]:
    """`roots`, split until there are enough of them, in the order of a depth-first search."""
    while len(roots) < _ENOUGH:
        parts = [part for root in roots for part in halves(kernel, stack, root, settle)]
        if len(parts) == len(roots):
            break
        roots = parts
    return roots


def explore(
    kernel: KernelArrays,
    search: Callable[[], tuple[Stack, Settle]],
    roots: list[Root],
    threads: int,
    stop: Event,
    limits: Limits,
) -> Generator[tuple[int, Chunk | None], None, None]:
    """(root, chunk of its regions) as `threads` threads find them; (root, None) after the last one.

    Each thread works on an empty stack of its own, made by `search`.  Once `stop` is set, all end
    with the chunk they are at; where `limits` are over, they stop at once.
    """
    numbers: list[NDArray] = []
    waiting: SimpleQueue[tuple[int, Root] | None] = SimpleQueue()
    arrived: SimpleQueue[tuple[int, Chunk | None] | None] = SimpleQueue()
    for item in (*enumerate(roots), *[None] * threads):
        waiting.put(item)

    def work() -> None:
        try:
            stack, settle = search()
            numbers.append(stack.number)
            for number, root in iter(waiting.get, None):
                for chunk in subdivide(kernel, stack, root, settle):
                    arrived.put((number, chunk))
                    if stop.is_set():
                        return
                if stack.number[N_STOP]:
                    return
                arrived.put((number, None))
        except BaseException:
            stop.set()  # the others need not go on
            raise
        finally:
            arrived.put(None)

    with ThreadPoolExecutor(threads) as pool:
        workers = [pool.submit(work) for _ in range(threads)]
        try:
            running = threads
            while running:
                try:
                    found = arrived.get(timeout=LOOK)
                except Empty:
                    if limits.over is not None:
                        stop.set()
                        halt(numbers)
                    continue
                if found is None:
                    running -= 1
                else:
                    yield found
        finally:
            stop.set()
    for worker in workers:
        worker.result()  # raises what went wrong in it


def halt(numbers: list[NDArray]) -> None:
    """Stop the kernels that work on the stacks with these ``Stack.number``."""
    for number in numbers:
        number[N_STOP] = 1


__all__ = ["divide", "explore", "halt"]
