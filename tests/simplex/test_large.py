"""Layers of some hundred parameters: edges, refactorisation by neurons, resuming, certificates."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.native import walk as native
from reluplex_walk.native.arrays import FREE
from reluplex_walk.native.factorise import normals, refactorise
from reluplex_walk.native.refresh import new_state, place, refresh
from reluplex_walk.simplex import walker
from reluplex_walk.simplex.walker import Walker
from tests.problems.random import random_loss
from tests.simplex.test_trajectory import StopAfter, same

WIDE = [([14, 20, 1], 600), ([14, 20, 8, 1], 400)]  # D = 300


def walked(loss, pivots, long_step):
    """A state so many pivots from a random start, never recomputed on the way."""
    state, record = new_state(loss.kernel), native.new_record(pivots, loss.dim)
    place(loss.kernel, state, loss.random_start(1).ravel())
    refresh(loss.kernel, state, rw.TOLERANCES)
    native.run(loss.kernel, state, native.STEEPEST, long_step, 0.1, 8, 0, pivots, record)
    return state


def active_normals(loss, state):
    rows = np.flatnonzero(state.basis != FREE)
    normal = np.zeros((rows.size, loss.dim))
    normals(loss.kernel, state, state.basis[rows], normal)
    return rows, normal


@pytest.mark.parametrize("long_step", [False, True])
@pytest.mark.parametrize(("widths", "n"), WIDE)
@pytest.mark.parametrize("pivots", [100, 500])  # in phase 1 and beyond
def test_edges_are_the_pseudo_inverse_of_the_normals(widths, n, pivots, long_step):
    loss = random_loss(widths, n, 0)
    state = walked(loss, pivots, long_step)
    price, length = np.array(state.price), np.array(state.length[:, 0])
    scale = np.abs(price).max()
    np.testing.assert_allclose(price, state.b @ state.g, atol=1e-9 * scale)
    np.testing.assert_allclose(length, np.linalg.norm(state.b, axis=1), rtol=1e-9)
    for _ in range(2):  # as tracked, as recomputed
        rows, normal = active_normals(loss, state)
        assert rows.size == min(pivots, 300)
        expected = np.linalg.pinv(normal).T
        np.testing.assert_allclose(state.b[rows], expected, atol=1e-9 * np.abs(expected).max())
        free = state.b[state.basis == FREE]
        np.testing.assert_allclose(free @ free.T, np.eye(300 - rows.size), atol=1e-11)
        np.testing.assert_allclose(free @ normal.T, 0.0, atol=1e-11 * np.abs(normal).max())
        refactorise(loss.kernel, state)


@pytest.mark.parametrize("extra", [1, 5])
def test_more_breakpoints_of_a_neuron_than_its_parameters_leave_the_basis(extra):
    loss = random_loss([14, 20, 1], 600, 0)
    state = walked(loss, 100, False)
    n, q = 600, 15
    ids = 3 * n + np.arange(q + extra)  # breakpoints of neuron 3
    others = [c for c in state.basis if c != FREE and c // n != 3]
    state.basis[:] = FREE
    state.basis[: len(others)] = others
    state.basis[len(others) : len(others) + ids.size] = ids
    refactorise(loss.kernel, state)
    assert (state.basis // n == 3).sum() == q
    assert set(others) <= set(state.basis)
    rows, normal = active_normals(loss, state)
    np.testing.assert_allclose(normal @ state.b[rows].T, np.eye(rows.size), atol=1e-8)


def test_resuming_between_two_refactorisations_is_bitwise(monkeypatch):
    monkeypatch.setattr(walker, "_CHUNK_WORK", 1e7)
    loss = random_loss([14, 20, 1], 1000, 0)
    plan = Walker(loss, rw.WalkOptions())
    assert plan.period > 2 * plan.chunk  # several chunks without a refactorisation
    whole = rw.walk(loss, max_pivots=400)
    part = rw.walk(loss, max_pivots=plan.period + plan.chunk)
    assert same(whole, rw.walk(loss, resume=part, max_pivots=400))

    part = rw.walk(loss, callback=StopAfter(plan.chunk + 1))
    assert part.status is rw.WalkStatus.INTERRUPTED
    assert part.checkpoint.n_pivots == 0 < part.n_pivots < plan.period
    assert same(whole, rw.walk(loss, resume=part, max_pivots=400))


@pytest.mark.parametrize("widths", [[14, 10, 1], [9, 15, 4, 1]])
def test_a_walk_ends_with_a_certificate(widths):
    loss = random_loss(widths, 400, 2)
    traj = rw.walk(loss, step="long", seed=2)
    assert loss.dim == 150
    assert traj.certificate.rank == 150
    assert traj.status is rw.WalkStatus.LOCAL_MINIMUM
    traj.certificate.verify(loss)
    directions = np.random.default_rng(0).normal(size=(20, *loss.shape))
    assert min(loss.directional_derivative(traj.theta, d) for d in directions) > 0.0
