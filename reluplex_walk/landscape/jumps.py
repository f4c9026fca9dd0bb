"""The jumps that the gradient of a layer's loss makes where a segment crosses breakpoints.

Each is a multiple of the normal of its breakpoint, and is computed from that, on the one sample
that is crossed; nothing is a difference of gradients.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._shown import repr_html
from .._validate import instance
from ..native.glass import jump
from ..problem.loss import Floats, LayerLoss
from ..regions.line import Crossings, crossings
from .vanishing import off_breakpoints

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

KINDS = ("all", "hidden", "residual")


@dataclass(frozen=True, eq=False)
class Jumps:
    """What :func:`jumps` returns: c jumps of the gradient in the order they are met.

    Attributes
    ----------
    times : ndarray (c,)
        Where on the segment, ascending: 0 at its start, 1 at its end.
    ids : ndarray (c,)
        The breakpoints crossed; :meth:`reluplex_walk.LayerLoss.locate` makes them readable.
    hidden : ndarray (c,) of bool
        Whether a hidden neuron switches; else a residual changes its sign.
    along : ndarray (c,)
        J.v, with v the unit vector from start to end: the change of the slope of the loss.
    rows : ndarray (c, h)
    inputs : ndarray (c, q)
        Each jump is the outer product of its row and the inputs, with a constant, of its sample.

    Examples
    --------
    The fit ``max(0, w x)`` to the point (1, 2) crosses its kink at w = 0 and the target at w = 2:

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]], [[1.0]]], [[0.0], [0.0]])
    >>> loss = rw.LayerLoss(net, [[1.0]], [2.0])
    >>> found = rw.glass.jumps(loss, [[-1.0, 0.0]], [[3.0, 0.0]])
    >>> found.times.tolist(), found.hidden.tolist(), found.along.tolist()
    ([0.25, 0.75], [True, False], [-1.0, 2.0])
    >>> found.vectors.tolist(), found.squares.tolist()
    ([[-1.0, -1.0], [2.0, 2.0]], [5.0, 5.0])
    """

    times: Floats
    ids: Ints
    hidden: Bools
    along: Floats
    rows: Floats
    inputs: Floats

    @cached_property
    def vectors(self) -> Floats:
        """The jumps themselves, (c, D)."""
        products = self.rows[:, :, None] * self.inputs[:, None, :]
        return products.reshape(len(products), self.rows.shape[1] * self.inputs.shape[1])

    @property
    def squares(self) -> Floats:
        """Sum of squares of the jumps in each coordinate, (D,)."""
        return ((self.rows**2).T @ self.inputs**2).ravel()

    def of_kind(self, kind: str) -> "Jumps":
        """Those of one `kind`: "all", "hidden" or "residual".

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[1.0]], [2.0])
        >>> rw.glass.jumps(loss, [[-1.0, 0.0]], [[3.0, 0.0]]).of_kind("residual")
        Jumps(0 hidden, 1 of residuals)
        """
        if kind == "all":
            return self
        part = self.hidden == (kind == "hidden")
        arrays = self.times, self.ids, self.hidden, self.along, self.rows, self.inputs
        return Jumps(*(each[part] for each in arrays))

    def path(self, times: Floats) -> Floats:
        """The gradient at ascending `times` (m,) less that at the start: (m, D).

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[1.0]], [2.0])
        >>> rw.glass.jumps(loss, [[-1.0, 0.0]], [[3.0, 0.0]]).path(np.array([0.0, 0.5, 1.0]))
        array([[ 0.,  0.],
               [-1., -1.],
               [ 1.,  1.]])
        """
        ends = np.searchsorted(self.times, times)
        bounds = zip(np.append(0, ends), ends, strict=False)
        steps = [self.rows[a:b].T @ self.inputs[a:b] for a, b in bounds]
        return np.cumsum(np.reshape(steps, (len(times), -1)), axis=0)

    def __len__(self) -> int:
        return len(self.ids)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        hidden = int(self.hidden.sum())
        return f"Jumps({hidden} hidden, {len(self) - hidden} of residuals)"


def jumps(loss: LayerLoss, start: ArrayLike, end: ArrayLike) -> Jumps:
    """All jumps of the gradient of `loss` on the open segment from `start` to `end`.

    Their sum is the gradient at the end minus that at the start.  Where several breakpoints of one
    sample vanish at once, the order in which they are crossed, and with it how the sum is shared
    among them, is that of :func:`reluplex_walk.crossings`.

    Parameters
    ----------
    loss : LayerLoss
    start, end : array_like (h, q) or (D,)

    Returns
    -------
    Jumps

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.  Also if breakpoints vanish at `start`
        or at `end`, where the gradient has no value of its own.

    Examples
    --------
    >>> import numpy as np, reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
    >>> a, b = loss.random_start(0), loss.random_start(1)
    >>> found = rw.glass.jumps(loss, a, b)
    >>> change = (loss.gradient(b) - loss.gradient(a)).ravel()
    >>> bool(np.allclose(found.vectors.sum(axis=0), change))
    True
    """
    instance("loss", loss, LayerLoss)
    first, last = loss.parameters(start, "start"), loss.parameters(end, "end")
    off_breakpoints(loss, first, "start")
    off_breakpoints(loss, last, "end")
    return at_crossings(loss, first, last - first, crossings(loss, first, last))


def at_crossings(loss: LayerLoss, first: Floats, way: Floats, found: Crossings) -> Jumps:
    """The jumps at the breakpoints `found` from `first` to ``first + way``, both (h, q)."""
    kernel, c, leak = loss.kernel, loss.index.split(found.ids), loss.network.negative_slope
    hidden = c.stage < loss.n_hidden
    sample = np.where(hidden, c.column, loss.owner.take(c.column, mode="clip"))
    met = np.zeros(len(loss.inputs), np.bool_)
    met[sample] = True
    samples, curves = np.flatnonzero(met), np.cumsum(met) - 1
    rows = np.flatnonzero(met[loss.owner])  # residual rows of these samples
    owner = curves[loss.owner[rows]]

    on, above = _sides(loss, first, way, found.times, samples, rows, owner)
    left, right = loss.left[rows], loss.right[rows]
    begins = np.searchsorted(owner, np.arange(len(samples)))
    order = np.argsort(sample, kind="stable")
    u = np.empty((len(order), loss.shape[0]))
    jump(
        *(kernel.w, kernel.offset, kernel.widths, kernel.row, kernel.stage),
        (kernel.row[c.stage] + c.neuron)[order],
        np.searchsorted(rows, c.column)[order],
        curves[sample[order]],
        np.where(on, 1.0, leak),
        (1.0 - leak) * (1.0 - 2.0 * on),
        np.add.reduceat(np.where(above, right, -left), begins),
        (left + right) * (1.0 - 2.0 * above),
        np.empty(kernel.bias.size),
        u,
    )
    back = np.empty_like(u)
    back[order] = u
    inputs = np.column_stack([loss.inputs[sample], np.ones(len(sample))])
    length = float(np.linalg.norm(way)) or 1.0
    along = (back * (inputs @ way.T)).sum(axis=1) / length
    return Jumps(*found, hidden, along, back, inputs)


def _sides(
    loss: LayerLoss,
    first: Floats,
    way: Floats,
    times: Floats,
    samples: Ints,
    rows: Ints,
    owner: Ints,
) -> tuple[Bools, Bools]:
    """Whether hidden neurons (S, H) and residuals (rows, K) are positive before all crossings.

    What is 0 at first, as above neurons that are off, has the sign that it has when it first has
    one: that is no crossing.
    """

    def values(theta: Floats) -> tuple[Floats, Floats]:
        *layers, outputs = loss.pre_activations(theta, loss.inputs[samples])
        hidden = np.concatenate([np.empty((len(samples), 0)), *layers], axis=1)
        return hidden, outputs[owner] - loss.targets[rows]

    hidden, residual = values(first)
    if not (hidden.all() and residual.all()):
        ends = np.concatenate([[0.0], times, [1.0]])
        for t in (ends[1:] + ends[:-1]) / 2.0:
            later = values(first + t * way)
            hidden = np.where(hidden == 0.0, later[0], hidden)
            residual = np.where(residual == 0.0, later[1], residual)
    return hidden >= 0.0, residual >= 0.0


__all__ = ["KINDS", "Jumps", "at_crossings", "jumps"]
