"""Crossing plateaus: flat half-edges of a weak minimum, followed exactly in search of a descent."""

from collections import deque
from typing import NamedTuple

import numpy as np

from .._budget import Budget
from ..exact.loss import ExactLoss
from ..exact.vertex import At, local_slopes, vertex_work
from ..proof.degenerate import Verdict
from ..proof.end import ExactEnd, examine
from .exact_pivots import Pivot, Settled, edge, follow, steepest

Key = frozenset[tuple[int, int, int]]


class Crossing(NamedTuple):
    """What `cross` found: a vertex from which the loss descends, or none, perhaps for the limit."""

    beyond: Settled | None = None
    cut: bool = False


def cross(exact: ExactLoss, settled: Settled, deadline: Budget, limit: int) -> Crossing:
    """The nearest vertex (in pivots) across flat half-edges from which the loss descends.

    Breadth first from a proved weak minimum, over vertices with the same loss; at a degenerate one
    the proof is asked for a descent and nothing goes beyond it.  No active set is seen twice.  None
    if there is no such vertex within `limit` pivots, or none is found before `deadline`.
    """
    cut, work = False, vertex_work(exact.loss)
    start = settled.end[:3]
    visited = {_key(start)}
    queue: deque[tuple[At, list[Pivot]]] = deque([(start, [])])
    while queue:
        at, path = queue.popleft()
        found = local_slopes(exact, at)
        if found is None:
            continue
        model, slopes = found
        if len(path) >= limit:
            cut = cut or bool((slopes == 0).any())
            continue
        for k in np.flatnonzero(slopes == 0):
            if deadline.passed:
                return Crossing()
            deadline.spend(work)
            step = follow(exact, model, slopes, at, int(k))
            if step is None or _key(step[1]) in visited:
                continue
            pivot, there = step
            visited.add(_key(there))
            end = _descent(exact, there, deadline)
            if end is not None:
                return Crossing(Settled(end, [*path, pivot]))
            queue.append((there, [*path, pivot]))
    return Crossing(cut=cut)


def _key(at: At) -> Key:
    return frozenset(zip(*(part.tolist() for part in at[0].active), strict=True))


def _descent(exact: ExactLoss, at: At, deadline: Budget) -> ExactEnd | None:
    """The end `at`, its verdict with a direction that descends, if there is one."""
    end = examine(exact, at, deadline)
    if end.verdict.direction is not None:
        return end
    if end.local is None or end.verdict.method != "none":
        return None
    best = steepest(*end.local, end.vertex)
    direction = edge(end.local[0], end.vertex, best)
    return end._replace(verdict=Verdict("none", direction))


__all__ = ["Crossing", "cross"]
