"""Losses of one residual: convex, with one kink at 0, ``left max(-r, 0) + right max(r, 0)``."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .._validate import choice, share

Floats = NDArray[np.float64]

KINDS = ("l1", "pinball", "hinge")


def kind_and_tau(kind: str, tau: float | None, kinds: tuple[str, ...] = KINDS) -> tuple[str, float]:
    """`kind`, one of `kinds`, and the quantile of the pinball loss, 0.5 if none is given."""
    kind = choice("kind", kind, kinds)
    if tau is not None and kind != "pinball":
        raise ValueError(f"tau: expected only with kind='pinball', found kind={kind!r}")
    return kind, 0.5 if tau is None else share("tau", tau)


def check_labels(kind: str, targets: Floats) -> None:
    """ValueError unless the `targets` of a hinge loss are labels."""
    if kind == "hinge" and not np.isin(targets, (-1.0, 1.0)).all():
        odd = targets[~np.isin(targets, (-1.0, 1.0))][0]
        raise ValueError(
            f"y: expected labels -1 or +1 for the hinge loss, found {odd:g}; "
            f"of labels 0 and 1 make 2 * y - 1"
        )


def slopes(kind: str, share: Fraction, targets: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Slopes left and right, each as `targets` (m, K), of the loss with `weight` (m, 1).

    `share` is the quantile of the pinball loss, exactly; other kinds (squared) have slopes 1.
    """
    ones = np.ones_like(targets)
    if kind == "hinge":
        left = (targets > 0).astype(float)
        return weight * left, weight * (1.0 - left)
    if kind == "pinball":
        return float(share) * weight * ones, float(1 - share) * weight * ones
    return weight * ones, weight * ones


__all__ = ["KINDS", "check_labels", "kind_and_tau", "slopes"]
