"""Linear constraints on the coefficients of a fit: read, made exact, and as terms of the solver.

``lower <= A b <= upper``.  As a term a constraint costs its violation times a large slope: where
the minimum of all that violates nothing, it is the minimum under the constraints.
"""

import math
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog

from ..._validate import LARGEST
from ...exact.rationals import Objects
from ...problem.decimals import fraction, places
from ..data import Slopes, Units
from ..design import Samples
from .terms import Terms, unit_row

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_EXPECTED = (
    "scipy.optimize.LinearConstraint(A, lb, ub) with A (m, p + 1), the intercept first, "
    "scipy.optimize.Bounds(lb, ub), or a list of them"
)


class Linear(NamedTuple):
    """Constraints ``lower <= A b <= upper`` on coefficients (p + 1,), the intercept first."""

    A: Floats  # (m, p + 1)
    lower: Floats  # (m,) or -inf
    upper: Floats  # (m,) or inf

    @classmethod
    def read(cls, given: Any, p: int) -> "Linear | None":
        """The checked argument `constraints` of a fit with `p` features; None for none."""
        parts = given if isinstance(given, list | tuple) else [] if given is None else [given]
        found = [_read(part, p + 1) for part in parts]
        if not found:
            return None
        A, lower, upper = (np.concatenate(part) for part in zip(*found, strict=True))
        some = np.isfinite(lower) | np.isfinite(upper)
        return cls(A[some], lower[some], upper[some]) if some.any() else None

    def exact(self) -> tuple[Objects, list[Fraction | None], list[Fraction | None]]:
        """The constraints without rounding: decimals are what was written, in each of them."""
        rows, bounds = np.zeros(self.A.shape, object), []
        for k, (row, *ends) in enumerate(zip(*self, strict=True)):
            numbers = np.array([*row, *(end for end in ends if math.isfinite(end))])
            k10 = places(numbers[:, None])[0]
            rows[k] = [fraction(v, k10) for v in row.tolist()]
            bounds.append([fraction(v, k10) if math.isfinite(v) else None for v in ends])
        return rows, [low for low, _ in bounds], [high for _, high in bounds]


def _read(part: Any, q: int) -> tuple[Floats, Floats, Floats]:
    """The matrix and the bounds of one argument on `q` coefficients."""
    if isinstance(part, LinearConstraint):
        A = part.A
        A = np.array(A.toarray() if hasattr(A, "toarray") else A, float)
        if A.shape[1] != q:
            raise ValueError(
                f"constraints: expected a matrix A of shape (m, {q}), the intercept first, found "
                f"shape {A.shape}"
            )
    elif isinstance(part, Bounds):
        A = np.eye(q)
    else:
        raise TypeError(f"constraints: expected {_EXPECTED}, found {type(part).__name__}")
    try:
        lower, upper = (np.broadcast_to(np.asarray(v, float), len(A)) for v in (part.lb, part.ub))
    except ValueError:
        raise ValueError(
            f"constraints: expected bounds of shape ({len(A)},), found {np.shape(part.lb)} and "
            f"{np.shape(part.ub)}"
        ) from None
    sizes = np.abs(A)
    if not (sizes <= LARGEST).all() or ((sizes > 0.0) & (sizes < 1.0 / LARGEST)).any():
        raise ValueError(
            f"constraints: expected numbers in A of sizes between {1 / LARGEST:g} and {LARGEST:g}, "
            f"or 0"
        )
    for ends, odd in ((lower, np.inf), (upper, -np.inf)):
        finite = np.abs(ends[np.isfinite(ends)])
        if np.isnan(ends).any() or (ends == odd).any() or (finite > LARGEST).any():
            raise ValueError(
                f"constraints: expected bounds up to {LARGEST:g} in size, or -inf (lower) and inf "
                f"(upper) for none, found {ends.tolist()}"
            )
    if (lower > upper).any():
        k = int(np.argmax(lower > upper))
        raise ValueError(
            f"constraints: expected lb <= ub, found {lower[k]:g} > {upper[k]:g} for constraint {k}"
        )
    return A, lower, upper


