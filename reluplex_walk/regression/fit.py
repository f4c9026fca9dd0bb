"""`QuantileFit`: the result of a quantile regression, and what is proved of it."""

from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from .._memory import require_memory
from .._validate import integer
from ..ended import Ended
from ..problem.kernel_arrays import writable
from ..problem.loss import LayerLoss
from ..proof.certificate import Certificate
from ..proof.reason import Reason
from ..simplex.records import WalkStatus
from ..simplex.walk import walk
from . import fit_file
from .beside.beside import Beside
from .beside.optimality import OptimalityCertificate
from .beside.together import Together
from .certificate import certificate_of
from .data import Data, Slopes, Units
from .design import Basis, Samples
from .estimate import Estimate
from .inferred_fit import InferredFit
from .parametric.solutions import Minimisers, Solutions
from .sparse.check import SparseProof, check
from .tables.names import NO_NAMES, Names
from .tables.summary import Summary, summary_of
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


@dataclass(frozen=True, eq=False, repr=False)
class QuantileFit(InferredFit):
    """A linear quantile regression, solved exactly.

    Minimises ``sum_i w_i rho(y_i - b_0 - x_i . b)`` with ``rho(u) = tau max(u, 0) + (1 - tau)
    max(-u, 0)``, or ``rho(u) = |u|`` for :func:`lad`.

    Attributes
    ----------
    coefficients : ndarray (p + 1,)
        Intercept b_0, then one for each feature, in the units of the data: the floats nearest to
        the exact minimum.
    loss : float
        What is minimised, at `coefficients`: a sum over samples, and the penalty if there is an
        `alpha` (``data_loss`` is without it); the minimum, but for their rounding.
    dual : ndarray (n,)
        Solution of the dual problem: subgradients of the terms by their residuals ``y - fit``, in
        ``[-(1 - tau) w, tau w]`` (for `lad` in ``[-w, w]``), with ``sum_i dual_i (1, x_i) = 0`` and
        ``sum_i dual_i y_i = loss``, up to rounding.  Under a penalty the sum of ``dual_i x_i`` is a
        subgradient of it; under constraints ``optimality`` has all multipliers.
    status : WalkStatus
        GLOBAL_MINIMUM: proved, penalty and constraints included.  Where floats fail a walk in
        rational arithmetic tries (not for those), for up to a minute: NOT_PROVED, TIME_LIMIT or
        (after Ctrl-C) INTERRUPTED say how that ended.
    ended : Ended
        Why the fit stopped.
    tau : float or None
        The quantile; None for `lad`.
    n_pivots : int
        Pivots made, on all subsamples.
    X, y, sample_weight : ndarray
        The data; of sparse features a ``scipy.sparse.csc_array``.
    aliased : ndarray (k,)
        Columns of `X` that the constant and earlier columns determine up to rounding: their
        coefficients are 0, and what is proved is proved for the others.
    fit_intercept : bool
        Whether there is an intercept; if not, it is 0.
    names : Names
        What is known of the table the fit was made from, see :attr:`feature_names`, :attr:`rows`.
    beside : Beside or None
        Penalty and constraints, if there are any.

    Examples
    --------
    >>> import numpy as np, reluplex_walk as rw
    >>> data = rw.datasets.load_engel()
    >>> fit = rw.quantile(data.X, data.y, tau=0.9)
    >>> fit.status.name, round(float(np.mean(fit.residuals < 0.0)), 1)  # nine tenths lie below
    ('GLOBAL_MINIMUM', 0.9)
    >>> bool(np.isclose(fit.dual @ fit.y, fit.loss))  # no duality gap
    True
    >>> fit.problem
    LayerLoss(ReLUNetwork(1-1), n=235, layer=0, pinball, tau=0.9)
    """

    coefficients: Floats
    loss: float
    dual: Floats
    status: WalkStatus
    ended: Ended
    tau: float | None
    n_pivots: int
    X: Floats
    y: Floats
    sample_weight: Floats
    aliased: NDArray[np.int64]
    fit_intercept: bool
    _end: Certificate | Proof | Together | SparseProof | None  # what is known of the end
    names: Names = NO_NAMES
    beside: Beside | None = None

    @property
    def penalty(self) -> float:
        """``alpha * sum(sample_weight) * sum_j |b_j|``, a part of `loss`; 0 without `alpha`."""
        return 0.0 if self.beside is None else self.beside.cost(self.coefficients)

    @property
    def data_loss(self) -> float:
        """The loss of the samples: `loss` without `penalty`."""
        return self.loss - self.penalty

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

    def summary(self, kind: str = "nid", level: float = 0.9, **options: Any) -> Summary:
        """What was fitted and proved, and a table of coefficients, their errors and intervals.

        Parameters
        ----------
        kind : str, default "nid"
            Of the standard errors and intervals.
        level : float, default 0.9
            How often such intervals hold the coefficient, in (0, 1).
        **options
            Handed on to what computes them.

        Returns
        -------
        Summary
            Prints as text, shows as HTML in notebooks; ``.frame`` is the table.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_stackloss()
        >>> print(rw.quantile(data.X, data.y).summary())
        response   y
        quantile   0.5
        samples    21
        loss       21.04057971
        ...
        """
        return summary_of(self, kind, level, options)

    def _repr_html_(self) -> str:
        return self.summary().as_html()

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the fit to `path` (npz): data, names, how tables are read, and the proof.

        FileExistsError if `path` exists, unless `force`; ValueError, TypeError if names are
        neither text nor numbers (those of rows may be dates).

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import reluplex_walk as rw
        >>> fit = rw.lad([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 70.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "fit.npz")
        ...     fit.save(path)
        ...     again = rw.QuantileFit.load(path)
        >>> again.certificate.verify_exact(again.problem).loss
        Fraction(63, 1)
        """
        parts = {each.name: getattr(self, each.name) for each in fields(self)}
        fit_file.write(parts, path, force)

    @classmethod
    def load(cls, path: str | Path) -> "QuantileFit":
        """The fit that :meth:`save` wrote to `path`; nothing in the file is run.

        A formula is run when :meth:`predict` needs it, if all it does is to compute.  Raises
        FileNotFoundError if there is no file, ValueError if it is another one or damaged.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import reluplex_walk as rw
        >>> fit = rw.lad([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "fit.npz")
        ...     fit.save(path)
        ...     rw.QuantileFit.load(path).predict([[10.0]])
        array([21.])
        """
        parts = fit_file.read(path)
        if isinstance(parts["_end"], tuple):
            parts["_end"] = Proof(*parts["_end"])
        return cls(**parts)

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
        if isinstance(self._end, Together):
            data = Data(self.X, self.y, self.sample_weight)
            return self._end.certificate(data, self.status.proved)
        data, beside = Data(self.X, self.y, self.sample_weight), self.beside or Beside.nothing()
        if not isinstance(end := self._end, Proof):
            problem = beside.problem(data, self.tau, np.arange(len(self.coefficients)))
            return OptimalityCertificate.none(self.coefficients, self.loss, problem)
        vertex = end.vertex()
        return beside.certificate(data, self.tau, *end[:3], vertex, self.status.proved)

    @cached_property
    def _minimisers(self) -> Minimisers:
        if not isinstance(self._end, Proof) or not self.status.proved:
            raise ValueError("solutions: expected a fit that the solver proved, found none proved")
        if self.beside is not None:
            raise ValueError("solutions: expected a fit without penalty and constraints")
        samples, units, slopes, basis, side = self._end
        return Minimisers(
            Samples(*map(writable, samples)), units, slopes, writable(basis.rows), writable(side)
        )

    @cached_property
    def unique(self) -> bool:
        """Whether no other coefficients have the same loss, exactly.

        Not if there are others for a tau within the rounding of a float that is no decimal: a third
        of three samples is a third.  Of aliased columns the coefficients are 0.

        Raises ValueError if the solver did not prove the fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.lad([[1.0], [2.0], [3.0]], [1.0, 5.0, 4.0]).unique
        True
        """
        return self._minimisers.unique

    def solutions(self, max_solutions: int = 1000) -> Solutions:
        """All minimisers: the vertices of the set that they are.

        Parameters
        ----------
        max_solutions : int, default 1000
            How many to stop at.

        Returns
        -------
        Solutions
            ``vertices`` (k, p + 1) and ``ended``.  Of aliased columns the coefficients are 0.

        Raises
        ------
        ValueError, TypeError
            If the argument does not fit, or the solver did not prove the fit.

        Examples
        --------
        The median of an even number is all between the two in the middle.

        >>> import reluplex_walk as rw
        >>> fit = rw.lad([[1.0], [1.0], [1.0], [1.0]], [1.0, 2.0, 4.0, 9.0], fit_intercept=False)
        >>> fit.unique, sorted(fit.solutions().vertices[:, 1].tolist())
        (False, [2.0, 4.0])
        """
        most, given = integer("max_solutions", max_solutions, 1), self._minimisers
        with Limits() as limits:
            points, ended = given.vertices(most, limits)
        limits.pass_on()
        factors = given.units.factors(given.samples)
        found = np.zeros((len(points), self.coefficients.size))
        for row, point in zip(found, points, strict=True):
            row[given.units.fitted] = [float(v * f) for v, f in zip(point, factors, strict=True)]
        return Solutions(found, ended)

    @cached_property
    def _estimate(self) -> Estimate:
        """What inference is told."""
        end, proof = self._end, None
        if isinstance(end, Proof):
            parts = end.samples, end.units, end.basis
            proof = Samples(*map(writable, parts[0])), parts[1], Basis(*map(writable, parts[2]))
        data = Data(self.X, self.y, self.sample_weight)
        return Estimate.of(data, self.tau, self.coefficients, self.dual, self.fit_intercept, proof)

    def verify(self) -> Fraction:
        """Check the proof independently, in rational arithmetic: the exact minimum of the loss.

        For sparse `X` multipliers of all samples are checked to balance (``X' d = 0``), to lie
        within the slopes of their terms, and to be at their ends where residuals are not 0; else
        :meth:`.Certificate.verify_exact` is asked.  ValueError if nothing is proved.

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
        if isinstance(self._end, SparseProof):
            return check(self.X, self.y, self.sample_weight, self.tau, self._end)
        return self.certificate.verify_exact(self.problem).loss

    def _dense(self) -> Floats:
        """`X` as a dense array; ValueError if that does not fit in memory."""
        if isinstance(self.X, np.ndarray):
            return self.X
        n, p = self.X.shape
        what = f"X: a dense problem of {n} samples and {p} columns"
        require_memory(what, 40.0 * n * p, "for sparse X verify() checks the proof without it")
        return np.ascontiguousarray(self.X.toarray())

    def __repr__(self) -> str:
        kind = "lad" if self.tau is None else f"tau={self.tau:g}"
        return (
            f"QuantileFit({kind}, {self.status.name}, loss={self.loss:.10g}, "
            f"coefficients={np.array2string(self.coefficients, precision=6, threshold=8)})"
        )


__all__ = ["Proof", "QuantileFit"]
