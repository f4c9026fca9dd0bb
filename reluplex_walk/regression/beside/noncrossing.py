"""Fits of several quantiles that do not cross at the data, optimal together.

The sum of the losses is minimised under ``x_i . (b_(k+1) - b_k) >= 0`` for all samples (Bondell,
Reich and Wang, Biometrika 97, 2010), as one regression of all parameters.  Few of the constraints
matter: those that are violated are added until none is.  Quantiles whose own fits do not cross stay
apart, as their own fits are optimal together.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from ..._limits import Limits
from ..._memory import require_memory
from ...exact.rationals import Objects, Rationals, objects
from ..data import Posed, Slopes, Units, slopes_of
from ..design import Basis, Samples
from ..proof import exact_vertex, weighted_sums
from ..solver import Solution
from .linear import Demands
from .steep import minimise_under

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DOUBTFUL = 1e-9  # of the size of fits: differences that exact arithmetic looks at
_ADDED = 4  # constraints added at once, for each parameter of a quantile
_ROUNDS = 1000  # of adding constraints: all of them are in long before


class Group(NamedTuple):
    """Neighbouring quantiles, fitted together."""

    levels: tuple[int, ...]  # which of the quantiles
    pairs: Ints  # (l, 2) constraints: a level and a sample at which the next one is no lower
    samples: Samples  # of all levels one after the other, then of the constraints
    units: Units
    slopes: Slopes
    found: Solution

    @property
    def dual(self) -> Floats:
        """Dual solution (levels, n) of the samples, as the solver has it."""
        data = self.found.dual[: self.samples.y.size - self.samples.extra]
        return data.reshape(len(self.levels), -1)

    def parts(self, values: Objects) -> Objects:
        """The `values` (K q,) of all parameters by levels (K, q)."""
        return values.reshape(len(self.levels), -1)


def uncrossed(
    posed: Posed, taus: Sequence[float], alone: Sequence[Solution], limits: Limits
) -> list[Group]:
    """Groups of quantiles `taus` (ascending) that do not cross, from proved fits of each `alone`.

    Ends early, with a group whose solution is not proved, at the limits or where floats fail.
    """
    none = np.zeros((0, 2), np.int64)
    groups = [
        Group((k,), none, *posed[:2], slopes_of(tau), found)
        for k, (tau, found) in enumerate(zip(taus, alone, strict=True))
    ]
    for _ in range(_ROUNDS):
        added = _crossings(posed.samples, groups, len(taus))
        if not len(added):
            break
        groups = _joined(groups, added)
        groups = [_solved(posed, taus, group, added, limits) for group in groups]
        if not all(group.found.proved for group in groups):
            break
    return groups


def _crossings(samples: Samples, groups: list[Group], count: int) -> Ints:
    """Levels and samples (l, 2), the worst of those at which the next level is lower, exactly."""
    exact = [row for group in groups for row in group.parts(_exact(group))]
    theta = np.array(exact, float)
    found = [np.zeros((0, 2), np.int64)]
    for k in range(count - 1):
        step = (theta[k + 1] - theta[k]) @ samples.x
        size = (np.abs(theta[k]) + np.abs(theta[k + 1])) @ samples.largest
        doubtful = np.flatnonzero(step < _DOUBTFUL * size)
        if not len(doubtful):
            continue
        x = Rationals.of(samples.x[:, doubtful].T)
        step_exact = objects(list(exact[k + 1] - exact[k]))
        den = lcm(*(v.denominator for v in step_exact))
        below = doubtful[(x.num @ (step_exact * den)) < 0]
        worst = below[np.argsort(step[below] / samples.reach[below], kind="stable")]
        worst = _different(samples.x, worst)[: _ADDED * len(samples.x)]
        found.append(np.column_stack([np.full_like(worst, k), worst]))
    return np.concatenate(found)


def _exact(group: Group) -> Objects:
    return exact_vertex(group.samples, group.found.basis.rows).fractions()


def _different(x: Floats, rows: Ints) -> Ints:
    """The first of each set of equal samples, in order."""
    _, first = np.unique(x[:, rows], axis=1, return_index=True)
    return rows[np.sort(first)]


def _joined(groups: list[Group], added: Ints) -> list[Group]:
    """Groups whose levels cross, as one, with the basis that they have together."""
    crossing, joined = set(added[:, 0].tolist()), [groups[0]]
    for group in groups[1:]:
        if joined[-1].levels[-1] in crossing:
            joined[-1] = _pair(joined[-1], group)
        else:
            joined.append(group)
    return joined


def _pair(one: Group, other: Group) -> Group:
    """Two groups as one: with their pairs and their bases, but no samples yet."""
    sizes = [group.samples.y.size - group.samples.extra for group in (one, other)]
    rows = [group.found.basis.rows.copy() for group in (one, other)]
    rows[0][rows[0] >= sizes[0]] += sizes[1]
    of_terms = rows[1] >= sizes[1]
    rows[1][of_terms] += sizes[0] + len(one.pairs)
    rows[1][~of_terms] += sizes[0]
    a, b = one.found.basis, other.found.basis
    basis = Basis(
        np.concatenate(rows),
        np.ascontiguousarray(block_diag(a.edges, b.edges)),
        np.concatenate([a.theta, b.theta]),
    )
    y = np.empty(sum(sizes) + len(one.pairs) + len(other.pairs))  # its size alone is looked at
    samples = one.samples._replace(y=y, extra=len(one.pairs) + len(other.pairs))
    return one._replace(
        levels=one.levels + other.levels,
        pairs=np.concatenate([one.pairs, other.pairs]),
        samples=samples,
        found=one.found._replace(
            basis=basis, pivots=one.found.pivots + other.found.pivots, proved=False
        ),
    )


def _solved(
    posed: Posed, taus: Sequence[float], group: Group, added: Ints, limits: Limits
) -> Group:
    """The group with the constraints `added` to its levels."""
    mine = added[np.isin(added[:, 0], group.levels[:-1])]
    if not len(mine):
        return group
    pairs = np.concatenate([group.pairs, mine])
    samples, units, slopes = stacked(posed, [taus[k] for k in group.levels])
    demands = _demands(posed.samples, pairs, group.levels)
    found, whole = minimise_under(demands, samples, slopes, group.found.basis, limits)
    found = found._replace(pivots=found.pivots + group.found.pivots)
    return Group(group.levels, pairs, whole, units, slopes, found)


def stacked(posed: Posed, taus: Sequence[float]) -> tuple[Samples, Units, Slopes]:
    """The regressions for all `taus` as one, with slopes 1/2 and what is missing as a tilt."""
    samples, units = posed.samples, posed.units
    (q, n), count = samples.x.shape, len(taus)
    require_memory(
        f"taus: {count} quantiles of {n} samples that cross, fitted together",
        24.0 * q * n * count**2,
        "take fewer quantiles",
    )
    each = [slopes_of(tau) for tau in taus]
    unit = lcm(*(slopes.unit for slopes in each))
    moments = weighted_sums(samples.x, samples.w)
    total = weighted_sums(samples.y[None], samples.w)[0]
    tilt: list[Fraction] = []
    offset = Fraction(0)
    for slopes in each:
        lean = (slopes.above - slopes.below) * (unit // slopes.unit)
        tilt += list(lean * moments)
        offset -= lean * total
    whole = Samples(
        x=block_diag(*[samples.x] * count),
        y=np.tile(samples.y, count),
        w=np.tile(samples.w, count),
        reach=np.tile(samples.reach, count),
        scale=np.tile(samples.scale, count),
        largest=np.tile(samples.largest, count),
        size=samples.size,
        tilt=tuple(tilt),
        offset=offset,
    )
    units = units._replace(fitted=np.arange(q * count), x=units.x * count)
    return whole, units, Slopes(Fraction(unit), Fraction(unit), 2 * unit, (0.5, 0.5))


def held_apart(
    posed: Posed, taus: Sequence[float], pairs: Ints, steepness: Floats
) -> tuple[Samples, Units, Slopes]:
    """As :func:`stacked`, with the constraints `pairs`, levels from 0, as terms of such weights."""
    samples, units, slopes = stacked(posed, taus)
    demands = _demands(posed.samples, pairs, tuple(range(len(taus))))
    return demands.terms(steepness).beside(samples, slopes), units, slopes


def _demands(samples: Samples, pairs: Ints, levels: tuple[int, ...]) -> Demands:
    """The constraints in the units of the samples."""
    q, count = len(samples.x), len(pairs)
    rows = np.zeros((count, len(levels) * q))
    for row, (k, i) in zip(rows, pairs.tolist(), strict=True):
        at = q * (k - levels[0])
        row[at + q : at + 2 * q] = samples.x[:, i]
        row[at : at + q] = -samples.x[:, i]
    one = (Fraction(1),) * count
    return Demands(rows, np.zeros(count), np.zeros(count), np.arange(count), one)


__all__ = ["Group", "held_apart", "stacked", "uncrossed"]
