"""`Trajectory`: what a walk returns, with its files, its graph and its summary."""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._shown import repr_html
from .._validate import choice, integer
from ..ended import Ended
from ..native.arrays import FREE
from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork
from ..proof.certificate import Certificate
from ..proof.check import CertificateError, ExactCheck
from .held_out import HeldOutLosses
from .level import METHODS as LEVEL_METHODS, LevelEstimate, Visited, estimate, proximity
from .records import Checkpoint, Steps, WalkOptions, WalkStatus
from .summary import as_text, off, picture
from .trajectory_file import read, write

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.figure import Figure

    from ..regions.along import Passage

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The vertices of a walk, from its start to its end.

    Entry 0 is the start.  The first `phase1` entries lie before the first vertex: they have
    fewer active breakpoints.

    Attributes
    ----------
    ended : Ended
        Why the walk stopped; what is proved of its end is in `certificate`.
    problem : LayerLoss
        The loss that was walked on.
    options : WalkOptions
    theta : ndarray (h, q)
        The lowest point that the walk knows: one of its vertices, or its exact end rounded.
    tracked : ndarray (K,)
        Loss at each entry as the kernels kept it; `losses` are computed anew.
    vertices : ndarray (K, h, q)
    basis : ndarray (K, D)
        Breakpoint ids of the active set, -1 where there is none; `active` has them readable.
    descending : ndarray (K,)
        How many half-edges descend at each entry.
    steps : Steps
        The K - 1 pivots.
    certificate : Certificate
    checkpoint : Checkpoint
        Where ``walk(loss, resume=trajectory)`` takes up again.
    elapsed : float
        Seconds.
    held_out : HeldOutLosses or None
        The loss on held-out data, where ``stop_when=rw.HeldOut(...)`` looked at it.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
    >>> traj = rw.walk(loss)
    >>> traj.status.name, traj.n_pivots, len(traj.losses), traj.vertices.shape
    ('LOCAL_MINIMUM', 6, 7, (7, 3, 2))
    >>> traj.theta.shape, traj.network, round(traj.loss, 4), round(loss(traj.theta), 4)
    ((3, 2), ReLUNetwork(1-3-1), 0.9351, 0.9351)
    >>> traj.phase1, traj.ranks, traj.active[-1].shape  # the fifth entry is the first vertex
    (4, array([0, 1, 2, 3, 4, 4, 4]), (4, 3))
    >>> traj.is_vertex.tolist(), traj.n_zero_length
    ([False, False, False, False, True, True, True], 0)
    >>> traj.descending  # 0 at a local minimum
    array([2, 2, 3, 3, 1, 1, 0])
    """

    ended: Ended
    problem: LayerLoss
    options: WalkOptions
    theta: Floats
    tracked: Floats
    vertices: Floats
    basis: Ints
    descending: Ints
    steps: Steps
    certificate: Certificate
    checkpoint: Checkpoint
    elapsed: float
    held_out: HeldOutLosses | None = None

    @cached_property
    def losses(self) -> Floats:
        """The loss at each vertex (K,), computed there; it rises by rounding at most.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> traj = rw.walk(loss)
        >>> traj.losses.tolist() == [loss(theta) for theta in traj.vertices]
        True
        """
        return np.array([self.problem.value(theta) for theta in self.vertices])

    @cached_property
    def status(self) -> WalkStatus:
        """The short name of `ended` and of what the certificate proves."""
        return WalkStatus.of(self.ended, self.certificate)

    @cached_property
    def loss(self) -> float:
        """The loss at `theta`."""
        return self.problem(self.theta)

    @property
    def n_pivots(self) -> int:
        """Pivots made, phase 1 included."""
        return len(self.vertices) - 1

    @cached_property
    def is_vertex(self) -> NDArray[np.bool_]:
        """Whether each entry is a vertex, or lies on a face on which the loss is constant, (K,).

        Phase 1 passes through entries that are neither: the pivot from there only adds to the
        active set.  From degenerate vertices a pivot may leave no single breakpoint, but several.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> traj = rw.walk(loss)
        >>> traj.is_vertex.tolist()  # the rank grows to 4, where a face of dimension 2 is reached
        [False, False, False, False, True, True, True]
        """
        adds_only = (self.steps.leaving == FREE) & (np.diff(self.ranks) > 0)
        return (self.ranks == self.problem.n_free) | ~np.append(adds_only, not self.status.proved)

    @property
    def phase1(self) -> int:
        """Entries before the first vertex (or face)."""
        return int(np.argmax(self.is_vertex)) if self.is_vertex.any() else self.n_pivots

    @property
    def ranks(self) -> Ints:
        """Number of active breakpoints at each entry, (K,)."""
        return (self.basis != FREE).sum(axis=1)

    @property
    def n_zero_length(self) -> int:
        """Pivots of length 0: changes of basis at degenerate vertices."""
        return int((self.steps.length == 0.0).sum())

    @cached_property
    def active(self) -> list[Ints]:
        """K arrays (r, 3): (hidden layer above the trained one or residual, sample, neuron).

        Examples
        --------
        The best line goes through the samples 0 and 2, whose residuals vanish:

        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
        >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0]))
        >>> sorted(traj.active[-1].tolist())
        [[0, 0, 0], [0, 2, 0]]
        """
        return [self.problem.locate(row) for row in self.basis]

    @cached_property
    def dead_neurons(self) -> Ints:
        """Neurons (k,) of the trained layer that are off for every sample at `theta`.

        They add nothing to the output, and a walk from there hardly brings them back.  Leaky
        neurons are never off.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> traj = rw.walk(loss, start=[[-1.0, -1.0]] * 3)
        >>> traj.dead_neurons, traj
        (array([0, 1, 2]), Trajectory(..., 3 of 3 neurons are off for every sample))
        """
        if self.problem.n_hidden == 0 or self.problem.network.negative_slope != 0.0:
            return np.zeros(0, np.int64)
        return np.flatnonzero((self.problem.pattern(self.theta)[0] <= 0).all(axis=0))

    @property
    def network(self) -> ReLUNetwork:
        """The network with the trained layer in place."""
        return self.problem.network.with_layer(self.problem.layer, self.theta)

    @property
    def _visited(self) -> Visited:
        return Visited(self.problem, self.losses, self.vertices, self.basis, self.descending)

    def level(self, at: int | None = None, method: str = "lookahead") -> LevelEstimate:
        """Estimate of the loss at the walk's end, from what is known at entry `at` alone.

        Parameters
        ----------
        at : int, optional
            Entry of the trajectory, default the last one.
        method : {"lookahead", "record"}, default "lookahead"
            ``record`` uses the losses, descending half-edges and active sets up to entry `at`;
            ``lookahead`` also what up to 2 D long pivots find from there (or from up to D / 2
            entries earlier): several times as accurate late in the walk, and slower.

        Returns
        -------
        LevelEstimate
            ``level`` with the 80 % interval ``low`` to ``high``, calibrated on adjacent walks of
            steepest edges like those of ``python -m benchmarks level``.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
        >>> traj = rw.walk(loss, seed=0)
        >>> early = traj.level(at=traj.n_pivots // 2)
        >>> bool(early.low <= early.level <= early.high <= traj.losses[traj.n_pivots // 2])
        True
        """
        last = self.n_pivots
        k = last if at is None else integer("at", at, 0, last)
        method = choice("method", method, LEVEL_METHODS)
        level, low, high = estimate(self._visited, np.array([k]), method)
        return LevelEstimate(float(level[0]), float(low[0]), float(high[0]), method)

    def levels(self, method: str = "lookahead") -> LevelEstimate:
        """The estimates at all entries in one pass, each the same as :meth:`level` gives there.

        ``level``, ``low`` and ``high`` are arrays (K,).  ValueError if `method` is no method.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> traj = rw.walk(loss)
        >>> levels = traj.levels("record")
        >>> levels.level.shape, bool(levels.level[3] == traj.level(at=3, method="record").level)
        ((7,), True)
        """
        method = choice("method", method, LEVEL_METHODS)
        return LevelEstimate(*estimate(self._visited, np.arange(len(self.losses)), method), method)

    def proximity(self) -> Floats:
        """How close the end seems at each entry, (K,) in [0, 1], from what is known there alone.

        1 minus the mean number of descending half-edges over the last D / 4 entries relative to
        the mean so far.  The number hardly falls before the end is near; how early and how often
        wrongly a proximity of 0.7 or more announces it, ``python -m benchmarks level`` measures.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
        >>> proximity = rw.walk(loss, max_pivots=40).proximity()
        >>> proximity.shape, bool((proximity < 0.7).all())  # not near
        ((41,), True)
        """
        return proximity(self._visited)

    def graph(self) -> "nx.DiGraph":
        """The walk as a directed graph: a node per entry, an edge per pivot.

        Nodes 0..K-1 carry ``index``, ``loss``, ``descending``, ``rank`` and its parts
        ``active_hidden_0``, ... and ``active_residuals`` (active breakpoints per layer, counted
        from the trained one upwards; with a penalty ``active_weights``, too), ``tied``, and
        ``distance``, the Euclidean distance to the end in parameter space.  Edges carry
        ``length``, ``slope``, ``leaving``, ``entering``
        (breakpoints as "layer:sample:neuron", "" for none), ``flipped`` (whether the pivot left
        the region on the far side of the leaving breakpoint) and ``crossed``.  All are plain
        numbers and strings, so that every networkx writer takes them.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> traj = rw.walk(loss)
        >>> graph = traj.graph()
        >>> len(graph), graph.number_of_edges(), graph.nodes[6]["descending"]
        (7, 6, 0)
        >>> graph.edges[0, 1]["leaving"], graph.edges[0, 1]["entering"] != ""  # phase 1
        ('', True)
        """
        from ..graphs.walk_graph import walk_graph  # and networkx

        return walk_graph(self)

    def regions(self) -> "Passage":
        """The affine regions the walk passed through, in order, with their gradients.

        Returns a :class:`~reluplex_walk.regions.along.Passage`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [3.0]], [0, 2, 1])
        >>> traj = rw.walk(loss, start=[[0.0, 5.0]])
        >>> traj.regions().gradients[0].tolist()
        [[4.0, 3.0]]
        """
        from ..regions.along import passage  # and the kernels of regions

        return passage(self.problem, self.vertices, self.steps.crossed)

    def to_frame(self) -> Any:
        """A table of pandas, a row for each entry, with the pivot that led there.

        Breakpoints are "layer:sample:neuron", "" for none, as in :meth:`graph`.  No pivot led to
        the start: its length and slope are NaN.  With held-out data there is a column of its
        losses.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> rw.walk(loss).to_frame()[["loss", "rank", "leaving", "entering"]].tail(3).round(4)
                  loss  rank leaving entering
        vertex
        4       1.5368     4            1:3:0
        5       1.0000     4   0:1:0    0:2:0
        6       0.9351     4   1:1:0    1:2:0
        """
        from .conversions import to_frame

        return to_frame(self)

    def to_xarray(self) -> Any:
        """A Dataset of xarray: `theta` by vertex, neuron and input, the losses and ranks by vertex.

        The last input is "constant"; without an intercept inputs are numbers.  The figures of
        :meth:`summary_dict` are attributes.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> walked = rw.walk(loss).to_xarray()
        >>> dict(walked.sizes), walked.input.values.tolist()
        ({'vertex': 7, 'neuron': 3, 'input': 2}, ['0', 'constant'])
        """
        from .conversions import to_dataset

        return to_dataset(self)

    def to_scipy(self) -> Any:
        """A ``scipy.optimize.OptimizeResult``; ``success`` if a local minimum is proved.

        ``x`` is `theta` in one row, ``nit`` the pivots.  There is no ``jac``: at a vertex the loss
        has no gradient.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> found = rw.walk(loss).to_scipy()
        >>> found.success, found.status, found.message, found.certificate.method
        (True, 0, 'the end is a proved local minimum', 'vertex')
        """
        from .conversions import to_scipy

        return to_scipy(self)

    def verify(self) -> ExactCheck:
        """Check what the trajectory says of its end, in rational arithmetic.

        Its certificate against its own data and network (:meth:`Certificate.verify_exact`), and
        theta, status and losses against both.  CertificateError (a ValueError) says what does not
        agree.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> traj = rw.walk(loss)
        >>> check = traj.verify()
        >>> check.method, abs(float(check.loss) - traj.loss) < 1e-9
        ('vertex', True)
        """
        certificate = self.certificate
        check = certificate.verify_exact(self.problem)
        if (self.theta != certificate.theta).any():
            raise CertificateError("theta: is not that of the certificate")
        expected = "GLOBAL_MINIMUM" if certificate.is_global else "LOCAL_MINIMUM"
        if self.status.name != expected:
            raise CertificateError(f"status: {self.status.name}, the certificate says {expected}")
        for k, theta in enumerate(self.vertices):
            if not self.problem.reproduces(theta, float(self.losses[k])):
                raise CertificateError(f"losses: entry {k} is not the loss at its vertex")
        return check

    def summary_dict(self) -> dict[str, Any]:
        """The main figures, as plain Python values.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> traj = rw.walk(loss)
        >>> figures = traj.summary_dict()
        >>> figures["status"], figures["network"], figures["n"], figures["dim"], figures["rank"]
        ('LOCAL_MINIMUM', '1-3-1', 4, 6, 4)
        """
        return {
            "status": self.status.name,
            "message": self.status.message,
            "ended": self.ended.name,
            "loss": self.loss,
            "loss_start": float(self.losses[0]),
            "n_pivots": self.n_pivots,
            "zero_length_pivots": self.n_zero_length,
            "dim": self.problem.dim,
            "rank": self.certificate.rank,
            "tied": self.certificate.n_tied,
            "proof": self.certificate.method,
            "reason": self.certificate.reason and self.certificate.reason.message,
            "remedy": self.certificate.reason and self.certificate.reason.remedy,
            "descending": int(self.descending[-1]),
            "dead_neurons": len(self.dead_neurons),
            "neurons": self.problem.shape[0],
            "strict": self.certificate.strict,
            "smallest_slope": self.certificate.smallest_slope,
            "seconds": self.elapsed,
            "step": self.options.step,
            "rule": self.options.rule,
            "seed": self.options.seed,
            "network": "-".join(map(str, self.problem.network.widths)),
            "layer": self.problem.layer,
            "n": len(self.problem.X),
            "kind": self.problem.kind,
        }

    def summary(self) -> str:
        """The main figures, as text.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> traj = rw.walk(loss)
        >>> print(traj.summary())
        status       LOCAL_MINIMUM: the end is a proved local minimum
        proof        ...
        loss         ...
        problem      network 1-3-1, layer 0, 4 samples, l1
        pivots       6 (0 of length zero)
        active       4 of 6 dimensions, 0 tied
        ...
        """
        return as_text(self.summary_dict(), self.problem.tau)

    def plot(self, title: str | None = None, levels: LevelEstimate | None = None) -> "Figure":
        """The overview of the walk as a new matplotlib Figure (extra ``plot``).

        `title` and `levels` are those of :func:`reluplex_walk.plotting.overview`.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> traj = rw.walk(loss)
        >>> figure = traj.plot(title="four points")
        >>> [ax.get_ylabel() for ax in figure.axes]
        ['loss', 'y', 'loss above the end', 'descending half-edges']
        >>> plt.close(figure)
        """
        from ..plotting import overview

        return overview(self, title, levels=levels)

    def animate(self, path: str | Path | None = None, **options: Any) -> Any:
        """The walk as a film in the file `path`, .mp4 or .gif, or as an animation of matplotlib.

        Needs the extra ``plot``; `options` are those of :func:`reluplex_walk.plotting.animate`.

        Examples
        --------
        >>> import pathlib, tempfile, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     rw.walk(loss).animate(pathlib.Path(folder) / "walk.gif", frames=3, dpi=30).name
        'walk.gif'
        """
        from ..plotting.animation import animate

        return animate(self, path, **options)

    def _repr_html_(self) -> str:
        """The head of its report and, where matplotlib is installed, overview, for notebooks."""
        from ..plotting.overview import overview, size_of

        def draw(figure: "Figure") -> None:
            figure.set_size_inches(*size_of(self))
            overview(self, figure=figure)

        return repr_html(self, picture(draw))

    def __repr__(self) -> str:
        figures = f"{self.status.name}, loss={self.loss:.10g}, n_pivots={self.n_pivots}"
        dead, all_of_them = len(self.dead_neurons), self.problem.shape[0]
        return f"Trajectory({figures}{f', {off(dead, dead)}' if dead == all_of_them else ''})"

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the trajectory to `path` (npz), with the data and the network.

        FileExistsError if `path` exists, unless `force`.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> traj = rw.walk(loss)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "walk.npz")
        ...     traj.save(path)
        ...     rw.Trajectory.load(path).verify().method  # anyone can check it from the file
        'vertex'
        """
        write(self._parts(), path, force)

    def _parts(self) -> dict[str, Any]:
        """What a file holds: the fields, and the losses as they are computed here."""
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**parts, "losses": self.losses}

    @classmethod
    def load(cls, path: str | Path) -> "Trajectory":
        """Read a trajectory from `path`, where :meth:`save` wrote it.

        FileNotFoundError if there is no file, ValueError if it is another one or damaged.

        Examples
        --------
        A walk that goes on another day:

        >>> import pathlib, tempfile, reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "walk.npz")
        ...     rw.walk(loss, max_pivots=20).save(path)
        ...     short = rw.Trajectory.load(path)
        >>> rw.walk(short.problem, resume=short, max_pivots=60).n_pivots
        60
        """
        return cls._of(read(path))

    @classmethod
    def _of(cls, parts: dict[str, Any]) -> "Trajectory":
        """From the fields that a file holds."""
        losses = parts.pop("losses")
        trajectory = cls(**parts)
        trajectory.__dict__["losses"] = losses  # as they were computed then
        return trajectory


__all__ = ["Trajectory"]
