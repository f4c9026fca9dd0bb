"""Vertices without rounding: the point a basis defines, what vanishes there, and its slopes."""

from fractions import Fraction

import numpy as np

from ..problem.breakpoints import Breakpoints
from ..problem.loss import LayerLoss
from .loss import ExactLoss, LocalModel, Sides, Vertex
from .rationals import Objects, Rationals, reduce

_ROUNDS = 4  # in which vertex and region have to agree
_FIXED = 1500.0  # work at any vertex, however small the problem

At = tuple[Vertex, Sides, Fraction]
"""An exact vertex, the signs of all breakpoints there (0 where they vanish), and the loss."""


def vertex_work(loss: LayerLoss) -> float:
    """Of solving for a vertex and evaluating it, in the units of :class:`Budget`."""
    size = len(loss.inputs) * (loss.dim + sum(w.size for w, _ in loss.tail))
    dim = float(loss.n_free)
    return _FIXED + 0.25 * size * (1.0 + dim / 100.0) + 0.035 * dim**3


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
        signs = exact.signs(vertex.theta)
        agreed = [np.where(sign == 0, side, sign) for sign, side in zip(signs, sides, strict=True)]
        if all((a == side).all() for a, side in zip(agreed, sides, strict=True)):
            vanish = all(
                signs[t][column, neuron] == 0 for t, column, neuron in zip(*active, strict=True)
            )
            return (vertex, signs, exact.loss_at(vertex.theta, signs)) if vanish else None
        sides = agreed
    return None


def point_at(exact: ExactLoss, theta: Rationals, active: Breakpoints, sides: Sides) -> At | None:
    """The vertex at the exact point `theta` (D,); None if `active` are no basis of it.

    `sides` tell from which region it is looked at where breakpoints vanish.
    """
    signs = exact.signs(theta)
    sides = [np.where(sign == 0, side, sign) for sign, side in zip(signs, sides, strict=True)]
    normals = exact.normals(active, exact.rows(active, sides)[0]).num
    columns = np.array(reduce(normals)[1], np.int64)
    vanish = all(signs[t][column, neuron] == 0 for t, column, neuron in zip(*active, strict=True))
    if len(columns) < len(normals) or not vanish:
        return None
    return Vertex(theta, active, sides, columns), signs, exact.loss_at(theta, signs)


def independent(exact: ExactLoss, candidates: Breakpoints, sides: Sides) -> Breakpoints:
    """The candidates whose normals are independent of those before them, in the region `sides`."""
    normals = exact.normals(candidates, exact.rows(candidates, sides)[0]).num
    return candidates.take(np.array(reduce(normals.T)[1], np.int64))


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


__all__ = ["At", "independent", "local_slopes", "point_at", "vertex_at", "vertex_work", "zeros"]
