"""Early stopping: the loss on held-out data, looked at at the vertices of a walk.

All new vertices of a chunk of pivots are evaluated in one pass of matrix products.  Where that
would cost more than a small share of the pivots (many held-out samples), every s-th vertex is
looked at, with s a function of the sizes alone.  The walk is then cut at the vertex at which the
patience was over, so that how many pivots a chunk has does not matter.
"""

from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._frames import read
from .._shown import repr_html
from .._validate import integer, samples
from ..native.nearby import LEAST
from ..problem.kinks import check_labels, slopes
from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SHARE = 0.5  # of the multiply-adds of a pivot, that a look may take: a few per cent of its time
_PIVOT = 20_000  # multiply-adds a pivot is worth, however small the problem
_AT_ONCE = 2**17  # numbers that one matrix of values has, about: they stay in the cache


class HeldOut:
    """Held-out data that end a walk early: for ``rw.walk(loss, stop_when=...)``.

    The loss on them is of the same kind as the one walked on, with the same network around the
    trained layer.  It is looked at at the vertices, and the walk stops (``Ended.STOPPED``) where
    its best value is older than `patience` vertices.

    Parameters
    ----------
    X : array_like (m, n_in)
        Inputs of the network that the walk does not see.
    y : array_like (m,) or (m, n_out)
        Their targets; labels -1 or +1 for the hinge loss.
    patience : int, default 50
        So many vertices after the best one the walk stops.
    sample_weight : array_like (m,), optional
        Weights >= 0, default all 1.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; :func:`walk` tells whether the data fit to the loss.

    Examples
    --------
    >>> import numpy as np, reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> out = np.arange(len(data.y)) % 5 == 0
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X[~out], data.y[~out])
    >>> traj = rw.walk(loss, stop_when=rw.HeldOut(data.X[out], data.y[out], patience=20))
    >>> traj.ended.name, traj.n_pivots - traj.held_out.best
    ('STOPPED', 20)
    >>> traj.held_out.network  # that of the lowest held-out loss
    ReLUNetwork(1-8-1)
    """

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        patience: int = 50,
        sample_weight: ArrayLike | None = None,
    ) -> None:
        shape = np.shape(read("y", y))
        width = shape[1] if len(shape) == 2 else 1
        self.X, self.y, self.sample_weight = samples(X, y, sample_weight, n_out=width)
        self.patience = integer("patience", patience, 1)

    def __repr__(self) -> str:
        return f"HeldOut(n={len(self.X)}, patience={self.patience})"


@dataclass(frozen=True, eq=False)
class HeldOutLosses:
    """The loss on held-out data along a walk.

    Attributes
    ----------
    at : ndarray (L,)
        The entries of the trajectory that were looked at, ascending.
    losses : ndarray (L,)
        The held-out loss at each of them, a sum over samples and outputs.
    best_theta : ndarray (h, q)
        The parameters where it was lowest.
    network : ReLUNetwork
        The network with `best_theta` in place.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
    >>> traj = rw.walk(loss, stop_when=rw.HeldOut([[3.0], [5.0]], [2.0, 4.0]))
    >>> told = traj.held_out
    >>> told.at.tolist(), round(told.best_loss, 4) == round(float(told.losses[told.best]), 4)
    ([0, 1, 2, 3, 4, 5, 6], True)
    >>> bool((told.best_theta == traj.vertices[told.best]).all())
    True
    """

    at: Ints
    losses: Floats
    best_theta: Floats
    network: ReLUNetwork

    @classmethod
    def of(cls, at: Ints, losses: Floats, vertices: Floats, problem: LayerLoss) -> "HeldOutLosses":
        """Those `losses` (L,) at the entries `at` (L,) of a walk on `problem` over `vertices`.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0]], [0.0, 1.0])
        >>> vertices = np.array([[[0.0, 0.0]], [[1.0, 0.0]]])
        >>> at, losses = np.array([0, 1]), np.array([2.0, 1.0])
        >>> rw.HeldOutLosses.of(at, losses, vertices, loss).best_theta
        array([[1., 0.]])
        """
        best = vertices[at[np.argmin(losses)]].copy()
        return cls(at, losses, best, problem.network.with_layer(problem.layer, best))

    @cached_property
    def best(self) -> int:
        """The entry of the trajectory with the lowest held-out loss, of equals the first."""
        return int(self.at[np.argmin(self.losses)])

    @property
    def best_loss(self) -> float:
        """The lowest held-out loss that was seen."""
        return float(self.losses.min())

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        return f"HeldOutLosses(best_loss={self.best_loss:.10g} at entry {self.best})"


