"""What gradient methods see of a loss: the mean over a mini-batch, of the parameters that move.

Gradients go through the data rows as they were given, not through those that a LayerLoss has
merged, in which inputs and targets have different lengths: so a mini-batch is one of samples.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..problem.either import Loss, free_of, passes_of, weighed
from ..problem.loss import LayerLoss
from ..problem.passes import Rows
from .diverged import DivergedError

Floats = NDArray[np.float64]

_LARGEST = 1e150  # of a gradient, whose squares methods take


class Objective:
    """`loss` around `anchor` (h, q) or (D,), whose parameters that do not move stay as they are.

    Points (d,) are those that do; `start` is that of the anchor.  Samples of weight 0 are left out;
    those of a mini-batch of `batch` are drawn without replacement, anew in each epoch, by `seed`
    and the number of the step alone.  Means are over the weight that samples have on average.
    """

    def __init__(self, loss: Loss, anchor: Floats, batch: int | None, seed: int) -> None:
        self._loss, self._anchor, self._batch, self._seed = loss, anchor.copy(), batch, seed
        self._places = np.flatnonzero(free_of(loss))
        self.start = self.point(anchor)
        self._passes = passes_of(loss)
        self._kept = np.flatnonzero(loss.sample_weight)
        self.weight = float(loss.sample_weight.sum())
        self._all = weighed(loss, self._passes)
        self._epoch: tuple[int, NDArray[np.int64]] = (-1, self._kept)
        self._last: tuple[Floats, float] | None = None

    def point(self, theta: Floats) -> Floats:
        """The parameters (d,) that move."""
        return theta.ravel()[self._places]

    def theta(self, point: Floats) -> Floats:
        """All parameters, of the shape of the anchor."""
        theta = self._anchor.copy()
        theta.reshape(-1)[self._places] = point
        return theta

    def loss(self, point: Floats) -> float:
        """The loss of all samples, a sum; DivergedError where floats do not hold it."""
        if self._last is None or not np.array_equal(self._last[0], point):
            value = self._value(self.theta(point)) if np.isfinite(point).all() else math.inf
            self._last = point.copy(), value
        if not math.isfinite(self._last[1]):
            raise DivergedError("the loss is larger than floats hold")
        return self._last[1]

    def _value(self, theta: Floats) -> float:
        """``loss(theta)``, which need not be checked."""
        loss = self._loss
        if isinstance(loss, LayerLoss):
            return loss.value(theta)
        return self._passes.value(theta, self._passes.rows)

    def batch(self, step: int) -> "Batch":
        """The mini-batch of step number `step`, counted from 0."""
        n = len(self._kept)
        if self._batch is None or self._batch >= n:
            return Batch(self, self._all, self.weight, self._kept)
        per_epoch = -(-n // self._batch)
        epoch, at = divmod(step, per_epoch)
        if self._epoch[0] != epoch:
            order = np.random.default_rng([self._seed, epoch]).permutation(self._kept)
            self._epoch = epoch, order
        chosen = self._epoch[1][at * self._batch : (at + 1) * self._batch]
        return Batch(self, self._passes.some(chosen), self.weight * len(chosen) / n, chosen)

    def gradient(self, point: Floats, rows: Rows, weight: float) -> Floats:
        """Gradient (d,) of the mean over `rows`; DivergedError where floats do not hold it."""
        theta = self.theta(point).ravel()
        _, gradient = self._passes.value_and_gradient(theta, rows)
        gradient = gradient[self._places] / weight
        if not np.abs(gradient).max(initial=0.0) <= _LARGEST:
            raise DivergedError("the gradient is larger than floats hold")
        return gradient


class Batch:
    """The mini-batch of a step, the same for all gradients in it: called, it gives one.

    `samples` (m,) are its rows of X.
    """

    def __init__(
        self, objective: Objective, rows: Rows, weight: float, samples: NDArray[np.int64]
    ) -> None:
        self.objective, self.samples = objective, samples
        self._rows, self._weight = rows, weight

    def __call__(self, point: ArrayLike) -> Floats:
        return self.objective.gradient(np.asarray(point, float), self._rows, self._weight)


__all__ = ["Batch", "Objective"]
