"""The search for vertices: pivots in every direction, up and down, from each basis that is reached.

At a degenerate vertex so many of its bases are visited that its edges are those of the arrangement.
"""

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from ..native import pivot as native
from ..native.arrays import FREE, N_TIED, START_SIZE, STEP, State
from ..native.refresh import new_state, place, refresh
from ..native.walk import follow, half_edges, prices
from ..problem.loss import LayerLoss
from ..tolerances import GRAPHS, TOLERANCES
from .exact_vertices import ExactVertices

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_BASES = 10_000  # looked at of one degenerate vertex


class Stand(NamedTuple):
    """A basis at a vertex and the region it is looked at from; the state follows from it."""

    vertex: int
    theta: Floats
    basis: Ints
    side: Floats
    side_r: Floats
    tied: Ints
    tied_w: Floats


class Search:
    """Over the bases of all vertices, in the order in which they are found or lowest loss first."""

    def __init__(
        self, loss: LayerLoss, size: float, limits: Limits, lowest_first: bool = False
    ) -> None:
        self.loss = loss
        self.limits = limits
        self.kernel = loss.free_kernel
        self.anchor = np.zeros(loss.shape)  # holds the parameters that are not free
        self.exact = ExactVertices(loss)
        self.state, self.trial = new_state(self.kernel), new_state(self.kernel)
        self.copies = list(zip(self.trial, self.state, strict=True))
        self.size = size  # of parameters, in the units of the kernels: much below it is rounding
        self.state.scalar[START_SIZE] = self.trial.scalar[START_SIZE] = size
        self.inner: list[Floats] = []  # (D,) the vertices in the units of the kernels
        self.vertices: list[Floats] = []  # (D,) in the units of the data
        self.losses: list[float] = []
        self.active: list[Ints] = []
        self.known: dict[bytes, list[int]] = {}  # vertices by what vanishes there
        self.bases: list[set[bytes]] = []
        self.first: list[Ints] = []  # basis of each
        self.blocks: dict[int, list[tuple[int, int]]] = {}  # of degenerate ones
        self.lowest_first = lowest_first
        self.queue: list[tuple[float, int, Stand]] = []  # a heap
        self.n_queued = 0  # ever
        self.neighbours: list[set[int]] = []  # of each vertex, as far as it was expanded
        self.rays: dict[int, set[bytes]] = {}
        self.n_followed = 0  # half-edges
        self.steepest: dict[int, tuple[float, int]] = {}  # slope and end of the steepest edge

    def arrive(self, state: State, local: bool) -> int:
        """Number of the vertex `state` is at; what is to be followed from there is queued.

        That is the first basis a vertex is reached with and, for `local` changes of basis at a
        degenerate vertex, every further one: they are vertices of one local perturbed problem.
        """
        tied = state.tied[: state.number[N_TIED]]
        basis = np.sort(state.basis[state.basis != FREE])
        vanish = _vanishing(state)
        number = self._number(vanish, state.theta)
        new = number is None
        if number is None:
            number = self._new(vanish, state)
        if new:
            self.first.append(basis)
        if new or (local and self._needed(number, basis)):
            self.bases[number].add(basis.tobytes())
            self._queue(
                Stand(
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

    def _needed(self, number: int, basis: Ints) -> bool:
        """Whether `basis` of a degenerate vertex was not seen, and may have edges no other has.

        Where several neurons are 0, each edge moves one of them at most (and what holds the other
        breakpoints at 0): bases that differ from the first one in two of them have none of their
        own.
        """
        if basis.tobytes() in self.bases[number]:
            return False
        if number not in self.blocks:
            self.blocks[number] = self._zero_blocks(self.active[number])
        first, moved = self.first[number], 0
        for low, high in self.blocks[number]:
            here, before = (ids[(ids >= low) & (ids < high)] for ids in (basis, first))
            moved += not np.array_equal(here, before)
        return moved <= 1

    def _zero_blocks(self, vanish: Ints) -> list[tuple[int, int]]:
        """Ids, from and to, of the breakpoints of each neuron that is 0 where `vanish` are.

        Empty if other breakpoints hold these neurons, too: if more vanish than fix the others.
        """
        if not self.loss.n_hidden:
            return []
        columns, neurons = len(self.loss.inputs), self.loss.free_shape[0]
        inside = [vanish[vanish // columns == j].size for j in range(neurons)]
        zero = [j for j in range(neurons) if inside[j] == columns]
        others = vanish.size - columns * len(zero)
        if others != self.loss.n_free - self.loss.free_shape[1] * len(zero):
            return []
        return [(j * columns, (j + 1) * columns) for j in zero]

    def _queue(self, stand: Stand) -> None:
        first = self.losses[stand.vertex] if self.lowest_first else 0.0
        heappush(self.queue, (first, self.n_queued, stand))
        self.n_queued += 1

    def next(self) -> Stand:
        """What is to be expanded next, taken out of the queue."""
        return heappop(self.queue)[2]

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
            self.neighbours.append(set())
        for ids in {vanish.tobytes(), seen.tobytes()}:
            self.known.setdefault(ids, []).append(number)
        return number

    def begin(self, theta: Floats, basis: Ints) -> int:
        """Number of the vertex at `theta` (h, q); where that lies inside a face, of one of its own.

        Of several that a search begins at, the parameters that are not free have to be equal.
        """
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
        return self.arrive(state, False)

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
        """Move along the face `state` lies in to one more breakpoint, if there is any: the nearer.

        At a vertex that rounding has moved off one of its breakpoints that is this one.
        """
        for row in np.flatnonzero(state.basis == FREE):
            prices(self.kernel, state)
            steps = {sign: self._step(state, sign * state.b[row]) for sign in (1.0, -1.0)}
            sign = min(steps, key=lambda each: steps[each])
            if np.isfinite(steps[sign]):
                state.d[:] = sign * state.b[row]
                return bool(follow(self.kernel, state, native.GIVEN, False) == native.DONE)
        return False

    def _step(self, state: State, direction: Floats) -> float:
        """How far it is from `state` to the first breakpoint in that direction; inf: none."""
        for copy, array in self.copies:
            copy[...] = array
        self.trial.d[:] = direction
        if follow(self.kernel, self.trial, native.GIVEN, False) != native.DONE:
            return np.inf
        return float(np.abs(self.trial.theta - state.theta).max())

    def expand(self, stand: Stand) -> bool:
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
        self.n_followed += 1
        for copy, array in self.copies:
            copy[...] = array
        if follow(self.kernel, self.trial, row, far) != native.DONE:
            direction = np.round(edge / np.linalg.norm(edge), 7) + 0.0
            self.rays.setdefault(at, set()).add(direction.tobytes())
            return
        local = self.trial.scalar[STEP] == 0.0
        known = None if local else self._number(_vanishing(self.trial), self.trial.theta)
        if known is None and not local:
            self._refresh(self.trial, float(np.abs(self.state.theta).max()))
        end = self.arrive(self.trial, local) if known is None else known
        if end != at:
            self.neighbours[at].add(end)
            self.neighbours[end].add(at)
            if doubt:  # the loss is affine along the edge: its ends tell
                ends = [(k, self.vertices[k], self.active[k]) for k in (end, at)]
                lower = self.exact.lower(*ends)
                slope = min(slope, -np.finfo(float).tiny) if lower else 0.0
            if slope < self.steepest.get(at, (0.0, -1))[0]:
                self.steepest[at] = (slope, end)


def _vanishing(state: State) -> Ints:
    """Ids (k,), ascending, of the breakpoints that are 0 at `state`."""
    basis, tied = state.basis[state.basis != FREE], state.tied[: state.number[N_TIED]]
    return np.union1d(basis, tied) if tied.size else np.sort(basis)


__all__ = ["MOST_BASES", "Search", "Stand"]
