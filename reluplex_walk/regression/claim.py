"""Whether the numbers that a fit hands over are those of the exact minimum that was proved."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..proof.check import CertificateError
from ..tolerances import PROOF
from .data import Data, slopes_of

Floats = NDArray[np.float64]

_ROUNDING = 2.0**-50  # of the terms of residuals, in losses that are computed in floats
_PRUDENCE = 0.999  # of what a claim allows, where it is made


def allowed_gap(least: Fraction, targets: float) -> Fraction:
    """What a claim allows floats to lose, for targets of the sum `targets` of sizes."""
    allowed = Fraction(PROOF.gap_share) * least + Fraction(PROOF.gap_targets * targets)
    return allowed * Fraction(_PRUDENCE)


def check_loss(
    data: Data,
    tau: float | None,
    coefficients: Floats,
    loss: float,
    penalty: float,
    least: Fraction,
) -> None:
    """CertificateError unless the `loss`, and that at the `coefficients`, is the `least` one.

    `data` may be of sparse features; `penalty` is that of the coefficients.
    """
    X, y, w = data
    below, above = slopes_of(tau).floats
    r = y - (X @ coefficients[1:] + coefficients[0])
    found = float(w @ np.where(r > 0.0, below * r, -above * r)) + penalty
    targets = float(w @ np.abs(y))
    sizes = targets + float(w @ (abs(X) @ np.abs(coefficients[1:]) + abs(coefficients[0])))
    allowed = PROOF.gap_share * float(least) + PROOF.gap_targets * targets + _ROUNDING * sizes
    for what, value in (("loss", loss), ("loss at the coefficients", found)):
        if not abs(value - float(least)) <= allowed:
            raise CertificateError(
                f"the {what} is {value:.17g}, that of the exact minimum {float(least):.17g}"
            )


def check_point(coefficients: Floats, points: NDArray[np.object_]) -> None:
    """CertificateError unless the `coefficients` are one of the exact `points`, rounded."""
    if not any(np.array_equal(coefficients, [float(v) for v in point]) for point in points):
        raise CertificateError("the coefficients are not those of the exact minimum")


__all__ = ["allowed_gap", "check_loss", "check_point"]
