"""The end of a walk without rounding: its exact vertex, and exact pivots while one descends.

The walk computes in floats; where it stops, its basis is solved in rational arithmetic on the data
as they are.  That decides which breakpoints vanish there and which half-edges descend, however
close a call.  Where one does (concurrent lines of rounded decimals, sums of slopes that cancel up
to rounding), the walk goes on in rationals, from vertex to adjacent vertex.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Deadline
from ..exact import rationals
from ..exact.loss import ExactLoss, LocalModel, Sides, Vertex, region
from ..exact.rationals import Objects, Rationals, reduce
from ..problem.breakpoints import Breakpoints
from ..problem.loss import LayerLoss
from ..proof.degenerate import Verdict, judge

Floats = NDArray[np.float64]

_ROUNDS = 4  # in which vertex and region have to agree


class Pivot(NamedTuple):
    """One exact pivot, as far as floats tell it."""

    theta: Floats  # (D,) where it leads to
    loss: float
    length: float
    slope: float  # per unit length, its mean where the edge bends
    leaving: Breakpoints  # (1,), or none
    active: Breakpoints  # there, the new one last
    flipped: bool
    descending: int  # half-edges that descend where it starts


class Settled(NamedTuple):
    """Where the exact walk ended, and what is proved of that point."""

    vertex: Vertex
    signs: Sides  # of all breakpoints, 0 where they vanish
    loss: Fraction
    slopes: Objects | None  # (2r,) of the half-edges per unit of the breakpoint left, if simple
    verdict: Verdict
    pivots: list[Pivot]


At = tuple[Vertex, Sides, Fraction]
"""An exact vertex, the signs of all breakpoints there (0 where they vanish), and the loss."""


def affordable(loss: LayerLoss, seconds: float) -> bool:
    """Whether solving for a vertex and evaluating it can be expected to take at most `seconds`."""
    work = len(loss.inputs) * (loss.dim + sum(w.size for w, _ in loss.tail))
    dim = float(loss.dim)
    solving = 8e-8 * dim**3 if rationals.flint is not None else 5e-7 * dim**4
    return 5e-7 * work * (1.0 + dim / 100.0) + solving <= seconds


def settle(
    exact: ExactLoss,
    theta: Floats,
    active: Breakpoints,
    sides: Sides,
    deadline: Deadline,
    limit: int = 0,
    leaps: bool = False,
) -> Settled | None:
    """Walk on exactly from the vertex near `theta` (D,) at which `active` vanish.

    `sides` (+-1) is the region it is looked at from.  Makes up to `limit` pivots; directions found
    at degenerate vertices are followed only with `leaps`, else reported.  None if `active` do not
    define a vertex there; where pivots or time (`deadline`) run out the verdict is
    ``none``.
    """
    pivots: list[Pivot] = []
    at = vertex_at(exact, Rationals.of(theta), active, sides)
    while at is not None:
        vertex, signs, loss = at
        local = local_slopes(exact, at)
        step = None
        more = len(pivots) < limit and not deadline.passed
        if loss == 0:
            verdict = Verdict("zero-loss")
        elif local is None:
            verdict = judge(exact, zeros(signs), signs, deadline)
            if verdict.direction is not None and leaps and more:
                step = leap(exact, at, verdict.direction)
        elif (local[1] >= 0).all():
            verdict = Verdict("vertex")
        else:
            verdict = Verdict("none")
            if more:
                step = follow(exact, *local, at, steepest(*local, vertex)[0])
        if step is None:
            return Settled(vertex, signs, loss, local and local[1], verdict, pivots)
        pivot, at = step
        pivots.append(pivot)
    return None


def local_slopes(exact: ExactLoss, at: At) -> tuple[LocalModel, Objects] | None:
    """The local model at a simple vertex and the slopes of all half-edges.

    None at a degenerate one, and where the loss descends while all active breakpoints stay 0.
    """
    vertex, signs, _ = at
    if len(zeros(signs).stage) > len(vertex.active.stage):
        return None
    model = exact.local(vertex.active, vertex.sides)
    prices = model.prices(vertex.columns)
    return None if prices is None else (model, model.slopes(prices))


def zeros(signs: Sides) -> Breakpoints:
    """The breakpoints whose sign is 0."""
    found = [np.nonzero(sign == 0) for sign in signs]
    stage = np.concatenate([np.full(len(c), t) for t, (c, _) in enumerate(found)])
    return Breakpoints(stage, *(np.concatenate(part) for part in zip(*found, strict=True)))


def vertex_at(exact: ExactLoss, theta: Rationals, active: Breakpoints, sides: Sides) -> At | None:
    """The exact vertex, the signs there and the loss; None if vertex and region do not agree."""
    for _ in range(_ROUNDS):
        try:
            vertex = exact.vertex(theta, active, sides)
        except ZeroDivisionError:
            return None
        values = exact.values(vertex.theta)
        signs = region(values)
        agreed = [np.where(sign == 0, side, sign) for sign, side in zip(signs, sides, strict=True)]
        if all((a == side).all() for a, side in zip(agreed, sides, strict=True)):
            vanish = all(
                signs[t][column, neuron] == 0 for t, column, neuron in zip(*active, strict=True)
            )
            return (vertex, signs, exact.value(values)) if vanish else None
        sides = agreed
    return None


def steepest(model: LocalModel, slopes: Objects, vertex: Vertex) -> tuple[int, Rationals]:
    """The half-edge with the least slope per unit length, and its direction (D,)."""
    descending = np.flatnonzero(slopes < 0)
    edges = [_edge(model, vertex, int(k)) for k in descending]
    steepness = [
        float(slopes[k]) / float(np.linalg.norm(edge.floats()))
        for k, edge in zip(descending, edges, strict=True)
    ]
    best = int(np.argmin(steepness))
    return int(descending[best]), edges[best]


def _edge(model: LocalModel, vertex: Vertex, k: int) -> Rationals:
    """Half-edge k: near ones first, then those behind each of the active breakpoints."""
    r = len(vertex.active.stage)
    rates = np.zeros(r, object)
    rates[k % r] = 1 if k < r else -1
    return model.direction(np.arange(r), vertex.columns, rates)


def follow(
    exact: ExactLoss, model: LocalModel, slopes: Objects, at: At, half_edge: int
) -> tuple[Pivot, At] | None:
    """Along a half-edge to the next vertex; None if there is none, or it cannot be reached."""
    vertex, _, loss = at
    active, r = vertex.active, len(slopes) // 2
    k, far = half_edge % r, half_edge >= r
    edge = _edge(model, vertex, half_edge)
    sides = [side.copy() for side in vertex.sides]
    if far:
        sides[active.stage[k]][active.column[k], active.neuron[k]] *= -1
    hit = exact.first_breakpoint(vertex.theta, edge, sides, active)
    if hit is None:
        return None
    entering, step = hit
    parts = (np.append(np.delete(part, k), new) for part, new in zip(active, entering, strict=True))
    theta = vertex.theta.moved(step, edge)
    arrived = vertex_at(exact, theta, Breakpoints(*parts), sides)
    if arrived is None or arrived[2] > loss or (slopes[half_edge] < 0 and arrived[2] == loss):
        return None
    length = float(np.linalg.norm(edge.floats()))
    pivot = Pivot(
        theta=arrived[0].theta.floats(),
        loss=float(arrived[2]),
        length=float(step) * length,
        slope=float(slopes[half_edge]) / length,
        leaving=active.take(np.array([k])),
        active=arrived[0].active,
        flipped=far,
        descending=int((slopes < 0).sum()),
    )
    return pivot, arrived


def leap(exact: ExactLoss, at: At, direction: Rationals) -> tuple[Pivot, At] | None:
    """Along a descending `direction` (D,) to the next breakpoint, leaving what does not stay 0."""
    vertex, signs, loss = at
    sides, beyond = exact.leave(direction, signs)
    none = vertex.active.take(np.zeros(0, np.int64))
    hit = exact.first_breakpoint(vertex.theta, direction, sides, none)
    if hit is None:
        return None
    entering, step = hit
    theta = vertex.theta.moved(step, direction)
    stays = zeros(beyond)
    parts = (np.append(part, new) for part, new in zip(stays, entering, strict=True))
    candidates = Breakpoints(*parts).take(np.roll(np.arange(stays.stage.size + 1), 1))
    u, _ = exact.rows(candidates, sides)
    normals = exact.normals(candidates, u).num
    _, independent = reduce(normals.T)
    active = candidates.take(np.array(independent, np.int64))
    columns = np.array(reduce(normals[independent])[1], np.int64)
    values = exact.values(theta)
    arrived = (Vertex(theta, active, sides, columns), region(values), exact.value(values))
    if arrived[2] >= loss:
        return None
    length = float(np.linalg.norm(theta.moved(Fraction(-1), vertex.theta).floats()))
    pivot = Pivot(
        theta=theta.floats(),
        loss=float(arrived[2]),
        length=length,
        slope=float(arrived[2] - loss) / length if length > 0.0 else 0.0,
        leaving=none,
        active=active.take(np.roll(np.arange(active.stage.size), -1)),
        flipped=False,
        descending=0,
    )
    return pivot, arrived
