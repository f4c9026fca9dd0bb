"""Whether F' >= 0 at an exact vertex, confirmed from a witness by computing, without a search.

F' is taken apart as :mod:`reluplex_walk.proof.witness` says, anew: one function for each single
breakpoint and for each block of dependent ones, whose sum it is.  Each of these has to be >= 0, by
its slopes or by the proof that the witness holds.  Shares no code with what proves.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from flint import fmpq, fmpq_mat, nmod_mat

from .witness import Block, Fan, Leaf, Multipliers, Tree

Link = tuple[int, int, fmpq]  # (c, b, alpha): t_c follows min(0, t_b)

_PRIME = 2**62 - 57  # rank modulo a prime: never above the rank


class RefutedError(ValueError):
    """A witness that does not show what it is said to show; the message says where."""


class OneSidedDerivative(NamedTuple):
    """F'(d) = g . d + sum_c gamma_c min(0, t_c),  t_c = n_c . d + sum_b alpha_cb min(0, t_b)."""

    gradient: list[fmpq]  # (D,)
    normals: fmpq_mat  # (k, D)
    gamma: list[fmpq]  # (k,)
    alpha: list[Link]  # every b before it follows


class Terms(NamedTuple):
    """f(y) = l . y + sum_c k_c min(0, t_c(y)), t_c = a_c . y + sum_b alpha_cb min(0, t_b)."""

    linear: list[fmpq]  # (d,)
    rows: list[list[fmpq]]  # (k, d)
    kinks: list[fmpq]  # (k,)
    alpha: list[Link]

    def rates(self, y: Sequence[fmpq]) -> list[fmpq]:
        """All t_c at `y`."""
        t = [_dot(row, y) for row in self.rows]
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


class Parts:
    """F' in the rates of its pivots, in which it is a sum."""

    def __init__(
        self, f: OneSidedDerivative, pivots: Sequence[int], prices: Sequence[Fraction]
    ) -> None:
        self.k, self.pivots = len(f.gamma), list(pivots)
        self.form = _form(f.normals, self.pivots)
        self.prices = [_q(price) for price in prices]
        _confirm_prices(f, self.pivots, self.prices)
        rows = range(len(self.pivots))
        self.single = {
            p for j, p in enumerate(self.pivots) if not any(self.form[j][c] for c in self.others(p))
        }
        price = dict(zip(self.pivots, self.prices, strict=True))
        self.kinks = list(f.gamma)
        for c, b, alpha in f.alpha:
            if c in self.single:
                self.kinks[b] -= alpha * price[c]
        self.whole = Terms(
            self.prices, [[self.form[j][c] for j in rows] for c in range(self.k)], f.gamma, f.alpha
        )
        self.alpha = [link for link in f.alpha if link[0] not in self.single]
        self.linear = list(self.prices)
        self._single(price)
        self._minimise_out(price)

    def others(self, pivot: int) -> Iterable[int]:
        """All breakpoints but one."""
        return (c for c in range(self.k) if c != pivot)

    def _single(self, price: dict[int, fmpq]) -> None:
        """Moving a single breakpoint alone ascends both ways."""
        feeding = {b for _, b, _ in self.alpha}
        for c in self.single:
            if price[c] < 0 or (c not in feeding and price[c] + self.kinks[c] > 0):
                raise RefutedError(f"slopes: the loss descends where only breakpoint {c} moves")

    def _minimise_out(self, price: dict[int, fmpq]) -> None:
        """Single breakpoints b that one member m of a block alone follows, and m feeds none.

        With y_b = -t_b >= 0 and t the rate of m where they stay at 0, they and m add
        h(t) = min_y  sum_b s_b y_b + k_m min(0, t - sum_b alpha_b y_b),  two slopes if bounded.
        """
        feeders: dict[int, list[tuple[int, fmpq]]] = {}
        fed: dict[int, list[int]] = {}
        for m, b, alpha in self.alpha:
            feeders.setdefault(m, []).append((b, alpha))
            fed.setdefault(b, []).append(m)
        for m, links in feeders.items():
            if m in fed or any(b not in self.single or len(fed[b]) > 1 for b, _ in links):
                continue
            s, k = {b: -(price[b] + self.kinks[b]) for b, _ in links}, self.kinks[m]
            rays = [s[b] + k * min(fmpq(0), -alpha) for b, alpha in links]
            rays += [s[b] / a - s[c] / o for b, a in links for c, o in links if a > 0 > o]
            if any(ray < 0 for ray in rays):
                raise RefutedError(f"slopes: the loss descends along what breakpoint {m} follows")
            up, down = (
                min([k * min(fmpq(0), t), *(s[b] * t / a for b, a in links if t * a > 0)])
                for t in (fmpq(1), fmpq(-1))
            )
            self.linear = [v + up * row[m] for v, row in zip(self.linear, self.form, strict=True)]
            self.kinks[m] = -(up + down)
            self.alpha = [link for link in self.alpha if link[0] != m]

    def blocks(self) -> dict[tuple[int, ...], Terms]:
        """The function of each block, by its members."""
        if len(self.single) == self.k:
            return {}
        import networkx as nx  # here: it takes a while to import, and few proofs need it

        graph = nx.Graph([(b, c) for c, b, _ in self.alpha])
        for p, row in zip(self.pivots, self.form, strict=True):
            graph.add_edges_from((p, c) for c in range(self.k) if row[c])
        found = {}
        for group in nx.connected_components(graph):
            members = sorted(group)
            coordinates = [j for j, p in enumerate(self.pivots) if p in group]
            if len(members) > 1 and coordinates:  # the rest is single, or stays at 0
                place = {c: i for i, c in enumerate(members)}
                block = Terms(
                    [self.linear[j] for j in coordinates],
                    [[self.form[j][c] for j in coordinates] for c in members],
                    [self.kinks[c] for c in members],
                    [(place[c], place[b], a) for c, b, a in self.alpha if c in place],
                )
                found[tuple(members)] = block.merged()
        return found

    def slopes(self) -> list[fmpq]:
        """F' along the half-edges of the pivots: the near ones (2r,), then the far ones."""
        f, rows = self.whole, range(len(self.pivots))
        place = {p: j for j, p in enumerate(self.pivots)}
        near = [[fmpq(int(i == j)) for i in rows] for j in rows]
        far = [[-v for v in edge] for edge in near]
        for c, b, alpha in f.alpha:
            if c in place and b in place:
                far[place[b]][place[c]] += alpha
        slopes = []
        for edge in near + far:
            t = f.rates(edge)
            bent = (k * v for k, v in zip(f.kinks, t, strict=True) if v < 0)
            slopes.append(sum(bent, _dot(f.linear, edge)))
        return slopes


