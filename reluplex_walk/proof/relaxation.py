"""The linear program at a node of :mod:`reluplex_walk.proof.tree`, in floats.

Its variables are y in a box and an m_c for each term not split.  Those of planes are bounded from
above by their neighbours (:mod:`reluplex_walk.proof.planes`).  For each other m_e that needs such a
bound there is a point u_e with  -m_c <= t_c(u_e) <= p_c  for some terms c, and  m_e <= -t_e(u_e).
(The multipliers of these say how t_e is the sum of x_c t_c.)
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._budget import Budget
from .._programs import linear_program
from .cones import Homogeneous
from .planes import neighbours

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_NEAR = 8  # terms not split that may bound another

Path = dict[int, int]  # the terms split, and their signs


class Solution(NamedTuple):
    """The solution of a node's linear program; `y` and `m` in scaled coordinates and terms."""

    least: float
    y: Floats  # (d,)
    m: Floats  # (n,)
    multipliers: Floats  # (2n,) of the forms
    kappas: Floats  # of the bounds by neighbours
    above: dict[int, tuple[float, Floats]]  # term: kappa, and x (n,) times kappa


class Relaxation:
    """A function in floats, scaled: unit rows, in coordinates in which they are well spread."""

    def __init__(self, f: Homogeneous) -> None:
        rows = np.array([[float(v) for v in row] for row in f.rows]).reshape(f.rows.shape)
        length = np.linalg.norm(rows, axis=1)
        size = self.size = np.where(length > 0.0, length, 1.0)  # t_c in units of its scaled rate
        unit = rows / size[:, None]
        self.back = np.linalg.pinv(np.linalg.qr(unit)[1])  # y = back @ scaled y
        self.rows = unit @ self.back
        kinks = np.array([float(k) for k in f.kinks]) * size
        linear = np.array([float(v) for v in f.linear]) @ self.back
        scale = float(np.abs(np.concatenate([kinks, linear])).max(initial=0.0)) or 1.0
        self.scale = scale
        self.kinks, self.linear = kinks / scale, linear / scale
        self.alpha = [(c, b, float(a) * size[b] / size[c]) for c, b, a in f.alpha]
        self.links: dict[int, list[tuple[int, float]]] = {}
        for c, b, a in self.alpha:
            self.links.setdefault(c, []).append((b, a))
        self.order = self._order()
        self.weight = np.abs(self.kinks)  # what an error in m may cost
        self.pays = self.kinks > 0.0  # whether a larger m may lower f
        self.reach = np.abs(self.rows).sum(axis=1)  # bound on m in the box
        for c, b, a in self.alpha:
            self.reach[c] += abs(a) * self.reach[b]
        for c, b, a in reversed(self.alpha):
            self.weight[b] += abs(a) * self.weight[c]
            if self.weight[c] > 0.0:
                self.pays[b] |= a < 0.0 or bool(self.pays[c])
        self.bounds = neighbours(f)
        self.of_m, self.of_t = self._neighbours()
        for bound in self.bounds:
            self.pays[bound.term] = False  # needs no other bound

    def _neighbours(self) -> tuple[Any, Any]:
        """What multiples of all m_c and t_c the forms low_e - m_e of the bounds are (b, n)."""
        from scipy import sparse  # here, as below

        n, size = len(self.size), self.size
        forms: list[tuple[dict[int, float], dict[int, float]]] = []
        for e, _, x, rest in self.bounds:
            of_m, of_t = {e: -1.0}, dict[int, float]()
            parts = [(c if v > 0 else n + c, abs(float(v))) for c, v in x]
            parts += [(i, max(0.0, -float(v))) for i, v in rest]
            for i, v in parts:
                if i >= 2 * n:
                    v *= size[self.bounds[i - 2 * n].term] / size[e]
                    for total, form in zip((of_m, of_t), forms[i - 2 * n], strict=True):
                        for c, w in form.items():
                            total[c] = total.get(c, 0.0) + v * w
                    continue
                c = i % n
                of_m[c] = of_m.get(c, 0.0) + v * size[c] / size[e]
                if i >= n:
                    of_t[c] = of_t.get(c, 0.0) + v * size[c] / size[e]
            forms.append((of_m, of_t))
        matrices = []
        for k in (0, 1):
            entries = [(j, c, v) for j, form in enumerate(forms) for c, v in form[k].items()]
            j, c, v = np.array(entries).reshape(-1, 3).T
            shape = (len(self.bounds), n)
            matrices.append(sparse.csr_matrix((v, (j.astype(int), c.astype(int))), shape=shape))
        return matrices[0], matrices[1]

    def _order(self) -> list[int]:
        """The terms, each after all that it follows."""
        order: list[int] = []
        while len(order) < len(self.kinks):
            order += [
                c
                for c in range(len(self.kinks))
                if c not in order and all(b in order for b, _ in self.links.get(c, []))
            ]
        return order

    def rates(self, y: Floats) -> Floats:
        """All t_c at `y` (d,)."""
        t = self.rows @ y
        for c, b, a in self.alpha:
            t[c] += a * min(0.0, t[b])
        return np.asarray(t)

    def value(self, y: Floats) -> float:
        """The function at `y` (d,)."""
        return float(self.linear @ y + self.kinks @ np.minimum(0.0, self.rates(y)))

    def errors(self, solution: Solution) -> Floats:
        """What each term's m, being more than max(0, -t), may cost: (n,)."""
        t = self.rows @ solution.y
        for c, b, a in self.alpha:
            t[c] -= a * solution.m[b]
        return np.asarray(self.weight * np.abs(solution.m - np.maximum(0.0, -t)))

    def forms(self, path: Path) -> tuple[Floats, Floats]:
        """Coefficients (n, d + n) in (y, m) of all t_c and m_c."""
        n, d = self.rows.shape
        t, m = np.hstack([self.rows, np.zeros((n, n))]), np.zeros((n, d + n))
        m[:, d:] = np.eye(n)

        for c in self.order:
            for b, a in self.links.get(c, []):
                t[c] -= a * m[b]
            if c in path:
                m[c] = -t[c] if path[c] < 0 else 0.0
        return t, m

    def convex_part(self, positive: NDArray[np.bool_], deadline: Budget) -> Floats | None:
        """The point (d,) of the box that is least for the convex terms; None if floats fail.

        Those that others follow keep the signs `positive` (n,) says; concave ones are as linear as
        they are there, at which they lie nowhere below themselves.
        """
        n, d = self.rows.shape
        feeding, following = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        for c, b, _ in self.alpha:
            feeding[b] = following[c] = True
        fixed = feeding | (self.kinks > 0.0)
        path = {int(c): 1 if positive[c] else -1 for c in np.flatnonzero(fixed)}
        t, m = self.forms(path)
        walls = np.flatnonzero(feeding | (fixed & following))
        sign = np.where(positive[walls], 1.0, -1.0)
        convex = np.flatnonzero(~fixed & (self.kinks < 0.0))
        columns = np.concatenate([np.arange(d), d + convex])
        cost = np.concatenate([self.linear, np.zeros(n)]) - self.kinks @ m
        above = np.vstack([(m + t)[convex], sign[:, None] * t[walls]])[:, columns]
        if not (np.isfinite(cost).all() and np.isfinite(above).all()):
            return None  # floats do not hold the program
        lower = np.where(np.arange(columns.size) < d, -1.0, 0.0)
        upper = np.where(np.arange(columns.size) < d, 1.0, np.inf)
        found = linear_program(
            cost[columns],
            deadline,
            A_ub=-above,
            b_ub=np.zeros(len(above)),
            bounds=np.column_stack([lower, upper]),
        )
        return None if found.x is None else np.array(found.x[:d])

    def solve(self, path: Path, deadline: Budget) -> Solution | None:
        """The least value in the box at the end of `path`; None if the program fails."""
        from scipy import sparse  # here: it takes a while to import

        n, d = self.rows.shape
        t, m = self.forms(path)
        p = m + t
        split, sign = np.array(list(path), np.int64), np.array(list(path.values()), float)
        free = np.setdiff1d(np.arange(n), split)
        columns = np.concatenate([np.arange(d), d + free])
        # Rows: p of the free terms, the walls of the path, and low_e - m_e are >= 0.
        near = self.of_m @ m + self.of_t @ t
        first = np.vstack([p[free], sign[:, None] * t[split], near])[:, columns]
        parts: list[list[Any]] = [[sparse.csr_matrix(first)]]
        pairs = self._bounds(path, t)
        blocks = len(pairs)
        if blocks:
            # For each e and each of its terms c: p_c - t_c(u_e) >= 0, m_c + t_c(u_e) >= 0; for
            # each e: -m_e - t_e(u_e) >= 0.
            e, c = np.array(list(pairs)), np.concatenate(list(pairs.values()))
            block = np.repeat(np.arange(blocks), [len(part) for part in pairs.values()])
            on_u = self._on_u(c, block, blocks)
            parts[0].append(None)
            parts.append([sparse.csr_matrix(p[c][:, columns]), -on_u])
            parts.append([sparse.csr_matrix(m[c][:, columns]), on_u])
            on_own = self._on_u(e, np.arange(blocks), blocks)
            parts.append([sparse.csr_matrix(-m[e][:, columns]), -on_own])
        matrix = sparse.bmat(parts, "csr")
        cost = np.concatenate([self.linear, np.zeros(n)]) - self.kinks @ m
        of_m = np.arange(d, columns.size)
        lower, upper = -np.ones(matrix.shape[1]), np.ones(matrix.shape[1])
        lower[of_m], upper[of_m] = 0.0, 2.0 + self.reach[free]
        result = linear_program(
            np.concatenate([cost[columns], np.zeros(blocks * d)]),
            deadline,
            A_ub=-matrix,
            b_ub=np.zeros(matrix.shape[0]),
            bounds=np.column_stack([lower, upper]),
        )
        if result.x is None:
            return None
        lifted, multipliers = np.zeros(d + n), np.zeros(2 * n)
        lifted[columns] = result.x[: columns.size]
        dual = -result.ineqlin.marginals
        unit = self.scale / self.size
        multipliers[free] = result.lower.marginals[d : columns.size]
        multipliers[n + free] = dual[: free.size]
        multipliers[np.where(sign > 0, split + n, split)] = dual[free.size : n]
        kappas = dual[n : len(first)] * unit[[bound.term for bound in self.bounds]]
        above = {}
        if blocks:
            at_p, at_m = dual[len(first) : -blocks].reshape(2, -1)
            both = np.minimum(at_p, at_m)
            np.add.at(multipliers, np.concatenate([c, n + c]), np.concatenate([both, both]))
            for k, (term, kappa) in enumerate(zip(e, dual[-blocks:], strict=True)):
                x = np.zeros(n)
                x[c[block == k]] = (at_m - at_p)[block == k]
                above[int(term)] = (float(kappa * unit[term]), x * unit)
        multipliers *= np.concatenate([unit, unit])
        return Solution(float(result.fun), lifted[:d], m @ lifted, multipliers, kappas, above)

    def _on_u(self, c: Ints, block: Ints, blocks: int) -> Any:
        """The rates t_c(u_e) as rows over all u: c, and the place of its e."""
        from scipy import sparse

        d = self.rows.shape[1]
        rows = np.repeat(np.arange(c.size), d)
        columns = (d * block[:, None] + np.arange(d)).ravel()
        return sparse.csr_matrix((self.rows[c].ravel(), (rows, columns)), (c.size, blocks * d))

    def _bounds(self, path: Path, t: Floats) -> dict[int, Ints]:
        """For each m_e that needs a bound from above: the terms c that give it one."""
        n, d = self.rows.shape
        of_y = ~t[:, d:].any(axis=1)
        free = np.array([c not in path for c in range(n)])
        plain = np.flatnonzero(of_y & ~free)
        near = np.flatnonzero(of_y & free & (self.kinks < 0.0))
        bounds = {}
        for e in np.flatnonzero(of_y & free & self.pays):
            others = near[near != e]
            cosine = np.abs(self.rows[others] @ self.rows[e])
            bounds[int(e)] = np.concatenate([plain, others[np.argsort(-cosine)[:_NEAR]]])
        return {e: c for e, c in bounds.items() if c.size}
