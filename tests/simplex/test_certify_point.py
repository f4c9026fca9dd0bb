"""`certify` against the certificates of walks, and against one-sided slopes in plain fractions."""

from fractions import Fraction

import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.degenerate import PROBLEMS, zeros_among_counts
from tests.problems.random import VARIANTS, random_loss, variant

STEP = Fraction(1, 10**40)  # shorter than the way to the next breakpoint of small problems


def fractions(array):
    return [[Fraction(v) for v in row] for row in np.asarray(array).tolist()]


class Plain:
    """The loss of a layer in fractions, sample by sample; data are floats as they are."""

    def __init__(self, loss):
        self.inputs = fractions(loss.network.features(loss.X, loss.layer))
        self.y, self.w = fractions(loss.y), [Fraction(v) for v in loss.sample_weight.tolist()]
        self.tail = [(fractions(w), [Fraction(v) for v in b.tolist()]) for w, b in loss.tail]
        self.leak = Fraction(loss.network.negative_slope)
        self.kind, self.tau = loss.kind, loss.share
        self.shape = loss.shape

    def __call__(self, theta):
        total = Fraction(0)
        for x, y, weight in zip(self.inputs, self.y, self.w, strict=True):
            a = [sum(t * v for t, v in zip(row, [*x, 1], strict=True)) for row in theta]
            for w, b in self.tail:
                a = [v if v > 0 else self.leak * v for v in a]
                a = [
                    sum(p * v for p, v in zip(r, a, strict=True)) + c
                    for r, c in zip(w, b, strict=True)
                ]
            total += weight * sum(self.cost(f, t) for f, t in zip(a, y, strict=True))
        return total

    def cost(self, f, y):
        if self.kind == "hinge":
            return max(Fraction(0), 1 - y * f)
        if self.kind == "pinball":
            return max(self.tau * (y - f), (self.tau - 1) * (y - f))
        return abs(f - y)

    def slope(self, theta, d):
        """One-sided, along `d` (h, q) of floats."""
        d = fractions(d)
        there = [
            [t + STEP * v for t, v in zip(row, e, strict=True)]
            for row, e in zip(theta, d, strict=True)
        ]
        return (self(there) - self(theta)) / STEP


def directions(shape, seed, n=9):
    """Random ones, along axes, within a neuron, of few entries."""
    rng = np.random.default_rng(seed)
    for k in range(n):
        d = rng.normal(size=shape)
        if k % 3 == 1:
            d[np.arange(shape[0]) != rng.integers(shape[0])] = 0.0
        if k % 3 == 2:
            d = np.sign(d) * (rng.random(shape) < 0.4)
        yield d


def agrees(loss, check, plain, seed):
    """What a check says holds in fractions."""
    if check.is_local_minimum:
        point = check.certificate.point.tolist()
        assert check.certificate.verify_exact(loss).loss == plain(point)
        assert all(plain.slope(point, d) >= 0 for d in directions(loss.shape, seed))
        assert (check.certificate.theta == check.theta).all()
        assert (check.slope, check.direction, check.gap) == (0.0, None, 0.0)
        assert check.end.n_pivots == 0
        assert check.end.verify()
    elif check.decided:
        assert check.slope < 0
        point = fractions(check.theta)
        if check.direction is not None:
            found = plain.slope(point, check.direction)
            assert found < 0
            assert float(found) == pytest.approx(check.slope, rel=1e-9)
            assert np.linalg.norm(check.direction) == pytest.approx(1.0)
        assert check.end.losses[0] == check.loss
        assert check.gap >= 0


def undecimal(case, seed):
    """A variant whose data are taken as the floats they are."""
    widths, n, options = VARIANTS[case]
    return random_loss(widths, min(n, 12), seed, decimals=False, **options)


@pytest.mark.parametrize(
    ("case", "seed"), [(case, seed) for case in range(9) for seed in range(33)] + [(9, 0), (9, 1)]
)
def test_small_cases(case, seed):
    """Anywhere, at the end, beside it, where much vanishes: 1,200 checks."""
    loss = undecimal(case, seed)
    plain = Plain(loss)
    check = rw.certify(loss, loss.random_start(seed), seed=seed)
    agrees(loss, check, plain, seed)
    end = check.end
    assert end.status.proved
    there = rw.certify(loss, end.theta)
    assert there.is_local_minimum
    agrees(loss, there, plain, seed)
    rng = np.random.default_rng(seed)
    beside = end.theta + 10.0 ** rng.uniform(-15, -3) * rng.normal(size=loss.shape)
    agrees(loss, rw.certify(loss, beside), plain, seed)
    coarse = np.round(rng.normal(size=loss.shape)) * (rng.random(loss.shape) < 0.7)
    agrees(loss, rw.certify(loss, coarse), plain, seed)


@pytest.mark.parametrize("case", range(len(VARIANTS)))
@pytest.mark.parametrize("step", ["adjacent", "long"])
def test_ends_of_walks_are_recognised_from_files(case, step, tmp_path):
    loss = variant(case, 7)
    traj = rw.walk(loss, step=step, seed=7)
    traj.network.save(tmp_path / "net.npz")
    network = rw.ReLUNetwork.load(tmp_path / "net.npz")
    again = rw.LayerLoss(
        network, loss.X, loss.y, loss.layer, loss.kind,
        loss.tau if loss.kind == "pinball" else None, loss.sample_weight,
    )  # fmt: skip
    check = rw.certify(again)
    assert check.is_local_minimum
    assert check.certificate.method == traj.certificate.method
    assert check.certificate.loss == traj.certificate.loss
    assert check.certificate.strict == traj.certificate.strict


