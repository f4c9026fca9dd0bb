"""`minimize`: against proved global minima, against its own walks, and what it promises."""

import signal

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.optimize import kicks, scout
from tests.problems.random import VARIANTS, random_loss, variant


@pytest.mark.parametrize("seed", range(6))
def test_global_minimum_of_tiny_problems(seed):
    loss = random_loss([1, 2, 1], 7, seed)
    found = rw.minimize(loss, max_walks=60)
    assert found.loss == pytest.approx(rw.global_minimum(loss).loss, abs=1e-9)
    assert found.best.status.proved
    assert found.best.verify().loss == pytest.approx(found.loss)


@pytest.mark.parametrize("case", range(len(VARIANTS)))
def test_never_above_its_starts_and_proved(case):
    loss = variant(case, 3)
    starts = [loss.random_start(k) for k in (5, 6)]
    found = rw.minimize(loss, max_walks=12, start=starts, seed=1)
    assert found.loss <= min(rw.walk(loss, start, step="long").loss for start in starts) + 1e-9
    assert found.best.certificate.is_local_minimum
    found.best.verify()
    assert loss(found.theta) == pytest.approx(found.loss, rel=1e-12, abs=1e-12)


def test_levels_and_time_course_fit_together():
    loss = random_loss([3, 4, 3, 1], 60, 0)
    found = rw.minimize(loss, max_walks=30)
    assert found.status == "max_walks"
    assert found.seconds.shape == found.losses.shape == (30,)
    assert (np.diff(found.seconds) > 0).all()
    assert (np.diff(found.levels) > 0).all()
    assert found.proved.shape == found.levels.shape == (len(found.thetas),)
    values = np.array([loss(theta) for theta in found.thetas])
    assert values == pytest.approx(found.levels, rel=1e-9)
    assert found.levels[0] <= found.losses.min() + 1e-9
    assert found.levels[found.proved].min() == found.loss


def test_levels_said_to_be_proved_are_local_minima():
    loss = random_loss([2, 3, 1], 15, 4)
    found = rw.minimize(loss, max_walks=20)
    rng = np.random.default_rng(0)
    assert found.proved.any()
    for theta in found.thetas[found.proved]:
        near = theta + 1e-6 * rng.normal(size=(200, *loss.shape))
        assert min(loss(other) for other in near) >= loss(theta) - 1e-10


def test_same_seed_same_walks():
    loss = random_loss([3, 4, 1], 40, 1)
    once, again = (rw.minimize(loss, max_walks=15, seed=3) for _ in range(2))
    assert np.array_equal(once.losses, again.losses)
    assert np.array_equal(once.theta, again.theta)
    # More walks go on where fewer stopped, and the seed matters.
    assert np.array_equal(rw.minimize(loss, max_walks=9, seed=3).losses, once.losses[:9])
    assert not np.array_equal(rw.minimize(loss, max_walks=15, seed=4).losses, once.losses)


def test_units_of_the_data_do_not_matter():
    loss = random_loss([1, 2, 1], 7, 1)
    stamps = rw.LayerLoss(loss.network, 1000.0 * loss.X + 5e6, loss.y)
    found = rw.minimize(stamps, max_walks=60)
    assert found.loss == pytest.approx(rw.global_minimum(loss).loss, abs=1e-6)


def test_neurons_at_zero_do_not_stop_it():
    loss = random_loss([2, 10, 1], 100, 0)
    found = rw.minimize(loss, max_walks=10)
    assert found.best.status.proved
    assert not found.best.certificate.degenerate


def test_convex_losses_end_at_once():
    loss = random_loss([3, 1], 20, 0)
    found = rw.minimize(loss, max_walks=50)
    assert found.status == "global_minimum"
    assert len(found.losses) == 1
    assert found.loss == pytest.approx(rw.walk(loss).loss)


def test_a_perfect_linear_fit_ends_it():
    loss = rw.LayerLoss(rw.ReLUNetwork([[[1.0]]], [[0.0]]), [[0.0], [1.0]], [1.0, 3.0])
    found = rw.minimize(loss, max_walks=3)
    assert found.loss == 0.0
    assert found.best.status is rw.WalkStatus.GLOBAL_MINIMUM


def test_time_limit_ends_it():
    found = rw.minimize(random_loss([4, 5, 4, 2, 1], 100, 1), 1.0)
    assert found.status == "time_limit"
    assert found.best.status.proved


def test_a_walk_cut_short_is_no_minimum():
    found = rw.minimize(random_loss([8, 30, 1], 800, 1), 1e-6)
    assert found.best.status is rw.WalkStatus.TIME_LIMIT
    assert len(found.levels) == 0
    assert len(found.losses) == 1


def far_from_zero(which, seed, hidden=6):
    """Losses of people's data: years, prices, incomes."""
    rng = np.random.default_rng(seed)
    if which == "engel":
        data = rw.datasets.load_engel()
        X, y = data.X, data.y
    elif which == "years":
        X = np.arange(1950.0, 2021.0)[:, None]
        y = 300.0 + 1.5 * (X[:, 0] - 1950) + 1.6 * np.maximum(0, X[:, 0] - 1990)
        y += rng.normal(size=71)
    else:
        X = np.round(rng.lognormal(12.0, 0.5, (60, 2)), -3)
        y = X[:, 0] / X[:, 1] * 1e5 + rng.normal(0, 1e4, 60)
    return rw.LayerLoss(rw.ReLUNetwork.random([X.shape[1], hidden, 1], seed=seed), X, y)


