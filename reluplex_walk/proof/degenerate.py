"""Whether a degenerate vertex is a local minimum: the sign of F'(theta; d) for all d, exactly.

In rational arithmetic, on the data as they are.  By structure before brute force: the normals of
the vanishing breakpoints fall into *components*, the finest groups whose spans are independent
of each other.  A normal that is a component of its own is a *single* breakpoint: its rate is a
coordinate, and moving it alone is two half-edges.  The others form *blocks* (a zero block, a later
neuron that is constant 0 on a group of samples, collinear data), each a function of few
coordinates.  Deeper breakpoints follow shallower ones of the same sample; where a block follows
single breakpoints these are minimised out, so that F' >= 0 if and only if every part is.

A block is proved by tangents if it is convex, else on cones (:mod:`reluplex_walk.proof.cones`),
or, if it has many coordinates, by a tree of splits (:mod:`reluplex_walk.proof.tree`).
The proofs of all blocks are the witness (:mod:`reluplex_walk.proof.witness`).
"""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._budget import Budget
from ..exact.loss import ExactLoss, LocalModel, Sides
from ..exact.rationals import Objects, Rationals, reduce
from ..problem.breakpoints import Breakpoints
from .cones import Homogeneous, examine
from .descent import search
from .reason import Reason
from .relaxation import Relaxation
from .shares import share
from .tangents import merged, tangents
from .tree import grow
from .witness import Block, Multipliers, Proof, Witness

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MAX_COORDINATES = 10  # of a block that is not convex: cones start from 2^d orthants
_FEW_COORDINATES = 3  # so few that cones alone decide at once
_SOME_COORDINATES = 5  # so few that they are tried first
_STARTS = 30  # directions from which a descent is searched
_SHARE = 0.3  # of the time left, for a search that another may do better than
_MOST = 0.6  # of it, for one that seldom fails
_WORK = (150.0, 2.0, 0.1)  # for each breakpoint, and coordinate of it, and square of these
_MAX_FLIPS = 4  # sides tried together to line the breakpoints of a sample up with their block


Found = tuple[Proof | None, Objects | None]  # a proof that f >= 0, a point with f < 0, or neither


class Verdict(NamedTuple):
    """What was found out about F' at a vertex.

    ``direction`` (D,) descends, if there is one; else ``method`` is the proof that none does
    (``vertex``, ``convex`` or ``cells``), `witness` its record; or ``none``, for a `reason`.
    """

    method: str
    direction: Rationals | None = None
    witness: Witness | None = None
    reason: Reason | None = None


def judge(
    exact: ExactLoss,
    vanishing: Breakpoints,
    sides: Sides,
    deadline: Budget,
    walls: tuple[Rationals, Objects] | None = None,
) -> Verdict:
    """Whether the loss descends from a point where exactly `vanishing` are 0.

    `sides` are the signs of all others.  Stops at `deadline`.  The witness numbers breakpoints as
    `vanishing` does.  `walls`, as for :meth:`LocalModel.within`, are half-spaces that the
    directions must not leave; a direction found may, and then still descends where it is taken
    back to them; they are the last breakpoints of the witness.
    """
    k, dim = vanishing.stage.size, exact.loss.n_free
    deadline.spend(k * (_WORK[0] + _WORK[1] * dim + _WORK[2] * min(k, dim) * dim))
    sides = _align(exact, vanishing, sides)
    model = exact.local(vanishing, sides)
    model.alpha.sort(key=lambda link: int(vanishing.stage[link[1]]))  # what others follow first
    places = zip(*vanishing, strict=True)
    seen_from = np.array([sides[t][column, neuron] for t, column, neuron in places], np.int8)
    order = np.argsort(vanishing.stage, kind="stable")
    if walls is not None:
        model = model.within(*walls)
        order = np.append(order, np.arange(order.size, len(model.gamma)))
        seen_from = np.append(seen_from, np.ones(len(model.gamma) - seen_from.size, np.int8))
    return _Components(model, order).verdict(seen_from, deadline)


def _align(exact: ExactLoss, vanishing: Breakpoints, sides: Sides) -> Sides:
    """Sides in which as many breakpoints as possible of a deeper neuron share one row u."""
    sides = [side.copy() for side in sides]
    for stage, column, neuron in zip(*vanishing, strict=True):
        sides[stage][column, neuron] = 1
    samples = exact.sample(vanishing)

    def rows(members: Ints) -> list[tuple[tuple[int, int], tuple[object, ...]]]:
        part = vanishing.take(members)
        u = exact.rows(part, sides)[0].fractions()
        keys = zip(part.stage.tolist(), part.neuron.tolist(), strict=True)
        return [(key, tuple(row)) for key, row in zip(keys, u, strict=True)]

    deep = np.flatnonzero((vanishing.stage > 0) & (samples >= 0))
    if not deep.size:
        return sides
    count = Counter(pair for pair in rows(deep) if any(pair[1]))
    main: dict[tuple[int, int], tuple[object, ...]] = {}
    for (key, u), _ in count.most_common():
        main.setdefault(key, u)
    for sample in np.unique(samples[deep]):
        here = np.flatnonzero(samples == sample)
        members = here[vanishing.stage[here] > 0]
        feeding = here[vanishing.stage[here] < vanishing.stage[members].max()][:_MAX_FLIPS]
        if all(main.get(key) == u for key, u in rows(members)):
            continue
        best = (-1, (1,) * feeding.size)
        for flips in product((1, -1), repeat=feeding.size):
            _set(sides, vanishing, feeding, flips)
            best = max(best, (sum(main.get(key) == u for key, u in rows(members)), flips))
        _set(sides, vanishing, feeding, best[1])
    return sides


