"""Results in the words of pandas, xarray and SciPy: the same numbers, no claim without proof."""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import OptimizeResult

import reluplex_walk as rw
from reluplex_walk import _conversions
from tests.problems.random import random_loss
from tests.test_docs import blocks

LOSS = random_loss([2, 3, 1], 20, 0)
SMALL = random_loss([1, 2, 1], 6, 1)
LINES = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
X, Y = [[0.0], [1.0], [2.0], [3.0], [4.0]], [0.0, 2.0, 1.0, 5.0, 3.0]


@pytest.fixture(scope="module")
def traj():
    return rw.walk(LOSS, step="long")


def equal(column, values):
    np.testing.assert_array_equal(np.asarray(column), values)


# ---------------------------------------------------------------- tables


def test_a_walk_has_a_row_for_each_entry(traj):
    table = traj.to_frame()
    assert table.index.name == "vertex"
    assert len(table) == traj.n_pivots + 1
    for name, values in (
        ("loss", traj.losses),
        ("tracked", traj.tracked),
        ("descending", traj.descending),
        ("rank", traj.ranks),
        ("is_vertex", traj.is_vertex),
    ):
        equal(table[name], values)
    graph = traj.graph()
    for k in range(traj.n_pivots):  # the pivot that led to entry k + 1
        row, edge = table.iloc[k + 1], graph.edges[k, k + 1]
        for name in ("length", "slope", "leaving", "entering", "crossed", "flipped"):
            assert row[name] == edge[name]
        assert row["tied"] == graph.nodes[k + 1]["tied"]
    first = table.iloc[0]
    assert np.isnan(first["length"])
    assert np.isnan(first["slope"])
    assert (first["leaving"], first["entering"], first["crossed"]) == ("", "", 0)
    assert [table[name].dtype.kind for name in ("crossed", "tied", "flipped")] == ["i", "i", "b"]


def test_a_walk_of_no_pivots():
    table = rw.walk(LOSS, max_pivots=0).to_frame()
    assert len(table) == 1
    assert table["flipped"].tolist() == [False]


def test_held_out_losses_are_a_column():
    held_out = rw.HeldOut(LOSS.X[:5] + 0.1, LOSS.y[:5], patience=3)
    stopped = rw.walk(LOSS, stop_when=held_out)
    column = stopped.to_frame()["held_out"]
    equal(column[stopped.held_out.at], stopped.held_out.losses)
    assert column.isna().sum() == len(column) - len(stopped.held_out.at)


def test_searches():
    found = rw.minimize(LOSS, max_walks=4)
    table = found.to_frame()
    equal(table["loss"], found.losses)
    equal(table["best"], np.minimum.accumulate(found.losses))
    path = rw.descend(LOSS, "alice", gradients=10)
    table = path.to_frame()
    equal(table["clip_share"][1:], path.clip_shares)
    equal(table["effective_rate"][1:], path.effective_rates)
    assert table["best"].iloc[-1] == path.best_loss
    descent = rw.polyak_descent(LOSS, 1.0, steps=5)
    assert descent.to_frame()["best"].iloc[-1] == descent.loss
    fit = rw.train(rw.ReLUNetwork.random([1, 1, 1], seed=0), X, Y, rounds=2)
    assert fit.to_frame()["loss"].tolist() == [each.loss for each in fit.rounds]


def test_regions_and_lines(traj):
    regions = rw.enumerate_regions(LINES)
    table = regions.to_frame()
    equal(table["n_facets"], np.bincount(regions.facets[:, 0], minlength=7))
    equal(table["piece"], regions.pieces)
    minima = regions.local_minima()
    assert minima.to_frame()["loss"].tolist() == [each.loss for each in minima]
    assert rw.LocalMinima().to_frame().empty
    section = rw.line_section(LINES, [0.0, 0.0], [1.0, 0.0], (-1.0, 2.0))
    table = section.to_frame()
    steps = np.diff(table["position"]) * table["slope"].to_numpy()[:-1]
    np.testing.assert_allclose(np.diff(table["loss"]), steps, atol=1e-12)
    assert table["n_breakpoints"].tolist() == [0, 1, 1, 0]
    crossed = rw.crossings(LOSS, LOSS.random_start(0), LOSS.random_start(1))
    equal(crossed.to_frame()["id"], crossed.ids)
    passed = traj.regions()
    table = passed.to_frame()
    np.testing.assert_allclose(table["loss"], [LOSS(point) for point in passed.points], rtol=1e-9)


def test_vertex_graph():
    graph = rw.vertex_graph(SMALL)
    table = graph.to_frame()
    degrees = dict(graph.graph().degree)
    assert table["n_edges"].tolist() == [degrees[k] for k in range(len(graph))]
    equal(table["basin"], graph.basins)
    assert table["n_active"].min() >= SMALL.n_free


