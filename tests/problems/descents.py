"""Losses for gradient methods, a method that looks on, and whether two paths are the same."""

import numpy as np

import reluplex_walk as rw

from .random import random_loss


def whole_network(widths, n, seed, **options):
    one = random_loss(widths, n, seed)
    return rw.NetworkLoss(one.network, one.X, one.y, **options)


LOSSES = {
    "layer": random_loss([3, 5, 3, 1], 50, 0, weighted=True),
    "deeper": random_loss([3, 5, 3, 1], 50, 5, layer=1),
    "network": whole_network([3, 5, 3, 1], 50, 0),
    "squared": whole_network([3, 4, 2], 40, 1, kind="squared", block=(0, 1)),
}


class Recording:
    """A method that stays where it is, and keeps what gradients it was given."""

    def __init__(self, calls):
        self.calls, self.given, self.theta, self.clip_share = calls, [], None, 0.0
        self.effective_rate = 0.0

    def begin(self, theta, learning_rate, seed):
        self.theta = theta
        return self

    def restore(self, arrays):
        raise NotImplementedError

    def arrays(self):
        return {}

    def step(self, gradient, left):
        if self.calls > left:
            return 0
        self.given.append([gradient(self.theta) for _ in range(self.calls)])
        return self.calls


def equal(a, b):
    for name in ("theta", "best", "losses", "gradients", "clip_shares", "effective_rates"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert a.checkpoint.keys() == b.checkpoint.keys()
    for name, value in a.checkpoint.items():
        np.testing.assert_array_equal(value, b.checkpoint[name])
    assert (a.ended, a.method, a.batch, a.learning_rate, a.seed) == (
        (b.ended, b.method, b.batch, b.learning_rate, b.seed)
    )
