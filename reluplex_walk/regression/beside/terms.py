"""Terms beside the samples: penalties and constraints, as further samples and a tilt.

A convex function of one linear form with one kink, ``low min(0, r) + high max(0, r)`` with
``r = a . theta - target``, is ``v rho(r)`` plus a multiple of r, where ``v (below + above) = high -
low``.  So a sample of weight v and a linear *tilt* of the whole loss make any such term, and the
solver and its proof need to know of nothing else.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...problem.decimals import fraction, places
from ..data import Posed, Slopes, Units
from ..design import Samples
from ..proof import weighted_sums

Floats = NDArray[np.float64]

_EXACT = 2**53


class Terms(NamedTuple):
    """m terms on the parameters (q,) of `Samples`.

    Term k is ``v_k J (share_k max(0, r_k) + (1 - share_k) max(0, -r_k))``, J the sum of the slopes
    of the loss: an absolute value for a share of 1/2, one-sided for 0 and 1.
    """

    rows: Floats  # (m, q) the a, of a size near 1
    targets: Floats  # (m,)
    weights: Floats  # (m,) the v
    shares: Floats  # (m,) 0, 1/2 or 1

    @classmethod
    def none(cls, q: int) -> "Terms":
        """No terms."""
        return cls(np.zeros((0, q)), *np.zeros((3, 0)))

    def beside(self, samples: Samples, slopes: Slopes) -> Samples:
        """The `samples` with these terms, for a loss of these `slopes`."""
        x = np.ascontiguousarray(np.hstack([samples.x, self.rows.T]))
        largest = np.abs(self.rows).max(axis=0, initial=0.0)
        tilt, offset = np.array(samples.tilt or (Fraction(0),) * len(x), object), samples.offset
        for share in np.unique(self.shares).tolist():
            some = self.shares == share
            sums = weighted_sums(np.ascontiguousarray(self.rows[some].T), self.weights[some])
            tilt = tilt + self.excess(share, slopes) * sums
            total = weighted_sums(self.targets[None, some], self.weights[some])[0]
            offset -= self.excess(share, slopes) * total
        return samples._replace(
            x=x,
            y=np.append(samples.y, self.targets),
            w=np.append(samples.w, self.weights),
            reach=np.append(samples.reach, np.linalg.norm(self.rows, axis=1)),
            largest=np.maximum(samples.largest, largest),
            tilt=tuple(tilt.tolist()),
            offset=offset,
            extra=samples.extra + len(self.rows),
        )

    @staticmethod
    def excess(share: float, slopes: Slopes) -> Fraction:
        """By how much the slope above of a term of weight 1 is more than that of its sample."""
        return Fraction(share) * (slopes.below + slopes.above) - slopes.above


class Penalty(NamedTuple):
    """``weight * sum_j |b_j|``, the intercept left out: the L1 penalty of a fit."""

    weight: float
    den: int = 1  # by which a posed regression is multiplied, so that the weight is an integer

    @classmethod
    def of(cls, alpha: float, w: Floats) -> "Penalty":
        """`alpha` times the sum of weights `w` (n,), rounded to a float: a decimal if it is one."""
        share, each = fraction(alpha, places(np.array([[alpha]]))[0]), places(w[:, None])[0]
        total = math.fsum(w) if each is None else int(np.rint(w * 10.0**each).astype(object).sum())
        weight = float(share * Fraction(total) / 10 ** (each or 0))
        if not math.isfinite(weight) or (alpha > 0.0 and weight < 1e-250):
            raise ValueError(
                f"alpha: expected alpha times the sum of weights to be an ordinary number, found "
                f"{weight:g}"
            )
        return cls(weight)

    @property
    def exact(self) -> Fraction:
        """The weight as the solver takes it, without rounding."""
        if self.den == 1:
            return Fraction(self.weight)
        return Fraction(float(np.rint(self.weight * self.den))) / self.den

    def posed(self, posed: Posed) -> tuple[Posed, "Penalty"]:
        """The regression with weights in units in which the penalty's is an integer, if it can be.

        Where weights are no decimals the penalty's is the float it is.
        """
        samples, units = posed.samples, posed.units
        den = 10 ** (places(np.array([[self.weight]]))[0] or 0)
        w = samples.w * den
        if den == 1 or (w != np.rint(w)).any() or w.max() > _EXACT:
            return posed, self
        units = units._replace(w=units.w * den)
        return posed._replace(samples=samples._replace(w=w), units=units), self._replace(den=den)

    def terms(self, samples: Samples, units: Units, slopes: Slopes) -> Terms:
        """One for each feature of `samples`, in its units."""
        number = np.rint(self.weight * self.den) if self.den > 1 else self.weight
        jumps = Fraction(2 * slopes.unit) / (slopes.below + slopes.above)  # 1 or 2
        q, features = len(samples.x), np.flatnonzero(units.fitted > 0)
        rows, weights = np.zeros((len(features), q)), np.zeros(len(features))
        for k, j in enumerate(features.tolist()):
            row = Fraction(float(samples.scale[j])) * units.x[j] * (units.w // self.den)
            (rows[k, j],), power = unit_row([row])
            weights[k] = math.ldexp(float(number) * float(jumps), -power)
        return Terms(rows, np.zeros(len(features)), weights, np.full(len(features), 0.5))


def unit_row(row: Sequence[Fraction]) -> tuple[list[float], int]:
    """``row * 2^power`` as floats, the largest of a size in [1, 2), and the power.

    ArithmeticError if floats do not hold it.
    """
    largest = max(map(abs, row))
    power = 1 - math.frexp(float(largest))[1]
    factor = Fraction(2) ** power
    found = [float(part * factor) for part in row]
    if any(Fraction(f) != part * factor for f, part in zip(found, row, strict=True)):
        raise ArithmeticError("floats do not hold the terms")
    return found, power


__all__ = ["Penalty", "Terms", "unit_row"]
