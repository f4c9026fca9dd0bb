"""The highest point of a segment of parameters, in floats and without rounding."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..exact.loss import ExactLoss
from ..exact.rationals import Rationals
from ..exact.vertex import zeros
from ..problem.loss import LayerLoss
from ..regions.line import LineSection, line_section
from ..tolerances import GRAPHS

Floats = NDArray[np.float64]

_MORE = 4  # breakpoints passed beyond those that floats see in one place


class Top(NamedTuple):
    """Where the loss on a segment is highest."""

    level: float
    position: float  # 0 at the start, 1 at the end


def noise(loss: LayerLoss, start: Floats, end: Floats) -> float:
    """What rounding may move the loss by, as floats see it on the segment.

    Also neurons that are off count: a segment that comes from afar has its breakpoints, and the
    loss behind them, only as exactly as the terms there are small.
    """
    most = 0.0
    for theta in (start, end):
        terms = np.abs(theta[:, :-1]) @ np.abs(loss.inputs.T) + np.abs(theta[:, -1:])  # (h, n)
        for weights, biases in loss.tail:
            terms = np.abs(weights) @ terms + np.abs(biases)[:, None]
        most = max(most, float(terms.sum()))
    cost = float(max(loss.left.max(), loss.right.max()))
    return GRAPHS.rounding * (cost * most + loss.target_size)


def highest(loss: LayerLoss, start: Floats, end: Floats) -> Top:
    """The highest point of the segment between two points (h, q); the first of several."""
    if np.array_equal(start, end):
        return Top(loss(start), 0.0)
    section = line_section(loss, start, end - start, (0.0, 1.0))
    at = int(np.argmax(section.losses))
    return Top(float(section.losses[at]), float(section.positions[at]))


def highest_exactly(exact: ExactLoss, start: Floats, end: Floats) -> Fraction:
    """The highest loss on the segment in rational arithmetic.

    The loss is affine between breakpoints, so that it is highest at one of them or at an end.
    Floats leave few of these that may be; where those lie, and the loss there, is solved for.
    """
    first, last = Rationals.of(start.ravel()), Rationals.of(end.ravel())
    ends = [exact.loss_at(point, exact.signs(point)) for point in (first, last)]
    if np.array_equal(start, end):
        return ends[0]
    section = line_section(exact.loss, start, end - start, (0.0, 1.0))
    doubt = GRAPHS.doubt * noise(exact.loss, start, end)
    near = section.losses >= section.losses.max() - doubt
    inner = np.flatnonzero(near[1:-1]) + 1
    line = first, last.moved(Fraction(-1), first)
    return max([*ends, *(level for k in inner for level in _around(exact, section, line, int(k)))])


def _around(
    exact: ExactLoss, section: LineSection, line: tuple[Rationals, Rationals], at: int
) -> Iterator[Fraction]:
    """The losses where breakpoints vanish around position number `at` of the line."""
    middle = Fraction((section.positions[at - 1] + section.positions[at]) / 2)
    beyond = Fraction((section.positions[at] + section.positions[at + 1]) / 2)
    origin, d = line
    s = middle
    for _ in range(len(section.breakpoints[at - 1]) + _MORE):
        point = origin.moved(s, d)
        signs = exact.signs(point)
        yield exact.loss_at(point, signs)
        hit = exact.first_breakpoint(point, d, exact.leave(d, signs)[0], zeros(signs))
        if hit is None or s + hit[1] > beyond:
            return
        s += hit[1]
    point = origin.moved(s, d)
    yield exact.loss_at(point, exact.signs(point))


__all__ = ["Top", "highest", "highest_exactly", "noise"]
