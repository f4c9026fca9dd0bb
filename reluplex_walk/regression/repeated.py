"""Equal samples of a regression, merged into one with the sum of their weights.

Categories and counts leave few distinct samples (x, y): the solver sees these alone.  Their loss is
that of all samples at every theta, so what is proved of them is proved of all.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..exact.sums import EXACT
from ..problem.rows import distinct_columns
from .design import Basis, Samples

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MANY = 2000  # samples from which on merging may save time
_SHARE = 0.7  # of all samples may be distinct, if merging is to save time
_SOME = 4.0  # of _SOME sqrt(n) samples _SOME^2 n / (2 m) are repeats, if m are distinct
_UNTIED = 0.9  # of the targets are distinct where ties do not matter
_MOVE = 1e-6  # of typical targets: far above all rounding, far below differences of counts


class Merged(NamedTuple):
    """Distinct samples, and which of them each given one is."""

    samples: Samples
    first: Ints  # (m,) of the equal samples the first one
    number: Ints  # (n,)
    w: Floats  # (n,) the weights given

    @classmethod
    def of(cls, samples: Samples) -> "Merged | None":
        """None where that would save no time, or weights would be rounded."""
        x, y, w = samples[:3]
        if y.size < _MANY or not _repeats(x, y):
            return None
        if w.sum() > EXACT or (w != np.rint(w)).any():
            return None
        first, number = distinct_columns([*x, y])
        if first.size > _SHARE * y.size:
            return None
        x, y, reach = (np.take(part, first, axis=-1) for part in (x, y, samples.reach))
        total = np.asarray(np.bincount(number, w), float)
        return cls(samples._replace(x=x, y=y, w=total, reach=reach), first, number, w)

    def inward(self, basis: Basis) -> Basis:
        """A basis of given samples as one of distinct ones."""
        rows = np.where(basis.rows >= 0, self.number[basis.rows], basis.rows)
        return basis._replace(rows=rows)

    def outward(
        self, basis: Basis, side: Floats, dual: Floats, slopes: Sequence[float | Fraction]
    ) -> tuple[Basis, Floats, Floats]:
        """Basis, sides and dual solution of the distinct samples as those of the given ones.

        Of equal samples in the basis the heaviest one stays there, the others take the side on
        which its price is one that it may have.
        """
        below, above = map(float, slopes)
        rows, sides = basis.rows.copy(), side[self.number]
        duals = np.where(sides > 0.0, above, -below) * self.w
        for k in np.flatnonzero(rows >= 0).tolist():
            c = rows[k]
            equal = np.flatnonzero(self.number == c)
            w = self.w[equal]
            duals[equal] = dual[c] * (w / w.sum())
            equal = equal[np.argsort(w)]
            rows[k], others = equal[-1], equal[:-1]
            lift = dual[c] + below * self.w[others].sum() - above * self.w[rows[k]]
            steps = (below + above) * np.cumsum(self.w[others])
            raised = 1 + np.searchsorted(steps, lift) if lift > 0.0 else 0
            sides[others] = np.where(np.arange(others.size) < raised, 1.0, -1.0)
        return basis._replace(rows=rows), sides, duals


def untied(samples: Samples) -> Samples:
    """The samples with targets moved by a little at random, if many targets are equal.

    Where thousands of residuals vanish at once hardly a pivot lowers the loss.  Each vertex of
    such data is a cluster of simple ones for the moved targets (Wolfe 1963), and the basis that is
    optimal for these is mostly optimal for those given: their sides tell what tied ones cost.
    """
    y = samples.y
    if y.size < _MANY:
        return samples
    some = y[:: _step(y.size)]
    if np.unique(some).size > _UNTIED * some.size:
        return samples
    most = _MOVE * samples.size
    return samples._replace(y=y + np.random.default_rng(0).uniform(-most, most, y.size))


def _step(n: int) -> int:
    """One of so many samples is looked at, to tell what all are like."""
    return max(1, int(np.sqrt(n) / _SOME))


def _repeats(x: Floats, y: Floats) -> bool:
    """Whether some of the samples are equal; told at little cost where targets are not."""
    some = slice(None, None, _step(y.size))
    if np.unique(y[some]).size == y[some].size:
        return False
    return distinct_columns([*x[:, some], y[some]])[0].size < y[some].size


__all__ = ["Merged"]
