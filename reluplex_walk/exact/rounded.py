"""`Rounded`: breakpoint functions in floats, with bounds on how far they are from the exact ones.

A filter: what lies beyond its bound needs no rational arithmetic to have its sign told, which at a
vertex are all samples but those tied there.  Bounds a priori, for any order of summation (Higham,
Accuracy and Stability of Numerical Algorithms, section 3.1): a sum of k products is off by at
most (k + few) u times the sum of their absolute values.  Floats of decimals and of rational
parameters are nearest ones, off by u relative.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..problem.loss import LayerLoss
from .rationals import Rationals

Floats = NDArray[np.float64]
Sides = list[NDArray[np.int8]]

_UNIT = 2.0**-53
_FEW = 8  # roundings of a term beside those of its sum: of its factors, bias, and of the bound
_TINY = 1e-200  # more than underflow can lose, in sums of products with numbers up to 1e100


class Bounded(NamedTuple):
    """Floats, and how far from the exact numbers they may be; NaN where they overflow."""

    near: Floats
    error: Floats

    @property
    def certain(self) -> NDArray[np.bool_]:
        """Where the sign is that of the exact number."""
        return (np.abs(self.near) > self.error) | (self.error == 0.0)


class Rounded:
    """The breakpoint functions of a `LayerLoss`."""

    def __init__(self, loss: LayerLoss) -> None:
        self.loss = loss
        self.x = np.column_stack([loss.inputs, np.ones(len(loss.inputs))])
        self.slope = loss.network.negative_slope

    def values(self, theta: Floats) -> list[Bounded]:
        """Values at a point: `theta` (D,) are the floats nearest to its coordinates."""
        with np.errstate(all="ignore"):
            values = [self._trained(theta)]
            for w, b in self.loss.tail:
                z = values[-1]
                values.append(_layer(self._passed(z, z.near > 0.0, z.near < -z.error), w, b))
            z, y = values[-1], self.loss.targets
            near = z.near[self.loss.owner]
            error = z.error[self.loss.owner] + 4.0 * _UNIT * (np.abs(near) + np.abs(y))
            values[-1] = Bounded(near - y, error)
        return values

    def weights(self, theta: Floats) -> Bounded:
        """Weights (q - 1, h) in the floats `theta` (D,) nearest to a point, or to a direction."""
        near = theta.reshape(self.loss.shape)[:, :-1].T
        return Bounded(near, 2.0 * _UNIT * np.abs(near) + _TINY * (near != 0.0))

    def rates(self, d: Floats, sides: Sides) -> list[Bounded]:
        """Derivatives along a direction, likewise, in the region `sides`."""
        with np.errstate(all="ignore"):
            rates = [self._trained(d)]
            for (w, b), side in zip(self.loss.tail, sides, strict=False):
                rates.append(_layer(self._passed(rates[-1], side > 0, side <= 0), w, 0.0 * b))
            z = rates[-1]
            rates[-1] = Bounded(z.near[self.loss.owner], z.error[self.loss.owner])
        return rates

    def _passed(
        self, z: Bounded, positive: NDArray[np.bool_], negative: NDArray[np.bool_]
    ) -> Bounded:
        """What activations let through; `negative` where it is certain that they are."""
        near = np.where(positive, z.near, self.slope * z.near)
        if self.slope == 0.0:
            return Bounded(near, np.where(negative, 0.0, z.error))
        error = np.where(negative, self.slope * z.error + _TINY * (z.error > 0.0), z.error)
        return Bounded(near, error + _UNIT * np.abs(near))

    def _trained(self, theta: Floats) -> Bounded:
        rows = theta.reshape(self.loss.shape)
        return _layer(Bounded(self.x, np.zeros_like(self.x)), rows, np.zeros(len(rows)))


def _layer(rows: Bounded, w: Floats, b: Floats) -> Bounded:
    """``rows @ w.T + b``; exact where nothing but zeros is added up."""
    size = np.abs(rows.near) @ np.abs(w).T + np.abs(b)
    error = rows.error @ np.abs(w).T + (w.shape[1] + _FEW) * _UNIT * size
    some = ((rows.near != 0.0) | (rows.error != 0.0)).astype(float) @ (w != 0.0).astype(float).T
    return Bounded(rows.near @ w.T + b, error * (1.0 + 1e-9) + _TINY * (some > 0.0))


def nearest(point: Rationals) -> Floats | None:
    """The nearest floats; None if they over- or underflow."""
    try:
        floats = point.floats()
    except OverflowError:
        return None
    return None if ((floats == 0.0) & (point.num != 0)).any() else floats


def steps(z: Bounded, dz: Bounded, side: NDArray[np.int8]) -> tuple[Floats, Floats]:
    """Lower and upper bounds on the steps to where values vanish; inf where they do not."""
    with np.errstate(all="ignore"):
        nearer = -dz.near * side  # the rate at which a breakpoint comes nearer
        least = np.maximum(np.abs(z.near) - z.error, 0.0) / (nearer + dz.error)
        most = (np.abs(z.near) + z.error) / (nearer - dz.error)
        low = np.where(nearer <= -dz.error, np.inf, least * (1.0 - 1e-12))
        high = np.where(nearer > dz.error, most * (1.0 + 1e-12), np.inf)
    return np.where(np.isnan(low), 0.0, low), np.where(np.isnan(high), np.inf, high)


__all__ = ["Bounded", "Rounded", "nearest", "steps"]
