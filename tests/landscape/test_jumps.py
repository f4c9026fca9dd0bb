"""Jumps of the gradient: parallel to normals of the reference, and summing up to its changes."""

import pickle

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk import glass
from tests.problems.random import VARIANTS, random_loss, variant
from tests.references.naive import breakpoint_gradient

CASES = range(len(VARIANTS))


def points(loss, seed, share=1.0):
    """Two random points, the second moved towards the first."""
    a, b = loss.random_start(seed, 1.0), loss.random_start(seed + 1_000_000, 1.0)
    return a, a + share * (b - a)


@pytest.mark.parametrize("case", CASES)
def test_jumps_add_up_to_the_change_of_the_gradient(case):
    """D1, and D0: halves of the jumps before and after the middle."""
    crossed = 0
    for seed in range(10):
        loss = variant(case, seed)
        a, b = points(loss, seed)
        middle = (a + b) / 2
        first, half, last = (loss.gradient(theta).ravel() for theta in (a, middle, b))
        size = max(1.0, np.abs([first, half, last]).max())
        found = glass.jumps(loss, a, b)
        assert np.abs(last - first - found.vectors.sum(axis=0)).max() <= 1e-13 * size
        sides = np.where(found.times > 0.5, 0.5, -0.5)
        rough = (first + last) / 2 - half
        assert np.abs(rough - sides @ found.vectors).max() <= 1e-13 * size
        crossed += len(found)
    assert crossed > 20


@pytest.mark.parametrize("case", CASES)
def test_each_jump_is_along_the_normal_of_its_breakpoint(case):
    loss = variant(case, 3)
    a, b = points(loss, 3)
    found = glass.jumps(loss, a, b)
    times = np.concatenate([[0.0], found.times, [1.0]])
    for k, (layer, row, neuron) in enumerate(loss.locate(found.ids)):
        before, after = (
            loss.pattern(a + (times[at] + times[at + 1]) / 2 * (b - a), 0.0) for at in (k, k + 1)
        )
        normal = breakpoint_gradient(loss, before, layer, row, neuron)
        change = (loss.gradient(b, after) - loss.gradient(b, before)).ravel()
        size = np.abs(loss.gradient(b, before)).max() + 1.0
        np.testing.assert_allclose(found.vectors[k], change, atol=1e-12 * size)
        share = (found.vectors[k] @ normal) / (normal @ normal) if normal.any() else 0.0
        np.testing.assert_allclose(found.vectors[k], share * normal, atol=1e-12 * size)
        assert found.hidden[k] == (layer < loss.n_hidden)
    v = (b - a).ravel() / np.linalg.norm(b - a)
    np.testing.assert_allclose(found.along, found.vectors @ v, atol=1e-12)
    np.testing.assert_allclose(found.squares, (found.vectors**2).sum(axis=0), rtol=1e-12)


