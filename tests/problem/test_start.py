"""Default starts: among the data, below the best linear function, in any units."""

import warnings

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.problem.loss import LayerLoss

N = 60
UNITS = {
    "time stamps": lambda X: 1.7e9 + 86400.0 * X,
    "years": lambda X: 1990.0 + np.round(10.0 * X),
    "prices": lambda X: 3e5 + 1e5 * X,
    "wild scales": lambda X: X * 10.0 ** np.linspace(-60.0, 60.0, X.shape[1]),
    "shifted": lambda X: X + 1e6,
}


def data(seed, p=2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, p))
    y = 300.0 + 50.0 * X[:, 0] + 40.0 * np.abs(X[:, -1]) + rng.standard_t(2, N)
    return X, y


def network(seed, p=2, h=6, signs=(1.0, -1.0), outputs=1, **options):
    """One hidden layer, weights above of these signs in turn."""
    net = rw.ReLUNetwork.random([p, h, outputs], seed=seed, **options)
    above = np.abs(net.weights[1]) * np.resize(signs, h)
    return rw.ReLUNetwork([net.weights[0], above], net.biases, net.negative_slope)


def loss_of(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rw.RankWarning)
        return LayerLoss(*args, **options)


def test_ordinary_data_keep_the_uniform_start():
    rng = np.random.default_rng(0)
    loss = LayerLoss(
        rw.ReLUNetwork.random([2, 3, 1]), rng.uniform(-3, 3, (20, 2)), rng.normal(size=20)
    )
    expected = np.random.default_rng(5).uniform(-1.0, 1.0, loss.shape)
    assert loss.ordinary
    np.testing.assert_array_equal(loss.random_start(5), expected)
    np.testing.assert_allclose(loss.random_start(5, 3.0), 3.0 * expected)


def test_a_scale_is_taken_at_its_word():
    X, y = data(0)
    loss = LayerLoss(network(0), UNITS["time stamps"](X), y)
    assert not loss.ordinary
    expected = np.random.default_rng(5).uniform(-2.0, 2.0, loss.shape)
    np.testing.assert_array_equal(loss.random_start(5, 2.0), expected)


@pytest.mark.parametrize("units", UNITS)
def test_every_neuron_bends_among_the_data(units):
    X, y = data(1)
    loss = LayerLoss(network(1), UNITS[units](X), y)
    values = loss.inputs @ (theta := loss.random_start(3))[:, :-1].T + theta[:, -1]
    both = (values > 0).any(axis=0) & (values < 0).any(axis=0)
    assert both.sum() >= 5  # all but the neurons of the linear function, if need be
    assert not (values <= 0).all(axis=0).any()


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize(
    ("kind", "tau", "slope"), [("l1", None, 0.0), ("pinball", 0.2, 0.0), ("l1", None, 0.1)]
)
def test_starts_and_walks_lie_below_the_best_linear_function(units, kind, tau, slope):
    weight = np.random.default_rng(9).integers(0, 3, N).astype(float)
    for seed in range(5):
        X, y = data(seed)
        X, y = UNITS[units](X), y * (-1.0) ** seed
        loss = LayerLoss(network(seed, negative_slope=slope), X, y, 0, kind, tau, weight)
        linear = rw.baselines(X, y, kind, tau, weight).linear
        start = loss.random_start(seed)
        assert loss(start) < linear
        traj = rw.walk(loss, seed=seed, step="long", proof="off")
        np.testing.assert_array_equal(traj.vertices[0], start)
        assert traj.loss < 0.95 * linear


