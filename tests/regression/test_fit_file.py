"""Fits as files: nothing is lost, the proof still holds, changes are noticed, nothing is run."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.optimize import Bounds

import reluplex_walk as rw
from reluplex_walk._files import open_archive, write_archive
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


def interrupted(kind=np.asarray, **options):
    def stop(progress):
        raise StopIteration

    X, y = RNG.normal(size=(500, 5)), RNG.normal(size=500)
    return rw.lad(kind(X), y, callback=stop, **options)


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

SIGNS = [rw.constraints.nonpositive(ARRAY, [0]), rw.constraints.fit_at([[20.0, 1.0]], 1.0, 30.0)]
DUMMIES = pd.get_dummies(TABLE[["region", "year"]].astype(str), drop_first=True)
DUMMIES = sparse.csc_array(DUMMIES.to_numpy(float))
BESIDE = {
    "penalty": lambda: rw.lad(TABLE, FOOD, alpha=0.05),
    "a penalty of no decimals": lambda: rw.quantile(ARRAY, FOOD, 0.3, alpha=1.0 / 3.0),
    "constraints": lambda: rw.quantile(ARRAY, FOOD, 0.3, constraints=SIGNS),
    "both": lambda: rw.lad(
        ARRAY, FOOD, alpha=0.01, constraints=SIGNS, sample_weight=np.arange(N) % 3.0
    ),
    "constraints on floats": lambda: rw.lad(RNG.normal(size=(N, 2)), FOOD, constraints=SIGNS),
    "both interrupted": lambda: interrupted(alpha=0.1, constraints=Bounds(0.0, np.inf)),
    "together": lambda: crossing()[1],
    "apart": lambda: crossing()[0],
    "sparse": lambda: rw.quantile(DUMMIES, FOOD, 0.3),
    "sparse interrupted": lambda: interrupted(sparse.csr_array),
}  # fmt: skip


def crossing():
    """Fits of which the last two are bound to each other."""
    X = np.sort(np.random.default_rng(3).normal(size=(25, 2)), axis=0).round(2)
    y = np.random.default_rng(4).normal(size=25).round(2)
    fits = rw.quantile_path(X, y, [0.1, 0.5, 0.55, 0.6], noncrossing=True)
    kinds = [type(fit._end).__name__ for fit in fits]
    return [fits[kinds.index("Proof")], fits[kinds.index("Together")]]


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


@pytest.mark.parametrize("kind", BESIDE)
def test_of_fits_with_more_than_samples_nothing_is_lost(kind, tmp_path):
    fit = BESIDE[kind]()
    fit.save(tmp_path / "fit.npz")
    again = rw.QuantileFit.load(tmp_path / "fit.npz")
    assert type(again._end) is type(fit._end)
    for each in dataclasses.fields(fit):
        if each.name not in ("X", "_end", "names", "beside"):
            mine, other = getattr(fit, each.name), getattr(again, each.name)
            np.testing.assert_array_equal(mine, other, each.name)
    assert abs(fit.X - again.X).max() == 0.0
    assert again.penalty == fit.penalty
    np.testing.assert_array_equal(again.predict(fit.X), fit.predict(fit.X))
    assert fit.status.proved == ("interrupted" not in kind)
    if fit.status.proved:
        assert again.verify() == fit.verify()
    if "sparse" not in kind:
        assert again.optimality.loss == fit.optimality.loss
        np.testing.assert_array_equal(again.optimality.point, fit.optimality.point)
        np.testing.assert_array_equal(again.multipliers, fit.multipliers)
    again.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "fit.npz").read_bytes()


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("both", {"penalty": np.array(0.4)}),
        ("both", {"lower": np.array([-np.inf, 25.0])}),
        ("both", {"basis_rows": np.array([0, 1, 2])}),
        ("together", {"pairs": np.array([[0, 12]]), "steepness": np.ones(1)}),
        ("sparse", {"loss": np.array(1.0)}),
        ("penalty", {"loss": np.array(1.0)}),
        ("together", {"coefficients": np.zeros(3)}),
        ("constraints", {"coefficients": np.zeros(3)}),
        ("sparse", {"point": np.full(5, b"1/1")}),
        ("sparse", {"multipliers": np.full(5, b"1/9")}),
        ("sparse", {"above": np.ones(N, bool)}),
        ("sparse", {"X_data": np.full(DUMMIES.nnz, 2.0)}),
    ],
)
def test_a_forged_proof_does_not_verify(kind, changed, tmp_path):
    path = tmp_path / "fit.npz"
    BESIDE[kind]().save(path)
    arrays = open_archive(path, "fit")
    for name, value in changed.items():
        assert name in arrays
        if name in ("point", "multipliers"):
            changed = {name: np.resize(value, arrays[name].shape)}
    forge(path, **changed)
    with pytest.raises(ValueError, match=r"damaged|proved|minimum|not 0|hold|cross|push|bounds"):
        rw.QuantileFit.load(path).verify()


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("both", "penalty", np.array(-1.0)),
        ("both", "penalty", np.array(np.nan)),
        ("both", "A", np.ones((1, 3))),
        ("both", "lower", np.array([np.inf, 0.0])),
        ("both", "steepness", np.zeros(3)),
        ("both", "steepness", np.ones(99)),
        ("together", "pairs", np.array([[7, 0]])),
        ("together", "taus", np.array([0.2, 0.3])),
        ("sparse", "fitted", np.array([0, 0, 1])),
        ("sparse", "active", np.array([0, 1, 99])),
        ("sparse", "multipliers", np.array([b"x/1"] * 3)),
        ("sparse", "X_indptr", np.array([0, 99])),
        ("sparse", "X_indices", np.full(DUMMIES.nnz, 99)),
        ("sparse", "X_shape", np.array([5, 5])),
        ("sparse", "X_data", np.full(DUMMIES.nnz, np.nan)),
    ],
)
def test_forged_ends_are_refused(kind, name, value, tmp_path):
    path = tmp_path / "fit.npz"
    BESIDE[kind]().save(path)
    assert name in open_archive(path, "fit")
    forge(path, **{name: value})
    with pytest.raises(ValueError, match=r"^path: damaged fit file"):
        rw.QuantileFit.load(path)


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
