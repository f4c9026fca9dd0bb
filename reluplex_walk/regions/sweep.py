"""Breakpoint functions along a line of parameters, layer by layer: where they change sign.

On ``theta(s) = origin + s direction`` every row of every layer is, on one sample, continuous and
piecewise affine in s.  Layer by layer, its *pieces* begin where rows of the layers below change
sign; its own zeros cut them further, and are the crossings.

The sweep runs in floating point with running bounds on its rounding errors.  To be exact, samples
on which a sign, or the order of two zeros, is in doubt, and only those, are swept again by the same
code in rational arithmetic.  Up to rounding, wider bounds are taken: what is within them is 0, and
zeros within them are in the same place.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..exact.layers import ExactLayers
from ..exact.rationals import Rationals, objects, signs as signs_of
from ..problem.breakpoints import Breakpoints
from ..problem.loss import Floats, LayerLoss
from ..tolerances import REGIONS

Ints = NDArray[np.int64]
Signs = NDArray[np.int8]
Numbers = NDArray[Any]  # floats, or rational numbers in an object array

_UNIT = 2.0**-52  # twice the unit round-off: the bounds are kept on the safe side


class Line(NamedTuple):
    """The segment ``origin + s (ahead - behind)``, low <= s <= high."""

    origin: Floats  # (h, q)
    ahead: Floats  # (h, q)
    behind: Floats  # (h, q)
    low: float
    high: float


class Pieces(NamedTuple):
    """Affine pieces of the rows of one layer on all curves, sorted by (curve, beginning)."""

    curve: Ints  # (N,) sample; for residuals: residual row
    ends: Numbers  # (2, N) s where each begins and ends
    blur: Floats  # (2, N) bound on the error of these
    rows: Numbers  # (2, N, width) constants and slopes, times `den`
    error: Floats  # (2, N, width) bound on the rounding error of these
    den: int = 1

    def take(self, index: NDArray[Any]) -> "Pieces":
        """Those with these indices."""
        parts = (self.ends, self.blur, self.rows, self.error)
        ends, blur, rows, error = (part.take(index, axis=1) for part in parts)
        return Pieces(self.curve[index], ends, blur, rows, error, self.den)


class Crossed(NamedTuple):
    """Sign changes (c,) along the line."""

    s: Floats
    blur: Floats  # bound on the error of s
    c: Breakpoints
    sample: Ints

    def take(self, index: NDArray[Any]) -> "Crossed":
        """Those with these indices."""
        return Crossed(self.s[index], self.blur[index], self.c.take(index), self.sample[index])


class Swept(NamedTuple):
    """Sign changes, and the pieces of the residuals with the signs (N, K) on them."""

    crossed: Crossed
    residuals: Pieces
    signs: Signs


def exact_sweep(loss: LayerLoss, line: Line) -> list[Crossed]:
    """All sign changes inside the segment, in parts; zeros in between are left out of account."""
    found, doubtful = _sweep(loss, _InFloats(loss, line), np.arange(len(loss.inputs)))
    if not doubtful.size:
        return [found.crossed]
    sure = np.flatnonzero(~np.isin(found.crossed.sample, doubtful))
    again, _ = _sweep(loss, _InRationals(loss, line), doubtful)
    return [found.crossed.take(sure), again.crossed]


def rounded_sweep(loss: LayerLoss, line: Line) -> Swept:
    """All sign changes inside the segment up to rounding; what is 0 on a piece counts as +1."""
    step = _InFloats(loss, line, REGIONS.noise, strict=False)
    return _sweep(loss, step, np.arange(len(loss.inputs)))[0]


def merged(s: Numbers, blur: Floats, group: Any = 0) -> Numbers:
    """Sorted positions; those of a group that their errors do not tell apart are made equal.

    Each takes the place of a surer one.
    """
    s, blur, group = s.copy(), blur.copy(), np.broadcast_to(group, s.shape)
    while True:
        gap = s[1:] - s[:-1]
        near = (gap > 0) & (gap <= blur[1:] + blur[:-1]) & (group[1:] == group[:-1])
        if not near.any():
            return s
        first = np.flatnonzero(near)
        vague = first + (blur[first] <= blur[first + 1])
        surer = 2 * first + 1 - vague
        s[vague], blur[vague] = s[surer], blur[surer]


def _sweep(loss: LayerLoss, step: "_InFloats | _InRationals", samples: Ints) -> tuple[Swept, Ints]:
    """What is found on `samples` (ascending), and those that are in doubt."""
    parts = []
    for stage, (pieces, signs) in enumerate(_layers(loss, step, samples)):
        curve = pieces.curve
        filled = step.filled(signs, curve)
        same = curve[1:] == curve[:-1]
        change = np.flatnonzero((filled[1:] != filled[:-1]) & same[:, None])
        change, neuron = np.divmod(change, signs.shape[1])
        at = change + 1
        sample = loss.owner[curve[at]] if stage == loss.n_hidden else curve[at]
        c = Breakpoints(np.full(at.size, stage), curve[at], neuron)
        parts.append((pieces.ends[0, at].astype(float), pieces.blur[0, at], c, sample))
    s, blur, places, owners = zip(*parts, strict=True)
    c = Breakpoints(*map(np.concatenate, zip(*places, strict=True)))
    crossed = Crossed(np.concatenate(s), np.concatenate(blur), c, np.concatenate(owners))
    rows = np.flatnonzero(np.isin(loss.owner, samples))
    doubtful = np.unique(loss.owner[rows[~np.isin(rows, pieces.curve)]])
    return Swept(crossed, pieces, signs), doubtful


def _layers(
    loss: LayerLoss, step: "_InFloats | _InRationals", samples: Ints
) -> Iterator[tuple[Pieces, Signs]]:
    """Pieces of each layer, with the signs (N, width) on them; residuals come last.

    Samples in doubt are left out of all later layers.
    """
    pieces = step.trained(samples)
    for stage in range(loss.n_hidden):
        pieces, signs = _cut(step, pieces)
        yield pieces, signs
        pieces = step.above(stage, pieces, signs >= 0)
    # Each residual row has the pieces of its sample.
    rows = np.flatnonzero(np.isin(loss.owner, pieces.curve))
    first = np.searchsorted(pieces.curve, loss.owner[rows])
    count = np.searchsorted(pieces.curve, loss.owner[rows], side="right") - first
    at = np.arange(count.sum()) + np.repeat(first - np.cumsum(count) + count, count)
    yield _cut(step, step.residuals(pieces.take(at)._replace(curve=np.repeat(rows, count))))


def _cut(step: "_InFloats | _InRationals", pieces: Pieces) -> tuple[Pieces, Signs]:
    """The pieces cut where rows change sign, and the signs (N, width) on the parts."""
    ends, unsure = step.signs(pieces)
    if unsure.any():
        sure = np.flatnonzero(~np.isin(pieces.curve, pieces.curve[unsure.any(axis=(0, 2))]))
        pieces, ends = pieces.take(sure), ends[:, sure]
    left, right = ends
    piece, row = np.divmod(np.flatnonzero(left * right < 0), max(1, left.shape[1]))
    zeros, blur = step.zeros(pieces, piece, row)
    by_place = np.argsort(zeros, kind="stable")
    by_place = by_place[np.argsort(piece[by_place], kind="stable")]
    piece, row, zeros, blur = piece[by_place], row[by_place], zeros[by_place], blur[by_place]
    if not step.strict:
        zeros = merged(zeros, blur, piece)

    counts = np.bincount(piece, minlength=len(left))
    parent = np.repeat(np.arange(len(left)), counts + 1)
    places = piece + 1 + np.arange(piece.size)  # of the parts that begin at a zero
    cut = pieces.take(parent)
    for own, new in ((cut.ends, zeros), (cut.blur, blur)):
        own[0, places] = new
        own[1, places - 1] = new
    turn = np.full(left.shape, len(parent))  # the part from which on a row has its later sign
    turn[piece, row] = places
    later = np.arange(len(parent))[:, None] >= turn.take(parent, axis=0)
    before = np.where(left == 0, right, left)
    signs = np.where(later, right.take(parent, axis=0), before.take(parent, axis=0))

    length = cut.ends[1] - cut.ends[0]
    kept = length > cut.blur.sum(axis=0) if step.strict else length > 0
    if kept.all():
        return cut, signs
    if step.strict:  # the order of two zeros is in doubt
        kept = ~np.isin(cut.curve, cut.curve[~kept])
    rest = np.flatnonzero(kept)
    return cut.take(rest), signs[rest]


def _bridged(signs: Signs, curve: Ints) -> Signs:
    """Signs in which a 0 counts as the next sign of its curve, or the last one."""
    if signs.all():
        return signs
    index, curves = np.arange(len(signs))[:, None], curve[:, None]
    following = np.minimum.accumulate(np.where(signs, index, index[-1])[::-1])[::-1]
    preceding = np.maximum.accumulate(np.where(signs, index, 0))
    for at in (following, preceding):
        there = np.where(curve[at] == curves, np.take_along_axis(signs, at, axis=0), 0)
        signs = np.where(signs == 0, there, signs).astype(np.int8)
    return signs


class _InFloats:
    """The steps of the sweep in floating point.

    What is within the bounds is in doubt (strict), or else counts as 0.
    """

    def __init__(
        self, loss: LayerLoss, line: Line, unit: float = _UNIT, strict: bool = True
    ) -> None:
        self.loss, self.line, self.unit, self.strict = loss, line, unit, strict
        self.reach = np.array(max(abs(line.low), abs(line.high)))

    def trained(self, samples: Ints) -> Pieces:
        line, inputs = self.line, self.loss.inputs[samples]
        x = np.column_stack([inputs, np.ones(len(samples))])
        both = np.stack([line.origin, line.ahead - line.behind]).transpose(0, 2, 1)
        ends = np.repeat([[line.low], [line.high]], len(samples), axis=1)
        error = self.unit * (x.shape[1] + 1) * (np.abs(x) @ np.abs(both))
        return Pieces(samples, ends, np.zeros(ends.shape), x @ both, error)

    def above(self, stage: int, pieces: Pieces, positive: NDArray[np.bool_]) -> Pieces:
        w, b = self.loss.tail[stage]
        upwards, unit = np.ascontiguousarray(w.T), self.unit * (w.shape[1] + 2)
        slope = np.array([self.loss.network.negative_slope, 1.0]).take(positive.view(np.int8))
        rows = pieces.rows * slope
        error = (pieces.error * slope + unit * np.abs(rows)) @ np.abs(upwards)
        rows = rows @ upwards
        rows[0] += b
        error[0] += unit * np.abs(b)
        return pieces._replace(rows=rows, error=error)

    def residuals(self, pieces: Pieces) -> Pieces:
        targets = self.loss.targets[pieces.curve]
        pieces.error[0] += self.unit * (np.abs(pieces.rows[0]) + np.abs(targets))
        pieces.rows[0] -= targets
        return pieces

    def size(self, s: Floats) -> Floats:
        """What the rounding of s is relative to."""
        return np.abs(s) if self.strict else self.reach

    def signs(self, pieces: Pieces) -> tuple[Signs, NDArray[np.bool_]]:
        """Signs (2, N, width) at both ends of each piece, and which of them are in doubt."""
        (constant, slope), s, blur = pieces.rows, pieces.ends[..., None], pieces.blur[..., None]
        values, size = constant + s * slope, self.size(s)
        bound = pieces.error[0] + self.unit * np.abs(constant)
        bound = bound + (size + blur) * pieces.error[1] + (blur + self.unit * size) * np.abs(slope)
        signs = (values > bound).view(np.int8) - (values < -bound).view(np.int8)
        unsure = (signs == 0) & (bound > 0) & self.strict
        if unsure.any():  # rows are continuous: what one of two pieces knows, the other learns
            meet = np.flatnonzero(pieces.curve[1:] == pieces.curve[:-1])
            for a, b in (((1, meet), (0, meet + 1)), ((0, meet + 1), (1, meet))):
                learns = unsure[a] & ~unsure[b]
                signs[a] = np.where(learns, signs[b], signs[a])
                unsure[a] &= ~learns
        return signs, unsure

    def zeros(self, pieces: Pieces, piece: Ints, row: Ints) -> tuple[Floats, Floats]:
        """Where these rows vanish in these pieces, and a bound on the error of that."""
        (constant, slope), error = pieces.rows[:, piece, row], pieces.error[:, piece, row]
        with np.errstate(divide="ignore", invalid="ignore"):  # then the slope is in doubt
            begin, end = pieces.ends[:, piece]
            s = np.fmin(np.fmax(-constant / slope, begin), end)
            slope, size = np.abs(slope), self.size(s)
            blur = 2.0 * (error[0] + size * error[1]) / slope + self.unit * size
        return s, np.where(2.0 * error[1] < slope, blur, np.inf)

    def filled(self, signs: Signs, curve: Ints) -> Signs:
        """Signs without zeros, as sign changes are counted."""
        return _bridged(signs, curve) if self.strict else signs + (signs == 0)


class _InRationals:
    """The steps of the sweep in rational arithmetic: rows are integers over one denominator."""

    strict = False

    def __init__(self, loss: LayerLoss, line: Line) -> None:
        self.loss, self.line = loss, line
        self.layers = ExactLayers(loss)

    def trained(self, samples: Ints) -> Pieces:
        line, inputs = self.line, self.loss.inputs[samples]
        x = Rationals.of(np.column_stack([inputs, np.ones(len(samples))]))
        points = Rationals.of(np.stack([line.origin, line.ahead, line.behind]).transpose(0, 2, 1))
        origin, ahead, behind = points.num
        rows = np.stack([x.num @ origin, x.num @ (ahead - behind)])
        bounds = objects([Fraction(line.low), Fraction(line.high)])
        ends = np.repeat(bounds[:, None], len(samples), axis=1)
        error = np.zeros(rows.shape)
        return Pieces(samples, ends, np.zeros(ends.shape), rows, error, x.den * points.den)

    def above(self, stage: int, pieces: Pieces, positive: NDArray[np.bool_]) -> Pieces:
        biases = np.array([[[1]], [[0]]])
        rows = self.layers.above(stage, Rationals(pieces.rows, pieces.den), positive, biases)
        return pieces._replace(rows=rows.num, error=np.zeros(rows.num.shape), den=rows.den)

    def residuals(self, pieces: Pieces) -> Pieces:
        targets = Rationals.of(self.loss.targets[pieces.curve])
        rows = pieces.rows * targets.den
        rows[0] -= targets.num * pieces.den
        return pieces._replace(rows=rows, den=pieces.den * targets.den)

    def signs(self, pieces: Pieces) -> tuple[Signs, NDArray[np.bool_]]:
        """Signs (2, N, width) at both ends of each piece; none is in doubt."""
        fractions = pieces.ends.ravel()
        shape = (*pieces.ends.shape, 1)
        num = objects([s.numerator for s in fractions]).reshape(shape)
        den = objects([s.denominator for s in fractions]).reshape(shape)
        constant, slope = pieces.rows
        signs = signs_of(constant * den + slope * num)
        return signs, np.zeros(signs.shape, bool)

    def zeros(self, pieces: Pieces, piece: Ints, row: Ints) -> tuple[Numbers, Floats]:
        """Where these rows vanish in these pieces."""
        constant, slope = pieces.rows[:, piece, row]
        s = objects([Fraction(-c, d) for c, d in zip(constant, slope, strict=True)])
        return s, np.zeros(s.shape)

    def filled(self, signs: Signs, curve: Ints) -> Signs:
        """Signs without zeros, as sign changes are counted."""
        return _bridged(signs, curve)


__all__ = ["Crossed", "Line", "Pieces", "Swept", "exact_sweep", "merged", "rounded_sweep"]
