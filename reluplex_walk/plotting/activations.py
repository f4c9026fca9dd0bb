"""Which neurons are active along a walk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._validate import integer
from ._axes import SCALE, VERMILION, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..simplex.trajectory import Trajectory

Floats = NDArray[np.float64]

_NAMED = 25  # neurons with a name each at the axis


def plot_activations(
    traj: Trajectory,
    ax: Axes | None = None,
    most: int = 400,
    xlabel: str = "pivot",
    title: str | None = None,
) -> Axes:
    """For each neuron the share of samples that it is active for, at each entry of a walk.

    Neurons of the trained layer are below, those of the layers above it follow.  A neuron is active
    for a sample where its pre-activation is above 0, by more than rounding: as
    :meth:`.LayerLoss.pattern` has it.  Hatched: dead there, active for no sample (leaky neurons are
    never dead).

    Parameters
    ----------
    traj : Trajectory
        Of a network with a hidden layer at or above the trained one.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    most : int, default 400
        Entries that are looked at, evenly chosen of more, the first and the last among them; each
        stands for those halfway to the next.
    xlabel : str
    title : str, optional
        Above the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If the last layer is trained, so that there are no neurons that could be active.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import plotting
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0]))
    >>> ax = plotting.plot_activations(traj, ax=Figure().subplots())
    >>> ax.collections[0].get_array().shape  # neurons and entries
    (3, 7)
    """
    if traj.problem.n_hidden == 0:
        raise ValueError("traj: expected neurons from the trained layer on, found the last trained")
    integer("most", most, 2)
    last = traj.n_pivots
    entries = np.unique(np.linspace(0, last, min(most, last + 1)).round().astype(np.int64))
    shares = np.array([_shares(traj, k) for k in entries]).T  # (neurons, entries)
    ax = new_axes(ax, title)
    x = np.concatenate([[-0.5], (entries[1:] + entries[:-1]) / 2.0, [last + 0.5]])
    rows = len(shares)
    scale: dict[str, Any] = {"cmap": SCALE, "vmin": 0.0, "vmax": 1.0}
    mesh = ax.pcolormesh(x, np.arange(rows + 1) - 0.5, shares, **scale)
    if traj.network.negative_slope == 0.0:
        _mark_dead(ax, shares == 0.0, x)
    _name_neurons(traj, ax)
    ax.set(xlabel=xlabel)
    if (figure := ax.get_figure()) is not None:
        figure.colorbar(mesh, ax=ax, label="share of samples it is active for")
    return ax


def _shares(traj: Trajectory, at: int) -> Floats:
    """Of each neuron, layer by layer, at entry `at`: (neurons,)."""
    hidden = traj.problem.pattern(traj.vertices[at])[: traj.problem.n_hidden]
    return np.concatenate([(signs > 0).mean(axis=0) for signs in hidden])


def _mark_dead(ax: Axes, dead: NDArray[np.bool_], x: Floats) -> None:
    """Hatched bars over the entries, between the edges `x`, at which a neuron is dead."""
    label = "dead: active for none"
    for row, some in enumerate(dead):
        ends = np.flatnonzero(np.diff(some, prepend=False, append=False))
        runs = [(x[a], x[b] - x[a]) for a, b in ends.reshape(-1, 2)]
        if runs:
            look: dict[str, Any] = {"facecolor": VERMILION, "edgecolor": "w", "hatch": "////"}
            ax.broken_barh(runs, (row - 0.5, 1.0), lw=0.0, label=label, **look)
            label = "_"  # one entry of the legend for all
    if label == "_":
        ax.legend(loc="upper right", bbox_to_anchor=(1.0, -0.06), frameon=False, fontsize="small")


def _name_neurons(traj: Trajectory, ax: Axes) -> None:
    """Neurons, or where there are many the layers alone; lines between the layers."""
    widths = traj.network.widths[traj.problem.layer + 1 : -1]
    first = np.cumsum([0, *widths])
    for k in first[1:-1]:
        ax.axhline(k - 0.5, color="w", lw=1.5)
    names = [f"layer {traj.problem.layer + k}" for k in range(len(widths))]
    if first[-1] > _NAMED:
        ax.set_yticks((first[1:] + first[:-1] - 1) / 2.0, names)
        ax.tick_params(axis="y", length=0)
        return
    neurons = [str(j) for width in widths for j in range(width)]
    ax.set_yticks(np.arange(first[-1]), neurons)
    if len(widths) == 1:
        ax.set_ylabel("neuron")
        return
    for name, low, high in zip(names, first, first[1:], strict=False):
        at: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "va": "center", "ha": "right"}
        ax.text(-0.06, (low + high - 1) / 2.0, name, rotation=90, **at)
