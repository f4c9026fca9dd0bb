"""The assertions hold where they should, fail where they should, and say what differs."""

import dataclasses

import numpy as np
import pytest

import reluplex_walk as rw
from benchmarks._fuzz import KINDS, problem
from reluplex_walk.testing import assert_certified, assert_local_minimum, assert_same_walk


@pytest.fixture(scope="module")
def loss():
    data, teacher = rw.datasets.make_teacher(40, noise=0.5, seed=1)
    return rw.LayerLoss(teacher, data.X, data.y)


@pytest.fixture(scope="module")
def traj(loss):
    return rw.walk(loss, seed=0)


# ---------------------------------------------------------------- local minima


@pytest.mark.filterwarnings("ignore::reluplex_walk.RankWarning")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("fit", "box")])
def test_proved_ends_are_local_minima(kind):
    for seed in range(3):
        case = problem(kind, seed)
        traj = rw.walk(case.loss, case.start, **case.options)
        if traj.status.proved:
            assert_local_minimum(case.loss, traj.theta)


@pytest.mark.filterwarnings("ignore::reluplex_walk.RankWarning")
@pytest.mark.parametrize("kind", ["ordinary", "integers", "ties", "deep", "constant"])
def test_points_beside_them_pass_only_if_nothing_near_is_lower(kind):
    passed = 0
    for seed in range(6):
        case = problem(kind, seed)
        rng = np.random.default_rng(seed)
        theta = rw.walk(case.loss, case.start, **case.options).theta
        theta = theta + 1e-3 * np.abs(theta).max() * rng.normal(size=theta.shape)
        try:
            assert_local_minimum(case.loss, theta)
        except AssertionError:
            continue
        passed += 1
        here, size = case.loss(theta), 1e-7 * np.abs(theta).max()
        near = [case.loss(theta + size * rng.normal(size=theta.shape)) for _ in range(500)]
        assert min(near) >= here - 1e-9 * here
    assert passed < 6


def test_what_is_said_of_a_point_that_is_none(loss, traj):
    with pytest.raises(
        AssertionError, match=r"no local minimum: the loss there is 64\.7\d*, .* ends at 12\.9"
    ):
        assert_local_minimum(loss, traj.vertices[0])
    with pytest.raises(ValueError, match="theta: expected an array"):
        assert_local_minimum(loss, [1.0])
    with pytest.raises(TypeError, match="loss: expected a LayerLoss"):
        assert_local_minimum(traj, traj.theta)


def test_a_point_is_one_up_to_rounding(loss, traj):
    theta = traj.theta * (1 + 1e-14 * np.random.default_rng(0).normal(size=loss.shape))
    assert_local_minimum(loss, theta)
    assert_local_minimum(loss, theta.ravel())
    with pytest.raises(AssertionError):
        assert_local_minimum(loss, traj.theta * (1 + 1e-4))


# ---------------------------------------------------------------- certificates


def test_results_with_a_certificate(loss, traj):
    data = rw.datasets.load_engel()
    assert_certified(traj)
    assert_certified(traj.certificate, loss)
    assert_certified(rw.lad(data.X, data.y))
    assert_certified(rw.quantile(data.X, data.y, 0.9))
    assert_certified(rw.minimize(loss, max_walks=3))


def test_claims_that_do_not_hold(loss, traj):
    wrong = dataclasses.replace(traj, theta=traj.theta + 1.0)
    with pytest.raises(AssertionError, match=r"the claim of .* does not hold: theta"):
        assert_certified(wrong)
    forged = dataclasses.replace(traj.certificate, loss=traj.certificate.loss - 1, digest="")
    with pytest.raises(AssertionError, match="does not hold: loss"):
        assert_certified(forged, loss)
    fit = rw.lad([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 70.0])
    moved = dataclasses.replace(fit, coefficients=fit.coefficients + 1.0)
    with pytest.raises(AssertionError, match="does not hold: coefficients"):
        assert_certified(moved)


def test_nothing_claimed(loss):
    with pytest.raises(AssertionError, match="claims nothing: the walk stopped before its end"):
        assert_certified(rw.walk(loss, max_pivots=1))
    with pytest.raises(AssertionError, match="claims nothing"):
        assert_certified(rw.walk(loss, proof="off"))


def test_results_without_a_certificate(loss, traj):
    with pytest.raises(TypeError, match="result: expected one with a certificate, found float"):
        assert_certified(1.0)
    with pytest.raises(TypeError, match="loss: expected with a Certificate"):
        assert_certified(traj, loss)
    with pytest.raises(TypeError, match="loss: expected with a Certificate"):
        assert_certified(traj.certificate)


# ---------------------------------------------------------------- walks


def test_the_same_walk(loss, traj, tmp_path):
    assert_same_walk(rw.walk(loss, seed=0), traj)
    traj.save(tmp_path / "walk.npz")
    assert_same_walk(rw.Trajectory.load(tmp_path / "walk.npz"), traj)


def test_other_walks(loss, traj):
    with pytest.raises(AssertionError, match=r"same: active breakpoints at entry \d+ of"):
        assert_same_walk(rw.walk(loss, seed=0, rule="dantzig"), traj)
    with pytest.raises(AssertionError, match=r"n_pivots\n ACTUAL: 3\n DESIRED: \d+"):
        assert_same_walk(rw.walk(loss, seed=0, max_pivots=3), traj)
    with pytest.raises(AssertionError, match=r"status\n ACTUAL: PIVOT_LIMIT\n DESIRED: LOCAL"):
        assert_same_walk(rw.walk(loss, seed=0, max_pivots=3), traj, path=False)
    other = rw.LayerLoss(loss.network, loss.X, loss.y + 1.0)
    with pytest.raises(AssertionError, match="not the same: loss"):
        assert_same_walk(rw.walk(other, seed=0), traj)
    with pytest.raises(TypeError, match="desired: expected a Trajectory"):
        assert_same_walk(traj, loss)


def test_the_same_end_by_another_way(loss, traj):
    back = rw.walk(loss, traj.vertices[2])
    assert back.status is traj.status
    assert_same_walk(back, traj, path=False)
    with pytest.raises(AssertionError):
        assert_same_walk(back, traj)


def test_rounding_is_no_difference(traj):
    vertices = traj.vertices * (1 + 1e-13)
    assert_same_walk(dataclasses.replace(traj, vertices=vertices), traj)
    vertices = traj.vertices.copy()
    vertices[3, 0, 1] *= 1.001
    moved = dataclasses.replace(traj, vertices=vertices)
    with pytest.raises(AssertionError, match=r"parameters at entry 3, most at \(0, 1\)"):
        assert_same_walk(moved, traj)
