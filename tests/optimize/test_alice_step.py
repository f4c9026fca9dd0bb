"""The step of Alice against the minimum of its model, and the glass of known jumps."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from reluplex_walk._glass_step import bend, glass, slope, step_length

C = Decimal("0.46065886596178063902")  # sqrt(2 / (3 pi))


def least(g, rho, h):
    """The minimum of the model by ternary search on its values alone, in 60 digits."""
    with localcontext() as context:
        context.prec = 60
        g, rho, h = Decimal(g), Decimal(rho), Decimal(h)

        def model(x):
            return -g * x + h * x * x / 2 + C * rho.sqrt() * x * x.sqrt()

        low, high = Decimal(0), Decimal(1)
        while model(2 * high) < model(high):
            high *= 2
        high *= 2
        for _ in range(300):
            a, b = low + (high - low) / 3, high - (high - low) / 3
            low, high = (low, b) if model(a) < model(b) else (a, high)
        return float((low + high) / 2)


CASES = [
    (g, rho, h)
    for g in (1e-3, 0.7, 40.0)
    for rho in (0.0, 1e-4, 3.0, 500.0)
    for h in (0.0, 1e-3, 2.0, 100.0)
    if rho or h
]


@pytest.mark.parametrize(("g", "rho", "h"), CASES)
def test_step_is_the_least_of_the_model(g, rho, h):
    found = step_length(np.array([g, -g]), np.array(rho), np.array(h))
    assert found == pytest.approx(least(g, rho, h), rel=1e-12, abs=0.0)


def test_step_at_the_ends_of_its_range():
    g = np.array([0.0, 0.0, 1.0, 1.0, 1e-160, 1e160])
    rho = np.array([1.0, 0.0, 0.0, 0.0, 1e150, 1.0])
    h = np.array([1.0, 0.0, 0.0, -2.0, 1.0, 1e10])
    assert step_length(g, rho, h).tolist() == pytest.approx(
        [0.0, 0.0, np.inf, np.inf, 0.0, 1e150], rel=1e-12
    )


def test_step_in_single_precision_keeps_its_range():
    g, rho, h = np.float32([1.0]), np.float32([1e25]), np.float32([0.0])
    found = step_length(g, rho, h)
    assert found.dtype == np.float32
    assert float(found[0]) == pytest.approx(least(1.0, float(rho[0]), 0.0), rel=1e-6, abs=0.0)


def test_glass_of_known_jumps():
    """One jump of 3 on the far side of the middle of a line of half-length 0.5, on a slope of 2."""
    plus, minus, centre = 1.0 + 2.0 * 0.5 + 3.0, 1.0 - 2.0 * 0.5, 1.0
    bent = bend(plus, minus, centre)
    assert (bent, glass(bent, 0.5)) == (1.5, 9.0)
    assert slope(plus, minus, 0.5) == 2.0 + 3.0
