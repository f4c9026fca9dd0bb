"""Small problems whose whole topology can be had: for merge trees and barriers.

By number, since most are made for benchmarks only: `plane(k)` for k < 50 has two parameters,
`space(k)` for k < 18 three to six.  Every second one has small integers for data and weights, where
many breakpoints meet and many levels are equal.
"""

import warnings
from itertools import pairwise

import numpy as np

import reluplex_walk as rw

PLANE = [
    ([1, 1, 1], 8, {}, (14, 0)),
    ([1, 1, 1], 15, {}, (1, 0)),
    ([1, 1, 1], 10, {"repeated": True}, (5, 0)),
    ([1, 1, 1], 10, {"weighted": True}, (3, 0)),
    ([1, 1, 1], 10, {"kind": "pinball", "tau": 0.8}, (4, 0)),
    ([1, 1, 1], 10, {"kind": "pinball", "tau": 0.1, "weighted": True}, (0, 0)),
    ([1, 1, 1], 10, {"kind": "hinge"}, (0, 0)),
    ([1, 1, 1], 10, {"negative_slope": 0.1}, (0, 0)),
    ([1, 1, 1], 9, {"negative_slope": 0.5, "kind": "pinball", "tau": 0.3}, (5, 1)),
    ([1, 1, 1], 3, {}, (3, 2)),
    ([1, 1, 1], 8, {"equal": True}, (0, 0)),
    ([1, 1, 1], 9, {"tent": True}, (9, 2)),
    ([1, 1, 2, 1], 8, {}, (0, 3)),
    ([1, 1, 2, 1], 8, {"negative_slope": 0.2}, (0, 2)),
    ([1, 1, 2, 1], 8, {"kind": "hinge"}, (0, 6)),
    ([1, 1, 3, 1], 7, {}, (0, 1)),
    ([1, 1, 3, 1], 7, {"repeated": True, "weighted": True}, (2, 19)),
    ([1, 1, 2, 2, 1], 6, {}, (0, 2)),
    ([1, 1, 2, 2, 1], 6, {"negative_slope": 0.1, "kind": "pinball", "tau": 0.7}, (0, 0)),
    ([1, 1, 2], 8, {}, (0, 2)),
    ([1, 1, 2, 2], 6, {}, (0, 17)),
    ([1, 1], 10, {}, (0, 0)),
    ([1, 1], 10, {"kind": "pinball", "tau": 0.9, "repeated": True}, (0, 0)),
    ([1, 1, 1, 1], 12, {"layer": 1}, (4, 0)),
    ([2, 1, 1, 2], 12, {"layer": 1, "negative_slope": 0.3}, (10, 4)),
]
"""(widths, samples, options, seeds), D = 2; with seeds that have several minima where any has."""

SPACE = [
    ([1, 2, 1], 5, {"same": True}, (0, 2)),  # neurons that can be swapped
    ([1, 2, 1], 5, {}, (1, 0)),
    ([1, 2, 1], 5, {"kind": "pinball", "tau": 0.8, "weighted": True}, (1, 0)),
    ([3, 1, 1], 8, {}, (0, 0)),
    ([1, 2, 2, 1], 4, {"negative_slope": 0.1}, (0, 0)),
    ([1, 2, 2], 4, {}, (2, 2)),
    ([2, 1, 1], 9, {}, (1, 0)),
    ([4, 1, 1], 8, {"kind": "hinge"}, (6, 3)),
    ([2, 2, 1], 4, {"repeated": True}, (0, 0)),
]
"""(widths, samples, options, seeds), D = 4 but for the last three."""


def plane(number):
    """Problem `number` < 50 of two parameters."""
    *case, seeds = PLANE[number // 2]
    return made(*case, bool(number % 2), seeds[number % 2])


def space(number):
    """Problem `number` < 18 of three to six parameters."""
    *case, seeds = SPACE[number // 2]
    return made(*case, bool(number % 2), seeds[number % 2])


def made(widths, n, options, whole, seed):
    """The loss of such a network on n samples, of integers if `whole`."""
    options = dict(options)
    rng = np.random.default_rng(seed)

    def draw(size, high=3):
        return (
            rng.integers(-high, high + 1, size) * 1.0 if whole else rng.uniform(-high, high, size)
        )

    weights = [draw((b, a), 2) for a, b in pairwise(widths)]
    weights = [np.where(w == 0.0, 1.0, w) for w in weights]
    biases = [draw(b, 1) for b in widths[1:]]
    if options.pop("same", False):
        weights[1:] = [np.ones_like(w) for w in weights[1:]]
    X, y = draw((n, widths[0]), 4), draw((n, widths[-1]), 5)
    if options.pop("repeated", False):
        X = X[rng.integers(0, max(min(2, n), n // 2), n)]
    if options.pop("equal", False):
        y[:] = 2.0
    if options.pop("tent", False):
        y = 3.0 - 2.0 * np.abs(X)
    if options.get("kind") == "hinge":
        y = np.where(y > 0, 1.0, -1.0)
    if options.pop("weighted", False):
        options["sample_weight"] = rng.integers(1, 4, n) if whole else rng.uniform(0.5, 2.0, n)
    network = rw.ReLUNetwork(weights, biases, negative_slope=options.pop("negative_slope", 0.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rw.RankWarning)  # some are meant to
        return rw.LayerLoss(network, X, y, **options)
