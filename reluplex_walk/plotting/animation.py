"""A walk as a film: what is fitted, the loss, and the way over a plane, vertex by vertex."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._extras import need
from .._limits import Limits
from .._validate import integer, positive
from .._whole import new_path
from ._axes import BLUE, GREY, SKY_BLUE, VERMILION, ink, new_figure
from ._cut import plane_of
from .fit import predicted
from .plane import plot_plane

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..simplex.trajectory import Trajectory

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Moves = Callable[[int], None]

_POINTS = 400  # of a curve
_SECONDS = 20.0  # that a film lasts, unless that makes it too slow or too quick
_SLOWEST, _QUICKEST = 4.0, 30.0  # frames per second
_HELD = 1.5  # seconds that the end stays


def animate(
    traj: Trajectory,
    path: str | Path | None = None,
    figure: Figure | None = None,
    frames: int = 500,
    fps: float | None = None,
    dpi: float = 100.0,
    output: int = 0,
    title: str | None = None,
    callback: Callable[[int], Any] | None = None,
) -> FuncAnimation | Path:
    """A walk as a film: data and fit, the loss, and the walk in the plane of three vertices.

    With one input the fit is a curve over the data, with several it is predictions against targets,
    as :func:`plot_fit` has them.  In the plane, as :func:`plot_plane` draws it, the walk begins at
    its first vertex; it is left out where the vertices lie on a line.

    Parameters
    ----------
    traj : Trajectory
    path : str or Path, optional
        The file to write: .mp4 (by ffmpeg) or .gif (by Pillow, which matplotlib brings); without
        an ending .mp4 where there is ffmpeg, else .gif.  A file that exists is replaced.  Default:
        nothing is written, and the animation of matplotlib is returned.
    figure : matplotlib Figure, optional
        An empty figure to draw on; default: a new one, 9.6 by 4.8 inches.
    frames : int, default 500
        Entries that are shown, evenly chosen of more, the first and the last among them.
    fps : float, optional
        Frames per second; default: so that the film takes 20 s, but 4 at least and 30 at most.
    dpi : float, default 100.0
        Pixels per inch of a file.
    output : int, default 0
        The output of the network that is drawn.
    title : str, optional
        Above the figure.
    callback : callable, optional
        Called after each frame that is written, with their number; StopIteration or
        KeyboardInterrupt raised in it end the film there, as Ctrl-C does.

    Returns
    -------
    matplotlib.animation.FuncAnimation or Path
        The animation, to be kept as long as it is shown; or the file that was written.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, as another ending of `path`.
    FileNotFoundError
        If there is no such folder.
    RuntimeError
        If a file .mp4 is wanted and there is no ffmpeg.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import reluplex_walk as rw
    >>> from reluplex_walk import plotting
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = plotting.animate(traj, pathlib.Path(folder) / "walk.gif", dpi=50.0)
    ...     written.name, written.read_bytes()[:6]
    ('walk.gif', b'GIF89a')
    """
    integer("frames", frames, 2)
    output = integer("output", output, 0, traj.network.widths[-1] - 1)
    positive("dpi", dpi)
    last = traj.n_pivots
    entries = np.unique(np.linspace(0, last, min(frames, last + 1)).round().astype(np.int64))
    if fps is None:
        fps = float(np.clip(len(entries) / _SECONDS, _SLOWEST, _QUICKEST))
    positive("fps", fps)
    target = None if path is None else _target(new_path(path))
    need("matplotlib", "plotting", "plot")
    if figure is None:
        figure = _figure() if target is not None else new_figure(9.6, 4.8)
    moves, moving = _draw(traj, figure, entries, output)
    if title is not None:
        figure.suptitle(title)
    if target is None:
        return _animation(figure, moves, moving, entries, fps)
    limits = Limits.asked(None, callback)
    _write(target, figure, moving, _steps(moves, entries, round(_HELD * fps), limits), fps, dpi)
    return target


def _target(path: Path) -> Path:
    """The file to write, with the ending of a writer that there is."""
    need("matplotlib", "plotting", "plot")
    from matplotlib.animation import FFMpegWriter

    ffmpeg = FFMpegWriter.isAvailable()
    if not path.suffix:
        return path.with_suffix(".mp4" if ffmpeg else ".gif")
    if path.suffix not in (".mp4", ".gif"):
        raise ValueError(f"path: expected a name that ends in .mp4 or .gif, found {path.name!r}")
    if path.suffix == ".mp4" and not ffmpeg:
        raise RuntimeError(
            "path: a film .mp4 needs the program ffmpeg, which was not found; install it or set "
            "matplotlib's rcParams['animation.ffmpeg_path'], or take a name that ends in .gif"
        )
    return path


def _figure() -> Figure:
    """A new figure that is not one of pyplot's: no window opens for a file."""
    from matplotlib.figure import Figure

    return Figure(figsize=(9.6, 4.8), layout="constrained")


def _animation(
    figure: Figure, moves: list[Moves], moving: list[Artist], entries: Ints, fps: float
) -> FuncAnimation:
    from matplotlib.animation import FuncAnimation

    def update(k: int) -> list[Artist]:
        for move in moves:
            move(k)
        return moving

    return FuncAnimation(
        figure, update, entries.tolist(), interval=1000.0 / fps, blit=True, cache_frame_data=False
    )


