"""`QuantileFit`: the result of a quantile regression."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._conversions import optimize_result
from .._shown import repr_html
from ..ended import Ended
from ..proof.certificate import Certificate
from ..simplex.records import WalkStatus
from . import fit_file
from .beside.beside import Beside
from .beside.together import Together
from .proved_fit import Proof, ProvedFit
from .sparse.check import SparseProof
from .tables.names import NO_NAMES, Names
from .tables.summary import Summary, summary_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class QuantileFit(ProvedFit):
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
    def data_loss(self) -> float:
        """The loss of the samples: `loss` without `penalty`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> fit = rw.lad([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0], alpha=0.5)
        >>> fit.data_loss, fit.loss
        (2.0, 3.5)
        """
        return self.loss - self.penalty

    def summary(self, kind: str | None = None, level: float = 0.9, **options: Any) -> Summary:
        """What was fitted and proved, and a table of coefficients, their errors and intervals.

        Parameters
        ----------
        kind : str, optional
            Of the standard errors and intervals, as for :meth:`conf_int`, but by default "nid":
            "rank" has no standard errors.  Sparse `X` has "iid" alone, its default.
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
        kind = kind or ("nid" if isinstance(self.X, np.ndarray) else "iid")
        return summary_of(self, kind, level, options)

    def to_scipy(self) -> Any:
        """A ``scipy.optimize.OptimizeResult``; ``success`` if it is a proved global minimum.

        ``x`` are the `coefficients`, ``nit`` the pivots, ``dual`` is `dual`; the proof is in
        `certificate` or `optimality` of the fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> found = rw.lad([[0.0], [1.0], [2.0], [3.0], [4.0]], [1, 3, 5, 7, 90]).to_scipy()
        >>> found.x, found.fun, found.success, found.message
        (array([1., 2.]), 81.0, True, 'the end is a proved global minimum')
        """
        return optimize_result(
            self.coefficients,
            self.loss,
            success=self.status.proved,
            ended=self.ended,
            message=self.status.message,
            nit=self.n_pivots,
            dual=self.dual,
        )

    def _repr_html_(self) -> str:
        """The head of its report and the table of coefficients, for notebooks."""
        return repr_html(self, self.summary().coefficients_html())

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
        if type(parts["_end"]) is tuple:
            parts["_end"] = Proof(*parts["_end"])
        return cls(**parts)

    def __repr__(self) -> str:
        kind = "lad" if self.tau is None else f"tau={self.tau:g}"
        return (
            f"QuantileFit({kind}, {self.status.name}, loss={self.loss:.10g}, "
            f"coefficients={np.array2string(self.coefficients, precision=6, threshold=8)})"
        )


__all__ = ["Proof", "QuantileFit"]
