"""Fits as files: nothing is lost, the proof still holds, changes are noticed, nothing is run."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import reluplex_walk as rw
from reluplex_walk._files import open_archive, write_archive
from reluplex_walk.regression import fit_file
from reluplex_walk.regression.tables.names import Names

RNG = np.random.default_rng(0)
N = 30
TABLE = pd.DataFrame(
    {
        "income": RNG.uniform(1.0, 9.0, N).round(2),
        "region": RNG.choice(["south", "north"], N),
        "grade": pd.Categorical(RNG.choice(list("ab"), N), list("baz"), ordered=True),
        "band": pd.cut(np.arange(N), 3),
        "year": pd.Categorical(RNG.integers(1991, 1993, N)),
        "member": RNG.random(N) > 0.5,
    }
)
FOOD = pd.Series((2.0 * TABLE.income + RNG.normal(size=N)).round(2), name="food")
WHOLE = TABLE.drop(columns="band").assign(food=FOOD)
ARRAY = TABLE[["income", "member"]].to_numpy(float)
NEARLY = TABLE.income + 1e-9 * RNG.normal(size=N)
DATES = pd.date_range("2020-01-01", periods=N, tz="Europe/Berlin")


def holed():
    income = WHOLE.income.where(np.arange(N) != 3)
    return rw.lad(WHOLE.assign(income=income), formula="food ~ income", missing="drop")


def interrupted():
    def stop(progress):
        raise StopIteration

    return rw.lad(RNG.normal(size=(500, 5)), RNG.normal(size=500), callback=stop)


def aliased():
    with pytest.warns(rw.RankWarning):
        return rw.lad(TABLE[["income"]].assign(again=TABLE.income, member=TABLE.member), FOOD)


FITS = {
    "array": lambda: rw.lad(ARRAY, FOOD.to_numpy()),
    "table": lambda: rw.quantile(TABLE, FOOD, 0.3),
    "weights": lambda: rw.lad(ARRAY, FOOD, sample_weight=np.arange(N) % 3.0),
    "no intercept": lambda: rw.lad(TABLE[["income", "region"]], FOOD, fit_intercept=False),
    "formula": lambda: rw.quantile(WHOLE, formula="food ~ income * C(region) + grade", tau=0.3),
    "states": lambda: rw.lad(WHOLE, formula="food ~ bs(income, df=4) + C(year) + member - 1"),
    "all": lambda: rw.lad(WHOLE, formula="food ~ . - year"),
    "holed": holed,
    "interrupted": interrupted,
    "aliased": aliased,
    "ties": lambda: rw.lad(np.round(ARRAY), np.round(FOOD)),
    "nearly aliased": lambda: rw.lad(np.column_stack([ARRAY, NEARLY]), FOOD),
}  # fmt: skip


def same(a, b):
    for each in dataclasses.fields(a):
        if each.name not in ("_end", "names"):
            np.testing.assert_array_equal(getattr(a, each.name), getattr(b, each.name), each.name)
    assert a.feature_names == b.feature_names
    assert a.response_name == b.response_name
    assert a.n_dropped == b.n_dropped
    assert type(a.rows) is type(b.rows)
    np.testing.assert_array_equal(a.rows, b.rows)
    assert str(a.summary()) == str(b.summary())


@pytest.mark.parametrize("kind", FITS)
def test_nothing_is_lost(kind, tmp_path):
    fit = FITS[kind]()
    fit.save(tmp_path / "fit.npz")
    again = rw.QuantileFit.load(tmp_path / "fit.npz")
    same(fit, again)
    assert again.certificate.digest == fit.certificate.digest
    assert type(again._end) is type(fit._end)
    if fit.status.proved:
        assert again.certificate.verify_exact(again.problem).loss == fit.certificate.loss
    new = WHOLE[::-1] if kind in ("formula", "states", "all", "holed") else TABLE[::-1]
    if fit.feature_names is None:
        new = fit.X[::-1]
    elif kind in ("no intercept",):
        new = new[["income", "region"]]
    elif kind == "aliased":
        new = new[["income"]].assign(again=1.0, member=False)
    pd.testing.assert_series_equal(pd.Series(again.predict(new)), pd.Series(fit.predict(new)))
    again.save(tmp_path / "again.npz")
    told = (tmp_path / "again.npz").read_bytes()
    if kind != "table":  # of whose intervals the text is known
        assert told == (tmp_path / "fit.npz").read_bytes()
    same(rw.QuantileFit.load(tmp_path / "again.npz"), fit)


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(5, 5 + N, name="k"),
        pd.Index(np.arange(N)[::-1]),
        pd.Index(np.arange(N) * 0.1),
        pd.Index([f"ä{k}" for k in range(N)], name="name"),
        pd.Index([f"r{k}" if k else 0 for k in range(N)], dtype=object),
        DATES,
        DATES.tz_localize(None),
        DATES.tz_localize(None).as_unit("s"),
        pd.MultiIndex.from_product([range(N // 2), ["a", "b"]], names=["u", None]),
    ],
    ids=str,
)
def test_labels_of_rows(index, tmp_path):
    fit = rw.lad(TABLE.set_axis(index), FOOD.set_axis(index))
    fit.save(tmp_path / "fit.npz")
    again = rw.QuantileFit.load(tmp_path / "fit.npz")
    assert again.rows.equals(index)
    assert again.rows.dtype == index.dtype
    assert again.rows.names == index.names
    pd.testing.assert_series_equal(again.residuals, fit.residuals, check_freq=False)


def test_names_that_files_do_not_hold(tmp_path):
    dated = TABLE[["income"]].set_axis([pd.Timestamp("2020")], axis=1)
    for fit, words in (
        (rw.lad(dated, FOOD), "feature_names: expected text or numbers, to be saved, found Timest"),
        (rw.lad(ARRAY, FOOD.set_axis(DATES.tz_localize(None).to_period("D"))), "rows: .*Period"),
    ):
        with pytest.raises(ValueError, match=f"^{words}.*fit again"):
            fit.save(tmp_path / "fit.npz")
    assert not list(tmp_path.iterdir())


def test_what_files_do_not_hold_yet_is_refused(tmp_path):
    fit = rw.lad(ARRAY, FOOD)
    parts = {each.name: getattr(fit, each.name) for each in dataclasses.fields(fit)}
    for more in ({"penalty": 0.5}, {"X": sparse.csr_array(fit.X)}):
        with pytest.raises(ValueError, match=r"^(penalty|X): expected .* pickle holds such fits"):
            fit_file.write({**parts, **more}, tmp_path / "fit.npz", False)


def test_files_are_kept(tmp_path):
    fit = rw.lad(ARRAY, FOOD)
    fit.save(tmp_path / "fit.npz")
    with pytest.raises(FileExistsError, match="force=True"):
        fit.save(tmp_path / "fit.npz")
    fit.save(tmp_path / "fit.npz", force=True)
    with pytest.raises(FileNotFoundError):
        rw.QuantileFit.load(tmp_path / "other.npz")
    fit.certificate.save(tmp_path / "certificate.npz")
    with pytest.raises(ValueError, match=r"a reluplex_walk fit file, found .* certificate"):
        rw.QuantileFit.load(tmp_path / "certificate.npz")


def test_changes_are_noticed(tmp_path):
    path = tmp_path / "fit.npz"
    FITS["formula"]().save(path)
    data = path.read_bytes()
    rng = np.random.default_rng(1)
    for at in rng.integers(0, len(data), 60).tolist():
        changed = bytearray(data)
        changed[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(changed))
        try:
            again = rw.QuantileFit.load(path)
        except ValueError:
            continue
        same(again, FITS["formula"]())  # bytes that mean nothing


def forge(path, **changed):
    arrays = open_archive(path, "fit")
    arrays.pop("header", None)
    write_archive(path, "fit", {**arrays, **changed}, force=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("coefficients", np.zeros(2)),
        ("coefficients", np.full(6, np.nan)),
        ("tau", np.array([2.0])),
        ("basis_rows", np.full(6, 99)),
        ("basis_theta", np.zeros(3)),
        ("side", np.zeros(3)),
        ("aliased", np.array([99])),
        ("aliased", np.array([0])),
        ("status", np.array("FINE")),
        ("names_text", np.array("{}")),
        ("names_text", np.array("no json")),
        ("names_variable_0", np.full(N, np.nan)),
        ("names_variable_1", np.full(N, 7)),
        ("names_kept", np.ones(3, bool)),
        ("sample_weight", np.full(N, -1.0)),
    ],
)
def test_forged_files_are_refused(name, value, tmp_path):
    path = tmp_path / "fit.npz"
    FITS["formula"]().save(path)
    forge(path, **{name: value})
    with pytest.raises(ValueError, match=r"^path: damaged fit file"):
        rw.QuantileFit.load(path)


@pytest.mark.parametrize(
    "formula",
    ["food ~ I(open('/dev/null').close() or income)", "food ~ income.astype(float)"],
)
def test_code_in_a_formula_is_not_run_from_a_file(formula, tmp_path):
    fit = rw.lad(WHOLE, formula="food ~ income")
    path = tmp_path / "fit.npz"
    fit.save(path)
    told = json.loads(str(open_archive(path, "fit")["names_text"]))
    told["encoding"]["formula"] = formula
    forge(path, names_text=np.array(json.dumps(told)))
    again = rw.QuantileFit.load(path)
    with pytest.raises(ValueError, match=r"^X: the formula .* came from a file.*give an array"):
        again.predict(WHOLE)
    np.testing.assert_array_equal(again.predict(fit.X), fit.fitted)
    np.testing.assert_array_equal(again.fitted, fit.fitted)


def test_own_methods_are_refused_after_loading_only(tmp_path):
    fit = rw.lad(WHOLE, formula="food ~ income.clip(0)")
    np.testing.assert_array_equal(fit.predict(WHOLE), fit.fitted)
    fit.save(tmp_path / "fit.npz")
    with pytest.raises(ValueError, match="came from a file"):
        rw.QuantileFit.load(tmp_path / "fit.npz").predict(WHOLE)


def test_other_features_are_refused(tmp_path):
    """As if another version of formulaic had made them."""
    fit = rw.lad(WHOLE, formula="food ~ income + region")
    path = tmp_path / "fit.npz"
    fit.save(path)
    told = json.loads(str(open_archive(path, "fit")["names_text"]))
    told["encoding"]["names"] = ["income", "region.south"]
    forge(path, names_text=np.array(json.dumps(told)))
    with pytest.raises(ValueError, match=r"^X: another version of formulaic"):
        rw.QuantileFit.load(path).predict(WHOLE)


def test_names_are_nothing_for_arrays():
    assert Names().features is None
    assert Names().n_dropped == 0
