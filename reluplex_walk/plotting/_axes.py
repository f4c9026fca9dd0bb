"""What all figures share: colours, and axes where none are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The colours of Okabe and Ito, told apart by colour-blind readers.
BLUE, VERMILION, SKY_BLUE, GREEN, GREY = "#0072B2", "#D55E00", "#56B4E9", "#009E73", "#999999"
COLOURS = (BLUE, VERMILION, GREEN, SKY_BLUE, GREY, "#E69F00", "#CC79A7", "#000000")

# A scale of colours that grow steadily lighter, made for colour-blind readers.
SCALE = "cividis"

# Where a legend goes that covers what is drawn wherever it is.  The best place (matplotlib's
# default) would be sought among all polygons, one by one: 15 s for 3,000.
OVER_SURFACE: Final = "upper right"


def new_axes(ax: Axes | None) -> Axes:
    """`ax`, or the axes of a new figure."""
    if ax is None:
        _, ax = pyplot().subplots(layout="constrained")
    return ax


def new_figure(width: float, height: float) -> Figure:
    """A new figure of that many inches."""
    figure: Figure = pyplot().figure(figsize=(width, height), layout="constrained")
    return figure


def pyplot() -> Any:
    """matplotlib.pyplot, imported at the first use."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError('plotting needs matplotlib: pip install "reluplex_walk[plot]"') from None
    return plt
