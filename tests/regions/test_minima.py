"""Minima among regions: nothing is listed from which the loss falls, and none is missing."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

import reluplex_walk as rw
from tests.problems.random import random_loss
from tests.references.naive import kink_slopes, written


def fractions(array):
    return np.vectorize(Fraction, otypes=[object])(array)


def exact_loss(loss, theta):
    """The loss at Fractions `theta` (h, q)."""
    leak, above = Fraction(loss.network.negative_slope), slice(loss.layer + 1, None)
    weights = zip(loss.network.weights[above], loss.network.biases[above], strict=True)
    features, places = loss.network.features(loss.X, loss.layer), loss.decimals
    x = [[written(v, k) for v, k in zip(row, places.X, strict=True)] for row in features]
    z = np.array(x, object) @ theta[:, :-1].T + theta[:, -1]
    for w, b in weights:
        z = np.where(z > 0, z, leak * z) @ fractions(w).T + fractions(b)
    total = Fraction(0)
    for row, targets in zip(z, loss.y, strict=True):
        for value, target, k in zip(row, targets, places.y, strict=True):
            (left, right), r = kink_slopes(loss, target), value - written(target, k)
            total += right * r if r > 0 else -left * r
    return total


def lower_nearby(loss, minimum, box, rng):
    """A point close to a minimum where the loss, in rationals, is lower; None if none is found.

    In the units of the kernels, where directions are of one size; taken back to the box.
    """
    level = exact_loss(loss, minimum.point)
    assert float(level) == pytest.approx(minimum.loss, rel=1e-15)
    for step in (Fraction(1, 2**40), Fraction(1, 2**70)):
        for _ in range(40):
            d = rng.normal(size=loss.shape) * (rng.random(loss.shape) < 0.7)
            moved = minimum.point + step * fractions(loss.units.outer(d))
            if box is not None:
                moved = np.minimum(np.maximum(moved, -Fraction(box)), Fraction(box))
            if exact_loss(loss, moved) < level:
                return moved
    return None


KINDS = ["ordinary", "integers", "tenths", "time stamps", "leaky", "above", "constant", "hinge"]


def odd_loss(kind, seed):
    rng = np.random.default_rng(seed)
    widths = [[1, 1, 1], [1, 2, 1], [2, 1], [1, 1, 2, 1]][seed % 4]
    n = int(rng.integers(2, 6))
    X, y = rng.uniform(-3, 3, (n, widths[0])), rng.uniform(-3, 3, (n, 1))
    if kind == "integers":
        X, y = np.round(X), np.round(y)
    if kind == "tenths":
        X, y = np.round(X, 1), np.round(y, 1)
    if kind == "time stamps":
        X = 1.7e9 + np.round(100 * X)
    options = {"kind": "hinge"} if kind == "hinge" else {}
    if kind == "hinge":
        y = np.where(y > 0, 1.0, -1.0)
    slope = 0.1 if kind == "leaky" else 0.0
    if kind == "above":
        widths, options = [widths[0], *widths], {"layer": 1}
    net = rw.ReLUNetwork.random(widths, seed=seed, negative_slope=slope)
    if kind == "constant":
        net = rw.ReLUNetwork([*net.weights[:-1], 0.0 * net.weights[-1]], net.biases)
    return rw.LayerLoss(net, X, y, **options)


@pytest.mark.parametrize("box", [None, 1.0, 5.0])
@pytest.mark.parametrize("kind", KINDS)
def test_from_no_local_minimum_the_loss_falls(kind, box):
    rng = np.random.default_rng(0)
    for seed in range(4):
        loss = odd_loss(kind, seed)
        regions = rw.enumerate_regions(loss, box)
        minima = regions.local_minima()
        assert minima[0].loss == regions.minimum().loss
        for minimum in minima:
            assert lower_nearby(loss, minimum, box, rng) is None
            if box is not None:
                assert (np.abs(minimum.theta) <= box).all()
        if not loss.n_hidden:  # convex
            assert len(minima) == 1


def test_no_vertex_near_a_zero_block_is_taken_for_a_minimum():
    # At theta = (-2e-17, 0), a minimiser over one region as floats have it, the slope is -6.
    net = rw.ReLUNetwork(
        [[[0.8861122111447353]], [[0.9524874114154083]]],
        [[0.022655105628723193], [-0.8383279522087956]],
    )
    loss = rw.LayerLoss(net, [[1.9], [-0.5], [1.5], [2.8], [2.9]], [-2.0, -1.6, 0.6, 2.9, 2.1])
    rng = np.random.default_rng(0)
    minima = rw.enumerate_regions(loss, 1.0).local_minima()
    assert minima
    for minimum in minima:
        assert lower_nearby(loss, minimum, 1.0, rng) is None


@pytest.mark.parametrize("exponent", [6, 9])
def test_a_convex_loss_far_from_zero_against_highs(exponent):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X = np.round(10.0**exponent + rng.uniform(-3, 3, (7, 2)), 2)
        y = np.round(rng.uniform(-3, 3, 7), 2)
        loss = rw.LayerLoss(rw.ReLUNetwork([np.zeros((1, 2))], [[0.0]]), X, y)
        # theta (x - middle, 1) in floats: the bias of inputs near 0, bounded by that of the box.
        middle = X[0]
        Z = np.column_stack([X - middle, np.ones(7)])
        bound = [0.0, 0.0, 1.0], np.append(middle, -1.0) / middle.max()
        result = linprog(
            np.r_[np.zeros(3), np.ones(14)],
            A_eq=np.hstack([Z, np.eye(7), -np.eye(7)]),
            b_eq=y,
            A_ub=np.vstack([s * np.r_[bound[1], np.zeros(14)] for s in (1, -1)]),
            b_ub=np.full(2, 10.0 / middle.max()),
            bounds=[(-10, 10), (-10, 10), (None, None)] + [(0, None)] * 14,
            method="highs-ds",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        regions = rw.enumerate_regions(loss, 10.0)
        (minimum,) = regions.local_minima()
        assert minimum.loss == regions.minimum().loss == pytest.approx(result.fun, rel=1e-6)
        # What floats can hold of it is good to their spacing at such inputs.
        assert loss(minimum.theta) == pytest.approx(minimum.loss, rel=10.0 ** (exponent - 15))


def test_a_constant_loss_is_one_flat_minimum():
    net = rw.ReLUNetwork([[[1.0]], [[0.0]]], [[0.0], [0.0]])
    regions = rw.enumerate_regions(rw.LayerLoss(net, [[1.0], [2.0]], [1.0, -1.0]))
    (minimum,) = regions.local_minima()
    assert len(regions) == 4
    assert minimum.regions.tolist() == [0, 1, 2, 3]
    assert (minimum.loss, minimum.strict) == (2.0, False)


def test_loss_zero_is_one_flat_minimum():
    # Separable: every region beyond the margin has loss 0, and all of them touch.
    loss = rw.LayerLoss(
        rw.ReLUNetwork([[[0.0]]], [[0.0]]), [[-1.0], [1.0], [2.0]], [-1.0, 1.0, 1.0], kind="hinge"
    )
    (minimum,) = rw.enumerate_regions(loss, 5.0).local_minima()
    assert (minimum.loss, minimum.strict) == (0.0, False)


def test_a_minimum_on_the_border_is_one_within_the_box():
    # |3 w| has its least value of the box (1, 2) at w = 1; the bias makes up for the rest.
    loss = rw.LayerLoss(rw.ReLUNetwork([[[0.0]]], [[0.0]]), [[0.0], [3.0]], [0.0, 0.0])
    (minimum,) = rw.enumerate_regions(loss, ([[1.0, -1.0]], [[2.0, 1.0]])).local_minima()
    assert minimum.loss == 3.0
    assert minimum.theta[0, 0] == 1.0
    assert minimum.point[0, 0] == 1
    assert not minimum.strict  # every bias from -1 to 0 is as good


@pytest.mark.parametrize("seed", range(4))
def test_a_bend_in_a_flat_valley_joins_its_parts(seed):
    # An even number of points on a line: flat minima, of several faces each.
    rng = np.random.default_rng(seed)
    X = np.repeat(np.round(rng.normal(size=(2, 1)), 2), 2, axis=0)
    loss = rw.LayerLoss(rw.ReLUNetwork([[[0.0]]], [[0.0]]), X, np.round(rng.normal(size=4), 2))
    for box in (None, 1.0, 10.0):
        assert len(rw.enumerate_regions(loss, box).local_minima()) == 1


def test_a_part_of_the_regions_proves_what_it_finds():
    loss = random_loss([1, 2, 1], 6, 0)
    rng = np.random.default_rng(0)
    for most in (1, 20, 100):
        regions = rw.enumerate_regions(loss, max_regions=most)
        assert regions.minimum().loss <= regions.lowest.min() + 1e-9
        for minimum in regions.local_minima():
            assert lower_nearby(loss, minimum, None, rng) is None
