"""A walk as a networkx graph: a node per entry, an edge per pivot.

Every attribute is an int, a float, a bool or a string, and none has a name that a file format
reserves, so that networkx writes and reads the graphs in GraphML, GEXF and node-link JSON.  Node
names are ints: pass ``node_type=int`` to ``read_graphml`` and ``read_gexf``.  GEXF keeps no
attributes of the whole graph and adds a ``label`` to nodes and an ``id`` to edges.
"""

from typing import Any

import networkx as nx
import numpy as np

from ..simplex.trajectory import Trajectory


def walk_graph(traj: Trajectory) -> nx.DiGraph:
    """The walk as a directed graph: a node per entry, an edge per pivot.

    See :meth:`Trajectory.graph`.
    """
    graph = nx.DiGraph(
        status=traj.status.name, fingerprint=traj.problem.fingerprint, rule=traj.options.rule
    )
    graph.add_nodes_from(enumerate(node_attributes(traj)))
    graph.add_edges_from((k, k + 1, edge) for k, edge in enumerate(edge_attributes(traj)))
    return graph


def node_attributes(traj: Trajectory) -> list[dict[str, Any]]:
    """Attributes of each entry."""
    distances = np.linalg.norm(traj.vertices - traj.theta, axis=(1, 2))
    tied = np.concatenate([[0], traj.steps.tied])
    names = [f"active_hidden_{layer}" for layer in range(traj.problem.n_hidden)]
    names += ["active_residuals", *(["active_weights"] if traj.problem.penalty else [])]
    nodes = []
    for k, active in enumerate(traj.active):
        per_layer = np.bincount(active[:, 0], minlength=len(names))
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


def edge_attributes(traj: Trajectory) -> list[dict[str, Any]]:
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
    loss = traj.problem
    place = np.concatenate([[0], np.cumsum(traj.steps.length > 0.0)])
    keys: dict[int, bytes] = {}  # one per place
    for k in np.flatnonzero(traj.is_vertex).tolist():
        if place[k] not in keys:
            pattern = loss.pattern(traj.vertices[k])
            keys[place[k]] = loss.index.key(pattern, traj.active[k])
    return [keys.get(at, b"walk %d, place %d" % (number, at)) for at in place.tolist()]


__all__ = ["edge_attributes", "node_attributes", "walk_graph", "walk_keys"]
