"""Measuring the glass of a layer's loss exactly: all breakpoints on segments, and their jumps."""

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._limits import Limits
from .._logs import logged
from .._numbers import short
from .._validate import instance, integer, positive, real_array
from ..ended import ended_of
from ..problem.loss import Floats, LayerLoss
from ..regions.line import crossings
from .exact_glass import ExactGlass
from .jumps import Jumps, at_crossings
from .lines import check_moves, rademacher, warn_of_few
from .vanishing import off_breakpoints


@logged("glass.exact")
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
        components +-1 / sqrt(D).  Those that are drawn leave parameters that are not `free` in the
        loss alone (D is then the number of the others).
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
        If segments cross fewer than one breakpoint on average: densities are then NaN, not 0.  Of
        directions that are given, also if one of them crosses none: its density is NaN.  The same
        of hidden neurons or of residuals, when the density of these is asked for; that of hidden
        neurons is 0 where there are none.

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
    free, given = (
        loss.free.ravel(),
        hasattr(directions, "__len__") and getattr(directions, "shape", None) != (),
    )
    unit = _directions(directions, loss) if given else rademacher(_count(directions), free, seed)
    off_breakpoints(loss, point, "theta", free | unit.any(axis=0))
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
        ended_of(done, ended),
        given,
    )
    counts = made.n_crossings
    if counts.sum() < len(counts) or (given and not counts.all()):
        warn_of_few(made.length, "breakpoint", counts, given, 4)
    return made


def _count(directions: Any) -> int:
    """The argument as a number."""
    number = directions.item() if isinstance(directions, np.ndarray) else directions
    if isinstance(number, numbers.Number):
        return integer("directions", number, 1)
    raise TypeError(
        f"directions: expected a number or an array of shape (k, D), found {short(number)}"
    )


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


__all__ = ["exact"]
