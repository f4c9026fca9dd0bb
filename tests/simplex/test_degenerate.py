"""Problems that are degenerate by nature: how walks on them end, and that it is proved exactly."""

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.degenerate import NOISE, PLANE, PROBLEMS, RNG, problem
from tests.problems.random import random_loss
from tests.references.milp import least_derivative
from tests.references.rises import never_rises

UNPROVED = {("one decimal", 0)}
"""(problem, seed) that ends where two blocks meet 22 residuals: 12 coordinates, too many for us."""


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_end_is_proved_exactly(name, seed):
    loss = PROBLEMS[name]
    traj = rw.walk(loss, seed=seed)
    if traj.status is rw.WalkStatus.NOT_PROVED:
        assert (name, seed) in UNPROVED
        return
    check = traj.verify()
    assert float(check.loss) == pytest.approx(traj.loss, rel=1e-12, abs=1e-12)
    if name == "all targets equal":
        assert check.loss == 0
        assert traj.status is rw.WalkStatus.GLOBAL_MINIMUM


def test_duplicated_data_double_the_loss():
    X, y = RNG.normal(size=(15, 2)), RNG.normal(size=15)
    once, twice = problem([2, 3, 1], X, y), problem([2, 3, 1], np.tile(X, (2, 1)), np.tile(y, 2))
    for seed in range(4):
        one, two = (rw.walk(loss, seed=seed).verify() for loss in (once, twice))
        assert two.loss == 2 * one.loss
        assert (one.theta == two.theta).all()


def test_dead_start_is_a_proved_face():
    loss = problem([2, 3, 1], PLANE, NOISE[:20])
    traj = rw.walk(loss, start=np.column_stack([np.zeros((3, 2)), -np.ones(3)]))
    assert traj.n_pivots == 0
    assert traj.verify().n_vanishing == 0


def test_no_independent_descent_from_proved_ends():
    degenerate = checked = 0
    cases = [*PROBLEMS.values()]
    cases += [random_loss([2, 8, 1], 15, seed) for seed in range(10)]
    cases += [random_loss([1, 4, 3, 1], 15, seed) for seed in range(8)]
    for loss in cases:
        traj = rw.walk(loss, seed=0)
        if not traj.status.proved or traj.certificate.method == "zero-loss":
            continue
        least = least_derivative(loss, traj.theta, 10.0)
        if least is not None:
            checked += 1
            degenerate += traj.certificate.degenerate
            assert least > -1e-5 * (1.0 + np.abs(loss.X).max())
    assert checked > 20
    assert degenerate > 5


def test_the_independent_program_finds_known_descents():
    # At vertices on the way, where half-edges descend.
    for seed in range(5):
        loss = random_loss([2, 3, 1], 12, seed)
        traj = rw.walk(loss, seed=seed)
        k = traj.n_pivots // 2
        assert traj.descending[k] > 0
        assert least_derivative(loss, traj.vertices[k]) < -1e-4


@pytest.mark.parametrize("step", ["adjacent", "long"])
def test_targets_of_zero_end_at_zero(step):
    X = np.random.default_rng(0).uniform(-3, 3, (12, 2))
    for widths, options in [([2, 1], {}), ([2, 3, 1], {"init": "he"}), ([2, 2, 2, 1], {})]:
        for seed in range(3):
            loss = problem(widths, X, np.zeros(12), seed, **options)
            traj = rw.walk(loss, seed=seed, step=step, max_pivots=2000)
            assert traj.status.proved
            check = traj.verify()
            if len(widths) == 2:
                assert check.loss == 0


def line(X, y, **options):
    return rw.LayerLoss(rw.ReLUNetwork([[[0.0]]], [[0.0]]), np.reshape(X, (-1, 1)), y, **options)


def test_differences_below_rounding_are_decided_exactly():
    # The gradient within the face is 1e-13, the slope at b = 0 is -1e-14, the loss 1e-13: not 0.
    face = line([1, 1, 2, 0], [-1.0, -1.0, 2.0, 0.0], sample_weight=[1, 1, 1 - 1e-13, 4])
    tilted = line([0, 0], [0.0, 1.0], sample_weight=[1.0, 1.0 + 1e-14])
    near = line([0, 0], [1.0, 1.0 + 1e-13])
    for loss, start in [(face, [[0.0, 0.5]]), (tilted, [[0.0, -1.0]]), (near, [[0.0, 0.0]])]:
        traj = rw.walk(loss, start=start)
        assert traj.status is rw.WalkStatus.GLOBAL_MINIMUM
        assert traj.verify().method == "vertex"
        # No time for exact arithmetic: nothing is claimed.
        assert rw.walk(loss, start=start, proof_budget=1e-12).status is rw.WalkStatus.NOT_PROVED
    assert rw.walk(tilted, start=[[0.0, -1.0]]).theta[0, 1] == 1.0


def test_motorcycle_ends_are_proved():
    # Rounded, standardised data: sums of slopes that cancel up to rounding at degenerate vertices.
    data = rw.datasets.load_motorcycle()
    X, y = ((part - part.mean(axis=0)) / part.std(axis=0) for part in (data.X, data.y))
    proved = 0
    for seed in (3, 8, 16, 23):
        traj = rw.walk(problem([1, 8, 1], X, y, seed), seed=seed)
        assert never_rises(traj)
        if traj.status.proved:
            proved += 1
            traj.verify()
    assert proved >= 3
