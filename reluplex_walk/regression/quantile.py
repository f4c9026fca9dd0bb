"""`lad`, `quantile`, `quantile_path`: linear regression by least absolute deviations, exactly.

The special case of the walk without a hidden layer: the loss is convex, so that its local minima
are global, and the walk is the algorithm of Barrodale and Roberts (1973), for quantiles that of
Koenker and d'Orey (1987).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from .._limits import Limits
from .._validate import real, real_array, weights
from ..ended import Ended
from ..native.refresh import new_state, place, refresh
from ..native.walk import prices
from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork
from ..proof.certificate import Certificate
from ..proof.certify import certify
from ..simplex.exact_pivots import settle
from ..simplex.records import WalkStatus
from ..simplex.trajectory import Trajectory
from ..simplex.walk import walk
from ..tolerances import TOLERANCES
from .design import Samples
from .solver import Solution, minimise

Floats = NDArray[np.float64]

_PROOF_SECONDS = 60.0  # for a proof in rational arithmetic, where rounding leaves doubt


@dataclass(frozen=True, eq=False, repr=False)
class QuantileFit:
    """A linear quantile regression, solved exactly.

    Minimises ``sum_i w_i rho(y_i - b_0 - x_i . b)`` with ``rho(u) = tau max(u, 0) + (1 - tau)
    max(-u, 0)``, or ``rho(u) = |u|`` for :func:`lad`.

    Attributes
    ----------
    coefficients : ndarray (p + 1,)
        Intercept b_0, then one for each feature, in the units of the data: the exact vertex,
        rounded.
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
    _rows: NDArray[np.int64]  # of the data, active at the end
    _proof: Certificate | None  # made already, where rounding left doubt

    def predict(self, X: ArrayLike) -> Floats:
        """The fitted quantile (m,) at `X` (m, p); ValueError, TypeError if it does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> fit = rw.lad([[0.0], [1.0], [2.0], [3.0], [4.0]], [1.0, 3.0, 5.0, 7.0, 90.0])
        >>> fit.predict([[10.0]])
        array([21.])
        """
        p = self.X.shape[1]
        new = real_array("X", X, 2, f"of shape (m, {p})")
        if new.shape[1] != p:
            raise ValueError(f"X: expected an array of shape (m, {p}), found shape {new.shape}")
        return new @ self.coefficients[1:] + self.coefficients[0]

    @cached_property
    def residuals(self) -> Floats:
        """``y - fit`` (n,)."""
        return self.y - self.predict(self.X)

    @cached_property
    def problem(self) -> LayerLoss:
        """The same loss as a :class:`LayerLoss`, a network without hidden layer (bias last)."""
        return _Data(self.X, self.y, self.sample_weight).problem(self.tau)

    @cached_property
    def certificate(self) -> Certificate:
        """The proof as a :class:`Certificate` of :attr:`problem`: the slopes of all half-edges.

        Made when first asked for, which takes longer than the fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> fit = rw.lad([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 70.0])
        >>> fit.certificate.verify_exact(fit.problem).loss
        Fraction(63, 1)
        """
        if self._proof is not None:
            return self._proof
        if self.ended.early:
            return walk(self.problem, np.roll(self.coefficients, -1), max_pivots=0).certificate
        return _certificate(self.problem, self.coefficients, self._rows)

    def __repr__(self) -> str:
        kind = "lad" if self.tau is None else f"tau={self.tau:g}"
        return (
            f"QuantileFit({kind}, {self.status.name}, loss={self.loss:.10g}, "
            f"coefficients={np.array2string(self.coefficients, precision=6, threshold=8)})"
        )


