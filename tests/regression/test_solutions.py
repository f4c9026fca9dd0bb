"""The set of all minimisers, against all vertices in rational arithmetic."""

import itertools
import warnings
from fractions import Fraction

import flint
import numpy as np
import pytest
from scipy import sparse

import reluplex_walk as rw
from reluplex_walk.regression.parametric.solutions import _edges


def brute(rows, y, w, tau):
    """All vertices of least loss, as a set of tuples of fractions."""
    least, found = None, set()
    for some in itertools.combinations(range(len(rows)), rows.shape[1]):
        matrix = flint.fmpz_mat(rows[list(some)].tolist())
        if matrix.det() == 0:
            continue
        num, den = matrix.solve(flint.fmpz_mat([[int(y[i])] for i in some])).numer_denom()
        theta = tuple(Fraction(int(v[0]), int(den)) for v in num.tolist())
        r = [
            int(v) - sum(int(a) * t for a, t in zip(row, theta, strict=True))
            for row, v in zip(rows, y, strict=True)
        ]
        loss = sum(int(c) * max(tau * v, (tau - 1) * v) for c, v in zip(w, r, strict=True))
        if least is None or loss < least:
            least, found = loss, set()
        if loss == least:
            found.add(theta)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_as_all_vertices(seed):
    rng = np.random.default_rng(seed)
    n, p = rng.integers(3, 9), rng.integers(1, 4)
    rows = np.column_stack([np.ones(n, int), rng.integers(-2, 3, (n, p))])[:, seed % 2 :]
    y, w = rng.integers(-3, 4, n), rng.integers(1, 3, n)
    if np.linalg.matrix_rank(rows) < rows.shape[1]:
        rows = rows[:, :1]
    if not rows.any():
        rows[0] = 1
    given, tau = [(0.5, Fraction(1, 2)), (1 / 3, Fraction(1, 3)), (0.25, Fraction(1, 4))][seed % 3]
    fit = rw.quantile(rows + 0.0, y + 0.0, given, sample_weight=w + 0.0, fit_intercept=False)
    wanted = brute(rows, y, w, tau)
    found = fit.solutions()
    assert found.ended is rw.Ended.FINISHED
    assert fit.unique == (len(wanted) == 1)
    assert {tuple(v) for v in (found.vertices[:, 1:] + 0.0).tolist()} == {
        tuple(float(v) for v in theta) for theta in wanted
    }
    assert np.array_equal(found.vertices[0], fit.coefficients)


def test_the_median_of_an_even_number():
    fit = rw.lad(np.zeros((4, 1)), [1.0, 2.0, 4.0, 9.0])
    assert not fit.unique
    assert sorted(fit.solutions().vertices[:, 0]) == [2.0, 4.0]


def test_a_third_is_a_third_but_a_decimal_is_what_was_written():
    X, y = np.zeros((3, 1)), [1.0, 2.0, 4.0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rw.RankWarning)
        assert not rw.quantile(X, y, 1.0 / 3.0).unique
        assert not rw.quantile(X, y, 2.0 / 3.0).unique
        assert rw.quantile(X, y, 0.333333333).unique


def test_a_degenerate_vertex_may_be_unique():
    # Four lines through one point: the basis alone does not tell.
    X, y = np.array([[0.0], [0.0], [1.0], [1.0], [2.0]]), np.array([0.0, 0.0, 1.0, 1.0, 2.0])
    assert rw.lad(X, y).unique
    assert len(rw.lad(X, y).solutions().vertices) == 1


def test_a_cube_of_solutions():
    # Three groups of two samples: each coefficient is free between two values.
    X = np.repeat(np.eye(3), 2, axis=0)
    fit = rw.lad(X, [0.0, 1.0, 0.0, 1.0, 0.0, 1.0], fit_intercept=False)
    found = {tuple(v) for v in (fit.solutions().vertices[:, 1:] + 0.0).tolist()}
    assert found == set(itertools.product([0.0, 1.0], repeat=3))
    some = fit.solutions(max_solutions=5)
    assert len(some.vertices) == 5
    assert some.ended is rw.Ended.WORK_LIMIT
    losses = np.abs(fit.y[:, None] - X @ some.vertices[:, 1:].T).sum(axis=0)
    assert (losses == fit.loss).all()


def test_aliased_columns_stay_0():
    with pytest.warns(rw.RankWarning):
        fit = rw.lad([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0]], [1.0, 5.0, 2.0, 6.0])
    assert (fit.solutions().vertices[:, 2] == 0.0).all()


def test_large_numbers_and_degenerate_vertices():
    # Denominators longer than 64 bits.
    data = rw.datasets.load_engel()
    w = np.where(np.arange(235) < 9, 2.0, 1.0)
    fit = rw.lad(np.column_stack([data.X, data.y > 600.0]), data.y, sample_weight=w)
    assert not fit.unique
    vertices = fit.solutions().vertices
    assert len(vertices) > 1
    losses = np.abs(fit.y[:, None] - fit.X @ vertices[:, 1:].T - vertices[:, 0]).T @ w
    assert np.allclose(losses, fit.loss, rtol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_scales_and_weights_tell_nothing(seed):
    # Powers of two change no digit: the answer is that of the small problem.
    rng = np.random.default_rng(seed)
    X, y = rng.integers(-2, 3, (8, 2)) + 0.0, rng.integers(-3, 4, 8) + 0.0
    w = rng.integers(1, 3, 8) + 0.0
    sizes = 2.0 ** rng.integers(-200, 200, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rw.RankWarning)
        one = rw.quantile(X, y, 0.25, sample_weight=w)
        scaled = X * sizes[:2], y * sizes[2]
        other = rw.quantile(*scaled, 0.25, sample_weight=w * sizes[3])
    if not (one.status.proved and other.status.proved):
        pytest.skip("nothing is said of what was not proved")
    factors = sizes[2] / np.array([1.0, *sizes[:2]])
    assert one.unique == other.unique
    wanted = {tuple(v) for v in (one.solutions().vertices * factors + 0.0).tolist()}
    assert {tuple(v) for v in (other.solutions().vertices + 0.0).tolist()} == wanted


def test_nothing_is_said_of_penalised_and_sparse_fits():
    data = rw.datasets.load_stackloss()
    X, y = data.X, data.y
    for fit, words in (
        (rw.lad(X, y, alpha=0.1), "found alpha or constraints, .* refit without"),
        (rw.lad(sparse.csc_array(X), y), r"found a sparse one, refit with X\.toarray"),
        (rw.quantile_path(X, y, [0.25, 0.5], noncrossing=True)[0], "may not cross"),
    ):
        with pytest.raises(ValueError, match=f"solutions: expected .*{words}"):
            fit.solutions()
        with pytest.raises(ValueError, match=words):
            _ = fit.unique


def test_rays_of_a_pyramid():
    rows = np.array([[1, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1], [0, 0, 1]], object)
    found = {tuple(ray) for ray in _edges(rows)}
    assert found == {(1, 1, 1), (1, -1, 1), (-1, 1, 1), (-1, -1, 1)}


def test_nothing_is_said_of_what_was_not_proved():
    rng = np.random.default_rng(0)
    fit = rw.lad(rng.normal(size=(5000, 3)), rng.normal(size=5000), time_limit=1e-9)
    with pytest.raises(ValueError, match="solutions: expected a fit that is proved"):
        fit.solutions()
    with pytest.raises(ValueError, match="max_solutions"):
        rw.lad([[1.0], [2.0]], [1.0, 2.0]).solutions(max_solutions=0)
