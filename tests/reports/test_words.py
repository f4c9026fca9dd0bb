"""Results in plain sentences: they say what the result says, and claim no more than is proved."""

import re

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.ended import Ended
from reluplex_walk.reports.said.record import Mark
from reluplex_walk.reports.words import in_words, said
from tests.problems.degenerate import PROBLEMS
from tests.reports.made import RESULTS, X, Y, ensemble, fit, lines, loss, traj

PLURAL = re.compile(r"(?<![\d.])1 (valleys|local minima|minima|walks|ends|levels|are)\b")
CLAIM = re.compile(r"proved to be a|No other parameters|Every small enough change")


def text(result):
    return " ".join(in_words(result))


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_sentences_are_whole(name):
    made = said(RESULTS[name]())
    sentences = made.sentences
    if name != "Summary":  # the notes below a table
        assert sentences
        for sentence in sentences:
            assert sentence[0].isupper() or sentence[0].isdigit() or sentence[0] == "`"
            assert sentence.endswith(".")
    for sentence in sentences:
        assert not re.search(r"\bnan\b|\bNone\b|\binf\b|  |\.\.", sentence)
    for words in (made.verdict, *made.figures.values(), *sentences):
        assert not PLURAL.search(words)


def test_a_walk_that_is_proved():
    words = text(traj())
    assert f"down to {traj().loss:.10g}" in words
    assert "local minimum" in words
    assert CLAIM.search(words)
    assert "That no lower minimum lies elsewhere is not claimed" in words


@pytest.mark.parametrize("options", [{"max_pivots": 3}, {"max_pivots": 0}, {"proof": "off"}])
def test_nothing_is_claimed_where_nothing_is_proved(options):
    walked = rw.walk(loss(), **options)
    words = text(walked)
    assert not CLAIM.search(words)
    assert f"Nothing is proved of the end of the walk: {walked.certificate.reason.message}" in words
    assert walked.certificate.reason.remedy in words
    assert (said(walked).mark, said(walked.certificate).mark) == (Mark.OPEN, Mark.OPEN)


def test_a_global_minimum_is_one():
    walked = rw.walk(lines())
    assert walked.certificate.is_global
    assert "No other parameters of this layer have a lower loss" in text(walked)
    assert "not claimed" not in text(walked)


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_badges_follow_certificates(name):
    walked = rw.walk(PROBLEMS[name], step="long", proof_budget=0.1)
    certificate, what = walked.certificate, said(walked)
    assert (what.mark is Mark.PROVED) == certificate.is_local_minimum
    assert ("strict" in what.verdict) == certificate.strict
    assert bool(CLAIM.search(text(walked))) == certificate.is_local_minimum
    if len(certificate.aliased) and certificate.is_local_minimum:
        assert ("for these given weights only" in text(walked)) == certificate.given_aliased


def test_aliased_columns_are_told_of():
    doubled = np.column_stack([np.arange(6.0), 2.0 * np.arange(6.0)])
    with pytest.warns(rw.RankWarning):
        about = rw.LayerLoss(rw.ReLUNetwork.random([2, 2, 1]), doubled, [0, 1, 1, 0, 3, 2.0])
    walked = rw.walk(about)
    assert len(walked.certificate.aliased) == 1
    if walked.certificate.is_local_minimum:
        assert "1 input column is determined by others" in text(walked)


def test_a_fit():
    words = text(fit())
    below = int((fit().residuals < -1e-9).sum())
    assert f"{below} of {len(fit().y)} samples lie below" in words
    assert f"{fit().loss:.10g}" in words
    assert "proved to be a global minimum" in words

    def stop(progress):
        raise StopIteration

    rng = np.random.default_rng(0)
    cut = rw.lad(rng.normal(size=(500, 5)), rng.normal(size=500), callback=stop)
    assert not cut.status.proved
    assert said(cut).mark is Mark.OPEN
    assert not CLAIM.search(text(cut))


def test_the_counts_of_an_ensemble():
    words, minima = text(ensemble()), ensemble().minima()
    assert f"{len(ensemble())} walks of different seeds" in words
    assert f"{len(minima)} distinct ends" in words
    unproved = rw.ensemble(loss(), walks=4, proof="off")
    assert said(unproved).mark is Mark.OPEN
    assert "nothing is proved" in text(unproved)
    assert not CLAIM.search(text(unproved))


def test_layers_of_a_network_one_by_one():
    one = rw.train(rw.ReLUNetwork.random([1, 2, 1], seed=0), X, Y, layers=[1], rounds=1)
    words = text(one)
    assert "Layers that were not trained, of which nothing is said: 0." in words
    assert "Layer 1 is proved" in words
    assert "no better network exists, is not claimed" in words


def test_a_gradient_method_claims_nothing():
    path = rw.descend(loss(), "sgd", 10, learning_rate=0.01)
    assert path.ended is Ended.WORK_LIMIT
    assert said(path).mark is Mark.OPEN
    assert not CLAIM.search(text(path))


def test_why_work_stopped():
    for ended in Ended:
        from reluplex_walk.reports.said.record import stopped

        words = stopped("The walk", ended, True)
        assert words.startswith("The walk ")
        assert (ended.advice in words) == (ended is not Ended.FINISHED)
    assert "resume" not in stopped("The search", Ended.TIME_LIMIT)


def test_a_penalty_is_told_of():
    about = rw.LayerLoss(loss().network, loss().X, loss().y, penalty=0.25)
    assert ", penalty 0.25" in said(rw.walk(about)).title
    walked = rw.walk(about)
    assert f"a loss and penalty of {walked.losses[0]:.10g} down to" in text(walked)
    assert said(walked).figures["loss and penalty"].startswith(f"{walked.loss:.10g}")
    found = rw.minimize(about, max_walks=2)
    many = rw.ensemble(about, walks=2)
    for made in (walked, rw.certify(about), found, many):
        words = text(made)
        assert "of the loss in the parameters" not in words
        assert not re.search(r"\b(a loss|losses) of", words)
    for made in (walked, found):
        assert "minimum of the loss and penalty in the parameters" in text(made)
    one = rw.train(rw.ReLUNetwork.random([1, 2, 1], seed=0), X, Y, penalty=0.1, rounds=1)
    assert "minimum of loss and penalty in its own" in text(one)
    assert said(one).figures["loss and penalty"] == f"{one.objective:.10g}"


def test_a_lower_end_that_is_not_proved_is_told_of():
    found = rw.minimize(loss(), max_walks=6)
    lower = found.levels[0] < found.loss
    assert ("A lower end, at" in text(found)) == lower
    if lower:
        assert not found.proved[0]
