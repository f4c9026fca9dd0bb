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

from .._budget import Budget
from ..exact.loss import ExactLoss, LocalModel, Vertex
from ..exact.rationals import Objects, Rationals
from ..exact.vertex import At, independent, point_at, vertex_at, vertex_work, zeros
from ..native.arrays import State
from ..problem.breakpoints import Breakpoints
from ..problem.loss import LayerLoss
from ..proof.end import End, ExactEnd, examine
from ..proof.reason import Reason

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
    """Where the exact walk ended, and the pivots it made."""

    end: ExactEnd
    pivots: list[Pivot]


def settle(
    loss: LayerLoss,
    state: State,
    anchor: Floats,
    budget: Budget,
    limit: int,
    leaps: bool = False,
) -> Settled | Reason:
    """Walk on exactly from the vertex of `state`, freshly computed.

    Parameters that are not free are as in `anchor` (h, q).  Makes up to `limit` pivots; directions
    found at degenerate vertices are followed only with `leaps`, else reported.  Where pivots or
    the `budget` run out the verdict is ``none``.  A reason if floats lead to no exact vertex, or
    the budget does not allow to solve for it.
    """
    work = vertex_work(loss)
    if not budget.begin(work):
        return Reason.BUDGET
    exact = ExactLoss(loss)
    pivots: list[Pivot] = []
    at = _start(exact, state, anchor)
    while at is not None:
        end = examine(exact, at, budget)
        step = None
        if len(pivots) < limit and not budget.passed:
            budget.spend(work)
            if leaps and end.verdict.direction is not None:
                step = leap(exact, at, end.verdict.direction)
            elif end.local is not None and end.verdict.method == "none":
                best = steepest(*end.local, end.vertex)
                step = follow(exact, *end.local, at, best)
        if step is None:
            return Settled(end, pivots)
        pivot, at = step
        pivots.append(pivot)
    return Reason.PRECISION


def _start(exact: ExactLoss, state: State, anchor: Floats) -> At | None:
    """The exact vertex that `state` is at, up to rounding.

    On a face further breakpoints may vanish within rounding.  On which side of them the face is
    looked at is then a matter of the last digit of what the basis leaves free: they are made to
    vanish, as far as they are independent.
    """
    loss = exact.loss
    end = End.of(loss, state)
    inner = state.theta.reshape(loss.free_shape)
    theta = Rationals.of(loss.free_units.outer(inner, anchor).ravel())
    active = loss.index.split(end.active)
    if len(end.active) < loss.n_free and len(end.tied):
        vanishing = loss.index.split(np.concatenate([end.active, end.tied]))
        at = vertex_at(exact, theta, independent(exact, vanishing, end.sides), end.sides)
        if at is not None:
            return at
    return vertex_at(exact, theta, active, end.sides)


def steepest(model: LocalModel, slopes: Objects, vertex: Vertex) -> int:
    """The half-edge with the least slope per unit length, which floats may judge."""
    descending = np.flatnonzero(slopes < 0)
    lengths = model.lengths(vertex.columns, _rates(vertex, descending))
    steepness = slopes[descending].astype(float) / np.where(lengths > 0.0, lengths, 1.0)
    return int(descending[np.argmin(steepness)])


def edge(model: LocalModel, vertex: Vertex, k: int) -> Rationals:
    """Half-edge k (D,): near ones first, then those behind each of the active breakpoints."""
    rates = _rates(vertex, np.array([k]))[0]
    return model.direction(np.arange(len(rates)), vertex.columns, rates)


def _rates(vertex: Vertex, half_edges: Ints) -> Objects:
    """Rates (m, r) of the active breakpoints along half-edges."""
    r = len(vertex.active.stage)
    rates = np.zeros((len(half_edges), r), object)
    rates[np.arange(len(half_edges)), half_edges % r] = np.where(half_edges < r, 1, -1).tolist()
    return rates


def follow(
    exact: ExactLoss, model: LocalModel, slopes: Objects, at: At, half_edge: int
) -> tuple[Pivot, At] | None:
    """Along a half-edge to the next vertex; None if there is none, or it cannot be reached."""
    vertex, _, loss = at
    active, r = vertex.active, len(slopes) // 2
    k, far = half_edge % r, half_edge >= r
    along = edge(model, vertex, half_edge)
    sides = [side.copy() for side in vertex.sides]
    if far:
        sides[active.stage[k]][active.column[k], active.neuron[k]] *= -1
    hit = exact.first_breakpoint(vertex.theta, along, sides, active)
    if hit is None:
        return None
    entering, step = hit
    parts = (np.append(np.delete(part, k), new) for part, new in zip(active, entering, strict=True))
    theta = vertex.theta.moved(step, along)
    arrived = vertex_at(exact, theta, Breakpoints(*parts), sides)
    if arrived is None or arrived[2] > loss or (slopes[half_edge] < 0 and arrived[2] == loss):
        return None
    length = float(np.linalg.norm(along.floats()))
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
    active = independent(exact, candidates, sides)
    arrived = point_at(exact, theta, active, sides)
    if arrived is None or arrived[2] >= loss:
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
