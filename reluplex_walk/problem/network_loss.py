"""`NetworkLoss`: the training loss as a function of several layers, or all of them.

    F(theta) = sum_i w_i sum_k rho(f_k(x_i; theta) - y_ik)

theta are the weights and biases of the layers of a block.  Within an affine region of one layer F
is affine in that layer, and in several layers a polynomial: f multiplies their weights.  So for the
piecewise affine rho all curvature lies *between* layers, the blocks of one layer in the Hessian are
0, and a Hessian-vector product, exact within the region, is one more pass forwards and one back.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validate import LARGEST, instance, integer, integers, real_array, samples
from .block import Block, layers_of
from .decimals import fraction, places
from .fingerprint import as_text, digests
from .kinks import KINDS, check_labels, kind_and_tau, slopes
from .loss import FLOATS, LayerLoss, Pattern
from .network import ReLUNetwork
from .passes import Passes, Rows

Floats = NDArray[np.float64]

NETWORK_KINDS = (*KINDS, "squared")


class NetworkLoss:
    """Training loss of a ReLU network as a function of the layers of a block, all by default.

    The loss is the *sum* over samples and outputs.  Parameters theta are a flat array: the layers
    one after the other, of each a row (weights, bias) for each neuron, so that a block of one layer
    has the theta of a :class:`LayerLoss`.

    Parameters
    ----------
    network : ReLUNetwork
        The layers outside the block stay as they are.
    X : array_like (n, n_in)
        Inputs of the network; those below 1e-100 in size count as 0.
    y : array_like (n,) or (n, n_out)
        Targets; labels -1 or +1 for the hinge loss.
    kind : {"l1", "pinball", "hinge", "squared"}, default "l1"
        As for a :class:`LayerLoss`; squared is r^2 / 2.
    block : "all", int or sequence of int, default "all"
        The layers, counted from 0, whose parameters theta are.
    tau : float, optional
        Quantile of the pinball loss, in (0, 1), default 0.5.
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1; those below 1e-100 count as 0.

    Attributes
    ----------
    network, X, y, kind, tau, sample_weight
        As given, but for what counts as 0; the arrays are read-only, `y` is (n, n_out).
    block : tuple of int
        In ascending order.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    See Also
    --------
    LayerLoss : the same of one layer, which walks and proofs are about.

    Notes
    -----
    One kernel goes through blocks of samples: with 4-5-4-2-1 and n = 500 a gradient takes some 15
    microseconds, a Hessian-vector product 30 (``python -m benchmarks network_loss``).

    Examples
    --------
    The fit ``v max(0, w x + b) + c`` at w = 1, b = 0, v = 2, c = 1:

    >>> import numpy as np, reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[1.0]], [[2.0]]], [[0.0], [1.0]])
    >>> loss = rw.NetworkLoss(net, [[1.0], [2.0]], [1.0, 6.0])  # residuals 2 and -1
    >>> loss.dim, loss.theta, loss(loss.theta)
    (4, array([1., 0., 2., 1.]), 3.0)
    >>> loss.gradient(loss.theta)
    array([-2.,  0., -1.,  0.])
    >>> loss.hessian(loss.theta)  # of v w (1 - 2) + v b (1 - 1): 0 within a layer
    array([[ 0.,  0., -1.,  0.],
           [ 0.,  0.,  0.,  0.],
           [-1.,  0.,  0.,  0.],
           [ 0.,  0.,  0.,  0.]])
    """

    def __init__(
        self,
        network: ReLUNetwork,
        X: ArrayLike,
        y: ArrayLike,
        kind: str = "l1",
        block: str | int | tuple[int, ...] = "all",
        tau: float | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> None:
        instance("network", network, ReLUNetwork)
        self.network = network
        self.block = layers_of(block, network.n_layers)
        self.kind, self.tau = kind_and_tau(kind, tau, NETWORK_KINDS)
        n_in, n_out = network.widths[0], network.widths[-1]
        self.X, self.y, self.sample_weight = samples(X, y, sample_weight, n_in, n_out)
        check_labels(self.kind, self.y)
        for array in (self.X, self.y, self.sample_weight):
            array.flags.writeable = False
        self._prepare()

    def _prepare(self) -> None:
        """Arrays as kernels want them."""
        share = fraction(self.tau, places(np.array([[self.tau]]))[0])
        left, right = slopes(self.kind, share, self.y, self.sample_weight[:, None])
        self._block = Block(self.network, self.block)
        self.passes = Passes(self._block, self.X, self.y, left, right, self._squared)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Pickles forget that arrays are read-only, and may map them: kernels get arrays anew."""
        self.__dict__.update(state)
        for array in (self.X, self.y, self.sample_weight):
            array.flags.writeable = False
        self._prepare()

    @property
    def _squared(self) -> bool:
        return self.kind == "squared"

    # ---------------------------------------------------------------- parameters

    @property
    def dim(self) -> int:
        """D, the number of parameters of the block."""
        return self._block.dim

    @property
    def theta(self) -> Floats:
        """Parameters (D,) of the block as the network has them."""
        return self._block.theta

    def parameters(self, theta: ArrayLike, name: str = "theta") -> Floats:
        """`theta` as a checked array (D,).

        ValueError, TypeError, which call it `name`, if it does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.NetworkLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0]], [0.0, 1.0])
        >>> loss.parameters([1, 2])
        array([1., 2.])
        """
        return self._checked(theta, name)

    def _checked(self, theta: ArrayLike, name: str = "theta", largest: float = LARGEST) -> Floats:
        return self._shaped(real_array(name, theta, 1, self._expected, largest), name)

    @property
    def _expected(self) -> str:
        return f"of shape ({self.dim},)"

    def _shaped(self, array: Floats, name: str) -> Floats:
        if array.shape[-1] != self.dim:
            raise ValueError(
                f"{name}: expected an array {self._expected}, found shape {array.shape}"
            )
        return array

    def _quick(self, array: ArrayLike) -> bool:
        """Whether `array` is plainly one of parameters: checks take as long as the kernels."""
        return (
            type(array) is np.ndarray
            and array.dtype == np.float64
            and array.shape == (self.dim,)
            and bool(np.abs(array).max() <= LARGEST)
        )

    def _point(self, theta: ArrayLike, largest: float = LARGEST) -> Floats:
        point = theta if self._quick(theta) else self._checked(theta, largest=largest)
        return np.asarray(point)

    def network_at(self, theta: ArrayLike) -> ReLUNetwork:
        """The network with `theta` (D,) in place; ValueError, TypeError if it does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1])
        >>> loss = rw.NetworkLoss(net, [[0.0], [1.0]], [0.0, 1.0])
        >>> loss.network_at(loss.theta) == net
        True
        """
        return self._block.network_at(self.parameters(theta))

    def layer(self, k: int, theta: ArrayLike | None = None) -> LayerLoss:
        """The loss of layer `k` alone, which walks, sections and proofs are about.

        Parameters
        ----------
        k : int
            The layer, in the block or not.
        theta : array_like (D,), optional
            The parameters of the block, default those of the network: where the other layers
            stay, and what the ``theta`` of the result is.

        Returns
        -------
        LayerLoss

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, or the loss is squared, which is not piecewise affine.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1])
        >>> loss = rw.NetworkLoss(net, [[0.0], [1.0], [3.0]], [0.0, 1.0, 1.0])
        >>> one = loss.layer(0)
        >>> one.shape, abs(one(one.theta) - loss(loss.theta)) < 1e-12
        ((3, 2), True)
        """
        k = integer("k", k, 0, self.network.n_layers - 1)
        if self._squared:
            raise ValueError(
                "kind: expected a piecewise affine loss, found 'squared'; "
                "walks and proofs take l1, pinball and hinge"
            )
        network = self.network if theta is None else self.network_at(theta)
        tau = self.tau if self.kind == "pinball" else None
        return LayerLoss(network, self.X, self.y, k, self.kind, tau, self.sample_weight)

    # ---------------------------------------------------------------- values and derivatives

    def _rows(self, rows: ArrayLike | None) -> Rows:
        if rows is None:
            return self.passes.rows
        chosen = integers("rows", rows, 0, len(self.X) - 1)
        if chosen.ndim != 1 or not chosen.size:
            raise ValueError(f"rows: expected indices (m,), found shape {chosen.shape}")
        return self.passes.some(chosen)

    def __call__(self, theta: ArrayLike, rows: ArrayLike | None = None) -> float:
        """The loss at `theta` (D,), of the samples `rows` (m,) of X only, if these are given.

        inf where floats do not hold it.  ValueError, TypeError if an argument does not fit.
        """
        return self.passes.value(self._point(theta, FLOATS), self._rows(rows))

    def gradient(self, theta: ArrayLike, rows: ArrayLike | None = None) -> Floats:
        """Gradient (D,) of the loss in the region that `theta` lies in.

        Parameters
        ----------
        theta : array_like (D,)
        rows : array_like of int (m,), optional
            Samples to sum over, rows of X, one more than once if it is there; default all.

        Returns
        -------
        ndarray (D,)
            Breakpoints that vanish at `theta` count as positive, as in a :class:`LayerLoss`.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, or floats do not hold the result.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([2, 3, 1], seed=1)
        >>> X, y = [[0.0, 1.0], [1.0, 2.0], [3.0, -1.0]], [1.0, 0.0, 2.0]
        >>> loss = rw.NetworkLoss(net, X, y)
        >>> whole, first = loss.gradient(loss.theta), loss.gradient(loss.theta, [0])
        >>> bool(np.allclose(whole, first + loss.gradient(loss.theta, rows=[1, 2])))
        True
        >>> layer = loss.layer(0)
        >>> bool(np.allclose(whole[:9], layer.gradient(layer.theta).ravel()))
        True
        """
        return _held(self.passes.value_and_gradient(self._point(theta), self._rows(rows))[1])

    def hvp(self, theta: ArrayLike, v: ArrayLike) -> Floats:
        """Product of the Hessian in the region that `theta` lies in with `v`.

        Parameters
        ----------
        theta : array_like (D,)
        v : array_like (D,) or (k, D)
            One direction, or several at once, which share the passes through the network.

        Returns
        -------
        ndarray
            As `v`.  Exact within the region: that the gradient jumps where breakpoints are crossed
            is not in it (:mod:`reluplex_walk.landscape` measures that).

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, or floats do not hold the result.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[2.0]]], [[0.0], [1.0]])
        >>> loss = rw.NetworkLoss(net, [[1.0], [2.0]], [1.0, 6.0])
        >>> loss.hvp(loss.theta, [1.0, 0.0, 3.0, 0.0])
        array([-3.,  0., -1.,  0.])
        """
        if not self._quick(v):
            v = self._shaped(real_array("v", v, (1, 2), f"{self._expected} or (k, D)"), "v")
        return _held(self.passes.products(self._point(theta), np.asarray(v)))

    def hessian(self, theta: ArrayLike) -> Floats:
        """Hessian (D, D) in the region that `theta` (D,) lies in, by products with all axes.

        For piecewise affine losses the square blocks of single layers are 0, exactly.  ValueError,
        TypeError if `theta` does not fit, or floats do not hold the result.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([2, 3, 1], seed=1)
        >>> loss = rw.NetworkLoss(net, [[0.0, 1.0], [1.0, 2.0]], [1.0, 0.0])
        >>> hessian = loss.hessian(loss.theta)
        >>> bool(hessian[:9, :9].any()), bool(hessian[:9, 9:].any())
        (False, True)
        """
        return self.hvp(theta, np.eye(self.dim))

    def pattern(self, theta: ArrayLike) -> Pattern:
        """Signs -1, 0, +1 (int8) of all breakpoints at `theta` (D,) that the block can move.

        Arrays (n, width) of the hidden layers from the lowest of the block upwards, then of the
        residuals (n, n_out), which for a squared loss are no breakpoints and left out.  Computed
        values are taken at their word.  ValueError, TypeError if `theta` does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[-1.0], [0.0]])
        >>> loss = rw.NetworkLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0])
        >>> [signs.ravel().tolist() for signs in loss.pattern(loss.theta)]
        [[-1, 0, 1], [0, -1, 0]]
        """
        network, low = self.network_at(theta), self._block.low
        layers = list(zip(network.weights[low:], network.biases[low:], strict=True))
        inputs, signs = self.passes.rows.x.T, []
        for w, b in layers[:-1]:
            values = inputs @ w.T + b
            signs.append(np.sign(values).astype(np.int8))
            inputs = network.activation(values)
        if not self._squared:
            w, b = layers[-1]
            signs.append(np.sign(inputs @ w.T + b - self.y).astype(np.int8))
        return signs

    @property
    def fingerprint(self) -> str:
        """Hashes of everything that defines the loss, as ``LayerLoss.fingerprint``.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 2, 1])
        >>> a, b = (rw.NetworkLoss(net, [[0.0]], [0.0], block=k).fingerprint for k in (0, 1))
        >>> [part for part, other in zip(a.split(), b.split()) if part != other]
        ['block=0']
        """
        parts = {"block": ",".join(map(str, self.block)), "kind": self.kind, "tau": repr(self.tau)}
        data = {"X": self.X, "y": self.y, "sample_weight": self.sample_weight}
        return as_text({**parts, **digests(self.network, **data)})

    def __repr__(self) -> str:
        kind = f"pinball, tau={self.tau:g}" if self.kind == "pinball" else self.kind
        every = len(self.block) == self.network.n_layers
        layers = "all layers" if every else f"layers {', '.join(map(str, self.block))}"
        return f"NetworkLoss({self.network!r}, n={len(self.X)}, {layers}, {kind})"


def _held(result: Floats) -> Floats:
    if not np.isfinite(result).all():
        raise ValueError("theta: expected parameters at which floats hold the derivatives")
    return result


__all__ = ["NETWORK_KINDS", "NetworkLoss"]
