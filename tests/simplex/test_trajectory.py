"""Trajectory: files, summary; interrupted walks resumed bit for bit."""

import dataclasses
import os
import signal

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.simplex.summary import as_text
from tests.problems.random import random_loss, variant


def same(a, b):
    """Whether two trajectories are equal bit for bit, but for the time they took."""
    for name in ("losses", "vertices", "basis", "descending"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes(), name
    for name, value in vars(a.steps).items():
        assert value.tobytes() == getattr(b.steps, name).tobytes(), name
    assert a.status is b.status
    assert a.certificate.slopes.tobytes() == b.certificate.slopes.tobytes()
    return True


class StopAfter:
    """A callback that ends the walk once it has made enough pivots."""

    def __init__(self, pivots):
        self.pivots = pivots

    def __call__(self, progress):
        assert progress.loss >= 0
        assert progress.elapsed > 0
        if progress.n_pivots >= self.pivots:
            raise KeyboardInterrupt


@pytest.mark.parametrize("step", ["adjacent", "long"])
@pytest.mark.parametrize("rule", ["steepest", "greatest", "random"])
def test_resumed_walk_is_the_uninterrupted_one(rule, step):
    loss = random_loss([2, 10, 1], 60, 1)  # passes degenerate vertices
    whole = rw.walk(loss, step=step, rule=rule, seed=4)
    for pivots in (0, 1, 17, whole.n_pivots // 2, whole.n_pivots - 1):
        part = rw.walk(loss, step=step, rule=rule, seed=4, max_pivots=pivots)
        assert part.n_pivots == pivots
        assert part.status is rw.WalkStatus.PIVOT_LIMIT
        assert same(rw.walk(loss, resume=part), whole)


def test_resume_in_several_parts_and_through_files(tmp_path):
    loss = random_loss([4, 5, 4, 2, 1], 100, 2)
    whole = rw.walk(loss, seed=3)
    assert whole.n_pivots > 520
    part = rw.walk(loss, seed=3, callback=StopAfter(10))
    assert part.status is rw.WalkStatus.INTERRUPTED
    for k in (300, 310, 520):
        path = tmp_path / f"{k}.npz"
        part.save(path)
        part = rw.Trajectory.load(path)
        part = rw.walk(part.problem, resume=part, max_pivots=k)
        assert part.n_pivots == k
    assert same(rw.walk(loss, resume=part), whole)
    assert rw.walk(loss, resume=whole) is whole


def test_ctrl_c_keeps_what_was_found():
    loss = random_loss([4, 5, 4, 2, 1], 500, 2)
    whole = rw.walk(loss)
    before = signal.getsignal(signal.SIGINT)

    def interrupt(progress):
        os.kill(os.getpid(), signal.SIGINT)

    part = rw.walk(loss, callback=interrupt)
    assert part.status is rw.WalkStatus.INTERRUPTED
    assert 0 < part.n_pivots < whole.n_pivots
    assert signal.getsignal(signal.SIGINT) is before
    assert same(rw.walk(loss, resume=part), whole)


def test_resume_refuses_another_loss_and_a_start():
    loss = random_loss([2, 3, 1], 20, 0)
    part = rw.walk(loss, max_pivots=3)
    with pytest.raises(ValueError, match="another loss"):
        rw.walk(random_loss([2, 3, 1], 20, 1), resume=part)
    with pytest.raises(ValueError, match="start: expected None together with resume"):
        rw.walk(loss, start=loss.theta, resume=part)


def test_a_failing_callback_is_not_swallowed():
    def fail(progress):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        rw.walk(random_loss([2, 3, 1], 20, 0), callback=fail)


@pytest.mark.parametrize("case", range(9))
def test_save_and_load(tmp_path, case):
    traj = rw.walk(variant(case, 0), step="long", seed=2)
    path = tmp_path / "walk.npz"
    traj.save(path)
    loaded = rw.Trajectory.load(path)
    assert same(loaded, traj)
    assert loaded.problem.fingerprint == traj.problem.fingerprint
    assert loaded.options == traj.options
    assert loaded.network == traj.network
    for name, value in traj.certificate.to_arrays().items():
        np.testing.assert_array_equal(loaded.certificate.to_arrays()[name], value)
    assert loaded.summary() == traj.summary()
    with pytest.raises(FileExistsError, match="force"):
        traj.save(path)


def test_damaged_and_other_files(tmp_path):
    traj = rw.walk(random_loss([2, 3, 1], 20, 0), max_pivots=3)
    path = tmp_path / "walk.npz"
    traj.network.save(path)
    with pytest.raises(ValueError, match="expected a reluplex_walk trajectory file"):
        rw.Trajectory.load(path)
    traj.save(path, force=True)
    with np.load(path) as archive:
        arrays = dict(archive)
    del arrays["vertices"]
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="damaged"):
        rw.Trajectory.load(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="expected a reluplex_walk trajectory file"):
        rw.Trajectory.load(path)


def test_adjacent_walk_loses_what_its_slopes_say():
    traj = rw.walk(random_loss([2, 3, 2, 1], 30, 1))
    falls = -traj.steps.slope * traj.steps.length
    np.testing.assert_allclose(-np.diff(traj.losses), falls, rtol=1e-6, atol=1e-10)


def test_summary_and_repr():
    traj = rw.walk(random_loss([2, 3, 1], 20, 0))
    text = traj.summary()
    assert traj.status.name in text
    assert f"{traj.loss:.10g}" in text
    assert traj.status.name in repr(traj)
    assert "vertex" in repr(traj.certificate)
    with pytest.raises(dataclasses.FrozenInstanceError):
        traj.status = None


def test_neurons_that_are_off_for_every_sample_are_said():
    loss = random_loss([2, 3, 1], 20, 0)
    theta = np.column_stack([np.zeros((3, 2)), -np.ones(3)])
    traj = rw.walk(loss, start=theta)
    assert traj.dead_neurons.tolist() == [0, 1, 2]
    assert "3 of 3 neurons are off for every sample" in traj.summary()
    assert "3 of 3 neurons are off for every sample" in repr(traj)
    assert traj.summary_dict()["dead_neurons"] == 3
    theta[1] = 1.0, 0.0, 0.1
    some = rw.walk(loss, start=theta)
    assert {0, 2} <= set(some.dead_neurons.tolist())
    assert "neurons are off" in some.summary()


@pytest.mark.parametrize("case", range(10))
def test_dead_neurons_are_those_that_add_nothing(case):
    loss = variant(case, 1)
    traj = rw.walk(loss, seed=2)
    without = traj.theta.copy()
    without[traj.dead_neurons] = 0.0
    assert loss(without) == pytest.approx(traj.loss, rel=1e-9, abs=1e-9)
    if loss.n_hidden == 0 or loss.network.negative_slope:
        assert not len(traj.dead_neurons)


def test_descending_half_edges_of_one_basis_are_explained():
    loss = random_loss([2, 3, 1], 20, 0)
    traj = rw.walk(loss)
    assert "note" not in traj.summary()
    end = {**traj.summary_dict(), "tied": 2, "smallest_slope": -0.5}
    assert "the proof looks at all of them" in as_text(end, 0.5)
    end = {**end, "smallest_slope": 0.0, "descending": 1, "status": "NOT_PROVED"}
    assert "alone it decides nothing" in as_text(end, 0.5)


@pytest.mark.parametrize("seed", range(12))
def test_no_slope_contradicts_a_proof(seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, (14, 2)).astype(float)
    net = rw.ReLUNetwork.random([2, 3, 1], seed=seed)
    loss = rw.LayerLoss(net, X, rng.integers(-2, 3, 14).astype(float))
    traj = rw.walk(loss, seed=seed, proof_budget=1.0)
    if traj.status.proved:  # at most of these ends more breakpoints vanish than a basis holds
        assert traj.certificate.smallest_slope >= 0.0
        assert traj.descending[-1] == 0


def test_network_has_the_end_in_place():
    loss = random_loss([2, 3, 3, 1], 20, 0, layer=1)
    traj = rw.walk(loss)
    assert np.abs(traj.network(loss.X) - loss.y).sum() == pytest.approx(traj.loss, rel=1e-12)
    np.testing.assert_array_equal(traj.network.layer_parameters(1), traj.theta)
    np.testing.assert_array_equal(traj.network.weights[0], loss.network.weights[0])
