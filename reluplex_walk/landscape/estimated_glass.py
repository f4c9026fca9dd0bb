"""What gradients on random lines tell of the glass around a point."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._shown import repr_html
from ..ended import Ended
from ..problem.loss import Floats, LayerLoss
from ..regions.line import crossings
from .lines import deviation, rademacher
from .offsets import Offsets
from .variogram import Variogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class EstimatedGlass:
    """The glass around a point, estimated from gradients; what :func:`estimate` returns.

    Attributes
    ----------
    theta : ndarray (D,)
        The middle of all lines.
    sigma : float
        Root mean square of the Euclidean distance from there to the ends of a line.
    points : int
        Gradients on a line.
    offsets : ndarray (lines,)
        Distance from `theta` to the ends of each line; `sigma`, but for other samples.
    seed : int
    rho : ndarray (D,)
        Density of the glass of each coordinate: variance per unit length.
    h : ndarray (D,)
        The diagonal of the Hessian; where that is 0, the mean slope of the gradient.  This and
        `rho` are 0 for parameters of a LayerLoss that are not `free`.
    rho_along, h_along : float
        The same along the lines: what a random unit direction meets.
    h_spread : float
        Variance of the slope along v between directions, less what the glass explains.
    gradients : int
        How many were evaluated; of callables one more than lines need, to see that it is the same
        again, and two on each line on which three look smooth.
    squares : ndarray ((points - 1) // 2,)
        What :meth:`variogram` is made of.
    kernel, samples : str
        As asked for.
    problem : LayerLoss or None
        The loss, if its gradient was taken.
    sign_changes : float or None
        Breakpoints whose sign differs between neighbouring points of a line, on average; None
        where no pattern is known.
    ended : Ended
        FINISHED, or TIME_LIMIT or INTERRUPTED with fewer lines than were asked for.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
    >>> found = rw.glass.estimate(loss, loss.theta, 0.15)
    >>> found.rho.shape, found.h.shape, found.gradients  # one in the middle, two on each line
    ((25,), (25,), 49)
    >>> found.directions.shape, found.n_crossings > 20
    ((24, 25), True)
    >>> bool(found.rho_total == found.rho.sum()), found.rho_error.shape, found.h_error.shape
    (True, (25,), (25,))
    """

    theta: Floats
    sigma: float
    points: int
    offsets: Floats
    seed: int
    rho: Floats
    h: Floats
    rho_along: float
    h_along: float
    h_spread: float
    gradients: int
    squares: Floats
    kernel: str = "optimal"
    samples: str = "rademacher"
    problem: LayerLoss | None = None
    sign_changes: float | None = None
    ended: Ended = Ended.FINISHED

    @property
    def rho_total(self) -> float:
        """The sum of `rho` over all coordinates."""
        return float(self.rho.sum())

    @property
    def directions(self) -> Floats:
        """Unit vectors along the lines, (lines, D): those of :func:`exact` with this seed."""
        return rademacher(len(self.offsets), self._free, self.seed)

    @property
    def _free(self) -> NDArray[np.bool_]:
        """The parameters (D,) that the lines move."""
        if self.problem is None:
            return np.ones(len(self.theta), np.bool_)
        return self.problem.free.ravel()

    @cached_property
    def n_crossings(self) -> float | None:
        """Breakpoints crossed by a line on average: exactly of a LayerLoss, else `sign_changes`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> found = rw.glass.estimate(loss, loss.theta, 0.15)
        >>> other = rw.glass.estimate(lambda theta: loss.gradient(theta), loss.theta, 0.15)
        >>> found.n_crossings > 20, other.n_crossings
        (True, None)
        """
        if self.problem is None:
            return self.sign_changes
        ends = self.offsets[:, None] * self.directions
        lines = [(self.theta - each, self.theta + each) for each in ends]
        return float(np.mean([len(crossings(self.problem, a, b).ids) for a, b in lines]))

    @property
    def rho_error(self) -> Floats:
        """Standard error of `rho`, (D,), if lines were independent.

        For m points and N crossings on a line ``rho sqrt((2 / (m - 2) + 3 / N) / lines)``; the term
        of N is left out where it is not known, :attr:`n_crossings`.  The lines of one point cross
        the same breakpoints, so that errors are larger: take new points for that.
        """
        return self.rho * self._relative_error

    @property
    def rho_total_error(self) -> float:
        """Standard error of `rho_total`, if all coordinates erred together: at most this.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> found = rw.glass.estimate(loss, loss.theta, 0.15)
        >>> 0.28 < found.rho_total_error / found.rho_total < 0.35  # sqrt(2 / 24) for many crossings
        True
        """
        return self.rho_total * self._relative_error

    @property
    def _relative_error(self) -> float:
        moment = 2.0 / (self.points - 2) + (3.0 / self.n_crossings if self.n_crossings else 0.0)
        spread = Offsets(self.kernel, self.samples, self.sigma).spread
        return float(np.sqrt(((moment + 1.0) * spread - 1.0) / len(self.offsets)))

    @property
    def h_error(self) -> Floats:
        """Standard error of `h`, (D,), if lines were independent.

        From the glass, ``sqrt(D rho / (2 sigma lines))``; lines of different lengths have larger
        errors, the more so the larger ``h^2 sigma`` is against ``D rho``.
        """
        offsets = Offsets(self.kernel, self.samples, self.sigma)
        variance = offsets.variance_of_h(np.count_nonzero(self._free) * self.rho, self.h)
        return np.sqrt(variance / len(self.offsets))

    def variogram(self) -> Variogram:
        """The variance of differences of the gradients, by their distance, up to half a line.

        Three points have but one distance; take five or more to see whether it grows linearly.
        ``linear`` goes on from the first distance.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> found = rw.glass.estimate(loss, loss.theta, 0.15, points=9).variogram()
        >>> found.distance.round(6).tolist()
        [0.0375, 0.075, 0.1125, 0.15]
        """
        distance = 2.0 * self.sigma * np.arange(1, len(self.squares) + 1) / (self.points - 1)
        return Variogram(distance, self.squares * distance, self.squares[0] * distance)

    def bound(self, distance: ArrayLike, level: float = 0.95) -> Any:
        """How far the loss may be from its linear model after a `distance`, a number or (d,).

        With a probability of about `level` along a random direction, as :meth:`ExactGlass.bound`
        has it, where what falls outside is counted; an estimate of one point may be off besides.
        ValueError if an argument does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> near, far = rw.glass.estimate(loss, loss.theta, 0.15).bound([0.1, 0.2])
        >>> bool(2.0**1.5 <= far / near <= 2.0**2)
        True
        """
        return deviation(distance, level, self.rho_along, self.h_along, self.h_spread)

    def plot(self, ax: "Axes | None" = None, title: str | None = None) -> "Axes":
        """The variogram, on the axes `ax` or new ones, with a `title`.

        See :func:`reluplex_walk.plotting.plot_glass` (extra ``plot``).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> found = rw.glass.estimate(loss, loss.theta, 0.15, points=9)
        >>> found.plot(ax=Figure().subplots()).get_ylabel()
        'variance of differences of the gradient'
        """
        from ..plotting import plot_glass

        return plot_glass(self, ax, title)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        return (
            f"EstimatedGlass(rho_total {self.rho_total:.3g} from {self.gradients} gradients on "
            f"{len(self.offsets)} lines of +-{self.sigma:g})"
        )


__all__ = ["EstimatedGlass"]
