"""Walks merged where they meet, laid out by loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

from ._axes import BLUE, OVER_SURFACE, VERMILION, ink, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_graph(
    graph: nx.DiGraph,
    ax: Axes | None = None,
    log: bool = False,
    xlabel: str = "walks, ordered by where they end",
    ylabel: str = "loss",
    title: str | None = None,
) -> Axes:
    """Merged walks: each falls in a lane of its own until it meets another.

    Lines are wider where several walks take them.  Rings mark the vertices where walks meet, full
    marks the ends, larger where several walks end.

    Parameters
    ----------
    graph : networkx.DiGraph
        As from :func:`reluplex_walk.merge`.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    log : bool, default False
        Whether the loss has a logarithmic axis.
    xlabel, ylabel : str
    title : str, optional
        Above the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
    >>> graph = rw.merge(rw.walk(loss, seed=seed) for seed in range(10))
    >>> ax = plotting.plot_graph(graph, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().texts]
    ['walks meet', 'end; area: how many']
    """
    ax = new_axes(ax, title)
    from matplotlib.collections import LineCollection

    loss = nx.get_node_attributes(graph, "loss")
    x = _lanes(graph)
    chains = _chains(graph)
    lines = [[(x[k], loss[k]) for k in chain] for chain in chains]
    widths = [np.sqrt(graph.edges[chain[0], chain[1]]["walks"]) for chain in chains]
    ax.add_collection(LineCollection(lines, color=BLUE, lw=widths))
    meet = [node for node, degree in graph.in_degree if degree > 1]
    points = [x[k] for k in meet], [loss[k] for k in meet]
    ax.scatter(*points, s=25, color=ax.get_facecolor(), ec=ink(), zorder=2.5, label="walks meet")
    ended = nx.get_node_attributes(graph, "ended")
    ends = [node for node in graph if ended[node]]
    sizes = [25 * ended[node] for node in ends]
    points = [x[k] for k in ends], [loss[k] for k in ends]
    ax.scatter(*points, s=sizes, color=VERMILION, zorder=3, label="end; area: how many")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_xticks([])
    if log:
        ax.set_yscale("log")
    ax.margins(y=0.2)  # room for the legend
    ax.autoscale()
    ax.legend(loc=OVER_SURFACE)
    return ax


def _chains(graph: nx.DiGraph) -> list[list[int]]:
    """The edges as paths between the nodes where walks start, meet, part or end."""
    inner = {k for k in graph if graph.in_degree(k) == graph.out_degree(k) == 1}
    chains = []
    for edge in graph.edges:
        if edge[0] not in inner:
            chain = list(edge)
            while chain[-1] in inner:
                chain.extend(graph.successors(chain[-1]))
            chains.append(chain)
    return chains


def _lanes(graph: nx.DiGraph) -> dict[int, float]:
    """Starts side by side, by the end most of their walks reach; others in the middle below."""
    order = list(nx.topological_sort(graph))
    end: dict[int, int] = {}
    for node in reversed(order):
        walks = {b: data["walks"] for _, b, data in graph.out_edges(node, data=True)}
        end[node] = end[max(walks, key=lambda b: walks[b])] if walks else node
    loss = nx.get_node_attributes(graph, "loss")
    starts = [node for node, degree in graph.in_degree if degree == 0]
    starts.sort(key=lambda node: (loss[end[node]], end[node], loss[node]))
    x = {node: float(lane) for lane, node in enumerate(starts)}
    for node in order:
        before = {a: data["walks"] for a, _, data in graph.in_edges(node, data=True)}
        if before:
            x[node] = float(np.average([x[a] for a in before], weights=list(before.values())))
    return x
