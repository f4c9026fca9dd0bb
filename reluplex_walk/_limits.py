"""Limits of long work: how much of it, a clock, Ctrl-C and the caller, looked at in one call.

Work is done in chunks that are never cut in two; between them one call of :meth:`Limits.look` says
why to stop.  A loop that can run long has one.
"""

import math
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from ._logs import telling
from .ended import Ended
from .native._compiling import now


class _CtrlC:
    """A handler of Ctrl-C: the first one is noted, to be looked at; a second one raises."""

    def __init__(self) -> None:
        self.pressed = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True


class Limits:
    """What ends work before its own end.

    In a ``with`` block Ctrl-C does not raise but is noted.  Blocks nest: work within other work,
    however deep, sees the Ctrl-C of the outermost block, which restores the handler.  Python tells
    the main thread alone of Ctrl-C, so that in others nothing is changed.

    Parameters
    ----------
    work : int, optional
        How much may be done: pivots, walks, regions.
    seconds : float, optional
        From now on, those in which kernels are compiled, by any thread, not counted.
    callback : callable, optional
        Told how far the work is; StopIteration and KeyboardInterrupt raised in it count as Ctrl-C.
    """

    def __init__(
        self,
        work: int | None = None,
        seconds: float | None = None,
        callback: Callable[[Any], Any] | None = None,
    ) -> None:
        self.began = now()
        self.work = work
        self.seconds = math.inf if seconds is None else seconds
        self.callback = callback
        self._logger = telling()
        self.called_off = False  # by the callback
        self._ctrl_c = _CtrlC()
        self._before: Any = None  # the handler to be restored
        self._outermost = True

    @classmethod
    def asked(
        cls,
        time_limit: float | None,
        callback: Callable[[Any], Any] | None,
        work: int | None = None,
    ) -> "Limits":
        """Those that a user asks for, checked; from now on."""
        from ._validate import function, positive  # here: the command line's help loads no NumPy

        if time_limit is not None:
            positive("time_limit", time_limit)
        function("callback", callback)
        return cls(work, time_limit, callback)

    def __enter__(self) -> "Limits":
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if isinstance(handler, _CtrlC):
                self._ctrl_c, self._outermost = handler, False
            elif handler is not None:  # one that Python can restore
                self._before = signal.signal(signal.SIGINT, self._ctrl_c)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def look(self, done: int = 0, progress: Any = None) -> Ended | None:
        """Why to stop after `done` of the work, if there is a reason.

        The callback and the log are told of `progress`, if that is given.
        """
        if self._logger is not None and progress is not None:
            self._logger.debug("%s: %s", self._logger.name.partition(".")[2], progress)
        if self.interrupted or self._called_off(progress):
            return Ended.INTERRUPTED
        if self.work is not None and done >= self.work:
            return Ended.WORK_LIMIT
        return self.over

    @property
    def over(self) -> Ended | None:
        """Why to stop, whatever was done, if Ctrl-C was pressed or the seconds are over."""
        if self.interrupted:
            return Ended.INTERRUPTED
        return Ended.TIME_LIMIT if self.elapsed >= self.seconds else None

    @property
    def remaining(self) -> float | None:
        """Seconds for work within this work; None if there is no limit."""
        return None if math.isinf(self.seconds) else max(self.left, 1e-9)

    def pass_to(self, progress: Any) -> None:
        """Tell the caller, as the callback of work within this work; StopIteration if to stop.

        The work within has its own time limit, what is `remaining` of this one.
        """
        if self.interrupted or self._called_off(progress):  # the work within has told the log
            raise StopIteration

    def pass_on(self) -> None:
        """After the block: raise the KeyboardInterrupt of a Ctrl-C that came too late to matter.

        For short work that is done in loops, which could else not be interrupted at all.
        """
        if self.interrupted and self._outermost:
            raise KeyboardInterrupt

    def _called_off(self, progress: Any) -> bool:
        if self.callback is None or progress is None:
            return False
        try:
            self.callback(progress)
        except (StopIteration, KeyboardInterrupt):
            self.called_off = True
        return self.interrupted

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C was pressed, or the callback said stop."""
        return self._ctrl_c.pressed or self.called_off

    @property
    def elapsed(self) -> float:
        """Seconds since the limits were made, without those that kernels took to compile."""
        return now() - self.began

    @property
    def left(self) -> float:
        """Seconds that are left, inf if there is no limit."""
        return max(0.0, self.seconds - self.elapsed)


__all__ = ["Limits"]
