"""Figures of one walk against the functions they are made of, and where they are not defined."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.ensembles import measures
from tests.problems.random import random_loss


@pytest.fixture(scope="module")
def traj():
    return rw.walk(random_loss([2, 4, 2, 1], 60, 3), seed=3, proof="off")


def test_density_is_that_of_the_functions(traj):
    found = measures.density(traj, 0.1, segments=7, controls=2)
    first, end = traj.vertices[traj.phase1], traj.theta
    sizes = [np.linalg.norm(first), np.linalg.norm(end)]
    at_first = rw.density.breakpoint_density(traj.problem, first, 0.1 * sizes[0], 7, seed=3)
    at_end = rw.density.breakpoint_density(traj.problem, end, 0.1 * sizes[1], 7, seed=3)
    near = rw.density.vertex_density(traj, [0.05 * sizes[1], 0.05 * sizes[0]], 2, seed=3)
    tenth = len(near.lengths) // 10
    assert tenth > 1
    others = np.concatenate([each[:tenth] for each in near.control_lengths])
    last, growth = np.median(near.lengths[-tenth:]), sizes[1] / sizes[0]
    assert found == pytest.approx(
        {
            "density_end_first": at_end.inactive / at_first.inactive,
            "density_scaled": growth * at_end.inactive / at_first.inactive,
            "density_end_control": at_end.inactive / at_end.control,
            "density_end_control_all": at_end.value / at_end.control,
            "density_first_control": at_first.inactive / at_first.control,
            "density_visits_end_first": near.at_end[0] / near.at_first[1],
            "density_visits_end_control": near.at_end[0] / np.median(near.control[:, 0]),
            "density_edges_last_first": last / np.median(near.lengths[:tenth]),
            "density_edges_last_control": last / np.median(others),
            "density_norm_growth": growth,
        },
        rel=1e-12,
    )


def test_decay_is_read_off_the_losses(traj):
    found = measures.decay(traj)
    K, gap = traj.n_pivots, traj.losses - traj.loss
    for percent in (25, 50, 75, 90):
        expected = gap[round(percent * K / 100)] / traj.losses[0]
        assert found[f"decay_gap_{percent}"] == pytest.approx(expected, rel=1e-12)
    half = round(found["decay_half"] * K)
    assert gap[half] <= gap[0] / 2 < gap[half - 1]
    for a, b in [(2, 25), (25, 50), (50, 75), (75, 90), (90, 97)]:
        i, j = round(a * K / 100), round(b * K / 100)
        rate = -np.polyfit([i, j], np.log(gap[[i, j]]), 1)[0] * traj.problem.dim
        assert found[f"decay_rate_{a}_{b}"] == pytest.approx(rate, rel=1e-9)


def test_exponential_decay_has_one_rate(traj):
    """Losses c + exp(-k / 50): the same rate everywhere."""
    losses = 2.0 + np.exp(-np.arange(2001) / 100.0)

    class Fake(rw.Trajectory):  # whose losses are given
        n_pivots = 2000

        def __init__(self):
            self.__dict__.update(vars(traj), losses=losses, loss=2.0)

    found = measures.decay(Fake())
    rates = [value for name, value in found.items() if name.startswith("decay_rate")]
    np.testing.assert_allclose(rates, traj.problem.dim / 100.0, rtol=1e-6)
    assert found["decay_half"] == pytest.approx(100 * np.log(2) / 2000, abs=1 / 2000)


def test_level_is_that_of_the_trajectory(traj):
    found = measures.level(traj)
    for method, prefix in [("lookahead", "level"), ("record", "level_record")]:
        for percent in (25, 50, 75, 90):
            k = round(percent * traj.n_pivots / 100)
            guess = traj.level(k, method)
            error = abs(guess.level - traj.loss) / (traj.losses[k] - traj.loss)
            assert found[f"{prefix}_error_{percent}"] == pytest.approx(error, rel=1e-12)
            inside = guess.low <= traj.loss <= guess.high
            assert found[f"{prefix}_inside_{percent}"] == inside
    near = np.flatnonzero(traj.proximity()[:-1] >= 0.7)
    assert found["level_announced"] == (near.size > 0)
    assert found["level_announced_at"] == near[0] / traj.n_pivots
    assert found["level_false_alarm"] == (near[0] < 0.8 * traj.n_pivots)


@pytest.mark.parametrize("name", measures.MEASURES)
def test_figures_depend_on_the_walk_alone(traj, name):
    measure = measures.MEASURES[name]
    found = measure(traj)
    assert found == measure(rw.walk(traj.problem, seed=3, proof="off"))
    assert all(key.startswith(f"{name}_") and type(value) is float for key, value in found.items())


def test_proofs_of_control_walks_are_not_paid_for(monkeypatch):
    """A proved walk has proved controls no more than another has."""
    loss, seen = random_loss([2, 3, 1], 30, 1), []
    proved = rw.walk(loss, seed=1)

    def walk(*args, **options):
        seen.append(options["proof"])
        return rw.walk(*args, **options)

    monkeypatch.setattr("reluplex_walk.landscape.density.walk", walk)
    measures.density(proved, segments=1, controls=2)
    assert (proved.options.proof, seen) == ("on", ["off", "off"])


@pytest.mark.parametrize("name", measures.MEASURES)
def test_walks_that_were_stopped_have_no_figures_but_the_same_columns(traj, name):
    measure = measures.MEASURES[name]
    short = rw.walk(traj.problem, seed=3, max_pivots=40)
    assert measure(short) == dict.fromkeys(measure(traj))


@pytest.mark.parametrize("name", measures.MEASURES)
def test_what_is_not_defined_is_none(name, traj):
    """A walk that starts at its end, at theta = 0 and loss 0."""
    loss = rw.LayerLoss(rw.ReLUNetwork([[[0.0]]], [[0.0]]), [[0.0], [1.0]], [0.0, 0.0])
    still = rw.walk(loss, start=[[0.0, 0.0]])
    assert (still.loss, np.abs(still.theta).max()) == (0.0, 0.0)
    found = measures.MEASURES[name](still)
    assert found.keys() == measures.MEASURES[name](traj).keys()
    assert all(value is None or np.isfinite(value) for value in found.values())
    undefined = {"density": "end_first", "decay": "half", "level": "error_50"}
    assert found[f"{name}_{undefined[name]}"] is None


def test_a_ratio_to_0_is_infinite_and_of_0_to_0_none(traj):
    """At a small radius nothing is crossed but what vanishes at the end itself."""
    found = measures.density(traj, radius=1e-9)
    assert found["density_end_control_all"] == np.inf
    assert found["density_end_control"] is found["density_end_first"] is None


def test_bad_input(traj):
    for measure in measures.MEASURES.values():
        with pytest.raises(TypeError, match="traj: expected a Trajectory, found str"):
            measure("walk")
    with pytest.raises(ValueError, match="radius: expected a number > 0"):
        measures.density(traj, radius=0.0)
    with pytest.raises(ValueError, match="segments: expected an integer >= 1"):
        measures.density(traj, segments=0)


def test_rows_hold_what_is_infinite_and_leave_out_what_is_not_defined(tmp_path):
    """Without the infinite ones medians would be too low."""
    loss = random_loss([2, 3, 1], 30, 1)
    for out in (None, tmp_path):
        found = rw.ensemble(loss, 3, out=out, measures=[odd, "decay"], proof="off")
        assert found.figures["odd"].tolist() == [np.inf] * 3
        assert np.isnan(found.figures["gone"]).all()
        walks = [rw.walk(loss, seed=seed, proof="off") for seed in range(3)]
        halves = [measures.decay(walk)["decay_half"] for walk in walks]
        assert found.figures["decay_half"].tolist() == halves


def odd(traj):
    return {"odd": np.inf, "gone": None}
