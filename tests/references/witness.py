"""The inequalities of a witness, written down plainly in fractions; slow, for tests only."""

from fractions import Fraction
from itertools import product

from reluplex_walk.proof.witness import Fan, Multipliers, Tree


def confirms(f, proof):
    """Whether `proof` shows f >= 0 by the inequalities in reluplex_walk/proof/witness.py."""
    kinds = {Multipliers: _multipliers, Fan: _fan, Tree: _tree}
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


def _tree(f, proof):
    nodes, leaves = iter(proof.nodes.tolist()), iter(proof.leaves)

    def shows(path):
        term = next(nodes)
        if term < 0:
            return _leaf_of_tree(f, path, next(leaves))
        if term in path:
            return False
        first = shows({**path, term: 1})
        return shows({**path, term: -1}) and first

    good = shows({})
    return good and next(nodes, None) is None and next(leaves, None) is None


def _leaf_of_tree(f, path, leaf):
    # Linear functions of (y, m) as lists of d + n coefficients.
    n, d = len(f.kinks), len(f.linear)
    t = [[Fraction(v) for v in row] + [Fraction(0)] * n for row in f.rows]
    m = [None] * n

    def settle(c):
        if m[c] is None:
            for at, b, alpha in f.alpha:
                if at == c:
                    settle(b)
                    t[c] = plus(t[c], -alpha, m[b])
            m[c] = [Fraction(i == d + c) for i in range(d + n)]
            if c in path:
                m[c] = [Fraction(0) if path[c] > 0 else -v for v in t[c]]

    for c in range(n):
        settle(c)
    forms = [*m, *(plus(m[c], 1, t[c]) for c in range(n))]
    rest = [Fraction(v) for v in f.linear] + [Fraction(0)] * n
    for c, k in enumerate(f.kinks):
        rest = plus(rest, -k, m[c])
    for i, factor in leaf.multipliers:
        if factor < 0:
            return False
        rest = plus(rest, -factor, forms[i])
    for e, kappa, x, more in leaf.above:
        left, bound = t[e], plus([Fraction(0)] * (d + n), -1, m[e])
        for c, factor in x:
            left = plus(left, -factor, t[c])
            bound = plus(bound, abs(factor), forms[c if factor > 0 else n + c])
        for i, factor in more:
            left = plus(left, -factor, forms[i])
            bound = plus(bound, max(0, -factor), forms[i])
        if kappa < 0 or any(left):
            return False
        forms.append(bound)
        rest = plus(rest, -kappa, bound)
    return not any(rest)


def plus(a, factor, b):
    return [v + factor * w if w else v for v, w in zip(a, b, strict=True)]
