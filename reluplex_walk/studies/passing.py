"""`Activity`: which configurations points have seen, from entry to entry and on the way."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork
from ..regions.line import crossings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Activity:
    """The configurations that `count` points have seen, of units in layers of those `widths`.

    One entry is recorded by each :meth:`arrive`.
    """

    def __init__(self, count: int, widths: Sequence[int]) -> None:
        self.widths = tuple(widths)
        self.configurations: list[float] = []  # a mean over points, of each entry
        self.switched: list[float] = []  # a mean over points and units, of each entry
        self._active: Bools | None = None  # (points, units)
        self._seen: list[set[bytes]] = [set() for _ in range(count)]
        self._found = 0
        self._switches = np.zeros(sum(self.widths), np.int64)

    def arrive(self, active: Bools) -> None:
        """An entry, at which these (points, units) are active."""
        new = np.arange(len(active))
        if self._active is not None:
            changed = active != self._active
            self._switches += changed.sum(axis=0)
            new = np.flatnonzero(changed.any(axis=1))
        self._active = active.copy()
        self._look(new)
        count = len(self._seen)
        self.configurations.append(self._found / count)
        self.switched.append(float(self._switches.mean()) / count)

    def go(self, points: Ints, units: Ints, times: Floats) -> None:
        """On the way to the next entry these change, in ascending order of `times`."""
        assert self._active is not None  # there was an entry
        np.add.at(self._switches, units, 1)
        order = np.lexsort([times, points])
        points, units, times = points[order], units[order], times[order]
        last = len(points) - 1
        for k, (point, unit) in enumerate(zip(points.tolist(), units.tolist(), strict=True)):
            self._active[point, unit] ^= True
            together = k < last and points[k + 1] == point and times[k + 1] == times[k]
            if not together:
                self._look(points[k : k + 1])

    def _look(self, points: Ints) -> None:
        """Notes the configurations of these points."""
        assert self._active is not None
        for point, key in zip(
            points.tolist(), np.packbits(self._active[points], axis=1), strict=True
        ):
            seen, before = self._seen[point], len(self._seen[point])
            seen.add(key.tobytes())
            self._found += len(seen) - before

    @property
    def per_point(self) -> Ints:
        """Configurations of each point so far."""
        return np.array([len(seen) for seen in self._seen], np.int64)

    @property
    def switches(self) -> tuple[Floats, ...]:
        """Switches of each unit so far, a mean over points, by layers."""
        means = self._switches / len(self._seen)
        return tuple(np.split(means, np.cumsum(self.widths)[:-1]))


def active_units(network: ReLUNetwork, inputs: Floats, low: int) -> Bools:
    """Which hidden units (points, units) from layer `low` on are active; those at 0 are.

    `inputs` (points, p) are those of that layer.
    """
    parts = []
    for w, b in zip(network.weights[low:-1], network.biases[low:-1], strict=True):
        values = inputs @ w.T + b
        parts.append(values >= 0.0)
        inputs = network.activation(values)
    return np.concatenate(parts, axis=1)


def units_crossed(loss: LayerLoss, start: Floats, end: Floats) -> tuple[Ints, Ints, Floats]:
    """Points, units and times of all hidden breakpoints crossed from `start` to `end`."""
    times, ids = crossings(loss, start, end)
    hidden = ids < loss.index.hidden
    place = loss.index.split(ids[hidden])
    first_unit = np.concatenate([[0], np.cumsum(loss.index.widths[: loss.n_hidden])])
    return place.column, first_unit[place.stage] + place.neuron, times[hidden]


__all__ = ["Activity", "active_units", "units_crossed"]
