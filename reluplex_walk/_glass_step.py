"""The step that counts Hessian and glass, and the estimates from gradients that it rests on.

Glass is curvature made of jumps of the gradient, rho their density: after a way x the loss
deviates from its linear model by c sqrt(rho) x^1.5 on average, besides h x^2 / 2 (Duersch and
others, arXiv 2411.16914).  Only operators that arrays of NumPy and tensors of PyTorch share are
used, elementwise, so that each formula stands here once for both.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = Any  # of NumPy or of PyTorch; one kind in one call

DEVIATION = math.sqrt(2.0 / (3.0 * math.pi))
"""c = 0.4606589: the mean absolute deviation over its scale sqrt(rho) x^1.5, of many jumps."""

_ALPHA = 3.0 / (4.0 * math.pi)  # 9/8 c^2: of alpha = 0.2387 rho / |g|


def length(size: Array, rho: Array, h: Array, eps: float) -> Array:
    """The minimum over x >= 0 of ``-size x + h x^2/2 + c sqrt(rho) x^1.5``; `eps` as Alice has it.

    size, rho, h >= 0.  Without `eps` a size of 0 gives NaN; :func:`step_length` does not.
    """
    alpha = _ALPHA * rho / (size + eps)
    # Two roots: the product of what is under them would leave the range of floats first.
    return size / (alpha + h + alpha**0.5 * (alpha + 2.0 * h) ** 0.5 + eps)


def step_length(
    g: NDArray[np.floating], rho: NDArray[np.floating], h: NDArray[np.floating]
) -> NDArray[np.floating]:
    """The length of the step, elementwise: 0 where g is 0, infinite where there is no curvature.

    Negative h counts as 0.
    """
    size = np.abs(g)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = length(size, rho, np.maximum(h, 0.0), 0.0)
    return np.where(size > 0.0, found, 0.0)


def bend(plus: Array, minus: Array, centre: Array) -> Array:
    """What the gradient in the middle of a line lies off the mean of those at its ends.

    A gradient that is affine on the line has none: it is half the jumps, signed by their side.
    """
    return 0.5 * (plus + minus) - centre


def glass(bent: Array, half: float) -> Array:
    """The density rho, without bias, from the bend of a line of half-length `half`."""
    return 2.0 * bent * bent / half


def slope(plus: Array, minus: Array, half: float) -> Array:
    """The size of h: a central difference on a line that goes `half` in each coordinate."""
    return abs(plus - minus) / (2.0 * half)


def running(mean: Array, value: Array, beta: float) -> Array:
    """A running mean after one more value."""
    return value + beta * (mean - value)


__all__ = ["DEVIATION", "bend", "glass", "length", "running", "slope", "step_length"]
