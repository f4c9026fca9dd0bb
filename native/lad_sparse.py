"""Pivots of quantile regression on sparse columns, which mostly change one column apart alone.

With the rest of theta fixed, each column apart is a weighted quantile of its members (`settle`).
Along an edge of another active sample all columns apart go along, so that their own active samples
stay at 0 (`direct`, `meet`, `move`): long steps to a weighted median, as in `lad`.
"""

from numba import float64, int64, void
from numba.core.types import UniTuple

from ._jit import entry, kernel
from .lad import stop
from .lad_sparse_arrays import C, V
from .lad_sparse_interior import add, at


@entry(int64, int64[::1], int64[::1], int64[::1], int64[::1], int64[::1])
def part(order, first, members, group, of):
    """Choose columns apart from each other, in this order; returns how many.

    Column k has the samples members[first[k] : first[k + 1]].  of[k] becomes its number among the
    columns apart, or -1; group[i] (-1 before) that of sample i.
    """
    count = 0
    for k in order:
        free = first[k] < first[k + 1]
        for e in range(first[k], first[k + 1]):
            if group[members[e]] >= 0:
                free = False
                break
        of[k] = count if free else -1
        if free:
            for e in range(first[k], first[k + 1]):
                group[members[e]] = count
            count += 1
    return count


@entry(void, C, V)
def residuals(P, S):
    """Residuals at theta; those of active samples are 0."""
    for i in range(P.y.size):
        S.r[i] = 0.0 if S.active[i] != 0 else at(P, i, S.t_apart, S.t_rest) - P.y[i]


@entry(void, C, V)
def gradient(P, S):
    """The gradient of all samples that are not active."""
    below, above = P.slopes[0], P.slopes[1]
    for g in range(S.g_apart.size):
        S.g_apart[g] = 0.0
    for k in range(S.g_rest.size):
        S.g_rest[k] = 0.0
    for i in range(P.y.size):
        if S.active[i] == 0:
            cost = above * P.w[i] if S.side[i] > 0.0 else -below * P.w[i]
            add(P, i, cost, S.g_apart, S.g_rest)


@entry(int64, C, V, float64, int64)
def settle(P, S, tolerance, every):
    """Move columns apart to the weighted quantiles of their members, where they are not.

    Those that have their own active sample alone; with `every`, whatever their price.  Returns how
    many had to move; `gradient` has to follow.
    """
    below, above = P.slopes[0], P.slopes[1]
    moved = 0
    for g in range(S.own.size):
        own = S.own[g]
        if S.crowded[g] > 0:
            continue
        price = -S.g_apart[g] / P.apart[own]
        room = tolerance * (below + above) * P.w[own]
        if every == 0 and -below * P.w[own] - room <= price <= above * P.w[own] + room:
            continue
        size, need = 0, 0.0
        for e in range(P.first[g], P.first[g + 1]):
            i = P.members[e]
            rate = P.apart[i]
            S.times[size], S.ids[size] = -S.r[i] / rate, i
            S.jumps[i] = (below + above) * P.w[i] * abs(rate)
            need += (below if rate > 0.0 else above) * P.w[i] * abs(rate)
            size += 1
        stops = max(0, stop(S.times, S.ids, S.jumps, size, need))
        time, new = S.times[stops], S.ids[stops]
        for a in range(size):
            i = S.ids[a]
            S.r[i] += time * P.apart[i]
            S.side[i] = 1.0 if (a < stops) == (P.apart[i] > 0.0) else -1.0
        S.active[own], S.active[new] = 0, 1
        S.own[g], S.r[new] = new, 0.0
        S.t_apart[g] += time
        moved += 1
    return moved


@entry(void, C, V, int64, float64)
def direct(P, S, alone, sign):
    """Complete the direction d_rest, a step of `sign` along an edge, and the rates along it.

    Own active samples stay at 0, but for that of the column apart `alone` (or -1), whose residual
    changes by `sign`.
    """
    for g in range(S.own.size):
        own = S.own[g]
        S.d_apart[g] = 0.0
        change = (sign if g == alone else 0.0) - at(P, own, S.d_apart, S.d_rest)
        S.d_apart[g] = change / P.apart[own]
    for i in range(P.y.size):
        S.rates[i] = 0.0 if S.active[i] != 0 else at(P, i, S.d_apart, S.d_rest)


