"""All minima of a quantile regression from one tau on: traced in floats, decided exactly.

The kernel goes from vertex to vertex and proves each a minimum from where the one before ends, with
bounds on all rounding.  Where these leave doubt (ties, intervals of length 0) the vertex is looked
at in rational arithmetic; where it is none, since ties were broken by too much, the gap in tau is
filled by fits, each proved on its own.
"""

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from ..exact.rationals import Objects, Rationals, from_fractions, objects, solve
from ..native.arrays import PARKED
from ..native.lad_parametric import DOUBT, END, FULL, LOST, TIES, UNBOUNDED, record, trace
from ..native.lad_rounding import error_bounds
from ..native.lad_trace import (
    DIRECTION,
    DOWN,
    ERROR,
    EXACT,
    HIGH,
    LOW,
    SHARES,
    TAU,
    TERMS,
    UNTIL,
    WEIGHT,
    Trace,
)
from ..problem.kernel_arrays import writable
from .data import Units
from .design import Basis, Samples, new_fit
from .proof import OptimalityTest, exact_signs, exact_vertex, weighted_sums
from .solver import FitProgress, minimise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROOM = 1024  # vertices between two looks at the limits, and sums taken afresh
_APART = 1e-10  # by which targets are moved, relative to their size
_EXACT = 2.0**53
_STILL = (1000, 100)  # pivots without progress in tau, and more for each parameter
_SPOILT = 3  # times that the edges are inverted afresh


Exact = tuple[Fraction, ...]


class Piece(NamedTuple):
    """A minimum for an interval of tau, exactly."""

    low: Fraction
    high: Fraction
    rows: Ints  # (q,) its basis
    theta: Exact


class Parameter(NamedTuple):
    """By what the gradient changes: tau, or another that tilts the loss.

    With the sum ``above`` of w x over residuals above 0, the gradient of all samples but those of
    the basis is ``above - offset - parameter rate``, up to what is 0 for the basis.
    """

    rate: Objects  # (q,)
    offset: Objects  # (q,)
    low: Fraction
    high: Fraction
    is_tau: bool

    @classmethod
    def tau(cls, samples: Samples) -> "Parameter":
        """The quantile."""
        total = weighted_sums(samples.x, samples.w)
        return cls(total, objects([Fraction(0)] * len(total)), Fraction(0), Fraction(1), True)

    @classmethod
    def tilt(cls, samples: Samples, tau: Fraction, j: int, most: float) -> "Parameter":
        """The loss minus ``s theta_j`` for s from -most to most."""
        total = weighted_sums(samples.x, samples.w) * tau
        rate = objects([Fraction(int(k == j)) for k in range(len(total))])
        return cls(rate, total, Fraction(-most), Fraction(most), False)


class Line(NamedTuple):
    """The interval in which the multipliers of a basis, lines in the parameter, are in range."""

    low: Fraction | float  # low > high: there is none
    high: Fraction | float
    first: int  # half-edge that becomes flat at `high`: twice its row, + 1 upwards; -1 if none
    last: int  # and at `low`


