"""Certificates that were confirmed and should not have been."""

import dataclasses

import numpy as np
import pytest

import reluplex_walk as rw


def test_a_weak_minimum_is_not_confirmed_as_strict():
    net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    loss = rw.LayerLoss(net, [[0.0], [1.0], [0.0], [1.0]], [0.0, 0.0, 1.0, 1.0])
    certificate = rw.walk(loss, seed=3).certificate
    assert not certificate.strict
    forged = dataclasses.replace(certificate, slopes=certificate.slopes * 0 + 1, digest="")

    def confirm():
        forged.verify(loss)
        forged.verify_exact(loss)

    with pytest.raises(rw.CertificateError):
        confirm()


@pytest.mark.filterwarnings("ignore")  # X has no other column than zeros
def test_weights_count_as_given_not_as_they_add_up_in_floats():
    # 1 + 1.1 2^-53 < 1 + 2^-52, but rounds to it: the minimum is at 1, not at 0.
    net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    weights = [1.0, 1.1 * 2**-53, 1.0 + 2**-52]
    loss = rw.LayerLoss(net, [[0.0], [0.0], [0.0]], [0.0, 0.0, 1.0], sample_weight=weights)
    for start in (0.0, 1.0):
        traj = rw.walk(loss, [[0.0, start]])
        if traj.status.proved:
            assert traj.theta[0, 1] == 1.0
            traj.verify()


def test_a_point_handed_over_with_a_claim_is_theta_without_rounding():
    rng = np.random.default_rng(0)
    for seed in range(10):
        X, y = np.round(rng.uniform(-3, 3, (12, 2)), 1), np.round(rng.uniform(-3, 3, 12), 1)
        loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 3, 1], seed=seed), X, y)
        traj = rw.walk(loss, seed=seed)
        certificate = traj.certificate
        assert traj.status.proved
        assert (traj.theta == certificate.theta).all()
        if certificate.point is not None:
            assert (certificate.point.astype(float) == traj.theta).all()
