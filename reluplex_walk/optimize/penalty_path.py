"""`penalty_path`: local minima of one layer for many penalties, walked from one to the next."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._conversions import by_rows, frame
from .._limits import Limits
from .._logs import logged
from .._shown import repr_html
from .._validate import instance, integer, positive, real_array
from ..ended import Ended
from ..problem.aliased import RankWarning
from ..problem.loss import LayerLoss
from ..proof.certificate import Certificate
from ..simplex.walk import walk

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

_DOWN_TO = 1e-4  # of the largest penalty of the default grid


class PenaltyProgress(NamedTuple):
    """What the callback of :func:`penalty_path` is told after each penalty.

    Attributes
    ----------
    n_penalties : int
        Done so far.
    penalty : float
        The last one.
    loss : float
        The loss there, without the penalty.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0])
    >>> told = []
    >>> path = rw.penalty_path(loss, [1.0, 0.1], callback=told.append)
    >>> [progress.n_penalties for progress in told]
    [1, 2]
    """

    n_penalties: int
    penalty: float
    loss: float


@dataclass(frozen=True, eq=False)
class LayerPenaltyPath:
    """Local minima of one layer for the penalties of a grid.

    Attributes
    ----------
    penalties : ndarray (k,)
        In the order in which they were taken: from the least up.
    thetas : ndarray (k, h, q)
    losses : ndarray (k,)
        Without the penalty.
    objectives : ndarray (k,)
        With it.
    n_nonzero : ndarray (k,) of int
        Weights, not biases, that are not 0.
    certificates : tuple of Certificate
        Each about ``path.problem(i)``.
    loss : LayerLoss
        That which the path is of.
    ended : Ended
        FINISHED after all penalties.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_stackloss()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([3, 3, 1], seed=0), data.X, data.y)
    >>> path = rw.penalty_path(loss, n=4)
    >>> path.n_nonzero.tolist(), bool(path.losses[0] < path.losses[-1])  # all weights are 0 at last
    ([9, 8, 3, 0], True)
    >>> check = path.certificates[1].verify_exact(path.problem(1))
    """

    penalties: Floats
    thetas: Floats
    losses: Floats
    objectives: Floats
    n_nonzero: NDArray[np.int64]
    certificates: tuple[Certificate, ...]
    loss: LayerLoss
    ended: Ended

    def problem(self, i: int) -> LayerLoss:
        """The loss with the penalty number `i`, which its certificate is about.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0])
        >>> rw.penalty_path(loss, [1.0, 0.1]).problem(1).penalty
        1.0
        """
        return _with_penalty(self.loss, float(self.penalties[i]))

    def to_frame(self) -> Any:
        """A table of pandas, a row for each penalty.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0])
        >>> list(rw.penalty_path(loss, [1.0, 0.1]).to_frame().columns)
        ['penalty', 'loss', 'objective', 'n_nonzero', 'proved']
        """
        return frame(
            {
                "penalty": self.penalties,
                "loss": self.losses,
                "objective": self.objectives,
                "n_nonzero": self.n_nonzero,
                "proved": [each.is_local_minimum for each in self.certificates],
            }
        )

    def to_xarray(self) -> Any:
        """A Dataset of xarray: `theta` by penalty, neuron and input, and the table by penalty.

        Coordinates are those of :meth:`Trajectory.to_xarray`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0])
        >>> path = rw.penalty_path(loss, [1.0, 0.1]).to_xarray()
        >>> path.theta.dims, path.penalty.values
        (('penalty', 'neuron', 'input'), array([0.1, 1. ]))
        """
        table = self.to_frame().set_index("penalty")
        return by_rows(table, {"theta": self.thetas}, self.loss, {"ended": self.ended.name})

    def plot(self, ax: "Axes | None" = None, title: str | None = None) -> "Axes":
        """The weights against the penalty on `ax`, with a `title`: ``plotting.plot_penalty_path``.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0])
        >>> rw.penalty_path(loss, [1.0, 0.1]).plot(Figure().subplots()).get_xlabel()
        'penalty'
        """
        from ..plotting import plot_penalty_path

        return plot_penalty_path(self, ax, title)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        proved = sum(each.is_local_minimum for each in self.certificates)
        return (
            f"LayerPenaltyPath({len(self.penalties)} penalties, {proved} proved, "
            f"{int(self.n_nonzero.max(initial=0))} weights at most)"
        )


@logged("penalty_path")
def penalty_path(
    loss: LayerLoss,
    penalties: ArrayLike | None = None,
    n: int = 20,
    *,
    start: ArrayLike | None = None,
    seed: int = 0,
    proof_budget: float = 5.0,
    time_limit: float | None = None,
    callback: Callable[[PenaltyProgress], Any] | None = None,
) -> LayerPenaltyPath:
    """Local minima of `loss` with L1 penalties on the weights of its layer, from the least up.

    The first walk (of long steps) begins at `start`, each of the others where the one before it
    ended.  Downwards they would stay where all weights are 0, mostly a local minimum.

    Parameters
    ----------
    loss : LayerLoss
        A penalty of its own counts for nothing.
    penalties : array_like (k,), optional
        Numbers > 0.  Default: `n` of them, equally spaced on a logarithmic scale, up to that at
        which the penalty outweighs the loss in every weight, so that all weights are 0 at every
        local minimum, from 1e-4 of it.
    n : int, default 20
    start : array_like (h, q) or (D,), optional
        Default: ``loss.random_start(seed)``.
    seed : int, default 0
    proof_budget : float, default 5.0
        As for :func:`walk`, for each penalty.
    time_limit : float, optional
        Seconds, looked at within walks, too.
    callback : callable, optional
        Called after each penalty with a :class:`PenaltyProgress`; StopIteration or
        KeyboardInterrupt raised in it ends the path as Ctrl-C does.

    Returns
    -------
    LayerPenaltyPath
        Also at a limit or after Ctrl-C, with the penalties done so far.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    See Also
    --------
    quantile_penalty_path : all penalties of a linear regression, exactly.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> path = rw.penalty_path(loss, [3.0, 30.0, 300.0])
    >>> [certificate.is_local_minimum for certificate in path.certificates]
    [True, True, True]
    """
    instance("loss", loss, LayerLoss)
    grid = _grid(loss, penalties, integer("n", n, 1))
    positive("proof_budget", proof_budget)
    seed = integer("seed", seed, 0, 2**63 - 1)
    theta = loss.random_start(seed) if start is None else loss.parameters(start, "start")
    bare, done = _with_penalty(loss, 0.0), list[tuple[Floats, float, float, Certificate]]()
    with Limits.asked(time_limit, callback, len(grid)) as limits:
        over = limits.look(0)
        while over is None:
            problem = _with_penalty(loss, float(grid[len(done)]))
            traj = walk(
                problem, theta, "long", seed=seed, proof_budget=proof_budget,
                time_limit=limits.remaining,
            )  # fmt: skip
            if traj.ended is Ended.INTERRUPTED or traj.ended is Ended.TIME_LIMIT:
                over = traj.ended
                break
            theta = traj.theta
            value = bare(theta)
            done.append((theta, value, traj.loss, traj.certificate))
            told = PenaltyProgress(len(done), problem.penalty, value)
            over = limits.look(len(done), told)
    thetas = np.array([end[0] for end in done]).reshape(-1, *loss.shape)
    return LayerPenaltyPath(
        penalties=grid[: len(done)],
        thetas=thetas,
        losses=np.array([end[1] for end in done]),
        objectives=np.array([end[2] for end in done]),
        n_nonzero=np.count_nonzero(thetas[:, :, :-1], axis=(1, 2)),
        certificates=tuple(end[3] for end in done),
        loss=loss,
        ended=Ended.FINISHED if len(done) == len(grid) else over,
    )


def _with_penalty(loss: LayerLoss, penalty: float) -> LayerLoss:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankWarning)
        return LayerLoss(
            loss.network,
            loss.X,
            loss.y,
            loss.layer,
            loss.kind,
            loss.tau if loss.kind == "pinball" else None,
            loss.sample_weight,
            loss.decimals.any,
            loss.fit_intercept,
            penalty,
        )


def _grid(loss: LayerLoss, penalties: ArrayLike | None, n: int) -> Floats:
    """The penalties, from the least up."""
    if penalties is None:
        largest = _outweighs(loss)
        return np.geomspace(_DOWN_TO * largest, largest, n)
    grid = real_array("penalties", penalties, 1)
    if not grid.size or (grid <= 0.0).any():
        raise ValueError("penalties: expected numbers > 0, at least one")
    return np.sort(grid)


def _outweighs(loss: LayerLoss) -> float:
    """A penalty from which on all weights are 0 at every local minimum.

    It is a bound on the slopes of the loss along which a weight shrinks and the bias makes up for
    it at the median of its input.
    """
    gains = np.eye(loss.shape[0])
    for w, _ in loss.tail:
        gains = np.abs(w) @ gains  # (width, h)
    cost = np.maximum(loss.left, loss.right) @ gains  # (rows, h)
    centre = np.median(loss.inputs, axis=0) if loss.fit_intercept else 0.0
    slopes = cost.T @ np.abs(loss.inputs - centre)[loss.owner]
    return float(slopes.max(initial=0.0)) * (1.0 + 1e-9) or 1.0


__all__ = ["LayerPenaltyPath", "PenaltyProgress", "penalty_path"]
