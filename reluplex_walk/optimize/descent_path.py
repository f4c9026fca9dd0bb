"""`DescentPath`: what a gradient method found, and how it went."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._conversions import after_first, dataset, frame, of_layer, optimize_result
from .._logs import logged
from .._shown import repr_html
from .._validate import LARGEST, integer, positive
from ..ended import Ended
from ..problem.either import Loss
from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork
from ..simplex.progress import Progress
from .descent_file import read, write
from .gap import DescentGap, gap_from

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DescentPath:
    """The path of a gradient method, step by step.

    Entry 0 is the start; there is one for each step.

    Attributes
    ----------
    ended : Ended
        WORK_LIMIT where the budget of gradients is spent, FINISHED at a loss of 0 and, of polyak,
        at a subgradient of 0, TIME_LIMIT, INTERRUPTED or DIVERGED.
    problem : LayerLoss or NetworkLoss
    method : object
        With its options.
    batch : int or None
    learning_rate : float or None
    seed : int
    theta : ndarray (h, q), or (D,) of a NetworkLoss
        The end: where the model rests after the last step.
    best : ndarray
        The lowest of all entries.
    losses : ndarray (K,)
        ``problem(theta)`` at each entry, a sum over all samples; it need not fall.
    gradients : ndarray (K,) of int
        How many were charged up to each entry; never above the budget.
    clip_shares : ndarray (K - 1,)
        The share of coordinates that a bound has cut in each step: of Alice, 0 for others.
    effective_rates : ndarray (K - 1,)
        The length of each step over that of its gradient (Alice: of the running mean of these).
    checkpoint : dict
        Arrays with which ``descend(loss, resume=path)`` takes up again; empty after DIVERGED.
    elapsed : float
        Seconds.
    reason : str
        After DIVERGED, what floats do not hold.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> path = rw.descend(loss, "adam", gradients=300, learning_rate=0.03, batch=32, seed=1)
    >>> path.ended.name, path.n_steps, path.theta.shape, path.best.shape
    ('WORK_LIMIT', 300, (8, 2), (8, 2))
    >>> path.loss == loss(path.theta), path.best_loss == loss(path.best) <= path.loss
    (True, True)
    >>> path.network
    ReLUNetwork(1-8-1)
    >>> traj = rw.walk(loss, path.theta, step="long")  # from the end down to a vertex
    >>> bool(traj.loss < path.loss)
    True
    """

    ended: Ended
    problem: Loss
    method: Any
    batch: int | None
    learning_rate: float | None
    seed: int
    theta: Floats
    best: Floats
    losses: Floats
    gradients: NDArray[np.int64]
    clip_shares: Floats
    effective_rates: Floats
    checkpoint: dict[str, NDArray[Any]] = field(repr=False)
    elapsed: float
    reason: str = ""

    @property
    def loss(self) -> float:
        """The loss at the end."""
        return float(self.losses[-1])

    @property
    def best_loss(self) -> float:
        """The least loss of all entries."""
        return float(self.losses.min())

    @property
    def n_steps(self) -> int:
        """How many steps were made."""
        return len(self.losses) - 1

    @property
    def network(self) -> ReLUNetwork:
        """The network with the end in place; ValueError if that diverged beyond its limits."""
        theta = self._end()
        if isinstance(self.problem, LayerLoss):
            return self.problem.network.with_layer(self.problem.layer, theta)
        return self.problem.network_at(theta)

    def _end(self) -> Floats:
        """The end, if networks and walks can take it up."""
        most = float(np.abs(self.theta).max())
        if most > LARGEST:
            raise ValueError(
                f"path: expected one that ends at numbers up to {LARGEST:g} in size, found "
                f"{most:g}: it diverged; its lowest point is path.best, from which "
                f"descend(loss, gradients=0, start=path.best) is a path, too"
            )
        return self.theta

    @logged("DescentPath.gap")
    def gap(
        self,
        layer: int | None = None,
        *,
        proof_budget: float = 5.0,
        time_limit: float | None = None,
        callback: Callable[[Progress], Any] | None = None,
    ) -> DescentGap:
        """How far the end lies above a local minimum: the fall of a walk from there, exactly.

        A walk of long steps leads down from the end, without climbing, to a vertex at which its
        certificate proves a local minimum (of one layer, the others as they are at the end).

        Parameters
        ----------
        layer : int, optional
            Of a NetworkLoss, the layer to walk in; needed where its block has several.
        proof_budget, time_limit : float, optional
        callback : callable, optional
            As in :func:`walk`.

        Returns
        -------
        DescentGap

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, the loss is squared, on which walks do not go, or the path
            diverged so far that none starts at its end.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.NetworkLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> path = rw.descend(loss, "momentum", gradients=50)
        >>> [path.gap(layer).certified for layer in (0, 1)]
        [True, True]
        >>> 0.0 < path.gap(0).fall < path.loss
        True
        """
        positive("proof_budget", proof_budget)
        loss = self.problem
        if not isinstance(loss, LayerLoss):
            if layer is None and len(loss.block) > 1:
                raise ValueError(f"layer: expected one of {loss.block}, found None")
            layer = integer("layer", loss.block[0] if layer is None else layer)
            if layer not in loss.block:
                raise ValueError(f"layer: expected one of {loss.block}, found {layer}")
            loss = loss.layer(layer, self._end())
            theta = loss.theta
        elif layer not in (None, loss.layer):
            raise ValueError(f"layer: expected {loss.layer}, the trained one, found {layer}")
        else:
            theta = self._end()
        return gap_from(loss, theta, self.seed, proof_budget, time_limit, callback)

    def summary(self) -> str:
        """The main figures, as text.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> print(rw.descend(loss, "sgd", gradients=50, learning_rate=0.05).summary())
        ended        WORK_LIMIT: stopped at its limit of work, before its end
        loss         ... (start ..., best ...)
        problem      LayerLoss(ReLUNetwork(1-3-1), n=4, layer=0, l1)
        method       Sgd(), learning rate 0.05, all samples, seed 0
        gradients    50 in 50 steps
        steps        ... of the gradient (median), 0% of coordinates cut
        time         ... s
        """
        rate = "" if self.learning_rate is None else f"learning rate {self.learning_rate:g}, "
        size = "all samples" if self.batch is None else f"batches of {self.batch}"
        lines = [
            ("ended", f"{self.ended.name}: {self.ended.message}"),
            *([("because", self.reason)] if self.reason else []),
            (
                "loss",
                f"{self.loss:.10g} (start {self.losses[0]:.10g}, best {self.best_loss:.10g})",
            ),
            ("problem", repr(self.problem)),
            ("method", f"{self.method!r}, {rate}{size}, seed {self.seed}"),
            ("gradients", f"{self.gradients[-1]} in {self.n_steps} steps"),
        ]
        if self.n_steps:
            median, cut = float(np.median(self.effective_rates)), self.clip_shares.mean()
            text = f"{median:.3g} of the gradient (median), {cut:.0%} of coordinates cut"
            lines.append(("steps", text))
        lines.append(("time", f"{self.elapsed:.3g} s"))
        return "\n".join(f"{name:<12} {text}" for name, text in lines)

    def plot(self, ax: "Axes | None" = None, title: str | None = None) -> "Axes":
        """The loss against the gradients charged, on `ax` or new axes (extra ``plot``).

        With a `title`; :func:`reluplex_walk.plotting.plot_descent` draws several.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> rw.descend(loss, "sgd", gradients=50).plot(Figure().subplots()).get_xlabel()
        'gradients'
        """
        from ..plotting import plot_descent

        return plot_descent(self, ax, title=title)

    def to_frame(self) -> Any:
        """A table of pandas, a row for the start and each step.

        Gradients charged, the loss, the least so far, and of the step that led there `clip_shares`
        and `effective_rates` (NaN at the start).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> table = rw.descend(loss, "sgd", gradients=5).to_frame()
        >>> list(table.columns), len(table)
        (['gradients', 'loss', 'best', 'clip_share', 'effective_rate'], 6)
        """
        return frame(
            {
                "gradients": self.gradients,
                "loss": self.losses,
                "best": np.minimum.accumulate(self.losses),
                "clip_share": after_first(self.clip_shares),
                "effective_rate": after_first(self.effective_rates),
            },
            "step",
        )

    def to_xarray(self) -> Any:
        """A Dataset of xarray: the columns of :meth:`to_frame` by step, and `theta` and `best`.

        These are by neuron and input, as for :meth:`Trajectory.to_xarray`; of a NetworkLoss by
        parameter.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> dict(rw.descend(loss, "sgd", gradients=5).to_xarray().sizes)
        {'step': 6, 'neuron': 3, 'input': 2}
        """
        table, problem = self.to_frame().rename(columns={"best": "best_loss"}), self.problem
        if isinstance(problem, LayerLoss):
            labels = of_layer(problem.shape, problem.fit_intercept)
        else:
            labels = {"parameter": np.arange(problem.dim)}
        return dataset(
            {
                **{name: ("step", table[name].to_numpy()) for name in table},
                "theta": (tuple(labels), self.theta),
                "best": (tuple(labels), self.best),
            },
            {"step": np.arange(len(self.losses)), **labels},
            {
                "ended": self.ended.name,
                "method": repr(self.method),
                "batch": self.batch,
                "learning_rate": self.learning_rate,
                "seed": self.seed,
                "seconds": self.elapsed,
            },
        )

    def to_scipy(self) -> Any:
        """A ``scipy.optimize.OptimizeResult`` of `best`; never a ``success``: nothing is proved.

        ``njev`` are the gradients charged.  ``jac`` is there where the loss has a gradient: where
        no breakpoint vanishes.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> found = rw.descend(loss, "sgd", gradients=5).to_scipy()
        >>> found.success, found.nit, found.message
        (False, 5, 'stopped at its limit of work, before its end; nothing is proved')
        """
        smooth = all((signs != 0).all() for signs in self.problem.pattern(self.best))
        gradient = {"jac": self.problem.gradient(self.best).ravel()} if smooth else {}
        return optimize_result(
            self.best,
            self.best_loss,
            success=False,
            ended=self.ended,
            message=f"{self.reason or self.ended.message}; nothing is proved",
            nit=self.n_steps,
            njev=int(self.gradients[-1]),
            **gradient,
        )

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the path, with its loss, to `path` (npz); FileExistsError unless `force`.

        ValueError if its method is none that has a name.

        Examples
        --------
        >>> import pathlib, tempfile, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> short = rw.descend(loss, "adam", gradients=5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder, "path.npz")
        ...     short.save(file)
        ...     short.save(file, force=True)  # replaces it
        ...     loaded = rw.DescentPath.load(file)
        >>> path = rw.descend(loaded.problem, gradients=9, resume=loaded)
        >>> bool((path.losses == rw.descend(loss, "adam", gradients=9).losses).all())
        True
        """
        write(vars(self), path, force)

    @classmethod
    def load(cls, path: str | Path) -> "DescentPath":
        """Read a path from `path`, where :meth:`save` wrote it.

        FileNotFoundError if there is no file, ValueError if it is another one or damaged.

        Examples
        --------
        >>> import pathlib, tempfile, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> path = rw.descend(loss, "nesterov", gradients=5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path.save(pathlib.Path(folder, "path.npz"))
        ...     rw.DescentPath.load(pathlib.Path(folder, "path.npz")).method
        Nesterov(beta=0.9)
        """
        return cls(**read(path))

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        return (
            f"DescentPath({self.ended.name}, {type(self.method).__name__}, loss={self.loss:.10g}, "
            f"{self.gradients[-1]} gradients)"
        )


__all__ = ["DescentPath"]
