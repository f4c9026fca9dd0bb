"""Whether a positively homogeneous, piecewise linear function is negative anywhere, exactly.

    f(y) = l . y + sum_c k_c min(0, t_c(y)),   t_c = a_c . y + sum_b alpha_cb min(0, t_b),  y in R^d

Branch and bound on simplicial cones, in integers.  On a cone with generators v_1 .. v_d every
term of constant sign is linear, and a concave one (k_c > 0) lies above its interpolation between
the generators.  A convex one (k_c < 0) lies above any of its tangents ``theta_c k_c t_c``,
theta_c in [0, 1], chosen by a matrix game.  So f >= 0 on the cone if f(v_j), less what the
tangents lose there, is >= 0 at every generator j; if not, the cone is cut in two where one of the
terms changes sign.  After finitely many cuts no convex term has two signs and the bound is exact.

Signs, the values f(v_j) and cuts are exact; the bound is computed in floats and trusted only
where it exceeds any rounding.  A generator with f(v_j) = 0 leaves no choice: the tangents are
those that touch there.
"""

from fractions import Fraction
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._budget import Budget
from ..exact.rationals import Objects, from_fractions, objects, signs
from ..native.game import balance
from ..tolerances import PROOF
from .witness import Fan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDS = 200  # of the game for the tangents
_WORK = (60.0, 0.5, 1.0)  # of a cone, and of each term and coordinate of it, and of their products


class Homogeneous(NamedTuple):
    """The function f, see the top of this module."""

    linear: Objects  # (d,)
    rows: Objects  # (k, d)
    kinks: Objects  # (k,)
    alpha: list[tuple[int, int, Fraction]]  # (c, b, alpha_cb), every b settled before its c


class Finding(NamedTuple):
    """What `examine` found: a point with f < 0, or a proof, or neither in the time given."""

    point: Objects | None  # (d,) integers
    proof: Fan | None
    cones: int


class _Cut(NamedTuple):
    """Whether a cone has to be cut by a term, or why not."""

    term: int  # -1: it is proved
    mixed: (
        Ints  # the terms that may still have two signs on its parts; at the end, those of tangents
    )
    theta: Floats  # their tangents, at the end


def rates(f: Homogeneous, y: Objects) -> Objects:
    """All t_c at `y` (d,)."""
    t = f.rows @ y
    for c, b, alpha in f.alpha:
        if t[b] < 0:
            t[c] = t[c] + alpha * t[b]
    return t


def value(f: Homogeneous, y: Objects, t: Objects) -> Fraction:
    """The function at `y`, where the rates are `t`."""
    return Fraction((f.linear @ y) + (f.kinks * np.where(t < 0, t, 0)).sum())


def examine(f: Homogeneous, deadline: Budget) -> Finding:
    """Decide whether f >= 0 everywhere, as far as possible until `deadline`."""
    return _Branching(f).run(deadline)


