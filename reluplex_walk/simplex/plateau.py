"""Crossing plateaus: flat half-edges of a weak minimum, followed exactly in search of a descent."""

from collections import deque

import numpy as np

from .._limits import Deadline
from ..exact.loss import ExactLoss
from ..proof.degenerate import Verdict, judge
from .exact_pivots import At, Pivot, Settled, follow, local_slopes, steepest, zeros

Key = frozenset[tuple[int, int, int]]


def cross(exact: ExactLoss, settled: Settled, deadline: Deadline, limit: int) -> Settled | None:
    """The nearest vertex (in pivots) across flat half-edges from which the loss descends.

    Breadth first from a proved weak minimum, over vertices with the same loss; at a degenerate one
    the proof is asked for a descent and nothing goes beyond it.  No active set is seen twice.  None
    if there is no such vertex within `limit` pivots, or none is found before `deadline`.
    """
    start = (settled.vertex, settled.signs, settled.loss)
    visited = {_key(start)}
    queue: deque[tuple[At, list[Pivot]]] = deque([(start, [])])
    while queue:
        at, path = queue.popleft()
        found = local_slopes(exact, at)
        if found is None or len(path) == limit:
            continue
        model, slopes = found
        for k in np.flatnonzero(slopes == 0):
            if deadline.passed:
                return None
            step = follow(exact, model, slopes, at, int(k))
            if step is None or _key(step[1]) in visited:
                continue
            pivot, there = step
            visited.add(_key(there))
            verdict = _descent(exact, there, deadline)
            if verdict is not None:
                return Settled(*there, None, verdict, [*path, pivot])
            queue.append((there, [*path, pivot]))
    return None


def _key(at: At) -> Key:
    return frozenset(zip(*(part.tolist() for part in at[0].active), strict=True))


def _descent(exact: ExactLoss, at: At, deadline: Deadline) -> Verdict | None:
    """A verdict with a direction that descends, if there is one."""
    found = local_slopes(exact, at)
    if found is None:
        verdict = judge(exact, zeros(at[1]), at[1], deadline)
        return None if verdict.direction is None else verdict
    model, slopes = found
    if (slopes >= 0).all():
        return None
    return Verdict("none", steepest(model, slopes, at[0])[1])


__all__ = ["cross"]
