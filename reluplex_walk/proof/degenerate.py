"""Whether a degenerate vertex is a local minimum: the sign of F'(theta; d) for all d, exactly.

In rational arithmetic, on the data as they are.  By structure before brute force: the normals of
the vanishing breakpoints fall into *components*, the finest groups whose spans are independent
of each other.  A normal that is a component of its own is a *single* breakpoint: its rate is a
coordinate, and moving it alone is two half-edges.  The others form *blocks* (a zero block, a later
neuron that is constant 0 on a group of samples, collinear data), each a function of few
coordinates.  Deeper breakpoints follow shallower ones of the same sample; where a block follows
single breakpoints these are minimised out, so that F' >= 0 if and only if every part is.

A block is proved by tangents if it is convex, else on cones (:mod:`reluplex_walk.proof.cones`).
"""

from collections import Counter
from fractions import Fraction
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Deadline
from ..exact.loss import ExactLoss, LocalModel, Sides
from ..exact.rationals import Objects, Rationals, from_fractions, reduce, solve
from ..problem.breakpoints import Breakpoints
from .cones import Homogeneous, examine

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MAX_COORDINATES = 10  # of a block that is not convex: cones start from 2^d orthants
_MAX_FLIPS = 4  # sides tried together to line the breakpoints of a sample up with their block


class Verdict(NamedTuple):
    """What was found out about F' at a vertex.

    ``direction`` (D,) descends, if there is one; else ``method`` is the proof that none does
    (``vertex``, ``convex`` or ``cells``), or ``none``.
    """

    method: str
    direction: Rationals | None = None


def judge(
    exact: ExactLoss,
    vanishing: Breakpoints,
    sides: Sides,
    deadline: Deadline,
    walls: tuple[Rationals, Objects] | None = None,
) -> Verdict:
    """Whether the loss descends from a point where exactly `vanishing` are 0.

    `sides` are the signs of all others.  Stops at `deadline`.  `walls`, as for
    :meth:`LocalModel.within`, are half-spaces that the directions must not leave; a direction found
    may, and then still descends where it is taken back to them.
    """
    order = np.argsort(vanishing.stage, kind="stable")
    vanishing = vanishing.take(order)
    sides = _align(exact, vanishing, sides)
    model = exact.local(vanishing, sides)
    return _Components(model if walls is None else model.within(*walls)).verdict(deadline)


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

    deep = np.flatnonzero(vanishing.stage > 0)
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

    Breakpoints 0..k-1 are ordered by stage.  `pivots` are breakpoints whose normals are a basis of
    all normals; coordinate j is the region's rate of ``pivots[j]``, or its true rate t_c where it
    is single.
    """

    def __init__(self, model: LocalModel) -> None:
        self.model = model
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

    def verdict(self, deadline: Deadline) -> Verdict:
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
        methods = {"vertex"}
        for members in self._blocks():
            if deadline.passed:
                return Verdict("none")
            coordinates, f = self._function(members)
            method, y = decide(f, deadline)
            if y is not None:
                at = np.zeros(self.pivots.size, object)
                at[coordinates] = y
                return self._descent({}, at)
            if method == "none":
                return Verdict("none")
            methods.add(method)
        return Verdict(min(methods))  # cells before convex before vertex

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
        return coordinates, Homogeneous(
            self.linear[coordinates],
            form.fractions().T,
            self.kinks[members],
            [(place[c], place[b], alpha) for c, b, alpha in self.alpha if c in place],
        )

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
        for c in range(self.k):
            if self.single[c]:
                true[c] = single.get(c, Fraction(0))
            else:
                bent = sum((alpha * min(0, true[b]) for b, alpha in links.get(c, [])), Fraction(0))
                true[c] = Fraction(region[c]) / self.form.den + bent
        return Verdict("none", self.model.direction(self.pivots, self.columns, true))


def decide(f: Homogeneous, deadline: Deadline) -> tuple[str, Objects | None]:
    """The proof that f >= 0 (``convex``, ``cells``, or ``none``), or a point with f < 0."""
    if not f.alpha and all(k <= 0 for k in f.kinks) and tangents(f):
        return "convex", None
    if len(f.linear) > _MAX_COORDINATES:
        return "none", None
    found = examine(f, deadline)
    return ("cells" if found.proved else "none"), found.point


def tangents(f: Homogeneous) -> bool:
    """Whether a convex f is >= 0: theta in [0, 1] with  l + sum_c theta_c k_c a_c = 0, exactly.

    A linear program finds which theta are 0, 1 or between; the latter are solved for exactly.
    """
    from scipy import optimize  # here, as above

    slopes = from_fractions(f.rows * f.kinks[:, None])
    linear = from_fractions(f.linear)
    size = max(1, *(abs(v) for v in slopes.num.ravel()))
    scale = Fraction(slopes.den, size)
    result = optimize.linprog(
        np.zeros(len(slopes.num)),
        A_eq=Rationals(slopes.num.T, size).floats(),
        b_eq=-np.array([float(v * scale) for v in f.linear]),
        bounds=(0.0, 1.0),
        method="highs-ds",
    )
    if result.x is None:
        return False
    inside = np.abs(result.x - 0.5)
    order = np.argsort(inside, kind="stable")
    _, pivots = reduce(slopes.num[order].T)
    free = order[pivots]
    fixed = np.round(result.x).astype(np.int64).astype(object)
    fixed[free] = 0
    target = -(linear.num * slopes.den + (slopes.num.T @ fixed) * linear.den)
    _, rows = reduce(slopes.num[free])
    theta = solve(slopes.num[free][:, rows].T, target[rows, None])
    # slopes.num / slopes.den theta = target / (linear.den slopes.den)
    if ((slopes.num[free].T @ theta.num)[:, 0] != target * theta.den).any():
        return False
    unit = theta.den * linear.den
    return all(0 <= v * (1 if unit > 0 else -1) <= abs(unit) for v in theta.num[:, 0])
