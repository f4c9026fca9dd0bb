"""NetworkLoss against rational arithmetic: in one weight the loss is affine, or quadratic.

So central differences of the exact loss, over steps too small to cross a breakpoint, are its
derivatives without any error: a reference that knows no backpropagation.
"""

import itertools
import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import reluplex_walk as rw
from tests.references.naive import exact

STEP = Fraction(1, 2**30)
TENTH = {"kind": "pinball", "tau": 0.9}
CASES = [
    ([2, 3, 1], {}),
    ([2, 3, 1], TENTH),
    ([2, 3, 1], {"kind": "hinge"}),
    ([2, 3, 2, 1], {"kind": "squared"}),
    ([2, 2, 2, 2], {}),
    ([2, 2, 2, 2], {"kind": "squared", "negative_slope": 0.25, "weighted": True}),
    ([3, 1], {"weighted": True}),
    ([1, 2, 1, 2, 1], {"negative_slope": 0.5}),
    ([2, 2, 3, 2, 1], {"block": (1, 3)}),
    ([2, 2, 3, 1], {"block": 1, "kind": "squared"}),
    ([2, 2, 3, 1], {"block": [2, 1]}),
]


def network_loss(widths, n, seed, **options):
    rng = np.random.default_rng(seed)
    network = rw.ReLUNetwork.random(widths, seed, negative_slope=options.pop("negative_slope", 0.0))
    X, y = rng.uniform(-3, 3, (n, widths[0])), rng.uniform(-3, 3, (n, widths[-1]))
    if options.get("kind") == "hinge":
        y = np.sign(y)
    if options.pop("weighted", False):
        options["sample_weight"] = rng.uniform(0.5, 2.0, n)
    return rw.NetworkLoss(network, X, y, **options)


def rho(loss, r, y):
    if loss.kind == "squared":
        return r * r / 2
    if loss.kind == "pinball":  # 0.9 is nine tenths
        return max(-r, 0) * Fraction(9, 10) + max(r, 0) * Fraction(1, 10)
    return max(Fraction(0), -y * r) if loss.kind == "hinge" else abs(r)


def exact_loss(loss, theta):
    """F at a list of Fractions, one sample and one neuron after the other."""
    network, at, layers = loss.network, 0, []
    for k in range(network.n_layers):
        rows = exact(network.layer_parameters(k))
        if k in loss.block:
            q = len(rows[0])
            rows = [theta[at + q * j : at + q * (j + 1)] for j in range(len(rows))]
            at += q * len(rows)
        layers.append(rows)
    total, leak = Fraction(0), Fraction(network.negative_slope)
    for x, targets, weight in zip(loss.X, loss.y, loss.sample_weight, strict=True):
        values = exact(x)
        for k, rows in enumerate(layers):
            values = [
                sum((w * v for w, v in zip(row, values, strict=False)), row[-1]) for row in rows
            ]
            if k < len(layers) - 1:
                values = [v if v >= 0 else leak * v for v in values]
        for v, y in zip(values, exact(targets), strict=True):
            total += Fraction(float(weight)) * rho(loss, v - y, y)
    return total


def moved(loss, theta, *moves):
    point = list(theta)
    for place, sign in moves:
        point[place] += sign * STEP
    return exact_loss(loss, point)


@pytest.mark.parametrize("case", range(len(CASES)))
def test_value_gradient_and_hessian_against_rationals(case):
    widths, options = CASES[case]
    loss = network_loss(widths, 6, seed=case, **options)
    theta = exact(loss.theta)
    assert loss(loss.theta) == pytest.approx(float(exact_loss(loss, theta)), rel=1e-13)
    gradient = [
        (moved(loss, theta, (i, 1)) - moved(loss, theta, (i, -1))) / (2 * STEP)
        for i in range(loss.dim)
    ]
    np.testing.assert_allclose(
        loss.gradient(loss.theta), np.array(gradient, float), rtol=1e-12, atol=1e-12
    )
    hessian, rng = loss.hessian(loss.theta), np.random.default_rng(case)
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-12 * np.abs(hessian).max())
    for i, j in rng.integers(0, loss.dim, (12, 2)):
        if i == j:
            up, down = (moved(loss, theta, (i, sign)) for sign in (1, -1))
            entry = (up - 2 * exact_loss(loss, theta) + down) / STEP**2
        else:
            corners = itertools.product((1, -1), repeat=2)
            parts = (a * b * moved(loss, theta, (i, a), (j, b)) for a, b in corners)
            entry = sum(parts, Fraction(0)) / (4 * STEP**2)
        assert hessian[i, j] == pytest.approx(float(entry), rel=1e-12, abs=1e-12)


