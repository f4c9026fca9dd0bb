"""`Chain`: layers of other libraries, one after the other, as the affine layers of a `ReLUNetwork`.

Affine layers that follow each other are multiplied, which rounds; one between two activations is
taken as it is, number by number.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..network import ReLUNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_WEIGHTS = 4_000_000
"""Entries that the matrix of an unrolled layer may have: 32 MB."""


class Chain:
    """The layers so far; values are flat, of a `shape` (features,) or (channels, height, width).

    Parameters
    ----------
    shape : tuple of int, optional
        Of the inputs, without the samples; None: told by the first affine layer.
    """

    def __init__(self, shape: Sequence[int] | None) -> None:
        self.shape = None if shape is None else tuple(int(size) for size in shape)
        self._open: tuple[Floats, Floats] | None = None  # matrix, constant since an activation
        self._closed: list[tuple[Floats, Floats]] = []
        self._slope: float | None = None
        self._positive = False  # the values are those of a ReLU

    @property
    def size(self) -> int:
        """How many values there are; ValueError where nothing has told."""
        if self.shape is None:
            raise ValueError("input_shape: expected the shape of one sample, found None")
        return int(np.prod(self.shape))

    def affine(self, name: str, matrix: Floats, constant: Floats, shape: Sequence[int]) -> None:
        """``matrix @ values + constant``, whose values have that `shape`."""
        if self.shape is None:
            self.shape = (matrix.shape[1],)
        if matrix.shape[1] != self.size:
            raise ValueError(f"{name}: expected {self.size} inputs, found {matrix.shape[1]}")
        if self._open is None:
            self._open = matrix, constant
        else:
            before, moved = self._open
            self._open = matrix @ before, matrix @ moved + constant
        self.shape, self._positive = tuple(shape), False

    def scaled(self, name: str, scale: Floats, shift: Floats) -> None:
        """``scale * values + shift``, value by value; both are broadcast to the shape."""
        scale, shift = (np.broadcast_to(part, self._shape).ravel() for part in (scale, shift))
        if self._open is None:
            matrix = matrix_of(name, self.size, self.size, np.diag(scale))
            self.affine(name, matrix, shift + 0.0, self._shape)
            return
        matrix, constant = self._open
        self._open = scale[:, None] * matrix, scale * constant + shift
        self._positive = False

    @property
    def _shape(self) -> tuple[int, ...]:
        return self.shape if self.shape is not None else (self.size,)

    def activation(self, name: str, slope: float) -> None:
        """A ReLU of that `slope` below 0."""
        if self._slope is not None and slope != self._slope and not self._positive:
            raise ValueError(
                f"{name}: expected the slope {self._slope:g} of the other activations below 0, "
                f"found {slope:g}; a ReLUNetwork has one"
            )
        if self._open is None and self._closed:
            if self._positive:
                return  # it changes nothing
            raise ValueError(f"{name}: expected an affine layer between two leaky activations")
        if self._open is None:
            self._open = (
                matrix_of(name, self.size, self.size, np.eye(self.size)),
                np.zeros(self.size),
            )
        self._closed.append(self._open)
        self._open = None
        self._slope, self._positive = slope, slope == 0.0

    def flatten(self) -> None:
        """All values in a row."""
        self.shape = (self.size,)

    def largest(self, name: str, groups: list[Ints], shape: Sequence[int]) -> None:
        """The largest value of each group, by max(a, b) = a + max(0, b - a), in rounds of pairs."""
        while max(len(group) for group in groups) > 1:
            groups = self._round(name, groups)
        picked = np.concatenate(groups)
        if len(picked) != self.size or (picked != np.arange(self.size)).any():
            pick = np.zeros((len(picked), self.size))
            pick[np.arange(len(picked)), picked] = 1.0
            positive = self._positive
            self.affine(name, pick, np.zeros(len(picked)), shape)
            self._positive = positive
        self.shape = tuple(shape)

    def _round(self, name: str, groups: list[Ints]) -> list[Ints]:
        """One round: pairs of each group meet, and the winners are the new values."""
        positive, size = self._positive, self.size
        firsts, seconds, left = list[int](), list[int](), list[Ints]()
        for group in groups:
            pairs = len(group) // 2
            at = len(firsts) + np.arange(pairs + len(group) % 2)
            firsts += group[: 2 * pairs : 2].tolist()
            seconds += group[1 : 2 * pairs : 2].tolist()
            if len(group) % 2:  # the last one meets itself
                firsts.append(int(group[-1]))
                seconds.append(int(group[-1]))
            left.append(at)
        n, rows = len(firsts), np.arange(len(firsts))
        first, second = (np.zeros((n, size)) for _ in range(2))
        first[rows, firsts], second[rows, seconds] = 1.0, 1.0
        carried = [first] if positive else [first, -first]
        below = matrix_of(name, (1 + len(carried)) * n, size, np.vstack([second - first, *carried]))
        self.affine(name, below, np.zeros(len(below)), (len(below),))
        self.activation(name, 0.0)
        signs = [1.0, 1.0] if positive else [1.0, 1.0, -1.0]
        self.affine(name, np.hstack([s * np.eye(n) for s in signs]), np.zeros(n), (n,))
        self._positive = positive
        return left

    def network(self) -> ReLUNetwork:
        """The network; an activation at the end is followed by an affine layer that copies it."""
        layers = list(self._closed)
        if self._open is not None:
            layers.append(self._open)
        elif layers:
            size = len(layers[-1][1])
            layers.append((np.eye(size), np.zeros(size)))
        else:
            raise ValueError("expected a layer with weights at least, found none")
        weights, biases = zip(*layers, strict=True)
        return ReLUNetwork(weights, biases, self._slope or 0.0)


def matrix_of(name: str, rows: int, columns: int, matrix: Floats | None = None) -> Floats:
    """`matrix`, or zeros (rows, columns); ValueError if it would be too large."""
    if rows * columns > MOST_WEIGHTS:
        raise ValueError(
            f"{name}: expected a layer of at most {MOST_WEIGHTS:,} weights when it is unrolled, "
            f"found {rows * columns:,}"
        )
    return np.zeros((rows, columns)) if matrix is None else matrix


__all__ = ["MOST_WEIGHTS", "Chain", "matrix_of"]
