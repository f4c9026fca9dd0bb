"""Tables in, names out: columns, categories, missing values and labels of rows of a regression."""

import copy
import pickle

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import reluplex_walk as rw

RNG = np.random.default_rng(0)
N = 40
LABELS = [f"r{k}" for k in range(N)]
TABLE = pd.DataFrame(
    {
        "income": RNG.uniform(1.0, 9.0, N).round(2),
        "region": RNG.choice(["south", "north", "west"], N),
        "grade": pd.Categorical(RNG.choice(list("abc"), N), list("cbadz"), ordered=True),
        "member": RNG.random(N) > 0.5,
    },
    index=LABELS,
)
FOOD = pd.Series((2.0 * TABLE.income + RNG.normal(size=N)).round(2), LABELS, name="food")
NAMES = ("income", "region[T.south]", "region[T.west]", "grade[T.b]", "grade[T.a]", "member")
DUMMIES = np.column_stack(
    [
        TABLE.income,
        TABLE.region == "south",
        TABLE.region == "west",
        TABLE.grade == "b",
        TABLE.grade == "a",
        TABLE.member,
    ]
).astype(float)
FIT = rw.quantile(TABLE, FOOD, 0.3)
PLAIN = rw.quantile(DUMMIES, FOOD.to_numpy(), 0.3)


def test_categories_become_indicators():
    assert FIT.feature_names == NAMES
    assert_array_equal(FIT.X, DUMMIES)
    assert_array_equal(FIT.coefficients, PLAIN.coefficients)
    text = rw.quantile(TABLE.astype({"region": object}), FOOD, 0.3)
    same = rw.quantile(TABLE.astype({"region": "category"}), FOOD, 0.3)
    assert text.feature_names == same.feature_names == NAMES
    assert_array_equal(text.X, same.X)


def test_names_come_out():
    assert FIT.params.index.tolist() == ["Intercept", *NAMES]
    assert_array_equal(FIT.params, PLAIN.coefficients)
    assert FIT.response_name == "food" == FIT.fitted.name
    assert FIT.fitted.index.equals(TABLE.index)
    assert FIT.rows.equals(TABLE.index)
    np.testing.assert_allclose(FIT.fitted + FIT.residuals, FOOD, rtol=1e-15)
    interval = FIT.named(np.ones((7, 2)))
    assert list(interval.columns) == ["lower", "upper"]
    assert list(interval.index[:1]) == ["Intercept"]
    assert PLAIN.params is PLAIN.coefficients
    assert PLAIN.feature_names is None
    assert isinstance(PLAIN.residuals, np.ndarray)
    assert PLAIN.response_name is None
    assert_array_equal(PLAIN.rows, np.arange(N))
    one = rw.lad(TABLE[["income"]], FOOD)
    assert one.named(np.ones((2, 2))).columns.tolist() == ["lower", "upper"]
    series = rw.lad(DUMMIES, FOOD)  # of y alone
    assert isinstance(series.params, np.ndarray)
    assert series.residuals.index.equals(FOOD.index)


@pytest.mark.parametrize(
    "fit",
    [
        rw.lad,
        rw.quantile,
        lambda X, y: rw.quantile_path(X, y, [0.5]),
        rw.quantile_process,
        lambda X, y: rw.quantile_responses(X, y.to_frame()),
        lambda X, y: rw.lad(X.assign(y=y), formula="y ~ income + doubled"),
    ],
    ids=["lad", "quantile", "path", "process", "responses", "formula"],
)
def test_aliased_columns_are_told_by_name(fit):
    X = TABLE[["income"]].assign(doubled=2.0 * TABLE.income)
    with pytest.warns(rw.RankWarning, match="determine column 'doubled' up") as told:
        fit(X, FOOD)
    assert [each.filename for each in told] == [__file__]


def test_predict_by_name():
    for fit in (FIT, pickle.loads(pickle.dumps(FIT)), copy.deepcopy(FIT), copy.copy(FIT)):
        again = fit.predict(TABLE[["member", "grade", "region", "income"]])
        assert again.index.equals(TABLE.index)
        assert_array_equal(again, FIT.fitted)
        some = TABLE.region == "west"  # not all categories are there
        assert_array_equal(fit.predict(TABLE[some]), FIT.fitted[some])
        assert_array_equal(fit.predict(DUMMIES), FIT.fitted)  # arrays go by position
        assert_array_equal(fit.predict(TABLE.assign(grade=list(TABLE.grade))), FIT.fitted)
    assert_array_equal(pickle.loads(cloudpickle.dumps(FIT)).predict(TABLE), FIT.fitted)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"region": "east"},
            r"\('north', 'south', 'west'\), found 'east', unknown to the fit, at row 0 of column",
        ),
        ({"grade": "z"}, "found 'z', which no row of the fit had, at row 0 of column 'grade'"),
        ({"region": None}, "a missing value at row 0 of column 'region'"),
        ({"income": np.nan}, "a missing value at row 0 of column 'income'"),
        ({"income": np.inf}, "finite numbers, found inf at row 0 of column 'income'"),
        ({"income": 1e200}, "up to 1e.100 in size, found 1e.200 at row 0 of column 'income'"),
        ({"other": 1.0}, "a column 'other' that it does not have"),
    ],
)
def test_predict_refuses(change, words):
    with pytest.raises(ValueError, match=f"^X: expected .*{words}"):
        FIT.predict(TABLE.assign(**change))


