"""Whether a positively homogeneous, piecewise linear function is negative anywhere, exactly.

    f(y) = l . y + sum_c k_c min(0, t_c(y)),   t_c = a_c . y + sum_b alpha_cb min(0, t_b),  y in R^d

Branch and bound on simplicial cones, in integers.  On a cone with generators v_1 .. v_d every
term of constant sign is linear, and a concave one (k_c > 0) lies above its interpolation between
the generators.  A convex one (k_c < 0) lies above any of its tangents ``theta_c k_c t_c``,
theta_c in [0, 1], chosen by a matrix game.  So f >= 0 on the cone if f(v_j), less what the
tangents lose there, is >= 0 at every generator j; if not, the cone is cut in two where one of the
terms changes sign.  After finitely many cuts no convex term has two signs and the bound is exact.

Cuts are exact; rates and values at generators are computed in floats, and exactly where rounding
could show, so that all signs are exact.  The bound in floats is trusted only where it exceeds any
rounding.  A generator with f(v_j) = 0 leaves no choice: the tangents are
those that touch there.
"""

from fractions import Fraction
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._budget import Budget
from ..exact.rationals import Objects, Rationals, from_fractions, objects
from ..native.game import balance
from ..tolerances import PROOF
from .witness import Fan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDS = 200  # of the game for the tangents
_WORK = (60.0, 0.5, 1.0)  # of a cone, and of each term and coordinate of it, and of their products
_STEPS = 256  # tangents are multiples of one over this, where that serves
_UNIT = 2.0**-52
_ACCURATE = 4e-12  # relative error up to which a number in floats is taken
_BLOCK = 32  # rounding errors of a sum by pairs, at most, where blocks of 128 are added one by one


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

    @property
    def found(self) -> tuple[Fan | None, Objects | None]:
        """The proof and the point."""
        return self.proof, self.point


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
        self.links: dict[int, list[tuple[int, Fraction]]] = {}
        k = len(self.f.kinks)
        self.feeds, self.fed = np.zeros(k, np.bool_), np.zeros(k, np.bool_)
        for c, b, alpha in f.alpha:
            self.feeds[b] = self.fed[c] = True
            self.links.setdefault(c, []).append((b, alpha))
        # In floats for rows and kinks scaled to size 1.
        self.row_size = _largest(rows.num.ravel())
        self.kink_size = _largest(self.f.kinks)
        unit = self.row_size * self.kink_size
        self.kinks = np.array([v / self.kink_size for v in self.f.kinks])
        self.rows = Rationals(rows.num, self.row_size).floats()
        self.linear = np.array([float(Fraction(int(v), unit)) for v in self.f.linear])
        self.alpha = [(c, b, float(alpha)) for c, b, alpha in f.alpha]
        # The generators: exact points, and rates and values of these scaled to size 1.
        self.points: list[Objects] = []
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
        self.points.append(y)
        t, error = self._rates(y)
        self.t[at], self.sign[at] = t, np.sign(t)
        self.value[at] = self._value(y, t, error)
        self.value_sign[at] = np.sign(self.value[at])
        return at

    def _rates(self, y: Objects) -> tuple[Floats, Floats]:
        """All t_c at `y` scaled to size 1, accurate in their signs too, and bounds on errors."""
        size = _largest(y)
        floats = np.array([v / size for v in y])
        t = self.rows @ floats
        error = (_UNIT * (len(y) + 4)) * (np.abs(self.rows) @ np.abs(floats))
        for c, b, alpha in self.alpha:
            if t[b] < error[b]:
                step = alpha * min(0.0, t[b])
                t[c] += step
                error[c] += abs(alpha) * error[b] + 4 * _UNIT * (abs(step) + abs(t[c]))
        unit = size * self.row_size
        for c in np.flatnonzero(error > _ACCURATE * np.abs(t)).tolist():
            t[c] = float(self.rate(y, c) / unit)
            error[c] = _UNIT * abs(t[c])
        return t, error

    def _value(self, y: Objects, t: Floats, error: Floats) -> float:
        """The function at `y` scaled to size 1, accurate in its sign too."""
        size = _largest(y)
        parts = np.concatenate(
            [self.linear * [v / size for v in y], self.kinks * np.minimum(t, 0.0)]
        )
        total = float(parts.sum())
        many = _BLOCK + len(parts).bit_length()
        wrong = many * _UNIT * np.abs(parts).sum() + np.abs(self.kinks) @ error
        if wrong > _ACCURATE * abs(total):
            unit = size * self.row_size * self.kink_size
            return float(value(self.f, y, rates(self.f, y)) / unit)
        return total

    def rate(self, y: Objects, c: int) -> Fraction | int:
        """t_c at `y`, exactly."""
        t = self.f.rows[c] @ y
        for b, alpha in self.links.get(c, []):
            t += alpha * min(0, self.rate(y, b))
        return t

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
        each = np.concatenate(theta).tolist()
        as_fraction = {v: Fraction(v) for v in set(each)}
        numbers = tuple(as_fraction[v] for v in each)
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
        weight = np.where(convex, -self.kinks[terms], 0.0)
        zero = self.value_sign[cone] == 0
        least = np.where((sign[zero] < 0).any(axis=0), 1.0, 0.0)
        most = np.where((sign[zero] > 0).any(axis=0), 0.0, 1.0)
        conflict = convex & (least > most)
        if conflict.any():
            return widest(np.where(conflict, weight, 0.0))
        least, most = least[convex], most[convex]
        if zero.all():
            return _Cut(-1, terms[convex], least)
        # f at the generators, less what the tangents lose there.
        gain = t[np.ix_(~zero, convex)] * self.kinks[terms[convex]]
        base = self.value[cone[~zero]] - np.maximum(gain, 0.0).sum(axis=1)
        size = self.value[cone[~zero]] + np.abs(gain).sum(axis=1)
        theta, work = np.zeros(gain.shape[1]), np.zeros((2, base.size))
        if balance(
            base,
            np.ascontiguousarray(gain),
            size,
            least,
            most,
            PROOF.tangents,
            _ROUNDS,
            work,
            theta,
        ):
            for tangents in (np.round(_STEPS * theta) / _STEPS, theta):
                chosen = np.clip(tangents, least, most)
                if (base + gain @ chosen > PROOF.tangents * size).all():
                    return _Cut(-1, terms[convex][chosen != 0.0], chosen[chosen != 0.0])
        # The term that is farthest from linear at the mixture of generators that is worst.
        lost = np.abs(self.kinks[terms])
        mixture, t = work[1], t[~zero]
        bend = lost * (np.minimum(mixture @ t, 0.0) - mixture @ np.minimum(t, 0.0))
        if bend.max() > 0.0:
            return _Cut(int(terms[np.argmax(bend)]), mixed, np.zeros(0))
        return widest(weight)

    def between(self, v: int, w: int, c: int) -> Objects:
        """The point between two generators at which t_c = 0, without a common divisor."""
        at_v, at_w = self.rate(self.points[v], c), self.rate(self.points[w], c)
        step = at_v * self.points[w] - at_w * self.points[v]
        num = from_fractions(objects([Fraction(n) for n in step])).num
        return num // int(np.gcd.reduce(num))


_PROVED = _Cut(-1, np.zeros(0, np.int64), np.zeros(0))


def _largest(numbers: Objects) -> int:
    return max((abs(int(v)) for v in numbers), default=0) or 1
