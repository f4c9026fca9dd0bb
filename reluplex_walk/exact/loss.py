"""`ExactLoss`: a `LayerLoss` in rational arithmetic, and its vertices without rounding.

Weights of the network and its slope are floats, taken as the rationals they are, data the decimals
that they are written as (:mod:`reluplex_walk.exact.data`); for a deeper trained layer the inputs
are the floats the layers below put out.  Signs are told by floats where these leave no doubt
(:mod:`reluplex_walk.exact.rounded`), sums are taken of samples with equal patterns.  Symbols as in
:mod:`reluplex_walk.proof.certificate`: n_c oriented normals, g the gradient, p_c and far slopes as
there.
"""

from fractions import Fraction
from math import lcm
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ..problem.breakpoints import Breakpoints
from ..problem.loss import LayerLoss
from .data import ExactData
from .layers import ExactLayers
from .pieces import Pieces
from .rationals import Objects, Rationals, from_fractions, objects, signs as signs_of, solve
from .rounded import Rounded, nearest, steps

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Sides = list[NDArray[np.int8]]

_OFF = 1e-6  # from the identity: what the inverse of a matrix may be off by in floats


class Vertex(NamedTuple):
    """A point at which the breakpoints `active` vanish, seen from an affine region around it."""

    theta: Rationals  # (D,)
    active: Breakpoints  # (r,) with independent gradients
    sides: (
        Sides  # the region: +-1 per hidden stage (n, width), residuals (m, K), weights (q - 1, h)
    )
    columns: NDArray[np.int64]  # (r,) parameters on which the normals are independent


