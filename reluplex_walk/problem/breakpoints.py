"""Names of breakpoints: ids of the kernels, places in the arrays of a loss, rows users see."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..native.arrays import FREE

Ints = NDArray[np.int64]


class Breakpoints(NamedTuple):
    """Breakpoints (k,) by their places in the arrays of a loss.

    ``stage`` counts hidden layers from the trained one upwards, then the residuals, then the
    weights of the trained layer, if they have a penalty; ``column`` is the sample, for residuals
    the residual row, for weights the input; ``neuron`` the neuron (output) of that layer.
    """

    stage: Ints
    column: Ints
    neuron: Ints

    def take(self, members: NDArray) -> "Breakpoints":
        """Those with the indices `members`."""
        return Breakpoints(*(part[members] for part in self))


@dataclass(frozen=True, eq=False)
class BreakpointIndex:
    """The breakpoints of a loss, stage by stage: hidden layers from the trained one, residuals.

    A stage is a table of neurons (or outputs) and columns: distinct inputs (samples) in a hidden
    stage, distinct pairs of input and target (residual rows) in that of the residuals.  Its ids
    follow those of the stages before it, neuron by neuron.

    Weights with a penalty are a further stage, of neurons and inputs of the trained layer.  Kernels
    have them among the samples, after them, and so have the ids: the columns of a hidden stage (of
    the residuals, where there is none) are followed by those of the weights, which in stages above
    the trained layer stand for nothing.
    """

    widths: tuple[int, ...]  # (S,) neurons
    rows: tuple[Ints, ...]  # S arrays (columns,): the first row of X that each column belongs to
    n_rows: int  # of X, or inputs of the trained layer, if these are more
    residuals: int  # the stage of the residuals

    @cached_property
    def columns(self) -> Ints:
        """Columns of each stage, (S,)."""
        return np.array([len(rows) for rows in self.rows], np.int64)

    @property
    def weights(self) -> int:
        """Inputs of the trained layer whose weights have a penalty."""
        return int(self.columns[self.residuals + 1 :].sum())

    @cached_property
    def slots(self) -> Ints:
        """Ids of each neuron of a stage but that of the weights."""
        slots = self.columns[: self.residuals + 1].copy()
        slots[: max(1, self.residuals)] += self.weights
        return slots

    @cached_property
    def start(self) -> Ints:
        """First id of each stage but that of the weights, and the number of all ids."""
        return np.concatenate([[0], np.cumsum(self.slots * self.widths[: self.residuals + 1])])

    @property
    def size(self) -> int:
        """Number of all ids."""
        return int(self.start[-1])

    @property
    def hidden(self) -> int:
        """Number of hidden breakpoints: the ids below it are theirs."""
        return int(self.start[self.residuals])

    @property
    def hidden_neurons(self) -> int:
        """Neurons of all hidden stages together."""
        return sum(self.widths[: self.residuals])

    def split(self, ids: ArrayLike) -> Breakpoints:
        """Places of the breakpoints with these ids; FREE ids are left out."""
        flat: Ints = np.asarray(ids, np.int64).ravel()
        flat = flat[flat != FREE]
        stage = np.searchsorted(self.start, flat, side="right") - 1
        neuron, column = np.divmod(flat - self.start[stage], self.slots[stage])
        weight = column >= self.columns[stage]
        column = column - weight * self.columns[stage]
        return Breakpoints(np.where(weight, self.residuals + 1, stage), column, neuron)

    def join(self, c: Breakpoints) -> Ints:
        """Ids of the breakpoints at these places: the inverse of `split`."""
        weight = c.stage > self.residuals
        stage = np.where(weight, 0, c.stage)
        column = c.column + weight * self.columns[0]
        return np.asarray(self.start[stage] + c.neuron * self.slots[stage] + column)

    def locate(self, ids: ArrayLike) -> Ints:
        """Rows (layer, sample, neuron) of the breakpoints with these ids; FREE ids are left out.

        ``sample`` is the first row of X that the breakpoint belongs to; of a weight the input.
        """
        c = self.split(ids)
        sample = np.zeros(len(c.stage), np.int64)
        for stage, rows in enumerate(self.rows):
            here = c.stage == stage
            sample[here] = rows[c.column[here]]
        return np.column_stack([c.stage, sample, c.neuron])

    def identify(self, located: ArrayLike) -> Ints:
        """Ids from rows (layer, sample, neuron): the inverse of `locate`.

        Raises ValueError if a row names no breakpoint.
        """
        rows = np.asarray(located, np.int64).reshape(-1, 3)
        known = (
            (rows >= 0).all(axis=1) & (rows[:, 0] < len(self.widths)) & (rows[:, 1] < self.n_rows)
        )
        known[known] = rows[known, 2] < np.array(self.widths)[rows[known, 0]]
        columns = np.full(len(rows), -1)
        for stage, first_rows in enumerate(self.rows):
            place = np.full(self.n_rows, -1)
            place[first_rows] = np.arange(len(first_rows))
            here = known & (rows[:, 0] == stage)
            columns[here] = place[rows[here, 1]]
        if (columns < 0).any():
            unknown = tuple(rows[np.argmax(columns < 0)].tolist())
            raise ValueError(f"active: {unknown} is no breakpoint of this loss")
        return self.join(Breakpoints(rows[:, 0], columns, rows[:, 2]))

    def key(self, signs: Sequence[NDArray[np.int8]], active: Ints) -> bytes:
        """Hash of an activation pattern, `signs` per row of X, the breakpoints `active` being 0.

        Rows (layer, sample, neuron) of `active` are as from `locate`.  The same vertex (or face)
        has the same key, however it was computed.
        """
        signs = [sign.copy() for sign in signs]
        for stage, row, neuron in active:
            signs[stage][row, neuron] = 0
        parts = (sign[rows].tobytes() for sign, rows in zip(signs, self.rows, strict=True))
        return blake2b(b"".join(parts), digest_size=16).digest()


__all__ = ["BreakpointIndex", "Breakpoints"]
