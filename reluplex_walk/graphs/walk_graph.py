"""Walks as networkx graphs: one walk entry by entry, or several merged where they meet.

Every attribute is an int, a float, a bool or a string, and none has a name that a file format
reserves, so that networkx writes and reads the graphs in GraphML, GEXF and node-link JSON.  Node
names are ints: pass ``node_type=int`` to ``read_graphml`` and ``read_gexf``.  GEXF keeps no
attributes of the whole graph and adds a ``label`` to nodes and an ``id`` to edges.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from .._validate import instance

if TYPE_CHECKING:
    from ..problem.loss import LayerLoss
    from ..simplex.trajectory import Trajectory
    from .vertex_graph import VertexGraph


def walk_graph(traj: Trajectory) -> nx.DiGraph:
    """The walk as a directed graph: a node per entry, an edge per pivot.

    See :meth:`Trajectory.graph`.
    """
    graph = nx.DiGraph(
        status=traj.status.name, fingerprint=traj.problem.fingerprint, rule=traj.options.rule
    )
    graph.add_nodes_from(enumerate(_nodes(traj)))
    graph.add_edges_from((k, k + 1, edge) for k, edge in enumerate(_edges(traj)))
    return graph


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
    from ..simplex.trajectory import Trajectory
    from .vertex_graph import VertexGraph

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
        for node, attributes in zip(path, _nodes(traj), strict=True):
            if "walk" not in graph.nodes.get(node, {}):
                graph.add_node(node, **attributes, walk=number, walks=0, ended=0)
        for (source, target), attributes in zip(pairwise(path), _edges(traj), strict=True):
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


def _nodes(traj: Trajectory) -> list[dict[str, Any]]:
    """Attributes of each entry."""
    distances = np.linalg.norm(traj.vertices - traj.theta, axis=(1, 2))
    tied = np.concatenate([[0], traj.steps.tied])
    n_hidden = traj.problem.n_hidden
    names = [f"active_hidden_{layer}" for layer in range(n_hidden)] + ["active_residuals"]
    nodes = []
    for k, active in enumerate(traj.active):
        per_layer = np.bincount(active[:, 0], minlength=n_hidden + 1)
        nodes.append(
            {
                "index": k,
                "loss": float(traj.losses[k]),
                "descending": int(traj.descending[k]),
                "rank": len(active),
                "tied": int(tied[k]),
                "distance": float(distances[k]),
                **{name: int(count) for name, count in zip(names, per_layer, strict=True)},
            }
        )
    return nodes


def _edges(traj: Trajectory) -> list[dict[str, Any]]:
    """Attributes of each pivot."""
    steps = traj.steps
    return [
        {
            "length": float(steps.length[k]),
            "slope": float(steps.slope[k]),
            "leaving": _label(traj, steps.leaving[k]),
            "entering": _label(traj, steps.entering[k]),
            "flipped": bool(steps.flipped[k]),
            "crossed": int(steps.crossed[k]),
        }
        for k in range(traj.n_pivots)
    ]


def _label(traj: Trajectory, breakpoint_id: int) -> str:
    return ":".join(str(part) for row in traj.problem.locate(breakpoint_id) for part in row)


def walk_keys(traj: Trajectory, number: int) -> list[bytes]:
    """One key per entry: equal for entries that are the same vertex (or face).

    Entries that are none have keys of their own, with the `number` of the walk.
    """
    place = np.concatenate([[0], np.cumsum(traj.steps.length > 0.0)])
    keys: dict[int, bytes] = {}  # one per place
    for k in np.flatnonzero(traj.is_vertex).tolist():
        if place[k] not in keys:
            keys[place[k]] = vertex_key(traj.problem, traj.vertices[k], traj.active[k])
    return [keys.get(at, b"walk %d, place %d" % (number, at)) for at in place.tolist()]


def vertex_key(loss: LayerLoss, theta: NDArray[np.float64], active: NDArray[np.int64]) -> bytes:
    """Hash of the activation pattern at `theta`, the breakpoints `active` (r, 3) being 0."""
    pattern = loss.pattern(theta)
    for layer, row, neuron in active:
        pattern[layer][row, neuron] = 0
    rows = [signs[loss.sample_rows] for signs in pattern[:-1]]
    rows.append(pattern[-1][loss.residual_rows])
    return blake2b(b"".join(signs.tobytes() for signs in rows), digest_size=16).digest()


__all__ = ["merge", "vertex_key", "walk_graph", "walk_keys"]
