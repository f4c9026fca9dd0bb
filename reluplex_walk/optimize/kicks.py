"""Where the walks of `minimize` start: starts of their own, and kicks out of the basin of an end.

All are drawn for standardised inputs: the units of the data do not matter to them.
"""

import numpy as np
from numpy.typing import NDArray

from ..problem.loss import LayerLoss

Floats = NDArray[np.float64]


class Kicks:
    """Draws points for `loss` from `rng`."""

    def __init__(self, loss: LayerLoss, rng: np.random.Generator) -> None:
        self.loss, self.rng = loss, rng
        self.units = loss.standard_units
        self.inputs = self.units.inputs(loss.inputs)
        # Without free biases no neuron is off for every sample on purpose.
        self.can_be_off = (
            loss.n_hidden > 0 and loss.network.negative_slope == 0.0 and loss.fit_intercept
        )

    def fresh(self, held: Floats) -> Floats:
        """A start (h, q) that has nothing to do with others; parameters that stay are as `held`."""
        if self.loss.ordinary:
            size = 10.0 ** self.rng.uniform(0.0, 1.0)
            inner = self.rng.uniform(-size, size, self.loss.free_shape)
        else:
            inner = self.units.inner(self.loss.random_start(int(self.rng.integers(2**63))))
        return self.units.outer(inner, held)

    def kicked(self, theta: Floats) -> Floats:
        """A point beside `theta` (h, q), out of its basin."""
        return self.units.outer(self._kick(self._tidy(self.units.inner(theta))), theta)

    def switched_off(self, theta: Floats, some: NDArray[np.bool_]) -> Floats:
        """`theta` (h, q) with `some` neurons (h,) off for every sample."""
        inner = self.units.inner(theta)
        inner[some] = np.append(np.zeros(inner.shape[1] - 1), -1.0)
        return self.units.outer(self._tidy(inner), theta)

    def _tidy(self, theta: Floats) -> Floats:
        """`theta` (h, r) with neurons that are off for every sample made as large as the others.

        Their size means nothing: nothing else would keep it from growing from kick to kick, and
        beside a neuron of 1e12 others count as 0.
        """
        off = (self.inputs @ theta.T <= 0.0).all(axis=0)
        sizes = np.linalg.norm(theta, axis=1)
        change = self.can_be_off & off & (sizes > 0.0)
        if change.any():
            usual = sizes[~off].mean() if not off.all() else 1.0
            theta = theta.copy()
            theta[change] *= (usual / sizes[change])[:, None]
        return theta

    def _kick(self, theta: Floats) -> Floats:
        """A point beside `theta` (h, r), out of its basin; both free, for standardised inputs."""
        rng, (h, r) = self.rng, theta.shape
        sizes = np.linalg.norm(theta, axis=1)
        sizes = np.maximum(sizes, 0.1 * (sizes.mean() or 1.0))  # neurons at 0 move, too
        kind, j = rng.integers(4), rng.integers(h)
        theta = theta.copy()
        if kind == 0:  # all neurons are jolted
            width = 10.0 ** rng.uniform(-2.0, 0.3) * np.linalg.norm(sizes)
            theta += width * _unit(rng.normal(size=(h, r)))
        elif kind == 1:  # one is jolted
            theta[j] += 10.0 ** rng.uniform(-1.5, 0.5) * sizes[j] * _unit(rng.normal(size=(r,)))
        elif kind == 2:  # one becomes larger or smaller
            theta[j] *= 10.0 ** rng.uniform(-1.0, 1.0)
        else:  # one is replaced by another that bends at a random sample
            sample = self.inputs[rng.integers(len(self.inputs))]
            new = rng.normal(size=r - 1)
            size = 10.0 ** rng.uniform(-0.5, 0.5) * sizes[rng.integers(h)]
            theta[j] = size * _unit(self._bending_at(sample, new))
        return theta

    def _bending_at(self, sample: Floats, weights: Floats) -> Floats:
        """Parameters (r,) that are 0 on `sample` (r,), all but one of them drawn: `weights`."""
        at = sample.size - 1 if self.loss.fit_intercept else int(np.argmax(np.abs(sample)))
        others = np.delete(sample, at)
        if not others.size or sample[at] == 0.0:
            return np.insert(weights, at, 1.0)
        return np.insert(weights, at, -(weights @ others) / sample[at])


def _unit(vector: NDArray) -> Floats:
    return np.asarray(vector / np.linalg.norm(vector))


__all__ = ["Kicks"]
