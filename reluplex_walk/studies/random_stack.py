"""A stack of random layers with and without cures for vanishing gradients, forwards and backwards.

All arrays hold n networks at once: signals are (n, B, d) for B inputs, weights (n, d, d).
Signals and gradients that come near the limits of double precision are rescaled, each network's by
a power of two: gradients are homogeneous in what is above, and where nothing is normalised layers
are in what is below.

    plain           x <- relu(W x)
    residual        x <- x + relu(W x)
    scaled          x <- x + relu(W x) / sqrt(L)
    preactivation   x <- x + W relu(x) / sqrt(L)
    layernorm       x <- relu(N(W x)),   N over the units of each input
    batchnorm       x <- relu(N(W x)),   N over the inputs at each unit
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._scale import rescaled

Floats = NDArray[np.float64]

DESIGNS = ("plain", "residual", "scaled", "preactivation", "layernorm", "batchnorm")
_SKIPPING = ("residual", "scaled", "preactivation")

_EPS = 1e-5  # added to variances, as everyone does
_AXES = {"layernorm": 2, "batchnorm": 1}


@dataclass(frozen=True)
class _Layer:
    """What the way back has to know of a layer."""

    weights: Floats
    below: Floats  # (n, B, d) what W was applied to
    active: NDArray[np.bool_]
    normal: Floats | None  # N(W x), where something is normalised
    scale: Floats | None  # what it was divided by


class RandomStack:
    """L random layers of one design, weights normal of variance 2 / d, run on `x` (n, B, d).

    Without normalising, `top` is what comes out but for a power of two for each network.
    """

    def __init__(self, design: str, depth: int, x: Floats, rng: np.random.Generator) -> None:
        self.design, self.depth, self.layers = design, depth, list[_Layer]()
        n, _, d = x.shape
        for _ in range(depth):
            w = rng.standard_normal((n, d, d)) * np.sqrt(2.0 / d)
            x = self._forward(w, x)
            if design not in _AXES:
                x, _ = rescaled(x)
        self.top = x

    @property
    def _share(self) -> float:
        return self.depth**-0.5 if self.design in ("scaled", "preactivation") else 1.0

    def _forward(self, w: Floats, x: Floats) -> Floats:
        if self.design == "preactivation":
            active = x > 0.0
            self.layers.append(_Layer(w, active * x, active, None, None))
            return x + self._share * (active * x) @ w.transpose(0, 2, 1)
        z, normal, scale = x @ w.transpose(0, 2, 1), None, None
        axis = _AXES.get(self.design)
        if axis is not None:
            scale = np.sqrt(z.var(axis=axis, keepdims=True) + _EPS)
            z = normal = (z - z.mean(axis=axis, keepdims=True)) / scale
        active = z > 0.0
        self.layers.append(_Layer(w, x, active, normal, scale))
        out = active * z
        return x + self._share * out if self.design in _SKIPPING else out

    def back(self, top: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """From the gradient `top` (n, B, d) at the outputs: that in W_1 (n, d, d) and at inputs.

        Both are to be multiplied by 2^e, the last result, e (n,).
        """
        above, exponents = top, np.zeros(len(top), np.int64)
        for layer in reversed(self.layers):
            above, grown = rescaled(above)
            exponents += grown
            skipped = above if self.design in _SKIPPING else 0.0
            if self.design == "preactivation":
                at_z = self._share * above
                above = layer.active * (at_z @ layer.weights) + skipped
                continue
            at_z = self._share * layer.active * above
            if layer.normal is not None:
                at_z = self._through_norm(layer, at_z)
            above = at_z @ layer.weights + skipped
        return at_z.transpose(0, 2, 1) @ self.layers[0].below, above, exponents

    def _through_norm(self, layer: _Layer, g: Floats) -> Floats:
        """The gradient before normalising, of that after it."""
        axis, normal = _AXES[self.design], layer.normal
        assert normal is not None
        mean = g.mean(axis=axis, keepdims=True)
        along = (g * normal).mean(axis=axis, keepdims=True)
        return np.asarray((g - mean - normal * along) / layer.scale)


def unit_inputs(rng: np.random.Generator, networks: int, batch: int, width: int) -> Floats:
    """Inputs (n, B, d) of length 1, uniform in direction."""
    x = rng.standard_normal((networks, batch, width))
    return np.asarray(x / np.linalg.norm(x, axis=2, keepdims=True))


__all__ = ["DESIGNS", "RandomStack", "unit_inputs"]
