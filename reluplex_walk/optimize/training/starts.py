"""Where the search of :func:`reluplex_walk.train` starts: fresh networks, a linear one, and kicks.

All are networks for standardised data, whose neurons bend between samples.
"""

import warnings

import numpy as np
from numpy.typing import NDArray

from ...problem.aliased import RankWarning
from ...problem.network import ReLUNetwork
from ...regression.baseline import with_fitted_output
from .problem import Problem

Floats = NDArray[np.float64]

_FAINT = 0.1  # of the usual size: output weights of neurons that have to earn their place
_MARGIN = 0.5  # of the range of a linear function, by which a neuron that carries it is lifted


class Starts:
    """Draws starts for `problem` from `rng`; layers that are not trained are those of `given`."""

    def __init__(self, problem: Problem, given: ReLUNetwork, rng: np.random.Generator) -> None:
        self.problem, self.given, self.rng = problem, given, rng
        self.X = problem.inner_samples.X

    def fresh(self) -> ReLUNetwork:
        """A network that has nothing to do with others."""
        network, last = self.given, self.given.n_layers - 1
        for layer in self.problem.layers:
            theta = network.layer_parameters(layer)
            h, q = theta.shape
            theta[:, :-1] = self.rng.normal(size=(h, q - 1)) * np.sqrt(2.0 / max(q - 1, 1))
            if layer < last:
                self._bend(theta, np.arange(h), network.features(self.X, layer))
            else:
                theta[:, -1] = 0.0
            network = network.with_layer(layer, theta)
        return network

    def linear(self) -> ReLUNetwork | None:
        """The best linear function, carried by the first neurons; None if that takes more."""
        network, last = self.given, self.given.n_layers - 1
        n_out = network.widths[-1]
        whole = len(self.problem.layers) == network.n_layers
        if not whole or last == 0 or min(network.widths[1:-1]) < n_out:
            return None
        network = self.fresh()
        samples = self.problem.inner_samples
        n_in, tau = network.widths[0], self.problem.tau
        flat = ReLUNetwork([np.zeros((n_out, n_in))], [np.zeros(n_out)])
        kind = self.problem.kind
        tau = tau if kind == "pinball" else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RankWarning)  # said of the data as given
            fitted = with_fitted_output(flat, samples.X, samples.y, kind, tau, samples.weight)
        line = fitted.layer_parameters(0)
        values = self.X @ line[:, :-1].T + line[:, -1]
        span = values.max(axis=0) - values.min(axis=0)
        lift = _MARGIN * span - values.min(axis=0) + 1e-6
        carriers = np.arange(n_out)
        for layer in range(last):
            theta = network.layer_parameters(layer)
            theta[carriers] = 0.0
            if layer == 0:
                theta[carriers] = line
                theta[carriers, -1] += lift
            else:
                theta[carriers, carriers] = 1.0
            network = network.with_layer(layer, theta)
        theta = _FAINT * network.layer_parameters(last)
        theta[:, carriers] = np.eye(n_out)
        theta[:, -1] = -lift
        return network.with_layer(last, theta)

    def kicked(self, network: ReLUNetwork) -> ReLUNetwork:
        """`network` with some of its neurons drawn anew, or all parameters jolted."""
        hidden = [layer for layer in self.problem.layers if layer < network.n_layers - 1]
        if hidden and self.rng.random() < 0.5:
            return self._replaced(network, hidden)
        width = 10.0 ** self.rng.uniform(-1.5, -0.3)
        for layer in self.problem.layers:
            theta = network.layer_parameters(layer)
            size = np.sqrt((theta**2).mean()) or 1.0
            theta += width * size * self.rng.normal(size=theta.shape)
            network = network.with_layer(layer, theta)
        return network

    def revived(self, network: ReLUNetwork) -> ReLUNetwork:
        """`network` with neurons that say nothing on all samples made to bend among them.

        Their output weights become 0, so that the function on the samples stays as it is but for
        the constant that they have put out.
        """
        last = network.n_layers - 1
        for layer in self.problem.layers:
            if layer == last or layer + 1 not in self.problem.layers:
                continue
            theta, above = network.layer_parameters(layer), network.layer_parameters(layer + 1)
            features = network.features(self.X, layer)
            values = features @ theta[:, :-1].T + theta[:, -1]
            deaf = np.flatnonzero((values <= 0.0).all(axis=0))
            if network.negative_slope or not deaf.size:
                continue
            theta[deaf, :-1] = self.rng.normal(size=(deaf.size, theta.shape[1] - 1))
            self._bend(theta, deaf, features)
            above[:, deaf] = 0.0
            network = network.with_layer(layer, theta).with_layer(layer + 1, above)
        return network

    def _replaced(self, network: ReLUNetwork, hidden: list[int]) -> ReLUNetwork:
        """`network` with one or more neurons of a hidden layer drawn anew."""
        layer = hidden[int(self.rng.integers(len(hidden)))]
        theta = network.layer_parameters(layer)
        h, q = theta.shape
        some = self.rng.permutation(h)[: int(self.rng.integers(1, 1 + max(1, h // 3)))]
        size = np.linalg.norm(theta[:, :-1], axis=1).mean() or 1.0
        drawn = self.rng.normal(size=(some.size, q - 1))
        theta[some, :-1] = size * drawn / np.maximum(np.linalg.norm(drawn, axis=1), 1e-12)[:, None]
        self._bend(theta, some, network.features(self.X, layer))
        network = network.with_layer(layer, theta)
        if layer + 1 in self.problem.layers:
            above = network.layer_parameters(layer + 1)
            usual = np.abs(above[:, :-1]).mean() or 1.0
            above[:, some] = usual * self.rng.normal(size=(len(above), some.size))
            network = network.with_layer(layer + 1, above)
        return network

    def _bend(self, theta: Floats, some: NDArray[np.int64], features: Floats) -> None:
        """Set the biases of `some` neurons so that they vanish between two random samples."""
        for j in some:
            share, (a, b) = self.rng.uniform(), self.rng.integers(len(features), size=2)
            between = share * features[a] + (1.0 - share) * features[b]
            theta[j, -1] = -(theta[j, :-1] @ between)


def balanced(network: ReLUNetwork, layers: tuple[int, ...], power: int) -> ReLUNetwork:
    """`network` with each hidden neuron as large as its output weights; the function stays.

    Sizes are norms of that `power`; with 1 the sum of absolute weights becomes least.
    """
    for layer in layers:
        if layer + 1 not in layers:
            continue
        theta, above = network.layer_parameters(layer), network.layer_parameters(layer + 1)
        rows = np.linalg.norm(theta[:, :-1], power, axis=1)
        columns = np.linalg.norm(above[:, :-1], power, axis=0)
        both = (rows > 0.0) & (columns > 0.0)
        factor = np.ones(len(theta))
        factor[both] = np.exp2(np.rint(0.5 * np.log2(columns[both] / rows[both])))
        above[:, :-1] /= factor
        network = network.with_layer(layer, theta * factor[:, None]).with_layer(layer + 1, above)
    return network


__all__ = ["Starts", "balanced"]