def lad(X: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None) -> QuantileFit:
    """Least absolute deviations: minimise ``sum_i w_i |y_i - b_0 - x_i . b|`` exactly.

    Parameters
    ----------
    X : array_like (n, p)
        Features, without a column for the intercept.
    y : array_like (n,)
        Targets.
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1.

    Returns
    -------
    QuantileFit
        Coefficients (intercept first), loss, dual solution and certificate.  Also after Ctrl-C,
        which is looked at between rounds of pivots: INTERRUPTED, and nothing is proved.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    See Also
    --------
    quantile : other quantiles than the median; the loss of `lad` is twice that of ``tau=0.5``.

    Notes
    -----
    Long steps from weighted median to weighted median (Barrodale and Roberts, SIAM J. Numer. Anal.
    10, 1973), on samples near the fit of a subsample (Portnoy and Koenker, Statist. Sci. 12, 1997),
    checked on all of them.  The basis at the end is proved optimal with bounds on all rounding, in
    rational arithmetic where these leave doubt.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_stackloss()
    >>> fit = rw.lad(data.X, data.y)
    >>> fit.coefficients.round(5)
    array([-39.68986,   0.83188,   0.57391,  -0.06087])
    >>> fit.status.name, round(fit.loss, 8)
    ('GLOBAL_MINIMUM', 42.08115942)
    """
    return _path(_Data.of(X, y, sample_weight), [None])[0]


def quantile(
    X: ArrayLike, y: ArrayLike, tau: float = 0.5, *, sample_weight: ArrayLike | None = None
) -> QuantileFit:
    """Linear regression for the quantile `tau` of y, exactly.

    Parameters
    ----------
    X : array_like (n, p)
        Features, without a column for the intercept.
    y : array_like (n,)
        Targets.
    tau : float, default 0.5
        The quantile, in (0, 1).
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1.

    Returns
    -------
    QuantileFit
        Coefficients (intercept first), loss, dual solution and certificate.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    See Also
    --------
    quantile_path : for several quantiles.

    Notes
    -----
    As for :func:`lad`; Koenker and d'Orey (Applied Statistics 36, 1987) for quantiles.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_engel()
    >>> rw.quantile(data.X, data.y, tau=0.9).coefficients.round(4)
    array([67.3509,  0.6863])
    """
    return _path(_Data.of(X, y, sample_weight), [_level("tau", tau)])[0]


def quantile_path(
    X: ArrayLike, y: ArrayLike, taus: Sequence[float], *, sample_weight: ArrayLike | None = None
) -> list[QuantileFit]:
    """Linear regressions for several quantiles, each started from the one before.

    Parameters
    ----------
    X : array_like (n, p)
        Features, without a column for the intercept.
    y : array_like (n,)
        Targets.
    taus : sequence of float
        The quantiles, each in (0, 1), best in ascending order.
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1.

    Returns
    -------
    list of QuantileFit
        One for each of `taus`; after Ctrl-C those made until then, of which the last one may be
        INTERRUPTED.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_engel()
    >>> path = rw.quantile_path(data.X, data.y, [0.25, 0.5, 0.75])
    >>> np.round([fit.coefficients[1] for fit in path], 4)
    array([0.4741, 0.5602, 0.644 ])
    """
    levels = real_array("taus", taus, 1).tolist()
    if not levels:
        raise ValueError("taus: expected at least one quantile, found none")
    levels = [_level(f"taus[{k}]", tau) for k, tau in enumerate(levels)]
    return _path(_Data.of(X, y, sample_weight), levels)


class _Data(NamedTuple):
    X: Floats  # (n, p)
    y: Floats  # (n,)
    w: Floats  # (n,)

    @classmethod
    def of(cls, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None) -> "_Data":
        inputs = real_array("X", X, 2, "of shape (n, p)")
        n, p = inputs.shape
        if n == 0 or p == 0:
            raise ValueError(
                f"X: expected an array of shape (n, p) with n, p >= 1, found {inputs.shape}"
            )
        targets = real_array("y", y, 1, f"of shape ({n},)")
        if targets.shape != (n,):
            raise ValueError(f"y: expected an array of shape ({n},), found shape {targets.shape}")
        if sample_weight is None:
            return cls(inputs, targets, np.ones(n))
        return cls(inputs, targets, weights("sample_weight", sample_weight, n))

    def kept(self) -> "_Data":
        """The samples of weight > 0."""
        if self.w.all():
            return self
        return _Data(*(part[self.w > 0.0] for part in self))

    def problem(self, tau: float | None) -> LayerLoss:
        p = self.X.shape[1]
        network = ReLUNetwork([np.zeros((1, p))], [np.zeros(1)])
        kind = "l1" if tau is None else "pinball"
        return LayerLoss(network, self.X, self.y, kind=kind, tau=tau, sample_weight=self.w)


