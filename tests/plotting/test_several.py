"""Several walks on one axes, several inputs, minima and activations: drawn as they are."""

import dataclasses

import numpy as np
import pytest

import reluplex_walk as rw

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib.collections import LineCollection  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from reluplex_walk import plotting  # noqa: E402


def problem(widths, n=25, **options):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(n, widths[0])), rng.normal(size=(n, widths[-1]))
    return rw.LayerLoss(rw.ReLUNetwork.random(widths, seed=2), X, y, **options)


@pytest.fixture(scope="module")
def few():
    loss = problem([1, 4, 1])
    return [rw.walk(loss, seed=seed) for seed in range(3)]


@pytest.fixture(scope="module")
def many():
    loss = problem([1, 3, 1])
    return [rw.walk(loss, seed=seed) for seed in range(12)]


@pytest.fixture(scope="module")
def wide():
    return rw.walk(problem([4, 5, 2]))


def named(ax, label):
    return next(line for line in ax.lines if line.get_label().startswith(label))


def ax():
    return Figure().subplots()


# ---------------------------------------------------------------- several walks


def test_few_walks_have_a_line_and_a_name_each(few):
    for walks in (few, iter(few), {f"seed {k}": walk for k, walk in enumerate(few)}):
        drawn = plotting.plot_loss(walks, ax())
        for k, walk in enumerate(few):
            np.testing.assert_array_equal(named(drawn, f"seed {k}").get_ydata(), walk.losses)
    assert len({line.get_linestyle() for line in drawn.lines}) == 3
    twice = plotting.plot_loss([few[0], few[0]], ax())
    assert [line.get_label()[:6] for line in twice.lines] == ["walk 0", "walk 1"]
    one = plotting.plot_loss([few[0]], ax())
    assert named(one, "end").get_ydata() == [few[0].loss]


def test_many_walks_are_faint_with_their_median(many):
    drawn = plotting.plot_loss(many, ax())
    (faint,) = (each for each in drawn.collections if isinstance(each, LineCollection))
    for line, walk in zip(faint.get_segments(), many, strict=True):
        np.testing.assert_array_equal(line[:, 1], walk.losses)
    assert faint.get_alpha() < 1
    assert [text.get_text() for text in drawn.get_legend().texts] == ["12 walks", "median"]
    median = named(drawn, "median").get_ydata()
    assert len(median) == max(len(walk.losses) for walk in many)
    assert median[0] == np.median([walk.losses[0] for walk in many])
    assert median[-1] == np.median([walk.losses[-1] for walk in many])  # those that ended stay


def test_gaps_and_half_edges_of_several(few):
    gaps = plotting.plot_gap(few, ax())
    descending = plotting.plot_descending(few, ax())
    for k, walk in enumerate(few):
        above = walk.losses - walk.losses[-1]
        np.testing.assert_allclose(named(gaps, f"seed {k}").get_ydata(), above, atol=1e-6)
        drawn = named(descending, f"seed {k}").get_ydata()
        np.testing.assert_array_equal(drawn, walk.descending)
    assert gaps.get_yscale() == "log"


def test_what_is_no_walk_is_refused(few):
    with pytest.raises(ValueError, match="traj: expected a walk or several, found none"):
        plotting.plot_loss([])
    with pytest.raises(TypeError, match=r"traj\[1\]: expected a Trajectory, found"):
        plotting.plot_loss([few[0], 3.0])
    with pytest.raises(ValueError, match="levels: expected none for several walks"):
        plotting.plot_loss(few, levels=few[0].levels("record"))
    with pytest.raises(ValueError, match="walk on the data of the first one"):
        plotting.plot_fit([few[0], rw.walk(problem([1, 4, 1], n=20))])


def test_fits_of_several_walks(few, many):
    drawn = plotting.plot_fit(few, ax(), points=9)
    for k, walk in enumerate(few):
        x, y = named(drawn, f"seed {k}").get_xydata().T
        np.testing.assert_array_equal(y, walk.network(x[:, None])[:, 0])
    x, y = named(plotting.plot_fit(many, ax(), points=9), "median").get_xydata().T
    every = [walk.network(x[:, None])[:, 0] for walk in many]
    np.testing.assert_array_equal(y, np.median(every, axis=0))


