"""Decimals are found where they were written, and only there."""

from fractions import Fraction

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.exact.data import ExactData
from reluplex_walk.problem.decimals import places, written


@pytest.mark.parametrize("k", range(10))
def test_decimals_are_found(k):
    rng = np.random.default_rng(k)
    values = np.array([float(f"{v:.{k}f}") for v in rng.uniform(-1e5, 1e5, 300)])
    assert places(values[:, None])[0] == k
    num, den = written(values, k)
    assert den == 10**k
    for value, n in zip(values.tolist(), num.tolist(), strict=True):
        assert n == round(n)
        assert f"{Fraction(int(n), den)}" == f"{Fraction(f'{value:.{k}f}')}"


def test_one_value_of_many_decides():
    values = np.round(np.random.default_rng(0).uniform(size=5000), 1)
    values[3333] = 0.123456
    assert places(values[:, None])[0] == 6
    values[3334] = 1.0 / 3.0
    assert places(values[:, None])[0] is None


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([0.0, -0.0, 3.0], 0),
        ([0.5, 0.25], 2),
        ([1e15], 0),
        ([1e15 + 2], None),  # more digits than floats and decimals can be told apart by
        ([1234567.123456789], None),
        ([0.1 + 0.2], None),
        ([float(np.float32(0.1))], None),
        ([1e-9], 9),
        ([1e-10], None),
        ([1e100], None),
    ],
)
def test_edges(values, found):
    assert places(np.array(values)[:, None])[0] == found


def plainly(values):
    """The places by the definition, each k for all values."""
    for k in range(10):
        whole = [round(v * 10.0**k) for v in values]
        if all(abs(m) <= 1e15 and m / 10.0**k == v for m, v in zip(whole, values, strict=True)):
            return k
    return None


@pytest.mark.parametrize("seed", range(100))
def test_found_in_one_pass_as_by_the_definition(seed):
    rng = np.random.default_rng(seed)
    table = np.empty((rng.integers(1, 600), 4))
    for column in table.T:
        column[:] = 10.0 ** rng.uniform(-3, 9, len(table)) * rng.choice([-1, 0, 1], len(table))
        for k in rng.integers(0, 10, 3):
            some = rng.random(len(table)) < rng.choice([0.01, 0.5, 1.0])
            column[some] = np.round(column[some], k)
    assert places(table) == tuple(plainly(column) for column in table.T.tolist())


def test_of_a_loss():
    net = rw.ReLUNetwork.random([2, 3, 1], seed=0)
    X, y, w = [[0.1, 1 / 3], [0.2, 2.0], [9.0, 0.0]], [1.5, 2.0, 1 / 3], [1.0, 0.5, 0.0]
    loss = rw.LayerLoss(net, X, y, kind="pinball", tau=0.9, sample_weight=w)
    assert loss.decimals == ((1, None), (1,), 1, 1, None)  # the row of weight 0 has no say
    assert "decimals=X:1,-;y:1;sample_weight:1;tau:1" in loss.fingerprint
    deeper = rw.LayerLoss(net, X, y, layer=1, sample_weight=w)
    assert deeper.decimals.X == (None, None, None)
    off = rw.LayerLoss(net, X, y, kind="pinball", tau=0.9, sample_weight=w, decimals=False)
    assert off.decimals == ((None, None), (None,), None, None, None)
    assert not off.decimals.any
    assert off.share == Fraction(0.9)
    with pytest.raises(TypeError, match="decimals: expected True or False, found 1"):
        rw.LayerLoss(net, X, y, decimals=1)


def test_exact_data():
    net = rw.ReLUNetwork.random([2, 1], seed=0)
    X, y, w = [[0.1, 1 / 3], [0.1, 1 / 3], [0.2, 2.0]], [1.5, 1.5, 2.0], [0.1, 0.2, 0.3]
    loss = rw.LayerLoss(net, X, y, kind="pinball", tau=0.9, sample_weight=w)
    data = ExactData.of(loss)
    tenth = Fraction(1, 10)
    assert data.x.rationals().fractions().tolist() == [
        [tenth, Fraction(1 / 3), 1],
        [2 * tenth, 2, 1],
    ]
    assert data.y.rationals().fractions().ravel().tolist() == [15 * tenth, 2]
    below, above = data.kinks.fractions()[:, :, 0].tolist()
    assert below == [27 * tenth**2, 27 * tenth**2]  # 0.1 + 0.2 = 0.3
    assert above == [3 * tenth**2, 3 * tenth**2]


def test_merged_weights_are_summed_without_rounding():
    net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    tiny = 1.1 * 2.0**-53
    loss = rw.LayerLoss(net, [[0.0]] * 3, [0.0, 0.0, 1.0], sample_weight=[1, tiny, 1 + 2**-52])
    below = ExactData.of(loss).kinks.fractions()[0, :, 0].tolist()
    assert below == [1 + Fraction(tiny), 1 + Fraction(2) ** -52]
    # F(1) < F(0) by less than floats can tell of their sum
    traj = rw.walk(loss, [[0.0, 0.0]])
    assert not traj.status.proved or traj.theta[0, 1] == 1.0
