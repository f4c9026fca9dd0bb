"""`approximation`: what a network computes, to first order in a block of its parameters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._memory import require_memory
from .._shown import repr_html
from .._validate import inputs, instance, real_array
from ..problem.block import Block, layers_of
from ..problem.network import ReLUNetwork
from .taylor_loss import TaylorLoss, taylor_loss

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Approximation:
    """The outputs of a network as affine functions of a block of its parameters.

    ``f_n(V) = f_n + <G_n, V - W>`` for parameters V (D,) of the block, W those of the network:
    exact in the affine region of W if the block is one layer.

    Attributes
    ----------
    network : ReLUNetwork
    X : ndarray (n, n_in)
    block : tuple of int
        The layers, ascending.
    theta : ndarray (D,)
        W, as a :class:`~reluplex_walk.NetworkLoss` of the block has it.
    outputs : ndarray (n, K)
        f_n, those of the network.
    jacobian : ndarray (n, K, D)
        G_n, the derivatives of the outputs by the parameters of the block.

    Examples
    --------
    A layer's weights times their derivatives are the outputs, if no layer after it has a bias:

    >>> import numpy as np, reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([2, 5, 4, 1], seed=0, init="he")
    >>> found = rw.taylor.approximation(net, [[1.0, 2.0], [3.0, -1.0]], block=1)
    >>> bool(np.allclose(found.jacobian @ found.theta, found.outputs))
    True
    """

    network: ReLUNetwork
    X: Floats
    block: tuple[int, ...]
    theta: Floats
    outputs: Floats
    jacobian: Floats

    def __call__(self, V: ArrayLike) -> Floats:
        """f_n(V), (n, K), at the parameters `V` (D,); ValueError, TypeError if V does not fit."""
        point = real_array("V", V, 1, f"of shape ({self.theta.size},)")
        if point.shape != self.theta.shape:
            raise ValueError(
                f"V: expected an array of shape ({self.theta.size},), found shape {point.shape}"
            )
        return np.asarray(self.outputs + self.jacobian @ (point - self.theta))

    def loss(self, y: ArrayLike, kind: str = "l1", tau: float | None = None) -> TaylorLoss:
        """The Taylor loss of all samples: the mean of their losses at these outputs.

        Parameters
        ----------
        y : array_like (n,) or (n, K)
            Targets.
        kind : {"l1", "pinball", "squared"}, default "l1"
            As of a :class:`~reluplex_walk.NetworkLoss`.
        tau : float, optional
            Quantile of the pinball loss, default 0.5.

        Returns
        -------
        TaylorLoss
            Of one step.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit; the message names it.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([2, 5, 1], seed=0)
        >>> X, y = [[1.0, 2.0], [3.0, -1.0]], [1.0, 0.0]
        >>> found = rw.taylor.approximation(net, X, block=0)
        >>> loss = rw.NetworkLoss(net, X, y, block=0)
        >>> abs(found.loss(y)(found.theta) - loss(found.theta) / 2) < 1e-12
        True
        """
        return taylor_loss(self.theta, self.outputs, self.jacobian, y, kind, tau)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        layers = ", ".join(map(str, self.block))
        return f"Approximation({self.network!r}, n={len(self.X)}, layers {layers})"


def approximation(
    network: ReLUNetwork, X: ArrayLike, block: str | int | tuple[int, ...] = "all"
) -> Approximation:
    """The outputs of `network` at each sample, to first order in the parameters of `block`.

    Parameters
    ----------
    network : ReLUNetwork
    X : array_like (n, n_in)
    block : "all", int or sequence of int, default "all"
        The layers, counted from 0.

    Returns
    -------
    Approximation

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    Balduzzi, McWilliams and Butler-Yeoman, Neural Taylor Approximations: Convergence and
    Exploration in Rectifier Networks, arXiv 1611.02345.

    Examples
    --------
    In its region the loss of one layer is what it is here:

    >>> import numpy as np, reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([2, 5, 1], seed=0)
    >>> X = [[1.0, 2.0], [3.0, -1.0]]
    >>> found = rw.taylor.approximation(net, X, block=0)
    >>> found.jacobian.shape
    (2, 1, 15)
    >>> near = found.theta + 1e-3
    >>> bool(np.allclose(found(near), net.with_layer(0, near.reshape(5, 3))(X)))
    True
    """
    instance("network", network, ReLUNetwork)
    data = inputs("X", X, network.widths[0])
    if not len(data):
        raise ValueError(f"X: expected an array of n >= 1 rows, found shape {data.shape}")
    layers = layers_of(block, network.n_layers)
    theta = Block(network, layers).theta
    size = 8.0 * len(data) * network.widths[-1] * theta.size
    require_memory("X: the derivatives of all outputs", size, "give fewer samples")
    outputs, jacobian = outputs_and_jacobian(network, data, layers)
    return Approximation(network, data, layers, theta, outputs, jacobian)


def outputs_and_jacobian(
    network: ReLUNetwork, X: Floats, layers: tuple[int, ...]
) -> tuple[Floats, Floats]:
    """Outputs (n, K) and their derivatives (n, K, D) by the parameters of the `layers`.

    What vanishes counts as positive, as in the gradient of a loss.
    """
    low, last = layers[0], network.n_layers - 1
    received, slopes = [network.features(X, low)], []
    for w, b in zip(network.weights[low:last], network.biases[low:last], strict=True):
        values = received[-1] @ w.T + b
        slopes.append(np.where(values >= 0.0, 1.0, network.negative_slope))
        received.append(slopes[-1] * values)
    outputs = received[-1] @ network.weights[last].T + network.biases[last]
    n, K = outputs.shape
    back = np.broadcast_to(np.eye(K), (n, K, K))  # derivatives by the values of the layer
    parts: list[Floats] = []
    for layer in range(last, low - 1, -1):
        if layer in layers:
            x = np.column_stack([received[layer - low], np.ones(n)])
            parts.insert(0, (back[:, :, :, None] * x[:, None, None, :]).reshape(n, K, -1))
        if layer > low:
            back = (back @ network.weights[layer]) * slopes[layer - low - 1][:, None, :]
    return outputs, np.concatenate(parts, axis=2)


__all__ = ["Approximation", "approximation", "outputs_and_jacobian"]
