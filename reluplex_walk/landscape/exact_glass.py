"""The glass of a layer's loss on segments, exactly: from all breakpoints crossed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._limits import Limits
from .._validate import choice, instance, integer, positive, real_array
from ..ended import Ended
from ..problem.loss import Floats, LayerLoss
from ..regions.line import crossings
from .jumps import KINDS, Jumps, at_crossings, off_breakpoints
from .lines import check_moves, deviation, rademacher, spread_of, warn_of_few
from .variogram import Variogram, of_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Ints = NDArray[np.int64]

_STEPS = 64  # into which a segment is cut for its variogram
_LAGS = [1, 2, 4, 8, 16, 32]


class MeanOverRms(NamedTuple):
    """The mean of the jumps J.v over their root mean square.

    Attributes
    ----------
    hidden, residual : float
        Of hidden neurons and of residuals; NaN where none is crossed.  Near 0 jumps cancel and are
        a glass; near 1 they add up, as a Hessian's do.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
    >>> found = rw.glass.exact(loss, loss.theta, 0.3).mean_over_rms
    >>> abs(found.hidden) < found.residual
    True
    """

    hidden: float
    residual: float


@dataclass(frozen=True, eq=False)
class ExactGlass:
    """The glass of a loss on segments, known exactly; what :func:`exact` returns.

    Attributes
    ----------
    problem : LayerLoss
    theta : ndarray (h, q)
        Where all segments begin.
    length : float
        Of each segment.
    directions : ndarray (k, D)
        Unit vectors.
    segments : tuple of k Jumps
        All jumps of the gradient on each.
    ended : Ended
        FINISHED, or TIME_LIMIT or INTERRUPTED with fewer segments than were asked for.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
    >>> found = rw.glass.exact(loss, loss.theta, 0.3)
    >>> found.rho.shape, found.coordinates.shape, found.n_crossings.shape
    ((24,), (24, 25), (24,))
    >>> parts = found.rho_hidden + found.rho_residual
    >>> bool((abs(found.rho - parts) <= 1e-12 * found.rho).all())
    True
    """

    problem: LayerLoss
    theta: Floats
    length: float
    directions: Floats
    segments: tuple[Jumps, ...]
    ended: Ended = Ended.FINISHED

    @cached_property
    def n_crossings(self) -> Ints:
        """Breakpoints crossed on each segment, (k,)."""
        return np.array([len(each) for each in self.segments], np.int64)

    @cached_property
    def rho(self) -> Floats:
        """Density of the glass along each direction, (k,): the sum of (J.v)^2 per unit length.

        NaN, all of them, where segments cross fewer than one breakpoint on average.
        """
        return self._density("all")

    @cached_property
    def rho_hidden(self) -> Floats:
        """The part of `rho` that is made by hidden neurons, (k,); NaN as for `rho`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> found = rw.glass.exact(loss, loss.theta, 0.3)
        >>> bool(0.0 < found.rho_hidden.mean() < found.rho.mean())
        True
        """
        return self._density("hidden")

    @cached_property
    def rho_residual(self) -> Floats:
        """The part of `rho` that is made by residuals, (k,); NaN as for `rho`."""
        return self._density("residual")

    @cached_property
    def coordinates(self) -> Floats:
        """Density of the glass of each coordinate on each segment, (k, D): J_i^2 per unit length.

        What ordinary gradients can estimate: its mean over directions is `rho` of :func:`estimate`.
        """
        squares = np.array([each.squares for each in self.segments]) / self.length
        return squares * self._known("all")

    @cached_property
    def rho_total(self) -> float:
        """The sum of `coordinates`, averaged over directions.

        Examples
        --------
        As jumps are parallel to normals, and larger along directions that cross more of them,
        D times the density along a direction is about twice this:

        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> found = rw.glass.exact(loss, loss.theta, 0.3)
        >>> bool(1.5 < loss.dim * found.rho.mean() / found.rho_total < 2.2)
        True
        """
        return float(self.coordinates.sum(axis=1).mean())

    @cached_property
    def curvature(self) -> Floats:
        """Sum of the jumps J.v per unit length, (k,): the mean slope of the gradient along v.

        What is left of a Hessian, which is 0 wherever it exists.  In an L1 loss residuals make it.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> bool(rw.glass.exact(loss, loss.theta, 0.3).curvature.mean() > 0.0)
        True
        """
        sums = np.array([each.along.sum() for each in self.segments]) / self.length
        return sums * self._known("all")

    @cached_property
    def mean_over_rms(self) -> MeanOverRms:
        """The mean of J.v over its root mean square, for hidden neurons and for residuals.

        Of all segments together, each kind by itself.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> bool(0.7 < rw.glass.exact(loss, loss.theta, 0.3).mean_over_rms.residual <= 1.0)
        True
        """
        along = np.concatenate([each.along for each in self.segments])
        hidden = np.concatenate([each.hidden for each in self.segments])
        return MeanOverRms(*(_mean_over_rms(along[part]) for part in (hidden, ~hidden)))

    def variogram(self, kind: str = "all") -> Variogram:
        """The variance of differences of the gradient against their distance, up to half a segment.

        Of the jumps of one `kind`: "all", "hidden" or "residual".  Where the ratio leaves 1, jumps
        at that distance depend on each other, and estimates from gradients so far apart fail.
        ValueError if there is no such kind.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> found = rw.glass.exact(loss, loss.theta, 0.3).variogram("hidden")
        >>> found.distance.round(6).tolist()
        [0.004688, 0.009375, 0.01875, 0.0375, 0.075, 0.15]
        """
        choice("kind", kind, KINDS)
        grid = np.linspace(0.0, 1.0, _STEPS + 1)
        values, squares = np.zeros(len(_LAGS)), 0.0
        for each in self.segments:
            part = each.of_kind(kind)
            values += of_path(part.path(grid), _LAGS) / len(self.segments)
            squares += float(part.squares.sum()) / len(self.segments)
        known = self._known(kind)
        distance = self.length * np.array(_LAGS) / _STEPS
        return Variogram(distance, values * known, squares / self.length * known * distance)

    def bound(self, distance: ArrayLike, level: float = 0.95) -> Any:
        """How far the loss may be from its linear model after a `distance`, a number or (d,).

        ``|F(theta + d v) - F(theta) - d g.v|`` is at most this with probability `level`, for
        directions v like the given ones: ``|h| d^2 / 2`` for the mean slope h of gradients
        (`curvature`), and as many standard deviations as a normal variable needs, of variance
        ``rho d^3 / 3`` for the glass and ``s^2 d^4 / 4`` for slopes that differ by s between
        directions by more than the glass explains.  Measured at a `length` of the same size as the
        distance.  ValueError if an argument does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> found = rw.glass.exact(loss, loss.theta, 0.3)
        >>> move = 0.15 * found.directions[0].reshape(loss.shape)
        >>> linear = loss(loss.theta) + float((loss.gradient(loss.theta) * move).sum())
        >>> abs(loss(loss.theta + move) - linear) <= found.bound(0.15, level=0.99)
        True
        """
        rho, slope = float(self.rho.mean()), float(self.curvature.mean())
        spread = spread_of(self.curvature, rho / self.length)
        return deviation(distance, level, rho, slope, spread)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """The variograms of all, of hidden and of residual jumps, on the axes `ax` or new ones.

        See :func:`reluplex_walk.plotting.plot_glass` (extra ``plot``).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> rw.glass.exact(loss, loss.theta, 0.3).plot(ax=Figure().subplots()).get_xlabel()
        'distance'
        """
        from ..plotting import plot_glass

        return plot_glass(self, ax)

    def _density(self, kind: str) -> Floats:
        if np.isnan(self._known(kind)) and not np.isnan(self._known("all")):
            warn_of_few(self.length, f"{kind} breakpoint", 5)
        sums = [float((each.of_kind(kind).along ** 2).sum()) for each in self.segments]
        return np.array(sums) / self.length * self._known(kind)

    def _known(self, kind: str) -> float:
        """1, or NaN where fewer than one crossing of this `kind` is expected on a segment."""
        counts = [len(each.of_kind(kind)) for each in self.segments]
        none = kind == "hidden" and self.problem.n_hidden == 0
        return 1.0 if none or sum(counts) >= len(counts) else np.nan

    def __repr__(self) -> str:
        return (
            f"ExactGlass(rho {self.rho.mean():.3g} on {len(self.segments)} segments of length "
            f"{self.length:g}, {self.n_crossings.mean():.3g} crossings each)"
        )


def exact(
    loss: LayerLoss,
    theta: ArrayLike,
    length: float,
    directions: int | ArrayLike = 24,
    seed: int = 0,
    *,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> ExactGlass:
    """The glass of `loss` on segments from `theta`, from every breakpoint crossed on them.

    Parameters
    ----------
    loss : LayerLoss
    theta : array_like (h, q) or (D,)
        No breakpoint may vanish there: at a vertex D of them do, and segments start beside it.
    length : float
        Segments run from `theta` to ``theta + length v``.
    directions : int or array_like (k, D), default 24
        The unit vectors v, or vectors along them, or how many to draw: Rademacher vectors, of
        components +-1 / sqrt(D).
    seed : int, default 0
        Of the directions that are drawn; :func:`estimate` with this seed draws the same.
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called before each segment with the number of those made; StopIteration or KeyboardInterrupt
        raised in it ends the work as Ctrl-C does.

    Returns
    -------
    ExactGlass
        At the time limit or after Ctrl-C of the segments made until then, one at least.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Warns
    -----
    GlassWarning
        If segments cross fewer than one breakpoint on average: densities are then NaN, not 0.  The
        same of hidden neurons or of residuals, when the density of these is asked for; that of
        hidden neurons is 0 where there are none.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
    >>> found = rw.glass.exact(loss, loss.theta, 0.3)
    >>> found
    ExactGlass(...)
    >>> rw.glass.exact(loss, loss.theta, 0.3, directions=[[1.0] + 24 * [0.0]]).rho.shape
    (1,)
    """
    instance("loss", loss, LayerLoss)
    point = loss.parameters(theta)
    length = positive("length", length)
    seed = integer("seed", seed, 0)
    if hasattr(directions, "__len__"):
        unit = _directions(directions, loss)
    else:
        unit = rademacher(integer("directions", directions, 1), loss.dim, seed)
    off_breakpoints(loss, point, "theta")
    check_moves("length", length, point.ravel(), length * unit[0])
    segments: list[Jumps] = []
    with Limits.asked(time_limit, callback) as limits:
        for v in unit.reshape(-1, *loss.shape):
            ended = limits.look(0, len(segments))
            if ended is not None and segments:
                break
            found = crossings(loss, point, point + length * v)
            segments.append(at_crossings(loss, point, length * v, found))
    done = len(segments) == len(unit)
    made = ExactGlass(
        loss,
        point,
        length,
        unit[: len(segments)],
        tuple(segments),
        Ended.FINISHED if done else ended or Ended.FINISHED,
    )
    if np.isnan(made._known("all")):
        warn_of_few(made.length, "breakpoint", 3)
    return made


def _directions(directions: Any, loss: LayerLoss) -> Floats:
    """Unit vectors (k, D) along those given."""
    given = real_array("directions", directions, (2, 3), f"of shape (k, {loss.dim}) or a number")
    if not len(given) or given.shape[1:] not in ((loss.dim,), loss.shape):
        raise ValueError(
            f"directions: expected a number or an array of shape (k, {loss.dim}), found shape "
            f"{given.shape}"
        )
    given = given.reshape(len(given), loss.dim)
    given = given / np.abs(given).max(axis=1, keepdims=True, initial=1e-300)
    norms = np.linalg.norm(given, axis=1, keepdims=True)
    if not norms.all():
        raise ValueError(f"directions: expected directions, found zeros in row {norms.argmin()}")
    return np.asarray(given / norms)


def _mean_over_rms(along: Floats) -> float:
    return float(along.mean() / np.sqrt((along**2).mean())) if along.any() else np.nan


__all__ = ["ExactGlass", "MeanOverRms", "exact"]