def test_more_samples_than_a_block_and_subsets_of_them():
    loss = network_loss([4, 5, 4, 2, 1], 300, 3, weighted=True)
    parts = [np.arange(300)[k::7] for k in range(7)]
    parts[3] = np.concatenate([parts[3], parts[3][:5]])  # twice counts twice
    extra = loss.gradient(loss.theta, parts[3][:5])
    total = sum(loss.gradient(loss.theta, part) for part in parts)
    np.testing.assert_allclose(total - extra, loss.gradient(loss.theta), rtol=1e-11, atol=1e-9)
    values = [loss(loss.theta, rows=part) for part in (*parts, parts[3][:5])]
    assert sum(values[:-1]) - values[-1] == pytest.approx(loss(loss.theta), rel=1e-12)


@pytest.mark.parametrize(
    "as_given",
    [list, np.asarray, lambda mask: np.asarray(mask, object), pd.Series, pd.array],
    ids=["list", "array", "objects", "series", "nullable"],
)
def test_a_mask_is_no_list_of_rows(as_given):
    loss = network_loss([4, 5, 4, 2, 1], 300, 3, weighted=True)
    mask = np.arange(300) < 10
    for call in (loss, loss.gradient):
        with pytest.raises(TypeError, match=r"rows: .* True or False; np.flatnonzero\(rows\)"):
            call(loss.theta, as_given(mask.tolist()))
    ten = rw.NetworkLoss(
        loss.network, loss.X[:10], loss.y[:10], sample_weight=loss.sample_weight[:10]
    )
    assert loss(loss.theta, np.flatnonzero(mask)) == pytest.approx(ten(ten.theta), rel=1e-12)


@pytest.mark.parametrize("layer", range(4))
@pytest.mark.parametrize("kind", ["l1", "pinball", "hinge"])
def test_a_layer_of_it_is_a_layer_loss(kind, layer):
    tau = {"tau": 0.3} if kind == "pinball" else {}
    loss = network_loss([4, 5, 4, 2, 1], 60, 1, kind=kind, **tau)
    rng = np.random.default_rng(layer)
    theta = loss.theta + rng.normal(0.0, 0.1, loss.dim)
    one = loss.layer(layer, theta)
    assert isinstance(one, rw.LayerLoss)
    assert one(one.theta) == pytest.approx(loss(theta), rel=1e-12)
    at = sum(loss.layer(k).dim for k in range(layer))
    expected = loss.gradient(theta)[at : at + one.dim]
    np.testing.assert_allclose(one.gradient(one.theta).ravel(), expected, rtol=1e-10, atol=1e-10)
    alone = rw.NetworkLoss(one.network, loss.X, loss.y, kind, layer, **tau)
    np.testing.assert_array_equal(alone.theta, one.theta.ravel())
    for signs, others in zip(alone.pattern(alone.theta), one.pattern(one.theta), strict=True):
        np.testing.assert_array_equal(signs, others)
    assert not alone.hessian(alone.theta).any()  # all curvature is between layers
    assert loss.hessian(theta).any()


def test_products_of_several_directions_at_once():
    loss = network_loss([3, 4, 2, 1], 40, 2)
    v = np.random.default_rng(0).normal(size=(5, loss.dim))
    hessian = loss.hessian(loss.theta)
    products = loss.hvp(loss.theta, v)
    np.testing.assert_allclose(products, v @ hessian, rtol=1e-9, atol=1e-9)
    for row, each in zip(products, v, strict=True):
        np.testing.assert_array_equal(row, loss.hvp(loss.theta, each))


