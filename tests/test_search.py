"""`minimize`: against proved global minima, its own walks, and what it promises."""

import signal

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk import search

from .problems import random_loss


def tiny(seed: int) -> rw.LayerLoss:
    rng = np.random.default_rng(seed)
    X, y = rng.uniform(-3, 3, (7, 1)), rng.uniform(-3, 3, 7)
    return rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=seed), X, y)


@pytest.mark.parametrize("seed", range(6))
def test_global_minimum_of_tiny_problems(seed):
    loss = tiny(seed)
    found = rw.minimize(loss, max_walks=40, seed=seed)
    assert found.loss == pytest.approx(rw.global_minimum(loss).loss, abs=1e-9)
    assert found.best.status.proved
