"""Crossings and sections against signs and losses at rational points, evaluated exactly."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.random import random_loss, variant
from tests.references.naive import dot, exact, layers_of, loss_and_derivative

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
        start, end = (
            np.random.default_rng(k).uniform(-2.0, 2.0, loss.shape) for k in (seed, seed + 50)
        )
        assert check(loss, start, end) > 0


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
    with pytest.raises(ValueError, match="direction: expected a direction, found zeros"):
        rw.line_section(loss, loss.theta, 0.0 * loss.theta)
    with pytest.raises(ValueError, match=r"extent: expected \(s_min, s_max\) with min < max"):
        rw.line_section(loss, loss.theta, loss.theta, (1.0, 1.0))


def test_line_section():
    loss = random_loss([2, 3, 2, 1], 15, 0)
    rng = np.random.default_rng(1)
    origin, d = rng.normal(size=(2, *loss.shape))
    line = rw.line_section(loss, origin, d, (-2.0, 3.0))
    assert (np.diff(line.positions) > 0).all()
    assert (line.positions[0], line.positions[-1]) == (-2.0, 3.0)
    for s, value in zip(line.positions, line.losses, strict=True):
        assert loss(origin + s * d) == pytest.approx(value, rel=1e-9)
    for s, ids in zip(line.positions[1:-1], line.breakpoints, strict=True):
        values = loss.breakpoints(origin + s * d)
        assert len(ids) >= 1
        for layer, row, neuron in ids:
            assert abs(values[layer][row, neuron]) < 1e-9
    # Dense evaluation sees each sign change, and no other.
    dense = np.linspace(-2.0, 3.0, 4001)
    signs = [np.concatenate([p.ravel() for p in loss.pattern(origin + s * d, 0.0)]) for s in dense]
    changes = int((np.diff(np.array(signs), axis=0) != 0).sum())
    assert changes <= sum(len(ids) for ids in line.breakpoints) <= changes + 4
    middle = (line.positions[1:] + line.positions[:-1]) / 2
    for s, slope in zip(middle, line.slopes, strict=True):
        found = loss.directional_derivative(origin + s * d, d)
        assert found == pytest.approx(slope, rel=1e-8, abs=1e-8)


SEGMENTS = [
    ([2, 4, 3, 2], {}),
    ([2, 4, 3, 2], {"kind": "pinball", "tau": 0.7, "layer": 1}),
    ([3, 3, 2], {"kind": "hinge"}),
    ([2, 3, 3, 3], {"kind": "hinge", "layer": 1, "negative_slope": 0.2}),
    ([3, 4, 2], {"layer": 1, "weighted": True}),
]


@pytest.mark.parametrize("case", range(len(SEGMENTS)))
def test_sections_cross_what_crossings_does(case):
    widths, options = SEGMENTS[case]
    crossed = 0
    for seed in range(20):
        loss = random_loss(widths, 25, seed, **options)
        start, end = loss.random_start(seed, 2.0), loss.random_start(seed + 50, 2.0)
        found = rw.crossings(loss, start, end)
        line = rw.line_section(loss, start, end - start, (0.0, 1.0))
        crossed += len(found.ids)
        np.testing.assert_array_equal(np.concatenate(line.breakpoints), loss.locate(found.ids))
        np.testing.assert_allclose(line.positions[1:-1], found.times, rtol=0, atol=1e-12)
    assert crossed > 400


@pytest.mark.parametrize("case", range(9))
def test_losses_and_slopes_are_exact_up_to_rounding(case):
    loss = variant(case, 3)
    origin, d = np.random.default_rng(case).normal(size=(2, *loss.shape))
    line = rw.line_section(loss, origin, d, (-2.0, 1.0))
    for s, value in zip(line.positions, line.losses, strict=True):
        exact_value, _ = loss_and_derivative(loss, origin + s * d)
        assert value == pytest.approx(float(exact_value), rel=1e-12)
    largest = np.abs(line.slopes).max()
    for a, b, slope in zip(line.positions, line.positions[1:], line.slopes, strict=False):
        _, rate = loss_and_derivative(loss, origin + (a + b) / 2 * d, d)
        assert slope == pytest.approx(float(rate), rel=1e-12, abs=1e-12 * largest)


@pytest.mark.parametrize("seed", range(12))
def test_degenerate_sections(seed):
    """Of small integers: breakpoints are those whose sign differs, 0 counting as +1."""
    for loss, start, end in (
        whole_numbers([1, 3, 3, 1], 6, seed),
        whole_numbers([2, 2, 2, 2], 6, seed, negative_slope=0.5),
    ):
        line = rw.line_section(loss, start, end - start, (0.0, 1.0))
        between = [(Fraction(a) + Fraction(b)) / 2 for a, b in pairwise(line.positions.tolist())]
        signs = [signs_at(loss, start, end, t) for t in between]
        for before, after, found in zip(signs, signs[1:], line.breakpoints, strict=False):
            flips = sorted(c for c in before if (before[c] >= 0) != (after[c] >= 0))
            assert loss.locate(flips).tolist() == found.tolist()
            assert flips
        for t, slope in zip(between, line.slopes, strict=True):
            _, rate = loss_and_derivative(loss, start + float(t) * (end - start), end - start)
            assert slope == pytest.approx(float(rate), abs=1e-9)


def test_breakpoints_crossed_at_the_same_place_share_a_position():
    """All lines through the origin: decimals of which no product is exact."""
    network = rw.ReLUNetwork([np.zeros((1, 1)), [[0.7]]], [np.zeros(1), [0.1]])
    loss = rw.LayerLoss(network, np.arange(1, 8)[:, None] / 10, np.full(7, 0.1))
    line = rw.line_section(loss, [[-0.1, 0.0]], [[0.3, 0.0]], (0.0, 1.0))
    assert line.positions == pytest.approx([0.0, 1 / 3, 1.0])
    assert len(line.breakpoints[0]) == 7  # residuals are 0 before, which counts as positive
    assert line.losses == pytest.approx([0.0, 0.0, 0.7 * 0.2 * 2.8])


def test_a_section_through_a_vertex_meets_all_its_breakpoints_there():
    traj = rw.walk(random_loss([2, 3, 2, 1], 40, 0))
    line = rw.line_section(traj.problem, traj.theta, traj.problem.random_start(1), 1e-3)
    middle = np.argmin(np.abs(line.positions[1:-1]))
    assert abs(line.positions[1:-1][middle]) < 1e-12
    assert (np.diff(line.positions) > 1e-9).all()
    active = {tuple(row) for row in traj.active[-1].tolist()}
    found = {tuple(row) for row in line.breakpoints[middle].tolist()}
    assert found <= active
    for layer, sample, neuron in active - found:  # these turn back
        sides = [traj.problem.breakpoints(line.origin + s * line.direction) for s in (-1e-6, 1e-6)]
        assert sides[0][layer][sample, neuron] * sides[1][layer][sample, neuron] > 0
