"""What a fit tells its callback."""

from typing import NamedTuple


class FitProgress(NamedTuple):
    """What the callback of a fit is told between rounds of pivots.

    Attributes
    ----------
    n_pivots : int
        Pivots made so far, for the quantile at hand.
    n_samples : int
        Samples of the level at hand: a coarse fit of some is the start for that of more.  Equal
        ones count once, where that saves time.
    elapsed : float
        Seconds.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_stackloss()
    >>> told = []
    >>> fit = rw.lad(data.X, data.y, callback=told.append)
    >>> told[-1].n_samples == len(data.y), told[-1].n_pivots <= fit.n_pivots
    (True, True)
    """

    n_pivots: int
    n_samples: int
    elapsed: float


__all__ = ["FitProgress"]
