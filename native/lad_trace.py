"""The moving record `T` of parametric pivots: true targets, lines in the parameter, what was found."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from ._record import Floats1, Floats2, Ints1, Ints2, Record

TAU, BEFORE, UNTIL, ERROR, DIRECTION, DOWN, TERMS, WEIGHT, BLUR, AGE, LOW, HIGH, SHARES, EXACT = (
    range(14)
)
"""Entries of `numbers`: the parameter at which the vertex begins and its error, at which it ends and
its error; +1 or -1: the parameter rises or falls; the unit of the targets; terms in a sum that is rounded; the
sum of weights; relative error of the edges; pivots since they were
sharpened; range of the parameter; 1 if it is tau; 1 if its gradient is not rounded."""


@dataclass(frozen=True, eq=False, init=False)
class Trace(Record):
    """A trace of minima in a parameter."""

    y: Floats1  # (n,) the true targets
    total: Floats1  # (q,) minus the derivative of the gradient: sum_i w_i x_i for tau
    offset: Floats1  # (q,) minus the gradient at 0, beside the samples above: 0 for tau
    largest: Floats1  # (q,) |x|
    up: Floats1  # (q,) what turns theta, divided by the unit of targets, into coefficients
    numbers: Floats1  # (14,) see TAU...
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
