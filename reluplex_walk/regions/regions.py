"""`Regions`: affine regions of the loss, how they touch, and the minima among them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from .._conversions import by_rows, frame
from .._limits import Limits
from .._logs import logged
from .._shown import repr_html
from ..ended import Ended
from ..problem.loss import LayerLoss, Pattern
from ..tolerances import REGIONS
from .decide import Window
from .minima import LocalMinima, Minima, Minimum, Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Indices = NDArray[np.int32]  # where there are many

_MESSAGES = {
    Ended.FINISHED: "all regions found",
    Ended.WORK_LIMIT: "stopped at max_regions",
    Ended.TIME_LIMIT: "stopped at time_limit",
    Ended.INTERRUPTED: "interrupted",
}


@dataclass(frozen=True, eq=False)
class Regions:
    """Affine regions of a loss: what :func:`.enumerate_regions` returns.

    A region is an open convex polyhedron of parameters on which no breakpoint, hidden or residual,
    changes sign; the loss is affine on it.  N is their number; a region's index is its place in the
    arrays below.

    Attributes
    ----------
    problem : LayerLoss
    patterns : ndarray (N, bytes) of uint8
        Bit c (counted from the most significant of byte 0) is 1 where breakpoint c is positive; a
        breakpoint that is constant 0 counts as positive.  :meth:`pattern` unpacks them.
    points : ndarray (N, h, q)
        A point inside each.
    gradients, offsets : ndarray (N, h, q), (N,)
        The affine pieces ``F(theta) = <gradient, theta> + offset``.
    bounded : ndarray (N,) of bool
    minimizers, lowest : ndarray (N, h, q), (N,)
        Where the loss is least on the closed region (centre of that face), and that loss.
    flat : ndarray (N,) of bool
        Whether that face is more than one point.
    facets : ndarray (M, 2)
        A row (region, breakpoint) for each facet between regions, seen from that region.
    neighbours : ndarray (M,)
        The region beyond each facet, -1 if it was not found.
    ended : Ended
        Why the search stopped: FINISHED with all regions, WORK_LIMIT at `max_regions`, TIME_LIMIT
        or INTERRUPTED.
    elapsed : float
        Seconds.
    window, inner
        For decisions about minima: the box, and points, gradients and minimizers in the units of
        the kernels.

    Examples
    --------
    Three lines in the plane make seven regions, of which one is a triangle:

    >>> import numpy as np, reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 1])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> regions = rw.enumerate_regions(loss)
    >>> regions.n_regions == regions.n_cells == len(regions)
    True
    >>> regions.ended.name, regions.message
    ('FINISHED', 'all regions found')
    >>> regions.n_regions, regions.n_pieces, int(regions.bounded.sum()), regions.complete
    (7, 7, 1, True)
    >>> values = (regions.gradients * regions.points).sum(axis=(1, 2)) + regions.offsets
    >>> bool(np.allclose(values, [loss(point) for point in regions.points]))
    True
    """

    problem: LayerLoss
    patterns: NDArray[np.uint8]
    points: Floats
    gradients: Floats
    offsets: Floats
    bounded: NDArray[np.bool_]
    minimizers: Floats
    lowest: Floats
    flat: NDArray[np.bool_]
    facets: Indices
    neighbours: Indices
    ended: Ended
    elapsed: float
    window: Window | None = field(default=None, repr=False)
    inner: tuple[Floats, Floats, Floats] = field(default=(), repr=False)  # type: ignore[assignment]

    @property
    def complete(self) -> bool:
        """Whether all regions were found: the search came to its end."""
        return self.ended is Ended.FINISHED

    @property
    def message(self) -> str:
        """How the search ended."""
        return _MESSAGES[self.ended]

    @property
    def n_regions(self) -> int:
        """Number of regions, residual signs included."""
        return len(self.offsets)

    @property
    def n_cells(self) -> int:
        """The older name of `n_regions`."""
        return self.n_regions

    def __len__(self) -> int:
        return self.n_regions

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        state = "complete" if self.complete else "not complete"
        return f"Regions({self.n_regions} regions, {int(self.bounded.sum())} bounded, {state})"

    def pattern(self, index: int) -> Pattern:
        """Signs (-1, +1) in region `index` per row of `X`, as :meth:`LayerLoss.pattern` has them.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> regions = rw.enumerate_regions(loss)  # three lines in the plane
        >>> [signs.shape for signs in regions.pattern(0)]  # residuals only
        [(3, 1)]
        """
        signs = self.problem.pattern(self.points[index], 0.0)
        return [np.where(s == 0, 1, s).astype(np.int8) for s in signs]

    @cached_property
    def edges(self) -> Ints:
        """Pairs of regions with a common facet, (E, 2), each once.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> regions = rw.enumerate_regions(loss)  # three lines in the plane
        >>> regions.edges.shape, bool((regions.edges[:, 0] < regions.edges[:, 1]).all())
        ((9, 2), True)
        """
        found = self.neighbours >= 0
        pairs = np.column_stack([self.facets[found, 0], self.neighbours[found]])
        return np.unique(np.sort(pairs, axis=1), axis=0)

    @cached_property
    def pieces(self) -> Ints:
        """Number of the affine piece each region belongs to, (N,).

        Neighbours with the same affine function, where a sign changes but the loss does not bend,
        are one piece.

        Examples
        --------
        A hidden neuron that the output does not see: its breakpoints cut, the loss is constant.

        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[0.0]]], [[0.0], [0.0]])
        >>> regions = rw.enumerate_regions(rw.LayerLoss(net, [[1.0], [2.0]], [1.0, -1.0]))
        >>> regions.pieces, regions.n_pieces
        (array([0, 0, 0, 0]), 1)
        """
        a, b = self.edges.T
        flat = self.gradients.reshape(self.n_regions, -1)
        size = np.abs(flat).max(initial=0.0)
        same = np.abs(flat[a] - flat[b]).max(axis=1, initial=0.0) <= REGIONS.gradient * size
        links = sparse.coo_matrix(
            (np.ones(int(same.sum())), (a[same], b[same])), (self.n_regions, self.n_regions)
        )
        return np.asarray(csgraph.connected_components(links, directed=False)[1], np.int64)

    @property
    def n_pieces(self) -> int:
        """Number of affine pieces."""
        return int(self.pieces.max(initial=-1)) + 1

    def graph(self) -> nx.Graph:
        """The dual graph, a networkx.Graph: a node per region, an edge per shared facet.

        Nodes carry ``lowest``, ``bounded`` and ``piece``; edges ``breakpoint``, as
        "layer:sample:neuron" (one of them where several coincide).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> regions = rw.enumerate_regions(loss)  # three lines in the plane
        >>> graph = regions.graph()
        >>> graph.number_of_nodes(), graph.number_of_edges()
        (7, 9)
        """
        graph = nx.Graph(fingerprint=self.problem.fingerprint)
        for k in range(self.n_regions):
            graph.add_node(
                k,
                lowest=float(self.lowest[k]),
                bounded=bool(self.bounded[k]),
                piece=int(self.pieces[k]),
            )
        for (region, c), other in zip(self.facets, self.neighbours, strict=True):
            if region < other:
                label = ":".join(str(part) for part in self.problem.locate(c)[0])
                graph.add_edge(int(region), int(other), breakpoint=label)
        return graph

    def to_frame(self) -> Any:
        """A table of pandas, a row for each region, with its piece and number of facets found.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> table = rw.enumerate_regions(loss).to_frame()  # three lines in the plane
        >>> list(table.columns), sorted(table.n_facets)
        (['lowest', 'offset', 'bounded', 'flat', 'piece', 'n_facets'], [2, 2, 2, 3, 3, 3, 3])
        """
        return frame(
            {
                "lowest": self.lowest,
                "offset": self.offsets,
                "bounded": self.bounded,
                "flat": self.flat,
                "piece": self.pieces,
                "n_facets": np.bincount(self.facets[:, 0], minlength=len(self)),
            },
            "region",
        )

    def to_xarray(self) -> Any:
        """A Dataset of xarray: `points`, `gradients`, `minimizers` by region, neuron and input.

        And the table by region; coordinates are those of :meth:`Trajectory.to_xarray`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> found = rw.enumerate_regions(loss).to_xarray()
        >>> values = (found.gradient * found.point).sum(["neuron", "input"]) + found.offset
        >>> values.dims, bool((values > found.lowest - 1e-9).all())
        (('region',), True)
        """
        parts = {"point": self.points, "gradient": self.gradients, "minimizer": self.minimizers}
        return by_rows(self.to_frame(), parts, self.problem, {"ended": self.ended.name})

    @logged("Regions.minimum")
    def minimum(
        self, time_limit: float | None = None, callback: Callable[[int], Any] | None = None
    ) -> Minimum:
        """The least loss on the closed regions found.

        The global minimum (in the box) if the regions are complete.  Where seconds (`time_limit`)
        are over, or `callback`, told of the number of regions looked at, raises StopIteration, or
        after Ctrl-C, it is the least that was found, within rounding.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> regions = rw.enumerate_regions(loss)  # three lines in the plane
        >>> round(regions.minimum().loss, 9)
        1.0
        """
        with Limits.asked(time_limit, callback) as limits:
            return self._minima.minimum(limits)

    @logged("Regions.local_minima")
    def local_minima(
        self, time_limit: float | None = None, callback: Callable[[int], Any] | None = None
    ) -> LocalMinima:
        """All local minima that the regions found prove, by ascending loss.

        A point is a local minimum if it is a minimum of the affine piece of every region around
        it.  Points of one flat minimum are given once.  In a box, a minimum on its border counts.
        Where seconds (`time_limit`) are over, or `callback`, told of the number of regions looked
        at, raises StopIteration, or after Ctrl-C, those found so far: ``ended`` of the list tells.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> regions = rw.enumerate_regions(loss)  # three lines in the plane
        >>> [(round(each.loss, 9), each.strict) for each in regions.local_minima()]
        [(1.0, True)]
        """
        with Limits.asked(time_limit, callback) as limits:
            return self._minima.local_minima(limits)

    @cached_property
    def _minima(self) -> Minima:
        points, gradients, minimizers = self.inner
        return Minima(
            Table(
                loss=self.problem,
                window=self.window,
                patterns=self.patterns,
                points=points,
                gradients=gradients,
                offsets=self.offsets,
                minimizers=minimizers,
                lowest=self.lowest,
                flat=self.flat,
                facets=self.facets,
                neighbours=self.neighbours,
            )
        )


__all__ = ["Minimum", "Regions"]
