"""The exact gradient of a sparse regression: sums over all samples, mostly of integers."""

from fractions import Fraction
from math import lcm
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ...exact.rationals import Rationals
from ...exact.sums import group_sums, products
from ...native.lad_sparse_sums import sums
from .numbers import Exact

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_COST = 53  # bits of costs, which floats hold
_BITS = 62  # of the integers that sums are made of
_LEAST = 20  # bits in a slice
_SLICES = 6  # which hold the bits of most columns


class SparseSamples(NamedTuple):
    """Samples by columns and by rows, without rounding."""

    x: sparse.csc_array  # (n, q)
    rows: sparse.csr_array  # the same
    y: Floats  # (n,)
    w: Floats  # (n,)
    below: Fraction
    above: Fraction


def gradient(samples: SparseSamples, side: Floats, rows: Ints) -> Exact:
    """The exact gradient (q,) of all samples but `rows`, on these sides."""
    w, slopes = samples.w, (samples.below, samples.above)
    unit = lcm(*(slope.denominator for slope in slopes))
    if bool((w == np.rint(w)).all()) and float(max(slopes) * unit) * float(w.max()) < 2.0**_COST:
        below, above = (float(slope * unit) for slope in slopes)
        cost = np.where(side > 0.0, above, -below) * w
        cost[rows] = 0.0
        found = _sliced(samples.x, cost)
        if found is not None:
            return Exact(found.num, found.den * unit)
    cost = np.where(side > 0.0, w, -w)
    cost[rows] = 0.0
    return _grouped(samples, cost)


def _sliced(x: sparse.csc_array, cost: Floats) -> Exact | None:
    """Products of x and cost, integers, by sums of integers; None if too long."""
    bits = _BITS - x.shape[0].bit_length() - int(np.frexp(np.abs(cost).max())[1])
    if bits < _LEAST:
        return None
    q = x.shape[1]
    parts, shift = np.zeros((q, _SLICES), np.int64), np.zeros(q, np.int64)
    first, members = x.indptr.astype(np.int64), x.indices.astype(np.int64)
    count = sums(first, members, x.data, cost, bits, shift, parts)
    if count < 0:
        return None
    total = parts[:, 0].tolist()
    broken = np.flatnonzero((shift != 0) | parts[:, 1:].any(axis=1))
    if not broken.size:
        return Exact(total, 1)
    last = int(shift[broken].max(initial=0))
    den = 2 ** (last + bits * (count - 1))
    total = [part * den for part in total]
    for k in broken.tolist():
        slices = enumerate(parts[k, :count].tolist())
        whole_sum = sum(part << bits * (count - 1 - s) for s, part in slices)
        total[k] = whole_sum << last - int(shift[k])
    return Exact(total, den)


def _grouped(samples: SparseSamples, cost: Floats) -> Exact:
    """The gradient for weights of any kind, by columns of integers and others."""
    x, w = samples.x, samples.w
    q = x.shape[1]
    weight = cost[x.indices]
    whole = np.full(q, bool((w == np.rint(w)).all()))
    whole[marked(x, x.data != np.rint(x.data))] = False
    of = np.repeat(np.arange(q), np.diff(x.indptr))
    unit = lcm(samples.below.denominator, samples.above.denominator)
    below, above = int(samples.below * unit), int(samples.above * unit)
    total, dens = np.zeros(q, object), [1]
    for kind in (True, False):
        chosen = np.flatnonzero(whole == kind)
        if not chosen.size:
            continue
        number = np.cumsum(whole == kind) - 1
        entries = (weight != 0.0) & np.repeat(whole == kind, np.diff(x.indptr))
        some = weight[entries]
        group: Ints = 2 * number[of[entries]] + (some > 0.0)
        sums = _sums(x.data[entries], np.abs(some), group, 2 * chosen.size)
        num = sums.num.reshape(-1, 2)
        total *= sums.den
        total[chosen] = (above * num[:, 1] - below * num[:, 0]) * dens[-1]
        dens.append(dens[-1] * sums.den)
    return Exact(total.tolist(), dens[-1] * unit)


def marked(x: sparse.csc_array, entries: NDArray[np.bool_]) -> Ints:
    """Columns some of whose `entries` are marked."""
    count = np.concatenate([[0], np.cumsum(entries)])
    return np.flatnonzero(count[x.indptr[1:]] > count[x.indptr[:-1]])


def _sums(x: Floats, w: Floats, group: Ints, n_groups: int) -> Rationals:
    """Sums of x w by groups."""
    parts = [x] if (w == 1.0).all() else products(x, w)
    if parts is not None:
        found = [group_sums(part[:, None], group, n_groups) for part in parts]
        den = lcm(*(part.den for part in found))
        return Rationals(sum(p.num * (den // p.den) for p in found), den)
    terms, weight = Rationals.of(x), Rationals.of(w)
    num = np.zeros((n_groups, 1), object)
    np.add.at(num[:, 0], group, terms.num * weight.num)
    return Rationals(num, terms.den * weight.den)


__all__ = ["SparseSamples", "gradient", "marked"]
