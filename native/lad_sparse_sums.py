"""Sums of columns times integer weights without rounding: entries are cut into slices of bits."""

from math import floor, frexp, ldexp

from numba import float64, int64

from ._jit import entry


@entry(
    int64,
    int64[::1],
    int64[::1],
    float64[::1],
    float64[::1],
    int64,
    int64[::1],
    int64[:, ::1],
    precise=True,
)
def sums(first, members, entries, cost, bits, shift, out):
    """Sums of cost x over the members of each column, by slices; returns how many are needed.

    out[k, s] becomes the sum of the s-th slices of column k, whose entries times 2^shift[k] are
    below 2^bits: units of the first slice are 1, of the next ones 2^-bits times as large.  shift[k]
    is 0 for integers below 2^bits.  -1 if there are too few slices.
    """
    most = 1
    step = ldexp(1.0, bits)
    for k in range(first.size - 1):
        largest, whole = 0.0, True
        for e in range(first[k], first[k + 1]):
            largest = max(largest, abs(entries[e]))
            whole = whole and floor(entries[e]) == entries[e]
        shift[k] = 0 if whole and largest < step else bits - frexp(largest)[1]
        factor, total = ldexp(1.0, shift[k]), 0
        for e in range(first[k], first[k + 1]):
            weight, rest = int64(cost[members[e]]), entries[e] * factor
            part = int64(rest)
            total += weight * part
            rest -= float64(part)
            s = 1
            while rest != 0.0 and weight != 0:
                if s == out.shape[1]:
                    return -1
                part = int64(rest * step)
                out[k, s] += weight * part
                rest = rest * step - float64(part)
                s += 1
            most = max(most, s)
        out[k, 0] = total
    return most
