"""Forged certificates: what the checker has to refuse, however the forger came by it."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq_mat

import reluplex_walk as rw
from reluplex_walk.proof import check
from reluplex_walk.proof.check_local import Vanishing, one_sided
from reluplex_walk.proof.check_loss import CheckedLoss, to_floats
from reluplex_walk.proof.check_parts import Parts
from reluplex_walk.proof.witness import Block, Bound, Leaf, Tree, Witness
from reluplex_walk.proof.witness_file import from_words, read, write

WEAK = rw.LayerLoss(rw.ReLUNetwork([[[0.0]]], [[0.0]]), [[0.0], [0.0], [1.0]], [1.0, 2.0, 5.0])


def forged(loss, point, active, tied=(), sides=()):
    """A certificate of a point: prices, loss and slopes are those that the checker computes."""
    point = np.vectorize(Fraction, otypes=[object])(np.array(point, object))
    data = CheckedLoss(loss)
    matrix = check._matrix(point)
    signs = data.signs(matrix)
    said = [*active, *tied]
    vanishing = Vanishing.of(data, signs)
    region = vanishing.sides(signs, vanishing.order(np.array(said)), np.array(sides))
    piece = data.piece(region)
    f = one_sided(data, vanishing, said, region, piece, list(range(loss.dim)))
    r, normals = len(active), f.normals.tolist()
    table = [[normals[j][i] for j in range(r)] + [g] for i, g in enumerate(f.gradient)]
    solved, _ = fmpq_mat(len(table), r + 1, [v for row in table for v in row]).rref()
    prices = tuple(check._fraction(solved[j, r]) for j in range(r))
    slopes = [float(check._fraction(v)) for v in Parts(f, range(r), prices).slopes()]
    return rw.Certificate(
        method="vertex",
        theta=to_floats(matrix),
        loss=check._fraction(piece.value(matrix)),
        slopes=np.array(slopes),
        active=np.array(active, np.int64).reshape(-1, 3),
        tied=np.array(tied, np.int64).reshape(-1, 3),
        sides=np.array(sides, np.int8),
        is_global=False,
        slope_tolerances=np.zeros(2 * r),
        zero_tolerance=0.0,
        fingerprint=loss.fingerprint,
        point=point,
        witness=rw.Witness(np.array(sides, np.int8), np.arange(r), prices, ()),
    )


def test_parameters_below_the_normal_floats_do_not_hide_a_sign():
    # 2e-325 is rounded to 0; times 1e100 it is more than the bias: both samples are on.
    net = rw.ReLUNetwork([[[0.0]], [[1.0]]], [[0.0], [0.0]])
    loss = rw.LayerLoss(net, [[1e100], [5e99]], [1.0, 1.0])
    point = [[Fraction(2, 10**325), -Fraction(1, 10**225)]]
    signs = CheckedLoss(loss).signs(check._matrix(np.array(point, object)))
    values = [Fraction(x) * point[0][0] + point[0][1] for x in (1e100, 5e99)]
    assert signs[0].ravel().tolist() == [(v > 0) - (v < 0) for v in values]


@pytest.mark.parametrize("weight", [1.0, 1e100])
def test_a_bound_that_is_no_number_does_not_excuse_theta(weight):
    # A neuron that overflows floats, and that the output does not see.
    X, y = [[1e16], [1e16 + 2], [0.0]], [1.0, 5 / 3.0, 1.0]
    tail = [[0.0, 1.0]]
    loss = rw.LayerLoss(
        rw.ReLUNetwork([[[0.0], [0.0]], tail], [[0.0, 0.0], [0.0]]), X, y, decimals=False
    )
    slope = (Fraction(y[1]) - Fraction(y[0])) / 2
    point = [[Fraction(weight) ** 3, 1], [slope, Fraction(y[0]) - slope * Fraction(X[0][0])]]
    certificate = forged(loss, point, [(1, 0, 0), (1, 1, 0)], sides=[1, 1])
    with pytest.raises(rw.CertificateError, match="theta: the loss there is"):
        certificate.verify(loss)


def test_a_bound_that_underflows_does_not_excuse_theta():
    X, y = [[1e8], [1e8 + 1], [0.0]], [1e-220, 5 / 3.0 * 1e-220, 0.0]
    net = rw.ReLUNetwork([[[0.0]], [[1.0]]], [[0.0], [0.0]])
    loss = rw.LayerLoss(net, X, y, decimals=False, sample_weight=[1e-100] * 3)
    slope = Fraction(y[1]) - Fraction(y[0])
    point = [[slope, Fraction(y[0]) - slope * Fraction(X[0][0])]]
    certificate = forged(loss, point, [(1, 0, 0), (1, 1, 0)], [(1, 2, 0)], [1, 1, 1])
    with pytest.raises(rw.CertificateError, match="theta: the loss there is"):
        certificate.verify(loss)


def test_ties_are_not_strict():
    # Between two half-edges that ascend the loss is constant: a tied breakpoint follows both.
    net = rw.ReLUNetwork(
        [[[2.0], [1.0]], [[1.0, -1], [1, 0], [0, 1]], [[2.0, 3, 3], [0, 1, 1]]],
        [[0.0, 0], [0.0, 1, 1], [0.0, 0]],
    )
    y = [[1.0, 7], [17, 5], [20, 0]]
    loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], y, sample_weight=[1.0, 100, 0.5])
    active = [(0, 0, 0), (0, 0, 1), (2, 1, 0), (2, 1, 1)]
    certificate = forged(loss, [[2, 0], [1, 0]], active, [(1, 0, 0)], [-1, -1, 1, 1, 1])
    certificate.verify(loss)
    assert (certificate.slopes > 0).all()
    assert not certificate.strict


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"slope_tolerances": -np.ones(4)}, "slope_tolerances"),
        ({"slope_tolerances": np.zeros(0)}, "shapes"),
        ({"slopes": np.array([-5.0, 1.0, 1.0, 1.0])}, "slopes"),
        ({"slopes": np.full(4, np.nan)}, "slopes"),
        ({"sides": np.zeros(7, np.int8)}, "shapes"),
        ({"is_global": False, "active": np.array([[0.5, 0, 0], [0, 2, 0]])}, None),
        ({"aliased": np.zeros(1)}, None),
    ],
)
def test_fields_that_claims_are_read_from_are_confirmed(change, match):
    certificate = rw.walk(WEAK).certificate
    assert not certificate.strict
    with pytest.raises(rw.CertificateError, match=match):
        dataclasses.replace(certificate, **change, digest="").verify(WEAK)


def test_flipped_sides_are_refused():
    certificate = rw.walk(WEAK).certificate
    with pytest.raises(rw.CertificateError, match="sides"):
        dataclasses.replace(certificate, sides=-certificate.sides, digest="").verify(WEAK)


@pytest.mark.parametrize("field", ["pivots", "sides"])
@pytest.mark.parametrize("value", ["[0.9, 1.9]", '["0", "1"]', "{}", "[1e400, 1]"])
def test_a_witness_of_other_types_is_no_witness(field, value):
    text = write(rw.walk(WEAK).certificate.witness)
    start = text.index(f'"{field}":') + len(field) + 3
    end = text.index("]", start) + 1
    with pytest.raises((ValueError, TypeError)):
        read(text[:start] + value + text[end:])


@pytest.mark.parametrize("word", ["0x1/2", "+1/2", "1/0", "1/-2", "1", "1.0/2"])
def test_a_word_that_is_no_rational(word):
    with pytest.raises(ValueError, match="rational"):
        from_words(np.array([word.encode()]))


def test_bounds_of_leaves_in_files():
    pairs = ((0, Fraction(1, 3)), (7, Fraction(-2)))
    above = (Bound(2, Fraction(1, 2), pairs), Bound(3, Fraction(0), pairs[:1], pairs[1:]))
    tree = Tree(np.array([-1]), (Leaf(pairs, above),))
    one = np.array([1])
    text = write(Witness(one.astype(np.int8), one, (Fraction(0),), (Block(one, tree),)))
    (block,) = read(text).blocks
    assert block.proof.leaves == tree.leaves
    # A bound with nothing but its sum of terms has three entries, in files of earlier versions too.
    assert '[2,"1/2",[[0,"1/3"],[7,"-2/1"]]]' in text
