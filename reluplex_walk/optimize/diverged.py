"""`DivergedError`: by which a method says that floats end, and nothing else went wrong."""


class DivergedError(ValueError):
    """Floats hold the loss, its gradient or the next step no longer.

    :func:`~reluplex_walk.descend` ends as DIVERGED where a step raises it, with what was found
    until then; any other error is one of the method, and reaches the caller.
    """


__all__ = ["DivergedError"]
