"""Points without rounding where regions have their least loss, and whether it descends from there.

The search of regions computes in floats where these leave no doubt, its minimisers have rounding
errors.  Which breakpoints vanish at one, and which bounds of the box it lies on, is therefore
guessed; the point these define is solved for and looked at in rational arithmetic.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._budget import Budget
from .._limits import Limits
from ..exact.loss import ExactLoss, Sides, region
from ..exact.rationals import Objects, Rationals, from_fractions, objects, reduce, solve
from ..exact.vertex import zeros
from ..problem.loss import LayerLoss
from ..proof.degenerate import judge
from ..tolerances import REGIONS

Floats = NDArray[np.float64]
Indices = NDArray[np.int32]
Window = tuple[Floats, Floats]

_SECONDS = 10.0  # for the proof at one point
_MOVES = 32  # of rounding's size, on the way to a vertex that floats did not find


class Point(NamedTuple):
    """A point of parameters, without rounding."""

    theta: Rationals  # (D,) in the units of the data
    signs: Sides  # of all breakpoints, 0 where they vanish
    loss: Fraction

    @property
    def floats(self) -> Floats:
        """The nearest floats (D,)."""
        return self.theta.floats()


class Minimal(NamedTuple):
    """A point from which the loss does not descend, and whether it ascends in every direction.

    `strict` is None where that is not known: the point is degenerate.
    """

    point: Point
    strict: bool | None


class Decider:
    """Decisions about points of a loss, in a box if a `window` (lower, upper) (D,) is given."""

    def __init__(
        self, loss: LayerLoss, window: Window | None, limits: Limits | None = None
    ) -> None:
        self.limits = limits
        self.loss = loss
        self.exact = ExactLoss(loss, everything=True)
        self.bounds = None if window is None else Rationals.of(window)  # (2, D)
        self.steepest = _steepest(loss)

    # ---------------------------------------------------------------- the point of a region

    def least(self, sides: Sides, minimizer: Floats, inside: Floats) -> Point:
        """The point (of the closed region `sides`, if any is found) that `minimizer` stands for.

        `minimizer`, `inside` (h, q) in the units of the kernels; the latter tells how large the
        region is.  What vanishes is guessed with several tolerances; the lowest point is right.
        """
        ratios, at_bounds = self._ratios(sides, minimizer, inside)
        start = self._outer(minimizer)
        found: list[Point] = []
        tried: set[bytes] = set()
        for near in REGIONS.near:
            guess = [ratio <= near for ratio in ratios]
            walls = at_bounds <= near
            key = b"".join(part.tobytes() for part in (*guess, walls))
            if key in tried:
                continue
            tried.add(key)
            point = self._solve(start, sides, guess, walls)
            if point is not None:
                found.append(point)
        if not found:  # the floats as they are: their loss is the loss there
            return self._at(self._clipped(start))
        return min(found, key=lambda point: point.loss)

    def _ratios(
        self, sides: Sides, minimizer: Floats, inside: Floats
    ) -> tuple[list[Floats], NDArray[np.float64]]:
        """Values at the minimiser over their terms, those of breakpoints and of bounds (2, D)."""
        x, slope = self.loss.kernel.xt, self.loss.network.negative_slope
        far = np.maximum(np.abs(minimizer), np.abs(inside))
        z, size, ratios = x @ minimizer.T, np.abs(x) @ far.T, []
        for t, (w, b) in enumerate(self.loss.tail):
            ratios.append(_ratio(z, size))
            passed = np.where(sides[t] > 0, 1.0, slope)
            z, size = (passed * z) @ w.T + b, (passed * size) @ np.abs(w).T + np.abs(b)
        y = self.loss.targets
        ratios.append(_ratio(z[self.loss.owner] - y, size[self.loss.owner] + np.abs(y)))
        if self.bounds is None:
            return ratios, np.full((2, self.loss.dim), np.inf)
        units = self.loss.units
        weight_terms = far[:, :-1] / units.scale
        bias_terms = far[:, -1] + (weight_terms * np.abs(units.centre)).sum(axis=1)
        terms = np.column_stack([weight_terms, bias_terms]).ravel()
        distance = units.outer(minimizer).ravel() - self.bounds.floats()
        return ratios, _ratio(distance, terms + np.abs(self.bounds.floats()))

    def _outer(self, theta: Floats) -> Rationals:
        """Parameters (h, q) in the units of the kernels as those of the data (D,), exactly."""
        units = self.loss.units
        inner = Rationals.of(theta).fractions()
        if units.trivial:
            return from_fractions(inner.ravel())
        scale, centre = (Rationals.of(v).fractions() for v in (units.scale, units.centre))
        outer = inner.copy()
        outer[:, :-1] = inner[:, :-1] / scale
        outer[:, -1] = inner[:, -1] - (outer[:, :-1] * centre).sum(axis=1)
        return from_fractions(outer.ravel())

    def _solve(
        self, start: Rationals, sides: Sides, guess: list[NDArray[np.bool_]], walls: NDArray
    ) -> Point | None:
        """The point near `start` where what is guessed vanishes, if it is of the closed region."""
        breakpoints = zeros([np.where(part, 0, 1).astype(np.int8) for part in guess])
        u, constants = self.exact.rows(breakpoints, sides)
        normals = self.exact.normals(breakpoints, u)
        high, at = np.nonzero(walls)
        rows = np.zeros((len(at) + len(constants), self.loss.dim + 1), object)
        if len(at):
            assert self.bounds is not None
            rows[np.arange(len(at)), at] = self.bounds.den
            rows[: len(at), -1] = self.bounds.num[high, at]
        if len(constants):
            rest = from_fractions(constants * normals.den)
            rows[len(at) :, :-1] = normals.num * rest.den
            rows[len(at) :, -1] = -rest.num
        rows = rows[reduce(rows[:, :-1].T)[1]]
        columns = reduce(rows[:, :-1])[1]
        num = start.num.copy()
        num[columns] = 0
        rhs = rows[:, -1] * start.den - rows[:, :-1] @ num
        solution = solve(rows[:, columns], rhs[:, None])
        num = num * solution.den
        num[columns] = solution.num[:, 0]
        point = self._at(_lowest_terms(num, start.den * solution.den))
        fits = all(
            ((sign == 0) | (sign == side)).all()
            for sign, side in zip(point.signs, sides, strict=True)
        )
        return point if fits and self._within(point.theta) else None

    def _at(self, theta: Rationals) -> Point:
        values = self.exact.values(theta)
        return Point(theta, region(values), self.exact.value(values))

    def _beyond(self, theta: Rationals) -> tuple[Objects, Objects]:
        """Integers (D,) of the sign of theta - lower and of upper - theta."""
        assert self.bounds is not None
        low, high = self.bounds.num * theta.den
        here = theta.num * self.bounds.den
        return here - low, high - here

    def _within(self, theta: Rationals) -> bool:
        if self.bounds is None:
            return True
        return all(bool((part >= 0).all()) for part in self._beyond(theta))

    def _clipped(self, theta: Rationals) -> Rationals:
        if self.bounds is None:
            return theta
        low, high = self.bounds.num * theta.den
        here = np.minimum(np.maximum(theta.num * self.bounds.den, low), high)
        return _lowest_terms(here, theta.den * self.bounds.den)

    # ---------------------------------------------------------------- closed regions in floats

    def half_spaces(self, sides: Sides, ids: Indices) -> tuple[Floats, Floats]:
        """Normals (k, D) and constants with ``normals @ y + constants >= 0`` in a region.

        Of the breakpoints `ids` in the units of the kernels, of length 1.
        """
        breakpoints = self.loss.index.split(ids)
        u, constants = self.exact.rows(breakpoints, sides)
        rows = self.exact.normals(breakpoints, u).fractions()
        normals, values = self._leaning(rows), constants.astype(float)
        length = np.linalg.norm(normals, axis=1)
        return normals / length[:, None], values / length

    def bounds_of_box(self) -> tuple[Floats, Floats]:
        """The same of the bounds of the box."""
        dim = self.loss.dim
        if self.bounds is None:
            return np.zeros((0, dim)), np.zeros(0)
        eye = np.eye(dim, dtype=int).astype(object) + Fraction(0)
        normals = self._leaning(np.concatenate([eye, -eye]))
        low, high = self.bounds.floats()
        length = np.linalg.norm(normals, axis=1)
        return normals / length[:, None], np.concatenate([-low, high]) / length

    def _leaning(self, rows: Objects) -> Floats:
        """Linear functions (k, D) of parameters, as floats and of those in the kernels' units."""
        units, (h, q) = self.loss.units, self.loss.shape
        scale, centre = (Rationals.of(v).fractions() for v in (units.scale, units.centre))
        parts = rows.reshape(-1, h, q).copy()
        parts[:, :, :-1] = (parts[:, :, :-1] - parts[:, :, -1:] * centre) / scale
        return parts.reshape(-1, h * q).astype(float)

    # ---------------------------------------------------------------- whether the loss descends

    def minimal(self, point: Point, lowest: float) -> Minimal | None:
        """The local minimum at `point`, or one near it whose loss is at least `lowest`.

        None if there is none, or no proof is found.
        """
        for _ in range(_MOVES):
            if point.loss == 0:
                return Minimal(point, self._strict(point))
            walls = self._walls(point)
            budget = Budget.of(_SECONDS, self.limits)
            verdict = judge(self.exact, zeros(point.signs), point.signs, budget, walls)
            if verdict.method != "none":
                return Minimal(point, self._strict(point))
            if verdict.direction is None:
                return None
            moved = self._move(point, verdict.direction, walls)
            if moved is None or moved.loss < lowest:
                return None
            point = moved
        return None

    def _floats(self, point: Point) -> Floats:
        return point.floats.reshape(self.loss.shape)

    def _walls(self, point: Point) -> tuple[Rationals, Objects] | None:
        """Bounds of the box the point lies on, as for `LocalModel.within`."""
        if self.bounds is None:
            return None
        at_low, at_high = (np.flatnonzero(part == 0) for part in self._beyond(point.theta))
        columns = np.concatenate([at_low, at_high])
        if not columns.size:
            return None
        rows = np.zeros((columns.size, self.loss.dim), object)
        rows[np.arange(columns.size), columns] = np.repeat([1, -1], [at_low.size, at_high.size])
        return Rationals(rows, 1), self.steepest[columns]

    def _move(
        self, point: Point, d: Rationals, walls: tuple[Rationals, Objects] | None
    ) -> Point | None:
        """The end of the edge or ray along the descent `d`, taken back to the walls."""
        num = d.num.copy()
        if walls is not None:
            rows, columns = np.nonzero(walls[0].num)
            outwards = walls[0].num[rows, columns] * num[columns] < 0
            num[columns[outwards]] = 0
        d = _lowest_terms(num, d.den)
        sides, _ = self.exact.leave(d, point.signs)
        steps: list[Fraction] = []
        hit = self.exact.first_breakpoint(point.theta, d, sides, zeros(point.signs))
        if hit is not None:
            steps.append(hit[1])
        if self.bounds is not None:
            low, high = self._beyond(point.theta)
            for k in np.flatnonzero(d.num):
                room = high[k] if d.num[k] > 0 else low[k]
                unit = point.theta.den * self.bounds.den
                steps.append(Fraction(int(room), unit) * Fraction(d.den, abs(int(d.num[k]))))
        return self._at(point.theta.moved(min(steps), d)) if steps else None

    def _strict(self, point: Point) -> bool | None:
        """Whether the loss ascends all around a local minimum; None at a degenerate one."""
        vanishing, walls = zeros(point.signs), self._walls(point)
        sides = [np.where(sign == 0, 1, sign).astype(np.int8) for sign in point.signs]
        model = self.exact.local(vanishing, sides)
        n_breakpoints = len(model.gamma)
        if walls is not None:
            model = model.within(*walls)
        columns = np.array(reduce(model.normals.num)[1], np.int64)
        if len(columns) < self.loss.dim:
            return False
        if len(model.gamma) > self.loss.dim:
            return None
        prices = model.prices(columns)
        assert prices is not None  # the normals span all of the parameters
        far = -(prices + model.kinks(prices))[:n_breakpoints]
        return bool((prices > 0).all() and (far > 0).all())

    # ---------------------------------------------------------------- what is handed over

    def rounded(self, point: Point) -> Floats:
        """Floats (h, q) for the point: the nearest, or in the units of the kernels the nearest.

        Far from 0 the rounding of weights has to be made up for by that of the bias.
        """
        nearest = self._floats(point)
        units = self.loss.units
        if units.trivial:
            return nearest
        exact = point.theta.fractions().reshape(self.loss.shape)
        weights = Rationals.of(nearest[:, :-1]).fractions()
        centre = Rationals.of(units.centre).fractions()
        bias = exact[:, -1] + ((exact[:, :-1] - weights) * centre).sum(axis=1)
        shifted = np.column_stack([nearest[:, :-1], [float(b) for b in bias]])
        both = [nearest, shifted]
        inside = [theta for theta in both if self._within(Rationals.of(theta.ravel()))]
        return min(inside or both, key=lambda theta: self._at(Rationals.of(theta.ravel())).loss)


def _steepest(loss: LayerLoss) -> Objects:
    """A bound (D,) on the slopes of the loss in each parameter: powers of two."""
    back = np.zeros((len(loss.inputs), loss.targets.shape[1]))
    np.add.at(back, loss.owner, np.maximum(loss.left, loss.right))
    for w, _ in reversed(loss.tail):
        back = back @ np.abs(w)
    x = np.column_stack([np.abs(loss.inputs), np.ones(len(loss.inputs))])
    exponents = np.frexp((back.T @ x).ravel())[1] + 1
    return objects([Fraction(2) ** int(exponent) for exponent in exponents])


def _ratio(value: Floats, size: Floats) -> Floats:
    """Absolute values over the sizes of their terms; 0 where there are none."""
    return np.divide(np.abs(value), size, out=np.zeros(np.shape(value)), where=size > 0.0)


def _lowest_terms(num: Objects, den: int) -> Rationals:
    common = int(np.gcd.reduce(num, initial=den))
    return Rationals(num // common, den // common)


__all__ = ["Decider", "Minimal", "Point", "Window"]