def test_breakpoints_that_vanish_count_as_positive():
    net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[-1.0], [0.0]])
    loss = rw.NetworkLoss(net, [[1.0]], [0.0])  # the neuron and the residual are 0
    assert loss(loss.theta) == 0.0
    np.testing.assert_array_equal(loss.gradient(loss.theta), [1.0, 1.0, 0.0, 1.0])


def test_network_at_and_copies():
    loss = network_loss([2, 3, 2, 1], 20, 0, block=(0, 2), kind="pinball", tau=0.2)
    other = loss.network_at(loss.theta + 1.0)
    np.testing.assert_array_equal(other.weights[1], loss.network.weights[1])
    np.testing.assert_array_equal(other.biases[2], loss.network.biases[2] + 1.0)
    again = rw.NetworkLoss(other, loss.X, loss.y, "pinball", (0, 2), 0.2)
    np.testing.assert_array_equal(again.theta, loss.theta + 1.0)
    copy = pickle.loads(pickle.dumps(loss))
    assert copy.fingerprint == loss.fingerprint != again.fingerprint
    assert copy(copy.theta) == loss(loss.theta)
    assert not copy.X.flags.writeable
    assert "layers 0, 2" in repr(copy)


def test_numbers_that_overflow():
    loss = network_loss([2, 3, 2, 1], 5, 0, kind="squared")
    assert loss(np.full(loss.dim, 1e200)) == np.inf
    with pytest.raises(ValueError, match="theta: expected parameters at which floats hold"):
        loss.gradient(np.full(loss.dim, 1e99))
    with pytest.raises(ValueError, match=r"theta: expected finite numbers, found nan at index \(1"):
        loss(np.where(np.arange(loss.dim) == 1, np.nan, 0.0))


NET = rw.ReLUNetwork.random([2, 3, 1])
X, Y = [[0.0, 1.0], [2.0, 3.0]], [0.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((None, X, Y), TypeError, "network: expected a ReLUNetwork"),
        ((NET, X, [1.0]), ValueError, r"y: expected an array of shape \(2,\)"),
        ((NET, X, Y, "l2"), ValueError, "kind: expected one of l1, pinball, hinge, squared"),
        ((NET, X, Y, "hinge"), ValueError, "y: expected labels"),
        ((NET, X, Y, "l1", "some"), ValueError, "block: expected 'all', a layer or several"),
        ((NET, X, Y, "l1", 2), ValueError, r"block: expected an integer in 0\.\.1"),
        ((NET, X, Y, "l1", (0, 0)), ValueError, "block: expected different layers"),
        ((NET, X, Y, "l1", ()), ValueError, "block: expected different layers"),
        ((NET, X, Y, "l1", 0.5), TypeError, "block: expected a list"),
        ((NET, X, Y, "l1", "all", 0.5), ValueError, "tau: expected only with kind='pinball'"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        rw.NetworkLoss(*arguments)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: f([1.0]), ValueError, r"theta: expected an array of shape \(13,\), found"),
        (lambda f: f.gradient(f.theta[None]), ValueError, "theta: expected an array of shape"),
        (lambda f: f.gradient(f.theta, [2]), ValueError, r"rows: expected integers in 0\.\.1"),
        (lambda f: f.gradient(f.theta, []), ValueError, "rows: expected indices"),
        (lambda f: f.hvp(f.theta, [1.0]), ValueError, "v: expected an array of shape"),
        (lambda f: f.hvp(f.theta, [np.inf] * 13), ValueError, "v: expected finite numbers"),
        (lambda f: f.layer(2), ValueError, r"k: expected an integer in 0\.\.1"),
        (
            lambda f: rw.NetworkLoss(NET, X, Y, "squared").layer(0),
            ValueError,
            "kind: expected a piecewise affine loss, found 'squared'",
        ),
    ],
)
def test_bad_points(call, error, message):
    with pytest.raises(error, match=message):
        call(rw.NetworkLoss(NET, X, Y))