def test_repeated_rows_and_ties_add_up():
    """Inputs that repeat have several residuals; equal neurons switch at once."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 3, (80, 2)), rng.integers(0, 4, 80)
    network = rw.ReLUNetwork.random([2, 4, 3, 1], seed=1)
    loss = rw.LayerLoss(network, X, y)
    assert len(loss.inputs) < len(loss.targets) < len(X)
    same = rw.LayerLoss(network, np.ones((5, 2)), np.arange(5.0))
    for each, least in ((loss, 40), (same, 1)):
        a, b = points(each, 5, share=3.0)
        a[1], b[1] = a[0], b[0]  # two neurons that are one
        found = glass.jumps(each, a, b)
        change = (each.gradient(b) - each.gradient(a)).ravel()
        np.testing.assert_allclose(found.vectors.sum(axis=0), change, atol=1e-11)
        assert len(found) >= least


def test_neurons_above_dead_ones_are_no_breakpoints_that_vanish():
    """Without biases a layer is exactly 0 where that below is off, and may wake up negative."""
    X = np.array([[1.0], [2.0]])
    weights = [[[-1.0], [-2.0]], [[1.0, 0.5], [-1.0, -0.5]], [[1.0, 2.0]]]
    loss = rw.LayerLoss(rw.ReLUNetwork(weights, [[0.0, 0.0], [0.0, 0.0], [0.0]]), X, [1.0, 3.0])
    dead = np.array([[-1.0, -0.3], [-2.0, -0.1]])
    assert (loss.breakpoints(dead)[1] == 0).all()
    for other in ([[1.0, 0.7], [-2.0, -0.1]], [[3.0, 0.7], [2.0, 0.1]]):
        found = glass.jumps(loss, dead, other)
        change = (loss.gradient(other) - loss.gradient(dead)).ravel()
        np.testing.assert_allclose(found.vectors.sum(axis=0), change, atol=1e-12)
        assert found.hidden.any()
        back = glass.jumps(loss, other, dead)
        np.testing.assert_allclose(back.vectors.sum(axis=0), -change, atol=1e-12)


def test_the_end_is_off_breakpoints_too():
    """The sum is a difference of gradients, and one of them has no value of its own there.

    Here a neuron is on for sample 219, and makes its residual 0, while all that the segment moves
    is off for it: the residual came to 0 inside, and stays there.
    """
    data = rw.datasets.load_engel()
    network = rw.ReLUNetwork.random([1, 5, 4, 1], seed=3)
    loss = rw.LayerLoss(network, data.X, data.y, layer=1)
    a, b = loss.random_start(0), loss.random_start(100)
    assert (loss.pattern(b, 0.0)[1] == 0).sum() == 1
    message = r": expected a point .* found 1 that do, as \(layer, sample, neuron\) \(1, 219, 0\)"
    with pytest.raises(ValueError, match="^end" + message):
        glass.jumps(loss, a, b)
    with pytest.raises(ValueError, match="^start" + message):
        glass.jumps(loss, b, a)
    near = b + 1e-3 * loss.random_start(7, 1.0)
    found = glass.jumps(loss, a, near)
    change = (loss.gradient(near) - loss.gradient(a)).ravel()
    np.testing.assert_allclose(found.vectors.sum(axis=0), change, atol=1e-9)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_residuals_may_be_0_inside(sign):
    """From -1 to 0, there for a while, and on to either side."""
    network = rw.ReLUNetwork([[[0.0], [0.0]], [[-1.0, sign]]], [[0.0, 0.0], [0.0]])
    loss = rw.LayerLoss(network, [[1.0], [1.5]], [0.0, 0.0])
    a, b = [[1.0, 0.0], [0.0, -2.0]], [[-2.0, 0.0], [3.0, -2.0]]
    assert [loss([[1 - 3 * t, 0.0], [3 * t, -2.0]]) for t in (0.0, 0.4, 1.0)] == [2.5, 0.0, 3.5]
    found = glass.jumps(loss, a, b)
    change = (loss.gradient(b) - loss.gradient(a)).ravel()
    np.testing.assert_allclose(found.vectors.sum(axis=0), change, atol=1e-12)


def test_path_and_kinds():
    loss = random_loss([4, 5, 4, 2, 1], 100, 2)
    a, b = points(loss, 1)
    found = glass.jumps(loss, a, b)
    grid = np.linspace(0.0, 1.0, 7)
    expected = [(loss.gradient(a + t * (b - a)) - loss.gradient(a)).ravel() for t in grid]
    np.testing.assert_allclose(found.path(grid), expected, atol=1e-12)
    hidden, residual = found.of_kind("hidden"), found.of_kind("residual")
    assert len(hidden) + len(residual) == len(found) == len(rw.crossings(loss, a, b).ids)
    both = hidden.path(grid) + residual.path(grid)
    np.testing.assert_allclose(both, found.path(grid), atol=1e-12)
    assert (residual.along > 0).all()  # a convex loss of the output
    assert repr(found) == f"Jumps({len(hidden)} hidden, {len(residual)} of residuals)"


def test_nothing_crossed():
    loss = random_loss([4, 5, 1], 20, 2)
    a = loss.random_start(1, 1.0)
    for end in (a + 1e-12, a):
        found = glass.jumps(loss, a, end)
        assert len(found) == 0
        assert found.vectors.shape == (0, loss.dim)
        assert found.path(np.array([0.0, 1.0])).tolist() == np.zeros((2, loss.dim)).tolist()


def test_losses_that_were_sent_are_as_good():
    """Their arrays have to be of the one signature of the kernel."""
    for case in CASES:
        each = pickle.loads(pickle.dumps(variant(case, 3)))
        glass.jumps(each, *points(each, 3))
        glass.jumps(each, *points(each, 3, share=0.0))


def test_start_on_a_breakpoint():
    loss = random_loss([2, 3, 1], 12, 1)
    end = rw.walk(loss, seed=1).theta
    with pytest.raises(ValueError, match=r"^start: expected a point at which .* beside it"):
        glass.jumps(loss, end, loss.theta)
    with pytest.raises(ValueError, match=r"^end: expected an array of shape \(3, 3\)"):
        glass.jumps(loss, loss.theta, [1.0])
    with pytest.raises(TypeError, match=r"^loss: expected a LayerLoss"):
        glass.jumps(None, end, end)
