"""A table of ugly problems: each walk ends by itself and claims no more than it should."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk import WalkStatus
from tests.simplex.test_walk import check

RNG = np.random.default_rng(0)
GRID = np.array([[a, b] for a in range(5) for b in range(5)], float)
LINE = np.outer(np.linspace(-1, 1, 15), [1.0, 2.0, -1.0])
X = RNG.uniform(-3, 3, (20, 2))
Y = RNG.uniform(-3, 3, 20)


def net(*widths, seed=0, **options):
    return rw.ReLUNetwork.random(widths, seed=seed, **options)


def dead(widths):
    """First layer dead on all of X."""
    network = net(*widths)
    theta = np.column_stack([np.zeros_like(network.weights[0]), -np.ones(widths[1])])
    return network.with_layer(0, theta)


MEANT = "ignore::reluplex_walk.RankWarning"  # columns that depend on each other

CASES = {
    "one sample": (net(2, 3, 1), X[:1], Y[:1]),
    "one neuron": (net(2, 1, 1), X, Y),
    "one parameter block of biases only": (net(1, 3, 1), np.zeros((10, 1)), Y[:10]),
    "fewer samples than parameters": (net(4, 5, 1), RNG.normal(size=(3, 4)), Y[:3]),
    "all samples equal": (net(2, 3, 1), np.ones((10, 2)), Y[:10]),
    "all targets equal": (net(2, 3, 1), X, np.ones(20)),
    "all zero": (net(2, 3, 1), np.zeros((10, 2)), np.zeros(10)),
    "every row three times": (net(2, 3, 1), np.repeat(X, 3, 0), np.repeat(Y, 3)),
    "same inputs, other targets": (net(2, 3, 1), np.repeat(X, 2, 0), RNG.normal(size=40)),
    "integer grid": (net(2, 4, 1), GRID, (GRID.sum(1) % 2)),
    "xor": (net(2, 2, 1), [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]),
    "one-hot categories": (net(3, 4, 1), np.eye(3)[np.arange(12) % 3], RNG.normal(size=12)),
    "collinear inputs": (net(3, 4, 1), LINE, RNG.normal(size=15)),
    "constant column": (net(2, 3, 1), np.column_stack([X[:, 0], np.ones(20)]), Y),
    "zero biases above": (net(2, 4, 3, 1, init="he"), X, Y),
    "leaky": (net(2, 4, 3, 1, negative_slope=0.01), X, Y),
    "two outputs": (net(2, 4, 2), X, RNG.normal(size=(20, 2))),
    "zero weights above": (net(2, 3, 1).with_layer(1, np.zeros((1, 4))), X, Y),
    "large numbers": (net(2, 3, 1), 1e6 * X, 1e6 * Y),
    "small numbers": (net(2, 3, 1), 1e-6 * X, 1e-6 * Y),
    "columns of different size": (net(2, 3, 1), X * [1e4, 1e-4], Y),
    "stack loss": (
        net(3, 4, 1),
        rw.datasets.load_stackloss().X,
        rw.datasets.load_stackloss().y,
    ),
}


@pytest.mark.filterwarnings(MEANT)
@pytest.mark.parametrize("step", ["adjacent", "long"])
@pytest.mark.parametrize("name", CASES)
def test_walk_ends(name, step):
    network, inputs, targets = CASES[name]
    for layer in range(network.n_layers):
        loss = rw.LayerLoss(network, inputs, targets, layer=layer)
        for seed in range(2):
            traj = rw.walk(loss, step=step, seed=seed, max_pivots=20_000)
            # The upper layer of "small numbers" sees features that differ in the 7th digit only.
            precise = name != "small numbers" or layer == 0
            check(traj, precise)
            assert traj.status in (
                WalkStatus.LOCAL_MINIMUM,
                WalkStatus.GLOBAL_MINIMUM,
                WalkStatus.NOT_PROVED,
            )
            if layer == network.n_layers - 1 and precise:
                assert traj.status is WalkStatus.GLOBAL_MINIMUM


@pytest.mark.parametrize("step", ["adjacent", "long"])
def test_start_at_zero_where_everything_vanishes(step):
    loss = rw.LayerLoss(net(2, 3, 1), X, Y)
    traj = rw.walk(loss, np.zeros(loss.shape), step=step)
    check(traj)
    assert traj.n_pivots > 0
    assert traj.loss < traj.losses[0]


def test_dead_start_is_reported_as_flat():
    network = dead([2, 3, 1])
    loss = rw.LayerLoss(network, X, Y)
    traj = rw.walk(loss, loss.theta)
    assert traj.n_pivots == 0
    assert traj.status is WalkStatus.LOCAL_MINIMUM
    assert traj.certificate.rank == 0
    assert not traj.certificate.strict
    check(traj)


def test_zero_loss_is_global():
    # More parameters than samples: interpolation.
    loss = rw.LayerLoss(net(4, 5, 1), RNG.normal(size=(3, 4)), Y[:3])
    statuses = {rw.walk(loss, seed=seed).status for seed in range(5)}
    assert WalkStatus.GLOBAL_MINIMUM in statuses
    for seed in range(5):
        traj = rw.walk(loss, seed=seed)
        assert (traj.status is WalkStatus.GLOBAL_MINIMUM) == (traj.loss < 1e-12)


def test_separable_hinge_reaches_zero_inside_a_region():
    labels = np.sign(X[:, 0] + 0.01)
    loss = rw.LayerLoss(net(2, 1), X, labels, kind="hinge")
    traj = rw.walk(loss)
    assert traj.status is WalkStatus.GLOBAL_MINIMUM
    assert traj.certificate.method == "zero-loss"
    assert loss(traj.theta) == pytest.approx(0.0, abs=1e-12)
