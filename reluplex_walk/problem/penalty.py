"""The penalty of a layer loss: a number times the sum of its absolute weights, not of biases."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._validate import LARGEST, real

Floats = NDArray[np.float64]


def checked(value: Any) -> float:
    """`value` as a penalty; those below 1e-100 count as 0."""
    penalty = real("penalty", value)
    if not 0.0 <= penalty <= LARGEST:
        raise ValueError(f"penalty: expected a number from 0 to {LARGEST:g}, found {penalty:g}")
    return penalty if penalty >= 1.0 / LARGEST else 0.0


def size(theta: Floats) -> float:
    """The sum of the absolute weights in `theta` (h, q)."""
    return float(np.abs(theta[:, :-1]).sum())


def gradient(positive: NDArray[np.bool_]) -> Floats:
    """Gradient (h, q) of that sum where the weights (q - 1, h) are `positive`, or not."""
    slopes = np.where(positive.T, 1.0, -1.0)
    return np.column_stack([slopes, np.zeros(len(slopes))])


def rows(outer: Floats) -> Floats:
    """Rows (p, r) that make free parameters (r,) of a neuron its weights.

    `outer` (r, q): the parameters of a neuron of which one free parameter is 1, the others 0.
    """
    return np.ascontiguousarray(outer[:, :-1].T)


def zero_bounds(inputs: Floats, bound: float) -> Floats:
    """Sizes (q - 1, 1) up to which the weights of each input move pre-activations by `bound`.

    An input that is 0 everywhere counts as large as the largest, or as 1.
    """
    largest = np.abs(inputs).max(axis=0)
    scale = np.where(largest > 0.0, largest, max(1.0, float(largest.max(initial=0.0))))
    return np.asarray((bound / scale)[:, None])


__all__ = ["checked", "gradient", "rows", "size", "zero_bounds"]
