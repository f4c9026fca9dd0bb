"""The moving record `T` of parametric pivots: true targets, multipliers as lines, minima found."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from ._record import Floats1, Floats2, Ints1, Ints2, Record

(
    FROM,  # parameter at which the vertex begins
    BEFORE,  # bound on its error
    UNTIL,  # parameter at which the vertex ends
    ERROR,  # bound on its error
    DIRECTION,  # +1 or -1: the parameter rises or falls
    LOW,  # its range
    HIGH,
    IS_TAU,  # 1 if it is the quantile: all minima lie within its range
    DOWN,  # unit of the targets
    TERMS,  # of a sum that is rounded, 0 if none is
    WEIGHT,  # sum of weights
    BLUR,  # relative error of the edges
    AGE,  # pivots since they were sharpened
    NUMBERS,  # how many
) = range(14)
"""Entries of `numbers`."""


@dataclass(frozen=True, eq=False, init=False)
class Trace(Record):
    """A trace of minima in a parameter."""

    y: Floats1  # (n,) the true targets
    total: Floats1  # (q,) minus the derivative of the gradient: sum_i w_i x_i for tau
    offset: Floats1  # (q,) minus the gradient at 0, beside the samples above: 0 for tau
    largest: Floats1  # (q,) |x|
    up: Floats1  # (q,) what turns theta, divided by the unit of targets, into coefficients
    numbers: Floats1  # (13,) see FROM...
    of_edges: Annotated[
        NDArray[np.float64],  # (6, q)
        (
            "theta",  # vertex of the true targets
            "rate",  # of the lines in the parameter
            "rate_error",
            "price_error",
            "spare",  # scratch
            "found",  # scratch
        ),
    ]
    off: Floats2  # (q, q) scratch
    edges: Floats2  # (q, q) scratch
    ends: Floats1  # (room,) where each vertex ends
    rows: Ints2  # (room, q) their bases
    coefficients: Floats2  # (room, q)
    sure: Ints1  # (room,) 1 where these are proved to be the nearest floats


T = Trace.type
"""What the signatures of entries call it."""
