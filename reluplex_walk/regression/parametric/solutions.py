"""The set of all minimisers of a quantile regression: whether it is one point, and its vertices.

With the multipliers of one minimum every other minimum is complementary: the residuals of samples
whose multiplier lies within its range are 0, others may be on one side alone.  The set is that
polytope.  Seen from the vertex of the basis it has a coordinate for each sample of the basis whose
multiplier is at an end of its range: how far the residual is from 0.  All in rational arithmetic.
"""

import math
from collections import deque
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..._limits import Limits
from ..._shown import repr_html
from ...ended import Ended
from ...exact.rationals import Objects, Rationals, from_fractions, objects, reduce, solve
from ..data import Slopes, Units
from ..design import Samples
from ..proof import exact_vertex
from .minima import Minima, Parameter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Point = tuple[Fraction, ...]


class Solutions(NamedTuple):
    """Minimisers of a quantile regression.

    Attributes
    ----------
    vertices : ndarray (k, p + 1)
        Coefficients; the minimisers are all convex combinations.  The first one is that of the fit.
    ended : Ended
        FINISHED: these are all; WORK_LIMIT: there are more than were asked for; TIME_LIMIT or
        INTERRUPTED: those found by then.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> sorted(rw.lad([[0.0], [0.0]], [1.0, 3.0]).solutions().vertices[:, 0].tolist())
    [1.0, 3.0]
    """

    vertices: Floats
    ended: Ended

    def _repr_html_(self) -> str:
        return repr_html(self)


class Minimisers:
    """Those of the minimum with basis `rows`, proved with the sides `side` (n,) of residuals.

    A multiplier that reaches an end of its range for a tau within the rounding of the one that was
    given counts as being there: a third, written as a float, is a third.
    """

    def __init__(
        self, samples: Samples, units: Units, slopes: Slopes, rows: Ints, side: Floats
    ) -> None:
        self.samples, self.units, self.rows = samples, units, rows
        self.side = objects([1 if above else -1 for above in (side > 0.0).tolist()])
        tau = slopes.below / (slopes.below + slopes.above)
        minima = Minima(samples, units, Parameter.tau(samples))
        rate, price = minima.shares(rows, side)
        if slopes.unit == 1 and slopes.below != slopes.above:  # no decimal: a float
            half = Fraction(math.ulp(float(tau))) / 2
            line = minima.lines(rows, side)
            for end in (Fraction(line.low), Fraction(line.high)):
                if 0 < end < 1 and abs(end - tau) <= half:
                    tau = end
        shares = tau * rate - price
        full = objects([Fraction(v) for v in samples.w[rows].tolist()])
        ends = zip(shares == full, shares == 0, strict=True)
        self.ends = objects([1 if high else -int(low) for high, low in ends])  # Python's integers

    @property
    def free(self) -> Ints:
        """Rows of the basis (m,) whose residuals need not be 0."""
        return np.flatnonzero(self.ends)

    def polytope(self) -> tuple[Objects, Objects]:
        """Integers h (c,), G (c, m): ``h + G t >= 0`` for the distances t (m,) from 0."""
        samples, rows, free = self.samples, self.rows, self.free
        others = np.setdiff1d(np.arange(samples.y.size), rows)
        vertex = exact_vertex(samples, rows)
        x, y = Rationals.of(samples.x[:, others]), Rationals.of(samples.y[others])
        r = (vertex.num @ x.num) * y.den - y.num * (vertex.den * x.den)
        normals = Rationals.of(samples.x[:, rows])
        form = solve(normals.num, x.num * normals.den)  # x by the normals of the basis
        # Both over the product of all denominators, which are positive.
        side = self.side[others]
        constant = r * side * form.den
        rates = form.num[free] * (self.ends[free, None] * side) * (vertex.den * y.den)
        own = np.eye(len(free), dtype=np.int64).astype(object)
        return np.append(constant, objects([0] * len(free))), np.concatenate([rates.T, own])

    @property
    def unique(self) -> bool:
        """Whether there is one alone."""
        if not self.free.size:
            return True
        h, G = self.polytope()
        return not _edges(_distinct(G[h == 0]))

    def vertices(self, most: int, limits: Limits) -> tuple[list[Point], Ended]:
        """The parameters of at most so many of the vertices."""
        m = len(self.free)
        start: Point = (Fraction(0),) * m
        seen, queue, ended = {start: None}, deque([start]), Ended.FINISHED
        if m:
            h, G = self.polytope()
            while queue:
                over = limits.look(0, len(seen))
                if over is not None:
                    ended = over
                    break
                for end in _neighbours(h, G, queue.popleft()):
                    if end in seen:
                        continue
                    if len(seen) == most:
                        return self._points(list(seen)), Ended.WORK_LIMIT
                    seen[end] = None
                    queue.append(end)
        return self._points(list(seen)), ended

    def _points(self, distances: list[Point]) -> list[Point]:
        """The parameters (q,) for these distances."""
        free, q = self.free, self.rows.size
        vertex = exact_vertex(self.samples, self.rows).fractions()
        normals = Rationals.of(self.samples.x[:, self.rows].T)
        unit = np.eye(q, dtype=np.int64).astype(object)[:, free]
        edges = solve(normals.num, unit * normals.den).fractions() * self.ends[free]
        return [tuple(vertex + edges @ objects([*t])) for t in distances]


