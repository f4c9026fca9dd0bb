"""The two records every kernel works on: the fixed `KernelArrays` and the moving `State`.

Kernels call them `P` and `S`, Python code `kernel` (that of a loss is ``loss.kernel``) and `state`.

Stages are numbered from the trained layer (0) to the output (T); stages 0..T-1 are hidden.  The
neurons of all stages are stacked into R rows, the H = row[T] hidden ones first, the K outputs last.
A *sample* is a distinct input row (n of them), a *residual row* a distinct pair of input and
target (m of them, sorted by sample).  Breakpoint ids:

* hidden neuron in row ``a`` on sample ``i``:   ``a * n + i``
* residual of output ``k`` in residual row ``j``: ``H * n + k * m + j``

Weights with a penalty stand among the samples, after them: each has the input that makes the
pre-activation of a neuron the neuron's weight, which bends the loss at 0 and goes no further.  Where
the trained layer is the output they are samples with residuals like all others.
"""

from dataclasses import dataclass

from ._jit import kernel
from ._record import Floats1, Floats2, Ints1, Record, Words1

FREE = -1
"""Id in ``State.basis`` of a direction of the null space of the active normals."""

PARKED = 1e300
"""|value| given to active breakpoints, so that the ratio test passes over them."""


@dataclass(frozen=True, eq=False, init=False)
class KernelArrays(Record):
    """A loss as the kernels read it: what the walk never changes."""

    x: Floats2  # (q, n) inputs, a last row of ones for biases that move; sample index contiguous
    xt: Floats2  # (n, q) the same, one sample contiguous
    w: Floats1  # tail weights, stage t = 1..T as (widths[t], widths[t-1]) at offset[t], row-major
    offset: Ints1  # (T + 1,)
    bias: Floats1  # (R,) tail biases; in stage 0 those that do not move (else 0: they are in theta)
    widths: Ints1  # (T + 1,) neurons per stage
    row: Ints1  # (T + 2,) first row of each stage; row[T] = H, row[T + 1] = R
    stage: Ints1  # (R,) stage of each row
    first: Ints1  # (n + 1,) residual rows of sample i are first[i]..first[i + 1] - 1
    owner: Ints1  # (m,) sample of each residual row
    y: Floats2  # (K, m)
    left: Floats2  # (K, m) minus the slope of the loss at negative residuals
    right: Floats2  # (K, m) the slope of the loss at positive residuals
    mean_slope: float  # (1 + negative_slope) / 2
    half_jump: float  # (1 - negative_slope) / 2: slope at side s is mean_slope + half_jump * s
    samples: Ints1  # (1,) how many columns of x are samples; the others are weights with a penalty
    penalty: float  # what a unit of those weights costs

    @property
    def hidden(self) -> int:
        """H, the number of hidden rows."""
        return int(self.row[-2])


