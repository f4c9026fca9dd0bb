"""Labels of groups: of the rows of a fit, or of all that it was given, aligned or refused."""

import numpy as np
import pandas as pd
import pytest

import reluplex_walk as rw

N = 60
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {"x": RNG.normal(size=N), "z": RNG.normal(size=N)}, index=[f"r{k}" for k in range(N)]
)
TABLE["y"] = TABLE.x + RNG.normal(size=N)
SCHOOL = pd.Series(np.arange(N) // 5, TABLE.index, name="school")
HOLED = TABLE.copy()
HOLED.loc[["r3", "r17", "r18", "r40"], "x"] = np.nan
FITS = {
    "table": rw.quantile(HOLED[["x", "z"]], HOLED["y"], 0.4, missing="drop"),
    "formula": rw.quantile(HOLED, formula="y ~ x + z", tau=0.4, missing="drop"),
    "arrays": rw.quantile(HOLED[["x", "z"]].to_numpy(), HOLED.y.to_numpy(), 0.4, missing="drop"),
}
KEPT = SCHOOL[HOLED.x.notna()]
LABELS = {
    "all": SCHOOL,
    "kept": KEPT,
    "array of all": SCHOOL.to_numpy(),
    "list of kept": KEPT.tolist(),
    "categories": SCHOOL.astype(str).astype("category"),
    "frame": SCHOOL.to_frame(),
    "gaps where rows were left out": SCHOOL.where(HOLED.x.notna()),
    "integers with gaps": SCHOOL.astype("Int64").where(HOLED.x.notna()),
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("kind", FITS)
def test_of_rows_given_or_kept(kind, labels):
    expected = rw.quantile(
        HOLED.dropna()[["x", "z"]].to_numpy(), HOLED.y[KEPT.index].to_numpy(), 0.4
    )
    fit, given = FITS[kind], LABELS[labels]
    errors = expected.bse("cluster", groups=KEPT.to_numpy())
    np.testing.assert_allclose(fit.bse("cluster", groups=given), errors, rtol=1e-9)
    drawn = expected.bootstrap(5, clusters=KEPT.to_numpy()).coefficients
    np.testing.assert_allclose(fit.bootstrap(5, clusters=given).coefficients, drawn, rtol=1e-9)
    assert fit.conf_int("cluster", groups=given).shape == (3, 2)
    assert "cluster: 90 % intervals" in str(fit.summary("cluster", groups=given))


def test_labels_of_samples_without_weight_do_not_count():
    weight = (np.arange(N) % 4 > 0).astype(float)
    fit = rw.quantile(TABLE[["x"]], TABLE["y"], sample_weight=weight)
    labels = SCHOOL.where(weight > 0.0)
    expected = rw.quantile(TABLE[["x"]][weight > 0], TABLE["y"][weight > 0])
    expected = expected.bse("cluster", groups=SCHOOL[weight > 0])
    np.testing.assert_allclose(fit.bse("cluster", groups=labels), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        (SCHOOL[::-1], ValueError, r"row labels \(index\) of the fit.*groups.loc\[fit.rows\]"),
        (KEPT[::-1], ValueError, r"row labels \(index\) of the fit.*groups.loc\[fit.rows\]"),
        (KEPT[:-1], ValueError, r"each of the 56 samples of the fit, or of all 60 .*\(55,\)"),
        ("school", TypeError, r"found text \('school'\).*give table\['school'\]"),
        (SCHOOL.where(SCHOOL > 0), ValueError, "a group for each sample, found nan at 0"),
        (SCHOOL.astype("Int64").where(SCHOOL > 0), ValueError, "a group for each sample, found"),
        (np.zeros(N), ValueError, "expected two groups at least, found 1"),
    ],
    ids=range(7),
)
def test_refused(labels, error, words):
    fit = FITS["table"]
    with pytest.raises(error, match=f"^groups: .*{words}"):
        fit.bse("cluster", groups=labels)
    with pytest.raises(error, match=r"^clusters: expected"):
        fit.bootstrap(5, clusters=labels)
