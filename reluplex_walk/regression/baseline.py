"""What a network has to beat: the best constant and the best linear function, and its output layer
fitted likewise.

Both are convex problems, solved as :func:`lad` solves them but without a proof: nothing is claimed
of them but the loss, which is computed at the coefficients.
"""

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._shown import repr_html
from .._validate import choice, instance
from ..problem.aliased import RankWarning
from ..problem.kinks import KINDS
from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork
from ..problem.start import best_constant
from ..simplex.walk import walk
from .data import Data, Posed, slopes_of
from .solver import minimise

Floats = NDArray[np.float64]

_NOTHING = 1e-250  # columns below it are taken for 0: floats would not hold their coefficients


class Baselines(NamedTuple):
    """Losses that a network should end below.

    Attributes
    ----------
    constant, linear : float
        Loss (the sum over samples and outputs) of the best constant and of the best linear
        function with intercept.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.baselines([[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
    Baselines(constant=9.0, linear=3.5)
    """

    constant: float
    linear: float

    def _repr_html_(self) -> str:
        return repr_html(self)


def baselines(
    X: ArrayLike,
    y: ArrayLike,
    kind: str = "l1",
    tau: float | None = None,
    sample_weight: ArrayLike | None = None,
) -> Baselines:
    """The losses of the best constant and of the best linear function of `X`.

    Parameters
    ----------
    X : array_like (n, p)
    y : array_like (n,) or (n, n_out)
    kind : {"l1", "pinball", "hinge"}, default "l1"
    tau : float, optional
        Quantile of the pinball loss, default 0.5.
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1.
        All as for :class:`LayerLoss`.

    Returns
    -------
    Baselines

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_stackloss()
    >>> constant, linear = rw.baselines(data.X, data.y)
    >>> constant, round(linear, 8)  # the linear one is that of rw.lad
    (145.0, 42.08115942)
    """
    inputs, columns = _arrays(X, y)
    losses = np.zeros(2)
    for targets in columns.T:
        loss = _linear_loss(inputs, targets, kind, tau, sample_weight)
        losses += loss(_best_constant(loss)), loss(_linear_fit(loss))
    return Baselines(*losses.tolist())


def with_fitted_output(
    network: ReLUNetwork,
    X: ArrayLike,
    y: ArrayLike,
    kind: str = "l1",
    tau: float | None = None,
    sample_weight: ArrayLike | None = None,
) -> ReLUNetwork:
    """The network with the best output layer for its hidden layers, which stay as they are.

    Its loss is at most that of the best constant, and that of `network`.  Hidden neurons should
    bend among the data, as in ``network.with_layer(0, loss.random_start(seed))`` for a `loss` of
    `network`: where that start lies below the best linear function, so does the result.

    Parameters
    ----------
    network : ReLUNetwork
    X : array_like (n, n_in)
    y : array_like (n,) or (n, n_out)
    kind : {"l1", "pinball", "hinge"}, default "l1"
    tau : float, optional
        Quantile of the pinball loss, default 0.5.
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1.
        All as for :class:`LayerLoss`.

    Returns
    -------
    ReLUNetwork

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[1.0], [-1.0]], [[0.3, 0.4]]], [[0.0, 0.0], [9.0]])
    >>> net = rw.with_fitted_output(net, [[-2.0], [-1.0], [1.0], [2.0]], [3.0, 2.0, 2.0, 3.0])
    >>> net.weights[-1].round(9), net.biases[-1].round(9)  # |x| + 1
    (array([[1., 1.]]), array([1.]))
    """
    instance("network", network, ReLUNetwork)
    last = network.n_layers - 1
    given = LayerLoss(network, X, y, last, kind, tau, sample_weight)  # and all is checked
    features = network.features(given.X, last)
    theta = given.theta
    for k, targets in enumerate(given.y.T):
        loss = _linear_loss(features, targets, kind, tau, sample_weight)
        points = (theta[k : k + 1], _best_constant(loss), _linear_fit(loss))
        theta[k] = min(points, key=loss)[0]
    return network.with_layer(last, theta)


def _arrays(X: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Inputs and targets (n, n_out), checked as those of a network of these widths are."""
    widths = np.shape(X)[-1:], np.shape(y)[1:2] or (1,)
    network = ReLUNetwork([np.zeros((*widths[1], *widths[0]))], [np.zeros(*widths[1])])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankWarning)
        loss = LayerLoss(network, X, y)
    return loss.X, loss.y


def _linear_loss(
    inputs: Floats, targets: Floats, kind: str, tau: float | None, weight: ArrayLike | None
) -> LayerLoss:
    """The loss of linear functions of the inputs."""
    network = ReLUNetwork([np.zeros((1, inputs.shape[1]))], [np.zeros(1)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankWarning)
        return LayerLoss(network, inputs, targets, 0, choice("kind", kind, KINDS), tau, weight)


def _best_constant(loss: LayerLoss) -> Floats:
    """Parameters (1, p + 1) of the best constant: a weighted quantile of the targets."""
    theta = np.zeros(loss.shape)
    theta[0, -1] = best_constant(loss.targets[:, 0], loss.left[:, 0], loss.right[:, 0])
    return theta


def _linear_fit(loss: LayerLoss) -> Floats:
    """Parameters (1, p + 1) of the best linear function; never worse than the best constant."""
    constant = _best_constant(loss)
    if loss.kind == "hinge":
        return walk(loss, constant, step="long", proof="off").theta
    X = np.where(np.abs(loss.X).max(axis=0) < _NOTHING, 0.0, loss.X)
    posed = Posed.of(Data(X, loss.y[:, 0], loss.sample_weight).kept(), True)
    samples, units, _ = posed
    found = minimise(samples, slopes_of(None if loss.kind == "l1" else loss.tau)[:2])
    theta = np.zeros(loss.dim)
    theta[units.fitted] = found.basis.theta * [float(f) for f in units.factors(samples)]
    fitted = np.roll(theta, -1).reshape(loss.shape)
    return min((constant, fitted), key=loss)


__all__ = ["Baselines", "baselines", "with_fitted_output"]
