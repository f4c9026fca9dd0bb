"""Frames of a figure in which some artists move: all else is drawn once, and lies beneath them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.animation import FFMpegWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure


class Still(FigureCanvasAgg):
    """A canvas that has drawn what does not move, and draws what does on a copy of it."""

    def __init__(self, figure: Figure, moving: Sequence[Artist]) -> None:
        super().__init__(figure)
        self._moving = moving
        self.draw()
        figure.set_layout_engine("none")  # it is laid out
        self._beneath = self.copy_from_bbox(figure.bbox)

    def rendered(self) -> NDArray[np.uint8]:
        """The pixels (height, width, 4) as they are now."""
        self.restore_region(self._beneath)
        for artist in self._moving:
            artist.draw(self.get_renderer())
        return np.asarray(self.buffer_rgba())

    def print_figure(self, filename: Any, *_: Any, **__: Any) -> None:
        """What ``savefig`` calls, as writers of matplotlib do for each frame."""
        filename.write(self.rendered())


def write_mp4(
    path: Path, figure: Figure, moving: Sequence[Artist], steps: Iterable[Any], fps: float
) -> None:
    """A film by ffmpeg, a frame after each of the `steps`."""
    writer = FFMpegWriter(fps=fps)  # type: ignore[arg-type]  # fractions are fine
    with rc_context({"savefig.bbox": None}), writer.saving(figure, str(path), figure.dpi):
        Still(figure, moving)  # after the writer has made the size even
        for _ in steps:
            writer.grab_frame()


def write_gif(
    path: Path, figure: Figure, moving: Sequence[Artist], steps: Iterable[Any], fps: float
) -> None:
    """A film by Pillow, a frame after each of the `steps`, in the colours of the first."""
    canvas = Still(figure, moving)

    def images() -> Iterator[Image.Image]:
        palette = None
        for _ in steps:
            image = Image.fromarray(canvas.rendered()).convert("RGB")
            palette = palette or image.quantize(256)
            yield image.quantize(palette=palette, dither=Image.Dither.NONE)

    frames = images()
    first = next(frames)
    first.save(path, "GIF", save_all=True, append_images=frames, duration=1000.0 / fps, loop=0)