def test_regressions_name_their_coefficients():
    table = pd.DataFrame({"age": [0.0, 1.0, 2.0, 3.0, 4.0], "height": Y})
    fit = rw.lad(table[["age"]], table["height"])
    replicates = fit.bootstrap(20)
    assert list(replicates.to_frame()) == ["Intercept", "age"]
    equal(replicates.to_frame(), replicates.coefficients)
    assert list(rw.lad(X, Y).bootstrap(3).to_frame()) == ["Intercept", "x1"]
    process = rw.quantile_process(table[["age"]], table["height"])
    assert (process.to_frame().index.name, list(process.to_frame())) == (
        "tau",
        ["Intercept", "age"],
    )
    equal(process.to_frame().index, process.taus)
    path = rw.quantile_penalty_path(X, Y)
    equal(path.to_frame(), path.coefficients)
    equal(path.to_frame().index, path.alphas)


def test_levels(traj):
    levels = traj.levels("record")
    equal(levels.to_frame()["high"], levels.high)
    one = traj.level(method="record")
    assert one.to_frame().to_dict("list") == {
        "level": [one.level],
        "low": [one.low],
        "high": [one.high],
    }


def test_studies():
    found = rw.chains.vanishing([4, 8], [2, 4, 8], networks=20)
    holes = np.ma.masked_where(found.widths[:, None] * found.depths == 32, found.log_gradient)
    table = replace(found, log_gradient=holes).to_frame().set_index(["width", "depth"])
    for j, width in enumerate(found.widths):
        for k, depth in enumerate(found.depths):
            row = table.loc[(width, depth)]
            assert row["dead"] == found.dead[j, k]
            assert row["log_hessian"] == found.log_hessian[j, k]
            assert np.isnan(row["log_gradient"]) == (width * depth == 32)
    cures = rw.chains.cures((2, 4), 4, ["plain", "residual"], 10)
    table = cures.to_frame().set_index(["design", "depth"])
    assert table.loc[("residual", 2), "log_gradient"] == cures.log_gradient[1, 0]
    shattered = rw.taylor.shattering([1, 2], 8, "batchnorm", networks=10)
    assert shattered.law is None
    assert shattered.to_frame()["law"].isna().all()
    equal(shattered.to_frame()["mean"], shattered.mean)
    loss = rw.NetworkLoss(LOSS.network, LOSS.X, LOSS.y)
    seen = rw.activations.exploration(rw.descend(loss, gradients=3))
    assert seen.passed is None
    assert seen.to_frame()["passed"].isna().all()
    equal(seen.to_frame()["loss"], seen.losses)
    glass = rw.glass.exact(LOSS, LOSS.theta, 2.0, 4)
    equal(glass.to_frame()["crossings"], glass.n_crossings)


# ---------------------------------------------------------------- datasets


def test_a_walk_by_vertex_neuron_and_input(traj):
    walked = traj.to_xarray()
    assert walked["theta"].dims == ("vertex", "neuron", "input")
    equal(walked["theta"], traj.vertices)
    equal(walked["theta"].sel(input="constant"), traj.vertices[:, :, -1])
    equal(walked["loss"], traj.losses)
    equal(walked["descending"], traj.descending)
    equal(walked["rank"], traj.ranks)
    assert walked.attrs["status"] == traj.status.name
    assert "tau" not in walked.attrs
    plain(walked)


def plain(dataset):
    """Whether all attributes and coordinates are as files of netCDF hold them."""
    assert len(dataset.to_netcdf(engine="scipy")) > 0
    assert {type(value) for value in dataset.attrs.values()} <= {int, float, str}
    assert {c.dtype.kind for c in dataset.coords.values()} <= {"i", "f", "U"}


def test_without_an_intercept_inputs_are_numbers():
    loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1]), X, Y, fit_intercept=False)
    assert rw.walk(loss).to_xarray()["input"].values.tolist() == [0, 1]
    tau = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1]), X, Y, kind="pinball", tau=0.3)
    assert rw.walk(tau).to_xarray().attrs["tau"] == 0.3


def test_searches_by_neuron_and_input():
    found = rw.minimize(LOSS, max_walks=4)
    ends = found.to_xarray()
    equal(ends["theta"], found.thetas)
    equal(ends["proved"], found.proved)
    equal(ends["walk_loss"], found.losses)
    plain(ends)
    path = rw.descend(LOSS, gradients=4)
    made = path.to_xarray()
    equal(made["best"], path.best)
    equal(made["theta"].sel(input="constant"), path.theta[:, -1])
    equal(made["gradients"], path.gradients)
    assert "learning_rate" in made.attrs or path.learning_rate is None
    plain(made)
    whole = rw.descend(rw.NetworkLoss(LOSS.network, LOSS.X, LOSS.y), gradients=4).to_xarray()
    assert whole["theta"].dims == ("parameter",)
    grid = rw.penalty_path(LOSS, [0.1, 1.0])
    made = grid.to_xarray()
    equal(made["theta"].sel(penalty=1.0), grid.thetas[1])
    equal(made["n_nonzero"], grid.n_nonzero)
    plain(made)


