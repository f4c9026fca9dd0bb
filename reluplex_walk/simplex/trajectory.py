"""`Trajectory`: what a walk returns."""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._validate import choice, integer
from ..ended import Ended
from ..native.arrays import FREE
from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork
from ..proof.certificate import Certificate
from ..proof.check import CertificateError, ExactCheck
from ..regions.along import Passage, passage
from .level import METHODS as LEVEL_METHODS, LevelEstimate, estimate, proximity
from .records import Checkpoint, Steps, Visited, WalkOptions, WalkStatus
from .summary import in_words
from .trajectory_file import read, write

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.figure import Figure

    from ..plotting.losses import Levels

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
        """K arrays (r, 3): (hidden layer above the trained one or residual, sample, neuron)."""
        return [self.problem.locate(row) for row in self.basis]

    @property
    def network(self) -> ReLUNetwork:
        """The network with the trained layer in place."""
        return self.problem.network.with_layer(self.problem.layer, self.theta)

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

        ``level``, ``low`` and ``high`` are arrays (K,).
        """
        method = choice("method", method, LEVEL_METHODS)
        return LevelEstimate(*estimate(self._visited, np.arange(len(self.losses)), method), method)

    def proximity(self) -> Floats:
        """How close the end seems at each entry, (K,) in [0, 1], from what is known there alone.

        1 minus the mean number of descending half-edges over the last D / 4 entries relative to
        the mean so far.  The number hardly falls before the end is near; how early and how often
        wrongly a proximity of 0.7 or more announces it, ``python -m benchmarks level`` measures.
        """
        return proximity(self._visited)

    @property
    def _visited(self) -> Visited:
        return Visited(self.problem, self.losses, self.vertices, self.basis, self.descending)

    def graph(self) -> "nx.DiGraph":
        """The walk as a directed graph: a node per entry, an edge per pivot.

        Nodes 0..K-1 carry ``index``, ``loss``, ``descending``, ``rank`` and its parts
        ``active_hidden_0``, ... and ``active_residuals`` (active breakpoints per layer, counted
        from the trained one upwards), ``tied``, and ``distance``, the Euclidean distance to the
        end in parameter space.  Edges carry ``length``, ``slope``, ``leaving``, ``entering``
        (breakpoints as "layer:sample:neuron", "" for none), ``flipped`` (whether the pivot left
        the region on the far side of the leaving breakpoint) and ``crossed``.  All are plain
        numbers and strings, so that every networkx writer takes them.
        """
        from ..graphs.walk_graph import walk_graph  # and networkx

        return walk_graph(self)

    def regions(self) -> Passage:
        """The affine regions the walk passed through, in order, with their gradients.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [3.0]], [0, 2, 1])
        >>> traj = rw.walk(loss, start=[[0.0, 5.0]])
        >>> traj.regions().gradients[0].tolist()
        [[4.0, 3.0]]
        """
        return passage(self.problem, self.vertices, self.steps.crossed > 0)

    def verify(self, budget: float = 60.0) -> ExactCheck:
        """Check what the trajectory says of its end, in floats and in rational arithmetic.

        Its certificate against its own data and network (:meth:`Certificate.verify` and
        :meth:`Certificate.verify_exact` with `budget` seconds), and end, loss and status against
        the certificate.  CertificateError (a ValueError) says what does not agree.
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
        """The main figures, as plain Python values."""
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
        """The main figures, as text."""
        figures = self.summary_dict()
        if self.problem.kind == "pinball":
            figures["kind"] = f"pinball, tau {self.problem.tau:g}"
        return in_words(figures)

    def plot(self, title: str | None = None, levels: "Levels | None" = None) -> "Figure":
        """The overview of the walk as a new matplotlib Figure (extra ``plot``).

        See :func:`reluplex_walk.plotting.overview`.
        """
        from ..plotting import overview

        return overview(self, title, levels=levels)

    def _repr_html_(self) -> str:
        """Summary and, where matplotlib is installed, overview, for notebooks."""
        from ..plotting.html import as_html

        return as_html(self)

    def __repr__(self) -> str:
        return f"Trajectory({self.status.name}, loss={self.loss:.10g}, n_pivots={self.n_pivots})"

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the trajectory to `path` (npz), with the data and the network.

        FileExistsError if `path` exists, unless `force`.
        """
        write(path, {field.name: getattr(self, field.name) for field in fields(self)}, force)

    @classmethod
    def load(cls, path: str | Path) -> "Trajectory":
        """Read a trajectory written by :meth:`save`.

        FileNotFoundError or, if it is no such file or damaged, ValueError.
        """
        return cls(**read(path))


__all__ = ["Trajectory"]
