"""The inequalities of a witness, written down plainly in fractions; slow, for tests only."""

from fractions import Fraction
from itertools import product

from reluplex_walk.proof.witness import Fan, Multipliers


def confirms(f, proof):
    """Whether `proof` shows f >= 0 by the inequalities in reluplex_walk/proof/witness.py."""
    kinds = {Multipliers: _multipliers, Fan: _fan}
    return kinds[type(proof)](f, proof)


def dot(a, b):
    return sum((Fraction(v) * Fraction(w) for v, w in zip(a, b, strict=True)), Fraction(0))


def rates(f, y):
    t = [dot(row, y) for row in f.rows]
    for c, b, alpha in f.alpha:
        t[c] += alpha * min(Fraction(0), t[b])
    return t


def value(f, y):
    return dot(f.linear, y) + dot(f.kinks, [min(Fraction(0), t) for t in rates(f, y)])


def _multipliers(f, proof):
    total = [
        linear
        + sum(
            theta * k * row[j] for theta, k, row in zip(proof.theta, f.kinks, f.rows, strict=True)
        )
        for j, linear in enumerate(f.linear)
    ]
    return (
        not f.alpha
        and all(k <= 0 for k in f.kinks)
        and all(0 <= theta <= 1 for theta in proof.theta)
        and not any(total)
    )


def _fan(f, proof):
    d = len(f.linear)
    nodes = iter(proof.nodes.tolist())

    def unit(j, sign):
        return [Fraction(sign * (i == j)) for i in range(d)]

    def shows(cone):
        term, p, n = next(nodes)
        if term < 0:
            theta = dict(zip(proof.terms[p:n].tolist(), proof.theta[p:n], strict=True))
            return _leaf(f, cone, theta)
        tp, tn = rates(f, cone[p])[term], rates(f, cone[n])[term]
        if not tp > 0 > tn:
            return False
        between = [tp * w - tn * v for v, w in zip(cone[p], cone[n], strict=True)]
        first = shows([*cone[:p], between, *cone[p + 1 :]])
        return shows([*cone[:n], between, *cone[n + 1 :]]) and first

    cones = product(*([unit(j, 1), unit(j, -1)] for j in range(d)))
    good = all(shows(list(cone)) for cone in cones)
    return good and next(nodes, None) is None


def _leaf(f, cone, theta):
    if not all(0 <= value <= 1 for value in theta.values()):
        return False
    t = [rates(f, v) for v in cone]
    two = {c for c in range(len(f.kinks)) if min(r[c] for r in t) < 0 < max(r[c] for r in t)}
    if any(b in two for _, b, _ in f.alpha):
        return False
    for v, r in zip(cone, t, strict=True):
        total = dot(f.linear, v)
        for c, k in enumerate(f.kinks):
            tangent = c in two and k < 0
            total += k * (theta.get(c, Fraction(0)) * r[c] if tangent else min(Fraction(0), r[c]))
        if total < 0:
            return False
    return True
