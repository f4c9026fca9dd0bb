"""Exact sections of the loss by a line: all breakpoints on it, and the loss between them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validate import instance
from ..problem.loss import LayerLoss
from .window import cells_of, window_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
    """

    problem: LayerLoss
    origin: Floats
    direction: Floats
    positions: Floats
    losses: Floats
    slopes: Floats
    breakpoints: list[Ints]

    def __repr__(self) -> str:
        return f"LineSection({len(self.breakpoints)} breakpoints)"


def line_section(
    loss: LayerLoss, origin: ArrayLike, direction: ArrayLike, extent: Any = 1.0
) -> LineSection:
    """The loss along a line, with all breakpoints on it.

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
    point, d = loss.parameters(origin, "origin"), loss.parameters(direction, "direction")
    if not d.any():
        raise ValueError("direction: expected a direction, found zeros")
    chunks = list(cells_of(loss, point, [d], window_of(extent, 1)))
    ends = np.concatenate([chunk.vertex for chunk in chunks]).reshape(-1, 2)
    order = np.argsort(ends.min(axis=1))
    piece = np.concatenate([chunk.piece for chunk in chunks])[order]
    positions = np.append(ends.min(axis=1)[order], ends.max())
    patterns = np.concatenate([chunk.pattern for chunk in chunks])[order]
    flips = np.unpackbits(patterns[1:] ^ patterns[:-1], axis=1)
    slopes, offsets = piece.T
    losses = np.append(slopes * positions[:-1] + offsets, slopes[-1] * positions[-1] + offsets[-1])
    return LineSection(
        problem=loss,
        origin=point,
        direction=d,
        positions=positions,
        losses=losses,
        slopes=slopes,
        breakpoints=[loss.locate(np.flatnonzero(row)) for row in flips],
    )


__all__ = ["LineSection", "line_section"]
