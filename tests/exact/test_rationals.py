"""Exact linear algebra against elimination in fractions, written for the test."""

import numpy as np
import pytest

from reluplex_walk.exact.rationals import Rationals, reduce, solve


def eliminated(matrix):
    """Reduced row echelon form in fractions, and its pivots."""
    rows = Rationals(matrix, 1).fractions()
    pivots = []
    for c in range(rows.shape[1]):
        r = len(pivots)
        below = np.flatnonzero(rows[r:, c] != 0)
        if below.size:
            rows[[r, r + below[0]]] = rows[[r + below[0], r]]
            rows[r] = rows[r] / rows[r, c]
            for k in np.flatnonzero(rows[:, c] != 0):
                if k != r:
                    rows[k] = rows[k] - rows[k, c] * rows[r]
            pivots.append(c)
    return rows[: len(pivots)], pivots


@pytest.mark.parametrize("seed", range(20))
def test_reduced_form(seed):
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-3, 4, (6, 9)).astype(object) * 10 ** int(rng.integers(0, 30))
    matrix[3] = matrix[1] + 2 * matrix[0]
    matrix[:, 4] = matrix[:, 2]
    form, pivots = reduce(matrix)
    expected, expected_pivots = eliminated(matrix)
    assert pivots == expected_pivots
    assert (form.fractions() == expected).all()


@pytest.mark.parametrize("seed", range(20))
def test_solution(seed):
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-9, 10, (5, 5)).astype(object) + 10 * np.eye(5, dtype=int)
    rhs = rng.integers(-9, 10, (5, 2)).astype(object)
    solution = solve(matrix, rhs)
    assert (matrix @ solution.num == rhs * solution.den).all()
    expected, _ = eliminated(np.concatenate([matrix, rhs], axis=1))
    assert (solution.fractions() == expected[:, 5:]).all()


def test_a_singular_matrix_is_refused():
    matrix = np.array([[1, 2], [2, 4]], object)
    with pytest.raises(ZeroDivisionError):
        solve(matrix, np.array([[1], [1]], object))
