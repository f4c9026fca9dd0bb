"""The minimum of the loss over a box as a mixed-integer program, solved by HiGHS.

Variables: theta, the activations ``o = max(z, alpha z)`` whose pre-activation ``z`` changes sign
within the box, a binary ``b`` for those of them that need one, and the cost ``t`` of each residual:

    min  sum t     t >= right r,  t >= -left r,
                   o >= z,  o >= alpha z,
                   o <= z - (1 - alpha) l (1 - b),  o <= alpha z + (1 - alpha) u b.

``l <= z <= u`` are bounds over the box by interval arithmetic, for each breakpoint its own (exact
for the two lowest stages, because different neurons of the trained layer share no parameter).  An
activation that the loss never falls with needs no binary: the program itself pushes it down to
``max(z, alpha z)``.  With a penalty the size of each weight is a variable, too,
``m >= theta, m >= -theta``.  Formulation: Tjeng, Xiao and Tedrake, ICLR 2019, section 4.1, with
leaky slopes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from .._limits import Limits
from ..ended import Ended
from ..problem.loss import LayerLoss
from ..tolerances import OPTIMIZE
from .apart import integer_program

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_WORDS = {Ended.TIME_LIMIT: "was ended at time_limit", Ended.PRECISION: "failed"}


class Solution(NamedTuple):
    """What HiGHS found and proved."""

    theta: Floats | None  # (h, q)
    bound: float  # no theta of the box has a lower loss, up to `tolerance`
    tolerance: float
    ended: Ended  # FINISHED: the gap was closed
    message: str


class _Stage(NamedTuple):
    """One hidden stage over the box; arrays (n, width)."""

    low: Floats
    high: Floats
    open: Bools  # the sign of the pre-activation is not fixed
    binary: Bools
    influence: Floats  # bound on the derivative of the loss by the activation


class _Affine(NamedTuple):
    """Affine functions of the variables, one per row."""

    matrix: sparse.csr_matrix
    constant: Floats


def solve(loss: LayerLoss, lower: Floats, upper: Floats, known: float, limits: Limits) -> Solution:
    """Minimise `loss` over ``lower <= theta <= upper`` (h, q), where a loss of `known` is known."""
    stages = _stages(loss, lower, upper)
    costs = np.maximum(loss.left, loss.right)
    unit = max(float(costs.max()), loss.penalty)
    n_open = [int(stage.open.sum()) for stage in stages]
    n_binary = [int(stage.binary.sum()) for stage in stages]
    at_open = loss.dim + np.concatenate([[0], np.cumsum(n_open)]).astype(int)
    at_binary = at_open[-1] + np.concatenate([[0], np.cumsum(n_binary)]).astype(int)
    at_weights = int(at_binary[-1]) + costs.size
    weights = _weights(loss)
    n_variables = at_weights + weights.size
    low, high = np.zeros(n_variables), np.full(n_variables, np.inf)
    low[: loss.dim], high[: loss.dim] = lower.ravel(), upper.ravel()
    high[at_binary[0] : at_binary[-1]] = 1.0

    leak = loss.network.negative_slope
    constraints: list[optimize.LinearConstraint] = []

    def at_least(matrix: sparse.csr_matrix, bound: Floats) -> None:
        if matrix.shape[0]:
            constraints.append(optimize.LinearConstraint(matrix, bound, np.inf))

    z = _trained_layer(loss, n_variables)
    for t, (stage, (w, b)) in enumerate(zip(stages, loss.tail, strict=True)):
        is_open, binary = stage.open.ravel(), stage.binary.ravel()
        o = _unit_rows(at_open[t], n_open[t], n_variables)
        low[at_open[t] : at_open[t + 1]] = leak * stage.low[stage.open]
        high[at_open[t] : at_open[t + 1]] = stage.high[stage.open]
        at_least(o - z.matrix[is_open], z.constant[is_open])
        at_least(o - leak * z.matrix[is_open], leak * z.constant[is_open])
        switch = _unit_rows(at_binary[t], n_binary[t], n_variables)
        output, inputs = o[binary[is_open]], z.matrix[binary]
        fall = sparse.diags((1.0 - leak) * -stage.low[stage.binary])
        rise = sparse.diags((1.0 - leak) * stage.high[stage.binary])
        constant = z.constant[binary]
        at_least(inputs - output - fall @ switch, -constant - fall.diagonal())
        at_least(leak * inputs - output + rise @ switch, -leak * constant)
        z = _layer(_activation(z, stage, o, leak), w, b, len(loss.inputs))

    rows = (loss.owner[:, None] * costs.shape[1] + np.arange(costs.shape[1])).ravel()
    cost = _unit_rows(int(at_binary[-1]), costs.size, n_variables)
    constant = z.constant[rows] - loss.targets.ravel()
    for slope in (loss.right.ravel() / unit, -loss.left.ravel() / unit):
        at_least(cost - sparse.diags(slope) @ z.matrix[rows], slope * constant)
    objective = np.zeros(n_variables)
    objective[at_binary[-1] : at_weights] = 1.0
    objective[at_weights:] = loss.penalty / unit
    sizes = _sizes(weights, at_weights, n_variables)
    at_least(sizes, np.zeros(2 * weights.size))
    allowed = (1.0 + OPTIMIZE.room) * known / unit + OPTIMIZE.room
    at_least(sparse.csr_matrix(-objective), np.array([-allowed]))
    integrality = np.zeros(n_variables)
    integrality[at_binary[0] : at_binary[-1]] = 1.0

    program = {
        "c": objective,
        "integrality": integrality,
        "bounds": optimize.Bounds(low, high),
        "constraints": constraints,
        "options": {"mip_rel_gap": 0.0},
    }
    result = integer_program(limits, program)
    if result is None:
        ended = limits.over or Ended.PRECISION
        words = "interrupted" if ended is Ended.INTERRUPTED else f"HiGHS {_WORDS[ended]}"
        return Solution(None, 0.0, 0.0, ended, words)
    return _solution(result, loss, unit, _tolerance(stages, costs, loss.penalty * weights.size))


def _weights(loss: LayerLoss) -> Ints:
    """Flat indices of the parameters with a penalty."""
    return np.arange(loss.dim).reshape(loss.shape)[:, : -1 if loss.penalty else 0].ravel()


def _sizes(weights: Ints, first: int, n_variables: int) -> sparse.csr_matrix:
    """Rows that are >= 0 where each of the variables from `first` on is the size of its weight."""
    size = _unit_rows(first, weights.size, n_variables)
    signed = _unit_rows(0, n_variables, n_variables)[weights]
    return sparse.csr_matrix(sparse.vstack([size - signed, size + signed]))


def _solution(
    result: optimize.OptimizeResult, loss: LayerLoss, unit: float, tolerance: float
) -> Solution:
    """What HiGHS says, whose losses are multiples of `unit`."""
    finished, limit = result.status == 0, result.status == 1
    bound = result.mip_dual_bound if finished or limit else None
    if bound is None or not np.isfinite(bound):  # a linear program, or nothing proved
        bound = result.fun if finished else 0.0
    return Solution(
        theta=None if result.x is None else result.x[: loss.dim].reshape(loss.shape),
        bound=max(0.0, unit * float(bound)),
        tolerance=tolerance,
        ended=Ended.FINISHED if finished else Ended.TIME_LIMIT if limit else Ended.PRECISION,
        message=result.message,
    )


def _stages(loss: LayerLoss, lower: Floats, upper: Floats) -> list[_Stage]:
    """The hidden stages over the box, by interval arithmetic."""
    x = np.column_stack([loss.inputs, np.ones(len(loss.inputs))])
    low, high = _interval_product(x, x, lower, upper)
    intervals = []
    for w, b in loss.tail:
        intervals.append((low, high))
        activation = loss.network.activation
        low, high = _interval_product(activation(low), activation(high), w, w)
        low, high = low + b, high + b

    # Derivatives of the loss: by the outputs, then backwards by the activations of each stage.
    reach = np.stack([low[loss.owner] - loss.targets, high[loss.owner] - loss.targets])
    falls = np.zeros((len(loss.inputs), loss.targets.shape[1]))
    rises = falls.copy()
    np.add.at(falls, loss.owner, np.where(reach[0] < 0.0, -loss.left, loss.right))
    np.add.at(rises, loss.owner, np.where(reach[1] > 0.0, loss.right, -loss.left))
    stages: list[_Stage] = []
    leak = loss.network.negative_slope
    for (low_z, high_z), (w, _) in zip(reversed(intervals), reversed(loss.tail), strict=True):
        falls, rises = _interval_product(falls, rises, w.T, w.T)
        is_open = (low_z < 0.0) & (high_z > 0.0)
        influence = np.maximum(np.abs(falls), np.abs(rises))
        stages.append(_Stage(low_z, high_z, is_open, is_open & (falls < 0.0), influence))
        least, most = np.where(low_z < 0.0, leak, 1.0), np.where(high_z > 0.0, 1.0, leak)
        falls = np.minimum(least * falls, most * falls)
        rises = np.maximum(least * rises, most * rises)
    return stages[::-1]


def _interval_product(
    low: Floats, high: Floats, lower: Floats, upper: Floats
) -> tuple[Floats, Floats]:
    """Bounds of ``a @ w.T`` for a in [low, high] (n, m), w in [lower, upper] (k, m).

    One of the two is a point.
    """
    products = np.stack(
        [a[:, None, :] * w[None] for a in (low, high) for w in (lower, upper)]
    )  # (4, n, k, m)
    return products.min(axis=0).sum(axis=-1), products.max(axis=0).sum(axis=-1)


def _trained_layer(loss: LayerLoss, n_variables: int) -> _Affine:
    """Pre-activations of the trained layer, sample by sample, as functions of theta."""
    x = np.column_stack([loss.inputs, np.ones(len(loss.inputs))])
    matrix = sparse.vstack([sparse.kron(sparse.eye(loss.shape[0]), row) for row in x])
    matrix.resize(matrix.shape[0], n_variables)
    return _Affine(sparse.csr_matrix(matrix), np.zeros(matrix.shape[0]))


def _activation(z: _Affine, stage: _Stage, o: sparse.csr_matrix, leak: float) -> _Affine:
    """The activations: variables `o` where the sign is open, else a multiple of z."""
    is_open = stage.open.ravel()
    slope = np.where(is_open, 0.0, np.where(stage.low.ravel() >= 0.0, 1.0, leak))
    at = np.flatnonzero(is_open)
    place = sparse.csr_matrix((np.ones(at.size), (at, np.arange(at.size))), (slope.size, at.size))
    return _Affine(sparse.diags(slope) @ z.matrix + place @ o, slope * z.constant)


def _layer(inputs: _Affine, w: Floats, b: Floats, n: int) -> _Affine:
    """``W inputs + b`` on each of the n samples."""
    weights = sparse.kron(sparse.eye(n), w, format="csr")
    return _Affine(weights @ inputs.matrix, weights @ inputs.constant + np.tile(b, n))


def _unit_rows(first: int, count: int, n_variables: int) -> sparse.csr_matrix:
    """Rows that pick the `count` variables from `first` on."""
    columns = first + np.arange(count)
    return sparse.csr_matrix((np.ones(count), (np.arange(count), columns)), (count, n_variables))


def _tolerance(stages: list[_Stage], costs: Floats, penalties: float) -> float:
    """By how much HiGHS's tolerances may raise its bound above the true minimum.

    A binary off by the tolerance moves its activation by that share of [l, u], and every other
    row is off by the tolerance at most; the loss follows with the influence of each.
    """
    total = float(costs.max() * (1 + 2 * costs.size)) + 2.0 * penalties
    for stage in stages:
        moved = np.where(stage.binary, np.maximum(-stage.low, stage.high), 0.0)
        total += float((stage.influence * (stage.open + moved)).sum())
    return OPTIMIZE.feasibility * total
