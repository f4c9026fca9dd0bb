"""`Barrier`: a path between two points, how high it is, and how much lower one could be."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._conversions import frame
from .._shown import repr_html
from ..ended import Ended
from ..problem.loss import LayerLoss

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]


class BarrierProgress(NamedTuple):
    """What the callback of :func:`barrier` is told.

    Attributes
    ----------
    level : float
        The highest loss on the best path so far.
    n_vertices : int
        Vertices seen by the flood so far.
    elapsed : float
        Seconds.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
    >>> told = []
    >>> found = rw.barrier(loss, [3.0, -6.0], [-2.0, 2.0], callback=told.append)
    >>> told[-1].level == found.level
    True
    """

    level: float
    n_vertices: int
    elapsed: float


@dataclass(frozen=True, eq=False)
class Barrier:
    """How high the loss rises on the way between two points: what :func:`.barrier` returns.

    Attributes
    ----------
    problem : LayerLoss
    path : ndarray (K, h, q)
        A path of segments from one point to the other; the place where it is highest is among its
        points.  If it leads across vertices, these are exact vertices, rounded.
    losses : ndarray (K,)
        The loss at its points.
    level : float
        The highest loss on the path.
    level_exact : Fraction
        The same in exact arithmetic.
    lower : float
        No path is lower: at least the higher loss of both ends, or what the flood proved.
    exact : bool
        Whether the level is that of the lowest pass: `lower` is no less, up to rounding.
    reason : str
        Why it is, or why it may not be.
    straight : float
        The highest loss on the straight segment.
    n_vertices : int
        Vertices the flood has seen.
    ended : Ended
        FINISHED where the search came to its own end, whatever it proved; WORK_LIMIT at
        `max_edges`, TIME_LIMIT or INTERRUPTED.
    elapsed : float
        Seconds.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
    >>> found = rw.barrier(loss, [3.0, -6.0], [-2.0, 2.0])
    >>> found
    Barrier(level=5, exact)
    >>> found.losses[[0, found.top, -1]], found.straight
    (array([2., 5., 3.]), 5.0)
    >>> found.height, found.straight_height  # above the higher end, that of 3
    (2.0, 2.0)
    >>> found.a.tolist(), found.b.tolist(), len(found.lengths) == len(found.path)
    ([[3.0, -6.0]], [[-2.0, 2.0]], True)
    """

    problem: LayerLoss
    path: Floats
    losses: Floats
    level: float
    level_exact: Fraction = field(repr=False)
    lower: float
    exact: bool
    reason: str
    straight: float
    n_vertices: int
    ended: Ended
    elapsed: float

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        state = "exact" if self.exact else f"at least {self.lower:.6g}"
        return f"Barrier(level={self.level:.6g}, {state})"

    @property
    def a(self) -> Floats:
        """(h, q) Where the path begins."""
        return np.asarray(self.path[0])

    @property
    def b(self) -> Floats:
        """(h, q) Where it ends."""
        return np.asarray(self.path[-1])

    @property
    def top(self) -> int:
        """Number of the point at which the path is highest."""
        return int(np.argmax(self.losses))

    @property
    def height(self) -> float:
        """The level above the higher of both ends, at least 0."""
        return max(0.0, self.level - float(max(self.losses[0], self.losses[-1])))

    @property
    def straight_height(self) -> float:
        """The same of the straight segment: the barrier of linear mode connectivity."""
        return max(0.0, self.straight - float(max(self.losses[0], self.losses[-1])))

    def to_frame(self) -> Any:
        """A table of pandas, a row for each point of the path, with the length of the way there.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
        >>> table = rw.barrier(loss, [3.0, -6.0], [-2.0, 2.0]).to_frame()
        >>> list(table.columns), float(table.loss.max())
        (['length', 'loss'], 5.0)
        """
        return frame({"length": self.lengths, "loss": self.losses}, "point")

    @property
    def lengths(self) -> Floats:
        """(K,) The way along the path to each of its points."""
        steps = np.linalg.norm(np.diff(self.path, axis=0), axis=(1, 2))
        return np.append(0.0, np.cumsum(steps))

    def summary(self) -> str:
        """A few lines: the barrier, the straight one, and what is proved.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
        >>> print(rw.barrier(loss, [3.0, -6.0], [-2.0, 2.0]).summary())
        barrier         level 5, 2 above the higher end
        ends            losses 2 and 3
        straight        level 5, 2 above the higher end
        exact           yes: no path between them stays lower
        """
        proved = f"{'yes' if self.exact else 'no'}: {self.reason}"
        above = "above the higher end"
        return "\n".join(
            [
                f"barrier         level {self.level:.6g}, {self.height:.4g} {above}",
                f"ends            losses {self.losses[0]:.6g} and {self.losses[-1]:.6g}",
                f"straight        level {self.straight:.6g}, {self.straight_height:.4g} {above}",
                f"exact           {proved}",
                *([] if self.exact else [f"lowest pass     at least {self.lower:.6g}"]),
            ]
        )

    def plot(self, ax: Axes | None = None, title: str | None = None) -> Axes:
        """The loss along the path and along the straight segment, on the axes `ax`, with a `title`.

        See :func:`reluplex_walk.plotting.plot_barrier` (extra ``plot``).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
        >>> found = rw.barrier(loss, [3.0, -6.0], [-2.0, 2.0])
        >>> found.plot(ax=Figure().subplots(), title="a pass").get_title()
        'a pass'
        """
        from ..plotting import plot_barrier

        return plot_barrier(self, ax, title)


__all__ = ["Barrier", "BarrierProgress"]
