"""`EnsembleMinima`: the distinct ends of the walks, and how often each is reached."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._conversions import pandas
from .._shown import repr_html
from .._validate import integer
from ..proof.certificate import Certificate
from .rows import Row
from .unseen import share_interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EnsembleMinima:
    """The M distinct ends of walks that came to their own end, lowest first.

    Two ends are one if the same breakpoints vanish there and all others lie on the same side: that
    fixes a vertex, and a face on which the loss is constant.  At proved ends both are exact.

    Attributes
    ----------
    keys : list of M str
        Of the active set and all other sides.
    losses : ndarray (M,)
    thetas : ndarray (M, h, q)
        The vertex, or on a face the lowest point, by rounding, where a walk came to it.
    proved : ndarray (M,) of bool
        Whether it is a proved local minimum; of the others nothing is claimed.
    vertices : ndarray (M,) of bool
        Whether it is a vertex, no face.
    counts : ndarray (M,)
        How many walks end there.
    low, high : ndarray (M,)
        Interval of 95 % of the probability that a walk does (Clopper and Pearson 1934).
    seeds : ndarray (M,)
        The walk that came there, the lowest seed of several.

    Examples
    --------
    A network with one hidden neuron, and all ends of its walks:

    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
    >>> minima = rw.ensemble(loss, walks=40, step="long").minima()
    >>> len(minima) == len(minima.losses), int(minima.counts.sum()), bool(minima.proved.all())
    (True, 40, True)
    >>> bool((minima.low < minima.counts / 40).all() and (minima.counts / 40 < minima.high).all())
    True
    >>> bool(abs(float(minima.certificate(0).verify_exact(loss).loss) - minima.losses[0]) < 1e-9)
    True
    """

    keys: list[str]
    losses: Floats
    thetas: Floats
    proved: NDArray[np.bool_]
    vertices: NDArray[np.bool_]
    counts: Ints
    low: Floats
    high: Floats
    seeds: Ints
    _certificate: Callable[[int], Certificate | None] = field(repr=False)

    def __len__(self) -> int:
        return len(self.keys)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        least = f", losses {self.losses[0]:.10g} to {self.losses[-1]:.10g}" if len(self) else ""
        return (
            f"EnsembleMinima({len(self)} distinct ends of {int(self.counts.sum())} walks, "
            f"{int(self.proved.sum())} proved minima{least})"
        )

    def certificate(self, k: int) -> Certificate | None:
        """The proof of minimum `k`, of the walk of its seed; None where nothing is proved.

        ValueError or TypeError if there is no minimum `k`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> minima = rw.ensemble(loss, walks=10, step="long").minima()
        >>> minima.certificate(0).is_local_minimum
        True
        """
        k = integer("k", k, 0, len(self) - 1)
        return self._certificate(int(self.seeds[k])) if self.proved[k] else None

    def to_frame(self) -> Any:
        """A row for each end, as a DataFrame of pandas; ``theta`` has arrays (D,).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> frame = rw.ensemble(loss, walks=10, step="long").minima().to_frame()
        >>> list(frame.columns[:6])
        ['loss', 'proved', 'vertex', 'walks', 'low', 'high']
        """
        return pandas().DataFrame(
            {
                "loss": self.losses,
                "proved": self.proved,
                "vertex": self.vertices,
                "walks": self.counts,
                "low": self.low,
                "high": self.high,
                "seed": self.seeds,
                "theta": [theta.ravel() for theta in self.thetas],
                "key": self.keys,
            }
        )


def distinct(
    rows: list[Row],
    shape: tuple[int, int],
    n_free: int,
    certificate: Callable[[int], Certificate | None],
) -> EnsembleMinima:
    """The distinct ends, from the rows of an ensemble in the order of seeds.

    `shape` (h, q) and `n_free` are those of the loss; ``certificate(seed)`` is that of a walk.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.key is not None:
            groups.setdefault(row.key, []).append(row)
    for group in groups.values():  # proved ones first, and the lowest of them
        group.sort(key=lambda row: (not row.proved, row.loss, row.seed))
    ordered = sorted(groups.values(), key=lambda group: (group[0].loss, group[0].seed))
    firsts = [group[0] for group in ordered]
    counts = np.array([len(group) for group in ordered], np.int64)
    low, high = share_interval(counts, int(counts.sum()))
    return EnsembleMinima(
        keys=[row.key or "" for row in firsts],
        losses=np.array([row.loss for row in firsts]),
        thetas=np.array([row.theta for row in firsts]).reshape(-1, *shape),
        proved=np.array([row.proved for row in firsts], np.bool_),
        vertices=np.array([row.rank == n_free for row in firsts], np.bool_),
        counts=counts,
        low=low,
        high=high,
        seeds=np.array([row.seed for row in firsts], np.int64),
        _certificate=certificate,
    )


__all__ = ["EnsembleMinima", "distinct"]
