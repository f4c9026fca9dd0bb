"""What users see of the compiler: that it works, and no time that it takes.

A first call compiles what it needs.  No time limit runs meanwhile, in whatever thread, and no time
that is shown contains it: whoever measures one takes off how far :data:`COMPILING` has advanced.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress


def tell(text: str | None) -> None:
    """Show one line on stderr; what is compiled on a terminal, else once that it is."""
    # A stderr that is closed or None, or something that somebody put there, is no error.
    with suppress(OSError, ValueError, AttributeError):
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K" + (f"reluplex_walk: {text}" if text else ""))
            sys.stderr.flush()
        elif text and not COMPILING.told:
            COMPILING.told = True
            sys.stderr.write("reluplex_walk: compiling its kernels, once\n")  # in one piece
            sys.stderr.flush()


class Compiling:
    """The clock of the compiler, a context in which it runs.

    Attributes
    ----------
    tell : callable
        Told in words what is compiled, and None after it.
    told : bool
        Whether there is nothing more to say where there is no terminal.
    """

    def __init__(self) -> None:
        self.tell: Callable[[str | None], None] = tell
        self.told = False
        self.count = 0  # entries compiled in this process, or for it
        self._lock = threading.Lock()
        self._running = 0  # contexts that have been entered, in all threads
        self._began = self._before = 0.0

    def __enter__(self) -> "Compiling":
        with self._lock:
            if not self._running:
                self._began = time.perf_counter()
            self._running += 1
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._running -= 1
            if not self._running:
                self._before += time.perf_counter() - self._began

    @property
    def seconds(self) -> float:
        """Wall time spent so far."""
        with self._lock:
            return self._before + (time.perf_counter() - self._began if self._running else 0.0)

    def begin(self, name: str) -> None:
        """Say that an entry is being compiled."""
        self.count += 1
        self.tell(f"compiling its kernels, once: {name} ({self.count})")


COMPILING = Compiling()


def now() -> float:
    """A clock, in seconds, that stands still while kernels are compiled."""
    return time.perf_counter() - COMPILING.seconds


__all__ = ["COMPILING", "Compiling", "now", "tell"]
