"""Sections of reports: what they show is what the results hold."""

import base64
import json
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.reports import (
    of_barrier,
    of_descent,
    of_ensemble,
    of_merge_tree,
    of_minimization,
    of_process,
    of_quantile,
    of_training,
    of_walk,
)
from reluplex_walk.reports.page import Page
from tests.problems.random import random_loss
from tests.reports.made import RESULTS, X, Y, descent, ensemble, fit, loss, process, trained
from tests.reports.test_tables import Cells

pytest.importorskip("plotly")  # a page with figures holds its library

TABLE = re.compile(r"<table class=\"sortable\">.*?</table>", re.DOTALL)
SPEC = re.compile(r'<script type="application/json">(.*?)</script>', re.DOTALL)


def unpacked(value):
    """Arrays as `figures.as_json` packs them, and whatever holds them."""
    if isinstance(value, dict) and isinstance(value.get("shape"), list):
        kind, packed = next((k, v) for k, v in value.items() if k != "shape")
        return np.frombuffer(base64.b64decode(packed), kind).reshape(value["shape"])
    if isinstance(value, dict):
        return {name: unpacked(each) for name, each in value.items()}
    return [unpacked(each) for each in value] if isinstance(value, list) else value


class Shown:
    """The tables, by caption, and the figures of a section."""

    def __init__(self, html):
        tables = [Cells(each) for each in TABLE.findall(html)]
        self.tables = {cells.caption: cells for cells in tables}
        self.figures = [unpacked(json.loads(each)) for each in SPEC.findall(html)]

    def table(self, begins):
        return next(cells for name, cells in self.tables.items() if name.startswith(begins))

    def trace(self, name):
        every = [each for spec in self.figures for each in spec["traces"]]
        return next(each for each in every if each.get("name") == name)


def parts(sections):
    made = {part.id: Shown(part.html) for part in sections}
    assert len(made) == len(sections)
    assert Page("A page", "", sections).html().count("<section") == len(sections)
    return made


# ---------------------------------------------------------------- quantile regressions


def test_the_page_of_a_fit():
    made, summary = parts(of_quantile.sections(fit())), fit().summary()
    coefficients = made["coefficients"].table("Coefficients")
    assert coefficients.column("name") == list(map(str, summary.names))
    for name in ("coefficient", "lower", "upper"):
        assert coefficients.column(name) == summary.table[name].tolist()
    samples = made["samples"].table("Samples")
    assert samples.column("target") == fit().y.tolist()
    assert samples.column("residual") == fit().residuals.tolist()
    assert samples.column("multiplier") == fit().dual.tolist()
    assert len(made["fit"].figures) == 3  # partial views, one for each input
    scatter = made["residuals"].trace("samples")
    np.testing.assert_allclose(scatter["x"], fit().fitted)
    np.testing.assert_allclose(scatter["y"], fit().residuals)


def test_shares_and_costs_add_up():
    shares = parts(of_quantile.sections(fit()))["shares"].table("Samples")
    number, loss = shares.column("number"), shares.column("loss")
    assert sum(number) == len(fit().y)
    assert number[1] >= 4  # on the fit, as many as coefficients
    assert sum(loss) == pytest.approx(fit().loss)
    assert loss[1] == 0.0  # as is proved, not the rounding of floats
    assert number[0] <= 0.75 * len(fit().y)
    assert number[2] <= 0.25 * len(fit().y)


def test_multipliers_on_the_fit_lie_in_their_range():
    proof = parts(of_quantile.sections(fit()))["proof"].table("Samples on the fit")
    least, middle, most = (np.array(proof.column(k)) for k in ("least", "multiplier", "most"))
    assert len(middle) >= 4
    assert ((least - 1e-12 <= middle) & (middle <= most + 1e-12)).all()


def test_partial_views_show_slopes():
    made = parts(of_quantile.sections(fit()))["fit"]
    names = fit().names.of_parameters(3)[1:]
    for name, slope in zip(names, fit().coefficients[1:], strict=True):
        part = made.trace(f"part of {name}")
        assert np.ptp(part["y"]) == pytest.approx(abs(slope) * np.ptp(part["x"]))


def test_one_input_is_a_line_over_data():
    one = rw.lad(X, Y)
    made = parts(of_quantile.sections(one))["fit"]
    np.testing.assert_allclose(made.trace("data")["y"], Y)
    curve = made.trace("fit")
    np.testing.assert_allclose(curve["y"], one.predict(np.reshape(curve["x"], (-1, 1))))


