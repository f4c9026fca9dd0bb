"""The certificate of a fit with a penalty or constraints: multipliers, and an exact check of them.

A convex problem is solved where its constraints hold and the (sub)gradients of its terms and the
constraints, with multipliers within their bounds, add up to 0 (Karush, Kuhn and Tucker).  The check
computes all of that from the data in rational arithmetic and uses nothing of the solver.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..._shown import repr_html
from ...exact.data import Table
from ...exact.rationals import Objects, Rationals, from_fractions, objects
from ...problem.decimals import fraction, places
from ...proof.check import CertificateError
from ..data import Data

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Problem(NamedTuple):
    """What is minimised: quantiles of the same data, with what is added and what is demanded."""

    data: Data
    taus: tuple[float | None, ...]  # (K,) None: absolute values
    fitted: Ints  # which of the p + 1 coefficients are, for each quantile
    penalty: Fraction = Fraction(0)  # of the absolute values of all coefficients but intercepts
    rows: Objects | None = None  # (m, p + 1) of constraints on each quantile, as `Fraction`
    lower: tuple[Fraction | None, ...] = ()  # (m,)
    upper: tuple[Fraction | None, ...] = ()  # (m,)
    decimals: bool = True  # whether X and y are the decimals that were written


@dataclass(frozen=True, eq=False, repr=False)
class OptimalityCertificate:
    """Proof that a fit with a penalty or constraints is a global minimum.

    Attributes
    ----------
    is_global : bool
        Whether a global minimum is proved.  What is proved is proved of `point`; the coefficients
        of the fit are the floats nearest to it.
    loss : Fraction
        The least value of what is minimised: the loss of the samples and the penalty.
    point : ndarray (K, p + 1)
        The exact minimum, intercepts first, as ``Fraction``; a row for each quantile (one, but for
        fits that do not cross).
    vanishing : ndarray (k, 2)
        Quantile and sample of residuals ``y - fit`` that vanish; samples of weight > 0, in order.
    multipliers : ndarray (k,)
        Their subgradients, as ``Fraction`` in ``[-(1 - tau) w, tau w]``.
    of_constraints : ndarray (K, m)
        Multipliers of the constraints, >= 0 at a lower bound, <= 0 at an upper one.
    crossing : ndarray (l, 2)
        Quantiles k and samples at which the fits k and k + 1 are equal and held apart.
    of_crossing : ndarray (l,)
        Their multipliers, >= 0.
    problem : Problem
        What was minimised: data, quantiles, penalty and constraints.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> fit = rw.lad([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0], alpha=0.5)
    >>> fit.optimality
    OptimalityCertificate(global minimum, loss=3.5)
    >>> fit.optimality.verify_exact()
    Fraction(7, 2)
    """

    is_global: bool
    loss: Fraction
    point: Objects
    vanishing: Ints
    multipliers: Objects
    of_constraints: Objects
    crossing: Ints
    of_crossing: Objects
    problem: Problem

    def verify_exact(self, problem: Problem | None = None) -> Fraction:
        """Check the proof, in rational arithmetic; returns the loss.

        Parameters
        ----------
        problem : Problem, optional
            What is said to be minimised, default the certificate's own.

        Returns
        -------
        Fraction
            The least loss.

        Raises
        ------
        CertificateError
            If it does not hold; the message says where.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.lad([[0.0], [1.0]], [0.0, 1.0], alpha=0.1).optimality.verify_exact()
        Fraction(1, 5)
        """
        if not self.is_global:
            raise CertificateError("nothing is proved")
        return _Check(self, problem or self.problem).loss()

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        what = "global minimum" if self.is_global else "nothing proved"
        return f"OptimalityCertificate({what}, loss={float(self.loss):.10g})"


def unproved(coefficients: Floats, loss: float, problem: Problem) -> OptimalityCertificate:
    """The certificate of a fit of which nothing is proved."""
    point = objects([Fraction(v) for v in coefficients.tolist()])[None]
    no, nothing = np.zeros((0, 2), np.int64), objects([])
    return OptimalityCertificate(
        False, Fraction(loss), point, no, nothing, nothing[None], no, nothing, problem
    )


class _Check:
    """The problem without rounding, and what a certificate says of it."""

    def __init__(self, certificate: OptimalityCertificate, problem: Problem) -> None:
        self.said, self.problem = certificate, problem
        X, y, w = problem.data
        k, of_y = problem.data.kept().places(problem.decimals)  # rows of weight 0 have no say
        self.x = Table.of(np.column_stack([np.ones(len(y)), X]), (0, *k)).rationals()
        self.y = Table.of(y[:, None], (of_y,)).rationals()
        self.w = Table.of(w[:, None], places(w[:, None])).rationals().fractions()[:, 0]
        self.penalty = problem.penalty

    def loss(self) -> Fraction:
        """The loss, if all holds."""
        demand(self.said.point.shape == (len(self.problem.taus), self.x.num.shape[1]), "its shape")
        others = np.setdiff1d(np.arange(self.x.num.shape[1]), self.problem.fitted)
        demand(not self.said.point[:, others].any(), "a coefficient that is not fitted is not 0")
        gradients = np.zeros(self.said.point.shape, object) + Fraction(0)
        loss = Fraction(0)
        for k, tau in enumerate(self.problem.taus):
            loss += self._samples(k, tau, gradients[k])
            self._constraints(k, gradients[k])
        self._crossing(gradients)
        for k, point in enumerate(self.said.point):
            loss += self.penalty * sum(abs(b) for b in point[1:])
            for j in self.problem.fitted.tolist():
                self._stationary(point[j], gradients[k, j], j > 0)
        demand(loss == self.said.loss, "the loss differs")
        return loss

    def _samples(self, k: int, tau: float | None, gradient: Objects) -> Fraction:
        """Loss of the samples for quantile `k`; adds its subgradient by the coefficients."""
        said = self.said
        share = Fraction(1) if tau is None else fraction(tau, places(np.array([[tau]]))[0])
        above, below = share, Fraction(1) if tau is None else 1 - share
        b = from_fractions(said.point[k])
        r = self.y.num[:, 0] * (self.x.den * b.den) - (self.x.num @ b.num) * self.y.den
        slopes = objects([-below, above])
        dual = slopes[(r > 0).astype(int)] * self.w
        mine = said.vanishing[:, 0] == k
        at, taken = said.vanishing[mine, 1], said.multipliers[mine]
        zero = np.flatnonzero((r == 0) & (self.w > 0))
        demand(np.array_equal(np.sort(at), zero), "other residuals vanish")
        within = (taken <= above * self.w[at]) & (taken >= -below * self.w[at])
        demand(bool(within.all()), "a multiplier of a sample is out of bounds")
        dual[at] = taken
        total = from_fractions(dual)
        gradient -= Rationals(total.num @ self.x.num, total.den * self.x.den).fractions()
        den = self.y.den * self.x.den * b.den
        return Fraction(sum(d * int(v) for d, v in zip(dual, r, strict=True))) / den

    def _constraints(self, k: int, gradient: Objects) -> None:
        problem, point = self.problem, self.said.point[k]
        if problem.rows is None:
            return
        bounds = zip(problem.rows, problem.lower, problem.upper, strict=True)
        for (row, low, high), mu in zip(bounds, self.said.of_constraints[k], strict=True):
            value = row @ point
            demand(low is None or value >= low, "a constraint does not hold")
            demand(high is None or value <= high, "a constraint does not hold")
            demand(mu <= 0 or value == low, "a constraint pushes that is not active")
            demand(mu >= 0 or value == high, "a constraint pushes that is not active")
            if mu:
                gradient -= mu * row

    def _crossing(self, gradients: Objects) -> None:
        """All quantiles in order at all samples, and what keeps them so."""
        point = from_fractions(self.said.point)
        fits = self.x.num @ point.num.T
        if self.said.crossing.shape[0] or len(self.problem.taus) > 1:
            steps = np.diff(fits[self.w > 0], axis=1)
            demand(bool((steps >= 0).all()), "the fits cross")
        for (k, i), nu in zip(self.said.crossing.tolist(), self.said.of_crossing, strict=True):
            demand(nu >= 0 and fits[i, k] == fits[i, k + 1], "fits push that are not equal")
            row = Rationals(self.x.num[i], self.x.den).fractions()
            gradients[k] += nu * row
            gradients[k + 1] -= nu * row

    def _stationary(self, b: Fraction, slope: Fraction, penalised: bool) -> None:
        """That 0 is a derivative by this coefficient, `slope` without its penalty."""
        penalty = self.penalty if penalised else Fraction(0)
        if b:
            demand(slope == (-penalty if b > 0 else penalty), "a derivative is not 0")
        else:
            demand(abs(slope) <= penalty, "a derivative is not 0")


def demand(holds: bool, otherwise: str) -> None:
    """CertificateError, unless that `holds`."""
    if not holds:
        raise CertificateError(otherwise)


__all__ = ["OptimalityCertificate", "Problem", "unproved"]
