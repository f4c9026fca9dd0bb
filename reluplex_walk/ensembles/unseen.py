"""How much of a landscape an ensemble has not seen, by how often it met what it has.

Walks draw ends with unknown probabilities; f_k is the number of ends that were met k times.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv
from scipy.stats import norm

from .._shown import repr_html

Floats = NDArray[np.float64]

LEVEL = 0.95
"""Of all intervals."""


class Unseen(NamedTuple):
    """What :meth:`Ensemble.unseen` says; all intervals are at 95 %.

    Attributes
    ----------
    n_walks, n_distinct : int
        Walks that came to their own end, and how many distinct ones.
    once, twice : int
        f_1 and f_2: ends met once, and twice.
    share, share_low, share_high : float
        The probability that a further walk ends at a new one, by Good (1953), f_1 / n, with the
        interval of Esty (1983), which ends no lower than 1 - 0.05^(1/n), a share that n walks miss
        once in twenty times, and begins no higher than 1 - 2 log(20) / n: so small a share is left
        where n walks to equally likely ends are all different once in twenty times.
    total, total_low, total_high : float
        How many ends there are at least: the bias-corrected lower bound of Chao (1984, 1987), with
        its interval as in EstimateS (Colwell 2013).  Where most were met once it says little.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 3, 1], seed=0), data.X, data.y)
    >>> unseen = rw.ensemble(loss, walks=30, step="long", proof="off").unseen()
    >>> unseen.n_walks, unseen.share == unseen.once / 30, unseen.total >= unseen.n_distinct
    (30, True, True)
    >>> unseen.share_low <= unseen.share <= unseen.share_high <= 1.0
    True
    """

    n_walks: int
    n_distinct: int
    once: int
    twice: int
    share: float
    share_low: float
    share_high: float
    total: float
    total_low: float
    total_high: float

    def _repr_html_(self) -> str:
        return repr_html(self)


def unseen(counts: ArrayLike) -> Unseen:
    """From how often each end was met, (M,) integers >= 1."""
    met = np.asarray(counts, np.int64)
    n, distinct = int(met.sum()), len(met)
    once, twice = int((met == 1).sum()), int((met == 2).sum())
    if n == 0:
        return Unseen(0, 0, 0, 0, 1.0, 0.0, 1.0, 0.0, 0.0, np.inf)
    z = float(norm.ppf(0.5 + LEVEL / 2))
    share = once / n
    spread = z * np.sqrt(once * (1.0 - share) + 2.0 * twice) / n
    least_high = 1.0 - (1.0 - LEVEL) ** (1.0 / n)
    most_low = 1.0 + 2.0 * np.log(1.0 - LEVEL) / n
    total, low, high = _chao1(met, once, twice, z)
    return Unseen(
        n_walks=n,
        n_distinct=distinct,
        once=once,
        twice=twice,
        share=share,
        share_low=float(max(0.0, min(share - spread, most_low))),
        share_high=float(min(1.0, max(share + spread, least_high))),
        total=total,
        total_low=low,
        total_high=high,
    )


def coverage(counts: ArrayLike) -> float:
    """The estimated probability that a further walk ends where one has ended, 1 - f_1 / n."""
    met = np.asarray(counts)
    return 1.0 - float((met == 1).sum()) / float(met.sum()) if met.size else 0.0


def _chao1(met: NDArray[np.int64], once: int, twice: int, z: float) -> tuple[float, float, float]:
    """The estimate of the number of ends, and its interval."""
    n, seen = float(met.sum()), float(len(met))
    extra = once * (once - 1.0) / (2.0 * (twice + 1.0))
    if extra == 0.0:  # nothing was met just once, or a single end: from what chance leaves unseen
        missed = np.exp(-np.unique(met)) @ np.unique(met, return_counts=True)[1] / seen
        spread = seen * np.exp(-n / seen) * (1.0 - np.exp(-n / seen))
        middle, half = seen / (1.0 - missed), z * np.sqrt(spread) / (1.0 - missed)
        return seen, float(max(seen, middle - half)), float(middle + half)
    variance = (
        extra
        + once * (2.0 * once - 1.0) ** 2 / (4.0 * (twice + 1.0) ** 2)
        + once**2 * twice * (once - 1.0) ** 2 / (4.0 * (twice + 1.0) ** 4)
    )
    if twice == 0:
        variance -= once**4 / (4.0 * (seen + extra))
    factor = np.exp(z * np.sqrt(np.log1p(variance / extra**2)))
    return seen + extra, float(seen + extra / factor), float(seen + extra * factor)


def share_interval(counts: ArrayLike, n: int) -> tuple[Floats, Floats]:
    """Interval (M,), (M,) of the probability of each end that was met so often in `n` walks.

    Clopper and Pearson (1934).
    """
    k = np.asarray(counts, float)
    tail = (1.0 - LEVEL) / 2.0
    low = betaincinv(np.maximum(k, 0.5), n - k + 1.0, tail)
    high = betaincinv(k + 1.0, np.maximum(n - k, 0.5), 1.0 - tail)
    return np.where(k == 0, 0.0, low), np.where(k == n, 1.0, high)


__all__ = ["LEVEL", "Unseen", "coverage", "share_interval", "unseen"]
