"""Checks at the border: each names the argument, what was found and what was expected."""

import math
import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LARGEST = 1e100
"""Largest size of a number in the data: products of a few of them must not overflow."""


def real_array(name: str, value: ArrayLike, ndim: int | Iterable[int], shape: str = "") -> Floats:
    """`value` as a finite float64 array of one of the dimensions `ndim`, C-contiguous, a copy.

    `shape` describes the expected shape for messages.
    """
    dims = (ndim,) if isinstance(ndim, int) else tuple(ndim)
    expected = shape or " or ".join(f"{d}-D" for d in dims)
    try:
        raw = np.asarray(value)
    except ValueError as error:  # ragged nested sequences
        raise ValueError(f"{name}: expected an array {expected}, found {error}") from None
    if np.iscomplexobj(raw) or raw.dtype.kind in "USMm":
        raise TypeError(f"{name}: expected real numbers, found dtype {raw.dtype}")
    try:
        array = np.array(raw, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected real numbers, found dtype {raw.dtype}") from None
    if array.ndim not in dims:
        raise ValueError(f"{name}: expected an array {expected}, found shape {array.shape}")
    if array.size and not np.isfinite(array).all():
        where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name}: expected finite numbers, found {array[where]} at index {where}")
    if array.size and max(array.max(), -array.min()) > LARGEST:  # without a copy
        found = array.flat[np.abs(array).argmax()]
        raise ValueError(f"{name}: expected numbers up to {LARGEST:g} in size, found {found:g}")
    return array


def weights(name: str, value: ArrayLike, n: int) -> Floats:
    """`value` as `n` weights >= 0, not all of them 0."""
    weight = real_array(name, value, 1, f"of shape ({n},)")
    if weight.shape != (n,):
        raise ValueError(f"{name}: expected an array of shape ({n},), found shape {weight.shape}")
    if (weight < 0).any() or not (weight > 0).any():
        raise ValueError(
            f"{name}: expected numbers >= 0, one at least > 0, "
            f"found a minimum of {weight.min():g} and a maximum of {weight.max():g}"
        )
    least = weight.min()
    if least == 0.0:
        least = weight[weight > 0].min()
    if least < 1.0 / LARGEST:
        raise ValueError(
            f"{name}: expected 0 or numbers from {1.0 / LARGEST:g} on, found {least:g}"
        )
    return weight


def integer(name: str, value: Any, low: int | None = None, high: int | None = None) -> int:
    """`value` as an int in ``low..high``."""
    bounds = _bounds("an integer", low, high)
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected {bounds}, found {value!r}")
    number = int(value)
    if (low is not None and number < low) or (high is not None and number > high):
        raise ValueError(f"{name}: expected {bounds}, found {number}")
    return number


def _bounds(kind: str, low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{kind} in {low}..{high}"
    if low is not None:
        return f"{kind} >= {low}"
    return kind if high is None else f"{kind} <= {high}"


def real(name: str, value: Any) -> float:
    """`value` as a finite float."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected a number, found {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{name}: expected a finite number, found {value}")
    return float(value)


def positive(name: str, value: Any) -> float:
    """`value` as a finite float > 0."""
    number = real(name, value)
    if number <= 0.0:
        raise ValueError(f"{name}: expected a number > 0, found {value}")
    return number


def instance(name: str, value: Any, kind: type) -> None:
    """Check that `value` is a `kind`, a class whose name begins with a consonant."""
    if not isinstance(value, kind):
        raise TypeError(f"{name}: expected a {kind.__name__}, found {type(value).__name__}")


def flag(name: str, value: Any) -> bool:
    """`value` as a bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected True or False, found {value!r}")
    return bool(value)


def function(name: str, value: Any) -> None:
    """Check that `value`, if given, can be called."""
    if value is not None and not callable(value):
        raise TypeError(f"{name}: expected a callable, found {type(value).__name__}")


def choice(name: str, value: Any, options: Iterable[str]) -> str:
    """`value` if it is one of `options`."""
    options = tuple(options)
    if value not in options:
        raise ValueError(f"{name}: expected one of {', '.join(options)}, found {value!r}")
    return str(value)
