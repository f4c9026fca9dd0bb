"""Networks side by side as one: their hidden layers stacked, their outputs weighted sums.

What is linear in the inputs passes hidden layers as ``relu(u) - relu(-u) = u``, exactly.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from ..problem.network import ReLUNetwork

Floats = NDArray[np.float64]


class Part(NamedTuple):
    """What is added to output `output`: `weight` times ``slopes . x`` or a network of x."""

    output: int
    weight: float
    of: Floats | ReLUNetwork  # slopes (p,), or a network of one output


def in_units(network: ReLUNetwork, mean: Floats, scale: Floats) -> ReLUNetwork:
    """The network of standardised inputs as one of the inputs themselves."""
    first = network.weights[0] / scale
    weights = [first, *network.weights[1:]]
    return ReLUNetwork(weights, [network.biases[0] - first @ mean, *network.biases[1:]])


def outputs_of(network: ReLUNetwork) -> list[ReLUNetwork]:
    """A network of one output for each of its outputs."""
    hidden, (w, b) = network.weights[:-1], (network.weights[-1], network.biases[-1])
    return [
        ReLUNetwork([*hidden, w[k : k + 1]], [*network.biases[:-1], b[k : k + 1]])
        for k in range(len(w))
    ]


def stacked(parts: Sequence[Part], n_in: int, constants: Floats) -> ReLUNetwork:
    """Constants (n_out,) and all parts as one network; theirs have the same number of layers."""
    depths = [part.of.n_layers for part in parts if isinstance(part.of, ReLUNetwork)]
    if not depths:
        slopes = np.zeros((len(constants), n_in))
        for part in parts:
            slopes[part.output] += part.weight * np.asarray(part.of)
        return ReLUNetwork([slopes], [constants])
    pieces = [_layers(part.of, depths[0]) for part in parts]
    inner = range(1, depths[0] - 1)
    first = np.vstack([weights[0] for weights, _ in pieces])
    middle = [block_diag(*(weights[k] for weights, _ in pieces)) for k in inner]
    biases = [np.concatenate([b[k] for _, b in pieces]) for k in range(depths[0] - 1)]
    last, constants = np.zeros((len(constants), biases[-1].size)), constants.copy()
    at = 0
    for part, (weights, b) in zip(parts, pieces, strict=True):
        width = weights[-1].shape[1]
        last[part.output, at : at + width] = part.weight * weights[-1][0]
        constants[part.output] += part.weight * b[-1][0]
        at += width
    return ReLUNetwork([first, *middle, last], [*biases, constants])


def _layers(of: Floats | ReLUNetwork, depth: int) -> tuple[Sequence[Floats], Sequence[Floats]]:
    """Weights and biases of a part."""
    if isinstance(of, ReLUNetwork):
        return of.weights, of.biases
    weights = [np.vstack([of, -of]), *[np.eye(2)] * (depth - 2), np.array([[1.0, -1.0]])]
    return weights, [*[np.zeros(2)] * (depth - 1), np.zeros(1)]


__all__ = ["Part", "in_units", "outputs_of", "stacked"]
