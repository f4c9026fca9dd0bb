"""`Ensemble`: what many walks found, together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._conversions import dataset, of_layer, pandas
from .._executors import one_thread
from .._limits import Limits
from .._logs import logged
from .._shown import repr_html
from .._validate import integer
from ..ended import Ended
from ..problem.loss import LayerLoss
from ..proof.check import CertificateError
from ..simplex.trajectory import Trajectory
from ..simplex.walk import walk
from ..tolerances import OPTIMIZE
from .assembly import assembled, certificate_of
from .confluence import confluence
from .minima import EnsembleMinima, distinct
from .rows import Row
from .statistics import statistics
from .store import Folder, Store, read_loss, read_manifest
from .unseen import Unseen, unseen

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The walks of many seeds on one loss.

    With rows in a folder nothing is read before it is asked for.

    Attributes
    ----------
    problem : LayerLoss
        The loss that was walked on.
    wanted : tuple of int
        The seeds that were asked for (with a `stop`: those up to it).
    options : dict
        Of the walks, as :func:`walk` takes them.
    proof : str
    ended : Ended
        FINISHED with all walks and proofs, STOPPED by `stop`, TIME_LIMIT or INTERRUPTED.
    elapsed : float
        Seconds of the last run.
    out : Path or None
        The folder with the rows.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
    >>> found = rw.ensemble(loss, walks=20, step="long")
    >>> found.frame()[["seed", "status", "pivots"]].shape
    (20, 3)
    >>> found.theta.shape, found.loss == loss(found.theta) == found.losses.min().item()
    ((2, 2), True)
    >>> len(found.seeds) == len(found) == 20
    True
    """

    problem: LayerLoss
    wanted: tuple[int, ...]
    options: dict[str, Any]
    proof: str
    ended: Ended
    elapsed: float
    out: Path | None
    _store: Store = field(repr=False)

    # ------------------------------------------------------------ the walks

    @cached_property
    def _rows(self) -> list[Row]:
        """In the order of seeds, without certificates."""
        return assembled(self._store, self.wanted, self.problem.n_free)

    def __len__(self) -> int:
        return len(self._rows)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        n = len(self)
        least = f", loss={self.loss:.10g}, {len(self.minima())} distinct ends" if n else ""
        return f"Ensemble({self.ended.name}, {n} walks{least})"

    @property
    def seeds(self) -> NDArray[np.int64]:
        """Seeds (W,) of the walks made, ascending."""
        return np.array([row.seed for row in self._rows], np.int64)

    @property
    def losses(self) -> Floats:
        """Losses (W,) at their ends."""
        return np.array([row.loss for row in self._rows])

    @property
    def thetas(self) -> Floats:
        """Their ends (W, h, q).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> rw.ensemble(loss, walks=10, proof="off").thetas.shape
        (10, 2, 2)
        """
        return np.array([row.theta for row in self._rows]).reshape(-1, *self.problem.shape)

    @cached_property
    def _best(self) -> Row:
        if not self._rows:
            raise ValueError("ensemble: no walk was made; allow more time")
        return min(self._rows, key=lambda row: (row.loss, row.seed))

    @property
    def loss(self) -> float:
        """The least loss at an end; ValueError if there is no walk."""
        return self._best.loss

    @property
    def lowest_key(self) -> str | None:
        """Which of ``minima().keys`` that is; None where there is no walk, or it was cut short.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> found = rw.ensemble(loss, walks=10, step="long")
        >>> found.lowest_key in found.minima().keys
        True
        """
        return self._best.key if len(self) else None

    @property
    def theta(self) -> Floats:
        """Parameters (h, q) there."""
        return self._best.theta.reshape(self.problem.shape)

    @cached_property
    def best(self) -> Trajectory:
        """The walk that ends there, with its proof, if its end is proved.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> found = rw.ensemble(loss, walks=10, step="long")
        >>> found.best.status.proved, found.best.loss == found.loss
        (True, True)
        """
        kept = self.trajectory(self._best.seed)
        if self._best.proved and not kept.status.proved:
            return self._walked(self._best.seed)
        return kept

    def to_frame(self) -> Any:
        """A row for each walk, in the order of seeds, as a DataFrame of pandas.

        Columns ``seed``, ``loss``, ``status`` (of :class:`WalkStatus`), ``reason`` (why nothing is
        proved, of :class:`Reason`), ``pivots``, ``seconds``, ``theta`` (arrays (D,)), ``key`` (of
        the active set and all other sides; None where the walk was stopped before its end), and one
        for each figure of `measures`, NaN where it is not defined.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> frame = rw.ensemble(loss, walks=10, step="long").to_frame()
        >>> frame.columns.tolist()
        ['seed', 'loss', 'status', 'reason', 'pivots', 'seconds', 'theta', 'key']
        """
        rows = self._rows
        names = ("seed", "loss", "status", "reason", "pivots", "seconds", "theta", "key")
        columns = {name: [getattr(row, name) for row in rows] for name in names}
        return pandas().DataFrame({**columns, **self.figures})

    frame = to_frame

    @property
    def figures(self) -> dict[str, Floats]:
        """The figures of `measures`, by name, (W,); NaN where one is not defined.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> def largest(traj):
        ...     return {"largest": abs(traj.theta).max()}
        >>> rw.ensemble(loss, 10, measures=largest, proof="off").figures["largest"].shape
        (10,)
        """
        names = dict.fromkeys(name for row in self._rows for name in row.figures)
        columns = {name: [row.figures.get(name) for row in self._rows] for name in names}
        return {
            name: np.array([np.nan if each is None else each for each in values])
            for name, values in columns.items()
        }

    def to_xarray(self) -> Any:
        """Ends, losses and figures, by seed, as a Dataset of xarray (walk x neuron x input).

        Coordinates are those of :meth:`Trajectory.to_xarray`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> dict(rw.ensemble(loss, walks=10, step="long").to_xarray().sizes)
        {'seed': 10, 'neuron': 2, 'input': 2}
        """
        rows, problem = self._rows, self.problem
        named = {"loss": self.losses, "pivots": np.array([row.pivots for row in rows])}
        named["status"] = np.array([row.status for row in rows], str)
        return dataset(
            {
                "theta": (("seed", "neuron", "input"), self.thetas),
                **{name: ("seed", values) for name, values in {**named, **self.figures}.items()},
            },
            {"seed": self.seeds, **of_layer(problem.shape, problem.fit_intercept)},
            {"ended": self.ended.name, "proof": self.proof, "seconds": self.elapsed},
        )

    # ------------------------------------------------------------ what they say together

    def minima(self) -> EnsembleMinima:
        """The distinct ends of walks that came to their own end, lowest first.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> minima = rw.ensemble(loss, walks=20, step="long").minima()
        >>> int(minima.counts.sum()), len(minima) <= 20
        (20, True)
        """
        return self._minima

    @cached_property
    def _minima(self) -> EnsembleMinima:
        certificate = partial(certificate_of, self._store, frozenset(self.wanted))
        return distinct(self._rows, self.problem.shape, self.problem.n_free, certificate)

    def unseen(self) -> Unseen:
        """How much of the landscape was not met: Good-Turing's share and Chao1's number of ends.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> found = rw.ensemble(loss, walks=20, step="long")
        >>> found.unseen().n_distinct == len(found.minima())
        True
        """
        return unseen(self.minima().counts)

    def level_histogram(self, bins: Any = "auto") -> tuple[NDArray[np.int64], Floats]:
        """How many walks came to their own end at which loss: counts (B,) and edges (B + 1,).

        `bins` is as ``numpy.histogram`` takes it.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> counts, edges = rw.ensemble(loss, walks=20, step="long").level_histogram(4)
        >>> int(counts.sum()), len(edges)
        (20, 5)
        """
        losses = np.array([row.loss for row in self._rows if row.key is not None])
        if losses.size and np.ptp(losses) <= OPTIMIZE.level * losses.max():
            losses[:] = losses.min()  # one level, but for rounding
        return np.histogram(losses, bins)

    def statistics(self, groups: Any = None, seed: int = 0) -> Any:
        """Median, its interval of 95 % and quartiles of each figure, as a DataFrame.

        See :func:`reluplex_walk.measures.statistics`, of which `groups` (W,) and `seed`
        are arguments; without `measures`, of loss, pivots and seconds alone.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> table = rw.ensemble(loss, walks=20, step="long").statistics()
        >>> table.index.tolist()
        ['loss', 'pivots', 'seconds']
        """
        plain = {
            name: np.array([getattr(row, name) for row in self._rows], float) for name in _MAIN
        }
        return statistics({**plain, **self.figures}, groups, seed=seed)

    def graph(self) -> "nx.DiGraph":
        """Ends and where walks meet, as a directed graph.

        Nodes 0, 1, ... are the ends, as :meth:`minima` has them: ``kind`` "end", ``loss``,
        ``walks`` (their basin), ``proved``, ``seed``, ``key``.  Where trajectories were kept,
        further nodes of ``kind`` "joint" are the vertices at which walks join, with ``loss``,
        ``walks`` and ``basin``, the end that they lead to (-1: to several), and edges lead from
        joint to joint and to ends, with the number of ``walks``.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> found = rw.ensemble(loss, 30, keep="trajectories", proof="off")
        >>> graph = found.graph()
        >>> sum(node["walks"] for _, node in graph.nodes(data=True) if node["kind"] == "end")
        30
        """
        kept = self._store.trajectory(self._rows[0].seed) is not None if self._rows else False
        return confluence(self._rows, self.minima(), self.trajectories if kept else None)

    def plot(self, title: str | None = None) -> "Figure":
        """Levels and discovered ends, as a new matplotlib Figure (extra ``plot``) with a `title`.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> figure = rw.ensemble(loss, walks=20, step="long").plot()
        >>> plt.close(figure)
        """
        from ..plotting.ensemble import plot_ensemble

        return plot_ensemble(self, title=title)

    # ------------------------------------------------------------ single walks, proofs

    def trajectory(self, seed: int) -> Trajectory:
        """The walk of a `seed`, as it was kept; else it is made again, with proofs.

        With ``proof="distinct"`` most walks were kept without proofs, which others carry for them.

        ValueError if the ensemble has no walk of that seed.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> found = rw.ensemble(loss, walks=5, step="long")
        >>> bool(found.trajectory(3).loss == found.losses[3])
        True
        """
        seed = integer("seed", seed, 0)
        if seed not in self._made:
            raise ValueError(f"seed: the ensemble has no walk of seed {seed}")
        return self._store.trajectory(seed) or self._walked(seed)

    @cached_property
    def _made(self) -> frozenset[int]:
        return frozenset(row.seed for row in self._rows)

    def _walked(self, seed: int) -> Trajectory:
        """The walk of a seed, made again; KeyboardInterrupt if that is interrupted."""
        proof = "off" if self.proof == "off" else "on"
        with one_thread():
            traj = walk(self.problem, seed=seed, proof=proof, **self.options)
        if traj.ended is Ended.INTERRUPTED:
            raise KeyboardInterrupt
        return traj

    def trajectories(self) -> Iterator[Trajectory]:
        """All walks, one after the other, in the order of seeds; see :meth:`trajectory`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> found = rw.ensemble(loss, walks=5, keep="trajectories")
        >>> rw.merge(found.trajectories()).graph["walks"]
        5
        """
        return (self.trajectory(int(seed)) for seed in self.seeds)

    @logged("Ensemble.verify")
    def verify(
        self,
        time_limit: float | None = None,
        callback: Callable[[int], Any] | None = None,
    ) -> int:
        """Check the proofs of all distinct ends in rational arithmetic, from data and network.

        Parameters
        ----------
        time_limit : float, optional
            Seconds.
        callback : callable, optional
            Called with the number of ends checked; StopIteration raised in it ends the check.

        Returns
        -------
        int
            How many were checked: all ``minima().proved``, but at a limit.

        Raises
        ------
        CertificateError
            (a ValueError) If a proof does not hold, or is not about the end it is said to prove.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> found = rw.ensemble(loss, walks=20, step="long")
        >>> bool(found.verify() == found.minima().proved.sum())
        True
        """
        minima, checked = self.minima(), 0
        with Limits.asked(time_limit, callback) as limits:
            for k in np.flatnonzero(minima.proved).tolist():
                if limits.look(0, checked) is not None:
                    break
                certificate = minima.certificate(k)
                if certificate is None:
                    raise CertificateError(f"minima: the proof of {k} is missing")
                certificate.verify_exact(self.problem)
                if (certificate.theta != minima.thetas[k]).any():
                    raise CertificateError(f"minima: the proof of {k} is about another point")
                checked += 1
        return checked

    @classmethod
    def load(cls, path: str | Path) -> "Ensemble":
        """The ensemble in the folder `path`, where ``ensemble(..., out=path)`` wrote it.

        All walks that are there, whether or not it came to its end.  FileNotFoundError if there is
        none, ValueError if it is damaged.

        Examples
        --------
        >>> import tempfile
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = rw.ensemble(loss, walks=20, step="long", out=folder)
        ...     again = rw.Ensemble.load(folder)
        ...     len(again), again.loss == found.loss, again.ended.name
        (20, True, 'FINISHED')
        """
        folder = Path(path).resolve()
        manifest, store = read_manifest(folder), Folder(folder)
        seeds = tuple(sorted(row.seed for row in store.rows("walks")))
        return cls(
            problem=read_loss(folder),
            wanted=seeds,
            options=manifest["options"],
            proof=manifest["proof"],
            ended=store.ended(len(seeds)),
            elapsed=0.0,
            out=folder,
            _store=store,
        )


_MAIN = ("loss", "pivots", "seconds")

__all__ = ["Ensemble"]