def _distinct(rows: Objects) -> Objects:
    """The rows of integers (c, m) that are not multiples of each other, nor 0."""
    divisor = np.gcd.reduce(np.abs(rows), axis=1)
    kept = {tuple(row // d): None for row, d in zip(rows, divisor, strict=True) if d}
    return np.array([*kept], object).reshape(len(kept), rows.shape[1])


def _neighbours(h: Objects, G: Objects, point: Point) -> list[Point]:
    """The vertices that share an edge with `point` of the polytope ``h + G t >= 0``."""
    at = from_fractions(objects([*point]))
    slack = h * at.den + G @ at.num
    found = []
    for ray in _edges(_distinct(G[slack == 0])):
        rate = G @ ray
        down = rate < 0
        step = min(Fraction(int(s), -int(v)) for s, v in zip(slack[down], rate[down], strict=True))
        found.append(
            tuple(
                (Fraction(int(a)) + step * int(u)) / at.den
                for a, u in zip(at.num, ray, strict=True)
            )
        )
    return found


def _edges(rows: Objects) -> list[Objects]:
    """The extreme rays of the pointed cone ``rows @ u >= 0``, as integers.

    By double description (Fukuda and Prodon 1996): a row at a time; rays on both sides of it that
    share an edge make a new one.
    """
    m = rows.shape[1]
    _, pivots = reduce(rows.T)
    order = [*pivots, *(k for k in range(len(rows)) if k not in set(pivots))]
    rows = rows[order]
    inverse = solve(rows[:m], np.eye(m, dtype=np.int64).astype(object))
    rays = [_primitive(column * (1 if inverse.den > 0 else -1)) for column in inverse.num.T]
    for k in range(m, len(rows)):
        values = [int(rows[k] @ ray) for ray in rays]
        if min(values, default=0) >= 0:
            continue
        zeros = [frozenset(np.flatnonzero(rows[:k] @ ray == 0).tolist()) for ray in rays]
        kept = [ray for ray, v in zip(rays, values, strict=True) if v >= 0]
        for i, above in enumerate(values):
            for j, below in enumerate(values):
                if above > 0 > below:
                    common = zeros[i] & zeros[j]
                    if len(common) >= m - 2 and not any(
                        common <= zeros[c] for c in range(len(rays)) if c not in (i, j)
                    ):
                        kept.append(_primitive(above * rays[j] - below * rays[i]))
        rays = kept
    return rays


def _primitive(ray: Objects) -> Objects:
    """The same direction in integers without a common factor."""
    return ray // np.gcd.reduce(np.abs(ray))


__all__ = ["Minimisers", "Solutions"]
