"""What a fit minimises beside the loss of its samples: an L1 penalty."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from .._validate import real
from .data import Data, Posed, Slopes
from .design import Basis, Samples
from .solver import Solution, minimise
from .terms import Penalty

Floats = NDArray[np.float64]


class Beside(NamedTuple):
    """A penalty."""

    penalty: Penalty

    @classmethod
    def of(cls, alpha: float, data: Data) -> "Beside | None":
        """From the arguments of a regression; None if there is nothing."""
        share = real("alpha", alpha)
        if share < 0.0:
            raise ValueError(f"alpha: expected a number >= 0, found {alpha}")
        return cls(Penalty.of(share, data.w)) if share > 0.0 else None

    def pose(self, kept: Data, intercept: bool) -> tuple[Posed, "Beside"]:
        """The regression as the solver sees it, and this in its units."""
        posed, penalty = self.penalty.posed(Posed.of(kept, intercept, keep_all=True))
        return posed, self._replace(penalty=penalty)

    def minimise(
        self, posed: Posed, slopes: Slopes, start: Basis | None, limits: Limits
    ) -> tuple[Solution, Samples]:
        """The end of the solver, and the samples with all terms that it was given."""
        samples, units = posed.samples, posed.units
        samples = self.penalty.terms(samples, units, slopes).beside(samples, slopes)
        return minimise(samples, slopes[:2], start, limits), samples

    def cost(self, theta: Floats) -> float:
        """What is added to the loss of the samples at coefficients (p + 1,)."""
        return self.penalty.weight * float(np.abs(theta[1:]).sum())


__all__ = ["Beside"]
