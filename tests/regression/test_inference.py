"""Standard errors, intervals and R1: published digits, and formulas written anew."""

import itertools

import numpy as np
import pytest
from scipy import stats

import reluplex_walk as rw
from reluplex_walk.regression.inference import _slope, bandwidth, kernel_density

ENGEL, STACK = rw.datasets.load_engel(), rw.datasets.load_stackloss()
KINDS = ["iid", "nid", "ker"]


def noisy(seed, n=150, p=2):
    """Errors that grow with the first feature."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X @ rng.normal(size=p) + (1.0 + np.abs(X[:, 0])) * rng.standard_t(4, n)


# ---------------------------------------------------------------- published digits


@pytest.mark.parametrize("fit", [rw.lad(ENGEL.X, ENGEL.y), rw.quantile(ENGEL.X, ENGEL.y)])
def test_engel_as_quantreg(fit):  # R package quantreg 5.94
    np.testing.assert_allclose(fit.coefficients, [81.4822474169, 0.5601805512], rtol=1e-9)
    np.testing.assert_allclose(fit.bse("iid"), [13.23907971808, 0.01191932953], rtol=1e-8)
    np.testing.assert_allclose(fit.bse("nid"), [19.25066025211, 0.02827720968], rtol=1e-8)
    np.testing.assert_allclose(fit.bse("ker"), [30.21531585278, 0.03731703545], rtol=1e-6)
    assert fit.pseudo_r2 == pytest.approx(0.6205559619, abs=1e-10)


def test_stack_loss_as_quantreg():  # R package quantreg 5.94
    found = rw.lad(STACK.X, STACK.y).bse("iid")
    expected = [10.6270399194, 0.1204727386, 0.3287667782, 0.1396220138]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_engel_as_stata():
    # Stata 12, qreg, as in the tests of statsmodels (results_quantile_regression.py).
    assert bandwidth(0.5, 235) == pytest.approx(0.1574393314202373, rel=1e-13)
    assert bandwidth(0.5, 235, "bofinger") == pytest.approx(0.2173486679767846, rel=1e-13)
    assert bandwidth(0.5, 235, "chamberlain") == pytest.approx(0.063926976464458, rel=1e-13)
    assert bandwidth(0.75, 235) == pytest.approx(0.1090401129546568, rel=1e-13)
    upper = rw.quantile(ENGEL.X, ENGEL.y, 0.75)
    np.testing.assert_allclose(upper.coefficients, [62.39648, 0.6440143], rtol=1e-5)
    assert upper.pseudo_r2 == pytest.approx(0.6966, abs=5e-5)
    assert 2 * upper.loss == pytest.approx(13058.50008841318, rel=1e-6)
    middle = rw.quantile(ENGEL.X, ENGEL.y)
    np.testing.assert_allclose(middle.coefficients, [81.48233, 0.5601805], rtol=2e-6)
    assert middle.pseudo_r2 == pytest.approx(0.6206, abs=5e-5)
    assert 2 * middle.loss == pytest.approx(17559.93220318131, rel=1e-7)  # sum of deviations
    raw = 2 * middle.loss / (1.0 - middle.pseudo_r2)
    assert raw == pytest.approx(46278.05667114258, rel=1e-7)
    assert rw.lad(ENGEL.X, ENGEL.y).loss == 2 * middle.loss
    density = kernel_density(middle.residuals, 0.5).mean()  # Stata's quartiles differ a little
    assert density == pytest.approx(0.0038078182797341, rel=1e-3)
    density = kernel_density(middle.residuals, 0.5, "bofinger").mean()
    assert density == pytest.approx(0.0031904337261521, rel=1e-3)


def test_engel_tenth_as_quantreg():  # likewise from there
    fit = rw.quantile(ENGEL.X, ENGEL.y, 0.1)
    expected = [278.946531823426, 327.662259651587, 472.195784028597, 366.902127539958]
    np.testing.assert_allclose(fit.predict(ENGEL.X)[:4], expected, rtol=1e-8)
    expected = [-23.1071072288498, -16.7035925924416, 13.4842301424879, 36.0952280042049]
    np.testing.assert_allclose(fit.residuals[:4], expected, rtol=1e-7)


# ---------------------------------------------------------------- formulas written anew


def halved(tau, n):
    z = stats.norm.ppf(tau)
    h = 1.5 * stats.norm.pdf(z) ** 2 / (2 * z**2 + 1) * stats.norm.ppf(0.975) ** 2 / n
    h = np.cbrt(h)
    while tau - h <= 0 or tau + h >= 1:
        h /= 2
    return h


def line_slope(x, y):
    """The largest slope among the best lines by absolute deviations: through all pairs."""
    found = []
    for i, j in itertools.combinations(range(len(x)), 2):
        slope = (y[j] - y[i]) / (x[j] - x[i])
        found.append((np.abs(y - y[i] - slope * (x - x[i])).sum(), slope))
    best = min(found)[0]
    return max(slope for loss, slope in found if loss <= best * (1 + 1e-12) + 1e-300)


def errors_anew(fit, kind):
    tau, Z = fit.tau, np.column_stack([np.ones(len(fit.y)), fit.X])
    r, (n, q) = fit.y - Z @ fit.coefficients, Z.shape
    r[np.argsort(np.abs(r))[:q]] = 0.0
    h = halved(tau, n)
    if kind == "iid":
        some = np.argsort(np.abs(r))[q : q + max(q + 1, int(np.ceil(n * h))) + 1]
        sparsity = line_slope(np.arange(q + 1, q + 1 + len(some)) / (n - q), np.sort(r[some]))
        f = np.full(n, 1 / sparsity)
    elif kind == "nid":
        high, low = (rw.quantile(fit.X, fit.y, tau + s * h).coefficients for s in (1, -1))
        f = np.maximum(0, 2 * h / (Z @ (high - low)))
    else:
        width = min(r.std(ddof=1), (np.quantile(r, 0.75) - np.quantile(r, 0.25)) / 1.34)
        width *= stats.norm.ppf(tau + h) - stats.norm.ppf(tau - h)
        f = stats.norm.pdf(r / width) / width
    H = np.linalg.inv(Z.T @ (f[:, None] * Z))
    return np.sqrt(np.diag(tau * (1 - tau) * H @ Z.T @ Z @ H))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("tau", "seed"), [(0.5, 0), (0.2, 1), (0.9, 2), (0.03, 3), (0.97, 4)])
def test_errors_anew(kind, tau, seed):
    fit = rw.quantile(*noisy(seed), tau)
    np.testing.assert_allclose(fit.bse(kind), errors_anew(fit, kind), rtol=1e-9)


@pytest.mark.parametrize("seed", range(60))
def test_slope_is_the_largest_of_the_best(seed):
    rng = np.random.default_rng(seed)
    m = rng.integers(2, 14)
    y = np.sort(rng.integers(-4, 5, m).astype(float) if seed % 2 else rng.normal(size=m))
    y *= 10.0 ** rng.integers(-9, 9)
    x = 1.0 + np.arange(m) + rng.integers(0, 4)
    assert _slope(x, y) == pytest.approx(line_slope(x, y), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_multiply_rows(kind):
    X, y = noisy(5)
    w = np.random.default_rng(5).integers(1, 5, len(y)).astype(float)
    w[::7] = 0.0
    weighted = rw.quantile(X, y, 0.3, sample_weight=w)
    rows = w[:, None] * np.column_stack([np.ones(len(y)), X])
    plain = rw.quantile(rows[w > 0], (w * y)[w > 0], 0.3, fit_intercept=False)
    np.testing.assert_allclose(weighted.coefficients, plain.coefficients[1:], rtol=1e-10)
    np.testing.assert_allclose(weighted.bse(kind), plain.bse(kind)[1:], rtol=1e-7)
    assert plain.bse(kind)[0] == 0.0
    assert (plain.conf_int(kind)[0] == 0.0).all()


def test_clusters_anew():
    X, y = noisy(6)
    fit, groups = rw.quantile(X, y, 0.4), np.repeat(np.arange(30), 5)
    Z, r, h = np.column_stack([np.ones(len(y)), X]), fit.residuals, halved(0.4, len(y))
    r = np.where(np.abs(r) < 1e-12, 0.0, r)
    width = stats.norm.ppf(0.4 + h) - stats.norm.ppf(0.4 - h)
    width *= np.median(np.abs(r - np.median(r)))
    scores = np.array([fit.dual[groups == g] @ Z[groups == g] for g in range(30)])
    H = np.linalg.inv(Z.T @ ((np.abs(r) <= width)[:, None] * Z) / (2 * width))
    expected = np.sqrt(np.diag(H @ scores.T @ scores @ H))
    labels = [f"school {g}" for g in groups]
    np.testing.assert_allclose(fit.bse("cluster", groups=labels), expected, rtol=1e-10)
    found = fit.conf_int("cluster", 0.95, groups=groups)
    far = stats.t.ppf(0.975, 29) * expected
    np.testing.assert_allclose(found[:, 1] - fit.coefficients, far, rtol=1e-9)
    # Of samples of weight 0 no more is asked than a group.
    w = np.ones(len(y))
    w[:5] = 0.0
    kept = rw.quantile(X[5:], y[5:], 0.4).bse("cluster", groups=groups[5:])
    weighted = rw.quantile(X, y, 0.4, sample_weight=w)
    np.testing.assert_allclose(weighted.bse("cluster", groups=groups), kept, rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_are_students(kind):
    fit = rw.lad(STACK.X, STACK.y)
    far = stats.t.ppf(0.975, 17) * fit.bse(kind)
    expected = np.column_stack([fit.coefficients - far, fit.coefficients + far])
    np.testing.assert_allclose(fit.conf_int(kind, 0.95), expected, rtol=1e-12)


def test_r1_anew():
    X, y = noisy(7)
    w = np.random.default_rng(7).exponential(size=len(y))
    fit = rw.quantile(X, y, 0.7, sample_weight=w)
    losses = [w @ np.where(y > c, 0.7 * (y - c), 0.3 * (c - y)) for c in y]
    assert fit.pseudo_r2 == pytest.approx(1 - fit.loss / min(losses), rel=1e-12)
    assert rw.lad(X, y).pseudo_r2 == pytest.approx(rw.quantile(X, y).pseudo_r2, rel=1e-12)


# ---------------------------------------------------------------- ugly cases


@pytest.mark.parametrize("kind", KINDS)
def test_units_do_not_matter(kind):
    X, y = noisy(8)
    plain = rw.quantile(X, y, 0.6).bse(kind)
    for scale in (1e-20, 1e12):
        scaled = rw.quantile(X * [1e-8, 1e9], y * scale, 0.6).bse(kind)
        np.testing.assert_allclose(scaled / scale, plain * [1, 1e8, 1e-9], rtol=1e-7)


@pytest.mark.parametrize("kind", [*KINDS, "cluster", "boot"])
def test_aliased_columns_have_no_errors(kind):
    X, y = noisy(9)
    groups = np.arange(len(y)) // 3 if kind == "cluster" else None
    with pytest.warns(rw.RankWarning):
        fit = rw.quantile(np.column_stack([X[:, :1], 2 * X[:, :1] + 1, X[:, 1:]]), y)
    error, plain = fit.bse(kind, groups=groups), rw.quantile(X, y).bse(kind, groups=groups)
    assert error[2] == 0.0
    np.testing.assert_allclose(error[[0, 1, 3]], plain, rtol=1e-9)
    assert (fit.conf_int(kind, groups=groups)[2] == 0.0).all()
    assert (fit.cov(kind, groups=groups)[2] == 0.0).all()


@pytest.mark.parametrize("kind", [*KINDS, "cluster", "boot"])
def test_a_perfect_fit_has_no_errors(kind):
    x = np.arange(8.0)
    fit = rw.quantile(x[:, None], 0.3 * x + 7, 0.2)
    np.testing.assert_allclose(fit.bse(kind, groups=x // 2), 0.0, atol=1e-14)
    assert fit.pseudo_r2 == pytest.approx(1.0)
    assert rw.lad(x[:, None], np.full(8, 3.0)).pseudo_r2 == 0.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tau", [1e-6, 0.5, 1 - 1e-9])
def test_few_samples_and_extreme_quantiles(kind, tau):
    x = np.array([[0.0], [1.0], [2.0], [4.0], [7.0]])
    fit = rw.quantile(x, [1.0, 3.0, 2.0, 5.0, 5.5], tau)
    try:
        found = fit.conf_int(kind)
    except ValueError as error:  # where there is no density
        assert "take kind=" in str(error)  # noqa: PT017
    else:
        assert np.isfinite(found).all()
        assert (found[:, 0] <= found[:, 1]).all()


def test_what_is_refused():
    fit = rw.lad(STACK.X, STACK.y)
    with pytest.raises(ValueError, match="kind: expected one of"):
        fit.bse("robust")
    with pytest.raises(ValueError, match="bandwidth: expected one of"):
        fit.bse("nid", bandwidth="silverman")
    with pytest.raises(ValueError, match=r"level: expected a number in \(0, 1\)"):
        fit.conf_int("iid", 95)
    with pytest.raises(ValueError, match="groups: expected the group of each sample for"):
        fit.bse("cluster")
    with pytest.raises(ValueError, match="groups: expected the group of each of the 21 samples"):
        fit.bse("cluster", groups=[1, 2])
    with pytest.raises(ValueError, match="groups: expected two groups"):
        fit.bse("cluster", groups=np.ones(21))
    with pytest.raises(ValueError, match="groups: expected a group for each sample, found nan"):
        fit.bse("cluster", groups=[np.nan] + [1.0] * 20)
    few = rw.lad(STACK.X[:4], STACK.y[:4])
    with pytest.raises(ValueError, match="expected more samples than the"):
        few.bse("iid")


def test_unknown_kinds_are_told_all_kinds():
    fit = rw.lad(STACK.X, STACK.y)
    with pytest.raises(
        ValueError, match="kind: expected one of rank, iid, nid, ker, cluster, boot, "
    ):
        fit.bse("hc3")
    with pytest.raises(ValueError, match=r"kind: expected one of rank, iid, .*, boot, found 'hc3'"):
        fit.conf_int("hc3")
    with pytest.raises(ValueError, match=r"kind: expected one of rank, iid, .*, boot, found 'hc3'"):
        fit.summary("hc3")
    with pytest.raises(ValueError, match="kind: expected one with errors, found 'rank'; conf_int"):
        fit.bse("rank")


def test_levels_in_per_cent_are_told():
    with pytest.raises(ValueError, match=r"level: expected .* found 95; for 95 % give 0.95"):
        rw.lad(STACK.X, STACK.y).conf_int("iid", 95)
