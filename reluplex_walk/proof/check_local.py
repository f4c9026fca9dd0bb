"""What vanishes at an exact point, and the one-sided derivative of the loss there, for the checker.

Rows of the data with equal inputs (and targets) share their breakpoints, which are named by the
first of them.  With a penalty the weights of the trained layer are breakpoints of their own, named
(n_hidden + 1, input, neuron).
"""

from typing import NamedTuple

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from .check_blocks import Link, RefutedError
from .check_loss import CheckedLoss, Piece, Signs
from .check_parts import OneSidedDerivative

Ints = NDArray[np.int64]
Row = tuple[int, ...]  # (layer, sample, neuron), the sample a row of X; of a weight the input


class Vanishing(NamedTuple):
    """The breakpoints that are 0 at a point, each once: groups, numbered as they appear."""

    places: Ints  # (m, 3) as rows of X
    first: Ints  # (m,) the first row of the checked data that shares it; of a weight the input
    stage: Ints  # (z,) of each zero of a row
    row: Ints  # (z,) of the checked data; of a weight the input
    neuron: Ints  # (z,)
    group: Ints  # (z,)

    def __len__(self) -> int:
        return len(self.places)

    @classmethod
    def of(cls, data: CheckedLoss, signs: Signs) -> "Vanishing":
        """Where `signs` are 0."""
        parts, numbers = [], dict[tuple[int, bytes], int]()
        for stage, sign in enumerate(signs):
            row, neuron = np.divmod(np.flatnonzero(sign == 0), sign.shape[1])
            if stage <= data.n_hidden:
                key = [neuron[:, None], data.inputs[row]]
            else:
                key = [neuron[:, None], row[:, None]]
            if stage == data.n_hidden:
                key.append(data.targets[row])
            table = np.ascontiguousarray(np.hstack(key) + 0.0)  # no -0.0
            keys = table.view(np.dtype((np.void, table.shape[1] * 8))).ravel().tolist()
            group = [numbers.setdefault((stage, each), len(numbers)) for each in keys]
            parts.append(np.array([np.full(len(row), stage), row, neuron, group], np.int64))
        stage_, row, neuron, group_ = np.concatenate(parts, axis=1)
        _, lead = np.unique(group_, return_index=True)
        first, of_row = row[lead], stage_[lead] <= data.n_hidden
        named = np.where(of_row, data.kept[np.where(of_row, first, 0)], first)
        places = np.stack([stage_[lead], named, neuron[lead]], axis=1)
        return cls(places, first, stage_, row, neuron, group_)

    def order(self, said: Ints) -> Ints:
        """The numbers of the breakpoints `said` (m, 3), which have to be all of them."""
        mine, theirs = np.lexsort(self.places.T), np.lexsort(said.T)
        if len(said) != len(self) or (self.places[mine] != said[theirs]).any():
            common = set(map(tuple, said.tolist())) & set(map(tuple, self.places.tolist()))
            raise RefutedError(
                f"active, tied: {len(said)} breakpoints are said to vanish at the end, "
                f"{len(self)} do, {len(common)} of them in common"
            )
        found = np.empty(len(said), np.int64)
        found[theirs] = mine
        return found

    def sides(self, signs: Signs, groups: Ints, given: Ints) -> Signs:
        """The region in which the breakpoints `groups` have the `given` sides: all +-1."""
        sides = [sign.copy() for sign in signs]
        side = np.empty(len(groups), np.int8)
        side[groups] = given
        for stage, found in enumerate(sides):
            at = self.stage == stage
            found[self.row[at], self.neuron[at]] = side[self.group[at]]
        return sides

    def rows(self) -> dict[Row, list[int]]:
        """The rows of the checked data that share each breakpoint."""
        found: dict[Row, list[int]] = {tuple(place): [] for place in self.places.tolist()}
        every = list(found.values())
        for group, row in zip(self.group.tolist(), self.row.tolist(), strict=True):
            every[group].append(row)
        return found


