"""Polyak's step, whose length a level decides, as a method of :func:`~reluplex_walk.descend`.

The step from theta along the subgradient g is (F - level) / |g|^2: for a convex loss with that
minimum it never moves away from the minimisers (Polyak 1969).  Here the level is an estimate and
the loss is not convex, so the target adapts, as in the subgradient level method of Goffin and
Kiwiel (1999).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._files import check_member
from .._validate import real
from .methods import ratio, read_settings, settings_of
from .objective import Batch

Floats = NDArray[np.float64]

_SHARE = 0.8  # of the first loss: of 0, 0.5, 0.7, 0.8, 0.9 the best on 24 random networks
_PATIENCE = 50  # steps to reach the first target in; then the gap is halved
_SLOWER = 1.5  # growth of the patience each time: the gap must not vanish before the descent ends


@dataclass(frozen=True)
class Polyak:
    """Steps ``(F - target) / |g|^2``, the target starting at `level`.

    The gap is what lies between the best loss and the target, at first `level`.  Once the target is
    reached (`level` was too high), the next one lies as far below the best loss; when it is not
    reached within 50 steps (half as many again each time), the gap is halved and the descent goes
    on from the best parameters.  Without a level: 0.8 of the loss at the start, which a level has
    to be below (ValueError in the first step).
    """

    level: float | None = None

    def __post_init__(self) -> None:
        if self.level is not None:
            object.__setattr__(self, "level", real("level", self.level))

    def begin(self, theta: Floats, learning_rate: float, seed: int = 0) -> "PolyakRun":
        """A run from `theta` (D,); it has no learning rate."""
        return PolyakRun(self, theta.copy(), theta.copy(), Search())

    @staticmethod
    def restore(arrays: Mapping[str, Any]) -> "PolyakRun":
        """The run of which :meth:`PolyakRun.arrays` gave the `arrays`."""
        settings = read_settings(arrays)
        theta, best = np.array(arrays["theta"]), np.array(arrays["best"])
        for name in ("theta", "best"):
            check_member(arrays, name, "f8", (theta.size,))
        search = Search(**settings["search"])
        return PolyakRun(Polyak(**settings["options"]), theta, best, search)


@dataclass
class Search:
    """Where the target is, and how long it has been waited for."""

    target: float = 0.0
    least: float = float("inf")  # the loss at the best point
    gap: float = 0.0
    waited: int = 0
    patience: float = float(_PATIENCE)


@dataclass(eq=False)
class PolyakRun:
    """A run of :class:`Polyak`."""

    options: Polyak
    theta: Floats  # (D,)
    best: Floats  # (D,)
    search: Search
    effective_rate: float = 0.0
    finished: bool = False  # at a subgradient of 0
    clip_share: ClassVar[float] = 0.0

    def step(self, gradient: Batch, left: int) -> int:
        """One step, if a gradient is `left` and it is not 0."""
        if left < 1:
            return 0
        objective, search = gradient.objective, self.search
        value = objective.loss(self.theta)
        if search.least == float("inf"):
            level = self.options.level
            if level is not None and level >= value:
                raise ValueError(
                    f"level: expected less than the loss at the start, {value:g}, found {level:g}"
                )
            search.target = _SHARE * value if level is None else level
            search.gap = value - search.target
        if value < search.least:
            search.least, self.best = value, self.theta
        value = self._aimed(value)
        g = gradient(self.theta)
        size = objective.weight * float((g * g).sum())
        if size == 0.0:
            self.finished = True
            return 0
        move = (value - search.target) / size * g
        self.theta = self.theta - move
        self.effective_rate = ratio(move, g)
        search.waited += 1
        return 1

    def _aimed(self, value: float) -> float:
        """Brings the target up; the loss at theta, which may now be the best point."""
        search = self.search
        if search.least <= search.target:
            search.target, search.waited = search.least - search.gap, 0
        elif search.waited >= search.patience:
            search.gap, search.waited = search.gap / 2.0, 0
            search.patience *= _SLOWER
            search.target = search.least - search.gap
            self.theta, value = self.best, search.least
        return value

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of the run."""
        settings = settings_of(self.options, search=asdict(self.search))
        return {"theta": self.theta.copy(), "best": self.best.copy(), "settings": settings}


__all__ = ["Polyak", "PolyakRun"]
