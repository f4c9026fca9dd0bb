"""Lines through a point that a glass is measured on: their directions, and how far to go."""

import math
import warnings
from collections.abc import Callable, Iterator
from itertools import islice
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validate import real_array, share
from ..problem.loss import Floats

Bools = NDArray[np.bool_]


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


def warn_of_few(
    length: float, what: str, counts: NDArray[np.int64], given: bool, depth: int
) -> None:
    """A GlassWarning about segments of this length, said of the caller at this depth.

    They cross so many (k,) of `what`: too few on average or, if directions are `given`, some none.
    """
    few = counts.sum() < len(counts)
    found = f"segments of {length:g} cross fewer than one {what} on average; its density is NaN"
    if given:
        found = (
            f"of {len(counts)} segments of {length:g} {np.count_nonzero(counts == 0)} cross no "
            f"{what}; its density along them is NaN"
            + (", and so is the mean: less than one is crossed on average" if few else "")
        )
    warnings.warn(
        f"length: {found}",
        GlassWarning,
        stacklevel=depth,
    )


def rademacher(count: int, free: Bools, seed: int) -> Floats:
    """Unit directions (count, D) of components +-1 / sqrt(d), 0 but for the d that are `free`."""
    signs = np.array(list(islice(rademacher_signs(free, seed), count)), np.float64)
    return signs / np.sqrt(np.count_nonzero(free))


def rademacher_signs(free: Bools, seed: int) -> Iterator[NDArray[np.int8]]:
    """Their signs (D,), one line after the other, without end."""
    rng = np.random.default_rng(seed)
    while True:  # 4 numbers are made of one draw, and those of one call alone
        drawn = rng.integers(0, 2, (4, len(free)), dtype=np.int8)
        yield from (2 * drawn - 1) * free


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
    part = share("level", level)
    far = real_array("distance", distance, (0, 1), "(d,) or a number")
    if (far < 0.0).any():
        raise ValueError(f"distance: expected numbers >= 0, found {far.min():g}")
    wide = NormalDist().inv_cdf((1.0 + part) / 2.0)
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
