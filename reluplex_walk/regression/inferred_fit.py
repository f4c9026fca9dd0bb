"""What a fit says of its errors: covariances, intervals, replicates, tests against other fits."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from .._logs import logged
from .._validate import choice, instance, integer, sequence
from .bootstrap import Bootstrap, BootstrapProgress, bootstrap
from .comparison import FitComparison, compare
from .estimate import Estimate
from .inference import KINDS, covariance, errors, interval, pseudo_r2
from .named_fit import NamedFit
from .rank_test import rank_intervals
from .sparse_errors import iid_covariance
from .tables.groups import numbers_of_groups

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_KINDS = ("rank", *KINDS, "boot")

_FEW = 1000  # samples, up to which intervals are those of the rank test


class InferredFit(NamedFit):
    """The part of a `QuantileFit` that knows of errors."""

    tau: float | None
    sample_weight: Floats
    aliased: NDArray[np.int64]
    fit_intercept: bool

    @property
    @abstractmethod
    def data_loss(self) -> float:
        """The loss of the samples."""

    @property
    def _n_weighted(self) -> int:
        """How many samples have a weight > 0."""
        return int(np.count_nonzero(self.sample_weight))

    @property
    def _sparse(self) -> bool:
        """Whether all that is known are errors of one distribution: of fits of sparse `X`."""
        return not isinstance(self.X, np.ndarray)

    @property
    @abstractmethod
    def _estimate(self) -> Estimate:
        """What inference is told."""

    @cached_property
    def pseudo_r2(self) -> float:
        """1 - loss / loss of the best constant: R1 of Koenker and Machado (JASA 94, 1999).

        0 where targets are constant; below 0 a fit without intercept may lie.  Of a fit with a
        penalty the loss of its samples counts, ``data_loss``.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> round(rw.quantile(data.X, data.y).pseudo_r2, 10)
        0.6205559619
        """
        w, tau = self.sample_weight, 0.5 if self.tau is None else self.tau
        loss = self.data_loss * (0.5 if self.tau is None else 1.0)
        return pseudo_r2(self.y[w > 0.0], w[w > 0.0], tau, loss)

    @property
    def rank(self) -> int:
        """How many coefficients were estimated: all but those of aliased columns.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.lad([[1.0], [2.0], [3.0]], [1.0, 5.0, 4.0]).rank
        2
        """
        return self._estimated.size

    @property
    def _estimated(self) -> NDArray[np.int64]:
        """Which of the p + 1 coefficients were estimated."""
        every = np.arange(1 - self.fit_intercept, self.coefficients.size)
        return np.setdiff1d(every, self.aliased + 1)

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
        bandwidth : {"hall-sheather", "bofinger", "chamberlain"}, default "hall-sheather"
            How near to tau quantiles are looked at; at some hundred samples "ker" errs least with
            "chamberlain".
        groups : array_like (n,), optional
            Labels of the groups, for "cluster" and "boot": of the rows of the fit, or of all rows
            that it was given, some of which ``missing="drop"`` left out.

        Returns
        -------
        ndarray
            With rows of 0 for coefficients that were not fitted.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, there are no more samples than coefficients, or the
            densities found are 0 at too many of them; of fits with penalty or constraints, of those
            that may not cross others, and, but for "iid", of those of sparse `X`.

        Notes
        -----
        Weights are as in quantreg: sample i is the row ``w_i (1, x_i)`` with target ``w_i y_i``.
        They are no counts: repeat the rows for that.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> found = rw.quantile(data.X, data.y).cov("iid")
        >>> [f"{error:.5g}" for error in np.sqrt(np.diag(found)).tolist()]
        ['13.239', '0.011919']
        """
        if choice("kind", kind, _KINDS) == "rank":
            raise ValueError("kind: expected one with errors, found 'rank'; conf_int has intervals")
        if kind == "boot":
            found = self._replicates(groups).cov
        else:
            found = self._covariance(kind, bandwidth, groups)
        return self.names.by_parameter(found, None)

    def _covariance(self, kind: str, bandwidth: str, groups: Iterable[Any] | None) -> Floats:
        found = np.zeros((self.coefficients.size,) * 2)
        if kind == "iid" and self._sparse:
            fitted, tau = self._estimated, 0.5 if self.tau is None else self.tau
            parts = self.X, self.y, self.sample_weight, tau, self.coefficients
            found[np.ix_(fitted, fitted)] = iid_covariance(*parts, fitted, bandwidth)
            return found
        given = self._estimate
        numbers = self._groups(groups)
        found[np.ix_(given.fitted, given.fitted)] = covariance(given, kind, bandwidth, numbers)
        return found

    def bse(
        self,
        kind: str = "nid",
        *,
        bandwidth: str = "hall-sheather",
        groups: Iterable[Any] | None = None,
    ) -> Any:
        """Standard errors (p + 1,) of the coefficients; all as for :meth:`cov`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> rw.quantile(data.X, data.y).bse("ker").round(5)
        array([30.21532,  0.03732])
        """
        return self.named(errors(np.asarray(self.cov(kind, bandwidth=bandwidth, groups=groups))))

    def conf_int(
        self,
        kind: str | None = None,
        level: float = 0.9,
        *,
        bandwidth: str = "hall-sheather",
        groups: Iterable[Any] | None = None,
        iid: bool = True,
        interpolate: bool = True,
    ) -> Any:
        """Confidence intervals (p + 1, 2) of the coefficients.

        Student's t times `bse`, as R's quantreg has it; for "rank" the values that the rank score
        test does not reject.

        Parameters
        ----------
        kind : str, optional
            As for :meth:`cov`; or "rank" (Koenker 1994), which follows the test from value to value
            by parametric pivots.  Default, as ``summary.rq`` of R's quantreg: "rank" up to 1,000
            samples, "nid" above; of sparse `X` "iid".
        bandwidth, groups
            As for :meth:`cov`.
        level : float, default 0.9
            How often such intervals hold the coefficient, in (0, 1).
        iid : bool, default True
            For "rank": whether errors are of one distribution; if not, their densities are those of
            "nid".
        interpolate : bool, default True
            For "rank": whether the statistic, a step function, is interpolated to the critical
            value, as in R; if not, the interval is that of all values that are not rejected.

        Returns
        -------
        ndarray
            [0, 0] for coefficients that were not fitted; infinite ends where the rank test rejects
            nothing.

        Raises
        ------
        ValueError, TypeError
            As for :meth:`cov`.

        See Also
        --------
        bootstrap : its ``conf_int`` has quantiles of the replicates.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> rw.quantile(data.X, data.y).conf_int("nid", level=0.95).round(4)
        array([[ 43.5546, 119.4099],
               [  0.5045,   0.6159]])
        """
        if kind is None:
            kind = "rank" if self._n_weighted <= _FEW else "nid"
            kind = "iid" if self._sparse else kind
        if choice("kind", kind, _KINDS) == "rank":
            found = rank_intervals(self._estimate, level, iid, interpolate)
            return self.named(self._estimate.spread(found.T).T)
        error = np.asarray(self.bse(kind, bandwidth=bandwidth, groups=groups))
        freedom = self.freedom_of(kind, groups)
        return self.named(interval(self.coefficients, error, level, freedom))

    def freedom_of(self, kind: str, groups: Iterable[Any] | None = None) -> int:
        """Degrees of freedom of Student's t in intervals of this `kind`.

        Samples of weight > 0 less coefficients, for groups that are drawn one less than there are.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_stackloss()
        >>> rw.lad(data.X, data.y).freedom_of("nid")
        17
        """
        numbers = self._groups(groups)
        if numbers is not None and kind in ("cluster", "boot"):
            return int(numbers.max())
        return self._n_weighted - self.rank

    def compare(
        self,
        other: "InferredFit | Sequence[InferredFit]",
        test: str = "wald",
        kind: str | None = None,
    ) -> FitComparison:
        """Test a model against a smaller one, or the slopes of one model at several quantiles.

        Parameters
        ----------
        other : QuantileFit or sequence of them
            A fit of the same targets and weights: at the same tau, of features in the span of this
            one's or the other way round; or fits of the same features, each at another tau.
        test : {"wald", "rank"}, default "wald"
            "wald" asks whether the coefficients of the larger fit are where the smaller one has
            them, "rank" whether the rank scores of the smaller one, its dual solution, are
            unrelated to what it leaves out (Gutenbrunner, Jureckova, Koenker and Portnoy, J.
            Nonparametric Statist. 2, 1993; the score is that of the quantile).  Slopes are tested
            by Wald's test.
        kind : {"nid", "iid", "ker"}, optional
            The covariance for "wald", default "nid"; for "rank" "iid", the default, or "nid".

        Returns
        -------
        FitComparison
            F statistic, degrees of freedom and p-value, as ``anova.rq`` of R's quantreg.

        Raises
        ------
        ValueError, TypeError
            If the fits are not nested, or an argument does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_stackloss()
        >>> large, small = rw.lad(data.X, data.y), rw.lad(data.X[:, :1], data.y)
        >>> large.compare(small).message
        '2 restrictions at tau=0.5: F(2, 17) = 2.88554, p = 0.0834 (wald)'
        """
        others = [other] if isinstance(other, InferredFit) else sequence("other", other)
        for fit in others:
            instance("other", fit, InferredFit)
        return compare(self._estimate, [fit._estimate for fit in others], test, kind)

    @logged("QuantileFit.bootstrap")
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
            ``fit + v |y - fit|``, v being ``2 (1 - tau)``, or with probability tau ``-2 tau``, with
            something added to ``|y - fit|`` for leverage.
        clusters : array_like (n,), optional
            Labels of groups that are drawn, or turned over, as a whole; see `groups` of
            :meth:`cov`.
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
        groups = self._groups(clusters, "clusters")
        theta, singular, ended = bootstrap(given, n, method, groups, seed, limits)
        return Bootstrap(
            given.spread(theta), self.coefficients, method, ended, singular, self.names
        )

    @cached_property
    def _pairs(self) -> Bootstrap:
        """The bootstrap of all defaults: errors, intervals and a summary are of the same one."""
        return self._whole(self.bootstrap())

    def _replicates(self, groups: Iterable[Any] | None) -> Bootstrap:
        return self._pairs if groups is None else self._whole(self.bootstrap(clusters=groups))

    def _whole(self, found: Bootstrap) -> Bootstrap:
        if found.ended.early:  # nobody would see it
            raise KeyboardInterrupt
        return found

    def _groups(self, labels: Iterable[Any] | None, name: str = "groups") -> Ints | None:
        """The groups of the samples of weight > 0 as numbers."""
        if labels is None:
            return None
        return numbers_of_groups(name, labels, self.names, self.sample_weight)


__all__ = ["InferredFit"]
