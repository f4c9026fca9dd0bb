"""Inputs in units the walk can compute in: an exact reparametrisation of the trained layer.

Columns far from unit size or far from 0 (a time stamp) make the edges of the arrangement all but
parallel in floating point.  Such columns are shifted by one of their own values, where every
difference is exact, and scaled by a power of two: no digit of the data is lost, and weights and
biases follow linearly.  Ordinary data are left as they are.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FAR = 2.0**10  # offset over spread from which a column is shifted
_UNIT = (2.0**-16, 2.0**16)  # sizes that are left alone


class Units(NamedTuple):
    """``inner = (x - centre) / scale`` for each of the p = q - 1 input columns."""

    centre: Floats  # (p,)
    scale: Floats  # (p,) powers of two in `of`

    @classmethod
    def of(cls, x: Floats, shift: bool = True) -> "Units":
        """Units for the inputs `x` (n, p); no centres without `shift`, which biases take up."""
        centre, scale = np.zeros(x.shape[1]), np.ones(x.shape[1])
        for k, column in enumerate(x.T):
            middle = np.sort(column)[len(column) // 2]
            spread = np.abs(column - middle).max()
            far = shift and 0.0 < spread * _FAR <= abs(middle)
            if far and _exact_difference(column, middle):
                centre[k] = middle
            size = np.abs(column - centre[k]).max()
            if size > 0.0 and not _UNIT[0] <= size <= _UNIT[1]:
                scale[k] = 2.0 ** np.floor(np.log2(size))
        return cls(centre, scale)

    @classmethod
    def standard(cls, x: Floats, shift: bool = True) -> "Units":
        """Units in which the columns of `x` (n, p) have mean 0 and standard deviation 1.

        Without `shift`, which biases take up, their mean square is 1.  Columns of 0 stay.

        Examples
        --------
        >>> import numpy as np
        >>> from reluplex_walk.problem.scaling import Units
        >>> Units.standard(np.array([[2000.0], [2001.0], [2002.0], [2003.0]]))
        Units(centre=array([2001.5]), scale=array([1.11803399]))
        """
        size = np.abs(x).max(axis=0)
        size[size == 0.0] = 1.0
        unit = x / size  # no square overflows or is lost
        mean = unit.mean(axis=0) * shift
        spread = np.sqrt(((unit - mean) ** 2).mean(axis=0))
        return cls(mean * size, np.where(spread > 0.0, spread, 1.0) * size)

    @property
    def trivial(self) -> bool:
        """Whether inner and outer units are the same."""
        return not self.centre.any() and bool((self.scale == 1.0).all())

    def inner_inputs(self, x: Floats) -> Floats:
        """Inputs (n, p) in inner units."""
        return (x - self.centre) / self.scale

    def inner(self, theta: Floats) -> Floats:
        """Parameters or directions (..., q) for inner inputs."""
        weights = theta[..., :-1]
        bias = theta[..., -1:] + (weights * self.centre).sum(axis=-1, keepdims=True)
        return np.concatenate([weights * self.scale, bias], axis=-1)

    def outer(self, theta: Floats) -> Floats:
        """Parameters or directions (..., q) for the inputs as given."""
        weights = theta[..., :-1] / self.scale
        bias = theta[..., -1:] - (weights * self.centre).sum(axis=-1, keepdims=True)
        return np.concatenate([weights, bias], axis=-1)


def _exact_difference(a: Floats, b: float) -> bool:
    """Whether ``a - b`` is computed without rounding everywhere (Knuth's error term is 0)."""
    difference = a - b
    part = difference - a
    error = (a - (difference - part)) - (b + part)
    return not error.any()
