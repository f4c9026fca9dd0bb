"""Certificates: saved, checked again in rationals, refused when anything differs."""

import dataclasses
import zipfile
from fractions import Fraction

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.cli.commands import main
from reluplex_walk.exact.loss import ExactLoss
from reluplex_walk.exact.rationals import Rationals
from reluplex_walk.exact.vertex import local_slopes, vertex_at, zeros
from tests.problems.random import random_loss, variant
from tests.references.naive import loss_and_derivative


@pytest.fixture(scope="module")
def walked():
    traj = rw.walk(random_loss([2, 3, 2, 1], 20, 4), seed=0)
    assert traj.certificate.method == "vertex"
    return traj


def flipped(array, bit):
    """A copy of `array` with one bit of its middle entry flipped."""
    copy = np.array(array)
    raw = copy.view(np.uint8).reshape(-1)
    at = (copy.size // 2) * copy.itemsize + bit // 8
    raw[at] ^= np.uint8(1 << (bit % 8))
    return copy


def test_round_trip(walked, tmp_path):
    walked.certificate.save(tmp_path / "c.npz")
    loaded = rw.Certificate.load(tmp_path / "c.npz")
    loaded.verify(walked.problem)
    check = loaded.verify_exact(walked.problem)
    assert check.method == walked.certificate.method
    assert check.loss == loaded.loss == walked.certificate.loss
    assert loaded.witness.prices == walked.certificate.witness.prices
    with pytest.raises(FileExistsError):
        loaded.save(tmp_path / "c.npz")
    with pytest.raises(ValueError, match="expected a reluplex_walk certificate file"):
        rw.Certificate.load(__file__)


@pytest.mark.parametrize("case", range(10))
def test_exact_loss_and_slopes_against_the_naive_reference(case):
    loss = variant(case, 1)
    certificate = rw.walk(loss, seed=1).certificate
    if not certificate.is_local_minimum:
        pytest.skip("nothing is claimed")
    check = certificate.verify_exact(loss)
    # At the nearest floats the loss differs by rounding only, and slowly.
    near, _ = loss_and_derivative(loss, certificate.theta)
    assert float(abs(near - check.loss)) <= 1e-11 * loss.magnitude(certificate.theta)
    assert check.n_vanishing == certificate.rank + certificate.n_tied
    if check.slopes is not None:
        assert all(slope >= 0 for slope in check.slopes)
        np.testing.assert_array_equal(
            [slope == 0 for slope in check.slopes], certificate.slopes == 0
        )


def test_the_vertex_is_exact():
    # |theta x - y| over three points: theta = 1/3 is not a float, the certificate's vertex is.
    net = rw.ReLUNetwork([[[0.5]]], [[0.0]])
    loss = rw.LayerLoss(net, [[3.0], [0.0], [-3.0]], [1.0, 0.0, -1.0])
    check = rw.walk(loss).certificate.verify_exact(loss)
    assert check.theta.tolist() == [[Fraction(1, 3), 0]]
    assert check.loss == 0


@pytest.mark.parametrize("bit", [0, 30, 51, 55, 63])
@pytest.mark.parametrize("name", ["theta", "slopes", "active", "sides"])
def test_a_flipped_bit_is_refused(walked, name, bit):
    array = getattr(walked.certificate, name)
    certificate = dataclasses.replace(
        walked.certificate, **{name: flipped(array, bit % (8 * array.itemsize))}
    )
    for check in (certificate.verify, certificate.verify_exact):
        with pytest.raises(rw.CertificateError, match="digest"):
            check(walked.problem)


@pytest.mark.parametrize("bit", [0, 30, 51, 55, 63])
@pytest.mark.parametrize("name", ["theta", "active"])
def test_a_flipped_bit_is_refused_also_with_a_new_checksum(walked, name, bit):
    exact = walked.certificate
    certificate = dataclasses.replace(
        exact, **{name: flipped(getattr(exact, name), bit), "digest": ""}
    )
    with pytest.raises(rw.CertificateError, match=r"theta|active|loss"):
        certificate.verify_exact(walked.problem)


@pytest.mark.parametrize("name", ["X", "y", "sample_weight"])
def test_other_data_are_refused(walked, name):
    loss = walked.problem
    data = {key: getattr(loss, key) for key in ("X", "y", "sample_weight")}
    data[name] = flipped(data[name], 0)
    other = rw.LayerLoss(loss.network, **data)
    for check in (walked.certificate.verify, walked.certificate.verify_exact):
        with pytest.raises(
            rw.CertificateError, match=f"another loss: (decimals differs, )?{name} differs$"
        ):
            check(other)


def test_other_losses_and_networks_are_refused(walked):
    loss, certificate = walked.problem, walked.certificate
    other = rw.LayerLoss(loss.network, loss.X, loss.y, kind="pinball", tau=0.3)
    with pytest.raises(rw.CertificateError, match="kind differs, tau differs"):
        certificate.verify(other)
    network = loss.network.with_layer(0, loss.theta + 1.0)
    with pytest.raises(rw.CertificateError, match="network differs"):
        certificate.verify_exact(rw.LayerLoss(network, loss.X, loss.y))
    with pytest.raises(TypeError, match="loss: expected a LayerLoss"):
        certificate.verify(walked)


def forged_at(loss, theta):
    """A certificate of the exact vertex near `theta`, as if it were a minimum."""
    exact = ExactLoss(loss)
    point = Rationals.of(theta.ravel())
    values = exact.values(point)
    near = [np.abs(v.floats()) < 1e-9 for v in values]
    sides = [np.sign(v.floats()).astype(np.int8) for v in values]
    active = zeros([np.where(zero, 0, 1) for zero in near])
    vertex, signs, value = vertex_at(exact, point, active, sides)
    _, slopes = local_slopes(exact, (vertex, signs, value))
    r = len(active.stage)
    seen = [vertex.sides[t][column, neuron] for t, column, neuron in zip(*active, strict=True)]
    return slopes, rw.Certificate(
        method="vertex",
        theta=vertex.theta.floats().reshape(loss.shape),
        loss=value,
        slopes=np.abs(slopes.astype(float)),
        active=loss.index.locate(loss.index.join(active)),
        tied=np.zeros((0, 3), np.int64),
        sides=np.array(seen, np.int8),
        is_global=False,
        slope_tolerances=np.zeros(2 * r),
        zero_tolerance=1e-11,
        fingerprint=loss.fingerprint,
        point=vertex.theta.fractions().reshape(loss.shape),
        witness=rw.Witness(np.array(seen, np.int8), np.arange(r), tuple(slopes[:r]), ()),
    )


def test_a_point_that_is_no_minimum_is_refused(walked):
    # The vertex before the end, dressed up as the end.
    k = walked.n_pivots - 3
    assert walked.descending[k] > 0
    slopes, forged = forged_at(walked.problem, walked.vertices[k])
    assert (slopes < 0).any()
    with pytest.raises(rw.CertificateError, match="descends"):
        forged.verify(walked.problem)
    # Prices that are not those of its half-edges do not give the gradient.
    prices = tuple(abs(price) for price in forged.witness.prices)
    witness = forged.witness._replace(prices=prices)
    better = dataclasses.replace(forged, witness=witness, digest="")
    with pytest.raises(rw.CertificateError, match=r"prices|descends"):
        better.verify(walked.problem)


def test_what_is_weak_is_not_sold_as_strict():
    # Every theta[1] between 0 and 1 is a minimum.
    X, y = [[0.0], [1.0], [0.0], [1.0]], [0.0, 0.0, 1.0, 1.0]
    loss = rw.LayerLoss(rw.ReLUNetwork([[[0.0]]], [[0.0]]), X, y)
    certificate = rw.walk(loss, seed=3).certificate
    assert not certificate.strict
    strict = dataclasses.replace(certificate, slopes=certificate.slopes * 0 + 1, digest="")
    for check in (strict.verify, strict.verify_exact):
        with pytest.raises(rw.CertificateError, match=r"slopes|method"):
            check(loss)


def test_a_claim_is_about_theta():
    # Two thirds is no float: the gap between F(theta) and the exact loss is decided exactly.
    net = rw.ReLUNetwork([[[0.5]]], [[0.0]])
    loss = rw.LayerLoss(net, [[3.0], [0.0], [-3.0]], [1.0, 0.0, -1.0])
    certificate = rw.walk(loss).certificate
    moved = certificate.theta.copy()
    moved[0, 0] = np.nextafter(moved[0, 0], 1.0)
    for theta in (moved, moved + 1e-3):
        other = dataclasses.replace(certificate, theta=theta, digest="")
        with pytest.raises(rw.CertificateError, match="theta: is not the float nearest"):
            other.verify(loss)
    lower = dataclasses.replace(certificate, loss=Fraction(-1), digest="")
    with pytest.raises(rw.CertificateError, match="loss: said to be -1"):
        lower.verify(loss)


def test_nothing_claimed_is_refused_as_such():
    traj = rw.walk(random_loss([2, 3, 1], 20, 0), max_pivots=3)
    with pytest.raises(rw.CertificateError, match="nothing is claimed"):
        traj.certificate.verify_exact(traj.problem)


def test_bad_arguments(walked):
    with pytest.raises(ValueError, match="method: expected one of"):
        dataclasses.replace(walked.certificate, method="by authority")
    with pytest.raises(ValueError, match="reason: expected one if nothing is proved"):
        dataclasses.replace(walked.certificate, method="none")
    with pytest.raises(ValueError, match="proof_budget: expected a number > 0"):
        rw.walk(walked.problem, proof_budget=-1.0)


def test_verify_command(walked, tmp_path, capsys):
    path = tmp_path / "trajectory.npz"
    walked.save(path)
    assert main(["verify", str(path)]) == 0
    assert "vertex" in capsys.readouterr().out
    with np.load(path) as archive:
        members = dict(archive)
    assert len(members) > 40
    for name, value in members.items():
        if value.size == 0 or value.dtype.kind not in "fiubU":
            continue
        arrays = {**members, name: np.atleast_1d(value).copy()}
        if value.dtype.kind == "U":
            arrays[name].flat[-1] = "x" + str(arrays[name].flat[-1])[1:]
        else:
            arrays[name] = flipped(arrays[name], 0)
        arrays[name] = arrays[name].reshape(value.shape)
        np.savez(tmp_path / "tampered.npz", **arrays)
        assert main(["verify", str(tmp_path / "tampered.npz")]) == 1, name
        assert "refused" in capsys.readouterr().err
    raw = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("vertices.npy").header_offset
    raw[start + 100] ^= 1  # among its data, beyond the header that nobody reads
    (tmp_path / "damaged.npz").write_bytes(raw)
    assert main(["verify", str(tmp_path / "damaged.npz")]) == 1
    assert main(["verify", str(tmp_path / "none.npz")]) == 2
