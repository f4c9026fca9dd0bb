"""LayerLoss: value, gradient, pattern and directional derivative against exact rationals."""

import itertools

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.random import VARIANTS, random_loss, variant
from tests.references.naive import breakpoint_gradient, loss_and_derivative

CASES = range(len(VARIANTS))


@pytest.mark.parametrize("case", CASES)
def test_value_and_derivative_against_rationals(case):
    loss = variant(case, seed=case)
    rng = np.random.default_rng(case)
    for _ in range(3):
        theta, d = rng.uniform(-1, 1, loss.shape), rng.uniform(-1, 1, loss.shape)
        value, rate = loss_and_derivative(loss, theta, d)
        assert loss(theta) == pytest.approx(float(value), rel=1e-12)
        assert loss.directional_derivative(theta, d) == pytest.approx(float(rate), rel=1e-10)
        assert float((loss.gradient(theta) * d).sum()) == pytest.approx(float(rate), rel=1e-10)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_directional_derivative_on_breakpoints_exactly(layer):
    # Small integers: every value is computed without rounding, many breakpoints vanish.
    rng = np.random.default_rng(5)
    widths = [2, 3, 2, 1]
    network = rw.ReLUNetwork(
        [rng.integers(-2, 3, (b, a)) for a, b in itertools.pairwise(widths)],
        [rng.integers(-1, 2, b) for b in widths[1:]],
    )
    X, y = rng.integers(-2, 3, (12, 2)), rng.integers(-2, 3, 12)
    loss = rw.LayerLoss(network, X, y, layer=layer)
    seen = 0
    for _ in range(40):
        theta = rng.integers(-1, 2, loss.shape).astype(float)
        d = rng.integers(-2, 3, loss.shape).astype(float)
        seen += sum(int((p == 0).sum()) for p in loss.pattern(theta))
        value, rate = loss_and_derivative(loss, theta, d)
        assert loss(theta) == float(value)
        assert loss.directional_derivative(theta, d) == float(rate)
        assert loss.directional_derivative(theta, d, zero=0.0) == float(rate)
        # A finite step inside the cone that d leads to gives the same number.
        step, _ = loss_and_derivative(loss, theta + 2.0**-20 * d)
        assert float((step - value) * 2**20) == float(rate)
    assert seen > 50


def test_gradient_of_a_given_region():
    loss = random_loss([2, 3, 2, 1], 10, seed=0)
    theta, other = loss.random_start(1), loss.random_start(2)
    pattern = loss.pattern(other)
    np.testing.assert_array_equal(loss.gradient(theta, pattern), loss.gradient(other))
    with pytest.raises(ValueError, match="pattern: expected arrays of shapes"):
        loss.gradient(theta, pattern[:1])


def test_breakpoints_are_affine_with_the_reference_gradient():
    loss = random_loss([2, 3, 2, 1], 6, seed=3)
    theta = loss.random_start(0)
    pattern = loss.pattern(theta)
    step = 1e-7 * loss.random_start(9)
    assert all(map(np.array_equal, pattern, loss.pattern(theta + step)))
    for layer, (a, b) in enumerate(
        zip(loss.breakpoints(theta), loss.breakpoints(theta + step), strict=True)
    ):
        for row, neuron in np.ndindex(a.shape):
            gradient = breakpoint_gradient(loss, pattern, layer, row, neuron)
            change = (b - a)[row, neuron]
            assert change == pytest.approx(float(gradient @ step.ravel()), rel=1e-6, abs=1e-15)


def test_sum_over_outputs_and_samples():
    loss = random_loss([2, 3, 2], 8, seed=0)
    theta = loss.random_start(0)
    fitted = loss.network.with_layer(0, theta)(loss.X)
    assert loss(theta) == pytest.approx(np.abs(fitted - loss.y).sum(), rel=1e-13)


@pytest.mark.parametrize(("layer", "slope"), [(0, 0.0), (1, 0.25), (2, 0.0)])
def test_more_samples_than_are_computed_at_once(layer, slope):
    """Each alone, by the network itself; some rows twice, which are merged."""
    loss = random_loss([3, 4, 3, 2], 2500, 1, layer=layer, negative_slope=slope, weighted=True)
    X, y = np.vstack([loss.X, loss.X[:50]]), np.vstack([loss.y, loss.y[:50] + 1.0])
    weight = np.append(loss.sample_weight, np.ones(50))
    loss = rw.LayerLoss(loss.network, X, y, layer, sample_weight=weight)
    network = loss.network.with_layer(layer, theta := loss.random_start(3))
    residuals = np.abs(np.vstack([network(row[None]) for row in X]) - y)
    assert loss(theta) == pytest.approx(float(weight @ residuals.sum(axis=1)), rel=1e-12)
    assert loss.value(theta) == loss(theta)


def test_hinge_and_pinball_formulas():
    network = rw.ReLUNetwork.random([2, 3, 1], seed=0)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(9, 2)), rng.normal(size=9)
    f = network(X)[:, 0]
    labels = np.sign(y)
    hinge = rw.LayerLoss(network, X, labels, kind="hinge")
    assert hinge(hinge.theta) == pytest.approx(np.maximum(0, 1 - labels * f).sum(), rel=1e-13)
    pinball = rw.LayerLoss(network, X, y, kind="pinball", tau=0.8)
    r = y - f  # the usual sign: positive where the fit is too low
    assert pinball(pinball.theta) == pytest.approx(
        np.where(r > 0, 0.8 * r, -0.2 * r).sum(), rel=1e-13
    )