@pytest.mark.parametrize(
    "make",
    [
        lambda: rw.lad(X, Y, alpha=0.2),
        lambda: rw.lad(X, Y, constraints=rw.constraints.nonnegative(X)),
        lambda: rw.lad(X, Y, fit_intercept=False),
        lambda: rw.quantile(X, Y, tau=0.3, sample_weight=[0.0, 1.0, 2.0, 1.0, 1.0]),
        lambda: rw.quantile_path(X, Y, [0.2, 0.8], noncrossing=True)[0],
        lambda: rw.lad(sparse(), np.arange(6.0)),
        lambda: rw.lad(np.ones((5, 1)), Y, fit_intercept=False),
    ],
    ids=["penalty", "constraints", "no intercept", "weights", "not crossing", "sparse",
         "constant"],
)  # fmt: skip
def test_fits_of_all_kinds_have_a_page(make):
    made = parts(of_quantile.sections(make()))
    assert made["coefficients"].tables


def sparse():
    from scipy.sparse import csc_array

    return csc_array(np.eye(6)[:, :2])


def test_what_is_not_proved_is_said_so():
    def stop(progress):
        raise StopIteration

    rng = np.random.default_rng(0)
    cut = rw.lad(rng.normal(size=(500, 5)), rng.normal(size=500), callback=stop)
    html = {part.id: part.html for part in of_quantile.sections(cut)}
    assert "Nothing is proved of this fit" in html["proof"]
    assert "at most" not in html["shares"]


def test_names_are_escaped():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(
        {"<b>a": [0.0, 1.0, 2.0], "<i>b": [1.0, 0.0, 1.0]}, index=["<u>", "k", "l"]
    )
    one = rw.lad(table, pd.Series([1.0, 3.0, 4.0], table.index, name="<s>"))
    html = "".join(part.render() for part in of_quantile.sections(one))
    assert not any(tag in html for tag in ("<b>", "<i>", "<u>", "<s>"))


# ---------------------------------------------------------------- trained networks


def test_the_page_of_a_network():
    made = parts(of_training.sections(trained()))
    layers = made["layers"].table("What is proved")
    assert layers.column("trained") == ["yes", "yes"]
    assert layers.column("method") == [each.method for each in trained().certificates]
    assert layers.column("proved") == ["local minimum", "global minimum"]
    rounds = made["rounds"].table("Rounds")
    assert rounds.column("loss") == [each.loss for each in trained().rounds]
    assert rounds.column("start") == [each.start for each in trained().rounds]
    assert made["rounds"].trace("least so far")["y"].tolist() == [
        each.best for each in trained().rounds
    ]
    samples = made["samples"].table("Samples")
    assert samples.column("output") == trained().predict(X)[:, 0].tolist()
    curve = made["fit"].trace("fit")
    np.testing.assert_allclose(curve["y"], trained().predict(curve["x"][:, None])[:, 0], rtol=1e-6)


def test_held_out_losses_have_a_figure_of_their_own():
    net = rw.ReLUNetwork.random([1, 2, 1], seed=0)
    held = rw.train(net, X, Y, rounds=2, validation=([[0.5], [1.5]], [1.0, 1.0]))
    made = parts(of_training.sections(held))["rounds"]
    column = made.table("Rounds").column("least held-out loss")
    assert column == [each.held_out for each in held.rounds]
    assert len(made.figures) == 2


@pytest.mark.parametrize("kind", ["hinge", "l1"])
def test_classes_and_several_outputs(kind):
    net = rw.ReLUNetwork.random([2, 3, 2], seed=0)
    inputs = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    targets = np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])
    made = rw.train(net, inputs, targets, kind=kind, rounds=1)
    shown = parts(of_training.sections(made))
    assert len(shown["fit"].figures) == (2 if kind == "hinge" else 4)
    assert (
        shown["samples"].table("Samples").column("output 1") == made.predict(inputs)[:, 1].tolist()
    )


def test_a_layer_that_was_not_trained():
    one = rw.train(rw.ReLUNetwork.random([1, 2, 1], seed=0), X, Y, layers=[1], rounds=1)
    layers = parts(of_training.sections(one))["layers"].table("What is proved")
    assert layers.column("trained") == ["no", "yes"]
    assert layers.column("proved")[0] == "no certificate"


# ---------------------------------------------------------------- searches by many walks


@cache
def searched():
    return rw.minimize(loss(), max_walks=6)


@pytest.fixture(scope="module")
def search():
    return searched()


