"""Data far from unit size: the same minimum in any unit, or no claim at all."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.problem.scaling import Units

ENGEL = 17559.932647626


@pytest.mark.parametrize("power", [1e-30, 1e-15, 1e-12, 1e-6, 1e-3, 1e3, 1e6, 1e9, 1e12, 1e60])
def test_scaled_inputs(power):
    data = rw.datasets.load_engel()
    loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), power * data.X, data.y)
    traj = rw.walk(loss)
    assert traj.status is rw.WalkStatus.GLOBAL_MINIMUM
    assert traj.loss == pytest.approx(ENGEL, rel=1e-12)
    assert loss(traj.theta) == pytest.approx(ENGEL, rel=1e-12)


@pytest.mark.parametrize("power", [1e-30, 1e-12, 1e6, 1e12, 1e30])
def test_scaled_targets(power):
    data = rw.datasets.load_engel()
    traj = rw.walk(rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), data.X, power * data.y))
    assert traj.status is rw.WalkStatus.GLOBAL_MINIMUM
    assert traj.loss == pytest.approx(power * ENGEL, rel=1e-11)


@pytest.mark.parametrize(
    ("shift", "digits"), [(1e3, 1e-12), (1e6, 1e-10), (1e8, 1e-8), (1.7e9, 1e-6)]
)
def test_shifted_inputs(shift, digits):
    # Adding the shift rounds the data: the minimum itself changes by that much.
    data = rw.datasets.load_engel()
    traj = rw.walk(rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), shift + data.X, data.y))
    assert traj.status is rw.WalkStatus.GLOBAL_MINIMUM
    assert traj.loss == pytest.approx(ENGEL, rel=digits)


def test_units_lose_no_digit():
    rng = np.random.default_rng(0)
    stamps = np.floor(1.7e9 + 1e5 * rng.random(20))
    x = np.column_stack([stamps, 1e-9 * rng.random(20), rng.random(20), 1e12 * rng.random(20)])
    units = Units.of(x)
    inner = units.inner_inputs(x)
    np.testing.assert_array_equal(inner * units.scale + units.centre, x)
    assert not units.trivial
    assert np.abs(inner).max() < 2.0**17
    theta = rng.normal(size=(3, 5))
    values = inner @ theta[:, :-1].T + theta[:, -1]
    outer = units.outer(theta)
    np.testing.assert_allclose(x @ outer[:, :-1].T + outer[:, -1], values, rtol=1e-9, atol=1e-4)
    np.testing.assert_allclose(units.inner(outer), theta, rtol=1e-6, atol=1e-6)
    assert Units.of(rng.uniform(-3, 3, (20, 2))).trivial


def test_one_outlier_does_not_hide_the_rest():
    rng = np.random.default_rng(0)
    X, y = rng.uniform(-3, 3, (20, 3)), rng.uniform(-3, 3, 20)
    X[:, 2], y[0] = 0.0, 1e13
    X[0, 2] = 1.0  # only the outlier's own column: it is fitted exactly
    whole = rw.walk(rw.LayerLoss(rw.ReLUNetwork.random([3, 1]), X, y))
    rest = rw.walk(rw.LayerLoss(rw.ReLUNetwork.random([2, 1]), X[1:, :2], y[1:]))
    assert whole.status is rw.WalkStatus.GLOBAL_MINIMUM
    # Rounding the outlier's own weight costs up to 1e13 2^-53.
    assert float(whole.certificate.loss) == pytest.approx(rest.loss, rel=1e-9)
    assert whole.loss == pytest.approx(rest.loss, abs=2e-3)


@pytest.mark.parametrize("size", [1e6, 1e8, 1e10, 1e12])
def test_no_claim_that_theta_does_not_keep(size):
    rng = np.random.default_rng(0)
    X, y = rng.uniform(-3, 3, (20, 3)), rng.uniform(-3, 3, 20)
    X[3] *= size
    for seed in range(3):
        loss = rw.LayerLoss(rw.ReLUNetwork.random([3, 4, 1], seed=seed), X, y)
        traj = rw.walk(loss, max_pivots=3000)
        if traj.status.proved:
            assert traj.loss == pytest.approx(loss(traj.theta), rel=2e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": [[1e101]]}, r"X: expected numbers up to 1e\+100 in size, found 1e\+101"),
        ({"y": [-1e200]}, "y: expected numbers up to"),
        ({"sample_weight": [1e160]}, "sample_weight: expected numbers up to"),
        ({"sample_weight": [1e-160]}, "sample_weight: expected 0 or numbers from"),
    ],
)
def test_sizes_that_would_overflow(change, message):
    arguments = {"X": [[1.0]], "y": [1.0], **change}
    with pytest.raises(ValueError, match=message):
        rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), **arguments)
