"""Polyak's step to an estimated level, on problems whose minimum is known."""

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.random import random_loss


def median_loss():
    """|a - 1| + |a - 2| + |a - 10| over a constant: the minimum is 9, at 2."""
    network = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    return rw.LayerLoss(network, [[0.0], [0.0], [0.0]], [1.0, 2.0, 10.0])


@pytest.mark.parametrize("level", [9.0, 8.0, 0.0, 15.0])
def test_finds_the_median_whatever_the_level(level):
    found = rw.polyak_descent(median_loss(), level, start=[[0.0, 30.0]], steps=5000)
    assert found.loss == pytest.approx(9.0, abs=0.05)
    assert found.loss == found.losses.min()
    assert median_loss()(found.theta) == found.loss


def test_the_exact_level_is_reached_at_once():
    exact, low = (
        rw.polyak_descent(median_loss(), level, start=[[0.0, 30.0]], steps=10).loss
        for level in (9.0, 0.0)
    )
    assert exact == pytest.approx(9.0, rel=1e-12)
    assert low > 9.1


def test_comes_near_the_least_absolute_deviations():
    loss = random_loss([3, 1], 40, 0)
    level = rw.walk(loss).loss  # the global minimum, proved
    found = rw.polyak_descent(loss, level, seed=1, steps=2000)
    assert level <= found.loss < 1.01 * level


def test_goes_on_from_a_short_walk_and_repeats():
    loss = random_loss([3, 6, 1], 60, 5)
    short = rw.walk(loss, seed=5, max_pivots=60)
    runs = [rw.polyak_descent(loss, short.level(), start=short.theta, steps=300) for _ in range(2)]
    assert runs[0].loss < short.loss
    assert len(runs[0].losses) == 301
    np.testing.assert_array_equal(runs[0].losses, runs[1].losses)


def test_stops_at_loss_zero_and_at_a_flat_point():
    one = rw.LayerLoss(rw.ReLUNetwork([[[0.0]]], [[0.0]]), [[0.0]], [1.0])
    exact = rw.polyak_descent(one, 0.0, start=[[0.0, 5.0]])
    assert exact.loss == 0.0
    assert len(exact.losses) == 2
    dead = rw.LayerLoss(rw.ReLUNetwork.random([2, 3, 1], seed=0), [[1.0, 1.0]], [2.0])
    assert len(rw.polyak_descent(dead, 0.0, start=np.full((3, 3), -1.0)).losses) == 1


@pytest.mark.parametrize(
    ("level", "options", "error", "message"),
    [
        (np.nan, {}, ValueError, "level: expected a finite number"),
        ("9", {}, TypeError, "level: expected a number"),
        (1e6, {}, ValueError, "level: expected less than the loss at the start"),
        (1.0, {"steps": -1}, ValueError, "steps: expected an integer >= 0"),
        (1.0, {"start": [1.0]}, ValueError, "start: expected an array"),
    ],
)
def test_bad_arguments(level, options, error, message):
    with pytest.raises(error, match=message):
        rw.polyak_descent(median_loss(), level, **options)


def test_levels_of_a_whole_walk_are_refused():
    traj = rw.walk(random_loss([3, 6, 1], 60, 5), seed=5, max_pivots=20)
    with pytest.raises(ValueError, match="level: expected one level"):
        rw.polyak_descent(traj.problem, traj.levels("record"))
    with pytest.raises(TypeError, match="loss: expected a LayerLoss"):
        rw.polyak_descent(traj, 0.0)
