"""Where walks meet: their ends as the nodes of a graph, and the vertices at which walks join.

From a vertex that two walks reach with the same basis they go on together, as rivers do.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise

import networkx as nx

from ..graphs.walk_graph import walk_keys
from ..simplex.trajectory import Trajectory
from .minima import EnsembleMinima
from .rows import Row


def confluence(
    rows: list[Row],
    minima: EnsembleMinima,
    trajectories: Callable[[], Iterable[Trajectory]] | None,
) -> nx.DiGraph:
    """The graph of :meth:`Ensemble.graph`; `trajectories` gives those that were kept."""
    graph = nx.DiGraph(walks=len(rows))
    for k, key in enumerate(minima.keys):
        graph.add_node(
            k,
            kind="end",
            loss=float(minima.losses[k]),
            walks=int(minima.counts[k]),
            proved=bool(minima.proved[k]),
            seed=int(minima.seeds[k]),
            basin=k,
            key=key,
        )
    if trajectories is None:
        return graph
    place = {key: k for k, key in enumerate(minima.keys)}
    basin = {row.seed: place[row.key] for row in rows if row.key is not None}
    joints = _joints(trajectories(), basin)
    node_of = {key: len(minima) + k for k, key in enumerate(sorted(joints))}
    for traj in trajectories():
        seed = traj.options.seed
        if seed in basin:
            _add(graph, traj, node_of, basin[seed])
    return graph


def _joints(trajectories: Iterable[Trajectory], basin: dict[int, int]) -> set[bytes]:
    """Keys of vertices that walks reach from several others, or at which one starts anew."""
    before: dict[bytes, bytes] = {}
    joints: set[bytes] = set()
    for traj in trajectories:
        if traj.options.seed not in basin:
            continue
        last = b""  # a walk that comes from no vertex
        for key in _vertices(traj):
            if key not in before:
                before[key] = last
            elif before[key] != last or not last:
                joints.add(key)
            last = key
    return joints


def _vertices(traj: Trajectory) -> list[bytes]:
    """Keys of the vertices of a walk before its end, each once."""
    keys = walk_keys(traj, traj.options.seed)
    vertices = [key for key, vertex in zip(keys, traj.is_vertex, strict=True) if vertex]
    return [key for key in dict.fromkeys(vertices) if key != keys[-1]]


def _add(graph: nx.DiGraph, traj: Trajectory, node_of: dict[bytes, int], end: int) -> None:
    """A walk as the joints that it passes, from the first to its end."""
    losses = dict(zip(walk_keys(traj, traj.options.seed), traj.losses, strict=True))
    path = [key for key in _vertices(traj) if key in node_of]
    for key in path:
        node = node_of[key]
        if node not in graph:
            loss = float(losses[key])
            graph.add_node(node, kind="joint", loss=loss, walks=0, basin=end, key=key.hex())
        graph.nodes[node]["walks"] += 1
        if graph.nodes[node]["basin"] != end:
            graph.nodes[node]["basin"] = -1  # walks part there: by rounding, or rule="random"
    for one, two in pairwise([*(node_of[key] for key in path), end]):
        if not graph.has_edge(one, two):
            graph.add_edge(one, two, walks=0)
        graph.edges[one, two]["walks"] += 1


__all__ = ["confluence"]
