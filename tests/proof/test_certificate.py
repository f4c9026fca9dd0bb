"""Certificates: saved, checked again in floats and in rationals, refused when anything differs."""

import dataclasses
import zipfile
from fractions import Fraction

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.cli.commands import main
from tests.problems.random import random_loss, variant
from tests.references.naive import loss_and_derivative


@pytest.fixture(scope="module")
def walked():
    traj = rw.walk(random_loss([2, 3, 2, 1], 20, 4), seed=0)
    assert traj.certificate.method == "vertex"
    assert traj.certificate.exact  # it has flat half-edges
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
            [slope == 0 for slope in check.slopes], np.abs(certificate.slopes) < 1e-9
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
    assert exact.exact or name == "active"
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


def test_a_point_that_is_no_minimum_is_refused(walked):
    # The vertex before the end, dressed up as the end.
    loss, k = walked.problem, walked.n_pivots - 3
    active = walked.active[k]
    assert walked.descending[k] > 0
    forged = dataclasses.replace(
        walked.certificate,
        theta=walked.vertices[k],
        loss=float(walked.losses[k]),
        active=active,
        sides=np.ones(len(active), np.int8),
        exact=False,
        digest="",
    )
    with pytest.raises(rw.CertificateError, match="a half-edge descends"):
        forged.verify(loss)
    with pytest.raises(rw.CertificateError, match="a half-edge descends"):
        forged.verify_exact(loss)


def test_nothing_claimed_is_refused_as_such():
    traj = rw.walk(random_loss([2, 3, 1], 20, 0), max_pivots=3)
    with pytest.raises(rw.CertificateError, match="nothing is claimed"):
        traj.certificate.verify_exact(traj.problem)


def test_bad_arguments(walked):
    with pytest.raises(ValueError, match="method: expected one of"):
        dataclasses.replace(walked.certificate, method="by authority")
    with pytest.raises(ValueError, match="budget: expected a number > 0"):
        walked.certificate.verify_exact(walked.problem, budget=0)
    with pytest.raises(ValueError, match="proof_budget: expected a number > 0"):
        rw.walk(walked.problem, proof_budget=-1.0)


def test_verify_command(walked, tmp_path, capsys):
    path = tmp_path / "trajectory.npz"
    walked.save(path)
    assert main(["verify", str(path)]) == 0
    assert "vertex" in capsys.readouterr().out
    for name in ("X", "certificate_theta", "certificate_active", "vertices", "losses"):
        with np.load(path) as archive:
            arrays = dict(archive)
        arrays[name] = np.array(arrays[name])
        arrays[name][-1] = flipped(arrays[name][-1:], 48)[0]
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
    assert main(["verify", str(path), "--budget", "0"]) == 2
