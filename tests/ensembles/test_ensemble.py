"""Ensembles: their rows are those of single walks, whoever makes them."""

import pickle
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk._executors import Workers
from reluplex_walk._limits import Limits
from reluplex_walk.ended import Ended
from tests.problems.ensembles import LOSS, assert_same, problem, rounded, slopes


def test_rows_are_those_of_single_walks():
    found = rw.ensemble(LOSS, 25, proof="all")
    frame = found.frame()
    assert frame["seed"].tolist() == list(range(25))
    for row in frame.itertuples():
        traj = rw.walk(LOSS, seed=row.seed)
        assert (row.loss, row.status, row.pivots) == (traj.loss, traj.status.name, traj.n_pivots)
        assert row.theta.tobytes() == traj.theta.tobytes()
    assert found.ended is Ended.FINISHED
    assert found.loss == frame["loss"].min() == LOSS(found.theta) == found.best.loss


@pytest.mark.parametrize(
    "options", [{}, {"step": "long"}, {"plateau": "cross"}, {"rule": "random"}]
)
def test_what_is_proved_once_is_what_every_walk_proves(options):
    for loss, walks in ((LOSS, 12), (problem((1, 2, 1), 8, 3), 30), (problem((1, 1), 7, 1), 20)):
        once = rw.ensemble(loss, walks, **options)
        each = rw.ensemble(loss, walks, proof="all", **options)
        for a, b in zip(once._rows, each._rows, strict=True):
            assert (a.seed, a.status, a.reason, a.pivots) == (b.seed, b.status, b.reason, b.pivots)
            assert a.loss == pytest.approx(b.loss, rel=1e-12)
        assert sorted(once.minima().keys) == sorted(each.minima().keys)
        np.testing.assert_array_equal(once.minima().counts.sum(), each.minima().counts.sum())
        assert once.verify() == once.minima().proved.sum() == each.verify() > 0


@pytest.mark.parametrize("seed", range(1, 11))
def test_what_is_claimed_of_a_row_holds_at_its_point(seed):
    loss = rounded(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rw.RankWarning)
        found = rw.ensemble(loss, 15, step="long")
        for row in found._rows:
            if rw.WalkStatus[row.status].proved:
                assert rw.certify(loss, row.theta.reshape(loss.shape)).is_local_minimum
            traj = rw.walk(loss, seed=row.seed, step="long")
            assert row.loss <= traj.loss * (1 + 1e-9)
            assert rw.WalkStatus[row.status].proved or not traj.status.proved


class OddError(Exception):
    """Cannot be unpickled."""

    def __init__(self, one, two):
        super().__init__(one)


def _odd(traj):
    raise OddError("twelve", 2)


def test_errors_that_cannot_be_sent_say_what_they_are():
    with pytest.raises(RuntimeError, match="OddError: twelve"):
        rw.ensemble(LOSS, 3, executor=1, measures=_odd)


def test_names_of_columns_are_words(tmp_path):
    with pytest.raises(TypeError, match="measures: expected names of columns from <lambda>"):
        rw.ensemble(LOSS, 3, measures=lambda traj: {1: 2.0}, out=tmp_path)


def test_the_best_walk_has_its_proof():
    found = rw.ensemble(LOSS, 30, keep="trajectories")
    assert found.best.status.proved
    assert found.best.loss == found.loss
    assert found.lowest_key == found.minima().keys[0]


def test_without_proofs_nothing_is_claimed():
    found = rw.ensemble(LOSS, 20, proof="off")
    assert set(found.frame()["status"]) == {"NOT_PROVED"}
    minima = found.minima()
    assert not minima.proved.any()
    assert minima.certificate(0) is None
    assert found.verify() == 0


@pytest.mark.parametrize("executor", [1, 2])
def test_processes_change_nothing(serial, executor):
    assert_same(rw.ensemble(LOSS, 60, executor=executor, measures=[slopes]), serial)


def test_executors_change_nothing(serial, tmp_path):
    with ThreadPoolExecutor(2) as threads:
        assert_same(rw.ensemble(LOSS, 60, executor=threads, measures=[slopes]), serial)
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:
        folder = tmp_path / "rows"
        made = rw.ensemble(LOSS, 60, executor=processes, measures=[slopes], out=folder)
    assert_same(made, serial)
    assert_same(rw.Ensemble.load(folder), serial)


