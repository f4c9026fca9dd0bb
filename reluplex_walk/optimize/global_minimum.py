"""`global_minimum`: the least loss over a box of parameters, with a lower bound that proves it.

Two exact methods, both exponential: mixed-integer programming, and exhaustion of the affine regions
where these are few (or no box bounds the parameters).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._conversions import optimize_result
from .._limits import Limits
from .._logs import logged
from .._shown import repr_html
from .._validate import choice, instance
from ..ended import Ended
from ..problem.box import box_bounds
from ..problem.loss import LayerLoss
from ..regions.enumeration import RegionsProgress, enumerate_regions, expected_regions
from ..simplex.progress import Progress
from ..simplex.walk import walk
from ..tolerances import OPTIMIZE
from . import integer_program
from .integer_program import Solution

Floats = NDArray[np.float64]

METHODS = ("auto", "milp", "regions")
_FEW = 10_000  # regions, found in less time than most integer programs take


@dataclass(frozen=True, eq=False)
class GlobalMinimum:
    """The best parameters found (in a box), and what was proved of them.

    Attributes
    ----------
    theta : ndarray (h, q)
    loss : float
        The loss at `theta`, evaluated there.
    lower_bound : float
        No parameters in the box have a lower loss, up to `tolerance`.
    tolerance : float
        By how much `lower_bound` may lie above the truth at most: HiGHS's tolerances (1e-6 for
        feasibility, integrality and the gap) as they act on the loss, or rounding.
    optimal : bool
        Whether the search ended and `gap` is at most `tolerance`: `loss` is the global minimum in
        the box up to that.
    on_border : bool
        Whether `theta` touches the border of the box: the loss may then fall beyond it.
    method : {"milp", "regions", "zero-loss"}
        Mixed-integer programming, exhaustion of regions, or a loss of 0, below which there is
        nothing.
    message : str
        How the search ended.
    ended : Ended
        FINISHED, TIME_LIMIT, INTERRUPTED, or PRECISION where HiGHS failed.
    elapsed : float
        Seconds.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 1])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> best = rw.global_minimum(loss, box=3.0)
    >>> best.method, best.message, best.optimal, best.on_border
    ('regions', 'all regions found', True, False)
    >>> best.gap <= best.tolerance < 1e-6
    True
    """

    theta: Floats
    loss: float
    lower_bound: float
    tolerance: float
    optimal: bool
    on_border: bool
    method: str
    message: str
    ended: Ended
    elapsed: float

    @property
    def gap(self) -> float:
        """``loss - lower_bound``, >= 0."""
        return self.loss - self.lower_bound

    def to_scipy(self) -> Any:
        """A ``scipy.optimize.OptimizeResult``; ``success`` if `optimal`.

        The lower bound is ``mip_dual_bound``, and ``mip_gap`` the gap relative to the loss, as for
        ``scipy.optimize.milp``.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> found = rw.global_minimum(loss, box=3.0).to_scipy()
        >>> found.success, found.message, found.fun - found.mip_dual_bound < 1e-6
        (True, 'all regions found', True)
        """
        return optimize_result(
            self.theta,
            self.loss,
            success=self.optimal,
            ended=self.ended,
            message=self.message,
            mip_dual_bound=self.lower_bound,
            mip_gap=self.gap / self.loss if self.loss else self.gap,
        )

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        proved = "optimal" if self.optimal else f"gap {self.gap:.3g}"
        return f"GlobalMinimum(loss={self.loss:.10g}, {proved}, {self.method})"


@logged("global_minimum")
def global_minimum(
    loss: LayerLoss,
    box: Any = None,
    time_limit: float | None = None,
    method: str = "auto",
    callback: Callable[[Progress | RegionsProgress], Any] | None = None,
) -> GlobalMinimum:
    """The global minimum of `loss` over a box of parameters, or over all of them.

    A walk gives a first upper bound.  The proof is a mixed-integer program (HiGHS through
    ``scipy.optimize.milp``; formulation: Tjeng, Xiao and Tedrake, ICLR 2019, section 4.1), whose
    time grows exponentially with the number of hidden breakpoints that change sign in the box, or
    the least loss of all affine regions, whose number grows like n^D.

    Parameters
    ----------
    loss : LayerLoss
    box : float or pair, optional
        A number b > 0 for ``|theta| <= b`` in every parameter, or (lower, upper), each a number
        or an array (h, q) or (D,).  Small boxes are faster and more precise.  Default: all of
        parameter space, by regions only, which serve losses without a penalty.
    time_limit : float, optional
        Seconds; the best parameters and the best bound until then are returned, with
        ``optimal=False``.
    method : {"auto", "milp", "regions"}, default "auto"
        ``auto`` takes the regions if there is no box or 10,000 are expected at most, and the
        integer program if the loss has a penalty.
    callback : callable, optional
        Called as :func:`walk` and :func:`enumerate_regions` call theirs, with what these tell;
        StopIteration or KeyboardInterrupt raised in it ends the search as Ctrl-C does.

    Returns
    -------
    GlobalMinimum
        ``optimal`` says whether the proof was completed.  Also after Ctrl-C, with what is known by
        then.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or the regions are too many; the message says it.

    Notes
    -----
    An integer program that takes longer than a moment is solved in a process of its own, since
    HiGHS could else not be interrupted.

    Examples
    --------
    A line through three points, slope and intercept between -3 and 3:

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[1.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0])
    >>> best = rw.global_minimum(loss, box=3.0)
    >>> best.optimal, round(best.loss, 9), round(best.lower_bound, 6)
    (True, 1.0, 1.0)
    >>> rw.global_minimum(loss).on_border  # over all of parameter space
    False
    """
    instance("loss", loss, LayerLoss)
    choice("method", method, METHODS)
    if loss.penalty and method == "regions":
        raise ValueError("method: expected 'auto' or 'milp' with a penalty, found 'regions'")
    if box is not None:
        lower, upper = box_bounds(loss, box)
    elif method == "milp" or loss.penalty:
        asks = "method='milp'" if method == "milp" else "a penalty"
        raise ValueError(f"box: expected a number > 0 or a pair (lower, upper) with {asks}")
    else:
        lower, upper = np.full(loss.shape, -np.inf), np.full(loss.shape, np.inf)
    with Limits.asked(time_limit, callback) as limits:
        centre = np.zeros(loss.shape) if box is None else (lower + upper) / 2.0
        best = _descend(loss, centre, lower, upper, limits)
        known = loss(best)
        if known == 0.0:
            method = "zero-loss"
        elif method == "auto":
            method = "milp" if loss.penalty else _method(loss, box, lower, upper, limits)
        if known == 0.0:
            solution = Solution(None, 0.0, 0.0, Ended.FINISHED, "the loss is 0")
        elif limits.over is not None:
            words = "interrupted" if limits.interrupted else "stopped at time_limit"
            solution = Solution(None, 0.0, 0.0, limits.over, words)
        else:
            prove = _by_regions if method == "regions" else integer_program.solve
            solution = prove(loss, lower, upper, known, limits)
        if solution.theta is not None:
            found = _descend(loss, solution.theta, lower, upper, limits)
            best = min(best, found, key=loss)
    value, finished = loss(best), solution.ended is Ended.FINISHED
    return GlobalMinimum(
        theta=best,
        loss=value,
        lower_bound=min(solution.bound, value),
        tolerance=solution.tolerance,
        optimal=finished and abs(value - solution.bound) <= solution.tolerance,
        on_border=bool(((best == lower) | (best == upper)).any()),
        method=method,
        message=solution.message,
        ended=solution.ended,
        elapsed=limits.elapsed,
    )


def _method(loss: LayerLoss, box: Any, lower: Floats, upper: Floats, limits: Limits) -> str:
    """``regions`` if they are few, or no box bounds the parameters."""
    thin = bool((lower == upper).any())  # a box without regions
    few = box is None or (not thin and expected_regions(loss, box, limits) <= _FEW)
    return "regions" if few else "milp"


def _descend(
    loss: LayerLoss, theta: Floats, lower: Floats, upper: Floats, limits: Limits
) -> Floats:
    """The best of `theta` and the vertices of a walk from there that lie in the box."""
    start = np.clip(theta, lower, upper)
    traj = walk(loss, start, step="long", time_limit=limits.remaining, callback=limits.pass_to)
    vertices = traj.vertices
    inside = ((vertices >= lower) & (vertices <= upper)).all(axis=(1, 2))
    return min([start, *vertices[inside]], key=loss)


def _by_regions(
    loss: LayerLoss, lower: Floats, upper: Floats, known: float, limits: Limits
) -> Solution:
    """The least loss of all regions, as :func:`.integer_program.solve` gives it."""
    box = None if np.isinf(upper).any() else (lower, upper)
    regions = enumerate_regions(loss, box, time_limit=limits.remaining, callback=limits.pass_to)
    if not len(regions):
        return Solution(None, 0.0, 0.0, regions.ended, regions.message)
    minimum = regions.minimum(limits.remaining)
    costs = np.maximum(loss.left, loss.right)
    return Solution(
        theta=minimum.theta,
        bound=float(regions.lowest.min()) if regions.complete else 0.0,
        tolerance=OPTIMIZE.rounding * float(known + (costs * np.abs(loss.targets)).sum()),
        ended=regions.ended,
        message=regions.message,
    )


__all__ = ["GlobalMinimum", "global_minimum"]
