"""Filip, Longley and Wampler, on which least squares lose digits, against exact linear programs."""

from fractions import Fraction

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.hard import filip, longley, wampler
from tests.references.exact_quantile import minimum

DATA = {"filip": filip(), "longley": longley()}
DATA |= {f"wampler{k}": wampler(k) for k in range(1, 6)}


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("tau", ["0.1", "0.25", "0.5", "0.9"])
def test_fits_are_the_exact_minimum(name, tau):
    X, y = DATA[name]
    fit = rw.quantile(X, y, float(tau))
    loss, coefficients, unique = minimum(X, y, Fraction(tau))
    assert fit.certificate.loss == loss
    if unique:
        np.testing.assert_array_equal(fit.coefficients, [float(v) for v in coefficients])
    assert abs(fit.loss - float(loss)) <= 1e-7 * float(loss) + 1e-12 * np.abs(y).sum()
    if fit.status.proved:
        assert fit.certificate.verify_exact(fit.problem).loss == loss
    else:  # no floats are good coefficients: terms of degree 10 cancel to some ten digits
        assert name == "filip"
        assert fit.certificate.reason is rw.Reason.PARAMETERS


def test_wampler_polynomials_are_found():
    # The loss of a polynomial that is one is 0: there is nothing else to find.
    for k, base in ((1, 1.0), (2, 0.1)):
        fit = rw.lad(*wampler(k))
        assert fit.certificate.loss == 0
        np.testing.assert_array_equal(fit.coefficients, np.round(base ** np.arange(6), 5))
    third = rw.lad(*wampler(3)).certificate.loss
    assert rw.lad(*wampler(4)).certificate.loss == 100 * third  # the errors are those times 100
    assert rw.lad(*wampler(5)).certificate.loss == 10_000 * third
