"""Gradients at two inputs of wide random networks whose weights are never held.

Given Z = W U, the images of two vectors U, a matrix W of independent normal numbers is
W = Z U^+ + W~ (1 - P), P the projection on the span of U and W~ a fresh copy of W.  So the way
forwards needs two normal vectors for each layer, the way back two more, and the law of the result
is exactly that of a network with all its weights, of which a layer has as many as a unit squared.

A layer is x <- relu(W x), or x <- x + W relu(x) / sqrt(L); variance of weights 2 / d.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._scale import rescaled

Floats = NDArray[np.float64]


class _Layer(NamedTuple):
    """What the way back has to know; arrays (n, 2, d), one row for each input."""

    taken: Floats  # U: what W was applied to
    image: Floats  # W U
    active: Floats


def pair_of_inputs(rng: np.random.Generator, networks: int, width: int, cosine: float) -> Floats:
    """Two inputs (n, 2, d) of length 1 and exactly that cosine, uniform in direction."""
    a, b = rng.standard_normal((2, networks, width))
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b -= np.einsum("ni,ni->n", a, b)[:, None] * a
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    return np.stack([a, cosine * a + np.sqrt(1.0 - cosine**2) * b], axis=1)


def gradients(rng: np.random.Generator, x: Floats, depth: int, residual: bool) -> Floats:
    """The gradients of f = v.x_L at both inputs `x` (n, 2, d), one network for each pair.

    But for a power of two for each network where they come near the limits of double precision.
    """
    networks, _, width = x.shape
    share = depth**-0.5
    layers = []
    for _ in range(depth):
        x, _ = rescaled(x)
        taken = np.maximum(x, 0.0) if residual else x
        image = _drawn(rng, taken)
        below, x = x, x + share * image if residual else np.maximum(image, 0.0)
        active = ((below if residual else image) > 0.0).astype(float)
        layers.append(_Layer(taken, image, active))
    v = rng.standard_normal((networks, 1, width))
    found = np.concatenate([v, v], axis=1)
    for layer in reversed(layers):
        found, _ = rescaled(found)
        if residual:
            found = found + share * layer.active * _transposed(rng, layer, found)
        else:
            found = _transposed(rng, layer, layer.active * found)
    return found


def _drawn(rng: np.random.Generator, u: Floats) -> Floats:
    """W u for fresh weights of variance 2 / d: normal, of covariance (2 / d) u u'."""
    gram = (2.0 / u.shape[2]) * (u @ u.transpose(0, 2, 1))
    return np.asarray(_root(gram) @ rng.standard_normal(u.shape))


def _transposed(rng: np.random.Generator, layer: _Layer, g: Floats) -> Floats:
    """W' g for the weights of the layer, which took U to Z: U^+ Z' g + (1 - P) W~' g."""
    u, z = layer.taken, layer.image
    inverse = np.linalg.pinv(u @ u.transpose(0, 2, 1), rcond=1e-12, hermitian=True)
    fresh = _drawn(rng, g)
    inside = fresh @ u.transpose(0, 2, 1)
    return np.asarray(fresh + (g @ z.transpose(0, 2, 1) - inside) @ inverse @ u)


def _root(gram: Floats) -> Floats:
    """Lower triangular R with R R' = `gram` (n, 2, 2), which may be singular."""
    root = np.zeros_like(gram)
    first = np.sqrt(gram[:, 0, 0])
    root[:, 0, 0] = first
    root[:, 1, 0] = gram[:, 1, 0] / np.where(first > 0.0, first, 1.0)
    root[:, 1, 1] = np.sqrt(np.maximum(gram[:, 1, 1] - root[:, 1, 0] ** 2, 0.0))
    return root


__all__ = ["gradients", "pair_of_inputs"]
