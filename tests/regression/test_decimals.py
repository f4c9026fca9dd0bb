"""Decimals, weights and quantiles are what was written; aliased columns; proofs handed over."""

import warnings
from fractions import Fraction

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.regression import fitting

GLOBAL = rw.WalkStatus.GLOBAL_MINIMUM


def fitted(X, y, tau=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rw.RankWarning)
        if tau is None:
            return rw.lad(X, y, **options)
        return rw.quantile(X, y, tau, **options)


def nearest(fit):
    """The floats nearest to the exact coefficients that the certificate holds."""
    return np.roll([float(v) for v in fit.certificate.point.ravel()], 1)


@pytest.mark.parametrize("seed", range(40))
def test_decimals_are_integers_over_powers_of_ten(seed):
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(2, 60)), int(rng.integers(1, 5))
    X, y = rng.integers(-20, 21, (n, p)), rng.integers(0, (4, 60)[seed % 2], n)
    if seed % 5 == 0 and p > 1:
        X[:, 1] = 3 * X[:, 0] + 1
    weight = rng.integers(1, 30, n) if seed % 3 == 0 else np.ones(n, int)
    tau = (None, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1 / 3)[seed % 11]
    intercept = seed % 7 != 0 or not X.any()
    whole = fitted(X, y, tau, sample_weight=weight, fit_intercept=intercept)
    tenths = fitted(X / 10, y / 100, tau, sample_weight=weight / 10, fit_intercept=intercept)
    assert whole.status is tenths.status is GLOBAL
    assert whole.aliased.tolist() == tenths.aliased.tolist()
    ours, theirs = tenths.certificate, whole.certificate
    assert (ours.method, ours.strict) == (theirs.method, theirs.strict)
    assert ours.loss * 1000 == theirs.loss
    for fit in (whole, tenths):
        fit.certificate.verify_exact(fit.problem)
        assert (fit.coefficients == nearest(fit)).all()
        assert fit.dual @ fit.y == pytest.approx(fit.loss, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_coefficients_are_the_nearest_floats(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 4)) * 10.0 ** rng.integers(-6, 6, 4)
    fit = rw.lad(np.round(X, 3) if seed % 2 else X, rng.normal(size=60).round(seed % 3 + 1))
    assert (fit.coefficients == nearest(fit)).all()


def test_nine_tenths_are_nine_tenths():
    # Ten values, tau = 0.9: all between the ninth and the tenth are minima, and none is strict.
    X, y = np.repeat([[0.0], [1.0]], 10, axis=0), np.tile(np.arange(10.0), 2)
    for tau in (0.1, 0.3, 0.6, 0.7, 0.9):
        fit = rw.quantile(X, y, tau)
        assert not fit.certificate.strict
        assert (
            fit.certificate.loss
            == 20
            * sum(  # of the values 0..9 and their tau-quantile
                (Fraction(str(tau)) - (v < 10 * tau)) * (v - round(10 * tau) + 1) for v in range(10)
            )
            / 10
        )


def test_two_factors_and_counts():
    rng = np.random.default_rng(1)
    X = np.column_stack([np.eye(k)[rng.integers(0, k, 200)][:, 1:] for k in (8, 5)])
    fit = rw.quantile(X, rng.poisson(2, 200).astype(float), 0.7)
    assert fit.status is GLOBAL
    assert fit.certificate.method == "convex"
    fit.certificate.verify_exact(fit.problem)


def test_near_ties_of_rounded_sums(monkeypatch):
    # Sums in floats miss the decimals by their last bits: no walk is needed to tell them apart.
    monkeypatch.setattr(fitting, "by_walking", None)
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(20_000, 4)), 1)
    y = X.sum(axis=1) + np.round(rng.standard_t(3, 20_000), 1)
    fit = rw.quantile(X, y, 0.3)
    assert fit.status is GLOBAL
    exact = fit.certificate.verify_exact(fit.problem)
    assert float(exact.loss) == pytest.approx(fit.loss, rel=1e-12)


def test_tiny_features_and_far_rows():
    rng = np.random.default_rng(0)
    centres = np.linspace(-3, 3, 8)
    x = rng.normal(size=120)
    X = np.exp(-0.5 * ((x[:, None] - centres) / 0.05) ** 2)  # down to 1e-300, most of them
    X[:3] = 1e5
    fit = fitted(X, np.sin(x))
    assert np.isfinite(fit.coefficients).all()
    assert np.isfinite(fit.loss)


@pytest.mark.parametrize("other", ["feet", "sum", "constant"])
def test_aliased_columns_have_coefficients_0(other):
    rng = np.random.default_rng(0)
    A = np.round(rng.uniform(0, 30, (200, 2)), 1)
    y = A @ [1.0, 2.0] + rng.standard_t(2, 200)
    column = {"feet": 0.3048 * A[:, 0], "sum": A.sum(axis=1), "constant": np.full(200, 3.0)}[other]
    X = np.column_stack([A[:, 0], column, A[:, 1]])
    if other == "constant":
        fit, aliased = rw.lad(X, y), 1
    else:
        with pytest.warns(rw.RankWarning, match="column") as caught:
            fit = rw.lad(X, y)
        assert len(caught) == 1
        assert caught[0].filename == __file__
        aliased = 1 if other == "feet" else 2
    alone = rw.lad(np.delete(X, aliased, axis=1), y)
    assert fit.aliased.tolist() == [aliased]
    assert fit.coefficients[1 + aliased] == 0.0
    assert (np.delete(fit.coefficients, 1 + aliased) == alone.coefficients).all()
    assert fit.loss == pytest.approx(alone.loss, rel=1e-14)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # said once
        fit.certificate.verify_exact(fit.problem)
    assert fit.certificate.loss == alone.certificate.loss


def test_without_an_intercept():
    X, y = [[1.0], [2.0], [4.0]], [2.0, 4.0, 9.0]
    fit = rw.lad(X, y, fit_intercept=False)
    assert fit.coefficients.tolist() == [0.0, 2.25]
    assert fit.loss == 0.75
    assert fit.certificate.loss == Fraction(3, 4)
    fit.certificate.verify_exact(fit.problem)
    assert fit.dual @ np.ravel(X) == 0.0
    path = rw.quantile_path(X, y, [0.5], fit_intercept=False)
    assert path[0].coefficients.tolist() == [0.0, 2.25]
    with pytest.raises(ValueError, match="fit_intercept: expected True, found False where all"):
        rw.lad([[0.0], [0.0]], [1.0, 2.0], fit_intercept=False)
    with pytest.raises(TypeError, match="fit_intercept: expected True or False"):
        rw.lad(X, y, fit_intercept=0)
