"""Compound Poisson gradients: what a glass is by definition, to check formulas against.

Jumps of mean square 1 come at a rate on a line, independently of each other and in each of many
coordinates.  So the variance of an estimate over coordinates is that over repetitions.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def changes(
    rng: np.random.Generator, rate: float, distance: ArrayLike, jump: str, shape: tuple[int, ...]
) -> Floats:
    """How much the gradient changes on each `distance`, for jumps "normal" or "equal" in size."""
    count = rng.poisson(rate * np.asarray(distance), shape)
    if jump == "normal":
        return np.sqrt(count) * rng.standard_normal(shape)
    return 2.0 * rng.binomial(count, 0.5) - count


class Compound:
    """A gradient (dim,) on lines through 0, with a new process on each of them.

    Called as `estimate` does: once at 0 if `points` is odd, then along each line in order, some
    points twice in a row.  Each coordinate has jumps at `rate`, and the slope `slope` besides.
    """

    def __init__(
        self, dim: int, rate: float, points: int = 3, jump: str = "normal", slope: float = 0.0
    ) -> None:
        self.dim, self.rate, self.points, self.jump, self.slope = dim, rate, points, jump, slope
        self.rng = np.random.default_rng(0)
        self.line: list[Floats] = []  # the gradients that are still to be asked for
        self.last = np.zeros(dim), np.zeros(dim)  # where one was asked for, and that one

    def __call__(self, theta: Floats) -> Floats:
        if not theta.any():
            return np.zeros(self.dim)
        if (theta != self.last[0]).any():
            self.line = self.line or self._new(float(np.linalg.norm(theta)))
            self.last = theta, self.line.pop(0) + self.slope * theta
        return self.last[1]

    def _new(self, far: float) -> list[Floats]:
        near = 2.0 * far / (self.points - 1)
        shape = (self.points - 1, self.dim)
        steps = changes(self.rng, self.rate, near, self.jump, shape)
        path = np.concatenate([np.zeros((1, self.dim)), np.cumsum(steps, axis=0)])
        if self.points % 2 == 0:
            return list(path)
        middle = self.points // 2
        return list(np.delete(path - path[middle], middle, axis=0))


def deviations(rate: float, distance: float, jump: str, size: int) -> Floats:
    """How far each of `size` losses is from its linear model after a `distance`.

    The sum of the jumps, each times the distance that is left.
    """
    rng = np.random.default_rng(0)
    counts = rng.poisson(rate * distance, size)
    owner = np.repeat(np.arange(size), counts)
    left = distance * rng.random(owner.size)
    jumps = rng.standard_normal(owner.size)
    if jump == "equal":
        jumps = np.sign(jumps)
    return np.bincount(owner, jumps * left, size)
