"""`MergeTree`: the local minima of a terrain, and the passes at which their valleys meet."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from .._conversions import frame
from .._shown import repr_html
from .._validate import choice, integer
from ..ended import Ended
from ..regions.plane import Slice
from ..tolerances import GRAPHS
from .flooding import shortest_path
from .polytopes import Box
from .vertex_graph import VertexGraph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class MergeTree:
    """How the valleys of a loss merge as a level rises: what :func:`.merge_tree` returns.

    m local minima, by ascending loss; a flat one counts once.  The component of the sublevel set
    ``{F <= c}`` that begins at minimum k is born at ``births[k]`` and, at ``deaths[k]``, merges
    into that of a lower minimum, ``parents[k]`` (the elder rule).  K points, those of the terrain.

    Attributes
    ----------
    terrain : VertexGraph, Slice or Box
        A box has ``problem``, ``lower`` and ``upper``.
    points : ndarray (K, h, q) or (K, 2)
        Vertices of the loss; of a slice the corners (s, t) of its polygons.
    losses : ndarray (K,)
        The loss there.
    links : ndarray (E, 2)
        Points joined by an edge on which the loss is affine.
    minima : ndarray (m,) of int
        A point of each local minimum; where that is not `proved`, the lowest point seen of a
        valley.
    births : ndarray (m,)
        The loss at each.
    deaths : ndarray (m,)
        The loss at the pass where it merges; inf for the lowest, which never does.
    saddles : ndarray (m,) of int
        The point of that pass; -1 where there is none.
    parents : ndarray (m,) of int
        The minimum whose component it merges into; -1 where it never does.
    proved : ndarray (m,) of bool
        Whether all around the minimum was explored, so that it is one.
    exact : bool
        Whether these are all minima, and all passes the lowest: the terrain is known completely,
        and where floats leave open which of two levels is higher, exact arithmetic decided.
        Otherwise :meth:`barrier` gives upper bounds, and minima may be missing.
    reason : str
        Why it is exact or not.
    ended : Ended
        Why the exploration stopped.
    elapsed : float
        Seconds.

    Examples
    --------
    One hidden neuron on four points: two valleys.

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
    >>> tree = rw.merge_tree(loss)
    >>> tree
    MergeTree(2 minima, exact)
    >>> tree.births.round(9), tree.deaths.round(9), tree.parents
    (array([2., 3.]), array([inf,  5.]), array([-1,  0]))
    >>> tree.barrier(0, 1), tree.losses[tree.path(0, 1)].round(9)
    (5.0, array([2., 5., 3.]))
    """

    terrain: VertexGraph | Slice | Box
    points: Floats
    losses: Floats
    links: Ints = field(repr=False)
    minima: Ints
    births: Floats
    deaths: Floats
    saddles: Ints
    parents: Ints
    proved: NDArray[np.bool_]
    exact: bool
    reason: str
    ended: Ended
    elapsed: float

    def __len__(self) -> int:
        return len(self.minima)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        found = f"{self._minima}, exact" if self.exact else f"{self._valleys}, not exact"
        return f"MergeTree({found})"

    @property
    def _valleys(self) -> str:
        noun = "valley" if len(self) == 1 else "valleys"
        return f"{len(self)} {noun}, proved minima: {int(self.proved.sum())}"

    @property
    def _minima(self) -> str:
        return f"{len(self)} {'minimum' if len(self) == 1 else 'minima'}"

    @property
    def persistence(self) -> Floats:
        """(m,) ``deaths - births``: how far each valley has to be climbed to leave it downwards.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
        >>> rw.merge_tree(loss).persistence.round(9)
        array([inf,  2.])
        """
        return np.asarray(self.deaths - self.births)

    def barrier(self, i: int, j: int) -> float:
        """The level of the lowest pass between the minima `i` and `j`.

        The least c at which one component of ``{F <= c}`` holds both; inf if no path between them
        was found, as where the terrain is not known completely.

        Raises
        ------
        ValueError, TypeError
            If there are no such minima.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
        >>> rw.merge_tree(loss).barrier(1, 0)
        5.0
        """
        last = len(self) - 1
        pass_ = self._pass(integer("i", i, 0, last), integer("j", j, 0, last))
        return np.inf if pass_ < 0 else float(self.losses[pass_])

    def barriers(self) -> Floats:
        """(m, m) :meth:`barrier` of all pairs; on the diagonal the losses of the minima.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
        >>> rw.merge_tree(loss).barriers().round(9)
        array([[2., 5.],
               [5., 3.]])
        """
        levels = np.full((len(self), len(self)), np.inf)
        np.fill_diagonal(levels, self.births)
        inside = [[k] for k in range(len(self))]  # minima in the component of each
        for k in np.argsort(self.deaths, kind="stable"):
            if self.parents[k] >= 0:
                mine, others = inside[k], inside[self.parents[k]]
                levels[np.ix_(mine, others)] = levels[np.ix_(others, mine)] = self.deaths[k]
                others.extend(mine)
                for member in mine:
                    inside[member] = others
        return levels

    def path(self, i: int, j: int) -> list[int]:
        """Points of a shortest path from minimum `i` to `j` that stays below their barrier.

        It runs along edges of the terrain (in a slice along straight lines within polygons), on
        each of which the loss is affine.  Empty if no path was found.

        Raises
        ------
        ValueError, TypeError
            If there are no such minima.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
        >>> tree = rw.merge_tree(loss)
        >>> bool(tree.losses[tree.path(1, 0)].max() == tree.barrier(0, 1))
        True
        """
        level = self.barrier(i, j)
        if np.isinf(level):
            return []
        start, end = int(self.minima[i]), int(self.minima[j])
        flat = self.points.reshape(len(self.points), -1)
        level = max(level, *self.losses[[start, end]])  # equal levels differ by rounding
        below = self.links[(self.losses[self.links] <= level + self._rounding).all(axis=1)]
        return shortest_path(flat, below, start, end)

    def diagram(self) -> Floats:
        """(m, 2) The persistence diagram: births and deaths.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
        >>> rw.merge_tree(loss).diagram().round(9).tolist()
        [[2.0, inf], [3.0, 5.0]]
        """
        return np.column_stack([self.births, self.deaths])

    def graph(self) -> nx.DiGraph:
        """The tree as a networkx graph: leaves are minima, edges lead up to the passes.

        Nodes 0..m-1 are the minima, the others passes; they carry ``kind`` ("minimum", "pass"),
        ``loss`` and ``point``.  Minima that meet at one point have one pass.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
        >>> tree = rw.merge_tree(loss).graph()
        >>> list(tree.edges), tree.nodes[2]["kind"], round(tree.nodes[2]["loss"], 9)
        ([(0, 2), (1, 2)], 'pass', 5.0)
        """
        graph = nx.DiGraph(fingerprint=self.terrain.problem.fingerprint)
        for k, (point, birth) in enumerate(zip(self.minima, self.births, strict=True)):
            graph.add_node(k, kind="minimum", loss=float(birth), point=int(point))
        top = list(range(len(self)))  # the highest node of the component of each minimum
        for k in np.lexsort([-np.arange(len(self)), self.deaths]):
            parent = int(self.parents[k])
            if parent < 0:
                continue
            ends, point = {top[k], top[parent]}, int(self.saddles[k])
            same = [
                node for node in ends if graph.nodes[node]["point"] == point and node >= len(self)
            ]
            node = same[0] if same else len(graph)
            if not same:
                graph.add_node(node, kind="pass", loss=float(self.deaths[k]), point=point)
            graph.add_edges_from((end, node) for end in ends if end != node)
            top[parent] = node
        return graph

    def to_frame(self) -> Any:
        """A table of pandas, a row for each minimum.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
        >>> rw.merge_tree(loss).to_frame()[["birth", "death", "persistence", "parent"]].round(9)
                 birth  death  persistence  parent
        minimum
        0          2.0    inf          inf      -1
        1          3.0    5.0          2.0       0
        """
        return frame(
            {
                "birth": self.births,
                "death": self.deaths,
                "persistence": self.persistence,
                "parent": self.parents,
                "point": self.minima,
                "saddle": self.saddles,
                "proved": self.proved,
            },
            "minimum",
        )

    def summary(self) -> str:
        """A few lines: how many minima, the highest barriers, and whether this is exact.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
        >>> print(rw.merge_tree(loss).summary())
        merge tree           2 minima, 8 points, 12 edges
        lowest points        2 to 3
        barriers             1 of finite persistence: 2 to 2, median 2
        exact                yes: every vertex was found
        """
        what = self._minima if self.exact else self._valleys
        rows = [
            (
                "merge tree",
                f"{what}, {len(self.points)} points, {len(self.links)} edges",
            )
        ]
        if len(self):
            rows.append(("lowest points", f"{self.births.min():.6g} to {self.births.max():.6g}"))
        finite = self.persistence[np.isfinite(self.persistence)]
        if finite.size:
            low, high, middle = finite.min(), finite.max(), np.median(finite)
            rows.append(
                (
                    "barriers",
                    f"{finite.size} of finite persistence: {low:.4g} to {high:.4g}, "
                    f"median {middle:.4g}",
                )
            )
        rows.append(("exact", f"{'yes' if self.exact else 'no'}: {self.reason}"))
        return "\n".join(f"{name:<21}{text}" for name, text in rows)

    def plot(self, ax: Axes | None = None, kind: str = "tree", title: str | None = None) -> Axes:
        """The tree (`kind` "tree") or the persistence diagram ("diagram"), on `ax`, with a `title`.

        See :func:`reluplex_walk.plotting.plot_merge_tree` and
        :func:`reluplex_walk.plotting.plot_persistence` (extra ``plot``).

        Raises
        ------
        ValueError
            If `kind` is another.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
        >>> rw.merge_tree(loss).plot(ax=Figure().subplots(), title="two valleys").get_title()
        'two valleys'
        """
        from ..plotting import plot_merge_tree, plot_persistence

        draw = {"tree": plot_merge_tree, "diagram": plot_persistence}
        return draw[choice("kind", kind, tuple(draw))](self, ax, title)

    @cached_property
    def _rounding(self) -> float:
        """What losses of one level may differ by, for paths."""
        return GRAPHS.rounding * float(np.abs(self.losses).max(initial=0.0))

    def _pass(self, i: int, j: int) -> int:
        """Point at which the components of two minima meet: of one, its own; -1: none."""
        point = int(self.minima[i])
        while i != j:
            if self.deaths[i] > self.deaths[j]:
                i, j = j, i
            point, i = int(self.saddles[i]), int(self.parents[i])
            if i < 0:
                return -1
        return point


__all__ = ["MergeTree"]
