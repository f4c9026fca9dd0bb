"""Arc-cosine kernels: how like the gradients of two inputs are in wide random ReLU networks."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def kappa0(c: float) -> float:
    """Twice the probability that a ReLU is active at both of two inputs of cosine `c`."""
    return 1.0 - float(np.arccos(np.clip(c, -1.0, 1.0))) / np.pi


def kappa1(c: float) -> float:
    """The cosine of the two signals after a ReLU layer."""
    c = float(np.clip(c, -1.0, 1.0))
    return (float(np.sqrt(1.0 - c * c)) + (np.pi - float(np.arccos(c))) * c) / np.pi


def plain_law(cosine: float, depth: int) -> float:
    """The product of kappa0(c_l), c_{l+1} = kappa1(c_l), over `depth` layers."""
    found, c = 1.0, cosine
    for _ in range(depth):
        found *= kappa0(c)
        c = kappa1(c)
    return found


def residual_law(cosine: float, depth: int) -> float:
    """The same of blocks x + W relu(x) / sqrt(depth): prod (1 + kappa0 / L) / (1 + 1 / L)."""
    found, c, share = 1.0, cosine, 1.0 / depth
    for _ in range(depth):
        found *= (1.0 + share * kappa0(c)) / (1.0 + share)
        c = (c + share * kappa1(c)) / (1.0 + share)
    return found


__all__ = ["kappa0", "kappa1", "plain_law", "residual_law"]
