"""What is known of a quantile fitted together with others: coefficients, dual solution, proof."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...exact.rationals import objects
from ...problem.kernel_arrays import writable
from ..data import Data, Slopes, Units, slopes_of
from ..design import Basis, Samples
from ..solver import Solution
from ..vertex import ExactVertex, nearest_coefficients
from .beside import forces
from .noncrossing import Group
from .optimality import OptimalityCertificate, Problem
from .terms import Terms

Floats = NDArray[np.float64]


class Together(NamedTuple):
    """A quantile among those that it was fitted together with, and what proves them optimal."""

    samples: Samples  # of all quantiles one after the other, then the constraints
    units: Units
    slopes: Slopes
    basis: Basis
    side: Floats
    pairs: NDArray[np.int64]  # (l, 2) constraints: which quantile, from 0, and at which sample
    taus: tuple[float, ...]
    fitted: NDArray[np.int64]  # which of the p + 1 coefficients are

    @classmethod
    def of(cls, group: Group, taus: tuple[float, ...], fitted: NDArray[np.int64]) -> "Together":
        """From the `group` that was solved, of the quantiles `taus`."""
        pairs = group.pairs - np.array([group.levels[0], 0])
        found = group.found
        return cls(*group[2:5], found.basis, found.side, pairs, taus, fitted)

    def coefficients(self, found: Solution, p: int) -> Floats:
        """Coefficients (levels, p + 1): the floats nearest to the exact ones where proved."""
        samples, units = self.samples, self.units
        if found.proved:
            values = nearest_coefficients(samples, units, found.basis, found.blur)
        else:
            values = found.basis.theta * [float(f) for f in units.factors(samples)]
        theta = np.zeros((len(self.taus), p + 1))
        theta[:, self.fitted] = values.reshape(len(self.taus), -1)
        return theta

    def dual(self, group: Group, data: Data) -> Floats:
        """Subgradients (levels, n) of the terms by their residuals ``y - fit``."""
        found = np.zeros((len(self.taus), len(data.y)))
        unit = self.slopes.unit * self.units.w
        found[:, data.w > 0.0] = group.dual / -unit
        lean = np.array(self.taus) - 0.5
        return np.asarray(found + lean[:, None] * data.w)

    def vertex(self) -> ExactVertex:
        """The exact minimum of all of them."""
        samples, basis = Samples(*map(writable, self.samples)), Basis(*map(writable, self.basis))
        return ExactVertex.of(samples, self.units, self.slopes, basis, writable(self.side))

    def certificate(self, data: Data, proved: bool) -> OptimalityCertificate:
        """The proof for all of the group."""
        samples, units, slopes = self[:3]
        vertex = self.vertex()
        count, kept = len(self.taus), np.flatnonzero(data.w > 0.0)
        point = np.zeros((count, data.X.shape[1] + 1), object) + Fraction(0)
        point[:, self.fitted] = vertex.coefficients.reshape(count, -1)
        vanishing, multipliers, crossing, of_crossing = [], [], [], []
        n, first, unit = len(kept), samples.y.size - samples.extra, slopes.unit * units.w
        rows = np.concatenate([vertex.active, vertex.tied]).tolist()
        for row, force in sorted(zip(rows, forces(vertex), strict=True)):
            weight = Fraction(float(samples.w[row])) / units.w
            if row < first:
                level, i = divmod(row, n)
                own = slopes_of(self.taus[level])
                lean = Fraction(1, 2) - own.below / own.unit
                vanishing.append((level, kept[i]))
                multipliers.append(-force - lean * weight)
            else:
                k, i = self.pairs[row - first].tolist()
                excess = Terms.excess(0.0, slopes) * units.w / unit
                crossing.append((k, kept[i]))
                of_crossing.append(-force - weight * excess)
        return OptimalityCertificate(
            is_global=proved,
            loss=vertex.loss,
            point=point,
            vanishing=np.array(vanishing, np.int64).reshape(-1, 2),
            multipliers=objects(multipliers),
            of_constraints=np.zeros((count, 0), object),
            crossing=np.array(crossing, np.int64).reshape(-1, 2),
            of_crossing=objects(of_crossing),
            problem=Problem(data, self.taus, self.fitted),
        )


__all__ = ["Together"]
