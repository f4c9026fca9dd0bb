"""`VertexGraph`: vertices and edges of the loss, and which minimum each vertex drains into."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from .._conversions import by_rows, frame
from .._shown import repr_html
from ..ended import Ended
from ..problem.loss import LayerLoss
from ..simplex.trajectory import Trajectory
from .walk_graph import walk_keys

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class VertexGraph:
    """Vertices and edges of the loss: what :func:`.vertex_graph` returns.

    K vertices, E edges.  Numbers of vertices are places in the arrays below.

    Attributes
    ----------
    problem : LayerLoss
    vertices : ndarray (K, h, q)
    losses : ndarray (K,)
    active : list of K arrays
        Ids of all breakpoints that vanish at each vertex; ``problem.locate`` makes them readable.
    edges : ndarray (E, 2)
        Pairs of vertices joined by an edge, each once.
    rays : ndarray (K,)
        Half-edges of each vertex that have no end.
    expanded : ndarray (K,) of bool
        Whether all edges of the vertex were followed; the others were only arrived at.
    next : ndarray (K,)
        Where the walk by steepest edges goes from each vertex; itself at a local minimum, -1 where
        that is not known.
    complete : bool
        Whether every vertex was expanded: no vertex is missing that edges lead to.
    ended : Ended
        Why the search stopped: FINISHED (within `radius`, if that was given), WORK_LIMIT at
        `max_vertices` or at a vertex of very many bases, TIME_LIMIT or INTERRUPTED.
    elapsed : float
        Seconds.

    Examples
    --------
    The lines through two of the points (0, 0), (1, 1), (2, 0), and what joins them:

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 1])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> graph = rw.vertex_graph(loss)
    >>> len(graph), graph.edges.tolist(), graph.rays.tolist(), graph.complete
    (3, [[0, 1], [0, 2], [1, 2]], [2, 2, 2], True)
    >>> graph.losses.round(9), graph.minima, graph.basins
    (array([1., 2., 2.]), array([0]), array([0, 0, 0]))
    """

    problem: LayerLoss
    vertices: Floats
    losses: Floats
    active: list[Ints]
    edges: Ints
    rays: Ints
    expanded: NDArray[np.bool_]
    next: Ints
    complete: bool
    ended: Ended
    elapsed: float

    def __len__(self) -> int:
        return len(self.losses)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        state = "complete" if self.complete else "not complete"
        return f"VertexGraph({len(self)} vertices, {len(self.edges)} edges, {state})"

    @cached_property
    def minima(self) -> Ints:
        """Vertices no half-edge descends from, by ascending loss, (k,): where steepest edges end.

        All vertices of a flat minimum that are such ends are among them; :attr:`minimal_faces`
        has them together.

        Examples
        --------
        Two targets for each of two inputs: the best lines pass between them.

        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [0.0], [1.0], [1.0]], [0.0, 1.0, 0.0, 1.0])
        >>> graph = rw.vertex_graph(loss)
        >>> len(graph.minima), [len(face) for face in graph.minimal_faces]
        (4, [4])
        """
        found = np.flatnonzero(self.next == np.arange(len(self)))
        return found[np.argsort(self.losses[found], kind="stable")]

    @property
    def minimal_faces(self) -> list[Ints]:
        """The minima as faces: arrays of vertices that flat edges join, by ascending loss.

        An edge between two minima is flat, since it descends from neither.  An array of one vertex
        is a strict minimum, unless a flat half-edge of it has no end.  A face of which a vertex
        descends into cones beyond it lacks that vertex, as walks go on from there; one of which
        every vertex does is not here at all: :meth:`Regions.local_minima` has all of them.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> strict = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> flat = rw.LayerLoss(net, [[0.0], [0.0], [1.0], [1.0]], [0.0, 1.0, 0.0, 1.0])
        >>> [[len(face) for face in rw.vertex_graph(f).minimal_faces] for f in (strict, flat)]
        [[1], [4]]
        """
        rank = {int(k): place for place, k in enumerate(self.minima)}
        faces = nx.connected_components(self.graph().subgraph(rank))
        ordered = [sorted(face, key=lambda k: rank[k]) for face in faces]
        return [np.array(face) for face in sorted(ordered, key=lambda face: rank[face[0]])]

    @cached_property
    def basins(self) -> Ints:
        """The minimum that each vertex drains into by steepest edges, (K,); -1 where not known.

        The ends are vertices, those of :attr:`minima`.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 0.0, 1.0])
        >>> graph = rw.vertex_graph(loss)
        >>> len(graph), np.unique(graph.basins).size  # convex: one basin
        (6, 1)
        """
        ends = self.next.copy()
        while True:
            further = np.where(ends >= 0, self.next[ends], -1)
            if (further == ends).all():
                return ends
            ends = further

    @cached_property
    def keys(self) -> list[bytes]:
        """A key per vertex, made of the signs of all breakpoints, which fix it.

        Entries of trajectories have the same keys: :meth:`match`, :func:`.merge`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> len(set(rw.vertex_graph(loss).keys))  # three vertices
        3
        """
        located = [self.problem.locate(ids) for ids in self.active]
        return [
            self.problem.index.key(self.problem.pattern(theta), active)
            for theta, active in zip(self.vertices, located, strict=True)
        ]

    def match(self, traj: Trajectory) -> Ints:
        """Vertex of each entry of `traj`, a walk on the same loss, (entries,); -1 if it is none.

        Raises
        ------
        ValueError
            If the trajectory belongs to another loss.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> traj = rw.walk(loss)
        >>> graph = rw.vertex_graph(loss)
        >>> graph.match(traj)[-1:].tolist() == graph.minima.tolist()
        True
        """
        if traj.problem.fingerprint != self.problem.fingerprint:
            raise ValueError("traj: this trajectory belongs to another loss (data, network, kind)")
        vertex = {key: k for k, key in enumerate(self.keys)}
        return np.array([vertex.get(key, -1) for key in walk_keys(traj, 0)], np.int64)

    def to_frame(self) -> Any:
        """A table of pandas, a row for each vertex; `n_active` breakpoints vanish there.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> rw.vertex_graph(loss).to_frame().drop(columns="loss")
                n_active  n_edges  rays  expanded  next  basin
        vertex
        0              2        2     2      True     0      0
        1              2        2     2      True     0      0
        2              2        2     2      True     0      0
        """
        return frame(
            {
                "loss": self.losses,
                "n_active": [len(ids) for ids in self.active],
                "n_edges": np.bincount(self.edges.ravel(), minlength=len(self)),
                "rays": self.rays,
                "expanded": self.expanded,
                "next": self.next,
                "basin": self.basins,
            },
            "vertex",
        )

    def to_xarray(self) -> Any:
        """A Dataset of xarray: `theta` by vertex, neuron and input, and the table by vertex.

        Coordinates are those of :meth:`Trajectory.to_xarray`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> dict(rw.vertex_graph(loss).to_xarray().sizes)
        {'vertex': 3, 'neuron': 1, 'input': 2}
        """
        return by_rows(
            self.to_frame(), {"theta": self.vertices}, self.problem, {"ended": self.ended.name}
        )

    def graph(self) -> nx.Graph:
        """The networkx graph: nodes with ``loss``, ``expanded``, ``basin``, edges with ``length``.

        Nodes are the numbers of the vertices; ``length`` is that in parameter space.
        :func:`.merge` puts walks on it.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> graph = rw.vertex_graph(loss).graph()
        >>> graph.number_of_edges(), sorted(graph.nodes[0])
        (3, ['basin', 'expanded', 'loss'])
        """
        graph = nx.Graph(fingerprint=self.problem.fingerprint)
        for k, (loss, basin) in enumerate(zip(self.losses, self.basins, strict=True)):
            graph.add_node(k, loss=float(loss), expanded=bool(self.expanded[k]), basin=int(basin))
        for a, b in self.edges:
            length = np.linalg.norm(self.vertices[a] - self.vertices[b])
            graph.add_edge(int(a), int(b), length=float(length))
        return graph


__all__ = ["VertexGraph"]
