"""Optimality at degenerate vertices: the sign of min F'(theta; d), by structure before brute force.

Breakpoints that vanish fall into *blocks* and *single* ones.  A block is a set of breakpoints of
one neuron whose gradients ``u (x) x_i`` share u, and of which more vanish than their inputs have
rank: a zero block (u a unit vector), a later neuron that is constant 0 on a group of samples,
collinear data.  It has the coordinates ``v = u^T d`` (in the span of its inputs); a single one has
its own value as coordinate.  If the coordinates are independent, the map from d to them is a
piecewise linear homeomorphism (deeper values depend on shallower ones of the same sample, not the
other way round) and the derivative splits,

    F'(theta; d) = sum_singles f_m(w_m) + sum_blocks f_b(v_b),

so that F' >= 0 if and only if each part is: two half-edges for a single, and for a block the rays
of an arrangement of central hyperplanes in few dimensions (``cells``), or, where they are too
many, a mixed-integer program (``milp``).
"""

import time
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from .escape import noise
from .native.arrays import PARKED, Problem, State
from .native.rays import least_on_rays
from .native.refresh import gradient_rows, normals
from .native.walk import kinks

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_RAY_SECONDS = 4e-9  # of one hyperplane on one ray, to judge whether enumeration fits the budget
_INDEPENDENT = 1e-9  # singular values below this share of the largest count as 0


class Verdict(NamedTuple):
    """What `examine` found out.

    ``direction`` (D,) descends, if there is one; else ``method`` is the proof that none does
    (``cells`` or ``milp``), or ``none``.
    """

    method: str
    direction: Floats | None


class _Block(NamedTuple):
    ids: Ints  # (s,) breakpoints
    u: Floats  # (h,)
    span: Floats  # (q, d) orthonormal basis of the inputs' span
    rows: Floats  # (s, d) inputs in that basis, on the side of the region


def vanishing(problem: Problem, state: State) -> Ints:
    """Ids of all breakpoints that are active or tied, from a fresh state."""
    hidden = int(problem.row[problem.widths.size - 1])
    zero = (np.abs(state.z[:hidden]) >= PARKED / 2).ravel()
    zero_r = (np.abs(state.r) >= PARKED / 2).ravel()
    return np.flatnonzero(np.concatenate([zero, zero_r]))


def examine(problem: Problem, state: State, budget: float, brute_force: bool) -> Verdict:
    """Whether the loss descends from the (degenerate) vertex of `state`, freshly computed.

    `budget` bounds the seconds spent; integer programs are tried only with `brute_force`.  Only the
    sides of vanishing breakpoints in `state` are changed.
    """
    deadline = time.perf_counter() + budget
    ids = vanishing(problem, state)
    blocks, singles = _split(problem, state, ids)

    def coordinates() -> Floats:
        rows = np.zeros((singles.size, state.theta.size))
        normals(problem, state, singles, rows)
        return np.vstack([rows, *(np.kron(b.u, b.span.T) for b in blocks)]).astype(float)

    matrix = coordinates()
    if not _independent(matrix):
        return Verdict("none", None)
    edges = np.linalg.pinv(matrix)
    prices = state.g @ edges
    flat: Floats = state.g - prices @ matrix
    if flat @ flat > noise(state, flat):  # a direction that keeps all of them at 0
        return Verdict("none", -flat)

    single_prices = prices[: singles.size]
    jumps = np.zeros(singles.size)
    kinks(problem, state, singles, singles, single_prices, jumps)
    flats = noise(state, edges.T)  # slopes that count as 0
    flat_singles = flats[: singles.size]

    def towards(flipped: Ints, target: Floats) -> Floats:
        """Direction that moves the coordinates by `target`, beyond the breakpoints `flipped`."""
        _flip(problem, state, flipped)
        return np.asarray(np.linalg.lstsq(coordinates(), target, rcond=None)[0], float)

    unit = np.eye(len(matrix))
    for m in np.flatnonzero(single_prices < -flat_singles):
        return Verdict("none", np.array(edges[:, m], float))
    for m in np.flatnonzero(-single_prices - jumps < -flat_singles):
        d = towards(singles[m : m + 1], unit[m])  # its normal is turned: +1 is away from it
        if float(-single_prices[m] - jumps[m]) < -noise(state, d):
            return Verdict("none", d)
        _flip(problem, state, singles[m : m + 1])

    methods, at = {"cells"}, singles.size
    for block in blocks:
        part = slice(at, at + block.span.shape[1])
        at = part.stop
        jumps = np.zeros(block.ids.size)
        kinks(problem, state, block.ids, singles, single_prices, jumps)
        bound = float(np.linalg.norm(flats[part]))  # of any unit combination
        method, y, value = _least(prices[part], block.rows, jumps, bound, deadline, brute_force)
        if value < -bound:
            target = np.zeros(len(matrix))
            target[part] = y
            return Verdict("none", towards(block.ids[block.rows @ y < 0], target))
        if method == "none":
            return Verdict("none", None)
        methods.add(method)
    return Verdict("milp" if "milp" in methods else "cells", None)


