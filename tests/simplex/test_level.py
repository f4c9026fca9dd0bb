"""Level estimates: what they may know, their scale, their order, and how good they are."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.native.arrays import FREE
from reluplex_walk.simplex import level
from reluplex_walk.simplex.lookahead import look_ahead
from reluplex_walk.simplex.trees import Trees
from tests.problems.random import VARIANTS, random_loss, variant

METHODS = ("lookahead", "record")


@pytest.fixture(scope="module")
def traj():
    return rw.walk(random_loss([3, 6, 1], 60, 5), seed=5)


@pytest.mark.parametrize("method", METHODS)
def test_only_what_is_known_at_the_entry_is_used(traj, method):
    for k in (0, 1, 7, traj.phase1, traj.n_pivots // 2, traj.n_pivots - 1):
        cut = rw.walk(traj.problem, seed=5, max_pivots=k)
        assert cut.n_pivots == k
        known, whole = cut.level(method=method), traj.level(k, method)
        for name in ("level", "low", "high"):
            assert getattr(known, name) == pytest.approx(getattr(whole, name), rel=1e-9)
        assert cut.proximity()[-1] == traj.proximity()[k]


@pytest.mark.parametrize("method", METHODS)
def test_one_pass_gives_each_single_estimate(traj, method):
    levels = traj.levels(method)
    assert levels.method == method
    for k in range(0, traj.n_pivots + 1, 17):
        one = traj.level(k, method)
        assert (one.level, one.low, one.high) == (
            levels.level[k],
            levels.low[k],
            levels.high[k],
        )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", range(len(VARIANTS)))
def test_ordered_and_finite_on_every_kind_of_loss(case, method):
    traj = rw.walk(variant(case, 3), seed=3)
    levels = traj.levels(method)
    assert (levels.low >= 0.0).all()
    assert (levels.low <= levels.level).all()
    assert (levels.level <= levels.high).all()
    assert (levels.high <= traj.losses).all()
    assert ((traj.proximity() >= 0.0) & (traj.proximity() <= 1.0)).all()


@pytest.mark.parametrize("method", METHODS)
def test_ugly_walks_have_an_estimate(method):
    dead = rw.LayerLoss(rw.ReLUNetwork.random([2, 3, 1], seed=0), [[1.0, 1.0]], [2.0])
    flat = rw.walk(dead, start=np.full((3, 3), -1.0))
    exact = rw.walk(rw.LayerLoss(rw.ReLUNetwork([[[1.0]]], [[0.0]]), [[2.0]], [3.0]))
    assert exact.loss == 0.0
    for traj in (flat, exact):
        levels = traj.levels(method)
        values = np.array([levels.level, levels.low, levels.high])
        assert np.isfinite(values).all()
        assert (values <= traj.losses).all()


@pytest.mark.parametrize("method", METHODS)
def test_estimates_follow_the_scale_of_the_loss(traj, method):
    loss = traj.problem
    weights, biases = list(loss.network.weights), list(loss.network.biases)
    scaled = rw.LayerLoss(
        rw.ReLUNetwork([*weights[:-1], 8.0 * weights[-1]], [*biases[:-1], 8.0 * biases[-1]]),
        loss.X,
        8.0 * loss.y,
    )
    again = rw.walk(scaled, seed=5)
    assert again.n_pivots == traj.n_pivots
    np.testing.assert_allclose(again.levels(method).level, 8.0 * traj.levels(method).level)


def test_closer_than_the_current_loss_and_covered():
    """On walks the model was not fitted to; the figures are in `benchmarks level`."""
    errors, inside = {method: [] for method in METHODS}, []
    for seed in range(12):
        traj = rw.walk(random_loss([3, 6, 1], 60, 500 + seed), seed=seed)
        for share in (0.25, 0.5, 0.75):
            k = round(share * traj.n_pivots)
            current = traj.losses[k]
            for method in METHODS:
                estimate = traj.level(k, method)
                errors[method].append(abs(estimate.level - traj.loss) / (current - traj.loss))
                inside.append(estimate.low <= traj.loss <= estimate.high)
    assert np.median(errors["lookahead"]) < np.median(errors["record"]) < 0.9
    assert np.median(errors["lookahead"]) < 0.6
    assert 0.6 < np.mean(inside) <= 1.0


def test_proximity_rises_to_the_end(traj):
    near = traj.proximity()
    assert near[: traj.n_pivots // 2].max() < level.ANNOUNCE
    assert near[-1] > near[traj.n_pivots // 2]


def test_look_ahead_goes_the_way_of_a_long_walk():
    loss = random_loss([3, 5, 1], 50, 8)
    walk = rw.walk(loss, seed=8, step="long")
    tied = np.flatnonzero(walk.steps.tied)  # in between a zero block, left in another way
    first, last = tied[0], tied[-1] + 2
    assert first > 10
    assert last < walk.n_pivots - 8
    ahead = look_ahead(loss, walk.vertices[0], np.full(loss.dim, FREE), first)
    assert not ahead.optimal
    np.testing.assert_allclose(ahead.losses, walk.losses[: first + 1], rtol=1e-9)
    whole = look_ahead(loss, walk.vertices[last], walk.basis[last], 10_000)
    assert whole.optimal
    np.testing.assert_allclose(whole.losses, walk.losses[last:], rtol=1e-9)


def test_trees_against_a_walk_down_each_tree():
    rng = np.random.default_rng(0)
    trees = Trees(
        rng.integers(0, 3, (5, 7)).astype(np.int16),
        rng.normal(size=(5, 7)).astype(np.float32),
        rng.normal(size=(5, 8)).astype(np.float32),
        2.0,
    )
    x = rng.normal(size=(20, 3))
    for row, value in zip(x, trees(x), strict=True):
        total = 2.0
        for feature, threshold, leaf in zip(*trees[:3], strict=True):
            node = 0
            for _ in range(3):
                node = 2 * node + (1 if np.float32(row[feature[node]]) <= threshold[node] else 2)
            total += float(leaf[node - 7])
        assert value == pytest.approx(total)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"at": -1}, "at: expected an integer in 0"),
        ({"at": 10**6}, "at: expected an integer in 0"),
        ({"method": "guess"}, "method: expected one of lookahead, record"),
    ],
)
def test_bad_arguments(traj, arguments, message):
    with pytest.raises(ValueError, match=message):
        traj.level(**arguments)


def test_stop_at_level_gap_claims_nothing_and_resumes():
    loss = random_loss([4, 5, 4, 2, 1], 60, 11)
    whole = rw.walk(loss, seed=11)
    short = rw.walk(loss, seed=11, stop_at_level_gap=0.2)
    assert short.status is rw.WalkStatus.LEVEL_GAP
    assert not short.status.proved
    assert not short.certificate.is_local_minimum
    assert 0 < short.n_pivots < whole.n_pivots
    np.testing.assert_array_equal(short.vertices, whole.vertices[: short.n_pivots + 1])
    assert short.loss - short.level().level < 0.2 * short.loss
    resumed = rw.walk(loss, resume=short)
    assert resumed.status is whole.status
    np.testing.assert_array_equal(resumed.vertices, whole.vertices)
    for bad in (0.0, -1.0):
        with pytest.raises(ValueError, match=r"stop_at_level_gap: expected a number in \(0, 1\)"):
            rw.walk(loss, stop_at_level_gap=bad)


def test_a_gap_never_reached_changes_nothing(traj):
    again = rw.walk(traj.problem, seed=5, stop_at_level_gap=1e-12)
    np.testing.assert_array_equal(again.vertices, traj.vertices)
    assert again.status is traj.status
