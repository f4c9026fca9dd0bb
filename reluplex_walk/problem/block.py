"""`Block`: the layers of a network that are trained together, and their parameters as one array.

theta (D,) holds the layers one after the other, of each a row (weights, bias) for each neuron.
Kernels see all layers from the lowest of the block upwards, in the same form.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._validate import integer, sequence
from .network import ReLUNetwork

Floats = NDArray[np.float64]


class Block:
    """The `layers` (ascending) of `network`; `low` is the lowest, `widths` are those from there up.

    `trained` says of each layer from there up whether it is in the block, `theta` (D,) are the
    parameters as the network has them.
    """

    def __init__(self, network: ReLUNetwork, layers: tuple[int, ...]) -> None:
        self.network, self.layers, self.low = network, layers, layers[0]
        above = range(self.low, network.n_layers)
        self.widths = np.array(network.widths[self.low :], np.int64)
        self.neurons = int(self.widths[1:].sum())
        self.trained = np.array([layer in layers for layer in above])
        parts = [network.layer_parameters(layer).ravel() for layer in above]
        self._parameters = np.concatenate(parts)
        of_block = [np.full(p.size, t) for p, t in zip(parts, self.trained, strict=True)]
        self.places = np.flatnonzero(np.concatenate(of_block))
        self.dim = self.places.size

    @property
    def theta(self) -> Floats:
        return self._parameters[self.places]

    def embedded(self, theta: Floats) -> Floats:
        """`theta` (D,) among the parameters (P,) of all layers from the lowest upwards."""
        full = self._parameters.copy()
        full[self.places] = theta
        return full

    def directions(self, v: Floats) -> Floats:
        """Directions `v` (D,) or (k, D) as ones (k, P) that leave the other layers alone."""
        full = np.zeros((1 if v.ndim == 1 else len(v), self._parameters.size))
        full[:, self.places] = v
        return full

    def network_at(self, theta: Floats) -> ReLUNetwork:
        """The network with `theta` (D,) in place."""
        network = self.network
        for layer in self.layers:
            shape = network.layer_parameters(layer).shape
            part, theta = np.split(theta, [shape[0] * shape[1]])
            network = network.with_layer(layer, part.reshape(shape))
        return network


def layers_of(block: Any, n_layers: int) -> tuple[int, ...]:
    """The layers that the argument `block` names, ascending."""
    if isinstance(block, str):
        if block != "all":
            raise ValueError(f"block: expected 'all', a layer or several, found {block!r}")
        return tuple(range(n_layers))
    if isinstance(block, int | np.integer):
        return (integer("block", block, 0, n_layers - 1),)
    layers = [integer("block", each, 0, n_layers - 1) for each in sequence("block", block)]
    if not layers or len(set(layers)) < len(layers):
        raise ValueError(f"block: expected different layers, at least one, found {layers}")
    return tuple(sorted(layers))


__all__ = ["Block", "layers_of"]
