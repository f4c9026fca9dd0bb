"""Estimating the glass from gradients on random lines, as Alice does (arXiv 2411.16914)."""

import warnings
from collections.abc import Callable
from itertools import islice, pairwise
from typing import Any

import numpy as np

from .._limits import Limits
from .._logs import logged
from .._validate import choice, integer, positive
from ..ended import Ended, ended_of
from ..problem.loss import Floats
from .estimated_glass import EstimatedGlass
from .gradients import Signs, Source, source_of
from .lines import GlassWarning, check_moves, rademacher_signs, spread_of
from .offsets import KERNELS, SAMPLES, Offsets
from .variogram import bends_little, jumps_seen, of_path


@logged("glass.estimate")
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
    gradient : LayerLoss, NetworkLoss, callable, or object with a method ``gradient``
        What maps parameters to a gradient of their shape, without chance: arrays to arrays, or
        tensors of PyTorch to tensors.  Or a closure without arguments that leaves gradients in the
        parameters, as torch's optimizers take it; then `theta` is these, a list.  Parameters of a
        LayerLoss that are not `free` stay where they are, and have no glass.
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
        If an argument does not fit, or a gradient has another shape, is not finite or not the same
        when it is asked for again; the message names it.

    Warns
    -----
    GlassWarning
        If so many lines cross no breakpoint that fewer than one is expected on a line: the results
        are then NaN, not 0.  Our losses and those with a method ``pattern`` know that.  Of others
        it cannot be known, for what bends gradients may be smooth: nothing counts as crossed where
        they bend by no more than rounding, or as a parabola does.  Where three gradients look
        smooth, two more on the line tell; where `sigma` is so large that smooth ones look rough,
        nothing does, but :meth:`EstimatedGlass.variogram` of more points may.

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
    sigma = positive("sigma", sigma)
    lines, points = integer("lines", lines, 1), integer("points", points, 3)
    seed = integer("seed", seed, 0)
    choice("kernel", kernel, KERNELS)
    choice("samples", samples, SAMPLES)
    source = source_of(gradient, theta)
    unit = 1.0 / np.sqrt(np.count_nonzero(source.free))
    check_moves("sigma", sigma, source.theta, sigma * unit * source.free, source.rounded)
    offsets = Offsets(kernel, samples, sigma)
    drawn = zip(rademacher_signs(source.free, seed), offsets.one_by_one(seed), strict=True)
    try:
        with Limits.asked(time_limit, callback) as limits:
            sums = _Sums(source, offsets, points)
            for sign, d in islice(drawn, lines):
                ended = limits.look(0, len(sums.far))
                if ended is not None and sums.far:
                    break
                sums.add(unit * sign, d)
    finally:
        source.restore()
    ended = ended_of(len(sums.far) == lines, ended)
    return sums.result(seed, ended)


class _Sums:
    """What is kept of the lines seen so far."""

    def __init__(self, source: Source, offsets: Offsets, points: int) -> None:
        self.source, self.offsets, self.points = source, offsets, points
        self.charged = 0
        self.middle = self._look(source.theta) if points % 2 else None
        self.far: list[float] = []  # distance to the ends of each line
        self.flat = 0  # lines on which nothing is crossed
        self.changes = 0  # of signs
        self.rho, self.h = np.zeros((2, source.theta.size))
        self.rho_along = 0.0
        self.along: list[float] = []  # mean slope along each line
        self.squares = np.zeros((points - 1) // 2)
        self.slopes: list[Floats] = []  # kept only where they are weighed later

    def add(self, v: Floats, d: float) -> None:
        """The line from ``theta - d v`` to ``theta + d v``."""
        m, theta = self.points, self.source.theta
        seen = [
            self.middle
            if self.middle is not None and 2 * k == m - 1
            else self._look(theta + d * (2.0 * k / (m - 1) - 1.0) * v)
            for k in range(m)
        ]
        if not (self.far or self.source.ours):
            self._check_chance(theta + d * v, seen[-1][0])
        path = np.array([gradient for gradient, _ in seen])
        changes = sum(int((a != b).sum()) for (_, a), (_, b) in pairwise(seen))
        self.changes += changes
        self.far.append(d)
        self.flat += not self._crosses(path, changes, d * v)
        near, weight = 2.0 * d / (m - 1), self.offsets.for_rho(d)
        steps = np.diff(path, axis=0)
        rough = steps - steps.mean(axis=0)
        self.rho += weight * (rough**2).sum(axis=0) / ((m - 2) * near)
        self.rho_along += weight * float(((rough @ v) ** 2).sum()) / ((m - 2) * near)
        rise = (path[-1] - path[0]) / 2.0
        slope = np.sqrt(np.count_nonzero(self.source.free)) * np.sign(v) * rise
        self.along.append(float(rise @ v) / d)
        if self.offsets.weighs_later:
            self.slopes.append(slope)
        else:
            self.h += slope * self.offsets.for_h(d)
        lags = list(range(1, len(self.squares) + 1))
        self.squares += of_path(path, lags) / (near * np.array(lags))

    def _look(self, theta: Floats) -> tuple[Floats, Signs]:
        """The gradient, and the pattern where it is known."""
        pattern = self.source.pattern
        self.charged += 1
        return self.source(theta), pattern(theta) if pattern else np.zeros(0, np.int8)

    def _check_chance(self, theta: Floats, gradient: Floats) -> None:
        """ValueError if the gradient at `theta` is not the same again, up to rounding."""
        again = self._look(theta)[0]
        off, size = np.linalg.norm(again - gradient), np.linalg.norm(gradient)
        if off > 100.0 * self.source.eps * size:
            raise ValueError(
                f"gradient: expected the same at the same theta, found ones that differ by "
                f"{off / size if size else np.inf:.2g} of their size; no chance may be in it: "
                f"switch dropout off, and take the same samples each time"
            )

    def _crosses(self, path: Floats, changes: int, end: Floats) -> bool:
        """Whether a breakpoint is crossed on the line with these gradients, as far as is known.

        Where three of them might be those of a smooth function, two more in between tell.
        """
        if self.source.pattern:
            return changes > 0
        if self.source.ours:
            return not (path == path[0]).all()
        if len(path) == 3 and bends_little(path) and jumps_seen(path, self.source.eps):
            halves = [self._look(self.source.theta + share * end)[0] for share in (-0.5, 0.5)]
            path = np.array([path[0], halves[0], path[1], halves[1], path[2]])
        return jumps_seen(path, self.source.eps)

    def result(self, seed: int, ended: Ended) -> EstimatedGlass:
        lines, far = len(self.far), np.array(self.far)
        rho, h = self.rho / lines, self.h / lines
        if self.offsets.weighs_later:
            glass = np.count_nonzero(self.source.free) * rho
            h = self.offsets.weighed_h(far, np.array(self.slopes), glass)
        noise, known = self.rho_along / lines * float((0.5 / far).mean()), 1.0
        if self.flat > lines * np.exp(-1.0):  # the share for one crossing expected on a line
            known = np.nan
            seen = "" if self.source.ours or self.source.pattern else " that can be seen"
            warnings.warn(
                f"sigma: of {lines} lines of +-{self.offsets.sigma:g} {self.flat} cross no "
                f"breakpoint{seen}, fewer than one on average; the results are NaN",
                GlassWarning,
                stacklevel=4,
            )
        return EstimatedGlass(
            theta=self.source.theta,
            sigma=self.offsets.sigma,
            points=self.points,
            offsets=far,
            seed=seed,
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
            sign_changes=self.changes / lines if self.source.pattern else None,
            ended=ended,
        )


__all__ = ["estimate"]
