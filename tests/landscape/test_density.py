"""Densities against cases where they are known, and against counting by hand."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.landscape import density
from tests.problems.random import random_loss, variant


@pytest.fixture(scope="module")
def traj():
    return rw.walk(random_loss([2, 3, 2, 1], 40, 1), seed=1)


def test_controls_have_the_same_row_norms():
    theta = np.random.default_rng(0).normal(size=(4, 3)) * [[1e-3], [1], [50], [0]]
    control = density.norm_matched(theta, 5)
    np.testing.assert_allclose(
        np.linalg.norm(control, axis=1), np.linalg.norm(theta, axis=1), rtol=1e-14
    )
    assert np.abs(control - theta).max() > 1
    np.testing.assert_array_equal(control, density.norm_matched(theta, 5))
    mean = np.mean([density.norm_matched(np.ones((1, 2)), seed)[0] for seed in range(400)], axis=0)
    assert np.abs(mean).max() < 0.2  # no direction is preferred: a unit variable's mean is 0.07


def test_density_of_parallel_breakpoints_is_their_spacing():
    """One parameter that matters: residuals w - y_j, spaced by 0.01, along the w axis."""
    network = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    targets = np.arange(-3, 3, 0.01)
    loss = rw.LayerLoss(network, np.zeros((targets.size, 1)), targets)
    # theta = (w, b): only b is seen.  Per unit length in a random direction of the plane:
    # |component along b| on average 2 / pi for chords between uniform points of a circle.
    found = density.breakpoint_density(loss, [[0.3, 0.005]], radius=0.5, segments=2000)
    assert found.value == pytest.approx(100 * 2 / np.pi, rel=0.03)
    assert found.inactive == found.value
    assert found.lengths.mean() == pytest.approx(0.5 * 4 / np.pi, rel=0.03)
    assert found.lengths.max() <= 1.0


def test_first_layer_count_is_halved_at_twice_the_norm():
    """The effect of scale that the control is there to show."""
    network = rw.ReLUNetwork.random([2, 6, 1], seed=3)
    X = np.random.default_rng(3).normal(size=(300, 2))
    loss = rw.LayerLoss(network, X, np.full(300, 1e6))  # no residual is near 0
    near, far = (
        density.breakpoint_density(loss, s * loss.theta, radius=0.05 * s, segments=400)
        for s in (1.0, 4.0)
    )
    np.testing.assert_array_equal(near.crossed, far.crossed)
    np.testing.assert_array_equal(near.control_crossed, far.control_crossed)
    assert near.value / far.value == pytest.approx(4, rel=1e-12)
    assert near.control / far.control == pytest.approx(4, rel=1e-12)


def test_active_breakpoints_are_counted_apart(traj):
    found = density.breakpoint_density(traj.problem, traj.theta, radius=1e-7, segments=40)
    assert found.crossed.sum() == found.crossed_active.sum() > 100  # nothing else is so near
    assert found.inactive == 0.0
    assert found.control == 0.0
    wide = density.breakpoint_density(traj.problem, traj.theta, radius=1.0, segments=40)
    assert 0 < wide.inactive < wide.value
    again = density.breakpoint_density(traj.problem, traj.theta, radius=1.0, segments=40)
    for a, b in zip(wide, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_visits_are_counted_by_distance(traj):
    radii = [0.01, 0.1, 0.5, 1e6]
    found = density.vertex_density(traj, radii, controls=2, seed=3)
    vertices = traj.vertices[traj.phase1 :]
    for k, radius in enumerate(radii):
        around_end = sum(np.linalg.norm(v - traj.theta) <= radius for v in vertices)
        around_first = sum(np.linalg.norm(v - vertices[0]) <= radius for v in vertices)
        assert (found.at_end[k], found.at_first[k]) == (around_end, around_first)
    assert traj.n_zero_length == 0
    np.testing.assert_allclose(
        found.lengths, np.linalg.norm(np.diff(vertices, axis=0), axis=(1, 2))
    )
    assert found.control.shape == (2, 4)
    assert (np.diff(found.control, axis=1) >= 0).all()
    assert [len(lengths) + 1 for lengths in found.control_lengths] == found.control[:, -1].tolist()


def test_pivots_of_length_zero_visit_nothing_new():
    rng = np.random.default_rng(0)  # whole numbers: many samples meet in a vertex
    X, y = rng.integers(0, 4, (40, 3)), rng.integers(0, 5, 40)
    traj = rw.walk(rw.LayerLoss(rw.ReLUNetwork.random([3, 1]), X, y))
    zero = (traj.steps.length[traj.phase1 :] == 0).sum()
    assert zero > 0
    found = density.vertex_density(traj, [1e9], controls=1)
    assert found.at_end[0] == traj.n_pivots - traj.phase1 + 1 - zero
    assert (found.lengths > 0).all()


def test_bad_arguments(traj):
    loss = variant(0, 0)
    with pytest.raises(ValueError, match="radius: expected a number > 0, found 0"):
        density.breakpoint_density(loss, loss.theta, radius=0)
    with pytest.raises(ValueError, match="segments: expected an integer >= 1, found 0"):
        density.breakpoint_density(loss, loss.theta, radius=1.0, segments=0)
    with pytest.raises(ValueError, match=r"theta: expected an array of shape \(3, 3\)"):
        density.breakpoint_density(loss, [1.0], radius=1.0)
    with pytest.raises(TypeError, match="traj: expected a Trajectory"):
        density.vertex_density(loss, [1.0])
    with pytest.raises(ValueError, match=r"radii\[1\]: expected a number > 0"):
        density.vertex_density(traj, [1.0, -1.0])
