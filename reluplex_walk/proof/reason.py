"""`Reason`: why a local minimum is not proved, and what to do about it."""

from enum import Enum


class Reason(Enum):
    """Why nothing is proved of the end of a walk.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.Reason.UNFINISHED.message
    'the walk stopped before its end'
    >>> rw.Reason.UNFINISHED.remedy
    'resume it with a higher limit: rw.walk(loss, resume=trajectory)'
    """

    UNFINISHED = (
        "the walk stopped before its end",
        "resume it with a higher limit: rw.walk(loss, resume=trajectory)",
    )
    OFF = ("no proof was asked for", "walk again with proof='on'")
    BUDGET = (
        "the proof did not end within proof_budget",
        "give it more: rw.walk(loss, start=trajectory.theta, proof_budget=...)",
    )
    BLOCK = (
        "too many breakpoints that depend on each other vanish at the end",
        "move the data apart (jitter ties), or try other starts",
    )
    PRECISION = (
        "floats do not lead to the exact vertex: the data are too badly scaled",
        "bring the columns of X to sizes near 1 and round what is noise",
    )
    PARAMETERS = (
        "floats cannot hold the parameters of the exact end: rounded, the loss is higher there",
        "use certificate.point, or scale the columns of X to sizes near 1",
    )
    DESCENDS = (
        "the loss descends from the end, too faintly for floats to follow",
        "bring the columns of X to sizes near 1",
    )

    @property
    def message(self) -> str:
        """The reason in words."""
        return self.value[0]

    @property
    def remedy(self) -> str:
        """What may help."""
        return self.value[1]


__all__ = ["Reason"]
