"""`exploration`: how many activation configurations each sample sees along a descent or a walk."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._conversions import frame
from .._limits import Limits
from .._logs import logged
from .._shown import repr_html
from .._validate import flag, real
from ..ended import Ended
from ..optimize.descend import starting_point
from ..optimize.descent_path import DescentPath
from ..optimize.diverged import DivergedError
from ..optimize.objective import Objective
from ..problem.either import Loss
from ..problem.loss import LayerLoss
from ..problem.penalty import refuse
from ..problem.rows import distinct_rows
from ..regions.along import Passage
from ..simplex.trajectory import Trajectory
from .passing import Activity, active_units, units_crossed
from .steps import steps

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Exploration:
    """The configurations that samples see along a run; :func:`exploration` returns it.

    The configuration of a sample is which units are active on it: the hidden neurons from the
    lowest layer that moves upwards.  Samples with equal inputs to that layer are one point.

    Attributes
    ----------
    losses : ndarray (K,)
        At each entry: of a descent the start and the point after each step, of a walk the regions
        it passed through, in order.
    configurations : ndarray (K,)
        How many different ones a point has seen at the entries so far, a mean over points.
    passed : ndarray (K,) or None
        The same with all that lie on the straight way from entry to entry, exactly.  None where
        several layers move: breakpoints are no hyperplanes then.
    switched : ndarray (K,)
        How often a unit has changed from active to inactive or back, from entry to entry so far: a
        mean over units and points.
    crossed : ndarray (K,) or None
        The same with every change on the way, those that are undone before the next entry too.
    switches : tuple of ndarray
        `switched` at the end for each unit, an array (width,) for each hidden layer.
    per_point : ndarray (n,) of int
        `configurations` at the end for each point.
    n_units : int
    ended : Ended
        FINISHED, or TIME_LIMIT or INTERRUPTED with fewer entries.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(100, [2, 4, 1], noise=0.5)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 4, 1], seed=1), data.X, data.y)
    >>> path = rw.descend(loss, "adam", 100, learning_rate=0.1)
    >>> found = rw.activations.exploration(path)
    >>> len(found.losses), float(found.configurations[0]), [len(part) for part in found.switches]
    (101, 1.0, [4])
    >>> bool(found.configurations[-1] <= found.passed[-1]), bool(found.losses[-1] == path.loss)
    (True, True)
    """

    losses: Floats
    configurations: Floats
    passed: Floats | None
    switched: Floats
    crossed: Floats | None
    switches: tuple[Floats, ...]
    per_point: NDArray[np.int64]
    n_units: int
    ended: Ended

    def entry(self, loss: float) -> int | None:
        """The first entry at which the loss is at most `loss`; None if there is none.

        So that methods are compared where they have come as far.  ValueError, TypeError if `loss`
        is no number.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(100, [2, 4, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 4, 1], seed=1), data.X, data.y)
        >>> found = rw.activations.exploration(rw.descend(loss, "sgd", 50))
        >>> found.entry(found.losses[0]), found.entry(0.0)
        (0, None)
        """
        reached = np.flatnonzero(self.losses <= real("loss", loss))
        return int(reached[0]) if len(reached) else None

    def to_frame(self) -> Any:
        """A table of pandas, a row for each entry; NaN for what is not known.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(50, [2, 4, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 4, 1], seed=1), data.X, data.y)
        >>> table = rw.activations.exploration(rw.descend(loss, gradients=10)).to_frame()
        >>> list(table.columns), len(table)
        (['loss', 'configurations', 'passed', 'switched', 'crossed'], 11)
        """
        unknown = np.full(len(self.losses), np.nan)
        return frame(
            {
                "loss": self.losses,
                "configurations": self.configurations,
                "passed": unknown if self.passed is None else self.passed,
                "switched": self.switched,
                "crossed": unknown if self.crossed is None else self.crossed,
            },
            "entry",
        )

    def plot(self, ax: "Axes | None" = None, title: str | None = None) -> "Axes":
        """Configurations seen and passed through, against entries, on `ax` or new axes.

        With a `title`; see :func:`reluplex_walk.plotting.plot_exploration` (extra ``plot``).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> data, _ = rw.datasets.make_teacher(100, [2, 4, 1], noise=0.5)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 4, 1], seed=1), data.X, data.y)
        >>> found = rw.activations.exploration(rw.descend(loss, "sgd", 50))
        >>> found.plot(Figure().subplots()).get_ylabel()
        'configurations per point'
        """
        from ..plotting import plot_exploration

        return plot_exploration(self, ax, title=title)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        passed = "" if self.passed is None else f" ({self.passed[-1]:.3g} with those passed)"
        return (
            f"Exploration({self.configurations[-1]:.3g} configurations per point{passed}, "
            f"{self.switched[-1]:.3g} switches per unit, {len(self.losses)} entries)"
        )


@logged("activations.exploration")
def exploration(
    path: DescentPath | Trajectory,
    *,
    start: ArrayLike | None = None,
    between: bool = True,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> Exploration:
    """The activation configurations along `path`, at its entries and on the way between them.

    Parameters
    ----------
    path : DescentPath or Trajectory
        A descent does not keep its points: it is made again, which takes as long as it took.  Of a
        walk the entries are the regions it passed through, so that nothing lies between them; what
        stays 0 along an edge counts as active.
    start : array_like, optional
        Where the descent began, if :func:`~reluplex_walk.descend` was given that.
    between : bool, default True
        Whether the regions between the entries are found, too, if one layer moves.
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called before each entry with the number of those before; StopIteration or KeyboardInterrupt
        raised in it ends the work as Ctrl-C does.

    Returns
    -------
    Exploration
        At the time limit or after Ctrl-C of the entries until then, one at least.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or the network has no hidden layer from the one that moves on.

    References
    ----------
    Balduzzi, McWilliams and Butler-Yeoman, Neural Taylor Approximations: Convergence and
    Exploration in Rectifier Networks, arXiv 1611.02345.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(100, [2, 4, 1], noise=0.5)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 4, 1], seed=1), data.X, data.y)
    >>> rw.activations.exploration(rw.descend(loss, "sgd", 50, learning_rate=0.1))
    Exploration(... configurations per point (... with those passed), ... 51 entries)
    >>> walked = rw.activations.exploration(rw.walk(loss))
    >>> bool((walked.passed == walked.configurations).all())
    True
    """
    if not isinstance(path, DescentPath | Trajectory):
        raise TypeError(f"path: expected a DescentPath or Trajectory, found {type(path).__name__}")
    flag("between", between)
    refuse(getattr(path.problem, "penalty", 0.0), "activation configurations")
    limits = Limits.asked(time_limit, callback)
    points = _Points.of(path.problem)
    if isinstance(path, Trajectory):
        if start is not None:
            raise ValueError("start: expected None with a walk, which knows its start")
        return _of_walk(points, path.regions(), limits)
    seen = Activity(len(points.first), points.widths)
    layer = points.layer_loss if between else None
    passed = None if layer is None else Activity(len(points.first), points.widths)
    losses: list[float] = []
    ended: Ended | None = None
    before: Floats | None = None
    with limits:
        for theta, value in _replayed(path, start):
            ended = limits.look(0, len(losses))
            if ended is not None and losses:
                break
            active = points.active(theta)
            seen.arrive(active)
            if layer is not None and passed is not None:
                if before is not None:
                    passed.go(*units_crossed(layer, before, theta))
                passed.arrive(active)
            before = theta
            losses.append(value)
    return _explored(seen, passed, losses, ended)


def _of_walk(points: "_Points", regions: Passage, limits: Limits) -> Exploration:
    if not len(regions):
        raise ValueError("path: expected a walk of one step at least, found none")
    seen, ended = Activity(len(points.first), points.widths), None
    losses: list[float] = []
    values = (regions.gradients * regions.points).sum(axis=(1, 2)) + regions.offsets
    with limits:
        for pattern, value in zip(regions.patterns, values.tolist(), strict=True):
            ended = limits.look(0, len(losses))
            if ended is not None and losses:
                break
            seen.arrive(np.concatenate([part[points.first] >= 0 for part in pattern[:-1]], axis=1))
            losses.append(value)
    return _explored(seen, seen, losses, ended)


def _explored(
    seen: Activity, passed: Activity | None, losses: list[float], ended: Ended | None
) -> Exploration:
    return Exploration(
        losses=np.array(losses),
        configurations=np.array(seen.configurations),
        passed=None if passed is None else np.array(passed.configurations),
        switched=np.array(seen.switched),
        crossed=None if passed is None else np.array(passed.switched),
        switches=seen.switches,
        per_point=seen.per_point,
        n_units=sum(seen.widths),
        ended=ended or Ended.FINISHED,
    )


def _replayed(path: DescentPath, start: ArrayLike | None) -> Iterator[tuple[Floats, float]]:
    """The point and the loss at each entry of a descent, made again."""
    loss = path.problem
    begun = starting_point(loss, start, path.seed)
    objective = Objective(loss, begun, path.batch, path.seed)
    rate = 0.01 if path.learning_rate is None else path.learning_rate
    try:
        for k, step in enumerate(steps(objective, path.method, rate, path.seed)):
            theta = objective.theta(step.theta)
            value = objective.loss(step.theta)
            if value != path.losses[k]:
                break
            yield theta, value
            if k == path.n_steps:
                return
    except DivergedError:
        if path.ended is Ended.DIVERGED:  # to where networks do not go
            return
    raise ValueError(
        "start: expected the one that the descent began with: from this one it goes another way"
    )


class _Points(NamedTuple):
    """The samples of a loss whose inputs to the lowest layer that moves differ."""

    problem: Loss
    layer_loss: LayerLoss | None  # of the layer that moves, if it is one
    first: NDArray[np.int64]  # (points,) rows of X
    inputs: Floats  # (points, p) of the lowest layer that moves
    low: int  # the lowest layer that moves
    widths: tuple[int, ...]  # of the hidden layers from there on

    @classmethod
    def of(cls, loss: Loss) -> "_Points":
        layers = (loss.layer,) if isinstance(loss, LayerLoss) else loss.block
        network, low = loss.network, layers[0]
        if low == network.n_layers - 1:
            raise ValueError(
                f"path: expected one of a loss in which hidden neurons move, found {loss!r}"
            )
        if isinstance(loss, LayerLoss):
            one: LayerLoss | None = loss
        elif len(layers) == 1:  # for its hidden breakpoints: the kind of loss does not matter
            one = LayerLoss(network, loss.X, loss.y, low, sample_weight=loss.sample_weight)
        else:
            one = None
        kept = np.flatnonzero(loss.sample_weight)
        features = network.features(loss.X[kept], low) + 0.0  # no -0.0
        first = distinct_rows(features)[0]
        widths = network.widths[low + 1 : -1]
        return cls(loss, one, kept[first], features[first], low, widths)

    def active(self, theta: Floats) -> NDArray[np.bool_]:
        """Which units (points, units) are active at `theta`."""
        loss = self.problem
        if isinstance(loss, LayerLoss):
            network = loss.network.with_layer(loss.layer, theta)
        else:
            network = loss.network_at(theta)
        return active_units(network, self.inputs, self.low)


__all__ = ["Exploration", "exploration"]
