"""`vertex_graph`: vertices and edges of the loss around a vertex, not only those one walk sees."""

from collections import deque
from collections.abc import Callable
from math import comb
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._limits import Limits
from .._logs import logged
from .._memory import require_memory
from .._validate import function, instance, integer, positive
from ..ended import Ended
from ..native import pivot as native
from ..native.arrays import FREE, N_TIED, START_SIZE, STEP, State
from ..native.refresh import new_state, place, refresh
from ..native.walk import follow, half_edges, prices
from ..problem.loss import LayerLoss
from ..problem.penalty import refuse
from ..simplex.size import state_size
from ..simplex.trajectory import Trajectory
from ..simplex.walk import walk
from ..tolerances import GRAPHS, TOLERANCES
from .exact_vertices import ExactVertices
from .vertex_graph import VertexGraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BASES = 1000  # bases looked at of one degenerate vertex


class GraphProgress(NamedTuple):
    """What the callback of :func:`vertex_graph` is told.

    Attributes
    ----------
    n_vertices : int
        Vertices known.
    n_expanded : int
        Of them about so many are done: all their edges were followed.
    elapsed : float
        Seconds.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> told = []
    >>> graph = rw.vertex_graph(loss, callback=told.append)
    >>> told[-1].n_vertices == len(graph), told[0].n_expanded <= told[-1].n_expanded
    (True, True)
    """

    n_vertices: int
    n_expanded: int
    elapsed: float


class _Stand(NamedTuple):
    """A basis at a vertex and the region it is looked at from; the state follows from it."""

    vertex: int
    theta: Floats
    basis: Ints
    side: Floats
    side_r: Floats
    tied: Ints
    tied_w: Floats


