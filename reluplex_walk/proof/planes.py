"""Bounds on the terms of a plane by their neighbours in it.

Inputs of one column make terms of two coordinates each, a neuron's weight and bias: its terms are
normals of one plane, in an order of their own.  Each is a sum of its two neighbours,
t_e = x_a t_a + x_b t_b, so that m_e = max(0, -t_e) is at most low_e = |x_a| max(0, -+t_a) + ..
(:class:`.Leaf`): along the samples in order, m is convex where t is linear.  A term that follows
others bends with them.  Where all three follow terms of one plane, what that adds to t_e is a
multiple of the bound there, which has a sign.  So a later neuron bends, besides where it changes
its sign, only where those that it follows do, and a linear program sees that.
"""

from collections import defaultdict
from fractions import Fraction

import numpy as np

from .cones import Homogeneous
from .witness import Bound

Plane = tuple[int, int]  # two coordinates


def neighbours(f: Homogeneous) -> list[Bound]:
    """The bounds of all terms of planes, each after those it refers to, all with kappa = 0."""
    return _Planes(f).all()


class _Planes:
    def __init__(self, f: Homogeneous) -> None:
        self.f, self.n = f, len(f.kinks)
        self.links: dict[int, dict[int, Fraction]] = defaultdict(dict)
        for c, b, alpha in f.alpha:
            self.links[c][b] = alpha
        self.members = self._members({b for _, b, _ in f.alpha})
        self.planes: dict[int, list[Plane]] = defaultdict(list)
        for plane, members in self.members.items():
            for c in members:
                self.planes[c].append(plane)
        self.bounds: list[Bound] = []
        self.number: dict[tuple[int, int, int, Plane], int | None] = {}

    def _members(self, feeding: set[int]) -> dict[Plane, list[int]]:
        """The terms of each plane in which most of those lie that touch its coordinates."""
        used = [c for c in range(self.n) if self.f.kinks[c] != 0 or c in feeding]
        support = {c: {int(j) for j in np.flatnonzero(self.f.rows[c] != 0)} for c in used}
        found = {}
        for i, j in sorted({(min(s), max(s)) for s in support.values() if len(s) == 2}):
            touching = [c for c in used if support[c] & {i, j}]
            members = [c for c in touching if support[c] <= {i, j}]
            if 2 * len(members) > len(touching):
                found[i, j] = members
        return found

    def all(self) -> list[Bound]:
        for plane, members in self.members.items():
            i, j = plane
            rows = [(float(self.f.rows[c][i]), float(self.f.rows[c][j])) for c in members]
            angles = [np.arctan2(v, u) % np.pi for u, v in rows]
            order = [members[k] for k in np.argsort(angles, kind="stable")]
            for k, e in enumerate(order):
                if len(order) > 2:
                    self._bound(e, order[k - 1], order[(k + 1) % len(order)], plane)
        return self.bounds

    def _bound(self, e: int, a: int, b: int, plane: Plane) -> int | None:
        """The number of the bound of term e by a and b; None if there is none."""
        key = (e, a, b, plane)
        if key not in self.number:
            x = self._combination(e, a, b, plane)
            self.number[key] = None
            if x is not None:
                rest = self._rest(e, x)
                self.bounds.append(Bound(e, Fraction(0), tuple(x.items()), rest))
                self.number[key] = len(self.bounds) - 1
        return self.number[key]

    def _combination(self, e: int, a: int, b: int, plane: Plane) -> dict[int, Fraction] | None:
        """The row of e by those of a and b."""
        i, j = plane

        def det(c: int, o: int) -> Fraction:
            rows = self.f.rows
            return Fraction(rows[c][i] * rows[o][j] - rows[c][j] * rows[o][i])

        if det(a, b) != 0:
            x = {a: det(e, b) / det(a, b), b: det(a, e) / det(a, b)}
            return {c: v for c, v in x.items() if v != 0}
        if det(a, e) != 0:
            return None
        at = i if self.f.rows[a][i] != 0 else j
        return {a: Fraction(self.f.rows[e][at]) / self.f.rows[a][at]}

    def _rest(self, e: int, x: dict[int, Fraction]) -> tuple[tuple[int, Fraction], ...]:
        """What t_e is more than the sum of x_c t_c, by forms: bounds of what e follows, and m_b."""
        rest: dict[int, Fraction] = defaultdict(Fraction)  # multiples of the m_b
        for c, factor in [(e, Fraction(-1)), *x.items()]:
            for b, alpha in self.links[c].items():
                rest[b] += factor * alpha
        forms: list[tuple[int, Fraction]] = []
        for b in list(self.links[e]):
            k = self._followed(b, x)
            if k is not None and rest[b] != 0:  # the bound is  sum_c x_c m_c - m_b
                factor = -rest.pop(b)
                forms.append((2 * self.n + k, factor))
                for c, v in self.bounds[k].x:
                    rest[c] -= factor * v
        return (*forms, *((b, v) for b, v in rest.items() if v != 0))

    def _followed(self, b: int, x: dict[int, Fraction]) -> int | None:
        """The bound of b by the terms of its plane that those in x follow; None if none serves."""
        if self.links[b]:
            return None
        for plane in self.planes[b]:
            others = [[o for o in self.links[c] if o != b and plane in self.planes[o]] for c in x]
            if all(len(found) == 1 for found in others):
                k = self._bound(b, others[0][0], others[-1][0], plane)
                if k is not None and all(v > 0 for _, v in self.bounds[k].x):
                    return k
        return None


__all__ = ["neighbours"]
