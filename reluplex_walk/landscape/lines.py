"""Lines through a point that a glass is measured on: their directions, and how far to go."""

import math
import warnings
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


def warn_of_few(length: float, what: str, depth: int) -> None:
    """A GlassWarning about segments of this length, said of the caller at this depth."""
    warnings.warn(
        f"length: segments of {length:g} cross fewer than one {what} on average; its density is "
        f"NaN",
        GlassWarning,
        stacklevel=depth,
    )


def rademacher(count: int, dim: int, seed: int) -> Floats:
    """Unit directions (count, dim) of components +-1 / sqrt(dim)."""
    return rademacher_signs(count, dim, seed) / np.sqrt(dim)


def rademacher_signs(count: int, dim: int, seed: int) -> NDArray[np.int8]:
    """Their signs; those of a smaller `count` are the first of these."""
    drawn = np.random.default_rng(seed).integers(0, 2, (count, dim), dtype=np.int8)
    return np.asarray(2 * drawn - 1, np.int8)


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


def spread_of(slopes: Floats, noise: float) -> float:
    """Variance of slopes (k,) along different directions, less that of their `noise`."""
    if len(slopes) < 2:
        return 0.0
    spread = float(slopes.var(ddof=1)) - noise
    return 0.0 if spread < 0.0 else spread  # NaN stays


def deviation(distance: ArrayLike, level: float, rho: float, slope: float, spread: float) -> Any:
    """How far the loss is from its linear model after `distance`, at this level; see `bound`.

    For glass of density `rho` and slopes of mean `slope` and variance `spread` along directions.
    """
    share = real("level", level)
    if not 0.0 < share < 1.0:
        raise ValueError(f"level: expected a number in (0, 1), found {level}")
    far = real_array("distance", distance, (0, 1), "(d,) or a number")
    if (far < 0.0).any():
        raise ValueError(f"distance: expected numbers >= 0, found {far.min():g}")
    wide = NormalDist().inv_cdf((1.0 + share) / 2.0)
    drift = math.fabs(slope) * far**2 / 2.0
    found = drift + wide * np.sqrt(rho * far**3 / 3.0 + spread * far**4 / 4.0)
    return float(found) if far.ndim == 0 else found


__all__ = [
    "GlassWarning",
    "check_moves",
    "deviation",
    "rademacher",
    "rademacher_signs",
    "spread_of",
    "warn_of_few",
]