class Watch:
    """The held-out loss of one walk: the vertices looked at so far, and where to stop."""

    def __init__(self, held_out: HeldOut, loss: LayerLoss) -> None:
        self.loss, self.patience = loss, held_out.patience
        self._bind(held_out)
        self.stride = self._stride()
        self.losses: list[float] = []  # at the entries 0, s, 2 s, ...
        self.best, self.lowest = 0, np.inf
        self.since = 0  # the patience counts from here on at least
        self.stop: int | None = None  # the entry at which it was over

    def _bind(self, held_out: HeldOut) -> None:
        """The data as the trained layer and those above see them; ValueError if they do not fit."""
        loss, network = self.loss, self.loss.network
        try:
            X, y, weight = samples(
                held_out.X,
                held_out.y,
                held_out.sample_weight,
                network.widths[0],
                network.widths[-1],
            )
            check_labels(loss.kind, y)
        except ValueError as error:
            raise ValueError(f"stop_when: {error}") from None
        kept = weight > 0.0
        y = y[kept]
        left, right = slopes(loss.kind, loss.share, y, weight[kept, None])
        self.x = np.ascontiguousarray(network.features(X[kept], loss.layer).T)  # (q - 1, m)
        self.y, self.left, self.right = (
            np.ascontiguousarray(part.T) for part in (y, left, right)
        )  # (K, m)

    def _stride(self) -> int:
        """Every how many vertices one is looked at: a function of the sizes alone."""
        loss, (n, m) = self.loss, (len(self.loss.inputs), self.y.shape[1])
        forward = loss.dim + sum(w.size for w, _ in loss.tail)
        pivot = _PIVOT + n * forward + 3 * loss.n_free**2
        share = _SHARE / 3 if n >= LEAST else _SHARE  # pivots then look at some samples alone
        return ceil(m * forward / (share * pivot))

    # ---------------------------------------------------------------- along the walk

    def see(self, entry: int, theta: Floats) -> bool:
        """Look at the entries `entry`, `entry` + 1, ... at `theta` (k, D); True if to stop."""
        first = -entry % self.stride
        values = self.values(theta[first :: self.stride])
        entries = range(entry + first, entry + len(theta), self.stride)
        for k, value in zip(entries, values, strict=True):
            self.losses.append(float(value))
            if value < self.lowest:
                self.best, self.lowest = k, float(value)
            if self.stop is None and k - max(self.best, self.since) >= self.patience:
                self.stop = k
                return True
        return False

    def go_on(self, vertices: Floats) -> None:
        """Before a walk over `vertices` (K, h, q) goes on: where it was stopped, patience anew."""
        if self.see(0, vertices.reshape(len(vertices), -1)):
            self.since = len(vertices) - 1
        self.losses, self.best, self.lowest, self.stop = [], 0, np.inf, None

    def values(self, theta: Floats) -> Floats:
        """The held-out loss (k,) at `theta` (k, D)."""
        rows = max(self.loss.shape[0], *[len(w) for w, _ in self.loss.tail], 1)
        step = max(1, _AT_ONCE // (rows * self.y.shape[1]))
        parts = [self._values(theta[at : at + step]) for at in range(0, len(theta), step)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _values(self, theta: Floats) -> Floats:
        h, q = self.loss.shape
        layer, leak = theta.reshape(-1, q), self.loss.network.negative_slope
        with np.errstate(over="ignore", invalid="ignore"):
            values = layer[:, :-1] @ self.x
            values += layer[:, -1:]
            values = values.reshape(len(theta), h, -1)
            for w, b in self.loss.tail:
                np.maximum(values, leak * values, out=values)  # the leak is below 1
                values = w @ values
                values += b[:, None]
            values -= self.y
            cost = np.where(values >= 0.0, self.right, -self.left)
            found = np.einsum("kom,kom->k", cost, values)
        return np.where(np.isnan(found), np.inf, found)

    def record(self, vertices: Floats) -> HeldOutLosses:
        """What was seen of the entries `vertices` (K, h, q); the last is looked at anew."""
        last, known = len(vertices) - 1, (len(vertices) - 1 + self.stride - 1) // self.stride
        losses = self.losses[:known]
        if last % self.stride == 0:
            losses = [*losses, *self.values(vertices[-1:].reshape(1, -1)).tolist()]
        at = self.stride * np.arange(len(losses), dtype=np.int64)
        return HeldOutLosses.of(at, np.array(losses), vertices, self.loss)


__all__ = ["HeldOut", "HeldOutLosses", "Watch"]
