"""The glass estimated from ordinary gradients on random lines, as Alice does (arXiv 2411.16914)."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .._limits import Limits
from .._validate import choice, integer, positive
from ..ended import Ended
from ..problem.loss import Floats, LayerLoss
from ..regions.line import crossings
from .gradients import Source, source_of
from .lines import GlassWarning, check_moves, deviation, rademacher, spread_of
from .offsets import KERNELS, SAMPLES, Offsets
from .variogram import Variogram, of_path

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
    directions : ndarray (lines, D)
        Unit vectors, the same as of :func:`exact` with this seed.
    rho : ndarray (D,)
        Density of the glass of each coordinate: variance per unit length.
    h : ndarray (D,)
        The diagonal of the Hessian; where that is 0, the mean slope of the gradient.
    rho_along, h_along : float
        The same along the lines: what a random unit direction meets.
    h_spread : float
        Variance of the slope along v between directions, less what the glass explains.
    gradients : int
        How many were evaluated.
    squares : ndarray ((points - 1) // 2,)
        What :meth:`variogram` is made of.
    kernel, samples : str
        As asked for.
    problem : LayerLoss or None
        The loss, if its gradient was taken.
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
    >>> bool(found.rho_total == found.rho.sum()), found.rho_error.shape, found.h_error.shape
    (True, (25,), (25,))
    """

    theta: Floats
    sigma: float
    points: int
    offsets: Floats
    directions: Floats
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
    ended: Ended = Ended.FINISHED

    @property
    def rho_total(self) -> float:
        """The sum of `rho` over all coordinates."""
        return float(self.rho.sum())

    @cached_property
    def n_crossings(self) -> float | None:
        """Breakpoints crossed by a line on average, counted exactly; None if no loss is known.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> found = rw.glass.estimate(loss, loss.theta, 0.15)
        >>> found.n_crossings > 20, rw.glass.estimate(loss.gradient, loss.theta, 0.15).n_crossings
        (True, None)
        """
        if self.problem is None:
            return None
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
        """Standard error of `h`, (D,), from the glass alone: ``sqrt(D rho / (2 sigma lines))``."""
        return np.sqrt(len(self.rho) * self.rho / (2.0 * self.sigma * len(self.offsets)))

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

        With probability `level` along a random direction, as :meth:`ExactGlass.bound` has it.
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

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """The variogram, on the axes `ax` or new ones.

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

        return plot_glass(self, ax)

    def __repr__(self) -> str:
        return (
            f"EstimatedGlass(rho_total {self.rho_total:.3g} from {self.gradients} gradients on "
            f"{len(self.offsets)} lines of +-{self.sigma:g})"
        )


def estimate(
    gradient: Any,
    theta: Any,
    sigma: float,
    lines: int = 24,
    points: int = 3,
    seed: int = 0,
    *,
    kernel: str = "optimal",
    samples: str = "rademacher",
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> EstimatedGlass:
    """The glass around `theta`, estimated from gradients on random lines through it.

    With gradients g-, g0 and g+ at ``theta - sigma v``, `theta` and ``theta + sigma v``, the mean
    of ``2 ((g+ + g-) / 2 - g0)^2 / sigma`` is the density of each coordinate's glass, whatever the
    mean slope; that slope comes from ``(g+ - g-) / 2``.

    Parameters
    ----------
    gradient : LayerLoss, callable, or object with a method ``gradient``
        What maps parameters to a gradient of their shape, without chance: arrays to arrays, or
        tensors of PyTorch to tensors.  Or a closure without arguments that leaves gradients in the
        parameters, as torch's optimizers take it; then `theta` is these.
    theta : array_like, tensor, or sequence of tensors
        Where the lines meet.  Parameters of a model are left as they were.
    sigma : float
        Euclidean distance to the ends of a line.
    lines : int, default 24
        Rademacher directions, of components +-1 / sqrt(D).
    points : int, default 3
        Equally spaced gradients on each line, 3 at least; the one in the middle is evaluated once.
    seed : int, default 0
    kernel : {"optimal", "constant", "linear"}, default "optimal"
        How lines of different lengths are weighed: ``2 / |d|`` for rho and
        ``1 / (rho / 2 + h^2 |d|)`` for h, not at all, or in proportion to ``|d|``.
    samples : {"rademacher", "gaussian", "uniform"}, default "rademacher"
        The distribution of the distance d to the ends of a line, of root mean square `sigma`.
        Rademacher, always `sigma`, is best, and all kernels are the same then.
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called before each line with the number of those made; StopIteration or KeyboardInterrupt
        raised in it ends the work as Ctrl-C does.

    Returns
    -------
    EstimatedGlass
        At the time limit or after Ctrl-C of the lines made until then, one at least.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or a gradient has another shape or is not finite; the message
        names it.

    Warns
    -----
    GlassWarning
        If so many lines cross no breakpoint, so that their gradients are all equal, that fewer than
        one is expected on a line: the results are then NaN, not 0.

    References
    ----------
    arXiv 2411.16914.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
    >>> found = rw.glass.estimate(loss, loss.theta, 0.15)
    >>> found
    EstimatedGlass(rho_total ... from 49 gradients on 24 lines of +-0.15)
    >>> exactly = rw.glass.exact(loss, loss.theta, 0.3)
    >>> 0.3 < found.rho_total / exactly.rho_total < 3.0
    True
    """
    positive("sigma", sigma)
    lines, points = integer("lines", lines, 1), integer("points", points, 3)
    seed = integer("seed", seed, 0)
    choice("kernel", kernel, KERNELS)
    choice("samples", samples, SAMPLES)
    source = source_of(gradient, theta)
    directions = rademacher(lines, source.theta.size, seed)
    check_moves("sigma", sigma, source.theta, sigma * directions[0], source.rounded)
    offsets = Offsets(kernel, samples, sigma)
    sums = _Sums(source, offsets, points)
    try:
        with Limits.asked(time_limit, callback) as limits:
            for v, d in zip(directions, offsets.draw(lines, seed), strict=True):
                ended = limits.look(0, len(sums.far))
                if ended is not None and sums.far:
                    break
                sums.add(v, float(d))
    finally:
        source.restore()
    made = len(sums.far)
    ended = Ended.FINISHED if made == lines else ended or Ended.FINISHED
    return sums.result(directions[:made], ended)


class _Sums:
    """What is kept of the lines seen so far."""

    def __init__(self, source: Source, offsets: Offsets, points: int) -> None:
        self.source, self.offsets, self.points = source, offsets, points
        self.middle = source(source.theta) if points % 2 else None
        self.charged = points % 2
        self.far: list[float] = []  # distance to the ends of each line
        self.flat = 0  # lines on which nothing changed
        self.rho, self.h = np.zeros((2, source.theta.size))
        self.rho_along = 0.0
        self.along: list[float] = []  # mean slope along each line
        self.squares = np.zeros((points - 1) // 2)
        self.slopes: list[Floats] = []  # kept only where they are weighed later

    def add(self, v: Floats, d: float) -> None:
        """The line from ``theta - d v`` to ``theta + d v``."""
        m, theta = self.points, self.source.theta
        path = np.empty((m, theta.size))
        for k in range(m):
            if self.middle is not None and 2 * k == m - 1:
                path[k] = self.middle
            else:
                path[k] = self.source(theta + d * (2.0 * k / (m - 1) - 1.0) * v)
                self.charged += 1
        self.far.append(d)
        self.flat += int((path == path[0]).all())
        near, weight = 2.0 * d / (m - 1), self.offsets.for_rho(d)
        steps = np.diff(path, axis=0)
        rough = steps - steps.mean(axis=0)
        self.rho += weight * (rough**2).sum(axis=0) / ((m - 2) * near)
        self.rho_along += weight * float(((rough @ v) ** 2).sum()) / ((m - 2) * near)
        rise = (path[-1] - path[0]) / 2.0
        slope = np.sqrt(v.size) * np.sign(v) * rise
        self.along.append(float(rise @ v) / d)
        if self.offsets.weighs_later:
            self.slopes.append(slope)
        else:
            self.h += slope * self.offsets.for_h(d)
        lags = list(range(1, len(self.squares) + 1))
        self.squares += of_path(path, lags) / (near * np.array(lags))

    def result(self, directions: Floats, ended: Ended) -> EstimatedGlass:
        lines, far = len(self.far), np.array(self.far)
        rho, h = self.rho / lines, self.h / lines
        if self.offsets.weighs_later:
            h = self.offsets.weighed_h(far, np.array(self.slopes), rho)
        noise, known = self.rho_along / lines * float((0.5 / far).mean()), 1.0
        if self.flat > lines * np.exp(-1.0):  # the share for one crossing expected on a line
            known = np.nan
            warnings.warn(
                f"sigma: of {lines} lines of +-{self.offsets.sigma:g} {self.flat} cross no "
                f"breakpoint, fewer than one on average; the results are NaN",
                GlassWarning,
                stacklevel=3,
            )
        return EstimatedGlass(
            theta=self.source.theta,
            sigma=float(self.offsets.sigma),
            points=self.points,
            offsets=far,
            directions=directions,
            rho=rho * known,
            h=h * known,
            rho_along=self.rho_along / lines * known,
            h_along=float(np.mean(self.along)) * known,
            h_spread=spread_of(np.array(self.along), noise) * known,
            gradients=self.charged,
            squares=self.squares / lines * known,
            kernel=self.offsets.kernel,
            samples=self.offsets.samples,
            problem=self.source.problem,
            ended=ended,
        )


__all__ = ["EstimatedGlass", "estimate"]
