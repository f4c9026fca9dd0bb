"""What knows nothing of penalties says so, and takes none for 0."""

import numpy as np
import pytest

import reluplex_walk as rw

LOSS = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], 0), [[0.0], [1.0]], [0.0, 1.0], penalty=0.5)
THETA, OTHER = LOSS.theta, np.ones(LOSS.shape)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: rw.enumerate_regions(LOSS),
        lambda: rw.slice(LOSS, THETA, OTHER, THETA),
        lambda: rw.crossings(LOSS, THETA, OTHER),
        lambda: rw.line_section(LOSS, THETA, OTHER),
        lambda: rw.vertex_graph(LOSS),
        lambda: rw.descend(LOSS, "sgd", 10, learning_rate=0.1),
    ],
)
def test_what_knows_nothing_of_penalties_refuses_them(ask):
    with pytest.raises(ValueError, match="penalty: expected a loss without one"):
        ask()


def test_global_minima_with_a_penalty_ask_for_a_box_and_no_regions():
    with pytest.raises(ValueError, match=r"box: expected .* with a penalty"):
        rw.global_minimum(LOSS)
    with pytest.raises(ValueError, match="method: expected 'auto' or 'milp' with a penalty"):
        rw.global_minimum(LOSS, box=1.0, method="regions")


@pytest.mark.parametrize("penalty", [-1.0, np.inf, np.nan, "much"])
def test_what_is_no_penalty(penalty):
    with pytest.raises((ValueError, TypeError), match="penalty"):
        rw.LayerLoss(LOSS.network, [[0.0], [1.0]], [0.0, 1.0], penalty=penalty)
