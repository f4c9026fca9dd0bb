"""The end of a walk: its basis, what else vanishes there, and what is proved of its exact point."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Deadline
from ..exact.loss import ExactLoss, LocalModel, Sides, Vertex
from ..exact.rationals import Objects
from ..exact.vertex import At, local_slopes, zeros
from ..native.arrays import FREE, N_TIED, PARKED, START_SIZE, State
from ..problem.loss import LayerLoss
from ..tolerances import PROOF
from .degenerate import Verdict, judge

Ints = NDArray[np.int64]


class End(NamedTuple):
    """The end of a walk: the basis, what else vanishes, and from which region it is seen."""

    active: Ints  # (r,) ids
    tied: Ints  # (k,) ids
    sides: Sides  # +-1 of all breakpoints

    @classmethod
    def of(cls, loss: LayerLoss, state: State) -> "End":
        """The end that `state`, freshly computed, is at."""
        row = loss.free_kernel.row
        return cls(
            active=np.array(state.basis[state.basis != FREE]),
            tied=np.sort(state.tied[: state.number[N_TIED]]),
            sides=[
                *(
                    np.sign(state.side[row[t] : row[t + 1]].T).astype(np.int8)
                    for t in range(loss.n_hidden)
                ),
                np.sign(state.side_r.T).astype(np.int8),
            ],
        )


def hidden_vanishes(loss: LayerLoss, state: State) -> bool:
    """Whether a hidden breakpoint is active or tied: the loss may then not be convex here."""
    return bool((np.abs(state.z[: loss.index.hidden_neurons]) >= PARKED / 2).any())


def zero_loss(loss: LayerLoss, state: State) -> bool:
    """Whether no residual row seems to cost anything: it vanishes or lies on its free side."""
    kernel = loss.free_kernel
    cost = np.where(state.side_r > 0, kernel.right, kernel.left)
    return bool(((np.abs(state.r) >= PARKED / 2) | (cost == 0.0)).all())


def in_doubt(loss: LayerLoss, state: State) -> bool:
    """Whether floats leave open what is 0 at a priced vertex: breakpoints, slopes, or the loss.

    Also on a face (r < D), where the gradient within it would have to be exactly 0.
    """
    rows = np.flatnonzero(state.basis != FREE)
    slopes = np.column_stack([state.price[rows], state.far[rows]])
    return bool(
        rows.size < loss.n_free
        or state.number[N_TIED] > 0
        or (np.abs(slopes) <= state.noise[rows]).any()
        or zero_loss(loss, state)
        or not loss.free_units.units.trivial
        or np.abs(state.theta).max() <= PROOF.origin * state.scalar[START_SIZE]
    )


class ExactEnd(NamedTuple):
    """An exact vertex, and what is proved of it."""

    vertex: Vertex
    signs: Sides  # of all breakpoints, 0 where they vanish
    loss: Fraction
    local: tuple[LocalModel, Objects] | None  # as from `local_slopes`
    verdict: Verdict

    @property
    def slopes(self) -> Objects | None:
        """Slopes (2r,) of the half-edges per unit of the breakpoint left, at a simple vertex."""
        return self.local and self.local[1]


def examine(exact: ExactLoss, at: At, deadline: Deadline) -> ExactEnd:
    """Whether the loss descends from the vertex `at`; stops at `deadline`.

    At a simple vertex the verdict ``none`` means that a half-edge descends.
    """
    local = local_slopes(exact, at)
    vertex, signs, loss = at
    if loss == 0:
        verdict = Verdict("zero-loss")
    elif local is None:
        verdict = judge(exact, zeros(signs), signs, deadline)
    else:
        verdict = Verdict("vertex" if (local[1] >= 0).all() else "none")
    return ExactEnd(vertex, signs, loss, local, verdict)


__all__ = ["End", "ExactEnd", "examine", "hidden_vanishes", "in_doubt", "zero_loss"]
