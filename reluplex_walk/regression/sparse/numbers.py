"""Exact numbers over one denominator, most of them integers: thousands of them, at little cost."""

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...exact.rationals import Objects, objects

Floats = NDArray[np.float64]

Numbers = list[Any]  # integers, and Fractions where a pivot does not divide


class Exact(NamedTuple):
    """Numbers over one denominator."""

    num: Numbers
    den: int

    def fractions(self) -> Objects:
        """The same numbers in lowest terms."""
        return objects([Fraction(v) / self.den for v in self.num])

    def floats(self) -> Floats:
        """The nearest floats."""
        return np.array([_nearest(v, self.den) for v in self.num], float)


def _nearest(value: Any, den: int) -> float:
    if type(value) is int:
        return float(value / den)
    return float(value.numerator / (value.denominator * den))


__all__ = ["Exact", "Numbers"]