class Minima:
    """Exact statements about bases of one problem."""

    def __init__(self, samples: Samples, units: Units, parameter: Parameter) -> None:
        self.samples, self.units, self.parameter = samples, units, parameter
        self.test = OptimalityTest(samples, (Fraction(0), Fraction(1)))

    def shares(self, rows: Ints, side: Floats) -> tuple[Objects, Objects]:
        """Rates and prices (q,) of the multipliers ``parameter rate - price`` of a basis.

        `side` (n,) are the sides of residuals ``fit - y``.
        """
        above, normals = self.test.prices(rows, side), Rationals.of(self.samples.x[:, rows])
        both = from_fractions(np.column_stack(self.parameter[:2]))
        found = solve(normals.num, both.num * normals.den)
        rate, offset = Rationals(found.num, found.den * both.den).fractions().T
        return rate, above - offset

    def lines(self, rows: Ints, side: Floats) -> Line:
        """Where the multipliers of the basis `rows` are in their ranges."""
        rate, price = self.shares(rows, side)
        low: Fraction | float = -math.inf
        high: Fraction | float = math.inf
        first, last = -1, -1
        if self.parameter.is_tau:
            low, high = self.parameter[2:4]
        for k, (u, p, weight) in enumerate(
            zip(rate, price, self.samples.w[rows].tolist(), strict=True)
        ):
            if u == 0:
                if not 0 <= -p <= weight:
                    return Line(Fraction(1), Fraction(0), -1, -1)
                continue
            ends = [(p / u, 2 * k), ((p + Fraction(weight)) / u, 2 * k + 1)]
            (begin, edge_down), (end, edge_up) = ends if u > 0 else ends[::-1]
            if begin > low:
                low, last = begin, edge_down
            if end < high:
                high, first = end, edge_up
        return Line(low, high, first, last)

    def vanishing(
        self, rows: Ints, edges: Floats, theta: Floats, side: Floats
    ) -> tuple[Rationals, Ints, bool]:
        """The exact vertex of a basis, the samples whose residuals are 0 there, and whether no
        other residual has not the `side` it is taken to have.
        """
        x, y, _, reach = self.samples[:4]
        bound, _ = error_bounds(x, y, rows, edges, theta, np.empty(len(x)))
        r = theta @ x - y
        small = ~(np.abs(r) > bound * reach)
        small[rows] = False
        clear = ~small
        clear[rows] = False
        right = not (clear & (r * side < 0.0)).any()
        vertex, doubtful = exact_vertex(self.samples, rows), np.flatnonzero(small)
        sign = exact_signs(self.samples, vertex, doubtful)
        right = right and not (sign * side[doubtful] < 0).any()
        return vertex, np.concatenate([rows, doubtful[sign == 0]]), right

    def met(self, theta: Exact) -> Ints:
        """The samples whose residuals are 0 at this vertex."""
        every = np.arange(self.samples.y.size)
        return np.flatnonzero(
            exact_signs(self.samples, from_fractions(objects([*theta])), every) == 0
        )

    def theta(self, rows: Ints) -> Exact:
        """The exact vertex of a basis."""
        return tuple(exact_vertex(self.samples, rows).fractions())

    def coefficients(self, theta: Exact) -> Floats:
        """The nearest floats, in the units of the data."""
        factors = self.units.factors(self.samples)
        return np.array([float(v * f) for v, f in zip(theta, factors, strict=True)])

    def fill(self, low: Fraction, high: Fraction, limits: Limits) -> tuple[list[Piece], bool]:
        """Minima for tau from `low` to `high`, each by a fit of its own; whether all are proved."""
        found: list[Piece] = []
        proved, gaps = True, [(low, high)]
        while gaps and proved:
            a, b = gaps.pop()
            tau = _between(a, b)
            fit = minimise(self.samples, (tau, 1 - tau), None, limits)
            proved = fit.proved and limits.over is None
            if not proved:
                break
            rows = fit.basis.rows.copy()
            line = self.lines(rows, fit.side)
            start, end = max(a, line.low), min(b, line.high)
            if start < end:
                found.append(Piece(start, end, rows, self.theta(rows)))
            gaps += [gap for gap in ((a, start), (end, b)) if gap[0] < gap[1]]
        return sorted(found, key=lambda piece: piece.low), proved


def _between(low: Fraction, high: Fraction) -> Fraction:
    """A number between them, a simple one."""
    middle = (low + high) / 2
    for digits in (10, 1000, 10**6, 10**9):
        simple = middle.limit_denominator(digits)
        if low < simple < high:
            return simple
    return middle


