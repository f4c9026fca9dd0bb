"""The options of Alice and its rules, for arrays of NumPy and tensors of PyTorch alike."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._glass_step import bend, glass, length, running, slope
from .._numbers import short
from .._validate import choice, flag, integer, positive, real, sequence

Array = Any  # of NumPy or of PyTorch

_BOUNDS = ("adam", "gradient", "fixed")


class Means(NamedTuple):
    """Running means, each of the shape of the parameters."""

    gradient: Array
    square: Array  # of the gradient
    glass: Array
    hessian: Array  # |h|, or h^2


@dataclass(frozen=True)
class AliceRules:
    """The options that :class:`~reluplex_walk.Alice` documents, and what follows from them."""

    hessian: str = "abs"
    glass: bool = True
    bounds: bool | str = True
    quick_steps: int = 3
    joint: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    limits: tuple[float, float] = (0.0, 2.0)
    omega: float = 1.0

    def __post_init__(self) -> None:
        checked = {
            "hessian": choice("hessian", self.hessian, ("abs", "rms", "off")),
            "glass": flag("glass", self.glass),
            "bounds": _bounds(self.bounds),
            "quick_steps": integer("quick_steps", self.quick_steps, 0),
            "joint": flag("joint", self.joint),
            "betas": _pair("betas", self.betas),
            "eps": positive("eps", self.eps),
            "limits": _pair("limits", self.limits),
            "omega": positive("omega", self.omega),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if self.hessian == "off" and not self.glass:
            raise ValueError("hessian: expected abs or rms where glass is False, found 'off'")
        if self.joint and not self.glass:
            raise ValueError("joint: expected False where glass is False, found True")
        if not all(0.0 <= beta < 1.0 for beta in self.betas):
            raise ValueError(f"betas: expected two numbers in [0, 1), found {self.betas}")
        if (self.quick_steps + 1) * (1.0 - self.betas[1]) > 1.0 + 1e-9:
            raise ValueError(
                f"quick_steps: expected at most 1 / (1 - betas[1]) - 1, found {self.quick_steps}"
            )
        if not 0.0 <= self.limits[0] <= self.limits[1] or self.limits[1] == 0.0:
            raise ValueError(
                f"limits: expected two numbers 0 <= least <= largest, found {self.limits}"
            )

    @property
    def burn_in(self) -> int:
        """How many steps measure before the first one that moves: 1 / (1 - beta1)."""
        return int((1.0 + 1e-9) / (1.0 - self.betas[0]))  # 10 for 0.9, however it is rounded

    @property
    def phi(self) -> float:
        """The part of a step by which mu moves: (1 - beta1) omega."""
        return (1.0 - self.betas[0]) * self.omega

    @property
    def ahead(self) -> float:
        """The part of the last step by which nu lies before mu."""
        return self.omega - self.phi

    def measures(self, k: int) -> bool:
        """Whether step `k`, counted from 1, takes the three gradients of a line.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> [k for k in range(9, 21) if rw.Alice().measures(k)]
        [9, 10, 12, 16, 20]
        """
        return k <= self.burn_in or k % (self.quick_steps + 1) == 0

    def updated(
        self, means: Means, k: int, centre: Array, ends: tuple[Array, Array] | None, s: float
    ) -> Means:
        """The running means after step `k`, by the gradients at its centre and `ends` if any."""
        beta1, beta2 = (min(beta, (k - 1) / k) for beta in self.betas)
        rho, hessian = means.glass, means.hessian
        if ends is not None:
            rho = running(rho, glass(bend(*ends, centre), s), self._beta3(k))
            h = slope(*ends, s)
            hessian = running(hessian, h * h if self.hessian == "rms" else h, self._beta3(k))
        return Means(
            running(means.gradient, centre, beta1),
            running(means.square, centre * centre, beta2),
            rho,
            hessian,
        )

    def joint_updated(self, joint: float, k: int, along: float, s: float) -> float:
        """The running mean of the joint density, `along` the bend in direction of the line."""
        return float(running(joint, glass(along, s), self._beta3(k)))

    def _beta3(self, k: int) -> float:
        """The weight of the past for curvature, which comes only so often."""
        beta3 = 1.0 - (self.quick_steps + 1) * (1.0 - self.betas[1])
        return min(max(0.0, beta3), (k - 1) / k)

    def delta(self, means: Means, rate: float, share: float) -> Array:
        """The step, elementwise; `share` is what rho is multiplied by."""
        size = abs(means.gradient)
        h = 0.0 if self.hessian == "off" else means.hessian
        if self.hessian == "rms":
            h = h**0.5
        rho = share * means.glass if self.glass else 0.0 * size
        delta = length(size, rho, h, self.eps)
        if self.bounds:
            least, most = self._limits(means, rate)
            delta = delta.clip(least, most)
        return delta - 2.0 * delta * (means.gradient > 0.0)

    def bounded(self, means: Means, delta: Array, rate: float) -> Array:
        """Where a bound was the length of the step `delta`."""
        size = abs(delta)
        least, most = self._limits(means, rate)
        return (size > 0.0) & ((size <= least) | (size >= most))

    def _limits(self, means: Means, rate: float) -> tuple[Array, Array]:
        """The least and the largest length of a step, elementwise."""
        scale = abs(means.gradient)
        if self.bounds == "fixed":
            scale = 0.0 * scale + 1.0
        elif self.bounds != "gradient":
            scale = scale / (means.square**0.5 + self.eps)
        least, most = self.limits
        return least * rate * scale, most * rate * scale


def line(seed: int, k: int, size: int) -> NDArray[np.int8]:
    """The line of step `k`: +1 or -1 for each of `size` coordinates.

    Of seed and step alone: a run that was saved needs no state of a generator, and the lines of
    NumPy and of PyTorch, on any device, are the same.  Raw words do not change between versions.
    """
    words = np.random.PCG64([seed, k]).random_raw(-(-size // 64)).astype("<u8")
    bits = np.unpackbits(words.view(np.uint8), count=size, bitorder="little")
    return 1 - 2 * bits.view(np.int8)


def joint_share(joint: float, roots: float) -> float:
    """The share rho / (sum of sqrt(rho_i))^2, from `joint` and the sum."""
    return joint / (roots * roots) if roots else 1.0


def _bounds(value: Any) -> bool | str:
    """Which bound; True is that of Adam."""
    if isinstance(value, str):
        return choice("bounds", value, _BOUNDS)
    return flag("bounds", value)


def _pair(name: str, value: Any) -> tuple[float, float]:
    try:
        pair = sequence(name, value)
    except TypeError:
        raise TypeError(f"{name}: expected two numbers, found {short(value)}") from None
    if len(pair) != 2:
        raise ValueError(f"{name}: expected two numbers, found {len(pair)}")
    return real(f"{name}[0]", pair[0]), real(f"{name}[1]", pair[1])


__all__ = ["AliceRules", "Means", "joint_share", "line"]
