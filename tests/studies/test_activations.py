"""Configurations along descents and walks, against counts by hand and by closed forms."""

from itertools import pairwise

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.optimize.methods import Sgd

exploration = rw.activations.exploration


def problem(seed, widths=(2, 5, 4, 1), n=40):
    data, _ = rw.datasets.make_teacher(n, list(widths), noise=0.5, seed=seed)
    return rw.ReLUNetwork.random(widths, seed=seed + 1), data.X, data.y


def points_of(loss, path, **options):
    """Each point of a descent as the end of a descent that stops there."""
    found = [
        rw.descend(
            loss,
            path.method,
            int(budget),
            batch=path.batch,
            learning_rate=path.learning_rate,
            seed=path.seed,
            **options,
        ).theta
        for budget in path.gradients
    ]
    return found


def patterns(network, X):
    """For each sample which hidden units are active, as a tuple: one sample at a time."""
    found = []
    for x in X:
        signs = []
        for w, b in zip(network.weights[:-1], network.biases[:-1], strict=True):
            z = w @ x + b
            signs += (z >= 0.0).tolist()
            x = np.maximum(z, 0.0)
        found.append(tuple(signs))
    return found


def seen(all_patterns):
    """Mean number of different patterns of a sample, and of changes of a unit on a sample."""
    by_sample = list(zip(*all_patterns, strict=True))
    distinct = np.mean([len(set(each)) for each in by_sample])
    table = np.array(all_patterns)  # (entries, samples, units)
    return distinct, np.abs(np.diff(table.astype(int), axis=0)).sum(axis=0).mean(axis=0)


@pytest.mark.parametrize("name", ["sgd", "adam", "alice"])
@pytest.mark.parametrize("block", ["all", 0])
def test_entries_by_brute_force(name, block):
    net, X, y = problem(0)
    loss = rw.NetworkLoss(net, X, y, block=block)
    path = rw.descend(loss, name, 60, batch=8, learning_rate=0.1, seed=5)
    found = exploration(path)
    every = [patterns(loss.network_at(theta), X) for theta in points_of(loss, path)]
    expected, switches = seen(every)
    assert found.configurations[-1] == pytest.approx(expected, rel=1e-14)
    assert found.configurations[20] == pytest.approx(seen(every[:21])[0], rel=1e-14)
    np.testing.assert_allclose(np.concatenate(found.switches), switches, rtol=1e-14)
    assert found.switched[-1] == pytest.approx(switches.mean(), rel=1e-14)
    assert [len(part) for part in found.switches] == [5, 4]
    assert found.per_point.mean() == pytest.approx(expected, rel=1e-14)
    np.testing.assert_array_equal(found.losses, path.losses)
    assert expected > 1.5
    assert (found.passed is None) == (block == "all")


def test_regions_between_entries_in_closed_form():
    """One hidden layer: each pre-activation is affine along a step, so its times are known."""
    net, X, y = problem(1, (2, 6, 1))
    loss = rw.LayerLoss(net, X, y)
    path = rw.descend(loss, "momentum", 40, learning_rate=0.3, seed=2)
    found = exploration(path)
    rows = np.column_stack([X, np.ones(len(X))])
    values = np.array([rows @ theta.T for theta in points_of(loss, path)])  # (K, n, h)
    distinct, changes = [], 0
    for sample in range(len(X)):
        met = {tuple(values[0, sample] >= 0)}
        for a, b in zip(values[:-1, sample], values[1:, sample], strict=True):
            turning = np.flatnonzero((a >= 0) != (b >= 0))
            state = a >= 0
            for unit in turning[np.argsort(a[turning] / (a[turning] - b[turning]))]:
                state[unit] ^= True
                met.add(tuple(state))
            changes += len(turning)
        distinct.append(len(met))
    assert found.passed[-1] == pytest.approx(np.mean(distinct), rel=1e-14)
    assert found.crossed[-1] == pytest.approx(changes / (len(X) * 6), rel=1e-14)
    assert found.passed[-1] > found.configurations[-1] + 0.1  # what entries miss
    # With one hidden layer and one step a unit cannot switch back: nothing is undone.
    np.testing.assert_allclose(found.crossed, found.switched, rtol=1e-13)


def test_regions_between_entries_on_a_fine_grid():
    """Two hidden layers: the grid sees no region that is missed, and misses at most a few."""
    net, X, y = problem(2)
    loss = rw.LayerLoss(net, X, y)
    path = rw.descend(loss, "sgd", 6, learning_rate=1.0)
    found = exploration(path)
    points = points_of(loss, path)
    every = [
        patterns(net.with_layer(0, a + t * (b - a)), X)
        for a, b in pairwise(points)
        for t in np.linspace(0.0, 1.0, 400)
    ]
    distinct, switches = seen(every)
    assert distinct <= found.passed[-1] <= 1.02 * distinct
    assert switches.mean() <= found.crossed[-1] <= 1.02 * switches.mean()
    assert found.passed[-1] > 1.05 * found.configurations[-1]