def _steps(moves: list[Moves], entries: Ints, held: int, limits: Limits) -> Iterator[int]:
    """Move the artists to one entry after the other; the last one comes `held` times."""
    shown = [*entries.tolist(), *[int(entries[-1])] * held]
    with limits:
        for done, k in enumerate(shown, 1):
            for move in moves:
                move(k)
            yield k
            if limits.look(done, done) is not None:
                return


def _write(
    target: Path, figure: Figure, moving: list[Artist], steps: Iterator[int], fps: float, dpi: float
) -> None:
    """The film, under another name until it is whole."""
    from ._blitting import write_gif, write_mp4

    part = target.with_name(f"{target.stem}.part{target.suffix}")
    before = figure.canvas, figure.get_dpi(), figure.get_layout_engine()
    figure.set_dpi(dpi)
    try:
        write = write_mp4 if target.suffix == ".mp4" else write_gif
        write(part, figure, moving, steps, fps)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
        figure.set_canvas(before[0])
        figure.set_dpi(before[1])
        figure.set_layout_engine(before[2])


# ---------------------------------------------------------------- what is drawn, and what moves


def _draw(
    traj: Trajectory, figure: Figure, entries: Ints, output: int
) -> tuple[list[Moves], list[Artist]]:
    """Draw what stays; functions that move the rest to an entry, and the artists they move."""
    flat = plane_of(traj) is None
    grid = figure.add_gridspec(2, 2, width_ratios=[1.0, 1.0])
    panels = [
        _fit(traj, figure.add_subplot(grid[:, 0]), output),
        _loss(traj, figure.add_subplot(grid[:, 1] if flat else grid[0, 1]), entries),
    ]
    if not flat:
        panels.append(_plane(traj, figure.add_subplot(grid[1, 1])))
    moving = [artist for _, some in panels for artist in some]
    for artist in moving:
        artist.set_animated(True)
    return [move for move, _ in panels], moving


def _fit(traj: Trajectory, ax: Axes, output: int) -> tuple[Moves, list[Artist]]:
    X, y = traj.problem.X, traj.problem.y[:, output]
    curve = X.shape[1] == 1
    inputs = np.linspace(X.min(), X.max(), _POINTS)[:, None] if curve else X
    if curve:
        x: Floats = inputs[:, 0]
        ax.plot(X[:, 0], y, "o", color=GREY, ms=3.5, label="data")
        look: dict[str, Any] = {"color": VERMILION, "lw": 2.0, "label": "fit"}
        ax.set(xlabel="x", ylabel="y")
    else:
        x = y
        line = {"color": ink(), "lw": 0.8, "ls": ":", "zorder": 1.0}
        ax.axline((y.mean(), y.mean()), slope=1.0, label="predicted as observed", **line)
        look = {"color": VERMILION, "marker": "o", "ls": "", "ms": 4.0, "label": "sample"}
        ax.set(xlabel="observed", ylabel="predicted")
    (drawn,) = ax.plot(x, predicted(traj, -1, inputs)[:, output], **look)
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())  # of the end; a start far off is cut
    ax.legend(frameon=False, loc="upper left")

    def move(k: int) -> None:
        drawn.set_ydata(predicted(traj, k, inputs)[:, output])

    return move, [drawn]


def _loss(traj: Trajectory, ax: Axes, entries: Ints) -> tuple[Moves, list[Artist]]:
    losses, at = traj.losses[entries], {k: place for place, k in enumerate(entries.tolist())}
    ax.plot(entries, losses, color=GREY, lw=1.0)
    if traj.phase1:
        label = "before the first vertex"
        ax.axvspan(0, traj.phase1, color=SKY_BLUE, alpha=0.25, lw=0, label=label)
        ax.legend(frameon=False, loc="upper right", bbox_to_anchor=(1.0, 0.9), fontsize="small")
    if 0 < 20 * losses[-1] < losses[0]:
        ax.set_yscale("log")
    ax.set(xlabel="pivot", ylabel="loss", xlim=ax.get_xlim(), ylim=ax.get_ylim())
    (past,) = ax.plot([], [], color=BLUE, lw=1.8)
    (here,) = ax.plot([], [], "o", color=VERMILION)
    text = ax.text(0.98, 0.96, "", transform=ax.transAxes, ha="right", va="top")

    def move(k: int) -> None:
        place = at[k]
        past.set_data(entries[: place + 1], losses[: place + 1])
        here.set_data([k], [losses[place]])
        text.set_text(f"pivot {k} of {traj.n_pivots}: loss {losses[place]:.4g}")

    return move, [past, here, text]


def _plane(traj: Trajectory, ax: Axes) -> tuple[Moves, list[Artist]]:
    plot_plane(traj, ax)
    whole = ax.lines[0]
    way = np.asarray(whole.get_xydata())
    whole.set(alpha=0.4, marker="")
    (past,) = ax.plot([], [], color="white", lw=1.4)
    (here,) = ax.plot([], [], "o", color=VERMILION, mec="white", ms=7)
    if (legend := ax.get_legend()) is not None:
        legend.remove()
    ax.set(xlabel="", ylabel="")

    def move(k: int) -> None:
        some = way[: max(0, k - traj.phase1 + 1)]
        past.set_data(*some.T)
        here.set_data(*some[-1:].T)

    return move, [past, here]
