"""`merge_tree`: the topology of a terrain, by a flood over its vertices and edges.

On a closed affine region the loss is affine: if the region is *pointed* (it has a vertex) and the
loss bounded below on it, every point of it is joined to a vertex of it that is no higher, and all
its vertices below a level are joined by edges below that level, as the simplex method walks them.
So the components of ``{F <= c}`` are those of the graph of vertices and edges below c.  Losses are
at least 0, and the breakpoints of the free parameters, those of columns that are not aliased, leave
no line on which all of them are constant: F is constant along the rest, which is divided out.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from .._logs import logged
from .._validate import integer
from ..ended import Ended
from ..problem.box import box_bounds
from ..problem.loss import LayerLoss
from ..problem.penalty import refuse
from ..regions.enumeration import require_few
from ..regions.plane import Slice
from ..tolerances import GRAPHS
from .exact_vertices import ExactVertices
from .exploration import GraphProgress, vertex_graph
from .flooding import Merge, flood, lakes_of
from .merge_tree import MergeTree
from .polytopes import Box, Polytopes, joined, of_box, of_slice
from .vertex_graph import VertexGraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class _Flooded(NamedTuple):
    """Bottoms of the lakes that are left, merges, and whether exact arithmetic told all levels."""

    left: list[int]
    merges: list[Merge]
    exact: bool


@logged("merge_tree")
def merge_tree(
    terrain: VertexGraph | Slice | LayerLoss,
    max_vertices: int = 10_000,
    box: Any = None,
    time_limit: float | None = None,
    callback: Callable[[GraphProgress], Any] | None = None,
) -> MergeTree:
    """Local minima, the passes between them and how their valleys merge, without sampling.

    A flood over vertices and edges: as a level rises, components of the sublevel sets begin, grow
    and merge only at vertices.  With a complete graph all local minima are found (the first is the
    global minimum) and every barrier is exact.

    Parameters
    ----------
    terrain : VertexGraph, Slice or LayerLoss
        What is flooded: the graph of :func:`.vertex_graph`, the loss on a window of a plane (then
        minima and passes are those within the window, its border included), or a loss, of which
        the graph is made.
    max_vertices : int, default 10000
        Of a loss: stop exploring when so many vertices (in a box: regions) are known.
    box : float or pair, optional
        Of a loss of up to 12 parameters: only what lies in this box, as for
        :func:`.enumerate_regions`; minima on its border count.
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called with a :class:`GraphProgress` from time to time (in a box, with the number of
        regions); StopIteration or KeyboardInterrupt
        raised in it ends the exploration as Ctrl-C does.

    Returns
    -------
    MergeTree
        With ``exact=False`` and the reason, if the graph is not complete: what was found by then.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the loss has a penalty.

    Notes
    -----
    Components of sublevel sets of a piecewise affine function change only at vertices if every
    region is pointed and the loss is bounded below (the module's first lines say why that holds
    here).  Deaths pair with births by the elder rule of persistent homology (Edelsbrunner and
    Harer, Computational Topology, VII.1).  Levels of a slice are exact up to rounding: valleys
    less deep than that are none.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0])
    >>> tree = rw.merge_tree(loss)
    >>> tree.exact, tree.births.round(9), tree.persistence.round(9)
    (True, array([2., 3.]), array([inf,  2.]))

    The same in the plane of the two parameters, in a window that holds one of the valleys:

    >>> cut = rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], (-4.0, 0.0, 0.0, 4.0))
    >>> tree = rw.merge_tree(cut)
    >>> tree.births.round(9), tree.points[tree.minima].round(9)
    (array([3.]), array([[-2.,  2.]]))
    """
    integer("max_vertices", max_vertices, 1)
    if box is not None:
        return _in_box(terrain, box, max_vertices, time_limit, callback)
    with Limits.asked(time_limit, callback) as limits:
        if isinstance(terrain, LayerLoss):
            terrain = vertex_graph(
                terrain, None, max_vertices, time_limit=limits.remaining, callback=limits.pass_to
            )
        if isinstance(terrain, VertexGraph):
            return _of_graph(terrain, limits)
        if isinstance(terrain, Slice):
            return _of_polytopes(terrain, of_slice(terrain), limits)
    raise TypeError(
        f"terrain: expected a VertexGraph, a Slice or a LayerLoss, found {type(terrain).__name__}"
    )


def _in_box(
    loss: VertexGraph | Slice | LayerLoss,
    box: Any,
    max_regions: int,
    time_limit: float | None,
    callback: Callable[[Any], Any] | None,
) -> MergeTree:
    if not isinstance(loss, LayerLoss):
        raise TypeError(f"terrain: expected a LayerLoss with a box, found {type(loss).__name__}")
    refuse(loss.penalty, "regions")
    require_few(loss)
    terrain = Box(loss, *box_bounds(loss, box))
    with Limits.asked(time_limit, callback, max_regions) as limits:
        return _of_polytopes(terrain, of_box(terrain, limits), limits)


def _of_graph(graph: VertexGraph, limits: Limits) -> MergeTree:
    flooded = _flood_exactly(graph, limits)
    proved = np.array(graph.expanded)
    flat = np.abs(np.diff(graph.losses[graph.edges], axis=1))[:, 0] <= _rounding(graph)
    for lake in lakes_of(graph.edges[flat], len(graph)):
        proved[lake] = proved[lake].all()  # what a flat minimum leads to is known
    ended = graph.ended if graph.ended is not Ended.FINISHED else limits.over or graph.ended
    if not graph.complete:
        reason = f"edges not followed of vertices that were found: {int((~graph.expanded).sum())}"
    elif not flooded.exact:
        reason = "floats do not tell some levels apart, and their vertices were not solved exactly"
    else:
        reason = "every vertex was found"
    return _assemble(
        graph, graph.vertices, graph.losses, graph.edges, flooded, proved, reason, ended, limits
    )


def _rounding(graph: VertexGraph) -> float:
    """What two losses may differ by that are the same."""
    if not len(graph):
        return 0.0
    return GRAPHS.rounding * max(graph.problem.magnitude(theta) for theta in graph.vertices)


def _flood_exactly(graph: VertexGraph, limits: Limits) -> _Flooded:
    """The flood; valleys that may be rounding are looked at again with exact levels.

    A valley is in doubt if floats do not tell its bottom from its pass.  The levels of all vertices
    that edges without a sure difference join to it are then solved for exactly.
    """
    exact, rounding = ExactVertices(graph.problem), _rounding(graph)
    levels: list[Any] = graph.losses.tolist()
    steps = np.abs(np.diff(graph.losses[graph.edges], axis=1))[:, 0]
    near = {k: lake for lake in lakes_of(graph.edges[steps <= rounding], len(graph)) for k in lake}
    solved: set[int] = set()
    while True:
        left, merges = flood(levels, graph.edges)
        doubtful = [
            merge
            for merge in merges
            if abs(graph.losses[merge.saddle] - graph.losses[merge.minimum]) <= rounding
        ]
        again = {k for merge in doubtful for end in merge[:2] for k in near[end]} - solved
        if not again or limits.over is not None:
            break
        for k in sorted(again):
            if limits.over is None:
                found = exact.level(k, graph.vertices[k].ravel(), graph.active[k])
                levels[k] = levels[k] if found is None else found
                solved.add(k)
    sure = all(isinstance(levels[k], Fraction) for merge in doubtful for k in merge[:2])
    kept = [merge for merge in merges if levels[merge.minimum] < levels[merge.saddle]]
    return _Flooded(left, kept, sure)


def _of_polytopes(terrain: Slice | Box, found: Polytopes, limits: Limits) -> MergeTree:
    points, losses, links, rounding = joined(found)
    left, merges = flood(losses.tolist(), links)
    kept = [merge for merge in merges if losses[merge.saddle] - losses[merge.minimum] > rounding]
    whole = found.ended is Ended.FINISHED
    what = "polygons" if isinstance(terrain, Slice) else "regions"
    if whole:
        reason = f"all {what} are known; valleys less deep than {rounding:.1e} count as rounding"
    else:
        reason = f"{what} are missing"
    if isinstance(terrain, Box):
        points = points.reshape(-1, *terrain.problem.shape)
    flooded = _Flooded(left, kept, whole)
    proved = np.full(len(points), whole)
    return _assemble(terrain, points, losses, links, flooded, proved, reason, found.ended, limits)


def _assemble(
    terrain: VertexGraph | Slice | Box,
    points: Floats,
    losses: Floats,
    links: Ints,
    flooded: _Flooded,
    proved: NDArray[np.bool_],
    reason: str,
    ended: Ended,
    limits: Limits,
) -> MergeTree:
    died = {merge.minimum: merge for merge in flooded.merges}
    minima = sorted([*flooded.left, *died], key=lambda point: (losses[point], point))
    number = {point: k for k, point in enumerate(minima)}
    ends = [died.get(point) for point in minima]
    saddles = np.array([-1 if end is None else end.saddle for end in ends], np.int64)
    return MergeTree(
        terrain=terrain,
        points=points,
        losses=losses,
        links=links,
        minima=np.array(minima, np.int64),
        births=losses[minima],
        deaths=np.where(saddles >= 0, losses[saddles], np.inf),
        saddles=saddles,
        parents=np.array([-1 if end is None else number[end.into] for end in ends], np.int64),
        proved=proved[minima],
        exact=bool(proved.all()) and flooded.exact,
        reason=reason,
        ended=ended,
        elapsed=limits.elapsed,
    )


__all__ = ["merge_tree"]
