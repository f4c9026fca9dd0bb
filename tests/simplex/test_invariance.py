"""What must not change a walk: order of samples and neurons, merging, scaling (hypothesis)."""

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

import reluplex_walk as rw
from tests.problems.random import random_loss

seeds = st.integers(0, 10_000)
steps = st.sampled_from(["adjacent", "long"])


def generic_walk(loss, start, step, rule="steepest"):
    """A walk without degenerate vertices, where ties are broken by chance; else no example."""
    traj = rw.walk(loss, start, step=step, rule=rule)
    assume(not traj.steps.tied.any())
    return traj


def agree(a, b, map_theta=lambda theta: theta):
    assert a.status is b.status
    assert a.n_pivots == b.n_pivots
    np.testing.assert_allclose(a.losses, b.losses, rtol=1e-8)
    np.testing.assert_allclose(a.theta, map_theta(b.theta), rtol=1e-5, atol=1e-5)


@settings(max_examples=25)
@given(seeds, steps)
def test_order_of_samples(seed, step):
    loss = random_loss([2, 3, 2, 1], 20, seed)
    order = np.random.default_rng(seed).permutation(20)
    other = rw.LayerLoss(loss.network, loss.X[order], loss.y[order])
    start = loss.random_start(seed)
    agree(generic_walk(loss, start, step), generic_walk(other, start, step))


@settings(max_examples=25)
@given(seeds, steps)
def test_order_of_neurons(seed, step):
    loss = random_loss([2, 4, 2, 1], 20, seed)
    order = np.random.default_rng(seed).permutation(4)
    w, b = list(loss.network.weights), list(loss.network.biases)
    w[0], b[0], w[1] = w[0][order], b[0][order], w[1][:, order]
    other = rw.LayerLoss(rw.ReLUNetwork(w, b), loss.X, loss.y)
    start = loss.random_start(seed)
    back = np.argsort(order)
    agree(
        generic_walk(loss, start, step),
        generic_walk(other, start[order], step),
        lambda theta: theta[back],
    )


@settings(max_examples=25)
@given(seeds, steps)
def test_repeated_rows_are_weights(seed, step):
    loss = random_loss([2, 3, 1], 12, seed)
    times = np.random.default_rng(seed).integers(1, 4, 12)
    repeated = rw.LayerLoss(loss.network, loss.X.repeat(times, 0), loss.y.repeat(times, 0))
    weighted = rw.LayerLoss(loss.network, loss.X, loss.y, sample_weight=times)
    a, b = (rw.walk(x, loss.random_start(seed), step=step) for x in (repeated, weighted))
    assert a.vertices.tobytes() == b.vertices.tobytes()
    assert a.losses.tobytes() == b.losses.tobytes()


@settings(max_examples=25)
@given(seeds, steps, st.integers(-30, 30))
def test_scaling_the_targets_by_a_power_of_two(seed, step, power):
    # Everything downstream of theta is scaled without rounding: the walk is the same, bit for bit.
    scale = 2.0**power
    loss = random_loss([2, 3, 1], 15, seed)
    w, b = loss.network.weights, loss.network.biases
    scaled = rw.LayerLoss(rw.ReLUNetwork(w, [b[0], scale * b[1]]), loss.X, scale * loss.y)
    start = loss.random_start(seed)
    a = generic_walk(loss, start, step)
    b_ = rw.walk(scaled, scale * start, step=step)
    assert (scale * a.vertices).tobytes() == b_.vertices.tobytes()
    assert (scale * a.losses).tobytes() == b_.losses.tobytes()


@settings(max_examples=25)
@given(seeds, st.floats(-5, 5), st.floats(-5, 5))
def test_translation_of_the_inputs(seed, a, b):
    # The bias takes up a shift of the inputs: the same function at other parameters.
    loss = random_loss([2, 3, 1], 15, seed)
    shift = np.array([a, b])
    moved = rw.LayerLoss(loss.network, loss.X + shift, loss.y)
    end = rw.walk(loss, loss.random_start(seed))
    theta = end.theta.copy()
    theta[:, 2] -= theta[:, :2] @ shift
    assert moved(theta) == pytest.approx(end.loss, rel=1e-9)
    again = rw.walk(moved, theta)
    assert again.loss <= end.loss * (1 + 1e-9)
    if end.status.proved and again.status.proved:
        assert again.loss == pytest.approx(end.loss, rel=1e-7)
