"""Fits whose coefficients, dual solution or certificate were not those of what was proved."""

import numpy as np
import pytest
from scipy import sparse

import reluplex_walk as rw

LENGTH = np.array([4.4, 1.6, 8.61, 7.88, 6.46, 8.3, 8.33, 1.42])
OUTCOME = np.array([0.58, -0.76, -3.92, 1.61, 1.46, 0, 1.95, -0.76])


def test_two_units_of_one_length():
    with pytest.warns(rw.RankWarning):
        fit = rw.lad(np.column_stack([LENGTH, LENGTH * 0.3048]), OUTCOME)
    alone = rw.lad(LENGTH[:, None], OUTCOME)
    assert fit.status.name == alone.status.name == "GLOBAL_MINIMUM"
    assert fit.loss == pytest.approx(alone.loss, rel=1e-12) == pytest.approx(8.420526316, abs=1e-8)
    np.testing.assert_allclose(fit.coefficients, [*alone.coefficients, 0.0], rtol=1e-12)
    fit.certificate.verify_exact(fit.problem)


@pytest.mark.filterwarnings("ignore")  # that the columns depend on each other
def test_two_scales_of_temperature():
    celsius = np.array([11.3, 18.7, 20.1, 23.4, 25.9, 7.2, 14.6, 30.3])
    y = np.array([3.0, 5, 4, 9, 7, 2, 6, 8])
    fit = rw.lad(np.column_stack([celsius, celsius * 1.8 + 32]), y)
    assert fit.loss == pytest.approx(6.426086957, abs=1e-8)
    np.testing.assert_allclose(fit.coefficients, [0.121739, 0.260870, 0.0], atol=1e-6)
    assert fit.dual @ y == pytest.approx(fit.loss, abs=1e-8)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_a_column_that_is_the_sum_of_two(scale):
    rng = np.random.default_rng(0)
    A = np.round(rng.uniform(0, 30, (300, 2)), 1) * scale
    y = A @ [1.0, 2.0] + rng.standard_t(2, 300)
    fit, alone = rw.lad(np.column_stack([A, A.sum(axis=1)]), y), rw.lad(A, y)
    assert fit.status.name == "GLOBAL_MINIMUM"
    assert fit.loss == pytest.approx(alone.loss, rel=1e-12)
    np.testing.assert_allclose(fit.coefficients, [*alone.coefficients, 0.0], rtol=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_the_dual_of_a_fit_that_was_proved():
    x = [[1.0000000000000016], [0.9999999999999986], [1.0000000000000056]]
    x += [[0.9999999999999911], [0.9999999999999883], [1.0000000000000038]]
    y = np.array([-0.7, 0.5, 0.8, 1.9, -0.8, 1.6])
    fit = rw.lad(x, y)
    assert fit.dual @ y == pytest.approx(fit.loss, rel=1e-2)


def test_a_proved_fit_has_a_proof():
    # Two factors and counts; only where tau is not dyadic was the method 'none'.
    rng = np.random.default_rng(1)
    X = np.column_stack([np.eye(k)[rng.integers(0, k, 200)][:, 1:] for k in (8, 5)])
    fit = rw.quantile(X, rng.poisson(2, 200).astype(float), 0.7)
    assert (fit.status.name, fit.certificate.is_local_minimum) == ("GLOBAL_MINIMUM", True)
    fit.certificate.verify_exact(fit.problem)
    assert rw.walk(fit.problem, step="long").status.proved


def test_many_minima_are_not_strict_by_the_rounding_of_tau():
    x, y = np.repeat([[0.0], [1.0]], 10, axis=0), np.tile(np.arange(10.0), 2)
    fit = rw.quantile(x, y, 0.9)
    assert fit.status.name == "GLOBAL_MINIMUM"
    assert not fit.certificate.strict
    assert fit.loss == pytest.approx(9.0, rel=1e-12)  # 4.5 for each of 0 and 1


def test_tenths_are_fitted_as_the_integers_they_are():
    rng = np.random.default_rng(0)
    X = rng.integers(-30, 31, (500, 4))
    y = X.sum(axis=1) + np.round(5 * rng.standard_t(3, 500)).astype(int)
    whole, tenths = rw.lad(X, y), rw.lad(X / 10, y / 10)
    assert whole.status.name == tenths.status.name == "GLOBAL_MINIMUM"
    assert tenths.loss == pytest.approx(whole.loss / 10, rel=1e-12)
    assert tenths.certificate.strict == whole.certificate.strict
    assert tenths.certificate.n_tied == whole.certificate.n_tied  # not by rounding apart
    tenths.certificate.verify_exact(tenths.problem)


@pytest.mark.parametrize("seed", range(4))
def test_rows_of_weight_0_have_no_say_in_what_decimals_are(seed):
    # The solver leaves them out and takes the others for decimals: the checks must do the same.
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(12, 2)), 1)
    y = np.round(X @ [1.0, 2.0] + rng.normal(size=12), 1)
    w = np.ones(12)
    w[0], X[0], y[0] = 0.0, np.pi, np.e
    for features, options in ((X, {"alpha": 0.01}), (sparse.csc_array(X), {})):
        fit = rw.quantile(features, y, 0.3, sample_weight=w, **options)
        some = rw.quantile(features[1:], y[1:], 0.3, **options)
        assert fit.verify() == some.verify()


def test_a_penalty_that_weights_cannot_make_an_integer():
    # It is a decimal, but beyond 2^53 in its units: the solver takes it as the float it is.
    X = [[1, -1], [-1, 1], [2, 1], [-1, 0], [0, 1], [1, 0], [1, 1], [0, 0], [1, 1], [1, 0], [0, 0]]
    weights = 2.0**51 * np.array([1, 1, 3, 2, 3, 2, 2, 1, 2, 3, 3])
    fit = rw.quantile(X, np.full(11, -3.3), 0.7, sample_weight=weights, alpha=0.001)
    assert fit.verify() == 0
    y = np.array(X) @ [1.0, 2.0] + [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    fit = rw.quantile(X, y, 0.7, sample_weight=weights, alpha=0.001)
    assert float(fit.verify()) == pytest.approx(fit.loss, rel=1e-12)
    size = np.abs(fit.coefficients[1:]).sum()
    assert fit.penalty == pytest.approx(0.001 * weights.sum() * size)
