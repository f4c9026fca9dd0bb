"""Which of many rows or points are shown."""

import numpy as np
from numpy.typing import NDArray

POINTS = 4000
"""Points of a scatter plot, at most: more are not told apart, and make the page heavy."""


def evenly(n: int, most: int = POINTS) -> NDArray[np.int64]:
    """Of `n` rows at most `most`, evenly chosen, the first and the last among them.

    Examples
    --------
    >>> from reluplex_walk.reports.thinned import evenly
    >>> evenly(3).tolist(), evenly(100, 4).tolist()
    ([0, 1, 2], [0, 33, 66, 99])
    """
    if n <= most:
        return np.arange(n)
    return np.unique(np.linspace(0, n - 1, most).round().astype(np.int64))


def note(n: int, what: str, most: int = POINTS) -> str:
    """A sentence on what is left out; empty where nothing is."""
    return f"{most} of {n} {what}, evenly chosen." if n > most else ""


__all__ = ["POINTS", "evenly", "note"]
