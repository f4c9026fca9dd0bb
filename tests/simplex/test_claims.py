"""Whatever a walk claims on odd random problems is confirmed from its data alone."""

import numpy as np
import pytest

import reluplex_walk as rw

ODD = {
    "ordinary": lambda rng, X: X,
    "integers": lambda rng, X: np.round(X),
    "one decimal": lambda rng, X: np.round(X, 1),
    "time stamps": lambda rng, X: 1.7e9 + np.round(100 * X),
    "wild scales": lambda rng, X: X * 10.0 ** rng.integers(-30, 30, X.shape[1]),
}


def odd_problem(kind, seed):
    rng = np.random.default_rng(seed)
    widths = [*rng.integers(1, 4, rng.integers(1, 5)), rng.integers(1, 3)]
    n = int(rng.integers(2, 16))
    X = ODD[kind](rng, rng.uniform(-3, 3, (n, widths[0])))
    y = rng.uniform(-3, 3, (n, widths[-1]))
    if seed % 5 == 0:
        y = np.round(y / 3)
    loss = ("l1", "pinball", "hinge")[seed % 3]
    network = rw.ReLUNetwork.random(
        [int(w) for w in widths],
        seed=seed,
        init="he" if seed % 4 == 0 else "uniform",
        negative_slope=0.1 if seed % 7 == 0 else 0.0,
    )
    return rw.LayerLoss(
        network,
        X,
        np.where(y > 0, 1.0, -1.0) if loss == "hinge" else y,
        layer=seed % network.n_layers if seed % 2 else 0,
        kind=loss,
        tau=0.3 if loss == "pinball" else None,
        sample_weight=rng.uniform(0.5, 2.0, n) if seed % 2 else None,
    )


@pytest.mark.parametrize("kind", ODD)
def test_every_claim_is_confirmed(kind):
    proved = 0
    for seed in range(25):
        loss = odd_problem(kind, seed)
        step = ("adjacent", "long")[seed % 2]
        traj = rw.walk(loss, seed=seed, step=step, proof_budget=2.0, max_pivots=3000)
        if traj.status.proved:
            traj.verify()
            proved += 1
    assert proved >= (25 if kind == "ordinary" else 15)


def test_an_end_on_a_face_within_rounding_of_a_breakpoint():
    # The last digit of what the basis leaves free decides on which side the face is looked at.
    loss = odd_problem("wild scales", 24)
    traj = rw.walk(loss, seed=24)
    certificate = traj.certificate
    assert (traj.status.name, certificate.rank, certificate.exact) == ("LOCAL_MINIMUM", 6, True)
    assert (certificate.point.astype(float) == certificate.theta).all()
    traj.verify()


def test_an_exact_vertex_that_floats_cannot_solve_for():
    loss = odd_problem("wild scales", 973)
    traj = rw.walk(loss, seed=973, step="long", proof_budget=1.0)
    # Nor can they hold it: rounded, the loss is higher by 4.6e-7 of it.
    assert (traj.status.name, traj.certificate.exact) == ("NOT_PROVED", True)
    assert traj.certificate.reason is rw.Reason.PARAMETERS
    assert loss(traj.theta) > float(traj.certificate.loss) * (1 + 1e-7)
