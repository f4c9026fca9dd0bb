"""Every public thing that takes a loss or a walk is right with a penalty, or refuses it."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk import activations, density, glass, plotting, testing


@pytest.fixture(scope="module")
def loss():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 2)).round(2)
    y = (np.abs(X[:, 0]) - X[:, 1]).round(2)
    return rw.LayerLoss(rw.ReLUNetwork.random([2, 3, 1], seed=0), X, y, penalty=0.5)


@pytest.fixture(scope="module")
def traj(loss):
    return rw.walk(loss)


@pytest.mark.parametrize(
    "ask",
    [
        lambda loss, traj: rw.polyak_descent(loss, 5),
        lambda loss, traj: density.breakpoint_density(loss, loss.theta, 0.1, segments=2),
        lambda loss, traj: glass.exact(loss, loss.theta, 0.5, directions=2),
        lambda loss, traj: glass.jumps(loss, loss.theta, traj.theta),
        lambda loss, traj: glass.estimate(loss, loss.theta, 0.1, lines=2),
        lambda loss, traj: activations.exploration(traj),
        lambda loss, traj: activations.exploration(traj, between=False),
        lambda loss, traj: rw.walk(loss, step="long").regions(),  # what long steps cross
    ],
)
def test_refused(ask, loss, traj):
    with pytest.raises(ValueError, match="penalty: expected a loss without one for"):
        ask(loss, traj)


def test_graphs_count_active_weights(loss, traj):
    graph = traj.graph()
    for k, node in graph.nodes(data=True):
        located = traj.active[k]
        assert node["active_weights"] == (located[:, 0] == 2).sum()
        assert node["rank"] == len(located)
    last = traj.n_pivots
    assert graph.nodes[last]["active_weights"] == np.count_nonzero(traj.theta[:, :-1] == 0.0) > 0
    plain = rw.walk(rw.LayerLoss(loss.network, loss.X, loss.y)).graph()
    assert "active_weights" not in plain.nodes[0]


def test_walks_are_merged_where_they_meet(loss, traj):
    again = rw.walk(loss, max_pivots=traj.n_pivots - 1)
    both, one = rw.merge([traj, again]), rw.merge([traj])
    assert len(both) == len(one) + (~again.is_vertex).sum()  # before the first vertex: never
    assert sum(walks == 2 for _, walks in both.nodes(data="walks")) > 1


def test_regions_have_the_gradient_and_the_value_of_the_objective(loss, traj):
    assert not traj.steps.crossed.any()  # each step lies in one region
    passage = traj.regions()
    for k, (gradient, offset) in enumerate(zip(passage.gradients, passage.offsets, strict=True)):
        a, b = traj.vertices[passage.steps[k] : passage.steps[k] + 2]  # the ends of its edge
        for point in (a, passage.points[k], b):
            assert (gradient * point).sum() + offset == pytest.approx(loss(point))


def test_resumed_saved_and_checked(tmp_path, loss, traj):
    rw.walk(loss, max_pivots=5).save(tmp_path / "short.npz")
    short = rw.Trajectory.load(tmp_path / "short.npz")
    assert short.problem.penalty == 0.5
    long = rw.walk(loss, resume=short)
    testing.assert_same_walk(long, traj)
    np.testing.assert_array_equal(long.theta, traj.theta)
    testing.assert_certified(long)
    testing.assert_certified(traj.certificate, loss)
    testing.assert_local_minimum(loss, traj.theta)
    with pytest.raises(AssertionError, match="no local minimum"):
        testing.assert_local_minimum(loss, loss.theta)
    plain = rw.LayerLoss(loss.network, loss.X, loss.y)
    with pytest.raises(rw.CertificateError, match="penalty differs"):
        traj.certificate.verify_exact(plain)


def test_minima_of_many_walks(loss):
    found = rw.minimize(loss, max_walks=6)
    testing.assert_certified(found)
    for level, theta in zip(found.levels, found.thetas, strict=True):
        assert loss(theta) == level


def test_figures_and_summaries(loss, traj):
    figure = pytest.importorskip("matplotlib.figure").Figure
    drawn = plotting.overview(traj, figure=figure())
    assert drawn.axes[-1].get_ylabel() == "loss in the plane"  # sampled on a grid
    assert "<img" in traj._repr_html_() or "<svg" in traj._repr_html_()
    assert f"{traj.loss:.10g}" in traj.summary().replace(",", "")
    low, high = (getattr(traj.level(at=5), name) for name in ("low", "high"))
    assert low <= high <= traj.losses[5]
    assert density.vertex_density(traj, [0.1], controls=1).at_end[0] >= 1
