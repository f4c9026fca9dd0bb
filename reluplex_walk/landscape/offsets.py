"""How far from its middle the ends of a line lie, and how lines of different lengths are weighed.

With offsets d drawn anew for each line, rho is the mean of ``w(d) m^2`` over lines, where m is the
gradient's second difference, of mean square ``rho |d| / 2``, and h the mean of
``u(d) (g(d) - g(-d)) / 2``.  Both weights are scaled so that the means are right; ``2 / |d|`` and
``1 / (rho / 2 + h^2 |d|)``, up to that scale, have the least variance.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..problem.loss import Floats

KERNELS = ("optimal", "constant", "linear")
SAMPLES = ("rademacher", "gaussian", "uniform")

# E|x|, E|x|^3, E|x|^4 of the distributions with E x^2 = 1
_MOMENTS = {
    "rademacher": (1.0, 1.0, 1.0),
    "gaussian": (np.sqrt(2.0 / np.pi), np.sqrt(8.0 / np.pi), 3.0),
    "uniform": (np.sqrt(0.75), np.sqrt(27.0 / 16.0), 1.8),
}


@dataclass(frozen=True)
class Offsets:
    """The distribution `samples` of root mean square `sigma`, with a `kernel`."""

    kernel: str
    samples: str
    sigma: float

    def draw(self, lines: int, seed: int) -> Floats:
        """Distances (lines,) > 0, independent of the directions of this seed."""
        return self._drawn(np.random.default_rng([seed, 1]), lines)

    def one_by_one(self, seed: int) -> Iterator[float]:
        """The same, as many as are asked for."""
        rng = np.random.default_rng([seed, 1])
        while True:
            yield from self._drawn(rng, 1).tolist()

    def _drawn(self, rng: np.random.Generator, lines: int) -> Floats:
        if self.samples == "rademacher":
            return np.full(lines, self.sigma)
        if self.samples == "gaussian":
            return self.sigma * np.abs(rng.normal(size=lines))
        return self.sigma * np.sqrt(3.0) * (1.0 - rng.random(lines))

    def for_rho(self, d: Any) -> Any:
        """The weight of a line, relative to 2 / d."""
        if self.kernel == "optimal":
            return 1.0
        if self.kernel == "constant":
            return d / (self.sigma * _MOMENTS[self.samples][0])
        return (d / self.sigma) ** 2

    @property
    def spread(self) -> float:
        """The mean square of :meth:`for_rho`."""
        mean, _, fourth = _MOMENTS[self.samples]
        return {"optimal": 1.0, "constant": 1.0 / mean**2, "linear": fourth}[self.kernel]

    def for_h(self, d: float) -> float:
        """The weight of a slope without regard to rho and h."""
        if self.kernel == "linear":
            return d / self.sigma**2
        return 1.0 / (self.sigma * _MOMENTS[self.samples][0])

    @property
    def weighs_later(self) -> bool:
        """Whether slopes are weighed by rho and h, when these are known."""
        return self.kernel == "optimal" and self.samples != "rademacher"

    def variance_of_h(self, rho: Floats, h: Floats) -> Floats:
        """The variance of the slope of one line, weighed, where density and slope are these.

        The mean square of ``u(d)^2 (rho d / 2 + h^2 d^2)``, less ``h^2``.
        """
        if self.weighs_later:
            found = 1.0 / self._scale(*self._halves(rho, h)) - h**2
            return np.asarray(np.where((rho == 0.0) | (found < 0.0), 0.0, found))
        mean, third, fourth = _MOMENTS[self.samples]
        glass, slope = (third, fourth) if self.kernel == "linear" else (1.0 / mean, 1.0 / mean**2)
        return rho / (2.0 * self.sigma) * glass + h**2 * (slope - 1.0)

    def weighed_h(self, d: Floats, slopes: Floats, rho: Floats) -> Floats:
        """The h (D,) of `slopes` (lines, D) of lines with ends at `d` (lines,).

        A slope is seen through the glass `rho` (D,), that of all coordinates together if these are
        alike.  A first h comes from slopes that are weighed alike.
        """
        weight = self.optimal(rho, slopes.sum(axis=0) / d.sum())
        total = np.zeros(len(rho))
        for size, slope in zip(d, slopes, strict=True):
            total += slope * weight(size)
        return total / len(d)

    def optimal(self, rho: Floats, h: Floats) -> Callable[[Any], Floats]:
        """The best weight of a slope, by its distance d, where density and slope are these."""
        half, square = self._halves(rho, h)
        scale = self._scale(half, square)
        return lambda d: 1.0 / ((half + square * d) * scale)

    def _halves(self, rho: Floats, h: Floats) -> tuple[Floats, Floats]:
        """What the variance of a slope at d is made of, over d: ``half + square * d``."""
        half, square = rho / 2.0, h**2
        return np.where(half + square * self.sigma == 0.0, 1.0, half), square  # if 0, any will do

    def _scale(self, half: Floats, square: Floats) -> Floats:
        """The mean of ``d / (half + square * d)``."""
        return np.asarray(
            sum(share * d / (half + square * d) for d, share in zip(*self._nodes(), strict=True))
        )

    def _nodes(self) -> tuple[Floats, Floats]:
        """Distances and their probabilities: a quadrature, finer towards 0."""
        t, weights = np.polynomial.legendre.leggauss(64)
        t, weights = (t + 1.0) / 2.0, weights / 2.0
        if self.samples == "uniform":
            end, density = np.sqrt(3.0), np.full(64, 1.0 / np.sqrt(3.0))
        else:
            end = 9.0
            density = np.sqrt(2.0 / np.pi) * np.exp(-((end * t**2) ** 2) / 2.0)
        return self.sigma * end * t**2, weights * 2.0 * end * t * density


__all__ = ["KERNELS", "SAMPLES", "Offsets"]
