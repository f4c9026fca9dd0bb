"""The plain check of the study of claims calls false what is false, and nothing else."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

import reluplex_walk as rw
from benchmarks._boxes import wrong_minima
from benchmarks._plain_check import wrong_claims
from benchmarks._plain_loss import PlainLoss, as_written, fractions
from benchmarks.claims import examine
from tests.problems.degenerate import PROBLEMS
from tests.problems.random import VARIANTS, variant

# The best lines pass between 1 and 2 at 0 and between 4 and 8 at 1.
WEAK = rw.LayerLoss(
    rw.ReLUNetwork([[[0.0]]], [[0.0]]), [[0.0], [0.0], [1.0], [1.0]], [1.0, 2.0, 4.0, 8.0]
)


def test_numbers_as_they_are_written():
    assert as_written(np.array([0.1, 2.0, -3.25])) == [Fraction(1, 10), 2, Fraction(-13, 4)]
    assert as_written(np.array([0.1, 1 / 3])) == [Fraction(0.1), Fraction(1 / 3)]
    assert as_written(np.array([0.1]), decimals=False) == [Fraction(0.1)]


@pytest.mark.parametrize("case", range(len(VARIANTS)))
def test_the_plain_loss_is_the_loss(case):
    loss = variant(case, 0)
    plain, rng = PlainLoss(loss, decimals=True), np.random.default_rng(0)
    theta, d = rng.normal(size=(2, *loss.shape))
    assert float(plain.exact.loss(fractions(theta))) == pytest.approx(loss(theta), rel=1e-12)
    slope = plain.derivative(plain.signs(fractions(theta)), fractions(d))
    assert float(slope) == pytest.approx((loss.gradient(theta) * d).sum(), rel=1e-9)


@pytest.mark.parametrize("case", range(len(VARIANTS)))
def test_the_vertex_before_the_end_is_no_minimum(case):
    loss = variant(case, 1)
    whole = rw.walk(loss, seed=1)
    early = rw.walk(loss, seed=1, max_pivots=whole.n_pivots - 1)
    assert not [text for text in wrong_claims(loss, whole.certificate, False) if "falls" in text]
    assert [text for text in wrong_claims(loss, early.certificate, False) if "falls" in text]


@pytest.mark.parametrize("name", ["xor", "integer grid", "one-hot", "one decimal, linear"])
def test_the_ends_of_degenerate_problems_stand(name):
    loss = PROBLEMS[name]
    traj = rw.walk(loss, seed=0)
    assert traj.status.proved
    assert not [text for text in wrong_claims(loss, traj.certificate, False) if "falls" in text]


def test_a_weak_minimum_said_to_be_strict_and_a_loss_said_to_be_less():
    certificate = rw.walk(WEAK, [[0.0, 0.0]]).certificate
    assert wrong_claims(WEAK, certificate, True) == []
    slopes = certificate.slopes + 1.0
    strict = dataclasses.replace(certificate, method="vertex", slopes=slopes, digest="")
    less = dataclasses.replace(certificate, loss=Fraction(4), digest="")
    assert strict.strict
    assert any("strict" in text for text in wrong_claims(WEAK, strict, True))
    assert any("loss" in text for text in wrong_claims(WEAK, less, True))


def test_a_minimum_in_a_box_that_is_none():
    loss = variant(0, 0)
    theta = np.zeros(loss.shape)
    none = dataclasses.make_dataclass("Minimum", ["theta", "point", "loss"])(
        theta, fractions(theta), loss(theta)
    )
    wrong = list(wrong_minima(loss, np.ones(loss.shape), [none], none, 0))
    assert any("falls" in text for text in wrong)


@pytest.mark.parametrize("kind", ["ordinary", "fit", "box"])
def test_a_problem_of_the_study_is_the_same_every_time(kind):
    one, other = examine(kind, 0), examine(kind, 0)
    assert (one.state, one.faults, one.details) == (other.state, other.faults, other.details)
    assert one.state == "proved"
