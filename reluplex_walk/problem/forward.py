"""What a network puts out, for losses that are computed over and over: quick, in plain NumPy."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BLOCK = 1024  # samples at a time: their values stay in the cache, in memory that is used again


def outputs(inputs: Floats, layers: Sequence[tuple[Floats, Floats]], leak: float) -> Floats:
    """Outputs (n, K) of `layers`, weights and biases, for `inputs` (n, p): a ReLU between two.

    `leak` is its slope below 0.

    Examples
    --------
    >>> import numpy as np
    >>> from reluplex_walk.problem.forward import outputs
    >>> first, last = (np.array([[1.0]]), np.zeros(1)), (np.array([[2.0]]), np.ones(1))
    >>> outputs(np.array([[-1.0], [3.0]]), [first, last], 0.0).ravel()
    array([1., 7.])
    """
    found = np.empty((len(inputs), len(layers[-1][1])))
    for first in range(0, len(inputs), _BLOCK):
        values = inputs[first : first + _BLOCK]
        for k, (w, b) in enumerate(layers):
            if k:
                np.maximum(values, leak * values, out=values)  # the leak is below 1
            values = values @ w.T
            values += b
        found[first : first + _BLOCK] = values
    return found


__all__ = ["outputs"]