@pytest.mark.parametrize("count", [2, 9])
def test_predictions_of_several_walks(wide, count):
    walks = [wide, *(rw.walk(wide.problem, seed=k, max_pivots=5) for k in range(1, count))]
    drawn = plotting.plot_fit(walks, ax(), output=1)
    every = np.array([walk.network(wide.problem.X)[:, 1] for walk in walks])
    if count == 2:
        np.testing.assert_array_equal(named(drawn, "seed 1").get_ydata(), every[1])
        return
    np.testing.assert_array_equal(named(drawn, "median").get_ydata(), np.median(every, axis=0))
    bars = np.array(drawn.collections[0].get_segments())[:, :, 1]
    np.testing.assert_array_equal(bars, np.c_[every.min(axis=0), every.max(axis=0)])


# ---------------------------------------------------------------- several inputs


def test_a_partial_view_is_a_cut_through_the_medians(wide):
    X, y = wide.problem.X, wide.problem.y[:, 1]
    (drawn,) = plotting.plot_partial(wide, [ax()], inputs=[2], output=1, points=7)
    at = np.tile(np.median(X, axis=0), (7, 1))
    at[:, 2] = np.linspace(X[:, 2].min(), X[:, 2].max(), 7)
    lines = {line.get_label(): line.get_xydata() for line in drawn.lines}
    np.testing.assert_allclose(lines["end"], np.c_[at[:, 2], wide.network(at)[:, 1]])
    start = wide.problem.network.with_layer(0, wide.vertices[0])
    np.testing.assert_allclose(lines["start"][:, 1], start(at)[:, 1])
    own = np.tile(np.median(X, axis=0), (len(X), 1))
    own[:, 2] = X[:, 2]
    partial = wide.network(own)[:, 1] + y - wide.network(X)[:, 1]
    np.testing.assert_allclose(lines["end and residual"], np.c_[X[:, 2], partial])


def test_an_average_is_over_the_samples(wide):
    X = wide.problem.X
    (drawn,) = plotting.plot_partial(wide, [ax()], [0], "average", points=3)
    values = np.linspace(X[:, 0].min(), X[:, 0].max(), 3)
    means = []
    for value in values:
        at = X.copy()
        at[:, 0] = value
        means.append(wide.network(at)[:, 0].mean())
    (end,) = (line for line in drawn.lines if line.get_label() == "end")
    np.testing.assert_allclose(end.get_ydata(), means)


def test_of_many_inputs_those_that_matter_are_drawn():
    net = rw.ReLUNetwork.random([8, 3, 1], seed=0)
    theta = net.layer_parameters(0)
    theta[:, [1, 4]] = 0.0  # no effect
    traj = rw.walk(rw.LayerLoss(net, np.eye(8), np.arange(8.0)), start=theta, max_pivots=1)
    traj = dataclasses.replace(traj, theta=theta)
    axes = plotting.plot_partial(traj)
    assert [ax.get_xlabel()[-1] for ax in axes] == list("023567")
    named_axes = plotting.plot_partial(traj, inputs=[1], names=list("abcdefgh"))
    assert [ax.get_xlabel() for ax in named_axes] == ["b"]


def test_partial_views_refuse_what_does_not_fit(wide):
    for options, match in [
        ({"inputs": [4]}, r"inputs\[0\]: expected an integer in 0"),
        ({"inputs": []}, "inputs: expected one at least"),
        ({"names": ["a"]}, "names: expected 4 of inputs, found 1"),
        ({"others": "mean"}, "others: expected one of median, average"),
        ({"axes": [ax()]}, "axes: expected one for each of 4, found 1"),
    ]:
        with pytest.raises(ValueError, match=match):
            plotting.plot_partial(wide, **options)