def one_sided(
    data: CheckedLoss,
    vanishing: Vanishing,
    places: list[Row],
    sides: Signs,
    piece: Piece,
    free: list[int],
) -> OneSidedDerivative:
    """F' in the parameters `free`, with the breakpoints in the order of `places`."""
    found = _Local(data, vanishing, sides)
    order = {place: c for c, place in enumerate(places)}
    normals: list[fmpq] = []
    gamma, alpha = [], []
    for place in places:
        normal = found.normal(place)
        normals += [normal[at] for at in free]
        gamma.append(found.kink(place))
        for other, value in found.followers(place):
            alpha.append((order[other], order[place], value))
    gradient = piece.gradient.tolist()
    flat = [v for row in gradient for v in row]
    alpha.sort(key=lambda link: places[link[0]][0])  # what is followed is settled before
    return OneSidedDerivative(
        [flat[at] for at in free], fmpq_mat(len(places), len(free), normals), gamma, alpha
    )


class _Local:
    """The breakpoints around a point, seen from the region `sides`."""

    def __init__(self, data: CheckedLoss, vanishing: Vanishing, sides: Signs) -> None:
        self.data, self.rows, self.sides = data, vanishing.rows(), sides
        self.chains: dict[tuple[bytes, int], fmpq_mat] = {}
        self.of_sample: dict[int, list[Row]] = {}
        for row, rows in self.rows.items():
            for i in rows if row[0] <= data.n_hidden else ():
                self.of_sample.setdefault(i, []).append(row)

    def _pattern(self, i: int) -> Signs:
        return [side[i] for side in self.sides[: self.data.n_hidden]]

    def normal(self, place: Row) -> list[fmpq]:
        """Gradient (D,) of the breakpoint, positive on its side."""
        stage, _, neuron = place
        i = self.rows[place][0]
        if stage > self.data.n_hidden:
            entry, normal = neuron * self.data.q + i, [fmpq(0)] * (self.data.h * self.data.q)
            normal[entry] = fmpq(int(self.sides[stage][i, neuron]))
            return normal
        key = (b"".join(sign.tobytes() for sign in self._pattern(i)), stage)
        if key not in self.chains:
            self.chains[key], _ = self.data.chain(self._pattern(i), stage)
        side, m = int(self.sides[stage][i, neuron]), self.chains[key]
        row, factors = self.data.row(i), [side * m[neuron, j] for j in range(self.data.h)]
        return [factor * x if factor else factor for factor in factors for x in row]

    def kink(self, place: Row) -> fmpq:
        """What the slope of the loss changes by, per unit of min(0, t)."""
        stage, _, neuron = place
        rows, data = self.rows[place], self.data
        if stage == data.n_hidden:
            return -sum((sum(data.costs(i, neuron), fmpq(0)) for i in rows), fmpq(0))
        if stage > data.n_hidden:
            return -2 * data.penalty
        above, residuals = self._above(place)[-1], self.sides[data.n_hidden]
        total = fmpq(0)
        for i in rows:
            for k, derivative in enumerate(above):
                down, up = data.costs(i, k)
                total += derivative * (up if residuals[i, k] > 0 else -down)
        return (data.slope - 1) * total

    def followers(self, place: Row) -> list[tuple[Row, fmpq]]:
        """Deeper breakpoints of the same sample whose rate follows min(0, t), and by how much."""
        stage = place[0]
        if stage >= self.data.n_hidden:
            return []
        found: dict[Row, fmpq] = {}
        above = self._above(place)
        for i in self.rows[place]:
            for other in self.of_sample[i]:
                t, _, j = other
                if t > stage and other not in found:
                    side = int(self.sides[t][i, j])
                    found[other] = (self.data.slope - 1) * side * above[t - stage - 1][j]
        return [(other, value) for other, value in found.items() if value]

    def _above(self, place: Row) -> list[list[fmpq]]:
        """Derivatives of the values of all stages above by the activation of the breakpoint."""
        stage, _, neuron = place
        i, data = self.rows[place][0], self.data
        rates, found = [fmpq(0)] * len(self.sides[stage][i]), []
        rates[neuron] = fmpq(1)  # of activations
        for t in range(stage, data.n_hidden):
            layer = data.layers[t]
            values = [
                sum((layer[j, m] * v for m, v in enumerate(rates) if v), fmpq(0))
                for j in range(layer.nrows())
            ]
            found.append(values)
            if t + 1 < data.n_hidden:
                signs = self.sides[t + 1][i]
                rates = [v if s > 0 else data.slope * v for v, s in zip(values, signs, strict=True)]
        return found


__all__ = ["Link", "Row", "Vanishing", "one_sided"]
