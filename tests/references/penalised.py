"""A penalised loss in plain loops over fractions, its one-sided derivatives, and exact descents.

Nothing here is the package's but the walk in rationals from point to point, whose ends the
independent checker has to confirm.
"""

from fractions import Fraction

import numpy as np

from reluplex_walk._budget import Budget
from reluplex_walk.exact.loss import ExactLoss
from reluplex_walk.exact.rationals import Rationals, from_fractions
from reluplex_walk.exact.vertex import independent, point_at, zeros
from reluplex_walk.problem.loss import LayerLoss
from reluplex_walk.proof.certificate import Certificate
from reluplex_walk.proof.certify import certify
from reluplex_walk.proof.end import ExactEnd, examine
from reluplex_walk.simplex.exact_pivots import follow, leap, steepest
from reluplex_walk.tolerances import TOLERANCES

Table = list[list[Fraction]]


def written(value: float, decimals: bool) -> Fraction:
    """The decimal of at most nine places that a float is the nearest to, or the float itself."""
    short = Fraction(repr(float(value)))
    return short if decimals and 10**9 % short.denominator == 0 else Fraction(float(value))


class NaiveLoss:
    """F and its one-sided derivatives, sample by sample.

    Data and weights have to be short decimals if the loss takes such for what was written.
    """

    def __init__(self, loss: LayerLoss) -> None:
        self.loss, dec = loss, loss.decimals.any
        inputs = loss.network.features(loss.X, loss.layer)
        of_data = dec and loss.layer == 0
        self.x = [[written(v, of_data) for v in row] + [Fraction(1)] for row in inputs]
        self.y = [[written(v, dec) for v in row] for row in loss.y]
        self.w = [written(v, dec) for v in loss.sample_weight]
        self.tau = written(loss.tau, dec)
        self.penalty = written(loss.penalty, dec)
        self.slope = Fraction(loss.network.negative_slope)

    def costs(self, i: int, k: int) -> tuple[Fraction, Fraction]:
        """What |r| costs below and above 0."""
        w = self.w[i]
        if self.loss.kind == "hinge":
            return (w, Fraction(0)) if self.y[i][k] > 0 else (Fraction(0), w)
        if self.loss.kind == "pinball":
            return w * self.tau, w * (1 - self.tau)
        return w, w

    def value(self, theta: Table) -> Fraction:
        """F at `theta` (h, q)."""
        return self.derivative(theta, None)[0]

    def derivative(self, theta: Table, d: Table | None) -> tuple[Fraction, Fraction]:
        """F at `theta`, and its one-sided derivative along `d`."""
        value, change, zero = Fraction(0), Fraction(0), Fraction(0)
        d = d or [[zero] * len(row) for row in theta]
        tail = [(w.tolist(), b.tolist()) for w, b in self.loss.tail]
        for i, x in enumerate(self.x):
            z = [sum((a * v for a, v in zip(row, x, strict=True)), zero) for row in theta]
            dz = [sum((a * v for a, v in zip(row, x, strict=True)), zero) for row in d]
            for weights, biases in tail:
                ups = [v > 0 or (v == 0 and t > 0) for v, t in zip(z, dz, strict=True)]
                z = [v if up else self.slope * v for v, up in zip(z, ups, strict=True)]
                dz = [v if up else self.slope * v for v, up in zip(dz, ups, strict=True)]
                w = [[Fraction(v) for v in row] for row in weights]
                dz = [sum((a * v for a, v in zip(row, dz, strict=True)), zero) for row in w]
                z = [
                    sum((a * v for a, v in zip(row, z, strict=True)), Fraction(b))
                    for row, b in zip(w, biases, strict=True)
                ]
            for k, (f, df) in enumerate(zip(z, dz, strict=True)):
                below, above = self.costs(i, k)
                r = f - self.y[i][k]
                value += above * r if r > 0 else -below * r
                up = r > 0 or (r == 0 and df > 0)
                change += above * df if up else -below * df
        for row, rates in zip(theta, d, strict=True):
            for v, t in zip(row[:-1], rates[:-1], strict=True):
                value += self.penalty * abs(v)
                change += self.penalty * (abs(t) if v == 0 else t if v > 0 else -t)
        return value, change


def table(flat: Rationals, loss: LayerLoss) -> Table:
    """Parameters (D,) as rows of fractions."""
    return [list(row) for row in flat.fractions().reshape(loss.shape)]


def flat(rows: Table) -> Rationals:
    """The same as one vector (D,)."""
    return from_fractions(np.array([v for row in rows for v in row], object))


def directions(theta: Table, rng: np.random.Generator, count: int) -> list[Table]:
    """Random directions, in all of the parameters or a few, some along what is there."""
    h, q = len(theta), len(theta[0])
    found = []
    for k in range(count):
        d = rng.integers(-5, 6, (h, q)) * (rng.random((h, q)) < rng.choice([0.2, 0.5, 1.0]))
        if k % 4 == 1:  # of one neuron alone
            d = d * (np.arange(h) == rng.integers(h))[:, None]
        rows = [[Fraction(int(v)) for v in row] for row in d]
        if k % 8 == 2:
            sign = int(rng.choice([-1, 1]))
            rows = [
                [v + sign * t for v, t in zip(a, b, strict=True)]
                for a, b in zip(rows, theta, strict=True)
            ]
        found.append(rows)
    return found


def descend(
    loss: LayerLoss, theta: np.ndarray, work: float = 60.0, limit: int = 400
) -> ExactEnd | None:
    """The end of a walk in rational arithmetic from `theta` (h, q); None if pivots run out."""
    exact, budget = ExactLoss(loss), Budget.of(work)
    point = from_fractions(np.array([Fraction(float(v)) for v in theta.ravel()], object))
    at = _at(exact, point)
    for _ in range(limit):
        end = examine(exact, at, budget)
        if end.verdict.method != "none":
            return end
        if end.verdict.direction is not None:
            step = leap(exact, at, end.verdict.direction)
        elif end.local is not None:
            best, _ = steepest(*end.local, end.vertex)
            step = follow(exact, *end.local, at, best)
        else:
            return end
        assert step is not None
        at = _at(exact, step[1][0].theta)
    return None


def _at(exact: ExactLoss, point: Rationals):
    signs = exact.signs(point)
    sides = [np.where(sign == 0, 1, sign).astype(np.int8) for sign in signs]
    active = independent(exact, zeros(signs), sides)
    at = point_at(exact, point, active, sides)
    assert at is not None
    return at


def certificate(loss: LayerLoss, end: ExactEnd) -> Certificate:
    """The certificate of the end of an exact walk."""
    return certify(loss, None, np.zeros(loss.shape), end, None, TOLERANCES)