def _level(name: str, tau: float) -> float:
    if not 0.0 < real(name, tau) < 1.0:
        raise ValueError(f"{name}: expected a number in (0, 1), found {tau}")
    return float(tau)


def _path(data: _Data, levels: Sequence[float | None]) -> list[QuantileFit]:
    """Fits for each quantile (None: `lad`)."""
    kept = data.kept()
    samples = Samples.of(*kept)
    fits: list[QuantileFit] = []
    basis = None
    with Limits() as limits:
        for tau in levels:
            slopes = (1.0, 1.0) if tau is None else (tau, 1.0 - tau)
            found = minimise(samples, slopes, basis, limits)
            fit = _fit(data, tau, slopes, found, samples, limits)
            fits.append(fit)
            basis = found.basis if found.proved else None
            if limits.interrupted:
                break
    if len(fits) == len(levels) and not fits[-1].ended.early:  # nobody would see that it came
        limits.pass_on()
    return fits


def _fit(
    data: _Data,
    tau: float | None,
    slopes: tuple[float, float],
    found: Solution,
    samples: Samples,
    limits: Limits,
) -> QuantileFit:
    """The fit from the end of the solver, by walking on from there where that is not proved."""
    theta, rows = found.basis.theta * samples.scale, found.basis.rows[:0]
    dual, proof = np.zeros(len(data.y)), None
    dual[data.w > 0.0] = -found.dual
    status, ended = WalkStatus.GLOBAL_MINIMUM, Ended.FINISHED
    if found.proved:
        rows = np.flatnonzero(data.w)[found.basis.rows]
    elif limits.interrupted:
        status, ended = WalkStatus.INTERRUPTED, Ended.INTERRUPTED
    else:
        theta, dual, traj = _by_walking(data, tau, theta)
        status, ended, proof = traj.status, traj.ended, traj.certificate
    r = data.y - data.X @ theta[1:] - theta[0]
    loss = float((data.w * np.where(r > 0.0, slopes[0] * r, -slopes[1] * r)).sum())
    return QuantileFit(theta, loss, dual, status, ended, tau, found.pivots, *data, rows, proof)


def _by_walking(data: _Data, tau: float | None, theta: Floats) -> tuple[Floats, Floats, Trajectory]:
    """Coefficients and dual solution by a walk, exact where it has to be, and the walk."""
    loss = data.problem(tau)
    start = np.append(theta[1:], theta[0])
    traj = walk(loss, start, step="long", proof_budget=_PROOF_SECONDS, time_limit=_PROOF_SECONDS)
    end = traj.theta[0]
    vanishing = loss.pattern(end)[0][:, 0] == 0
    below, above = (1.0, 1.0) if tau is None else (tau, 1.0 - tau)
    r = data.X @ end[:-1] + end[-1] - data.y
    dual = np.where(vanishing, 0.0, np.where(r > 0.0, -above, below)) * data.w
    some = vanishing & (data.w > 0.0)
    x = np.column_stack([data.X, np.ones(len(r))])
    bounds = -above * data.w[some], below * data.w[some]
    dual[some] = optimize.lsq_linear(x[some].T, -(dual @ x), bounds, method="bvls").x
    return np.roll(end, 1), dual, traj


def _certificate(loss: LayerLoss, theta: Floats, rows: NDArray[np.int64]) -> Certificate:
    """The certificate of the vertex `theta` at which the residuals `rows` of the data vanish."""
    anchor = np.roll(theta, -1)[None]
    kernel = loss.kernel_from(anchor)
    state = new_state(kernel)
    place(kernel, state, loss.free_units.inner(anchor).ravel())
    twins = (loss.X[loss.residual_rows] == loss.X[rows][:, None]).all(axis=2)
    twins &= (loss.y[loss.residual_rows] == loss.y[rows][:, None])[..., 0]
    state.basis[:] = twins.argmax(axis=1)
    refresh(kernel, state, TOLERANCES)
    prices(kernel, state)
    settled = settle(loss, state, anchor, _PROOF_SECONDS, 0)
    return certify(loss, state, anchor, True, settled and settled.end, TOLERANCES)


__all__ = ["QuantileFit", "lad", "quantile", "quantile_path"]