def test_a_cluster_changes_nothing(serial):
    distributed = pytest.importorskip("distributed")
    options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 50}
    with (
        distributed.LocalCluster(n_workers=2, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert_same(rw.ensemble(LOSS, 60, executor=client, measures=[slopes]), serial)


def test_notebook_functions_reach_the_workers():
    offset = 3.0
    found = rw.ensemble(
        LOSS, 4, executor=2, proof="off", measures=lambda traj: {"more": traj.loss + offset}
    )
    np.testing.assert_array_equal(found.figures["more"], found.losses + offset)


class Counted:
    """Counts how often it is unpickled, in a process."""

    made = 0

    def __setstate__(self, state):
        Counted.made += 1


def _number(shared, task, seconds):
    assert isinstance(shared, Counted)
    return 2 * task


def test_what_tasks_share_is_sent_once():
    Counted.made = 0
    shared = Counted()
    shared.some = 1  # a state
    with ThreadPoolExecutor(4) as threads, Workers(threads, _number, shared) as workers:
        found = dict(workers.run(iter(range(100)), Limits()))
    assert found == {k: 2 * k for k in range(100)}
    assert Counted.made == 1


def test_stop_when_little_is_unseen():
    small = problem((1, 1), 9, 2)  # convex: one end
    found = rw.ensemble(small, 1000, stop=0.05)
    assert (found.ended, len(found)) == (Ended.STOPPED, 100)
    told = []
    by_hand = rw.ensemble(small, 1000, stop=lambda p: told.append(p) or p.n_walks >= 300)
    assert (len(by_hand), [p.n_walks for p in told]) == (300, [100, 200, 300])
    with ThreadPoolExecutor(3) as threads:
        assert_same(rw.ensemble(small, 1000, stop=0.05, executor=threads), found)
    assert rw.ensemble(small, 150, stop=1e-9).ended is Ended.STOPPED  # none was met once
    assert rw.ensemble(problem(n=40), 120, stop=1e-9, proof="off").ended is Ended.FINISHED


def test_seeds_of_ones_own():
    found = rw.ensemble(LOSS, seeds=[100, 3, 41], proof="off")
    assert found.seeds.tolist() == [3, 41, 100]
    assert found.losses[1] == rw.walk(LOSS, seed=41, proof="off").loss
    assert rw.ensemble(LOSS, seeds=[2**63 - 1], proof="off").seeds[0] == 2**63 - 1


def test_walks_cut_short_are_no_minima():
    found = rw.ensemble(LOSS, 10, max_pivots=2)
    assert set(found.frame()["status"]) == {"PIVOT_LIMIT"}
    assert len(found.minima()) == 0
    assert found.frame()["key"].isna().all()
    assert len(found.losses) == 10


@pytest.mark.parametrize("folder", [False, True])
def test_trajectories_are_kept(tmp_path, folder):
    out = tmp_path / "rows" if folder else None
    found = rw.ensemble(LOSS, 8, keep="trajectories", proof="all", out=out)
    for traj, seed in zip(found.trajectories(), found.seeds, strict=True):
        again = rw.walk(LOSS, seed=int(seed))
        np.testing.assert_array_equal(traj.vertices, again.vertices)
        assert traj.verify().loss == again.verify().loss
    if folder:
        one = rw.Trajectory.load(out / "trajectories" / "000000003.npz")
        assert one.loss == found.losses[3]


def test_trajectories_that_were_not_kept_are_walked_again(serial):
    traj = serial.trajectory(11)
    assert traj.theta.tobytes() == serial.thetas[11].tobytes()
    with pytest.raises(ValueError, match="no walk of seed 60"):
        serial.trajectory(60)


def test_rows_are_plain_parquet(tmp_path):
    import pandas as pd

    found = rw.ensemble(LOSS, 60, out=tmp_path / "rows", measures=[slopes], proof="off")
    frame = pd.read_parquet(tmp_path / "rows" / "walks").sort_values("seed")
    assert {"seed", "loss", "status", "reason", "pivots", "seconds", "theta", "key"} <= set(frame)
    np.testing.assert_array_equal(frame["seed"], found.seeds)
    np.testing.assert_array_equal(frame["slope"], found.figures["slope"])
    assert frame["odd"].isna().sum() == np.isnan(found.figures["odd"]).sum() > 0


def test_to_xarray(serial):
    data = serial.to_xarray()
    assert data["theta"].dims == ("seed", "neuron", "input")
    np.testing.assert_array_equal(data["theta"], serial.thetas)
    assert float(data["loss"].min()) == serial.loss


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"walks": 0}, ValueError, "walks: expected an integer >= 1"),
        ({"seeds": [1, 1]}, ValueError, "seeds: expected each seed once"),
        ({"seeds": []}, ValueError, "seeds: expected at least one"),
        ({"seeds": [-1]}, ValueError, "seeds.0.: expected an integer"),
        ({"executor": "two"}, TypeError, "executor: expected None, a number"),
        ({"executor": 0}, ValueError, "executor: expected an integer >= 1"),
        ({"executor": True}, TypeError, "executor: expected None"),
        ({"keep": "all"}, ValueError, "keep: expected one of ends, trajectories"),
        ({"proof": "on"}, ValueError, "proof: expected one of distinct, all, off"),
        ({"stop": 2.0}, ValueError, "stop: expected a number in"),
        ({"stop": "soon"}, TypeError, "stop: expected a number in .0, 1. or a callable"),
        ({"resume": 1}, TypeError, "resume: expected True or False"),
        ({"callback": 3}, TypeError, "callback: expected a callable"),
        ({"time_limit": 0}, ValueError, "time_limit: expected a number > 0"),
        (
            {"measures": "speed"},
            ValueError,
            r"measures\[0\]: expected one of density, decay, level",
        ),
        ({"measures": [3]}, TypeError, r"measures\[0\]: expected a callable"),
        ({"measures": 3}, TypeError, "measures: expected a list"),
        ({"step": "short"}, ValueError, "step: expected one of"),
        ({"rule": "best"}, ValueError, "rule: expected one of"),
        ({"plateau": "go"}, ValueError, "plateau: expected one of"),
        ({"max_pivots": -1}, ValueError, "max_pivots: expected an integer >= 0"),
        ({"proof_budget": 0}, ValueError, "proof_budget: expected a number > 0"),
        ({"out": 3}, TypeError, "out: expected a path"),
    ],
)
def test_bad_arguments(options, error, message):
    with pytest.raises(error, match=message):
        rw.ensemble(LOSS, **options)
    with pytest.raises(TypeError, match="loss: expected a LayerLoss"):
        rw.ensemble(3)


