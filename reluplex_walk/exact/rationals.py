"""Exact arithmetic on arrays of floats: a float is a rational number, so nothing is rounded.

Arrays of rationals are object arrays of Python integers over one denominator.  Linear systems are
solved by FLINT.
"""

from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

import flint
import numpy as np
from numpy.typing import ArrayLike, NDArray

Objects = NDArray[np.object_]


class Rationals(NamedTuple):
    """An array of rationals: ``num / den``."""

    num: Objects
    den: int

    @classmethod
    def of(cls, floats: ArrayLike) -> "Rationals":
        """`floats` as they are, over a power of two."""
        mantissa, exponent = np.frexp(np.asarray(floats, float))
        digits = (mantissa * 2.0**53).astype(np.int64)
        low = np.where(digits == 0, 1, digits & -digits)  # lowest bit that is set
        zeros = np.frexp(low.astype(float))[1] - 1
        digits >>= zeros
        exponent = np.where(digits == 0, 0, exponent - 53 + zeros)
        lowest = min(0, int(exponent.min(initial=0)))
        shift = (exponent - lowest).astype(object)
        return cls(np.asarray(digits.astype(object) << shift, object), 1 << -lowest)

    def floats(self) -> NDArray[np.float64]:
        """The nearest floats."""
        return np.array([n / self.den for n in self.num.ravel()], float).reshape(self.num.shape)

    def fractions(self) -> Objects:
        """The same numbers as `fractions.Fraction`, in lowest terms."""
        flat = [Fraction(int(n), self.den) for n in self.num.ravel()]
        return objects(flat).reshape(self.num.shape)

    def moved(self, step: Fraction, direction: "Rationals") -> "Rationals":
        """``self + step * direction``."""
        return from_fractions(self.fractions() + step * direction.fractions())

    def unit(self) -> NDArray[np.float64]:
        """The nearest floats, after division by the largest absolute value (if it is not 0)."""
        largest = max((abs(n) for n in self.num.ravel()), default=0)
        return Rationals(self.num, largest or 1).floats()

    @property
    def bits(self) -> int:
        """Length of the longest numerator or denominator."""
        longest = max((int(n).bit_length() for n in self.num.ravel()), default=0)
        return max(longest, self.den.bit_length())


def signs(numbers: Objects) -> NDArray[np.int8]:
    """-1, 0 or +1 for each of the integers."""
    return (numbers > 0).astype(np.int8) - (numbers < 0).astype(np.int8)


def objects(numbers: list[Any]) -> Objects:
    """A one-dimensional object array of `numbers`."""
    return np.array([*numbers, None], object)[:-1]


def from_fractions(fractions: Objects) -> Rationals:
    """An array of `Fraction` over one denominator."""
    flat = fractions.ravel()
    den = lcm(*(f.denominator for f in flat))
    num = objects([f.numerator * (den // f.denominator) for f in flat])
    return Rationals(num.reshape(fractions.shape), den)


def solve(matrix: Objects, rhs: Objects) -> Rationals:
    """The solution (r, k) of ``matrix @ solution = rhs`` for integers (r, r) and (r, k).

    Raises ZeroDivisionError if `matrix` is singular.
    """
    if not matrix.size or not rhs.size:
        return Rationals(np.zeros(rhs.shape, object), 1)
    solution: Any = flint.fmpz_mat(matrix.tolist()).solve(flint.fmpz_mat(rhs.tolist()))
    num, den = solution.numer_denom()
    return Rationals(_integers(num), int(den))


def reduce(matrix: Objects) -> tuple[Rationals, list[int]]:
    """The reduced row echelon form of the integers (r, k), without its zero rows, and its pivots.

    Pivots are the first columns that are independent of those before; every other column of
    `matrix` is the combination of them that its column of the form gives.
    """
    if not matrix.size:
        return Rationals(matrix[:0], 1), []
    form, den, rank = flint.fmpz_mat(matrix.tolist()).rref()
    num = _integers(form)[:rank]
    pivots = [int(np.flatnonzero(row != 0)[0]) for row in num]
    return Rationals(num, int(den)), pivots


def _integers(matrix: Any) -> Objects:
    """The entries of a matrix of FLINT."""
    return np.array([[int(v) for v in row] for row in matrix.tolist()], object)
