"""Whether a function is negative anywhere: a tree of splits, and a linear program at each node.

    f(y) = l . y + sum_c k_c min(0, t_c(y)),   t_c = a_c . y + sum_b alpha_cb min(0, t_b)

For blocks of many coordinates, where cones are too many (:mod:`reluplex_walk.proof.cones`).  With
m_c = max(0, -t_c) as further variables f and all t_c are linear; that  m_c >= 0  and
p_c = m_c + t_c >= 0  are the *forms*.  What an m_c is more than max(0, -t_c) matters only where a
larger one lowers f.  There others bound it: if t_c is a sum of  x_b t_b  then m_c is at most the
sum of the  max(0, -x_b t_b).  A linear program minimises f under all of this.  If its least value
is 0, its multipliers are the proof (:class:`.Leaf`), made exact; if f itself is negative at its
solution, a descent is found; else the term whose m is farthest from max(0, -t) is split by its
sign.
"""

from typing import NamedTuple

import numpy as np

from .._budget import Budget
from ..exact.rationals import Objects
from ..tolerances import PROOF
from .cones import Homogeneous
from .descent import exact_point
from .lifted import exact_leaf
from .relaxation import Path, Relaxation, Solution
from .witness import Leaf, Tree


class Growth(NamedTuple):
    """What `grow` found: a point with f < 0, or a proof, or neither in the time given."""

    point: Objects | None  # (d,)
    proof: Tree | None

    @property
    def found(self) -> tuple[Tree | None, Objects | None]:
        """The proof and the point."""
        return self.proof, self.point


def grow(f: Homogeneous, relaxation: Relaxation, deadline: Budget) -> Growth:
    """Decide whether f >= 0 everywhere, as far as possible until `deadline`."""
    stack: list[Path] = [{}]
    nodes: list[int] = []
    leaves: list[Leaf] = []
    while stack and not deadline.passed:
        path = stack.pop()
        solution = relaxation.solve(path, deadline)
        if solution is None:
            break
        leaf = None
        if solution.least < -PROOF.relaxed:
            point = exact_point(f, relaxation, solution.y)
            if point is not None:
                return Growth(point, None)
        else:
            leaf = exact_leaf(f, path, solution, relaxation.bounds)
        if leaf is not None:
            nodes.append(-1)
            leaves.append(leaf)
            continue
        term = _farthest(relaxation, path, solution)
        if term is None:  # all is linear, and yet floats do not tell
            break
        nodes.append(term)
        stack += [{**path, term: -1}, {**path, term: 1}]
    else:
        if not stack:
            return Growth(None, Tree(np.array(nodes, np.int64), tuple(leaves)))
    return Growth(None, None)


def _farthest(relaxation: Relaxation, path: Path, solution: Solution) -> int | None:
    """The term to split: the one whose m is farthest from max(0, -t); None if all are split."""
    free = [c for c, weight in enumerate(relaxation.weight) if c not in path and weight > 0.0]
    if not free:
        return None
    error = relaxation.errors(solution)
    most = max(free, key=lambda c: float(error[c]))
    if error[most] == 0.0:
        most = max(free, key=lambda c: float(relaxation.weight[c]))
    return most


__all__ = ["Growth", "grow"]
