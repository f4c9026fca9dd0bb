"""descend: how descents end, where floats end, and what is an error instead."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.optimize.diverged import DivergedError
from reluplex_walk.optimize.known_methods import Adam, Polyak
from reluplex_walk.optimize.methods import Momentum, SimpleRun
from reluplex_walk.optimize.objective import Objective
from tests.problems.descents import LOSSES, Recording, equal
from tests.problems.random import random_loss


@pytest.mark.parametrize("kind", ["l1", "squared"])
def test_divergence_ends_with_what_was_found(kind, tmp_path):
    one = random_loss([2, 4, 4, 1], 30, 0, negative_slope=0.5)  # no neuron is ever off
    loss = rw.NetworkLoss(one.network, one.X, one.y, kind)
    path = rw.descend(loss, "sgd", 1000, learning_rate=50.0)
    assert path.ended is rw.Ended.DIVERGED
    assert "larger than floats hold" in path.reason
    assert "larger than floats hold" in path.summary()
    assert "smaller learning rate" in path.ended.advice
    assert np.isfinite(path.losses).all()
    assert np.isfinite(path.theta).all()
    assert path.loss == loss(path.theta) > path.best_loss == loss(path.best)
    assert rw.descend(loss, gradients=2000, resume=path) is path
    path.save(tmp_path / "path.npz")
    equal(rw.DescentPath.load(tmp_path / "path.npz"), path)


@pytest.mark.parametrize("name", ["layer", "network"])
def test_an_end_that_networks_do_not_hold(name):
    start = LOSSES[name].parameters(np.full(LOSSES[name].dim, 0.5))

    class Growing(Recording):
        def step(self, gradient, left):
            self.theta = np.append(self.theta[:-1], 1e40 * self.theta[-1])
            return super().step(gradient, left)

    path = rw.descend(LOSSES[name], Growing(1), 3, start=start)
    assert np.abs(path.theta).max() == pytest.approx(0.5e120)
    for call in (lambda: path.network, lambda: path.gap(LOSSES["layer"].layer)):
        with pytest.raises(ValueError, match=r"path: .* 5e\+119: it diverged; .* is path.best"):
            call()
    again = rw.descend(path.problem, gradients=0, start=path.best)
    assert again.loss == path.best_loss
    assert again.gap(0).fall > 0.0
    short = rw.descend(LOSSES[name], Growing(1), 2, start=start)  # up to 5e79
    layer = -1 if name == "network" else LOSSES[name].layer
    assert short.network.biases[layer][-1] == pytest.approx(0.5e80)


def failing(error, at):
    """A method whose step raises `error` after `at` steps."""

    class Failing(SimpleRun):
        def step(self, gradient, left):
            if self.steps == at:
                raise error
            return super().step(gradient, left)

    class Method(Momentum):
        def begin(self, theta, learning_rate, seed=0):
            return Failing(**vars(super().begin(theta, learning_rate, seed)))

    return Method()


@pytest.mark.parametrize("at", [0, 3])
def test_only_where_floats_end_is_what_was_found_the_result(at):
    path = rw.descend(LOSSES["layer"], failing(DivergedError("the step is lost"), at), 9)
    assert (path.ended, path.n_steps) == (rw.Ended.DIVERGED, at)
    assert path.reason == "the step is lost"
    with pytest.raises(ValueError, match="operands could not be broadcast"):
        rw.descend(LOSSES["layer"], failing(ValueError("operands could not be broadcast"), at), 9)


def test_squares_that_floats_do_not_hold_end_alice(monkeypatch):
    whole, steps = Objective.gradient, []

    def growing(self, *arguments):
        steps.append(1)
        return whole(self, *arguments) * (1e160 if len(steps) > 40 else 1.0)

    monkeypatch.setattr(Objective, "gradient", growing)
    path = rw.descend(LOSSES["layer"], "alice", 100)
    assert path.ended is rw.Ended.DIVERGED
    assert 30 < path.gradients[-1] <= 40
    assert "squares float64 holds" in path.reason


@pytest.mark.parametrize("above", [0.0, 1e6])
def test_a_level_has_to_lie_below_the_start(above):
    for loss in (LOSSES["layer"], LOSSES["network"]):
        start = rw.descend(loss, gradients=0)
        with pytest.raises(ValueError, match="level: expected less than the loss at the start"):
            rw.descend(loss, Polyak(level=start.loss + above), 5)
        path = rw.descend(loss, Polyak(level=0.9 * start.loss), 200)
        assert path.best_loss < start.loss
        assert rw.descend(loss, gradients=210, resume=path).n_steps == 210


def test_polyak_ends_at_a_subgradient_of_0():
    net = rw.ReLUNetwork.random([2, 3, 1], seed=0)
    dead = rw.LayerLoss(net, [[1.0, 1.0]], [2.0])
    path = rw.descend(dead, "polyak", 50, start=np.full((3, 3), -1.0))
    assert (path.ended, path.n_steps) == (rw.Ended.FINISHED, 0)
    assert path.loss > 0.0


def test_methods_of_ones_own_are_not_saved_under_a_known_name(tmp_path):
    own = type("Adam", (Adam,), {"beta3": 0.5})()
    for method in (own, type("Own", (rw.Alice,), {})(), failing(None, 99)):
        with pytest.raises(ValueError, match=r"method: expected one of sgd, .* to be saved"):
            rw.descend(LOSSES["layer"], method, 3).save(tmp_path / "path.npz")
    rw.descend(LOSSES["layer"], Adam(), 3).save(tmp_path / "path.npz")
    assert rw.DescentPath.load(tmp_path / "path.npz").method == Adam()


def test_loss_zero_is_an_end():
    net = rw.ReLUNetwork([[[1.0]]], [[0.0]])
    loss = rw.LayerLoss(net, [[0.0], [1.0]], [0.0, 1.0])
    path = rw.descend(loss, "sgd", 50, start=[1.0, 0.5], learning_rate=0.25)
    assert (path.ended, path.loss) == (rw.Ended.FINISHED, 0.0)
    assert path.n_steps < 50
    assert path.gap().exact == 0
