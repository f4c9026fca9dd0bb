"""The path over penalties: each end is a proved local minimum of its penalised loss."""

import numpy as np
import pytest
from scipy.optimize import linprog

import reluplex_walk as rw


def problem(widths, seed, **more):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(30, widths[0])), rng.normal(size=(30, widths[-1]))
    return rw.LayerLoss(rw.ReLUNetwork.random(widths, seed=seed), X, y, **more)


def least(loss, penalty):
    """The least penalised loss of a linear fit, by HiGHS."""
    X, y = loss.X, loss.y[:, 0]
    n, p = X.shape
    cost = np.concatenate([[0.0], penalty * np.ones(2 * p), np.ones(2 * n)])
    matrix = np.column_stack([np.ones(n), X, -X, -np.eye(n), np.eye(n)])
    bounds = [(None, None)] + [(0, None)] * (2 * p + 2 * n)
    return linprog(cost, A_eq=matrix, b_eq=y, bounds=bounds, method="highs").fun


@pytest.mark.parametrize("seed", range(3))
def test_of_linear_fits_it_is_what_highs_finds(seed):
    loss = problem([4, 1], seed)
    path = rw.penalty_path(loss, n=8)
    assert path.ended is rw.Ended.FINISHED
    for i, penalty in enumerate(path.penalties):
        assert path.certificates[i].is_global
        assert path.objectives[i] == pytest.approx(least(loss, penalty), rel=1e-9)
        weights = np.abs(path.thetas[i][:, :-1]).sum()
        assert path.losses[i] + penalty * weights == pytest.approx(path.objectives[i], rel=1e-12)
    assert (np.diff(path.losses) >= -1e-9).all()


@pytest.mark.parametrize(
    ("widths", "more"),
    [
        ([3, 4, 1], {}),
        ([2, 3, 1], {"kind": "pinball", "tau": 0.3}),
        ([2, 3, 1], {"layer": 1}),
        ([2, 3, 2], {"fit_intercept": False}),
    ],
)
def test_every_end_is_certified(widths, more):
    path = rw.penalty_path(problem(widths, 1, **more), n=6)
    for i, certificate in enumerate(path.certificates):
        certificate.verify_exact(path.problem(i))
    assert path.n_nonzero[0] >= path.n_nonzero[-1] == 0
    assert (np.diff(path.penalties) > 0.0).all()
    frame = path.to_frame()
    assert frame["proved"].all()
    assert len(frame) == 6


def test_two_hidden_layers():
    path = rw.penalty_path(problem([2, 3, 2, 1], 3), [0.001, 0.1])
    for i, certificate in enumerate(path.certificates):
        certificate.verify_exact(path.problem(i))


def test_limits_and_interruptions_keep_what_was_found():
    loss = problem([3, 4, 1], 2)

    def stop(progress):
        if progress.n_penalties == 2:
            raise KeyboardInterrupt

    path = rw.penalty_path(loss, n=6, callback=stop)
    assert path.ended is rw.Ended.INTERRUPTED
    assert len(path.penalties) == len(path.thetas) == 2
    assert len(rw.penalty_path(loss, n=6, time_limit=1e-9).penalties) < 6


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"penalties": []}, "penalties"),
        ({"penalties": [1.0, -1.0]}, "penalties"),
        ({"n": 0}, "n:"),
        ({"start": [1.0]}, "start"),
    ],
)
def test_bad_arguments_are_named(more, word):
    with pytest.raises(ValueError, match=word):
        rw.penalty_path(problem([2, 2, 1], 0), **more)
