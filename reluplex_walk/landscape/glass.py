"""Glass: the curvature of a piecewise affine loss, made of jumps of its gradient.

Along a line the gradient is constant but for a jump J at each breakpoint crossed.  Where the jumps
are as good as independent, gradients do a random walk, and the loss is rough at every scale: a
*glass*, of density ``rho``, the sum of the squares of the jumps per unit length.  Along a unit
direction v these are (J.v)^2, in coordinate i they are J_i^2.  The densities of coordinates can be
estimated from ordinary gradients; here they are also known exactly, from the normals of all
breakpoints crossed, and so is which jumps are of residuals and which of hidden neurons.

All directions are unit vectors and all lengths Euclidean.  The optimizer Alice of the same paper
counts lengths per coordinate: its sigma is ``sigma / sqrt(D)`` here, and its rho, per unit of that
length, is ``sqrt(D) rho``.

The claims these figures test: arXiv 2411.16914.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._glass_step import step_length
from .._validate import real_array
from .estimated_glass import EstimatedGlass
from .estimating import estimate
from .exact_glass import ExactGlass, MeanOverRms
from .exactly import exact
from .jumps import Jumps, jumps
from .lines import GlassWarning
from .variogram import Variogram


def step(g: ArrayLike, rho: ArrayLike, h: ArrayLike) -> Any:
    """How far to go against a gradient where there is glass: the sizes of the steps, elementwise.

    The x >= 0 that minimises ``-|g| x + h x^2 / 2 + c sqrt(rho) x^1.5``, the loss after x as far as
    the gradient and its mean slope tell, plus the mean size of what the glass adds, with
    ``c = sqrt(2 / (3 pi))``::

        x = |g| / (alpha + h + sqrt(alpha (alpha + 2 h))),    alpha = 3 rho / (4 pi |g|)

    Parameters
    ----------
    g, rho, h : array_like
        Gradient, density of the glass (>= 0) and curvature; they broadcast.  A negative h counts
        as 0.

    Returns
    -------
    float or ndarray
        0 where g is, else inf where both rho and h are 0.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    References
    ----------
    arXiv 2411.16914.

    Examples
    --------
    Newton's step without glass, and with it a shorter one:

    >>> import reluplex_walk as rw
    >>> rw.glass.step(-3.0, 0.0, 2.0), rw.glass.step(-3.0, 10.0, 2.0) < 1.5
    (1.5, True)
    """
    size = np.abs(real_array("g", g, range(9)))
    glass, slope = real_array("rho", rho, range(9)), real_array("h", h, range(9))
    if (glass < 0.0).any():
        raise ValueError(f"rho: expected numbers >= 0, found {glass.min():g}")
    try:
        size, glass, slope = np.broadcast_arrays(size, glass, slope)
    except ValueError:
        raise ValueError(
            f"g, rho, h: expected arrays of one shape, found {size.shape}, {glass.shape} and "
            f"{slope.shape}"
        ) from None
    found = step_length(size, glass, slope)
    return float(found) if found.ndim == 0 else found


__all__ = [
    "EstimatedGlass",
    "ExactGlass",
    "GlassWarning",
    "Jumps",
    "MeanOverRms",
    "Variogram",
    "estimate",
    "exact",
    "jumps",
    "step",
]