def _independent(matrix: Floats) -> bool:
    """Whether the rows of `matrix` are linearly independent (each scaled to length 1)."""
    lengths = np.linalg.norm(matrix, axis=1)
    if len(matrix) > matrix.shape[1] or (lengths == 0.0).any():
        return False
    sizes = np.linalg.svd(matrix / lengths[:, None], compute_uv=False)
    return bool(sizes.min(initial=1.0) > _INDEPENDENT)


def _split(problem: Problem, state: State, ids: Ints) -> tuple[list[_Block], Ints]:
    """Blocks and single breakpoints among the vanishing `ids`."""
    n, m = problem.x.shape[1], problem.owner.size
    hidden = int(problem.row[problem.widths.size - 1])
    is_hidden = ids < hidden * n
    row = np.where(is_hidden, ids // n, hidden + (ids - hidden * n) // m)
    sample = np.where(is_hidden, ids % n, problem.owner[(ids - hidden * n) % m])
    stage = problem.stage[row]
    shallowest = np.full(n, problem.widths.size)
    np.minimum.at(shallowest, sample, stage)
    u = np.zeros((ids.size, int(problem.widths[0])))
    gradient_rows(problem, state, ids, u)
    groups: dict[tuple[int, bytes], list[int]] = {}
    singles = []
    for k in range(ids.size):
        if stage[k] == shallowest[sample[k]]:
            groups.setdefault((int(row[k]), u[k].tobytes()), []).append(k)
        else:
            singles.append(k)
    blocks = []
    for members in groups.values():
        if not u[members[0]].any():
            continue  # a zero gradient is no breakpoint here
        inputs = problem.xt[sample[members]]
        _, sizes, right = np.linalg.svd(inputs, full_matrices=False)
        rank = int((sizes > _INDEPENDENT * sizes[0]).sum())
        if rank == len(members):
            singles.extend(members)
            continue
        span = right[:rank].T
        side = np.concatenate([state.side[:hidden].ravel(), state.side_r.ravel()])[ids[members]]
        blocks.append(_Block(ids[members], u[members[0]], span, side[:, None] * (inputs @ span)))
    return blocks, ids[np.sort(np.array(singles, np.int64))]


def _flip(problem: Problem, state: State, ids: Ints) -> None:
    """Turn the sides of the vanishing breakpoints `ids`."""
    hidden = int(problem.row[problem.widths.size - 1]) * problem.x.shape[1]
    side, side_r = state.side.reshape(-1), state.side_r.reshape(-1)
    side[ids[ids < hidden]] *= -1.0
    side_r[ids[ids >= hidden] - hidden] *= -1.0


def _least(
    linear: Floats,
    rows: Floats,
    kinks: Floats,
    bound: float,
    deadline: float,
    brute_force: bool,
) -> tuple[str, Floats, float]:
    """Sign of f(y) = linear . y + sum_i kinks_i min(0, rows_i . y): (method, y, f(y)).

    f(y) < -bound for a unit y returned with it; else the method proves f >= -bound, or is "none".
    """
    d = linear.size
    lengths = np.linalg.norm(rows, axis=1)
    kinks, rows = kinks * lengths, rows / lengths[:, None]
    size = np.abs(kinks).sum() + np.linalg.norm(linear)
    kept = np.abs(kinks) > 1e-13 * size
    kinks, rows = kinks[kept], rows[kept]
    # Directions no hyperplane sees: f is linear along them.
    _, sizes, right = np.linalg.svd(rows, full_matrices=True) if len(rows) else (0, [], np.eye(d))
    rank = int((np.array(sizes) > _INDEPENDENT).sum())
    lineal = right[rank:]
    across = lineal @ linear
    if np.abs(across).max(initial=0.0) > bound:
        y = -(across @ lineal) / np.linalg.norm(across)
        return "none", y, -float(np.linalg.norm(across))
    if rank == 0:
        return "cells", np.zeros(d), 0.0
    basis = right[:rank].T
    reduced, slope = np.ascontiguousarray(rows @ basis), linear @ basis
    rays = 2.0 * comb(len(rows), rank - 1)
    if rays * len(rows) * _RAY_SECONDS < deadline - time.perf_counter():
        best = np.zeros(rank)
        value, _ = least_on_rays(
            slope,
            reduced,
            kinks,
            -bound,
            np.zeros(rank - 1, np.int64),
            np.zeros((rank, rank)),
            np.zeros(rank),
            best,
        )
        return "cells", basis @ best, value
    if not brute_force and (kinks > 0).any():  # a linear program else
        return "none", np.zeros(d), 0.0
    method, y, value = _by_milp(slope, reduced, kinks, deadline - time.perf_counter())
    return method, basis @ y, value


def _by_milp(
    linear: Floats, rows: Floats, kinks: Floats, seconds: float
) -> tuple[str, Floats, float]:
    """As `_least`, over |y|_inf <= 1 by mixed-integer programming; binaries for kinks > 0 only.

    Variables y (d), o (n) with o_i = max(0, -rows_i . y): o_i >= that where it costs (convex), and
    o_i <= that, by a binary b_i, where it pays.
    """
    n, d = rows.shape
    concave = np.flatnonzero(kinks > 0)
    c = concave.size
    big = np.abs(rows).sum(axis=1)
    pick = sparse.csr_matrix((np.ones(c), (np.arange(c), concave)), shape=(c, n))
    constraints = [
        optimize.LinearConstraint(
            sparse.hstack([sparse.csr_matrix(rows), sparse.eye(n), sparse.csr_matrix((n, c))]),
            np.where(kinks > 0, -np.inf, 0.0),
            np.inf,
        )
    ]
    if c:
        far = sparse.diags(big[concave])
        constraints += [
            # o <= -rows . y + big (1 - b) and o <= big b
            optimize.LinearConstraint(
                sparse.hstack([sparse.csr_matrix(rows[concave]), pick, 2.0 * far]),
                -np.inf,
                2.0 * big[concave],
            ),
            optimize.LinearConstraint(
                sparse.hstack([sparse.csr_matrix((c, d)), pick, -far]), -np.inf, 0.0
            ),
        ]
    if seconds <= 0:
        return "none", np.zeros(d), 0.0
    result = optimize.milp(
        np.concatenate([linear, -kinks, np.zeros(c)]),
        integrality=np.concatenate([np.zeros(d + n), np.ones(c)]),
        bounds=optimize.Bounds(
            np.concatenate([-np.ones(d), np.zeros(n + c)]),
            np.concatenate([np.ones(d), np.full(n, np.inf), np.ones(c)]),
        ),
        constraints=constraints,
        options={} if np.isinf(seconds) else {"time_limit": float(seconds)},
    )
    if result.x is not None:
        y = result.x[:d]
        norm = np.linalg.norm(y)
        if norm > 1e-9:
            y = y / norm
            value = float(linear @ y + kinks @ np.minimum(0.0, rows @ y))
            if value < 0:
                return "milp", y, value
    return ("milp" if result.status == 0 else "none"), np.zeros(d), 0.0
