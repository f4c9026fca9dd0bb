"""What a fit minimises beside the loss of its samples, and what it demands of its coefficients.

An L1 penalty and linear constraints, solved as terms beside the samples (:mod:`.terms`).
"""

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..._limits import Limits
from ..._validate import real
from ...exact.rationals import Objects, objects
from ...problem.aliased import find
from ..data import Data, Posed, Slopes, Units
from ..design import Basis, Samples
from ..solver import Solution, minimise
from ..vertex import ExactVertex
from .linear import Demands, Linear
from .optimality import OptimalityCertificate, Problem
from .steep import minimise_under
from .terms import Penalty, Terms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


_FEW = 12  # samples to parameters below which fits start where all coefficients are 0


class Beside(NamedTuple):
    """A penalty and constraints."""

    penalty: Penalty  # of weight 0 for none
    linear: Linear | None
    decimals: bool = True  # whether X and y are the decimals that were written
    posed: Demands | None = None  # the constraints in the units of a regression

    @classmethod
    def of(cls, alpha: float, constraints: Any, data: Data) -> "Beside | None":
        """From the arguments of a regression; None if there is nothing."""
        if constraints is None and type(alpha) is float and alpha == 0.0:
            return None
        share = real("alpha", alpha)
        if share < 0.0:
            raise ValueError(f"alpha: expected a number >= 0, found {alpha}")
        linear = Linear.read(constraints, data.X.shape[1])
        if share == 0.0 and linear is None:
            return None
        return cls(Penalty.of(share, data.w), linear)

    @classmethod
    def nothing(cls) -> "Beside":
        """Neither."""
        return cls(Penalty(0.0), None)

    def pose(self, kept: Data, intercept: bool) -> tuple[Posed, "Beside"]:
        """The regression as the solver sees it, and this in its units.

        Where floats cannot hold the constraints in units in which X and y are integers, these are
        taken as the floats they are.
        """
        for decimals in (True, False):
            posed, penalty = self.penalty.posed(Posed.whole(kept, intercept, decimals))
            if not penalty.weight and not posed.samples.independent():
                posed = posed.without(self._aliased(kept, intercept), intercept)
            found = self._replace(penalty=penalty, decimals=decimals)
            if self.linear is None:
                return posed, found
            try:
                linear = Demands.pose(self.linear, *posed[:2])
                return posed, found._replace(posed=linear)
            except ArithmeticError:
                continue
        raise ValueError(
            "constraints: expected numbers of ordinary sizes, found some that floats do not hold "
            "in the units of X and y; scale its columns to sizes near 1"
        )

    def _aliased(self, kept: Data, intercept: bool) -> Ints:
        """Columns that others determine, up to rounding, in the data and in all constraints."""
        rows = np.column_stack([np.ones(len(kept.y)), kept.X])
        if self.linear is not None:
            rows = np.vstack([rows, self.linear.A])
        return find(rows[:, 1 - intercept :], False).columns - intercept

    def minimise(
        self, posed: Posed, slopes: Slopes, start: Basis | None, limits: Limits
    ) -> tuple[Solution, Samples]:
        """The end of the solver, and the samples with all terms that it was given."""
        samples, units = posed.samples, posed.units
        if self.penalty.weight:
            terms = self.penalty.terms(samples, units, slopes)
            if start is None and samples.y.size < _FEW * len(samples.x):
                start = _all_0(terms, samples.y.size)
            samples = terms.beside(samples, slopes)
        if self.posed is None:
            return minimise(samples, slopes[:2], start, limits), samples
        return minimise_under(self.posed, samples, slopes, start, limits)

    def with_terms(self, posed: Posed, slopes: Slopes, steepness: Floats) -> Samples:
        """The samples with all terms, those of the constraints (l,) with these weights."""
        samples, units = posed.samples, posed.units
        if self.penalty.weight:
            samples = self.penalty.terms(samples, units, slopes).beside(samples, slopes)
        return (
            samples if self.posed is None else self.posed.terms(steepness).beside(samples, slopes)
        )

    def cost(self, theta: Floats) -> float:
        """What is added to the loss of the samples at coefficients (p + 1,)."""
        return self.penalty.weight * float(np.abs(theta[1:]).sum())

    def certificate(
        self,
        data: Data,
        tau: float | None,
        samples: Samples,
        units: Units,
        slopes: Slopes,
        vertex: ExactVertex,
        proved: bool,
    ) -> OptimalityCertificate:
        """What is proved by the `vertex` of the `samples` with all terms."""
        n, kept = samples.y.size - samples.extra, np.flatnonzero(data.w > 0.0)
        point = np.zeros((1, data.X.shape[1] + 1), object) + Fraction(0)
        point[0, units.fitted] = vertex.coefficients
        rows = np.concatenate([vertex.active, vertex.tied])
        slopes_of_terms = forces(vertex)
        mine = rows < n
        order = np.argsort(rows[mine], kind="stable")
        at = kept[rows[mine][order]]
        return OptimalityCertificate(
            is_global=proved,
            loss=vertex.loss,
            point=point,
            vanishing=np.column_stack([np.zeros_like(at), at]),
            multipliers=-slopes_of_terms[mine][order],
            of_constraints=self._multipliers(samples, units, slopes, rows, slopes_of_terms)[None],
            crossing=np.zeros((0, 2), np.int64),
            of_crossing=objects([]),
            problem=self.problem(data, tau, units.fitted),
        )

    def _multipliers(
        self,
        samples: Samples,
        units: Units,
        slopes: Slopes,
        rows: Ints,
        forces: Objects,
    ) -> Objects:
        """Those of the constraints (m,), from derivatives of the terms that vanish."""
        if self.linear is None or self.posed is None:
            return objects([])
        found = objects([Fraction(0)] * len(self.linear.A))
        first, unit = samples.y.size - len(self.posed.rows), slopes.unit * units.w
        for row, force in zip(rows.tolist(), forces, strict=True):
            if (k := row - first) >= 0:
                excess = Terms.excess(float(self.posed.shares[k]), slopes)
                weight = Fraction(float(samples.w[row]))
                slope = force + weight * excess / unit
                found[self.posed.of[k]] -= slope * self.posed.ratio[k] / units.y
        return found

    def problem(self, data: Data, tau: float | None, fitted: Ints) -> Problem:
        """What is minimised, for the certificate."""
        exact = self.linear.exact() if self.linear is not None else (None, [], [])
        rows, lower, upper = exact
        return Problem(
            data,
            (tau,),
            fitted,
            self.penalty.exact,
            rows,
            tuple(lower),
            tuple(upper),
            self.decimals,
        )


def _all_0(terms: Terms, first: int) -> Basis:
    """Where all penalised coefficients are 0, most of which stay so; terms from sample `first` on.

    The intercept, if there is one, is free.
    """
    m, q = terms.rows.shape
    free = Basis.free(q)
    free.rows[q - m :] = first + np.arange(m)
    free.edges[q - m :, q - m :] = np.diag(1.0 / terms.rows[:, q - m :].diagonal())
    return free


def forces(vertex: ExactVertex) -> Objects:
    """Subgradients of the terms that vanish, the active ones first."""
    of_ties = [
        (vertex.above if positive else -vertex.below) * Fraction(weight)
        for positive, weight in zip(
            vertex.positive.tolist(), vertex.weights[len(vertex.active) :].tolist(), strict=True
        )
    ]
    return objects([*vertex.multipliers, *of_ties])


__all__ = ["Beside", "forces"]
