"""The weights of a layer against the penalty on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._axes import line_style, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..optimize.penalty_path import LayerPenaltyPath


def plot_penalty_path(
    path: LayerPenaltyPath, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """The weights at the local minimum of each penalty, those of a neuron in one colour and style.

    Parameters
    ----------
    path : LayerPenaltyPath
    ax : matplotlib Axes, optional
        Default: those of a new figure.
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
    >>> data = rw.datasets.load_stackloss()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([3, 2, 1], seed=0), data.X, data.y)
    >>> ax = rw.plotting.plot_penalty_path(rw.penalty_path(loss, n=3), ax=Figure().subplots())
    >>> len(ax.lines)  # a line for each weight
    6
    """
    ax = new_axes(ax, title)
    for j, neuron in enumerate(path.thetas[:, :, :-1].transpose(1, 0, 2)):
        ax.plot(path.penalties, neuron, marker=".", **line_style(j))
    ax.set(xlabel="penalty", ylabel="weights", xscale="log")
    return ax