def _set(sides: Sides, c: Breakpoints, members: Ints, values: tuple[int, ...]) -> None:
    for k, side in zip(members, values, strict=True):
        sides[c.stage[k]][c.column[k], c.neuron[k]] = side


class _Components:
    """One local model: its coordinates, its components, and what is minimised out of them.

    `order` lists the breakpoints 0..k-1 by stage.  `pivots` are breakpoints whose normals are a
    basis of all normals; coordinate j is the region's rate of ``pivots[j]``, or its true rate t_c
    where it is single.
    """

    def __init__(self, model: LocalModel, order: Ints) -> None:
        self.model = model
        self.order = order
        normals = model.normals.num
        self.form, pivots = reduce(normals.T)  # (rank, k): every normal by those of the pivots
        self.pivots = np.array(pivots, np.int64)
        self.columns = np.array(reduce(normals[self.pivots])[1], np.int64)
        self.basis = model._replace(normals=Rationals(normals[self.pivots], model.normals.den))
        self.k = len(normals)
        support = self.form.num != 0
        shared = support.sum(axis=1) > 1
        self.single = np.zeros(self.k, np.bool_)
        self.single[self.pivots[~shared]] = True
        self.choices: dict[int, dict[int, tuple[int, Fraction]]] = {}

    def verdict(self, sides: NDArray[np.int8], deadline: Budget) -> Verdict:
        """What is found out until `deadline`; the model is seen from `sides` (k,)."""
        model = self.model
        prices = self.basis.prices(self.columns)
        if prices is None:
            return Verdict("none", self.basis.within_face())
        self.price = np.zeros(self.k, object)
        self.price[self.pivots] = prices
        self.kinks = model.kinks(np.where(self.single, self.price, 0))
        self.alpha = [link for link in model.alpha if not self.single[link[0]]]
        self.linear = self.price[self.pivots]

        descent = self._edges()
        if descent is None:
            descent = self._eliminate()
        if descent is not None:
            return self._descent(descent, np.zeros(self.pivots.size, object))
        blocks, reason = [], None
        for members in self._blocks():
            coordinates, f = self._function(members)
            proof, y = decide(f, deadline)
            if y is not None:
                at = np.zeros(self.pivots.size, object)
                at[coordinates] = y
                return self._descent({}, at)
            if proof is None:  # another block may still descend
                reason = Reason.BUDGET if deadline.passed else Reason.BLOCK
            else:
                blocks.append(Block(members, proof))
        if reason is not None:
            return Verdict("none", reason=reason)
        witness = Witness(sides, self.pivots, tuple(prices), tuple(blocks))
        return Verdict(_method(witness), witness=witness)

    def _edges(self) -> dict[int, Fraction] | None:
        """Rates of a single breakpoint whose half-edge descends; None if none does."""
        feeding = {b for _, b, _ in self.alpha}
        for c in np.flatnonzero(self.single):
            if self.price[c] < 0:
                return {int(c): Fraction(1)}
            if c not in feeding and self.price[c] + self.kinks[c] > 0:
                return {int(c): Fraction(-1)}
        return None

    def _eliminate(self) -> dict[int, Fraction] | None:
        """Minimise out the single breakpoints that one member m of a block alone follows.

        With y_c = -t_c >= 0 for them, s_c their slopes and t the rate of m if they stay at 0, what
        they add is  h(t) = min_y  s . y + k_m min(0, t - alpha . y),  two slopes h(1) and h(-1).
        Returns rates that descend (then h is not bounded), else None.
        """
        feeders: dict[int, list[tuple[int, Fraction]]] = {}
        for m, b, alpha in self.alpha:
            feeders.setdefault(m, []).append((b, alpha))
        times = Counter(b for _, b, _ in self.alpha)
        for m, links in feeders.items():
            if m in times or not all(self.single[b] and times[b] == 1 for b, _ in links):
                continue
            k = self.kinks[m]
            slope = {b: -(self.price[b] + self.kinks[b]) for b, _ in links}
            for b, alpha in links:
                if slope[b] + k * min(Fraction(0), -alpha) < 0:
                    return {b: Fraction(-1)}
                for c, other in links:
                    if alpha > 0 > other and slope[b] / alpha - slope[c] / other < 0:
                        return {b: -1 / alpha, c: 1 / other}
            least = {}
            self.choices[m] = {}
            for t in (1, -1):
                least[t] = k * min(0, t)
                for b, alpha in links:
                    if t / alpha > 0 and slope[b] * t / alpha < least[t]:
                        least[t] = slope[b] * t / alpha
                        self.choices[m][t] = (b, -t / alpha)
            form = Rationals(self.form.num[:, m], self.form.den).fractions()
            self.linear = self.linear + least[1] * form
            self.kinks[m] = -(least[1] + least[-1])
            self.alpha = [link for link in self.alpha if link[0] != m]
        return None

    def _blocks(self) -> list[Ints]:
        """Members of each group of breakpoints that depend on each other."""
        from scipy import sparse  # here: it takes a while to import, and few proofs need it

        rows, columns = np.nonzero(self.form.num != 0)
        links = list(zip(self.pivots[rows].tolist(), columns.tolist(), strict=True))
        links += [(b, c) for c, b, _ in self.alpha]
        start, end = np.array(links, np.int64).reshape(-1, 2).T
        graph = sparse.coo_matrix((np.ones(start.size), (start, end)), shape=(self.k, self.k))
        _, label = sparse.csgraph.connected_components(graph, directed=False)
        groups = [np.flatnonzero(label == part) for part in np.unique(label)]
        # A breakpoint with no coordinate at all, with what follows it, stays at 0.
        return [g for g in groups if g.size > 1 and np.isin(g, self.pivots).any()]

    def _function(self, members: Ints) -> tuple[Ints, Homogeneous]:
        """F' as a function of the coordinates of a block, and which ones these are."""
        coordinates = np.flatnonzero(np.isin(self.pivots, members))
        place = {int(c): k for k, c in enumerate(members)}
        form = Rationals(self.form.num[np.ix_(coordinates, members)], self.form.den)
        f = Homogeneous(
            self.linear[coordinates],
            form.fractions().T,
            self.kinks[members],
            [(place[c], place[b], alpha) for c, b, alpha in self.alpha if c in place],
        )
        return coordinates, merged(f)

    def _descent(self, single: dict[int, Fraction], y: Objects) -> Verdict:
        """The direction with these rates of single breakpoints and coordinates `y` of blocks."""
        region = self.form.num.T @ y  # times form.den: rates of the blocks' members in the region
        true = np.zeros(self.k, object)
        for m, choice in self.choices.items():
            t = Fraction(region[m]) / self.form.den
            if t != 0 and (1 if t > 0 else -1) in choice:
                b, rate = choice[1 if t > 0 else -1]
                single = {**single, b: rate * abs(t)}
        links: dict[int, list[tuple[int, Fraction]]] = {}
        for c, b, alpha in self.model.alpha:
            links.setdefault(c, []).append((b, alpha))
        for c in self.order:
            rate = Fraction(region[c]) / self.form.den
            if self.single[c]:  # its coordinate is its true rate
                true[c] = single.get(int(c), rate)
            else:
                true[c] = sum((alpha * min(0, true[b]) for b, alpha in links.get(int(c), [])), rate)
        return Verdict("none", self.model.direction(self.pivots, self.columns, true))


