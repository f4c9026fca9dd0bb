"""Quantiles that may not cross, against linear programs and by their multipliers."""

from dataclasses import replace

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.regression import uncrossed_path
from tests.references.programs import least_loss


def problem(seed):
    """X, y, quantiles, weights, intercept: scales that vary with a feature, ties, few samples."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(2, 45)), int(rng.integers(1, 5))
    taus = rng.uniform(0.02, 0.98, int(rng.integers(2, 6)))
    taus = np.unique(np.round(taus, 2) if seed % 2 else taus)
    X = rng.normal(size=(n, p)) if seed % 4 else rng.integers(0, 4, (n, p)).astype(float)
    y = X @ rng.normal(size=p) + rng.standard_cauchy(n) * (1.0 + X[:, 0])
    y = np.round(y) if seed % 5 == 0 else y
    w = (np.ones(n), rng.integers(0, 3, n).astype(float), rng.uniform(0.0, 2.0, n))[seed // 3 % 3]
    return X, y, taus, w if w.any() else np.ones(n), bool(seed % 6)


@pytest.mark.parametrize("seed", range(50))
def test_least_loss_and_proof(seed):
    X, y, taus, w, intercept = problem(seed)
    options = {"sample_weight": w, "fit_intercept": intercept}
    fits = rw.quantile_path(X, y, taus, noncrossing=True, **options)
    least = least_loss(X, y, taus, w, intercept=intercept, noncrossing=True)
    assert sum(fit.loss for fit in fits) == pytest.approx(least, rel=1e-8, abs=1e-8)
    assert [fit.tau for fit in fits] == taus.tolist()
    for fit in fits:
        assert fit.status is rw.WalkStatus.GLOBAL_MINIMUM
        fit.optimality.verify_exact()
    values = np.array([fit.predict(X[w > 0.0]) for fit in fits])
    assert (np.diff(values, axis=0) >= -1e-9 * np.abs(values).max(initial=0.0)).all()


def test_fits_that_do_not_cross_are_their_own():
    data = rw.datasets.load_engel()
    taus = [0.1, 0.5, 0.9]
    alone = rw.quantile_path(data.X, data.y, taus)
    for fit, own in zip(
        rw.quantile_path(data.X, data.y, taus, noncrossing=True), alone, strict=True
    ):
        np.testing.assert_array_equal(fit.coefficients, own.coefficients)
        fit.certificate.verify_exact(fit.problem)


def test_fits_that_cross_and_their_proof():
    data = rw.datasets.load_motorcycle()
    X = data.X ** np.arange(1, 4)
    taus = np.arange(0.05, 1.0, 0.05).round(2)
    alone = rw.quantile_path(X, data.y, taus)
    fits = rw.quantile_path(X, data.y, taus, noncrossing=True)
    crossing = np.diff([fit.predict(X) for fit in alone], axis=0) < 0.0
    assert crossing.any()
    exact = [fit.optimality for fit in fits]
    assert sum(fit.loss for fit in fits) > sum(fit.loss for fit in alone)
    together = [proof for proof in exact if len(proof.point) > 1]
    assert together
    for fit, proof in zip(fits, exact, strict=True):
        proof.verify_exact()
        if proof in together:
            assert (proof.of_crossing >= 0).all()
            below, above = (fit.tau - 1.0) * fit.sample_weight, fit.tau * fit.sample_weight
            assert (fit.dual >= below - 1e-12).all()
            assert (fit.dual <= above + 1e-12).all()
            with pytest.raises(ValueError, match=r"certificate: .* fit.optimality"):
                _ = fit.certificate
    proof = max(together, key=lambda proof: len(proof.crossing))
    with pytest.raises(rw.CertificateError):
        replace(proof, of_crossing=proof.of_crossing * 2).verify_exact()
    with pytest.raises(rw.CertificateError):
        replace(proof, point=proof.point[::-1]).verify_exact()


def test_equal_samples_and_a_constant_response():
    X = [[0.0], [0.0], [1.0], [1.0]]
    for y in ([5.0, 5.0, 5.0, 5.0], [1.0, 2.0, 2.0, 1.0]):
        for fit in rw.quantile_path(X, y, [0.2, 0.5, 0.8], noncrossing=True):
            assert fit.status is rw.WalkStatus.GLOBAL_MINIMUM
            fit.optimality.verify_exact()


def test_arguments():
    X, y = [[0.0], [1.0], [2.0]], [1.0, 2.0, 4.0]
    with pytest.raises(ValueError, match="taus: expected ascending quantiles"):
        rw.quantile_path(X, y, [0.5, 0.2], noncrossing=True)
    with pytest.raises(ValueError, match="taus: expected ascending quantiles"):
        rw.quantile_path(X, y, [0.5, 0.5], noncrossing=True)
    with pytest.raises(TypeError, match="noncrossing: expected True or False"):
        rw.quantile_path(X, y, [0.5], noncrossing=1)
    with pytest.raises(ValueError, match="noncrossing: expected False beside alpha"):
        rw.quantile_path(X, y, [0.5], noncrossing=True, alpha=1.0)


def test_interrupted_fits_claim_nothing():
    data = rw.datasets.load_motorcycle()
    X, taus = data.X ** np.arange(1, 4), np.arange(0.05, 1.0, 0.05)
    told = []
    rw.quantile_path(X, data.y, taus, callback=told.append)
    seen = []

    def stop(progress):
        seen.append(progress)
        if len(seen) > len(told):  # when the fits of each are done
            raise StopIteration

    for fit in rw.quantile_path(X, data.y, taus, noncrossing=True, callback=stop):
        assert fit.ended is rw.Ended.INTERRUPTED
        assert not fit.status.proved
        assert not fit.optimality.is_global


def test_quantiles_not_proved_together_have_no_inference_of_their_own(monkeypatch):
    solve = uncrossed_path.uncrossed

    def unproved(*args):
        groups = solve(*args)
        return [group._replace(found=group.found._replace(proved=False)) for group in groups]

    monkeypatch.setattr(uncrossed_path, "uncrossed", unproved)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    fit = rw.quantile_path(X, y, [0.4, 0.45, 0.5, 0.55], noncrossing=True)[0]
    assert fit.status.name == "NOT_PROVED"
    assert not fit.optimality.is_global
    for method in (fit.bse, fit.conf_int, fit.bootstrap):
        with pytest.raises(ValueError, match="quantiles that may not cross"):
            method()
