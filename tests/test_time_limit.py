"""Time limits and callbacks end every long function, in the midst of proofs, too, with what it has.

Bounds on times are generous: ``python -m benchmarks limits`` measures them.
"""

import time
from pathlib import Path

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.proof import certify, degenerate
from reluplex_walk.simplex.walker import Walker
from tests.problems.degenerate import zeros_among_counts
from tests.problems.random import random_loss
from tests.problems.stopping import stopping
from tests.test_limits import heavy, pressing

SHORT = 1e-9
LATE = 10.0  # seconds that nothing here may take beyond its limit, on however busy a machine


def stop(progress):
    raise StopIteration


def test_a_walk_that_is_stopped_among_ties_prices_no_crowd(monkeypatch):
    """Their one-sided slopes took seconds beyond the limit, for an end that claims nothing."""

    def slopes(*_):
        raise AssertionError("nobody waits for these")

    monkeypatch.setattr(certify, "slopes_along", slopes)
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 3, (300, 5)), rng.integers(0, 5, 300)
    loss = rw.LayerLoss(rw.ReLUNetwork.random([5, 20, 1], seed=0), X, y)
    for step in ("adjacent", "long"):
        part = rw.walk(loss, step=step, max_pivots=250)
        assert part.certificate.reason is rw.Reason.UNFINISHED
        assert part.certificate.n_tied > 0
        assert np.isfinite(part.certificate.slopes).all()


def hard():
    """A walk whose proof takes minutes."""
    rng = np.random.default_rng(0)
    k = rng.integers(0, 9, 120)
    X = np.column_stack([np.eye(9)[k], rng.integers(0, 5, (120, 2))])[:, 1:]
    y = np.where(rng.random(120) < 0.6, 0, rng.poisson(3, 120)).astype(float)
    return rw.LayerLoss(rw.ReLUNetwork.random([10, 5, 1], seed=0), X, y)


def test_ctrl_c_within_a_proof(monkeypatch):
    loss = zeros_among_counts(80, 5, 1)
    whole = rw.walk(loss, loss.theta, step="long")
    assert whole.certificate.method == "cells"
    monkeypatch.setattr(degenerate, "decide", pressing(degenerate.decide))
    part = rw.walk(loss, loss.theta, step="long")
    monkeypatch.undo()
    assert part.ended is rw.Ended.INTERRUPTED
    assert part.certificate.reason is rw.Reason.UNFINISHED
    assert np.array_equal(rw.walk(loss, resume=part).vertices, whole.vertices)


def test_a_time_limit_within_a_proof(monkeypatch):
    loss = zeros_among_counts(80, 5, 1)
    decide = degenerate.decide

    def late(f, budget):
        budget.limits.began -= 1e6
        return decide(f, budget)

    monkeypatch.setattr(degenerate, "decide", late)
    part = rw.walk(loss, loss.theta, step="long", time_limit=1e5)
    assert part.ended is rw.Ended.TIME_LIMIT
    assert part.certificate.reason is rw.Reason.UNFINISHED


def test_long_proofs_end_at_the_time_limit():
    loss = hard()
    began = time.perf_counter()
    traj = rw.walk(loss, loss.theta, step="long", time_limit=0.3, proof_budget=1e4)
    assert time.perf_counter() - began < 0.3 + LATE
    assert traj.ended in (rw.Ended.TIME_LIMIT, rw.Ended.FINISHED)


def test_the_rule_greatest_is_cut_within_a_chunk():
    loss = random_loss([3, 4, 1], 30, 0)
    whole = rw.walk(loss, rule="greatest", seed=3)
    part = rw.walk(loss, rule="greatest", seed=3, time_limit=SHORT)
    assert part.ended is rw.Ended.TIME_LIMIT
    assert part.n_pivots < whole.n_pivots
    assert np.array_equal(rw.walk(loss, resume=part).vertices, whole.vertices)


def test_pivots_of_length_zero_without_end():
    # Output weights of 1e13: the basis is lost to rounding each time it is recomputed.
    with np.load(Path(__file__).parent / "problems" / "cycle.npz") as z:
        net = rw.ReLUNetwork([z["W0"], z["W1"]], [z["b0"], z["b1"]])
        loss, start = rw.LayerLoss(net, z["X"], z["y"]), z["start"]
    traj = rw.walk(loss, start, step="long", max_pivots=5000)
    assert traj.n_zero_length < 100
    assert traj.ended is rw.Ended.FINISHED
    assert traj.loss < 100.0  # not 2.6e14, where floats lead no further


