"""Barriers against merge trees, and paths against sections of their segments."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.exact.loss import ExactLoss
from reluplex_walk.exact.rationals import Rationals
from reluplex_walk.graphs.highest import highest, highest_exactly
from tests.problems.random import random_loss


def level_of(loss, path):
    return max(rw.line_section(loss, a, b - a, (0.0, 1.0)).losses.max() for a, b in pairwise(path))


def is_a_path(found, start, end):
    """Whether the path leads there, and is as high as it says."""
    loss = found.problem
    np.testing.assert_allclose(found.path[0], start)
    np.testing.assert_allclose(found.path[-1], end)
    np.testing.assert_allclose(found.losses, [loss(theta) for theta in found.path])
    assert found.losses[found.top] == pytest.approx(found.level, rel=1e-9)
    assert level_of(loss, found.path) == pytest.approx(found.level, rel=1e-9)
    assert float(found.level_exact) == found.level
    assert isinstance(found.level_exact, Fraction)
    assert found.lower <= found.level <= found.straight + 1e-9 * abs(found.straight)


@pytest.mark.parametrize(
    ("widths", "n", "seed"), [([1, 2, 1], 6, 4), ([1, 1, 2, 1], 12, 2), ([2, 1, 1], 9, 3)]
)
def test_as_high_as_in_the_merge_tree(widths, n, seed):
    loss = random_loss(widths, n, seed)
    tree = rw.merge_tree(loss)
    ends = tree.points[tree.minima]
    assert len(tree) > 1
    for j in range(1, min(len(tree), 4)):
        found = rw.barrier(loss, ends[0], ends[j])
        assert found.exact
        assert found.ended is rw.Ended.FINISHED
        assert found.level == pytest.approx(tree.barrier(0, j), rel=1e-9)
        is_a_path(found, ends[0], ends[j])


@pytest.mark.parametrize("seed", range(4))
def test_between_any_two_points(seed):
    loss = random_loss([1, 2, 1], 6, seed)
    a, b = loss.random_start(seed), loss.random_start(seed + 100)
    found = rw.barrier(loss, a, b)
    assert found.exact
    is_a_path(found, a, b)
    least = rw.barrier(loss, a, b, trials=0)  # the flood alone, from the straight segment
    assert least.exact
    assert least.level == pytest.approx(found.level, rel=1e-9)
    is_a_path(least, a, b)


def test_bounds_where_the_flood_does_not_end():
    loss = random_loss([2, 4, 1], 30, 0)
    a, b = (rw.walk(loss, seed=k, step="long") for k in (0, 1))
    found = rw.barrier(loss, a, b, max_edges=100, trials=5)
    assert not found.exact
    assert found.ended is rw.Ended.WORK_LIMIT
    assert max(a.loss, b.loss) <= found.lower < found.level < found.straight
    is_a_path(found, a.theta, b.theta)
    assert f"at least {found.lower:.6g}" in repr(found)
    assert "at least" in found.summary()
    further = rw.barrier(loss, a, b, max_edges=400, trials=8)
    assert found.lower <= further.lower <= further.level <= found.level
    again = rw.barrier(loss, a, b, max_edges=400, trials=8)
    np.testing.assert_array_equal(again.path, further.path)


def test_no_barrier_downhill():
    loss = random_loss([2, 3, 1], 20, 0)
    traj = rw.walk(loss)
    found = rw.barrier(loss, traj.vertices[-2], traj.vertices[-1])
    assert found.exact
    assert found.height == 0.0
    same = rw.barrier(loss, traj, traj)
    assert same.exact
    assert same.level == pytest.approx(traj.loss, rel=1e-12)
    assert same.straight_height == 0.0


@pytest.mark.filterwarnings("ignore::reluplex_walk.RankWarning")
def test_along_columns_that_others_determine():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(9, 1)), rng.normal(size=9)
    net = rw.ReLUNetwork([[[1.0, 0.5]], [[1.0]]], [[0.0], [0.0]])
    loss = rw.LayerLoss(net, np.hstack([x, 0.5 * x]), y)
    a = rw.walk(loss, seed=0).theta
    b = a + np.array([[-1.0, 2.0, 0.0]])  # the same function
    far = b + np.array([[3.0, -1.0, 2.0]])
    assert rw.barrier(loss, a, b).height < 1e-9
    found = rw.barrier(loss, a, far)
    is_a_path(found, a, far)
    assert found.exact


def test_biases_that_are_not_fitted_are_the_same():
    net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.5], [0.0]])
    loss = rw.LayerLoss(net, [[1.0], [-1.0], [2.0]], [1.0, 1.0, 0.0], fit_intercept=False)
    found = rw.barrier(loss, [[-3.0, 0.5]], [[3.0, 0.5]])
    assert found.exact
    assert found.level == found.straight
    with pytest.raises(ValueError, match="b: expected the biases of a"):
        rw.barrier(loss, [[-3.0, 0.5]], [[3.0, 0.7]])


def test_bad_input():
    loss = random_loss([1, 1, 1], 5, 0)
    with pytest.raises(TypeError, match="loss"):
        rw.barrier(None, loss.theta, loss.theta)
    with pytest.raises(ValueError, match="b: expected"):
        rw.barrier(loss, loss.theta, [1.0])
    with pytest.raises(ValueError, match="max_edges"):
        rw.barrier(loss, loss.theta, loss.theta, max_edges=-1)
    penalised = rw.LayerLoss(loss.network, loss.X, loss.y, penalty=0.1)
    with pytest.raises(ValueError, match="penalty"):
        rw.barrier(penalised, loss.theta, loss.theta)


@pytest.mark.parametrize("seed", range(8))
def test_the_highest_point_of_a_segment_without_rounding(seed):
    loss = random_loss([2, 3, 2, 1], 12, seed)
    a, b = loss.random_start(seed), loss.random_start(seed + 50)
    exact = ExactLoss(loss)
    level = highest_exactly(exact, a, b)
    top = highest(loss, a, b)
    assert float(level) == pytest.approx(top.level, rel=1e-12)
    for share in np.linspace(0.0, 1.0, 200):  # points of the segment, up to their own rounding
        assert loss(a + share * (b - a)) <= float(level) * (1 + 1e-12)


FAR = {  # where floats see little: walks lead to parameters of 1e5 and more
    "offsets of 1e4": (
        rw.ReLUNetwork([[[1.0], [0.0]], [[1.0, 1.0], [2.0, 0.0]]], [[0.0, 0.0], [-1e-06, -1e-06]]),
        [10000.44, 9999.26, 10000.11, 10000.63, 9999.4],
        [[2e-06, 1e-06], [-2e-06, 0.0], [1e-06, 0.0], [-1e-06, -1e-06], [-1e-06, -2e-06]],
        [
            [-3.571428571443421e-06, 0.035712142857291344],
            [2.8169014084469514e-06, -0.028167323943624447],
        ],
        [
            [7.042253521117381e-07, -0.0070418309859061135],
            [2.112676056335214e-06, -0.021125492957718334],
        ],
        9.535211267601e-06,
    ),
    "offsets of 1e6": (
        rw.ReLUNetwork([[[-1.0], [2.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]], negative_slope=0.25),
        [999999.05, 1000000.01, 999998.88, 999998.91],
        [[0.0], [-0.001], [-0.001], [-0.002]],
        [[0.04565656561519919, -45656.51584954267], [-0.17898989882435618, 178989.69572536647]],
        [[0.00392598551925751, -3925.9855585173655], [-0.003636363636440605, 3636.3596728042417]],
        0.002,
    ),
}


@pytest.mark.parametrize("name", FAR)
def test_no_path_is_higher_than_its_level_where_floats_see_little(name):
    network, x, y, a, b, lowest = FAR[name]
    loss = rw.LayerLoss(network, np.array(x)[:, None], y)
    found = rw.barrier(loss, a, b)
    exact = ExactLoss(loss)
    for start, end in pairwise([Rationals.of(theta.ravel()) for theta in found.path]):
        for share in range(33):
            point = start.moved(Fraction(share, 32), end.moved(Fraction(-1), start))
            assert exact.loss_at(point, exact.signs(point)) <= found.level_exact
    assert found.lower <= lowest * (1 + 1e-9)
    assert found.level >= lowest * (1 - 1e-9)
    assert not found.exact or found.level == pytest.approx(lowest, rel=1e-9)
    assert found.exact or "floats leave open" in found.summary()