@pytest.mark.parametrize("which", ["years", "prices", "engel"])
@pytest.mark.parametrize("scale", [None, 1.0])
def test_each_step_ends_whatever_the_units(which, scale, monkeypatch):
    made = []
    walk, once = scout.Scout.walk, scout.Scout._once

    def step(self, theta, limits):
        made.append(0)
        return walk(self, theta, limits)

    def counted(self, theta, limits):
        made[-1] += 1
        return once(self, theta, limits)

    monkeypatch.setattr(scout.Scout, "walk", step)
    monkeypatch.setattr(scout.Scout, "_once", counted)
    for seed in range(3):
        loss = far_from_zero(which, seed)
        start = loss.random_start(seed, scale)
        made.clear()
        found = rw.minimize(loss, max_walks=40, seed=seed, start=start, proof_budget=0.2)
        assert max(made) <= 1 + loss.shape[0]
        assert found.loss <= (1.0 + 1e-9) * rw.baselines(loss.X, loss.y).linear
        assert np.abs(loss.standard_units.inner(found.theta)).max() < 1e9


def test_years_to_a_proof():
    loss = far_from_zero("years", 6)
    found = rw.minimize(loss, max_walks=60)
    assert found.best.status.proved
    assert found.loss < 0.2 * rw.baselines(loss.X, loss.y).linear


def test_time_ends_a_step_that_finds_zero_neurons_for_ever(monkeypatch):
    """Whatever is wrong with the neurons, a step looks at the clock and at Ctrl-C."""
    monkeypatch.setattr(scout, "_zero_neurons", lambda traj: np.ones(300, np.bool_))
    loss = random_loss([2, 300, 1], 50, 0)
    found = rw.minimize(loss, time_limit=0.2)
    assert found.status == "time_limit"
    assert found.elapsed < 10.0


def test_units_of_a_wild_size_do_not_matter():
    loss = far_from_zero("prices", 1)
    found = rw.minimize(loss, max_walks=15, proof_budget=0.2)
    other = rw.LayerLoss(loss.network, 1024.0 * loss.X, loss.y)
    again = rw.minimize(other, max_walks=15, proof_budget=0.2)
    np.testing.assert_allclose(again.losses[:5], found.losses[:5], rtol=1e-6)


def test_loss_zero_ends_it_as_a_global_minimum():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 17, (80, 12)).astype(float)
    y = np.sign(X[:, 0] - X[:, 1] + 0.5)
    loss = rw.LayerLoss(rw.ReLUNetwork.random([12, 3, 1], seed=0), X, y, kind="hinge")
    found = rw.minimize(loss, max_walks=200)
    assert found.levels[0] < 1e-12
    assert found.best.certificate.loss == 0
    assert found.status == "global_minimum"
    assert found.best.status is rw.WalkStatus.GLOBAL_MINIMUM
    found.best.verify()


def test_all_neurons_off_is_said():
    loss = random_loss([2, 3, 1], 10, 0)
    off = np.column_stack([np.zeros((3, 2)), -np.ones(3)])
    found = rw.minimize(loss, max_walks=1, start=off)
    assert "3 of 3 neurons are off for every sample" in repr(found)
    # The next walks have starts of their own.
    assert "off for every" not in repr(rw.minimize(loss, max_walks=5, start=off))


def test_the_callback_is_told_and_may_stop_it():
    loss, told = random_loss([3, 4, 1], 40, 1), []
    found = rw.minimize(loss, max_walks=5, callback=told.append)
    assert [progress.n_walks for progress in told] == [1, 2, 3, 4, 5]
    assert [progress.loss for progress in told] == np.minimum.accumulate(found.losses).tolist()

    def stop(progress):
        if progress.n_walks == 3:
            raise StopIteration

    stopped = rw.minimize(loss, max_walks=5, callback=stop)
    assert stopped.status == "interrupted"
    assert stopped.losses.tolist() == found.losses[:3].tolist()
    with pytest.raises(TypeError, match="callback"):
        rw.minimize(loss, max_walks=5, callback=3)


def test_interrupt_keeps_what_was_found(monkeypatch):
    kick = kicks.Kicks._kick

    def interrupted(self, theta):
        signal.raise_signal(signal.SIGINT)
        return kick(self, theta)

    monkeypatch.setattr(kicks.Kicks, "_kick", interrupted)
    found = rw.minimize(random_loss([3, 4, 1], 40, 1), max_walks=50)
    assert found.status == "interrupted"
    assert len(found.losses) == 7  # the walk at hand is made
    assert found.loss <= found.losses.max()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "time_limit: .* where max_walks"),
        ({"time_limit": 0}, "time_limit: .*> 0"),
        ({"time_limit": np.nan}, "time_limit: .*finite"),
        ({"max_walks": 0}, "max_walks: .*>= 1"),
        ({"max_walks": 1, "proof_budget": 0}, "proof_budget: .*> 0"),
        ({"max_walks": 1, "seed": -1}, "seed"),
        ({"max_walks": 1, "start": np.zeros((4, 3))}, r"start: .*\(3, 3\) or \(9,\)"),
        ({"max_walks": 1, "start": np.zeros((0, 9))}, "start: .*several"),
        ({"max_walks": 1, "start": np.full(9, np.inf)}, "start: .*finite"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        rw.minimize(random_loss([2, 3, 1], 10, 0), **options)


def test_only_of_a_loss():
    with pytest.raises(TypeError, match="loss: expected a LayerLoss"):
        rw.minimize(lambda theta: 0.0, max_walks=1)