def test_the_page_of_a_search(search):
    sections = of_minimization.sections(search)
    made = parts(sections)
    walks = made["walks"].table("Walks")
    assert walks.column("loss") == search.losses.tolist()
    assert walks.column("seconds") == search.seconds.tolist()
    assert walks.column("least so far") == np.minimum.accumulate(search.losses).tolist()
    levels = made["levels"].table("Levels")
    assert levels.column("loss") == search.levels.tolist()
    assert [
        each == "yes" for each in levels.column("proved local minimum")
    ] == search.proved.tolist()
    assert len(made["search"].figures) == 1
    best = made["search"].trace("least so far")
    np.testing.assert_array_equal(best["y"], np.minimum.accumulate(search.losses))
    drawn = made["levels"].figures[0]["traces"]
    assert sum(len(trace["y"]) for trace in drawn) == len(search.levels)
    walk = of_walk.sections(search.best)  # the page of the best walk is a part of this one
    assert [part.id for part in sections[4:]] == [part.id for part in walk]


def test_an_end_far_above_does_not_flatten_the_figure(search):
    losses = np.append(np.linspace(2.0, 1.0, 30), 1000.0)
    far = replace(search, losses=losses, seconds=np.arange(31.0))
    (drawn,) = parts(of_minimization.sections(far))["search"].figures
    low, high = drawn["layout"]["yaxis"]["range"]
    assert 0.9 < low < 1.0
    assert 1.8 < high < 2.2
    names = {trace["name"]: trace for trace in drawn["traces"]}
    assert len(names["end of a walk"]["y"]) + len(names["end above"]["y"]) == 31
    assert max(names["end above"]["y"]) < high
    assert names["end above"]["hovertext"][-1] == "1000 after 30 s"
    near = replace(search, losses=losses[:30], seconds=np.arange(30.0))
    (drawn,) = parts(of_minimization.sections(near))["search"].figures
    assert "range" not in drawn["layout"]["yaxis"]
    assert len(drawn["traces"]) == 2


def test_a_search_without_an_end():
    def stop(progress):
        raise StopIteration

    found = rw.minimize(loss(), max_walks=3, callback=stop)
    assert {"search", "levels", "walks"} <= set(parts(of_minimization.sections(found)))


# ---------------------------------------------------------------- ensembles


def test_the_page_of_an_ensemble():
    found = ensemble()
    minima, made = found.minima(), parts(of_ensemble.sections(found))
    ends = made["ends"].table("Distinct ends")
    assert ends.column("loss") == minima.losses.tolist()
    assert ends.column("walks") == minima.counts.tolist()
    assert ends.column("from") == minima.low.tolist()
    assert ends.column("to") == minima.high.tolist()
    assert [each == "yes" for each in ends.column("proved local minimum")] == minima.proved.tolist()
    walks = made["walks"].table("Walks")
    assert walks.column("loss") == found.losses.tolist()
    assert walks.column("seed") == found.seeds.tolist()
    numbers = [minima.keys.index(row.key) + 1 for row in found._rows]
    assert walks.column("end") == numbers
    bars = made["levels"].figures[0]["traces"]
    assert sum(int(np.sum(bar["y"])) for bar in bars) == len(found)
    met = made["unseen"].trace("distinct ends met")["y"]
    assert (met[0], met[-1]) == (1, len(minima))
    drawn = made["ends"].figures[0]["traces"][0]
    share = minima.counts / minima.counts.sum()
    np.testing.assert_allclose(drawn["y"], share)
    np.testing.assert_allclose(drawn["y"] + drawn["error_y"]["array"], minima.high)


def test_bars_tell_proved_ends_from_others():
    found = rw.ensemble(loss(), walks=5, proof="off")
    bars = parts(of_ensemble.sections(found))["levels"].figures[0]["traces"]
    assert [bar["name"] for bar in bars] == ["not proved"]
    assert bars[0]["marker"]["pattern"]["shape"] == "/"  # not by its colour alone


def test_an_ensemble_of_one_level():
    one = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), X, Y)
    made = parts(of_ensemble.sections(rw.ensemble(one, walks=4)))
    assert made["ends"].table("Distinct ends").column("walks") == [4.0]


def test_ends_that_look_the_same_are_told_apart():
    assert of_ensemble._alike(np.array([1.0, 2.0])) == []
    (told,) = of_ensemble._alike(np.array([1.0, 1.0 + 1e-12]))
    assert "active breakpoints" in told


