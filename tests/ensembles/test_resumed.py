"""Ensembles that are stopped, killed or resumed: nothing is lost or made twice; their folders."""

import os
import shutil
import signal
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk._executors import Workers
from reluplex_walk._limits import Limits
from reluplex_walk.ended import Ended
from tests.problems.ensembles import LOSS, assert_same, problem, rounded, slopes


def _stop_after(count):
    told = []

    def callback(progress):
        told.append(progress)
        if progress.n_walks >= count:
            raise StopIteration

    return callback


@pytest.mark.parametrize("executor", [None, 2])
@pytest.mark.parametrize("after", [1, 17, 60])
def test_resumed_rows_are_those_of_one_run(serial, tmp_path, executor, after):
    options = {"out": tmp_path / "rows", "measures": [slopes], "executor": executor}
    part = rw.ensemble(LOSS, 60, callback=_stop_after(after), **options)
    assert part.ended is Ended.INTERRUPTED
    assert after <= len(part) <= 60
    assert rw.Ensemble.load(tmp_path / "rows").ended is Ended.INTERRUPTED
    told = []
    whole = rw.ensemble(LOSS, 60, callback=told.append, **options)
    assert whole.ended is Ended.FINISHED
    assert_same(whole, serial)
    assert_same(rw.Ensemble.load(tmp_path / "rows"), serial)
    seeds = [row.seed for row in whole._store.rows("walks")]
    assert sorted(seeds) == list(range(60))  # none lost, none made twice
    assert all(progress.n_walks > len(part) or after == 60 for progress in told)


def test_more_walks_later(serial, tmp_path):
    for walks in (10, 35, 60):
        found = rw.ensemble(LOSS, walks, out=tmp_path / "rows", measures=[slopes])
        assert len(found) == walks
    assert_same(found, serial)
    fewer = rw.ensemble(LOSS, 20, out=tmp_path / "rows", measures=[slopes])
    assert_same(fewer, rw.ensemble(LOSS, 20, measures=[slopes]))


def test_rows_do_not_depend_on_earlier_runs(tmp_path):
    """Nor on those of more, fewer or other walks."""
    for loss in (LOSS, rounded(3)):
        folder = tmp_path / str(loss.network.widths)
        for seeds in (range(10, 20), range(20), [5, 17, 3]):
            found = rw.ensemble(loss, seeds=seeds, step="long", out=folder)
            assert_same(found, rw.ensemble(loss, seeds=sorted(seeds), step="long"))


def test_how_a_folder_ended(tmp_path):
    rw.ensemble(LOSS, 20, out=tmp_path, callback=_stop_after(10))
    rw.ensemble(LOSS, 5, out=tmp_path)
    again = rw.Ensemble.load(tmp_path)  # of which five are proved
    assert (again.ended, len(again)) == (Ended.INTERRUPTED, 10)
    assert rw.ensemble(LOSS, 10, out=tmp_path).ended is Ended.FINISHED
    assert rw.Ensemble.load(tmp_path).ended is Ended.FINISHED


def test_a_folder_that_is_gone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = rw.ensemble(LOSS, 5, out="rows")
    monkeypatch.chdir("/")
    assert len(found) == 5
    other = rw.Ensemble.load(tmp_path / "rows")
    shutil.rmtree(tmp_path / "rows")
    with pytest.raises(FileNotFoundError, match="no ensemble in"):
        len(other)


def test_a_time_limit_and_what_comes_after(tmp_path):
    part = rw.ensemble(problem((4, 8, 4, 1), 100), 50, time_limit=0.3, out=tmp_path)
    assert part.ended is Ended.TIME_LIMIT
    assert len(part) < 50
    none = rw.ensemble(LOSS, 5, time_limit=1e-9)
    assert (len(none), none.ended, len(none.minima())) == (0, Ended.TIME_LIMIT, 0)
    assert none.unseen().share_high == 1.0
    with pytest.raises(ValueError, match="no walk was made"):
        _ = none.loss


def test_ctrl_c_leaves_what_was_made():
    def strike(progress):
        if progress.n_walks == 5:
            signal.raise_signal(signal.SIGINT)

    found = rw.ensemble(LOSS, 50, callback=strike)
    assert (found.ended, len(found)) == (Ended.INTERRUPTED, 5)
    assert_same(found, rw.ensemble(LOSS, 5, proof="off"))  # the proofs would have come later


