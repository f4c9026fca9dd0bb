"""Inference of fits that are no plain ones: what is right, or a refusal; and its defaults."""

import numpy as np
import pytest
from scipy import sparse

import reluplex_walk as rw

DATA = rw.datasets.load_stackloss()
ASKED = {
    "conf_int": lambda fit: fit.conf_int(),
    "rank": lambda fit: fit.conf_int("rank"),
    "boot": lambda fit: fit.conf_int("boot"),
    "bse": lambda fit: fit.bse(),
    "cov": lambda fit: fit.cov("ker"),
    "bootstrap": lambda fit: fit.bootstrap(10),
    "compare": lambda fit: fit.compare(rw.lad(DATA.X[:, :1], DATA.y)),
    "of": lambda fit: rw.lad(DATA.X, DATA.y).compare(fit),
}


def fits():
    signs = rw.constraints.nonnegative(DATA.X)
    return {
        "alpha": rw.lad(DATA.X, DATA.y, alpha=0.1),
        "constraints": rw.lad(DATA.X, DATA.y, constraints=signs),
        "together": rw.quantile_path(DATA.X, DATA.y, [0.25, 0.5], noncrossing=True)[1],
    }


@pytest.mark.parametrize("kind", ["alpha", "constraints", "together"])
@pytest.mark.parametrize("asked", ASKED)
def test_nothing_is_inferred_of_another_model(kind, asked):
    with pytest.raises(ValueError, match=r"expected a fit of its samples alone, found .* refit"):
        ASKED[asked](fits()[kind])


def test_the_share_of_the_loss_is_that_of_the_samples():
    for fit in fits().values():
        best = np.abs(DATA.y - np.median(DATA.y)).sum()
        r = DATA.y - fit.predict(DATA.X)
        assert fit.pseudo_r2 == pytest.approx(1.0 - np.abs(r).sum() / best, rel=1e-12)
        assert "no intervals" in str(fit.summary())


@pytest.mark.parametrize("asked", set(ASKED) - {"conf_int"})
def test_sparse_features_are_refused(asked):
    with pytest.raises(ValueError, match=r"found a sparse one, refit with X\.toarray\(\)"):
        ASKED[asked](rw.lad(sparse.csc_array(DATA.X), DATA.y))


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("tau", [None, 0.3])
def test_errors_of_one_distribution_of_sparse_features(tau, intercept):
    w = np.linspace(0.0, 2.0, 21)
    options = {"sample_weight": w, "fit_intercept": intercept}
    with pytest.warns(rw.RankWarning):
        one, other = (
            rw.lad(x, DATA.y, **options) if tau is None else rw.quantile(x, DATA.y, tau, **options)
            for X in [np.column_stack([DATA.X, DATA.X[:, 0]])]
            for x in (X, sparse.csc_array(X))
        )
    assert one.rank == other.rank == 3 + intercept
    for kind in ("hall-sheather", "bofinger"):
        wanted = one.bse("iid", bandwidth=kind)
        assert other.bse("iid", bandwidth=kind) == pytest.approx(wanted, rel=1e-9)
    assert np.allclose(other.conf_int(), one.conf_int("iid"), rtol=1e-9)
    assert other.pseudo_r2 == pytest.approx(one.pseudo_r2, rel=1e-12)
    assert "iid: 90 % intervals" in str(other.summary())


def test_refusals_of_sparse_errors():
    with pytest.raises(ValueError, match="at most 3000 coefficients"):
        rw.lad(sparse.eye_array(3001, format="csc"), np.ones(3001), fit_intercept=False).bse("iid")
    with pytest.raises(ValueError, match="expected more samples"):
        rw.lad(sparse.eye_array(3, format="csc"), np.ones(3), fit_intercept=False).bse("iid")


def test_the_kind_of_intervals_depends_on_the_number_of_samples():
    fit = rw.lad(DATA.X, DATA.y)
    assert np.array_equal(fit.conf_int(), fit.conf_int("rank"))
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1001, 1)), rng.normal(size=1001)
    fit = rw.lad(X, y)
    assert np.array_equal(fit.conf_int(), fit.conf_int("nid"))
    fit = rw.lad(X, y, sample_weight=(np.arange(1001) > 0) + 0.0)
    assert np.array_equal(fit.conf_int(), fit.conf_int("rank"))
