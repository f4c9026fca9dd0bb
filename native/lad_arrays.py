"""The two records of a quantile regression: the fixed `Regression`, `P`, and the moving `Fit`, `S`.

A column of x is a *sample*.  Pivots are made on copies of the few samples near the fit.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from ._record import Floats1, Floats2, Ints1, Record, Words1

ZERO, RATE, SLOPE = range(3)
"""Entries of `tolerances`: |r| that counts as 0; the derivative along a direction of unit length
that counts as 0; the slope of a half-edge of unit length that does, relative to the gradient."""

DEPENDENT = -2
"""Id in ``Fit.basis``, beside FREE, of a direction in which no sample's residual changes."""


@dataclass(frozen=True, eq=False, init=False)
class Regression(Record):
    """Minimise sum_i w_i rho(x_i . theta - y_i)."""

    x: Floats2  # (q, n) a row for each feature, sample index contiguous
    y: Floats1  # (n,) targets
    w: Floats1  # (n,) weights > 0
    reach: Floats1  # (n,) lengths of the columns of x
    slopes: Floats1  # (2,) below and above: rho(r) = below max(-r, 0) + above max(r, 0)


@dataclass(frozen=True, eq=False, init=False)
class Fit(Record):
    """A vertex, its basis and residuals; copies of the near samples; scratch space."""

    theta: Floats1  # (q,)
    basis: Ints1  # (q,) active samples, FREE or DEPENDENT
    b: Floats2  # (q, q) row k is the edge of basis[k]: one unit of its residual
    side: Floats1  # (n,) +1 or -1: the sign each residual is taken to have
    near_x: Floats2  # (q, n) their columns of x
    of_samples: Annotated[
        NDArray[np.float64],  # (8, n)
        (
            "r",  # residuals
            "near_w",  # their weights
            "near_r",  # their residuals; active ones parked
            "near_side",  # their sides
            "times",  # scratch: step length at which each near residual vanishes
            "jumps",  # scratch: by how much the slope then rises
            "rates",  # scratch: derivative of each near residual along d
            "costs",  # scratch: derivative of each term by its residual
        ),
    ]
    place: Ints1  # (q,) the basis by places among them
    tolerances: Floats1  # (3,) see ZERO...
    random: Words1  # (1,) state of the generator
    of_edges: Annotated[
        NDArray[np.float64],  # (5, q)
        (
            "g",  # gradient of the samples last summed; see `sweep` and `descend`
            "price",  # scratch: g . b[k]
            "length",  # scratch: of the rows of b
            "d",  # scratch: direction
            "normal",  # scratch
        ),
    ]
    some: Annotated[
        NDArray[np.int64],  # (2, n)
        (
            "near",  # the samples near the fit come first, in ascending order
            "ids",  # scratch: places among the near samples
        ),
    ]


P, S = Regression.type, Fit.type
"""What the signatures of entries call them."""