def test_the_hinge_loss_too():
    X, y = data(4)
    X, y = UNITS["prices"](X), np.where(y > np.median(y), 1.0, -1.0)
    loss = LayerLoss(network(4), X, y, kind="hinge")
    assert loss(loss.random_start()) < rw.baselines(X, y, "hinge").linear


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_weights_of_one_sign_reach_the_constant_where_they_can(sign):
    for seed in range(5):
        X, y = data(seed)
        loss = LayerLoss(network(seed, signs=[sign]), UNITS["years"](X), y)
        base = rw.baselines(loss.X, y)
        most = loss(loss.random_start(seed))
        # Targets lie above the bias: with positive weights the linear function is in reach,
        # with negative ones nothing above the bias is.
        assert (
            most < base.linear
            if sign > 0
            else most <= 1.001 * np.abs(y - loss.network.biases[1]).sum()
        )


def test_one_neuron_is_enough_for_a_line_on_one_side_of_the_bias():
    X, y = data(0, p=1)
    loss = LayerLoss(network(0, p=1, h=1), UNITS["time stamps"](X), y)
    linear = rw.baselines(loss.X, y).linear
    assert loss(loss.random_start()) <= linear * (1.0 + 1e-9)


@pytest.mark.parametrize("factor", [2.0**-20, 0.3048, 1e7])
def test_units_do_not_matter(factor):
    """The same start up to units: the network says the same on the data."""
    X, y = data(2)
    X = 1e4 + 300.0 * X
    one, other = (LayerLoss(network(2), Z, y) for Z in (X, factor * X + factor * 1e4))
    for seed in range(5):
        said = [
            loss.network.with_layer(0, loss.random_start(seed))(loss.X) for loss in (one, other)
        ]
        np.testing.assert_allclose(*said, rtol=1e-9)


def test_seeds_differ_and_repeat():
    X, y = data(3)
    loss = LayerLoss(network(3), UNITS["prices"](X), y)
    starts = [loss.random_start(seed) for seed in range(20)]
    np.testing.assert_array_equal(starts[7], loss.random_start(7))
    assert len({start.tobytes() for start in starts}) == 20
    ends = [rw.walk(loss, start, step="long", proof="off").loss for start in starts]
    assert len(np.unique(np.round(ends, 6))) > 10


@pytest.mark.parametrize(
    ("widths", "layer"),
    [([2, 5, 2], 0), ([2, 4, 3, 1], 0), ([2, 4, 3, 1], 1), ([2, 1], 0), ([2, 3, 1], 1)],
)
@pytest.mark.parametrize("units", UNITS)
def test_other_networks(widths, layer, units):
    X, y = data(5)
    y = np.column_stack([y, -0.1 * y])[:, : widths[-1]]
    net = rw.ReLUNetwork.random(widths, seed=5)
    if layer:
        net = net.with_layer(0, LayerLoss(net, UNITS[units](X), y).random_start(1))
    loss = loss_of(net, UNITS[units](X), y, layer)
    start = loss.random_start(1)
    assert np.isfinite(start).all()
    assert loss(start) <= 1.01 * loss(np.zeros(loss.shape)) or widths == [2, 1]
    traj = rw.walk(loss, seed=1, step="long", proof="off")
    assert len(traj.dead_neurons) < loss.shape[0]


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    "X",
    [
        np.full((5, 2), 7e5),
        np.zeros((5, 1)),
        np.column_stack([np.arange(5.0) + 2e9, np.full(5, 3.0)]),
        np.column_stack([2e9 + np.arange(5.0), 4e9 + 2 * np.arange(5.0)]),
        np.array([[1e100], [-1e100], [3e99], [0.0], [1.0]]),
        np.array([[5e-324], [0.0], [1e-310], [0.0], [1e-90]]),
    ],
)
def test_odd_data(X, fit_intercept):
    if not (fit_intercept or X.any()):
        return
    for y in (np.zeros(5), np.full(5, 1e6), 1e6 * np.arange(5.0) ** 2):
        net = network(0, p=X.shape[1], h=3)
        loss = loss_of(net, X, y, fit_intercept=fit_intercept)
        with np.errstate(all="raise", under="ignore"):
            start = loss.random_start(1)
        assert np.isfinite(start).all()
        assert np.isfinite(loss(start))
        assert (start[~loss.free] == 0.0).all()
