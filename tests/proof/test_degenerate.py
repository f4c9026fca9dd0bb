"""Degenerate ends: the proof against known answers and an integer program of the tests' own."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize

import reluplex_walk as rw
from reluplex_walk._limits import Deadline
from reluplex_walk.exact.loss import ExactLoss, region
from reluplex_walk.exact.rationals import Rationals
from reluplex_walk.exact.vertex import zeros
from reluplex_walk.proof import cones, degenerate
from reluplex_walk.proof.tangents import merged, tangents
from tests.problems.degenerate import PROBLEMS, zeros_among_counts
from tests.problems.random import random_loss
from tests.references import witness
from tests.simplex.test_walk import check


def judged(loss, theta, budget=20.0):
    """The verdict at `theta`, exactly as it is."""
    exact = ExactLoss(loss)
    signs = region(exact.values(Rationals.of(np.ravel(theta))))
    return degenerate.judge(exact, zeros(signs), signs, Deadline(budget))


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
    verdict = judged(loss, loss.theta)
    assert verdict.method == "none"
    assert loss.directional_derivative(loss.theta, verdict.direction.unit()) < -1e-6


def test_zero_block_without_a_descending_cone():
    # Only the zero block moves, and all targets lie below the fit: it can only lift it further.
    loss = zero_block(0, -1)
    network = rw.ReLUNetwork([np.zeros((1, 2)), [[1.0]]], [np.zeros(1), np.ones(1)])
    alone = rw.LayerLoss(network, loss.X, loss.y)
    verdict = judged(alone, alone.theta)
    assert verdict.method == "convex"  # as a sum of max(0, a_i . y)
    assert least_slope(alone, alone.theta) > -1e-12
    traj = rw.walk(alone, alone.theta)
    assert traj.status is rw.WalkStatus.LOCAL_MINIMUM
    assert traj.certificate.method == "convex"
    assert not traj.certificate.strict
    assert traj.certificate.verify_exact(alone).method == "convex"
    check(traj)


def homogeneous(linear, rows, kinks, alpha=()):
    return cones.Homogeneous(
        *(Rationals.of(part).fractions() for part in (linear, rows, kinks)), list(alpha)
    )


def decide(f):
    """The kind of proof, checked, or "none", and the point with f < 0."""
    f = merged(f)
    proof, y = degenerate.decide(f, Deadline(20.0))
    if proof is None:
        return "none", y
    assert y is None
    assert witness.confirms(f, proof)
    return type(proof).__name__, None


@pytest.mark.parametrize("q", [1, 2, 3, 4, 5])
def test_cones_against_an_independent_integer_program(q):
    # f(y) = G.y + sum k min(0, a.y) on the box: a program with a binary for *every* term.
    found = set()
    for seed in range(12):
        rng = np.random.default_rng(100 * q + seed)
        n = 9
        rows, kinks = rng.normal(size=(n, q)), rng.normal(size=n)
        if seed % 2:  # mostly convex, and tilted so that 0 lies near the middle of its slopes
            kinks = np.where(rng.random(n) < 0.8, -np.abs(kinks), 0.2 * kinks)
        if seed % 3 == 0:  # small integers: hyperplanes meet, and values cancel exactly
            rows, kinks = np.round(rows), np.round(2 * kinks)
        linear = 0.1 * rng.normal(size=q) - 0.5 * kinks @ rows
        if seed % 6 == 0:
            linear = np.round(linear)
        method, y = decide(homogeneous(linear, rows, kinks))
        least = integer_program(linear, rows, kinks)
        assert (y is not None) == (least < -1e-5)  # its own tolerance is 1e-6
        assert method == "none" if y is not None else method in ("Fan", "Multipliers")
        if y is not None:
            y = np.array([float(v) for v in y])
            assert linear @ y + kinks @ np.minimum(0, rows @ y) < 0
        found.add(y is not None)
    assert found == {True, False}


@pytest.mark.parametrize("q", [1, 3, 8])
def test_tangents_prove_convex_functions(q):
    # Any q: no cones needed.  0 is a subgradient by construction, or is not.
    rng = np.random.default_rng(q)
    rows, kinks = rng.integers(-3, 4, (20, q)), -rng.integers(1, 4, 20)
    theta = rng.choice([0.0, 0.25, 0.5, 1.0], 20)
    linear = -(theta * kinks) @ rows
    assert decide(homogeneous(linear, rows, kinks)) == ("Multipliers", None)
    far = linear + 100.0
    assert not tangents(homogeneous(far, rows, kinks))


@pytest.mark.parametrize("alpha", [(), [(4, 0, Fraction(-1)), (5, 1, Fraction(1, 2))]])
def test_parallel_terms_are_one(alpha):
    # Rows repeated with either sign and other lengths: the function stays, few terms remain.
    rng = np.random.default_rng(0)
    rows = rng.integers(-2, 3, (5, 3))[[0, 1, 2, 0, 1, 2, 3, 4, 0]] * rng.choice([-2, 1, 3], (9, 1))
    f = homogeneous(rng.integers(-3, 4, 3), rows, rng.integers(-3, 4, 9), alpha)
    once = merged(f)
    for y in rng.integers(-5, 6, (200, 3)):
        assert witness.value(f, y) == witness.value(once, y)
    following = {c for c, _, _ in alpha}
    assert sum(k != 0 for c, k in enumerate(once.kinks) if c not in following) <= 5


def test_directions_without_hyperplane_are_seen():
    rows, kinks = np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([-1.0, -1.0])
    method, y = decide(homogeneous(np.array([0.0, 0.3]), rows, kinks))
    assert method == "none"
    assert y[1] < 0
    assert decide(homogeneous(np.array([1.0, 0.0]), rows, kinks)) == ("Multipliers", None)


def test_terms_that_follow_others():
    # t_1 = y_2 + min(0, y_1) and f = y_1 - y_2 + 2 max(0, -y_1) + 2 max(0, -t_1).
    rows, alpha = np.eye(2), [(1, 0, Fraction(1))]
    f = homogeneous(np.array([1.0, -1.0]), rows, np.array([-2.0, -2.0]), alpha)
    method, y = decide(f)
    assert method == "none"
    assert cones.value(f, y, cones.rates(f, y)) < 0
    up = homogeneous(np.array([1.0, 1.0]), rows, np.array([-2.0, -2.0]), alpha)
    assert decide(up)[0] == "Fan"
    grid = [Rationals.of([a, b]).fractions() for a in (-2, -1, 0, 1) for b in (-2, -1, 0, 1, 3)]
    assert min(cones.value(up, y, cones.rates(up, y)) for y in grid) == 0


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


@pytest.mark.parametrize("seed", [0, 3])
def test_zeros_among_counts_are_proved(seed):
    # Zero blocks of samples with equal inputs, followed by residuals that vanish: 9 to 11
    # coordinates, nearly a hundred breakpoints.
    loss = zeros_among_counts(40, 3, seed)
    traj = rw.walk(loss, loss.theta)
    assert traj.status.proved
    assert least_slope(loss, traj.theta) > -1e-9


def test_descents_of_blocks_that_follow_single_breakpoints():
    # Left along a direction in which the loss rose: the single breakpoints had not been moved.
    loss = PROBLEMS["one decimal"]
    traj = rw.walk(loss, loss.random_start(0, 1.0))
    assert traj.status.proved
    assert traj.loss == pytest.approx(34.497337285273446)


def test_witnesses_are_confirmed_at_degenerate_ends(monkeypatch):
    kinds = set()
    decide = degenerate.decide

    def checked(f, deadline):
        proof, y = decide(f, deadline)
        if proof is not None:
            assert witness.confirms(f, proof)
            kinds.add(type(proof).__name__)
        if y is not None:
            assert witness.value(f, y) < 0
        return proof, y

    monkeypatch.setattr(degenerate, "decide", checked)
    for name in ("xor", "one-hot", "integer grid", "collinear in 3-D", "zero biases"):
        traj = rw.walk(PROBLEMS[name], seed=0)
        assert traj.status.proved, name
    assert kinds


def test_examine_finds_what_random_directions_find():
    # At the zero network every breakpoint of the layer vanishes: blocks of all samples.
    seen = 0
    for seed in range(20):
        loss = random_loss([2, 3, 1], 15, seed)
        theta = np.zeros(loss.shape)
        verdict = judged(loss, theta)
        least = least_slope(loss, theta, 400)
        if verdict.direction is not None:
            assert loss.directional_derivative(theta, verdict.direction.unit()) < 0
            seen += 1
        elif verdict.method != "none":
            assert least > -1e-9
        if least < -1e-9 and verdict.method != "none":
            pytest.fail("a proof where the loss descends")
    assert seen > 0
