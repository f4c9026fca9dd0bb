"""The tree of splits against cones, known answers and plain evaluation; its witness checked."""

from fractions import Fraction

import numpy as np
import pytest

from reluplex_walk._budget import Budget
from reluplex_walk.exact.rationals import Rationals
from reluplex_walk.proof import cones, tree
from reluplex_walk.proof.relaxation import Relaxation
from reluplex_walk.proof.tangents import merged
from tests.references import witness


def homogeneous(linear, rows, kinks, alpha=()):
    parts = (Rationals.of(np.asarray(part, float)).fractions() for part in (linear, rows, kinks))
    return merged(cones.Homogeneous(*parts, list(alpha)))


def grown(f, budget=20.0):
    """Whether f >= 0 is proved by a witness that the plain check confirms, or the point."""
    growth = tree.grow(f, Relaxation(f), Budget.of(budget))
    if growth.proof is not None:
        assert growth.point is None
        assert witness.confirms(f, growth.proof)
    elif growth.point is not None:
        assert witness.value(f, growth.point) < 0
    return growth


def following(rng, n, kinks):
    """Links of the last terms to some of the first."""
    feeding = n // 2
    return [
        (int(c), int(b), Fraction(int(rng.choice([-2, -1, 1, 2])), 2))
        for c in range(feeding, n)
        for b in np.flatnonzero(rng.random(feeding) < 0.3)
    ]


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_trees_and_cones_agree(d, linked):
    found = set()
    for seed in range(15):
        rng = np.random.default_rng(10 * seed + d)
        n = 7
        rows, kinks = rng.integers(-3, 4, (n, d)), rng.integers(-4, 2, n)
        linear = np.round(-0.5 * kinks @ rows + rng.normal(size=d))
        if seed % 3 == 0:  # the value at +-e_j is 0 or more: many are proved
            linear = -(kinks * (kinks < 0)) @ np.maximum(rows, 0) // 2
        f = homogeneous(linear, rows, kinks, following(rng, n, kinks) if linked else ())
        growth, finding = grown(f), cones.examine(f, Budget.of(20.0))
        assert (growth.proof is None) == (finding.proof is None)
        assert (growth.point is None) == (finding.point is None)
        found.add(growth.proof is not None)
    assert True in found or d > 2


@pytest.mark.parametrize("d", [12, 20])
def test_minima_of_many_coordinates_are_proved(d):
    # |z_j| for each coordinate z = A y, and concave terms that take less than that away.
    rng = np.random.default_rng(d)
    basis = rng.integers(-2, 3, (d, d)) + 3 * np.eye(d, dtype=int)
    pairs = basis[:-1] + basis[1:]
    rows = np.vstack([basis, pairs])
    kinks = np.concatenate([np.full(d, -8), np.full(d - 1, 2)])
    linear = 4 * basis.sum(axis=0) - pairs.sum(axis=0)  # sum 4 |z_j| - |z_j + z_(j+1)|
    assert grown(homogeneous(linear, rows, kinks)).proof is not None
    tilted = homogeneous(linear - 4 * basis[0] - 4 * basis[1], rows, kinks)  # -6 at z = (1, 1, 0..)
    assert grown(tilted).point is not None
