"""Solving a sparse quantile regression: from the interior to a vertex, and from there by pivots.

The last vertex is proved optimal in rational arithmetic, or not at all.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..._limits import Limits
from ...ended import Ended
from ..data import Slopes
from ..progress import FitProgress
from .data import SparsePosed
from .exact import (
    SparseBasis,
    outside,
    wrong_sides,
)
from .gradient import SparseSamples, gradient
from .interior import near_minimum
from .numbers import Exact
from .vertex import SparseVertex

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LOOK = 32  # pivots between two looks at the limits
_ROUNDS = 30  # of pivots on slightly moved targets, each from the end of the one before
_PROOFS = 30  # that may fail
_PIVOTS = (1000, 100)  # along edges of the rest in a round, and more for each of its columns


class SparseEnd(NamedTuple):
    """The end of the solver, in the units of its samples."""

    theta: Floats  # (q,)
    rows: Ints  # (q,) active samples, none if there is no vertex
    side: Floats  # (n,) +1 or -1: the sign each residual is taken to have
    prices: Floats  # (q,) of the active samples
    exact: tuple[Exact, Exact] | None  # theta and prices, if they are proved optimal
    pivots: int
    ended: Ended | None  # the limit that was over before


def minimise_sparse(posed: SparsePosed, slopes: Slopes, limits: Limits) -> SparseEnd:
    """Minimise sum_i w_i rho(x_i . theta - y_i)."""
    x, y, w = posed[:3]
    parts, scale = posed.scaled
    size, share = (float(np.ldexp(1.0, -np.frexp(np.abs(v).max())[1])) for v in (y, w))
    cost = np.array([float(slope) for slope in slopes[:2]])
    parts = parts.with_loss(y * size, w * share, cost)  # of size 1, and so are the features
    theta = near_minimum(parts, limits)
    try:
        vertex = SparseVertex(parts, theta)
    except np.linalg.LinAlgError:
        r = x @ (theta * scale / size) - y
        none = np.zeros(0, np.int64)
        side = np.where(r > 0.0, 1.0, -1.0)
        return SparseEnd(theta * scale / size, none, side, np.zeros(0), None, 0, limits.over)
    samples = SparseSamples(x, sparse.csr_array(x), y, w, *slopes[:2])
    exact, theta = _proved(vertex, samples, limits)
    state = vertex.state
    if exact is None:
        theta = parts.whole(state.t_apart, state.t_rest) * scale / size
    prices = np.concatenate(vertex.prices()) / share
    ended = None if exact is not None else limits.over
    return SparseEnd(theta, vertex.active(), state.side, prices, exact, vertex.pivots, ended)


def _proved(
    vertex: SparseVertex, samples: SparseSamples, limits: Limits
) -> tuple[tuple[Exact, Exact] | None, Floats]:
    """Exact theta and prices of the vertex, where no half-edge descends, and theta in floats.

    None if that was not found.
    """
    theta = np.zeros(0)
    for _ in range(_PROOFS):
        try:
            if not descend(vertex, limits):
                break
            rows, side = vertex.active(), vertex.state.side
            basis = SparseBasis(samples, rows)
            if basis.too_large:
                break
            exact = basis.vertex()
            theta = exact.floats()
            side[wrong_sides(samples, rows, exact, theta, side)] *= -1.0
            prices = basis.prices(gradient(samples, side, rows))
            found = outside(samples, rows, prices)
            if found is None:
                return (exact, prices), theta
            vertex.look()
            vertex.leave(*found)
        except (ZeroDivisionError, OverflowError, np.linalg.LinAlgError):
            break  # the active samples are dependent, or their vertex is far away
        if limits.over is not None:
            break
    return None, theta


def descend(vertex: SparseVertex, limits: Limits) -> bool:
    """Pivot until floats see no half-edge that descends; False if limits or floats stop it."""
    n = vertex.columns.y.size
    for _ in range(_ROUNDS):
        seen = vertex.pivots
        for _ in range(_PIVOTS[0] + _PIVOTS[1] * vertex.parts.rest.size):
            vertex.settle()
            found = vertex.steepest()
            if found is None or not vertex.pivot(*found):
                break
            if vertex.pivots - seen >= _LOOK:
                seen = vertex.pivots
                if limits.look(0, FitProgress(seen, n, limits.elapsed)) is not None:
                    return False
        vertex.refresh()
        if limits.look(0, FitProgress(vertex.pivots, n, limits.elapsed)) is not None:
            return False
        if not vertex.settle() and vertex.steepest() is None:
            return True
    return False


__all__ = ["SparseEnd", "descend", "minimise_sparse"]
