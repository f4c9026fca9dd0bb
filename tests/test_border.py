"""The border: whatever is passed for an array is read rightly, or refused in one sentence.

All kinds of input in all places.  What is read gives what plain floats give, to the last bit; what
is refused raises ValueError or TypeError, whose message begins with the name of the argument.
"""

import re
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import reluplex_walk as rw

from .problems.border import ACCEPTED, BIG, REFUSED, frame

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")

RNG = np.random.default_rng(0)
X = np.round(RNG.uniform(-3.0, 9.0, (12, 2)), 2)
Y = np.round(RNG.uniform(-3.0, 9.0, 12), 2)
W = np.round(RNG.uniform(0.6, 3.0, 12), 2)
NET = rw.ReLUNetwork.random([2, 2, 1], seed=1)
LOSS = rw.LayerLoss(NET, X, Y)
LAST = rw.NetworkLoss(NET, X, Y, "squared", block=1)
THETA = np.round(LOSS.random_start(1) * 3.0, 2)
U, V = THETA[::-1].copy(), np.eye(2, 3)
FIT = rw.lad(X, Y)
PATH = rw.descend(LOSS, "sgd", 2, start=THETA)


def parts(loss):
    return np.concatenate([loss.X.ravel(), loss.y.ravel(), loss.sample_weight])


def ends(fit):
    return np.concatenate([fit.coefficients, [fit.loss], fit.X.ravel(), fit.y, fit.sample_weight])


def cut(*arguments):
    return rw.slice(LOSS, *arguments, max_polygons=9).losses


TABLES = {
    "LayerLoss X": ("X", X, lambda v: parts(rw.LayerLoss(NET, v, Y))),
    "LayerLoss y": ("y", Y, lambda v: parts(rw.LayerLoss(NET, X, v))),
    "LayerLoss w": ("sample_weight", W, lambda v: parts(rw.LayerLoss(NET, X, Y, sample_weight=v))),
    "NetworkLoss X": ("X", X, lambda v: parts(rw.NetworkLoss(NET, v, Y))),
    "NetworkLoss y": ("y", Y, lambda v: parts(rw.NetworkLoss(NET, X, v))),
    "NetworkLoss w": (
        "sample_weight",
        W,
        lambda v: parts(rw.NetworkLoss(NET, X, Y, sample_weight=v)),
    ),
    "lad X": ("X", X, lambda v: ends(rw.lad(v, Y))),
    "lad y": ("y", Y, lambda v: ends(rw.lad(X, v))),
    "lad w": ("sample_weight", W, lambda v: ends(rw.lad(X, Y, sample_weight=v))),
    "quantile X": ("X", X, lambda v: ends(rw.quantile(v, Y, 0.3))),
    "quantile y": ("y", Y, lambda v: ends(rw.quantile(X, v, 0.3))),
    "quantile w": ("sample_weight", W, lambda v: ends(rw.quantile(X, Y, 0.3, sample_weight=v))),
    "quantile_path X": ("X", X, lambda v: ends(rw.quantile_path(v, Y, [0.3])[0])),
    "predict": ("X", X, lambda v: FIT.predict(v)),
    "network": ("X", X, lambda v: NET(v).ravel()),
    "regret X": ("X", X, lambda v: rw.taylor.regret(NET, v, Y, horizons=[3]).points),
    "regret y": ("y", Y, lambda v: rw.taylor.regret(NET, X, v, horizons=[3]).losses),
    "approximation": ("X", X, lambda v: rw.taylor.approximation(NET, v).outputs),
}