@entry(int64, C, V, float64, float64)
def meet(P, S, slope, least):
    """Where a step of this slope (< 0) ends: place in S.times of that time, or -1 for nowhere.

    Rates up to `least` count as 0.
    """
    below, above = P.slopes[0], P.slopes[1]
    size = 0
    for i in range(P.y.size):
        if S.rates[i] * S.side[i] < -least:
            S.times[size], S.ids[size] = max(0.0, -S.r[i] / S.rates[i]), i
            S.jumps[i] = (below + above) * P.w[i] * abs(S.rates[i])
            size += 1
    return stop(S.times, S.ids, S.jumps, size, -slope) if size > 0 else -1


@entry(void, C, V, int64, int64, float64)
def move(P, S, place, leaving, sign):
    """Make the step that `meet` found: sample `leaving` is active no more, the one met is."""
    below, above = P.slopes[0], P.slopes[1]
    time, entering = S.times[place], S.ids[place]
    for a in range(place):
        i = S.ids[a]
        add(P, i, -(below + above) * P.w[i] * S.side[i], S.g_apart, S.g_rest)
        S.side[i] = -S.side[i]
    cost = -above if S.side[entering] > 0.0 else below
    add(P, entering, cost * P.w[entering], S.g_apart, S.g_rest)
    for i in range(P.y.size):
        S.r[i] += time * S.rates[i]
    for g in range(S.t_apart.size):
        S.t_apart[g] += time * S.d_apart[g]
    for k in range(S.t_rest.size):
        S.t_rest[k] += time * S.d_rest[k]
    S.r[leaving], S.side[leaving] = time * sign, sign
    add(P, leaving, (above if sign > 0.0 else -below) * P.w[leaving], S.g_apart, S.g_rest)
    S.active[leaving], S.active[entering], S.r[entering] = 0, 1, 0.0


@entry(void, C, V, float64[::1])
def reduced(P, S, out):
    """The gradient in the rest alone, columns apart going along: g_rest less what own ones take."""
    for k in range(out.size):
        out[k] = S.g_rest[k]
    for g in range(S.own.size):
        own = S.own[g]
        for e in range(P.begin[own], P.begin[own + 1]):
            out[P.column[e]] -= P.entry[e] * (S.g_apart[g] / P.apart[own])


@entry(UniTuple(int64, 2), int64[::1], int64[::1], int64[::1], int64[::1], int64[:, ::1])
def peel(begin, column, first, row, pivots):
    """Peel a square matrix: pivots[:, k] are row and column of the k-th pivot.

    First pivots alone in their columns (of what is left), then pivots alone in their rows; returns
    how many pivots there are up to the end of each kind.  Rows are given by `begin` and `column`,
    columns by `first` and `row`; `pivots` (4, q) has room for counts.
    """
    q = begin.size - 1
    rows, columns, in_row, in_column = pivots[0], pivots[1], pivots[2], pivots[3]
    for k in range(q):
        in_row[k], in_column[k] = begin[k + 1] - begin[k], first[k + 1] - first[k]
    none = int64(0)  # not a literal, for which `_peel` would be compiled once more
    count = _peel(begin, column, first, row, rows, columns, in_row, in_column, none)
    return count, _peel(first, row, begin, column, columns, rows, in_column, in_row, count)


@kernel
def _peel(begin, column, first, row, rows, columns, in_row, in_column, count):
    """Take pivots alone in their columns, as long as there are any."""
    before = -1
    while before < count:
        before = count
        for k in range(in_column.size):
            if in_column[k] == 1:
                pivot = 0
                for e in range(first[k], first[k + 1]):
                    if in_row[row[e]] >= 0:
                        pivot = row[e]
                for e in range(begin[pivot], begin[pivot + 1]):
                    in_column[column[e]] -= 1
                rows[count], columns[count] = pivot, k
                in_row[pivot], in_column[k] = -1, -1
                count += 1
    return count
