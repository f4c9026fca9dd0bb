"""`ExactLoss`: a `LayerLoss` in rational arithmetic, and its vertices without rounding.

Weights, inputs, targets and slopes are the floats of the loss, taken as the rationals they are
(for a deeper trained layer the inputs are the floats the layers below put out).  Symbols as in
:mod:`reluplex_walk.proof.certificate`: n_c oriented normals, g the gradient, p_c and far slopes as
there.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ..problem.breakpoints import Breakpoints
from ..problem.loss import LayerLoss
from .layers import ExactLayers
from .rationals import Objects, Rationals, from_fractions, objects, signs as signs_of, solve

Floats = NDArray[np.float64]
Sides = list[NDArray[np.int8]]


class Vertex(NamedTuple):
    """A point at which the breakpoints `active` vanish, seen from an affine region around it."""

    theta: Rationals  # (D,)
    active: Breakpoints  # (r,) with independent gradients
    sides: Sides  # the region: +-1 per hidden stage (n, width), then residuals (m, K)
    columns: NDArray[np.int64]  # (r,) parameters on which the normals are independent


class ExactLoss:
    """F(theta) in rational arithmetic."""

    def __init__(self, loss: LayerLoss) -> None:
        self.loss = loss
        self.x = Rationals.of(np.column_stack([loss.inputs, np.ones(len(loss.inputs))]))
        self.layers = ExactLayers(loss)
        self.y = Rationals.of(loss.targets)
        self.kinks = Rationals.of(np.stack([loss.left, loss.right]))

    # ---------------------------------------------------------------- values

    def values(self, theta: Rationals) -> list[Rationals]:
        """Breakpoint functions at `theta` (D,): hidden stages (n, width), residuals (m, K)."""
        values = [self._trained(theta)]
        for t in range(self.loss.n_hidden):
            values.append(self.layers.above(t, values[t], values[t].num > 0, biases=1))
        z, den = values[-1]
        z = z[self.loss.owner] * self.y.den - self.y.num * den
        values[-1] = Rationals(z, den * self.y.den)
        return values

    def rates(self, d: Rationals, sides: Sides) -> list[Rationals]:
        """Derivatives along `d` (D,) of all breakpoint functions in the region `sides`."""
        rates = [self._trained(d)]
        for t in range(self.loss.n_hidden):
            rates.append(self.layers.above(t, rates[t], sides[t] > 0, biases=0))
        z, den = rates[-1]
        rates[-1] = Rationals(z[self.loss.owner], den)
        return rates

    def _trained(self, theta: Rationals) -> Rationals:
        """Rows (n, h) of the trained layer at `theta` (D,), or their derivatives along it."""
        z = self.x.num @ theta.num.reshape(self.loss.shape).T
        return Rationals(z, self.x.den * theta.den)

    def leave(self, d: Rationals, signs: Sides) -> tuple[Sides, Sides]:
        """The region that `d` (D,) leads to from a point with these signs.

        Returns its sides, +1 for what stays 0, and the signs just beyond the point.
        """
        beyond: Sides = []
        for t in range(len(signs)):
            rates = self.rates(d, [*beyond, *signs[t:]])[t]
            beyond.append(np.where(signs[t] == 0, signs_of(rates.num), signs[t]).astype(np.int8))
        return [np.where(sign == 0, 1, sign).astype(np.int8) for sign in beyond], beyond

    def first_breakpoint(
        self, theta: Rationals, d: Rationals, sides: Sides, active: Breakpoints
    ) -> tuple[tuple[int, int, int], Fraction] | None:
        """The first breakpoint (stage, column, neuron) met on the way along `d`, and the step.

        Breakpoints of `active`, which vanish at `theta`, are left out.  None if there is none.
        """
        values, rates = self.values(theta), self.rates(d, sides)
        for t, column, neuron in zip(*active, strict=True):
            rates[t].num[column, neuron] = 0
        best, entering = None, None
        for t, (z, dz, side) in enumerate(zip(values, rates, sides, strict=True)):
            for column, neuron in zip(*np.nonzero(dz.num * side < 0), strict=True):
                step = Fraction(-z.num[column, neuron], dz.num[column, neuron])
                step *= Fraction(dz.den, z.den)
                if best is None or step < best:
                    best, entering = step, (t, int(column), int(neuron))
        return None if best is None or entering is None else (entering, best)

    def value(self, values: list[Rationals]) -> Fraction:
        """The loss, from its :meth:`values`."""
        r = values[-1]
        left, right = self.kinks.num
        return Fraction(int((np.where(r.num > 0, right, -left) * r.num).sum()), 1) / (
            r.den * self.kinks.den
        )

    # ---------------------------------------------------------------- gradients in a region

    def gradient(self, sides: Sides) -> Rationals:
        """Gradient (D,) of the loss in the region."""
        left, right = self.kinks.num
        back = np.zeros((len(self.x.num), right.shape[1]), object)
        np.add.at(back, self.loss.owner, np.where(sides[-1] > 0, right, -left))
        den = self.kinks.den
        for layer, side in zip(reversed(self.layers.weights), reversed(sides[:-1]), strict=True):
            up, down = self.layers.slope.denominator, self.layers.slope.numerator
            back = (back @ layer.num[:, :-1]) * np.where(side > 0, up, down)
            den *= layer.den * up
        return Rationals((back.T @ self.x.num).ravel(), den * self.x.den)

    def sample(self, c: Breakpoints) -> NDArray[np.int64]:
        """Sample of each of the breakpoints `c`."""
        residual = c.stage == self.loss.n_hidden
        return np.where(residual, self.loss.owner[c.column * residual], c.column)

    def rows(self, c: Breakpoints, sides: Sides) -> tuple[Rationals, Objects]:
        """Oriented gradients ``u (x) x_i`` of the breakpoints `c`: all u (r, h), and constants.

        The breakpoint function in the region is ``sigma (u (x) x_i) . theta + constant``; constants
        are (r,) Fractions.
        """
        up, down = self.layers.slope.denominator, self.layers.slope.numerator
        all_rows, constants = [], []
        for stage, column, neuron, sample in zip(*c, self.sample(c), strict=True):
            side = int(sides[stage][column, neuron])
            residual = stage == self.loss.n_hidden
            constant = Fraction(0)
            if residual:
                constant = Fraction(-side * int(self.y.num[column, neuron]), self.y.den)
            width = len(self.layers.weights[stage - 1].num) if stage else self.loss.shape[0]
            back, den = np.zeros(width, object), 1
            back[neuron] = side
            for t in range(stage - 1, -1, -1):
                layer = self.layers.weights[t]
                row = back @ layer.num
                den *= layer.den
                constant += Fraction(int(row[-1]), den)
                back = row[:-1] * np.where(sides[t][sample] > 0, up, down)
                den *= up
            all_rows.append([Fraction(int(v), den) for v in back])
            constants.append(constant)
        u = np.array(all_rows, object).reshape(-1, self.loss.shape[0])
        return from_fractions(u), objects(constants)

    def normals(self, c: Breakpoints, u: Rationals) -> Rationals:
        """Oriented normals (r, D) from the rows `u` (r, h)."""
        x = self.x.num[self.sample(c)]
        num = u.num[:, :, None] * x[:, None, :]
        return Rationals(num.reshape(len(x), self.loss.dim), u.den * self.x.den)

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
        rest = from_fractions(constants * normals.den)
        rhs = -(rest.num * theta.den + (normals.num @ start) * rest.den)
        solution = solve(normals.num[:, columns], rhs[:, None])
        den = solution.den * theta.den * rest.den
        num = start * (solution.den * rest.den)
        num[columns] = solution.num[:, 0]
        common = int(np.gcd.reduce(num, initial=den))
        return Vertex(Rationals(num // common, den // common), active, sides, columns)

    def local(self, vanishing: Breakpoints, sides: Sides) -> "LocalModel":
        """The loss around a point where `vanishing` are 0, seen from the region `sides`."""
        u, _ = self.rows(vanishing, sides)
        left, right = self.kinks.num
        slopes = np.where(sides[-1] > 0, right, -left)
        samples = self.sample(vanishing)
        gamma, alpha = [], []
        for c, (stage, column, neuron) in enumerate(zip(*vanishing, strict=True)):
            if stage == self.loss.n_hidden:
                weight = int(left[column, neuron] + right[column, neuron])
                gamma.append(Fraction(-weight, self.kinks.den))
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
        rates = objects([Fraction(t) for t in true_rates])
        for c, b, alpha in self.alpha:
            rates[c] = rates[c] - alpha * min(0, true_rates[b])
        target = from_fractions(rates[members])
        solution = solve(self.normals.num[np.ix_(members, columns)], target.num[:, None])
        d = np.zeros(self.normals.num.shape[1], object)
        d[columns] = solution.num[:, 0] * self.normals.den
        return Rationals(d, solution.den * target.den)

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
