"""Boxes of parameters: how every function that takes one reads its `box` argument."""

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._numbers import short
from .._validate import real
from .loss import LayerLoss

Floats = NDArray[np.float64]


def box_bounds(loss: LayerLoss, box: Any) -> tuple[Floats, Floats]:
    """Lower and upper bounds (h, q) of `box`.

    A number b > 0 means [-b, b] for every parameter, a pair (lower, upper) of numbers or arrays
    (h, q) or (D,) the bounds themselves.
    """
    if isinstance(box, numbers.Real) and not isinstance(box, bool):
        size = real("box", box)
        if size <= 0.0:
            raise ValueError(f"box: expected a number > 0 or a pair (lower, upper), found {size}")
        return np.full(loss.shape, -size), np.full(loss.shape, size)
    if not isinstance(box, tuple | list) or len(box) != 2:
        raise ValueError(f"box: expected a number > 0 or a pair (lower, upper), found {short(box)}")
    lower, upper = (
        np.full(loss.shape, real(name, bound))
        if isinstance(bound, numbers.Real) or getattr(bound, "ndim", 1) == 0
        else loss.parameters(bound, name)
        for name, bound in zip(("box[0]", "box[1]"), box, strict=True)
    )
    if (lower > upper).any():
        j, k = (int(i) for i in np.argwhere(lower > upper)[0])
        raise ValueError(
            f"box: expected lower <= upper, found {lower[j, k]:g} > {upper[j, k]:g} "
            f"for parameter ({j}, {k})"
        )
    return lower, upper
