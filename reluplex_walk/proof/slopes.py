"""Slopes and lengths of the half-edges of a basis at an exact vertex, simple or degenerate."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..exact.loss import ExactLoss, LocalModel, Sides
from ..exact.rationals import Objects, Rationals, objects, reduce
from ..problem.breakpoints import Breakpoints
from .witness import Witness

Floats = NDArray[np.float64]


def half_edges(
    exact: ExactLoss, vanishing: Breakpoints, sides: Sides, witness: Witness
) -> tuple[Objects, Floats]:
    """Exact slopes (2r,) per unit of the breakpoint left, and lengths (2r,) of the half-edges.

    Of the basis that `witness` says, `vanishing` in its order: the near ones, then the far ones.
    At a degenerate vertex a slope is the one-sided derivative along the half-edge.
    """
    sides = [side.copy() for side in sides]
    for t, column, neuron, side in zip(*vanishing, witness.sides, strict=True):
        sides[t][column, neuron] = side
    model = exact.local(vanishing, sides)
    pivots = witness.pivots
    edges = _rates(model, pivots)
    if len(pivots) == len(vanishing.stage):
        slopes = model.slopes(objects(list(witness.prices)))
    else:
        slopes = _derivatives(model, vanishing, witness, edges)
    return slopes, _lengths(model.normals, pivots, edges)


def _rates(model: LocalModel, pivots: NDArray[np.int64]) -> list[dict[int, Fraction]]:
    """Rates in the region of the pivots along each half-edge, by breakpoint; others are 0."""
    near = [{int(p): Fraction(1)} for p in pivots]
    far = {int(p): {int(p): Fraction(-1)} for p in pivots}
    for c, b, alpha in model.alpha:
        if c in far and b in far:
            far[b][c] = far[b].get(c, Fraction(0)) + alpha
    return near + list(far.values())


def _derivatives(
    model: LocalModel, vanishing: Breakpoints, witness: Witness, edges: list[dict[int, Fraction]]
) -> Objects:
    pivots = witness.pivots.tolist()
    others = np.setdiff1d(np.arange(len(vanishing.stage)), pivots)
    order = np.concatenate([witness.pivots, others])
    form = reduce(model.normals.num[order].T)[0].fractions()  # (r, k): all normals by the pivots'
    place = np.argsort(order)
    price = dict(zip(pivots, witness.prices, strict=True))
    links = sorted(model.alpha, key=lambda link: int(vanishing.stage[link[0]]))
    slopes = []
    for edge in edges:
        moved = (form[pivots.index(p)] * rate for p, rate in edge.items())
        t = sum(moved, objects([0] * len(place)))[place]
        for c, b, alpha in links:
            t[c] = t[c] + alpha * min(0, t[b])
        bent = (model.gamma * np.where(t < 0, t, 0)).sum()
        slopes.append(sum((price[p] * rate for p, rate in edge.items()), Fraction(0)) + bent)
    return objects(slopes)


def _lengths(
    normals: Rationals, pivots: NDArray[np.int64], edges: list[dict[int, Fraction]]
) -> Floats:
    """Lengths of the shortest directions with these rates, in floats."""
    n = Rationals(normals.num[pivots], normals.den).floats()
    size = np.linalg.norm(n, axis=1, keepdims=True) if n.size else np.ones((len(n), 1))
    size = np.where(size > 0.0, size, 1.0)
    inverse = np.linalg.pinv(n / size, rcond=0.0) / size.T  # (D, r)
    row = {int(p): k for k, p in enumerate(pivots)}
    rates = np.zeros((len(pivots), len(edges)))
    for k, edge in enumerate(edges):
        for p, rate in edge.items():
            rates[row[p], k] = float(rate)
    return np.asarray(np.linalg.norm(inverse @ rates, axis=0))


__all__ = ["half_edges"]
