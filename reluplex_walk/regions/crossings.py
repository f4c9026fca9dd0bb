"""The breakpoints crossed along a straight segment in parameter space, counted exactly.

Along ``theta(t) = (1 - t) start + t end``, 0 <= t <= 1, every breakpoint function of one sample
is continuous and piecewise affine in t.  Layer by layer, its values at the *knots*, the zeros of
the layers below, determine it, and give its own zeros, the further knots of the layers above.

The sweep runs in floating point with a running bound on its rounding error.  Samples where a sign
is in doubt, and only those, are swept again by the same code in rational arithmetic.
"""

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validate import instance
from ..problem.loss import Floats, LayerLoss

Ints = NDArray[np.int64]
Numbers = NDArray[Any]  # floats, or Fractions in an object array

_UNIT = 2.0**-52  # twice the unit round-off: the bounds are kept on the safe side


class Crossings(NamedTuple):
    """What :func:`crossings` returns.

    Attributes
    ----------
    times : ndarray (c,)
        Where on the segment, ascending: 0 at `start`, 1 at `end`.
    ids : ndarray (c,)
        Breakpoint ids; :meth:`LayerLoss.locate` makes them readable.
    """

    times: Floats
    ids: Ints


def crossings(loss: LayerLoss, start: ArrayLike, end: ArrayLike) -> Crossings:
    """All breakpoints crossed on the open segment from `start` to `end`.

    A breakpoint is crossed where its function changes sign.  To touch 0 and turn back, to be 0
    over a whole interval, and to vanish at an end of the segment is no crossing.  Hidden
    breakpoints may be crossed several times.  The count is exact for the floating-point numbers
    given; the times are rounded.

    Parameters
    ----------
    loss : LayerLoss
    start, end : array_like (h, q) or (D,)

    Returns
    -------
    Crossings

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Examples
    --------
    The fit ``max(0, w x)`` to the point (1, 2) crosses its kink at w = 0 and the target at w = 2:

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]], [[1.0]]], [[0.0], [0.0]])
    >>> loss = rw.LayerLoss(net, [[1.0]], [2.0])
    >>> found = rw.crossings(loss, [[-1.0, 0.0]], [[3.0, 0.0]])
    >>> found.times, loss.locate(found.ids).tolist()
    (array([0.25, 0.75]), [[0, 0, 0], [1, 0, 0]])
    """
    instance("loss", loss, LayerLoss)
    ends = loss.parameters(start, "start"), loss.parameters(end, "end")
    found, doubtful = _sweep(loss, *ends, np.arange(len(loss.inputs)), exact=False)
    if doubtful.size:
        again, _ = _sweep(loss, *ends, doubtful, exact=True)
        found = Crossings(*(np.append(a, b) for a, b in zip(found, again, strict=True)))
    order = np.argsort(found.times, kind="stable")
    return Crossings(found.times[order], found.ids[order])


class _Knots(NamedTuple):
    """The rows of one layer at the knots of all curves, sorted by (curve, time)."""

    curve: Ints  # (N,) sample; for residuals: residual row
    t: Numbers  # (N,)
    z: Numbers  # (N, width) values
    error: Numbers  # (N, width) bound on their rounding error; 0 in rational arithmetic

    def take(self, index: NDArray[Any]) -> "_Knots":
        return _Knots(*(part[index] for part in self))


class _Zeros(NamedTuple):
    """Where rows change sign: between `knot` and its successor, or exactly at that one."""

    knot: Ints  # (c,)
    row: Ints  # (c,)
    at_successor: NDArray[np.bool_]  # (c,)


