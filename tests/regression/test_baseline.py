"""Baselines and output layers against scipy's HiGHS and the losses of networks."""

import numpy as np
import pytest
from scipy.optimize import linprog

import reluplex_walk as rw
from reluplex_walk import baselines, with_fitted_output

KINDS = [("l1", None), ("pinball", 0.3), ("hinge", None)]


def problem(seed, kind, n=40, p=2, outputs=1):
    """Random data with weights, of which some are 0."""
    rng = np.random.default_rng(seed)
    X = rng.normal(5.0, 3.0, (n, p))
    y = X.sum(axis=1)[:, None] + rng.standard_t(2, (n, outputs))
    if kind == "hinge":
        y = np.where(y > np.median(y), 1.0, -1.0)
    return X, y, rng.integers(0, 4, n).astype(float)


def by_highs(Z, y, kind, tau, w):
    """The least loss of ``Z @ b``."""
    n, q = Z.shape
    left, right = {"l1": (w, w), "pinball": (w * (tau or 0), w * (1 - (tau or 0)))}.get(
        kind, (w * (y > 0), w * (y < 0))
    )
    parts = np.hstack([Z, np.eye(n), -np.eye(n)])  # fit + below - above = y
    bounds = [(None, None)] * q + [(0, None)] * (2 * n)
    return linprog(
        np.concatenate([np.zeros(q), left, right]), A_eq=parts, b_eq=y, bounds=bounds
    ).fun


@pytest.mark.parametrize(("kind", "tau"), KINDS)
def test_baselines_are_least(kind, tau):
    for seed in range(5):
        X, y, w = problem(seed, kind, outputs=1 + seed % 2)
        found = baselines(X, y, kind, tau, w)
        ones = np.ones((len(X), 1))
        for value, Z in ((found.constant, ones), (found.linear, np.hstack([X, ones]))):
            least = sum(by_highs(Z, column, kind, tau, w) for column in y.T)
            np.testing.assert_allclose(value, least, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("kind", "tau"), KINDS)
def test_fitted_output_is_the_best_one(kind, tau):
    for seed in range(5):
        X, y, w = problem(seed, kind, outputs=2)
        net = rw.ReLUNetwork.random([2, 4, 3, 2], seed=seed)
        fitted = with_fitted_output(net, X, y, kind, tau, w)
        for k in range(2):
            np.testing.assert_array_equal(fitted.weights[k], net.weights[k])
        value = rw.LayerLoss(fitted, X, y, 2, kind, tau, w)(fitted.layer_parameters(2))
        Z = np.column_stack([net.features(X, 2), np.ones(len(X))])
        least = sum(by_highs(Z, column, kind, tau, w) for column in y.T)
        np.testing.assert_allclose(value, least, rtol=1e-8, atol=1e-10)


def test_hidden_neurons_that_are_all_off_leave_the_constant():
    X, y, w = problem(0, "l1")
    net = rw.ReLUNetwork([np.zeros((3, 2)), np.ones((1, 3))], [-np.ones(3), [0.0]])
    fitted = with_fitted_output(net, X, y, sample_weight=w)
    loss = rw.LayerLoss(fitted, X, y, 1, sample_weight=w)
    assert loss(loss.theta) == pytest.approx(baselines(X, y, sample_weight=w).constant)


def test_columns_in_wild_units_and_dependent_ones():
    X, y, _ = problem(3, "l1")
    wild = np.column_stack([1.7e9 + 86400.0 * np.arange(len(X)), 1e-12 * X, X[:, 0] * 0.3048])
    plain = np.column_stack([np.arange(len(X)), X])
    np.testing.assert_allclose(baselines(wild, y), baselines(plain, y), rtol=1e-9)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="kind"):
        baselines([[1.0], [2.0]], [1.0, 2.0], "l2")
    with pytest.raises(ValueError, match="y"):
        baselines([[1.0], [2.0]], [1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="network"):
        with_fitted_output(None, [[1.0]], [1.0])
