"""The affine regions a walk passes through, for :meth:`Trajectory.regions`."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..problem.loss import LayerLoss, Pattern
from .sections import line_section

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Passage:
    """Affine regions along a walk, in order: what :meth:`Trajectory.regions` returns.

    A step of the walk runs along an edge, on the border of several regions; taken is that in which
    the breakpoints that stay 0 along the edge are positive.  All of them have the same slope along
    the edge.

    Attributes
    ----------
    problem : LayerLoss
    steps : ndarray (P,)
        Step of the walk that passes through the region: from vertex k to vertex k + 1.
    patterns : list of P patterns
        Signs per row of `X`, as :meth:`LayerLoss.pattern` has them, 0 for what stays 0.
    points : ndarray (P, h, q)
        The middle of the part of the step that lies in (the border of) the region.
    gradients, offsets : ndarray (P, h, q), (P,)
        The affine pieces ``F(theta) = <gradient, theta> + offset``.
    """

    problem: LayerLoss
    steps: Ints
    patterns: list[Pattern]
    points: Floats
    gradients: Floats
    offsets: Floats

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        return f"Passage({len(self)} regions)"


def passage(loss: LayerLoss, vertices: Floats, crossing: NDArray[np.bool_]) -> Passage:
    """The affine regions between `vertices` (K, h, q), one after the other.

    `crossing` (K - 1,): whether breakpoints are crossed on the way to the next one.
    """
    steps: list[int] = []
    patterns: list[Pattern] = []
    points: list[Floats] = []
    for k, (a, b) in enumerate(pairwise(vertices)):
        if (a == b).all():
            continue
        times = np.array([0.0, 1.0])
        if crossing[k]:
            times = line_section(loss, a, b - a, (0.0, 1.0)).positions
        for middle in (times[1:] + times[:-1]) / 2.0:
            point = a + middle * (b - a)
            pattern = loss.pattern(point)
            # What stays 0 is only almost 0 for the section: it sees regions that are none.
            if steps and steps[-1] == k and _equal(pattern, patterns[-1]):
                continue
            steps.append(k)
            patterns.append(pattern)
            points.append(point)
    gradients = [loss.gradient(p, s) for p, s in zip(points, patterns, strict=True)]
    offsets = [loss(p) - float((g * p).sum()) for p, g in zip(points, gradients, strict=True)]
    shape = (-1, *loss.shape)
    return Passage(
        problem=loss,
        steps=np.array(steps, np.int64),
        patterns=patterns,
        points=np.array(points).reshape(shape),
        gradients=np.array(gradients).reshape(shape),
        offsets=np.array(offsets),
    )


def _equal(a: Pattern, b: Pattern) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


__all__ = ["Passage", "passage"]
