"""What searches move: the map between parameters and the free ones, and who is told."""

import warnings

import numpy as np
import pytest

import reluplex_walk as rw

FEET = np.array([4.4, 1.6, 8.61, 7.88, 6.46, 8.3, 8.33, 1.42])
Y = np.array([0.58, -0.76, -3.92, 1.61, 1.46, 0.0, 1.95, -0.76])


def loss_of(*columns, widths=(2, 1), **options):
    X = np.column_stack(columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rw.RankWarning)
        return rw.LayerLoss(rw.ReLUNetwork.random([X.shape[1], *widths]), X, Y, **options)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    "columns",
    [
        [FEET],
        [FEET, 0.3048 * FEET],
        [np.full(8, 3.0), FEET, 1.8 * FEET + 32.0, FEET**2],
        [1e9 + FEET, FEET, 2e9 + FEET],
        [1e-30 * FEET, FEET],
    ],
)
def test_parameters_and_free_ones(columns, fit_intercept):
    loss = loss_of(*columns, fit_intercept=fit_intercept)
    units, rng = loss.free_units, np.random.default_rng(0)
    theta, inner = rng.normal(size=loss.shape), rng.normal(size=loss.free_shape)
    # The function on the data is the same: inputs @ parameters, but for biases that do not move.
    values = loss.inputs @ theta[:, :-1].T + theta[:, -1]
    held = np.zeros(2) if fit_intercept else theta[:, -1]
    size = np.abs(loss.inputs) @ np.abs(theta[:, :-1].T) + np.abs(theta[:, -1])
    found = units.inputs(loss.inputs) @ units.inner(theta).T + held
    assert (np.abs(found - values) <= 1e-11 * size).all()
    # There and back; what is not free stays bit for bit.
    point = units.outer(inner, theta)
    np.testing.assert_array_equal(point[~loss.free], theta[~loss.free])
    np.testing.assert_allclose(units.inner(units.outer(inner)), inner, rtol=1e-6, atol=1e-6)
    assert (units.outer(inner)[~loss.free] == 0.0).all()


def test_without_dependence_nothing_changes():
    loss = loss_of(FEET, FEET**2)
    assert loss.free.all()
    assert loss.n_free == loss.dim == 6
    assert loss.free_kernel is loss.kernel


def test_random_starts_are_those_without_the_columns():
    both, one = loss_of(FEET, 0.3048 * FEET), loss_of(FEET)
    assert both.aliased.tolist() == [1]
    one = rw.LayerLoss(
        rw.ReLUNetwork([np.ones((2, 1)), *both.network.weights[1:]], both.network.biases), one.X, Y
    )
    for scale in (None, 1.0):
        start = both.random_start(3, scale)
        np.testing.assert_allclose(start[:, [0, 2]], one.random_start(3, scale), rtol=1e-12)
        assert (start[:, 1] == 0.0).all()
    assert (loss_of(FEET, fit_intercept=False).random_start(3)[:, -1] == 0.0).all()


def test_a_warning_for_columns_that_vary():
    net = rw.ReLUNetwork.random([3, 2, 1])
    X = np.column_stack([FEET, np.ones(8), 0.3048 * FEET])
    with pytest.warns(rw.RankWarning, match="determine column 2 up to rounding") as caught:
        loss = rw.LayerLoss(net, X, Y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert loss.aliased.tolist() == [1, 2]
    # None for constants, deeper layers, and few samples (warnings are errors here).
    rw.LayerLoss(net, np.column_stack([FEET, np.ones(8), np.zeros(8)]), Y)
    assert rw.LayerLoss(rw.ReLUNetwork.random([1, 9, 1]), FEET[:, None], Y, layer=1).aliased.size
    assert rw.LayerLoss(net, X[:3], Y[:3]).aliased.size


def test_loss_and_gradient_do_not_change():
    loss = loss_of(FEET, 0.3048 * FEET)
    theta = np.array([[0.5, 0.25, -1.0], [-0.5, 1.0, 0.0]])
    gradient = loss.gradient(theta)
    assert gradient[0, 1] == pytest.approx(0.3048 * gradient[0, 0], rel=1e-12) != 0.0
    free = rw.LayerLoss(loss.network, loss.X[:3], Y[:3], fit_intercept=False)
    assert free(theta) == rw.LayerLoss(loss.network, loss.X[:3], Y[:3])(theta)
    assert "fit_intercept" in free.fingerprint


def test_at_the_border():
    net = rw.ReLUNetwork.random([1, 1])
    with pytest.raises(TypeError, match="fit_intercept: expected True or False, found 'no'"):
        rw.LayerLoss(net, FEET[:, None], Y, fit_intercept="no")
    with pytest.raises(ValueError, match="fit_intercept: expected True, found False where all"):
        rw.LayerLoss(net, np.zeros((8, 1)), Y, fit_intercept=False)
