"""The exact vertex of a proved fit: its coefficients, ties and multipliers; and its nearest floats.

At the minimum every residual that vanishes has a multiplier, a subgradient of its term, and with
these the gradients of all terms add up to 0.  They are the prices of the basis that the solver
proved optimal, but for their sign, and for other residuals at 0 the slope of the side they are on.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..exact.rationals import Objects, Rationals, from_fractions, objects
from ..native.lad_rounding import error_bounds, nearest
from ..problem.rows import distinct_rows
from .data import Slopes, Units
from .design import Basis, Samples
from .proof import OptimalityTest, exact_signs, exact_vertex, weighted_sums

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class ExactVertex(NamedTuple):
    """The exact minimum of a regression, in the units of its data."""

    coefficients: Objects  # (q,) of the fitted parameters
    loss: Fraction
    active: Ints  # (q,) samples with independent rows (1, x) whose residuals are 0
    multipliers: Objects  # (q,) their subgradients by the residual ``fit - y``
    tied: Ints  # the other samples with residual 0
    positive: NDArray[np.bool_]  # of these: which have the slope above 0 for multiplier, not below
    weights: Floats  # (q + ties,) of both
    below: Fraction  # slopes of the terms for these weights
    above: Fraction

    @classmethod
    def of(
        cls, samples: Samples, units: Units, slopes: Slopes, basis: Basis, side: Floats
    ) -> "ExactVertex":
        """That of an optimal `basis`; `side` (n,) are the sides of residuals it was proved with."""
        rows, theta = basis.rows, exact_vertex(samples, basis.rows)
        tied = _ties(samples, basis, theta)
        cost, unit = slopes[:2], slopes.unit * units.w
        prices = OptimalityTest(samples, cost).prices(rows, side)
        total = _total_targets(samples, cost, rows, side, prices)
        factors = units.factors(samples)
        found = [v * f for v, f in zip(theta.fractions(), factors, strict=True)]
        return cls(
            coefficients=objects(found),
            loss=(samples.offset - total) / (unit * units.y),
            active=rows,
            multipliers=-prices / unit,
            tied=tied,
            positive=side[tied] > 0.0,
            weights=samples.w[np.concatenate([rows, tied])],
            below=cost[0] / unit,
            above=cost[1] / unit,
        )


def _ties(samples: Samples, basis: Basis, theta: Rationals) -> Ints:
    """Samples outside the basis whose residual is 0 at its exact vertex `theta`."""
    x, y, _, reach = samples[:4]
    bound, _ = error_bounds(x, y, basis.rows, basis.edges, basis.theta, np.empty(len(x)))
    small = ~(np.abs(basis.theta @ x - y) > bound * reach)
    small[basis.rows] = False
    doubtful = np.flatnonzero(small)
    distinct, which = distinct_rows(np.column_stack([x[:, doubtful].T, y[doubtful]]) + 0.0)
    return doubtful[exact_signs(samples, theta, doubtful[distinct])[which] == 0]


def _total_targets(
    samples: Samples, slopes: tuple[Fraction, Fraction], rows: Ints, side: Floats, prices: Objects
) -> Fraction:
    """Exact sum of targets, with the multipliers of all residuals: minus the loss."""
    y, w, (below, above) = samples.y[None], samples.w, slopes
    others = np.ones(side.size, np.bool_)
    others[rows] = False
    up, down = others & (side > 0.0), others & (side <= 0.0)
    total = (
        above * weighted_sums(y[:, up], w[up])[0] - below * weighted_sums(y[:, down], w[down])[0]
    )
    targets = [Fraction(v) for v in y[0, rows].tolist()]
    return Fraction(total - sum(p * v for p, v in zip(prices, targets, strict=True)))


def exact_loss(samples: Samples, units: Units, slopes: Slopes, coefficients: Floats) -> Fraction:
    """The loss at the floats `coefficients` (p + 1,), in the units of the data."""
    given = [Fraction(v) for v in coefficients[units.fitted].tolist()]
    factors = units.factors(samples)
    theta = from_fractions(objects([v / f for v, f in zip(given, factors, strict=True)]))
    x, y, w = Rationals.of(samples.x), Rationals.of(samples.y), Rationals.of(samples.w)
    r = (theta.num @ x.num) * y.den - y.num * (theta.den * x.den)
    up, down = int(w.num @ np.maximum(r, 0)), int(w.num @ np.maximum(-r, 0))
    total = (slopes.above * up + slopes.below * down) / (x.den * y.den * w.den * theta.den)
    if samples.tilt:
        terms = zip(samples.tilt, theta.num.tolist(), strict=True)
        total += sum((c * v for c, v in terms), Fraction(0)) / theta.den
    return (total + samples.offset) / (slopes.unit * units.w * units.y)


def nearest_coefficients(samples: Samples, units: Units, basis: Basis, blur: float) -> Floats:
    """The floats (q,) nearest to the exact coefficients at the vertex of `basis`.

    `blur` is the relative error of its edges, as the proof that it is optimal has it.
    """
    x, y, _, reach, scale = samples[:5]
    off, found = np.empty((2, len(x)))
    up, down = scale * units.x, float(units.y)
    if nearest(x, y, reach, basis.rows, basis.edges, basis.theta, blur, up, down, off, found):
        return found
    exact = exact_vertex(samples, basis.rows).fractions()
    factors = units.factors(samples)
    return np.array([float(v * f) for v, f in zip(exact, factors, strict=True)])


__all__ = ["ExactVertex", "exact_loss", "nearest_coefficients"]
