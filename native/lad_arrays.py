"""The two records of a quantile regression: the fixed `Regression`, `P`, and the moving `Fit`, `S`.

A column of x is a *sample*.  Pivots are made on copies of the few samples near the fit.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats, Ints

ZERO, RATE, SLOPE = range(3)
"""Entries of `tolerances`: |r| that counts as 0; the derivative along a direction of unit length
that counts as 0; the slope of a half-edge of unit length that does, relative to the gradient."""

DEPENDENT = -2
"""Id in ``Fit.basis``, beside FREE, of a direction in which no sample's residual changes."""


class Regression(NamedTuple):
    """Minimise sum_i w_i rho(x_i . theta - y_i)."""

    x: Floats  # (q, n) a row for each feature, sample index contiguous
    y: Floats  # (n,) targets
    w: Floats  # (n,) weights > 0
    reach: Floats  # (n,) lengths of the columns of x
    slopes: Floats  # (2,) below and above: rho(r) = below max(-r, 0) + above max(r, 0)


class Fit(NamedTuple):
    """A vertex, its basis and residuals; copies of the near samples; scratch space."""

    theta: Floats  # (q,)
    basis: Ints  # (q,) active samples, FREE or DEPENDENT
    b: Floats  # (q, q) row k is the edge of basis[k]: one unit of its residual
    g: Floats  # (q,) gradient of the samples last summed; see `sweep` and `descend`
    r: Floats  # (n,) residuals
    side: Floats  # (n,) +1 or -1: the sign each residual is taken to have
    near: Ints  # (n,) the samples near the fit come first, in ascending order
    near_x: Floats  # (q, n) their columns of x
    near_w: Floats  # (n,) their weights
    near_r: Floats  # (n,) their residuals; active ones parked
    near_side: Floats  # (n,) their sides
    place: Ints  # (q,) the basis by places among them
    tolerances: Floats  # (3,) see ZERO...
    random: NDArray[np.uint64]  # (1,) state of the generator
    price: Floats  # (q,) scratch: g . b[k]
    length: Floats  # (q,) scratch: of the rows of b
    d: Floats  # (q,) scratch: direction
    normal: Floats  # (q,) scratch
    times: Floats  # (n,) scratch: step length at which each near residual vanishes
    jumps: Floats  # (n,) scratch: by how much the slope then rises
    rates: Floats  # (n,) scratch: derivative of each near residual along d
    costs: Floats  # (n,) scratch: derivative of each term by its residual
    ids: Ints  # (n,) scratch: places among the near samples