class ExactLoss:
    """F(theta) in rational arithmetic.

    With a penalty the weights of the trained layer, whose kinks it has, are a last stage of
    breakpoints: the value at (input, neuron) is the weight itself.

    Gradients and normals are those of the free parameters: they are 0 at the others, which so stay
    where they are.
    """

    def __init__(self, loss: LayerLoss, everything: bool = False) -> None:
        self.loss = loss
        self.data = ExactData.of(loss)
        self.x, self.y = self.data.x.rationals(), self.data.y.rationals()
        self.kinks, self.penalty = self.data.kinks, self.data.penalty
        self.free = np.ones(loss.shape, np.bool_) if everything else loss.free
        self.free_x = _only(self.x, self.free[0])
        self.layers = ExactLayers(loss)
        self.rounded = Rounded(loss)
        self.pieces = Pieces(loss, self.data, self.layers)
        self._rows: tuple[Breakpoints, Sides, tuple[Rationals, Objects]] | None = None

    # ---------------------------------------------------------------- values

    def values(self, theta: Rationals, samples: Ints | None = None) -> list[Rationals]:
        """Breakpoint functions at `theta` (D,): hidden stages (n, width), residuals (m, K).

        Weights (q - 1, h) with a penalty follow.  Of some `samples` only, if these are given, in
        ascending order, and of all weights.
        """
        values = [self._trained(theta, samples)]
        for t in range(self.loss.n_hidden):
            values.append(self.layers.above(t, values[t], values[t].num > 0, biases=1))
        (z, den), (rows, owner) = values[-1], self._residuals(samples)
        values[-1] = Rationals(z[owner] * self.y.den - self.y.num[rows] * den, den * self.y.den)
        return values + self._weights(theta)

    def rates(self, d: Rationals, sides: Sides, samples: Ints | None = None) -> list[Rationals]:
        """Derivatives along `d` (D,) of all breakpoint functions in the region `sides`."""
        rates = [self._trained(d, samples)]
        for t in range(self.loss.n_hidden):
            positive = (sides[t] if samples is None else sides[t][samples]) > 0
            rates.append(self.layers.above(t, rates[t], positive, biases=0))
        z, den = rates[-1]
        rates[-1] = Rationals(z[self._residuals(samples)[1]], den)
        return rates + self._weights(d)

    def _weights(self, theta: Rationals) -> list[Rationals]:
        """Weights (q - 1, h) in `theta` (D,), where they have a penalty: a stage, or none."""
        if not self.penalty:
            return []
        return [Rationals(theta.num.reshape(self.loss.shape)[:, :-1].T, theta.den)]

    def _trained(self, theta: Rationals, samples: Ints | None) -> Rationals:
        """Rows (n, h) of the trained layer at `theta` (D,), or their derivatives along it."""
        x = self.x.num if samples is None else self.x.num[samples]
        return Rationals(x @ theta.num.reshape(self.loss.shape).T, self.x.den * theta.den)

    def _residuals(self, samples: Ints | None) -> tuple[Ints | slice, Ints]:
        """Residual rows of the `samples`, and the place of the sample of each."""
        if samples is None:
            return slice(None), self.loss.owner
        rows = np.flatnonzero(np.isin(self.loss.owner, samples))
        return rows, np.searchsorted(samples, self.loss.owner[rows])

    def _columns(self, stage: int, samples: Ints) -> Ints | slice:
        """Columns of a stage that belong to the `samples`; all of the weights."""
        if stage > self.loss.n_hidden:
            return slice(None)
        return samples if stage < self.loss.n_hidden else self._residuals(samples)[0]

    def signs(self, theta: Rationals) -> Sides:
        """Signs of all breakpoints at `theta` (D,), 0 where they vanish."""
        point = nearest(theta)
        if point is None:
            return region(self.values(theta))
        values = self.rounded.values(point)
        signs = [np.sign(np.nan_to_num(v.near)).astype(np.int8) for v in values]
        signs += region(self._weights(theta))
        samples = self._samples([~v.certain for v in values])
        if samples.size:
            for t, sign in enumerate(region(self.values(theta, samples))):
                signs[t][self._columns(t, samples)] = sign
        return signs

    def _samples(self, marked: list[NDArray[np.bool_]]) -> Ints:
        """Samples of which breakpoints are `marked`."""
        some = np.zeros(len(self.loss.inputs), np.bool_)
        for mark in marked[: self.loss.n_hidden]:
            some |= mark.any(axis=1)
        some[self.loss.owner[marked[self.loss.n_hidden].any(axis=1)]] = True
        return np.flatnonzero(some)

    def leave(self, d: Rationals, signs: Sides) -> tuple[Sides, Sides]:
        """The region that `d` (D,) leads to from a point with these signs.

        Returns its sides, +1 for what stays 0, and the signs just beyond the point.
        """
        samples = self._samples([sign == 0 for sign in signs])
        beyond = [sign.copy() for sign in signs]
        for t, sign in enumerate(beyond):
            at = self._columns(t, samples)
            moves = signs_of(self.rates(d, beyond, samples)[t].num)
            sign[at] = np.where(sign[at] == 0, moves, sign[at])
        return [np.where(sign == 0, 1, sign).astype(np.int8) for sign in beyond], beyond

    def first_breakpoint(
        self, theta: Rationals, d: Rationals, sides: Sides, active: Breakpoints
    ) -> tuple[tuple[int, int, int], Fraction] | None:
        """The first breakpoint (stage, column, neuron) met on the way along `d`, and the step.

        Breakpoints of `active`, which vanish at `theta`, are left out.  None if there is none.
        """
        contenders = self._contenders(theta, d, sides, active)
        samples = self._samples(contenders)
        values, rates = self.values(theta, samples), self.rates(d, sides, samples)
        best, entering = None, None
        for t, (z, dz, side) in enumerate(zip(values, rates, sides, strict=True)):
            columns = self._columns(t, samples)
            met = (dz.num * side[columns] < 0) & contenders[t][columns]
            for a, neuron in zip(*np.nonzero(met), strict=True):
                step = Fraction(-z.num[a, neuron], dz.num[a, neuron]) * Fraction(dz.den, z.den)
                if best is None or step < best:
                    best, entering = step, (t, int(np.arange(len(side))[columns][a]), int(neuron))
        return None if best is None or entering is None else (entering, best)

    def _contenders(
        self, theta: Rationals, d: Rationals, sides: Sides, active: Breakpoints
    ) -> list[NDArray[np.bool_]]:
        """Breakpoints that may be the first met on the way along `d`, as far as floats tell."""
        others = [np.ones(side.shape, np.bool_) for side in sides]
        for t, column, neuron in zip(*active, strict=True):
            others[t][column, neuron] = False
        point, way = nearest(theta), nearest(d)
        if point is None or way is None:
            return others
        values, rates = self.rounded.values(point), self.rounded.rates(way, sides)
        if self.penalty:
            values.append(self.rounded.weights(point))
            rates.append(self.rounded.weights(way))
        met = [steps(*parts) for parts in zip(values, rates, sides, strict=True)]
        latest = min(
            high[other].min(initial=np.inf) for (_, high), other in zip(met, others, strict=True)
        )
        return [other & (low <= latest) for (low, _), other in zip(met, others, strict=True)]

    def value(self, values: list[Rationals]) -> Fraction:
        """The loss, from its :meth:`values`."""
        r = values[self.loss.n_hidden]
        left, right = self.kinks.num
        data = Fraction(int((np.where(r.num > 0, right, -left) * r.num).sum()), 1)
        data /= r.den * self.kinks.den
        if not self.penalty:
            return data
        weights = values[-1]
        return data + self.penalty * Fraction(int(np.abs(weights.num).sum()), weights.den)

    def loss_at(self, theta: Rationals, signs: Sides) -> Fraction:
        """The loss at `theta` (D,), where breakpoints have these `signs`."""
        return self.pieces.affine(signs).at(theta)

    # ---------------------------------------------------------------- gradients in a region

    def gradient(self, sides: Sides) -> Rationals:
        """Gradient (D,) of the loss in the region."""
        gradient = self.pieces.affine(sides).gradient
        return Rationals(np.where(self.free.ravel(), gradient.num, 0), gradient.den)

    def sample(self, c: Breakpoints) -> NDArray[np.int64]:
        """Sample of each of the breakpoints `c`; -1 for weights, which have none."""
        residual = c.stage == self.loss.n_hidden
        samples = np.where(residual, self.loss.owner[c.column * residual], c.column)
        return np.where(c.stage > self.loss.n_hidden, -1, samples)

    def rows(self, c: Breakpoints, sides: Sides) -> tuple[Rationals, Objects]:
        """Oriented gradients ``u (x) x_i`` of the breakpoints `c`: all u (r, h), and constants.

        The breakpoint function in the region is ``sigma (u (x) x_i) . theta + constant``; constants
        are (r,) Fractions.  Of a weight u and x_i are unit vectors.
        """
        if self._rows is not None and self._rows[0] is c and _same(self._rows[1], sides):
            return self._rows[2]  # asked for once to find a vertex, once for its slopes
        samples = self.sample(c)
        parts, common = [], 1
        for stage in np.unique(c.stage):
            at = np.flatnonzero(c.stage == stage)
            oriented = sides[stage][c.column[at], c.neuron[at]].astype(object)
            depth = stage if stage <= self.loss.n_hidden else 0
            back, offset, den = self._backwards(depth, samples[at], c.neuron[at], oriented, sides)
            if stage == self.loss.n_hidden:
                y = oriented * self.y.num[c.column[at], c.neuron[at]]
                back, offset = back * self.y.den, offset * self.y.den - y * den
                den *= self.y.den
            parts.append((at, np.column_stack([back, offset]), den))
            common = lcm(common, den)
        num = np.zeros((len(samples), self.loss.shape[0] + 1), object)
        for at, part, den in parts:
            num[at] = part * (common // den)
        shared = int(np.gcd.reduce(num[:, :-1].ravel(), initial=common))
        u = Rationals(num[:, :-1] // shared, common // shared)
        found = u, Rationals(num[:, -1], common).fractions()
        self._rows = (c, [side.copy() for side in sides], found)
        return found

    def _backwards(
        self, stage: int, samples: Ints, neurons: Ints, factors: Objects, sides: Sides
    ) -> tuple[Objects, Objects, int]:
        """Rows u (r, h) and constants (r,) of neurons of one stage, times `factors` (r,).

        Numerators, and their denominator.
        """
        width = len(self.layers.weights[stage - 1].num) if stage else self.loss.shape[0]
        back, offset, den = np.zeros((len(samples), width), object), 0 * factors, 1
        back[np.arange(len(samples)), neurons] = factors
        for t in range(stage - 1, -1, -1):
            layer, up = self.layers.weights[t], self.layers.slope.denominator
            row = back @ layer.num
            offset = (offset * layer.den + row[:, -1]) * up
            back = row[:, :-1] * self.layers.slopes(sides[t][samples] > 0)
            den *= layer.den * up
        return back, offset, den

    def normals(self, c: Breakpoints, u: Rationals) -> Rationals:
        """Oriented normals (r, D) from the rows `u` (r, h)."""
        return self._gradients(c, u, self.free_x)

    def _gradients(self, c: Breakpoints, u: Rationals, x: Rationals) -> Rationals:
        """The products u (x) x_i (r, D)."""
        samples = self.sample(c)
        rows = x.num[samples]
        weights = np.flatnonzero(samples < 0)
        rows[weights] = 0
        rows[weights, c.column[weights]] = x.den
        num = u.num[:, :, None] * rows[:, None, :]
        return Rationals(num.reshape(len(rows), self.loss.dim), u.den * x.den)

    def response(self, stage: int, sample: int, neuron: int, sides: Sides) -> list[Objects]:
        """Derivatives of the values above by one activation on `sample`: Fractions per stage."""
        derivative, out = None, []
        for t in range(stage, self.loss.n_hidden):
            layer = self.layers.weights[t]
            if derivative is None:
                derivative = Rationals(layer.num[:, neuron], layer.den).fractions()
            else:
                slopes = [1 if side > 0 else self.layers.slope for side in sides[t][sample]]
                passed = derivative * objects(slopes)
                derivative = (layer.num[:, :-1] @ passed) / layer.den
            out.append(derivative)
        return out

    # ---------------------------------------------------------------- vertices

    def vertex(self, theta: Rationals, active: Breakpoints, sides: Sides) -> Vertex:
        """The point near `theta` (D,) at which all `active` vanish.

        Parameters not determined by `active` stay as they are.  Raises
        ZeroDivisionError if the active breakpoints are not independent.
        """
        u, constants = self.rows(active, sides)
        normals = self.normals(active, u)
        floats = normals.floats()
        floats /= np.linalg.norm(floats, axis=1, keepdims=True) + 1e-300
        order = np.zeros(0, np.int64)
        if len(floats):
            _, _, order = linalg.qr(floats, mode="economic", pivoting=True)
        columns = np.sort(order[: len(floats)]).astype(np.int64)
        if len(columns) < len(floats):
            raise ZeroDivisionError("more active breakpoints than parameters")
        start = theta.num.copy()
        start[columns] = 0
        every = self._gradients(active, u, self.x)  # by parameters that are not free, too
        rest = from_fractions(constants * every.den)
        rhs = -(rest.num * theta.den + (every.num @ start) * rest.den)
        solution = solve(normals.num[:, columns], rhs[:, None])
        solution_den = solution.den * (every.den // normals.den)
        den = solution_den * theta.den * rest.den
        num = start * (solution_den * rest.den)
        num[columns] = solution.num[:, 0]
        common = int(np.gcd.reduce(num, initial=den))
        return Vertex(Rationals(num // common, den // common), active, sides, columns)

    def local(self, vanishing: Breakpoints, sides: Sides) -> "LocalModel":
        """The loss around a point where `vanishing` are 0, seen from the region `sides`."""
        u, _ = self.rows(vanishing, sides)
        left, right = self.kinks.num
        slopes = np.where(sides[self.loss.n_hidden] > 0, right, -left)
        samples = self.sample(vanishing)
        gamma, alpha = [], []
        for c, (stage, column, neuron) in enumerate(zip(*vanishing, strict=True)):
            if stage == self.loss.n_hidden:
                weight = int(left[column, neuron] + right[column, neuron])
                gamma.append(Fraction(-weight, self.kinks.den))
                continue
            if stage > self.loss.n_hidden:
                gamma.append(-2 * self.penalty)
                continue
            above = self.response(stage, column, neuron, sides)
            rows = self.loss.owner == column
            change = Fraction((slopes[rows].sum(axis=0) * above[-1]).sum()) / self.kinks.den
            gamma.append((self.layers.slope - 1) * change)
            for m in np.flatnonzero((samples == column) & (vanishing.stage > stage)):
                t, at, k = (int(part[m]) for part in vanishing)
                moved = (self.layers.slope - 1) * int(sides[t][at, k]) * above[t - stage - 1][k]
                if moved != 0:
                    alpha.append((int(m), c, moved))
        return LocalModel(self.gradient(sides), self.normals(vanishing, u), objects(gamma), alpha)


def _same(sides: Sides, others: Sides) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(sides, others, strict=True))


def _only(x: Rationals, free: NDArray[np.bool_]) -> Rationals:
    """`x` (n, q) with 0 in the columns that are not `free`, over the number that these take."""
    if free.all():
        return x
    num = x.num * free.astype(np.int64)
    common = int(np.gcd.reduce(num, axis=None, initial=x.den))
    return Rationals(num // common, x.den // common)


class LocalModel(NamedTuple):
    """The one-sided derivative of the loss at a point, seen from one of the regions around it.

        F'(d) = g . d + sum_c gamma_c min(0, t_c),    t_c = n_c . d + sum_b alpha_cb min(0, t_b)

    with t_c the rate of breakpoint c along d, on the side of the region; b runs over the shallower
    vanishing breakpoints of the same sample, and comes before c.
    """

    g: Rationals  # (D,)
    normals: Rationals  # (k, D)
    gamma: Objects  # (k,)
    alpha: list[tuple[int, int, Fraction]]  # (c, b, alpha_cb)

    def within(self, walls: Rationals, bounds: Objects) -> "LocalModel":
        """F' plus a penalty for leaving half-spaces ``walls @ d >= 0`` (w, D), of one entry each.

        `bounds` (w,) exceed the slopes of the loss in these parameters, so that F' >= 0 where no
        wall is left if and only if the sum is >= 0 everywhere: back at the walls it is less.
        """
        normals = self.normals
        num = np.concatenate([normals.num * walls.den, walls.num * normals.den])
        gamma = np.concatenate([self.gamma, -bounds])
        return self._replace(normals=Rationals(num, normals.den * walls.den), gamma=gamma)

    def prices(self, columns: NDArray[np.int64]) -> Objects | None:
        """Slopes (k,) per unit of each breakpoint: g as a combination of the normals.

        For independent normals, which are so on the parameters `columns` (k,).  None if g is no
        such combination: then the loss descends while all of them stay 0.
        """
        normals, g = self.normals, self.g
        p = solve(normals.num[:, columns].T, g.num[columns, None])
        if ((normals.num.T @ p.num)[:, 0] != g.num * p.den).any():
            return None
        return Rationals(p.num[:, 0] * normals.den, p.den * g.den).fractions()

    def slopes(self, prices: Objects) -> Objects:
        """Slopes (2k,) of all half-edges: the near ones, then the far ones."""
        return np.concatenate([prices, -(prices + self.kinks(prices))])

    def within_face(self) -> Rationals:
        """The negative gradient (D,), projected on what keeps independent breakpoints at 0."""
        n, g = self.normals, self.g
        part = solve(n.num @ n.num.T, (n.num @ g.num)[:, None])
        return Rationals((n.num.T @ part.num)[:, 0] - g.num * part.den, part.den * g.den)

    def direction(
        self, members: NDArray[np.int64], columns: NDArray[np.int64], true_rates: Objects
    ) -> Rationals:
        """The direction (D,) along which breakpoints have the rates `true_rates` (k,).

        Imposed on the `members`, which are independent on the parameters `columns`; it moves only
        these.
        """
        target = from_fractions(self._within(true_rates)[members])
        solution = solve(self.normals.num[np.ix_(members, columns)], target.num[:, None])
        d = np.zeros(self.normals.num.shape[1], object)
        d[columns] = solution.num[:, 0] * self.normals.den
        return Rationals(d, solution.den * target.den)

    def lengths(self, columns: NDArray[np.int64], true_rates: Objects) -> Floats:
        """Lengths (m,) of the directions for rows of rates (m, k); all breakpoints are independent.

        As floats see them, on the parameters `columns`, where they can invert the normals.
        """
        matrix = Rationals(self.normals.num[:, columns], self.normals.den).floats()
        try:
            inverse = np.linalg.inv(matrix)
            off = np.abs(inverse @ matrix - np.eye(len(matrix))).max(initial=0.0)
        except np.linalg.LinAlgError:
            off = np.inf
        if not off < _OFF:
            every = np.arange(len(matrix))
            edges = [self.direction(every, columns, row) for row in true_rates]
            return np.array([np.linalg.norm(edge.floats()) for edge in edges])
        targets = np.array([self._within(row).astype(float) for row in true_rates])
        return np.linalg.norm(inverse @ targets.T, axis=0)

    def _within(self, true_rates: Objects) -> Objects:
        """Rates (k,) in the region, of breakpoints whose true rates these are."""
        rates = objects([Fraction(t) for t in true_rates])
        for c, b, alpha in self.alpha:
            rates[c] = rates[c] - alpha * min(0, true_rates[b])
        return rates

    def kinks(self, prices: Objects) -> Objects:
        """Gamma where each t_c with a price != 0 is a free coordinate of its own."""
        kinks = self.gamma.copy()
        for c, b, alpha in self.alpha:
            kinks[b] = kinks[b] - alpha * prices[c]
        return kinks


def region(values: list[Rationals]) -> Sides:
    """Signs of all breakpoints, 0 where they vanish."""
    return [signs_of(v.num) for v in values]


__all__ = ["ExactLoss", "LocalModel", "Sides", "Vertex", "region"]
