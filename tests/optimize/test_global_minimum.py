"""Global minima against all intersections of breakpoints, and against many walks."""

from itertools import combinations

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.random import random_loss

OPTIONS = [
    {},
    {"kind": "pinball", "tau": 0.8, "weighted": True},
    {"kind": "hinge"},
    {"negative_slope": 0.1},
]


def least_of_all_vertices(loss, box):
    """The least loss over the box for a network p-1-1: at an intersection of D hyperplanes.

    Where a breakpoint vanishes, x . theta is one of finitely many numbers; so is theta_k on the
    border of the box.
    """
    v, c = float(loss.network.weights[1][0, 0]), float(loss.network.biases[1][0])
    rows, levels = [], []
    for x, y in zip(np.column_stack([loss.X, np.ones(len(loss.X))]), loss.y[:, 0], strict=True):
        fit = (y - c) / v  # what the activation must be for a residual of 0
        slope = 1.0 if fit >= 0 else loss.network.negative_slope
        for level in [0.0] + ([fit / slope] if slope else []):
            rows.append(x)
            levels.append(level)
    for axis in np.eye(loss.dim):
        rows += [axis, axis]
        levels += [box, -box]
    rows, levels = np.array(rows), np.array(levels)
    subsets = np.array(list(combinations(range(len(rows)), loss.dim)))
    matrices = rows[subsets]
    regular = np.abs(np.linalg.det(matrices)) > 1e-9
    points = np.linalg.solve(matrices[regular], levels[subsets[regular]][..., None])[..., 0]
    points = points[(np.abs(points) <= box * (1 + 1e-12)).all(axis=1)]
    return min(loss(point) for point in points)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(("widths", "n"), [([1, 1, 1], 8), ([2, 1, 1], 6)])
def test_global_minimum_is_the_least_vertex(widths, n, options):
    for seed in range(3):
        loss = random_loss(widths, n, seed, **options)
        for box in (0.5, 4.0):
            least = least_of_all_vertices(loss, box)
            for method in ("milp", "regions"):
                best = rw.global_minimum(loss, box, method=method)
                assert (best.optimal, best.method) == (True, method)
                assert best.loss == pytest.approx(least, rel=1e-9)
                assert best.loss == loss(best.theta)
                assert 0.0 <= best.gap <= best.tolerance < 1e-3
                assert (np.abs(best.theta) <= box).all()


TINY = [
    ([1, 1, 1], 8, {}),
    ([1, 2, 1], 6, {}),
    ([2, 1, 1], 6, {"kind": "hinge"}),
    ([1, 1, 2, 1], 6, {"negative_slope": 0.1}),
    ([1, 1, 2, 1], 6, {}),
    ([3, 1], 8, {}),
    ([1, 2, 1], 6, {"kind": "pinball", "tau": 0.8}),
    ([1, 1, 2], 6, {}),
    ([2, 1, 1], 6, {"weighted": True}),
    ([1, 1, 2, 1], 8, {"layer": 1}),
]
"""(widths, n, options)."""


def anywhere(loss, rng):
    """Neurons that vanish between two inputs, of sizes 1 to 1000: minima are of many sizes."""
    h, q = loss.shape
    pairs = loss.inputs[rng.integers(len(loss.inputs), size=(h, 2))]
    between = (rng.dirichlet([1.0, 1.0], size=h)[:, :, None] * pairs).sum(axis=1)
    weights = rng.normal(size=(h, q - 1))
    bias = -(weights * between).sum(axis=1)
    return np.column_stack([weights, bias]) * 10.0 ** rng.uniform(0.0, 3.0, (h, 1))


@pytest.mark.parametrize("case", range(2 * len(TINY)))
def test_the_best_of_500_walks_is_the_global_minimum(case):
    widths, n, options = TINY[case % len(TINY)]
    loss = random_loss(widths, n, 200 + case, **options)
    rng = np.random.default_rng(case)
    # Of a walk only its end counts here: no time for proofs.
    walks = [rw.walk(loss, anywhere(loss, rng), "long", proof_budget=1e-6) for _ in range(500)]
    lowest = min(traj.loss for traj in walks)
    enumerated = rw.enumerate_regions(loss).minimum()
    box = 1.0 + 2.0 * np.abs(enumerated.theta).max()
    assert lowest == pytest.approx(enumerated.loss, rel=1e-9)
    for best in (rw.global_minimum(loss, box, method="milp"), rw.global_minimum(loss)):
        assert best.optimal
        assert best.loss == pytest.approx(enumerated.loss, rel=1e-9)


def test_a_part_of_the_box_has_its_own_minimum():
    # |theta - 2| has its minimum at the border of [-1, 1], and in [0, 5] inside.
    network = rw.ReLUNetwork([[[0.0]], [[1.0]]], [[0.0], [0.0]])
    loss = rw.LayerLoss(network, [[0.0]], [2.0])
    best = rw.global_minimum(loss, 1.0)
    assert (best.loss, best.on_border, best.optimal) == (pytest.approx(1.0), True, True)
    best = rw.global_minimum(loss, (0.0, [[1.0, 5.0]]))
    assert best.theta[0, 1] == pytest.approx(2.0)
    assert (best.loss, best.method, best.optimal) == (0.0, "zero-loss", True)
    best = rw.global_minimum(loss, ([-3.0, -3.0], [[3.0, -1.0]]))  # the neuron cannot wake up
    assert (best.loss, best.optimal) == (pytest.approx(2.0), True)


def test_a_time_limit_claims_nothing():
    loss = random_loss([2, 6, 4, 1], 60, 0)
    best = rw.global_minimum(loss, 10.0, time_limit=0.2)
    assert not best.optimal
    assert 0.0 <= best.lower_bound < best.loss == loss(best.theta)
    loss = random_loss([1, 3, 1], 12, 0)
    best = rw.global_minimum(loss, method="regions", time_limit=1e-6)
    assert (best.optimal, best.lower_bound) == (False, 0.0)


@pytest.mark.parametrize(
    ("box", "error", "message"),
    [
        (0.0, ValueError, "box: expected a number > 0"),
        (-1, ValueError, "box: expected a number > 0"),
        (np.nan, ValueError, "box: expected a finite number"),
        ("wide", ValueError, "box: expected a number > 0 or a pair"),
        ((1.0, -1.0), ValueError, r"lower <= upper, found 1 > -1 for parameter \(0, 0\)"),
        ((np.zeros(3), 1.0), ValueError, r"box\[0\]: expected an array of shape \(2, 2\)"),
        ((0.0, np.inf), ValueError, r"box\[1\]: expected a finite number"),
    ],
)
def test_bad_boxes(box, error, message):
    with pytest.raises(error, match=message):
        rw.global_minimum(random_loss([1, 2, 1], 5, 0), box)


def test_bad_input():
    with pytest.raises(TypeError, match="loss: expected a LayerLoss"):
        rw.global_minimum(3.0, 1.0)
    with pytest.raises(ValueError, match="time_limit: expected a number > 0"):
        rw.global_minimum(random_loss([1, 2, 1], 5, 0), 1.0, time_limit=0.0)
    with pytest.raises(ValueError, match="method: expected one of auto, milp, regions"):
        rw.global_minimum(random_loss([1, 2, 1], 5, 0), 1.0, method="simplex")
    with pytest.raises(ValueError, match=r"box: expected a number > 0 or a pair .* method='milp'"):
        rw.global_minimum(random_loss([1, 2, 1], 5, 0), method="milp")
    with pytest.raises(ValueError, match="at most 12 parameters"):
        rw.global_minimum(random_loss([4, 5, 1], 5, 0))