PARAMETERS = {
    "walk": ("start", THETA, lambda v: rw.walk(LOSS, v, max_pivots=2).vertices),
    "minimize": ("start", THETA, lambda v: rw.minimize(LOSS, start=v, max_walks=1).theta),
    "polyak": ("start", THETA, lambda v: rw.polyak_descent(LOSS, 1.0, v, steps=3).theta),
    "descend": ("start", THETA, lambda v: rw.descend(LOSS, "sgd", 3, start=v).theta),
    "network theta": ("theta", U[0], lambda v: LAST.gradient(v)),
    "network v": ("v", U[0], lambda v: LAST.hvp(U[0], v)),
    "graph": ("start", THETA, lambda v: rw.vertex_graph(LOSS, v, max_vertices=2).vertices),
    "loss": ("theta", THETA, lambda v: LOSS(v)),
    "gradient": ("theta", THETA, lambda v: LOSS.gradient(v)),
    "pattern": ("theta", THETA, lambda v: np.concatenate(LOSS.pattern(v), axis=1)),
    "derivative": ("direction", U, lambda v: LOSS.directional_derivative(THETA, v)),
    "crossings": ("end", U, lambda v: rw.crossings(LOSS, THETA, v).ids),
    "line": ("direction", U, lambda v: rw.line_section(LOSS, THETA, v).losses),
    "slice": ("origin", THETA, lambda v: cut(v, U, V)),
    "slice u": ("u", U, lambda v: cut(THETA, v, V)),
    "slice_through": ("theta_b", U, lambda v: rw.slice_through(LOSS, THETA, v, V).u),
    "glass": ("start", THETA, lambda v: rw.glass.jumps(LOSS, v, U).vectors),
    "glass end": ("end", U, lambda v: rw.glass.jumps(LOSS, THETA, v).vectors),
    "exploration": ("start", THETA, lambda v: rw.activations.exploration(PATH, start=v).losses),
    "norm_matched": ("theta", THETA, lambda v: rw.density.norm_matched(v)),
    "chain": ("weights", U, lambda v: rw.chains.hessian(v, 1.0)),
    "with_layer": ("theta", THETA, lambda v: NET.with_layer(0, v).layer_parameters(0)),
    "weights": ("weights[0]", U, lambda v: rw.ReLUNetwork([v], [[0.0, 0.0]]).weights[0]),
    "biases": ("biases[0]", U[0], lambda v: rw.ReLUNetwork([np.eye(3)], [v]).biases[0]),
}  # fmt: skip

PLACES = {**TABLES, **PARAMETERS}


@pytest.mark.parametrize("kind", ACCEPTED)
@pytest.mark.parametrize("place", PLACES)
def test_read(place, kind):
    name, array, call = PLACES[place]
    array = np.abs(array) if name == "sample_weight" else array
    value, floats = ACCEPTED[kind].make(array), ACCEPTED[kind].floats(array)
    if value is None:
        pytest.skip("no such kind")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rw.RankWarning)
        try:
            expected = call(floats)
        except ValueError as error:  # such numbers do not make sense there
            with pytest.raises(ValueError, match=re.escape(str(error))):
                call(value)
            return
        np.testing.assert_array_equal(call(value), expected)


NOTHING = {  # is asked, nothing is answered
    ("empty", "predict"),
    ("empty", "network"),
    ("empty", "norm_matched"),
    ("no columns", "norm_matched"),
}


ENCODED = {  # regressions read categories
    (f"frame of {kind}", f"{fit} X")
    for kind in ("text", "categories", "numbered categories")
    for fit in ("lad", "quantile", "quantile_path")
}


SPARSE = ("lad X", "quantile X", "quantile_path X", "predict")  # which take sparse features


@pytest.mark.parametrize("kind", ["sparse", "sparse array"])
def test_sparse_features_are_the_same_numbers(kind):
    make = REFUSED[kind].make
    np.testing.assert_allclose(FIT.predict(make(X)), FIT.predict(X), rtol=1e-14)
    for solve in (rw.lad, rw.quantile, lambda *data: rw.quantile_path(*data, [0.5])[0]):
        found, expected = solve(make(X), Y), solve(X, Y)
        np.testing.assert_array_equal(found.coefficients, expected.coefficients)
        np.testing.assert_array_equal(found.X.toarray(), expected.X)


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("place", PLACES)
def test_refused(place, kind):
    name, array, call = PLACES[place]
    value = REFUSED[kind].make(array)
    if kind.startswith("sparse") and place in SPARSE:
        return
    if (kind, place) == ("1e200", "loss"):
        assert call(value) > 1e198  # walks may come there
        return
    if (kind, place) in NOTHING:
        assert call(value).size == 0
        return
    if (kind, place) in ENCODED:
        assert call(value).size > array.size
        return
    with pytest.raises((ValueError, TypeError)) as caught:
        call(value)
    check_words(caught.value, name, REFUSED[kind].words)
    if kind.startswith("frame") and isinstance(value, pd.DataFrame):
        assert "column 'f" in str(caught.value)


def check_words(error, name, words):
    """One sentence that begins with the argument and says what was expected and what found."""
    text = str(error)
    assert text.startswith(f"{name}: expected "), text
    assert " found " in text, text
    assert "\n" not in text, text
    assert re.search(words, text), text


