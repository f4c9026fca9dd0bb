"""A vertex of a sparse regression: its active samples, with the inverse of their kernel.

Each column apart has an active sample of its own.  Less multiples of those, the rows of the other
active samples have entries in the rest alone: the kernel, as large as the rest has columns.
"""

import numpy as np
from numpy.typing import NDArray

from ...native.lad_sparse import direct, gradient, meet, move, reduced, residuals, settle
from ...native.lad_sparse_arrays import Vertex
from .columns import Parts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TINY = 1e-300  # slope of a half-edge known to descend
_DEPENDENT = 1e-6  # of its length that other rows leave of one that depends on them
_PRICE = 1e-11  # by which a price may leave its box, as a share of that
_RATE = 1e-11  # of the largest rate: 0


class SparseVertex:
    """The moving record `state` of the kernels, and `inverse` (R, R) of the kernel.

    Starts at theta (q,), from where samples near the fit become active.
    """

    def __init__(self, parts: Parts, theta: Floats) -> None:
        n, g, r = parts.columns.y.size, parts.apart.size, parts.rest.size
        self.parts, self.columns = parts, parts.columns
        self.state = Vertex(
            own=parts.columns.members[parts.columns.first[:-1]],
            other=np.full(r, -1),
            active=np.zeros(n, np.int64),
            crowded=np.zeros(g, np.int64),
            side=np.ones(n),
            r=np.empty(n),
            t_apart=theta[parts.apart].copy(),
            t_rest=theta[parts.rest].copy(),
            g_apart=np.zeros(g),
            g_rest=np.zeros(r),
            d_apart=np.empty(g),
            d_rest=np.empty(r),
            rates=np.empty(n),
            times=np.empty(n),
            jumps=np.empty(n),
            ids=np.empty(n, np.int64),
        )
        self.inverse: Floats = np.eye(r)
        self.random = np.random.default_rng(0)
        self.pivots = 0
        self._begin()

    def _begin(self) -> None:
        """Columns apart become quantiles, then samples near the fit active."""
        state, r = self.state, self.parts.rest.size
        residuals(self.columns, state)
        state.side[:] = np.where(state.r > 0.0, 1.0, -1.0)
        settle(self.columns, state, 0.0, 1)
        reach = np.abs(state.r)
        reach[state.active != 0] = np.inf
        kept: Floats = np.zeros((r, r))  # orthonormal rows
        found = 0
        most = min(4 * r + 50, reach.size)
        tried = 0
        while found < r and tried < reach.size:
            near = np.argpartition(reach, most - 1)[:most] if most < reach.size else np.arange(most)
            near = near[np.argsort(reach[near], kind="stable")]
            near = near[np.isfinite(reach[near])]
            for i, row in zip(near.tolist(), self.rows(near), strict=True):
                length = np.linalg.norm(row)
                for _ in range(2):
                    row -= (kept[:found] @ row) @ kept[:found]
                rest = np.linalg.norm(row)
                if rest > _DEPENDENT * length:
                    kept[found] = row / rest
                    state.other[found] = i
                    found += 1
                    if found == r:
                        break
            reach[near] = np.inf
            tried += most
            most = min(4 * most, reach.size)
        if found < r:
            raise np.linalg.LinAlgError("no vertex")
        state.active[state.other] = 1
        group = self.columns.group[state.other]
        np.add.at(state.crowded, group[group >= 0], 1)
        self.refresh()

    def rows(self, samples: Ints) -> Floats:
        """Rows (k, R) of `samples`, less the multiples of own active samples."""
        c, state = self.columns, self.state
        found = np.zeros((samples.size, self.parts.rest.size))

        def take(places: Ints, of: Ints, factor: Floats) -> None:
            counts = c.begin[of + 1] - c.begin[of]
            entries = np.repeat(c.begin[of] - np.cumsum(counts) + counts, counts)
            entries += np.arange(counts.sum())
            rows = np.repeat(places, counts)
            np.add.at(
                found, (rows, c.column[entries]), c.entry[entries] * np.repeat(factor, counts)
            )

        take(np.arange(samples.size), samples, np.ones(samples.size))
        some = np.flatnonzero(c.group[samples] >= 0)
        own = state.own[c.group[samples[some]]]
        take(some, own, -c.apart[samples[some]] / c.apart[own])
        return found

    def refresh(self) -> None:
        """All anew from the active samples: the inverse, theta, residuals and gradient.

        Residuals that are 0 up to rounding keep their sides.
        """
        c, state = self.columns, self.state
        group = c.group[state.other]
        some = group >= 0
        self.inverse[:] = np.linalg.inv(self.rows(state.other))
        targets = c.y[state.other].copy()
        own = state.own[group[some]]
        targets[some] -= c.apart[state.other[some]] / c.apart[own] * c.y[own]
        state.t_rest[:] = self.inverse @ targets
        state.t_apart[:] = 0.0
        residuals_of_own = c.y[state.own] - self.at_own(state.t_rest)
        state.t_apart[:] = residuals_of_own / c.apart[state.own]
        self.look()

    def at_own(self, of_rest: Floats) -> Floats:
        """The products (G,) of own active samples with a vector of the rest."""
        c, own = self.columns, self.state.own
        counts = c.begin[own + 1] - c.begin[own]
        entries = np.repeat(c.begin[own] - np.cumsum(counts) + counts, counts)
        entries += np.arange(counts.sum())
        places = np.repeat(np.arange(own.size), counts)
        products = c.entry[entries] * of_rest[c.column[entries]]
        return np.bincount(places, products, own.size).astype(float)

    def look(self) -> int:
        """Residuals at theta and the gradient; how many have changed sides."""
        c, state = self.columns, self.state
        residuals(c, state)
        changed = (state.r * state.side < 0.0) & (np.abs(state.r) > self.zero())
        state.side[changed] *= -1.0
        gradient(c, state)
        return int(changed.sum())

    def zero(self) -> float:
        """|r| that counts as 0."""
        sizes = float(np.abs(self.columns.y).max())
        sizes += float(np.abs(self.state.t_apart).max(initial=0.0))
        return 1e-13 * (sizes + float(np.abs(self.state.t_rest).sum()))

    def push(self) -> None:
        """Move targets apart where residuals are 0 (Wolfe 1963)."""
        state, zero = self.state, self.zero()
        tied = np.flatnonzero((np.abs(state.r) <= zero) & (state.active == 0))
        state.r[tied] = state.side[tied] * zero * self.random.uniform(500.0, 1500.0, tied.size)

    def prices(self) -> tuple[Floats, Floats]:
        """Multipliers of the own and the other active samples, by their residuals."""
        c, state = self.columns, self.state
        whole = np.empty(self.parts.rest.size)
        reduced(c, state, whole)
        other = -(whole @ self.inverse)
        taken = state.g_apart.copy()
        group = c.group[state.other]
        some = group >= 0
        np.add.at(taken, group[some], c.apart[state.other[some]] * other[some])
        return -taken / c.apart[state.own], other

    def settle(self) -> int:
        """Bring columns apart to their quantiles; how many were moved."""
        moved = int(settle(self.columns, self.state, _PRICE, 0))
        if moved:
            gradient(self.columns, self.state)
            self.pivots += moved
        return moved

    def steepest(self) -> tuple[int, float, float] | None:
        """The active sample to leave, by place (R + g for an own one), its sign, and the slope."""
        c, state, (below, above) = self.columns, self.state, self.columns.slopes
        own, other = self.prices()
        some = np.flatnonzero(state.crowded > 0)
        rows = np.concatenate([state.other, state.own[some]])
        price, weight = np.concatenate([other, own[some]]), c.w[rows]
        up, down = above * weight - price, below * weight + price
        least = np.minimum(up, down)
        length = np.ones(rows.size)
        length[: other.size] = np.linalg.norm(self.inverse, axis=0)
        doubt = _PRICE * (below + above) * weight
        least = np.where(least < -doubt, least / length, 0.0)
        if not least.size:
            return None
        k = int(least.argmin())
        if least[k] >= 0.0:
            return None
        place = k if k < other.size else other.size + int(some[k - other.size])
        return place, 1.0 if up[k] < down[k] else -1.0, float(min(up[k], down[k]))

    def pivot(self, place: int, sign: float, slope: float) -> bool:
        """Leave along an edge to the next vertex; False if there is none."""
        c, state, r = self.columns, self.state, self.parts.rest.size
        if place >= r and state.crowded[place - r]:
            place = self._swap(place - r)
        alone = place - r if place >= r else -1
        state.d_rest[:] = 0.0 if alone >= 0 else sign * self.inverse[:, place]
        leaving = int(state.other[place] if alone < 0 else state.own[alone])
        direct(c, state, alone, sign)
        least = _RATE * float(np.abs(state.rates).max(initial=0.0))
        at = meet(c, state, slope, least)
        if at < 0:
            return False
        entering = int(state.ids[at])
        blocked = abs(state.r[entering]) <= self.zero()
        move(c, state, at, leaving, sign)
        self.pivots += 1
        if alone >= 0:
            state.own[alone] = entering
            return True
        state.other[place] = entering
        for sample, change in ((leaving, -1), (entering, 1)):
            if c.group[sample] >= 0:
                state.crowded[c.group[sample]] += change
        row = self.rows(np.array([entering]))[0] @ self.inverse
        column = self.inverse[:, place] / row[place]
        self.inverse -= np.outer(column, row)
        self.inverse[:, place] = column
        if blocked:
            self.push()
        return True

    def leave(self, k: int, sign: float) -> bool:
        """Leave :meth:`active` sample `k`, by an edge that descends too faintly for floats."""
        g, r = self.parts.apart.size, self.parts.rest.size
        return self.pivot(k + r if k < g else k - g, sign, -TINY)

    def active(self) -> Ints:
        """The active samples (q,), the own ones first."""
        return np.concatenate([self.state.own, self.state.other])

    def _swap(self, group: int) -> int:
        """The own active sample of a crowded column becomes one of the others; its place there."""
        c, state = self.columns, self.state
        inside = np.flatnonzero(c.group[state.other] == group)
        size = np.abs(c.apart[state.other[inside]])
        place = int(inside[size.argmax()])
        own, new = int(state.own[group]), int(state.other[place])
        # Rows of the kernel: the new one is -a_own / a_new of the old, others lose multiples.
        ratio = c.apart[own] / c.apart[new]
        for k in inside.tolist():
            if k != place:
                share = c.apart[state.other[k]] / c.apart[new]
                self.inverse[:, place] += share * self.inverse[:, k]
        self.inverse[:, place] /= -ratio
        state.own[group], state.other[place] = new, own
        return place


__all__ = ["SparseVertex"]
