"""Whether the function of a block is >= 0, confirmed from its proof by computing.

The formulas are those of :mod:`reluplex_walk.proof.witness`.  Shares no code with what proves.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import product
from math import gcd, lcm
from typing import NamedTuple

from flint import fmpq, fmpz, fmpz_mat

from .witness import Bound, Fan, Multipliers, Proof, Shares, Tree

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

    def part(self, coordinates: Sequence[int], members: Sequence[int]) -> "Terms":
        """The function of some coordinates and terms, its parallel terms merged."""
        place = {c: i for i, c in enumerate(members)}
        return Terms(
            [self.linear[j] for j in coordinates],
            [[self.rows[c][j] for j in coordinates] for c in members],
            [self.kinks[c] for c in members],
            [(place[c], place[b], a) for c, b, a in self.alpha if c in place],
        ).merged()

    def merged(self) -> "Terms":
        """The same f, with the kinks of parallel terms that follow nothing in the first of them."""
        linear, kinks = list(self.linear), list(self.kinks)
        following = {c for c, _, _ in self.alpha}
        first: dict[tuple[int, ...], tuple[int, fmpq]] = {}
        for c, row in enumerate(self.rows):
            lead = next((v for v in row if v), None)
            if lead is None or c in following:
                continue
            b, size = first.setdefault(_direction(row, lead), (c, lead))
            if b == c:
                continue
            # t_c = m t_b, and min(0, -t) = min(0, t) - t
            m, k = lead / size, kinks[c]
            kinks[b] += k * abs(m)
            if m < 0:
                linear = [v + k * m * a for v, a in zip(linear, self.rows[b], strict=True)]
            kinks[c] = fmpq(0)
        return self._replace(linear=linear, kinks=kinks)


def _direction(row: list[fmpq], lead: fmpq) -> tuple[int, ...]:
    """The row divided by its first entry that is not 0, as integers: rationals are slow to hash."""
    found = []
    for v in row:
        ratio = v / lead if v else v
        found += [int(ratio.p), int(ratio.q)]
    return tuple(found)


def confirm(f: Terms, proof: Proof) -> None:
    """RefutedError if `proof` does not show that f >= 0."""
    if isinstance(proof, Multipliers):
        _confirm_multipliers(f, [_q(theta) for theta in proof.theta])
    elif isinstance(proof, Fan):
        _FanCheck(f, proof).run()
    elif isinstance(proof, Tree):
        _TreeCheck(f, proof).run()
    else:
        _confirm_shares(f, proof)


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


def _confirm_shares(f: Terms, proof: Shares) -> None:
    terms, theta = proof.terms.tolist(), [_q(v) for v in proof.theta]
    following = {b for _, b, _ in f.alpha}
    if (
        len(set(terms)) < len(terms)
        or len(theta) != len(terms)
        or not all(0 <= v <= 1 for v in theta)
    ):
        raise RefutedError("witness: tangents outside [0, 1], or not one for each term")
    if any(not 0 <= c < len(f.kinks) or f.kinks[c] > 0 or c in following for c in terms):
        raise RefutedError("witness: a tangent of a term that is not convex, or followed by others")
    linear, kinks = list(f.linear), list(f.kinks)
    slope = {c: v * f.kinks[c] for c, v in zip(terms, theta, strict=True)}
    for c, factor in slope.items():
        linear = [v + factor * a for v, a in zip(linear, f.rows[c], strict=True)]
    for c, b, alpha in f.alpha:
        if c in slope:
            kinks[b] += slope[c] * alpha
    rest = Terms(linear, f.rows, kinks, [link for link in f.alpha if link[0] not in slope])
    proofs = {tuple(block.members.tolist()): block.proof for block in proof.blocks}
    for coordinates, members in _groups(rest, slope):
        if not members and any(linear[j] for j in coordinates):
            raise RefutedError("witness: the tangents leave a slope")
        if members:
            if members not in proofs:
                raise RefutedError(f"witness: nothing is said of the terms {members}")
            confirm(rest.part(coordinates, members), proofs.pop(members))
    if proofs:
        raise RefutedError("witness: proofs of more parts than there are")


def _groups(f: Terms, left_out: Iterable[int]) -> list[tuple[list[int], tuple[int, ...]]]:
    """Coordinates and terms of the functions that f, without some terms, is the sum of."""
    import networkx as nx  # here: it takes a while to import, and few proofs need it

    n, gone = len(f.kinks), set(left_out)
    graph = nx.Graph()
    graph.add_nodes_from(range(n, n + len(f.linear)))
    for c in range(n):
        if c not in gone:
            graph.add_edges_from((c, n + j) for j, v in enumerate(f.rows[c]) if v)
    graph.add_edges_from((c, b) for c, b, _ in f.alpha)
    groups = [sorted(group) for group in nx.connected_components(graph)]
    found = [([v - n for v in g if v >= n], tuple(v for v in g if v < n)) for g in groups]
    return [group for group in found if group[0]]  # what has no coordinate is 0


class _Ray(NamedTuple):
    """A generator of cones: where it is, and what the function is made of there."""

    y: tuple[int, ...]
    t: list[fmpz]
    value: fmpz
    positive: set[int]
    negative: set[int]


class _FanCheck:
    """The cones of a fan, one after the other; generators are computed here.

    In integers: terms are taken times a positive factor each, and so is the function.
    """

    def __init__(self, f: Terms, fan: Fan) -> None:
        self.fan, self.nodes = fan, iter(fan.nodes.tolist())
        self.feeding = {b for _, b, _ in f.alpha}
        factor = [fmpz(lcm(*(int(v.q) for v in row))) for row in f.rows]
        follows: list[list[tuple[int, fmpq]]] = [[] for _ in f.rows]
        for c, b, alpha in f.alpha:
            follows[c].append((b, alpha))
        for c, _, _ in f.alpha:  # every b before it follows
            dens = [int((alpha / factor[b]).q) for b, alpha in follows[c]]
            factor[c] = fmpz(lcm(int(factor[c]), *dens))
        self.alpha = [(c, b, (factor[c] * alpha / factor[b]).p) for c, b, alpha in f.alpha]
        rows = [(u * v).p for u, row in zip(factor, f.rows, strict=True) for v in row]
        self.rows = fmpz_mat(len(f.rows), len(f.linear), rows)
        kinks = [k / u for k, u in zip(f.kinks, factor, strict=True)]
        whole = lcm(*(int(v.q) for v in [*kinks, *f.linear]))
        self.kinks, self.linear = ([(whole * v).p for v in part] for part in (kinks, f.linear))
        self.rays: dict[tuple[int, ...], _Ray] = {}

    def run(self) -> None:
        d = len(self.linear)
        for signs in product((1, -1), repeat=d):
            cone = [tuple(s * (i == j) for i in range(d)) for j, s in enumerate(signs)]
            self._cone([self._ray(y) for y in cone])
        if next(self.nodes, None) is not None:
            raise RefutedError("witness: more cones than there are")

    def _ray(self, y: tuple[int, ...]) -> _Ray:
        if y not in self.rays:
            t = (self.rows * fmpz_mat(len(y), 1, y)).entries()
            for c, b, alpha in self.alpha:
                if t[b] < 0:
                    t[c] += alpha * t[b]
            positive = {c for c, v in enumerate(t) if v > 0}
            negative = {c for c, v in enumerate(t) if v < 0}
            bent = [self.kinks[c] * t[c] for c in negative]
            value = sum(bent, sum((a * v for a, v in zip(self.linear, y, strict=True)), fmpz(0)))
            self.rays[y] = _Ray(y, t, value, positive, negative)
        return self.rays[y]

    def _cone(self, cone: list[_Ray]) -> None:
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
            if not (0 <= p < len(cone) and 0 <= n < len(cone) and term < len(self.kinks)):
                raise RefutedError("witness: a cut of no edge")
            a, b = int(cone[p].t[term]), int(cone[n].t[term])
            if not a > 0 > b:
                raise RefutedError("witness: a cut outside its cone")
            between = [a * v - b * u for u, v in zip(cone[p].y, cone[n].y, strict=True)]
            size = gcd(*between)
            ray = self._ray(tuple(v // size for v in between))
            for side in (n, p):  # the part of p is the next one
                part = list(cone)
                part[side] = ray
                stack.append(part)

    def _leaf(self, cone: list[_Ray], first: int, last: int) -> None:
        terms = self.fan.terms[first:last].tolist()
        theta = dict(zip(terms, self.fan.theta[first:last], strict=True))
        if not all(0 <= v.numerator <= v.denominator for v in theta.values()):
            raise RefutedError("witness: multipliers outside [0, 1]")
        two = set[int]().union(*(ray.positive for ray in cone))
        two &= set[int]().union(*(ray.negative for ray in cone))
        if two & self.feeding:
            raise RefutedError("witness: a term that bends another has two signs on a cone")
        convex = [c for c in two if self.kinks[c] < 0]
        unit = lcm(*(theta[c].denominator for c in convex if c in theta))
        # In place of k min(0, t), whose share of the value is taken back: theta k t.
        up, down, none = [], [], Fraction(0)
        for c in convex:
            v = theta.get(c, none)
            up.append(self.kinks[c] * (v.numerator * (unit // v.denominator)))
            down.append(up[-1] - unit * self.kinks[c])
        for ray in cone:
            t = [ray.t[c] for c in convex]
            parts = [v * (d if v < 0 else u) for v, u, d in zip(t, up, down, strict=True)]
            if sum(parts, unit * ray.value) < 0:
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
        forms = [*m, *({**function} for function in m)]
        for c in range(self.n):
            _add(forms[self.n + c], fmpq(1), t[c])
        for i, number in leaf.multipliers:
            if number < 0 or not 0 <= i < 2 * self.n:
                raise RefutedError("witness: a multiplier below 0, or of no form")
            _add(rest, -_q(number), forms[i])
        for bound in leaf.above:
            if not 0 <= bound.term < self.n or bound.kappa < 0:
                raise RefutedError("witness: a bound of no term, or with a multiplier below 0")
            forms.append(self._bound(bound, t, forms))
            _add(rest, -_q(bound.kappa), forms[-1])
        if any(rest.values()):
            raise RefutedError("witness: the multipliers of a leaf leave a slope")

    def _bound(self, bound: Bound, t: list[_Linear], forms: list[_Linear]) -> _Linear:
        """The form low_e - m_e >= 0 of a bound, those of the bounds before it being in `forms`."""
        left: _Linear = dict(t[bound.term])
        form: _Linear = {}
        _add(form, fmpq(-1), forms[bound.term])
        for c, number in bound.x:
            if not 0 <= c < self.n:
                raise RefutedError("witness: a bound by no term")
            _add(left, -_q(number), t[c])
            _add(form, _q(abs(number)), forms[c if number > 0 else self.n + c])
        for i, number in bound.rest:
            if not 0 <= i < len(forms):
                raise RefutedError("witness: a bound by no form")
            _add(left, -_q(number), forms[i])
            _add(form, _q(max(Fraction(0), -number)), forms[i])
        if any(left.values()):
            raise RefutedError(f"witness: the bound of term {bound.term} does not hold")
        return form


def _add(total: _Linear, factor: fmpq, function: _Linear) -> None:
    """``total += factor * function``."""
    for j, v in function.items():
        total[j] = total.get(j, fmpq(0)) + factor * v


def dot(a: Sequence[fmpq], b: Sequence[fmpq]) -> fmpq:
    return sum((v * w for v, w in zip(a, b, strict=True) if w), fmpq(0))


def _q(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


__all__ = ["Link", "RefutedError", "Terms", "confirm", "dot"]
