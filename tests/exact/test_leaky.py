"""Leaky slopes of any size in rational arithmetic, against the plain formula in fractions."""

from fractions import Fraction

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.exact.loss import ExactLoss, region
from reluplex_walk.exact.rationals import Rationals

GRID = np.array([[a, b] for a in range(4) for b in range(4)], float)


@pytest.mark.parametrize("slope", [1e-12, 1e-9, 1e-4, 6e-4, 1e-3, 0.1, 0.5])
def test_leaky_slopes_of_any_size_stay_exact(slope):
    # Denominators beyond 64 bits: neither an overflow nor a rounding.
    network = rw.ReLUNetwork.random([2, 3, 2, 1], seed=0, negative_slope=slope)
    loss = rw.LayerLoss(network, GRID, GRID.sum(axis=1) % 2)
    exact = ExactLoss(loss)
    values = exact.values(Rationals.of(loss.theta.ravel()))
    total = Fraction(0)
    for x, y in zip(GRID, GRID.sum(axis=1) % 2, strict=True):
        z = [Fraction(v) for v in x]
        for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
            z = [
                sum((Fraction(v) * t for v, t in zip(row, z, strict=True)), Fraction(bias))
                for row, bias in zip(w, b, strict=True)
            ]
            if layer < 2:
                z = [t if t > 0 else Fraction(slope) * t for t in z]
        total += abs(z[0] - Fraction(y))
    assert exact.value(values) == total
    gradient = exact.gradient([np.where(s == 0, 1, s) for s in region(values)]).floats()
    assert gradient == pytest.approx(loss.gradient(loss.theta).ravel(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("slope", [1e-12, 1e-9, 1e-4, 6e-4, 1e-3])
def test_walks_with_small_leaky_slopes_are_proved(slope):
    network = rw.ReLUNetwork.random([2, 3, 1], seed=0, negative_slope=slope)
    loss = rw.LayerLoss(network, GRID, GRID.sum(axis=1) % 2)
    traj = rw.walk(loss, seed=0)
    assert traj.status.proved
    traj.certificate.verify_exact(loss)