def test_walks_cut_short_have_no_end():
    cut = rw.ensemble(loss(), walks=3, max_pivots=1)
    made = parts(of_ensemble.sections(cut))
    assert "levels" not in made
    assert made["walks"].table("Walks").column("pivots") == [1.0, 1.0, 1.0]


def test_measures_are_columns():
    def largest(traj):
        return {"largest": abs(traj.theta).max()}

    found = rw.ensemble(loss(), 4, measures=largest, proof="off")
    column = parts(of_ensemble.sections(found))["walks"].table("Walks").column("largest")
    assert column == found.figures["largest"].tolist()


# ---------------------------------------------------------------- topology


@pytest.fixture(scope="module")
def tree():
    return rw.merge_tree(random_loss([1, 2, 1], 6, 1), max_vertices=3000)


def test_the_page_of_a_merge_tree(tree):
    made = parts(of_merge_tree.sections(tree))
    minima = made["minima"].table("Valleys")
    assert minima.column("loss of its minimum") == tree.births.tolist()
    merged = np.isfinite(tree.deaths)
    assert [x != "\u2013" for x in minima.column("merges at")] == merged.tolist()
    deaths = [x for x in minima.column("merges at") if x != "\u2013"]
    assert deaths == tree.deaths[merged].tolist()
    into = [int(x) - 1 for x in minima.column("into") if x != "\u2013"]
    assert into == tree.parents[merged].tolist()
    pairs = made["barriers"].table("Barriers")
    for i, j, level in zip(*(pairs.column(k) for k in ("from", "to", "barrier")), strict=True):
        assert level == tree.barrier(int(i) - 1, int(j) - 1)
    drawn = made["persistence"].trace("valleys that end")
    np.testing.assert_allclose(np.sort(drawn["y"]), np.sort(tree.deaths[merged]))
    leaves = made["tree"].trace("minimum")
    np.testing.assert_allclose(np.sort(leaves["y"]), np.sort(tree.births))


def test_the_page_of_a_barrier():
    found = RESULTS["Barrier"]()
    made = parts(of_barrier.sections(found))
    assert made["path"].table("Points").column("loss") == found.losses.tolist()
    path = made["profile"].trace("lowest path")
    assert max(path["y"]) == pytest.approx(found.level)
    assert max(made["profile"].trace("straight segment")["y"]) == pytest.approx(found.straight)


# ---------------------------------------------------------------- gradient methods, processes


def test_the_page_of_a_descent():
    made = parts(of_descent.sections(descent()))
    steps = made["steps"].table("The start")
    assert steps.column("loss") == descent().losses.tolist()
    assert steps.column("gradients") == descent().gradients.tolist()
    drawn = made["descent"].trace("loss")
    np.testing.assert_array_equal(drawn["x"], descent().gradients)
    np.testing.assert_array_equal(drawn["y"], descent().losses)
    cut = rw.descend(loss(), "sgd", 30, learning_rate=1e300)
    assert parts(of_descent.sections(cut))["steps"].tables


def test_the_page_of_a_process():
    made = parts(of_process.sections(process()))
    solutions = made["solutions"].table("Solutions")
    assert solutions.column("from the quantile") == process().taus.tolist()
    assert solutions.column("x1") == process().coefficients[:, 1].tolist()
    assert len(made["coefficients"].figures) == 2
    np.testing.assert_array_equal(
        made["coefficients"].trace("x1")["y"], process().coefficients[:, 1]
    )
    middle = made["fits"].trace("quantile 0.5")
    np.testing.assert_allclose(middle["y"], process().predict(middle["x"][:, None], 0.5))


def test_processes_of_several_inputs_and_without_an_intercept():
    several = rw.quantile_process(fit().X, fit().y)
    assert set(parts(of_process.sections(several))) == {"coefficients", "solutions"}
    through = rw.quantile_process(X[1:], Y[1:], fit_intercept=False)
    assert len(parts(of_process.sections(through))["coefficients"].figures) == 1


@pytest.mark.parametrize("result", [ensemble, trained, fit, searched])
def test_ids_are_there_once(result, tmp_path):
    """Two sections of one id, or one of the player's: scripts write into the wrong place."""
    text = rw.report(result(), tmp_path / "page.html").read_text("utf-8")
    ids = re.findall(
        r'<(?!path|svg)[a-z0-9]+ [^>]*?\bid="([^"]+)"',
        "".join(re.split("<script>.*?</script>", text, flags=re.S)),
    )
    assert len(ids) > 5
    assert sorted(set(ids)) == sorted(ids)
