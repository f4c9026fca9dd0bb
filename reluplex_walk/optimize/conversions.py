"""What `minimize` found as a table of pandas, a dataset of xarray and a record of SciPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._conversions import dataset, frame, of_layer, optimize_result
from ..ended import Ended
from ..simplex.trajectory import Trajectory

Floats = NDArray[np.float64]


class ConvertedMinimization:
    """The part of a `Minimization` that speaks of it in the words of other libraries."""

    best: Trajectory
    thetas: Floats
    levels: Floats
    proved: NDArray[np.bool_]
    seconds: Floats
    losses: Floats
    ended: Ended
    elapsed: float

    def to_frame(self) -> Any:
        """A table of pandas, a row for each walk: when and where it ended, and the least so far.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> table = rw.minimize(loss, max_walks=4).to_frame()
        >>> list(table.columns), len(table), bool(table.best.is_monotonic_decreasing)
        (['seconds', 'loss', 'best'], 4, True)
        """
        least = np.minimum.accumulate(self.losses)
        return frame({"seconds": self.seconds, "loss": self.losses, "best": least}, "walk")

    def to_xarray(self) -> Any:
        """A Dataset of xarray: ends by level, neuron and input, and the time course by walk.

        Coordinates are those of :meth:`Trajectory.to_xarray`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> found = rw.minimize(loss, max_walks=4)
        >>> ends = found.to_xarray()
        >>> ends.theta.dims, bool((ends.loss == found.levels).all())
        (('level', 'neuron', 'input'), True)
        """
        problem = self.best.problem
        return dataset(
            {
                "theta": (("level", "neuron", "input"), self.thetas),
                "loss": ("level", self.levels),
                "proved": ("level", self.proved),
                "walk_seconds": ("walk", self.seconds),
                "walk_loss": ("walk", self.losses),
            },
            {
                "level": np.arange(len(self.levels)),
                "walk": np.arange(len(self.losses)),
                **of_layer(problem.shape, problem.fit_intercept),
            },
            {"ended": self.ended.name, "loss": self.best.loss, "seconds": self.elapsed},
        )

    def to_scipy(self) -> Any:
        """A ``scipy.optimize.OptimizeResult``; ``success`` if the best end is a proved minimum.

        ``nit`` counts walks; the best of them is ``lowest_optimization_result``, as for
        ``scipy.optimize.basinhopping``.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> found = rw.minimize(loss, max_walks=4).to_scipy()
        >>> found.success, found.nit, found.x.shape, found.certificate.is_local_minimum
        (True, 4, (6,), True)
        """
        best = self.best.to_scipy()
        words = self.ended.message
        return optimize_result(
            best.x,
            best.fun,
            success=best.success,
            ended=self.ended,
            message=f"the search {words}; of its best walk: {best.message}",
            nit=len(self.losses),
            certificate=self.best.certificate,
            lowest_optimization_result=best,
        )


__all__ = ["ConvertedMinimization"]