def _sweep(
    loss: LayerLoss, start: Floats, end: Floats, samples: Ints, exact: bool
) -> tuple[Crossings, Ints]:
    """The crossings, unordered, on those of `samples` (ascending) that are not in doubt.

    Also returns those that are.
    """
    number = np.vectorize(Fraction, otypes=[object]) if exact else np.asarray
    unit, slope = number([0.0 if exact else _UNIT, loss.network.negative_slope])
    n, first_row = len(loss.inputs), loss.problem.row
    times, ids, owners = [], [], []

    x = number(np.column_stack([loss.inputs[samples], np.ones(len(samples))]))
    both = number(np.concatenate([start, end])).T
    size = unit * (len(both) + 1) * (np.abs(x) @ np.abs(both))
    shape = (2 * len(samples), loss.shape[0])
    t = np.tile(number([0.0, 1.0]), len(samples))
    knots = _Knots(np.repeat(samples, 2), t, (x @ both).reshape(shape), size.reshape(shape))
    for layer, (w, b) in enumerate(loss.tail):
        knots = _without_doubt(knots)
        zeros = _sign_changes(knots)
        new = _interpolate(knots, zeros, unit)
        times.append(new.t)
        ids.append((first_row[layer] + zeros.row) * n + new.curve)
        owners.append(new.curve)
        knots = _join(knots, new.take(~zeros.at_successor))
        knots = _next_layer(knots, number(w), number(b), slope, unit)

    # Each residual row has the knots of its sample.
    rows = np.flatnonzero(np.isin(loss.owner, knots.curve))
    first = np.searchsorted(knots.curve, loss.owner[rows])
    count = np.searchsorted(knots.curve, loss.owner[rows], side="right") - first
    row = np.repeat(rows, count)
    knots = knots.take(np.arange(row.size) + np.repeat(first - np.cumsum(count) + count, count))
    target = number(loss.targets)[row]
    error = knots.error + unit * (np.abs(knots.z) + np.abs(target))
    knots = _without_doubt(_Knots(row, knots.t, knots.z - target, error))
    zeros = _sign_changes(knots)
    new = _interpolate(knots, zeros, unit)
    times.append(new.t)
    ids.append(first_row[loss.n_hidden] * n + zeros.row * len(loss.owner) + new.curve)
    owners.append(loss.owner[new.curve])

    # A sample is settled if all its residual rows are.
    settled = np.isin(rows, knots.curve)
    settled_samples = np.setdiff1d(loss.owner[rows[settled]], loss.owner[rows[~settled]])
    doubtful = np.setdiff1d(samples, settled_samples)
    sure = ~np.isin(np.concatenate(owners), doubtful)
    found = np.concatenate(times)[sure].astype(float), np.concatenate(ids)[sure]
    return Crossings(*found), doubtful


def _without_doubt(knots: _Knots) -> _Knots:
    """The curves whose signs are all sure, zeros included."""
    doubt = ((np.abs(knots.z) <= knots.error) & (knots.error > 0)).any(axis=1)
    if not doubt.any():
        return knots
    return knots.take(~np.isin(knots.curve, knots.curve[doubt]))


def _sign_changes(knots: _Knots) -> _Zeros:
    """All sign changes along the knots of each curve, zeros skipped."""
    found = []
    for row, z in enumerate(knots.z.T):
        signed = np.flatnonzero(z)
        a, b = signed[:-1], signed[1:]
        change = (knots.curve[a] == knots.curve[b]) & ((z[a] > 0) != (z[b] > 0))
        a, b = a[change], b[change]
        found.append((a, np.full(a.size, row), b > a + 1))
    return _Zeros(*map(np.concatenate, zip(*found, strict=True)))


def _interpolate(knots: _Knots, zeros: _Zeros, unit: Any) -> _Knots:
    """The knots that `zeros` make: all rows there, the row that vanishes exactly 0."""
    a, b, c = knots.take(zeros.knot), knots.take(zeros.knot + 1), np.arange(zeros.row.size)
    row = zeros.row
    gap = np.abs(a.z[c, row] - b.z[c, row])
    share = (np.abs(a.z[c, row]) / gap)[:, None]
    blur = ((a.error[c, row] + b.error[c, row]) / gap)[:, None] + 4 * unit  # error of share
    z = a.z + share * (b.z - a.z)
    error = np.maximum(a.error, b.error) + blur * (np.abs(a.z) + np.abs(b.z))
    z[c, row] = error[c, row] = 0
    return _Knots(a.curve, a.t + share[:, 0] * (b.t - a.t), z, error)


def _join(knots: _Knots, more: _Knots) -> _Knots:
    """Both, sorted by (curve, time)."""
    both = _Knots(*(np.concatenate(parts) for parts in zip(knots, more, strict=True)))
    by_time = np.argsort(both.t, kind="stable")
    return both.take(by_time[np.argsort(both.curve[by_time], kind="stable")])


def _next_layer(knots: _Knots, w: Numbers, b: Numbers, slope: Any, unit: Any) -> _Knots:
    """The next layer's values at the same knots; `w` (width, width before), `b` (width,)."""
    up = knots.z > 0
    a, error = (np.where(up, part, slope * part) for part in (knots.z, knots.error))
    terms = np.abs(a) @ np.abs(w).T + np.abs(b)
    return knots._replace(
        z=a @ w.T + b, error=error @ np.abs(w).T + unit * (w.shape[1] + 2) * terms
    )


__all__ = ["Crossings", "crossings"]
