"""`QuantileFit`: the result of a quantile regression, and what is proved of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._frames import Labels, order_of_columns
from .._limits import Limits
from .._validate import inputs, integer
from ..ended import Ended
from ..problem.kernel_arrays import writable
from ..problem.loss import LayerLoss
from ..proof.certificate import Certificate
from ..proof.reason import Reason
from ..simplex.records import WalkStatus
from ..simplex.walk import walk
from .bootstrap import Bootstrap, BootstrapProgress, bootstrap
from .certificate import certificate_of
from .data import Data, Slopes, Units
from .design import Basis, Samples
from .estimate import Estimate
from .inference import covariance, errors, interval, numbered, pseudo_r2
from .rank_test import rank_intervals
from .solutions import Minimisers, Solutions
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
        The data.
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
    _end: Certificate | Proof | None  # what is known of the end
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
        data = Data(self.X, self.y, self.sample_weight)
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

    @cached_property
    def _estimate(self) -> Estimate:
        """What inference is told."""
        end, proof = self._end, None
        if isinstance(end, Proof):
            parts = end.samples, end.units, end.basis
            proof = Samples(*map(writable, parts[0])), parts[1], Basis(*map(writable, parts[2]))
        data = Data(self.X, self.y, self.sample_weight)
        return Estimate.of(data, self.tau, self.coefficients, self.dual, self.fit_intercept, proof)

    @cached_property
    def _minimisers(self) -> Minimisers:
        if not isinstance(self._end, Proof):
            raise ValueError("solutions: expected a fit that the solver proved, found none proved")
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
    def pseudo_r2(self) -> float:
        """1 - loss / loss of the best constant: R1 of Koenker and Machado (JASA 94, 1999).

        0 where targets are constant; below 0 a fit without intercept may lie.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> round(rw.quantile(data.X, data.y).pseudo_r2, 10)
        0.6205559619
        """
        return pseudo_r2(self._estimate, self.loss * (0.5 if self.tau is None else 1.0))

    def cov(
        self,
        kind: str = "nid",
        *,
        bandwidth: str = "hall-sheather",
        groups: Iterable[Any] | None = None,
    ) -> Floats:
        """The covariance (p + 1, p + 1) of the coefficients, as R's quantreg estimates it.

        Parameters
        ----------
        kind : {"nid", "iid", "ker", "boot", "cluster"}, default "nid"
            What is assumed of the errors y - fit: "iid" that they have one distribution; "nid"
            that the quantiles near tau are linear too (Hendricks and Koenker, JASA 87, 1992); "ker"
            nothing, with a Gaussian kernel (Powell 1991); "boot" nothing: that of
            :meth:`bootstrap`; "cluster" nothing within the `groups`, which are independent (Parente
            and Santos Silva, J. Econometric Methods 5, 2016).
        bandwidth : {"hall-sheather", "bofinger"}, default "hall-sheather"
            How near to tau quantiles are looked at.
        groups : array_like (n,), optional
            Labels of the groups, for "cluster" and "boot".

        Returns
        -------
        ndarray
            With rows of 0 for coefficients that were not fitted.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, there are no more samples than coefficients, or the
            densities found are 0 at too many of them.

        Notes
        -----
        Weights are as in quantreg: sample i is the row ``w_i (1, x_i)`` with target ``w_i y_i``.
        They are no counts: repeat the rows for that.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> np.sqrt(np.diag(rw.quantile(data.X, data.y).cov("iid"))).round(6)
        array([13.23908 ,  0.011919])
        """
        if kind == "boot":
            return self._replicates(groups).cov
        given = self._estimate
        found = np.zeros((self.coefficients.size,) * 2)
        numbers = self._groups(groups)
        found[np.ix_(given.fitted, given.fitted)] = covariance(given, kind, bandwidth, numbers)
        return found

    def bse(
        self,
        kind: str = "nid",
        *,
        bandwidth: str = "hall-sheather",
        groups: Iterable[Any] | None = None,
    ) -> Floats:
        """Standard errors (p + 1,) of the coefficients; all as for :meth:`cov`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> rw.quantile(data.X, data.y).bse("ker").round(5)
        array([30.21532,  0.03732])
        """
        return errors(self.cov(kind, bandwidth=bandwidth, groups=groups))

    def conf_int(
        self,
        kind: str = "nid",
        level: float = 0.9,
        *,
        bandwidth: str = "hall-sheather",
        groups: Iterable[Any] | None = None,
        iid: bool = True,
        interpolate: bool = True,
    ) -> Floats:
        """Confidence intervals (p + 1, 2) of the coefficients.

        Student's t times `bse`; for "boot" quantiles of the replicates.

        Parameters
        ----------
        kind, bandwidth, groups
            As for :meth:`cov`.
        level : float, default 0.9
            How often such intervals hold the coefficient, in (0, 1).

        Returns
        -------
        ndarray
            [0, 0] for coefficients that were not fitted.

        Raises
        ------
        ValueError, TypeError
            As for :meth:`cov`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> rw.quantile(data.X, data.y).conf_int("nid", level=0.95).round(4)
        array([[ 43.5546, 119.4099],
               [  0.5045,   0.6159]])
        """
        if kind == "rank":
            return self._rank_intervals(level, iid, interpolate)
        if kind == "boot":
            return self._replicates(groups).conf_int(level)
        error = self.bse(kind, bandwidth=bandwidth, groups=groups)
        numbers, freedom = self._groups(groups), self._estimate.freedom
        if kind == "cluster" and numbers is not None:
            freedom = int(numbers.max())
        return interval(self.coefficients, error, level, freedom)

    def _rank_intervals(self, level: float, iid: bool, interpolate: bool) -> Floats:
        """Those of :meth:`conf_int`."""
        if not isinstance(self._end, Proof):
            raise ValueError("kind='rank': expected a fit that the solver proved; take another kind")
        below, above = self._end.slopes[:2]
        side, given = writable(self._end.side), self._estimate
        found = rank_intervals(given, side, below / (below + above), level, iid, interpolate)
        return given.spread(found.T).T

    def bootstrap(
        self,
        n: int = 1000,
        method: str = "xy",
        *,
        clusters: Iterable[Any] | None = None,
        seed: int = 0,
        time_limit: float | None = None,
        callback: Callable[[BootstrapProgress], Any] | None = None,
    ) -> Bootstrap:
        """Replicates of the fit.

        Parameters
        ----------
        n : int, default 1000
            How many.
        method : {"xy", "wild"}, default "xy"
            "xy" draws samples, as many as there are, with replacement; "wild" keeps X and turns
            over residuals, for quantiles (Feng, He and Hu, Biometrika 98, 2011): targets are
            ``fit + v |y - fit|``, v being ``2 (1 - tau)``, or with probability tau ``-2 tau``.
        clusters : array_like (n,), optional
            Labels of groups that are drawn, or turned over, as a whole.
        seed : int, default 0
            The same seed gives the same replicates: the first ones of a larger `n` too.
        time_limit : float, optional
            Seconds.
        callback : callable, optional
            Called before each replicate with a :class:`BootstrapProgress`; StopIteration or
            KeyboardInterrupt raised in it ends the bootstrap as Ctrl-C does.

        Returns
        -------
        Bootstrap
            Fewer replicates where it ended early.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, or there are no more samples than coefficients.

        Notes
        -----
        Each replicate ends at a vertex where, in floats, no half-edge descends and every sample has
        the side it was taken to have.  Unlike the fit, replicates are not proved in rationals.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> found = rw.quantile(data.X, data.y).bootstrap(200)
        >>> found.coefficients.shape, found.conf_int(0.9).shape
        ((200, 2), (2, 2))
        """
        n, seed = integer("n", n, 1), integer("seed", seed, 0)
        limits, given = Limits.asked(time_limit, callback), self._estimate
        theta, singular, ended = bootstrap(given, n, method, self._groups(clusters), seed, limits)
        return Bootstrap(given.spread(theta), self.coefficients, method, ended, singular)

    def _replicates(self, groups: Iterable[Any] | None) -> Bootstrap:
        found = self.bootstrap(clusters=groups)
        if found.ended.early:  # nobody would see it
            raise KeyboardInterrupt
        return found

    def _groups(self, groups: Iterable[Any] | None) -> NDArray[np.int64] | None:
        """The groups of the samples of weight > 0 as numbers."""
        if groups is None:
            return None
        every = numbered("groups", groups, len(self.y))
        return numbered("groups", every[self.sample_weight > 0.0], len(self._estimate.y))

    def __repr__(self) -> str:
        kind = "lad" if self.tau is None else f"tau={self.tau:g}"
        return (
            f"QuantileFit({kind}, {self.status.name}, loss={self.loss:.10g}, "
            f"coefficients={np.array2string(self.coefficients, precision=6, threshold=8)})"
        )


__all__ = ["Proof", "QuantileFit"]
