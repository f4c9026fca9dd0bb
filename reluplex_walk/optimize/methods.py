"""Gradient methods: what they remember, and the step that each makes.

All have the same small interface, that of Alice too: a method is a frozen record of options that
begins a run; a run makes one step at a time, is saved as arrays, and restored from them goes on bit
for bit.  Steps are those that PyTorch documents under the same names.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from .._files import check_member
from .._validate import positive, real

Floats = NDArray[np.float64]
Gradient = Callable[[Floats], Floats]


class Run(Protocol):
    """What a method is doing: `theta` (D,) is where the model rests between steps."""

    @property
    def theta(self) -> Floats: ...

    @property
    def options(self) -> "Method": ...

    @property
    def clip_share(self) -> float:
        """The share of coordinates whose last step a bound has cut."""

    @property
    def effective_rate(self) -> float:
        """The length of the last move over that of the gradient."""

    def step(self, gradient: Any, left: int) -> int:
        """Makes a step; returns how many gradients it took, 0 if it does not fit in `left`."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of the run."""


class Method(Protocol):
    """Options of a method."""

    def begin(self, theta: Floats, learning_rate: float, seed: int) -> Run: ...

    def restore(self, arrays: Mapping[str, Any]) -> Run: ...


@dataclass(frozen=True)
class Simple:
    """A method of one gradient a step, with up to two arrays of memory."""

    memories: ClassVar[int] = 0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            least = real(name, value) >= 0.0
            if name == "eps" and positive(name, value):
                continue
            if not least or value >= 1.0:
                raise ValueError(f"{name}: expected a number in [0, 1), found {value}")

    def begin(self, theta: Floats, learning_rate: float, seed: int = 0) -> "SimpleRun":
        """A run from `theta` (D,); nothing of it is random."""
        memory = np.zeros((self.memories, theta.size))
        return SimpleRun(self, positive("learning_rate", learning_rate), theta.copy(), memory)

    @classmethod
    def restore(cls, arrays: Mapping[str, Any]) -> "SimpleRun":
        """The run of which :meth:`SimpleRun.arrays` gave the `arrays`."""
        settings = read_settings(arrays)
        theta, memory = np.array(arrays["theta"]), np.array(arrays["memory"])
        check_member(arrays, "theta", "f8", (theta.size,))
        check_member(arrays, "memory", "f8", (cls.memories, theta.size))
        rate, steps = positive("learning_rate", settings["learning_rate"]), int(settings["steps"])
        return SimpleRun(cls(**settings["options"]), rate, theta, memory, steps)

    def move(self, g: Floats, memory: Floats, t: int) -> Floats:
        """The step t = 1, 2, ... over minus the learning rate; `memory` (m, D) is brought up."""
        raise NotImplementedError


@dataclass(frozen=True)
class Sgd(Simple):
    """theta -= lr g."""

    def move(self, g: Floats, memory: Floats, t: int) -> Floats:
        return g


@dataclass(frozen=True)
class Momentum(Simple):
    """b = beta b + g, theta -= lr b (Polyak 1964)."""

    beta: float = 0.9
    memories: ClassVar[int] = 1

    def move(self, g: Floats, memory: Floats, t: int) -> Floats:
        memory[0] = self.beta * memory[0] + g
        return memory[0]


@dataclass(frozen=True)
class Nesterov(Momentum):
    """b = beta b + g, theta -= lr (g + beta b) (Nesterov 1983)."""

    def move(self, g: Floats, memory: Floats, t: int) -> Floats:
        return g + self.beta * super().move(g, memory, t)


@dataclass(frozen=True)
class RMSProp(Simple):
    """v = alpha v + (1 - alpha) g^2, theta -= lr g / (sqrt(v) + eps) (Hinton 2012)."""

    alpha: float = 0.99
    eps: float = 1e-8
    memories: ClassVar[int] = 1

    def move(self, g: Floats, memory: Floats, t: int) -> Floats:
        memory[0] = self.alpha * memory[0] + (1.0 - self.alpha) * g * g
        return g / (np.sqrt(memory[0]) + self.eps)


@dataclass(frozen=True)
class Adam(Simple):
    """m, v: running means of g and g^2; theta -= lr m^ / (sqrt(v^) + eps) (Kingma and Ba 2015)."""

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    memories: ClassVar[int] = 2

    def move(self, g: Floats, memory: Floats, t: int) -> Floats:
        memory[0] = self.beta1 * memory[0] + (1.0 - self.beta1) * g
        memory[1] = self.beta2 * memory[1] + (1.0 - self.beta2) * g * g
        mean, square = memory[0] / (1.0 - self.beta1**t), memory[1] / (1.0 - self.beta2**t)
        return mean / (np.sqrt(square) + self.eps)


@dataclass(eq=False)
class SimpleRun:
    """A run of a :class:`Simple` method."""

    options: Simple
    learning_rate: float
    theta: Floats  # (D,)
    memory: Floats  # (m, D)
    steps: int = 0
    effective_rate: float = 0.0
    clip_share: ClassVar[float] = 0.0  # nothing is bounded

    def step(self, gradient: Gradient, left: int) -> int:
        """One step, if a gradient is `left`."""
        if left < 1:
            return 0
        g = gradient(self.theta)
        self.steps += 1
        with np.errstate(over="ignore", invalid="ignore"):
            move = self.learning_rate * self.options.move(g, self.memory, self.steps)
            self.theta = self.theta - move
            self.effective_rate = ratio(move, g)
        return 1

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of the run."""
        settings = settings_of(self.options, learning_rate=self.learning_rate, steps=self.steps)
        return {"theta": self.theta.copy(), "memory": self.memory.copy(), "settings": settings}


def ratio(move: Floats, g: Floats) -> float:
    """The length of `move` over that of `g`, 0 for a gradient of 0."""
    size = float(np.linalg.norm(g))
    return float(np.linalg.norm(move)) / size if size > 0.0 else 0.0


def settings_of(options: Any, **numbers: Any) -> NDArray[Any]:
    """Options and further numbers as a text, in which floats are what they were."""
    return np.array(json.dumps({"options": asdict(options), **numbers}))


def read_settings(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """What :func:`settings_of` wrote among the `arrays` of a run."""
    check_member(arrays, "settings", "U", ())
    settings = json.loads(str(np.asarray(arrays["settings"])))
    if not isinstance(settings, dict):
        raise ValueError("settings: expected those of a run")
    return settings


__all__ = [
    "Adam",
    "Method",
    "Momentum",
    "Nesterov",
    "RMSProp",
    "Run",
    "Sgd",
    "Simple",
    "SimpleRun",
    "ratio",
    "read_settings",
    "settings_of",
]
