"""What is known of a quantile fitted together with others: coefficients, dual solution, proof."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...exact.rationals import objects
from ...problem.kernel_arrays import writable
from ..data import Data, slopes_of
from ..design import Basis, Samples
from ..vertex import ExactVertex, nearest_coefficients
from .beside import forces
from .noncrossing import Group
from .optimality import OptimalityCertificate, Problem
from .terms import Terms

Floats = NDArray[np.float64]


class Together(NamedTuple):
    """A quantile among those that it was fitted together with."""

    group: Group
    taus: tuple[float, ...]  # of the group
    fitted: NDArray[np.int64]  # which of the p + 1 coefficients are

    def coefficients(self, p: int) -> Floats:
        """Coefficients (levels, p + 1): the floats nearest to the exact ones where proved."""
        samples, units, found = self.group.samples, self.group.units, self.group.found
        if found.proved:
            values = nearest_coefficients(samples, units, found.basis, found.blur)
        else:
            values = found.basis.theta * [float(f) for f in units.factors(samples)]
        theta = np.zeros((len(self.taus), p + 1))
        theta[:, self.fitted] = values.reshape(len(self.taus), -1)
        return theta

    def dual(self, data: Data) -> Floats:
        """Subgradients (levels, n) of the terms by their residuals ``y - fit``."""
        found = np.zeros((len(self.taus), len(data.y)))
        unit = self.group.slopes.unit * self.group.units.w
        found[:, data.w > 0.0] = self.group.dual / -unit
        lean = np.array(self.taus) - 0.5
        return np.asarray(found + lean[:, None] * data.w)

    def certificate(self, data: Data, proved: bool) -> OptimalityCertificate:
        """The proof for all of the group."""
        samples, units, slopes, found = self.group[2:]
        samples, basis = Samples(*map(writable, samples)), Basis(*map(writable, found.basis))
        vertex = ExactVertex.of(samples, units, slopes, basis, writable(found.side))
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
                k, i = self.group.pairs[row - first].tolist()
                excess = Terms.excess(0.0, slopes) * units.w / unit
                crossing.append((k - self.group.levels[0], kept[i]))
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
