"""The special case without hidden layer: LAD and quantile regression against HiGHS."""

import numpy as np
import pytest
from scipy.optimize import linprog

import reluplex_walk as rw
from tests.problems.random import random_loss
from tests.simplex.test_walk import check


def highs(loss):
    """Least loss, by linear programming: residuals split into positive and negative parts."""
    n, p = loss.X.shape
    free = np.column_stack([loss.X, np.ones(n)])
    share = loss.tau if loss.kind == "pinball" else 1.0
    other = 1.0 - loss.tau if loss.kind == "pinball" else 1.0
    cost = np.concatenate([np.zeros(p + 1), other * loss.sample_weight, share * loss.sample_weight])
    result = linprog(
        cost,
        A_eq=np.hstack([free, -np.eye(n), np.eye(n)]),  # f - y = over - under
        b_eq=loss.y[:, 0],
        bounds=[(None, None)] * (p + 1) + [(0, None)] * (2 * n),
        method="highs",
    )
    assert result.success
    return result.fun


def linear(data, **options):
    network = rw.ReLUNetwork.random([data.X.shape[1], 1], seed=0)
    return rw.LayerLoss(network, data.X, data.y, **options)


@pytest.mark.parametrize("step", ["adjacent", "long"])
def test_stack_loss_known_coefficients(step):
    # Published LAD fit of Brownlee's data (R package quantreg, rq(stack.loss ~ .)).
    for seed in range(5):
        traj = rw.walk(linear(rw.datasets.load_stackloss()), step=step, seed=seed)
        assert traj.status is rw.WalkStatus.GLOBAL_MINIMUM
        np.testing.assert_allclose(
            traj.theta[0, [3, 0, 1, 2]],
            [-39.68985507, 0.83188406, 0.57391304, -0.06086957],
            atol=5e-9,
        )
        assert traj.loss == pytest.approx(42.0811594, abs=5e-8)
        check(traj)


@pytest.mark.parametrize("step", ["adjacent", "long"])
def test_engel_known_coefficients(step):
    for seed in range(5):
        traj = rw.walk(linear(rw.datasets.load_engel()), step=step, seed=seed)
        assert traj.status is rw.WalkStatus.GLOBAL_MINIMUM
        np.testing.assert_allclose(
            traj.theta[0, [1, 0]], [81.482247416936, 0.560180551209], rtol=1e-10
        )
        assert traj.loss == pytest.approx(17559.932647626, rel=1e-12)


@pytest.mark.parametrize("tau", [0.1, 0.25, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("step", ["adjacent", "long"])
def test_engel_quantiles_against_highs(tau, step):
    loss = linear(rw.datasets.load_engel(), kind="pinball", tau=tau)
    traj = rw.walk(loss, step=step)
    assert traj.status is rw.WalkStatus.GLOBAL_MINIMUM
    assert traj.loss == pytest.approx(highs(loss), rel=1e-9)
    # The defining property of a quantile fit: at most tau of the targets lie below it, at most
    # 1 - tau above it.
    residuals = loss.breakpoints(traj.theta)[0]
    assert (residuals > 1e-7).mean() <= tau
    assert (residuals < -1e-7).mean() <= 1 - tau


@pytest.mark.parametrize("seed", range(10))
def test_random_problems_against_highs(seed):
    rng = np.random.default_rng(seed)
    widths, n = [int(rng.integers(1, 6)), 1], int(rng.integers(3, 80))
    options = {"kind": "pinball", "tau": float(rng.uniform(0.05, 0.95))} if seed % 2 else {}
    loss = random_loss(widths, n, seed, weighted=seed % 3 == 0, **options)
    for step in ("adjacent", "long"):
        traj = rw.walk(loss, step=step, seed=seed)
        assert traj.status is rw.WalkStatus.GLOBAL_MINIMUM
        assert traj.loss == pytest.approx(highs(loss), rel=1e-9, abs=1e-9)
        check(traj)


@pytest.mark.parametrize("seed", range(10))
def test_degenerate_integer_data_against_highs(seed):
    # Small integers: many samples on one hyperplane, repeated rows, ties at every vertex.
    rng = np.random.default_rng(seed)
    X, y = rng.integers(0, 4, (40, 3)), rng.integers(0, 4, 40)
    loss = rw.LayerLoss(rw.ReLUNetwork.random([3, 1], seed=0), X, y)
    for step in ("adjacent", "long"):
        traj = rw.walk(loss, step=step, seed=seed)
        assert traj.status is rw.WalkStatus.GLOBAL_MINIMUM
        assert traj.loss == pytest.approx(highs(loss), rel=1e-9)
        check(traj)


def test_several_outputs_are_several_regressions():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), rng.normal(size=(30, 3))
    joint = rw.walk(rw.LayerLoss(rw.ReLUNetwork.random([2, 3]), X, y))
    parts = [
        rw.walk(rw.LayerLoss(rw.ReLUNetwork.random([2, 1]), X, y[:, k])).loss for k in range(3)
    ]
    assert joint.status is rw.WalkStatus.GLOBAL_MINIMUM
    assert joint.loss == pytest.approx(sum(parts), rel=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_features_that_are_all_zero_without_intercept(seed):
    """Samples that say nothing of the coefficients: no warning, and the minimum of the others."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(120, 1 + seed % 4)) * (rng.random((120, 1)) < 0.6)
    y = X.sum(axis=1) + np.where(rng.random(120) < 0.5, 0.0, np.round(rng.normal(size=120), 1))
    fit, kept = rw.lad(X, y, fit_intercept=False), X.any(axis=1)
    others = rw.lad(X[kept], y[kept], fit_intercept=False)
    assert fit.status.proved
    assert fit.loss == pytest.approx(others.loss + np.abs(y[~kept]).sum(), rel=1e-12)
