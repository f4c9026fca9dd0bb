"""The glass on segments: every jump against differences of gradients, and what is not known."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk import glass
from tests.problems.random import random_loss

WIDTHS = [4, 5, 4, 2, 1]


@pytest.fixture(scope="module")
def loss():
    return random_loss(WIDTHS, 300, 1)


def test_exact_is_made_of_gradients_on_either_side(loss):
    """Every jump as the difference of two gradients, in the regions between the crossings."""
    theta = loss.random_start(5, 1.0)
    found = glass.exact(loss, theta, 0.2, directions=3, seed=7)
    for k, v in enumerate(found.directions):
        assert np.linalg.norm(v) == pytest.approx(1.0, abs=1e-15)
        assert np.abs(v).tolist() == pytest.approx([loss.dim**-0.5] * loss.dim)
        end = theta + 0.2 * v.reshape(loss.shape)
        times = rw.crossings(loss, theta, end).times
        between = np.concatenate([[0.0], (times[1:] + times[:-1]) / 2, [1.0]])
        path = [loss.gradient(theta + t * (end - theta)).ravel() for t in between]
        jumps = np.diff(path, axis=0)
        assert len(jumps) == found.n_crossings[k] > 5
        assert found.rho[k] == pytest.approx(((jumps @ v) ** 2).sum() / 0.2, rel=1e-9)
        np.testing.assert_allclose(found.coordinates[k], (jumps**2).sum(axis=0) / 0.2, rtol=1e-9)
        assert found.curvature[k] == pytest.approx((jumps @ v).sum() / 0.2, rel=1e-9)
    total = found.rho_hidden + found.rho_residual
    np.testing.assert_allclose(found.rho, total, rtol=1e-12)
    assert (found.rho_hidden > 0).any()
    assert found.rho_total == pytest.approx(found.coordinates.sum() / 3)


def test_mean_over_rms_by_hand():
    """Jumps -1 of the neuron and +2 of the residual, both crossed on one segment of length 4."""
    network = rw.ReLUNetwork([[[0.0]], [[1.0]]], [[0.0], [0.0]])
    loss = rw.LayerLoss(network, [[1.0], [1.0]], [2.0, 2.0])
    found = glass.exact(loss, [[-1.0, 0.0]], 4.0, [[5.0, 0.0]])
    assert found.mean_over_rms == (-1.0, 1.0)
    assert found.rho.tolist() == [(2.0**2 + 4.0**2) / 4.0]  # of two samples that are one
    assert found.rho_hidden.tolist() == [1.0]
    # the bias moves with the weight, which depends on it, and so is not free
    assert found.coordinates.tolist() == [[0.0, 5.0]]
    assert found.curvature.tolist() == [0.5]


def test_directions(loss):
    given = np.zeros((2, loss.dim))
    given[0, 3], given[1, :2] = 1e-200, (3.0, -4.0)
    found = glass.exact(loss, loss.theta, 5.0, given)
    np.testing.assert_allclose(found.directions[0], np.eye(loss.dim)[3])
    np.testing.assert_allclose(found.directions[1, :2], (0.6, -0.8))
    shaped = glass.exact(loss, loss.theta.ravel(), 5.0, given.reshape(2, *loss.shape))
    np.testing.assert_array_equal(found.rho, shaped.rho)
    drawn = glass.exact(loss, loss.theta, 0.5, 5, seed=3)
    again = glass.exact(loss, loss.theta, 0.5, drawn.directions)
    np.testing.assert_allclose(drawn.rho, again.rho, rtol=1e-12)
    estimated = glass.estimate(loss, loss.theta, 0.1, 5, seed=3)
    fewer = glass.exact(loss, loss.theta, 0.5, 3, seed=3)
    np.testing.assert_array_equal(drawn.directions[:3], fewer.directions)
    np.testing.assert_array_equal(drawn.directions, estimated.directions)


def test_few_crossings_are_no_zero(loss):
    with pytest.warns(glass.GlassWarning, match=r"^length: segments of 1e-09 cross fewer than one"):
        found = glass.exact(loss, loss.theta, 1e-9)
    for each in (found.rho, found.rho_hidden, found.coordinates, found.curvature):
        assert np.isnan(each).all()
    assert np.isnan([*found.mean_over_rms, found.rho_total, found.bound(0.1)]).all()
    assert not found.variogram().holds
    assert "nan" in repr(found)
    with pytest.warns(glass.GlassWarning, match=r"^sigma: of 24 lines of \+-1e-09 24 cross no"):
        guess = glass.estimate(loss, loss.theta, 1e-9)
    assert np.isnan([guess.rho_total, guess.bound(0.1), *guess.rho, *guess.h]).all()


def test_no_hidden_neurons_are_no_reason_to_warn():
    linear = random_loss([3, 1], 50, 0)
    found = glass.exact(linear, linear.theta, 0.3)
    assert found.rho_hidden.tolist() == [0.0] * 24
    assert np.isnan(found.mean_over_rms.hidden)
    np.testing.assert_array_equal(found.rho, found.rho_residual)
    deep = random_loss([3, 4, 1], 400, 0, kind="hinge")
    found = glass.exact(deep, deep.theta, 1e-2)
    with pytest.warns(glass.GlassWarning, match="fewer than one residual breakpoint"):
        assert np.isnan(found.rho_residual).all()
    assert (found.rho_hidden == found.rho).any()


def test_of_given_directions_each_is_a_question_of_its_own():
    """On average they cross more than one breakpoint, some of them none: no density of 0."""
    loss, length = random_loss(WIDTHS, 40, 1), 0.05
    with pytest.warns(glass.GlassWarning, match=r"^length: of 25 segments of 0.05 5 cross no brea"):
        found = glass.exact(loss, loss.theta, length, np.eye(loss.dim))
    assert found.n_crossings.mean() > 1.0
    flat = found.n_crossings == 0
    assert flat.any()
    for each in (found.rho, found.curvature, found.coordinates.sum(axis=1)):
        np.testing.assert_array_equal(np.isnan(each), flat)
    squares = [each.squares.sum() / length for each in found.segments]
    assert found.rho_total == pytest.approx(np.mean(squares))  # a mean over all of them
    along = [(each.along**2).sum() / length for each in found.segments]
    slope, spread = np.array([each.along.sum() / length for each in found.segments]), 0.0
    spread = max(0.0, slope.var(ddof=1) - np.mean(along) / length)
    wide = np.sqrt(np.mean(along) * 0.1**3 / 3 + spread * 0.1**4 / 4)
    expected = abs(slope.mean()) * 0.1**2 / 2 + 1.959963984540054 * wide
    assert found.bound(0.1) == pytest.approx(expected, rel=1e-9)
    with pytest.warns(
        glass.GlassWarning, match=r"\d+ cross no residual breakpoint; .* less than o"
    ):
        part = found.rho_residual
    none = np.array([each.hidden.all() for each in found.segments])
    assert flat.sum() < none.sum()
    np.testing.assert_array_equal(np.isnan(part), none)


def test_a_kind_that_is_not_crossed_is_unknown_wherever_it_is_asked_for():
    deep = random_loss([3, 4, 1], 400, 0, kind="hinge")
    found = glass.exact(deep, deep.theta, 1e-2)
    assert 0 < sum(len(each.of_kind("residual")) for each in found.segments) < 24
    assert np.isnan(found.mean_over_rms.residual)
    assert np.isfinite(found.mean_over_rms.hidden)
    with pytest.warns(glass.GlassWarning, match="fewer than one residual breakpoint"):
        assert np.isnan(found.variogram("residual").value).all()


@pytest.mark.parametrize("how", ["no intercept", "dependent column"])
def test_parameters_that_searches_do_not_move_stay_where_they_are(how):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 3)), rng.normal(size=300)
    network = rw.ReLUNetwork.random([3, 4, 1], seed=1)
    if how == "dependent column":
        X[:, 2] = X[:, 0] - 2.0 * X[:, 1]
        with pytest.warns(rw.RankWarning):
            each = rw.LayerLoss(network, X, y)
    else:
        each = rw.LayerLoss(network, X, y, fit_intercept=False)
    held = ~each.free
    assert held.sum() == 4
    theta, held = each.random_start(3), held.ravel()
    exactly, found = glass.exact(each, theta, 0.6), glass.estimate(each, theta, 0.3)
    for directions in (exactly.directions, found.directions):
        assert not directions[:, held].any()
        np.testing.assert_allclose(np.abs(directions[:, ~held]), 12**-0.5)
    v, path = exactly.directions[0].reshape(each.shape), exactly.segments[0].vectors
    np.testing.assert_allclose(exactly.coordinates[0][~held], (path**2).sum(axis=0)[~held] / 0.6)
    assert (path**2).sum(axis=0)[held].any()
    assert not exactly.coordinates[:, held].any()
    assert exactly.rho_total == pytest.approx(exactly.coordinates.sum() / 24)
    assert not found.rho[held].any()
    assert not found.h[held].any()
    assert found.rho[~held].all()
    assert 0.5 < found.rho_total / exactly.rho_total < 2.0
    g = [each.gradient(theta + s * 0.3 * v).ravel() for s in (-1, 0, 1)]
    one = glass.estimate(each, theta, 0.3, 1)
    expected = 2 * ((g[0] + g[2]) / 2 - g[1]) ** 2 / 0.3 * ~held
    np.testing.assert_allclose(one.rho, expected, rtol=1e-9, atol=1e-9)
    slope = ((g[2] - g[0]) / 2)[~held] / (0.3 * v.ravel()[~held])
    np.testing.assert_allclose(one.h[~held], slope, rtol=1e-9)
    error = np.sqrt(12 * one.rho / (2 * 0.3))
    np.testing.assert_allclose(one.h_error, error)


def test_directions_as_numbers_of_any_kind(loss):
    three = glass.exact(loss, loss.theta, 0.5, 3)
    for number in (np.array(3), np.int64(3)):
        np.testing.assert_array_equal(glass.exact(loss, loss.theta, 0.5, number).rho, three.rho)
    for odd in ((v for v in np.eye(25)), None, object()):
        with pytest.raises(TypeError, match=r"^directions: expected a number or an array of sha"):
            glass.exact(loss, loss.theta, 0.5, odd)
    for odd in (2.5, np.array(2.5), True):
        with pytest.raises(TypeError, match=r"^directions: expected an integer >= 1, found"):
            glass.exact(loss, loss.theta, 0.5, odd)


def test_exact_variogram_is_that_of_gradients(loss):
    """Residuals of every difference on a grid, the mean slope of the line taken out."""
    found = glass.exact(loss, loss.theta, 0.5, 2)
    for kind in ("all", "hidden", "residual"):
        seen = found.variogram(kind)
        assert seen.distance.tolist() == (0.5 * np.array([1, 2, 4, 8, 16, 32]) / 64).tolist()
        assert 0.7 < seen.ratio[0] < 1.3
    values = np.zeros(6)
    for v in found.directions:
        grid = [loss.theta.ravel() + 0.5 * t * v for t in np.linspace(0, 1, 65)]
        path = np.array([loss.gradient(theta).ravel() for theta in grid])
        slope = (path[-1] - path[0]) / 64
        for k, lag in enumerate([1, 2, 4, 8, 16, 32]):
            rest = path[lag:] - path[:-lag] - lag * slope
            values[k] += (rest**2).sum(axis=1).mean() / (1 - lag / 64) / 2
    np.testing.assert_allclose(found.variogram().value, values, rtol=1e-9)
    with pytest.raises(ValueError, match=r"^kind: expected one of all, hidden, residual"):
        found.variogram("dead")


def test_bound_of_exact_by_hand(loss):
    found = glass.exact(loss, loss.theta, 0.5, 7)
    rho, slope = found.rho.mean(), found.curvature
    spread = max(0.0, slope.var(ddof=1) - rho / 0.5)
    wide = np.sqrt(rho * 0.4**3 / 3 + spread * 0.4**4 / 4)
    expected = abs(slope.mean()) * 0.4**2 / 2 + 1.959963984540054 * wide
    assert found.bound(0.4) == pytest.approx(expected, rel=1e-9)
