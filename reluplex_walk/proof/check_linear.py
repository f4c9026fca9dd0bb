"""F' of a loss of one linear output, confirmed in integers, all breakpoints that vanish at once.

It does what :mod:`reluplex_walk.proof.check_parts` does where nothing follows anything, weights
have no penalty and all blocks have multipliers, which regressions on rounded data have thousands
of.  Columns and jumps are multiplied by positive numbers that make them integers,

    F'(d) = g . d - unit sum_c jump_c min(0, t_c),    t_c = sum_j form_cj t_j / den,

with t_j the rates of the pivots, in which g is their prices.
"""

from collections.abc import Sequence

import numpy as np
from flint import fmpq, fmpq_mat, fmpz_mat
from numpy.typing import NDArray

from .check_blocks import RefutedError
from .check_integers import Integers, from_matrix, scaled, shortest, sums, times
from .check_local import Vanishing
from .check_loss import CheckedLoss, Piece
from .witness import Block, Multipliers, Witness

Ints = NDArray[np.int64]


def is_linear(data: CheckedLoss, blocks: Sequence[Block]) -> bool:
    """Whether all of this applies."""
    plain = all(isinstance(block.proof, Multipliers) for block in blocks)
    return plain and data.n_hidden == 0 and data.h == 1 and data.penalty == 0


class Linear:
    """F' with the breakpoints in the order of `groups`, on the sides of the witness."""

    def __init__(
        self, data: CheckedLoss, vanishing: Vanishing, groups: Ints, witness: Witness
    ) -> None:
        self.pivots = witness.pivots.tolist()
        self.prices = [fmpq(v.numerator, v.denominator) for v in witness.prices]
        numbers, self.dens = data.integers(vanishing.first[groups])
        self.normals = witness.sides.astype(np.int64)[:, None] * numbers  # (k, q)
        place = np.empty(len(groups), np.int64)
        place[groups] = np.arange(len(groups))
        weights, den = data.w.integers(vanishing.row)
        self.jumps = sums(weights, place[vanishing.group], len(groups))
        self.unit = (fmpq(1) if data.hinge else data.below + data.above) / den

    def confirm(self, piece: Piece, free: list[int], blocks: Sequence[Block]) -> list[fmpq]:
        """Slopes of the half-edges of the pivots: the near ones (r,), then the far ones.

        RefutedError if F' < 0 somewhere, or a block has no proof.
        """
        normals = self.normals[:, free]
        gradient = [piece.gradient[0, j] * self.dens[j] for j in free]
        self.form, self.den = _form(normals, self.pivots)
        self._confirm_prices(normals, gradient)
        functions = self._blocks()
        for block in blocks:
            members = tuple(block.members.tolist())
            if members not in functions:
                raise RefutedError(f"witness: breakpoints {members} are no block")
            self._confirm_block(block, functions.pop(members))
        if functions:
            raise RefutedError(f"witness: nothing is said of the block {next(iter(functions))}")
        slopes = self._slopes()
        for j in np.flatnonzero((self.form != 0).sum(axis=0) == 1).tolist():
            if slopes[j] < 0 or slopes[j + len(self.pivots)] < 0:
                c = self.pivots[j]
                raise RefutedError(f"slopes: the loss descends where only breakpoint {c} moves")
        return slopes

    def _confirm_prices(self, normals: Integers, gradient: list[fmpq]) -> None:
        """RefutedError if the gradient is not that combination of the normals."""
        r, q = len(self.pivots), normals.shape[1]
        if len(self.prices) != r:
            raise RefutedError("witness: not one price for each pivot")
        total = fmpq_mat(1, q)
        if r:
            basis = fmpq_mat(r, q, normals[self.pivots].ravel().tolist())
            total = fmpq_mat(1, r, self.prices) * basis
        if any(total[0, i] != g for i, g in enumerate(gradient)):
            raise RefutedError("slopes: the prices do not give the gradient")

    def _blocks(self) -> dict[tuple[int, ...], Ints]:
        """Coordinates of the function of each block, by its members."""
        support = (self.form != 0).astype(float)
        joined, before = support.T @ support > 0.0, None
        while before is None or (joined != before).any():
            before, steps = joined, joined.astype(float)
            joined = steps @ steps > 0.0
        leader = joined.argmax(axis=1) if joined.size else np.zeros(0, np.int64)
        found = {}
        for first in np.unique(leader):
            coordinates = np.flatnonzero(leader == first)
            members = np.flatnonzero(support[:, coordinates].any(axis=1))
            if len(members) > 1:
                found[tuple(members.tolist())] = coordinates
        return found

    def _confirm_block(self, block: Block, coordinates: Ints) -> None:
        """RefutedError if the multipliers leave a slope.

        Parallel t_c = size_c u count for the first b of them: of its jump sum_c jump_c |t_c / t_b|
        the share theta_b is taken, and all of the parts with the other sign: min(0, -t) =
        min(0, t) - t.
        """
        theta = block.proof.theta if isinstance(block.proof, Multipliers) else ()
        inside = all(0 <= v.numerator <= v.denominator for v in theta)
        if len(theta) != len(block.members) or not inside:
            raise RefutedError("witness: multipliers outside [0, 1]")
        rows, jumps = self.form[np.ix_(block.members, coordinates)], self.jumps[block.members]
        lead = rows[np.arange(len(rows)), (rows != 0).argmax(axis=1)]
        size = np.gcd.reduce(np.abs(rows), axis=1) * np.where(lead > 0, 1, -1)
        direction = rows // size[:, None]
        first, group = _alike(direction)
        heavy = scaled(jumps, np.abs(size))
        other = (size > 0) != (size > 0)[first][group]
        whole = sums(heavy, group, len(first)).tolist()
        part = sums(np.where(other, heavy, 0), group, len(first)).tolist()
        up = np.where(size[first] > 0, 1, -1)[:, None] * direction[first]
        total = [fmpq(0)] * len(coordinates)
        taken = []
        for b, c in enumerate(first.tolist()):
            share = theta[c]
            if share.denominator == 1:
                taken.append(part[b] - share.numerator * whole[b])
                continue
            taken.append(part[b])
            factor = fmpq(-share.numerator * whole[b], share.denominator)
            total = [v + factor * n for v, n in zip(total, up[b].tolist(), strict=True)]
        rest = times(shortest(taken), up).tolist()
        for j, n, v in zip(coordinates.tolist(), rest, total, strict=True):
            if self.prices[j] + self.unit * (v + n) / self.den != 0:
                raise RefutedError("witness: the multipliers leave a slope")

    def _slopes(self) -> list[fmpq]:
        each = self.unit / self.den
        near = times(self.jumps, np.maximum(-self.form, 0)).tolist()
        far = times(self.jumps, np.maximum(self.form, 0)).tolist()
        return [p + each * v for p, v in zip(self.prices, near, strict=True)] + [
            each * v - p for p, v in zip(self.prices, far, strict=True)
        ]


