"""Walks of every kind that reports are written of: short, long, unproved, with no plane."""

from functools import cache

import numpy as np

import reluplex_walk as rw


def _data(n: int, p: int, outputs: int = 1, seed: int = 0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)).round(3)
    y = (np.abs(X[:, :1]) + 0.3 * rng.normal(size=(n, outputs))).round(3)
    return X, y


def _loss(widths, n=25, seed=0, **options):
    X, y = _data(n, widths[0], widths[-1], seed)
    if options.get("kind") == "hinge":
        y = np.where(y > y.mean(), 1.0, -1.0)
    return rw.LayerLoss(rw.ReLUNetwork.random(widths, seed=seed), X, y, **options)


@cache
def curve():
    """One input and one output, with an end that is proved; its plane is exact."""
    return rw.walk(_loss([1, 3, 1]))


@cache
def two_outputs():
    return rw.walk(_loss([3, 3, 2], n=20), max_pivots=40)


@cache
def on_a_line():
    """Two vertices: no plane goes through them alone."""
    return rw.walk(curve().problem, max_pivots=curve().phase1 + 1)


def _interrupted():
    def stop(progress):
        raise KeyboardInterrupt

    return rw.walk(curve().problem, callback=stop)


def _constant():
    net = rw.ReLUNetwork.random([1, 2, 1])
    return rw.walk(rw.LayerLoss(net, [[2.0], [2.0], [2.0]], [1.0, 1.0, 4.0]))


def _leaky():
    net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    leaky = rw.ReLUNetwork(net.weights, net.biases, negative_slope=0.1)
    X, y = _data(25, 1)
    return rw.walk(rw.LayerLoss(leaky, X, y))


WALKS = {
    "curve": curve,
    "two outputs": two_outputs,
    "on a line": on_a_line,
    "at its end": lambda: rw.walk(curve().problem, start=curve().theta),
    "no pivots": lambda: rw.walk(curve().problem, max_pivots=0),
    "one pivot": lambda: rw.walk(curve().problem, max_pivots=1),
    "long steps": lambda: rw.walk(curve().problem, step="long"),
    "interrupted": _interrupted,
    "unproved": lambda: rw.walk(curve().problem, proof="off"),
    "penalty": lambda: rw.walk(_loss([2, 2, 1], penalty=0.5)),
    "quantile": lambda: rw.walk(_loss([1, 2, 1], kind="pinball", tau=0.9)),
    "hinge": lambda: rw.walk(_loss([2, 2, 1], kind="hinge")),
    "deep": lambda: rw.walk(_loss([2, 3, 2, 1], layer=1)),
    "last layer": lambda: rw.walk(_loss([2, 3, 1], layer=1)),
    "one parameter": lambda: rw.walk(
        rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[1.0], [2.0]], [1.0, 3.0], fit_intercept=False)
    ),
    "loss 0": lambda: rw.walk(rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0]], [1, 2])),
    "constant data": _constant,
    "dead neurons": lambda: rw.walk(curve().problem, start=[[-1.0, -9.0]] * 3),
    "leaky": _leaky,
}
