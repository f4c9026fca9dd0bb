"""Where the solver proves nothing in floats: a walk, in rational arithmetic where it has to be."""

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from .._limits import Limits
from ..simplex.progress import Progress
from ..simplex.trajectory import Trajectory
from ..simplex.walk import walk
from .data import Data, slopes_of
from .solver import FitProgress

Floats = NDArray[np.float64]

_PROOF_SECONDS = 60.0  # for a proof in rational arithmetic, where rounding leaves doubt
_PIVOTS = (1000, 100)  # at most, and more for each parameter: the start is near the minimum


def by_walking(
    data: Data, tau: float | None, fit_intercept: bool, theta: Floats, limits: Limits
) -> tuple[Floats, Floats, Trajectory]:
    """Coefficients and dual solution by a walk, exact where it has to be, and the walk.

    It ends where `limits` are over.
    """
    loss = data.problem(tau, fit_intercept)
    start = np.append(theta[1:], theta[0])

    def callback(progress: Progress) -> None:
        limits.pass_to(FitProgress(progress.n_pivots, len(data.y), limits.elapsed))

    traj = walk(
        loss,
        start,
        step="long",
        max_pivots=_PIVOTS[0] + _PIVOTS[1] * theta.size,
        proof_budget=_PROOF_SECONDS,
        time_limit=limits.remaining,
        callback=callback,
    )
    end = traj.theta[0]
    vanishing = loss.pattern(end)[0][:, 0] == 0
    below, above = slopes_of(tau).floats
    r = data.X @ end[:-1] + end[-1] - data.y
    dual = np.where(vanishing, 0.0, np.where(r > 0.0, -above, below)) * data.w
    some = vanishing & (data.w > 0.0)
    x = np.column_stack([data.X, np.ones(len(r))])[:, loss.free[0]]
    bounds = -above * data.w[some], below * data.w[some]
    dual[some] = optimize.lsq_linear(x[some].T, -(dual @ x), bounds, method="bvls").x
    return np.roll(end, 1), dual, traj


__all__ = ["by_walking"]
