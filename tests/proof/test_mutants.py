"""Provers broken on purpose: whatever false they prove, the checker refuses.

Each mutant is one line of what proves, changed.  It is let loose on exact vertices, many of which
are no minima, and makes certificates of what it believes to be proved.  That such a certificate is
false is shown without the library's proofs: a direction along which the loss descends, its
one-sided derivative evaluated in fractions by the naive reference.
"""

import sys
import types
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk._budget import Budget
from reluplex_walk.exact import loss as exact_loss, vertex as exact_vertex
from reluplex_walk.exact.loss import ExactLoss, region
from reluplex_walk.exact.rationals import Rationals, from_fractions
from reluplex_walk.exact.vertex import independent, point_at, vertex_at, zeros
from reluplex_walk.proof import (
    certify,
    cones,
    degenerate,
    end,
    planes,
    shares,
    slopes,
    tangents,
    tree,
)
from reluplex_walk.proof.certificate import Certificate
from reluplex_walk.tolerances import TOLERANCES
from tests.problems.degenerate import zeros_among_counts
from tests.references.naive import loss_and_derivative

MUTANTS = [
    # simple vertices: prices and slopes of half-edges
    (end, "if local is not None and (local[1] >= 0).all():", "if local is not None:"),
    (end, "(local[1] >= 0).all()", "(local[1][: len(local[1]) // 2] >= 0).all()"),
    (end, "(local[1] >= 0).all()", "(local[1] >= 0).any()"),
    (end, "    elif loss == 0:", "    elif loss >= 0:"),
    (exact_loss, "kinks[b] = kinks[b] - alpha * prices[c]", "kinks[b] = kinks[b] - prices[c]"),
    (exact_loss, "num.T @ p.num)[:, 0] != g.num * p.den).any()", "num.T @ p.num)[:, 0] < 0).all()"),
    (exact_loss, "gamma.append((self.layers.slope - 1) * change)", "gamma.append(-abs(change))"),
    (exact_loss, "                if moved != 0:", "                if moved > 0:"),
    (
        exact_loss,
        "np.where(sides[self.loss.n_hidden] > 0, right, -left)\n        samples",
        "right\n        samples",
    ),
    (exact_vertex, "len(zeros(signs).stage) > len(vertex.active.stage)", "False"),
    (slopes, "far[b].get(c, Fraction(0)) + alpha", "far[b].get(c, Fraction(0))"),
    # degenerate ones: parts, single breakpoints, what is minimised out
    (degenerate, "if self.price[c] < 0:", "if self.price[c] < -1000:"),
    (degenerate, "if c not in feeding and self.price[c] + self.kinks[c] > 0:", "if False:"),
    (degenerate, "shared = support.sum(axis=1) > 1", "shared = support.sum(axis=1) > 2"),
    (
        degenerate,
        "return [g for g in groups if g.size > 1",
        "return [g for g in groups if g.size > 4",
    ),
    # multipliers
    (tangents, "    if result.x is None:", "    if False:"),
    (tangents, "found[free] = Rationals(", "found[free] = 0 * Rationals("),
    # cones
    (cones, "            if self.value_sign[w] < 0:", "            if False:"),
    (cones, "for at in np.flatnonzero(self.value_sign < 0):", "for at in ():"),
    (cones, "        if not terms.size:", "        if terms.size < 3:"),
    (cones, "            for side in (n, p):", "            for side in (p,):"),
    (cones, "convex = self.kinks[terms] < 0", "convex = self.kinks[terms] < -1000"),
    # shares
    (shares, "linear = linear + slope[c] * f.rows[c]", "linear = linear + 2 * f.rows[c]"),
    # trees
    (tree, "stack += [{**path, term: -1}, {**path, term: 1}]", "stack += [{**path, term: 1}]"),
    (planes, "rest[b] += factor * alpha", "rest[b] += 0 * alpha"),
    (planes, "x = {a: det(e, b) / det(a, b),", "x = {a: det(e, b) / det(a, b) / 2,"),
]


