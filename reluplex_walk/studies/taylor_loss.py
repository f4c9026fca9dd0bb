"""`TaylorLoss`: the losses of steps, each linearised where it was made, as one convex function.

    T_n(V) = (1/m) sum_i sum_k rho(f_ik + <G_ik, V - W_n> - y_ik)

over the m samples of step n.  Its minimum is a regression of the targets on the derivatives,
without intercept: by least absolute deviations or quantiles, exactly, or by least squares.
"""

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr

from .._shown import repr_html
from .._validate import integer, real_array
from ..problem.aliased import RankWarning
from ..problem.kinks import kind_and_tau
from ..proof.certificate import Certificate
from ..regression.fit import QuantileFit
from ..regression.quantile import lad, quantile

Floats = NDArray[np.float64]

TAYLOR_KINDS = ("l1", "pinball", "squared")

_ZERO = 1e-9  # of what a residual is made of: below that it is 0, in a count


class TaylorMinimum(NamedTuple):
    """The minimum of a :class:`TaylorLoss`.

    Attributes
    ----------
    V : ndarray (D,)
        Where it is: the Taylor optimum.  Where several are, one that leaves what does not count
        where the run began (L1, pinball), or that is nearest to there (squared).
    value : float
        The loss there.
    gap : float
        By how much `value` may be above the minimum: 0 where that is proved, else NaN; of least
        squares as the normal equations say, in floats, which is no proof, though it be 0.
    fit : QuantileFit or None
        The regression, whose coefficients are V minus the start, in another order where some are
        redundant; None of least squares, and where no output depends on V.
    rank : int
        Of the derivatives of all outputs by V.
    outputs : int
        How many there are, N times those of a step.
    zeros : int
        Residuals that vanish at V.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(40, [2, 3, 1], noise=0.5)
    >>> net = rw.ReLUNetwork.random([2, 3, 1], seed=1)
    >>> found = rw.taylor.approximation(net, data.X, 0).loss(data.y).minimum()
    >>> found.proved, found.interpolates, found.zeros == found.rank
    (True, False, True)
    >>> check = found.certificate.verify_exact(found.fit.problem)
    >>> abs(float(check.loss) / 40 - found.value) < 1e-12
    True
    """

    V: Floats
    value: float
    gap: float
    fit: QuantileFit | None
    rank: int
    outputs: int
    zeros: int

    def _repr_html_(self) -> str:
        return repr_html(self)

    @property
    def proved(self) -> bool:
        """Whether it is proved that nothing lies below `value`, but for rounding.

        By a certificate, or because no output depends on V; least squares are not.  Where some
        parameters depend on others up to rounding only, it is proved for V that leaves these where
        the run began: see `given_dependence`.
        """
        return self.gap == 0.0 and (self.fit is not None or self.rank == 0)

    @property
    def given_dependence(self) -> bool:
        """Whether the proof takes it as given that redundant parameters add nothing.

        Their columns of the derivatives depend on others up to rounding, and not exactly: of the
        certificate, ``given_aliased``.  False where nothing is proved.

        Examples
        --------
        With all layers trained each hidden unit has a scale that the output does not see:

        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(40, [2, 3, 1], noise=0.5)
        >>> net = rw.ReLUNetwork.random([2, 3, 1], seed=1)
        >>> whole, first = (rw.taylor.approximation(net, data.X, block) for block in ("all", 0))
        >>> found = whole.loss(data.y).minimum()
        >>> found.proved, found.given_dependence, found.rank < whole.theta.size
        (True, True, True)
        >>> first.loss(data.y).minimum().given_dependence
        False
        """
        return self.proved and self.certificate is not None and self.certificate.given_aliased

    @property
    def interpolates(self) -> bool:
        """Whether the rank is that of all outputs, so that V fits any targets: the minimum is 0."""
        return self.rank == self.outputs

    @property
    def certificate(self) -> Certificate | None:
        """That of the regression, ``fit.certificate``; None where there is none."""
        return None if self.fit is None else self.fit.certificate


