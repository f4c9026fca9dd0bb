"""The records of a quantile regression on sparse columns: `Columns`, `Interior`, and `Vertex`.

Columns that no sample shares, such as the dummies of one factor, are *apart*: a sample has an entry
in one of them at most.  All others are the *rest*, kept row by row.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from ._record import Floats1, Floats2, Ints1, Record

BLOCK = 512
"""Samples that are gone through at once."""


@dataclass(frozen=True, eq=False, init=False)
class Columns(Record):
    """Minimise sum_i w_i rho(x_i . theta - y_i), rho of slopes -below and above."""

    group: Ints1  # (n,) which of the columns apart a sample has, or -1
    apart: Floats1  # (n,) its entry there
    first: Ints1  # (G + 1,) where the members of each column apart begin
    members: Ints1  # (entries,) samples
    begin: Ints1  # (n + 1,) where the entries of a sample in the rest begin
    column: Ints1  # (entries,) of the rest
    entry: Floats1  # (entries,)
    dense: Floats2  # (D, n) the columns of the rest that have no zeros: its first ones
    y: Floats1  # (n,)
    w: Floats1  # (n,) weights > 0
    slopes: Floats1  # (2,) below and above


@dataclass(frozen=True, eq=False, init=False)
class Interior(Record):
    """A point in the interior of the dual problem, and a step from there."""

    of_samples: Annotated[
        NDArray[np.float64],  # (9, n)
        (
            "low",  # the multiplier above its least value, below w
            "high",  # and below its largest one
            "z",  # the part of the residual that is paired with `low`
            "v",  # and with `high`: z - v is minus the residual
            "q",  # weights of the normal equations
            "r",  # z - v, less terms of second order
            "dx",  # step of `low`, and minus that of `high`
            "dz",
            "dv",
        ),
    ]
    terms: Floats1  # (BLOCK,) scratch
    diagonal: Floats1  # (G,) normal equations: of the columns apart
    cross: Floats2  # (G, R) of both
    rest: Floats2  # (R, R) of the rest
    g_apart: Floats1  # (G,) their right side
    g_rest: Floats1  # (R,)
    d_apart: Floats1  # (G,) their solution
    d_rest: Floats1  # (R,)


@dataclass(frozen=True, eq=False, init=False)
class Vertex(Record):
    """A vertex: each column apart has its own active sample, and there is one for each of the rest.

    Residuals are those of slightly moved targets where ties would block a pivot.
    """

    own: Ints1  # (G,) active samples of the columns apart
    other: Ints1  # (R,) the other active samples
    active: Ints1  # (n,) 1 for those, else 0
    crowded: Ints1  # (G,) how many of the others each column apart has
    side: Floats1  # (n,) +1 or -1: the sign each residual is taken to have
    r: Floats1  # (n,) residuals
    t_apart: Floats1  # (G,) theta
    t_rest: Floats1  # (R,)
    g_apart: Floats1  # (G,) gradient of all samples that are not active
    g_rest: Floats1  # (R,)
    d_apart: Floats1  # (G,) direction
    d_rest: Floats1  # (R,)
    rates: Floats1  # (n,) scratch: derivatives of the residuals along the direction
    times: Floats1  # (n,) scratch
    jumps: Floats1  # (n,) scratch, by sample
    ids: Ints1  # (n,) scratch


C, I, V = Columns.type, Interior.type, Vertex.type  # noqa: E741
"""What the signatures of entries call them."""
