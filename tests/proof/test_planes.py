"""Bounds by neighbours in a plane: they hold, and prove at once what splits alone do not."""

from fractions import Fraction

import numpy as np
import pytest

from reluplex_walk._budget import Budget
from reluplex_walk.exact.rationals import Rationals, objects
from reluplex_walk.proof import lifted, planes, tree
from reluplex_walk.proof.check_blocks import confirm
from reluplex_walk.proof.cones import Homogeneous, rates
from reluplex_walk.proof.lifted import Lifted, combined
from reluplex_walk.proof.planes import neighbours
from reluplex_walk.proof.relaxation import Relaxation
from tests.proof.test_check_blocks import checked, plain, terms
from tests.proof.test_mutants import broken
from tests.references import witness


def three_neurons(seed, samples=6):
    """Terms of two neurons at 0 on samples of one column, of a third that follows both, a single.

    Coordinates 2 j and 2 j + 1 are the weight and the bias of neuron j, the last one is single.
    """
    rng = np.random.default_rng(seed)
    x = rng.permutation(np.arange(-9, 10))[:samples]
    turned = rng.choice([-1, 1], (3, samples)) if seed % 3 == 0 else np.ones((3, samples))
    rows = np.zeros((1 + 3 * samples, 7))
    rows[0, 6] = 1
    for j in range(3):
        part = rows[1 + j * samples : 1 + (j + 1) * samples]
        part[:, 2 * j], part[:, 2 * j + 1] = turned[j] * x, turned[j]
    weights = rng.choice([-2, -1, 1, 2], 2)
    alpha = [
        (1 + 2 * samples + i, 1 + j * samples + i, Fraction(int(weights[j]), 2))
        for i in range(samples)
        for j in range(2)
        if rng.random() < 0.9  # not all follow both
    ]
    alpha.append((1 + 2 * samples, 0, Fraction(1, 3)))
    ones = Rationals.of(np.ones(len(rows))).fractions()
    return Homogeneous(ones[:7], Rationals.of(rows).fractions(), ones, alpha)


def above_zero(seed):
    """The function that some multiples of all forms add up to."""
    f, rng = three_neurons(seed), np.random.default_rng(seed)
    bounds = neighbours(f)
    forms = Lifted(f, {}, bounds)
    each = rng.integers(0, 4, 2 * forms.n + len(bounds))
    total = combined((Fraction(int(v)), forms.form(i)) for i, v in enumerate(each))
    linear = objects([total.get(j, Fraction(0)) for j in range(forms.d)])
    kinks = objects([-total.get(forms.d + c, Fraction(0)) for c in range(forms.n)])
    return f._replace(linear=linear, kinks=kinks)


def proof_of(f):
    return tree.grow(f, Relaxation(f), Budget.of(20.0)).proof


@pytest.mark.parametrize("seed", range(12))
def test_bounds_hold(seed):
    f = three_neurons(seed)
    bounds = neighbours(f)
    assert len({bound.term for bound in bounds}) == len(f.kinks) - 1  # all but the single one
    forms = Lifted(f, {}, bounds)
    rng = np.random.default_rng(seed)
    for _ in range(20):
        y = objects([Fraction(int(v)) for v in rng.integers(-5, 6, forms.d)])
        point = [*y, *(max(Fraction(0), -t) for t in rates(f, y))]
        for i in range(2 * forms.n + len(bounds)):
            assert sum(v * point[at] for at, v in forms.form(i).items()) >= 0


@pytest.mark.parametrize("seed", range(12))
def test_what_they_prove_needs_no_splits(seed):
    f = above_zero(seed)
    proof = proof_of(f)
    assert proof.nodes.tolist() == [-1]
    assert witness.confirms(f, proof)
    confirm(terms(f), proof)
    lower = f._replace(linear=f.linear - f.linear.max() - 100)
    point = tree.grow(lower, Relaxation(lower), Budget.of(20.0)).point
    assert witness.value(lower, point) < 0


def test_later_neurons_are_bounded_by_bounds_of_earlier_ones():
    bounds = [bound for seed in range(6) for bound in proof_of(above_zero(seed)).leaves[0].above]
    assert any(i >= 2 * 19 for bound in bounds for i, _ in bound.rest)


def spoilt(bound, rng, forms):
    """The bound with something in it changed."""
    which = rng.integers(4)
    if which == 0:
        return bound._replace(kappa=bound.kappa + Fraction(int(rng.choice([-1, 1])), 4))
    if which == 1:
        return bound._replace(term=int(rng.integers(forms // 2)))
    name = "x" if which == 2 or not bound.rest else "rest"
    pairs = list(getattr(bound, name))
    k = rng.integers(len(pairs))
    at, number = pairs[k]
    if rng.random() < 0.5:
        pairs[k] = (at, number * int(rng.choice([-1, 0, 2])))
    else:
        pairs[k] = (int(rng.integers(forms + 3)), number)
    return bound._replace(**{name: tuple(pairs)})


@pytest.mark.parametrize("seed", range(12))
def test_spoilt_bounds_are_refused(seed):
    f = above_zero(seed)
    proof = proof_of(f)
    leaf, rng, refused = proof.leaves[0], np.random.default_rng(seed), 0
    for _ in range(30):
        above = list(leaf.above)
        k = rng.integers(len(above))
        above[k] = spoilt(above[k], rng, 2 * len(f.kinks))
        other = proof._replace(leaves=(leaf._replace(above=tuple(above)),))
        assert checked(f, other) == plain(f, other)
        refused += not checked(f, other)
    assert refused >= 15  # of the others some change nothing


def test_bounds_refer_to_those_before_alone():
    f = above_zero(1)
    proof = proof_of(f)
    leaf, forms = proof.leaves[0], 2 * len(f.kinks)
    for k, bound in enumerate(leaf.above):
        for i in (-1, forms + k, forms + k + 1):
            above = list(leaf.above)
            above[k] = bound._replace(rest=(*bound.rest, (i, Fraction(0))))
            assert not checked(f, proof._replace(leaves=(leaf._replace(above=tuple(above)),)))


@pytest.mark.parametrize(
    ("module", "line", "fault"),
    [
        (
            planes,
            "forms.append((2 * self.n + k, factor))",
            "forms.append((2 * self.n + k, -factor))",
        ),
        (planes, "rest[c] -= factor * v", "rest[c] -= 0 * v"),
        (planes, "b: det(a, e) / det(a, b)}", "b: det(e, a) / det(a, b)}"),
        (planes, "if v != 0))", "if v > 0))"),
        (lifted, "parts += [(-v, self.form(j)) for j, v in rest if v < 0]", "pass"),
        (lifted, "kept |= {i - first for i, _ in near[k].rest if i >= first}", "pass"),
    ],
)
def test_what_a_broken_prover_makes_is_refused(module, line, fault, monkeypatch):
    broken(monkeypatch, module, line, fault)
    refused = failed = 0
    for seed in range(6):
        for lower in (0, 2):
            f = above_zero(seed)
            f = f._replace(linear=f.linear - lower)
            try:
                proof = tree.grow(f, Relaxation(f), Budget.of(0.5)).proof
            except KeyError:  # the fault shows by itself
                failed += 1
                continue
            if proof is not None:
                assert checked(f, proof) == plain(f, proof)
                refused += not checked(f, proof)
    assert refused or failed
