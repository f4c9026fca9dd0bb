"""Minima in a box that were handed over and were none, or not the least."""

import numpy as np
import pytest
from scipy.optimize import linprog

import reluplex_walk as rw


def falls(loss, minimum, seed=0):
    """Whether the loss falls from a minimum, by more than rounding, on one of two short steps."""
    rng = np.random.default_rng(seed)
    return any(
        loss(minimum.theta + t * d) <= minimum.loss - 1e-6 * t
        for d in rng.normal(size=(200, *loss.shape))
        for t in (1e-3, 1e-5)
    )


def inside(minima, size):
    return [m for m in minima if np.abs(m.theta).max() < size * (1 - 1e-9)]


def test_nothing_descends_from_a_minimum_at_the_origin():
    # The loss has a slope of -6 at a theta of 1e-17, which was listed as a strict minimum.
    weights = [[[0.8861122111447353]], [[0.9524874114154083]]]
    biases = [[0.022655105628723193], [-0.8383279522087956]]
    loss = rw.LayerLoss(
        rw.ReLUNetwork(weights, biases),
        [[1.9], [-0.5], [1.5], [2.8], [2.9]],
        [-2.0, -1.6, 0.6, 2.9, 2.1],
    )
    minima = rw.enumerate_regions(loss, 1.0).local_minima()
    assert not [m.theta for m in inside(minima, 1.0) if falls(loss, m)]


@pytest.mark.parametrize("seed", range(12))
def test_nothing_descends_from_the_minima_in_a_box(seed):
    rng = np.random.default_rng(seed)
    widths = [[1, 1, 1], [2, 1, 1], [1, 2, 1]][seed % 3]
    X, y = np.round(rng.uniform(-3, 3, (5, widths[0])), 1), np.round(rng.uniform(-3, 3, 5), 1)
    loss = rw.LayerLoss(rw.ReLUNetwork.random(widths, seed=seed), X, y)
    regions = rw.enumerate_regions(loss, 2.0)
    minima = regions.local_minima()
    assert not [m.theta for m in inside(minima, 2.0) if falls(loss, m)]
    assert minima[0].loss == pytest.approx(regions.minimum().loss, rel=1e-9, abs=1e-9)
    for m in minima:
        assert m.loss == pytest.approx(loss(m.theta), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("exponent", [6, 9])
@pytest.mark.parametrize("seed", range(6))
def test_the_minimum_in_a_box_far_from_zero(exponent, seed):
    rng = np.random.default_rng(900000 + seed)
    X = np.round(10.0**exponent + rng.uniform(-3, 3, (7, 2)), 2)
    y = np.round(rng.uniform(-3, 3, 7), 2)
    loss = rw.LayerLoss(rw.ReLUNetwork([np.zeros((1, 2))], [[0.0]]), X, y)
    Z = np.column_stack([X, np.ones(7)])
    size = np.abs(Z).max(axis=0)
    least = linprog(
        np.r_[np.zeros(3), np.ones(14)],
        A_eq=np.hstack([Z / size, np.eye(7), -np.eye(7)]),
        b_eq=y,
        bounds=[(-10 * v, 10 * v) for v in size] + [(0, None)] * 14,
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    ).fun
    regions = rw.enumerate_regions(loss, 10.0)
    assert regions.minimum().loss == pytest.approx(least, rel=1e-4)
    assert len(regions.local_minima()) == 1  # the loss is convex
