"""A search for regions divided into subtrees, which threads work through.

The kernels run without Python's lock, so threads run on as many cores.  How the search is divided
does not depend on their number, nor do the regions of a subtree and their order.
"""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event

from ..native.arrays import KernelArrays
from ..native.region_arrays import Stack
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
) -> Generator[tuple[int, Chunk | None], None, None]:
    """(root, chunk of its regions) as `threads` threads find them; (root, None) after the last one.

    Each thread works on an empty stack of its own, made by `search`.  Once `stop` is set, all end
    with the chunk they are at.
    """
    waiting: SimpleQueue[tuple[int, Root] | None] = SimpleQueue()
    arrived: SimpleQueue[tuple[int, Chunk | None] | None] = SimpleQueue()
    for item in (*enumerate(roots), *[None] * threads):
        waiting.put(item)

    def work() -> None:
        try:
            stack, settle = search()
            for number, root in iter(waiting.get, None):
                for chunk in subdivide(kernel, stack, root, settle):
                    arrived.put((number, chunk))
                    if stop.is_set():
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
                found = arrived.get()
                if found is None:
                    running -= 1
                else:
                    yield found
        finally:
            stop.set()
    for worker in workers:
        worker.result()  # raises what went wrong in it


__all__ = ["divide", "explore"]
