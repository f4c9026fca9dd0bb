"""`Passes`: forwards and back through a network, for the loss and its derivatives by a block.

What :class:`NetworkLoss` and gradient methods compute with: nothing is checked here, and where
floats overflow there are inf and NaN.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..native.backprop import BLOCK, network_gradient, network_loss, network_products
from .block import Block
from .kernel_arrays import writable

Floats = NDArray[np.float64]

_SAMPLES = 512  # whose values stay in the cache


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

    def signs(self, theta: Floats, rows: Rows) -> NDArray[np.int8]:
        """The signs (N, m) of all breakpoints, layer by layer; a squared residual is none."""
        layers, m = self._layers(theta), rows.x.shape[1]
        signs = np.empty((self._block.neurons, m), np.int8)
        for first in range(0, m, _SAMPLES):
            some, at = slice(first, first + _SAMPLES), 0
            inputs = rows.x[:, some]
            for k, (w, b) in enumerate(layers):
                values = w @ inputs
                values += b[:, None]
                if k == len(layers) - 1:
                    values -= rows.y[:, some]
                np.subtract(
                    values > 0.0, values < 0.0, dtype=np.int8, out=signs[at : at + len(w), some]
                )
                inputs, at = np.maximum(values, self._leak * values), at + len(w)
        return signs[: -rows.y.shape[0]] if self._squared else signs

    def depends(self, theta: Floats, rows: Rows, free: NDArray[np.bool_]) -> list[NDArray]:
        """Which breakpoints the parameters `free` (D,) move, all others as at `theta`.

        Arrays (width, m) of the layers from the lowest up.  Dependence through neurons that are 0
        counts.
        """
        moved = np.zeros(self._block.embedded(theta).size, np.bool_)
        moved[self._block.places] = free
        found, inputs = [], (rows.x, np.zeros(rows.x.shape, np.bool_))
        for (w, b), (w_moves, b_moves) in zip(self._layers(theta), self._split(moved), strict=True):
            x, moves = inputs
            through = np.abs(w) @ moves + w_moves @ ((x != 0.0) | moves)
            found.append((through > 0.0) | b_moves[:, None])
            values = w @ x + b[:, None]
            slope = np.where(values >= 0.0, 1.0, self._leak)
            inputs = slope * values, found[-1] & (slope != 0.0)
        return found

    def _layers(self, theta: Floats) -> list[tuple[Floats, Floats]]:
        """Weights and biases of the layers from the lowest up."""
        return self._split(self._block.embedded(theta))

    def _split(self, full: NDArray) -> list[tuple[NDArray, NDArray]]:
        """What belongs to the weights and the biases of each layer, of an array (P,)."""
        layers = []
        for n_in, n_out in pairwise(self._block.widths):
            layer, full = np.split(full, [n_out * (n_in + 1)])
            layer = layer.reshape(n_out, n_in + 1)
            layers.append((layer[:, :-1], layer[:, -1]))
        return layers

    def _space(self, parts: int) -> Floats:
        return np.empty((parts, self._block.neurons, BLOCK))


__all__ = ["Passes", "Rows"]
