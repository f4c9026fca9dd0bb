"""The regions of the loss in a window of a line or plane of parameters."""

import numbers
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._numbers import short
from .._validate import real, real_array
from ..exact.rationals import Rationals
from ..problem.loss import LayerLoss
from .signs import ExactSigns, borders
from .subdivision import Chunk, box_root, new_stack, subdivide

Floats = NDArray[np.float64]


def window_of(extent: Any, dim: int) -> Any:
    """`extent` as bounds (low, high) of `dim` coordinates, one after the other."""
    names = ("(s_min, s_max)", "(s_min, s_max, t_min, t_max)")[dim - 1]
    if isinstance(extent, numbers.Real):
        size = real("extent", extent)
        bounds = (-size, size) * dim
    else:
        array = real_array("extent", extent, (0, 1), f"{names}, or a number > 0")
        if array.shape not in ((), (2 * dim,)):
            raise ValueError(f"extent: expected a number > 0 or {names}, found {short(extent)}")
        bounds = tuple(array.tolist()) if array.ndim else (-array.item(), array.item()) * dim
    if any(low >= high for low, high in zip(bounds[::2], bounds[1::2], strict=True)):
        raise ValueError(f"extent: expected {names} with min < max, found {bounds}")
    return bounds


def regions_of(
    loss: LayerLoss, origin: Floats, directions: list[Floats], window: tuple[float, ...]
) -> Iterator[Chunk]:
    """The regions of ``origin + y @ directions`` for y in the window, with their vertices."""
    inner = [loss.units.inner(array) for array in (*directions, origin)]
    x = loss.kernel.xt
    linear = np.stack([array @ x.T for array in inner], axis=-1)  # (h, n, D + 1)
    sizes = np.stack([np.abs(array) @ np.abs(x).T for array in inner], axis=-1)

    exact = Rationals.of(np.stack(inner))

    def trained(i: int) -> Rationals:
        sample = Rationals.of(x[i])
        return Rationals(exact.num @ sample.num, exact.den * sample.den)

    low, high = np.array(window[::2]), np.array(window[1::2])
    stack = new_stack(loss.kernel, linear, sizes, 8 * 1024)
    settle = ExactSigns(loss, trained, borders(low, high))
    return subdivide(loss.kernel, stack, box_root(low, high), settle)


__all__ = ["regions_of", "window_of"]
