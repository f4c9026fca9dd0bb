"""Walks on columns that depend on others: as without them, and proved of what is free."""

import dataclasses

import numpy as np
import pytest

import reluplex_walk as rw
from tests.simplex.test_walk import check

pytestmark = pytest.mark.filterwarnings("ignore::reluplex_walk.RankWarning")

HEIGHT = np.array([2.63, 0.07, 1.01, 1.08, 6.28, 9.45, 1.9, 0.71])
Y = np.array([-0.62, 0.73, -1.26, -0.82, -0.16, 1.7, 0.7, -0.35])
LINE = rw.ReLUNetwork([np.zeros((1, 2))], [[0.0]])

EXTRA = {
    "the same": lambda r, X: X[:, -1],
    "another unit": lambda r, X: 0.3048 * X[:, 0],
    "another zero": lambda r, X: 1.8 * X[:, 0] + 32.0,
    "a mixture": lambda r, X: X @ r.normal(size=X.shape[1]) + r.normal(),
    "a constant": lambda r, X: np.full(len(X), 3.0),
    "zeros": lambda r, X: np.zeros(len(X)),
    "the last dummy": lambda r, X: 1.0 - X[:, -1],
}


def pair(kind, seed, **options):
    """A loss with a dependent column, and the same without it."""
    r = np.random.default_rng(seed)
    n, p = int(r.integers(6, 30)), int(r.integers(1, 4))
    X, y = r.uniform(-3, 3, (n, p)), r.uniform(-3, 3, n)
    if seed % 2:
        X, y = np.round(X), np.round(y)
    X[:, -1] = np.arange(n) % 2
    net = rw.ReLUNetwork.random([p, *r.integers(1, 4, r.integers(0, 3)), 1], seed=seed)
    wider = np.column_stack([net.weights[0], np.ones(len(net.weights[0]))])
    more = rw.ReLUNetwork([wider, *net.weights[1:]], net.biases)
    return (
        rw.LayerLoss(more, np.column_stack([X, EXTRA[kind](r, X)]), y, **options),
        rw.LayerLoss(net, X, y, **options),
    )


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", EXTRA)
def test_walks_are_those_without_the_column(kind, fit_intercept):
    for seed in range(6):
        loss, without = pair(kind, seed, fit_intercept=fit_intercept)
        if len(loss.aliased) == len(without.aliased):
            continue  # a constant is none without the intercept
        step = ("adjacent", "long")[seed // 2 % 2]
        traj, expected = (rw.walk(each, seed=seed, step=step) for each in (loss, without))
        check(traj)
        assert traj.loss == pytest.approx(expected.loss, rel=1e-9, abs=1e-12)
        assert traj.status is expected.status
        assert traj.certificate.rank == expected.certificate.rank
        assert traj.certificate.strict == expected.certificate.strict
        assert (traj.vertices[:, ~loss.free] == 0.0).all()


@pytest.mark.parametrize("kind", EXTRA)
def test_weights_that_do_not_move(kind):
    for seed in range(4):
        loss, _ = pair(kind, seed)
        start = np.random.default_rng(seed).normal(size=loss.shape)
        traj = rw.walk(loss, start, seed=seed, step=("adjacent", "long")[seed % 2])
        check(traj)
        assert (traj.vertices[:, ~loss.free] == start[~loss.free]).all()
        assert traj.certificate.dim == loss.n_free
        short = rw.walk(loss, start, seed=seed, max_pivots=3)
        whole = rw.walk(loss, start, seed=seed)
        np.testing.assert_array_equal(rw.walk(loss, resume=short).vertices, whole.vertices)


def test_two_units_of_one_length():
    loss = rw.LayerLoss(LINE, np.column_stack([HEIGHT, 0.3048 * HEIGHT]), Y)
    traj = rw.walk(loss, start=np.zeros((1, 3)))
    assert traj.status is rw.WalkStatus.GLOBAL_MINIMUM
    assert traj.certificate.strict
    assert traj.certificate.aliased.tolist() == [1]
    np.testing.assert_allclose(traj.losses, [loss(v) for v in traj.vertices], rtol=1e-12)
    assert traj.loss == pytest.approx(5.299784946236556, rel=1e-12)  # as with one of them
    assert traj.verify().method == "vertex"


def test_constant_column():
    r = np.random.default_rng(4)
    X = np.column_stack([r.normal(size=60), np.full(60, 3.0), r.normal(size=60)])
    loss = rw.LayerLoss(rw.ReLUNetwork.random([3, 4, 1], seed=1), X, X[:, 0] - np.abs(X[:, 2]))
    traj = rw.walk(loss, loss.theta)
    assert traj.status.proved
    assert not traj.certificate.given_aliased  # 3 is exactly 3 times the constant
    traj.verify()


def test_a_certificate_says_what_is_aliased(tmp_path):
    exactly = np.column_stack([HEIGHT, 0.25 * HEIGHT])
    rounded = np.column_stack([HEIGHT, HEIGHT * np.pi])
    for X, given in ((exactly, False), (rounded, True)):
        loss = rw.LayerLoss(LINE, X, Y)
        traj = rw.walk(loss, seed=0)
        assert traj.certificate.given_aliased is given
        traj.save(tmp_path / f"{given}.npz")
        again = rw.Trajectory.load(tmp_path / f"{given}.npz")
        assert again.certificate.given_aliased is given
        again.verify()
        other = dataclasses.replace(traj.certificate, aliased=np.array([0]), digest="")
        with pytest.raises(rw.CertificateError, match="aliased: "):
            other.verify(loss)
    more = dataclasses.replace(traj.certificate, given_aliased=False, digest="")
    with pytest.raises(rw.CertificateError, match="aliased: column 1 does not depend"):
        more.verify_exact(loss)


def test_without_intercept(tmp_path):
    X = np.column_stack([HEIGHT, HEIGHT**2])
    through = rw.LayerLoss(LINE, X, Y, fit_intercept=False)
    traj = rw.walk(through, [[1.0, 1.0, 0.5]])
    assert (traj.vertices[:, 0, 2] == 0.5).all()
    assert traj.status is rw.WalkStatus.GLOBAL_MINIMUM
    assert traj.certificate.strict
    # The same as a problem with a bias that is given: the targets without it.
    moved = rw.walk(rw.LayerLoss(LINE, X, Y - 0.5, fit_intercept=False), [[1.0, 1.0, 0.0]])
    assert traj.loss == pytest.approx(moved.loss, rel=1e-12)
    traj.save(tmp_path / "walk.npz")
    again = rw.Trajectory.load(tmp_path / "walk.npz")
    assert not again.problem.fit_intercept
    again.verify()
    with pytest.raises(rw.CertificateError, match="another loss: fit_intercept differs"):
        traj.certificate.verify(rw.LayerLoss(LINE, X, Y))


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_searches_of_many_walks(fit_intercept):
    data = rw.datasets.load_motorcycle()
    X = data.X[:30] / 10.0
    net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    both = rw.ReLUNetwork([np.tile(net.weights[0], 2), net.weights[1]], net.biases)
    loss = rw.LayerLoss(
        both, np.column_stack([X, 0.3048 * X]), data.y[:30], fit_intercept=fit_intercept
    )
    without = rw.LayerLoss(net, X, data.y[:30], fit_intercept=fit_intercept)
    found, expected = (rw.minimize(each, max_walks=12, seed=0) for each in (loss, without))
    assert found.best.loss == pytest.approx(expected.best.loss, rel=1e-9)
    assert (found.thetas[:, ~loss.free] == 0.0).all()
    start = loss.random_start(0)
    descent = rw.polyak_descent(loss, 0.5 * loss(start), start, steps=50)
    assert (descent.theta[~loss.free] == 0.0).all()


def test_the_graph_of_vertices_is_that_without_the_column():
    x, y = np.array([0.0, 1.0, 2.0, 4.0]), [0.0, 1.0, 0.0, 1.0]
    loss = rw.LayerLoss(LINE, np.column_stack([x, 0.3048 * x]), y)
    graph = rw.vertex_graph(loss)
    assert (len(graph), len(graph.edges), graph.complete) == (6, 8, True)
    assert graph.match(rw.walk(loss))[-1] == graph.minima[0]