def test_residuals_and_which_are_0(wide):
    X, y = wide.problem.X, wide.problem.y[:, 0]
    fitted = wide.network(X)[:, 0]
    active = wide.active[-1]
    zero = {sample for layer, sample, output in active.tolist() if (layer, output) == (1, 0)}
    drawn = plotting.plot_residuals(wide, ax())
    open_, exact = (named(drawn, name).get_xydata() for name in ("not", "residual 0"))
    assert len(exact) == len(zero) > 0
    np.testing.assert_array_equal(np.sort(exact[:, 0]), np.sort(fitted[sorted(zero)]))
    rest = np.setdiff1d(np.arange(len(y)), sorted(zero))
    np.testing.assert_array_equal(open_, np.c_[fitted, y - fitted][rest])
    other = plotting.plot_residuals(wide, ax(), against=3)
    np.testing.assert_array_equal(named(other, "not").get_xdata(), X[rest, 3])
    with pytest.raises(ValueError, match="against: expected an integer in 0"):
        plotting.plot_residuals(wide, against=4)


# ---------------------------------------------------------------- activations


def drawn_shares(drawn):
    return drawn.collections[0].get_array()


def test_activations_are_those_of_the_network():
    traj = rw.walk(problem([2, 3, 2, 1]))
    shares = drawn_shares(plotting.plot_activations(traj, ax()))
    assert shares.shape == (5, traj.n_pivots + 1)
    for k in (0, traj.n_pivots):
        hidden = traj.problem.pre_activations(traj.vertices[k], traj.problem.X)[:2]
        expected = np.concatenate([(values > 1e-9).mean(axis=0) for values in hidden])
        np.testing.assert_array_equal(shares[:, k], expected)
    thin = drawn_shares(plotting.plot_activations(traj, ax(), most=2))
    np.testing.assert_array_equal(thin, shares[:, [0, -1]])


def test_dead_neurons_are_hatched():
    traj = rw.walk(problem([1, 3, 1]), start=[[-1.0, -9.0], [1.0, 9.0], [-1.0, -9.0]])
    drawn = plotting.plot_activations(traj, ax())
    dead = drawn_shares(drawn) == 0.0
    assert dead.any()
    hatched = [each for each in drawn.collections if each.get_hatch()]
    assert len(hatched) == dead.any(axis=1).sum()
    length = sum(np.ptp(path.vertices[:, 0]) for each in hatched for path in each.get_paths())
    assert length == pytest.approx(dead.sum())
    alive = rw.walk(problem([1, 1]))
    with pytest.raises(ValueError, match="the last trained"):
        plotting.plot_activations(alive)


# ---------------------------------------------------------------- minima


def heights(drawn):
    """Height of all bars by label."""
    return {bars.get_label(): sum(bar.get_height() for bar in bars) for bars in drawn.containers}


def test_minima_of_ensembles_count_walks_by_what_is_proved():
    found = rw.ensemble(problem([1, 3, 1]), walks=20, step="long")
    ends = found.minima()
    for each in (found, ends):
        drawn = plotting.plot_minima(each, ax())
        assert heights(drawn).get("proved, a vertex", 0) == ends.counts[ends.vertices].sum()
        assert sum(heights(drawn).values()) == 20
    unproved = dataclasses.replace(ends, proved=np.zeros(len(ends), bool))
    drawn = plotting.plot_minima(unproved, ax(), bins=5)
    assert heights(drawn) == {"not proved": 20}
    assert {bar.get_hatch() for bar in drawn.patches} == {"////"}


def test_minima_of_searches_and_regions():
    loss = problem([1, 3, 1])
    search = rw.minimize(loss, max_walks=9)
    drawn = plotting.plot_minima(search, ax(), log=True)
    assert sum(heights(drawn).values()) == 9
    assert drawn.get_yscale() == "log"
    small = rw.LayerLoss(rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]]), [[0.0], [1.0]], [1, 0])
    minima = rw.enumerate_regions(small).local_minima()
    drawn = plotting.plot_minima(minima, ax())
    assert sum(heights(drawn).values()) == len(minima)
    assert drawn.get_ylabel() == "local minima"
    with pytest.raises(TypeError, match="found: expected an Ensemble"):
        plotting.plot_minima(loss)
    with pytest.raises(ValueError, match="expected a minimum at least"):
        plotting.plot_minima(type(minima)())
