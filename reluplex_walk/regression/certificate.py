"""The certificate of a proved fit, made from the solver's own proof: nothing is searched for.

Equal samples are one breakpoint, with the sum of their weights and of their multipliers.  Seen from
where all residuals that vanish are positive, the one-sided derivative is

    F'(d) = g . d - sum_c kappa_c min(0, n_c . d),    g = sum_c theta_c kappa_c n_c,

with kappa_c the jump of the slope of residual c and theta_c in [0, 1] from its multiplier: convex
in each of its blocks, and these theta are the witness.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..exact.data import Table
from ..exact.rationals import Objects, Rationals, from_fractions, objects, solve
from ..exact.sums import group_sums
from ..problem.loss import LayerLoss
from ..proof.certificate import Certificate
from ..proof.certify import held, per_length
from ..proof.witness import Block, Multipliers, Witness
from ..tolerances import TOLERANCES
from .vertex import ExactVertex

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def certificate_of(loss: LayerLoss, vertex: ExactVertex, fitted: Ints) -> Certificate:
    """The certificate; `fitted` (q,) tells which of the p + 1 coefficients `vertex` is of.

    The samples of `vertex` are rows of the data of `loss` with a weight, in order.
    """
    point = objects([Fraction(0)] * loss.dim)
    parameters = (fitted - 1) % loss.dim  # the intercept, coefficient 0, is the last of theta
    point[parameters] = vertex.coefficients
    local = _Local.of(loss, vertex, parameters)
    q = len(vertex.active)
    theta = np.array([float(v) for v in point]).reshape(loss.shape)
    slopes = per_length(local.slopes(), np.tile(local.lengths(), 2))
    where, sides = loss.index.locate(local.rows), np.ones(len(local.rows), np.int8)
    blocks = local.blocks()
    method = "zero-loss" if vertex.loss == 0 else "convex" if blocks else "vertex"
    return Certificate(
        method=method,
        theta=theta,
        loss=vertex.loss,
        slopes=slopes,
        active=where[:q],
        tied=where[q:],
        sides=sides,
        is_global=True,
        slope_tolerances=np.zeros(slopes.size),
        zero_tolerance=TOLERANCES.zero,
        fingerprint=loss.fingerprint,
        point=point.reshape(loss.shape),
        witness=Witness(sides, np.arange(q), tuple(local.prices()), blocks),
        **held(loss),
    )


class _Local(NamedTuple):
    """The breakpoints that vanish: the basis, then the others.  All in integers."""

    rows: Ints  # (k,) residual rows of the loss
    normals: Rationals  # (k, q)
    form: Rationals  # (k, q) normals by those of the basis
    jumps: Objects  # (k,) kappa
    taken: Objects  # (k,) theta kappa
    den: int  # of both

    @classmethod
    def of(cls, loss: LayerLoss, vertex: ExactVertex, parameters: Ints) -> "_Local":
        """From the multipliers of a minimum."""
        active = loss.row_of[vertex.active]
        rows = np.concatenate([active, np.setdiff1d(loss.row_of[vertex.tied], active)])
        q = len(active)
        place = np.zeros(len(loss.targets), np.int64)
        place[rows] = np.arange(len(rows))
        group = place[loss.row_of[np.concatenate([vertex.active, vertex.tied])]]
        parts = np.zeros((len(group), 3))  # weights: all, those above, those below
        parts[:, 0] = vertex.weights
        parts[q:, 1], parts[q:, 2] = vertex.positive, ~vertex.positive
        parts[q:, 1:] *= vertex.weights[q:, None]
        sums = group_sums(parts, group, len(rows))  # equal samples are all among them
        costs = from_fractions(objects([vertex.below, vertex.above, *vertex.multipliers]))
        below, above = costs.num[:2].tolist()
        total = above * sums.num[:, 1] - below * sums.num[:, 2]
        total[:q] += costs.num[2:] * sums.den
        x = loss.inputs[loss.owner[rows]]
        inputs = np.column_stack([x, np.ones(len(rows))])[:, parameters]
        places = np.array([*loss.decimals.X, 0], object)[parameters]
        exact = Table.of(inputs, tuple(places)).rationals()
        form = solve(exact.num[:q].T, exact.num.T)
        return cls(
            rows,
            exact,
            Rationals(form.num.T, form.den),
            (below + above) * sums.num[:, 0],
            above * sums.num[:, 0] - total,
            costs.den * sums.den,
        )

    def _sum(self, numbers: Objects) -> Objects:
        """Fractions over the denominators of jumps and form."""
        return Rationals(numbers, self.den * self.form.den).fractions()

    def prices(self) -> Objects:
        """The gradient (q,) as a combination of the normals of the basis."""
        return self._sum(self.taken @ self.form.num)

    def slopes(self) -> Objects:
        """One-sided derivatives (2q,) along the half-edges of the basis."""
        prices, form = self.prices(), self.form.num
        near = prices + self._sum(self.jumps @ np.maximum(-form, 0))
        far = self._sum(self.jumps @ np.maximum(form, 0)) - prices
        return np.concatenate([near, far])

    def lengths(self) -> Floats:
        """Lengths (q,) of the edges of the basis."""
        normals = self.normals.floats()[: self.form.num.shape[1]]
        size = np.abs(normals).max(axis=1, keepdims=True)
        edges = np.linalg.pinv(normals / size, rcond=0.0) / size.T
        return np.asarray(np.linalg.norm(edges, axis=0))

    def blocks(self) -> tuple[Block, ...]:
        """Groups of breakpoints that depend on each other, each with its theta."""
        support = self.form.num != 0
        leader = np.arange(support.shape[1])  # of each of the basis: the first of its group
        for some in np.unique(support, axis=0):
            met = np.isin(leader, leader[some])
            leader[met] = leader[met].min(initial=len(leader))
        found = []
        for first in np.unique(leader).tolist():
            members = np.flatnonzero(support[:, leader == first].any(axis=1))
            if len(members) > 1:
                found.append(Block(members, Multipliers(self._merged(members))))
        return tuple(found)

    def _merged(self, members: Ints) -> tuple[Fraction, ...]:
        """The theta of a block, those of parallel normals all at the first of them."""
        rows, jumps, taken = self.form.num[members], self.jumps[members], self.taken[members]
        lead = rows[np.arange(len(rows)), (rows != 0).argmax(axis=1)]
        size = np.gcd.reduce(np.abs(rows), axis=1)
        rows = rows // np.where(lead > 0, size, -size)[:, None]
        first: dict[tuple[int, ...], int] = {}
        leader = [first.setdefault(key, c) for c, key in enumerate(map(tuple, rows.tolist()))]
        turned = (lead > 0) != (lead > 0)[leader]  # min(0, -t) = min(0, t) - t
        share, whole = np.zeros((2, len(rows)), object)
        np.add.at(share, leader, size * np.where(turned, jumps - taken, taken))
        np.add.at(whole, leader, size * jumps)
        none, all_ = Fraction(0), Fraction(1)  # most are one of these
        return tuple(
            none if a == 0 else all_ if a == b else Fraction(a, b)
            for a, b in zip(share.tolist(), whole.tolist(), strict=True)
        )


__all__ = ["certificate_of"]
