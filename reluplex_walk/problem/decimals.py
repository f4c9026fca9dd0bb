"""Decimals are what was written: columns of floats that are the nearest to short decimals.

Data are mostly written with a few decimals, of which floats hold the nearest binary fractions:
0.1 + 0.2 is not 0.3, and lines through three points of a grid in tenths miss each other by 1e-17.
Where *all* floats of a column are the nearest to decimals of at most `PLACES` places, the column is
taken for these decimals in all exact arithmetic: integers over 10^places.

Up to 15 significant digits, floats and decimals tell each other apart: no float is the nearest to
two such decimals, no two floats are the nearest to one.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..native.decimals import decimal_places
from .kernel_arrays import writable

Floats = NDArray[np.float64]

PLACES = 9
"""Decimal places up to which a column is looked at."""

_LARGEST = 1e15  # of the integers: more digits, and one float is the nearest to several decimals


class Decimals(NamedTuple):
    """Decimal places of the data, None where floats are taken as the rationals they are.

    Attributes
    ----------
    X : tuple of (int or None)
        One for each column of X; all None for a deeper trained layer, whose features are floats.
    y : tuple of (int or None)
        One for each output.
    sample_weight, tau : int or None
    penalty : int or None
        Also None where there is none.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([2, 1])
    >>> X, y = [[0.1, 1.0 / 3.0], [0.25, 2.0]], [3.0, 4.0]
    >>> rw.LayerLoss(net, X, y, kind="pinball", tau=0.9).decimals
    Decimals(X=(2, None), y=(0,), sample_weight=0, tau=1, penalty=None)
    """

    X: tuple[int | None, ...]
    y: tuple[int | None, ...]
    sample_weight: int | None
    tau: int | None
    penalty: int | None = None

    @classmethod
    def none(cls, columns: int, outputs: int) -> "Decimals":
        """All floats are taken as they are."""
        return cls((None,) * columns, (None,) * outputs, None, None)

    @property
    def any(self) -> bool:
        """Whether any column is one of decimals."""
        return self != self.none(len(self.X), len(self.y))

    def __str__(self) -> str:
        """Without spaces, as fingerprints have it: ``X:2,-;y:0;sample_weight:0;tau:1``."""
        parts = []
        named = self._asdict()
        if self.penalty is None:  # as fingerprints were before there were penalties
            del named["penalty"]
        for name, value in named.items():
            places = value if isinstance(value, tuple) else (value,)
            parts.append(f"{name}:" + ",".join("-" if k is None else str(k) for k in places))
        return ";".join(parts)


def places(columns: Floats) -> tuple[int | None, ...]:
    """For each of the `columns` (n, p): the least k <= `PLACES` for which all its values are the
    nearest to decimals of k places, or None.
    """
    p = columns.shape[1]
    found = np.empty(p, np.int64)
    decimal_places(writable(columns), PLACES, _LARGEST, found, np.empty(p))
    return tuple(None if k < 0 else k for k in found.tolist())


def written(values: Floats, k: int | None) -> tuple[Floats, int]:
    """`values` without rounding, as ``floats / denominator``: integers where k is not None."""
    if not k:
        return values, 1
    return np.rint(values * 10.0**k), 10**k


def fraction(value: float, k: int | None) -> Fraction:
    """One of those `values`: one tenth for 0.1 if `k` is 1, the float if it is None."""
    number, den = written(np.array([value]), k)
    return Fraction(float(number[0])) / den


__all__ = ["PLACES", "Decimals", "fraction", "places", "written"]