def _dies_once(traj, flag):
    """Kills its process at one walk, unless another one was killed before."""
    if traj.options.seed == 7 and not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {}


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.filterwarnings("ignore:A worker stopped:UserWarning")
def test_a_worker_that_dies_is_replaced(tmp_path):
    flag = str(tmp_path / "flag")
    found = rw.ensemble(
        LOSS, 60, executor=2, proof="off", measures=lambda traj: _dies_once(traj, flag)
    )
    assert Path(flag).exists()
    assert_same(found, rw.ensemble(LOSS, 60, proof="off"))


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_workers_that_are_not_replaced(tmp_path):
    flag, folder = str(tmp_path / "flag"), tmp_path / "rows"
    measure = {"proof": "off", "measures": lambda traj: _dies_once(traj, flag), "out": folder}
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as pool,
        pytest.raises(RuntimeError, match="executor: one of its processes died"),
    ):
        rw.ensemble(LOSS, 60, executor=pool, **measure)
    found = rw.ensemble(LOSS, 60, **measure)  # the flag is there: it goes on
    assert_same(found, rw.ensemble(LOSS, 60, proof="off"))


def _always_dies(shared, task, seconds):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.filterwarnings("ignore:A worker stopped:UserWarning")
def test_workers_that_always_die():
    with (
        Workers(1, _always_dies, None) as workers,
        pytest.raises(RuntimeError, match="workers die without doing a task"),
    ):
        list(workers.run([1, 2], Limits()))


def _fails_at_nine(traj):
    if traj.options.seed == 9:
        raise ZeroDivisionError("nine")
    return {}


@pytest.mark.parametrize("executor", [None, 2])
def test_an_error_in_a_measure_comes_out_and_loses_nothing(tmp_path, executor):
    with pytest.raises(ZeroDivisionError, match="nine"):
        rw.ensemble(LOSS, 20, executor=executor, out=tmp_path, measures=_fails_at_nine)
    made = rw.Ensemble.load(tmp_path)
    assert 9 not in made.seeds
    if executor is None:
        assert made.seeds.tolist() == list(range(9))


def test_two_writers(tmp_path):
    with pytest.raises(RuntimeError, match="out: another process writes to"):
        rw.ensemble(
            LOSS, 5, out=tmp_path, callback=lambda progress: rw.ensemble(LOSS, 5, out=tmp_path)
        )
    assert len(rw.ensemble(LOSS, 5, out=tmp_path)) == 5  # the lock is gone


def _scaled(traj, factor):
    return {"scaled": factor * traj.loss}


def test_a_folder_knows_its_measures_again(tmp_path):
    twice, thrice = (partial(_scaled, factor=factor) for factor in (2.0, 3.0))
    rw.ensemble(LOSS, 2, out=tmp_path, measures=twice, proof="off")
    found = rw.ensemble(LOSS, 3, out=tmp_path, measures=twice, proof="off")
    np.testing.assert_array_equal(found.figures["scaled"], 2.0 * found.losses)
    with pytest.raises(ValueError, match=r"another measures: .*_scaled.factor=3.0"):
        rw.ensemble(LOSS, 3, out=tmp_path, measures=thrice, proof="off")


def test_folders_of_something_else(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError, match=r"out: .* is a file"):
        rw.ensemble(LOSS, 2, out=tmp_path / "file")
    with pytest.raises(FileExistsError, match=r"out: .* holds other files"):
        rw.ensemble(LOSS, 2, out=tmp_path)
    folder = tmp_path / "rows"
    rw.ensemble(LOSS, 2, out=folder)
    with pytest.raises(FileExistsError, match="holds an ensemble; give resume=True"):
        rw.ensemble(LOSS, 2, out=folder, resume=False)
    with pytest.raises(ValueError, match="an ensemble of another loss"):
        rw.ensemble(problem(seed=5), 2, out=folder)
    with pytest.raises(ValueError, match="an ensemble with another options"):
        rw.ensemble(LOSS, 2, out=folder, step="long")
    with pytest.raises(FileNotFoundError, match="no ensemble in"):
        rw.Ensemble.load(tmp_path / "nowhere")
    part = next((folder / "walks").iterdir())
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(ValueError, match="damaged rows"):
        len(rw.Ensemble.load(folder))
    (folder / "ensemble.json").write_text("{")
    with pytest.raises(ValueError, match="damaged ensemble"):
        rw.Ensemble.load(folder)


def test_a_folder_whose_maker_was_killed_at_once(tmp_path):
    (tmp_path / "walks").mkdir()
    (tmp_path / ".lock").touch()
    assert len(rw.ensemble(LOSS, 3, out=tmp_path)) == 3
