"""The end of a walk: its basis, what else vanishes there, and what is proved of its exact point."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._budget import Budget
from ..exact.loss import ExactLoss, LocalModel, Sides, Vertex
from ..exact.rationals import Objects
from ..exact.vertex import At, local_slopes, zeros
from ..native.arrays import FREE, N_TIED, PARKED, State
from ..problem.loss import LayerLoss
from .degenerate import Verdict, judge
from .reason import Reason
from .witness import Witness

Ints = NDArray[np.int64]


class End(NamedTuple):
    """The end of a walk: the basis, what else vanishes, and from which region it is seen."""

    active: Ints  # (r,) ids
    tied: Ints  # (k,) ids
    sides: Sides  # +-1 of all breakpoints

    @classmethod
    def of(cls, loss: LayerLoss, state: State) -> "End":
        """The end that `state`, freshly computed, is at."""
        row, n, m = loss.free_kernel.row, len(loss.inputs), len(loss.owner)
        weights = state.side[: row[1], n:] if loss.n_hidden else state.side_r[:, m:]
        parts = [
            *(state.side[row[t] : row[t + 1], :n] for t in range(loss.n_hidden)),
            state.side_r[:, :m],
            *([weights] if loss.penalty else []),
        ]
        return cls(
            active=np.array(state.basis[state.basis != FREE]),
            tied=np.sort(state.tied[: state.number[N_TIED]]),
            sides=[np.sign(part.T).astype(np.int8) for part in parts],
        )


def hidden_vanishes(loss: LayerLoss, state: State) -> bool:
    """Whether a hidden breakpoint is active or tied: the loss may then not be convex here."""
    hidden, n = loss.index.hidden_neurons, len(loss.inputs)
    return bool((np.abs(state.z[:hidden, :n]) >= PARKED / 2).any())


def zero_loss(loss: LayerLoss, state: State) -> bool:
    """Whether nothing seems to cost anything: residuals vanish or lie on their free side.

    And weights, if they have a penalty, vanish.
    """
    kernel, n = loss.free_kernel, len(loss.inputs)
    if loss.n_hidden and (np.abs(state.z[: loss.shape[0], n:]) < PARKED / 2).any():
        return False
    cost = np.where(state.side_r > 0, kernel.right, kernel.left)
    return bool(((np.abs(state.r) >= PARKED / 2) | (cost == 0.0)).all())


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


def examine(exact: ExactLoss, at: At, deadline: Budget) -> ExactEnd:
    """Whether the loss descends from the vertex `at`; stops at `deadline`.

    At a simple vertex the verdict ``none`` means that a half-edge descends.
    """
    local = local_slopes(exact, at)
    vertex, signs, loss = at
    if local is not None and (local[1] >= 0).all():
        method = "vertex" if loss != 0 else "zero-loss"
        verdict = Verdict(method, witness=_simple(vertex, local[1]))
    elif loss == 0:
        verdict = Verdict("zero-loss")
    elif local is not None:
        verdict = Verdict("none", reason=Reason.DESCENDS)
    else:
        verdict = judge(exact, zeros(signs), signs, deadline)
    return ExactEnd(vertex, signs, loss, local, verdict)


def _simple(vertex: Vertex, slopes: Objects) -> Witness:
    """The witness of a simple vertex: what vanishes is its basis."""
    active = vertex.active
    places = zip(*active, strict=True)
    return Witness(
        sides=np.array([vertex.sides[t][column, neuron] for t, column, neuron in places], np.int8),
        pivots=np.arange(active.stage.size),
        prices=tuple(slopes[: active.stage.size]),
        blocks=(),
    )


__all__ = ["End", "ExactEnd", "examine", "hidden_vanishes", "zero_loss"]
