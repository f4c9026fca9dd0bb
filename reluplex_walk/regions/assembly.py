"""`Regions` from the chunks of regions that a search found."""

import numpy as np
from numpy.typing import NDArray

from ..ended import Ended
from ..problem.loss import LayerLoss
from .essential import Coordinates
from .regions import Indices, Regions
from .subdivision import Chunk

Floats = NDArray[np.float64]


def assemble(
    loss: LayerLoss,
    space: Coordinates,
    chunks: list[Chunk],
    keep: int,
    ended: Ended,
    elapsed: float,
) -> Regions:
    """The first `keep` regions of `chunks`, in the parameters and units of the data.

    Chunk by chunk into arrays made once, and each chunk is taken off the list: no region is held
    twice.
    """
    h, r = loss.shape[0], space.features.shape[1]

    def inner(y: Floats) -> Floats:
        return y.reshape(-1, h, r) @ space.basis

    back = np.linalg.pinv(space.basis)  # y = theta @ back: gradients go the other way
    patterns = np.concatenate([chunk.pattern for chunk in chunks])[:keep]
    neighbour = _Neighbours(patterns)
    n_facets = sum(int((chunk.flips >= 0).sum()) for chunk in chunks)
    points, gradients, least = (np.empty((keep, *loss.shape)) for _ in range(3))
    offsets, lowest = np.empty(keep), np.empty(keep)
    bounded, flat = np.empty(keep, bool), np.empty(keep, bool)
    facets, neighbours = np.empty((n_facets, 2), np.int32), np.empty(n_facets, np.int32)
    start = first = 0
    chunks.reverse()
    while chunks:
        chunk = chunks.pop()
        count = min(len(chunk.pattern), keep - start)
        if count == 0:
            continue
        rows = slice(start, start + count)
        points[rows] = inner(chunk.point[:count])
        gradients[rows] = chunk.piece[:count, :-1].reshape(-1, h, r) @ back.T
        offsets[rows] = chunk.piece[:count, -1]
        least[rows], lowest[rows] = inner(chunk.least[:count, :-1]), chunk.least[:count, -1]
        # Directions that no input tells apart are free.
        bounded[rows] = chunk.bounded[:count] & (r == loss.shape[1])
        flat[rows] = chunk.flat[:count] | (r < loss.shape[1])
        seen, beyond = _facets(chunk, count, neighbour)
        last = first + len(seen)
        facets[first:last], neighbours[first:last] = seen, beyond
        facets[first:last, 0] += start
        start, first = start + count, last
    inner_arrays = points, gradients, least
    if not loss.units.trivial:
        points, least = loss.units.outer(points), loss.units.outer(least)
        gradients = gradients @ loss.units.inner(np.eye(loss.shape[1])).T
    return Regions(
        problem=loss,
        patterns=patterns,
        points=points,
        gradients=gradients,
        offsets=offsets,
        bounded=bounded,
        minimizers=least,
        lowest=lowest,
        flat=flat,
        facets=facets[:first],
        neighbours=neighbours[:first],
        ended=ended,
        elapsed=elapsed,
        window=space.window,
        inner=inner_arrays,
    )


class _Neighbours:
    """Regions by their patterns."""

    def __init__(self, patterns: NDArray[np.uint8]) -> None:
        self.key = np.dtype((np.void, patterns.shape[1]))
        known = patterns.view(self.key).ravel()
        self.order = np.argsort(known)
        self.known = known[self.order]

    def __call__(self, patterns: NDArray[np.uint8]) -> Indices:
        """Number of the region with each pattern, -1 where it was not found."""
        wanted = patterns.view(self.key).ravel()
        at = np.minimum(np.searchsorted(self.known, wanted), len(self.known) - 1)
        return np.where(self.known[at] == wanted, self.order[at], -1).astype(np.int32)


def _facets(chunk: Chunk, count: int, neighbour: _Neighbours) -> tuple[Indices, Indices]:
    """Facets (M, 2) of the first `count` regions, (region, breakpoint), and the region beyond each.

    The flips of a chunk are the breakpoints that change sign across each facet, ~id after the
    first.
    """
    ends = chunk.facet_end[:count]
    flips = chunk.flips[: ends[-1]]
    leads = flips >= 0
    region = np.repeat(np.arange(count), np.diff(ends, prepend=0))[leads]
    ids = np.where(leads, flips, ~flips)
    beyond = chunk.pattern[region]
    bits = (128 >> (ids & 7)).astype(np.uint8)
    np.bitwise_xor.at(beyond, (np.cumsum(leads) - 1, ids >> 3), bits)
    return np.column_stack([region, flips[leads]]).astype(np.int32), neighbour(beyond)


__all__ = ["assemble"]