def test_measures_may_not_take_a_column():
    def clash(traj):
        return {"loss": 1.0}

    with pytest.raises(ValueError, match="measures: clash gives the column 'loss'"):
        rw.ensemble(LOSS, 2, measures=clash)


def test_forged_proofs_are_found(tmp_path):
    found = rw.ensemble(LOSS, 10)
    row = found._rows[0]
    store = found._store
    rows = store._rows["proofs"]
    k = int(found.minima().seeds[0])
    other = next(each for each in rows.values() if each.key != rows[k].key)
    rows[k] = rows[k]._replace(certificate=other.certificate)
    with pytest.raises(ValueError, match="is about another point"):
        found.verify()
    rows[k] = rows[k]._replace(certificate=b"nothing")
    with pytest.raises(ValueError, match="damaged certificate"):
        found.verify()
    assert row.seed == 0


def test_in_a_thread_of_its_own():
    """Where Python tells of no Ctrl-C, the same rows are made."""
    made = []
    thread = threading.Thread(target=lambda: made.append(rw.ensemble(LOSS, 5)))
    thread.start()
    thread.join()
    assert_same(made[0], rw.ensemble(LOSS, 5))


def test_results_can_be_sent():
    found = rw.ensemble(LOSS, 5, measures=[slopes])
    again = pickle.loads(pickle.dumps(found))
    assert_same(again, found)
    assert pickle.loads(pickle.dumps(found.minima())).certificate(0).loss == (
        found.best.certificate.loss
    )
