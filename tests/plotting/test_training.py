"""The rounds of a training and the path of penalties, drawn as they are."""

import pytest

import reluplex_walk as rw

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

X, Y = [[0.0], [1.0], [2.0], [4.0], [5.0]], [0.0, 1.0, 1.0, 3.0, 2.5]


def labels(ax):
    return [line.get_label() for line in ax.lines]


def test_rounds_by_where_they_started(tmp_path):
    fit = rw.train(rw.ReLUNetwork.random([1, 2, 1], seed=0), X, Y, rounds=10, penalty=0.1)
    ax = fit.plot()
    assert labels(ax) == ["given", "linear", "fresh", "kicked", "least so far", "end"]
    assert (ax.get_ylabel(), ax.get_yscale()) == ("loss and penalty", "log")
    drawn = sum(len(line.get_xdata()) for line in ax.lines[:4])
    assert drawn == len(fit.rounds)
    assert ax.lines[-1].get_ydata()[0] == fit.objective
    ax.figure.savefig(tmp_path / "rounds.png")


def test_a_loss_of_0_has_a_linear_axis():
    fit = rw.train(rw.ReLUNetwork.random([1, 2, 1], seed=0), X[:2], Y[:2], rounds=2)
    fit = rw.TrainingFit(**{**vars(fit), "loss": 0.0})
    assert fit.plot().get_yscale() == "linear"


def test_without_a_round_there_is_nothing_to_draw():
    fit = rw.train(rw.ReLUNetwork.random([1, 2, 1], seed=0), X, Y, rounds=0)
    with pytest.raises(ValueError, match="round"):
        fit.plot()


def test_a_path_has_a_line_for_each_weight():
    loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 3, 1], seed=0), X, Y)
    path = rw.penalty_path(loss, n=4)
    ax = path.plot()
    assert len(ax.lines) == 3
    for j, line in enumerate(ax.lines):
        assert (line.get_xdata() == path.penalties).all()
        assert (line.get_ydata() == path.thetas[:, j, 0]).all()
