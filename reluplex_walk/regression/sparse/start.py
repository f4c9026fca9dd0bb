"""A start for the solver of dense features that are mostly zeros, such as dummies and counts.

There an interior point method on sparse columns comes near the minimum in a fraction of the time of
pivots; nothing of it is trusted.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..._limits import Limits
from ..design import Samples
from .columns import Parts
from .interior import near_minimum

Floats = NDArray[np.float64]

_LEAST, _MOST = 2000, 200_000  # samples: fewer are solved at once, more on subsamples first
_WIDE = 12  # parameters from which on a start of this kind saves time
_ENOUGH = 1e-7  # of the duality gap at the start: few pivots are left
_SOME = 64  # samples that tell how many entries are 0
_SHARE = 0.3  # of the entries may differ from 0


def sparse_start(samples: Samples, slopes: Floats, limits: Limits) -> Floats | None:
    """Theta (q,) near the minimum; None for samples of another kind, told at little cost."""
    q, n = samples.x.shape
    if samples.extra or samples.tilt or q < _WIDE or not max(_LEAST, 4 * q) <= n <= _MOST:
        return None
    some = samples.x[:, :: 1 + n // _SOME]
    if np.count_nonzero(some) > _SHARE * some.size:
        return None
    size, share = (2.0 ** -np.frexp(np.abs(v).max())[1] for v in (samples.y, samples.w))
    x = _columns(samples.x)
    if not np.diff(x.indptr).all():
        return None
    parts = Parts.of(x).with_loss(samples.y * size, samples.w * share, slopes)
    theta = near_minimum(parts, limits, _ENOUGH) / size
    return theta if np.isfinite(theta).all() else None


def _columns(x: Floats) -> sparse.csc_array:
    """The rows of x (q, n) as sparse columns."""
    q, n = x.shape
    filled = x != 0.0
    first = np.concatenate([[0], np.cumsum(np.count_nonzero(filled, axis=1))])
    places = np.flatnonzero(filled)
    members = places - np.repeat(n * np.arange(q), np.diff(first))
    return sparse.csc_array((x.ravel()[places], members, first), shape=(n, q))


__all__ = ["sparse_start"]