def test_a_walk_without_progress_ends(monkeypatch):
    loss = random_loss([2, 3, 1], 20, 0)
    monkeypatch.setattr(Walker, "_stalled", lambda self: self.n_pivots > 3)
    traj = rw.walk(loss, proof="off")
    assert traj.ended is rw.Ended.PRECISION
    assert np.isfinite(traj.loss)


def test_vertex_graph():
    loss = random_loss([1, 2, 1], 6, 1)
    told = []
    whole = rw.vertex_graph(loss, callback=told.append)
    assert told[-1].n_vertices == len(whole)
    part = rw.vertex_graph(loss, callback=stop)
    assert (part.ended, part.complete) == (rw.Ended.INTERRUPTED, False)


def test_regions_and_their_minima():
    loss = random_loss([2, 2, 1], 6, 0)
    regions = rw.enumerate_regions(loss)
    whole = regions.local_minima()
    assert whole.ended is rw.Ended.FINISHED
    for options, ended in (
        ({"time_limit": SHORT}, rw.Ended.TIME_LIMIT),
        ({"callback": stop}, rw.Ended.INTERRUPTED),
    ):
        part = regions.local_minima(**options)
        assert part.ended is ended
        assert len(part) < len(whole)
        assert regions.minimum(**options).loss >= regions.minimum().loss


def test_a_search_that_found_nothing_says_so():
    # Twelve parameters in a box: the first region takes longer than this.
    loss = random_loss([3, 3, 1], 30, 0)
    began = time.perf_counter()
    regions = rw.enumerate_regions(loss, 1.0, time_limit=0.05)
    assert time.perf_counter() - began < LATE
    assert regions.ended is rw.Ended.TIME_LIMIT
    assert regions.points.shape == (len(regions), 3, 4)
    if not len(regions):
        assert len(regions.local_minima()) == 0
        with pytest.raises(ValueError, match="no region was found"):
            regions.minimum()
    best = rw.global_minimum(loss, 1.0, time_limit=0.05, method="regions")
    assert best.ended is rw.Ended.TIME_LIMIT
    assert best.loss == loss(best.theta)


def test_slice():
    loss = random_loss([2, 8, 4, 1], 60, 0)
    plane = (np.zeros(loss.dim), np.eye(loss.dim)[0], np.eye(loss.dim)[4], 3.0)
    told = []
    whole = rw.slice(loss, *plane, callback=told.append)
    assert told[-1] == len(whole)
    assert whole.ended is rw.Ended.FINISHED
    part = rw.slice(loss, *plane, callback=stop)
    assert part.ended is rw.Ended.INTERRUPTED
    assert 0 < len(part) < len(whole)
    part = rw.slice(loss, *plane, time_limit=SHORT)
    assert part.ended is rw.Ended.TIME_LIMIT
    assert len(part) == len(part.areas) < len(whole)


@pytest.mark.parametrize("fit", [rw.lad, rw.quantile])
def test_fits(fit):
    X, y = heavy()
    whole = fit(X, y)
    for options, status in (({"time_limit": SHORT}, "TIME_LIMIT"), ({"callback": stop}, None)):
        part = fit(X, y, **options)
        assert part.status.name == (status or "INTERRUPTED")
        assert part.certificate.method == "unfinished"
        assert np.isfinite(part.coefficients).all()
        assert part.loss >= whole.loss
    told = []
    assert fit(X, y, callback=told.append).loss == whole.loss
    assert told[-1].n_samples == len(y)


def test_quantile_path():
    data = rw.datasets.load_engel()
    path = rw.quantile_path(data.X, data.y, [0.25, 0.5, 0.75], time_limit=SHORT)
    assert [fit.ended for fit in path] == [rw.Ended.TIME_LIMIT]


def test_pivots_between_two_looks_change_no_minimum(monkeypatch):
    from reluplex_walk.regression import solver

    X, y = heavy(2000)
    whole = rw.lad(X, y)
    monkeypatch.setattr(solver, "_CHUNK_WORK", 1.0)
    assert rw.lad(X, y).loss == whole.loss


