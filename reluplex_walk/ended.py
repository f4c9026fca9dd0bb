"""`Ended`: why a walk, a search or a fit stopped."""

from enum import Enum


class Ended(Enum):
    """Why work stopped.  What is proved of its result is another matter: see its certificate.

    Attributes
    ----------
    FINISHED
        It came to its own end: a walk to a vertex from which nothing was found to descend, a
        search to the last region or vertex.  Look at what is proved (``certificate``,
        ``complete``, ``optimal``).
    WORK_LIMIT
        The work that was allowed is done: pivots, walks, regions, vertices, steps.  Allow more; a
        walk goes on with ``resume``.
    TIME_LIMIT
        The seconds of `time_limit` are over.  Allow more; a walk goes on with ``resume``.
    INTERRUPTED
        By Ctrl-C, or by StopIteration or KeyboardInterrupt raised in the callback.  What was found
        until then is there; a walk goes on with ``resume``.
    LEVEL_GAP
        The estimated remaining decrease is below `stop_at_level_gap`.  ``resume`` for the end and
        its proof.
    STOPPED
        `stop_when` said so: a callable, or the held-out loss did not fall any more.  ``resume``
        goes on.
    PRECISION
        Floats can follow the walk no further.  Bring the data to unit size, subtract large
        offsets, and leave out columns that depend on others up to rounding.
    DIVERGED
        A gradient method came to parameters at which floats do not hold the loss or its gradient;
        what was found before is there.  Take a smaller learning rate.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> traj = rw.walk(loss, max_pivots=20)
    >>> traj.ended.name, traj.ended.message
    ('WORK_LIMIT', 'stopped at its limit of work, before its end')
    >>> traj.ended.early, traj.ended.advice
    (True, 'allow more, or resume it')
    """

    FINISHED = ("came to its own end", "look at what is proved of the result")
    WORK_LIMIT = ("stopped at its limit of work, before its end", "allow more, or resume it")
    TIME_LIMIT = ("stopped at time_limit, before its end", "allow more, or resume it")
    INTERRUPTED = ("interrupted, before its end", "use what was found, or resume it")
    LEVEL_GAP = (
        "stopped where the estimated remaining decrease is small",
        "resume it for its end and a proof",
    )
    STOPPED = (
        "stopped by stop_when, before its end",
        "take what it was stopped for, or resume it for its end and a proof",
    )
    PRECISION = (
        "floats can follow no further",
        "bring the data to unit size, and leave out columns that depend on others",
    )
    DIVERGED = (
        "diverged: floats do not hold the loss or its gradient",
        "take a smaller learning rate",
    )

    @property
    def message(self) -> str:
        """The reason in words."""
        return self.value[0]

    @property
    def advice(self) -> str:
        """What to do about it."""
        return self.value[1]

    @property
    def early(self) -> bool:
        """Whether it stopped before its own end: more work or time would have led further."""
        return self not in (Ended.FINISHED, Ended.PRECISION, Ended.DIVERGED)


def ended_of(finished: bool, over: Ended | None) -> Ended:
    """Why a loop stopped, if it came to its own end, or else its limits were `over`."""
    return Ended.FINISHED if finished or over is None else over


__all__ = ["Ended", "ended_of"]
