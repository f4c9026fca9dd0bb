"""The summary of a fit: what it says in words, its table, and what is left out."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

import reluplex_walk as rw
from reluplex_walk.regression.tables.summary import summary_of

ENGEL = rw.datasets.load_engel()
FRAME = pd.DataFrame(ENGEL.X, columns=["income"]).assign(foodexp=ENGEL.y)
FIT = rw.quantile(FRAME[["income"]], FRAME.foodexp, 0.5)


class Inferred:
    """A fit with given standard errors and intervals."""

    pseudo_r2, unique = 0.62055596, True

    def __init__(self, fit, error=None):
        self.fit, self.error = fit, error

    def __getattr__(self, name):
        return getattr(self.fit, name)

    def bse(self, kind, **options):
        if self.error:
            raise ValueError(self.error)
        return np.where(self.fit.coefficients == 0.0, 0.0, 0.5 * abs(self.fit.coefficients))

    def conf_int(self, kind, level, **options):
        return np.column_stack([self.fit.coefficients - 1.0, self.fit.coefficients + 1.0])


def test_words_and_table():
    summary = FIT.summary()
    assert summary.header["response"] == "foodexp"
    assert summary.header["quantile"] == "0.5"
    assert summary.header["samples"] == "235"
    assert summary.header["proof"] == "global minimum, proved"
    assert float(summary.header["loss"]) == pytest.approx(FIT.loss, rel=1e-9)
    assert summary.names == ("Intercept", "income")
    assert summary.frame["coefficient"].to_dict() == FIT.params.to_dict()
    for text in (str(summary), repr(summary), summary.as_text()):
        assert " Intercept" in text
        assert "81.482" in text
        assert "0.560" in text
    assert not any(line.endswith(" ") for line in str(summary).splitlines())


def test_inference_is_shown():
    summary = summary_of(Inferred(FIT), "iid", 0.9, {})
    assert list(summary.table) == ["coefficient", "std error", "t", "P>|t|", "lower", "upper"]
    np.testing.assert_allclose(summary.table["t"], 2.0)
    np.testing.assert_allclose(summary.table["P>|t|"], 2.0 * student.sf(2.0, 233))
    assert summary.notes == ("iid: 90 % intervals",)
    assert summary.header["pseudo R1"] == "0.620556"
    assert summary.header["unique"] == "yes"
    assert "0.047" in str(summary)
    ranks = summary_of(Inferred(FIT), "rank", 0.9, {})
    assert list(ranks.table) == ["coefficient", "lower", "upper"]


def test_inference_that_fails_is_a_note():
    words = "errors: expected more samples, found 3"
    summary = summary_of(Inferred(FIT, words), "iid", 0.9, {})
    assert list(summary.table) == ["coefficient"]
    assert summary.notes == (f"no intervals: {words}",)
    with pytest.raises(ValueError, match="too many values"):  # a mistake of ours
        summary_of(Inferred(FIT, "too many values to unpack"), "iid", 0.9, {})
    with pytest.raises(ValueError, match=r"^kind: expected"):
        summary_of(Inferred(FIT, "kind: expected one of x, found 'what'"), "what", 0.9, {})


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 2.0])
def test_level(level):
    with pytest.raises(ValueError, match=r"^level: expected a number in \(0, 1\)"):
        FIT.summary(level=level)


def test_aliased_coefficients_are_said_to_be():
    table = FRAME[["income"]].assign(twice=2.0 * FRAME.income, const=1.0)
    with pytest.warns(rw.RankWarning):
        fit = rw.lad(table, FRAME.foodexp)
    summary = summary_of(Inferred(fit), "iid", 0.9, {})
    assert summary.aliased.tolist() == [False, False, True, True]
    assert not any(np.isnan(values).any() for values in summary.table.values())
    assert "aliased, determined by the constant and earlier columns: twice, const" in summary.notes
    rows = [line.split() for line in str(summary).splitlines()]
    assert ["twice", "aliased"] in rows
    assert ["const", "aliased"] in rows
    assert summary.frame["aliased"].tolist() == [False, False, True, True]
    assert summary.as_html().count("<td>aliased</td>") == 2


def test_what_else_is_said():
    region = pd.Categorical(np.where(ENGEL.y > 600.0, "n", "s"), ["s", "n", "east"])
    table = FRAME.assign(region=region)
    table.loc[3, "income"] = np.nan
    weight = np.where(np.arange(235) < 9, 2.0, 1.0)
    fit = rw.lad(table, formula="foodexp ~ income + region", missing="drop", sample_weight=weight)
    summary = fit.summary()
    assert summary.header["rows left out"] == "1 with missing values"
    assert summary.header["sum of weights"] == "242"
    assert summary.header["quantile"].startswith("median")
    assert "region: no row has 'east'" in summary.notes


def test_without_intercept_it_is_not_in_the_table():
    summary = rw.lad(FRAME[["income"]], FRAME.foodexp, fit_intercept=False).summary()
    assert summary.names == ("income",)
    assert summary.table["coefficient"].shape == (1,)


def test_not_proved_is_said():
    def stop(progress):
        raise StopIteration

    rng = np.random.default_rng(0)
    fit = rw.lad(rng.normal(size=(500, 5)), rng.normal(size=500), callback=stop)
    assert fit.summary().header["proof"].startswith("not proved: ")


def test_html_is_escaped():
    table = FRAME[["income"]].set_axis(["<b>&income"], axis=1)
    fit = rw.lad(table, FRAME.foodexp.rename("<i>"))
    for html in (fit._repr_html_(), fit.summary()._repr_html_()):
        assert "&lt;b&gt;&amp;income" in html
        assert "<b>" not in html
        assert "<i>" not in html
    assert "<b>&income" in str(fit.summary())


def test_long_and_odd_names_are_whole():
    name = "[bold]" + "a long name " * 12
    fit = rw.lad(FRAME[["income"]].set_axis([name], axis=1), FRAME.foodexp)
    assert name.strip() in str(fit.summary())


def test_numbers_have_digits_for_their_errors():
    lines = str(summary_of(Inferred(FIT), "iid", 0.9, {})).splitlines()
    rows = [line.split() for line in lines if " Intercept" in line or " income" in line]
    assert rows[0][:3] == ["Intercept", "81.482", "40.741"]
    assert rows[1][:3] == ["income", "0.560", "0.280"]
    assert rows[1][5:] == ["-0.440", "1.560"]
    wide = rw.lad(FRAME[["income"]] * 1e9, FRAME.foodexp)
    assert "5.6018e-10" in str(wide.summary())
    assert " 0.00" in str(rw.lad([[1.0], [2.0], [3.0]], [0.0, 0.0, 0.0]).summary())


def test_text_in_notebooks_is_text(monkeypatch):
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert " Intercept" in str(FIT.summary())


def test_arrays_have_numbered_names():
    fit = rw.lad(np.column_stack([ENGEL.X, np.sqrt(ENGEL.X)]), ENGEL.y)
    assert fit.summary().names == ("Intercept", "x1", "x2")
    assert fit.summary().header["response"] == "y"


def test_a_share_of_rounding_is_0():
    y = np.random.default_rng(1).integers(0, 9, 60)
    y[5] = 0
    X = np.random.default_rng(2).normal(size=(60, 1))
    for tau in (0.001, 0.002, 0.003):
        fit = rw.quantile(X, y, tau)
        assert abs(fit.pseudo_r2) < 1e-12
        assert fit.summary().header["pseudo R1"] == "0"


def test_probabilities_have_the_freedom_of_the_intervals():
    # Samples of weight 0 are none, and of groups there is one less than there are.
    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(30, 1)), rng.normal(size=30), np.repeat([1.0, 0.0], [12, 18])
    weighted = rw.quantile(X, y, sample_weight=w).summary()
    alone = rw.quantile(X[:12], y[:12]).summary()
    np.testing.assert_allclose(weighted.table["P>|t|"], alone.table["P>|t|"], rtol=1e-9)
    groups = np.arange(30) % 5
    clustered = rw.quantile(X, y).summary("cluster", groups=groups).table
    wanted = 2.0 * student.sf(np.abs(clustered["t"]), 4)
    np.testing.assert_allclose(clustered["P>|t|"], wanted, rtol=1e-12)
