"""The exact law of a signal's size in a random ReLU network of one input and no biases.

Given its input, the pre-activations of a layer of normal weights are independent and normal, so
which units are active is independent of the sizes, of the layer and of the input: k of d, binomial.
Then |x_{l+1}|^2 / |x_l|^2 is a chi-square of k degrees of freedom over its scale, and the logarithm
of the size is a sum of independent terms.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaincinv, polygamma
from scipy.stats import binom

from .._memory import require_memory
from .._shown import repr_html
from .._validate import choice, integer, positive

Floats = NDArray[np.float64]

_LARGEST = -np.log(np.finfo(np.float64).tiny)  # of the logarithms of normal numbers

LAWS = ("he", "xavier", "orthogonal", "uniform")


@dataclass(frozen=True)
class ChainLaw:
    """The law of ``log |x_L|^2``, ``|x_0| = 1``, in a random network; what :func:`law` returns.

    Attributes
    ----------
    width, depth : int
        Units of a layer, and the layer L of which this is the law.
    init : str
    mean_log, var_log : float
        Of ``log |x_L|^2``, given that the network is alive: not all of x_L is 0.
    p_dead : float
        The probability that all of x_L is 0.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> found = rw.chains.law(8, 10)
    >>> round(found.mean_log, 4), round(found.var_log, 3), round(found.p_dead, 4)
    (-3.9878, 12.47, 0.0384)
    >>> round(found.mean_layer, 5), round(found.gradient_slope, 4)
    (-0.39878, -0.1994)
    """

    width: int
    depth: int
    init: str
    mean_log: float
    var_log: float
    p_dead: float

    _repr_html_ = repr_html

    @property
    def mean_layer(self) -> float:
        """mu(d), the mean of what a layer adds to ``log |x|^2``."""
        return self.mean_log / self.depth

    @property
    def gradient_slope(self) -> float:
        """mu(d) / 2, what a layer adds to the mean of the logarithm of the first layer's gradient.

        The slope in the long run: the gradient at depth L is a product of as many layers, but of
        weights that the forward pass has looked at.
        """
        return self.mean_layer / 2.0


def law(width: int, depth: int, init: str = "he") -> ChainLaw:
    """The exact law of the size of a signal after `depth` random ReLU layers of `width` units.

    Parameters
    ----------
    width : int
        d, units of each layer and of the input.
    depth : int
        L, layers.
    init : {"he", "xavier", "orthogonal", "uniform"}, default "he"
        Weights normal of variance 2 / d (he) or 1 / d (xavier), sqrt(2) times a random orthogonal
        matrix, or uniform on (-1, 1), which is known for width 1 only.  Biases are 0.

    Returns
    -------
    ChainLaw

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or the law is not known.

    Notes
    -----
    With k active units of d, binomial with probability 1/2 given k >= 1, a layer of normal weights
    of variance s / d adds ``psi(k/2) + ln(2 s / d)`` to the mean of ``log |x|^2`` given k and
    ``psi'(k/2)`` to its variance: mu(d) is about -5 / (2 d) for he.  An orthogonal matrix makes a
    beta variable of the chi-square: ``psi(k/2) - psi(d/2) + ln 2``, ``psi'(k/2) - psi'(d/2)``.
    ``p_dead = 1 - (1 - 2^-d)^L``.

    References
    ----------
    That gradients vanish: Orvieto et al., Vanishing curvature in randomly initialized deep ReLU
    networks, arXiv 2106.03763.  The exact law is ours.

    Examples
    --------
    A network must be as wide as it is deep: along L = 0.8 d gradients shrink by the same factor.

    >>> import reluplex_walk as rw
    >>> [round(rw.chains.law(d, int(0.8 * d)).mean_log / 2, 2) for d in (10, 40, 160, 640)]
    [-1.23, -1.04, -1.01, -1.0]
    """
    width, depth = integer("width", width, 1), integer("depth", depth, 1)
    choice("init", init, LAWS)
    if init == "uniform" and width > 1:
        raise ValueError(
            f"width: expected 1 with the init uniform, whose law is known for no other, "
            f"found {width}"
        )
    require_memory("width: the law", 64.0 * width, "give a smaller width")
    mean, variance = _layer(width, init)
    dead = -np.expm1(depth * np.log1p(-(2.0**-width)))
    return ChainLaw(width, depth, init, depth * mean, depth * variance, float(dead))


def _layer(width: int, init: str) -> tuple[float, float]:
    """Mean and variance of what one layer adds to log |x|^2."""
    if init == "uniform":  # 2 log u
        return -2.0, 4.0
    k = np.arange(1, width + 1)
    weight = binom.pmf(k, width, 0.5)
    weight /= weight.sum()
    mean, variance = digamma(k / 2.0), polygamma(1, k / 2.0)
    if init == "orthogonal":
        mean = mean - digamma(width / 2.0) + np.log(2.0)
        variance = variance - polygamma(1, width / 2.0)
    else:
        mean = mean + np.log((4.0 if init == "he" else 2.0) / width)
    middle = float(weight @ mean)
    return middle, float(weight @ variance + weight @ (mean - middle) ** 2)


def median_product(depth: int, tau: float = 1.0) -> float:
    """The median of ``|w_1 ... w_L|``, weights independent and uniform on (-tau, tau), exactly.

    ``tau^L exp(-m)``, m the median of a gamma variable of shape L; about
    ``tau^L exp(1/3 - L)``.

    Parameters
    ----------
    depth : int
        L.
    tau : float, default 1.0

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or the product is no normal number: at tau 1 beyond depth 708.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> [round(rw.chains.median_product(depth), 4) for depth in (1, 2, 8)]
    [0.5, 0.1867, 0.0005]
    """
    depth, tau = integer("depth", depth, 1), positive("tau", tau)
    log = float(depth * np.log(tau) - gammaincinv(depth, 0.5))
    if abs(log) > _LARGEST:
        raise ValueError(
            f"depth: expected a product that double precision holds, found one of logarithm "
            f"{log:.6g} at depth {depth} and tau {tau:g}"
        )
    return float(np.exp(log))


__all__ = ["LAWS", "ChainLaw", "law", "median_product"]
