"""What ends long work early: `Limits`, Ctrl-C in every long function, `Ended` on every result."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk._limits import Limits
from reluplex_walk.optimize import global_minimum as global_module
from reluplex_walk.optimize.objective import Objective
from reluplex_walk.regions import plane
from reluplex_walk.regression import fitting, solver
from tests.problems.random import random_loss
from tests.simplex.test_trajectory import same


@pytest.fixture(autouse=True)
def handler_restored():
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def ctrl_c():
    signal.raise_signal(signal.SIGINT)


def pressing(function, at=1):
    """`function`, with Ctrl-C before call number `at`."""
    calls = []

    def called(*arguments, **options):
        calls.append(1)
        if len(calls) == at:
            ctrl_c()
        return function(*arguments, **options)

    return called


# ---------------------------------------------------------------- Limits


def test_each_limit_is_a_reason():
    assert Limits().look(10**9) is None
    assert Limits(work=3).look(2) is None
    assert Limits(work=3).look(3) is rw.Ended.WORK_LIMIT
    assert Limits(seconds=0.0).look() is rw.Ended.TIME_LIMIT
    assert Limits(seconds=100.0).look() is None
    assert Limits(seconds=0.0).left == 0.0
    assert Limits().left == np.inf
    assert 0.0 <= Limits().elapsed < 1.0


@pytest.mark.parametrize("error", [StopIteration, KeyboardInterrupt])
def test_the_callback_is_told_and_may_stop(error):
    told = []

    def callback(progress):
        told.append(progress)
        if progress == 2:
            raise error

    limits = Limits(work=5, callback=callback)
    assert limits.look(1, 1) is None
    assert limits.look(1) is None  # nothing to tell
    assert limits.look(9, 2) is rw.Ended.INTERRUPTED
    assert told == [1, 2]


def test_an_error_of_the_callback_comes_out():
    def fail(progress):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), Limits(callback=fail) as limits:
        limits.look(0, 1)


def test_ctrl_c_is_noted_and_a_second_one_raises():
    with Limits() as limits:
        ctrl_c()
        assert limits.look() is rw.Ended.INTERRUPTED
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()
    with Limits() as limits:  # the next work starts afresh
        assert limits.look() is None


def test_blocks_within_blocks_see_the_same_ctrl_c():
    with Limits() as outer:
        handler = signal.getsignal(signal.SIGINT)
        with Limits(seconds=100.0) as inner:
            assert signal.getsignal(signal.SIGINT) is handler
            ctrl_c()
            assert inner.look() is rw.Ended.INTERRUPTED
        assert signal.getsignal(signal.SIGINT) is handler
        assert outer.look() is rw.Ended.INTERRUPTED
        with Limits() as later:
            assert later.interrupted
        inner.pass_on()  # the outer one has seen it
    with pytest.raises(KeyboardInterrupt):
        outer.pass_on()


def test_other_threads_leave_the_handler_alone():
    before = signal.getsignal(signal.SIGINT)

    def work():
        with Limits(work=1) as limits:
            assert threading.current_thread() is not threading.main_thread()
            assert signal.getsignal(signal.SIGINT) is before
            return limits.look(1)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() is rw.Ended.WORK_LIMIT


# ---------------------------------------------------------------- Ended on every result


def test_every_reason_has_words_and_advice():
    for ended in rw.Ended:
        assert ended.message
        assert ended.advice
        assert ended.name in rw.Ended.__doc__
    assert [ended for ended in rw.Ended if not ended.early] == [
        rw.Ended.FINISHED,
        rw.Ended.PRECISION,
        rw.Ended.DIVERGED,
    ]


def test_walk():
    loss = random_loss([3, 5, 3, 1], 60, 1)
    whole = rw.walk(loss, step="long")
    assert whole.ended is rw.Ended.FINISHED
    assert whole.summary_dict()["ended"] == "FINISHED"
    assert rw.walk(loss, max_pivots=4).ended is rw.Ended.WORK_LIMIT
    assert rw.walk(loss, time_limit=1e-9).ended is rw.Ended.TIME_LIMIT
    assert rw.walk(loss, stop_at_level_gap=0.5).ended is rw.Ended.LEVEL_GAP

    part = rw.walk(loss, step="long", callback=lambda progress: ctrl_c())
    assert part.ended is rw.Ended.INTERRUPTED
    assert part.status is rw.WalkStatus.INTERRUPTED
    assert same(rw.walk(loss, step="long", resume=part), whole)


def test_status_is_derived_from_why_it_ended_and_what_is_proved():
    loss = random_loss([2, 3, 1], 20, 0)
    proved, part = (rw.walk(loss, max_pivots=k).certificate for k in (None, 3))
    of = rw.WalkStatus.of
    assert of(rw.Ended.FINISHED, proved) is rw.WalkStatus.LOCAL_MINIMUM
    assert of(rw.Ended.PRECISION, part) is rw.WalkStatus.NOT_PROVED
    assert of(rw.Ended.WORK_LIMIT, proved) is rw.WalkStatus.PIVOT_LIMIT
    for name in ("TIME_LIMIT", "INTERRUPTED", "LEVEL_GAP"):
        assert of(rw.Ended[name], proved).name == name


def test_a_walk_that_loses_precision_says_so_and_is_not_resumed(monkeypatch):
    from reluplex_walk.native import walk as native
    from reluplex_walk.simplex.walker import Walker

    loss = random_loss([2, 3, 1], 20, 0)
    monkeypatch.setattr(Walker, "_run", lambda *_: (native.UNBOUNDED, 0))
    lost = rw.walk(loss)
    monkeypatch.undo()
    assert lost.ended is rw.Ended.PRECISION
    assert lost.status is rw.WalkStatus.NOT_PROVED
    assert lost.certificate.method == "none"
    assert rw.walk(loss, resume=lost) is lost


@pytest.mark.parametrize("options", [{}, {"max_pivots": 5}, {"time_limit": 1e-9}])
def test_files_keep_it(tmp_path, options):
    traj = rw.walk(random_loss([2, 3, 1], 20, 0), **options)
    path = tmp_path / "walk.npz"
    traj.save(path)
    loaded = rw.Trajectory.load(path)
    assert (loaded.ended, loaded.status) == (traj.ended, traj.status)


def test_minimize(monkeypatch):
    loss = random_loss([3, 4, 1], 40, 1)
    assert rw.minimize(loss, max_walks=3).ended is rw.Ended.WORK_LIMIT
    assert rw.minimize(loss, 1e-6).ended is rw.Ended.TIME_LIMIT
    convex = rw.minimize(random_loss([3, 1], 20, 0), max_walks=5)
    assert (convex.ended, convex.status) == (rw.Ended.FINISHED, "global_minimum")
    evaluate = rw.LayerLoss.__call__
    monkeypatch.setattr(rw.LayerLoss, "__call__", pressing(evaluate, at=20))  # within a walk
    part = rw.minimize(loss, max_walks=1000)
    assert (part.ended, part.status) == (rw.Ended.INTERRUPTED, "interrupted")
    assert 0 < len(part.losses) < 100


def test_vertex_graph(monkeypatch):
    loss = random_loss([1, 2, 1], 6, 1)
    whole = rw.vertex_graph(loss)
    assert whole.ended is rw.Ended.FINISHED
    assert rw.vertex_graph(loss, radius=1e-9).ended is rw.Ended.FINISHED
    assert rw.vertex_graph(loss, max_vertices=5).ended is rw.Ended.WORK_LIMIT
    assert rw.vertex_graph(loss, time_limit=1e-9).ended is rw.Ended.TIME_LIMIT
    monkeypatch.setattr(rw.LayerLoss, "__call__", pressing(rw.LayerLoss.__call__, at=2))
    part = rw.vertex_graph(loss)  # in the walk to its first vertex
    assert part.ended is rw.Ended.INTERRUPTED
    assert not part.complete
    assert 0 < len(part) < len(whole)


def test_enumerate_regions():
    loss = random_loss([2, 2, 1], 6, 0)
    assert rw.enumerate_regions(loss).ended is rw.Ended.FINISHED
    assert rw.enumerate_regions(loss, max_regions=100).ended is rw.Ended.WORK_LIMIT
    assert rw.enumerate_regions(loss, time_limit=1e-9).ended is rw.Ended.TIME_LIMIT
    for threads in (1, 2):
        part = rw.enumerate_regions(loss, callback=lambda progress: ctrl_c(), threads=threads)
        assert part.ended is rw.Ended.INTERRUPTED
        assert part.message == "interrupted"
        assert len(part) > 0


def test_slice(monkeypatch):
    loss = random_loss([2, 8, 4, 1], 60, 0)
    plain = (np.zeros(loss.dim), np.eye(loss.dim)[0], np.eye(loss.dim)[4], 3.0)
    whole = rw.slice(loss, *plain)
    assert whole.ended is rw.Ended.FINISHED
    chunks = plane.regions_of

    def interrupted(*arguments):
        for chunk in chunks(*arguments):
            ctrl_c()
            yield chunk

    monkeypatch.setattr(plane, "regions_of", interrupted)
    part = rw.slice(loss, *plain)
    assert part.ended is rw.Ended.INTERRUPTED
    assert 0 < len(part) < len(whole)
    np.testing.assert_array_equal(part.corners, whole.corners[: len(part.corners)])


@pytest.mark.parametrize("method", ["regions", "milp"])
def test_global_minimum(monkeypatch, method):
    loss = random_loss([1, 2, 1], 7, 0)
    best = rw.global_minimum(loss, 2.0, method=method)
    assert best.ended is rw.Ended.FINISHED
    assert best.optimal
    monkeypatch.setattr(rw.LayerLoss, "__call__", pressing(rw.LayerLoss.__call__))
    part = rw.global_minimum(loss, 2.0, method=method)  # in the first walk
    monkeypatch.undo()
    assert (part.ended, part.message, part.optimal) == (
        rw.Ended.INTERRUPTED,
        "interrupted",
        False,
    )
    assert part.lower_bound == 0.0
    assert part.loss == loss(part.theta) >= best.lower_bound


def test_global_minimum_interrupted_among_the_regions(monkeypatch):
    loss = random_loss([2, 2, 1], 6, 0)
    monkeypatch.setattr(
        global_module, "enumerate_regions", pressing(global_module.enumerate_regions)
    )
    part = rw.global_minimum(loss)
    assert (part.ended, part.message, part.optimal) == (
        rw.Ended.INTERRUPTED,
        "interrupted",
        False,
    )


def test_zero_loss_is_an_end():
    loss = rw.LayerLoss(rw.ReLUNetwork([[[1.0]]], [[0.0]]), [[0.0], [1.0]], [1.0, 3.0])
    assert rw.global_minimum(loss).ended is rw.Ended.FINISHED


def test_time_limit_of_the_integer_program():
    loss = random_loss([2, 4, 3, 1], 40, 0)
    part = rw.global_minimum(loss, 3.0, time_limit=0.2, method="milp")
    assert (part.ended, part.optimal) == (rw.Ended.TIME_LIMIT, False)


def test_polyak_descent(monkeypatch):
    loss = random_loss([2, 3, 1], 20, 0)
    assert rw.polyak_descent(loss, 1.0, steps=5).ended is rw.Ended.WORK_LIMIT
    fitted = rw.LayerLoss(rw.ReLUNetwork([[[1.0]]], [[0.0]]), [[0.0], [1.0]], [0.0, 1.0])
    assert rw.polyak_descent(fitted, 0.0, start=[1.0, 0.0]).ended is rw.Ended.FINISHED
    monkeypatch.setattr(Objective, "gradient", pressing(Objective.gradient, at=3))
    part = rw.polyak_descent(loss, 1.0, steps=50)
    assert part.ended is rw.Ended.INTERRUPTED
    assert len(part.losses) == 4  # the step at hand is made


def heavy(n=20_000):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 4))
    return X, X.sum(axis=1) + rng.standard_t(2, n)


@pytest.mark.parametrize("at", [1, 2])
def test_lad_interrupted_between_its_rounds(monkeypatch, at):
    X, y = heavy()
    whole = rw.lad(X, y)
    assert (whole.ended, whole.status) == (rw.Ended.FINISHED, rw.WalkStatus.GLOBAL_MINIMUM)
    monkeypatch.setattr(solver, "descend", pressing(solver.descend, at=at))
    part = rw.lad(X, y)
    monkeypatch.undo()
    assert part.ended is rw.Ended.INTERRUPTED
    assert part.status is rw.WalkStatus.INTERRUPTED
    assert part.loss == pytest.approx(np.abs(part.residuals).sum())
    assert whole.loss < part.loss < 1.5 * whole.loss
    assert np.isfinite(part.dual).all()
    assert part.certificate.method == "unfinished"
    assert not part.certificate.is_local_minimum


def test_quantile_path_returns_what_it_has(monkeypatch):
    data = rw.datasets.load_engel()
    taus = [0.1, 0.3, 0.5, 0.7, 0.9]
    whole = rw.quantile_path(data.X, data.y, taus)
    monkeypatch.setattr(fitting, "minimise", pressing(fitting.minimise, at=3))
    part = rw.quantile_path(data.X, data.y, taus)
    assert [fit.ended for fit in part[:2]] == [rw.Ended.FINISHED] * 2
    assert part[2].ended is rw.Ended.INTERRUPTED
    assert len(part) == 3
    for a, b in zip(part[:2], whole, strict=False):
        np.testing.assert_array_equal(a.coefficients, b.coefficients)


def test_a_ctrl_c_that_a_fit_does_not_show_is_raised(monkeypatch):
    # A loop over many small fits could else not be interrupted.
    data = rw.datasets.load_stackloss()
    monkeypatch.setattr(solver.OptimalityTest, "judge", pressing(solver.OptimalityTest.judge))
    with pytest.raises(KeyboardInterrupt):
        rw.lad(data.X, data.y)
    monkeypatch.undo()
    monkeypatch.setattr(solver.OptimalityTest, "judge", pressing(solver.OptimalityTest.judge))
    with Limits() as limits:  # within other work that sees it
        fit = rw.lad(data.X, data.y)
        assert limits.interrupted
    assert fit.ended is rw.Ended.FINISHED
