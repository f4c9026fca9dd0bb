"""`vertex_graph`: vertices and edges of the loss around a vertex, not only those one walk sees."""

from collections.abc import Callable
from math import comb
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._limits import Limits
from .._logs import logged
from .._memory import require_memory
from .._validate import function, instance, integer, positive
from ..ended import Ended
from ..problem.loss import LayerLoss
from ..problem.penalty import refuse
from ..simplex.size import state_size
from ..simplex.trajectory import Trajectory
from ..simplex.walk import walk
from .search import MOST_BASES, Search
from .vertex_graph import VertexGraph


class GraphProgress(NamedTuple):
    """What the callback of :func:`vertex_graph` is told.

    Attributes
    ----------
    n_vertices : int
        Vertices known.
    n_expanded : int
        Of them about so many are done: all their edges were followed.
    elapsed : float
        Seconds.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> told = []
    >>> graph = rw.vertex_graph(loss, callback=told.append)
    >>> told[-1].n_vertices == len(graph), told[0].n_expanded <= told[-1].n_expanded
    (True, True)
    """

    n_vertices: int
    n_expanded: int
    elapsed: float


@logged("vertex_graph")
def vertex_graph(
    loss: LayerLoss,
    start: Trajectory | ArrayLike | None = None,
    max_vertices: int = 10_000,
    radius: float | None = None,
    time_limit: float | None = None,
    callback: Callable[[GraphProgress], Any] | None = None,
) -> VertexGraph:
    """All vertices and edges that pivots in every direction, up and down, reach from a vertex.

    Breadth-first; at a degenerate vertex so many of its bases are visited (up to 10,000) that its
    edges are those of the true arrangement.

    Parameters
    ----------
    loss : LayerLoss
    start : Trajectory or array_like (h, q) or (D,), optional
        A walk, whose end is the first vertex (if it lies inside a flat face, a vertex of that), or
        the parameters one is started from; default: a walk from its own default start.
    max_vertices : int, default 10000
        Stop expanding when so many are known.
    radius : float, optional
        Expand only vertices at this distance (Euclidean, of parameters) from the first one at most.
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called with a :class:`GraphProgress` after each vertex; StopIteration or KeyboardInterrupt
        raised in it ends the search as Ctrl-C does.

    Returns
    -------
    VertexGraph
        Also at a limit or after Ctrl-C, with ``complete=False``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or so many vertices not in memory.

    Examples
    --------
    Four lines in the plane meet in six vertices:

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 1])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 0.0, 1.0])
    >>> graph = rw.vertex_graph(loss)
    >>> len(graph), len(graph.edges), len(graph.minima), graph.complete
    (6, 8, 1, True)
    """
    instance("loss", loss, LayerLoss)
    refuse(loss.penalty, "the graph of vertices")
    integer("max_vertices", max_vertices, 1)
    for name, value in (("radius", radius), ("time_limit", time_limit)):
        if value is not None:
            positive(name, value)
    if isinstance(start, Trajectory) and start.problem.fingerprint != loss.fingerprint:
        raise ValueError("start: this trajectory belongs to another loss (data, network, kind)")
    if time_limit is None:
        _require_room(loss, max_vertices)
    function("callback", callback)
    with Limits(max_vertices, time_limit, callback) as limits:
        if isinstance(start, Trajectory):
            traj = start
        else:
            traj = walk(loss, start, time_limit=limits.remaining)
        size = float(np.abs(loss.free_units.inner(traj.vertices)).max(initial=0.0))
        search = Search(loss, size, limits)
        search.begin(traj.vertices[-1], traj.basis[-1])
        open_vertices: set[int] = set()
        ended, crowded = None, False
        while search.queue:
            stand = search.next()
            distance = np.linalg.norm(search.vertices[stand.vertex] - search.vertices[0])
            far = radius is not None and distance > radius
            many = len(search.bases[stand.vertex]) > MOST_BASES
            known = len(search.vertices)
            now = GraphProgress(known, known - len(search.queue), limits.elapsed)
            ended, crowded = ended or limits.look(known, now), crowded or many
            if far or many or ended is not None or not search.expand(stand):
                open_vertices.add(stand.vertex)
                ended = ended or limits.over
    ended = ended or (Ended.WORK_LIMIT if crowded else Ended.FINISHED)
    return _assemble(search, open_vertices, ended, limits.elapsed)


def _require_room(loss: LayerLoss, max_vertices: int) -> None:
    """ValueError if so many vertices do not fit in memory: some arrays (D,), and D edges each."""
    dim = loss.n_free
    count = min(max_vertices, comb(loss.index.size, dim))
    require_memory(
        f"max_vertices: a graph of up to {count:.3g} vertices in {dim} dimensions",
        count * (200.0 * dim + 8.0 * state_size(loss)),
        "give a smaller max_vertices, or a time_limit",
    )


def _assemble(search: Search, open_vertices: set[int], ended: Ended, elapsed: float) -> VertexGraph:
    count = len(search.vertices)
    expanded = np.array([k not in open_vertices for k in range(count)])
    following = [search.steepest.get(k, (0.0, k))[1] for k in range(count)]
    edges = [(a, b) for a in range(count) for b in sorted(search.neighbours[a]) if a < b]
    return VertexGraph(
        problem=search.loss,
        vertices=np.array(search.vertices).reshape(count, *search.loss.shape),
        losses=np.array(search.losses),
        active=search.active,
        edges=np.array(edges, np.int64).reshape(-1, 2),
        rays=np.array([len(search.rays.get(k, ())) for k in range(count)]),
        expanded=expanded,
        next=np.where(expanded, following, -1),
        complete=not open_vertices,
        ended=ended,
        elapsed=elapsed,
    )


__all__ = ["GraphProgress", "vertex_graph"]