class _Exploration:
    """Breadth-first search over the bases of all vertices."""

    def __init__(self, loss: LayerLoss, size: float, limits: Limits) -> None:
        self.loss = loss
        self.limits = limits
        self.kernel = loss.free_kernel
        self.anchor = np.zeros(loss.shape)  # holds the parameters that are not free
        self.exact = ExactVertices(loss)
        self.state, self.trial = new_state(self.kernel), new_state(self.kernel)
        self.size = size  # of parameters, in the units of the kernels: much below it is rounding
        self.state.scalar[START_SIZE] = self.trial.scalar[START_SIZE] = size
        self.inner: list[Floats] = []  # (D,) the vertices in the units of the kernels
        self.vertices: list[Floats] = []  # (D,) in the units of the data
        self.losses: list[float] = []
        self.active: list[Ints] = []
        self.known: dict[bytes, list[int]] = {}  # vertices by what vanishes there
        self.bases: list[set[bytes]] = []
        self.queue: deque[_Stand] = deque()
        self.edges: set[tuple[int, int]] = set()
        self.rays: dict[int, set[bytes]] = {}
        self.steepest: dict[int, tuple[float, int]] = {}  # slope and end of the steepest edge

    def arrive(self, state: State, local: bool) -> int:
        """Number of the vertex `state` is at; what is to be followed from there is queued.

        That is the first basis a vertex is reached with and, for `local` changes of basis at a
        degenerate vertex, every further one: they are vertices of one local perturbed problem.
        """
        tied = state.tied[: state.number[N_TIED]]
        basis = np.sort(state.basis[state.basis != FREE])
        vanish = np.union1d(basis, tied)
        number = self._number(vanish, state.theta)
        new = number is None
        if number is None:
            number = self._new(vanish, state)
        if new or (local and basis.tobytes() not in self.bases[number]):
            self.bases[number].add(basis.tobytes())
            self.queue.append(
                _Stand(
                    vertex=number,
                    theta=state.theta.copy(),
                    basis=state.basis.copy(),
                    side=state.side.copy(),
                    side_r=state.side_r.copy(),
                    tied=tied.copy(),
                    tied_w=state.tied_w[: tied.size].copy(),
                )
            )
        return number

    def _number(self, vanish: Ints, theta: Floats) -> int | None:
        """The vertex near `theta` (D,), in the units of the kernels, where `vanish` are 0."""
        for number in self.known.get(vanish.tobytes(), ()):
            other = self.inner[number]
            size = max(np.abs(theta).max(), np.abs(other).max(), GRAPHS.small * self.size)
            if np.abs(other - theta).max() <= GRAPHS.same * size:
                return number
        return None

    def _new(self, vanish: Ints, state: State) -> int:
        """Number of a vertex at which floats saw `vanish` for the first time."""
        seen, number = vanish, None
        if self.exact.in_doubt(state):
            vanish = self.exact.vanishing(vanish, state, self.anchor)
            number = self._number(vanish, state.theta)
        if number is None:
            number = len(self.vertices)
            inner = state.theta.reshape(self.loss.free_shape)
            theta = self.loss.free_units.outer(inner, self.anchor).ravel()
            self.inner.append(state.theta.copy())
            self.vertices.append(theta)
            self.losses.append(self.loss(theta))
            self.active.append(vanish)
            self.bases.append(set())
        for ids in {vanish.tobytes(), seen.tobytes()}:
            self.known.setdefault(ids, []).append(number)
        return number

    def begin(self, theta: Floats, basis: Ints) -> None:
        """Arrive at `theta` (h, q); where it lies inside a face, at a vertex of that face."""
        state = self.state
        self.anchor = theta
        self.kernel = self.loss.kernel_from(theta)
        place(self.kernel, state, self.loss.free_units.inner(theta).ravel())
        state.basis[:] = basis
        self._refresh(state)
        for _ in range(state.basis.size):  # each time one more breakpoint
            if self.limits.over is not None or not self._extend(state):
                break
            self._refresh(state)
        self.arrive(state, False)

    def _refresh(self, state: State, size: float = 0.0) -> None:
        """Recompute `state`, which was reached from parameters of the given size.

        Tolerances are relative: beside a block of size 1e-30 nothing would vanish.  So components
        that are rounding at most are set to 0, from where the Newton step brings back what is not.
        """
        size = max(size, float(np.abs(state.theta).max()))
        state.theta[np.abs(state.theta) <= GRAPHS.rounding * size] = 0.0
        refresh(self.kernel, state, TOLERANCES)
        state.theta[np.abs(state.theta) <= np.finfo(float).eps * size] = 0.0

    def _extend(self, state: State) -> bool:
        """Move along the face `state` lies in to one more breakpoint, if there is any."""
        for row in np.flatnonzero(state.basis == FREE):
            for sign in (1.0, -1.0):
                prices(self.kernel, state)
                state.d[:] = sign * state.b[row]
                if follow(self.kernel, state, native.GIVEN, False) == native.DONE:
                    return True
        return False

    def expand(self, stand: _Stand) -> bool:
        """Follow every half-edge of the basis; False if a limit is over before all are."""
        state, at = self.state, stand.vertex
        state.theta[:], state.basis[:] = stand.theta, stand.basis
        state.side[:], state.side_r[:] = stand.side, stand.side_r
        state.number[N_TIED] = stand.tied.size
        state.tied[: stand.tied.size] = stand.tied
        state.tied_w[: stand.tied.size] = stand.tied_w
        self._refresh(state)
        prices(self.kernel, state)
        rows = np.flatnonzero(state.basis != FREE)
        edges = np.zeros((2 * rows.size, state.basis.size))
        half_edges(self.kernel, state, rows, edges)
        outer = self.loss.free_units.outer(edges.reshape(-1, *self.loss.free_shape))
        lengths = np.linalg.norm(outer, axis=(1, 2))
        for far in (False, True):
            slopes = state.far if far else state.price
            for place_in, row in enumerate(rows):
                if self.limits.over is not None:
                    return False
                edge = place_in + far * rows.size
                slope = float(slopes[row]) / float(lengths[edge])
                doubt = abs(slopes[row]) <= GRAPHS.doubt * state.noise[row, int(far)]
                self._follow(at, int(row), far, slope, doubt, edges[edge])
        return True

    def _follow(
        self, at: int, row: int, far: bool, slope: float, doubt: bool, edge: Floats
    ) -> None:
        """Follow one half-edge; `doubt`: floats leave open whether the loss descends along it."""
        for array, copy in zip(self.state, self.trial, strict=True):
            copy[...] = array
        if follow(self.kernel, self.trial, row, far) != native.DONE:
            direction = np.round(edge / np.linalg.norm(edge), 7) + 0.0
            self.rays.setdefault(at, set()).add(direction.tobytes())
            return
        local = self.trial.scalar[STEP] == 0.0
        if not local:
            self._refresh(self.trial, float(np.abs(self.state.theta).max()))
        end = self.arrive(self.trial, local)
        if end != at:
            self.edges.add((min(at, end), max(at, end)))
            if doubt:  # the loss is affine along the edge: its ends tell
                ends = [(k, self.vertices[k], self.active[k]) for k in (end, at)]
                lower = self.exact.lower(*ends)
                slope = min(slope, -np.finfo(float).tiny) if lower else 0.0
            if slope < self.steepest.get(at, (0.0, -1))[0]:
                self.steepest[at] = (slope, end)


