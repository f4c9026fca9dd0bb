"""The free parameters of the trained layer: all that searches move, in the units of the kernels.

Weights of aliased columns stay where a search starts, and with ``fit_intercept=False`` the biases
do.  What the aliased columns contribute is a combination of the others, so the kernels see a
problem that has none: its parameters are the free ones, the share of the aliased ones folded in.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .aliased import Aliased
from .scaling import Units

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class FreeUnits(NamedTuple):
    """The map between parameters (..., h, q) of a loss and the free ones (..., h, r) of kernels."""

    aliased: Ints  # (k,) columns
    kept: Ints  # (q - k,) the others, the constant (column q - 1) last
    combination: Floats  # (k, q - k) the aliased columns by the kept ones
    units: Units  # of the inputs among the kept columns
    intercept: bool  # whether the biases are free

    @classmethod
    def of(cls, aliased: Aliased, units: Units, intercept: bool) -> "FreeUnits":
        """The map for inputs with these `aliased` columns and, column by column, `units`."""
        q = aliased.combination.shape[1]
        kept = np.delete(np.arange(q), aliased.columns)
        part = Units(*(array[kept[:-1]] for array in units))
        return cls(aliased.columns, kept, aliased.combination[:, kept], part, intercept)

    @property
    def free(self) -> Ints:
        """(r,) The columns of theta that are free."""
        return self.kept if self.intercept else self.kept[:-1]

    def inputs(self, x: Floats) -> Floats:
        """The columns (n, r) that the free parameters multiply, for inputs `x` (n, q - 1)."""
        kept = self.units.inner_inputs(x[:, self.kept[:-1]])
        return np.column_stack([kept, np.ones(len(x))]) if self.intercept else kept

    def inner(self, theta: Floats) -> Floats:
        """The free parameters at `theta`, or the direction that `theta` amounts to."""
        folded = theta[..., self.kept] + theta[..., self.aliased] @ self.combination
        return self.units.inner(folded)[..., : len(self.free)]

    def size(self, theta: Floats) -> float:
        """Sum of the absolute terms that the free parameters at `theta` (h, q) are made of.

        The largest of a neuron: what folds to almost nothing carries the rounding of its terms.
        """
        share = np.abs(self.units.inner(self.combination)[:, : len(self.free)])
        terms = np.abs(self.inner(theta)) + np.abs(theta[:, self.aliased]) @ share
        return float(terms.sum(axis=1).max())

    def outer(self, inner: Floats, anchor: Floats | None = None) -> Floats:
        """The parameters with these free ones; those that do not move are as in `anchor` (h, q).

        Without `anchor` they are 0, as they are in a direction.
        """
        if not self.intercept:
            inner = np.concatenate([inner, np.zeros_like(inner[..., :1])], axis=-1)
        theta = np.zeros((*inner.shape[:-1], self.kept.size + self.aliased.size))
        theta[..., self.kept] = self.units.outer(inner)
        if anchor is not None:
            held = anchor[:, self.aliased]
            theta[..., self.kept] -= held @ self.combination
            theta[..., self.aliased] = held
            if not self.intercept:
                theta[..., -1] = anchor[:, -1]
        return theta


__all__ = ["FreeUnits"]
