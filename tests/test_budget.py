"""Budgets are counted in work: the same result on a busy machine and in a worker process."""

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk import _programs
from reluplex_walk._budget import Budget
from reluplex_walk._limits import Limits
from reluplex_walk.tolerances import WORK_PER_SECOND
from tests.problems.degenerate import zeros_among_counts


def test_work_is_spent_in_parts_and_in_the_whole():
    budget = Budget.of(2.0)
    assert budget.work == budget.left == 2.0 * WORK_PER_SECOND
    part = budget.part(0.25)
    smaller = part.part(0.5)
    assert part.work == 0.25 * budget.work
    smaller.spend(0.2 * WORK_PER_SECOND)
    assert smaller.spent == part.spent == budget.spent == 0.2 * WORK_PER_SECOND
    assert not smaller.passed
    smaller.spend(0.2 * WORK_PER_SECOND)
    assert (smaller.passed, part.passed, budget.passed) == (True, False, False)
    assert smaller.cut is None
    assert Budget(-1.0).passed


def test_work_is_begun_if_there_is_room_for_it():
    budget = Budget(100.0)
    assert budget.begin(60.0)
    assert not budget.begin(60.0)
    assert budget.passed


def test_limits_end_a_budget_and_are_noted():
    budget = Budget(1e30, Limits(seconds=0.0))
    part = budget.part(0.5)
    assert part.passed
    assert part.cut is budget.cut is rw.Ended.TIME_LIMIT
    # Too long to be begun before the time limit.
    budget = Budget(np.inf, Limits(seconds=100.0))
    assert budget.begin(WORK_PER_SECOND)
    assert not budget.begin(1e4 * WORK_PER_SECOND)
    assert budget.cut is rw.Ended.TIME_LIMIT


def test_programs_too_large_for_what_is_left_are_not_begun(monkeypatch):
    cost, matrix = np.ones(3), -np.eye(3)
    rest = {"A_ub": matrix, "b_ub": -np.ones(3), "bounds": (0.0, None)}
    budget = Budget.of(1.0)
    np.testing.assert_allclose(_programs.linear_program(cost, budget, **rest).x, np.ones(3))
    assert 0 < budget.spent < 0.1 * WORK_PER_SECOND
    monkeypatch.setattr(_programs, "_LONG", 0.0)  # in a thread of its own
    np.testing.assert_allclose(_programs.linear_program(cost, budget, **rest).x, np.ones(3))
    small = Budget(budget.spent / 4.0)
    assert _programs.linear_program(cost, small, **rest).x is None
    assert small.passed


def ended(seed, budget):
    loss = zeros_among_counts(80, 5, seed)
    traj = rw.walk(loss, loss.theta, step="long", proof_budget=budget)
    return traj.vertices, traj.theta, traj.status, traj.certificate.reason


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("budget", [0.02, 0.2])
def test_a_busy_machine_changes_nothing(monkeypatch, budget):
    whole = [ended(seed, budget) for seed in range(3)]
    if budget < 0.1:
        assert rw.Reason.BUDGET in [reason for _, _, _, reason in whole]
    for name in ("perf_counter", "thread_time", "process_time", "monotonic"):
        clock = getattr(time, name)
        monkeypatch.setattr(time, name, lambda clock=clock: 1000.0 * clock())
    assert all(same(ended(seed, budget), whole[seed]) for seed in range(3))


def test_a_worker_process_changes_nothing():
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        there = pool.submit(ended, 1, 0.02).result()
    assert same(there, ended(1, 0.02))
