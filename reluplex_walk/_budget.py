"""`Budget`: how much work a proof may take, the same on every machine however busy.

Provers count what they do: each operation spends an amount that its sizes alone decide.  The unit
is about a microsecond of computing; one constant says how much of it a second is.
"""

from ._limits import Limits
from .ended import Ended
from .tolerances import WORK_PER_SECOND

_GRACE = 0.2  # seconds by which work that is done all at once may exceed a time limit


class Budget:
    """Work that may be done, within the limits of the walk (or search) that it is part of.

    Parameters
    ----------
    work : float
        How much of it.
    limits : Limits, optional
        A time limit and Ctrl-C end the work, too.

    Attributes
    ----------
    spent : float
        Work done so far.
    cut : Ended or None
        The limit that was seen to be over, before the work was done.
    """

    def __init__(self, work: float, limits: Limits | None = None) -> None:
        self.work = work
        self.limits = limits or Limits()
        self.spent = 0.0
        self.cut: Ended | None = None
        self._whole: Budget | None = None  # that this is a part of

    @classmethod
    def of(cls, seconds: float, limits: Limits | None = None) -> "Budget":
        """The work that so many seconds are converted to."""
        return cls(seconds * WORK_PER_SECOND, limits)

    def spend(self, work: float) -> None:
        """Count so much work."""
        self.spent += work
        if self._whole is not None:
            self._whole.spend(work)

    def begin(self, work: float) -> bool:
        """Whether there is room for so much work, all at once; it is counted."""
        room = work <= self.left
        self.spend(work)
        if room and work > (self.limits.left + _GRACE) * WORK_PER_SECOND:
            self._stop(Ended.TIME_LIMIT)
        return room and not self.passed

    @property
    def left(self) -> float:
        """Work that may still be done."""
        return max(0.0, self.work - self.spent)

    def part(self, share: float) -> "Budget":
        """A smaller one, of this share of what is left; what it spends is spent here, too."""
        part = Budget(share * self.left, self.limits)
        part._whole = self
        return part

    @property
    def passed(self) -> bool:
        """Whether to stop: the work is done, or a limit is over."""
        if self.cut is None and (over := self.limits.over) is not None:
            self._stop(over)
        return self.cut is not None or self.spent > self.work

    def _stop(self, over: Ended | None) -> None:
        self.cut = over
        if self._whole is not None:
            self._whole._stop(over)


__all__ = ["Budget"]
