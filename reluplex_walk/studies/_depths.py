"""Lists of depths and widths, checked."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._validate import integer, sequence


def depths_of(depths: Any, name: str = "depths", low: int = 1) -> NDArray[np.int64]:
    """`depths` as integers >= `low` in ascending order, one at least."""
    found = [integer(f"{name}[{k}]", each, low) for k, each in enumerate(sequence(name, depths))]
    if not found or any(a >= b for a, b in pairwise(found)):
        raise ValueError(f"{name}: expected integers in ascending order, found {found}")
    return np.array(found, np.int64)


__all__ = ["depths_of"]
