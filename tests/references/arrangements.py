"""Exact references for counts of regions: rational arithmetic, no code of the library."""

from fractions import Fraction
from itertools import combinations

from tests.references.naive import exact


def rank(rows):
    """Rank of a rational matrix."""
    rows, found = [list(row) for row in rows], 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((k for k in range(found, len(rows)) if rows[k][column] != 0), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for k in range(found + 1, len(rows)):
            factor = rows[k][column] / rows[found][column]
            rows[k] = [a - factor * b for a, b in zip(rows[k], rows[found], strict=True)]
        found += 1
    return found


def characteristic(rows, levels):
    """(regions, bounded regions) of the hyperplanes rows . y = levels, all different.

    Whitney's theorem (Stanley, Hyperplane Arrangements, theorem 2.4) gives the characteristic
    polynomial, Zaslavsky's theorem the counts |chi(-1)| and |chi(1)|.
    """
    dim = len(rows[0])
    coefficients = [0] * (dim + 1)  # of t^k
    for size in range(len(rows) + 1):
        for chosen in combinations(range(len(rows)), size):
            part = [rows[k] for k in chosen]
            r = rank(part)
            if rank([[*rows[k], levels[k]] for k in chosen]) == r:  # they have a point in common
                coefficients[dim - r] += (-1) ** size
    regions = abs(sum(c * (-1) ** k for k, c in enumerate(coefficients)))
    bounded = abs(sum(coefficients)) if rank(rows) == dim else 0
    return regions, bounded


def feasible(inequalities):
    """Whether a . y + b > 0 has a solution for all (a, b): Fourier-Motzkin elimination."""
    rows = {scaled(row) for row in inequalities}
    dim = len(next(iter(rows))) - 1 if rows else 0
    for column in range(dim):
        above, below, rest = [], [], set()
        for row in rows:
            if row[column] == 0:
                rest.add(row)
            else:
                unit = [v / abs(row[column]) for v in row]
                (above if row[column] > 0 else below).append(unit)
        for a in above:
            for b in below:
                rest.add(scaled([u + v for u, v in zip(a, b, strict=True)]))
        if any(row[-1] <= 0 and not any(row[:-1]) for row in rest):
            return False
        rows = rest
    return True


def essential(inequalities):
    """Those of some inequalities that the others, feasible together, do not imply."""
    kept = inequalities
    for row in inequalities:
        others = [other for other in kept if other is not row]
        if not feasible([*others, [-v for v in row]]):
            kept = others
    return kept


def scaled(row):
    """The same inequality with 1 or -1 in front, so that equal ones are equal."""
    size = next((abs(v) for v in row if v != 0), 1)
    return tuple(v / size for v in row)


def brute_force(loss):
    """The sign vectors (True: positive) of all cells, in the order of breakpoint ids.

    Breakpoint by breakpoint; every choice of signs is tested for exact feasibility.  A breakpoint
    that is constant 0 in a cell counts as positive.
    """
    h, q = loss.shape
    leak = Fraction(loss.network.negative_slope)
    inputs = [[*row, Fraction(1)] for row in exact(loss.inputs)]
    tail = [(exact(w), exact(b)) for w, b in loss.tail]
    n, m = len(inputs), len(loss.owner)

    def trained(i, j):
        f = [Fraction(0)] * (h * q + 1)
        f[j * q : (j + 1) * q] = inputs[i]
        return f

    cells = [({}, [])]  # signs by (stage, sample, neuron), inequalities
    for stage in range(len(tail) + 1):
        width = h if stage == 0 else len(tail[stage - 1][0])
        last = stage == len(tail)
        for a in range(width):
            for column in range(m if last else n):
                i = int(loss.owner[column]) if last else column
                found = []
                for signs, rows in cells:
                    f = affine(signs, i, stage, a, trained, tail, leak)
                    if last:
                        f = [*f[:-1], f[-1] - Fraction(float(loss.targets[column, a]))]
                    key = (stage, column, a)
                    if not any(f):
                        found.append(({**signs, key: True}, rows))
                        continue
                    opposite = [-v for v in f]
                    above, below = feasible([*rows, f]), feasible([*rows, opposite])
                    # A breakpoint that does not cut the cell has its sign there by the other rows.
                    if above:
                        found.append(
                            ({**signs, key: True}, essential([*rows, f]) if below else rows)
                        )
                    if below:
                        found.append(
                            ({**signs, key: False}, essential([*rows, opposite]) if above else rows)
                        )
                cells = found
    order = []
    for stage in range(len(tail) + 1):
        width = h if stage == 0 else len(tail[stage - 1][0])
        columns = m if stage == len(tail) else n
        order += [(stage, column, a) for a in range(width) for column in range(columns)]
    return {tuple(signs[key] for key in order) for signs, _ in cells}


def affine(signs, i, stage, a, trained, tail, leak):
    """Coefficients (D + 1) of the pre-activation of neuron `a` of a stage, in the cell `signs`."""
    if stage == 0:
        return trained(i, a)
    w, b = tail[stage - 1]
    total = None
    for k, weight in enumerate(w[a]):
        slope = Fraction(1) if signs[stage - 1, i, k] else leak
        part = [weight * slope * v for v in affine(signs, i, stage - 1, k, trained, tail, leak)]
        total = part if total is None else [u + v for u, v in zip(total, part, strict=True)]
    return [*total[:-1], total[-1] + b[a]]
