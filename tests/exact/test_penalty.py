"""The penalty in rational arithmetic, against plain loops over fractions."""

from fractions import Fraction

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.exact.loss import ExactLoss
from reluplex_walk.exact.rationals import Rationals, from_fractions
from reluplex_walk.exact.vertex import zeros
from tests.problems.penalised import penalised, start
from tests.references.penalised import NaiveLoss, directions, flat, table

SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_values_and_one_sided_derivatives_are_those_of_plain_loops(seed):
    loss = penalised(seed)
    naive, exact, rng = NaiveLoss(loss), ExactLoss(loss), np.random.default_rng(seed)
    everywhere = ExactLoss(loss, everything=True)
    special = start(loss, seed)
    special[seed % len(special)] = 0.0  # a zero block: all of its kinks meet
    for theta in (start(loss, seed), special, rng.normal(size=loss.shape)):
        point = Rationals.of(theta.ravel())
        rows, signs = table(point, loss), exact.signs(point)
        value = naive.value(rows)
        assert exact.value(exact.values(point)) == value == exact.loss_at(point, signs)
        assert loss(theta) == pytest.approx(float(value), rel=1e-12, abs=1e-12)
        assert [sign.shape for sign in signs] == [v.num.shape for v in exact.values(point)]
        for d in directions(rows, rng, 8):
            slope, way = naive.derivative(rows, d)[1], flat(d)
            sides, _ = exact.leave(way, signs)
            along = everywhere.gradient(sides).fractions() @ way.fractions()
            assert along == slope
            # The same from another region, whose kinks make up for it.
            model = everywhere.local(zeros(signs), _all_positive(signs))
            assert _one_sided(model, way) == slope


def _all_positive(signs):
    return [np.where(sign == 0, 1, sign).astype(np.int8) for sign in signs]


def _one_sided(model, d):
    """F' as the docstring of `LocalModel` has it."""
    rates = model.normals.fractions() @ d.fractions()
    for c, b, alpha in sorted(model.alpha, key=lambda link: link[1]):
        rates[c] += alpha * min(0, rates[b])
    bent = sum(g * min(0, t) for g, t in zip(model.gamma, rates, strict=True))
    return model.g.fractions() @ d.fractions() + bent


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_the_first_breakpoint_on_a_ray_is_the_first_kink_of_the_loss(seed):
    loss = penalised(seed)
    exact, naive, rng = ExactLoss(loss), NaiveLoss(loss), np.random.default_rng(seed)
    point = Rationals.of(start(loss, seed).ravel())
    signs = exact.signs(point)
    for d in directions(table(point, loss), rng, 8):
        way = flat(d)
        sides, _ = exact.leave(way, signs)
        found = exact.first_breakpoint(point, way, sides, zeros(signs))
        weights = [
            -v / t
            for row, rates in zip(table(point, loss), d, strict=True)
            for v, t in zip(row[:-1], rates[:-1], strict=True)
            if v * t < 0
        ]
        reach = found[1] if found else Fraction(10)
        assert all(step >= reach for step in weights)
        # Up to there the loss is affine.
        half, end = (
            naive.value(table(point.moved(s * reach, way), loss)) for s in (Fraction(1, 2), 1)
        )
        assert naive.value(table(point, loss)) + end == 2 * half
        if found and found[0][0] > loss.n_hidden:
            _, c, j = found[0]
            assert point.moved(reach, way).fractions().reshape(loss.shape)[j, c] == 0


def test_a_penalty_is_the_decimal_that_is_written_unless_floats_are_meant():
    net = rw.ReLUNetwork([[[1.0]]], [[0.0]])
    point = from_fractions(np.array([Fraction(3), Fraction(0)], object))
    for decimals, expected in ((True, Fraction(1, 10)), (False, Fraction(0.1))):
        exact = ExactLoss(rw.LayerLoss(net, [[1.0]], [3.0], decimals=decimals, penalty=0.1))
        assert exact.value(exact.values(point)) == 3 * expected
