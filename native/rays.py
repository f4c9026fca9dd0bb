"""Least value of a positively homogeneous, piecewise linear function, found on rays.

    f(y) = G . y + sum_i k_i min(0, a_i . y),    y in R^d

is linear on every cell of the n central hyperplanes a_i . y = 0.  If they span R^d, every cell is
the cone of its extreme rays, each the intersection of d - 1 independent hyperplanes: f >= 0 on all
those rays is necessary and sufficient for f >= 0 everywhere.
"""

import numpy as np

from ._jit import entry, kernel


@kernel
def _null_vector(rows, used, work, y):
    """Unit vector y (d,) orthogonal to the d - 1 rows chosen in `used`; False if dependent."""
    d = y.size
    for r in range(d - 1):
        for c in range(d):
            work[r, c] = rows[used[r], c]
    # Gauss-Jordan with full pivoting; rows have length 1.
    for c in range(d):
        y[c] = -1.0  # row whose pivot lies in this column, -1 for the free column
    for r in range(d - 1):
        best, br, bc = 0.0, -1, -1
        for i in range(r, d - 1):
            for c in range(d):
                if y[c] < 0.0 and abs(work[i, c]) > best:
                    best, br, bc = abs(work[i, c]), i, c
        if best < 1e-9:
            return False
        for c in range(d):
            work[r, c], work[br, c] = work[br, c], work[r, c]
        y[bc] = r
        for i in range(d - 1):
            if i != r and work[i, bc] != 0.0:
                factor = work[i, bc] / work[r, bc]
                for c in range(d):
                    work[i, c] -= factor * work[r, c]
    free = 0
    for c in range(d):
        if y[c] < 0.0:
            free = c
    norm2 = 1.0
    for c in range(d):
        if c != free:
            r = int(y[c])
            y[c] = -work[r, free] / work[r, c]
            norm2 += y[c] ** 2
    y[free] = 1.0
    for c in range(d):
        y[c] /= np.sqrt(norm2)
    return True


@entry
def least_on_rays(linear, rows, kinks, bound, used, work, y, best_y):
    """Least f over unit rays; stops at the first below `bound`.  (value, rays looked at).

    linear (d,), rows (n, d) of length 1, kinks (n,); used (d - 1,) int64, work (d, d), y (d,) are
    scratch, best_y (d,) receives the ray.
    """
    n, d = rows.shape
    best, seen = 1e300, 0
    for c in range(d - 1):
        used[c] = c
    while True:
        if _null_vector(rows, used, work, y):
            seen += 2
            along, against = 0.0, 0.0
            for i in range(n):
                t = 0.0
                for c in range(d):
                    t += rows[i, c] * y[c]
                if abs(t) > 1e-12:
                    along += kinks[i] * min(0.0, t)
                    against += kinks[i] * min(0.0, -t)
            slope = 0.0
            for c in range(d):
                slope += linear[c] * y[c]
            along += slope
            against -= slope
            if min(along, against) < best:
                best = min(along, against)
                sign = 1.0 if along <= against else -1.0
                for c in range(d):
                    best_y[c] = sign * y[c]
                if best < bound:
                    return best, seen
        # Next combination of d - 1 out of n.
        at = d - 2
        while at >= 0 and used[at] == n - (d - 1) + at:
            at -= 1
        if at < 0:
            return best, seen
        used[at] += 1
        for c in range(at + 1, d - 1):
            used[c] = used[c - 1] + 1