class Demands(NamedTuple):
    """Constraints in the units of `Samples`: one for each bound, or for both if they are equal."""

    rows: Floats  # (l, q)
    targets: Floats  # (l,)
    shares: Floats  # (l,) 0 for a lower bound, 1 for an upper one, 1/2 for an equality
    of: Ints  # (l,) which constraint
    ratio: tuple[Fraction, ...]  # (l,) by which it was multiplied, beyond the units of parameters

    @classmethod
    def pose(cls, linear: Linear, samples: Samples, units: Units) -> "Demands":
        """ArithmeticError if floats do not hold the numbers; ValueError for what cannot hold."""
        factors, fitted = units.factors(samples), units.fitted
        found: list[tuple[list[float], float, float, int, Fraction]] = []
        for k, (given, low, high) in enumerate(zip(*linear.exact(), strict=True)):
            row = [a * f for a, f in zip(given[fitted], factors, strict=True)]
            ends = [(low, 0.0), (high, 1.0)] if low != high else [(low, 0.5)]
            for end, share in ends:
                if end is None:
                    continue
                if not any(row):
                    if (end > 0 and share < 1.0) or (end < 0 and share > 0.0):
                        raise _infeasible(f"constraint {k} has no coefficient that is fitted")
                    continue
                den = lcm(*(_odd(v) for v in (*row, end)))
                floats, power = unit_row([v * den for v in row])
                ratio = den * Fraction(2) ** power
                if Fraction(float(end * ratio)) != end * ratio:
                    raise ArithmeticError("floats do not hold the bound")
                found.append((floats, float(end * ratio), share, k, ratio))
        rows, targets, shares, of, ratio_of = zip(*found, strict=True) if found else ((),) * 5
        return cls(
            np.array(rows, float).reshape(-1, len(samples.x)),
            np.array(targets, float),
            np.array(shares, float),
            np.array(of, np.int64),
            tuple(ratio_of),
        )

    def terms(self, weights: Floats) -> Terms:
        """Those of violations with these weights (l,)."""
        return Terms(self.rows, self.targets, weights, self.shares)

    def first_weights(self, samples: Samples, slopes: Slopes) -> Floats:
        """Powers of two for a start, of the size of what the samples can pull with."""
        below, above = float(slopes.below), float(slopes.above)
        pull = np.abs(self.rows) @ (np.abs(samples.x) @ samples.w)
        pull = pull * max(below, above) / (below + above) + float(samples.w.max())
        return np.asarray(2.0 ** (2.0 + np.ceil(np.log2(pull))))

    def check_feasible(self) -> None:
        """ValueError if no parameters satisfy all constraints, as HiGHS finds."""
        if not self.targets.any():
            return  # by parameters that are all 0
        size = max(1.0, float(np.abs(self.targets).max(initial=0.0)))
        equal, upper = self.shares == 0.5, self.shares == 1.0
        sign = np.where(upper, 1.0, -1.0)[~equal]
        found = linprog(
            np.zeros(self.rows.shape[1]),
            A_ub=sign[:, None] * self.rows[~equal],
            b_ub=sign * self.targets[~equal] / size,
            A_eq=self.rows[equal],
            b_eq=self.targets[equal] / size,
            bounds=(None, None),
            method="highs",
        )
        if found.status == 2:
            raise _infeasible("a linear program (HiGHS) finds none")


def infeasible_by_rounding() -> ValueError:
    """What a fit raises whose constraints hold in floats alone."""
    return _infeasible("they contradict each other by less than rounding")


def _infeasible(reason: str) -> ValueError:
    return ValueError(
        f"constraints: expected some coefficients to satisfy all of them, found none: {reason}; "
        f"relax or leave out some"
    )


def _odd(number: Fraction) -> int:
    """The odd part of the denominator."""
    den = number.denominator
    return den // (den & -den)


__all__ = ["Demands", "Linear", "infeasible_by_rounding"]
