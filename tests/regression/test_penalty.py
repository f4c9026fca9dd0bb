"""The L1 penalty of fits, against scikit-learn and linear programs."""

import pickle
import warnings
from fractions import Fraction

import numpy as np
import pytest

import reluplex_walk as rw
from tests.references.programs import least_loss

ALPHAS = (0.1, 0.013, 1.0 / 7.0, 1.0, 1e-3, 10.0)


def problem(seed):
    """X, y, tau (None: lad), weights and whether there is an intercept: ties, few samples."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(1, 40)), int(rng.integers(1, 7))
    X = rng.normal(size=(n, p)) if seed % 3 else rng.integers(0, 4, (n, p)).astype(float)
    y = X @ rng.normal(size=p) + rng.standard_cauchy(n)
    y = np.round(y) if seed % 5 == 0 else np.round(y, 1) if seed % 5 == 1 else y
    tau = (None, float(np.round(rng.uniform(0.05, 0.95), 2)), rng.uniform(0.01, 0.99))[seed % 3]
    w = (np.ones(n), rng.integers(0, 3, n).astype(float), rng.uniform(0.0, 2.0, n))[seed // 3 % 3]
    return X, y, tau, w if w.any() else np.ones(n), bool(seed % 4)


def fit_of(X, y, tau, **options):
    return rw.lad(X, y, **options) if tau is None else rw.quantile(X, y, tau, **options)


@pytest.mark.parametrize("seed", range(60))
def test_least_loss_and_proof(seed):
    X, y, tau, w, intercept = problem(seed)
    alpha = ALPHAS[seed % len(ALPHAS)]
    fit = fit_of(X, y, tau, sample_weight=w, fit_intercept=intercept, alpha=alpha)
    least = least_loss(X, y, [tau], w, alpha * w.sum(), intercept)
    assert fit.status is rw.WalkStatus.GLOBAL_MINIMUM
    assert fit.loss == pytest.approx(least, rel=1e-8, abs=1e-8)
    assert float(fit.optimality.verify_exact()) == pytest.approx(fit.loss, rel=1e-9, abs=1e-12)
    assert fit.loss == pytest.approx(fit.data_loss + fit.penalty, rel=1e-12)
    assert len(fit.aliased) == 0
    np.testing.assert_allclose(fit.dual @ fit.y, fit.loss, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("seed", range(12))
def test_coefficients_of_scikit_learn(seed):
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(seed)
    X, tau, alpha = rng.normal(size=(50, 5)), rng.uniform(0.1, 0.9), 10.0 ** rng.uniform(-3, 0)
    y = X @ [1.0, 0.0, -2.0, 0.0, 0.5] + rng.standard_t(3, 50)
    w = rng.uniform(0.5, 2.0, 50)
    other = linear_model.QuantileRegressor(quantile=tau, alpha=alpha).fit(X, y, sample_weight=w)
    fit = rw.quantile(X, y, tau, alpha=alpha, sample_weight=w)
    np.testing.assert_allclose(fit.coefficients[0], other.intercept_, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(fit.coefficients[1:], other.coef_, rtol=1e-8, atol=1e-8)


def test_coefficients_that_are_0_are_0():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 10))
    fit = rw.lad(X, X[:, 3] + rng.normal(size=100), alpha=0.3)
    assert np.flatnonzero(fit.coefficients[1:]).tolist() == [3]
    assert not rw.lad(X, X[:, 3], alpha=100.0).coefficients[1:].any()


def test_decimals_are_what_was_written():
    # Losses tie at the tenths that were written: 10 samples, 0.1 of each, against a slope of 1.
    fit = rw.lad([[0.0], [1.0]] * 5, [0.0, 1.0] * 5, alpha=0.1)
    assert fit.optimality.loss == 1
    fit = rw.quantile([[0.3], [0.7]], [0.1, 0.4], 0.1, alpha=0.05)
    assert fit.optimality.verify_exact().denominator <= 10_000
    assert rw.lad([[1.0]], [5.0], alpha=0.1, fit_intercept=False).optimality.loss == Fraction(1, 2)


def test_nothing_is_aliased_under_a_penalty():
    x = np.arange(6.0)
    X = np.column_stack([x, 2.0 * x, np.ones(6)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = rw.lad(X, 3.0 * x + 1.0, alpha=0.01)
    assert len(fit.aliased) == 0
    np.testing.assert_allclose(fit.coefficients, [1.0, 0.0, 1.5, 0.0], atol=1e-12)  # the cheapest
    assert fit.optimality.verify_exact() == Fraction(9, 100)


def test_more_features_than_samples():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(8, 30)), rng.normal(size=8)
    fit = rw.quantile(X, y, 0.3, alpha=0.05)
    assert fit.status is rw.WalkStatus.GLOBAL_MINIMUM
    assert fit.loss == pytest.approx(least_loss(X, y, [0.3], penalty=0.4), rel=1e-8)
    fit.optimality.verify_exact()


def test_many_samples_start_from_few():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(5000, 4))
    y = X @ [1.0, 0.0, 0.1, 0.0] + rng.standard_t(3, 5000)
    fit = rw.quantile(X, y, 0.7, alpha=0.05)
    assert fit.loss == pytest.approx(least_loss(X, y, [0.7], penalty=250.0), rel=1e-9)
    fit.optimality.verify_exact()


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1e6, 1e30])
def test_units_do_not_matter(scale):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 3))
    y = X @ [1.0, 0.0, 2.0] + rng.normal(size=30)
    one = rw.lad(X, y, alpha=0.1)
    other = rw.lad(X * scale, y, alpha=0.1 * scale)
    assert other.status is rw.WalkStatus.GLOBAL_MINIMUM
    np.testing.assert_allclose(other.coefficients[1:] * scale, one.coefficients[1:], rtol=1e-9)


def test_paths_are_fits_of_each():
    data = rw.datasets.load_stackloss()
    options = {"alpha": 0.05, "constraints": rw.constraints.nonnegative(data.X)}
    taus = [0.1, 0.5, 0.2, 0.9]
    for fit, tau in zip(rw.quantile_path(data.X, data.y, taus, **options), taus, strict=True):
        alone = rw.quantile(data.X, data.y, tau, **options)
        assert fit.optimality.verify_exact() == alone.optimality.verify_exact()
        assert fit.status is rw.WalkStatus.GLOBAL_MINIMUM


def test_fits_travel():
    data = rw.datasets.load_stackloss()
    fit = rw.lad(data.X, data.y, alpha=0.1, constraints=rw.constraints.nonnegative(data.X))
    other = pickle.loads(pickle.dumps(fit))
    assert other.optimality.verify_exact() == fit.optimality.loss
    np.testing.assert_array_equal(other.multipliers, fit.multipliers)


def test_no_penalty_is_the_plain_fit():
    data = rw.datasets.load_stackloss()
    fit = rw.lad(data.X, data.y, alpha=0)
    assert fit.penalty == 0.0
    assert fit.data_loss == fit.loss
    fit.certificate.verify_exact(fit.problem)
    assert fit.optimality.verify_exact() == fit.certificate.loss


def test_certificates_are_not_mixed_up():
    data = rw.datasets.load_stackloss()
    fit = rw.lad(data.X, data.y, alpha=0.1)
    with pytest.raises(ValueError, match=r"certificate: .* fit.optimality"):
        _ = fit.certificate
    other = rw.lad(data.X, data.y, alpha=0.2)
    with pytest.raises(rw.CertificateError):
        fit.optimality.verify_exact(other.optimality.problem)


@pytest.mark.parametrize(
    ("alpha", "error", "message"),
    [
        (-1.0, ValueError, "alpha: expected a number >= 0, found -1"),
        (np.nan, ValueError, "alpha: expected a finite number"),
        ("a", TypeError, "alpha: expected a number"),
        (1e-300, ValueError, "alpha: expected alpha times"),
    ],
)
def test_bad_alpha(alpha, error, message):
    with pytest.raises(error, match=message):
        rw.lad([[1.0], [2.0]], [1.0, 2.0], alpha=alpha)


def test_interrupted():
    def stop(_):
        raise StopIteration

    data = rw.datasets.load_engel()
    fit = rw.quantile(data.X, data.y, 0.3, alpha=0.1, callback=stop)
    assert fit.ended is rw.Ended.INTERRUPTED
    assert not fit.optimality.is_global
    with pytest.raises(rw.CertificateError, match="nothing is proved"):
        fit.optimality.verify_exact()
