"""Names of breakpoints: ids of the kernels, places in the arrays of a loss, rows users see."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .native.arrays import FREE

if TYPE_CHECKING:
    from .loss import LayerLoss

Ints = NDArray[np.int64]


class Breakpoints(NamedTuple):
    """Breakpoints (k,) by their places in the arrays of a loss.

    ``stage`` counts hidden layers from the trained one upwards, then the residuals; ``column`` is
    the sample, for residuals the residual row; ``neuron`` the neuron (output) of that layer.
    """

    stage: Ints
    column: Ints
    neuron: Ints

    def take(self, members: NDArray) -> "Breakpoints":
        """Those with the indices `members`."""
        return Breakpoints(*(part[members] for part in self))


def split(loss: "LayerLoss", ids: ArrayLike) -> Breakpoints:
    """Places of the breakpoints with these ids; FREE ids are left out."""
    ids = np.asarray(ids, np.int64).ravel()
    ids = ids[ids != FREE]
    kernel = loss.kernel
    n, m = kernel.x.shape[1], kernel.owner.size
    hidden = int(kernel.row[loss.n_hidden])
    is_hidden = ids < hidden * n
    rows = np.where(is_hidden, ids // n, hidden + (ids - hidden * n) // m)
    stage = kernel.stage[rows]
    column = np.where(is_hidden, ids % n, (ids - hidden * n) % m)
    return Breakpoints(stage, column, rows - kernel.row[stage])


def join(loss: "LayerLoss", c: Breakpoints) -> Ints:
    """Ids of the breakpoints at these places: the inverse of `split`."""
    kernel = loss.kernel
    n, m = kernel.x.shape[1], kernel.owner.size
    hidden = int(kernel.row[loss.n_hidden])
    row = kernel.row[c.stage] + c.neuron
    residual = hidden * n + (row - hidden) * m + c.column
    return np.asarray(np.where(c.stage == loss.n_hidden, residual, row * n + c.column), np.int64)


def locate(loss: "LayerLoss", ids: ArrayLike) -> Ints:
    """Rows (layer, sample, neuron) of the breakpoints with these ids; FREE ids are left out.

    ``sample`` is the first row of X that the breakpoint belongs to.
    """
    c = split(loss, ids)
    residual = c.stage == loss.n_hidden
    sample = np.where(
        residual,
        loss.residual_rows[c.column * residual],
        loss.sample_rows[c.column * ~residual],
    )
    return np.column_stack([c.stage, sample, c.neuron])


def identify(loss: "LayerLoss", located: ArrayLike) -> Ints:
    """Ids from rows (layer, sample, neuron): the inverse of `locate`.

    Raises ValueError if a row names no breakpoint.
    """
    rows = np.asarray(located, np.int64).reshape(-1, 3)
    last = loss.n_hidden
    known = (rows >= 0).all(axis=1) & (rows[:, 0] <= last) & (rows[:, 1] < len(loss.X))
    known[known] = rows[known, 2] < loss.kernel.widths[rows[known, 0]]
    columns = np.full(len(rows), -1)
    for samples, here in (
        (loss.sample_rows, known & (rows[:, 0] < last)),
        (loss.residual_rows, known & (rows[:, 0] == last)),
    ):
        place = np.full(len(loss.X), -1)
        place[samples] = np.arange(samples.size)
        columns[here] = place[rows[here, 1]]
    if (columns < 0).any():
        unknown = tuple(rows[np.argmax(columns < 0)].tolist())
        raise ValueError(f"active: {unknown} is no breakpoint of this loss")
    return join(loss, Breakpoints(rows[:, 0], columns, rows[:, 2]))


__all__ = ["Breakpoints", "identify", "join", "locate", "split"]