def test_whatever_is_in_one_entry():
    """2,000 times something odd in one entry: the number it is, or an error that says where."""
    rng = np.random.default_rng(1)
    odd = [
        *(None, pd.NA, pd.NaT, np.nan, -np.inf, "a", "", b"1", "1.5", 1j, object(), [1.0], (), {}),
        *(True, np.False_, 3, np.int8(-3), np.uint64(2**63), 2**53, BIG, -BIG, 10**30),
        *(2**70, 10**500, np.array(2.0), np.array([2.0]), np.str_("x"), np.timedelta64(5)),
        *(Decimal("0.1"), Decimal("1E-400"), Decimal("sNaN"), Decimal("Infinity"), Fraction(1, 8)),
        *(Fraction(1, 7), np.float16(0.1), np.longdouble("0.1"), np.longdouble("1e4000"), 1e-310),
        *(pd.Timestamp("2020"), pd.Timedelta(1), pd.Period("2020"), np.datetime64("NaT")),
        *(np.ma.masked, 1e100, 1e101, lambda: 0),
    ]  # fmt: skip
    for _ in range(2000):
        value, k, j = odd[rng.integers(len(odd))], int(rng.integers(12)), int(rng.integers(2))
        name, array = [("X", X), ("y", Y)][rng.integers(2)]
        made = array.astype(object)
        at = (k, j)[: array.ndim]
        made[at] = None
        made = made.tolist()
        (made if array.ndim == 1 else made[k])[at[-1]] = value
        if rng.integers(2) and not isinstance(value, (list, tuple, dict, np.ndarray)):
            made = frame(array).astype(object)
            made.iloc[at] = value
        data = {"X": X, "y": Y, name: made}
        try:
            loss = rw.LayerLoss(NET, data["X"], data["y"])
        except (ValueError, TypeError) as error:
            check_words(error, name, rf"\({k},|row {k}|rows of one length|found shape")
            continue
        read = (loss.X if name == "X" else loss.y[:, 0])[at]
        expected = 0.0 if name == "X" and abs(float(value)) < 1e-100 else float(value)
        assert read == expected, (value, read)
        rest = np.arange(array.size) != np.ravel_multi_index(at, array.shape)
        assert (getattr(loss, name).ravel() == array.ravel())[rest].all()


# ---------------------------------------------------------------- single numbers


@pytest.mark.parametrize(
    "tau", [0.5, np.float32(0.5), np.array(0.5), Decimal("0.5"), Fraction(1, 2)]
)
def test_numbers(tau):
    assert rw.quantile(X, Y, tau).tau == 0.5
    assert rw.LayerLoss(NET, X, Y, kind="pinball", tau=tau).tau == 0.5


@pytest.mark.parametrize(
    "tau",
    [
        *(Fraction(1, 3), Decimal(1) / 3, 10**400, np.longdouble("0.1"), True, None, "0.5", [0.5]),
        *(0.5j, np.array([0.5]), pd.NA, np.timedelta64(1), np.nan, Decimal("NaN"), frame(X)),
    ],
)
def test_no_numbers(tau):
    with pytest.raises((ValueError, TypeError)) as caught:
        rw.quantile(X, Y, tau)
    check_words(caught.value, "tau", "number")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rw.slice(LOSS, THETA, U, V, extent="wide"), "extent: .*text"),
        (lambda: rw.slice(LOSS, THETA, U, V, extent=[[1], [1, 2]]), "extent: "),
        (lambda: rw.line_section(LOSS, THETA, U, extent=[0, None]), "extent: .*None"),
        (lambda: rw.global_minimum(LOSS, box=([[1, 2], [3]], 4.0)), r"box\[0\]: "),
        (lambda: LOSS.gradient(THETA, [[[1], [1, 2]]]), r"pattern\[0\]: expected rows"),
        (lambda: LOSS.gradient(THETA, 3), "pattern: expected a list, found 3"),
        (lambda: LOSS.locate([0.5]), "ids: expected integers in -1..35, found 0.5"),
        (lambda: LOSS.locate([True]), "ids: expected integers in -1..35, found True or False"),
        (lambda: LOSS.locate([99]), "ids: expected integers in -1..35, found 99"),
        (lambda: rw.ReLUNetwork(3, []), "weights: expected a list, found 3"),
        (lambda: rw.ReLUNetwork.random(3), "widths: expected a list, found 3"),
        (lambda: rw.slice(LOSS, THETA, U, V).project(X), r"theta: .*\(..., 2, 3\)"),
        (lambda: rw.walk(LOSS, rule=np.array(["a", "b"])), "rule: expected one of"),
        (lambda: rw.quantile_path(X, Y, ["a"]), "taus: .*text"),
    ],
)
def test_other_arguments(call, words):
    with pytest.raises((ValueError, TypeError), match=f"^{words}"):
        call()