def test_without_intercept_the_first_category_is_whole():
    fit = rw.lad(TABLE, FOOD, fit_intercept=False)
    assert fit.feature_names == (
        "income",
        *(f"region[{name}]" for name in ("north", "south", "west")),
        *NAMES[3:],
    )
    assert_array_equal(fit.X[:, 1:4].sum(axis=1), 1.0)
    with_one = rw.lad(TABLE, FOOD)
    assert fit.loss == pytest.approx(with_one.loss, rel=1e-12)  # the same span
    assert fit.params["Intercept"] == 0.0
    assert_array_equal(fit.predict(TABLE), fit.fitted)


def test_categories_of_other_kinds():
    table = TABLE[["income"]].assign(
        year=pd.Categorical([1991 + k % 3 for k in range(N)]),
        band=pd.cut(TABLE.income, [0.0, 3.0, 6.0, 9.0]),
    )
    fit = rw.lad(table, FOOD)
    names = ("income", "year[T.1992]", "year[T.1993]", "band[T.(3.0, 6.0]]", "band[T.(6.0, 9.0]]")
    assert fit.feature_names == names
    assert_array_equal(fit.predict(table.assign(year=table.year.astype(int))), fit.fitted)
    with pytest.raises(ValueError, match="found 1994, unknown to the fit"):
        fit.predict(table.assign(year=1994))


def test_a_category_of_one_level_has_no_feature():
    fit = rw.lad(TABLE[["income"]].assign(same="x"), FOOD)
    assert fit.feature_names == ("income",)
    assert_array_equal(fit.predict(TABLE[["income"]].assign(same="x")), fit.fitted)
    with pytest.raises(ValueError, match=r"^X: .* found shape \(40, 0\)"):
        rw.lad(TABLE[[]].assign(same="x"), FOOD)


def test_refused_columns():
    for values, words in (
        (["1.5"] * N, r"text \('1.5'\).*convert it: np.asarray.*astype\('category'\)"),
        ([1.0, "n/a"] * (N // 2), r"text \('n/a'\) at row 1 of column 'odd'"),
        (pd.date_range("2020", periods=N), "a date"),
        ([1j] * N, "complex"),
    ):
        with pytest.raises(TypeError, match=f"^X: expected real numbers, found .*{words}"):
            rw.lad(TABLE.assign(odd=values), FOOD)
    with pytest.raises(TypeError, match=r"^y: .*categories"):
        rw.lad(TABLE, TABLE.grade)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rw.lad("food ~ income", TABLE), r"X: .*text .'food ~ income'. instead of .*"),
        (lambda: rw.quantile(TABLE), "y: expected targets, found None; give y, or a formula: .*"),
        (lambda: rw.lad(TABLE, "income"), r"y: .*X.drop\(columns='income'\) and X\['income'\].*"),
        (lambda: rw.lad(DUMMIES, "income"), "y: .*text .*; give a formula: .*"),
    ],
)  # fmt: skip
def test_formulas_in_the_wrong_place(call, words):
    with pytest.raises(TypeError, match=f"^{words}rw.quantile\\(table, formula='y ~ x"):
        call()


# ---------------------------------------------------------------- missing values


def with_gaps():
    table, y, w = TABLE.copy(), FOOD.copy(), pd.Series(1.0, LABELS)
    table.iloc[3, 0] = np.nan
    table.iloc[[5, 7], 1] = None
    y.iloc[7] = np.nan
    w.iloc[9] = np.nan
    return table, y, w, np.delete(np.arange(N), [3, 5, 7, 9])


def test_missing_values_are_refused_and_counted():
    table, y, w, _ = with_gaps()
    with pytest.raises(ValueError, match=r"^X: .*row 3 of column 'income'; leave such") as caught:
        rw.quantile(table, y, sample_weight=w)
    advice = "missing='drop' leaves out 4 of 40 rows with missing values: "
    assert advice + "y 1, sample_weight 1, income 1, region 2)" in str(caught.value)
    holed = np.where(DUMMIES > 8.5, np.nan, DUMMIES)
    k = int(np.isnan(holed).sum())
    with pytest.raises(
        ValueError, match=rf"^X: .*found nan at .*leaves out {k} of 40 rows .*X {k}"
    ):
        rw.lad(holed, FOOD)
    with pytest.raises(ValueError, match=r"^X: expected finite numbers, found inf [^=]*$"):
        rw.lad(np.where(DUMMIES > 8.5, np.inf, DUMMIES), FOOD)


