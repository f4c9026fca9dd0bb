"""The Hessian of a linear chain of weights, in closed form."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validate import real, real_array

Floats = NDArray[np.float64]


def hessian(weights: ArrayLike, y: float) -> Floats:
    """The Hessian of ``0.5 (w_1 ... w_L - y)^2`` in the weights, of one chain or of many.

    Parameters
    ----------
    weights : array_like (L,) or (n, L)
        Those of one chain, or of n.
    y : float
        The target.

    Returns
    -------
    ndarray (L, L) or (n, L, L)
        With p the product, p_i and p_ij those without w_i, and without both: p_i^2 on the diagonal,
        ``p_i p_j + (p - y) p_ij`` elsewhere.  Nothing is divided by a weight, so that one may be 0.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.chains.hessian([2.0, 3.0], y=1.0)  # of (w v - 1)^2 / 2
    array([[ 9., 11.],
           [11.,  4.]])
    >>> rw.chains.hessian([[0.0, 0.0, 5.0]], y=1.0)[0]  # a saddle
    array([[ 0., -5.,  0.],
           [-5.,  0.,  0.],
           [ 0.,  0.,  0.]])
    """
    w = real_array("weights", weights, (1, 2), "of shape (L,) or (n, L)")
    if not w.size:
        raise ValueError(
            f"weights: expected an array of shape (L,) or (n, L) with numbers in it, "
            f"found shape {w.shape}"
        )
    target = real("y", y)
    below, above = _products(w)
    without = below * above
    error = without[..., 0] * w[..., 0] - target
    found = without[..., :, None] * without[..., None, :]
    for i in range(w.shape[-1] - 1):  # p_ij = (w_1 .. w_i-1) (w_i+1 .. w_j-1) (w_j+1 .. w_L)
        between = np.cumprod(w[..., i + 1 : -1], axis=-1)
        between = np.concatenate([np.ones_like(w[..., :1]), between], axis=-1)
        pair = error[..., None] * below[..., i, None] * between * above[..., i + 1 :]
        found[..., i, i + 1 :] += pair
        found[..., i + 1 :, i] += pair
    return np.asarray(found)


def gradient(w: Floats, y: float | Floats) -> Floats:
    """The gradient (..., L) of the same loss; `y` a number or one for each chain."""
    below, above = _products(w)
    without = below * above
    return np.asarray((without[..., 0] * w[..., 0] - y)[..., None] * without)


def _products(w: Floats) -> tuple[Floats, Floats]:
    """The products of all weights before each, and of all after each, (..., L)."""
    one = np.ones_like(w[..., :1])
    below = np.concatenate([one, np.cumprod(w[..., :-1], axis=-1)], axis=-1)
    above = np.concatenate([np.cumprod(w[..., :0:-1], axis=-1)[..., ::-1], one], axis=-1)
    return below, above


__all__ = ["gradient", "hessian"]
