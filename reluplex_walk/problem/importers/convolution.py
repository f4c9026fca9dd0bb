"""Convolutions and pools over images, unrolled: which inputs each output sees, with what weight."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .chain import Chain, matrix_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Window(NamedTuple):
    """How a window moves over an image."""

    size: tuple[int, int]
    stride: tuple[int, int]
    pads: tuple[int, int, int, int]  # top, left, bottom, right
    dilation: tuple[int, int] = (1, 1)

    def outputs(self, name: str, image: Sequence[int]) -> tuple[int, int]:
        """Height and width of what it gives."""
        found = []
        for k in range(2):
            room = image[k] + self.pads[k] + self.pads[k + 2]
            reach = self.dilation[k] * (self.size[k] - 1) + 1
            found.append((room - reach) // self.stride[k] + 1)
        if min(found) < 1:
            raise ValueError(f"{name}: the window is larger than the image {tuple(image)}")
        return found[0], found[1]

    def places(self, name: str, image: Sequence[int]) -> Iterator[tuple[int, Ints, Ints]]:
        """For each output: which cells of the window lie on the image, and where there."""
        height, width = self.outputs(name, image)
        cells = np.arange(self.size[0] * self.size[1])
        down, along = np.divmod(cells, self.size[1])
        for at in range(height * width):
            y = at // width * self.stride[0] - self.pads[0] + down * self.dilation[0]
            x = at % width * self.stride[1] - self.pads[1] + along * self.dilation[1]
            seen = (y >= 0) & (y < image[0]) & (x >= 0) & (x < image[1])
            yield at, cells[seen], (y * image[1] + x)[seen]


def image_of(name: str, chain: Chain) -> tuple[int, int, int]:
    """Channels, height and width of the values."""
    if chain.shape is None or len(chain.shape) != 3:
        raise ValueError(
            f"{name}: expected images; give input_shape=(channels, height, width), "
            f"found {chain.shape}"
        )
    return chain.shape[0], chain.shape[1], chain.shape[2]


def convolve(
    name: str, chain: Chain, weight: Floats, bias: Floats, window: Window, groups: int
) -> None:
    """A convolution with weights (out, in / groups, height, width)."""
    channels, *image = image_of(name, chain)
    out, each = weight.shape[:2]
    if each * groups != channels or out % groups:
        raise ValueError(f"{name}: expected {each * groups} channels, found {channels}")
    height, width = window.outputs(name, image)
    matrix = matrix_of(name, out * height * width, chain.size)
    flat, pixels = weight.reshape(out, each, -1), image[0] * image[1]
    for at, cells, places in window.places(name, image):
        for k in range(out):
            first = k // (out // groups) * each
            for channel in range(each):
                row = matrix[k * height * width + at]
                row[(first + channel) * pixels + places] = flat[k, channel, cells]
    chain.affine(name, matrix, np.repeat(bias, height * width), (out, height, width))


def average(name: str, chain: Chain, window: Window, with_padding: bool) -> None:
    """The mean over a window, channel by channel."""
    channels, *image = image_of(name, chain)
    height, width = window.outputs(name, image)
    outputs, pixels = height * width, image[0] * image[1]
    matrix = matrix_of(name, channels * outputs, chain.size)
    for at, cells, places in window.places(name, image):
        count = window.size[0] * window.size[1] if with_padding else len(cells)
        for channel in range(channels):
            matrix[channel * outputs + at, channel * pixels + places] = 1.0 / count
    chain.affine(name, matrix, np.zeros(len(matrix)), (channels, height, width))


def largest(name: str, chain: Chain, window: Window) -> None:
    """The largest value of a window, channel by channel."""
    channels, *image = image_of(name, chain)
    height, width = window.outputs(name, image)
    pixels = image[0] * image[1]
    places = [seen for _, _, seen in window.places(name, image)]
    groups = [channel * pixels + seen for channel in range(channels) for seen in places]
    chain.largest(name, groups, (channels, height, width))


__all__ = ["Window", "average", "convolve", "image_of", "largest"]
