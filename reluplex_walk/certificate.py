"""`Certificate`: what was proved about the end of a walk, and what was not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .escape import edges_of, local_model, slopes_along
from .loss import LayerLoss
from .native.arrays import FREE, LOSS, N_TIED, PARKED, State
from .native.walk import prices
from .tolerances import Tolerances

METHODS = {
    "vertex": "all half-edges of a non-degenerate vertex (or face) have slopes >= 0",
    "cells": "the one-sided derivative is >= 0 on every cell around a degenerate vertex",
    "milp": "a mixed-integer program finds no descending direction at a degenerate vertex",
    "convex": "the loss is convex around the end and has no descending half-edge",
    "zero-loss": "the loss is 0, its least possible value",
    "none": "not proved: the end is degenerate, or the data too badly scaled, for a proof",
    "unfinished": "not proved: the walk stopped before its end",
}
"""What each proof rests on."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """Evidence that the end of a walk is a local minimum of the loss.

    At a non-degenerate vertex the loss is affine on each of the 2^r cones around it, and each
    cone is spanned by r of the 2r half-edges: all 2r slopes >= 0 is necessary and sufficient for a
    local minimum (Hinz and van de Geer, arXiv 2011.14895).  In floating point: up to the
    tolerances recorded here.

    Attributes
    ----------
    method : str
        The proof, a key of ``certificate.METHODS``: ``vertex``, ``convex``, ``cells``, ``milp``,
        ``zero-loss``, or ``none`` / ``unfinished`` where there is no proof.
    slopes : ndarray (2r,)
        Slopes of all half-edges per unit length in parameter space: the near ones in the order of
        `active`, then the far ones.  At a degenerate end they are the one-sided derivatives along
        the half-edges of one basis, which alone prove nothing.
    active : ndarray (r, 3)
        The basis: (hidden layer above the trained one or residual, sample, neuron).
    n_tied : int
        Further breakpoints that vanish at the end; 0 at a non-degenerate one.
    dim : int
        D, the number of parameters; r < D means that the end is a face, not a point.
    is_global : bool
        Whether the proof is global: the loss is convex throughout, or 0.
    slope_tolerances : ndarray (2r,)
        Size up to which each slope counts as 0: the rounding of its own terms and some more.
    zero_tolerance : float
        Relative size up to which breakpoints counted as 0.
    """

    method: str
    slopes: NDArray[np.float64]
    active: NDArray[np.int64]
    n_tied: int
    dim: int
    is_global: bool
    slope_tolerances: NDArray[np.float64]
    zero_tolerance: float

    @property
    def is_local_minimum(self) -> bool:
        """Whether a local minimum was proved."""
        return self.method not in ("none", "unfinished")

    @property
    def degenerate(self) -> bool:
        """Whether more breakpoints vanish at the end than the basis holds."""
        return self.n_tied > 0

    @property
    def rank(self) -> int:
        """r, the number of active breakpoints in the basis."""
        return len(self.active)

    @property
    def smallest_slope(self) -> float:
        """Smallest slope of a half-edge (0.0 where there is none: the loss is locally constant)."""
        return float(self.slopes.min()) if self.slopes.size else 0.0

    @property
    def strict(self) -> bool:
        """Whether the minimum is proved to be strict: every direction ascends.

        Only said at non-degenerate vertices and where the loss is convex; otherwise the minimum
        may or may not be weak.
        """
        return (
            self.method in ("vertex", "convex")
            and self.rank == self.dim
            and bool((self.slopes > self.slope_tolerances).all())
        )

    def __repr__(self) -> str:
        kind = "strict" if self.strict else "weak" if self.is_local_minimum else "unproved"
        return (
            f"Certificate({self.method}, {kind}, rank {self.rank}/{self.dim}, "
            f"{self.n_tied} tied, smallest slope {self.smallest_slope:.3g})"
        )


def hidden_vanishes(loss: LayerLoss, state: State) -> bool:
    """Whether a hidden breakpoint is active or tied: the loss may then not be convex here."""
    return bool((np.abs(state.z[: loss.problem.row[loss.n_hidden]]) >= PARKED / 2).any())


def zero_loss(loss: LayerLoss, state: State) -> bool:
    """Whether no residual row costs anything: it vanishes or lies on its free side.

    A residual vanishes if it does in the walk, and again relative to the terms of its own row.
    """
    problem = loss.problem
    cost = np.where(state.side_r > 0, problem.right, problem.left)
    if not ((np.abs(state.r) >= PARKED / 2) | (cost == 0.0)).all():
        return False
    theta = loss.units.outer(state.theta.reshape(loss.shape))
    residuals = loss.breakpoints(theta)[-1][loss.residual_rows]
    own = loss.terms(theta)[-1][loss.owner] + np.abs(loss.targets)
    return bool(((np.abs(residuals) <= 1e-9 * own) | (cost.T == 0.0)).all())


def _reproducible(loss: LayerLoss, state: State, lowest: float) -> bool:
    """Whether the walk's loss is that of theta in the units of the data, and its lowest.

    It is not where the data exceed what double precision can tell apart; nothing is proved then.
    """
    value = loss(loss.units.outer(state.theta.reshape(loss.shape)))
    cost = np.maximum(loss.left, loss.right)
    terms = float((cost * loss.terms(loss.theta)[-1][loss.owner]).sum())
    scale = 1e-9 * float((cost * np.abs(loss.targets)).sum()) + 1e-13 * terms
    found = float(state.scalar[LOSS])
    return max(abs(value - found), found - lowest) <= 1e-6 * value + scale


def certify(
    loss: LayerLoss, state: State, finished: bool, lowest: float, proof: str, tolerances: Tolerances
) -> Certificate:
    """The certificate for a freshly computed `state`.

    `finished`: the walk found no descending half-edge (which is checked again here).  `lowest`: the
    least loss the walk recorded; `proof`: what was proved of a degenerate end.
    """
    descends = prices(loss.problem, state)
    rows = np.flatnonzero(state.basis != FREE)
    n_tied = int(state.number[N_TIED])
    edges = edges_of(loss.problem, state)
    lengths = np.linalg.norm(loss.units.outer(edges.reshape(-1, *loss.shape)), axis=(1, 2))
    if n_tied > 0:
        slopes = slopes_along(local_model(loss.problem, state), edges)
    else:
        slopes = np.concatenate([state.price[rows], state.far[rows]])
    ascends = (state.price >= -state.noise[:, 0]) & (state.far >= -state.noise[:, 1])
    optimal = finished and not descends and bool(ascends[rows].all())
    is_global = False
    if finished and not _reproducible(loss, state, lowest):
        method = "none"
    elif zero_loss(loss, state):
        method, is_global = "zero-loss", True
    elif not finished:
        method = "unfinished"
    elif n_tied > 0 and proof != "none":
        method = proof
    elif not optimal:
        method = "none"
    elif n_tied == 0:
        method, is_global = "vertex", loss.n_hidden == 0
    elif not hidden_vanishes(loss, state):
        method, is_global = "convex", loss.n_hidden == 0
    else:
        method = "none"
    return Certificate(
        method=method,
        slopes=slopes / lengths,
        active=loss.locate(state.basis[rows]),
        n_tied=n_tied,
        dim=loss.dim,
        is_global=is_global,
        slope_tolerances=state.noise[rows].T.ravel() / lengths,
        zero_tolerance=tolerances.zero,
    )


__all__ = ["METHODS", "Certificate"]