def decide(f: Homogeneous, deadline: Budget) -> Found:
    """The proof that f >= 0, or a point with f < 0, or neither."""
    if not f.alpha and all(k <= 0 for k in f.kinks):
        theta = tangents(f, deadline)
        if theta is not None:
            return Multipliers(theta), None
    if len(f.linear) <= _FEW_COORDINATES:
        return examine(f, deadline).found
    for found in _attempts(f, deadline):
        if found[0] is not None or found[1] is not None:
            return found
    return None, None


def _attempts(f: Homogeneous, deadline: Budget) -> Iterator[Found]:
    """What different searches find until `deadline`, those that are likely to end soon first."""
    d, relaxation = len(f.linear), Relaxation(f)
    planes = bool(relaxation.bounds)
    if planes:  # parts are small, and linear programs tight
        yield share(f, decide, deadline.part(_SHARE)), None
        yield grow(f, relaxation, deadline.part(_SHARE)).found
    if d <= _SOME_COORDINATES:
        yield examine(f, deadline.part(_MOST)).found
    yield None, search(f, relaxation, _STARTS, deadline.part(_SHARE))
    if not planes:
        yield share(f, decide, deadline), None
    if _SOME_COORDINATES < d <= _MAX_COORDINATES:
        yield examine(f, deadline.part(_SHARE)).found
    yield grow(f, relaxation, deadline).found


def _method(witness: Witness) -> str:
    """What the proof rests on, in a word."""
    if all(isinstance(block.proof, Multipliers) for block in witness.blocks):
        return "convex" if witness.blocks else "vertex"
    return "cells"
