"""Lines through a point that a glass is measured on: their directions, and how far to go."""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._validate import real, real_array
from ..problem.loss import Floats


class GlassWarning(UserWarning):
    """Segments cross fewer than one breakpoint on average: what would be measured is NaN.

    Examples
    --------
    >>> import warnings
    >>> import reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     found = rw.glass.exact(loss, loss.theta, 1e-9)
    >>> caught[0].category is rw.glass.GlassWarning, float(found.rho[0])
    (True, nan)
    """


def rademacher(count: int, dim: int, seed: int) -> Floats:
    """Unit directions (count, dim) of components +-1 / sqrt(dim)."""
    signs = np.random.default_rng(seed).integers(0, 2, (count, dim), dtype=np.int8)
    return (2.0 * signs - 1.0) / np.sqrt(dim)


def check_moves(
    name: str,
    size: float,
    theta: Floats,
    moves: Floats,
    rounded: Callable[[Floats], Floats] = np.copy,
) -> None:
    """ValueError, which names `name`, if rounding swallows `moves` from `theta`, both (D,)."""
    here = rounded(theta)
    there = rounded(theta + moves), rounded(theta - moves)
    if any(((each == here) & (moves != 0.0)).any() for each in there):
        raise ValueError(
            f"{name}: {size:g} is lost in the rounding of parameters of size "
            f"{np.abs(theta).max():.3g}"
        )


def deviation(distance: ArrayLike, level: float, rho: float, slope: float) -> Any:
    """How far the loss is from its linear model after `distance`, at this level; see `bound`."""
    share = real("level", level)
    if not 0.0 < share < 1.0:
        raise ValueError(f"level: expected a number in (0, 1), found {level}")
    far = real_array("distance", distance, (0, 1), "(d,) or a number")
    if (far < 0.0).any():
        raise ValueError(f"distance: expected numbers >= 0, found {far.min():g}")
    wide = NormalDist().inv_cdf((1.0 + share) / 2.0)
    found = math.fabs(slope) * far**2 / 2.0 + wide * np.sqrt(rho * far**3 / 3.0)
    return float(found) if far.ndim == 0 else found


__all__ = ["GlassWarning", "check_moves", "deviation", "rademacher"]
