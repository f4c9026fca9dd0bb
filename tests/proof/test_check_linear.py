"""Breakpoints all at once, in integers, are judged as they are one by one, in rationals."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.proof import check
from reluplex_walk.proof.check_integers import scaled, shortest, sums, times, whole
from reluplex_walk.proof.check_sums import Masks, Stretches, exact_sums

KINDS = [
    "vertex",
    "small",
    "decimals",
    "floats",
    "weights",
    "parallel",
    "large",
    "no-intercept",
    "one-column",
]


def problem(kind, seed):
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(8, 60)), int(rng.integers(1, 4))
    X = rng.integers(-3, 4, (n, p)).astype(float)
    y = rng.integers(-3, 4, n).astype(float)
    weight, tau, intercept = None, None, True
    if kind == "vertex":
        X, y = rng.normal(size=(n, p)), rng.normal(size=n)
    if kind == "decimals":
        X, y, tau = X / 10, y / 10, 0.3
    if kind == "floats":
        X, y = X / 3, y * 2.0**-30
    if kind == "weights":
        weight, tau = rng.integers(0, 4, n) / 4 + (np.arange(n) < 5), 0.9
    if kind == "parallel":
        X[:, :-1] = 0.0
        X[: n // 2] *= 3
        y[: n // 2] *= 3
    if kind == "large":
        X, y = X * 1e12 + 1, y * 1e13
    if kind == "no-intercept":
        intercept = False
    if kind == "one-column":  # all parallel, and longer than machine integers
        X, y, intercept = X[:, :1] / 3, y / 3 * 1e9, False
    if tau is None:
        return rw.lad(X, y, sample_weight=weight, fit_intercept=intercept)
    return rw.quantile(X, y, tau, sample_weight=weight, fit_intercept=intercept)


def judged(certificate, loss, monkeypatch, at_once):
    """The slopes found, or None for a refusal."""
    with monkeypatch.context() as patch:
        if not at_once:
            patch.setattr(check, "is_linear", lambda data, blocks: False)
        try:
            found = certificate.verify_exact(loss)
        except rw.CertificateError:
            return None
    return [] if found.slopes is None else found.slopes.tolist()


def changed(certificate, rng):
    """Certificates with one number of the witness changed."""
    witness = certificate.witness
    new = []
    for j in range(len(witness.prices)):
        prices = list(witness.prices)
        prices[j] += Fraction(int(rng.integers(-2, 3)), 3)
        new.append(witness._replace(prices=tuple(prices)))
    if len(witness.sides):
        sides = witness.sides.copy()
        sides[rng.integers(len(sides))] *= -1
        new.append(witness._replace(sides=sides))
        new.append(witness._replace(pivots=rng.permutation(len(sides))[: len(witness.pivots)]))
    for b, block in enumerate(witness.blocks):
        theta = list(block.proof.theta)
        theta[rng.integers(len(theta))] = Fraction(int(rng.integers(-1, 4)), 2)
        blocks = list(witness.blocks)
        blocks[b] = block._replace(proof=block.proof._replace(theta=tuple(theta)))
        new.append(witness._replace(blocks=tuple(blocks)))
        new.append(witness._replace(blocks=witness.blocks[:b] + witness.blocks[b + 1 :]))
    for each in new:
        basis = np.concatenate([certificate.active, certificate.tied])
        active = basis[each.pivots]
        tied = np.delete(basis, each.pivots, axis=0)
        sides = each.sides
        yield replace(certificate, witness=each, sides=sides, digest="")
        order = np.concatenate([each.pivots, np.setdiff1d(np.arange(len(basis)), each.pivots)])
        back = np.argsort(order)
        yield replace(
            certificate,
            witness=each._replace(order=back),
            active=active,
            tied=tied,
            sides=sides[order],
            digest="",
        )


@pytest.mark.parametrize("kind", KINDS)
def test_all_at_once_is_as_one_by_one(kind, monkeypatch):
    refused = 0
    for seed in range(12):
        fit = problem(kind, seed)
        loss, certificate = fit.problem, fit.certificate
        found = judged(certificate, loss, monkeypatch, True)
        assert found is not None
        assert found == judged(certificate, loss, monkeypatch, False)
        rng = np.random.default_rng(seed)
        for other in changed(certificate, rng) if certificate.witness else ():
            found = judged(other, loss, monkeypatch, True)
            assert found == judged(other, loss, monkeypatch, False)
            refused += found is None
    assert refused


def test_integers_beyond_int64_are_exact():
    big = shortest([2**62, -(2**62), 3])
    assert big.dtype == np.int64
    assert shortest([2**63]).dtype == object
    assert times(big, big) == 2**125 + 9
    assert scaled(big, 8).tolist() == [2**65, -(2**65), 24]
    assert sums(big, np.zeros(3, np.int64), 1).tolist() == [3]
    assert sums(np.abs(big), np.zeros(3, np.int64), 1).tolist() == [2**63 + 3]
    assert scaled(shortest([1]), 2**70).tolist() == [2**70]
    numbers, den = whole(np.array([0.5, 3.0, 1e300, -(2.0**-1074)]))
    assert [Fraction(v, den) for v in numbers.tolist()] == [
        Fraction(v) for v in (0.5, 3.0, 1e300, -(2.0**-1074))
    ]


def test_sums_that_floats_do_not_hold_are_exact():
    rng = np.random.default_rng(0)
    a = np.concatenate([rng.normal(size=30) * 2.0 ** rng.integers(-40, 40, 30), [0.0, -0.0]])
    tiny = np.append(a[1:], 2.0**-1074)
    whole_numbers = np.rint(a * 1e3)
    masks = rng.integers(0, 2, (3, len(a)))
    for values, weights in [(a, np.ones(len(a))), (a, a), (tiny, tiny), (whole_numbers, a**2)]:
        terms = [Fraction(v) * Fraction(w) for v, w in zip(values, weights, strict=True)]
        expected = [sum(t for t, m in zip(terms, mask, strict=True) if m) for mask in masks]
        found = exact_sums(values, weights, Masks(masks))
        assert [Fraction(int(v.p), int(v.q)) for v in found] == expected
        expected = [sum(terms[:5]), sum(terms[5:])]
        found = exact_sums(values, weights, Stretches(np.array([0, 5])))
        assert [Fraction(int(v.p), int(v.q)) for v in found] == expected
