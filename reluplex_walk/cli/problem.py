"""What ``solve`` and ``minimize`` train: a random network that starts fitted to the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .options import options_of
from .table import Table, read_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..problem.loss import LayerLoss
    from ..problem.network import ReLUNetwork

    Floats = NDArray[np.float64]

_NOTHING, _FAINT = 1e-12, 1e-2  # of output weights: rounding; those of neurons that do not help


class Problem(NamedTuple):
    """What a network is made and trained for."""

    table: Table
    hidden: Sequence[int]
    layer: int
    kind: str
    tau: float | None
    negative_slope: float
    init: str
    output: str

    @classmethod
    def of(cls, given: dict[str, Any]) -> Problem:
        """Read the table; the options of the problem are taken out of those `given`."""
        source, target = given.pop("data"), given.pop("target")
        table = read_table(source, target, options_of(given))
        return cls(table, *(given.pop(name) for name in cls._fields[1:]))

    @property
    def room_for_a_line(self) -> bool:
        """Whether two neurons of the trained layer can make up a linear function."""
        return self.layer == 0 and len(self.hidden) == 1 and self.hidden[0] > 1

    def loss(self, seed: int, line: bool = False) -> LayerLoss:
        """The loss of a random network, which starts at its own layer.

        With a `line`, two of its neurons make up the best linear function (of the first target).
        """
        import reluplex_walk as rw

        X, y = self.table.X, self.table.y
        widths = [X.shape[1], *self.hidden, y.shape[1]]
        network = rw.ReLUNetwork.random(widths, seed, self.init, self.negative_slope)
        if self.output == "fitted" and self.hidden:
            network = _bending(in_units(network, X, y), X, seed)
            if line:
                linear = rw.ReLUNetwork.random([X.shape[1], y.shape[1]])
                linear = rw.with_fitted_output(linear, X, y, self.kind, self.tau)
                network = _with_line(network, linear.layer_parameters(0)[0], X)
            if self.layer != network.n_layers - 1:
                fitted = rw.with_fitted_output(network, X, y, self.kind, self.tau)
                network = _all_heard(fitted, network)
        return rw.LayerLoss(network, X, y, self.layer, self.kind, self.tau)

    def beside(self) -> dict[str, float]:
        """What the loss of the network has to be compared with."""
        import reluplex_walk as rw

        found = rw.baselines(self.table.X, self.table.y, self.kind, self.tau)
        return {"best_constant": found.constant, "best_linear": found.linear}


def in_units(network: ReLUNetwork, X: Floats, y: Floats) -> ReLUNetwork:
    """`network`, made for standardised data, as the same network on data in their own units."""
    import numpy as np

    x_mean, x_scale = X.mean(axis=0), X.std(axis=0)
    x_scale = np.where(x_scale > 0.0, x_scale, 1.0)
    y_mean, y_scale = y.mean(axis=0), y.std(axis=0)
    weights, biases = list(network.weights), list(network.biases)
    weights[0] = weights[0] / x_scale
    biases[0] = biases[0] - weights[0] @ x_mean
    weights[-1] = weights[-1] * np.reshape(y_scale, (-1, 1))
    biases[-1] = biases[-1] * y_scale + y_mean
    return type(network)(weights, biases, network.negative_slope)


def _bending(network: ReLUNetwork, X: Floats, seed: int) -> ReLUNetwork:
    """`network` with all neurons of its first layer bending among the data: others are shifted."""
    import numpy as np

    theta = network.layer_parameters(0)
    values = X @ theta[:, :-1].T + theta[:, -1]
    rng = np.random.default_rng(seed)
    for j in np.flatnonzero((values >= 0.0).all(axis=0) | (values <= 0.0).all(axis=0)):
        share, (a, b) = rng.uniform(), rng.integers(len(X), size=2)
        theta[j, -1] -= share * values[a, j] + (1.0 - share) * values[b, j]
    return network.with_layer(0, theta)


def _with_line(network: ReLUNetwork, linear: Floats, X: Floats) -> ReLUNetwork:
    """`network` whose first two neurons are the parts above and below the median of `linear`."""
    import numpy as np

    theta = network.layer_parameters(0)
    linear = linear.copy()
    linear[-1] -= np.median(X @ linear[:-1] + linear[-1])
    theta[0], theta[1] = linear, -linear
    return network.with_layer(0, theta)


def _all_heard(fitted: ReLUNetwork, drawn: ReLUNetwork) -> ReLUNetwork:
    """`fitted` with a faint output of the neurons that it ignores: they could not be trained."""
    import numpy as np

    last = fitted.n_layers - 1
    theta, given = fitted.layer_parameters(last), drawn.layer_parameters(last)
    ignored = (np.abs(theta[:, :-1]) <= _NOTHING * np.abs(given[:, :-1])).all(axis=0)
    columns = np.flatnonzero(ignored)
    theta[:, columns] = _FAINT * given[:, columns]
    return fitted.with_layer(last, theta)


__all__ = ["Problem", "in_units"]
