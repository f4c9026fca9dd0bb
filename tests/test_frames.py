"""Frames, shapes and weights: labels are minded, and the advice that errors give works."""

import pickle

import numpy as np
import pandas as pd
import pytest

import reluplex_walk as rw

from .problems.border import BIG, frame
from .test_border import FIT, NET, W, X, Y, ends, parts

# ---------------------------------------------------------------- shapes


def test_columns_of_targets_and_weights():
    plain = rw.lad(X, Y, sample_weight=W)
    for y in (Y[:, None], frame(Y).to_frame(), Y[:, None].tolist()):
        assert (ends(rw.lad(X, y, sample_weight=W[:, None])) == ends(plain)).all()
    loss = rw.LayerLoss(NET, X, Y, sample_weight=W)
    assert (
        parts(rw.LayerLoss(NET, X, Y[:, None], sample_weight=frame(W).to_frame())) == parts(loss)
    ).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rw.lad(Y, X), "X: .*np.reshape.*are X and y swapped"),
        (lambda: rw.lad(Y[:, None], X), r"y: expected an array of shape \(12,\).*X and y swapped"),
        (lambda: rw.LayerLoss(NET, Y, X), "X: .*are X and y swapped"),
        (lambda: rw.LayerLoss(NET, Y[:, None], X), "X: .*are X and y swapped"),
        (lambda: rw.lad(X[:, 0], Y), r"X: .*np.reshape\(X, \(-1, 1\)\)$"),
        (lambda: rw.lad(frame(X)["f0"], Y), r"X: .*X.to_frame\(\)"),
        (lambda: FIT.predict(X[0]), r"X: .*for one sample give np.reshape\(X, \(1, -1\)\)"),
        (lambda: NET(X[:, 0]), r"X: expected an array of shape \(n, 2\), found shape \(12,\)"),
        (lambda: NET(X.T), "X: .*give X.T"),
        (lambda: rw.lad(X, Y[None]), r"y: .*np.ravel\(y\)"),
        (lambda: rw.lad(X, np.c_[Y, Y]), "y: .*choose columns of y: there is one output"),
        (lambda: rw.lad(X, Y[:5]), "y: .*X has 12 rows"),
        (lambda: rw.lad(X, Y, sample_weight=W[:5]), "sample_weight: .*for each row of X"),
        (lambda: rw.LayerLoss(NET, X, Y > 0, kind="hinge"), "y: .*found [01]; .*2 . y - 1"),
    ],
)  # fmt: skip
def test_shapes(call, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        call()


# ---------------------------------------------------------------- labels of rows and columns


def test_rows_are_not_matched_in_silence():
    table, y, w = frame(X), frame(Y), frame(W)
    plain = ends(rw.lad(X, Y, sample_weight=W))
    for labels in (range(12), range(5, 17), list("abcdefghijkl"), [0] * 12, DATES, PAIRS):
        named = [part.set_axis(labels, axis=0) for part in (table, y, w)]
        assert (ends(rw.lad(named[0], named[1], sample_weight=named[2])) == plain).all()
        assert (ends(rw.lad(named[0], Y, sample_weight=named[2])) == plain).all()
    for other in (
        y.sample(frac=1.0, random_state=1),
        y.sample(frac=1.0, random_state=1).to_frame(),
    ):
        with pytest.raises(ValueError, match=r"^y: expected the row labels .*y.loc\[X.index\]"):
            rw.lad(table, other)
        with pytest.raises(ValueError, match=r"^sample_weight: .* of X, .*found .* at row"):
            rw.LayerLoss(NET, table, y, sample_weight=other.abs())
        with pytest.raises(ValueError, match=r"^sample_weight: .* of y, .*np.asarray"):
            rw.lad(X, y, sample_weight=other.abs())
        assert (ends(rw.lad(table, other.loc[table.index])) == ends(rw.lad(X, Y))).all()
        assert rw.lad(table, np.asarray(other)).status is rw.WalkStatus.GLOBAL_MINIMUM
    with pytest.raises(ValueError, match=r"found 5 instead of 0 at row 0; np.asarray\(y\) goes"):
        rw.lad(table, y.set_axis(range(5, 17)))
    with pytest.raises(ValueError, match="X has 12 rows"):
        rw.lad(table, y[3:])


DATES = pd.date_range("2020", periods=12)
PAIRS = pd.MultiIndex.from_product([range(3), list("abcd")])


def test_columns_go_by_name():
    table = frame(X).rename(columns={"f0": "income", "f1": "age"})
    fit = rw.lad(table, Y)
    assert fit.feature_names == ("income", "age")
    assert (ends(fit) == ends(FIT)).all()
    for again in (fit, pickle.loads(pickle.dumps(fit)), rw.quantile_path(table, Y, [0.2, 0.5])[1]):
        assert again.feature_names == ("income", "age")
        expected = again.predict(X)
        for columns in (["income", "age"], ["age", "income"]):
            assert (again.predict(table[columns]) == expected).all()
        records = np.rec.fromarrays([X[:, 1], X[:, 0]], names=["age", "income"])
        assert (again.predict(records) == expected).all()
        for other, words in (
            (table[["age"]], "no column 'income'"),
            (table.assign(name="x"), "a column 'name' that it does not have"),
            (table.rename(columns={"age": "Age"}), "no column 'age' and a column 'Age'"),
        ):
            with pytest.raises(ValueError, match=f"^X: expected the columns of the fit, .*{words}"):
                again.predict(other)
        with pytest.raises(ValueError, match=r"^X: .* found 'age' twice"):
            again.predict(table.set_axis(["age", "age"], axis=1))
    assert FIT.feature_names is None
    assert (FIT.predict(table) == FIT.predict(X)).all()
    numbered = rw.lad(pd.DataFrame(X), Y)
    assert numbered.feature_names == (0, 1)
    assert (numbered.predict(pd.DataFrame(X)[[1, 0]]) == FIT.predict(X)).all()
    with pytest.raises(
        ValueError, match=r"^X: expected columns of different names, found 'a' twice"
    ):
        rw.lad(pd.DataFrame(X, columns=["a", "a"]), Y)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_tables_of_other_libraries(library):
    module = pytest.importorskip(library)
    make = module.DataFrame if library == "polars" else module.table
    column = (lambda v: module.Series(v)) if library == "polars" else module.array
    table = make({"b": X[:, 1], "a": X[:, 0]})
    fit = rw.lad(make({"a": X[:, 0], "b": X[:, 1]}), column(Y), sample_weight=column(W))
    assert fit.feature_names == ("a", "b")
    assert (ends(fit) == ends(rw.lad(X, Y, sample_weight=W))).all()
    assert (fit.predict(table) == fit.predict(X)).all()
    for values, words in (
        (["1.5"] * 12, "text"),
        ([1, None] * 6, ROWS),
        ([BIG] * 12, "no float holds"),
        (list(DATES.date), "a date"),
    ):
        with pytest.raises((ValueError, TypeError), match=f"^X: .*{words}") as caught:
            rw.lad(make({"a": X[:, 0], "b": values}), Y)
        assert "column 'b'" in str(caught.value)


ROWS = "leave such rows out, or fill them in"


# ---------------------------------------------------------------- what the messages advise works


def test_remedies_work():
    dates = DATES.to_series()
    with pytest.raises(TypeError) as caught:
        rw.lad(X, dates)
    y = eval(str(caught.value).split(": ")[-1], {"np": np, "y": dates})
    assert (np.diff(y) == 1.0).all()
    with pytest.raises(TypeError) as caught:
        rw.lad(X, dates - dates.iloc[0])
    y = eval(str(caught.value).split(": ")[-1], {"np": np, "y": dates - dates.iloc[0]})
    assert (y == np.arange(12)).all()
    table = frame(X).assign(f1=list("uvw") * 4)
    with pytest.raises(TypeError) as caught:
        rw.LayerLoss(NET, table, Y)
    encoded = eval(str(caught.value).split(": ")[-1], {"pandas": pd, "X": table})
    assert rw.lad(encoded, Y).feature_names == ("f0", "f1_v", "f1_w")


# ---------------------------------------------------------------- weights


def test_kernel_weights():
    x = np.linspace(0.0, 10.0, 200)
    weight = np.exp(-0.5 * ((x - 2.0) / 0.2) ** 2)
    assert 0.0 < weight[weight > 0.0].min() < 1e-300
    fit = rw.quantile(x[:, None], np.sin(x), 0.5, sample_weight=weight)
    assert fit.loss == pytest.approx(0.07670068929, abs=1e-10)
    np.testing.assert_allclose(fit.coefficients, [1.704871, -0.401334], atol=1e-5)
    assert fit.status is rw.WalkStatus.GLOBAL_MINIMUM
    counted = np.where(weight < 1e-100, 0.0, weight)
    assert (fit.sample_weight == counted).all()
    assert (rw.LayerLoss(NET, X, Y, sample_weight=weight[:12]).sample_weight == counted[:12]).all()


def test_weights_that_are_all_tiny():
    for scale in (1e-310, 1e-101, 1e-99):
        with pytest.raises(ValueError, match=r"^sample_weight: .*give sample_weight / np.max"):
            rw.lad(X, Y, sample_weight=W * np.tile([scale, scale / 1e4], 6))
    assert rw.lad(X, Y, sample_weight=W * 1e-99).status is rw.WalkStatus.GLOBAL_MINIMUM


def test_columns_that_are_tiny_throughout():
    """Coefficients in their units overflow: they were NaN, or an error about integers."""
    for scale in (1e-310, 1e-200, 1e-102):
        table = frame(X * [1.0, scale])
        for call in (rw.lad, lambda table, y: rw.LayerLoss(NET, table, y)):
            with pytest.raises(
                ValueError, match=r"^X: .* row \d+ of column 'f1'; take other units"
            ):
                call(table, Y)
    assert rw.lad(X * [0.0, 1e-99], Y).status is rw.WalkStatus.GLOBAL_MINIMUM


@pytest.mark.filterwarnings("ignore::reluplex_walk.RankWarning")
def test_inputs_that_are_tiny_in_places():
    """As the tails of kernels are: walks ended in an OverflowError about integer ratios."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        features = rng.normal(size=(6, 2)) * 10.0 ** rng.integers(-320, 1, (6, 2))
        features[0] = 1.0
        targets = rng.normal(size=6)
        loss = rw.LayerLoss(NET, features, targets)
        assert (np.where(np.abs(features) < 1e-100, 0.0, features) == loss.X).all()
        for end in (rw.walk(loss, seed=seed), rw.lad(features, targets)):
            assert np.isfinite(end.loss)
