"""`minimize` on the workers of an executor: who makes a walk decides nothing."""

import signal
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.optimize import rounds
from tests.problems.executors import Here, Uneven
from tests.problems.random import VARIANTS, random_loss, variant

pytest.importorskip("threadpoolctl")


def same(a, b):
    """Whether two searches agree bit for bit, but for seconds."""
    names = ("thetas", "levels", "proved", "losses", "theta")
    return a.status == b.status and all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in names
    )


@pytest.mark.parametrize("case", range(len(VARIANTS)))
def test_proved_ends_of_all_kinds_of_losses(case):
    loss = variant(case, 3)
    found = rw.minimize(loss, max_walks=12, seed=1, executor=Here())
    assert found.best.certificate.is_local_minimum
    found.best.verify()
    assert found.loss <= found.losses[0] + 1e-9
    assert loss(found.theta) == pytest.approx(found.loss, rel=1e-12, abs=1e-12)
    with ThreadPoolExecutor(2) as pool:
        assert same(rw.minimize(loss, max_walks=12, seed=1, executor=pool), found)


def test_every_executor_finds_the_same():
    pytest.importorskip("loky")
    loss = random_loss([2, 4, 1], 30, 1)
    one = rw.minimize(loss, max_walks=20, seed=3, executor=1)
    assert len(one.losses) == 20
    assert same(rw.minimize(loss, max_walks=20, seed=3, executor=2), one)
    with Uneven(4) as pool:
        assert same(rw.minimize(loss, max_walks=20, seed=3, executor=pool), one)
    with ProcessPoolExecutor(1) as pool:
        assert same(rw.minimize(loss, max_walks=20, seed=3, executor=pool), one)
    # More walks go on where fewer stopped, and the seed matters.
    fewer = rw.minimize(loss, max_walks=10, seed=3, executor=Here())
    assert np.array_equal(fewer.losses, one.losses[:10])
    assert not same(rw.minimize(loss, max_walks=20, seed=4, executor=Here()), one)


def test_a_cluster_finds_the_same():
    distributed = pytest.importorskip("distributed")
    loss = random_loss([2, 4, 1], 30, 1)
    here = rw.minimize(loss, max_walks=12, executor=Here())
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        cluster.get_client() as client,
    ):
        assert same(rw.minimize(loss, max_walks=12, executor=client), here)


def test_rounds_have_eight_walks_whatever_the_executor(monkeypatch):
    drawn = []
    start = rounds.Search.start

    def noted(self, number):
        drawn.append((number, len(self.losses)))
        return start(self, number)

    monkeypatch.setattr(rounds.Search, "start", noted)
    rw.minimize(random_loss([2, 3, 1], 15, 0), max_walks=20, executor=Here())
    assert drawn == [(k, 8 * (k // 8)) for k in range(20)]


def test_what_comes_back_is_small():
    loss = random_loss([4, 12, 1], 150, 0)
    best = rw.minimize(loss, max_walks=9, executor=Here(), proof_budget=1e-9).best
    assert best.n_pivots <= 16  # those beyond its last checkpoint
    whole = rw.walk(loss, seed=0, step="long", proof="off")
    assert whole.n_pivots > 100
    assert loss(best.vertices[-1]) == pytest.approx(best.loss)


def test_the_callback_is_told_in_order_and_may_stop_it():
    loss, told = random_loss([3, 4, 1], 40, 1), []
    with Uneven(4) as pool:
        found = rw.minimize(loss, max_walks=12, executor=pool, callback=told.append)
    assert [progress.n_walks for progress in told] == list(range(1, 13))
    assert [progress.loss for progress in told] == np.minimum.accumulate(found.losses).tolist()

    def stop(progress):
        if progress.n_walks == 11:
            raise StopIteration

    stopped = rw.minimize(loss, max_walks=50, executor=Here(), callback=stop)
    assert stopped.status == "interrupted"
    assert stopped.losses.tolist() == found.losses[:11].tolist()


@pytest.mark.parametrize(("number", "made"), [(9, 8), (3, 1)])
def test_interrupt_keeps_what_was_found(monkeypatch, number, made):
    start = rounds.Search.start

    def interrupted(self, at):
        if at == number:
            signal.raise_signal(signal.SIGINT)
        return start(self, at)

    monkeypatch.setattr(rounds.Search, "start", interrupted)
    found = rw.minimize(random_loss([3, 4, 1], 40, 1), max_walks=50, executor=Here())
    assert found.status == "interrupted"
    assert len(found.losses) == made  # whole rounds, or what there is time for
    assert found.loss <= found.losses.max()


def test_walks_longer_than_the_time_limit_are_cut_short():
    loss = random_loss([8, 30, 1], 800, 1)
    found = rw.minimize(loss, 1.0, executor=Here())
    assert found.status == "time_limit"
    assert found.best.status is rw.WalkStatus.TIME_LIMIT
    assert found.loss < loss(loss.random_start(0))
    assert len(found.levels) == 0


def test_no_worker_in_time():
    class Never(Here):
        def submit(self, function, /, *args, **kwargs):
            return Future()

    loss = random_loss([8, 30, 1], 800, 1)
    found = rw.minimize(loss, 0.1, executor=Never())
    assert found.status == "time_limit"
    assert len(found.losses) == 1
    assert len(found.levels) == 0


def test_time_limit_leaves_time_for_a_proof():
    found = rw.minimize(random_loss([4, 5, 4, 2, 1], 100, 1), 1.0, executor=Here())
    assert found.status == "time_limit"
    assert found.best.status.proved


def test_a_global_minimum_ends_it():
    found = rw.minimize(random_loss([3, 1], 20, 0), max_walks=50, executor=Here())
    assert found.status == "global_minimum"
    assert len(found.losses) == 1


@pytest.mark.parametrize("executor", ["two", 1.5, object(), rw])
def test_not_an_executor(executor):
    with pytest.raises(TypeError, match="executor: expected"):
        rw.minimize(random_loss([2, 3, 1], 10, 0), max_walks=1, executor=executor)


def test_no_process():
    with pytest.raises(ValueError, match="executor: expected an integer >= 1"):
        rw.minimize(random_loss([2, 3, 1], 10, 0), max_walks=1, executor=0)


def test_walks_that_came_before_a_slow_one_are_kept(monkeypatch):
    def run(self, tasks, limits):
        for task in list(tasks)[1:]:  # the first one is still on its way at the time limit
            yield task, self.function(self.shared, task, None)
        limits.seconds = 0.0

    monkeypatch.setattr(rounds.Workers, "run", run)
    loss = random_loss([2, 4, 1], 30, 1)
    found = rw.minimize(loss, time_limit=60.0, seed=3, executor=Here())
    assert found.ended is rw.Ended.TIME_LIMIT
    assert len(found.losses) == 7
    assert found.loss == min(found.losses)