def confirm_blocks(parts: Parts, blocks: Sequence[Block]) -> None:
    """RefutedError if a block is not covered by a proof that its function is >= 0."""
    functions = parts.blocks()
    for block in blocks:
        members = tuple(int(c) for c in block.members)
        if members not in functions:
            raise RefutedError(f"witness: breakpoints {members} are no block")
        confirm(functions.pop(members), block.proof)
    if functions:
        raise RefutedError(f"witness: nothing is said of the block {next(iter(functions))}")


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
        bounds = [_dot(f.linear, y) for y in cone]
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
    """The leaves of a tree of splits, one after the other."""

    def __init__(self, f: Terms, tree: Tree) -> None:
        self.f = f
        self.nodes, self.leaves = iter(tree.nodes.tolist()), iter(tree.leaves)
        self.parents: dict[int, list[tuple[int, fmpq]]] = {}
        for c, b, alpha in f.alpha:
            self.parents.setdefault(c, []).append((b, alpha))

    def run(self) -> None:
        stack: list[dict[int, int]] = [{}]  # signs of the terms on the path
        while stack:
            path = stack.pop()
            node = next(self.nodes, None)
            if node is None:
                raise RefutedError("witness: a tree without all its leaves")
            if node < 0:
                self._leaf(path)
            elif node >= len(self.f.kinks) or node in path:
                raise RefutedError("witness: a split by no term, or by one twice")
            else:
                self._linear(node, path)
                stack += [{**path, node: -1}, {**path, node: 1}]  # the side t >= 0 is the next one
        if next(self.nodes, None) is not None or next(self.leaves, None) is not None:
            raise RefutedError("witness: more leaves than there are")

    def _linear(self, c: int, path: dict[int, int]) -> list[fmpq]:
        """The linear form that t_c is where the terms on the path have their signs."""
        form = list(self.f.rows[c])
        for b, alpha in self.parents.get(c, []):
            if b not in path:
                raise RefutedError(f"witness: term {c} follows term {b}, which has both signs")
            if path[b] < 0:
                form = [v + alpha * w for v, w in zip(form, self._linear(b, path), strict=True)]
        return form

    def _leaf(self, path: dict[int, int]) -> None:
        leaf = next(self.leaves, None)
        if leaf is None:
            raise RefutedError("witness: a tree without all its leaves")
        f = self.f
        sides = [[s * v for v in self._linear(c, path)] for c, s in path.items()]
        theta, above = self._multipliers(leaf, len(sides))
        total = list(f.linear)
        for c, k in enumerate(f.kinks):
            if not k or (c in path and path[c] > 0):
                continue
            form = self._linear(c, path)
            if c in path:
                share = fmpq(1)
            elif k < 0:
                share = theta.get(c, fmpq(0))
            else:
                low = self._bound(form, above, c, sides)
                form, share = low, fmpq(-1)
            total = [v + k * share * a for v, a in zip(total, form, strict=True)]
        if total != _combined([_q(v) for v in leaf.multipliers], sides, len(total)):
            raise RefutedError("witness: the multipliers of a leaf leave a slope")

    def _multipliers(
        self, leaf: Leaf, n: int
    ) -> tuple[dict[int, fmpq], dict[int, tuple[list[fmpq], list[fmpq]]]]:
        theta = {c: _q(v) for c, v in leaf.theta}
        above = {c: ([_q(v) for v in a], [_q(v) for v in b]) for c, a, b in leaf.above}
        lists = [[_q(v) for v in leaf.multipliers]]
        lists += [part for both in above.values() for part in both]
        if any(len(part) != n or any(v < 0 for v in part) for part in lists):
            raise RefutedError("witness: multipliers below 0, or not one for each split")
        if not all(0 <= v <= 1 for v in theta.values()):
            raise RefutedError("witness: multipliers outside [0, 1]")
        return theta, above

    def _bound(
        self,
        form: list[fmpq],
        above: dict[int, tuple[list[fmpq], list[fmpq]]],
        c: int,
        sides: list[list[fmpq]],
    ) -> list[fmpq]:
        """A linear form that is >= 0 and >= -t_c on the cone."""
        if c not in above:
            raise RefutedError(f"witness: the concave term {c} is not bounded on a leaf")
        alpha, beta = above[c]
        low = _combined(alpha, sides, len(form))
        if [v + w for v, w in zip(low, form, strict=True)] != _combined(beta, sides, len(form)):
            raise RefutedError(f"witness: the bound of the concave term {c} does not hold")
        return low


