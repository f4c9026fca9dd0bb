"""Integer programs of penalised losses, against linear programs and exact local minima."""

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.penalised import penalised, start
from tests.references.penalised import descend


@pytest.mark.parametrize("seed", range(8))
def test_the_bound_is_below_every_local_minimum_of_the_box_and_attained(seed):
    rng = np.random.default_rng(seed)
    widths = [[1, 2, 1], [2, 1], [2, 1, 1], [1, 1, 1, 2]][seed % 4]
    net = rw.ReLUNetwork.random(widths, seed)
    X, y = rng.integers(-2, 3, (5, widths[0])), rng.integers(-3, 4, (5, widths[-1]))
    loss = rw.LayerLoss(net, X, y, penalty=(0.25, 1.0, 4.0)[seed % 3])
    best = rw.global_minimum(loss, box=4.0)
    assert best.method in ("milp", "zero-loss")
    assert best.optimal
    for k in range(4):
        end = descend(loss, start(loss, 100 * seed + k + 1))
        if (abs(end.vertex.theta.floats()) <= 4.0).all():
            assert float(end.loss) >= best.lower_bound - best.tolerance
    # No grid point of the box is lower.
    for theta in rng.integers(-8, 9, (200, *loss.shape)) / 2.0:
        assert loss(theta) >= best.lower_bound - best.tolerance


def test_without_hidden_layers_the_program_is_that_of_the_certified_walk():
    loss = penalised(3, penalty=0.5, kind="l1", tau=None, fit_intercept=True)
    net = rw.ReLUNetwork.random([loss.X.shape[1], loss.y.shape[1]], 0)
    loss = rw.LayerLoss(net, loss.X, loss.y, penalty=0.5)
    traj = rw.walk(loss)
    assert traj.certificate.is_global
    best = rw.global_minimum(loss, box=20.0)
    assert best.loss == pytest.approx(traj.loss, abs=1e-9)
    assert best.lower_bound == pytest.approx(traj.loss, abs=best.tolerance + 1e-9)
