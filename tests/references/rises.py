"""Rule 1 of what is handed over: losses are those at the vertices, and rise by rounding at most."""

import numpy as np

import reluplex_walk as rw


def never_rises(traj):
    """Whether `losses` are those at `vertices` and rise by rounding only; theta is the lowest."""
    losses, loss = traj.losses, traj.problem
    assert losses.tolist() == [loss(theta) for theta in traj.vertices]
    size = 1e-12 * (loss.target_size or losses[0])
    assert loss(traj.theta) == traj.loss <= losses.min() * (1 + 1e-9) + size
    assert traj.ended is not rw.Ended.PRECISION or not traj.status.proved
    return bool((np.diff(losses) <= 1e-9 * losses[:-1] + size).all())