@pytest.mark.parametrize("name", PROBLEMS)
def test_degenerate_ends_are_recognised(name):
    loss = PROBLEMS[name]
    traj = rw.walk(loss, step="long", seed=1)
    check = rw.certify(loss, traj.theta)
    assert check.is_local_minimum == traj.status.proved
    if check.is_local_minimum:
        check.certificate.verify(loss)


def test_natural_units_and_held_parameters():
    rng = np.random.default_rng(3)
    X = np.column_stack([rng.integers(1950, 2020, 40), np.round(rng.normal(3e4, 5e3, 40), 2)])
    y = np.round(0.3 * X[:, 0] + rng.normal(size=40), 1)
    net = rw.ReLUNetwork.random([2, 3, 1], seed=3)
    for options in ({}, {"fit_intercept": False}):
        loss = rw.LayerLoss(net, X, y, **options)
        traj = rw.walk(loss, step="long")
        assert traj.status.proved
        assert rw.certify(loss, traj.theta).is_local_minimum
        check = rw.certify(loss, traj.theta + 0.01)
        assert not check.is_local_minimum
        assert check.decided
        assert (check.direction[~loss.free] == 0.0).all()


def test_zero_blocks_as_walks_meet_them():
    loss = zeros_among_counts(40, 3, 0)
    traj = rw.walk(loss, step="long", seed=0)
    assert rw.certify(loss, traj.theta).is_local_minimum == traj.status.proved


def test_dead_networks():
    """Where no neuron answers the loss is constant around: a weak minimum, at that very theta."""
    loss = variant(0, 1)
    theta = np.array([[0.0, 0.0, -1.0]] * 3)
    check = rw.certify(loss, theta)
    assert check.is_local_minimum
    assert (check.certificate.rank, check.certificate.strict) == (0, False)
    assert (check.certificate.point == theta).all()
    # at 0 every neuron can be raised
    zero = rw.certify(loss, np.zeros(loss.shape))
    assert zero.decided
    assert not zero.is_local_minimum
    agrees(loss, zero, Plain(undecimal(0, 1)), 0)


def test_a_loss_of_zero_is_a_global_minimum():
    X, dead = np.array([[0.0], [1.0], [2.0]]), [[0.0, -1.0]] * 3
    network = rw.ReLUNetwork.random([1, 3, 1], seed=0).with_layer(0, dead)
    check = rw.certify(rw.LayerLoss(network, X, network(X)))
    assert check.is_local_minimum
    assert check.certificate.is_global
    assert check.message == "a proved global minimum of layer 0: the loss 0 falls in no direction"
    network = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    loss = rw.LayerLoss(network, X, network(X), decimals=False)  # 0 up to rounding
    agrees(loss, rw.certify(loss), Plain(loss), 0)


def test_the_slope_is_the_steepest_where_nothing_vanishes():
    loss = variant(4, 2)
    theta = loss.random_start(2)
    check = rw.certify(loss, theta)
    gradient = loss.gradient(theta)
    assert check.slope == pytest.approx(-np.linalg.norm(gradient))
    np.testing.assert_allclose(check.direction, -gradient / np.linalg.norm(gradient), atol=1e-12)


def test_from_the_vertices_of_a_walk_there_is_a_way_down():
    loss = random_loss([2, 3, 1], 12, 5, decimals=False)
    plain, traj = Plain(loss), rw.walk(loss, step="adjacent", seed=5)
    for k in range(traj.n_pivots):
        check = rw.certify(loss, traj.vertices[k])
        agrees(loss, check, plain, k)
        assert check.decided
        assert not check.is_local_minimum


def test_words():
    loss = variant(0, 1)
    far = rw.certify(loss)
    assert far.message.startswith("not a local minimum of layer 0: the loss ")
    assert "% lower, at a proved local minimum, after" in str(far)
    near = rw.certify(loss, far.end.theta * (1.0 + 1e-14))
    assert "a proved local minimum is within" in str(near)
    assert "no local minimum" in repr(near)
    there = rw.certify(loss, far.end.theta)
    assert "falls in no direction" in there.message
    short = rw.certify(loss, proof_budget=1e-6)
    assert (short.decided, short.is_local_minimum) == (False, False)
    assert short.reason is rw.Reason.BUDGET
    assert short.message.startswith("nothing is proved of layer 0")


def test_what_does_not_fit_is_refused():
    loss = variant(0, 1)
    whole = rw.NetworkLoss(loss.network, loss.X, loss.y)
    with pytest.raises(TypeError, match=r"loss: expected a LayerLoss, found NetworkLoss; .*layer"):
        rw.certify(whole)
    with pytest.raises(TypeError, match="loss: expected a LayerLoss"):
        rw.certify(loss.network)
    with pytest.raises(ValueError, match="theta: expected"):
        rw.certify(loss, [1.0])
    wrong = {"step": "wide", "proof_budget": 0.0, "seed": -1, "time_limit": -1.0}
    for option, value in wrong.items():
        with pytest.raises(ValueError, match=option):
            rw.certify(loss, **{option: value})
