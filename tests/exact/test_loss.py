"""Exact signs, losses, gradients and steps by floats and sums, against plain rational passes."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.exact.loss import ExactLoss, region
from reluplex_walk.exact.rationals import Rationals, from_fractions, objects, signs
from reluplex_walk.problem.breakpoints import Breakpoints

SCALES = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "wild": lambda rng, shape: rng.normal(size=shape) * 10.0 ** rng.integers(-30, 31, shape),
    "integers": lambda rng, shape: rng.integers(-3, 4, shape).astype(float),
    "tenths": lambda rng, shape: np.round(rng.uniform(-3, 3, shape), 1),
    "time stamps": lambda rng, shape: 1.7e9 + 86400.0 * rng.integers(0, 50, shape),
    "close": lambda rng, shape: 1 + rng.integers(-3, 4, shape) * 2.0**-50,
    "tiny": lambda rng, shape: rng.integers(-3, 4, shape) * 1e-280,
}
WIDTHS = [[2, 3, 1], [1, 2], [2, 3, 2, 2], [3, 2, 2, 2, 1], [2, 1]]
SLOPES = [0.0, 0.0, 0.01, 1e-12, 0.5, 1e-300]


def problem(rng):
    """A loss of any kind, its numbers of any size."""
    names = list(SCALES)
    draw = [SCALES[names[rng.integers(len(names))]] for _ in range(3)]
    widths = WIDTHS[rng.integers(len(WIDTHS))]
    weights = [draw[0](rng, (b, a)) for a, b in itertools.pairwise(widths)]
    biases = [draw[0](rng, b) * (rng.random(b) < 0.5) for b in widths[1:]]
    network = rw.ReLUNetwork(weights, biases, SLOPES[rng.integers(len(SLOPES))])
    n = int(rng.integers(1, 25))
    X, y = draw[1](rng, (n, widths[0])), draw[2](rng, (n, widths[-1]))
    X[np.abs(X) < 1e-100] *= 1e190  # inputs below that count as 0
    X[rng.random(n) < 0.4] = X[0]
    kind = ("l1", "pinball", "hinge")[rng.integers(3)]
    return rw.LayerLoss(
        network,
        X,
        np.where(y > 0, 1.0, -1.0) if kind == "hinge" else y,
        layer=int(rng.integers(len(widths) - 1)) if draw[0] is not SCALES["wild"] else 0,
        kind=kind,
        tau=(0.1, 0.3, 0.9, 1 / 3, 1e-10)[rng.integers(5)] if kind == "pinball" else None,
        sample_weight=(np.ones(n), rng.uniform(0.1, 2, n), 10.0 ** rng.integers(-12, 12, n))[
            rng.integers(3)
        ],
        decimals=bool(rng.integers(4)),
    )


def plain_gradient(exact, sides):
    left, right = exact.kinks.num
    back = np.zeros((len(exact.x.num), right.shape[1]), object)
    np.add.at(back, exact.loss.owner, np.where(sides[-1] > 0, right, -left))
    den = exact.kinks.den
    for layer, side in zip(reversed(exact.layers.weights), reversed(sides[:-1]), strict=True):
        back = (back @ layer.num[:, :-1]) * exact.layers.slopes(side > 0)
        den *= layer.den * exact.layers.slope.denominator
    free = exact.x.num * exact.loss.free[0].astype(int)  # what searches move
    return Rationals((back.T @ free).ravel(), den * exact.x.den).fractions()


def plain_first_breakpoint(exact, theta, d, sides, active):
    values, rates = exact.values(theta), exact.rates(d, sides)
    for t, column, neuron in zip(*active, strict=True):
        rates[t].num[column, neuron] = 0
    found = []
    for t, (z, dz, side) in enumerate(zip(values, rates, sides, strict=True)):
        for column, neuron in zip(*np.nonzero(dz.num * side < 0), strict=True):
            step = Fraction(-z.num[column, neuron], dz.num[column, neuron])
            found.append((step * Fraction(dz.den, z.den), (t, int(column), int(neuron))))
    return min(found)[::-1] if found else None


def plain_leave(exact, d, at):
    beyond = []
    for t in range(len(at)):
        rates = exact.rates(d, [*beyond, *at[t:]])[t]
        beyond.append(np.where(at[t] == 0, signs(rates.num), at[t]))
    return beyond


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.filterwarnings("ignore")  # features of deeper layers may overflow
def test_against_plain_passes(seed):
    rng = np.random.default_rng(seed)
    exact = ExactLoss(problem(rng))
    shape = exact.loss.shape
    draw = [SCALES[name] for name in rng.choice(list(SCALES), 2)]
    share = Fraction(int(rng.integers(1, 9)), 3 ** int(rng.integers(0, 40)))
    floats = draw[0](rng, shape) * (rng.random((shape[0], 1)) < 0.8)
    theta = from_fractions(objects([Fraction(v) * share for v in floats.ravel().tolist()]))

    values, found = exact.values(theta), exact.signs(theta)
    for sign, right in zip(found, region(values), strict=True):
        np.testing.assert_array_equal(sign, right)
    sides = [np.where(s == 0, rng.choice([-1, 1], s.shape), s).astype(np.int8) for s in found]
    assert exact.loss_at(theta, found) == exact.loss_at(theta, sides) == exact.value(values)
    free = exact.loss.free.ravel()
    assert (exact.gradient(sides).fractions() == plain_gradient(exact, sides) * free).all()

    d = Rationals.of(draw[1](rng, shape).ravel())
    zero = [(t, *at) for t, s in enumerate(found) for at in np.argwhere(s == 0).tolist()]
    chosen = np.array([at for at in zero if rng.random() < 0.5], np.int64).reshape(-1, 3)
    active = Breakpoints(*chosen.T)
    expected = plain_first_breakpoint(exact, theta, d, sides, active)
    assert exact.first_breakpoint(theta, d, sides, active) == expected
    for sign, right in zip(exact.leave(d, found)[1], plain_leave(exact, d, found), strict=True):
        np.testing.assert_array_equal(sign, right)
