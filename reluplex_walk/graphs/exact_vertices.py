"""Vertices of the graph without rounding, where floats leave doubt about them."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..exact.loss import ExactLoss, Sides
from ..exact.rationals import Rationals
from ..exact.vertex import At, independent, vertex_at, zeros
from ..native.arrays import N_TIED, State
from ..problem.loss import LayerLoss
from ..proof.end import End
from ..tolerances import GRAPHS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class ExactVertices:
    """What vanishes at vertices of a loss, and which of them is lower."""

    def __init__(self, loss: LayerLoss) -> None:
        self.loss = loss
        self.exact = ExactLoss(loss)
        self.levels: dict[int, Fraction | None] = {}  # losses by number of the vertex

    def in_doubt(self, state: State) -> bool:
        """Whether more breakpoints than a basis vanish at `state`, or floats leave that open."""
        hidden, stage = self.loss.index.hidden_neurons, self.loss.kernel.stage
        near = GRAPHS.doubt * state.zero_tol[stage[:hidden]]
        return bool(
            state.number[N_TIED] > 0
            or (np.abs(state.z[:hidden]) <= near).any()
            or (np.abs(state.r) <= GRAPHS.doubt * state.zero_tol_r).any()
        )

    def vanishing(self, seen: Ints, state: State, anchor: Floats) -> Ints:
        """The breakpoints that vanish at the vertex `state` is at, where floats saw `seen`.

        `anchor` (h, q) has the parameters that are not free.
        """
        inner = state.theta.reshape(self.loss.free_shape)
        theta = self.loss.free_units.outer(inner, anchor)
        at = self._vertex(theta, seen, End.of(self.loss, state).sides)
        return seen if at is None else np.sort(self.loss.index.join(zeros(at[1])))

    def _vertex(self, theta: Floats, vanishing: Ints, sides: Sides) -> At | None:
        """The exact vertex near `theta` (h, q); None if there is none where they vanish."""
        active = independent(self.exact, self.loss.index.split(vanishing), sides)
        return vertex_at(self.exact, Rationals.of(theta.ravel()), active, sides)

    def lower(self, one: tuple[int, Floats, Ints], other: tuple[int, Floats, Ints]) -> bool:
        """Whether the loss at one vertex is lower than at another.

        Vertices are given as (number, theta (D,), what vanishes there).
        """
        a, b = (self.loss(theta) for _, theta, _ in (one, other))
        terms = max(self.terms(theta) for _, theta, _ in (one, other))
        if abs(a - b) > GRAPHS.rounding * terms:
            return a < b
        exact_a, exact_b = self.level(*one), self.level(*other)
        return a < b if exact_a is None or exact_b is None else exact_a < exact_b

    def terms(self, theta: Floats) -> float:
        """What the rounding of the loss at `theta` is relative to."""
        return self.loss.magnitude(theta.reshape(self.loss.shape))

    def level(self, number: int, theta: Floats, vanishing: Ints) -> Fraction | None:
        """The exact loss at a vertex; None if it is not found."""
        if number not in self.levels:
            pattern = self.loss.pattern(theta, 0.0)
            rows = self.loss.index.rows
            signs = (sign[row] for sign, row in zip(pattern, rows, strict=True))
            sides = [np.where(sign < 0, -1, 1).astype(np.int8) for sign in signs]
            at = self._vertex(theta.reshape(self.loss.shape), vanishing, sides)
            self.levels[number] = None if at is None else at[2]
        return self.levels[number]


__all__ = ["ExactVertices"]
