"""All quantiles at once: against fits of their own, all vertices, another solver, and R."""

import warnings

import numpy as np
import pytest
from scipy.optimize import linprog

import reluplex_walk as rw
from reluplex_walk.regression.parametric import tracing


def losses(process, taus, rows=None):
    """Of rows of the coefficients (default: those for `taus`), at each of `taus`."""
    b = process.at(taus) if rows is None else process.coefficients[rows]
    r = process.y[:, None] - process.X @ b[:, 1:].T - b[:, 0]
    return process.sample_weight @ np.where(r > 0.0, taus * r, (taus - 1.0) * r)


def check(process):
    """Minima at both ends of each interval: then within it, too, the least loss being concave."""
    assert process.status.name == "GLOBAL_MINIMUM"
    taus, m = process.taus, len(process.taus)
    assert taus[0] == 0.0
    assert taus[-1] == 1.0
    assert (np.diff(taus) > 0.0).all()
    same = np.setdiff1d(np.arange(1, m), process.changes)
    assert (process.coefficients[same] == process.coefficients[same - 1]).all()
    assert m - 1 in same
    assert (process.coefficients[-1] == process.coefficients[-2]).all()
    every = np.arange(len(taus) - 1)
    scale = process.sample_weight @ np.abs(process.y) + 1e-300
    for tau, rows in ((taus[1:-1], every[:-1]), (taus[1:-1], every[1:])):
        least = [
            rw.quantile(
                process.X,
                process.y,
                t,
                sample_weight=process.sample_weight,
                fit_intercept=process.fit_intercept,
            ).loss
            for t in tau
        ]
        assert np.allclose(losses(process, tau, rows), least, rtol=0.0, atol=1e-9 * scale)


def problem(seed):
    """Small ones, with ties of all sorts."""
    rng = np.random.default_rng(seed)
    n, p = rng.integers(1, 25), rng.integers(1, 4)
    kind = seed % 5
    X, y = rng.normal(size=(n, p)), rng.normal(size=n)
    if kind == 1:
        X, y = rng.integers(-2, 3, (n, p)), rng.integers(-3, 4, n)
    elif kind == 2:
        X, y = rng.integers(0, 2, (n, p)), rng.integers(0, 5, n) / 10.0
    elif kind == 3:
        X, y = X.round(1), y.round(1)
    elif kind == 4:
        X, y = rng.integers(0, 3, (n, p)) * 1e-6, np.full(n, 3.0) + rng.integers(0, 2, n) * 1e6
    w = [np.ones(n), rng.integers(0, 3, n) + 0.0, rng.random(n)][seed % 3]
    if not w.any():
        w[0] = 1.0
    return X + 0.0, y + 0.0, w, bool(seed % 4) or not X.any()


@pytest.mark.parametrize("seed", range(30))
def test_each_interval_has_its_minimum(seed):
    X, y, w, intercept = problem(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rw.RankWarning)
        check(rw.quantile_process(X, y, sample_weight=w, fit_intercept=intercept))


@pytest.mark.parametrize("broken", [("_APART", 0.3), ("_STILL", (0, 0)), ("_ROOM", 3)])
@pytest.mark.parametrize("seed", range(100, 110))
def test_where_the_trace_gets_lost_fits_take_over(monkeypatch, broken, seed):
    monkeypatch.setattr(tracing, *broken)
    X, y, w, intercept = problem(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rw.RankWarning)
        check(rw.quantile_process(X, y, sample_weight=w, fit_intercept=intercept))