class Tracer:
    """The trace from a minimum `basis` at `tau`, proved with the sides `side` (n,) of residuals.

    Attributes
    ----------
    ends : list of ndarray
        Tau at which the minima end, in the direction of the trace.
    coefficients : list of ndarray (k, q)
        The minima.
    repeats : set of int
        Those at the same vertex as the one before.
    begins, proved, finished : bool
        Whether the first minimum is `basis`, which may be one for `tau` alone; whether all are
        minima; whether the last one is at the end of tau.
    """

    def __init__(
        self, minima: Minima, basis: Basis, side: Floats, start: Fraction, rising: bool
    ) -> None:
        samples, units = minima.samples, minima.units
        x, y, w, reach, scale, largest, size = samples
        q, n = x.shape
        self.minima, self.rising, self.side = minima, rising, np.where(side > 0.0, 1.0, -1.0)
        self.ends: list[Floats] = []
        self.coefficients: list[Floats] = []
        self.repeats: set[int] = set()
        self.count = 0
        self.met: Ints = basis.rows[:0]  # samples that vanish at this vertex, where they are known
        self.met_last = self.met  # and at the last minimum found, where others may be equal to it
        self.met_first = self.first = self.met  # at the first one, and its basis
        self.begins, self.proved, self.finished, self.unbounded = False, True, False, False
        self.reached, self.since, self.still, self.spoilt = start, 0, 0, 0
        self.pivots = 0
        apart = np.random.default_rng(0).uniform(0.5, 1.5, n)
        apart *= _APART * (size + reach * np.linalg.norm(basis.theta))
        apart[basis.rows] = 0.0
        moved = samples._replace(y=y - self.side * apart)  # off 0, each on its side
        self.regression = moved.regression(np.array([0.0, 1.0]))
        rows = basis.rows.copy()
        fit = new_fit(Basis(rows, basis.edges.copy(), basis.theta.copy()), self.side)
        fit.tolerances[0] = 0.0
        fit.place[:] = rows
        fit.near_w[:], fit.near_side[:] = w, self.side
        fit.near_side[rows] = 1.0
        fit.near_x[:] = x
        self.fit = fit
        factors = scale * np.array(units.x, float)
        parameter, numbers = minima.parameter, np.zeros(14)
        sums = np.abs(x) @ w
        whole = all((part == np.rint(part)).all() for part in (x / scale[:, None], w))
        self.rounded = not (whole and (sums / scale < _EXACT).all())
        numbers[[TAU, UNTIL, DIRECTION, DOWN]] = (
            float(start),
            float(start),
            1.0 if rising else -1.0,
            float(units.y),
        )
        numbers[TERMS] = n + 4.0 * _ROOM if self.rounded else 0.0
        numbers[WEIGHT], numbers[[LOW, HIGH]] = w.sum(), np.array(parameter[2:4], float)
        numbers[SHARES], numbers[EXACT] = parameter.is_tau, not parameter.is_tau
        self.trace = Trace(
            y=writable(y),
            total=parameter.rate.astype(float),
            offset=parameter.offset.astype(float),
            largest=writable(largest),
            up=factors,
            numbers=numbers,
            of_edges=np.zeros((6, q)),
            off=np.empty((q, q)),
            edges=np.empty((q, q)),
            ends=np.empty(_ROOM),
            rows=np.empty((_ROOM, q), np.int64),
            coefficients=np.empty((_ROOM, q)),
            sure=np.empty(_ROOM, np.int64),
        )

    def refresh(self, inverted: bool = False) -> None:
        """Residuals and the gradient afresh, without the rounding of many pivots."""
        fit, regression = self.fit, self.regression
        rows, x, y = fit.place, regression.x, regression.y
        self.since = 0
        if inverted:
            fit.b[:] = np.linalg.inv(x[:, rows])
        weight = np.where(fit.near_side > 0.0, regression.w, 0.0)
        weight[rows] = 0.0
        fit.g[:] = x @ weight
        theta = y[rows] @ fit.b
        theta -= (theta @ x[:, rows] - y[rows]) @ fit.b
        fit.theta[:] = theta
        fit.near_r[:] = theta @ x - y
        fit.near_r[rows] = PARKED

    def run(self, limits: Limits) -> None:
        """Trace to the end of tau, or to that of `limits`."""
        edge, n, begins = -1, self.fit.near_side.size, True
        self.refresh()
        while not self.finished and self.proved:
            told = FitProgress(self.pivots, n, limits.elapsed)
            if limits.look(0, told) is not None:
                return
            status, size, edge = trace(self.regression, self.fit, self.trace, edge, 0, _ROOM)
            self.collect(size)
            if self.since > _ROOM:
                self.refresh()
            if status == END:
                self.finished = True
            elif status in (TIES, DOUBT):
                edge = self.decide(edge, status, limits)
            elif status == LOST and self.spoilt < _SPOILT:
                self.spoilt += 1
                self.refresh(inverted=True)
            elif status == UNBOUNDED and not self.minima.parameter.is_tau:
                self.finished = self.unbounded = True
            elif status != FULL:
                self.fill_rest(limits)
            if begins:
                self.begins, begins = self.count > 0, False

    @property
    def beyond(self) -> bool:
        """Whether the last minimum ends beyond the range of the parameter, which tau never does."""
        if not self.count:
            return False
        end, parameter = float(self.ends[-1][-1]), self.minima.parameter
        return end > parameter.high if self.rising else end < parameter.low

    def collect(self, size: int) -> None:
        """Take over the vertices that the kernel has written down."""
        self.pivots, self.since = self.pivots + size + 1, self.since + size + 1
        if not size:
            return
        trace, coefficients = self.trace, self.trace.coefficients[:size].copy()
        for k in np.flatnonzero(trace.sure[:size] == 0).tolist():
            coefficients[k] = self.minima.coefficients(self.minima.theta(trace.rows[k]))
        self.add(trace.ends[:size].copy(), coefficients, trace.rows[0].copy())
        before, end = (
            (trace.numbers[TAU] if size == 1 else trace.ends[size - 2]),
            trace.ends[size - 1],
        )
        self.reached = Fraction((before + end) / 2.0)  # surely within the last one
        self.met = self.met_last = self.met[:0]

    def add(self, ends: Floats, coefficients: Floats, rows: Ints) -> None:
        """These minima are found, the first one with the basis `rows`."""
        if not self.count:
            self.first = rows
        self.ends.append(ends)
        self.coefficients.append(coefficients)
        self.count += len(ends)
        self.still = 0

    def decide(self, edge: int, status: int, limits: Limits) -> int:
        """What floats left in doubt of the vertex at hand; the half-edge to go along."""
        minima, fit, numbers = self.minima, self.fit, self.trace.numbers
        rows, side, line = fit.place.copy(), fit.near_side, None
        again, right = np.isin(rows, self.met).all(), True
        try:
            if not again:
                vertex, met, right = minima.vanishing(rows, fit.b, self.trace.theta, side)
            if status == DOUBT or not right:
                line = minima.lines(rows, side)
        except ZeroDivisionError:  # the active samples are dependent
            return self.fill_rest(limits)
        self.still += 1
        if self.still > _STILL[0] + _STILL[1] * len(rows) or (line and line.low > line.high):
            return self.fill_rest(limits)
        if line:
            self.reached = line.high if self.rising else line.low
            numbers[UNTIL], numbers[ERROR] = (
                float(self.reached),
                abs(float(self.reached)) * 2.0**-52,
            )
            edge = line.first if self.rising else line.last
        self.finished = edge < 0 or (self.beyond and not again)
        if not right:
            if line and line.low < line.high:
                self.fill(line.low, line.high, limits)
            return edge
        if not again:
            self.met = met
        if line is None or line.low < line.high:
            repeats, met = np.isin(rows, self.met_last).all(), self.met
            record(self.regression, fit, self.trace, 0)
            self.collect(1)
            if repeats:
                self.repeats.add(self.count - 1)
            self.met = self.met_last = met
            if self.count == 1:
                self.met_first = met
        return edge

    def fill(self, low: Fraction, high: Fraction, limits: Limits) -> None:
        """Fits of their own for this interval; those of a tilted loss are not known."""
        if not self.minima.parameter.is_tau:
            self.proved = False
            return
        pieces, self.proved = self.minima.fill(low, high, limits)
        for piece in pieces if self.rising else pieces[::-1]:
            end = float(piece.high if self.rising else piece.low)
            repeats = np.isin(piece.rows, self.met_last).all()
            self.add(np.array([end]), self.minima.coefficients(piece.theta)[None], piece.rows)
            if repeats:
                self.repeats.add(self.count - 1)
            self.met = self.met_last = self.minima.met(piece.theta)

    def fill_rest(self, limits: Limits) -> int:
        """Fits of their own for all that is left of tau."""
        low, high = self.minima.parameter[2:4]
        if self.rising:
            self.fill(self.reached, high, limits)
        else:
            self.fill(low, self.reached, limits)
        self.finished = self.proved
        return -1

    def found(self) -> tuple[Floats, Floats]:
        """Where the minima end, and their coefficients."""
        if not self.count:
            return np.zeros(0), np.zeros((0, len(self.regression.x)))
        return np.concatenate(self.ends), np.concatenate(self.coefficients)


__all__ = ["Minima", "Tracer"]
