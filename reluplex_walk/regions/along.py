"""The affine regions a walk passes through, for :meth:`.Trajectory.regions`."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._conversions import by_rows, frame
from .._shown import repr_html
from ..problem.loss import LayerLoss, Pattern
from .line import line_section

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Passage:
    """Affine regions along a walk, in order: what :meth:`.Trajectory.regions` returns.

    A step of the walk runs along an edge, on the border of several regions; taken is that in which
    the breakpoints that stay 0 along the edge are positive.  All of them have the same slope along
    the edge.

    Attributes
    ----------
    problem : LayerLoss
    steps : ndarray (P,)
        Step of the walk that passes through the region: from vertex k to vertex k + 1.
    patterns : list of P patterns
        Signs per row of `X`, as :meth:`.LayerLoss.pattern` has them, 0 for what stays 0.
    points : ndarray (P, h, q)
        The middle of the part of the step that lies in (the border of) the region.
    gradients, offsets : ndarray (P, h, q), (P,)
        The affine pieces ``F(theta) = <gradient, theta> + offset``.

    Examples
    --------
    >>> import numpy as np, reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
    >>> passed = rw.walk(loss).regions()
    >>> values = (passed.gradients * passed.points).sum(axis=(1, 2)) + passed.offsets
    >>> len(passed) == len(values), bool(np.allclose(values, [loss(p) for p in passed.points]))
    (True, True)
    """

    problem: LayerLoss
    steps: Ints
    patterns: list[Pattern]
    points: Floats
    gradients: Floats
    offsets: Floats

    def to_frame(self) -> Any:
        """A table of pandas, a row for each region: the step, the loss at its point, the offset.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> rw.walk(loss).regions().to_frame().step.tolist()
        [0, 1, 2, 3, 4, 5]
        """
        losses = (self.gradients * self.points).sum(axis=(1, 2)) + self.offsets
        return frame({"step": self.steps, "loss": losses, "offset": self.offsets}, "region")

    def to_xarray(self) -> Any:
        """A Dataset of xarray: `points` and `gradients` by region, neuron and input, and the table.

        Coordinates are those of :meth:`.Trajectory.to_xarray`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
        >>> rw.walk(loss).regions().to_xarray().gradient.dims
        ('region', 'neuron', 'input')
        """
        parts = {"point": self.points, "gradient": self.gradients}
        return by_rows(self.to_frame(), parts, self.problem, {})

    def __len__(self) -> int:
        return len(self.steps)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        return f"Passage({len(self)} regions)"


def passage(loss: LayerLoss, vertices: Floats, crossed: Ints) -> Passage:
    """The affine regions along the path through `vertices` (K, h, q).

    `crossed` (K - 1,) breakpoints are known to be crossed on each step.
    """
    steps: list[int] = []
    patterns: list[Pattern] = []
    points: list[Floats] = []
    for k, (a, b) in enumerate(pairwise(vertices)):
        if (a == b).all():
            continue
        times = np.array([0.0, 1.0])
        if crossed[k]:
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
