"""Walks: certified ends, adjacency, limits, rules, seeds; the certificate is always checked."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.native.arrays import FREE
from tests.problems.random import VARIANTS, random_loss, variant
from tests.references.naive import half_edges, region_at
from tests.references.rises import never_rises

CASES = range(len(VARIANTS))


def check(traj, precise=True):
    """What must hold of every walk; slopes by linear solves and NumPy, not by the kernels.

    `precise=False`: data so badly scaled that evaluating the loss loses digits.
    """
    loss = traj.problem
    assert np.isfinite(traj.vertices).all()
    assert np.isfinite(traj.losses).all()
    assert never_rises(traj)
    certificate = traj.certificate
    assert traj.status.proved == certificate.is_local_minimum
    if precise:
        assert traj.loss == pytest.approx(loss(traj.theta), rel=1e-10, abs=1e-10)
        some = np.unique(np.linspace(0, traj.n_pivots, 40).astype(int))
        recomputed = [loss(traj.vertices[k]) for k in some]
        np.testing.assert_allclose(traj.losses[some], recomputed, rtol=1e-9, atol=1e-9)
    elif traj.status.proved:
        assert traj.loss == pytest.approx(loss(traj.theta), rel=1e-5)
    # Floats cannot tell what lies within rounding of a breakpoint: `verify_exact` does, below.
    clear = sum(int((p == 0).sum()) for p in loss.pattern(traj.theta)) == len(traj.active[-1])
    if precise and clear and traj.status.proved and certificate.method == "vertex":
        active = traj.active[-1]
        values = loss.breakpoints(traj.theta)
        for layer, row, neuron in active:
            assert abs(values[layer][row, neuron]) < 1e-9 * (1 + np.abs(values[layer]).max())
        slopes = [
            loss.directional_derivative(traj.theta, edge) / np.linalg.norm(edge)
            for edge in half_edges(loss, region_at(loss, traj.theta, active), active)
        ]
        assert len(slopes) == 2 * len(active) == len(certificate.slopes)
        scale = np.abs(loss.gradient(traj.vertices[0])).max() + 1.0
        assert min(slopes, default=0.0) > -1e-8 * scale
        # The region they are seen from may differ: the set of slopes does not.
        np.testing.assert_allclose(
            np.sort(slopes), np.sort(certificate.slopes), rtol=1e-6, atol=1e-8 * scale
        )
        assert traj.descending[-1] == 0
    rng = np.random.default_rng(0)
    if precise and traj.status.proved:
        certificate.verify(loss)
        assert certificate.verify_exact(loss).method == certificate.method
    if traj.status.proved:
        for _ in range(50):
            d = rng.normal(size=loss.shape)
            d[:, -1] *= loss.fit_intercept  # what depends on the rest adds no direction
            assert loss.directional_derivative(traj.theta, d) > -1e-8 * np.linalg.norm(d)


@pytest.mark.parametrize("step", ["adjacent", "long"])
@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_loss_ends_certified(case, step):
    for seed in range(3):
        traj = rw.walk(variant(case, seed), step=step, seed=seed)
        check(traj)
        assert traj.status in (
            rw.WalkStatus.LOCAL_MINIMUM,
            rw.WalkStatus.GLOBAL_MINIMUM,
            rw.WalkStatus.NOT_PROVED,
        )


@pytest.mark.parametrize("step", ["adjacent", "long"])
@pytest.mark.parametrize("rule", ["steepest", "dantzig", "greatest", "sequential", "random"])
def test_every_rule_ends_certified(rule, step):
    losses = []
    for seed in range(4):
        traj = rw.walk(random_loss([3, 4, 2, 1], 40, seed), step=step, rule=rule, seed=seed)
        check(traj)
        losses.append(traj.status.proved)
    assert sum(losses) >= 3


def test_rules_choose_differently():
    loss = random_loss([3, 4, 2, 1], 60, 1)
    paths = {
        rule: rw.walk(loss, rule=rule).vertices.tobytes()
        for rule in ("steepest", "dantzig", "greatest", "sequential", "random")
    }
    assert len(set(paths.values())) == 5


def test_greatest_takes_the_largest_decrease():
    loss = random_loss([2, 3, 1], 20, 0)
    traj = rw.walk(loss, rule="greatest")
    other = rw.walk(loss, traj.vertices[0], rule="steepest")
    first = traj.phase1
    np.testing.assert_array_equal(traj.vertices[: first + 1], other.vertices[: first + 1])
    fall = traj.losses[first] - traj.losses[first + 1]
    assert fall >= other.losses[first] - other.losses[first + 1]


def test_consecutive_vertices_are_adjacent():
    loss = random_loss([4, 5, 4, 2, 1], 60, 3)
    traj = rw.walk(loss)
    assert traj.certificate.method == "vertex"
    checked = 0
    for k in range(traj.phase1, traj.n_pivots):
        before, after = set(traj.basis[k]) - {FREE}, set(traj.basis[k + 1]) - {FREE}
        if len(before) < loss.dim or len(after) < loss.dim or traj.steps.length[k] == 0:
            continue
        assert len(before & after) == loss.dim - 1
        a, b = traj.vertices[k], traj.vertices[k + 1]
        patterns = [loss.pattern(a + t * (b - a), 1e-10) for t in (0.01, 0.5, 0.99)]
        shared = loss.locate(sorted(before & after))
        for pattern in patterns:
            for p, q in zip(pattern, patterns[0], strict=True):
                np.testing.assert_array_equal(p, q)
            assert all(pattern[layer][row, neuron] == 0 for layer, row, neuron in shared)
            assert sum(int((p == 0).sum()) for p in pattern) == loss.dim - 1
        checked += 1
    assert checked > 100


def test_long_steps_need_fewer_pivots_and_keep_the_edge():
    loss = random_loss([4, 5, 4, 2, 1], 60, 3)
    long, adjacent = rw.walk(loss, step="long"), rw.walk(loss)
    assert long.n_pivots < adjacent.n_pivots / 2
    assert long.steps.crossed.sum() > 0
    assert adjacent.steps.crossed.sum() == 0
    for k in range(long.phase1, long.n_pivots):
        before, after = set(long.basis[k]) - {FREE}, set(long.basis[k + 1]) - {FREE}
        if len(before) == len(after) == loss.dim:
            assert len(before & after) == loss.dim - 1


def test_descending_counts_half_edges():
    loss = random_loss([2, 3, 1], 20, 2)
    traj = rw.walk(loss)
    for k in (traj.phase1, (traj.phase1 + traj.n_pivots) // 2, traj.n_pivots):
        active, theta = traj.active[k], traj.vertices[k]
        if len(active) == loss.dim:
            edges = half_edges(loss, region_at(loss, theta, active), active)
            slopes = np.array([loss.directional_derivative(theta, e) for e in edges])
            assert traj.descending[k] == (slopes < -1e-9).sum()


def test_same_seed_same_walk():
    loss = random_loss([2, 10, 1], 60, 1)
    a, b, c = (rw.walk(loss, rule="random", seed=s) for s in (5, 5, 6))
    assert a.vertices.tobytes() == b.vertices.tobytes()
    assert a.vertices.tobytes() != c.vertices.tobytes()


def test_limits_and_start():
    loss = random_loss([4, 5, 4, 2, 1], 60, 3)
    start = loss.random_start(9)
    traj = rw.walk(loss, start, max_pivots=10)
    assert traj.status is rw.WalkStatus.PIVOT_LIMIT
    assert traj.n_pivots == 10
    assert not traj.certificate.is_local_minimum
    np.testing.assert_array_equal(traj.vertices[0], start)
    np.testing.assert_array_equal(
        rw.walk(loss, start.ravel(), max_pivots=10).vertices, traj.vertices
    )
    none = rw.walk(loss, start, max_pivots=0)
    assert (none.n_pivots, none.status) == (0, rw.WalkStatus.PIVOT_LIMIT)
    check(none)
    timed = rw.walk(loss, time_limit=1e-9)
    assert timed.status is rw.WalkStatus.TIME_LIMIT
    assert timed.n_pivots > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": 3}, "loss: expected a LayerLoss, found int"),
        ({"start": np.zeros((2, 2))}, r"start: expected an array of shape \(3, 3\) or \(9,\)"),
        ({"start": np.full(9, np.nan)}, "start: expected finite numbers"),
        ({"step": "giant"}, "step: expected one of adjacent, long, found 'giant'"),
        ({"rule": "best"}, "rule: expected one of steepest"),
        ({"max_pivots": -1}, "max_pivots: expected an integer >= 0, found -1"),
        ({"max_pivots": 1.5}, "max_pivots: expected an integer"),
        ({"seed": -1}, "seed: expected an integer"),
        ({"seed": None}, "seed: expected an integer"),
        ({"time_limit": 0}, "time_limit: expected a number > 0, found 0"),
        ({"resume": 1}, "resume: expected a Trajectory"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        rw.walk(**{"loss": random_loss([2, 3, 1], 5, 0), **arguments})
