"""A whole network's training problem: data and loss, and the standardised units it is searched in.

Searches see inputs and targets of mean 0 and size 1, so that no step size depends on the units of
the data; what is proved is proved of the network in the units that were given.
"""

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...problem.aliased import RankWarning
from ...problem.loss import LayerLoss
from ...problem.network import ReLUNetwork
from ...problem.network_loss import NetworkLoss

Floats = NDArray[np.float64]


class Samples(NamedTuple):
    """Checked data."""

    X: Floats  # (n, n_in)
    y: Floats  # (n, n_out)
    weight: Floats  # (n,)

    def take(self, rows: NDArray[np.int64]) -> "Samples":
        """Those with the indices `rows`."""
        return Samples(*(part[rows] for part in self))


class Standard(NamedTuple):
    """The map between a network on data as given and the same on standardised data."""

    x_centre: Floats  # (n_in,)
    x_scale: Floats  # (n_in,)
    y_centre: Floats  # (n_out,)
    y_scale: float  # one for all outputs: their losses keep their proportions

    @classmethod
    def of(cls, samples: Samples, labels: bool) -> "Standard":
        """The units of these samples; targets that are `labels` stay as they are."""
        X, y, weight = samples
        if labels or not len(y):
            centre, scale = np.zeros(y.shape[1]), 1.0
        else:
            centre = np.average(y, axis=0, weights=weight if weight.any() else None)
            scale = float(np.abs(y - centre).mean()) or 1.0
        spread = X.std(axis=0)
        return cls(X.mean(axis=0), np.where(spread > 0.0, spread, 1.0), centre, scale)

    def inner(self, network: ReLUNetwork) -> ReLUNetwork:
        """The same network for standardised data."""
        weights, biases = list(network.weights), list(network.biases)
        biases[0] = biases[0] + weights[0] @ self.x_centre
        weights[0] = weights[0] * self.x_scale
        weights[-1] = weights[-1] / self.y_scale
        biases[-1] = (biases[-1] - self.y_centre) / self.y_scale
        return ReLUNetwork(weights, biases, network.negative_slope)

    def outer(self, network: ReLUNetwork) -> ReLUNetwork:
        """The inverse of `inner`, up to rounding."""
        weights, biases = list(network.weights), list(network.biases)
        weights[-1] = weights[-1] * self.y_scale
        biases[-1] = biases[-1] * self.y_scale + self.y_centre
        weights[0] = weights[0] / self.x_scale
        biases[0] = biases[0] - weights[0] @ self.x_centre
        return ReLUNetwork(weights, biases, network.negative_slope)

    def data(self, samples: Samples) -> Samples:
        """The samples, standardised."""
        X, y, weight = samples
        scaled = (y - self.y_centre) / self.y_scale
        return Samples((X - self.x_centre) / self.x_scale, scaled, weight)


class Problem:
    """What `layers` of a network are trained for.

    All is about ``sum_i w_i sum_k rho(r_ik) + penalty sum |weights of the layers|``.
    """

    def __init__(
        self,
        samples: Samples,
        kind: str,
        tau: float | None,
        layers: tuple[int, ...],
        penalty: float,
    ) -> None:
        self.samples, self.kind, self.tau = samples, kind, tau
        self.layers, self.penalty = layers, penalty
        self.units = Standard.of(samples, kind == "hinge")
        self.inner_samples = self.units.data(samples)

    def layer_loss(self, network: ReLUNetwork, layer: int) -> LayerLoss:
        """The loss of one layer of `network`, which walks and proofs are about."""
        return layer_loss(network, self.samples, layer, self.kind, self.tau, self.penalty)

    def inner_loss(self, network: ReLUNetwork) -> NetworkLoss:
        """The loss of the layers, without the penalty, of a `network` for standardised data."""
        X, y, weight = self.inner_samples
        return NetworkLoss(network, X, y, self.kind, self.layers, self._tau, weight)

    @property
    def _tau(self) -> float | None:
        return self.tau if self.kind == "pinball" else None

    def tolls(self, network: ReLUNetwork) -> Floats | None:
        """What a unit of each parameter (D,) of the layers costs in standardised units, if so."""
        if not self.penalty:
            return None
        parts, last = [], network.n_layers - 1
        for layer in self.layers:
            toll = np.zeros(network.layer_parameters(layer).shape)
            toll[:, :-1] = self.penalty / self.units.y_scale
            if layer == 0:
                toll[:, :-1] /= self.units.x_scale
            if layer == last:
                toll[:, :-1] *= self.units.y_scale
            parts.append(toll.ravel())
        return np.concatenate(parts)

    def objective(self, network: ReLUNetwork) -> float:
        """The loss of `network`, with the penalty."""
        return data_loss(network, self.samples, self.kind, self.tau) + self.cost(network)

    def cost(self, network: ReLUNetwork) -> float:
        """The penalty of `network`."""
        if not self.penalty:
            return 0.0
        weights = sum(float(np.abs(network.weights[layer]).sum()) for layer in self.layers)
        return self.penalty * weights


def layer_loss(
    network: ReLUNetwork,
    samples: Samples,
    layer: int,
    kind: str,
    tau: float | None,
    penalty: float,
) -> LayerLoss:
    """The loss of one layer of `network`; of columns that depend on others nothing is said."""
    X, y, weight = samples
    tau = tau if kind == "pinball" else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankWarning)
        return LayerLoss(network, X, y, layer, kind, tau, weight, penalty=penalty)


def data_loss(network: ReLUNetwork, samples: Samples, kind: str, tau: float | None) -> float:
    """The loss of `network`, the sum over samples, without a penalty."""
    last = network.n_layers - 1
    loss = layer_loss(network, samples, last, kind, tau, 0.0)
    return loss(loss.theta)


__all__ = ["Problem", "Samples", "Standard", "data_loss", "layer_loss"]
