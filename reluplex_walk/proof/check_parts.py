"""Whether F' >= 0 at an exact vertex, confirmed from a witness by computing, without a search.

F' is taken apart as :mod:`reluplex_walk.proof.witness` says, anew: one function for each single
breakpoint and for each block of dependent ones, whose sum it is.  Each of these has to be >= 0, by
its slopes or by the proof that the witness holds.  Shares no code with what proves.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from flint import fmpq, fmpq_mat, nmod_mat

from .check_blocks import Link, RefutedError, Terms, confirm, dot
from .witness import Block

_PRIME = 2**62 - 57  # rank modulo a prime: never above the rank


class OneSidedDerivative(NamedTuple):
    """F'(d) = g . d + sum_c gamma_c min(0, t_c),  t_c = n_c . d + sum_b alpha_cb min(0, t_b)."""

    gradient: list[fmpq]  # (D,)
    normals: fmpq_mat  # (k, D)
    gamma: list[fmpq]  # (k,)
    alpha: list[Link]  # every b before it follows


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
        joined = [
            {p, *(c for c, v in enumerate(row) if v)}
            for p, row in zip(self.pivots, self.form, strict=True)
        ]
        groups: list[set[int]] = []
        for new in [*joined, *({b, c} for c, b, _ in self.alpha)]:
            met = [group for group in groups if not group.isdisjoint(new)]
            groups = [group for group in groups if group.isdisjoint(new)] + [new.union(*met)]
        found = {}
        for group in groups:
            members = sorted(group)
            coordinates = [j for j, p in enumerate(self.pivots) if p in group]
            if len(members) > 1 and coordinates:  # the rest is single, or stays at 0
                rest = Terms(self.linear, self.whole.rows, self.kinks, self.alpha)
                found[tuple(members)] = rest.part(coordinates, members)
        return found

    def slopes(self) -> list[fmpq]:
        """F' along the half-edges of the pivots: the near ones (2r,), then the far ones."""
        f, rows = self.whole, range(len(self.pivots))
        if not f.alpha:
            return self._unlinked_slopes()
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
            slopes.append(sum(bent, dot(f.linear, edge)))
        return slopes

    def _unlinked_slopes(self) -> list[fmpq]:
        """The same where nothing follows: each t_c is a multiple of the one rate that moves."""
        near, far = list(self.whole.linear), [-v for v in self.whole.linear]
        for k, row in zip(self.whole.kinks, self.whole.rows, strict=True):
            for j, v in enumerate(row):
                if v < 0:
                    near[j] += k * v
                elif v > 0:
                    far[j] -= k * v
        return near + far


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


def _q(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


__all__ = ["OneSidedDerivative", "Parts", "confirm_blocks"]
