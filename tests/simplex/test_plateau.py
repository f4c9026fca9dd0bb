"""Weak minima: reported, or crossed along flat half-edges."""

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.random import random_loss
from tests.references.rises import never_rises


@pytest.mark.parametrize(("widths", "seed"), [([2, 3, 1], 2), ([2, 6, 1], 4), ([2, 6, 1], 5)])
def test_beyond_a_plateau_the_loss_may_descend(widths, seed):
    loss = random_loss(widths, 20, seed)
    stopped, crossed = (rw.walk(loss, plateau=plateau) for plateau in ("stop", "cross"))
    k = stopped.n_pivots
    assert not stopped.certificate.strict
    np.testing.assert_array_equal(stopped.vertices[:-1], crossed.vertices[:k])  # the same walk
    assert crossed.loss < stopped.loss - 0.01
    assert never_rises(crossed)
    flat = crossed.steps.slope[k:] == 0.0
    assert flat.any()
    assert crossed.losses[k + int(np.argmin(flat))] == pytest.approx(stopped.loss, rel=1e-12)
    crossed.verify()


def test_crossing_ends_and_never_loses(tmp_path):
    for seed in range(8):
        loss = random_loss([2, 2, 1], 12, seed)
        stopped, crossed = (rw.walk(loss, plateau=plateau) for plateau in ("stop", "cross"))
        assert crossed.loss <= stopped.loss
        assert crossed.status.proved
    crossed.save(tmp_path / "walk.npz")
    assert rw.Trajectory.load(tmp_path / "walk.npz").options.plateau == "cross"


def test_unknown_plateau():
    with pytest.raises(ValueError, match="plateau: expected one of"):
        rw.walk(random_loss([2, 2, 1], 12, 0), plateau="jump")
