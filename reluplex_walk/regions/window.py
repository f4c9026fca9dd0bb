"""The regions of the loss in a window of a line or plane of parameters."""

import numbers
from collections.abc import Iterator
from contextlib import closing
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from .._numbers import short
from .._validate import real, real_array
from ..exact.rationals import Rationals
from ..native.region_arrays import Stack
from ..problem.loss import LayerLoss
from .signs import ExactSigns, borders
from .subdivision import Chunk, box_root, new_stack, take
from .threads import explore

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
    loss: LayerLoss,
    origin: Floats,
    directions: list[Floats],
    window: tuple[float, ...],
    limits: Limits,
) -> Iterator[Chunk]:
    """The regions of ``origin + y @ directions`` for y in the window, with their vertices.

    Those found until `limits` are over.
    """
    inner = [loss.units.inner(array) for array in (*directions, origin)]
    x = loss.kernel.xt
    linear = np.stack([array @ x.T for array in inner], axis=-1)  # (h, n, D + 1)
    sizes = np.stack([np.abs(array) @ np.abs(x).T for array in inner], axis=-1)

    exact = Rationals.of(np.stack(inner))

    def trained(i: int) -> Rationals:
        sample = Rationals.of(x[i])
        return Rationals(exact.num @ sample.num, exact.den * sample.den)

    low, high = np.array(window[::2]), np.array(window[1::2])

    def search() -> tuple[Stack, ExactSigns]:
        stack = new_stack(loss.kernel, linear, sizes, 8 * 1024)
        return stack, ExactSigns(loss, trained, borders(low, high))

    roots = [box_root(low, high)]
    with closing(explore(loss.kernel, search, roots, 1, Event(), limits)) as arriving:
        for _, chunk in arriving:
            if chunk is not None:
                yield chunk


def nothing(loss: LayerLoss, dim: int) -> Chunk:
    """No region of a window of `dim` coordinates: arrays of the right shapes."""
    linear = np.zeros((loss.shape[0], len(loss.inputs), dim + 1))
    return take(new_stack(loss.kernel, linear, linear, 1))


__all__ = ["nothing", "regions_of", "window_of"]