class _Branching:
    """Cones as tuples of indices into a table of generators."""

    def __init__(self, f: Homogeneous) -> None:
        linear, rows = from_fractions(f.linear), from_fractions(f.rows)
        kinks = from_fractions(f.kinks)
        # One factor for all of f: rows by rows.den, the rest by what makes them integers.
        self.f = Homogeneous(
            linear.num * (rows.den * kinks.den), rows.num, kinks.num * linear.den, f.alpha
        )
        self.row_size = _largest(rows.num.ravel())
        self.kink_size = _largest(self.f.kinks)
        self.kinks = np.array([k / self.kink_size for k in self.f.kinks])
        k = len(self.kinks)
        self.feeds, self.fed = np.zeros(k, np.bool_), np.zeros(k, np.bool_)
        for c, b, _ in f.alpha:
            self.feeds[b] = self.fed[c] = True
        # The generators: exact points and rates, and in floats for points scaled to size 1.
        self.points: list[Objects] = []
        self.exact: list[Objects] = []
        self.t = np.zeros((64, k))
        self.sign = np.zeros((64, k), np.int8)
        self.value = np.zeros(64)
        self.value_sign = np.zeros(64, np.int8)

    def add(self, y: Objects) -> int:
        """Enter the generator `y` (integers without a common divisor); its index."""
        at = len(self.points)
        if at == len(self.value):
            for name in ("t", "sign", "value", "value_sign"):
                table = getattr(self, name)
                setattr(self, name, np.concatenate([table, np.zeros_like(table)]))
        t = rates(self.f, y)
        f = value(self.f, y, t)
        unit = _largest(y) * self.row_size
        self.points.append(y)
        self.exact.append(t)
        self.t[at] = [float(v / unit) for v in t]
        self.sign[at] = signs(t)
        self.value[at] = f / (unit * self.kink_size)
        self.value_sign[at] = (f > 0) - (f < 0)
        return at

    def run(self, deadline: Budget) -> Finding:
        d = len(self.f.linear)
        eye = np.eye(d, dtype=np.int64).astype(object)
        axes = [[self.add(s * eye[k]) for s in (1, -1)] for k in range(d)]
        for at in np.flatnonzero(self.value_sign < 0):
            return Finding(self.points[at], None, 0)
        every = np.arange(len(self.kinks))
        stack = [(np.array(cone), every) for cone in product(*axes)][::-1]
        nodes: list[tuple[int, int, int]] = []
        terms, theta = [np.zeros(0, np.int64)], [np.zeros(0)]
        at_theta = 0
        fixed, each, product_ = _WORK
        k = len(self.kinks)
        work = fixed + each * (k + d) + product_ * k * d
        deadline.spend(2 * d * work)
        while stack:
            deadline.spend(work)
            if deadline.passed:
                return Finding(None, None, len(nodes))
            cone, candidates = stack.pop()
            cut = self.cut(cone, candidates)
            c = cut.term
            if c < 0:
                terms.append(cut.mixed)
                theta.append(cut.theta)
                nodes.append((-1, at_theta, at_theta + cut.theta.size))
                at_theta += cut.theta.size
                continue
            t, sign = self.t[cone, c], self.sign[cone, c]
            p = int(np.argmax(np.where(sign > 0, t, -np.inf)))
            n = int(np.argmin(np.where(sign < 0, t, np.inf)))
            nodes.append((c, p, n))
            w = self.add(self.between(cone[p], cone[n], c))
            if self.value_sign[w] < 0:
                return Finding(self.points[w], None, len(nodes))
            for side in (n, p):  # the part of p is the next
                part = cone.copy()
                part[side] = w
                stack.append((part, cut.mixed))
        numbers = tuple(Fraction(v) for v in np.concatenate(theta).tolist())
        proof = Fan(np.array(nodes, np.int64).reshape(-1, 3), np.concatenate(terms), numbers)
        return Finding(None, proof, len(nodes))

    def cut(self, cone: Ints, terms: Ints) -> _Cut:
        """A term to cut the cone by, or none if f >= 0 on it."""
        sign = self.sign[np.ix_(cone, terms)]
        two = (sign > 0).any(axis=0) & (sign < 0).any(axis=0)
        # Terms that follow one of two signs are not linear on the cone.
        mixed = terms[two | self.fed[terms]]
        terms, sign = terms[two], sign[:, two]
        if not terms.size:
            return _PROVED
        t = self.t[np.ix_(cone, terms)]
        spread = np.minimum(t.max(axis=0), -t.min(axis=0))

        def widest(weight: Floats) -> _Cut:
            return _Cut(int(terms[np.argmax(weight * spread)]), mixed, np.zeros(0))

        feeding = self.feeds[terms]
        if feeding.any():
            return widest(np.where(feeding, 1.0, 0.0))
        convex = self.kinks[terms] < 0
        if not convex.any():
            return _PROVED
        terms, sign, t, spread = terms[convex], sign[:, convex], t[:, convex], spread[convex]
        weight = -self.kinks[terms]
        zero = self.value_sign[cone] == 0
        least = np.where((sign[zero] < 0).any(axis=0), 1.0, 0.0)
        most = np.where((sign[zero] > 0).any(axis=0), 0.0, 1.0)
        conflict = least > most
        if conflict.any():
            return widest(np.where(conflict, weight, 0.0))
        if zero.all():
            return _Cut(-1, terms, least)
        # f at the generators, less what the tangents lose there.
        gain = -t[~zero] * weight
        base = self.value[cone[~zero]] - np.maximum(gain, 0.0).sum(axis=1)
        size = self.value[cone[~zero]] + np.abs(gain).sum(axis=1)
        theta, work = np.zeros(terms.size), np.zeros((2, base.size))
        if balance(base, gain, size, least, most, PROOF.tangents, _ROUNDS, work, theta):
            theta = np.clip(theta, least, most)
            if (base + gain @ theta > PROOF.tangents * size).all():
                return _Cut(-1, terms, theta)
        return widest(weight)

    def between(self, v: int, w: int, c: int) -> Objects:
        """The point between two generators at which t_c = 0, without a common divisor."""
        step = self.exact[v][c] * self.points[w] - self.exact[w][c] * self.points[v]
        num = from_fractions(objects([Fraction(n) for n in step])).num
        return num // int(np.gcd.reduce(num))


_PROVED = _Cut(-1, np.zeros(0, np.int64), np.zeros(0))


def _largest(numbers: Objects) -> int:
    return max((abs(int(v)) for v in numbers), default=0) or 1
