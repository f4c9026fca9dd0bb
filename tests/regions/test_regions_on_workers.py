"""`enumerate_regions` on the workers of an executor: the same regions in the same order."""

import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.regions import workers
from tests.problems.executors import Here, Uneven
from tests.problems.random import random_loss
from tests.regions.test_regions import check, same

pytest.importorskip("threadpoolctl")


@pytest.fixture
def short_slices(monkeypatch):
    """A slice is one chunk of regions."""
    monkeypatch.setattr(workers, "_SLICE", 0.0)


def tied():
    """Samples of whole numbers, some of them twice."""
    X = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0], [2.0, 1.0]]
    return rw.LayerLoss(rw.ReLUNetwork.random([2, 2, 1], seed=0), X, [0.0, 1.0, 1.0, 0.0, 0.0, 1.0])


def far():
    """Inputs of a million, which differ by units: corners of a box need exact coordinates."""
    rng = np.random.default_rng(1)
    X, y = np.round(1e6 + rng.uniform(-3, 3, (7, 2)), 2), np.round(rng.uniform(-3, 3, 7), 2)
    loss = rw.LayerLoss(rw.ReLUNetwork([np.zeros((1, 2))], [[0.0]]), X, y)
    assert not loss.units.trivial
    return loss


@pytest.mark.parametrize(
    ("loss", "box"),
    [
        (random_loss([2, 2, 1], 5, 0), None),
        (random_loss([1, 2, 2, 1], 5, 0, negative_slope=0.1), 2.0),
        (random_loss([1, 3, 1], 4, 1), None),
        (random_loss([1, 1], 4, 0), None),
        (random_loss([1, 1], 3, 0), 1e-6),  # one region
        (tied(), None),
        (tied(), 3.0),
        (far(), 5.0),
    ],
)
def test_workers_change_nothing(loss, box, short_slices):
    one = rw.enumerate_regions(loss, box)
    several = rw.enumerate_regions(loss, box, executor=Here())
    assert same(one, several)
    assert several.complete
    for most in {1, len(one) // 2 or 1, max(1, len(one) - 1), len(one)}:
        part = rw.enumerate_regions(loss, box, most, executor=Here())
        assert same(part, rw.enumerate_regions(loss, box, most))
        assert part.complete == (most == len(one))


def test_every_executor_finds_the_same(short_slices):
    pytest.importorskip("loky")
    loss = random_loss([2, 2, 1], 7, 0)  # chunks are handed on
    one = rw.enumerate_regions(loss)
    for executor in (1, 2):
        assert same(rw.enumerate_regions(loss, executor=executor), one)
    with Uneven(4) as pool:
        assert same(rw.enumerate_regions(loss, executor=pool), one)


def test_a_cluster_finds_the_same():
    distributed = pytest.importorskip("distributed")
    loss = random_loss([2, 2, 1], 5, 0)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        cluster.get_client() as client,
    ):
        assert same(rw.enumerate_regions(loss, executor=client), rw.enumerate_regions(loss))


def test_the_result_is_the_same_wherever_slices_end(short_slices, monkeypatch):
    """The chunks of one subtree, each in a task of its own."""
    monkeypatch.setattr(workers, "_PER_WORKER", 0)
    loss = random_loss([2, 2, 1], 7, 0)  # 8,931 regions, several chunks in most subtrees
    slices = []
    explore = workers.explore_some

    def counted(shared, task, seconds):
        chunks, left = explore(shared, task, seconds)
        slices.append((task[0], len(chunks), len(left)))
        return chunks, left

    monkeypatch.setattr("reluplex_walk.regions.enumeration.explore_some", counted)
    with ThreadPoolExecutor(2) as pool:
        assert same(rw.enumerate_regions(loss, executor=pool), rw.enumerate_regions(loss))
    assert len(slices) > 60
    assert {chunks for _, chunks, _ in slices} <= {0, 1}
    assert any(left > 1 for _, _, left in slices)


def test_limits(short_slices):
    loss = random_loss([2, 2, 1], 7, 0)
    part = rw.enumerate_regions(loss, time_limit=1e-6, executor=Here())
    assert (part.complete, part.message) == (False, "stopped at time_limit")
    told = []
    whole = rw.enumerate_regions(loss, callback=told.append, executor=Here())
    found = [progress.n_regions for progress in told]
    assert found == sorted(found)
    assert found[-1] == len(whole)

    def interrupt(progress):
        signal.raise_signal(signal.SIGINT)  # Ctrl-C

    part = rw.enumerate_regions(loss, callback=interrupt, executor=Here())
    assert (part.complete, part.message) == (False, "interrupted")
    assert 0 < len(part) < len(whole)
    check(part)

    def fail(progress):
        raise RuntimeError("of the callback")

    with pytest.raises(RuntimeError, match="of the callback"):
        rw.enumerate_regions(loss, callback=fail, executor=Here())


def test_time_limit_keeps_what_workers_have_found():
    loss = random_loss([2, 2, 2, 1], 30, 0)  # more regions than can be found
    with ThreadPoolExecutor(2) as pool:
        part = rw.enumerate_regions(loss, time_limit=2.0, executor=pool)
    assert (part.complete, part.message) == (False, "stopped at time_limit")
    assert len(part) > 0


def test_bad_input():
    loss = random_loss([1, 2, 1], 5, 0)
    with pytest.raises(ValueError, match="threads: expected 1 where executor is given, found 2"):
        rw.enumerate_regions(loss, threads=2, executor=2)
    with pytest.raises(TypeError, match="executor: expected"):
        rw.enumerate_regions(loss, executor="two")
    with pytest.raises(ValueError, match="executor: expected an integer >= 1"):
        rw.enumerate_regions(loss, executor=0)
