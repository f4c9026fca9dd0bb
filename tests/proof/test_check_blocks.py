"""The checker of blocks against a plain one in fractions, on proofs and on proofs spoilt."""

from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq

from reluplex_walk._budget import Budget
from reluplex_walk.exact.rationals import Rationals
from reluplex_walk.proof import cones, tree
from reluplex_walk.proof.check_blocks import RefutedError, Terms, confirm
from reluplex_walk.proof.relaxation import Relaxation
from reluplex_walk.proof.tangents import merged, tangents
from reluplex_walk.proof.witness import Fan, Leaf, Multipliers, Tree
from tests.references import witness


def q(number):
    number = Fraction(number)
    return fmpq(number.numerator, number.denominator)


def terms(f):
    """The function in the numbers of the checker."""
    rows = [[q(v) for v in row] for row in f.rows]
    alpha = [(c, b, q(v)) for c, b, v in f.alpha]
    return Terms([q(v) for v in f.linear], rows, [q(k) for k in f.kinks], alpha)


def drawn(seed):
    """A function that is often >= 0, and the proofs of that which were found."""
    rng = np.random.default_rng(seed)
    d, n = int(rng.integers(1, 4)), 6
    rows, kinks = rng.integers(-3, 4, (n, d)), rng.integers(-4, 2, n)
    linear = -(kinks * (kinks < 0)) @ np.maximum(rows, 0) // 2
    alpha = [] if seed % 3 else [(4, 0, Fraction(1, 2)), (5, 1, Fraction(-1))]
    if seed % 3 == 1:
        kinks = -np.abs(kinks)
    parts = (Rationals.of(np.asarray(v, float)).fractions() for v in (linear, rows, kinks))
    f = merged(cones.Homogeneous(*parts, alpha))
    proofs = [
        cones.examine(f, Budget.of(20.0)).proof,
        tree.grow(f, Relaxation(f), Budget.of(20.0)).proof,
    ]
    if not f.alpha and all(k <= 0 for k in f.kinks):
        theta = tangents(f, Budget.of(20.0))
        proofs.append(theta and Multipliers(theta))
    return f, [proof for proof in proofs if proof is not None]


def spoilt(proof, rng):
    """The proof with something in it changed."""
    if isinstance(proof, Multipliers):
        theta = list(proof.theta)
        theta[rng.integers(len(theta))] += Fraction(
            int(rng.choice([-1, 1])), int(rng.integers(1, 9))
        )
        return Multipliers(tuple(theta))
    nodes = proof.nodes.copy()
    if rng.random() < 0.3:
        nodes[rng.integers(len(nodes))] = nodes[rng.integers(len(nodes))]
        return proof._replace(nodes=nodes)
    if isinstance(proof, Fan):
        if not proof.theta:
            return proof._replace(nodes=nodes[:-1])
        theta = list(proof.theta)
        theta[rng.integers(len(theta))] *= Fraction(int(rng.integers(0, 5)), 2)
        return proof._replace(theta=tuple(theta))
    leaves = list(proof.leaves)
    at = rng.integers(len(leaves))
    numbers = list(leaves[at].multipliers)
    if not numbers:
        return Tree(nodes, tuple(leaves[:-1]))
    k = rng.integers(len(numbers))
    numbers[k] = (numbers[k][0], numbers[k][1] * Fraction(int(rng.choice([-1, 0, 2]))))
    leaves[at] = Leaf(tuple(numbers), leaves[at].above)
    return Tree(nodes, tuple(leaves))


def plain(f, proof):
    try:
        return witness.confirms(f, proof)
    except (IndexError, KeyError, RuntimeError, StopIteration):
        return False


def checked(f, proof):
    try:
        confirm(terms(f), proof)
    except RefutedError:
        return False
    return True


@pytest.mark.parametrize("seed", range(60))
def test_proofs_are_confirmed_and_spoilt_ones_are_not(seed):
    f, proofs = drawn(seed)
    rng = np.random.default_rng(seed)
    for proof in proofs:
        assert plain(f, proof)
        assert checked(f, proof)
        for _ in range(6):
            other = spoilt(proof, rng)
            assert checked(f, other) == plain(f, other)


def test_every_kind_of_proof_is_drawn():
    kinds = {type(proof) for seed in range(20) for proof in drawn(seed)[1]}
    assert kinds == {Multipliers, Fan, Tree}
