"""Work that does not look at limits itself, done in a thread of its own while this one looks.

Python tells its main thread of Ctrl-C, and only between two steps of its own: compiled code, which
runs without Python's lock, would keep it waiting.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

from ._limits import Limits

T = TypeVar("T")

LOOK = 0.02
"""Seconds from one look at the limits to the next."""


def polled(
    work: Callable[[], T], limits: Limits, stop: Callable[[], object] | None = None
) -> T | None:
    """The result of `work`; where a limit is over before, None.

    It is then left to end by itself, or, if there is a way to `stop` it, waited for: its result is
    what it has by then.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(LOOK)
        if limits.over is not None and thread.is_alive():
            if stop is None:
                return None
            stop()
            thread.join()
    if errors:
        raise errors[0]
    return results[0]


__all__ = ["LOOK", "polled"]
