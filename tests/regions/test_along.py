"""Regions along a walk: their pieces against the loss, their order against the steps."""

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.random import VARIANTS, variant


@pytest.mark.parametrize("step", ["adjacent", "long"])
@pytest.mark.parametrize("case", range(len(VARIANTS)))
def test_pieces_along_a_walk(case, step):
    loss = variant(case, 2)
    traj = rw.walk(loss, seed=1, step=step, max_pivots=60)
    regions = traj.regions()
    moves = np.flatnonzero((np.diff(traj.vertices, axis=0) != 0).any(axis=(1, 2)))
    assert (np.unique(regions.steps) == moves).all()
    assert (np.diff(regions.steps) >= 0).all()
    if step == "adjacent":
        assert len(regions) == len(moves)  # an edge lies in no more than one region's border
    for k, gradient, offset, point in zip(
        regions.steps, regions.gradients, regions.offsets, regions.points, strict=True
    ):
        a, b = traj.vertices[k], traj.vertices[k + 1]
        d = b - a
        # The piece is that of the loss on both sides of the point along the step.
        near = 1e-7 * d
        for theta in (point, point + near, point - near):
            value = (gradient * theta).sum() + offset
            assert loss(theta) == pytest.approx(value, rel=1e-9, abs=1e-9)
        if step == "adjacent":  # one piece from vertex to vertex
            for end, value in ((a, traj.losses[k]), (b, traj.losses[k + 1])):
                assert (gradient * end).sum() + offset == pytest.approx(value, rel=1e-6, abs=1e-6)
    if step == "long":
        crossed = traj.steps.crossed[moves].sum()
        assert len(regions) >= len(moves) + (crossed > 0)


def test_a_walk_of_no_steps_passes_through_nothing():
    loss = variant(0, 2)
    traj = rw.walk(loss, max_pivots=0)
    assert len(traj.regions()) == 0