@pytest.mark.parametrize("seed", range(3))
def test_as_another_solver(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.integers(-5, 6, (15, 2)) + 0.0, rng.integers(-9, 10, 15) + 0.0
    process = rw.quantile_process(X, y)
    middles = (process.taus[1:] + process.taus[:-1]) / 2.0
    rows = np.column_stack([np.ones(15), X])
    for tau, loss in zip(middles, losses(process, middles), strict=True):
        costs = np.concatenate([np.zeros(3), np.full(15, tau), np.full(15, 1.0 - tau)])
        equal = np.hstack([rows, np.eye(15), -np.eye(15)])
        bounds = [(None, None)] * 3 + [(0, None)] * 30
        assert loss == pytest.approx(linprog(costs, None, None, equal, y, bounds).fun, abs=1e-9)


def test_quantiles_of_numbers():
    y = np.array([5.0, 1.0, 2.0, 2.0, 9.0, 2.0, 5.0, 7.0])
    process = rw.quantile_process(np.zeros((8, 1)), y)
    assert process.coefficients[process.changes, 0].tolist() == [2.0, 5.0, 7.0, 9.0]
    assert process.taus[process.changes].tolist() == [0.125, 0.5, 0.75, 0.875]
    assert process.coefficients[:, 0].tolist() == [*sorted(y), 9.0]  # each sample is a basis
    assert process.taus.tolist() == [k / 8.0 for k in range(9)]


@pytest.mark.filterwarnings("ignore::reluplex_walk.RankWarning")
def test_weighted_quantiles():
    w = np.array([0.3, 0.0, 0.5, 0.2])
    process = rw.quantile_process(np.zeros((4, 1)), [4.0, 3.0, 1.0, 2.0], sample_weight=w)
    assert process.coefficients[:, 0].tolist() == [1.0, 2.0, 4.0, 4.0]
    assert process.taus.tolist() == [0.0, 0.5, 0.7, 1.0]


def test_engel_as_in_quantreg():
    data = rw.datasets.load_engel()
    process = rw.quantile_process(data.X, data.y)
    check(process)
    assert process.taus.shape == (271,)
    assert process.coefficients.shape == (271, 2)
    wanted = [0.005669182704, 0.011538436834, 0.016002452119]
    assert np.allclose(process.taus[1:4], wanted, rtol=0.0, atol=5e-13)
    assert (process.coefficients[1] == process.coefficients[2]).all()  # two bases of one vertex
    assert process.changes[:2].tolist() == [1, 3]
    assert len(process.changes) == 266
    assert process.at(0.5) == pytest.approx([81.4822474169, 0.5601805512], rel=1e-10)


def test_larger_data_without_ties():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 3)), rng.normal(size=400)
    process = rw.quantile_process(X, y)
    assert process.status.name == "GLOBAL_MINIMUM"
    for tau in np.linspace(0.003, 0.997, 20):
        assert np.array_equal(process.at(tau), rw.quantile(X, y, tau).coefficients)


@pytest.mark.parametrize("y", [[3.0], [3.0, 3.0, 3.0]])
def test_nothing_to_tell_apart(y):
    process = rw.quantile_process(np.zeros((len(y), 1)), y)
    assert process.taus[[0, -1]].tolist() == [0.0, 1.0]
    assert process.changes.size == 0
    assert (process.coefficients == [3.0, 0.0]).all()


def test_fewer_samples_than_features():
    process = rw.quantile_process(np.random.default_rng(0).normal(size=(3, 5)), [1.0, 2.0, 4.0])
    assert process.taus.tolist() == [0.0, 1.0]
    assert np.count_nonzero(process.coefficients[0]) == 3


def test_rearranged_quantiles_rise_and_keep_their_values():
    data = rw.datasets.load_engel()
    process = rw.quantile_process(data.X, data.y)
    fine = np.linspace(0.0, 1.0, 40_001)[1:-1]
    before, after = process.predict([[400.0]], fine)[0], process.rearranged([[400.0]], fine)[0]
    assert (np.diff(before) < 0.0).any()
    assert (np.diff(after) >= 0.0).all()
    assert np.abs(np.sort(before) - after).mean() < 0.01
    assert process.crossings([[400.0]])[0] > 0.1
    assert process.crossings([[1000.0]])[0] == 0.0
    assert process.crossings().shape == (235,)


def test_a_table_has_names(tmp_path):
    pandas = pytest.importorskip("pandas")
    data = rw.datasets.load_engel()
    table = pandas.DataFrame({"income": data.X[:, 0], "food": data.y})
    process = rw.quantile_process(table[["income"]], table["food"])
    assert process.at(0.5)["income"] == pytest.approx(0.5601805512, rel=1e-9)
    assert process.predict(table[["income"]][:3], 0.5).index.tolist() == [0, 1, 2]
    process.save(tmp_path / "process.npz")
    again = rw.QuantileProcess.load(tmp_path / "process.npz")
    assert np.array_equal(again.coefficients, process.coefficients)
    assert again.at(0.5).index.tolist() == ["Intercept", "income"]
    with pytest.raises(ValueError, match="expected a reluplex_walk fit file"):
        rw.QuantileFit.load(tmp_path / "process.npz")


def test_it_can_be_stopped():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 2)), rng.normal(size=2000)
    told = []

    def stop(progress):
        told.append(progress)
        if progress.n_pivots > 1000:  # not of the first fit
            raise StopIteration

    process = rw.quantile_process(X, y, callback=stop)
    assert process.ended is rw.Ended.INTERRUPTED
    assert len(process.taus) == 0 or process.taus[-1] < 1.0 or process.taus[0] > 0.0
    process = rw.quantile_process(X, y, time_limit=1e-9)
    assert process.ended is rw.Ended.TIME_LIMIT
    with pytest.raises(ValueError, match="tau: expected quantiles"):
        process.at(0.99999)


def test_bad_quantiles_are_refused():
    process = rw.quantile_process([[0.0], [1.0]], [1.0, 2.0])
    for tau in (-0.1, 1.1, float("nan"), "half"):
        with pytest.raises((ValueError, TypeError), match="tau"):
            process.at(tau)
