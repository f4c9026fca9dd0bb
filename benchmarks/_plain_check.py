"""A plain check of claims about the end of a walk: is there a direction along which the loss falls?

It uses `_plain_loss` and nothing of the library's proofs.  The search is in floats, on columns of X
centred and scaled; what it finds is mapped back without rounding and judged by the exact one-sided
derivative at the exact point, so that what is called false here is false.  What is not found may
still be there.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from scipy import optimize

import reluplex_walk as rw
from benchmarks._plain_loss import Array, PlainLoss, eliminated, fractions

_RANDOM, _CONES, _PROGRAMS, _JUDGED = (
    60,
    12,
    12,
    6,
)  # directions, cones, linear programs; the lowest
_RANK = 1e-9  # relative size of what counts as dependent, in the search alone
_EXACT_DIM = 12  # up to which half-edges are computed in Fractions
_SHARE, _TARGETS = Fraction(1, 10**9), Fraction(1, 10**12)  # what rounding of theta may cost


class Search:
    """Directions from a point at which the breakpoints have given signs."""

    def __init__(self, plain: PlainLoss, signs: list[Array], rng: np.random.Generator) -> None:
        self.plain, self.signs, self.rng = plain, signs, rng
        self.floats, self.free, self.shape = plain.floats, plain.free, plain.shape

    def region(self, e: Array) -> list[Array]:
        """The signs just beyond the point along `e`."""
        rates = self.floats.along(self.signs, e)[:-1]
        return [
            np.where(s != 0, s, np.where(r > 0, 1, -1))
            for s, r in zip(self.signs, rates, strict=True)
        ]

    def directions(self) -> Iterator[Array]:
        """Coordinates, random directions, and from random cones half-edges and the like."""
        D, free = self.free.size, self.free
        for k in np.flatnonzero(free):
            unit = np.zeros(D)
            unit[k] = 1.0
            yield unit.reshape(self.shape)
            yield -unit.reshape(self.shape)
        for k in range(_RANDOM):
            e = self.rng.normal(size=self.shape) * free
            if k % 3 == 0:  # one neuron alone
                e *= np.arange(len(e))[:, None] == self.rng.integers(len(e))
            yield e
        for _ in range(_CONES):
            yield from self._from_a_cone()

    def a_cone(self) -> Array:
        """A point of a random cone."""
        scale = 10.0 ** self.rng.uniform(-2, 2, (self.shape[0], 1))
        return self.rng.normal(size=self.shape) * scale * self.free

    def _from_a_cone(self) -> Iterator[Array]:
        """Down the gradient, with a random set of the vanishing breakpoints kept at 0."""
        region = self.region(self.a_cone())
        gradients = self.floats.gradients(region)
        mask = self.free.ravel()
        normals = np.concatenate([g[s == 0] for g, s in zip(gradients, self.signs, strict=True)])
        normals = normals.reshape(len(normals), mask.size)[:, mask]
        price = np.where(region[-1] > 0, self.floats.right, -self.floats.left)
        down = -(price[..., None, None] * gradients[-1]).sum(axis=(0, 1)).ravel()[mask]
        size = np.linalg.norm(normals, axis=1)
        normals = normals[size > 0] / size[size > 0, None]
        yield from self._spread(self._down(normals, down))

    def _down(self, normals: Array, down: Array) -> Iterator[Array]:
        """Down the gradient and at random with some of the `normals` kept at 0, and half-edges."""
        most = min(len(normals), len(down) - 1)
        for count in (most, int(self.rng.integers(0, most + 1))):
            kept = normals[self.rng.permutation(len(normals))[:count]]
            _, s, v = np.linalg.svd(kept, full_matrices=True)
            null = v[int((s > _RANK).sum()) :]
            yield null.T @ (null @ down)
            yield null.T @ (null @ self.rng.normal(size=down.size))
        some = normals[self.rng.permutation(len(normals))]
        independent: list[int] = []
        for i in range(len(some)):
            if np.linalg.svd(some[[*independent, i]], compute_uv=False)[-1] > _RANK:
                independent.append(i)
            if len(independent) == len(down):
                break
        yield from np.linalg.pinv(some[independent]).T

    def _spread(self, vectors: Iterator[Array]) -> Iterator[Array]:
        """Vectors of the free parameters, and their opposites, as directions of size 1."""
        for vector in vectors:
            size = np.abs(vector).max(initial=0.0)
            if size > 0:
                e = np.zeros(self.shape)
                e[self.free] = vector / size
                yield e
                yield -e

    def program(self, e: Array) -> Array | None:
        """The lowest direction of the cone around `e`, by a linear program."""
        region = self.region(e)
        gradients = [g.reshape(*g.shape[:2], self.free.size) for g in self.floats.gradients(region)]
        hidden = np.concatenate(
            [np.zeros((0, self.free.size))]
            + [
                (g * r[..., None])[s == 0]
                for g, r, s in zip(gradients[:-1], region, self.signs, strict=False)
            ]
        )
        at, out = self.signs[-1] == 0, gradients[-1]
        left, right = self.floats.left, self.floats.right
        cost = (np.where(self.signs[-1] > 0, right, -left)[..., None] * out).sum(axis=(0, 1))
        kinks, k = out[at], int(at.sum())
        c = np.concatenate([cost, (left + right)[at]])
        above = np.hstack([kinks, -np.eye(k)])
        inside = np.hstack([-hidden, np.zeros((len(hidden), k))])
        rows = np.concatenate([above, inside])
        size = np.abs(rows).max(axis=1, initial=0.0)
        rows, size = rows[size > 0], size[size > 0]
        bounds = [(-1.0 * f, 1.0 * f) for f in self.free.ravel()] + [(0, None)] * k
        found = optimize.linprog(
            c / max(np.abs(c).max(), 1e-300), rows / size[:, None], np.zeros(len(rows)),
            bounds=bounds, method="highs",
        )  # fmt: skip
        if found.x is None or found.fun > -1e-10:
            return None
        d = found.x[: self.free.size]
        return np.where(np.abs(d) < 1e-11, 0.0, d).reshape(self.shape)

    def lowest(self) -> Iterator[Array]:
        """The directions that floats find lowest, mapped to the data."""
        found, rates = [], []
        for e in self.directions():
            terms = self.floats.along(self.signs, e)[-1]
            size = np.abs(terms).sum()
            found.append(e)
            rates.append(terms.sum() / size if size > 0 else 0.0)
        for place in np.argsort(rates)[:_JUDGED]:
            yield self.plain.mapped(found[place])
        if (
            sum(int((s == 0).sum()) for s in self.signs) <= self.free.sum()
            and self.plain.n_hidden > 0
        ):
            return  # half-edges, which the exact ones repeat, decide
        cones = set()
        for _ in range(_PROGRAMS if self.plain.n_hidden else 1):
            e = self.a_cone()
            region = self.region(e)
            key = b"".join(part.astype(np.int8).tobytes() for part in region[:-1])
            if key not in cones:
                cones.add(key)
                low = self.program(e)
                if low is not None:
                    yield self.plain.mapped(low)

    def half_edges(self) -> tuple[list[Array], bool]:
        """Exact half-edges of one basis, and whether the vanishing breakpoints span the space."""
        region = self.region(self.a_cone())
        gradients = self.plain.exact.gradients(region)
        mask = self.free.ravel()
        rows = np.concatenate([g[s == 0] for g, s in zip(gradients, self.signs, strict=True)])
        rows = rows.reshape(len(rows), mask.size)[:, mask] + Fraction(0)
        chosen, columns, inverse = eliminated(rows, np.eye(len(rows), dtype=int) + Fraction(0))
        edges = []
        for c in chosen:
            d = np.array([Fraction(0)] * mask.size, object)
            d[np.flatnonzero(mask)[columns]] = inverse[:, c]
            edges += [d.reshape(self.shape), -d.reshape(self.shape)]
        return edges, len(chosen) == mask.sum()


def exact_point(plain: PlainLoss, loss: rw.LayerLoss, certificate: rw.Certificate) -> Array | None:
    """The point a certificate is about: its own, or the solution of its basis near theta."""
    if certificate.point is not None:
        return np.array(
            [Fraction(int(v.numerator), int(v.denominator)) for v in certificate.point.ravel()],
            object,
        ).reshape(loss.shape)
    theta = fractions(certificate.theta)
    values = plain.exact.values(theta)
    region = [np.where(v > 0, 1, -1) for v in values]
    place = {int(row): k for k, row in enumerate(plain.kept)}
    ids = [(a, place[i], b) for a, i, b in certificate.active.tolist()]
    zeros = [(a, place[i], b) for a, i, b in certificate.tied.tolist()]
    for (a, i, b), side in zip([*ids, *zeros], certificate.sides, strict=True):
        equal = (plain.exact.x == plain.exact.x[i]).all(axis=1) if a < plain.n_hidden else i
        region[a][equal, b] = side
    if not ids:
        return theta
    values = plain.exact.values(theta, region)
    gradients = plain.exact.gradients(region)
    rows = np.array([gradients[a][i, b].ravel() for a, i, b in ids], object) + Fraction(0)
    right = np.array([[-values[a][i, b]] for a, i, b in ids], object)
    chosen, columns, step = eliminated(rows, right)
    if len(chosen) < len(ids):
        return None
    point = theta.ravel()
    point[columns] = point[columns] + step[:, 0]
    point = point.reshape(loss.shape)
    after = plain.exact.values(point)
    return point if all(after[a][i, b] == 0 for a, i, b in ids) else None


def wrong_claims(
    loss: rw.LayerLoss, certificate: rw.Certificate, decimals: bool, seed: int = 0
) -> list[str]:
    """What a certificate claims and is not so, in words; empty if nothing was found."""
    plain, rng = PlainLoss(loss, decimals), np.random.default_rng(seed)
    point = exact_point(plain, loss, certificate)
    if point is None:
        return ["the basis does not define a vertex near theta"]
    wrong = []
    at, here = plain.exact.loss(point), plain.exact.loss(fractions(certificate.theta))
    room = _SHARE * at + _TARGETS * plain.targets
    if here - at > room and at != 0:
        wrong.append(f"theta: its loss is {float(here)!r}, at the exact point {float(at)!r}")
    if abs(Fraction(certificate.loss) - at) > room:
        wrong.append(f"loss: said to be {float(certificate.loss)!r}, is {float(at)!r}")
    if certificate.point is not None and (point.astype(float) != certificate.theta).any():
        wrong.append("theta: is not the exact point rounded to floats")
    with np.errstate(all="ignore"):
        wrong += _descents(plain, point, certificate.strict, rng)
    if certificate.is_global and at != 0:
        wrong += _not_least(plain, at)
    return wrong


def _descents(
    plain: PlainLoss, point: Array, strict: bool, rng: np.random.Generator
) -> Iterator[str]:
    signs = plain.signs(point)
    search = Search(plain, signs, rng)
    directions = list(search.lowest())
    if plain.free.sum() <= _EXACT_DIM:
        edges, spanned = search.half_edges()
        directions += edges
        if strict and not spanned:
            yield "strict: a direction changes nothing"
    slopes = [plain.derivative(signs, d) for d in directions]
    if slopes and min(slopes) < 0:
        d = directions[slopes.index(min(slopes))]
        size = max(abs(v) for v in d.ravel())
        yield f"falls: slope {float(min(slopes) / size):.3g} along {(d / size).astype(float)}"
    elif strict and any(s == 0 and (d != 0).any() for s, d in zip(slopes, directions, strict=True)):
        yield "strict: a direction has slope 0"


def _not_least(plain: PlainLoss, at: Fraction) -> Iterator[str]:
    """A global minimum other than 0 is one of a convex loss: a linear program may find lower."""
    if plain.n_hidden > 0:
        yield "global: the loss is neither convex nor 0"
        return
    f = plain.floats
    n, q = f.x.shape
    outputs, mask = f.y.shape[1], plain.free
    theta = np.zeros(plain.shape)
    size = max(np.abs(f.y).max(), 1e-300)
    for k in range(outputs):
        c = np.concatenate([np.zeros(q), f.right[:, k], f.left[:, k]])
        a = np.hstack([f.x, -np.eye(n), np.eye(n)])
        bounds = [(None, None) if free else (0, 0) for free in mask[k]] + [(0, None)] * (2 * n)
        found = optimize.linprog(
            c / max(c.max(), 1e-300), A_eq=a, b_eq=f.y[:, k] / size, bounds=bounds, method="highs"
        )
        if found.x is None:
            return
        theta[k] = found.x[:q] * size
    low = plain.exact.loss(plain.mapped(theta))
    if mask.all() and low < at:
        yield f"global: {float(at)!r}, and a linear program finds {float(low)!r}"
