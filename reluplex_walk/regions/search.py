"""An empty search for the regions of a loss: room for the kernels, and exact signs."""

import numpy as np

from ..exact.rationals import Rationals
from ..native import region_arrays as native
from ..native.region_arrays import Stack
from ..problem.loss import LayerLoss
from .essential import Coordinates
from .signs import ExactSigns
from .subdivision import CHUNK, new_stack


def new_search(loss: LayerLoss, space: Coordinates, chunk: int = CHUNK) -> tuple[Stack, ExactSigns]:
    """An empty stack for the kernel in these coordinates, and exact signs to go with it.

    A `chunk` of regions is found at a time.
    """
    h, r = loss.shape[0], space.features.shape[1]
    linear = np.zeros((h, len(space.features), h * r + 1))
    for j in range(h):
        linear[j, :, j * r : (j + 1) * r] = space.features

    def trained(i: int) -> Rationals:
        num = np.zeros((h * r + 1, h), object)
        for j in range(h):
            num[j * r : (j + 1) * r, j] = space.exact.num[i]
        return Rationals(num, space.exact.den)

    stack = new_stack(loss.kernel, linear, np.abs(linear), 0, chunk)
    stack.number[native.N_FAR] = space.window is not None and not loss.units.trivial
    return stack, ExactSigns(loss, trained, space.borders)


__all__ = ["new_search"]
