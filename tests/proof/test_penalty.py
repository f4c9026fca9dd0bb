"""Minima of penalised losses: what is proved, what the checker confirms, and what it refuses."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize

import reluplex_walk as rw
from reluplex_walk._budget import Budget
from reluplex_walk.exact.loss import ExactLoss
from reluplex_walk.exact.rationals import Rationals
from reluplex_walk.exact.vertex import zeros
from reluplex_walk.proof.degenerate import judge
from tests.problems.penalised import penalised, start
from tests.proof.test_check import forged
from tests.references.milp import least_derivative
from tests.references.penalised import (
    NaiveLoss,
    certificate,
    descend,
    directions,
    table,
)

LINE = rw.ReLUNetwork([[[0.0]]], [[0.0]])
X, Y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 3.0, 3.0]


def pattern(loss, signs):
    """Signs of the samples and residual rows as of the rows of X with a weight."""
    rows = [sign[_sample_of(loss)] for sign in signs[: loss.n_hidden]]
    return [*rows, signs[loss.n_hidden][loss.row_of]]


def _sample_of(loss):
    return loss.owner[loss.row_of]


@pytest.mark.parametrize("seed", range(80))
def test_ends_of_exact_walks_are_minima_and_the_checker_confirms_them(seed):
    loss = penalised(seed)
    end = descend(loss, start(loss, seed))
    assert end is not None
    assert end.verdict.method != "none"
    naive, rng = NaiveLoss(loss), np.random.default_rng(seed)
    rows = table(end.vertex.theta, loss)
    assert end.loss == naive.value(rows)
    for d in directions(rows, rng, 40):
        if not loss.fit_intercept:
            d = [[*row[:-1], Fraction(0)] for row in d]
        assert naive.derivative(rows, d)[1] >= 0
    found = certificate(loss, end)
    if found.reason is rw.Reason.PARAMETERS:  # floats do not hold the point
        return
    check = found.verify_exact(loss)
    assert check.loss == end.loss
    weights = {(c, j) for _, c, j in [*found.active, *found.tied] if _ > loss.n_hidden}
    assert weights == {
        (c, j) for j, row in enumerate(rows) for c, v in enumerate(row[:-1]) if v == 0
    }


@pytest.mark.parametrize("seed", range(40))
def test_verdicts_at_degenerate_points_are_those_of_integer_programs(seed):
    loss = penalised(seed, kind="l1", tau=None, sample_weight=None, fit_intercept=True)
    theta = start(loss, seed)
    theta[seed % len(theta)] = 0.0
    exact, point = ExactLoss(loss), Rationals.of(theta.ravel())
    signs = exact.signs(point)
    verdict = judge(exact, zeros(signs), signs, Budget.of(20.0))
    least = least_derivative(loss, theta, pattern=pattern(loss, signs))
    assert least is not None
    if verdict.direction is None:
        assert verdict.method != "none"
        assert least >= -1e-6
    else:
        d = table(verdict.direction, loss)
        assert NaiveLoss(loss).derivative(table(point, loss), d)[1] < 0
        assert least < 0.0


def _proved(loss, seed=0):
    end = descend(loss, start(loss, seed))
    found = certificate(loss, end)
    found.verify(loss)
    return found


def test_another_penalty_is_another_loss():
    loss, other = (rw.LayerLoss(LINE, X, Y, penalty=penalty) for penalty in (0.5, 0.25))
    found = _proved(loss)
    with pytest.raises(rw.CertificateError, match="penalty differs"):
        found.verify(other)
    changed = dataclasses.replace(found, fingerprint=other.fingerprint)  # and with a new digest
    with pytest.raises(rw.CertificateError):
        dataclasses.replace(changed, digest="").verify(other)
    arrays = {**found.to_arrays(), "fingerprint": other.fingerprint}
    with pytest.raises(rw.CertificateError, match="digest"):
        rw.Certificate.from_arrays(arrays).verify(other)


def test_minima_of_the_plain_loss_are_refused():
    # The line through the first and the last point, of slope 1: with a penalty above 2 it pays to
    # be flatter.
    plain, heavy = (rw.LayerLoss(LINE, X, Y, penalty=penalty) for penalty in (0.0, 8.0))
    assert forged(plain, [[1, 0]], [(0, 0, 0), (0, 1, 0)], [(0, 3, 0)], [1, 1, 1]) is not None
    found = forged(heavy, [[1, 0]], [(0, 0, 0), (0, 1, 0)], [(0, 3, 0)], [1, 1, 1])
    with pytest.raises(rw.CertificateError):
        dataclasses.replace(found, slopes=np.abs(found.slopes), digest="").verify(heavy)
    flat_line = _proved(heavy)
    assert flat_line.point[0, 0] == 0
    assert (1, 0, 0) in {tuple(row) for row in [*flat_line.active, *flat_line.tied]}


@pytest.mark.parametrize("seed", range(30))
def test_what_is_changed_in_a_certificate_is_noticed(seed):
    loss = penalised(seed, penalty=0.5)
    found = certificate(loss, descend(loss, start(loss, seed)))
    if found.witness is None or found.reason is not None or not len(found.active):
        return
    witness = found.witness
    third = Fraction(1, 3)
    changes = [
        {"witness": witness._replace(prices=(witness.prices[0] + third, *witness.prices[1:]))},
        {"loss": found.loss + third},
        {"point": found.point + third},
        {"active": [*found.active, [0, 0, 1]]},
        {"active": found.active[1:], "slopes": found.slopes[2:]},
    ]
    for k, block in enumerate(witness.blocks):
        theta = getattr(block.proof, "theta", ())
        if isinstance(theta, tuple) and theta and block.proof._fields == ("theta",):
            proof = block.proof._replace(theta=(theta[0] + 2, *theta[1:]))
            blocks = (*witness.blocks[:k], block._replace(proof=proof), *witness.blocks[k + 1 :])
            changes.append({"witness": witness._replace(blocks=blocks)})
    for change in changes:
        with pytest.raises(rw.CertificateError):
            dataclasses.replace(found, **change, digest="").verify(loss)


def test_weights_of_unused_inputs_have_to_be_0():
    # A column of zeros: without a penalty its weight is nobody's business.
    net = rw.ReLUNetwork([[[0.0, 0.0]]], [[0.0]])
    inputs = [[x, 0.0] for (x,) in X]
    loss = rw.LayerLoss(net, inputs, Y, penalty=0.5)
    assert loss.aliased.size == 0
    theta = np.array([[1.0, 0.5, 0.0]])
    exact = ExactLoss(loss)
    signs = exact.signs(Rationals.of(theta.ravel()))
    verdict = judge(exact, zeros(signs), signs, Budget.of(1.0))
    assert verdict.direction is not None
    assert verdict.direction.fractions()[1] < 0
    assert descend(loss, theta).vertex.theta.fractions()[1] == 0


def test_a_loss_of_0_has_no_weights():
    loss = rw.LayerLoss(LINE, X, [2.0] * 4, penalty=0.5)
    end = descend(loss, np.array([[1.0, 0.0]]))
    assert end.loss == 0
    assert end.vertex.theta.fractions().tolist() == [0, 2]
    fits = rw.LayerLoss(LINE, X, [0.0, 1.0, 2.0, 3.0], penalty=0.5)  # but for the penalty
    end = descend(fits, np.array([[1.0, 0.0]]))
    assert end.loss == Fraction(1, 2)
    assert end.verdict.method != "zero-loss"
    assert certificate(fits, end).is_global


@pytest.mark.parametrize("seed", range(12))
def test_without_hidden_layers_minima_are_those_of_linear_programs(seed):
    rng = np.random.default_rng(seed)
    n, p, k = int(rng.integers(3, 12)), int(rng.integers(1, 4)), int(rng.integers(1, 3))
    inputs, y = rng.integers(-3, 4, (n, p)).astype(float), rng.integers(-9, 10, (n, k)) / 2.0
    tau, w = float(rng.choice([0.25, 0.5, 0.9])), rng.choice([0.5, 1.0, 3.0], n)
    penalty = float(rng.choice([0.1, 1.0, 5.0]))
    net = rw.ReLUNetwork.random([p, k], seed)
    loss = rw.LayerLoss(net, inputs, y, 0, "pinball", tau, w, penalty=penalty)
    end = descend(loss, start(loss, seed))
    found = certificate(loss, end)
    assert found.is_global
    found.verify(loss)
    total = 0.0
    for column in y.T:  # theta+, theta-, r+, r-
        x = np.column_stack([inputs, np.ones(n)])
        sizes = np.append(np.full(p, penalty), 0.0)
        cost = np.concatenate([sizes, sizes, w * (1 - tau), w * tau])
        equal = np.hstack([x, -x, -np.eye(n), np.eye(n)])
        total += optimize.linprog(cost, A_eq=equal, b_eq=column, bounds=(0, None)).fun
    assert float(end.loss) == pytest.approx(total, rel=1e-9, abs=1e-9)