def test_regions_and_vertices_by_neuron_and_input(traj):
    regions = rw.enumerate_regions(SMALL)
    made = regions.to_xarray()
    equal(made["gradient"], regions.gradients)
    equal(made["minimizer"], regions.minimizers)
    plain(made)
    graph = rw.vertex_graph(SMALL)
    equal(graph.to_xarray()["theta"], graph.vertices)
    passed = traj.regions()
    equal(passed.to_xarray()["point"], passed.points)
    equal(passed.to_xarray()["step"], passed.steps)


# ---------------------------------------------------------------- records of SciPy


def test_a_success_is_a_proof(traj):
    found = traj.to_scipy()
    assert isinstance(found, OptimizeResult)
    assert (found.success, found.status, found.message) == (True, 0, traj.status.message)
    equal(found.x, traj.theta.ravel())
    assert (found.fun, found.nit, found.certificate) == (traj.loss, traj.n_pivots, traj.certificate)
    assert "jac" not in found
    found.x[:] = 0.0
    assert traj.theta.any()  # a copy


@pytest.mark.parametrize(
    ("options", "status"),
    [({"max_pivots": 3}, 1), ({"time_limit": 1e-9}, 3), ({"proof": "off"}, 7)],
)
def test_no_proof_is_no_success(options, status):
    part = rw.walk(LOSS, **options)
    found = part.to_scipy()
    assert (found.success, found.status) == (False, status)
    assert found.message.startswith(part.status.message)


def test_each_reason_has_a_number_of_its_own():
    assert _conversions._STATUS.keys() == set(rw.Ended)
    numbers = [*_conversions._STATUS.values()]
    assert len({*numbers, 0}) == len(numbers) + 1


def test_searches_of_scipy():
    found = rw.minimize(LOSS, max_walks=4)
    record = found.to_scipy()
    assert (record.success, record.nit) == (found.best.status.proved, 4)
    assert record.lowest_optimization_result.fun == record.fun == found.loss
    lost = replace(found, best=rw.walk(LOSS, max_pivots=2))
    assert (lost.to_scipy().success, lost.to_scipy().status) == (False, 1)
    best = rw.global_minimum(SMALL, 2.0)
    record = best.to_scipy()
    assert (record.success, record.mip_dual_bound) == (best.optimal, best.lower_bound)
    assert not rw.global_minimum(SMALL, 2.0, time_limit=1e-9).to_scipy().success


def test_gradient_methods_prove_nothing():
    path = rw.descend(LOSS, gradients=6)
    found = path.to_scipy()
    assert (found.success, found.fun, found.nit) == (False, path.best_loss, 6)
    equal(found.jac, LOSS.gradient(path.best).ravel())
    at_a_kink = replace(path, best=rw.walk(LOSS).theta)
    assert "jac" not in at_a_kink.to_scipy()
    fitted = rw.LayerLoss(rw.ReLUNetwork([[[1.0]]], [[0.0]]), [[0.0], [1.0]], [0.0, 1.0])
    done = rw.polyak_descent(fitted, 0.0, start=[1.0, 0.0])
    assert done.ended is rw.Ended.FINISHED
    assert not done.to_scipy().success


def test_fits():
    fit = rw.train(rw.ReLUNetwork.random([1, 1, 1], seed=0), X, Y, rounds=1)
    found = fit.to_scipy()
    assert (found.success, found.fun, found.nit) == (fit.certified, fit.objective, 1)
    whole = rw.NetworkLoss(fit.network, X, Y)
    assert whole(found.x) == pytest.approx(fit.loss)
    lost = replace(fit, certificates=(None, None), ended=rw.Ended.TIME_LIMIT).to_scipy()
    assert (lost.success, lost.status) == (False, 3)
    lad = rw.lad(X, Y)
    found = lad.to_scipy()
    assert (found.success, found.fun) == (True, lad.loss)
    assert found.dual @ np.array(Y) == pytest.approx(lad.loss)
    assert not rw.lad(X, Y, time_limit=1e-9).to_scipy().success


def test_the_page_runs(capsys):
    (example,) = blocks("results.md")
    exec(example, {})
    assert "True" in capsys.readouterr().out


# ---------------------------------------------------------------- what is not installed


@pytest.mark.parametrize(
    ("library", "method", "install"),
    [
        ("pandas", "to_frame", "pip install pandas"),
        ("xarray", "to_xarray", "reluplex_walk[xarray]"),
    ],
)
def test_what_is_missing_is_named(monkeypatch, traj, library, method, install):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError) as error:
        getattr(traj, method)()
    assert install in str(error.value)
    assert method in str(error.value)