def _form(normals: Integers, pivots: list[int]) -> tuple[Integers, int]:
    """All normals by those of the pivots: (k, r) over a denominator > 0.

    RefutedError if these are no basis.
    """
    (k, q), r = normals.shape, len(pivots)
    if len(set(pivots)) != r or not all(0 <= p < k for p in pivots):
        raise RefutedError("witness: the pivots are not breakpoints that vanish")
    if not r:
        if (normals != 0).any():
            raise RefutedError("active: these breakpoints are no basis of those that vanish")
        return np.zeros((k, 0), np.int64), 1
    basis = normals[pivots]
    reduced, _, rank = fmpz_mat(r, q, basis.ravel().tolist()).rref()
    if rank != r:
        raise RefutedError("active: these breakpoints are not independent")
    columns = [next(j for j in range(q) if reduced[i, j] != 0) for i in range(r)]
    square = fmpq_mat(r, r, basis[:, columns].ravel().tolist())
    numbers, den = square.inv().numer_denom()
    form = times(normals[:, columns], from_matrix(numbers))
    if (times(form, basis) != scaled(normals, int(den))).any():
        raise RefutedError("active: these breakpoints are no basis of those that vanish")
    return form, int(den)


def _alike(rows: Integers) -> tuple[Ints, Ints]:
    """The first of each kind of row, and the number of each row's kind."""
    numbers: dict[object, int] = {}
    kind = [numbers.setdefault(key, len(numbers)) for key in map(tuple, rows.tolist())]
    group = np.array(kind, np.int64)
    first = np.full(len(numbers), len(kind), np.int64)
    np.minimum.at(first, group, np.arange(len(kind)))
    return first, group


__all__ = ["Linear", "is_linear"]
