"""`QuantileFit`: the result of a quantile regression, and what is proved of it."""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._frames import Labels, order_of_columns
from .._memory import require_memory
from .._validate import inputs
from ..ended import Ended
from ..problem.kernel_arrays import writable
from ..problem.loss import LayerLoss
from ..proof.certificate import Certificate
from ..proof.reason import Reason
from ..simplex.records import WalkStatus
from ..simplex.walk import walk
from .certificate import certificate_of
from .data import Data, Slopes, Units
from .design import Basis, Samples
from .sparse_check import SparseProof, check
from .sparse_data import sparse_features
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
class QuantileFit:
    """A linear quantile regression, solved exactly.

    Minimises ``sum_i w_i rho(y_i - b_0 - x_i . b)`` with ``rho(u) = tau max(u, 0) + (1 - tau)
    max(-u, 0)``, or ``rho(u) = |u|`` for :func:`lad`.

    Attributes
    ----------
    coefficients : ndarray (p + 1,)
        Intercept b_0, then one for each feature, in the units of the data: the floats nearest to
        the exact minimum.
    loss : float
        The loss at `coefficients`, a sum over samples: the minimum, but for their rounding.
    dual : ndarray (n,)
        Solution of the dual problem: subgradients of the terms by their residuals ``y - fit``, in
        ``[-(1 - tau) w, tau w]`` (for `lad` in ``[-w, w]``), with ``sum_i dual_i (1, x_i) = 0`` and
        ``sum_i dual_i y_i = loss``, up to rounding.
    status : WalkStatus
        GLOBAL_MINIMUM: proved.  Where floats fail a walk in rational arithmetic tries, for up to
        a minute: NOT_PROVED, TIME_LIMIT or (after Ctrl-C) INTERRUPTED say how that ended.
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
    feature_names : tuple or None
        Labels of the columns of `X`, if it was a table (a data frame): then :meth:`predict` takes
        the columns of tables by name.

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
    _end: Certificate | Proof | SparseProof | None  # what is known of the end
    feature_names: Labels | None = None

    def predict(self, X: ArrayLike) -> Floats:
        """The fitted quantile (m,) at `X` (m, p); ValueError, TypeError if it does not fit.

        If the fit was made from a table, columns of a table go by ``feature_names``, in any
        order; columns of arrays go by position.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> fit = rw.lad([[0.0], [1.0], [2.0], [3.0], [4.0]], [1.0, 3.0, 5.0, 7.0, 90.0])
        >>> fit.predict([[10.0]])
        array([21.])
        """
        if hasattr(X, "tocsc") and hasattr(X, "nnz"):
            new = sparse_features("X", X, self.X.shape[1])
            return np.asarray(new @ self.coefficients[1:] + self.coefficients[0])
        order = order_of_columns("X", X, self.feature_names)
        new = inputs("X", X, self.X.shape[1])
        if order is not None:
            new = np.ascontiguousarray(new[:, order])
        return new @ self.coefficients[1:] + self.coefficients[0]

    @cached_property
    def residuals(self) -> Floats:
        """``y - fit`` (n,)."""
        return self.y - self.predict(self.X)

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
            raise ValueError(f"fit: expected one that is proved, found {self.status.name}")
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