def test_what_is_undone_on_the_way_counts():
    """First units b and -b, b from -1 to 1; the second layer is active where |b| < 1/2."""
    net = rw.ReLUNetwork([[[1.0], [-1.0]], [[-1.0, -1.0]], [[1.0]]], [[0.0, 0.0], [0.5], [0.0]])
    loss = rw.LayerLoss(net, [[1.0]], [9.0], layer=0)
    begin = [[0.0, -1.0], [0.0, 1.0]]  # of one sample only the biases move

    class Jump:  # straight to the end, in one step
        def begin(self, theta, learning_rate, seed):
            self.theta, self.clip_share, self.effective_rate = theta, 0.0, 0.0
            return self

        def step(self, gradient, left):
            self.theta = -self.theta
            return int(left > 0)

        def arrays(self):
            return {}

        def restore(self, arrays):
            return self

    path = rw.descend(loss, Jump(), 1, start=begin)
    found = exploration(path, start=begin)
    assert found.configurations.tolist() == [1.0, 2.0]
    # On the way the second layer goes on, both first units change at once, and it goes off.
    assert found.passed.tolist() == [1.0, 4.0]
    assert found.switched.tolist() == [0.0, 2.0 / 3.0]
    assert found.crossed.tolist() == [0.0, 4.0 / 3.0]


def test_equal_samples_are_one_point():
    net, X, y = problem(3)
    path = rw.descend(rw.LayerLoss(net, X, y), "sgd", 20, learning_rate=0.3)
    twice = rw.LayerLoss(net, np.vstack([X, X]), np.concatenate([y, y]))
    again = rw.descend(twice, "sgd", 20, learning_rate=0.3, start=rw.LayerLoss(net, X, y).theta)
    found = exploration(again, start=rw.LayerLoss(net, X, y).theta)
    assert len(found.per_point) == len(exploration(path).per_point) == 40
    assert (found.passed >= found.configurations).all()


def test_deeper_layers_see_their_own_units():
    net, X, y = problem(4)
    path = rw.descend(rw.LayerLoss(net, X, y, layer=1), "adam", 50, learning_rate=0.1)
    found = exploration(path)
    assert (len(found.switches), found.n_units) == (1, 4)
    with pytest.raises(ValueError, match="hidden neurons move"):
        exploration(rw.descend(rw.LayerLoss(net, X, y, layer=2), "sgd", 2))


def test_along_a_walk():
    net, X, y = problem(5)
    traj = rw.walk(rw.LayerLoss(net, X, y), seed=1)
    regions, found = traj.regions(), exploration(traj)
    by_region = [
        np.concatenate([p >= 0 for p in pattern[:-1]], axis=1) for pattern in regions.patterns
    ]
    distinct, switches = seen([list(map(tuple, each.tolist())) for each in by_region])
    assert found.configurations[-1] == pytest.approx(distinct, rel=1e-14)
    np.testing.assert_allclose(np.concatenate(found.switches), switches, rtol=1e-14)
    losses = [traj.problem(point) for point in regions.points]
    np.testing.assert_allclose(found.losses, losses, rtol=1e-9)
    assert len(found.losses) == len(regions)
    assert found.entry(traj.losses[0]) == 0


def test_the_start_has_to_be_that_of_the_path():
    net, X, y = problem(6)
    loss = rw.NetworkLoss(net, X, y)
    begun = loss.theta + 0.1
    path = rw.descend(loss, Sgd(), 10, start=begun)
    assert exploration(path, start=begun).losses[-1] == path.loss
    with pytest.raises(ValueError, match="start: expected the one that the descent began with"):
        exploration(path)
    with pytest.raises(TypeError, match="path"):
        exploration(loss)


def test_a_resumed_and_a_diverged_path_are_made_again(tmp_path):
    net, X, y = problem(7)
    loss = rw.NetworkLoss(net, X, y, block=0)
    short = rw.descend(loss, "adam", 10, batch=8)
    short.save(tmp_path / "path.npz")
    loaded = rw.DescentPath.load(tmp_path / "path.npz")
    path = rw.descend(loaded.problem, gradients=30, resume=loaded)
    assert (
        exploration(path).losses.tolist() == rw.descend(loss, "adam", 30, batch=8).losses.tolist()
    )
    wild = rw.descend(rw.NetworkLoss(net, X, y, "squared"), "sgd", 99, learning_rate=1e4)
    assert wild.ended is rw.Ended.DIVERGED
    assert 1 <= len(exploration(wild).losses) <= len(wild.losses)


def test_limits():
    net, X, y = problem(8)
    path = rw.descend(rw.LayerLoss(net, X, y), "sgd", 10)

    def stop(entries):
        if entries == 4:
            raise StopIteration

    part = exploration(path, callback=stop)
    assert (part.ended, len(part.losses), len(part.passed)) == (rw.Ended.INTERRUPTED, 4, 4)
    short = exploration(path, time_limit=1e-9)
    assert (short.ended, len(short.losses)) == (rw.Ended.TIME_LIMIT, 1)
    assert exploration(path, between=False).passed is None
