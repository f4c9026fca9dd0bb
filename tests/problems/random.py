"""Random problems for the tests."""

import numpy as np

import reluplex_walk as rw


def random_loss(widths, n, seed, **options):
    """Weights uniform(-1, 1), X and y uniform(-3, 3)."""
    rng = np.random.default_rng(seed)
    network = rw.ReLUNetwork.random(
        widths, seed=seed, negative_slope=options.pop("negative_slope", 0.0)
    )
    X = rng.uniform(-3, 3, (n, widths[0]))
    y = rng.uniform(-3, 3, (n, widths[-1]))
    if options.get("kind") == "hinge":
        y = np.sign(y)
    if options.pop("weighted", False):
        options["sample_weight"] = rng.uniform(0.5, 2.0, n)
    return rw.LayerLoss(network, X, y, **options)


VARIANTS = [
    ([2, 3, 1], 12, {}),
    ([2, 3, 1], 12, {"kind": "pinball", "tau": 0.8}),
    ([2, 3, 1], 12, {"kind": "hinge"}),
    ([2, 3, 1], 12, {"negative_slope": 0.1, "weighted": True}),
    ([2, 3, 2, 1], 15, {}),
    ([2, 3, 3, 2], 15, {}),
    ([2, 3, 3, 1], 15, {"layer": 1}),
    ([2, 3, 3, 1], 15, {"layer": 2}),
    ([3, 1], 20, {}),
    ([4, 5, 4, 2, 1], 60, {}),
]
"""(widths, n, options) of every kind of loss."""


def variant(case, seed):
    widths, n, options = VARIANTS[case]
    return random_loss(widths, n, seed, **options)
