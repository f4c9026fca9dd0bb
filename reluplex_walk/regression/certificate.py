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
from ..exact.rationals import Objects, Rationals, objects, solve
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
    """The breakpoints that vanish: the basis, then the others."""

    rows: Ints  # (k,) residual rows of the loss
    normals: Rationals  # (k, q)
    form: Objects  # (k - q, q) normals of the others by those of the basis
    jumps: list[Fraction]  # (k,) kappa
    shares: list[Fraction]  # (k,) theta

    @classmethod
    def of(cls, loss: LayerLoss, vertex: ExactVertex, parameters: Ints) -> "_Local":
        """From the multipliers of a minimum."""
        active = loss.row_of[vertex.active]
        rows = np.concatenate([active, np.setdiff1d(loss.row_of[vertex.tied], active)])
        q, (below, above) = len(active), (vertex.below, vertex.above)
        place = np.zeros(len(loss.targets), np.int64)
        place[rows] = np.arange(len(rows))
        group = place[loss.row_of[np.concatenate([vertex.active, vertex.tied])]]
        parts = np.zeros((len(group), 3))  # weights: all, those above, those below
        parts[:, 0] = vertex.weights
        parts[q:, 1], parts[q:, 2] = vertex.positive, ~vertex.positive
        parts[q:, 1:] *= vertex.weights[q:, None]
        sums = group_sums(parts, group, len(rows)).fractions()  # equal samples are all among them
        total = above * sums[:, 1] - below * sums[:, 2]
        total[:q] += vertex.multipliers
        jumps = ((below + above) * sums[:, 0]).tolist()
        shares = [
            (above * weight - multiplier) / jump
            for weight, multiplier, jump in zip(sums[:, 0], total, jumps, strict=True)
        ]
        x = loss.inputs[loss.owner[rows]]
        inputs = np.column_stack([x, np.ones(len(rows))])[:, parameters]
        places = np.array([*loss.decimals.X, 0], object)[parameters]
        exact = Table.of(inputs, tuple(places)).rationals()
        normals = exact.num
        form = solve(normals[:q].T, normals[q:].T).fractions().T
        return cls(rows, exact, form, jumps, shares)

    def prices(self) -> list[Fraction]:
        """The gradient (q,) as a combination of the normals of the basis."""
        q = self.form.shape[1]
        prices = [t * k for t, k in zip(self.shares[:q], self.jumps[:q], strict=True)]
        for t, k, row in zip(self.shares[q:], self.jumps[q:], self.form, strict=True):
            for j in np.flatnonzero(row != 0) if t else ():
                prices[j] += t * k * row[j]
        return prices

    def slopes(self) -> Objects:
        """One-sided derivatives (2q,) along the half-edges of the basis."""
        q = self.form.shape[1]
        near = self.prices()
        far = [k - p for k, p in zip(self.jumps[:q], near, strict=True)]
        for k, row in zip(self.jumps[q:], self.form, strict=True):
            for j in np.flatnonzero(row != 0):
                if row[j] > 0:
                    far[j] += k * row[j]
                else:
                    near[j] -= k * row[j]
        return objects([*near, *far])

    def lengths(self) -> Floats:
        """Lengths (q,) of the edges of the basis."""
        normals = self.normals.floats()[: self.form.shape[1]]
        size = np.abs(normals).max(axis=1, keepdims=True)
        edges = np.linalg.pinv(normals / size, rcond=0.0) / size.T
        return np.asarray(np.linalg.norm(edges, axis=0))

    def blocks(self) -> tuple[Block, ...]:
        """Groups of breakpoints that depend on each other, each with its theta."""
        q = self.form.shape[1]
        leader = list(range(q))  # of each of the basis: the first of its group

        def find(j: int) -> int:
            while leader[j] != j:
                leader[j] = leader[leader[j]]
                j = leader[j]
            return j

        support = [np.flatnonzero(row != 0).tolist() for row in self.form]
        for some in support:
            for j in some[1:]:
                a, b = find(some[0]), find(j)
                leader[max(a, b)] = min(a, b)
        groups: dict[int, list[int]] = {}
        for j in range(q):
            groups.setdefault(find(j), []).append(j)
        for c, some in enumerate(support):
            if some:
                groups[find(some[0])].append(q + c)
        found = (members for members in groups.values() if len(members) > 1)
        return tuple(
            Block(np.array(members), Multipliers(self._merged(members)))
            for members in sorted(found)
        )

    def _merged(self, members: list[int]) -> tuple[Fraction, ...]:
        """The theta of a block, those of parallel normals all at the first of them."""
        first: dict[object, tuple[int, Fraction]] = {}
        sums: dict[int, list[Fraction]] = {}
        for c in members:
            row = self._row(c)
            lead = next(iter(row.values()))
            key = tuple((j, v / lead) for j, v in row.items())
            b, size = first.setdefault(key, (c, lead))
            ratio = lead / size  # min(0, -t) = min(0, t) - t
            share = self.shares[c] if ratio > 0 else 1 - self.shares[c]
            total = sums.setdefault(b, [Fraction(0), Fraction(0)])
            total[0] += share * self.jumps[c] * abs(ratio)
            total[1] += self.jumps[c] * abs(ratio)
        return tuple(sums[c][0] / sums[c][1] if c in sums else Fraction(0) for c in members)

    def _row(self, c: int) -> dict[int, Fraction]:
        """Normal `c` by those of the basis, but for zeros."""
        q = self.form.shape[1]
        if c < q:
            return {c: Fraction(1)}
        row = self.form[c - q]
        return {int(j): row[j] for j in np.flatnonzero(row != 0)}


__all__ = ["certificate_of"]
