"""`Trajectory`: what a walk returns, with its files, its graph and its summary."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._files import open_archive, write_archive
from .._validate import choice, integer
from ..ended import Ended
from ..native.arrays import FREE
from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork
from ..proof.certificate import METHODS, Certificate
from ..proof.check import CertificateError, ExactCheck
from ..regions.along import Passage, passage
from ..tolerances import TOLERANCES, Tolerances
from .level import METHODS as LEVEL_METHODS, LevelEstimate, Visited, estimate, proximity

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class WalkStatus(Enum):
    """Why a walk ended and what is proved of its end, in one word.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
    >>> status = rw.walk(loss).status
    >>> status is rw.WalkStatus.GLOBAL_MINIMUM, status.proved, status.message
    (True, True, 'the end is a proved global minimum')
    >>> [status.name for status in rw.WalkStatus if status.proved]
    ['LOCAL_MINIMUM', 'GLOBAL_MINIMUM']
    """

    LOCAL_MINIMUM = "the end is a proved local minimum"
    GLOBAL_MINIMUM = "the end is a proved global minimum"
    NOT_PROVED = "no descent was found, but a local minimum is not proved"
    PIVOT_LIMIT = "stopped at max_pivots, before its end"
    TIME_LIMIT = "stopped at time_limit, before its end"
    INTERRUPTED = "interrupted, before its end"
    LEVEL_GAP = "stopped where the estimated remaining decrease is small; nothing is proved"

    @classmethod
    def of(cls, ended: Ended, certificate: Certificate) -> "WalkStatus":
        """The short name of the two."""
        if ended is Ended.WORK_LIMIT:
            return cls.PIVOT_LIMIT
        if ended.early:
            return cls[ended.name]
        if certificate.is_global:
            return cls.GLOBAL_MINIMUM
        return cls.LOCAL_MINIMUM if certificate.is_local_minimum else cls.NOT_PROVED

    @property
    def message(self) -> str:
        """The status in words."""
        return self.value

    @property
    def proved(self) -> bool:
        """Whether a local or global minimum was proved."""
        return self in (WalkStatus.LOCAL_MINIMUM, WalkStatus.GLOBAL_MINIMUM)


@dataclass(frozen=True)
class WalkOptions:
    """How a walk chooses its steps; a resumed walk keeps them.

    Attributes
    ----------
    step, rule : str
    seed : int
    proof_budget : float
        Seconds.
    plateau : str
    tolerances : Tolerances
        All as :func:`walk` takes them.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
    >>> traj = rw.walk(loss, step="long", seed=3)
    >>> traj.options.step, traj.options.rule, traj.options.seed
    ('long', 'steepest', 3)
    >>> again = rw.walk(loss, **vars(traj.options))  # the same walk
    >>> again.n_pivots == traj.n_pivots
    True
    """

    step: str = "adjacent"
    rule: str = "steepest"
    seed: int = 0
    proof_budget: float = 5.0
    plateau: str = "stop"
    tolerances: Tolerances = TOLERANCES


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A state of the walk from which it goes on bit for bit.

    Everything else follows from it.  It may lie a few pivots before the last vertex; those
    pivots are then made again.
    """

    n_pivots: int
    theta: Floats  # (D,)
    basis: Ints  # (D,)
    side: NDArray[np.bool_]  # (H, n) True: positive
    side_r: NDArray[np.bool_]  # (K, m)
    tied: Ints
    tied_w: Floats
    random: NDArray[np.uint64]  # (1,)


