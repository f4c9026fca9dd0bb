"""Small losses to make many walks on, and when two ensembles are the same."""

import numpy as np

import reluplex_walk as rw

NAMES = ("seed", "loss", "status", "reason", "pivots", "key", "rank", "figures")


def problem(widths=(2, 3, 1), n=15, seed=0):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, widths[0])), rng.normal(size=n)
    return rw.LayerLoss(rw.ReLUNetwork.random(widths, seed=seed), X, y)


LOSS = problem()


def assert_same(one, other):
    """The same rows, bit for bit but for the seconds."""
    assert len(one) == len(other)
    for a, b in zip(one._rows, other._rows, strict=True):
        assert [getattr(a, name) for name in NAMES] == [getattr(b, name) for name in NAMES]
        assert a.theta.tobytes() == b.theta.tobytes()


def slopes(traj):
    return {"slope": traj.certificate.smallest_slope, "odd": None if traj.n_pivots % 2 else 1.0}


def rounded(seed):
    """Data on which floats see faces where there is none, or take ends for one that are not."""
    rng = np.random.default_rng(seed)
    if seed % 2:
        X = np.round(100 + rng.normal(size=(10, 1)), 3)
        return rw.LayerLoss(
            rw.ReLUNetwork.random([1, 2, 2, 1], seed=seed), X, np.round(rng.normal(size=10), 2)
        )
    X = 1e5 + rng.integers(-2, 3, size=(10, 2)) + rng.normal(size=(10, 2)) * 1e-9
    y = rng.integers(-2, 3, size=10) / 3
    return rw.LayerLoss(rw.ReLUNetwork.random([2, 2, 1], seed=seed), X, y)