class Case(NamedTuple):
    """An exact vertex, and a direction along which the loss descends from it, if there is one."""

    loss: rw.LayerLoss
    at: exact_vertex.At
    descent: object  # (h, q) of Fraction, or None


def problem(seed):
    """Small integers: hyperplanes meet, blocks of all kinds are common."""
    rng = np.random.default_rng(seed)
    widths = [[2, 2, 1], [1, 3, 1], [2, 2, 2, 1], [2, 1], [1, 2, 2, 1], [3, 2, 1]][seed % 6]
    n = int(rng.integers(5, 9))
    X, y = rng.integers(-3, 4, (n, widths[0])), rng.integers(-3, 4, n)
    network = rw.ReLUNetwork.random(widths, seed=seed, negative_slope=0.25 * (seed % 5 == 0))
    weights = [np.rint(2 * w) for w in network.weights]
    biases = [np.rint(b) for b in network.biases]
    network = rw.ReLUNetwork(weights, biases, network.negative_slope)
    tau = 0.25 if seed % 4 == 0 else None
    return rw.LayerLoss(network, X, y, kind="pinball" if tau else "l1", tau=tau)


def vertices(loss, seed):
    """Exact vertices on the way of a walk, at its end, and where neurons are switched off."""
    traj = rw.walk(loss, loss.random_start(seed, 2.0), seed=seed, proof="off")
    exact = ExactLoss(loss)
    for k in (traj.n_pivots // 2, traj.n_pivots - 1, traj.n_pivots):
        signs = [
            sign[rows]
            for sign, rows in zip(
                loss.pattern(traj.vertices[k], 1e-9), loss.index.rows, strict=True
            )
        ]
        sides = [np.where(sign == 0, 1, sign).astype(np.int8) for sign in signs]
        active = independent(exact, zeros(signs), sides)
        at = vertex_at(exact, Rationals.of(traj.vertices[k].ravel()), active, sides)
        if at is not None:
            yield at
    for off in ([0], list(range(loss.shape[0]))):
        theta = np.rint(traj.theta)
        theta[off] = 0.0
        point = Rationals.of(theta.ravel())
        signs = region(exact.values(point))
        sides = [np.where(sign == 0, 1, sign).astype(np.int8) for sign in signs]
        at = point_at(exact, point, independent(exact, zeros(signs), sides), sides)
        if at is not None:
            yield at


def descent(loss, at):
    """A direction along which the loss descends from the vertex, shown by the naive reference."""
    found = end.examine(ExactLoss(loss), at, Budget.of(20.0))
    direction = found.verdict.direction
    if direction is None and found.local is not None and (found.slopes < 0).any():
        witness = end._simple(found.vertex, found.slopes)
        normals = found.local[0].normals
        k = int(np.argmin(found.slopes))
        rates = np.zeros(len(witness.pivots), object)
        rates[k % len(rates)] = Fraction(1 if k < len(rates) else -1)
        members = np.arange(len(rates))
        direction = found.local[0].direction(members, found.vertex.columns, rates)
        assert len(normals.num) == len(rates)
    if direction is None:
        return None
    point = at[0].theta.fractions().reshape(loss.shape)
    along = direction.fractions().reshape(loss.shape)
    _, rate = loss_and_derivative(loss, point, along)
    assert rate < 0
    return along


def tied(seed):
    """Lines through many points of a grid: convex blocks, whether the line is the best or not."""
    rng = np.random.default_rng(seed)
    X, y = rng.integers(0, 4, (9, 1)), rng.integers(-1, 2, 9)
    loss = rw.LayerLoss(rw.ReLUNetwork([[[0.0]]], [[0.0]]), X, y)
    exact = ExactLoss(loss)
    for theta in ([0.0, 0.0], [0.0, 1.0], [0.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [0.5, 0.0]):
        signs = region(exact.values(Rationals.of(theta)))
        sides = [np.where(sign == 0, 1, sign).astype(np.int8) for sign in signs]
        active = independent(exact, zeros(signs), sides)
        if len(active.stage) < len(zeros(signs).stage):
            yield loss, point_at(exact, Rationals.of(theta), active, sides)


def counts(seed):
    """The end of a walk at which neurons are 0, held together by residuals that are."""
    loss = zeros_among_counts(80, 5, seed)
    exact, end_of_walk = ExactLoss(loss), rw.walk(loss, loss.theta).certificate.point
    point = from_fractions(end_of_walk.ravel())
    signs = region(exact.values(point))
    sides = [np.where(sign == 0, 1, sign).astype(np.int8) for sign in signs]
    return loss, point_at(exact, point, independent(exact, zeros(signs), sides), sides)


@pytest.fixture(scope="module")
def cases():
    found = [
        Case(loss, at, descent(loss, at))
        for seed in range(18)
        for loss in [problem(seed)]
        for at in vertices(loss, seed)
    ]
    found += [Case(loss, at, None) for loss, at in [counts(5)]]
    return found + [Case(loss, at, descent(loss, at)) for k in range(12) for loss, at in tied(k)]


def certificate_of(case) -> Certificate | None:
    """What the prover, as it stands, claims of the vertex."""
    found = end.examine(ExactLoss(case.loss), case.at, Budget.of(2.0))
    if found.verdict.method == "none":
        return None
    return certify._proved(case.loss, found, TOLERANCES)


def refused(case, certificate) -> bool:
    try:
        certificate.verify(case.loss)
    except rw.CertificateError:
        return True
    return False


def broken(monkeypatch, module, line, fault):
    """Put what `module` defines, with `line` replaced by `fault`, wherever it is used."""
    source = Path(module.__file__).read_text(encoding="utf-8")
    assert source.count(line) == 1, f"{line!r} is no longer a line of {module.__name__}"
    other = types.ModuleType(module.__name__)
    other.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    exec(compile(source.replace(line, fault), module.__file__, "exec"), other.__dict__)
    own = {
        id(value): name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__
    }
    for name, user in list(sys.modules.items()):
        if name.startswith("reluplex_walk") and not name.startswith("reluplex_walk.proof.check"):
            for key, value in list(vars(user).items()):
                if id(value) in own:
                    monkeypatch.setattr(user, key, other.__dict__[own[id(value)]])


def test_what_is_not_broken_is_confirmed(cases):
    minima = [case for case in cases if case.descent is None]
    assert len(cases) - len(minima) > 20
    kinds = set()
    for case in minima:
        certificate = certificate_of(case)
        if certificate is not None:
            assert not refused(case, certificate)
            blocks = certificate.witness.blocks if certificate.witness else ()
            kinds |= {type(block.proof).__name__ for block in blocks} or {"prices"}
    assert kinds >= {"prices", "Multipliers", "Fan", "Shares"}
    for case in cases:
        if case.descent is not None:
            assert certificate_of(case) is None


def test_whatever_false_a_broken_prover_claims_is_refused(cases, monkeypatch):
    false, noticed = set(), set()
    for number, (module, line, fault) in enumerate(MUTANTS):
        with monkeypatch.context() as patch:
            broken(patch, module, line, fault)
            if module in (tree, planes):  # all blocks are proved by trees
                patch.setattr(degenerate, "_FEW_COORDINATES", 0)
                patch.setattr(degenerate, "_SOME_COORDINATES", 0)
                patch.setattr(degenerate, "_MAX_COORDINATES", 0)
            for case in cases:
                try:
                    certificate = certificate_of(case)
                except Exception:  # the fault shows by itself
                    noticed.add(number)
                    continue
                if certificate is None:
                    continue
                caught = refused(case, certificate)
                if caught:
                    noticed.add(number)
                if case.descent is not None:
                    false.add(number)
                    assert caught, (line, fault)
    unnoticed = set(range(len(MUTANTS))) - noticed
    assert not unnoticed, [MUTANTS[k] for k in unnoticed]
    assert len(false) >= 10