@dataclass(frozen=True, eq=False)
class TaylorLoss:
    """The sum of the Taylor losses T_1 + ... + T_N of N steps, convex and affine in pieces.

    A row for each output of each sample of each step.

    Attributes
    ----------
    kind, tau
        As of the loss.
    origin : ndarray (D,)
        W_1, where the run began.
    jacobian : ndarray (M, D)
        The rows G.
    targets : ndarray (M,)
        What ``<G, V - origin>`` is compared with: y - f + <G, W_n - origin>.
    weights : ndarray (M,)
        1 over the number of samples in the step.
    steps : ndarray (M,) of int
        The step of each row, from 0, ascending.

    Examples
    --------
    Two steps at different parameters; at those T_n is the loss itself:

    >>> import reluplex_walk as rw
    >>> X, y = [[1.0, 2.0], [3.0, -1.0]], [1.0, 0.0]
    >>> nets = [rw.ReLUNetwork.random([2, 5, 1], seed=seed) for seed in (0, 1)]
    >>> first, second = (rw.taylor.approximation(net, X, 0) for net in nets)
    >>> both = first.loss(y) + second.loss(y)
    >>> there = both.terms(first.theta)[0], both.terms(second.theta)[1]
    >>> [bool(abs(T - abs(net(X)[:, 0] - y).mean()) < 1e-12) for T, net in zip(there, nets)]
    [True, True]
    >>> both.n_steps, both.residuals(first.theta).shape, both.minimum().value <= both(first.theta)
    (2, (4,), True)
    """

    kind: str
    tau: float
    origin: Floats
    jacobian: Floats
    targets: Floats
    weights: Floats
    steps: NDArray[np.int64]

    @cached_property
    def n_steps(self) -> int:
        """N."""
        return int(self.steps[-1]) + 1

    def residuals(self, V: ArrayLike) -> Floats:
        """Linearised output minus target of each row, (M,), at `V` (D,).

        ValueError, TypeError if V does not fit.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> net, X, y = rw.ReLUNetwork.random([2, 5, 1]), [[1.0, 2.0], [3.0, -1.0]], [1.0, 0.0]
        >>> loss = rw.taylor.approximation(net, X).loss(y)
        >>> bool(np.allclose(loss.residuals(loss.origin), net(X)[:, 0] - y))
        True
        """
        point = real_array("V", V, 1, f"of shape ({self.origin.size},)")
        if point.shape != self.origin.shape:
            raise ValueError(
                f"V: expected an array of shape ({self.origin.size},), found shape {point.shape}"
            )
        return np.asarray(self.jacobian @ (point - self.origin) - self.targets)

    def terms(self, V: ArrayLike) -> Floats:
        """T_n at `V` (D,), of all N; ValueError, TypeError if V does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net, X, y = rw.ReLUNetwork.random([2, 5, 1]), [[1.0, 2.0], [3.0, -1.0]], [1.0, 0.0]
        >>> loss = rw.taylor.approximation(net, X).loss(y)
        >>> loss.terms(loss.origin).shape, bool(loss.terms(loss.origin)[0] == loss(loss.origin))
        ((1,), True)
        """
        losses = self.weights * loss_of(self.kind, self.tau, self.residuals(V))
        return np.asarray(np.bincount(self.steps, losses, self.n_steps), float)

    def __call__(self, V: ArrayLike) -> float:
        """Their sum at `V` (D,)."""
        return float(self.terms(V).sum())

    def gradients(self, V: ArrayLike) -> Floats:
        """A subgradient of each T_n at `V`, (N, D); residuals that vanish count as positive.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> net, X, y = rw.ReLUNetwork.random([2, 5, 1]), [[1.0, 2.0], [3.0, -1.0]], [1.0, 0.0]
        >>> found = rw.taylor.approximation(net, X)
        >>> loss = rw.NetworkLoss(net, X, y)
        >>> g = found.loss(y).gradients(found.theta)[0]
        >>> bool(np.allclose(g, loss.gradient(loss.theta) / 2))
        True
        """
        slopes = self.weights * slope_of(self.kind, self.tau, self.residuals(V))
        found = np.zeros((self.n_steps, self.origin.size))
        np.add.at(found, self.steps, slopes[:, None] * self.jacobian)
        return found

    def first(self, steps: int) -> "TaylorLoss":
        """That of the first `steps` steps; ValueError, TypeError if there are not as many.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net, X, y = rw.ReLUNetwork.random([2, 5, 1]), [[1.0, 2.0], [3.0, -1.0]], [1.0, 0.0]
        >>> loss = rw.taylor.approximation(net, X).loss(y)
        >>> (loss + loss).first(1)(loss.origin) == loss(loss.origin)
        True
        """
        kept = self.steps < integer("steps", steps, 1, self.n_steps)
        return replace(
            self,
            jacobian=self.jacobian[kept],
            targets=self.targets[kept],
            weights=self.weights[kept],
            steps=self.steps[kept],
        )

    def __add__(self, other: "TaylorLoss") -> "TaylorLoss":
        """That of the steps of both, those of `other` after these."""
        if not isinstance(other, TaylorLoss):
            return NotImplemented
        mine, theirs = ((loss.kind, loss.tau, loss.origin.size) for loss in (self, other))
        if mine != theirs:
            raise ValueError(f"other: expected a loss with (kind, tau, D) {mine}, found {theirs}")
        moved = other.targets + other.jacobian @ (other.origin - self.origin)
        return TaylorLoss(
            self.kind,
            self.tau,
            self.origin,
            np.concatenate([self.jacobian, other.jacobian]),
            np.concatenate([self.targets, moved]),
            np.concatenate([self.weights, other.weights]),
            np.concatenate([self.steps, other.steps + self.n_steps]),
        )

    def minimum(self) -> TaylorMinimum:
        """The Taylor optimum.

        For L1 and pinball by :func:`~reluplex_walk.lad` and :func:`~reluplex_walk.quantile` without
        intercept, with their proofs, for the squared loss by least squares.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(40, [2, 3, 1], noise=0.5)
        >>> net = rw.ReLUNetwork.random([2, 3, 1], seed=1)
        >>> whole = rw.taylor.approximation(net, data.X, 0)
        >>> loss = whole.loss(data.y, kind="squared")
        >>> found = loss.minimum()
        >>> found.gap < 1e-12 and found.value < loss(whole.theta), found.certificate is None
        (True, True)
        """
        rank = int(np.linalg.matrix_rank(self.jacobian))
        fit, gap = None, 0.0
        if rank == 0:
            move = np.zeros(self.origin.size)
        elif self.kind == "squared":
            move, gap = self._least_squares(rank)
        else:
            order = self._order(rank)
            fit, move = self._regression(order), np.zeros(self.origin.size)
            move[order] = fit.coefficients[1:]
            gap = 0.0 if fit.status.proved else np.nan
        r = self.jacobian @ move - self.targets
        value = float((self.weights * loss_of(self.kind, self.tau, r)).sum())
        size = np.abs(self.jacobian) @ np.abs(move) + np.abs(self.targets)
        zeros = int((np.abs(r) <= _ZERO * size).sum())
        return TaylorMinimum(self.origin + move, value, gap, fit, rank, len(r), zeros)

    def _order(self, rank: int) -> NDArray[np.int64]:
        """The parameters, those last that earlier ones determine: a regression leaves these out.

        In the order of the layers, what is left could be all but dependent, and V immense.
        """
        if rank == self.origin.size:
            return np.arange(rank)
        return np.asarray(qr(self.jacobian, mode="r", pivoting=True)[1], np.int64)

    def _regression(self, order: NDArray[np.int64]) -> QuantileFit:
        """Equal weights are left out: the proof is about smaller numbers then."""
        X = self.jacobian[:, order]
        weights = None if np.ptp(self.weights) == 0.0 else self.weights
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RankWarning)  # the rank is in the result
            if self.kind == "l1":
                return lad(X, self.targets, sample_weight=weights, fit_intercept=False)
            return quantile(X, self.targets, self.tau, sample_weight=weights, fit_intercept=False)

    def _least_squares(self, rank: int) -> tuple[Floats, float]:
        """The shortest move to the minimum, and what the normal equations leave open."""
        root = np.sqrt(self.weights)
        rows, targets = root[:, None] * self.jacobian, root * self.targets
        move, _, _, sizes = np.linalg.lstsq(rows, targets, rcond=None)
        left = rows.T @ (rows @ move - targets)
        return np.asarray(move, float), 0.5 * float(left @ left) / float(sizes[rank - 1]) ** 2

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        rows, D = self.jacobian.shape
        return f"TaylorLoss({self.kind}, {self.n_steps} steps, {rows} outputs, D={D})"