@pytest.mark.parametrize("kind", ["table", "nullable", "array", "masked", "list"])
def test_missing_values_are_dropped(kind):
    table, y, w, rows = with_gaps()
    X, names = table, NAMES
    if kind == "nullable":
        X = table.convert_dtypes()
    elif kind != "table":
        X, names = np.where(table.isna().any(axis=1).to_numpy()[:, None], np.nan, DUMMIES), None
        y, w = y.to_numpy(), w.to_numpy()
    if kind == "masked":
        X = np.ma.masked_invalid(X)
    if kind == "list":
        X = [[None if v != v else v for v in row] for row in X.tolist()]
    fit = rw.lad(X, y, sample_weight=w, missing="drop")
    assert fit.feature_names == names
    assert fit.n_dropped == 4
    assert_array_equal(fit.X, DUMMIES[rows])
    assert_array_equal(fit.coefficients, rw.lad(DUMMIES[rows], FOOD.iloc[rows]).coefficients)
    if names is None:
        assert_array_equal(fit.rows, rows)
    else:
        assert list(fit.rows) == [LABELS[k] for k in rows] == list(fit.residuals.index)


def test_dropped_rows_take_their_categories_along():
    table = TABLE.assign(region=TABLE.region.where(np.arange(N) > 0, "east"))
    y = FOOD.where(np.arange(N) > 0)
    fit = rw.lad(table, y, missing="drop")
    assert fit.feature_names == NAMES
    with pytest.raises(ValueError, match="found 'east', which no row of the fit had"):
        fit.predict(table)


def test_what_missing_cannot_do():
    with pytest.raises(ValueError, match=r"^missing: expected one of raise, drop, found 'ignore'"):
        rw.lad(TABLE, FOOD, missing="ignore")
    with pytest.raises(ValueError, match=r"^X: expected a row without missing .*none of 40"):
        rw.lad(TABLE, FOOD * np.nan, missing="drop")
    with pytest.raises(ValueError, match="X has 40 rows"):
        rw.lad(TABLE, FOOD[:5].where(FOOD > 3.0), missing="drop")
    full = rw.lad(TABLE, FOOD, missing="drop")
    assert full.n_dropped == 0
    assert full.rows.equals(TABLE.index)
    path = rw.quantile_path(*with_gaps()[:2], [0.2, 0.6], missing="drop")
    assert [fit.n_dropped for fit in path] == [3, 3]


def test_rows_are_aligned_or_refused():
    with pytest.raises(ValueError, match=r"^y: expected the row labels .*y.loc\[X.index\]"):
        rw.lad(TABLE, FOOD[::-1], missing="drop")
    with pytest.raises(ValueError, match=r"^sample_weight: expected the row labels"):
        rw.lad(TABLE, FOOD, sample_weight=FOOD[::-1].abs())


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_other_libraries(library):
    module = pytest.importorskip(library)
    columns = {name: TABLE[name].tolist() for name in TABLE}
    table = module.DataFrame(columns) if library == "polars" else module.table(columns)
    fit = rw.quantile(table, FOOD.to_numpy(), 0.3)
    assert fit.feature_names == (*NAMES[:3], "grade[T.b]", "grade[T.c]", "member")
    assert fit.params.index[0] == "Intercept"
    assert_array_equal(fit.predict(table), fit.fitted)
    assert fit.loss == pytest.approx(FIT.loss, rel=1e-12)


def test_predictions_have_the_labels_of_the_new_table():
    records = TABLE.iloc[:3].assign(grade=list(TABLE.grade[:3])).to_records(index=False)
    types = [("income", float), ("region", "U8"), ("grade", "U8"), ("member", bool)]
    again = FIT.predict(np.array(records.tolist(), types))  # it has none
    assert isinstance(again, np.ndarray)
    assert_array_equal(again, FIT.fitted[:3])
    assert FIT.predict(TABLE.iloc[:0]).shape == (0,)


def test_records():
    records = TABLE[["income", "region"]].to_records(index=False)
    records = np.array(records.tolist(), [("income", float), ("region", "U8")])
    fit = rw.lad(records, FOOD.to_numpy())
    assert fit.feature_names == NAMES[:3]
    assert_array_equal(fit.predict(records), fit.fitted)


def test_a_name_of_weights_is_told_what_to_give():
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 4.0], "w": [1.0, 2.0, 1.0]})
    words = r"^sample_weight: expected weights, found text \('w'\).*give X\['w'\]"
    with pytest.raises(TypeError, match=words):
        rw.lad(table[["x"]], table["y"], sample_weight="w")
    with pytest.raises(TypeError, match=words):
        rw.quantile(table, formula="y ~ x", sample_weight="w")
