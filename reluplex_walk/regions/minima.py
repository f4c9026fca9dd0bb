"""Minima among regions: floats propose the least point of each region, exact arithmetic decides.

A local minimum is a minimum of the affine piece of every region around it, so that the faces on
which regions have their least loss are all there is to look at.  On the inside of such a face all
breakpoints have one sign: one of its points stands for all of them, and if it is a local minimum,
the regions around any local minimum on the border of the face are among those found, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._budget import Budget
from .._conversions import frame
from .._limits import Limits
from .._programs import linear_program
from .._shown import repr_html
from ..ended import Ended
from ..exact.loss import Sides
from ..exact.rationals import Objects
from ..problem.loss import LayerLoss
from ..tolerances import REGIONS
from .decide import Decider, Minimal, Point, Window

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Indices = NDArray[np.int32]

_TIES = 100  # regions of one least loss, as far as floats tell, that are compared exactly


@dataclass(frozen=True, eq=False)
class Minimum:
    """A minimum found among regions.

    Attributes
    ----------
    theta : ndarray (h, q)
        `point`, rounded to floats.
    loss : float
        The loss at `point`, rounded.
    strict : bool
        Whether the loss ascends in every direction (that does not leave the box).
    regions : ndarray (k,)
        Indices of the regions around it; of a flat minimum, of those around all of it.
    point : ndarray (h, q) of Fraction
        A point of it without rounding: the vertex if it is strict, else one inside a face.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 1])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> best = rw.enumerate_regions(loss).minimum()  # the line through (0, 0) and (2, 0)
    >>> best.theta.tolist(), best.loss, best.strict, len(best.regions)
    ([[0.0, 0.0]], 1.0, True, 4)
    """

    theta: Floats
    loss: float
    strict: bool
    regions: Ints
    point: Objects = field(repr=False)

    _repr_html_ = repr_html


class LocalMinima(list[Minimum]):
    """The local minima found, a list by ascending loss, and why no more were looked for.

    Attributes
    ----------
    ended : Ended
        FINISHED with all of them; TIME_LIMIT or INTERRUPTED with those found by then, of which some
        may be parts of one flat minimum.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 1])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> found = rw.enumerate_regions(loss).local_minima()
    >>> len(found), found.ended.name
    (1, 'FINISHED')
    """

    ended: Ended = Ended.FINISHED

    _repr_html_ = repr_html

    def to_frame(self) -> Any:
        """A table of pandas, a row for each minimum, by ascending loss.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> rw.enumerate_regions(loss).local_minima().to_frame().round(9)
           loss  strict  n_regions
        0   1.0    True          4
        """
        return frame(
            {
                "loss": [each.loss for each in self],
                "strict": [each.strict for each in self],
                "n_regions": [len(each.regions) for each in self],
            }
        )


class Table(NamedTuple):
    """What is known of the regions, as in :class:`.Regions`; parameters in the kernels' units."""

    loss: LayerLoss
    window: Window | None
    patterns: NDArray[np.uint8]
    points: Floats
    gradients: Floats
    offsets: Floats
    minimizers: Floats
    lowest: Floats
    flat: NDArray[np.bool_]
    facets: Indices
    neighbours: Indices


class _Found(NamedTuple):
    """A local minimum, and the regions around it or around the flat part it belongs to."""

    point: Point
    strict: bool
    regions: Ints


