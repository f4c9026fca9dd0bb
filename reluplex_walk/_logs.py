"""What long functions tell the logger ``reluplex_walk``: begin, progress, end.

``@logged`` stands above every public function that takes a `time_limit`; :class:`.Limits` tells the
logger of the function that runs how far it is.  Nothing is written where no logger is switched on.
"""

import functools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from .ended import Ended
from .native._compiling import now

P = ParamSpec("P")
R = TypeVar("R")

_ROOT = logging.getLogger("reluplex_walk")
_ROOT.addHandler(logging.NullHandler())  # a library leaves handlers to those who use it


class _Running(threading.local):
    """The logger of the innermost long function that this thread is in."""

    logger: logging.Logger | None = None


_RUNNING = _Running()


def logged(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator of the long function that users call ``rw.<name>``.

    Its logger is ``reluplex_walk.<name>``: DEBUG when it begins, INFO when it ends, with the reason
    and the seconds.  Called by another long function, it is a part of that: DEBUG alone.
    """
    logger = _ROOT.getChild(name)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def told(*args: P.args, **kwargs: P.kwargs) -> R:
            outer = _RUNNING.logger
            level = logging.INFO if outer is None else logging.DEBUG
            began = now() if logger.isEnabledFor(level) else None
            _RUNNING.logger = logger
            try:
                if began is None:
                    return function(*args, **kwargs)
                logger.debug("%s: began", name)
                result: Any = None
                try:
                    result = function(*args, **kwargs)
                finally:
                    _tell_end(logger, level, name, result, now() - began)
                return result
            finally:
                _RUNNING.logger = outer

        return told

    return decorate


def _tell_end(
    logger: logging.Logger, level: int, name: str, result: object, seconds: float
) -> None:
    """Why `result` ended; without one, an error came out."""
    if isinstance(result, list | tuple) and not hasattr(result, "ended"):
        result = result[-1] if result else result  # of fits, one after the other
    ended = getattr(result, "ended", None)
    if isinstance(ended, Ended):
        logger.log(level, "%s: %s after %.3g s (%s)", name, ended.name, seconds, ended.message)
    else:
        logger.log(level, "%s: %s after %.3g s", name, _word(result), seconds)


def _word(result: object) -> str:
    return "ended by an error" if result is None else "done"


@contextmanager
def part_of(name: str) -> Iterator[None]:
    """Work for the long function `name`, also where that runs in another thread or process."""
    outer, _RUNNING.logger = _RUNNING.logger, _ROOT.getChild(name)
    try:
        yield
    finally:
        _RUNNING.logger = outer


def telling() -> logging.Logger | None:
    """The logger to be told how far the long function is that runs, None where it hears nothing."""
    logger = _RUNNING.logger
    return logger if logger is not None and logger.isEnabledFor(logging.DEBUG) else None


__all__ = ["logged", "part_of", "telling"]
