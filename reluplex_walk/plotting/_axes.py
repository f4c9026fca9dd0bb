"""What all figures share: colours, lines that differ, and axes where none are given.

What lies on the paper is drawn in :func:`ink` or in one of the colours below, which show on light
and on dark paper; black and white are for what lies on a surface that has its own colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Of the colours of Okabe and Ito, told apart by colour-blind readers, those that show on light and
# on dark paper; without purple, which some take for grey.
BLUE, VERMILION, SKY_BLUE, GREEN, GREY = "#0072B2", "#D55E00", "#56B4E9", "#009E73", "#999999"
COLOURS = (BLUE, VERMILION, GREEN, SKY_BLUE, "#E69F00", GREY)

# Lines drawn together differ by style, too; 42 pairs of a colour and a style.
STYLES: Final = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 3)))

# A scale of colours that grow steadily lighter, made for colour-blind readers.
SCALE = "cividis"

# Where a legend goes that covers what is drawn wherever it is.  The best place (matplotlib's
# default) would be sought among all polygons, one by one: 15 s for 3,000.
OVER_SURFACE: Final = "upper right"

# A legend on a surface: white on black, whatever the style.
ON_SURFACE: Final[dict[str, Any]] = {
    "fontsize": "small",
    "facecolor": "black",
    "labelcolor": "white",
    "framealpha": 0.5,
    "loc": OVER_SURFACE,
}


def new_axes(ax: Axes | None, title: str | None = None) -> Axes:
    """`ax`, or the axes of a new figure, with the `title`, if there is one."""
    if ax is None:
        _, ax = pyplot().subplots(layout="constrained")
    if title is not None:
        ax.set_title(title)
    return ax


def new_figure(width: float, height: float) -> Figure:
    """A new figure of that many inches."""
    figure: Figure = pyplot().figure(figsize=(width, height), layout="constrained")
    return figure


def panels(
    axes: Sequence[Axes] | None,
    count: int,
    across: int,
    figure: Figure | None = None,
    size: tuple[float, float] = (2.7, 2.3),
    **shared: Any,
) -> list[Axes]:
    """`axes`, of which there have to be `count`, or so many of a `figure`, `across` in a row.

    Without a figure of a new one, with panels of a `size` in inches; `shared` are options of its
    ``subplots``.
    """
    if axes is not None:
        if len(axes) != count:
            raise ValueError(f"axes: expected one for each of {count}, found {len(axes)}")
        return list(axes)
    across = min(across, count)
    down = -(-count // across)
    figure = figure or new_figure(size[0] * across, 0.4 + size[1] * down)
    grid = list(figure.subplots(down, across, squeeze=False, **shared).ravel())
    for spare in grid[count:]:
        spare.remove()
    return grid[:count]


def figure_title(axes: Any, title: str | None) -> None:
    """The `title`, if there is one, above the figure that the first of `axes` is in."""
    if title is not None and len(axes):
        axes[0].figure.suptitle(title)


def line_style(k: int) -> dict[str, Any]:
    """Colour and style of line `k` of those drawn together."""
    return {"color": COLOURS[k % len(COLOURS)], "ls": STYLES[k % len(STYLES)]}


def ink() -> Any:
    """The colour of text: black on light paper, white on dark."""
    return pyplot().rcParams["text.color"]


def pyplot() -> Any:
    """matplotlib.pyplot, imported at the first use."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError('plotting needs matplotlib: pip install "reluplex_walk[plot]"') from None
    return plt
