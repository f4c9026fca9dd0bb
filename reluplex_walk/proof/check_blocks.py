"""Whether the function of a block is >= 0, confirmed from its proof by computing.

The formulas are those of :mod:`reluplex_walk.proof.witness`.  Shares no code with what proves.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from flint import fmpq

from .witness import Fan, Multipliers, Tree

Link = tuple[int, int, fmpq]  # (c, b, alpha): t_c follows min(0, t_b)
_Linear = dict[int, fmpq]  # a linear function, by coordinates


class RefutedError(ValueError):
    """A witness that does not show what it is said to show; the message says where."""


class Terms(NamedTuple):
    """f(y) = l . y + sum_c k_c min(0, t_c(y)), t_c = a_c . y + sum_b alpha_cb min(0, t_b)."""

    linear: list[fmpq]  # (d,)
    rows: list[list[fmpq]]  # (k, d)
    kinks: list[fmpq]  # (k,)
    alpha: list[Link]

    def rates(self, y: Sequence[fmpq]) -> list[fmpq]:
        """All t_c at `y`."""
        t = [dot(row, y) for row in self.rows]
        for c, b, alpha in self.alpha:
            if t[b] < 0:
                t[c] += alpha * t[b]
        return t

    def merged(self) -> "Terms":
        """The same f, with the kinks of parallel terms that follow nothing in the first of them."""
        linear, kinks = list(self.linear), list(self.kinks)
        following = {c for c, _, _ in self.alpha}
        first: dict[tuple[fmpq, ...], tuple[int, fmpq]] = {}
        for c, row in enumerate(self.rows):
            lead = next((v for v in row if v), None)
            if lead is None or c in following:
                continue
            b, size = first.setdefault(tuple(v / lead for v in row), (c, lead))
            if b == c:
                continue
            # t_c = m t_b, and min(0, -t) = min(0, t) - t
            m, k = lead / size, kinks[c]
            kinks[b] += k * abs(m)
            if m < 0:
                linear = [v + k * m * a for v, a in zip(linear, self.rows[b], strict=True)]
            kinks[c] = fmpq(0)
        return self._replace(linear=linear, kinks=kinks)


def confirm(f: Terms, proof: Multipliers | Fan | Tree) -> None:
    """RefutedError if `proof` does not show that f >= 0."""
    if isinstance(proof, Multipliers):
        _confirm_multipliers(f, [_q(theta) for theta in proof.theta])
    elif isinstance(proof, Fan):
        _FanCheck(f, proof).run()
    else:
        _TreeCheck(f, proof).run()


def _confirm_multipliers(f: Terms, theta: list[fmpq]) -> None:
    if f.alpha or any(k > 0 for k in f.kinks):
        raise RefutedError("witness: multipliers for a block that is not convex")
    if len(theta) != len(f.kinks) or not all(0 <= v <= 1 for v in theta):
        raise RefutedError("witness: multipliers outside [0, 1]")
    total = list(f.linear)
    for v, k, row in zip(theta, f.kinks, f.rows, strict=True):
        if v and k:
            total = [sum_ + v * k * a for sum_, a in zip(total, row, strict=True)]
    if any(total):
        raise RefutedError("witness: the multipliers leave a slope")


class _FanCheck:
    """The cones of a fan, one after the other; generators are computed here."""

    def __init__(self, f: Terms, fan: Fan) -> None:
        self.f, self.fan = f, fan
        self.nodes = iter(fan.nodes.tolist())
        self.feeding = {b for _, b, _ in f.alpha}
        self.seen: dict[tuple[fmpq, ...], list[fmpq]] = {}

    def run(self) -> None:
        d = len(self.f.linear)
        for signs in product((1, -1), repeat=d):
            cone = [tuple(fmpq(s * (i == j)) for i in range(d)) for j, s in enumerate(signs)]
            self._cone(cone)
        if next(self.nodes, None) is not None:
            raise RefutedError("witness: more cones than there are")

    def _rates(self, y: tuple[fmpq, ...]) -> list[fmpq]:
        if y not in self.seen:
            self.seen[y] = self.f.rates(y)
        return self.seen[y]

    def _cone(self, cone: list[tuple[fmpq, ...]]) -> None:
        stack = [cone]
        while stack:
            cone = stack.pop()
            node = next(self.nodes, None)
            if node is None:
                raise RefutedError("witness: not all cones are covered")
            term, p, n = node
            if term < 0:
                self._leaf(cone, p, n)
                continue
            if not (0 <= p < len(cone) and 0 <= n < len(cone) and term < len(self.f.kinks)):
                raise RefutedError("witness: a cut of no edge")
            a, b = self._rates(cone[p])[term], self._rates(cone[n])[term]
            if not a > 0 > b:
                raise RefutedError("witness: a cut outside its cone")
            between = tuple(a * v - b * u for u, v in zip(cone[p], cone[n], strict=True))
            for side in (n, p):  # the part of p is the next one
                part = list(cone)
                part[side] = between
                stack.append(part)

    def _leaf(self, cone: list[tuple[fmpq, ...]], first: int, last: int) -> None:
        f, t = self.f, [self._rates(y) for y in cone]
        terms = self.fan.terms[first:last].tolist()
        theta = dict(zip(terms, map(_q, self.fan.theta[first:last]), strict=True))
        if not all(0 <= v <= 1 for v in theta.values()):
            raise RefutedError("witness: multipliers outside [0, 1]")
        bounds = [dot(f.linear, y) for y in cone]
        for c, k in enumerate(f.kinks):
            values = [rates[c] for rates in t]
            two = any(v > 0 for v in values) and any(v < 0 for v in values)
            if two and c in self.feeding:
                raise RefutedError("witness: a term that bends another has two signs on a cone")
            if two and k < 0:
                share = k * theta.get(c, fmpq(0))
                bounds = [bound + share * v for bound, v in zip(bounds, values, strict=True)]
            else:
                bounds = [b + k * v if v < 0 else b for b, v in zip(bounds, values, strict=True)]
        if any(bound < 0 for bound in bounds):
            raise RefutedError("witness: the bound on a cone is negative")


class _TreeCheck:
    """The leaves of a tree of splits, one after the other.

    Linear functions of (y, m), m_c = max(0, -t_c), are dictionaries: of y below d, of m from d on.
    """

    def __init__(self, f: Terms, tree: Tree) -> None:
        self.f, self.n, self.d = f, len(f.kinks), len(f.linear)
        self.nodes, self.leaves = iter(tree.nodes.tolist()), iter(tree.leaves)
        self.follows: dict[int, list[tuple[int, fmpq]]] = {}
        for c, b, alpha in f.alpha:
            self.follows.setdefault(c, []).append((b, alpha))
        self.order = sorted(range(self.n), key=self._depth)

    def _depth(self, c: int) -> int:
        return max((1 + self._depth(b) for b, _ in self.follows.get(c, [])), default=0)

    def run(self) -> None:
        stack: list[dict[int, int]] = [{}]  # signs of the terms on the path
        while stack:
            path = stack.pop()
            node = next(self.nodes, None)
            if node is None:
                raise RefutedError("witness: a tree without all its leaves")
            if node < 0:
                self._leaf(path)
            elif node >= self.n or node in path:
                raise RefutedError("witness: a split by no term, or by one twice")
            else:
                stack += [{**path, node: -1}, {**path, node: 1}]  # the side t >= 0 is the next one
        if next(self.nodes, None) is not None or next(self.leaves, None) is not None:
            raise RefutedError("witness: more leaves than there are")

    def _functions(self, path: dict[int, int]) -> tuple[list[_Linear], list[_Linear]]:
        """All t_c and m_c where the terms on the path have their signs."""
        t: list[_Linear] = [{} for _ in range(self.n)]
        m: list[_Linear] = [{} for _ in range(self.n)]
        for c in self.order:
            t[c] = {j: v for j, v in enumerate(self.f.rows[c]) if v}
            for b, alpha in self.follows.get(c, []):
                _add(t[c], -alpha, m[b])
            if c not in path:
                m[c] = {self.d + c: fmpq(1)}
            elif path[c] < 0:
                _add(m[c], fmpq(-1), t[c])
        return t, m

    def _leaf(self, path: dict[int, int]) -> None:
        leaf = next(self.leaves, None)
        if leaf is None:
            raise RefutedError("witness: a tree without all its leaves")
        t, m = self._functions(path)
        rest: _Linear = {j: v for j, v in enumerate(self.f.linear) if v}
        for c, k in enumerate(self.f.kinks):
            _add(rest, -k, m[c])
        for i, number in leaf.multipliers:
            self._subtract(rest, i, _q(number), t, m)
        for e, kappa, x in leaf.above:
            if not 0 <= e < self.n or kappa < 0:
                raise RefutedError("witness: a bound of no term, or with a multiplier below 0")
            left = dict(t[e])
            _add(rest, _q(kappa), m[e])
            for c, number in x:
                if not 0 <= c < self.n:
                    raise RefutedError("witness: a bound by no term")
                share = _q(number)
                _add(left, -share, t[c])
                form = c if share > 0 else self.n + c
                self._subtract(rest, form, abs(share) * _q(kappa), t, m)
            if any(left.values()):
                raise RefutedError(f"witness: the bound of term {e} does not hold")
        if any(rest.values()):
            raise RefutedError("witness: the multipliers of a leaf leave a slope")

    def _subtract(
        self, rest: _Linear, i: int, factor: fmpq, t: list[_Linear], m: list[_Linear]
    ) -> None:
        """Take `factor` >= 0 times the form F_i >= 0 off `rest`."""
        if factor < 0 or not 0 <= i < 2 * self.n:
            raise RefutedError("witness: a multiplier below 0, or of no form")
        _add(rest, -factor, m[i % self.n])
        if i >= self.n:
            _add(rest, -factor, t[i - self.n])


def _add(total: _Linear, factor: fmpq, function: _Linear) -> None:
    """``total += factor * function``."""
    for j, v in function.items():
        total[j] = total.get(j, fmpq(0)) + factor * v


def dot(a: Sequence[fmpq], b: Sequence[fmpq]) -> fmpq:
    return sum((v * w for v, w in zip(a, b, strict=True) if w), fmpq(0))


def _q(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


__all__ = ["Link", "RefutedError", "Terms", "confirm", "dot"]
