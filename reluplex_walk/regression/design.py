"""The records a quantile regression is solved on: the samples, and a basis of them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from ..native.arrays import FREE
from ..native.lad import measure, rescale
from ..native.lad_arrays import Fit, Regression
from ..native.lad_sizes import NEARBY, powers
from ..problem.kernel_arrays import writable
from ..tolerances import TOLERANCES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


_FAR = 400  # 2^_FAR and its square, and bits far below 2^-_FAR, are floats
_TOGETHER = 4096  # rows of a table that are read together, so that they stay in the cache
_CLEAR = 1e-4  # of its length that the features before leave of each: far above all rounding
_LEAST = 1e-9  # the same where some samples tell: far above what makes a column aliased
_SOME = 100  # samples that mostly tell


class Samples(NamedTuple):
    """The data as the solver sees them."""

    x: Floats  # (q, n) a row of ones (if any), then the features, scaled by powers of two
    y: Floats  # (n,)
    w: Floats  # (n,) weights > 0
    reach: Floats  # (n,) lengths of the columns of x
    scale: Floats  # (q,) by which the features were multiplied
    largest: Floats  # (q,) absolute values of scaled features
    size: float  # of typical targets

    @classmethod
    def of(
        cls, columns: Sequence[Floats], y: Floats, w: Floats, intercept: bool = True
    ) -> "Samples":
        """From features (n,), targets (n,) and weights (n,)."""
        n, first = y.size, int(intercept)
        q = len(columns) + first
        sums, largest, scale = np.zeros(q), np.zeros(q), np.ones(q)
        x, reach = np.empty((q, n)), np.empty(n)
        x[:first] = 1.0
        # The median is typical also beside outliers, the mean where most values are 0.
        some = np.abs([column[:: 1 + n // 100] for column in columns])
        typical = np.partition(some, some.shape[1] // 2, axis=1)[:, some.shape[1] // 2].copy()
        guess = np.ones(q)
        guess[first:] = np.ldexp(1.0, -np.frexp(typical)[1])
        at_once = n > _TOGETHER and typical.all() and (np.abs(np.log2(guess)) < NEARBY).all()
        for low in range(0, n, _TOGETHER):  # columns of a table share the lines of the cache
            end = min(n, low + _TOGETHER)
            for row, column in zip(x[first:], columns, strict=True):
                row[low:end] = column[low:end]
            measure(x, low, end, sums, largest)
            if at_once:
                rescale(x, low, end, guess, reach)
        powers(x[first:], typical, sums[first:], largest[first:], _FAR, scale[first:])
        if not at_once:
            rescale(x, 0, n, scale, reach)
        elif (guess != scale).any():
            rescale(x, 0, n, scale / guess, reach)
        return cls(x, writable(y), writable(w), reach, scale, largest * scale, typical_size(y))

    def regression(self, slopes: Floats) -> Regression:
        """The fixed record of the kernels for a loss of slopes (below, above)."""
        return Regression(self.x, self.y, self.w, self.reach, slopes)

    def with_targets(self, y: Floats) -> "Samples":
        """The same features with other targets (n,)."""
        return self._replace(y=writable(y), size=typical_size(y))

    def independent(self) -> bool:
        """Whether no feature is near to a combination of others: told at little cost."""
        q, n = self.x.shape
        if q > n:  # and no matrix that large is made
            return False
        step = 1 + n // (_SOME + 2 * q)
        if step > 1:  # what some samples keep apart, all of them do
            some = _remainders(np.ascontiguousarray(self.x[:, ::step]))
            if (some > _LEAST * math.sqrt(n) * self.largest).all():
                return True
        return bool(_remainders(self.x).all())

    def only(self, rows: Ints) -> "Samples":
        """The same with these rows of features."""
        x, scale, largest = self.x[rows], self.scale[rows], self.largest[rows]
        return self._replace(x=x, scale=scale, largest=largest, reach=np.linalg.norm(x, axis=0))

    def thinned(self, ratio: int) -> tuple["Samples", Ints]:
        """One of every `ratio` samples, and which they are.

        Multiples of the golden ratio pick it: no period of the data hides from them.
        """
        k = np.arange(self.y.size // ratio)
        rows = ratio * k + (ratio * (k * 0.6180339887498949 % 1.0)).astype(np.int64)
        x, y, w, reach = (np.take(part, rows, axis=-1) for part in self[:4])
        return Samples(x, y, w, reach, self.scale, self.largest, self.size), rows


class Basis(NamedTuple):
    """Active samples and the vertex they define, to start from."""

    rows: Ints  # (q,) of `Samples`, or FREE
    edges: Floats  # (q, q) row k: the edge of rows[k]
    theta: Floats  # (q,)

    @classmethod
    def free(cls, q: int) -> "Basis":
        """No sample is active."""
        return cls(np.full(q, FREE), np.eye(q), np.zeros(q))


def new_fit(basis: Basis, side: Floats) -> Fit:
    """The moving record of the kernels, on these arrays, with room for the rest."""
    q, n = basis.theta.size, side.size
    return Fit(
        theta=basis.theta,
        basis=basis.rows,
        b=basis.edges,
        side=side,
        near_x=np.empty((q, n)),
        of_samples=np.empty((8, n)),
        place=np.empty(q, np.int64),
        tolerances=np.array([0.0, TOLERANCES.rate, TOLERANCES.slope]),
        random=np.zeros(1, np.uint64),
        of_edges=np.zeros((5, q)),
        some=np.empty((2, n), np.int64),
    )


def _remainders(x: Floats) -> Floats:
    """What the rows before leave of each row of x (q, n); 0 where that may be rounding."""
    square = x @ x.T
    root, failed = lapack.dpotrf(square)
    if failed:
        return np.zeros(len(x))
    rest = root.diagonal()
    return np.where(rest > _CLEAR * np.sqrt(square.diagonal()), rest, 0.0)


def typical_size(y: Floats) -> float:
    """Median size of some of the targets, where most are 0 that of the others."""
    some = np.abs(y[:: 1 + len(y) // 100])
    middle = float(np.partition(some, some.size // 2)[some.size // 2])
    if middle == 0.0:
        some = np.abs(y[y != 0.0])
        middle = float(np.median(some)) if some.size else 1.0
    return middle


__all__ = ["Basis", "Samples", "new_fit", "typical_size"]
