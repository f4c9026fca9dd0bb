"""Degenerate ends: the proof against known answers and an integer program of the tests' own."""

import numpy as np
import pytest
from scipy import optimize

import reluplex_walk as rw
from reluplex_walk import proof
from reluplex_walk.native.refresh import new_state, place, refresh

from .problems import random_loss
from .test_walk import check


def examined(loss, theta, brute_force=True, budget=20.0):
    """The state at `theta`, which has its breakpoints exactly at 0, and the verdict there."""
    state = new_state(loss.problem)
    place(loss.problem, state, np.ravel(theta))
    refresh(loss.problem, state, rw.TOLERANCES)
    before = np.array(state.theta)
    return proof.examine(loss.problem, state, budget, brute_force), before


def least_slope(loss, theta, samples=4000):
    """Least one-sided derivative over random unit directions, dense and in one neuron alone."""
    rng = np.random.default_rng(0)
    least = np.inf
    for k in range(samples):
        d = rng.normal(size=loss.shape)
        if k % 2:
            d *= (np.arange(loss.shape[0]) == rng.integers(loss.shape[0]))[:, None]
        least = min(least, loss.directional_derivative(theta, d / np.linalg.norm(d)))
    return least


def zero_block(seed, target):
    """A network 2-2-1 whose second neuron is 0, and targets that are (1 + x) or below the fit."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (12, 2))
    network = rw.ReLUNetwork([np.zeros((2, 2)), [[1.0, 1.0]]], [np.array([1.0, 0.0]), np.zeros(1)])
    y = 1.0 + target * rng.uniform(0.5, 1.0, 12)  # the fit is 1 everywhere
    return rw.LayerLoss(network, X, y)


def test_zero_block_with_a_descending_cone():
    # All targets lie above the fit: the dead neuron can lift it, the other one too.
    loss = zero_block(0, +1)
    verdict, theta = examined(loss, loss.theta)
    assert verdict.method == "none"
    assert loss.directional_derivative(theta, verdict.direction) < -1e-6


def test_zero_block_without_a_descending_cone():
    # Only the zero block moves, and all targets lie below the fit: it can only lift it further.
    loss = zero_block(0, -1)
    network = rw.ReLUNetwork([np.zeros((1, 2)), [[1.0]]], [np.zeros(1), np.ones(1)])
    alone = rw.LayerLoss(network, loss.X, loss.y)
    verdict, theta = examined(alone, alone.theta)
    assert verdict.method == "cells"
    assert least_slope(alone, theta) > -1e-12
    traj = rw.walk(alone, alone.theta)
    assert traj.status is rw.WalkStatus.LOCAL_MINIMUM
    assert traj.certificate.method == "cells"
    assert not traj.certificate.strict
    check(traj)


@pytest.mark.parametrize("q", [1, 2, 3, 4])
def test_rays_against_an_independent_integer_program(q):
    # f(y) = G.y + sum k min(0, a.y) on the box: a program with a binary for *every* term.
    signs = set()
    for seed in range(12):
        rng = np.random.default_rng(100 * q + seed)
        n = 9
        rows, kinks = rng.normal(size=(n, q)), rng.normal(size=n)
        if seed % 2:  # mostly convex, and tilted so that 0 lies near the middle of its slopes
            kinks = np.where(rng.random(n) < 0.8, -np.abs(kinks), 0.2 * kinks)
        linear = 0.1 * rng.normal(size=q) - 0.5 * kinks @ rows
        method, y, value = proof._least(linear, rows, kinks, 1e-10, np.inf, True)
        least = integer_program(linear, rows, kinks)
        assert method in ("cells", "none")
        assert (value < -1e-10) == (least < -1e-7)
        if value < -1e-10:
            f = linear @ y + kinks @ np.minimum(0, rows @ y)
            assert f < 0
        signs.add(value < -1e-10)
        other, _, lower = proof._by_milp(linear, rows, kinks, 20.0)
        assert other == "milp"
        assert (lower < -1e-9) == (least < -1e-7)
    assert signs == {True, False}


def integer_program(linear, rows, kinks):
    """Min over |y|_inf <= 1 with t = rows y = plus - minus, one of the two 0 by a binary."""
    n, q = rows.shape
    big = np.abs(rows).sum(axis=1)
    eye, none = np.eye(n), np.zeros((n, n))
    result = optimize.milp(
        np.concatenate([linear, np.zeros(n), -kinks, np.zeros(n)]),
        integrality=np.concatenate([np.zeros(q + 2 * n), np.ones(n)]),
        bounds=optimize.Bounds(
            np.concatenate([-np.ones(q), np.zeros(3 * n)]),
            np.concatenate([np.ones(q), np.full(2 * n, np.inf), np.ones(n)]),
        ),
        constraints=[
            optimize.LinearConstraint(np.hstack([rows, -eye, eye, none]), 0, 0),
            optimize.LinearConstraint(np.hstack([0 * rows, eye, none, np.diag(big)]), -np.inf, big),
            optimize.LinearConstraint(np.hstack([0 * rows, none, eye, -np.diag(big)]), -np.inf, 0),
        ],
    )
    assert result.success
    return result.fun


def test_directions_without_hyperplane_are_seen():
    rows = np.array([[1.0, 0.0], [2.0, 0.0]])
    kinks = np.array([-1.0, -1.0])
    method, y, value = proof._least(np.array([0.0, 0.3]), rows, kinks, 1e-10, np.inf, True)
    assert method == "none"
    assert value == pytest.approx(-0.3)
    assert y @ [0.0, 0.3] == pytest.approx(-0.3)
    method, _, value = proof._least(np.array([1.0, 0.0]), rows, kinks, 1e-10, np.inf, True)
    assert method == "cells"


@pytest.mark.parametrize(
    ("widths", "n", "seeds"), [([2, 6, 1], 30, 25), ([1, 5, 4, 1], 30, 25), ([2, 4, 3, 1], 30, 15)]
)
def test_no_false_minimum_at_degenerate_ends(widths, n, seeds):
    proofs = set()
    for seed in range(seeds):
        loss = random_loss(widths, n, seed)
        traj = rw.walk(loss, seed=seed)
        check(traj)
        proofs.add(traj.certificate.method)
        if traj.certificate.degenerate and traj.status.proved:
            assert least_slope(loss, traj.theta) > -1e-9
    assert "vertex" in proofs


def test_examine_finds_what_random_directions_find():
    # At the zero network every breakpoint of the layer vanishes: blocks of all samples.
    seen = 0
    for seed in range(20):
        loss = random_loss([2, 3, 1], 15, seed)
        theta = np.zeros(loss.shape)
        verdict, _ = examined(loss, theta)
        least = least_slope(loss, theta, 400)
        if verdict.direction is not None:
            assert loss.directional_derivative(theta, verdict.direction) < 0
            seen += 1
        elif verdict.method != "none":
            assert least > -1e-9
        if least < -1e-9 and verdict.method != "none":
            pytest.fail("a proof where the loss descends")
    assert seen > 0
