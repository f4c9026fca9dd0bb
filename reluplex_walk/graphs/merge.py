"""Several walks as one graph, equal vertices merged, if wanted over the terrain they walk on."""

from collections.abc import Iterable
from itertools import pairwise

import networkx as nx

from .._validate import instance
from ..simplex.trajectory import Trajectory
from .vertex_graph import VertexGraph
from .walk_graph import edge_attributes, node_attributes, walk_keys


def merge(trajectories: Iterable[Trajectory], terrain: VertexGraph | None = None) -> nx.DiGraph:
    """Several walks on one loss as one graph, equal vertices merged, if wanted over the terrain.

    Two entries are one node if the same breakpoints vanish there and all others lie on the same
    side; that fixes the point, or on a face, where the loss is constant, the face.  Entries with
    too few active breakpoints to be a vertex (the start, phase 1) are never merged.  Pivots of
    length 0 stay inside their node.

    Parameters
    ----------
    trajectories : iterable of Trajectory
        At least one, all on the same loss.
    terrain : VertexGraph, optional
        Vertices and edges of the same loss that are in the graph whether a walk visits them or not.

    Returns
    -------
    networkx.DiGraph
        Nodes 0, 1, ... in the order in which they were first visited, edges along the walks.
        Attributes as in :meth:`Trajectory.graph`, taken from the first walk that came by, whose
        number is ``walk``; further ``walks``, how many came by, and for nodes ``ended``, how many
        ended there.  The graph has ``fingerprint`` and ``walks``.

        With `terrain`, its K vertices are nodes 0..K-1 with their ``expanded`` and ``basin``, and
        its edges are directed downhill.  Vertices and edges that no walk visits have
        ``walks = 0`` (and ``ended = 0``) and only the attributes of :meth:`VertexGraph.graph`.

    Raises
    ------
    ValueError, TypeError
        If there is no trajectory, or two belong to different losses, or one is no trajectory.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 1], seed=0)
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
    >>> graph = rw.merge([rw.walk(loss, seed=seed) for seed in range(5)])
    >>> [data["ended"] for _, data in graph.nodes(data=True) if data["ended"]]  # convex: one end
    [5]
    >>> whole = rw.merge([rw.walk(loss, seed=0)], rw.vertex_graph(loss))
    >>> [data["walks"] for k, data in whole.nodes(data=True) if "basin" in data]
    [1, 0, 0, 1, 0, 0]
    """
    if not isinstance(trajectories, Iterable):
        raise TypeError(
            f"trajectories: expected several walks, found {type(trajectories).__name__}"
        )
    walks = list(trajectories)
    for number, traj in enumerate(walks):
        instance(f"trajectories[{number}]", traj, Trajectory)
    if not walks:
        raise ValueError("trajectories: expected at least one, found none")
    fingerprint = walks[0].problem.fingerprint
    for number, traj in enumerate(walks):
        if traj.problem.fingerprint != fingerprint:
            raise ValueError(
                f"trajectories[{number}]: expected a walk on the same loss as trajectories[0], "
                "found another loss (data, network, kind)"
            )
    graph = nx.DiGraph(fingerprint=fingerprint, walks=len(walks))
    node_of: dict[bytes, int] = {}
    if terrain is not None:
        instance("terrain", terrain, VertexGraph)
        if terrain.problem.fingerprint != fingerprint:
            raise ValueError(
                "terrain: expected a vertex graph of the same loss as trajectories[0], "
                "found another loss (data, network, kind)"
            )
        node_of.update(zip(terrain.keys, range(len(terrain)), strict=True))
        whole = terrain.graph()
        graph.add_nodes_from(whole.nodes(data=True), walks=0, ended=0)
        graph.add_edges_from((*_downhill(whole, *edge), whole.edges[edge]) for edge in whole.edges)
        nx.set_edge_attributes(graph, 0, "walks")
    for number, traj in enumerate(walks):
        path = [node_of.setdefault(key, len(node_of)) for key in walk_keys(traj, number)]
        for node, attributes in zip(path, node_attributes(traj), strict=True):
            if "walk" not in graph.nodes.get(node, {}):
                graph.add_node(node, **attributes, walk=number, walks=0, ended=0)
        for (source, target), attributes in zip(pairwise(path), edge_attributes(traj), strict=True):
            if source != target and "walk" not in graph.get_edge_data(source, target, {}):
                graph.add_edge(source, target, **attributes, walk=number, walks=0)
        edges = set(pairwise(path)) & set(graph.edges)
        for data in [graph.nodes[v] for v in set(path)] + [graph.edges[e] for e in edges]:
            data["walks"] += 1
        graph.nodes[path[-1]]["ended"] += 1
    return graph


def _downhill(graph: nx.Graph, a: int, b: int) -> tuple[int, int]:
    """The ends of an edge, the one with the higher loss first."""
    return (a, b) if graph.nodes[a]["loss"] >= graph.nodes[b]["loss"] else (b, a)


__all__ = ["merge"]
