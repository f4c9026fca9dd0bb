"""The variogram of gradients on lines: the variance of their differences against distance.

The gradients on a line are those of a glass where it grows linearly: the jumps are then as good as
independent.  What is left of the mean slope of each line is taken out first.
"""

from typing import NamedTuple

import numpy as np

from .._shown import repr_html
from ..problem.loss import Floats

_FACTOR = 4.0 / 3.0  # by which a glass may miss its line, so that estimates are of use
_ROUNDING = 30.0  # a gradient is a sum, whose rounding is larger than that of a number
_SMOOTH = 0.1  # of a bend that remains when a parabola is taken out; of one jump it is 0.4 or more


class Variogram(NamedTuple):
    """Variance of the difference of gradients, by the distance between them.

    Attributes
    ----------
    distance : ndarray (m,)
        Ascending.
    value : ndarray (m,)
        Mean square of the difference, summed over all coordinates, less what the mean slope of its
        line explains.
    linear : ndarray (m,)
        What it would be in a glass: rho_total times the distance.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
    >>> found = rw.glass.exact(loss, loss.theta, 0.3).variogram()
    >>> float(found.distance[-1]), found.value.shape, found.linear.shape
    (0.15, (6,), (6,))
    >>> found.ratio.shape, found.holds
    ((6,), True)
    """

    distance: Floats
    value: Floats
    linear: Floats

    def _repr_html_(self) -> str:
        return repr_html(self)

    @property
    def ratio(self) -> Floats:
        """`value` over `linear`, (m,): 1 all along in a glass."""
        return self.value / self.linear

    @property
    def holds(self) -> bool:
        """Whether `ratio` stays between 3/4 and 4/3: whether estimates at these distances hold.

        False where there is nothing to be seen.
        """
        ratio = self.ratio
        return bool(((ratio > 1.0 / _FACTOR) & (ratio < _FACTOR)).all())


def of_path(path: Floats, lags: list[int]) -> Floats:
    """Mean square differences (len(lags),) of `path` (m, D), gradients at equal distances.

    For each lag, the mean step is taken out, and what that takes from the variance put back: a
    share lag / (m - 1) of it.
    """
    steps = len(path) - 1
    path = path - np.linspace(0.0, 1.0, steps + 1)[:, None] * (path[-1] - path[0]) - path[0]
    found = [
        float(((path[lag:] - path[:-lag]) ** 2).sum(axis=1).mean()) / (1.0 - lag / steps)
        for lag in lags
    ]
    return np.array(found)


def jumps_seen(path: Floats, eps: float) -> bool:
    """Whether `path` (m, D), gradients of precision `eps` at equal distances, shows any jump.

    It shows none where its bend is rounding, or that of a parabola; with three gradients every
    bend is one, and what is no rounding counts as a jump.
    """
    t = np.linspace(-1.0, 1.0, len(path))
    basis = np.linalg.qr(np.vander(t, 3, increasing=True))[0]
    rest = path - basis[:, :2] @ (basis[:, :2].T @ path)
    bend, rounding = np.linalg.norm(rest), _ROUNDING * eps * np.linalg.norm(path)
    if bend <= rounding or len(path) == 3:
        return bool(bend > rounding)
    further = np.linalg.norm(rest - basis[:, 2:] @ (basis[:, 2:].T @ path))
    return bool(further > max(_SMOOTH * bend, rounding))


def bends_little(path: Floats) -> bool:
    """Whether gradients on a line are nearly affine, as smooth ones are where they are close."""
    change, line = path - path.mean(axis=0), np.linspace(-1.0, 1.0, len(path))
    slope = line @ change / (line @ line)
    rest = np.linalg.norm(change - line[:, None] * slope)
    return bool(rest <= _SMOOTH * np.linalg.norm(change))


__all__ = ["Variogram", "bends_little", "jumps_seen", "of_path"]