def test_equal_rows_are_merged():
    network = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    X = np.array([[1.0], [2.0], [1.0], [1.0], [0.0], [-0.0]])
    y = np.array([3.0, 1.0, 3.0, 4.0, 1.0, 1.0])
    loss = rw.LayerLoss(network, X, y, sample_weight=[1, 2, 3, 4, 5, 6])
    assert loss.inputs.ravel().tolist() == [1.0, 2.0, 0.0]
    assert loss.owner.tolist() == [0, 0, 1, 2]
    assert loss.targets.ravel().tolist() == [3.0, 4.0, 1.0, 1.0]
    assert loss.left.ravel().tolist() == [4.0, 4.0, 2.0, 11.0]
    assert loss.residual_rows.tolist() == [0, 3, 1, 4]
    theta = loss.random_start(0)
    value, _ = loss_and_derivative(loss, theta)
    assert loss(theta) == pytest.approx(float(value), rel=1e-13)


def test_rows_of_weight_zero_have_no_breakpoints():
    network = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    loss = rw.LayerLoss(network, [[1.0], [2.0]], [0.0, 0.0], sample_weight=[0.0, 1.0])
    assert loss.inputs.ravel().tolist() == [2.0]
    assert loss.sample_rows.tolist() == [1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": [[np.nan, 1.0]] * 3}, r"X: expected finite numbers, found nan at index \(0, 0\)"),
        ({"X": np.zeros((0, 2)), "y": []}, r"X: .* n >= 1"),
        ({"X": np.zeros((3, 4))}, r"X: expected an array of shape \(n, 2\)"),
        ({"X": np.zeros(3)}, r"X: expected an array of shape \(n, 2\)"),
        ({"X": [["a", "b"]] * 3}, "X: expected real numbers"),
        ({"y": [1.0, np.inf, 0.0]}, r"y: expected finite numbers, found inf at index \(1,\)"),
        ({"y": [1.0, 2.0]}, r"y: expected an array of shape \(3,\), found shape \(2,\)"),
        ({"y": [[1.0, 2.0]] * 3}, r"y: expected an array of shape \(3,\)"),
        ({"layer": 2}, "layer: expected an integer in 0..1, found 2"),
        ({"layer": 0.5}, "layer: expected an integer"),
        ({"kind": "l2"}, "kind: expected one of l1, pinball, hinge, found 'l2'"),
        ({"kind": "pinball", "tau": 1.0}, r"tau: expected a number in \(0, 1\), found 1.0"),
        ({"kind": "pinball", "tau": 0.0}, "tau"),
        ({"kind": "pinball", "tau": np.nan}, "tau"),
        ({"tau": 0.3}, "tau: expected only with kind='pinball'"),
        ({"kind": "hinge", "y": [1.0, -1.0, 2.0]}, "y: expected labels -1 or .1 .* found 2"),
        ({"sample_weight": [1.0, -1.0, 1.0]}, "sample_weight: expected numbers >= 0"),
        ({"sample_weight": [0.0, 0.0, 0.0]}, "sample_weight"),
        ({"sample_weight": [1.0]}, r"sample_weight: expected an array of shape \(3,\)"),
        ({"network": "net"}, "network: expected a ReLUNetwork, found str"),
    ],
)
def test_bad_arguments(change, message):
    arguments = {
        "network": rw.ReLUNetwork.random([2, 3, 1]),
        "X": np.ones((3, 2)),
        "y": np.ones(3),
        **change,
    }
    with pytest.raises((ValueError, TypeError), match=message):
        rw.LayerLoss(**arguments)


def test_bad_theta():
    loss = random_loss([2, 3, 1], 5, seed=0)
    for call in (loss, loss.gradient, loss.pattern, loss.breakpoints):
        with pytest.raises(ValueError, match=r"theta: .*\(3, 3\) or \(9,\), found shape \(2, 3\)"):
            call(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="direction: expected an array"):
        loss.directional_derivative(np.zeros(9), np.zeros(4))


def test_fingerprint_sees_every_part():
    base = random_loss([2, 3, 1], 5, seed=0)
    same = rw.LayerLoss(base.network, base.X, base.y)
    assert base.fingerprint == same.fingerprint
    y = base.y.copy()
    y[0, 0] = np.nextafter(y[0, 0], 9)
    others = [
        rw.LayerLoss(base.network, base.X, y),
        rw.LayerLoss(base.network, base.X, base.y, layer=1),
        rw.LayerLoss(base.network, base.X, base.y, kind="pinball"),
        rw.LayerLoss(rw.ReLUNetwork.random([2, 3, 1], seed=9), base.X, base.y),
        rw.LayerLoss(base.network, base.X, base.y, sample_weight=[1, 1, 1, 1, 2.0]),
    ]
    assert base.fingerprint not in {other.fingerprint for other in others}
