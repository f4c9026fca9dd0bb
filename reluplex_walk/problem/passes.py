"""`Passes`: forwards and back through a network, for the loss and its derivatives by a block.

What :class:`NetworkLoss` and gradient methods compute with: nothing is checked here, and where
floats overflow there are inf and NaN.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..native.backprop import BLOCK, network_gradient, network_loss, network_products
from .block import Block
from .kernel_arrays import writable

Floats = NDArray[np.float64]


class Rows(NamedTuple):
    """Samples, last index: features of the lowest layer, targets, slopes around the kinks."""

    x: Floats  # (p, m)
    y: Floats  # (K, m)
    left: Floats  # (K, m)
    right: Floats  # (K, m)


class Passes:
    """A loss as a function of the parameters theta (D,) of `block`.

    Of inputs `X` (n, n_in) of the network, targets `y` and slopes `left` and `right` (n, K) of each
    sample's loss; `squared` if these are to be multiplied by the residual.
    """

    def __init__(
        self, block: Block, X: Floats, y: Floats, left: Floats, right: Floats, squared: bool
    ) -> None:
        features = block.network.features(X, block.low)
        self.rows = Rows(*[writable(part.T) for part in (features, y, left, right)])
        self._block, self._squared = block, squared
        self._leak = block.network.negative_slope
        self._none = np.zeros_like(block.trained)

    def some(self, rows: NDArray[np.int64]) -> Rows:
        """The samples of those indices (m,)."""
        return Rows(*[part.take(rows, axis=1) for part in self.rows])

    def value(self, theta: Floats, rows: Rows) -> float:
        """The loss, inf where floats do not hold it."""
        block = self._block
        value = network_loss(
            block.embedded(theta), block.widths, self._leak, *rows, self._squared, self._space(3)
        )
        return value if math.isfinite(value) else math.inf

    def value_and_gradient(self, theta: Floats, rows: Rows) -> tuple[float, Floats]:
        """The loss, inf where floats do not hold it, and its gradient (D,)."""
        block, full = self._block, self._block.embedded(theta)
        gradient = np.zeros(full.size)
        value = network_gradient(
            full, block.widths, block.trained, self._leak, *rows, self._squared, self._space(3),
            gradient,
        )  # fmt: skip
        return (value if math.isfinite(value) else math.inf), gradient[block.places]

    def products(self, theta: Floats, v: Floats) -> Floats:
        """The Hessian of all samples times `v`, (D,) or (k, D)."""
        block, directions = self._block, self._block.directions(v)
        products = np.zeros_like(directions)
        network_products(
            block.embedded(theta), directions, block.widths, block.trained, self._none, self._leak,
            *self.rows, self._squared, self._space(5), products,
        )  # fmt: skip
        return products[:, block.places].reshape(v.shape)

    def _space(self, parts: int) -> Floats:
        return np.empty((parts, self._block.neurons, BLOCK))


__all__ = ["Passes", "Rows"]