@dataclass(frozen=True, eq=False, init=False)
class State(Record):
    """One vertex, the region the walk looks at it from, and scratch space."""

    theta: Floats1  # (D,)
    z: Floats2  # (R, n) pre-activations of hidden rows; output rows unused; active ones parked
    r: Floats2  # (K, m) residuals; active ones parked
    side: Floats2  # (R, n) +1 or -1: the side of each hidden breakpoint the region lies on
    side_r: Floats2  # (K, m) the same for residuals
    rho: Floats2  # (K, n) slope of the loss in output k on sample i
    g: Floats1  # (D,) gradient in the region
    basis: Ints1  # (D,) active breakpoint ids, or FREE
    b: Floats2  # (D, D) row c is the edge v_c of basis[c]: one unit away from it into the region
    on_sample: Ints1  # (n,) active breakpoints on each sample
    tied: Ints1  # ids of the further breakpoints that vanish here, parked too
    tied_w: Floats1  # their distances, > 0, in the local perturbed problem
    scalar: Floats1  # see the SCALARS below
    number: Ints1  # see the NUMBERS below
    random: Words1  # (1,) state of the generator
    zero_tol: Floats2  # (T + 1, n) |value| up to which a breakpoint of a stage counts as 0
    zero_tol_r: Floats1  # (m,) the same for residuals
    rate_tol: Floats1  # (T + 1,) |derivative| per unit of reach up to which it counts as constant
    d: Floats1  # (D,) scratch: direction
    dz: Floats2  # (R, n) scratch: derivatives along d
    dr: Floats2  # (K, m)
    tail: Floats1  # (R,) scratch: derivatives of one sample's later rows by one activation
    back: Floats1  # (R,) scratch: derivatives of one quantity by one sample's earlier rows
    price: Floats1  # (D,) scratch: g . v_c
    far: Floats1  # (D,) scratch: slope of the far half-edge
    length: Floats2  # (D, 2) scratch: lengths of the near and the far half-edge
    noise: Floats2  # (D, 2) scratch: slopes of the near and the far half-edge that count as 0
    beta: Floats1  # (D,) scratch
    normal: Floats1  # (D,) scratch
    mirror: Floats1  # (D,) scratch
    head: Ints1  # (n,) a row of the basis on each sample, or -1; see `list_samples`
    chain: Ints1  # (D,) the next row on the same sample, or -1
    listed: Ints1  # (D,) sample in whose list each row is, or -1
    next_time: Floats1  # (n,) scratch: step length at which the sample meets its next breakpoint
    next_id: Ints1  # (n,) scratch: that breakpoint
    heap: Ints1  # (n,) scratch: samples, a heap by
    heap_key: Floats1  # (n,) scratch: when each meets its next breakpoint
    hits: Ints1  # scratch, as long as `tied`
    near: Ints1  # (n,) samples that may meet a breakpoint soon; see `nearby`
    queue: Ints1  # (n,) the other samples, a heap by
    queue_key: Floats1  # (n,) the key of each
    key: Floats1  # (n,) path length up to which the sample certainly meets no breakpoint


P, S = KernelArrays.type, State.type
"""What the signatures of entries call them."""

# State.scalar
LOSS, STEP, SLOPE, SLOPE_TOL, DRIFT, REACH, X_SIZE, START_SIZE, PATH = range(9)
N_SCALARS = 9
# State.number
N_TIED, ENTERING, LEAVING, CROSSED, N_DESCENDING, N_HITS, CHOSEN, LAZY, N_NEAR, N_QUEUE = range(10)
N_NUMBERS = 10


@kernel
def row_of(P, c):
    """Row (0..R-1) of breakpoint `c`."""
    n = P.x.shape[1]
    hidden = P.row[P.widths.size - 1] * n
    if c < hidden:
        return c // n
    return P.row[P.widths.size - 1] + (c - hidden) // P.owner.size


@kernel
def column_of(P, c):
    """Sample of a hidden breakpoint, residual row of a residual."""
    n = P.x.shape[1]
    hidden = P.row[P.widths.size - 1] * n
    if c < hidden:
        return c % n
    return (c - hidden) % P.owner.size


@kernel
def sample_of(P, c):
    """Sample of breakpoint `c`."""
    n = P.x.shape[1]
    hidden = P.row[P.widths.size - 1] * n
    if c < hidden:
        return c % n
    return P.owner[(c - hidden) % P.owner.size]


@kernel
def is_hidden(P, c):
    return c < P.row[P.widths.size - 1] * P.x.shape[1]


@kernel
def side_of(P, S, c):
    if is_hidden(P, c):
        return S.side[row_of(P, c), column_of(P, c)]
    return S.side_r[row_of(P, c) - P.row[P.widths.size - 1], column_of(P, c)]


@kernel
def derivative_of(P, S, c):
    """Derivative along the current direction, as left by the tangent pass."""
    if is_hidden(P, c):
        return S.dz[row_of(P, c), column_of(P, c)]
    return S.dr[row_of(P, c) - P.row[P.widths.size - 1], column_of(P, c)]


@kernel
def set_value(P, S, c, value):
    if is_hidden(P, c):
        S.z[row_of(P, c), column_of(P, c)] = value
    else:
        S.r[row_of(P, c) - P.row[P.widths.size - 1], column_of(P, c)] = value


@kernel
def park(P, S, c):
    set_value(P, S, c, PARKED * side_of(P, S, c))
