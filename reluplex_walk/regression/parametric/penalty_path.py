"""`quantile_penalty_path`: the L1 penalised regressions for all penalties at once.

With the weight lambda of the penalty the multipliers of a basis are lines in lambda: it is a
minimum on an interval, with the same coefficients.  A fit within a gap finds the interval around
its penalty; its ends are rational numbers, and the gaps that it leaves are filled alike.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..._limits import Limits
from ..._logs import logged
from ..._validate import share
from ...ended import Ended
from ...exact.rationals import Objects
from ...simplex.records import WalkStatus
from ..beside.terms import Penalty
from ..data import Data, Posed, Slopes, slopes_of
from ..design import Basis, Samples
from ..proof import OptimalityTest, exact_vertex
from ..solver import FitProgress, Solution, minimise
from ..tables.table import given
from .penalty_record import PenaltyPath

Floats = NDArray[np.float64]
Callback = Callable[[FitProgress], Any]
Exact = tuple[Fraction, ...]

_TRIES = (0.5, 0.381, 0.732, 0.127, 0.911)  # places in a gap, where one is no inner point


@logged("quantile_penalty_path")
def quantile_penalty_path(
    X: ArrayLike,
    y: ArrayLike | None = None,
    tau: float = 0.5,
    *,
    formula: str | None = None,
    sample_weight: ArrayLike | None = None,
    fit_intercept: bool = True,
    missing: str = "raise",
    time_limit: float | None = None,
    callback: Callback | None = None,
) -> PenaltyPath:
    """Regressions for the quantile `tau` with an L1 penalty, for all penalties, exactly.

    Parameters
    ----------
    X : array_like (n, p)
        Features, without a column for the intercept; of a table, columns of categories or text
        become indicators, the first category being the reference.
    y : array_like (n,)
        Targets; None with a `formula`.
    tau : float, default 0.5
        The quantile, in (0, 1).
    formula : str, optional
        Response and features, as columns of the table `X` (extra ``formula``).
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1; those below 1e-100 count as 0.
    fit_intercept : bool, default True
        If not, the intercept is 0.
    missing : {"raise", "drop"}, default "raise"
        Whether rows with a missing value are refused, or left out.
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called between rounds of pivots with a :class:`FitProgress`; StopIteration or
        KeyboardInterrupt raised in it ends the path as Ctrl-C does.

    Returns
    -------
    PenaltyPath
        Also after Ctrl-C or at the time limit: then with the penalties above those not reached.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    See Also
    --------
    quantile : its `alpha` is the same.

    Notes
    -----
    ``alpha * sum(sample_weight) * sum_j |b_j|`` is added to the loss, the intercept left out.
    Loss and penalty are piecewise linear, so the coefficients are steps in alpha (Li and Zhu,
    J. Comput. Graph. Statist. 17, 2008).  Each row is proved, as a fit is, and the ends of its
    interval are computed in rational arithmetic.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_stackloss()
    >>> path = rw.quantile_penalty_path(data.X, data.y)
    >>> path
    PenaltyPath(17 alphas from 2.83333 to 0, GLOBAL_MINIMUM)
    >>> path.coefficients[path.best("sic")].round(4)
    array([-39.6899,   0.8319,   0.5739,  -0.0609])
    """
    limits = Limits.asked(time_limit, callback)
    data, intercept, names = given(X, y, formula, sample_weight, fit_intercept, missing)
    level, kept = share("tau", tau), data.kept()
    with limits:
        pieces, whole = _Pieces.of(kept, intercept, slopes_of(level)).all(limits)
    over = limits.over if not whole else None
    if over is None:  # nobody would see that it came
        limits.pass_on()
    status, ended = WalkStatus.GLOBAL_MINIMUM, Ended.FINISHED
    if over is not None:
        status, ended = WalkStatus[over.name], over
    elif not whole:
        status, ended = WalkStatus.NOT_PROVED, Ended.PRECISION
    alphas, coefficients = _steps(pieces, kept.w, data.X.shape[1])
    return PenaltyPath(alphas, coefficients, level, status, ended, *data, intercept, names)


class Piece(NamedTuple):
    """Coefficients that are a minimum for penalties from `low` to `high`."""

    low: Fraction
    high: Fraction
    coefficients: Floats  # (p + 1,)


def _steps(pieces: list[Piece], w: Floats, p: int) -> tuple[Floats, Floats]:
    """Where coefficients begin to be minima, in descending order, and these."""
    total = sum(map(Fraction, w.tolist()), Fraction(0))
    kept: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: -piece.low):
        if kept and np.array_equal(kept[-1].coefficients, piece.coefficients):
            kept.pop()  # another basis of the vertex
        kept.append(piece)
    alphas = np.array([float(piece.low / total) for piece in kept])
    return alphas, np.array([piece.coefficients for piece in kept]).reshape(len(kept), p + 1)


class _Pieces:
    """Intervals of the weight of the penalty, in the units of the data."""

    def __init__(self, posed: Posed, slopes: Slopes, top: float, p: int) -> None:
        self.posed, self.slopes, self.top, self.p = posed, slopes, top, p
        exact = (slopes.below, slopes.above)
        self.none, self.one = self._with(0.0), self._with(1.0)
        self.tests = [OptimalityTest(some, exact) for some in (self.none, self.one)]

    @classmethod
    def of(cls, kept: Data, intercept: bool, slopes: Slopes) -> "_Pieces":
        """Those of the samples of weight > 0."""
        most = float((np.abs(kept.X).T @ kept.w).max(initial=0.0)) * max(slopes.floats)
        return cls(Posed.whole(kept, intercept), slopes, 4.0 * (most or 1.0), kept.X.shape[1])

    def _with(self, weight: float) -> Samples:
        """The samples beside a penalty of this weight."""
        samples, units = self.posed[:2]
        return Penalty(weight).terms(samples, units, self.slopes).beside(samples, self.slopes)

    def all(self, limits: Limits) -> tuple[list[Piece], bool]:
        """From the top downwards; whether that are all of them."""
        found: list[Piece] = []
        gaps = [(Fraction(0), Fraction(self.top))]
        start: Basis | None = None
        while gaps:
            low, high = gaps.pop()
            piece, start = self._within(low, high, start, limits)
            if piece is None:
                between = np.nextafter(float(low), np.inf)
                if low < Fraction(float(between)) < high:
                    return [one for one in found if one.low >= high], False
                continue  # no float between
            found.append(piece)
            gaps += [gap for gap in ((low, piece.low), (piece.high, high)) if gap[0] < gap[1]]
        return found, True

    def _within(
        self, low: Fraction, high: Fraction, start: Basis | None, limits: Limits
    ) -> tuple[Piece | None, Basis | None]:
        """Some piece of this gap, None where there is none to be found; its basis."""
        for part in _TRIES if high < self.top else (0.999,):
            weight = float(low + Fraction(part) * (high - low))
            if not low < Fraction(weight) < high:
                continue
            samples = self._with(weight)
            fit = minimise(samples, self.slopes[:2], start, limits)
            if limits.over is not None or not fit.proved or (fit.basis.rows < 0).any():
                return None, None
            below, above = self._range(fit)
            below, above = max(below, low), high if above is None else min(above, high)
            if below < above:
                return Piece(below, above, self._coefficients(fit)), fit.basis
        return None, start

    def _range(self, fit: Solution) -> tuple[Fraction, Fraction | None]:
        """The weights for which the basis is a minimum, None for all above."""
        rows, (down, up) = fit.basis.rows, (self.slopes.below, self.slopes.above)
        price, at_one = (test.prices(rows, fit.side) for test in self.tests)
        low, high = Fraction(0), None
        for p, p1, w, w1 in zip(
            price, at_one, self.none.w[rows].tolist(), self.one.w[rows].tolist(), strict=True
        ):
            weight, more = Fraction(w), Fraction(w1) - Fraction(w)
            # Each of these lines in the weight of the penalty is >= 0.
            for constant, rate in (
                (p + up * weight, p1 - p + up * more),
                (down * weight - p, down * more - (p1 - p)),
            ):
                if rate > 0:
                    low = max(low, -constant / rate)
                elif rate < 0:
                    end = -constant / rate
                    high = end if high is None else min(high, end)
        return low, high

    def _coefficients(self, fit: Solution) -> Floats:
        """The nearest floats (p + 1,)."""
        theta: Objects = exact_vertex(self.one, fit.basis.rows).fractions()
        units, found = self.posed.units, np.zeros(self.p + 1)
        factors = units.factors(self.posed.samples)
        found[units.fitted] = [float(v * f) for v, f in zip(theta, factors, strict=True)]
        return found


__all__ = ["quantile_penalty_path"]
