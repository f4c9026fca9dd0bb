"""The glass of a layer's loss on segments, exactly: from all breakpoints crossed."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._conversions import frame
from .._shown import repr_html
from .._validate import choice
from ..ended import Ended
from ..problem.loss import Floats, LayerLoss
from .jumps import KINDS, Jumps
from .lines import deviation, spread_of, warn_of_few
from .variogram import Variogram, of_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Ints = NDArray[np.int64]

_STEPS = 64  # into which a segment is cut for its variogram
_LAGS = [1, 2, 4, 8, 16, 32]
_NAMES = {"all": "breakpoint", "hidden": "hidden breakpoint", "residual": "residual breakpoint"}


class MeanOverRms(NamedTuple):
    """The mean of the jumps J.v over their root mean square.

    Attributes
    ----------
    hidden, residual : float
        Of hidden neurons and of residuals; NaN where segments cross fewer than one on average.
        Near 0 jumps cancel and are a glass; near 1 or -1 they add up, as a Hessian's do.

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

    def _repr_html_(self) -> str:
        return repr_html(self)


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
    given : bool
        Whether the directions were given.  What is said of each is then NaN where its own segment
        crosses nothing; of those that were drawn, where all cross fewer than one on average.

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
    given: bool = False

    @cached_property
    def n_crossings(self) -> Ints:
        """Breakpoints crossed on each segment, (k,)."""
        return np.array([len(each) for each in self.segments], np.int64)

    @cached_property
    def rho(self) -> Floats:
        """Density of the glass along each direction, (k,): the sum of (J.v)^2 per unit length.

        NaN where too few breakpoints are crossed, see `given`.
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
        0 for parameters that are not `free` in the loss.  NaN as for `rho`.
        """
        return self._squares * self._each_known("all")[:, None]

    @cached_property
    def _squares(self) -> Floats:
        free = self.problem.free.ravel()
        return np.array([each.squares * free for each in self.segments]) / self.length

    @cached_property
    def rho_total(self) -> float:
        """The sum of `coordinates`, averaged over directions, of which some may cross nothing.

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
        return float(self._squares.sum(axis=1).mean()) * self._known("all")

    @cached_property
    def curvature(self) -> Floats:
        """Sum of the jumps J.v per unit length, (k,): the mean slope of the gradient along v.

        What is left of a Hessian, which is 0 wherever it exists.  In an L1 loss residuals make it.
        NaN as for `rho`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> bool(rw.glass.exact(loss, loss.theta, 0.3).curvature.mean() > 0.0)
        True
        """
        return self._slopes * self._each_known("all")

    @cached_property
    def _slopes(self) -> Floats:
        return np.array([each.along.sum() for each in self.segments]) / self.length

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
        found = (_mean_over_rms(along[part]) for part in (hidden, ~hidden))
        return MeanOverRms(*(x * self._known(k) for x, k in zip(found, KINDS[1:], strict=True)))

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
        known = self._known(kind)
        if np.isnan(known) and not np.isnan(self._known("all")):
            warn_of_few(self.length, _NAMES[kind], self._counts(kind), False, 3)
        grid, free = np.linspace(0.0, 1.0, _STEPS + 1), self.problem.free.ravel()
        values, squares = np.zeros(len(_LAGS)), 0.0
        for each in self.segments:
            part = each.of_kind(kind)
            values += of_path(part.path(grid)[:, free], _LAGS) / len(self.segments)
            squares += float(part.squares[free].sum()) / len(self.segments)
        distance = self.length * np.array(_LAGS) / _STEPS
        return Variogram(distance, values * known, squares / self.length * known * distance)

    def bound(self, distance: ArrayLike, level: float = 0.95) -> Any:
        """How far the loss may be from its linear model after a `distance`, a number or (d,).

        ``|F(theta + d v) - F(theta) - d g.v|`` is at most this with a probability of about `level`,
        for directions v like those here: ``|h| d^2 / 2`` for the mean slope h of gradients
        (`curvature`), and as many standard deviations as a normal variable needs, of variance
        ``rho d^3 / 3`` for the glass and ``s^2 d^4 / 4`` for slopes that differ by s between
        directions by more than the glass explains.  Measured at a `length` of the same size as the
        distance.  ValueError if an argument does not fit.

        The tails of what is left are heavier than those of a normal variable, so that high levels
        promise too much: on random networks 92 to 94 % of random directions stay within it at a
        level of 0.9, 95 to 97 % at 0.95, 97 to 99 % at 0.99; on real data (diabetes, 10-8-4-1)
        82 to 98 %, 85 to 99 % and 91 to 99 %.

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
        rho, slope = self._mean, float(self._slopes.mean()) * self._known("all")
        spread = spread_of(self._slopes, rho / self.length)
        return deviation(distance, level, rho, slope, spread)

    def to_frame(self) -> Any:
        """A table of pandas, a row for each segment.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [4, 5, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 1], seed=1), data.X, data.y)
        >>> list(rw.glass.exact(loss, loss.theta, 0.3).to_frame().columns)
        ['crossings', 'rho', 'rho_hidden', 'rho_residual', 'curvature']
        """
        parts = ("rho", "rho_hidden", "rho_residual", "curvature")
        columns = {name: getattr(self, name) for name in parts}
        return frame({"crossings": self.n_crossings, **columns}, "segment")

    def plot(self, ax: "Axes | None" = None, title: str | None = None) -> "Axes":
        """The variograms of all, of hidden and of residual jumps, on the axes `ax` or new ones.

        With a `title`; see :func:`reluplex_walk.plotting.plot_glass` (extra ``plot``).

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

        return plot_glass(self, ax, title)

    def _density(self, kind: str) -> Floats:
        known, every = self._each_known(kind), self._each_known("all")
        if (np.isnan(known) & ~np.isnan(every)).any():  # of the others `exact` has warned
            warn_of_few(self.length, _NAMES[kind], self._counts(kind), self.given, 5)
        return self._sums(kind) / self.length * known

    def _sums(self, kind: str) -> Floats:
        """The sum of (J.v)^2 on each segment, (k,)."""
        return np.array([float((each.of_kind(kind).along ** 2).sum()) for each in self.segments])

    @cached_property
    def _mean(self) -> float:
        """The mean of `rho` over directions, of which some may cross nothing."""
        return float(self._sums("all").mean()) / self.length * self._known("all")

    def _counts(self, kind: str) -> Ints:
        """How many breakpoints of this `kind` each segment crosses, (k,)."""
        return np.array([len(each.of_kind(kind)) for each in self.segments], np.int64)

    def _known(self, kind: str) -> float:
        """1, or NaN where fewer than one crossing of this `kind` is expected on a segment."""
        none = kind == "hidden" and self.problem.n_hidden == 0
        return 1.0 if none or self._counts(kind).sum() >= len(self.segments) else np.nan

    def _each_known(self, kind: str) -> Floats:
        """The same of each segment, (k,): of given directions each is a question of its own."""
        if not self.given or (kind == "hidden" and self.problem.n_hidden == 0):
            return np.full(len(self.segments), self._known(kind))
        return np.where(self._counts(kind) > 0, 1.0, np.nan)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        return (
            f"ExactGlass(rho {self._mean:.3g} on {len(self.segments)} segments of length "
            f"{self.length:g}, {self.n_crossings.mean():.3g} crossings each)"
        )


def _mean_over_rms(along: Floats) -> float:
    return float(along.mean() / np.sqrt((along**2).mean())) if along.any() else np.nan


__all__ = ["ExactGlass", "MeanOverRms"]