@pytest.mark.parametrize("entries", [20_000, 0])
def test_integer_programs_here_and_in_a_process(monkeypatch, entries):
    from reluplex_walk.optimize import apart

    monkeypatch.setattr(apart, "_SMALL", entries)
    small = random_loss([1, 2, 1], 7, 0)
    assert rw.global_minimum(small, 2.0, method="milp").optimal
    hard = random_loss([2, 5, 3, 1], 80, 0)
    began = time.perf_counter()
    part = rw.global_minimum(hard, 3.0, method="milp", time_limit=1.5)
    assert time.perf_counter() - began < 1.5 + LATE
    assert (part.ended, part.optimal) == (rw.Ended.TIME_LIMIT, False)
    part = rw.global_minimum(hard, 3.0, method="milp", callback=stop)
    assert part.ended is rw.Ended.INTERRUPTED


def test_polyak_descent():
    loss = random_loss([2, 3, 1], 20, 0)
    part = rw.polyak_descent(loss, 1.0, steps=10**9, time_limit=0.05)
    assert part.ended is rw.Ended.TIME_LIMIT
    assert part.loss == loss(part.theta)
    told = []
    rw.polyak_descent(loss, 1.0, steps=5, callback=told.append)
    assert [progress.n_pivots for progress in told] == list(range(6))
    assert rw.polyak_descent(loss, 1.0, callback=stop).ended is rw.Ended.INTERRUPTED


def test_density():
    loss = random_loss([2, 3, 1], 20, 0)
    part = rw.density.breakpoint_density(loss, loss.theta, 0.1, 50, callback=stopping(3))
    assert part.ended is rw.Ended.INTERRUPTED
    assert part.lengths.shape == part.control_crossed.shape == (2,)
    traj = rw.walk(loss)
    whole = rw.density.vertex_density(traj, [0.1, 1.0], 2)
    assert whole.ended is rw.Ended.FINISHED
    part = rw.density.vertex_density(traj, [0.1, 1.0], 5, time_limit=SHORT)
    assert part.ended is rw.Ended.TIME_LIMIT
    assert part.control.shape == (1, 2)


def test_glass():
    loss = random_loss([2, 3, 1], 100, 0)
    for measure in (rw.glass.exact, rw.glass.estimate):
        part = measure(loss, loss.theta, 2.0, callback=stopping(3))
        assert part.ended is rw.Ended.INTERRUPTED
        assert part.directions.shape == (2, loss.dim)
        part = measure(loss, loss.theta, 2.0, time_limit=SHORT)
        assert part.ended is rw.Ended.TIME_LIMIT
        assert part.directions.shape == (1, loss.dim)
        assert measure(loss, loss.theta, 2.0).ended is rw.Ended.FINISHED
    assert part.gradients == 3


@pytest.mark.parametrize(
    "call",
    [
        lambda loss, **limits: rw.vertex_graph(loss, **limits),
        lambda loss, **limits: rw.global_minimum(loss, 1.0, **limits),
        lambda loss, **limits: rw.slice(loss, loss.theta, *np.eye(loss.dim)[:2], **limits),
        lambda loss, **limits: rw.enumerate_regions(loss).local_minima(**limits),
        lambda loss, **limits: rw.polyak_descent(loss, 0.0, **limits),
        lambda loss, **limits: rw.descend(loss, **limits),
        lambda loss, **limits: rw.density.breakpoint_density(loss, loss.theta, 0.1, **limits),
        lambda loss, **limits: rw.glass.exact(loss, loss.theta, 1.0, **limits),
        lambda loss, **limits: rw.glass.estimate(loss, loss.theta, 1.0, **limits),
        lambda loss, **limits: rw.taylor.regret(loss.network, loss.X, loss.y, **limits),
        lambda loss, **limits: rw.activations.exploration(rw.descend(loss), **limits),
        lambda loss, **limits: rw.lad(loss.inputs, loss.targets[:, 0], **limits),
    ],
)
def test_limits_are_checked(call):
    loss = random_loss([1, 2, 1], 6, 1)
    with pytest.raises(ValueError, match="time_limit"):
        call(loss, time_limit=-1.0)
    with pytest.raises(TypeError, match="callback"):
        call(loss, callback=3)
