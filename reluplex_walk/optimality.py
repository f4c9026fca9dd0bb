"""Proof that a basis of a quantile regression is optimal: bounds on all rounding.

The basis is optimal if the prices z_k = edge_k . g of its edges, g the gradient of all other
samples, satisfy -above w <= z <= below w, and every other residual has the sign that g was summed
with, or is 0.  Both are decided for the *exact* vertex of the basis, with bounds on all rounding;
what these leave in doubt (ties, prices at their ends) is decided in rational arithmetic.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .native.lad import BLOCK, error_bounds
from .rationals import Rationals, from_fractions, signs, solve
from .samples import Basis, Samples

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_UNIT = 2.0**-53


def prices_at(
    samples: Samples,
    slopes: Floats,
    basis: Basis,
    r: Floats,
    side: Floats,
    near: Ints,
    g: Floats,
) -> tuple[Floats, bool]:
    """Prices (q,) of the edges, and whether they prove the basis to be optimal.

    r, side (n,) residuals at `basis.theta` and the signs they are taken to have; g (q,) gradient
    of all samples but `near`, which holds the active ones.  Replaces `basis.edges` where
    rounding spoilt them.
    """
    x, y, w, reach = samples[:4]
    rows, edges, theta = basis
    below, above = slopes
    costs = np.where(side > 0.0, above, -below) * w
    costs[rows[rows >= 0]] = 0.0
    g = g + x[:, near] @ costs[near]
    if (rows < 0).any():
        return edges @ g, False
    scratch = np.empty(len(x))
    bound, blur = error_bounds(x, y, rows, edges, theta, scratch)
    if not bound < np.inf:
        try:
            edges[:] = np.linalg.inv(x[:, rows])
        except np.linalg.LinAlgError:
            return edges @ g, False
        bound, blur = error_bounds(x, y, rows, edges, theta, scratch)
    prices = edges @ g

    small = np.abs(r) <= bound * reach
    small[rows] = False
    if small.any() and not _signs_hold(samples, rows, np.flatnonzero(small), side):
        return prices, False
    terms = BLOCK + y.size / BLOCK + near.size + 8.0
    g_error = terms * _UNIT * max(slopes) * w.sum() * samples.largest
    error = np.abs(edges) @ (g_error + (len(x) + 4.0) * _UNIT * np.abs(g))
    error += blur * (np.abs(prices) + error).max()
    least = np.minimum(above * w[rows] + prices, below * w[rows] - prices)
    if (least < -error).any():
        return prices, False
    return prices, bool((least > error).all()) or _prices_hold(samples, slopes, rows, side)


def _prices_hold(samples: Samples, slopes: Floats, rows: Ints, side: Floats) -> bool:
    """Whether the exact prices lie between -above w and below w."""
    x, y, w = samples[:3]
    others = np.ones(y.size, bool)
    others[rows] = False
    below, above = (Fraction(slope) for slope in slopes.tolist())
    g = np.zeros(len(x), object)
    for slope, part in ((above, side > 0.0), (-below, side < 0.0)):
        terms, weight = Rationals.of(x[:, part & others]), Rationals.of(w[part & others])
        g += slope * Fraction(1, terms.den * weight.den) * (terms.num @ weight.num)
    normals, gradient = Rationals.of(x[:, rows]), from_fractions(g)
    prices = solve(normals.num, gradient.num[:, None] * normals.den)
    exact = Rationals(prices.num[:, 0], prices.den * gradient.den).fractions()
    weights = [Fraction(weight) for weight in w[rows].tolist()]
    return all(-above * v <= p <= below * v for p, v in zip(exact, weights, strict=True))


def _signs_hold(samples: Samples, rows: Ints, doubtful: Ints, side: Floats) -> bool:
    """Whether the residuals of `doubtful` at the exact vertex of `rows` are 0 or on their sides."""
    x, y = samples.x, samples.y
    active = np.vstack([x[:, rows], y[rows]])
    twins = (np.vstack([x[:, doubtful], y[doubtful]])[:, :, None] == active[:, None]).all(axis=0)
    doubtful = doubtful[~twins.any(axis=1)]
    if not doubtful.size:
        return True
    normals, targets = Rationals.of(x[:, rows].T), Rationals.of(y[rows])
    theta = solve(normals.num, targets.num[:, None])  # times normals.den / targets.den
    others, values = Rationals.of(x[:, doubtful].T), Rationals.of(y[doubtful])
    fitted = others.num @ theta.num[:, 0] * (normals.den * values.den)
    given = values.num * (targets.den * theta.den * others.den)
    sign = signs(fitted - given)
    return bool(((sign == 0) | (sign == side[doubtful])).all())


__all__ = ["prices_at"]
