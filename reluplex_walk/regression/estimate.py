"""What inference is told of a fit: its samples, coefficients and basis, and fits near to it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .data import Data, Posed, Units
from .design import Basis, Samples
from .solver import minimise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDING = 1e-11  # of the terms of a residual, up to which it counts as 0


class Estimate(NamedTuple):
    """A quantile regression and the samples of weight > 0 that it was made from.

    Weights are those of R's quantreg: sample i counts as the row ``w_i (1, x_i)`` with target
    ``w_i y_i``, so that errors of samples are taken to be of scale ``1 / w_i``.
    """

    X: Floats  # (n, p)
    y: Floats  # (n,)
    w: Floats  # (n,)
    tau: float
    coefficients: Floats  # (p + 1,)
    dual: Floats  # (n,) of the pinball loss: in [-(1 - tau) w, tau w]
    samples: Samples
    units: Units
    basis: Basis | None  # an optimal one

    @classmethod
    def of(
        cls,
        data: Data,
        tau: float | None,
        coefficients: Floats,
        dual: Floats,
        fit_intercept: bool,
        proof: tuple[Samples, Units, Basis] | None,
    ) -> "Estimate":
        """That of a fit; tau is None for `lad`, `proof` what its solver has, if it proved it."""
        kept, dual = data.kept(), dual[data.w > 0.0] * (0.5 if tau is None else 1.0)
        if proof is None or proof[0].y.size != kept.y.size:
            samples, units, _ = Posed.of(kept, fit_intercept)
            proof = None
        else:
            samples, units = proof[:2]
        level = 0.5 if tau is None else tau
        basis = None if proof is None else proof[2]
        return cls(*kept, level, coefficients, dual, samples, units, basis)

    @property
    def fitted(self) -> Ints:
        """Which of the p + 1 coefficients were fitted (q,)."""
        return self.units.fitted

    @property
    def design(self) -> Floats:
        """Rows ``w_i (1, x_i)`` (n, q) of the fitted parameters."""
        return np.column_stack([np.ones(len(self.y)), self.X])[:, self.fitted] * self.w[:, None]

    @property
    def residuals(self) -> Floats:
        """``w (y - fit)`` (n,), 0 where it is that up to rounding."""
        b = self.coefficients
        r = self.y - ((self.X @ b[1:, None])[:, 0] + b[0])
        size = np.abs(self.y) + np.abs(self.X) @ np.abs(b[1:]) + abs(b[0])
        return self.w * np.where(np.abs(r) <= _ROUNDING * size, 0.0, r)

    @property
    def freedom(self) -> int:
        """Degrees of freedom n - q: ValueError if there are none."""
        n, q = len(self.y), self.fitted.size
        if n <= q:
            raise ValueError(
                f"errors of coefficients: expected more samples than the {q} coefficients, "
                f"found {n}; give more samples or fewer features"
            )
        return n - q

    def at(self, tau: float) -> Floats:
        """The fitted parameters (q,) of the regression for another quantile."""
        theta = minimise(self.samples, (tau, 1.0 - tau), self.basis).basis.theta
        return theta * np.array([float(f) for f in self.units.factors(self.samples)])

    def spread(self, values: Floats) -> Floats:
        """Values of the fitted parameters (..., q) among all (..., p + 1), 0 for the others."""
        found = np.zeros((*values.shape[:-1], self.coefficients.size))
        found[..., self.fitted] = values
        return found


__all__ = ["Estimate"]
