"""Columns that others determine up to rounding, and those that only come close."""

import numpy as np
import pytest

from reluplex_walk.problem.aliased import find
from reluplex_walk.tolerances import PROBLEM

RNG = np.random.default_rng(0)
FEET = RNG.uniform(1, 9, 40)
YEAR = np.arange(1980.0, 2020.0)
STAMP = 1e9 + RNG.integers(-3, 4, 40)
GROUP = RNG.integers(0, 4, 40)


@pytest.mark.parametrize(
    ("columns", "aliased"),
    [
        ([FEET, 0.3048 * FEET], [1]),
        ([FEET, FEET * 1.8 + 32], [1]),
        ([FEET, 1e-95 * FEET], [1]),
        ([1e200 * FEET, FEET], [1]),
        ([YEAR, YEAR + 1e6], [1]),
        ([STAMP], []),
        ([STAMP, 0.3048 * STAMP], [1]),
        ([STAMP, STAMP + FEET], []),  # an amount that is there: 1e-9 of the norm
        ([STAMP, FEET, STAMP + FEET], [2]),
        ([np.full(40, 3.0), FEET, np.zeros(40)], [0, 2]),
        ([1e17 + 0.1 * FEET], [0]),  # constant in floats
        ([g == GROUP for g in range(4)], [3]),
        ([FEET, RNG.normal(size=40), FEET + 1e-9 * RNG.normal(size=40)], []),
        ([FEET, FEET + 1e-13 * RNG.normal(size=40)], [1]),
        ([(YEAR - 1960.0) ** k for k in range(1, 11)], []),
        ([np.linspace(1, 2, 40) ** k for k in range(1, 7)], []),
    ],
)
def test_cases(columns, aliased):
    inputs = np.column_stack(columns).astype(float)
    found = find(inputs)
    assert found.columns.tolist() == aliased
    _check_combination(inputs, found)


def _check_combination(inputs, found, intercept=True):
    kept = np.delete(np.arange(inputs.shape[1]), found.columns)
    for k, row in zip(found.columns, found.combination, strict=True):
        rest = inputs[:, k] - inputs @ row[:-1] - row[-1]
        # In units of the terms: products of a matrix that cancel to less carry their rounding.
        size = np.linalg.norm(inputs[:, k]) + np.linalg.norm(np.abs(inputs) @ np.abs(row[:-1]))
        assert np.linalg.norm(rest) <= 2 * PROBLEM.aliased * size
        later = np.setdiff1d(np.arange(inputs.shape[1]), kept[kept < k])
        assert not row[later].any()
        assert intercept or row[-1] == 0.0


def test_without_the_constant():
    inputs = np.column_stack([np.full(40, 3.0), FEET, np.full(40, 7.0), FEET + 1.0])
    found = find(inputs, intercept=False)
    assert found.columns.tolist() == [2, 3]
    _check_combination(inputs, found, intercept=False)
    assert find(np.zeros((5, 2)), intercept=False).columns.tolist() == [0, 1]


@pytest.mark.parametrize("shape", [(1, 0), (1, 3), (3, 7), (5, 4), (2, 1)])
def test_more_columns_than_rows(shape):
    inputs = RNG.normal(size=shape)
    found = find(inputs)
    assert found.columns.tolist() == list(range(shape[0] - 1, shape[1]))
    _check_combination(inputs, found)


def test_random_dependences_in_any_place_and_scale():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        rank, n = int(rng.integers(1, 6)), int(rng.integers(8, 40))
        free = rng.normal(size=(n, rank))
        mixed = free @ rng.normal(size=(rank, 3)) + rng.normal(size=3)
        at = np.sort(rng.choice(rank + 3, 3, replace=False))
        inputs = np.empty((n, rank + 3))
        inputs[:, at] = mixed
        inputs[:, np.delete(np.arange(rank + 3), at)] = free
        inputs *= 10.0 ** rng.integers(-8, 9, rank + 3)
        found = find(inputs)
        assert len(found.columns) == 3
        _check_combination(inputs, found)
