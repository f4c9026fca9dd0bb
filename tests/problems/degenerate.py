"""Problems that are degenerate by nature."""

import warnings

import numpy as np

import reluplex_walk as rw

RNG = np.random.default_rng(0)
SQUARE = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
GRID = np.array([(a, b) for a in range(5) for b in range(5)], float)
LINE = np.outer(RNG.integers(-5, 6, 30), [1, 2, -1]) + np.array([1.0, 0.0, 2.0])
PLANE, NOISE = RNG.normal(size=(20, 2)), RNG.normal(size=30)
IRIS = np.round(RNG.normal([5.8, 3.1, 3.8, 1.2], size=(60, 4)), 1)
STACK = rw.datasets.load_stackloss()


def problem(widths, X, y, seed=0, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rw.RankWarning)  # lines and planes are meant
        return rw.LayerLoss(rw.ReLUNetwork.random(widths, seed=seed, **options), X, y)


def zeros_among_counts(n, hidden, seed):
    """Counts on a grid, most of them 0: several neurons end at 0, residuals vanish with them."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 6, (n, 2)).astype(float)
    y = np.where(rng.random(n) < 0.6, 0, rng.poisson(3, n)).astype(float)
    return problem([2, hidden, 1], X, y, seed)


PROBLEMS = {
    "xor": problem([2, 3, 1], SQUARE, [0.0, 1.0, 1.0, 0.0]),
    "integer grid": problem([2, 3, 3, 1], GRID, RNG.integers(0, 2, 25)),
    "wide integer grid": problem([2, 4, 1], GRID, RNG.integers(0, 2, 25)),
    "one-hot": problem([3, 3, 1], np.eye(3)[RNG.integers(0, 3, 20)], NOISE[:20]),
    "all samples equal": problem([2, 3, 1], np.ones((10, 2)), NOISE[:10]),
    "all targets equal": problem([2, 3, 1], PLANE, np.full(20, 2.0)),
    "fewer samples than parameters": problem([5, 3, 1], RNG.normal(size=(3, 5)), NOISE[:3]),
    "zero biases": problem([2, 3, 3, 1], RNG.normal(size=(30, 2)), NOISE, init="he"),
    "collinear in 3-D": problem([3, 3, 1], LINE, NOISE),
    "stack loss": problem([3, 4, 1], STACK.X, STACK.y),
    "one decimal": problem([4, 3, 1], IRIS, RNG.integers(0, 3, 60)),
    "one decimal, linear": problem([4, 1], IRIS, RNG.integers(0, 3, 60)),
    "one decimal, deep": problem([4, 3, 2, 1], IRIS, RNG.integers(0, 3, 60)),
}
