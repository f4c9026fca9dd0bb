"""A plain check of claims about the end of a walk, written from the definitions alone.

Nothing of the library's exact arithmetic or of its proofs is used: a forward pass in
`fractions.Fraction` on the data as given (decimals as decimals), and a search for a direction along
which the loss falls.  The search is in floats, on columns of X centred and scaled; what it finds is
mapped back without rounding and judged by the exact one-sided derivative, so that what is called
false here is false.  What is not found may still be there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import optimize

import reluplex_walk as rw

_DIGITS = 9  # after the point, of what counts as a decimal
_RANDOM, _CONES, _PROGRAMS, _JUDGED = (
    60,
    24,
    12,
    6,
)  # directions, cones, linear programs; the lowest
_EXACT_DIM = 10  # up to which half-edges are computed in Fractions
_SHARE, _TARGETS = Fraction(1, 10**9), Fraction(1, 10**12)  # what rounding of theta may cost

Array = np.ndarray[Any, Any]  # of float or Fraction


def as_written(column: Array, decimals: bool = True) -> list[Fraction]:
    """The numbers that a column of floats stands for: decimals, if all are nearest to some."""
    for digits in range(_DIGITS + 1 if decimals else 0):
        scale = 10**digits
        counts = [round(Fraction(float(v)) * scale) for v in column]
        if all(
            abs(k) < 2**53 and k / scale == v for k, v in zip(counts, column.tolist(), strict=True)
        ):
            return [Fraction(k, scale) for k in counts]
    return [Fraction(float(v)) for v in column]


def fractions(array: Array) -> Array:
    """Floats as the rationals they are."""
    out = np.empty(np.shape(array), object)
    out.ravel()[:] = [Fraction(float(v)) for v in np.ravel(array)]
    return out


@dataclass(frozen=True)
class Network:
    """The loss on numbers of one kind, Fraction or float; every method works on both."""

    x: Array  # (n, q), the constant last
    tail: list[tuple[Array, Array]]
    slope: Any
    y: Array  # (n, K)
    left: Array  # (n, K)
    right: Array

    def values(self, theta: Array, region: list[Array] | None = None) -> list[Array]:
        """Values of all breakpoints, layer by layer, then the residuals: of the affine functions
        that they are in `region`, if it is given.
        """
        values = [self.x @ theta.T]
        for layer, (w, b) in enumerate(self.tail):
            on = (values[-1] if region is None else region[layer]) > 0
            values.append(np.where(on, values[-1], self.slope * values[-1]) @ w.T + b)
        return [*values[:-1], values[-1] - self.y]

    def loss(self, theta: Array) -> Any:
        r = self.values(theta)[-1]
        return np.where(r > 0, self.right * r, -self.left * r).sum()

    def along(self, signs: list[Array], d: Array) -> list[Array]:
        """One-sided derivatives along `d` of all breakpoints, then of the terms of the loss."""
        rates = [self.x @ d.T]
        for (w, _), sign in zip(self.tail, signs, strict=False):
            on = (sign > 0) | ((sign == 0) & (rates[-1] > 0))
            rates.append(np.where(on, rates[-1], self.slope * rates[-1]) @ w.T)
        up = (signs[-1] > 0) | ((signs[-1] == 0) & (rates[-1] > 0))
        return [*rates, np.where(up, self.right * rates[-1], -self.left * rates[-1])]

    def gradients(self, signs: list[Array]) -> list[Array]:
        """Gradients (n, width, h, q) of all breakpoints in the region of `signs` (none 0)."""
        n, h = self.x.shape[0], signs[0].shape[1]
        jacobian = np.broadcast_to(np.eye(h, dtype=int), (n, h, h))
        jacobians = [jacobian]
        for (w, _), sign in zip(self.tail, signs, strict=False):
            factor = np.where(sign > 0, 1 + 0 * self.slope, self.slope)
            jacobian = np.array([(w * f) @ j for f, j in zip(factor, jacobian, strict=True)])
            jacobians.append(jacobian)
        return [j[..., None] * self.x[:, None, None, :] for j in jacobians]


def eliminated(rows: Array, right: Array) -> tuple[list[int], list[int], Array]:
    """Gauss-Jordan in Fractions: independent rows, their pivot columns, and the solution X of
    ``rows[chosen][:, columns] X = right[chosen]``.
    """
    work = np.concatenate([rows, right], axis=1)
    chosen: list[int] = []
    columns: list[int] = []
    for i in range(len(work)):
        for k, c in zip(chosen, columns, strict=True):
            if work[i, c] != 0:
                work[i] = work[i] - work[i, c] * work[k]
        c = next((c for c in range(rows.shape[1]) if work[i, c] != 0), None)
        if c is None:
            continue
        work[i] = work[i] / work[i, c]
        for k in chosen:
            if work[k, c] != 0:
                work[k] = work[k] - work[k, c] * work[i]
        chosen.append(i)
        columns.append(c)
        if len(chosen) == rows.shape[1]:
            break
    return chosen, columns, work[chosen][:, rows.shape[1] :]


class PlainLoss:
    """The loss as its data, network and kind say, in Fractions and in centred floats."""

    def __init__(self, loss: rw.LayerLoss, decimals: bool) -> None:
        self.kept = np.flatnonzero(loss.sample_weight)
        X, y, w = loss.X[self.kept], loss.y[self.kept], loss.sample_weight
        features = loss.network.features(X, loss.layer)
        as_given = decimals and loss.layer == 0
        columns = [as_written(c, as_given) for c in features.T] + [[Fraction(1)] * len(X)]
        x = np.array(columns, object).T
        targets = np.array([as_written(c, decimals) for c in y.T], object).T
        weight = np.array(as_written(w, decimals), object)[self.kept, None]
        left, right = self._costs(loss, targets, weight, decimals)
        tail = [(fractions(w), fractions(b)) for w, b in loss.tail]
        slope = Fraction(loss.network.negative_slope)
        self.exact = Network(x, tail, slope, targets, left, right)
        self.free = np.asarray(getattr(loss, "free", np.ones(loss.shape, bool)), bool)
        self.shape, self.n_hidden = loss.shape, loss.n_hidden
        self.targets = (np.maximum(left, right) * abs(targets)).sum()
        self._centre()

    @staticmethod
    def _costs(loss: rw.LayerLoss, y: Array, w: Array, decimals: bool) -> tuple[Array, Array]:
        if loss.kind == "hinge":
            return np.where(y > 0, w, 0 * w), np.where(y > 0, 0 * w, w)
        one = w * np.ones(y.shape, int)
        if loss.kind == "l1":
            return one, one
        tau = as_written(np.array([loss.tau]), decimals)[0]
        return tau * one, (1 - tau) * one

    def _centre(self) -> None:
        """Columns of X in floats: centred, unless the bias is fixed, and scaled by a power of 2."""
        x = self.exact.x
        self.centre = np.array([Fraction(0)] * x.shape[1], object)
        if self.free[:, -1].all():
            self.centre[:-1] = [sorted(c)[len(c) // 2] for c in x[:, :-1].T]
        moved = x - self.centre
        largest = [max(abs(c)) for c in moved.T]
        powers = [int(v.numerator).bit_length() - int(v.denominator).bit_length() for v in largest]
        self.scale = np.array([Fraction(2) ** p for p in powers], object)
        # A common factor of all terms changes no sign, and keeps floats from overflowing.
        factor = max(1, max(self.exact.left.max(), self.exact.right.max()))
        e = self.exact
        self.floats = Network(
            (moved / self.scale).astype(float),
            [(w.astype(float), b.astype(float)) for w, b in e.tail],
            float(e.slope),
            e.y.astype(float),
            (e.left / factor).astype(float),
            (e.right / factor).astype(float),
        )

    def mapped(self, e: Array) -> Array:
        """A direction of the centred columns as one of the data, without rounding."""
        d = fractions(e) / self.scale
        d[:, -1] = d[:, -1] - d[:, :-1] @ self.centre[:-1]
        return d

    def signs(self, point: Array) -> list[Array]:
        return [np.sign((v > 0) * 1 - (v < 0) * 1) for v in self.exact.values(point)]

    def derivative(self, signs: list[Array], d: Array) -> Any:
        return self.exact.along(signs, d)[-1].sum()

    # ------------------------------------------------------------ directions, in centred floats

    def region(self, signs: list[Array], e: Array) -> list[Array]:
        """The signs just beyond the point along `e`."""
        rates = self.floats.along(signs, e)[:-1]
        return [
            np.where(s != 0, s, np.where(r > 0, 1, -1)) for s, r in zip(signs, rates, strict=True)
        ]

    def directions(self, signs: list[Array], rng: np.random.Generator) -> Iterator[Array]:
        """Coordinates, random directions, and from random cones half-edges and the like."""
        D, free = self.free.size, self.free
        for k in np.flatnonzero(free):
            unit = np.zeros(D)
            unit[k] = 1.0
            yield unit.reshape(self.shape)
            yield -unit.reshape(self.shape)
        for k in range(_RANDOM):
            e = rng.normal(size=self.shape) * free
            if k % 3 == 0:  # one neuron alone
                e *= np.arange(len(e))[:, None] == rng.integers(len(e))
            yield e
        for _ in range(_CONES):
            yield from self._from_a_cone(signs, rng)

    def a_cone(self, rng: np.random.Generator) -> Array:
        return rng.normal(size=self.shape) * 10.0 ** rng.uniform(-2, 2, (self.shape[0], 1))

    def _from_a_cone(self, signs: list[Array], rng: np.random.Generator) -> Iterator[Array]:
        """Down the gradient, with a random set of the vanishing breakpoints kept at 0."""
        region = self.region(signs, self.a_cone(rng) * self.free)
        gradients = self.floats.gradients(region)
        mask = self.free.ravel()
        normals = np.concatenate([g[s == 0] for g, s in zip(gradients, signs, strict=True)])
        normals = normals.reshape(len(normals), mask.size)[:, mask]
        price = np.where(region[-1] > 0, self.floats.right, -self.floats.left)
        down = -(price[..., None, None] * gradients[-1]).sum(axis=(0, 1)).ravel()[mask]
        size = np.linalg.norm(normals, axis=1)
        normals = normals[size > 0] / size[size > 0, None]
        most = min(len(normals), int(mask.sum()) - 1)
        for count in (most, int(rng.integers(0, most + 1))):
            kept = normals[rng.permutation(len(normals))[:count]]
            _, s, v = np.linalg.svd(kept, full_matrices=True)
            null = v[int((s > 1e-9).sum()) :]
            for vector in (down, rng.normal(size=down.size)):
                e = np.zeros(mask.size)
                e[mask] = null.T @ (null @ vector)
                size = np.abs(e).max(initial=0.0)
                if size > 0:
                    yield (e / size).reshape(self.shape)
                    yield (-e / size).reshape(self.shape)

    def program(self, signs: list[Array], e: Array) -> Array | None:
        """The lowest direction of the cone around `e`, by a linear program."""
        region = self.region(signs, e)
        gradients = [g.reshape(*g.shape[:2], self.free.size) for g in self.floats.gradients(region)]
        hidden = np.concatenate(
            [np.zeros((0, self.free.size))]
            + [
                (g * r[..., None])[s == 0]
                for g, r, s in zip(gradients[:-1], region, signs, strict=False)
            ]
        )
        at, out = signs[-1] == 0, gradients[-1]
        left, right = self.floats.left, self.floats.right
        cost = (np.where(signs[-1] > 0, right, -left)[..., None] * out).sum(axis=(0, 1))
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

    def lowest(self, signs: list[Array], rng: np.random.Generator) -> Iterator[Array]:
        """The directions that floats find lowest, mapped to the data."""
        found, rates = [], []
        for e in self.directions(signs, rng):
            terms = self.floats.along(signs, e)[-1]
            size = np.abs(terms).sum()
            found.append(e)
            rates.append(terms.sum() / size if size > 0 else 0.0)
        for place in np.argsort(rates)[:_JUDGED]:
            yield self.mapped(found[place])
        if sum(int((s == 0).sum()) for s in signs) <= self.free.sum() and self.n_hidden > 0:
            return  # half-edges, which the exact ones repeat, decide
        cones = set()
        for _ in range(_PROGRAMS if self.n_hidden else 1):
            e = self.a_cone(rng) * self.free
            region = self.region(signs, e)
            key = b"".join(part.astype(np.int8).tobytes() for part in region[:-1])
            if key not in cones:
                cones.add(key)
                low = self.program(signs, e)
                if low is not None:
                    yield self.mapped(low)

    def half_edges(self, signs: list[Array], rng: np.random.Generator) -> list[Array] | None:
        """Exact half-edges of one basis; None where the vanishing breakpoints do not span."""
        region = self.region(signs, self.a_cone(rng) * self.free)
        gradients = self.exact.gradients(region)
        mask = self.free.ravel()
        rows = np.concatenate([g[s == 0] for g, s in zip(gradients, signs, strict=True)])
        rows = rows.reshape(len(rows), mask.size)[:, mask] + Fraction(0)
        chosen, columns, inverse = eliminated(rows, np.eye(len(rows), dtype=int) + Fraction(0))
        if len(chosen) < mask.sum():
            return None
        edges = []
        for c in chosen:
            d = np.array([Fraction(0)] * mask.size, object)
            d[np.flatnonzero(mask)[columns]] = inverse[:, c]
            edges += [d.reshape(self.shape), -d.reshape(self.shape)]
        return edges


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
    directions = list(plain.lowest(signs, rng))
    if plain.free.sum() <= _EXACT_DIM:
        edges = plain.half_edges(signs, rng)
        if edges is None and strict:
            yield "strict: a direction changes nothing"
        directions += edges or []
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
