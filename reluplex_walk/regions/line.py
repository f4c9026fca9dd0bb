"""The loss along a line of parameters: every breakpoint crossed, and the loss in between."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._conversions import frame
from .._shown import repr_html
from .._validate import instance
from ..problem.loss import Floats, LayerLoss
from ..problem.penalty import refuse
from .sweep import Line, exact_sweep, merged, rounded_sweep
from .window import window_of

Ints = NDArray[np.int64]

_INSIDE = np.nextafter(0.0, 1.0), np.nextafter(1.0, 0.0)  # rounding leaves no time at an end


class Crossings(NamedTuple):
    """What :func:`crossings` returns.

    Attributes
    ----------
    times : ndarray (c,)
        Where on the segment, ascending: 0 at `start`, 1 at `end`.
    ids : ndarray (c,)
        Breakpoint ids; :meth:`LayerLoss.locate` makes them readable.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> loss = rw.LayerLoss(rw.ReLUNetwork([[[1.0]]], [[0.0]]), [[1.0], [2.0]], [1.0, 1.0])
    >>> times, ids = rw.crossings(loss, [0.0, 0.0], [2.0, 0.0])  # residuals 2 t - 1 and 4 t - 1
    >>> times.tolist(), ids.tolist()
    ([0.25, 0.5], [1, 0])
    """

    times: Floats
    ids: Ints

    def _repr_html_(self) -> str:
        return repr_html(self)

    def to_frame(self) -> Any:
        """A table of pandas, a row for each crossing: its time and the id of the breakpoint.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork([[[1.0]]], [[0.0]]), [[1.0], [2.0]], [1.0, 1.0])
        >>> rw.crossings(loss, [0.0, 0.0], [2.0, 0.0]).to_frame().values.tolist()
        [[0.25, 1.0], [0.5, 0.0]]
        """
        return frame({"time": self.times, "id": self.ids}, "crossing")


def crossings(loss: LayerLoss, start: ArrayLike, end: ArrayLike) -> Crossings:
    """All breakpoints crossed on the open segment from `start` to `end`.

    A breakpoint is crossed where its function changes sign.  To touch 0 and turn back, to be 0
    over a whole interval, and to vanish at an end of the segment is no crossing.  Hidden
    breakpoints may be crossed several times.  The count is exact for the floating-point numbers
    given; the times are rounded.

    Parameters
    ----------
    loss : LayerLoss
    start, end : array_like (h, q) or (D,)

    Returns
    -------
    Crossings
        In ascending order of time.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Examples
    --------
    The fit ``max(0, w x)`` to the point (1, 2) crosses its kink at w = 0 and the target at w = 2:

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]], [[1.0]]], [[0.0], [0.0]])
    >>> loss = rw.LayerLoss(net, [[1.0]], [2.0])
    >>> found = rw.crossings(loss, [[-1.0, 0.0]], [[3.0, 0.0]])
    >>> found.times, loss.locate(found.ids).tolist()
    (array([0.25, 0.75]), [[0, 0, 0], [1, 0, 0]])
    """
    instance("loss", loss, LayerLoss)
    refuse(loss.penalty, "lines")
    first, last = loss.parameters(start, "start"), loss.parameters(end, "end")
    parts = exact_sweep(loss, Line(first, last, first, 0.0, 1.0))
    times = np.concatenate([part.s for part in parts])
    ids = np.concatenate([loss.index.join(part.c) for part in parts])
    order = np.argsort(times, kind="stable")
    return Crossings(np.clip(times[order], *_INSIDE), ids[order])


@dataclass(frozen=True, eq=False)
class LineSection:
    """The loss on a segment of the line ``theta = origin + s direction``.

    Attributes
    ----------
    problem : LayerLoss
    origin, direction : ndarray (h, q)
    positions : ndarray (B + 2,)
        Both ends of the segment and, between them, where breakpoints change sign, ascending.
    losses : ndarray (B + 2,)
        The loss there; it is affine in between.
    slopes : ndarray (B + 1,)
        Its slope by s in each interval.
    breakpoints : list of ndarray (k, 3)
        The breakpoints that change sign at each of the B inner positions, as rows (layer, sample,
        neuron), see :meth:`LayerLoss.locate`.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> section = rw.line_section(loss, [0.0, 0.0], [1.0, 0.0], (-1.0, 2.0))  # slope -1 to 2
    >>> section.losses.round(9).tolist(), section.slopes.round(9).tolist()
    ([4.0, 1.0, 2.0, 5.0], [-3.0, 1.0, 3.0])
    >>> [rows.tolist() for rows in section.breakpoints]  # the residuals of the samples 2 and 1
    [[[0, 2, 0]], [[0, 1, 0]]]
    """

    problem: LayerLoss
    origin: Floats
    direction: Floats
    positions: Floats
    losses: Floats
    slopes: Floats
    breakpoints: list[Ints]

    def to_frame(self) -> Any:
        """A table of pandas, a row for each position; the slope from there on is NaN at the end.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> rw.line_section(loss, [0.0, 0.0], [1.0, 0.0], (-1.0, 2.0)).to_frame().round(9)
           position  loss  slope  n_breakpoints
        0      -1.0   4.0   -3.0              0
        1       0.0   1.0    1.0              1
        2       1.0   2.0    3.0              1
        3       2.0   5.0    NaN              0
        """
        return frame(
            {
                "position": self.positions,
                "loss": self.losses,
                "slope": np.append(self.slopes, np.nan),
                "n_breakpoints": [0, *map(len, self.breakpoints), 0],
            }
        )

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        return f"LineSection({len(self.breakpoints)} breakpoints)"


def line_section(
    loss: LayerLoss, origin: ArrayLike, direction: ArrayLike, extent: Any = 1.0
) -> LineSection:
    """The loss along a line, with all breakpoints on it.

    The breakpoints are those of :func:`crossings`, but up to rounding: values of some 1e-13 of the
    terms they are made of are 0, and crossings that this does not tell apart have one position.
    What is 0 over an interval counts as positive there.

    Parameters
    ----------
    loss : LayerLoss
    origin, direction : array_like (h, q) or (D,)
        The line ``theta = origin + s direction``.
    extent : float or pair, default 1.0
        The segment (s_min, s_max); a number e > 0 means (-e, e).

    Returns
    -------
    LineSection

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit: a direction of zeros, an empty segment.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> rw.line_section(loss, [0.0, 0.0], [1.0, 0.0], (-1.0, 2.0)).positions.tolist()
    [-1.0, 0.0, 1.0, 2.0]
    """
    instance("loss", loss, LayerLoss)
    refuse(loss.penalty, "lines")
    point, d = loss.parameters(origin, "origin"), loss.parameters(direction, "direction")
    if not d.any():
        raise ValueError("direction: expected a direction, found zeros")
    low, high = window_of(extent, 1)
    crossed, pieces, signs = rounded_sweep(loss, Line(point, d, np.zeros(d.shape), low, high))
    ids = loss.index.join(crossed.c)
    order = np.argsort(crossed.s, kind="stable")
    s = crossed.s[order]
    places = merged(s, crossed.blur[order])
    new = np.append(True, places[1:] != places[:-1])[: s.size]
    inner, index = places[new], np.cumsum(new)  # position of each crossing, counted from 1
    located = loss.locate(ids[order[np.lexsort((ids[order], index))]])
    bounds = [*np.flatnonzero(new).tolist(), s.size]

    # The loss of each residual row begins with its first piece and changes with every other.
    rate = np.where(signs < 0, -loss.left[pieces.curve], loss.right[pieces.curve])
    own = (pieces.rows * rate).sum(axis=2)
    begins = np.append(True, pieces.curve[1:] != pieces.curve[:-1])
    at = np.append(index, 0)[np.where(begins, s.size, np.searchsorted(s, pieces.ends[0]))]
    change = own - np.where(begins, 0.0, np.roll(own, 1, axis=1))
    offsets, slopes = np.cumsum([np.bincount(at, v, inner.size + 1) for v in change], axis=1)
    positions = np.concatenate([[low], inner, [high]]) + 0.0  # no -0.0
    losses = np.append(slopes, slopes[-1]) * positions + np.append(offsets, offsets[-1])
    return LineSection(
        problem=loss,
        origin=point,
        direction=d,
        positions=positions,
        losses=losses,
        slopes=slopes,
        breakpoints=[located[a:b] for a, b in pairwise(bounds)],
    )


__all__ = ["Crossings", "LineSection", "crossings", "line_section"]
