"""The minima of a regression along a parameter: traced in floats, decided exactly.

The kernel goes from vertex to vertex and proves each a minimum from where the one before ends, with
bounds on all rounding.  Where these leave doubt (ties, intervals of length 0) the vertex is looked
at in rational arithmetic; where it is none, since ties were broken by too much, the gap in tau is
filled by fits, each proved on its own.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..._limits import Limits
from ...native import lad_trace as at
from ...native.arrays import PARKED
from ...native.lad_arrays import ZERO, Fit
from ...native.lad_parametric import DOUBT, END, FULL, LOST, TIES, UNBOUNDED, record, trace
from ...problem.kernel_arrays import writable
from ..design import Basis, new_fit
from ..solver import FitProgress
from .minima import Line, Minima

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_ROOM = 1024  # vertices between two looks at the limits, and pivots until sums are taken afresh
_APART = 1e-10  # by which targets are moved apart, relative to their size
_EXACT = 2.0**53  # sums of integers up to which floats are exact
_STILL = (1000, 100)  # pivots without progress of the parameter, and more for each of theirs
_SPOILT = 3  # times that edges spoilt by rounding are made afresh


class Tracer:
    """The trace from the minimum `basis` at a parameter, in one direction.

    `side` (n,) are the sides of residuals that it was proved with.

    Attributes
    ----------
    ends, coefficients : list of ndarray (k,), (k, q)
        Where the minima end, in the direction of the trace; their coefficients.
    count, pivots : int
        Of minima found, and of pivots.
    repeats : set of int
        Those at the same vertex as the one before, with another basis.
    begins : bool
        Whether the first one is `basis`, which may be a minimum for that parameter alone.
    start : ndarray
        The rows of `basis`.
    first : ndarray
        The basis of the first one.
    proved, finished : bool
        Whether all of them are minima; whether the last one is at the end of the range.
    """

    def __init__(
        self, minima: Minima, basis: Basis, side: Floats, start: Fraction, rising: bool
    ) -> None:
        self.minima, self.rising, self.start = minima, rising, basis.rows.copy()
        self.ends: list[Floats] = []
        self.coefficients: list[Floats] = []
        self.repeats: set[int] = set()
        self.count, self.pivots = 0, 0
        self.begins, self.proved, self.finished = False, True, False
        self.none = np.zeros(side.size, np.bool_)
        self.met = self.none  # which residuals are 0 at this vertex, if that is known
        self.met_last = self.none
        self.first = self.last = basis.rows[:0]  # bases of the first and the last minimum
        self.held = np.zeros(0)  # sides of the others there
        self.reached = start  # surely within what is known
        self.since = 0  # pivots since sums were taken afresh
        self.still = 0  # pivots without progress
        self.spoilt = 0  # times that edges were made afresh
        self.fit = self._fit(basis, np.where(side > 0.0, 1.0, -1.0))
        self.trace = self._trace(float(start))

    def _fit(self, basis: Basis, side: Floats) -> Fit:
        """The moving record of pivots; targets are moved off 0, each to its side."""
        x, y, w, reach, _, _, size = self.minima.samples[:7]
        apart = np.random.default_rng(0).uniform(0.5, 1.5, y.size)
        apart *= _APART * (size + reach * np.linalg.norm(basis.theta))
        apart[basis.rows] = 0.0
        moved = self.minima.samples._replace(y=y - side * apart)
        self.regression = moved.regression(np.array([0.0, 1.0]))
        fit = new_fit(Basis(*(part.copy() for part in basis)), side)
        fit.tolerances[ZERO] = 0.0
        fit.place[:], fit.near_w[:], fit.near_x[:], fit.near_side[:] = basis.rows, w, x, side
        fit.near_side[basis.rows] = 1.0
        return fit

    def _trace(self, start: float) -> at.Trace:
        """The moving record of the trace."""
        samples, units, parameter = self.minima.samples, self.minima.units, self.minima.parameter
        (x, y, w), (q, n) = samples[:3], samples.x.shape
        numbers = np.zeros(at.NUMBERS)
        numbers[[at.FROM, at.UNTIL]] = start
        numbers[at.DIRECTION] = 1.0 if self.rising else -1.0
        numbers[[at.LOW, at.HIGH]] = float(parameter.low), float(parameter.high)
        numbers[at.DOWN], numbers[at.WEIGHT] = units.y, w.sum()
        whole = all((part == np.rint(part)).all() for part in (x / samples.scale[:, None], w))
        if not whole or ((np.abs(x) @ w) / samples.scale >= _EXACT).any():
            numbers[at.TERMS] = n + 4.0 * _ROOM  # of a sum, and what pivots add to it
        numbers[at.IS_TAU] = parameter.is_tau
        return at.Trace(
            y=writable(y),
            total=parameter.rate.astype(float),
            offset=parameter.offset.astype(float),
            largest=writable(samples.largest),
            up=samples.scale * np.array(units.x, float),
            numbers=numbers,
            of_edges=np.zeros((6, q)),
            off=np.empty((q, q)),
            edges=np.empty((q, q)),
            ends=np.empty(_ROOM),
            rows=np.empty((_ROOM, q), np.int64),
            coefficients=np.empty((_ROOM, q)),
            sure=np.empty(_ROOM, np.int64),
        )

    def run(self, limits: Limits) -> None:
        """Trace to the end of the range, or to that of `limits`."""
        edge, n = -1, self.fit.near_side.size
        self._refresh()
        while not self.finished and self.proved:
            told = FitProgress(self.pivots, n, limits.elapsed)
            if limits.look(0, told) is not None:
                return
            begins = self.pivots == 0
            status, size, edge = trace(self.regression, self.fit, self.trace, edge, 0, _ROOM)
            self.pivots, self.since = self.pivots + size + 1, self.since + size + 1
            self._collect(size)
            if self.since > _ROOM:
                self._refresh()
            if status == END or (status == UNBOUNDED and not self.minima.parameter.is_tau):
                self.finished = True
            elif status in (TIES, DOUBT):
                edge = self._decide(edge, status, limits)
            elif status == LOST and self.spoilt < _SPOILT:
                self.spoilt += 1
                self.fit.b[:] = np.linalg.inv(self.regression.x[:, self.fit.place])
                self._refresh()
            elif status != FULL:
                self._fill_rest(limits)
            if begins:
                self.begins = self.count > 0 and np.array_equal(self.first, self.start)

    def found(self) -> tuple[Floats, Floats]:
        """Where the minima end (count,), and their coefficients (count, q)."""
        if not self.count:
            return np.zeros(0), np.zeros((0, len(self.regression.x)))
        return np.concatenate(self.ends), np.concatenate(self.coefficients)

    def _refresh(self) -> None:
        """Residuals and the gradient afresh, without the rounding of many pivots."""
        fit, (x, y, w) = self.fit, (self.regression.x, self.regression.y, self.regression.w)
        rows, weight = fit.place, np.where(fit.near_side > 0.0, w, 0.0)
        weight[rows] = 0.0
        fit.g[:] = x @ weight
        theta = y[rows] @ fit.b
        theta -= (theta @ x[:, rows] - y[rows]) @ fit.b
        fit.theta[:] = theta
        fit.near_r[:] = theta @ x - y
        fit.near_r[rows] = PARKED
        self.since = 0

    def _collect(self, size: int) -> None:
        """Take over the minima that the kernel has written down."""
        if not size:
            return
        lists, minima = self.trace, self.minima
        coefficients, ends = lists.coefficients[:size].copy(), lists.ends[:size].copy()
        for k in np.flatnonzero(lists.sure[:size] == 0).tolist():
            coefficients[k] = minima.coefficients(minima.theta(lists.rows[k]))
        self._add(ends, coefficients, lists.rows[0].copy())
        self.last = lists.rows[size - 1].copy()
        before = ends[-2] if size > 1 else lists.numbers[at.FROM]
        self.reached = Fraction((before + ends[-1]) / 2.0)
        self.met = self.met_last = self.none

    def _add(self, ends: Floats, coefficients: Floats, rows: Ints) -> None:
        """These minima are found, the first one with the basis `rows`."""
        if not self.count:
            self.first = rows
        self.ends.append(ends)
        self.coefficients.append(coefficients)
        self.count += len(ends)
        self.still = 0

    def _decide(self, edge: int, status: int, limits: Limits) -> int:
        """What floats left in doubt of the vertex at hand; the half-edge to go along."""
        minima, side, line = self.minima, self.fit.near_side, None
        rows = self.fit.place.copy()
        again, right = self._is_again(rows, side), True
        self.still += 1
        try:
            if not again:
                found = minima.vanishing(rows, self.fit.b, self.trace.theta, side)
                self.met, right = found
                self.held = side.copy()
                self.held[self.met] = 0.0
            if status == DOUBT or not right:
                line = minima.lines(rows, side)
        except ZeroDivisionError:  # the active samples are dependent
            return self._fill_rest(limits)
        if self.still > _STILL[0] + _STILL[1] * len(rows) or (line and line.low > line.high):
            return self._fill_rest(limits)
        if line:
            edge = self._reach(line)
        self.finished = edge < 0 or (self._beyond and not again)
        if not right:
            self.met = self.none
            if line and line.low < line.high:
                self._fill(Fraction(line.low), Fraction(line.high), limits)
        elif line is None or line.low < line.high:
            self._record(rows)
        return edge

    def _is_again(self, rows: Ints, side: Floats) -> bool:
        """Whether the basis `rows` has the vertex at which the trace was before."""
        if not self.met[rows].all():
            return False
        return not ((self.held != 0.0) & (self.held != side)).any()

    def _reach(self, line: Line) -> int:
        """The vertex at hand ends where `line` says; the half-edge to go along."""
        end, edge = (line.high, line.first) if self.rising else (line.low, line.last)
        numbers, until = self.trace.numbers, float(end)
        numbers[at.UNTIL], numbers[at.ERROR] = until, abs(until) * 2.0**-52
        return edge

    @property
    def _beyond(self) -> bool:
        """Whether the last minimum ends beyond the range, which it never does for tau."""
        if not self.count:
            return False
        end, parameter = float(self.ends[-1][-1]), self.minima.parameter
        return end > parameter.high if self.rising else end < parameter.low

    def _record(self, rows: Ints) -> None:
        """The vertex at hand, where ``met`` vanish, is a minimum."""
        met, repeats = self.met, self.met_last[rows].all()
        record(self.regression, self.fit, self.trace, 0)
        self._collect(1)
        self._met_at_last(met, bool(repeats))

    def _met_at_last(self, met: Mask, repeats: bool) -> None:
        """At the last minimum found `met` vanish; it may repeat the vertex of the one before."""
        if repeats:
            self.repeats.add(self.count - 1)
        self.met = self.met_last = met

    def _fill(self, low: Fraction, high: Fraction, limits: Limits) -> None:
        """Fits of their own for this interval, if the parameter is tau."""
        self.proved = self.minima.parameter.is_tau
        if not self.proved:
            return
        pieces, self.proved = self.minima.fill(low, high, limits)
        for piece in pieces if self.rising else pieces[::-1]:
            end = float(piece.high if self.rising else piece.low)
            repeats = self.met_last[piece.rows].all()
            self._add(np.array([end]), self.minima.coefficients(piece.theta)[None], piece.rows)
            self._met_at_last(self.minima.met(piece.theta), bool(repeats))
        self.met = self.none

    def _fill_rest(self, limits: Limits) -> int:
        """The same for all that is left of the range, the last minimum once more."""
        if len(self.last):
            self.met_last = self.minima.met(self.minima.theta(self.last))
        low, high = self.minima.parameter.low, self.minima.parameter.high
        self._fill(*((self.reached, high) if self.rising else (low, self.reached)), limits)
        self.finished = self.proved
        return -1


__all__ = ["Tracer"]