def _form(normals: fmpq_mat, pivots: list[int]) -> list[list[fmpq]]:
    """All normals by those of the pivots: (r, k).  RefutedError if these are no basis."""
    k, r = normals.nrows(), len(pivots)
    if len(set(pivots)) != r or not all(0 <= p < k for p in pivots):
        raise RefutedError("witness: the pivots are not breakpoints that vanish")
    if k == r:
        if _rank(normals) < r:
            raise RefutedError("active: these breakpoints are not independent")
        return [[fmpq(int(p == c)) for c in range(k)] for p in pivots]
    order = pivots + [c for c in range(k) if c not in set(pivots)]
    table = normals.tolist()
    ordered = fmpq_mat(k, normals.ncols(), [v for c in order for v in table[c]])
    form, rank = ordered.transpose().rref()
    if rank != r or any(form[j, i] != int(i == j) for j in range(r) for i in range(r)):
        raise RefutedError("active: these breakpoints are no basis of those that vanish")
    place = {c: i for i, c in enumerate(order)}
    return [[form[j, place[c]] for c in range(k)] for j in range(r)]


def _rank(normals: fmpq_mat) -> int:
    """The rank (r,) if it is full; a number below it otherwise, or with bad luck."""
    rows = []
    for row in normals.tolist():
        scale = 1
        for v in row:
            scale = scale * int(v.q) if scale % int(v.q) else scale
        rows += [int(v.p) * (scale // int(v.q)) % _PRIME for v in row]
    return int(nmod_mat(normals.nrows(), normals.ncols(), rows, _PRIME).rank())


def _confirm_prices(f: OneSidedDerivative, pivots: list[int], prices: list[fmpq]) -> None:
    """RefutedError if the gradient is not that combination of the normals."""
    if len(prices) != len(pivots):
        raise RefutedError("witness: not one price for each pivot")
    table, total = f.normals.tolist(), fmpq_mat(1, len(f.gradient))
    if pivots:
        basis = [v for p in pivots for v in table[p]]
        total = fmpq_mat(1, len(pivots), prices) * fmpq_mat(len(pivots), len(f.gradient), basis)
    if any(total[0, i] != g for i, g in enumerate(f.gradient)):
        raise RefutedError("slopes: the prices do not give the gradient")


def _combined(weights: list[fmpq], forms: list[list[fmpq]], size: int) -> list[fmpq]:
    total = [fmpq(0)] * size
    for w, form in zip(weights, forms, strict=True):
        if w:
            total = [v + w * a for v, a in zip(total, form, strict=True)]
    return total


def _dot(a: Sequence[fmpq], b: Sequence[fmpq]) -> fmpq:
    return sum((v * w for v, w in zip(a, b, strict=True) if w), fmpq(0))


def _q(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


__all__ = ["OneSidedDerivative", "Parts", "RefutedError", "Terms", "confirm", "confirm_blocks"]
