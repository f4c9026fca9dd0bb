"""What vanishes at an exact point, and the one-sided derivative of the loss there, for the checker.

Rows of the data with equal inputs (and targets) share their breakpoints, which are named by the
first of them.
"""

from typing import NamedTuple

import numpy as np
from flint import fmpq, fmpq_mat

from .check_blocks import Link
from .check_loss import CheckedLoss, Piece, Signs
from .check_parts import OneSidedDerivative

Row = tuple[int, ...]  # (layer, sample, neuron), the sample a row of X


class Vanishing(NamedTuple):
    """The breakpoints that are 0 at a point, each once."""

    rows: dict[Row, list[int]]  # the rows of the checked data that share it

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, data: CheckedLoss, signs: Signs) -> "Vanishing":
        """Where `signs` are 0."""
        rows: dict[Row, list[int]] = {}
        leaders: dict[bytes, int] = {}
        for stage, sign in enumerate(signs):
            residual = stage == len(signs) - 1
            for i, neuron in zip(*(part.tolist() for part in np.nonzero(sign == 0)), strict=True):
                key = _key(data.inputs[i]) + (_key(data.targets[i]) if residual else b"")
                leader = leaders.setdefault(key, i)
                rows.setdefault((stage, int(data.kept[leader]), neuron), []).append(i)
        return cls(rows)

    def sides(self, signs: Signs, said: list[Row], given: list[int]) -> Signs:
        """The region in which the breakpoints `said` have the `given` sides: all +-1."""
        sides = [sign.copy() for sign in signs]
        for row, side in zip(said, given, strict=True):
            stage, _, neuron = row
            sides[stage][self.rows[row], neuron] = side
        return sides


def _key(numbers: np.ndarray) -> bytes:
    return bytes((numbers + 0.0).tobytes())  # no -0.0


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
        self.data, self.vanishing, self.sides = data, vanishing, sides
        self.chains: dict[tuple[bytes, int], fmpq_mat] = {}
        self.of_sample: dict[int, list[Row]] = {}
        for row, rows in vanishing.rows.items():
            for i in rows:
                self.of_sample.setdefault(i, []).append(row)

    def _pattern(self, i: int) -> Signs:
        return [side[i] for side in self.sides[:-1]]

    def normal(self, place: Row) -> list[fmpq]:
        """Gradient (D,) of the breakpoint, positive on its side."""
        stage, _, neuron = place
        i = self.vanishing.rows[place][0]
        key = (b"".join(sign.tobytes() for sign in self._pattern(i)), stage)
        if key not in self.chains:
            self.chains[key], _ = self.data.chain(self._pattern(i), stage)
        side, m = int(self.sides[stage][i, neuron]), self.chains[key]
        row, factors = self.data.row(i), [side * m[neuron, j] for j in range(self.data.h)]
        return [factor * x if factor else factor for factor in factors for x in row]

    def kink(self, place: Row) -> fmpq:
        """What the slope of the loss changes by, per unit of min(0, t)."""
        stage, _, neuron = place
        rows, data = self.vanishing.rows[place], self.data
        if stage == data.n_hidden:
            return -sum((sum(data.costs(i, neuron), fmpq(0)) for i in rows), fmpq(0))
        above = self._above(place)[-1]
        total = fmpq(0)
        for i in rows:
            for k, derivative in enumerate(above):
                down, up = data.costs(i, k)
                total += derivative * (up if self.sides[-1][i, k] > 0 else -down)
        return (data.slope - 1) * total

    def followers(self, place: Row) -> list[tuple[Row, fmpq]]:
        """Deeper breakpoints of the same sample whose rate follows min(0, t), and by how much."""
        stage = place[0]
        if stage == self.data.n_hidden:
            return []
        found: dict[Row, fmpq] = {}
        above = self._above(place)
        for i in self.vanishing.rows[place]:
            for other in self.of_sample[i]:
                t, _, j = other
                if t > stage and other not in found:
                    side = int(self.sides[t][i, j])
                    found[other] = (self.data.slope - 1) * side * above[t - stage - 1][j]
        return [(other, value) for other, value in found.items() if value]

    def _above(self, place: Row) -> list[list[fmpq]]:
        """Derivatives of the values of all stages above by the activation of the breakpoint."""
        stage, _, neuron = place
        i, data = self.vanishing.rows[place][0], self.data
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
