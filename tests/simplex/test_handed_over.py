"""Ends of walks that were handed over and were not what was proved, or were not proved."""

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.degenerate import zeros_among_counts


def losses_are_those_at_the_vertices(traj):
    """Rule: recomputed, and never rising by more than rounding."""
    at = np.array([traj.problem(v) for v in traj.vertices])
    np.testing.assert_allclose(traj.losses, at, rtol=1e-9, atol=1e-12)
    if traj.ended is not rw.Ended.PRECISION:
        assert (np.diff(at) <= 1e-9 * at[:-1]).all()
    assert traj.loss == traj.problem(traj.theta) <= at.min() * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_the_end_is_no_worse_than_the_start(seed):
    # Time stamps, the trained layer above them; with 5, a proved end was above the start.
    rng = np.random.default_rng(900000 + seed)
    X = 1.7e9 + np.round(1e5 * rng.uniform(-3, 3, (6, 1)))
    y = np.round(rng.normal(size=6), 2)
    loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=seed), X, y, layer=1)
    start = np.zeros(loss.shape)
    traj = rw.walk(loss, start, proof_budget=1.0, max_pivots=1000)
    assert loss(traj.theta) <= loss(start)
    losses_are_those_at_the_vertices(traj)
    if traj.status.proved:
        assert loss(traj.theta) == pytest.approx(float(traj.certificate.loss), rel=1e-9, abs=1e-11)
        traj.verify()


@pytest.mark.filterwarnings("ignore")  # that the columns depend on each other
@pytest.mark.parametrize("metres", [0.3048, 1.8, 1.0])
def test_losses_are_not_made_monotone(metres):
    feet = np.array([2.63, 0.07, 1.01, 1.08, 6.28, 9.45, 1.9, 0.71])
    y = np.array([-0.62, 0.73, -1.26, -0.82, -0.16, 1.7, 0.7, -0.35])
    X = np.column_stack([feet, feet * metres])
    loss = rw.LayerLoss(rw.ReLUNetwork([np.zeros((1, 2))], [[0.0]]), X, y)
    traj = rw.walk(loss, np.zeros((1, 3)))
    losses_are_those_at_the_vertices(traj)
    assert traj.losses[0] == pytest.approx(np.abs(y).sum())
    assert traj.status.name == "GLOBAL_MINIMUM"
    assert traj.loss == pytest.approx(rw.lad(feet[:, None], y).loss, rel=1e-12)


def test_crossing_flat_edges_goes_on_after_a_limit():
    X = [[0.3, 1.9], [0.4, -2.2], [2.6, 0.6], [-1.4, -1.6], [-2.3, -0.6], [0.2, -1.9]]
    y = [3.0, 3.0, -2.0, 3.0, -2.0, 2.0]
    loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 2, 1], seed=68, init="he"), X, y)
    whole = rw.walk(loss, seed=68, plateau="cross")
    assert whole.loss == pytest.approx(4.0, rel=1e-12)
    for limit in (2, 4, 6):
        short = rw.walk(loss, seed=68, plateau="cross", max_pivots=limit)
        assert rw.walk(loss, resume=short).loss == whole.loss


@pytest.mark.filterwarnings("ignore")
def test_one_hot_columns_and_counts_do_not_end_above_a_minimum():
    # It ended at 85.55, from where the loss falls with slope -0.16.
    rng = np.random.default_rng(5)
    k = rng.integers(0, 6, 120)
    X = np.column_stack([np.eye(6)[k], rng.integers(0, 5, 120)])
    y = np.round(10 * np.sin(k) + X[:, 6] + rng.normal(size=120), 1)
    loss = rw.LayerLoss(rw.ReLUNetwork.random([7, 5, 1], seed=0), X, y)
    traj = rw.walk(loss, loss.theta)
    assert traj.status.proved
    assert abs(traj.loss - 85.55) > 1e-6
    traj.verify()


@pytest.mark.parametrize("seed", range(6))
def test_counts_with_many_zeros_are_proved(seed):
    loss = zeros_among_counts(80, 5, seed)
    traj = rw.walk(loss, loss.theta)
    assert traj.status.proved
    traj.verify()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("constant", [3.0, 0.1, 0.0])
def test_a_constant_column(constant):
    # A proved end whose own check in floats then said that its breakpoints do not vanish.
    rng = np.random.default_rng(4)
    X = np.column_stack([rng.normal(size=60), np.full(60, constant), rng.normal(size=60)])
    y = X[:, 0] - np.abs(X[:, 2])
    loss = rw.LayerLoss(rw.ReLUNetwork.random([3, 4, 1], seed=1), X, y)
    traj = rw.walk(loss, loss.theta)
    assert traj.status.proved
    traj.verify()
