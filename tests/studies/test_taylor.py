"""Taylor losses against kernels, HiGHS and hand counts; the inequalities behind the bounds."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog, lsq_linear

import reluplex_walk as rw
from reluplex_walk import taylor
from reluplex_walk.optimize.methods import Sgd

BLOCKS = (0, 1, (0, 2), "all")


def problem(seed, widths=(3, 5, 4, 1), n=60):
    data, _ = rw.datasets.make_teacher(n, [*widths[:-1], 1], noise=0.5, seed=seed)
    return rw.ReLUNetwork.random(widths, seed=seed + 1), data.X, data.y


def highs(A, b, w, left=1.0, right=1.0):
    """The least sum of w (left max(-r, 0) + right max(r, 0)), r = A x - b, as a linear program."""
    n, D = A.shape
    costs = np.concatenate([np.zeros(D), right * w, left * w])
    equal = np.hstack([A, -np.eye(n), np.eye(n)])
    limits = [(None, None)] * D + [(0, None)] * (2 * n)
    found = linprog(costs, A_eq=equal, b_eq=b, bounds=limits, method="highs")
    assert found.status == 0
    return found.fun


# ---------------------------------------------------------------- approximation


@pytest.mark.parametrize("block", BLOCKS)
def test_derivatives_are_those_of_the_kernels(block):
    """The gradient of r^2 / 2 where r = 1 is that of the output."""
    widths = (3, 5, 4, 2)
    net, X, _ = problem(0, widths)
    found = taylor.approximation(net, X, block)
    np.testing.assert_allclose(found.outputs, net(X), rtol=1e-14, atol=1e-14)
    for output in range(2):
        targets = net(X)
        targets[:, output] -= 1.0
        loss = rw.NetworkLoss(net, X, targets, kind="squared", block=block)
        np.testing.assert_array_equal(found.theta, loss.theta)
        for row in (0, 7, 59):
            expected = loss.gradient(loss.theta, rows=[row])
            np.testing.assert_allclose(
                found.jacobian[row, output], expected, rtol=1e-12, atol=1e-12
            )


def test_one_layer_is_exact_in_its_region():
    """Differences, which have no error but rounding where the network is affine."""
    net, X, _ = problem(1)
    found = taylor.approximation(net, X, 1)
    step = 1e-6
    for place in range(found.theta.size):
        moved = found.theta.copy()
        moved[place] += step
        outputs = net.with_layer(1, moved.reshape(4, 6))(X)
        np.testing.assert_allclose(found(moved), outputs, atol=1e-13)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_weights_times_derivatives_are_the_outputs(layer):
    """<W^l, G^l> = f where no layer after l has a bias; with one it is not."""
    net, X, _ = problem(2)
    biases = [b if k <= layer else np.zeros_like(b) for k, b in enumerate(net.biases)]
    bare = rw.ReLUNetwork(net.weights, biases)
    found = taylor.approximation(bare, X, layer)
    np.testing.assert_allclose(found.jacobian @ found.theta, found.outputs, rtol=1e-12, atol=1e-13)
    if layer < 2:
        other = taylor.approximation(net, X, layer)
        assert np.abs(other.jacobian @ other.theta - other.outputs).max() > 0.01


def test_leaky_units_leak():
    net = rw.ReLUNetwork([[[1.0]], [[3.0]]], [[0.0], [0.0]], negative_slope=0.5)
    found = taylor.approximation(net, [[-2.0], [2.0]])
    expected = [[[-3.0, 1.5, -1.0, 1.0]], [[6.0, 3.0, 2.0, 1.0]]]  # w, b, v, c
    np.testing.assert_array_equal(found.jacobian, expected)


# ---------------------------------------------------------------- Taylor losses


@pytest.mark.parametrize("kind", ["l1", "pinball", "squared"])
@pytest.mark.parametrize("block", BLOCKS)
def test_loss_and_gradient_at_home(kind, block):
    """T(W) is the mean loss, and its gradient that of the loss."""
    tau = 0.3 if kind == "pinball" else None
    net, X, _ = problem(3, (3, 5, 4, 2))
    y = np.random.default_rng(0).normal(size=(60, 2))
    whole = rw.NetworkLoss(net, X, y, kind, block, tau)
    found = taylor.approximation(net, X, block).loss(y, kind, tau)
    assert found(whole.theta) == pytest.approx(whole(whole.theta) / 60, rel=1e-13)
    expected = whole.gradient(whole.theta) / 60
    np.testing.assert_allclose(found.gradients(whole.theta)[0], expected, atol=1e-12)


def test_a_sum_has_the_terms_of_both():
    net, X, y = problem(4)
    other = net.with_layer(0, net.layer_parameters(0) + 0.3)
    first, second = (taylor.approximation(each, X, 0).loss(y) for each in (net, other))
    both, V = first + second, np.random.default_rng(1).normal(size=first.origin.size)
    np.testing.assert_allclose(both.terms(V), [first(V), second(V)], rtol=1e-12)
    assert both.n_steps == 2
    assert both.first(1)(V) == first(V)
    with pytest.raises(ValueError, match="other"):
        both + taylor.approximation(net, X, 0).loss(y, kind="squared")


@pytest.mark.parametrize("block", [0, "all"])
@pytest.mark.parametrize("tau", [None, 0.2])
def test_minimum_is_that_of_highs_and_proved(block, tau):
    net, X, y = problem(5, (3, 4, 1), 80)
    kind = "l1" if tau is None else "pinball"
    loss = taylor.approximation(net, X, block).loss(y, kind, tau)
    found = loss.minimum()
    left, right = (1.0, 1.0) if tau is None else (tau, 1.0 - tau)
    least = highs(loss.jacobian, loss.targets, loss.weights, left, right)
    assert found.value == pytest.approx(least, rel=1e-9)
    assert found.value == pytest.approx(loss(found.V), rel=1e-12)
    assert found.proved
    check = found.certificate.verify_exact(found.fit.problem)
    assert float(check.loss) / 80 == pytest.approx(least, rel=1e-9)


def test_minimum_of_the_squared_loss():
    net, X, y = problem(6, (3, 4, 1), 80)
    loss = taylor.approximation(net, X, "all").loss(y, "squared")
    found = loss.minimum()
    expected = lsq_linear(loss.jacobian, loss.targets, method="bvls", tol=1e-14).cost / 80
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert found.value <= expected + 1e-12
    assert 0.0 <= found.gap < 1e-15
    assert not found.proved  # by no certificate
    one = taylor.TaylorLoss(
        "squared", 0.5, np.zeros(1), np.ones((1, 1)), np.ones(1), np.ones(1), np.zeros(1, np.int64)
    ).minimum()
    assert (one.gap, one.proved, one.given_dependence) == (0.0, False, False)  # no certificate
    # A point beside it has the gap that the normal equations of that point say, not less.
    beside = loss(found.V + 1e-3)
    assert beside > found.value


def test_proofs_say_whether_they_take_a_dependence_as_given():
    """Columns that are a multiple of others exactly, up to rounding, and not at all."""
    x = np.array([0.1, 0.2, 0.3, 0.7, 1.1])
    y, once, steps = np.array([1.0, 0.0, 2.0, 1.0, 0.5]), np.ones(5), np.zeros(5, np.int64)
    for column, rank, given in ((2.0 * x, 1, False), (3.0 * x, 1, True), (x * x, 2, False)):
        J = np.column_stack([x, column])
        found = taylor.TaylorLoss("l1", 0.5, np.zeros(2), J, y, once, steps).minimum()
        dependent = [
            Fraction(b) * Fraction(x[0]) == Fraction(column[0]) * Fraction(a)
            for a, b in zip(x.tolist(), column.tolist(), strict=True)
        ]
        assert (rank == 1 and not all(dependent)) == given
        assert (found.rank, found.proved, found.given_dependence) == (rank, True, given)
    net, X, y = problem(5, (3, 4, 1), 80)
    run = taylor.regret(net, X, y, learning_rate=1e-9, block="all", horizons=[80])
    said = [bool(found.certificate.given_aliased) for found in run.minima]
    assert run.given_dependence.tolist() == said


def test_steps_of_different_sizes_weigh_what_they_should():
    """Batches of 50 and 10: the weights of samples are 1/50 and 1/10."""
    net, X, y = problem(7)
    run = taylor.regret(net, X, y, batch=50, block=0, horizons=[2])
    assert run.taylor.weights.tolist() == [1 / 50] * 50 + [1 / 10] * 10
    least = highs(run.taylor.jacobian, run.taylor.targets, run.taylor.weights)
    assert run.optimum[0] == pytest.approx(least, rel=1e-9)
    assert run.proved.all()


def test_dead_network_has_nothing_to_learn():
    net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[-9.0], [0.0]])
    run = taylor.regret(net, [[1.0], [2.0]], [1.0, 2.0], block=0, horizons=[2])
    (found,) = run.minima
    assert (found.rank, found.value, found.proved, found.certificate) == (0, 3.0, True, None)
    assert run.regret.tolist() == [0.0]


# ---------------------------------------------------------------- regret


def test_regret_by_hand():
    """The line w x + b from (0, 0) to the point (1, 4), by SGD of rate 1/2."""
    net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    run = taylor.regret(net, [[1.0]], [4.0], learning_rate=0.5, horizons=[1, 2, 3])
    assert run.points.tolist() == [[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]
    assert run.losses.tolist() == [4.0, 3.0, 2.0]
    assert run.gradients.tolist() == [[-1.0, -1.0]] * 3
    assert run.optimum.tolist() == [0.0, 0.0, 0.0]
    assert run.regret.tolist() == [4.0, 7.0, 9.0]
    assert run.interpolates.tolist() == [True, False, False]  # rank 1 of 1, 2 and 3 outputs
    assert run.zero_share.tolist() == [1.0, 1.0, 1.0]
    far = (run.minima[2].V ** 2).sum()
    assert run.bound[2] == pytest.approx(far / (2 * 0.5) + 0.5 / 2 * 6.0)


@pytest.mark.parametrize("schedule", ["constant", "sqrt"])
@pytest.mark.parametrize("kind", ["l1", "squared"])
@pytest.mark.parametrize(("block", "trained"), [(0, None), (1, "all"), ("all", None)])
def test_what_the_bound_adds_up(kind, block, trained, schedule):
    """Per step, for any V: l_n - T_n(V) <= <g_n, W_n - V>; where the block alone moves, the
    identity of distances.  So the bound holds, to rounding.
    """
    net, X, y = problem(8)
    options = {"schedule": schedule, "block": block, "trained": trained, "kind": kind}
    run = taylor.regret(net, X, y, learning_rate=0.03, horizons=[100, 300], **options)
    W, g = run.points, run.gradients
    np.testing.assert_allclose(np.diff(W, axis=0), -run.rates[:-1, None] * g[:-1], atol=1e-13)
    rng = np.random.default_rng(0)
    for V in (run.minima[0].V, run.minima[1].V, W[0], W[0] + rng.normal(size=W.shape[1])):
        linear = (g * (W - V)).sum(axis=1)
        sizes = run.losses + run.taylor.terms(V) + np.abs(g * (W - V)).sum(axis=1)
        assert (run.losses - run.taylor.terms(V) <= linear + 1e-12 * sizes).all()
        distance = ((W - V) ** 2).sum(axis=1)
        moves = -2.0 * run.rates * linear + run.rates**2 * (g**2).sum(axis=1)
        np.testing.assert_allclose(np.diff(distance), moves[:-1], atol=1e-12 * distance.max())
    assert (run.slack >= 0.0).all()
    assert (run.regret[1] / 300 < run.regret[0] / 100) or kind == "squared"
    V = run.minima[1].V
    if schedule == "sqrt":
        farthest = max(float(((w - V) ** 2).sum()) for w in W)
    else:
        farthest = float(((W[0] - V) ** 2).sum())
    squares = sum(rate * float(each @ each) for rate, each in zip(run.rates, g, strict=True))
    assert run.bound[1] == pytest.approx((farthest / run.rates[-1] + squares) / 2.0, rel=1e-12)
    if schedule == "sqrt":
        np.testing.assert_allclose(run.rates, 0.03 / np.sqrt(np.arange(1.0, 301.0)), rtol=1e-15)


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "rmsprop", "adam", "alice"])
def test_every_method_goes_as_descend_does(name):
    """Bit for bit the same points, and no theorem but for SGD."""
    net, X, y = problem(9)
    run = taylor.regret(net, X, y, name, batch=7, learning_rate=0.02, horizons=[40], seed=3)
    loss = rw.NetworkLoss(net, X, y)
    longest = rw.descend(loss, name, 200, batch=7, learning_rate=0.02, seed=3)
    for n in (0, 1, 39):
        budget = int(longest.gradients[n])
        path = rw.descend(loss, name, budget, batch=7, learning_rate=0.02, seed=3)
        np.testing.assert_array_equal(run.points[n], path.theta)
    assert np.isnan(run.bound).any() == (name != "sgd")
    assert np.isnan(run.slack).any() == (name != "sgd")
    assert np.isfinite(run.comparison).all()
    assert run.regret[0] > 0.0
    assert run.proved.all()


def test_methods_with_options_and_polyak():
    net, X, y = problem(10)
    run = taylor.regret(net, X, y, Sgd(), batch=None, horizons=[5])
    assert np.isfinite(run.bound).all()
    polyak = taylor.regret(net, X, y, "polyak", batch=None, horizons=[5])
    assert np.isnan(polyak.bound).all()
    assert polyak.losses[-1] < polyak.losses[0]
    with pytest.raises(ValueError, match="polyak"):
        taylor.regret(net, X, y, "polyak", horizons=[5])


def test_horizons_that_interpolate_are_flagged():
    """Rank N fits anything; the flag is on the rank, not on the loss found."""
    net, X, y = problem(11)
    run = taylor.regret(net, X, y, learning_rate=0.05, block=0, horizons=[3, 100])
    assert run.interpolates.tolist() == [True, False]
    assert run.rank[0] == 3
    assert run.optimum[0] == pytest.approx(0.0, abs=1e-12)
    assert run.zero_share[0] == 1.0
    assert run.zero_share[1] >= run.rank[1] / 100
    assert run.optimum[1] > 0.1
    np.testing.assert_array_equal(run.regret, np.cumsum(run.losses)[[2, 99]] - run.optimum)


def test_several_outputs():
    net, X, _ = problem(12, (3, 5, 2))
    y = np.random.default_rng(0).normal(size=(60, 2))
    run = taylor.regret(net, X, y, horizons=[50], kind="pinball", tau=0.3, batch=3)
    assert run.taylor.jacobian.shape == (300, net.widths[1] * 4 + 2 * 6)
    left = highs(run.taylor.jacobian, run.taylor.targets, run.taylor.weights, 0.3, 0.7)
    assert run.optimum[0] == pytest.approx(left, rel=1e-9)
    assert (run.slack >= 0.0).all()


def test_a_seed_gives_the_same_run():
    net, X, y = problem(13)
    a, b, c = (taylor.regret(net, X, y, horizons=[30], seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.regret, b.regret)
    assert (a.regret != c.regret).any()


def test_divergence_and_limits_leave_the_horizons_until_then():
    net, X, y = problem(14)
    wild = taylor.regret(net, X, y, learning_rate=1e3, kind="squared", horizons=[2, 10_000])
    assert wild.ended is rw.Ended.DIVERGED
    assert wild.horizon.tolist() == [2]

    def stop(steps):
        if steps == 20:
            raise StopIteration

    part = taylor.regret(net, X, y, horizons=[10, 100], callback=stop)
    assert part.ended is rw.Ended.INTERRUPTED
    assert (part.horizon.tolist(), len(part.losses)) == ([10], 20)
    short = taylor.regret(net, X, y, horizons=[10, 100], time_limit=1e-9)
    assert short.ended is rw.Ended.TIME_LIMIT
    assert "no horizon" in repr(short)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"kind": "hinge"}, "kind: expected one of l1, pinball, squared"),
        ({"schedule": "linear"}, "schedule"),
        ({"horizons": [3, 2]}, r"horizons: .* ascending, found \[3, 2\]"),
        ({"horizons": []}, "horizons"),
        ({"horizons": [0]}, r"horizons\[0\]"),
        ({"block": (0, 1), "trained": 1}, "trained"),
        ({"block": 3}, "block"),
        ({"batch": 0}, "batch"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"method": "newton"}, "method"),
        ({"tau": 0.5}, "tau"),
        ({"time_limit": -1.0}, "time_limit"),
    ],
)
def test_what_does_not_fit_is_named(options, found):
    net, X, y = problem(15)
    with pytest.raises(ValueError, match=found):
        taylor.regret(net, X, y, **options)
    whole = taylor.approximation(net, X)
    with pytest.raises(ValueError, match="V: expected"):
        whole([1.0, 2.0])
    with pytest.raises(ValueError, match="y: expected"):
        whole.loss(y[:3])


def test_dependent_parameters_do_not_make_the_optimum_immense():
    """Columns in the order of the layer would leave 32 of 40 that are all but dependent: an optimum
    of size 1e6, which floats do not hold.
    """
    data, _ = rw.datasets.make_teacher(500, [4, 8, 8, 1], noise=0.5, seed=104)
    y = (data.y - data.y.mean()) / data.y.std()
    net = rw.ReLUNetwork.random([4, 8, 8, 1], seed=10_104, init="he")
    run = taylor.regret(net, data.X, y, learning_rate=0.1, block=0, horizons=[32], seed=104)
    (found,) = run.minima
    assert found.interpolates
    assert found.proved
    assert np.abs(found.V).max() < 1e3
    assert run.taylor(found.V) == pytest.approx(0.0, abs=1e-10)