@dataclass(frozen=True, eq=False)
class Steps:
    """One entry per pivot, in arrays; entry k leads from vertex k to vertex k + 1.

    Attributes
    ----------
    length : ndarray (K - 1,)
        Length of the edge in parameter space; 0 for a change of basis at a degenerate vertex.
    slope : ndarray (K - 1,)
        Slope of the loss per unit length where the edge starts.
    leaving, entering : ndarray (K - 1,)
        Breakpoint ids; leaving is FREE (-1) in phase 1.
    crossed : ndarray (K - 1,)
        Breakpoints crossed on the way (long steps).
    flipped : ndarray (K - 1,) of bool
        Whether the edge was a far half-edge, on the other side of the leaving breakpoint.
    tied : ndarray (K - 1,)
        Further breakpoints that vanish at the vertex reached.

    Examples
    --------
    >>> import numpy as np, reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0]))
    >>> bool(np.allclose(traj.steps.length * traj.steps.slope, np.diff(traj.losses)))
    True
    """

    length: Floats
    slope: Floats
    leaving: Ints
    entering: Ints
    crossed: Ints
    flipped: NDArray[np.bool_]
    tied: Ints


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
    losses : ndarray (K,)
        Loss at each entry, never increasing.
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
    losses: Floats
    vertices: Floats
    basis: Ints
    descending: Ints
    steps: Steps
    certificate: Certificate
    checkpoint: Checkpoint
    elapsed: float

    @cached_property
    def status(self) -> WalkStatus:
        """The short name of `ended` and of what the certificate proves."""
        return WalkStatus.of(self.ended, self.certificate)

    @property
    def theta(self) -> Floats:
        """Parameters (h, q) of the trained layer at the end."""
        return self.vertices[-1]

    @property
    def loss(self) -> float:
        """Loss at the end."""
        return float(self.losses[-1])

    @property
    def n_pivots(self) -> int:
        """Pivots made, phase 1 included."""
        return len(self.losses) - 1

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
        return (self.ranks == self.problem.dim) | ~np.append(adds_only, not self.status.proved)

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
        from the trained one upwards), ``tied``, and ``distance``, the Euclidean distance to the
        end in parameter space.  Edges carry ``length``, ``slope``, ``leaving``, ``entering``
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

    def regions(self) -> Passage:
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
        return passage(self.problem, self.vertices, self.steps.crossed)

    def verify(self, budget: float = 60.0) -> ExactCheck:
        """Check what the trajectory says of its end, in floats and in rational arithmetic.

        Its certificate against its own data and network (:meth:`Certificate.verify` and
        :meth:`Certificate.verify_exact` with `budget` seconds), and end, loss and status against
        the certificate.  CertificateError (a ValueError) says what does not agree.

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
        certificate, size = self.certificate, float(np.abs(self.theta).max())
        certificate.verify(self.problem)
        far = np.abs(self.theta - certificate.theta).max() > 1e-9 * size
        if far and self.problem.units.trivial:  # else the bias carries the rounding of all inputs
            raise CertificateError("theta: the last vertex is not the certificate's")
        if not self.problem.reproduces(self.theta, self.loss):
            raise CertificateError("loss: the last loss is not that of the last vertex")
        expected = "GLOBAL_MINIMUM" if certificate.is_global else "LOCAL_MINIMUM"
        if self.status.name != expected:
            raise CertificateError(f"status: {self.status.name}, the certificate says {expected}")
        return certificate.verify_exact(self.problem, budget)

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
        d = self.summary_dict()
        kind = f"{d['kind']}, tau {self.problem.tau:g}" if d["kind"] == "pinball" else d["kind"]
        lines = [
            ("status", f"{d['status']}: {d['message']}"),
            ("proof", f"{d['proof']}: {METHODS[d['proof']]}"),
            ("loss", f"{d['loss']:.10g} (start {d['loss_start']:.10g})"),
            ("problem", f"network {d['network']}, layer {d['layer']}, {d['n']} samples, {kind}"),
            ("pivots", f"{d['n_pivots']} ({d['zero_length_pivots']} of length zero)"),
            ("active", f"{d['rank']} of {d['dim']} dimensions, {d['tied']} tied"),
            ("least slope", f"{d['smallest_slope']:.4g} ({'strict' if d['strict'] else 'weak'})"),
            ("walk", f"{d['step']} steps, rule {d['rule']}, seed {d['seed']}"),
            ("time", f"{d['seconds']:.3g} s"),
        ]
        return "\n".join(f"{name:<12} {text}" for name, text in lines)

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

    def _repr_html_(self) -> str:
        """Summary and, where matplotlib is installed, overview, for notebooks."""
        summary = f"<pre>{escape(self.summary())}</pre>"
        try:
            from matplotlib.figure import Figure
        except ImportError:
            return summary
        from ..plotting import overview

        png = BytesIO()
        figure = Figure(figsize=(8.0, 6.0), layout="constrained")  # not one of pyplot's
        overview(self, figure=figure).savefig(png, format="png", dpi=100)
        data = b64encode(png.getvalue()).decode()
        return f'{summary}<img alt="overview of the walk" src="data:image/png;base64,{data}">'

    def __repr__(self) -> str:
        return f"Trajectory({self.status.name}, loss={self.loss:.10g}, n_pivots={self.n_pivots})"

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
        problem = self.problem
        arrays: dict[str, Any] = {f"network_{k}": v for k, v in problem.network.to_arrays().items()}
        arrays.update(X=problem.X, y=problem.y, sample_weight=problem.sample_weight)
        arrays.update(layer=problem.layer, kind=problem.kind, tau=problem.tau)
        arrays.update(status=self.status.name, ended=self.ended.name)
        arrays.update(elapsed=self.elapsed, losses=self.losses)
        arrays.update(vertices=self.vertices, basis=self.basis, descending=self.descending)
        for name in ("step", "rule", "seed", "proof_budget", "plateau"):
            arrays[f"option_{name}"] = getattr(self.options, name)
        arrays["option_tolerances"] = np.array(self.options.tolerances)
        for part, record in (
            ("steps", self.steps),
            ("checkpoint", self.checkpoint),
        ):
            arrays.update({f"{part}_{name}": value for name, value in vars(record).items()})
        certificate = self.certificate.to_arrays().items()
        arrays.update({f"certificate_{name}": value for name, value in certificate})
        write_archive(path, "trajectory", arrays, force)

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
        arrays = open_archive(path, "trajectory")
        try:
            return cls._from_arrays(arrays)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"path: damaged trajectory file {path} ({error})") from None

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, NDArray]) -> "Trajectory":
        def part(prefix: str) -> dict[str, Any]:
            return {
                name.removeprefix(prefix): value if value.ndim else value.item()
                for name, value in arrays.items()
                if name.startswith(prefix)
            }

        kind = arrays["kind"].item()
        problem = LayerLoss(
            ReLUNetwork.from_arrays(part("network_")),
            arrays["X"],
            arrays["y"],
            arrays["layer"].item(),
            kind,
            arrays["tau"].item() if kind == "pinball" else None,
            arrays["sample_weight"],
        )
        options = part("option_")
        options["tolerances"] = Tolerances(*map(float, options["tolerances"]))
        _check_shapes(arrays, problem)
        return cls(
            ended=_ended(arrays),
            problem=problem,
            options=WalkOptions(**options),
            losses=arrays["losses"],
            vertices=arrays["vertices"],
            basis=arrays["basis"],
            descending=arrays["descending"],
            steps=Steps(**part("steps_")),
            certificate=Certificate.from_arrays(part("certificate_")),
            checkpoint=Checkpoint(**part("checkpoint_")),
            elapsed=arrays["elapsed"].item(),
        )


def _ended(arrays: Mapping[str, NDArray]) -> Ended:
    """Why the walk of a file stopped; older files tell it by the status alone."""
    if "ended" in arrays:
        return Ended[arrays["ended"].item()]
    status = WalkStatus[arrays["status"].item()]
    if status is WalkStatus.PIVOT_LIMIT:
        return Ended.WORK_LIMIT
    return Ended.__members__.get(status.name, Ended.FINISHED)


def _check_shapes(arrays: Mapping[str, NDArray], problem: LayerLoss) -> None:
    """ValueError if the arrays of a file do not fit together or to `problem`."""
    k, dim = len(arrays["losses"]), problem.dim
    index = problem.index
    outputs, m = index.widths[-1], int(index.columns[-1])
    rank = len(arrays["certificate_active"])
    expected: dict[str, tuple[int, ...]] = {
        "losses": (k,),
        "vertices": (k, *problem.shape),
        "basis": (k, dim),
        "descending": (k,),
        "certificate_slopes": (2 * rank,),
        "certificate_slope_tolerances": (2 * rank,),
        "certificate_active": (rank, 3),
        "certificate_theta": problem.shape,
        "certificate_sides": (rank + len(arrays["certificate_tied"]),),
        "checkpoint_theta": (dim,),
        "checkpoint_basis": (dim,),
        "checkpoint_side": (index.hidden_neurons, len(problem.inputs)),
        "checkpoint_side_r": (outputs, m),
        "checkpoint_random": (1,),
        **{name: (k - 1,) for name in arrays if name.startswith("steps_")},
    }
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, found {arrays[name].shape}")
    for name in ("basis", "checkpoint_basis", "checkpoint_tied"):
        ids = arrays[name]
        if ids.size and not (ids.min() >= FREE and ids.max() < index.size):
            raise ValueError(
                f"{name}: expected breakpoint ids below {index.size}, found {ids.max()}"
            )


__all__ = ["Checkpoint", "Steps", "Trajectory", "WalkOptions", "WalkStatus"]
