"""The variogram of a glass: the variance of differences of gradients against their distance."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from ._axes import BLUE, GREEN, GREY, SKY_BLUE, VERMILION, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..landscape.estimated_glass import EstimatedGlass
    from ..landscape.exact_glass import ExactGlass
    from ..landscape.variogram import Variogram


def plot_glass(
    found: ExactGlass | EstimatedGlass, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """The variogram of a glass, on logarithmic axes, and the line it follows where glass holds.

    Of an exact glass those of hidden neurons and of residuals, too.

    Parameters
    ----------
    found : ExactGlass or EstimatedGlass
        As from :func:`reluplex_walk.glass.exact` or :func:`reluplex_walk.glass.estimate`.
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
    >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
    >>> found = rw.glass.exact(loss, loss.theta, 0.3)
    >>> ax = rw.plotting.plot_glass(found, ax=Figure().subplots())
    >>> [line.get_label() for line in ax.lines]
    ['exact', 'rho_total x distance', 'hidden neurons', 'residuals']
    """
    from ..landscape.exact_glass import ExactGlass
    from ..landscape.jumps import KINDS
    from ..landscape.lines import GlassWarning

    ax, seen, others = new_axes(ax, title), found.variogram(), []
    if isinstance(found, ExactGlass):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GlassWarning)  # the legend says it
            others = [found.variogram(kind) for kind in KINDS[1:]]
    names = ("hidden neurons", "s--", VERMILION), ("residuals", "^--", SKY_BLUE)
    if others:
        _draw(ax, seen, "o", BLUE, "exact")
        ax.plot(seen.distance, seen.linear, "-", color=GREY, label="rho_total x distance")
        for part, (label, style, color) in zip(others, names, strict=True):
            _draw(ax, part, style, color, label, ms=4)
    else:
        _draw(ax, seen, "D", GREEN, "estimated")
        ax.plot(seen.distance, seen.linear, ":", color=GREEN, label="from the first distance on")
    ax.set(xlabel="distance", ylabel="variance of differences of the gradient")
    ax.set_xscale("log")
    if (seen.value > 0.0).any():
        ax.set_yscale("log")
    else:
        ax.text(0.5, 0.5, "no breakpoint crossed", transform=ax.transAxes, ha="center")
    ax.minorticks_off()  # their labels would cover each other
    ax.legend(frameon=False)
    return ax


def _draw(
    ax: Axes, seen: Variogram, style: str, color: str, label: str, ms: float | None = None
) -> None:
    """A variogram, which says so in the legend if there is nothing of it."""
    nothing = "" if (seen.value > 0.0).any() else ": none crossed"
    ax.plot(seen.distance, seen.value, style, color=color, label=label + nothing, ms=ms)
