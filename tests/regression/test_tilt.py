"""A tilt beside the samples: what makes one loss of samples with slopes of their own."""

from fractions import Fraction

import numpy as np
import pytest

from reluplex_walk.regression.data import Data, Posed, slopes_of
from reluplex_walk.regression.solver import minimise
from reluplex_walk.regression.vertex import ExactVertex, exact_loss
from tests.references.programs import least_loss


@pytest.mark.parametrize(("n", "seed"), [*((12, seed) for seed in range(10)), (2500, 0), (2500, 1)])
def test_another_quantile_is_a_tilt(n, seed):
    # rho_tau(r) = rho_half(r) + (1/2 - tau) r, for residuals r = fit - y.
    rng = np.random.default_rng(seed)
    X, y, w = rng.normal(size=(n, 2)), rng.normal(size=n), rng.integers(1, 4, n).astype(float)
    tau = Fraction(int(rng.integers(1, 10)), 10)
    samples, units, _ = Posed.of(Data(X, y, w), True)
    slopes = slopes_of(0.5)  # integers over 10: slopes 5 and 5
    lean = (Fraction(1, 2) - tau) * slopes.unit
    columns, targets, weights = samples.x.tolist(), samples.y.tolist(), list(map(Fraction, w))
    tilt = tuple(
        lean * sum(v * Fraction(x) for v, x in zip(weights, column, strict=True))
        for column in columns
    )
    offset = -lean * sum(v * Fraction(t) for v, t in zip(weights, targets, strict=True))
    samples = samples._replace(tilt=tilt, offset=offset)
    found = minimise(samples, slopes[:2])
    assert found.proved
    vertex = ExactVertex.of(samples, units, slopes, found.basis, found.side)
    least = least_loss(X, y, [float(tau)], w)
    assert float(vertex.loss) == pytest.approx(least, rel=1e-9)
    at = exact_loss(samples, units, slopes, np.array(vertex.coefficients, float))
    assert float(at) == pytest.approx(least, rel=1e-9)


def test_a_wrong_tilt_is_no_optimum():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    samples, units, _ = Posed.of(Data(X, y, np.ones(30)), True)
    slopes = slopes_of(0.5)
    plain = minimise(samples, slopes[:2])
    tilted = samples._replace(tilt=(Fraction(0), Fraction(20), Fraction(0)))
    moved = minimise(tilted, slopes[:2], plain.basis)
    assert moved.proved
    assert moved.pivots > 0
    least = ExactVertex.of(tilted, units, slopes, moved.basis, moved.side).loss
    there = np.array(
        ExactVertex.of(samples, units, slopes, plain.basis, plain.side).coefficients, float
    )
    assert least < exact_loss(tilted, units, slopes, there)