class Minima:
    """Decisions about the regions of a `Table`."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.decider = Decider(table.loss, table.window)
        cost = np.maximum(table.loss.left, table.loss.right)
        targets = float((cost * np.abs(table.loss.targets)).sum())
        self.reach = np.maximum(np.abs(table.points), np.abs(table.minimizers))
        if table.window is not None:  # corners may lie anywhere in the box
            self.reach = np.maximum(self.reach, _largest(table.loss, table.window))
        self.sizes = targets + np.abs(table.lowest)
        terms = (np.abs(table.gradients) * self.reach).sum(axis=(1, 2))
        self.doubt = REGIONS.least * self.sizes + REGIONS.noise * terms

    def sides(self, region: int) -> Sides:
        """The signs (+-1) of all breakpoints in a region."""
        index = self.table.loss.index
        bits = np.unpackbits(self.table.patterns[region])[: index.size].astype(np.int8)
        ends = np.cumsum([w * n for w, n in zip(index.widths, index.columns, strict=True)])
        parts = np.split(2 * bits - 1, ends[:-1])
        return [part.reshape(w, -1).T for part, w in zip(parts, index.widths, strict=True)]

    def around(self, point: Point) -> Ints:
        """The regions around a point: with its sign wherever that is not 0."""
        rows = [sign.T.ravel() for sign in point.signs]
        sign = np.concatenate(rows)
        wanted, matters = np.packbits(sign > 0), np.packbits(sign != 0)
        differ = (self.table.patterns ^ wanted) & matters
        return np.flatnonzero(~differ.any(axis=1))

    def least(self, region: int) -> Point:
        """A point of the closed region where its piece is least, without rounding."""
        table = self.table
        return self.decider.least(
            self.sides(region), table.minimizers[region], table.points[region]
        )

    # ---------------------------------------------------------------- the minimum

    def minimum(self, limits: Limits) -> Minimum:
        """The least loss on the closed regions, or the least found until `limits` are over."""
        self.decider.limits = limits
        lowest = self.table.lowest
        best: Point | None = None
        covered, tries, strict = np.zeros(len(lowest), bool), 0, False
        for k in np.argsort(lowest, kind="stable").tolist():
            if best is not None and (
                best.loss == 0
                or lowest[k] > float(best.loss) + self.doubt[k]
                or tries > _TIES
                or limits.look(tries, tries) is not None
            ):
                break
            if covered[k]:
                continue
            point, tries = self.least(k), tries + 1
            minimal = self.minimal(k, point)  # or else it descends into regions that are not found
            if minimal is not None:
                point = minimal.point
            regions = self.around(point)
            covered[regions] = True
            if best is None or point.loss < best.loss:
                best = point
                strict = minimal is not None and self._strict(minimal.strict, regions)
        if best is None:
            raise ValueError("minimum: no region was found, allow the search more time")
        return self._hand_over(best, strict, self.around(best))

    def minimal(self, region: int, point: Point) -> Minimal | None:
        """The local minimum at the least point of a region, as far as floats know that."""
        lowest = self.table.lowest[region] - self.doubt[region]
        return self.decider.minimal(point, float(lowest))

    def _strict(self, known: bool | None, regions: Ints) -> bool:
        return bool(not self.table.flat[regions].any()) if known is None else known

    def _hand_over(self, point: Point, strict: bool, regions: Ints) -> Minimum:
        return Minimum(
            theta=self.decider.rounded(point),
            loss=float(point.loss),
            strict=strict,
            regions=regions,
            point=point.theta.fractions().reshape(self.table.loss.shape),
        )

    # ---------------------------------------------------------------- local minima

    def local_minima(self, limits: Limits) -> LocalMinima:
        """All local minima, by ascending loss, or those found until `limits` are over."""
        self.decider.limits = limits
        ended = limits.over
        member = np.full(len(self.table.lowest), -1)  # of which of those found
        found: list[_Found] = []
        for looked_at, k in enumerate(self._candidates() if ended is None else []):
            ended = limits.look(looked_at, looked_at)
            if ended is not None:
                break
            if member[k] >= 0:
                continue
            minimal = self.minimal(k, self.least(k))
            if minimal is None:
                continue
            regions = self.around(minimal.point)
            if not regions.size and any(
                np.array_equal(minimal.point.floats, other.point.floats) for other in found
            ):
                continue
            known = np.unique(member[regions][member[regions] >= 0])
            strict = self._strict(minimal.strict, regions) and not known.size
            member[regions] = len(found)
            found.append(_Found(minimal.point, strict, regions))
            for other in known.tolist():  # the same flat minimum, seen from other faces
                member[member == other] = len(found) - 1
        self._join_faces(member, found, limits)
        minima = LocalMinima()
        for number, (point, strict, regions) in enumerate(found):
            here = np.flatnonzero(member == number)
            if here.size or not regions.size:  # else it is part of another
                minima.append(self._hand_over(point, strict, here))
        minima.sort(key=lambda minimum: minimum.loss)
        minima.ended = ended or limits.over or Ended.FINISHED
        return minima

    def _candidates(self) -> list[int]:
        """The regions whose least point may be a local minimum, by ascending loss.

        The others have a neighbour at their minimiser that floats tell to descend from there.
        """
        table = self.table
        region, other = table.facets[:, 0], table.neighbours
        doubt = np.maximum(self.doubt[region], self.doubt[other])
        lower = (other >= 0) & (table.lowest[other] < table.lowest[region] - doubt)
        rows, others = region[lower], other[lower]
        at = table.minimizers[rows]
        there, here = (
            (table.gradients[k] * at).sum(axis=(1, 2)) + table.offsets[k] for k in (others, rows)
        )
        terms = np.abs(table.gradients[rows]) * self.reach[rows]
        terms = terms.sum(axis=(1, 2)) + self.sizes[rows]
        touches = np.abs(there - here) <= REGIONS.touch * terms
        jump = np.abs(table.gradients[others] - table.gradients[rows]).max(axis=(1, 2))
        touches &= jump > REGIONS.gradient * np.abs(table.gradients).max(initial=0.0)
        possible = np.ones(len(table.lowest), bool)
        possible[rows[touches]] = False
        return [int(k) for k in np.argsort(table.lowest, kind="stable") if possible[k]]

    def _join_faces(self, member: Ints, found: list[_Found], limits: Limits) -> None:
        """Make flat minima one that touch in minima: neighbours with a minimal point in common."""
        for k, other in self._pairs(member, found):
            if limits.over is not None:
                break
            if member[k] != member[other] and self._touch(k, other, found[member[k]].point.loss):
                old, new = int(member[k]), int(member[other])
                member[member == old] = new
                found[new] = found[new]._replace(strict=False)

    def _pairs(self, member: Ints, found: list[_Found]) -> Iterator[tuple[int, int]]:
        """Neighbours that belong to different minima of one loss."""
        one, two = self.table.facets[:, 0], self.table.neighbours
        pairs = np.column_stack([one, two])[two > one]
        a, b = member[pairs].T
        for k, other in pairs[(a >= 0) & (b >= 0) & (a != b)].tolist():
            if found[member[k]].point.loss == found[member[other]].point.loss:
                yield k, other

    def _touch(self, k: int, other: int, level: Fraction) -> bool:
        """Whether the minimal faces of two neighbours meet in a local minimum."""
        gradients = [self.decider.exact.gradient(self.sides(region)) for region in (k, other)]
        if not any(gradient.num.any() for gradient in gradients):
            return True  # constant on both, and so on the facet between them
        at = self._lowest_in_common(k, other)
        if at is None:
            return False
        point = self.decider.least(self.sides(k), at, self.table.points[k])
        if point.loss != level or not {k, other} <= set(self.around(point).tolist()):
            return False
        return self.decider.minimal(point, float(level)) is not None

    def _lowest_in_common(self, k: int, other: int) -> Floats | None:
        """A point (h, q) of two closed regions, inside the face on which both losses are least."""
        table = self.table
        rows, levels = self.decider.bounds_of_box()
        for region in (k, other):
            ids = table.facets[table.facets[:, 0] == region, 1]
            a, b = self.decider.half_spaces(self.sides(region), ids)
            rows, levels = np.concatenate([rows, a]), np.concatenate([levels, b])
        both = [k, other]
        cost = table.gradients[both].sum(axis=0).ravel()
        terms = (np.abs(table.gradients[both]) * self.reach[both]).sum() + self.sizes[both].sum()
        rng = np.random.default_rng(0)
        corners: list[Floats] = []
        for number in range(1 + cost.size):  # the mean of corners lies inside the face
            tilt = REGIONS.tilt * (number > 0) * rng.normal(size=cost.size)
            result = linear_program(
                cost / (np.abs(cost).max() or 1.0) + tilt,
                Budget(np.inf, self.decider.limits),
                A_ub=-rows,
                b_ub=levels,
                bounds=(None, None),
            )
            if result.x is None:
                continue
            corners.append(result.x)
            lowest = cost @ result.x + table.offsets[both].sum()
            if number == 0 and lowest > table.lowest[both].sum() + REGIONS.apart * terms:
                return None  # the faces do not meet
        return np.mean(corners, axis=0).reshape(table.loss.shape) if corners else None


def _largest(loss: LayerLoss, window: Window) -> Floats:
    """The largest absolute values (h, q) in a box, in the units of the kernels."""
    size = np.abs(window).max(axis=0).reshape(loss.shape)
    weights = size[:, :-1]
    bias = size[:, -1] + (weights * np.abs(loss.units.centre)).sum(axis=1)
    return np.column_stack([weights * loss.units.scale, bias])


__all__ = ["LocalMinima", "Minima", "Minimum", "Table"]
