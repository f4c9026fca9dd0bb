"""Crossings along a segment against signs at many rational points of it, evaluated exactly."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.random import random_loss, variant
from tests.references.naive import dot, exact, layers_of

GRID = 60


def signs_at(loss, start, end, t):
    """{breakpoint id: sign} at time `t`, a Fraction, in rational arithmetic."""
    slope = Fraction(loss.network.negative_slope)
    n, first = len(loss.inputs), loss.kernel.row
    (w0, b0), (w1, b1) = layers_of(loss, start)[0], layers_of(loss, end)[0]
    w = [
        [(1 - t) * x + t * y for x, y in zip(*rows, strict=True)]
        for rows in zip(w0, w1, strict=True)
    ]
    layers = [(w, [(1 - t) * x + t * y for x, y in zip(b0, b1, strict=True)])]
    layers += layers_of(loss, start)[1:]
    signs = {}
    for i, row in enumerate(loss.inputs):
        inputs = exact(row)
        for stage, (weights, bias) in enumerate(layers):
            z = [dot(wr, inputs) + b for wr, b in zip(weights, bias, strict=True)]
            if stage < loss.n_hidden:
                signs.update({(first[stage] + k) * n + i: v for k, v in enumerate(z)})
            inputs = [v if v > 0 else slope * v for v in z]
        for j in np.flatnonzero(loss.owner == i):
            for k, target in enumerate(loss.targets[j]):
                residual = z[k] - Fraction(float(target))
                signs[first[loss.n_hidden] * n + k * len(loss.owner) + j] = residual
    return {c: (v > 0) - (v < 0) for c, v in signs.items()}


def swept(loss, start, end, times):
    """How often each breakpoint changes sign along `times`, zeros left out."""
    last, changes = {}, Counter()
    for t in sorted(set(times)):
        for c, sign in signs_at(loss, start, end, t).items():
            if sign:
                changes[c] += last.get(c, sign) != sign
                last[c] = sign
    return +changes


def check(loss, start, end):
    """Points between all crossings found, and a grid on which a missed one would show."""
    found = rw.crossings(loss, start, end)
    assert (np.diff(found.times) >= 0).all()
    assert ((found.times > 0) & (found.times < 1)).all()
    knots = [Fraction(0), *map(Fraction, found.times.tolist()), Fraction(1)]
    points = [(a + b) / 2 for a, b in pairwise(knots)]
    points += [Fraction(k, GRID) for k in range(GRID + 1)]
    assert Counter(found.ids.tolist()) == swept(loss, start, end, points)
    return len(found.ids)


@pytest.mark.parametrize("case", range(9))
def test_counts_equal_those_of_a_dense_rational_sweep(case):
    for seed in range(2):
        loss = variant(case, seed)
        assert check(loss, loss.random_start(seed, 2.0), loss.random_start(seed + 50, 2.0)) > 0


def whole_numbers(widths, n, seed, **options):
    """Small integers everywhere: functions that touch 0, vanish on intervals, coincide."""
    rng = np.random.default_rng(seed)
    network = rw.ReLUNetwork(
        [rng.integers(-2, 3, (b, a)) for a, b in pairwise(widths)],
        [np.zeros(b) for b in widths[1:]],
        **options,
    )
    X = rng.integers(-2, 3, (n, widths[0]))
    loss = rw.LayerLoss(network, X, rng.integers(-1, 2, (n, widths[-1])))
    return loss, rng.integers(-2, 3, loss.shape), rng.integers(-2, 3, loss.shape)


@pytest.mark.parametrize("seed", range(12))
def test_degenerate_segments(seed):
    check(*whole_numbers([1, 3, 3, 1], 6, seed))
    check(*whole_numbers([2, 2, 2, 2], 6, seed, negative_slope=0.5))


def second_layer(w1, w2, start, end):
    """Crossings of a 1-h-1-1 network on one sample: those of layer 1, and how many of layer 0."""
    h = len(w1)
    network = rw.ReLUNetwork([np.zeros((h, 1)), [w2], [[1.0]]], [np.zeros(h), [0.0], [-7.0]])
    loss = rw.LayerLoss(network, [[1.0]], [0.0])
    theta = [np.column_stack([np.array(w1) * s, np.zeros(h)]) for s in (start, end)]
    found = rw.crossings(loss, *theta)
    layer = loss.locate(found.ids)[:, 0]
    return found.times[layer == 1], int((layer == 0).sum())


def test_touching_zero_is_no_crossing():
    times, below = second_layer([1 / 3, -1 / 3], [0.3, 0.3], -0.3, 0.7)  # a multiple of |s|
    assert (len(times), below) == (0, 2)


def test_signs_that_rounding_decides_are_decided_exactly():
    """max(0, z) - max(0, z') with z = z', the same terms summed in another order."""
    network = rw.ReLUNetwork([np.zeros((2, 5)), [[1, -1]], [[1]]], [[0, 0], [0.0], [-7.0]])
    loss = rw.LayerLoss(network, np.full((1, 5), 0.1), [0.0])
    for seed in range(50):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(2, 5))
        ends = [np.column_stack([[row, rng.permutation(row)], [0, 0]]) for row in rows]
        layers = loss.locate(rw.crossings(loss, *ends).ids)[:, 0]
        assert (layers == 1).sum() == 0


def test_zero_over_an_interval_is_no_crossing():
    times, below = second_layer([1.0], [1.0], -1.0, 1.0)  # max(0, s): 0, then positive
    assert (len(times), below) == (0, 1)


def test_a_change_of_sign_across_a_zero_interval_is_one_crossing():
    # max(0, s - 1/2) - max(0, -s - 1/2): negative, 0 while |s| <= 1/2, positive
    network = rw.ReLUNetwork([np.zeros((2, 1)), [[1, -1]], [[1]]], [[0, 0], [0.0], [-7.0]])
    loss = rw.LayerLoss(network, [[1.0]], [0.0])
    found = rw.crossings(loss, [[-1, -0.5], [1, -0.5]], [[1, -0.5], [-1, -0.5]])
    assert loss.locate(found.ids)[:, 0].tolist().count(1) == 1


def test_ends_of_the_segment_are_no_crossings():
    assert (
        len(second_layer([1.0], [1.0], 0.0, 1.0)[0]) == second_layer([1.0], [1.0], 0.0, 1.0)[1] == 0
    )


def test_adjacent_vertices_have_nothing_between_them():
    """An edge of the walk meets no breakpoint but those that vanish along it."""
    traj = rw.walk(random_loss([2, 3, 2, 1], 40, 0))
    loss = traj.problem
    for k in range(traj.phase1, traj.n_pivots):
        ends = traj.vertices[k], traj.vertices[k + 1]
        vanishing = {tuple(row) for row in np.concatenate([traj.active[k], traj.active[k + 1]])}
        crossed = loss.locate(rw.crossings(loss, *ends).ids)
        assert {tuple(row) for row in crossed} <= vanishing
    assert len(rw.crossings(loss, traj.vertices[0], traj.theta).ids) > 30


def test_bad_arguments():
    loss = variant(0, 0)
    with pytest.raises(TypeError, match="loss: expected a LayerLoss"):
        rw.crossings(loss.network, loss.theta, loss.theta)
    with pytest.raises(ValueError, match=r"end: expected an array of shape \(3, 3\)"):
        rw.crossings(loss, loss.theta, [1.0])
