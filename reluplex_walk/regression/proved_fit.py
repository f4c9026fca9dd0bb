"""What is proved of a fit: its certificates, their checks, and all minimisers."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from .._logs import logged
from .._memory import require_memory
from .._validate import integer
from ..ended import Ended
from ..problem.kernel_arrays import writable
from ..problem.loss import LayerLoss
from ..proof.certificate import Certificate
from ..proof.reason import Reason
from ..simplex.records import WalkStatus
from ..simplex.walk import walk
from .beside.beside import Beside
from .beside.optimality import OptimalityCertificate, unproved
from .beside.together import Together
from .certificate import certificate_of
from .claim import check_loss, check_point
from .data import Data, Slopes, Units
from .design import Basis, Samples
from .estimate import Estimate
from .inferred_fit import InferredFit
from .parametric.solutions import Minimisers, Solutions
from .sparse.check import SparseProof, check
from .vertex import ExactVertex

Floats = NDArray[np.float64]


class Proof(NamedTuple):
    """What the solver proved, and of which samples."""

    samples: Samples
    units: Units
    slopes: Slopes
    basis: Basis
    side: Floats

    def vertex(self) -> ExactVertex:
        """The exact minimum."""
        samples, basis = Samples(*map(writable, self.samples)), Basis(*map(writable, self.basis))
        return ExactVertex.of(samples, self.units, self.slopes, basis, writable(self.side))


class ProvedFit(InferredFit):
    """The part of a `QuantileFit` that knows what is proved."""

    loss: float
    dual: Floats
    status: WalkStatus
    ended: Ended
    aliased: NDArray[np.int64]
    fit_intercept: bool
    beside: Beside | None
    _end: Certificate | Proof | Together | SparseProof | None

    @cached_property
    def problem(self) -> LayerLoss:
        """The same loss as a :class:`LayerLoss`, a network without hidden layer (bias last)."""
        data = Data(self._dense(), self.y, self.sample_weight)
        return data.problem(self.tau, self.fit_intercept)

    @cached_property
    def certificate(self) -> Certificate:
        """The proof as a :class:`Certificate` of :attr:`problem`: the slopes of all half-edges.

        Made from the solver's own proof when first asked for.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> fit = rw.lad([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 70.0])
        >>> fit.certificate.verify_exact(fit.problem).loss
        Fraction(63, 1)
        """
        if isinstance(self._end, Certificate):
            return self._end
        if self.beside is not None or isinstance(self._end, Together):
            raise ValueError(
                "certificate: expected a fit without penalty and constraints, which are no part of "
                "its problem, a LayerLoss; fit.optimality is the certificate of all of it"
            )
        if self._end is None:
            return walk(self.problem, np.roll(self.coefficients, -1), max_pivots=0).certificate
        if isinstance(self._end, SparseProof):
            return walk(self.problem, np.roll(self.coefficients, -1), step="long").certificate
        if not np.array_equal(self.aliased, self.problem.aliased):  # equal rows counted once
            return walk(self.problem, np.roll(self.coefficients, -1)).certificate
        certificate = certificate_of(self.problem, self._end.vertex(), self._end.units.fitted)
        if self.status.proved:
            return certificate
        return replace(
            certificate,
            method="none",
            is_global=False,
            witness=None,
            reason=Reason.PARAMETERS,
            digest="",
        )

    @property
    def penalty(self) -> float:
        """``alpha * sum(sample_weight) * sum_j |b_j|``, a part of `loss`; 0 without `alpha`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.lad([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0], alpha=0.5).penalty
        1.5
        """
        return 0.0 if self.beside is None else self.beside.cost(self.coefficients)

    def verify(self) -> Fraction:
        """Check the proof independently, in rational arithmetic: the exact minimum of the loss.

        For sparse `X` multipliers of all samples are checked to balance (``X' d = 0``), to lie
        within the slopes of their terms, and to be at their ends where residuals are not 0; under a
        penalty or constraints :attr:`optimality` is asked (for fits that do not cross that is of
        the sum of their losses), else :attr:`certificate`.  ValueError if nothing is proved.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.lad([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 70.0]).verify()
        Fraction(63, 1)
        """
        if not self.status.proved:
            # What is proved and not held by floats has come to its end.
            finished = self.ended is Ended.FINISHED
            why = "; ".join((Reason.PARAMETERS if finished else self.ended).value)
            raise ValueError(f"fit: expected one that is proved, found {self.status.name}: {why}")
        if isinstance(self._end, Together):
            least = self.optimality.verify_exact()
            check_point(self.coefficients, self.optimality.point)
            return least
        data = Data(self.X, self.y, self.sample_weight)
        if isinstance(self._end, SparseProof):
            least = check(*data, self.tau, self._end)
        elif self.beside is not None:
            least = self.optimality.verify_exact()
        else:
            least = self.certificate.verify_exact(self.problem).loss
        check_loss(data, self.tau, self.coefficients, self.loss, self.penalty, least)
        return least

    @cached_property
    def optimality(self) -> OptimalityCertificate:
        """The proof by multipliers, of whatever is minimised: penalty and constraints included.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> fit = rw.lad([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 70.0], alpha=0.5)
        >>> fit.optimality.verify_exact()
        Fraction(67, 1)
        """
        if isinstance(self._end, Together) and self.status.proved:
            return self._end.certificate(Data(self.X, self.y, self.sample_weight), True)
        data, beside = Data(self.X, self.y, self.sample_weight), self.beside or Beside.nothing()
        if not isinstance(end := self._end, Proof):
            problem = beside.problem(data, self.tau, np.arange(len(self.coefficients)))
            return unproved(self.coefficients, self.loss, problem)
        vertex = end.vertex()
        return beside.certificate(data, self.tau, *end[:3], vertex, self.status.proved)

    @cached_property
    def multipliers(self) -> Floats:
        """Multipliers (m,) of the constraints, those without a bound left out.

        By how much the least loss rises with a bound: >= 0 at a lower one, <= 0 at an upper one, 0
        where a constraint is not active.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> X = [[0.0], [1.0], [2.0]]
        >>> signs = rw.constraints.nonnegative(X)
        >>> rw.lad(X, [3.0, 2.0, 1.0], constraints=signs).multipliers
        array([2.])
        """
        return np.asarray(self.optimality.of_constraints[0], float)

    @cached_property
    def _minimisers(self) -> Minimisers:
        if not self.status.proved:
            raise ValueError("solutions: expected a fit that is proved, found one that is not")
        self._require_plain("solutions", "which are part of what is minimised; refit without them")
        if not isinstance(self._end, Proof):
            raise ValueError(
                "solutions: expected a fit that the solver proved, found one that a walk in "
                "rational arithmetic proved; bring columns to ordinary sizes"
            )
        samples, units, slopes, basis, side = self._end
        return Minimisers(
            Samples(*map(writable, samples)), units, slopes, writable(basis.rows), writable(side)
        )

    @cached_property
    def unique(self) -> bool:
        """Whether no other coefficients have the same loss, exactly.

        Not if there are others for a tau within the rounding of a float that is no decimal: a third
        of three samples is a third.  Of aliased columns the coefficients are 0.

        Raises ValueError if the solver did not prove the fit, of fits with penalty or constraints,
        and of sparse `X`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.lad([[1.0], [2.0], [3.0]], [1.0, 5.0, 4.0]).unique
        True
        """
        return self._minimisers.unique

    @logged("QuantileFit.solutions")
    def solutions(
        self,
        max_solutions: int = 1000,
        *,
        time_limit: float | None = None,
        callback: Callable[[int], Any] | None = None,
    ) -> Solutions:
        """All minimisers: the vertices of the set that they are.

        Parameters
        ----------
        max_solutions : int, default 1000
            How many to stop at.
        time_limit : float, optional
            Seconds.
        callback : callable, optional
            Told of the number found so far, again and again; StopIteration or KeyboardInterrupt
            raised in it ends the search, with those found.

        Returns
        -------
        Solutions
            ``vertices`` (k, p + 1) and ``ended``.  Of aliased columns the coefficients are 0.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, the solver did not prove the fit, it has a penalty or
            constraints, or `X` is sparse.

        Examples
        --------
        The median of an even number is all between the two in the middle.

        >>> import reluplex_walk as rw
        >>> fit = rw.lad([[1.0], [1.0], [1.0], [1.0]], [1.0, 2.0, 4.0, 9.0], fit_intercept=False)
        >>> fit.unique, sorted(fit.solutions().vertices[:, 1].tolist())
        (False, [2.0, 4.0])
        """
        most, given = integer("max_solutions", max_solutions, 1), self._minimisers
        with Limits.asked(time_limit, callback) as limits:
            points, ended = given.vertices(most, limits)
        if not limits.called_off:
            limits.pass_on()
        factors = given.units.factors(given.samples)
        found = np.zeros((len(points), self.coefficients.size))
        for row, point in zip(found, points, strict=True):
            row[given.units.fitted] = [float(v * f) for v, f in zip(point, factors, strict=True)]
        return Solutions(found, ended)

    @cached_property
    def _estimate(self) -> Estimate:
        """What inference is told."""
        self._require_plain(
            "errors of coefficients",
            "which bias the coefficients by more than errors tell; refit without them",
        )
        end, proof = self._end, None
        if isinstance(end, Proof):
            parts = end.samples, end.units, end.basis
            proof = Samples(*map(writable, parts[0])), parts[1], Basis(*map(writable, parts[2]))
        data = Data(self.X, self.y, self.sample_weight)
        return Estimate.of(data, self.tau, self.coefficients, self.dual, self.fit_intercept, proof)

    def _require_plain(self, what: str, why: str) -> None:
        """Refuse fits with something beside the loss of their samples, and those of sparse `X`."""
        expected, found = "a fit of its samples alone", ""
        if self.beside is not None:
            found = f"alpha or constraints, {why}"
        elif isinstance(self._end, Together):
            found = f"quantiles that may not cross, {why}"
        elif not isinstance(self.X, np.ndarray):
            expected, found = "a dense X", "a sparse one, refit with X.toarray()"
            if what != "solutions":
                found += "; or take kind='iid'"
        if found:
            raise ValueError(f"{what}: expected {expected}, found {found}")

    def _dense(self) -> Floats:
        """`X` as a dense array; ValueError if that does not fit in memory."""
        if isinstance(self.X, np.ndarray):
            return self.X
        n, p = self.X.shape
        what = f"X: a dense problem of {n} samples and {p} columns"
        require_memory(what, 40.0 * n * p, "for sparse X verify() checks the proof without it")
        return np.ascontiguousarray(self.X.toarray())


__all__ = ["Proof", "ProvedFit"]