@logged("vertex_graph")
def vertex_graph(
    loss: LayerLoss,
    start: Trajectory | ArrayLike | None = None,
    max_vertices: int = 10_000,
    radius: float | None = None,
    time_limit: float | None = None,
    callback: Callable[[GraphProgress], Any] | None = None,
) -> VertexGraph:
    """All vertices and edges that pivots in every direction, up and down, reach from a vertex.

    Breadth-first; at a degenerate vertex all its bases are visited (up to 1,000), so that its edges
    are those of the true arrangement.

    Parameters
    ----------
    loss : LayerLoss
    start : Trajectory or array_like (h, q) or (D,), optional
        A walk, whose end is the first vertex (if it lies inside a flat face, a vertex of that), or
        the parameters one is started from; default: a walk from its own default start.
    max_vertices : int, default 10000
        Stop expanding when so many are known.
    radius : float, optional
        Expand only vertices at this distance (Euclidean, of parameters) from the first one at most.
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called with a :class:`GraphProgress` after each vertex; StopIteration or KeyboardInterrupt
        raised in it ends the search as Ctrl-C does.

    Returns
    -------
    VertexGraph
        Also at a limit or after Ctrl-C, with ``complete=False``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or so many vertices not in memory.

    Examples
    --------
    Four lines in the plane meet in six vertices:

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 1])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 0.0, 1.0])
    >>> graph = rw.vertex_graph(loss)
    >>> len(graph), len(graph.edges), len(graph.minima), graph.complete
    (6, 8, 1, True)
    """
    instance("loss", loss, LayerLoss)
    refuse(loss.penalty, "the graph of vertices")
    integer("max_vertices", max_vertices, 1)
    for name, value in (("radius", radius), ("time_limit", time_limit)):
        if value is not None:
            positive(name, value)
    if isinstance(start, Trajectory) and start.problem.fingerprint != loss.fingerprint:
        raise ValueError("start: this trajectory belongs to another loss (data, network, kind)")
    if time_limit is None:
        _require_room(loss, max_vertices)
    function("callback", callback)
    with Limits(max_vertices, time_limit, callback) as limits:
        if isinstance(start, Trajectory):
            traj = start
        else:
            traj = walk(loss, start, time_limit=limits.remaining)
        size = float(np.abs(loss.free_units.inner(traj.vertices)).max(initial=0.0))
        search = _Exploration(loss, size, limits)
        search.begin(traj.vertices[-1], traj.basis[-1])
        open_vertices: set[int] = set()
        ended, crowded = None, False
        while search.queue:
            stand = search.queue.popleft()
            distance = np.linalg.norm(search.vertices[stand.vertex] - search.vertices[0])
            far = radius is not None and distance > radius
            many = len(search.bases[stand.vertex]) > _BASES
            known = len(search.vertices)
            now = GraphProgress(known, known - len(search.queue), limits.elapsed)
            ended, crowded = ended or limits.look(known, now), crowded or many
            if far or many or ended is not None or not search.expand(stand):
                open_vertices.add(stand.vertex)
                ended = ended or limits.over
    ended = ended or (Ended.WORK_LIMIT if crowded else Ended.FINISHED)
    return _assemble(search, open_vertices, ended, limits.elapsed)


def _require_room(loss: LayerLoss, max_vertices: int) -> None:
    """ValueError if so many vertices do not fit in memory: some arrays (D,), and D edges each."""
    dim = loss.n_free
    count = min(max_vertices, comb(loss.index.size, dim))
    require_memory(
        f"max_vertices: a graph of up to {count:.3g} vertices in {dim} dimensions",
        count * (200.0 * dim + 8.0 * state_size(loss)),
        "give a smaller max_vertices, or a time_limit",
    )


def _assemble(
    search: _Exploration, open_vertices: set[int], ended: Ended, elapsed: float
) -> VertexGraph:
    count = len(search.vertices)
    expanded = np.array([k not in open_vertices for k in range(count)])
    following = [search.steepest.get(k, (0.0, k))[1] for k in range(count)]
    return VertexGraph(
        problem=search.loss,
        vertices=np.array(search.vertices).reshape(count, *search.loss.shape),
        losses=np.array(search.losses),
        active=search.active,
        edges=np.array(sorted(search.edges), np.int64).reshape(-1, 2),
        rays=np.array([len(search.rays.get(k, ())) for k in range(count)]),
        expanded=expanded,
        next=np.where(expanded, following, -1),
        complete=not open_vertices,
        ended=ended,
        elapsed=elapsed,
    )


__all__ = ["GraphProgress", "vertex_graph"]