def taylor_loss(
    theta: Floats, outputs: Floats, jacobian: Floats, y: ArrayLike, kind: str, tau: float | None
) -> TaylorLoss:
    """The Taylor loss of one step at `theta` (D,), the arguments checked."""
    kind, level = kind_and_tau(kind, tau, TAYLOR_KINDS)
    targets = real_array("y", y, (1, 2))
    n, K = outputs.shape
    if targets.shape != outputs.shape and not (K == 1 and targets.shape == (n,)):
        raise ValueError(f"y: expected an array of shape ({n}, {K}), found shape {targets.shape}")
    return of_step(theta, outputs, jacobian, targets.reshape(n, K), kind, level)


def of_step(
    theta: Floats, outputs: Floats, jacobian: Floats, y: Floats, kind: str, tau: float
) -> TaylorLoss:
    """The Taylor loss of one step, of all samples (n, K) of it."""
    n, rows = len(y), y.size
    return TaylorLoss(
        kind,
        tau,
        theta,
        jacobian.reshape(rows, -1),
        (y - outputs).ravel(),
        np.full(rows, 1.0 / n),
        np.zeros(rows, np.int64),
    )


def loss_of(kind: str, tau: float, r: Floats) -> Floats:
    """The loss of each of the residuals `r`."""
    if kind == "squared":
        return 0.5 * r * r
    return slope_of(kind, tau, r) * r


def slope_of(kind: str, tau: float, r: Floats) -> Floats:
    """Its slope, at 0 that of positive residuals."""
    if kind == "squared":
        return r
    left, right = (tau, 1.0 - tau) if kind == "pinball" else (1.0, 1.0)
    return np.where(r >= 0.0, right, -left)


__all__ = ["TAYLOR_KINDS", "TaylorLoss", "TaylorMinimum", "of_step", "taylor_loss"]
