"""Escape from the plateau: against loops, the flow, and steps that are far too long."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import reluplex_walk as rw
from reluplex_walk import chains
from reluplex_walk.optimize.known_methods import Polyak
from tests.problems.stopping import stopping
from tests.studies.test_chains import SHORT


def test_escape_is_that_of_a_loop():
    found = chains.escape(5, "gd", 6, seed=2, learning_rate=0.05, gradients=2000)
    for w, counted in zip(found.start, found.gradients, strict=True):
        w, steps = w.copy(), 0
        while (w.prod() <= 0.5 or (steps and w.prod() >= 10.0)) and steps < 2000:
            w -= 0.05 * (w.prod() - 1.0) * w.prod() / w
            steps += 1
        if w.prod() > 0.5 and (not steps or w.prod() < 10.0):
            assert counted == steps
        else:
            assert counted is np.ma.masked
    assert found.taken <= 2000
    again = chains.escape(5, "gd", 6, seed=2, learning_rate=0.05, gradients=2000)
    np.testing.assert_array_equal(again.gradients, found.gradients)


@pytest.mark.parametrize(("start", "depth"), [(0.2, 2), (0.5, 6), (0.8, 12)])
def test_flow_time_is_that_of_the_flow(start, depth):
    def crossed(t, w):
        return w[0] ** depth - 0.5

    crossed.terminal = True
    flow = solve_ivp(
        lambda t, w: w ** (depth - 1) * (1 - w**depth),
        (0.0, 1e5),
        [start],
        events=crossed,
        rtol=1e-10,
        atol=1e-12,
    )
    time = chains.flow_time(start, depth, learning_rate=0.01)
    assert time == pytest.approx(100 * flow.t_events[0][0], rel=1e-6)
    steps = chains.escape(depth, "gd", 1, start=start).median
    assert time <= steps <= 1.03 * time + 1
    assert chains.flow_time(1.0, depth) == 0.0


def test_escape_of_methods_against_depth():
    deep = {
        method: chains.escape(12, method, 60, gradients=3000)
        for method in ("gd", "sgd", "adam", "alice")
    }
    flat = {
        method: chains.escape(6, method, 60, gradients=3000) for method in ("gd", "adam", "alice")
    }
    assert deep["gd"].median > 2 * flat["gd"].median
    assert deep["gd"].median > 3 * deep["adam"].median
    assert deep["adam"].median < 1.5 * flat["adam"].median
    assert deep["alice"].median < 1.5 * flat["alice"].median
    assert 0.5 <= deep["gd"].rate_product <= 4.0
    assert (deep["sgd"].gradients != deep["gd"].gradients).any()
    assert deep["gd"].escaped == deep["gd"].gradients.count() / 60
    stuck = chains.escape(20, "gd", 9, gradients=30)
    assert stuck.ended is rw.Ended.WORK_LIMIT
    assert stuck.median == np.inf
    assert chains.escape(3, rw.Alice(glass=False), 5).method == rw.Alice(glass=False)


def test_chains_that_diverge_do_not_escape():
    """One step from equal weights w: w - eta (w^L - 1) w^(L-1), far beyond the valley."""
    w, rate = 0.8, 50.0
    beyond = (w - rate * (w**7 - 1) * w**6) ** 7
    assert beyond > 1e6
    found = chains.escape(7, "gd", 3, start=w, learning_rate=rate, gradients=100)
    assert (found.escaped, found.median, found.rate_product) == (0.0, np.inf, np.inf)


def test_no_curvature_at_the_start():
    still = chains.escape(10, "gd", 3, start=0.0, gradients=5)
    assert still.curvature.tolist() == [0.0, 0.0, 0.0]
    assert still.rate_product == np.inf


def test_noise_is_that_of_targets():
    still = chains.escape(4, "sgd", 20, noise=0.0)
    np.testing.assert_array_equal(still.gradients, chains.escape(4, "gd", 20).gradients)
    with pytest.raises(ValueError, match="noise: expected a number >= 0"):
        chains.escape(4, "sgd", noise=-1.0)
    with pytest.raises(ValueError, match="start: expected uniform"):
        chains.escape(4, start="normal")


def test_limits_of_escape():
    part = chains.escape(9, "gd", 9, callback=stopping(4))
    assert (part.ended, part.taken) == (rw.Ended.INTERRUPTED, 3)
    assert chains.escape(9, "gd", 9, time_limit=SHORT).ended is rw.Ended.TIME_LIMIT


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: chains.escape(3, "newton"), "method: expected one of gd, sgd"),
        (lambda: chains.escape(3, "polyak"), "method: expected one of gd, sgd, .*found 'polyak'"),
        (lambda: chains.escape(3, Polyak()), "method: expected one that treats every coordinate"),
        (lambda: chains.flow_time(0.0, 3), "start: expected a number > 0"),
    ],
)
def test_border(call, message):
    with pytest.raises(ValueError, match=message):
        call()
