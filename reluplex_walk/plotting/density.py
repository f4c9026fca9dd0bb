"""The density of breakpoints along a walk, against its norm-matched control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._axes import BLUE, GREY, SKY_BLUE, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..landscape.density import BreakpointDensity


def plot_density(
    densities: Sequence[BreakpointDensity],
    entries: Sequence[int],
    ax: Axes | None = None,
    xlabel: str = "pivot",
    ylabel: str = "breakpoints per unit length",
    title: str | None = None,
) -> Axes:
    """Densities measured at several entries of a walk, on a logarithmic axis, and their controls.

    Parameters
    ----------
    densities : sequence of BreakpointDensity
        As from :func:`reluplex_walk.density.breakpoint_density`.
    entries : sequence of int
        The entry of the walk that each was measured at.
    ax : matplotlib Axes, optional
        Default: those of a new figure.
    xlabel, ylabel : str
    title : str, optional
        Above the axes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If there is not one entry for each density.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from matplotlib.figure import Figure
    >>> from reluplex_walk import density, plotting
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> traj = rw.walk(loss, max_pivots=60)
    >>> entries = [16, 38, 60]
    >>> found = [density.breakpoint_density(loss, traj.vertices[k], 0.1, 10) for k in entries]
    >>> ax = plotting.plot_density(found, entries, ax=Figure().subplots())
    >>> [line.get_label() for line in ax.lines]
    ['all', 'without those active there', 'norm-matched control']
    """
    if len(densities) != len(entries):
        raise ValueError(
            f"entries: expected one for each of {len(densities)} densities, found {len(entries)}"
        )
    ax = new_axes(ax, title)
    ax.plot(entries, [each.value for each in densities], "o-", color=SKY_BLUE, label="all")
    inactive = [each.inactive for each in densities]
    ax.plot(entries, inactive, "s-", color=BLUE, label="without those active there")
    control = [each.control for each in densities]
    ax.plot(entries, control, "^--", color=GREY, label="norm-matched control")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_yscale("log")
    ax.legend(frameon=False)
    return ax
