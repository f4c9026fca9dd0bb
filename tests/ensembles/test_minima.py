"""Distinct ends, how often each is met, what is unseen, and where walks meet."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binomtest

import reluplex_walk as rw
from reluplex_walk.ensembles.unseen import share_interval, unseen
from reluplex_walk.graphs.walk_graph import walk_keys
from tests.problems.ensembles import LOSS, problem


@pytest.fixture(scope="module")
def found():
    return rw.ensemble(LOSS, 150, step="long")


def test_distinct_ends_are_those_of_exact_points(found):
    """Vertices, against the exact points of walks that are proved one by one."""
    walks = [rw.walk(LOSS, seed=seed, step="long") for seed in range(150)]
    exact = {}
    for traj in walks:
        if traj.certificate.rank == LOSS.n_free:
            exact.setdefault(tuple(traj.certificate.point.ravel().tolist()), []).append(traj)
    minima = found.minima()
    assert minima.vertices.sum() == len(exact) > 20
    for k in np.flatnonzero(minima.vertices):
        group = exact[tuple(minima.certificate(k).point.ravel().tolist())]
        assert minima.counts[k] == len(group)
        assert minima.seeds[k] == group[0].options.seed
        assert minima.thetas[k].tobytes() == group[0].theta.tobytes()
    assert (np.diff(minima.losses) >= 0).all()
    assert minima.counts.sum() == 150


def test_the_frame_of_minima(found):
    frame, rows = found.minima().to_frame(), found.frame()
    counts = rows.groupby("key").size()
    assert frame.set_index("key")["walks"].to_dict() == counts.to_dict()
    assert frame["walks"].sum() == 150


def test_faces_are_one_end():
    """Without samples on one side a neuron is free: its ends lie on a face, each somewhere else."""
    loss = rw.LayerLoss(rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]]), [[1.0]], [1.0])
    found = rw.ensemble(loss, 40)
    minima = found.minima()
    assert not minima.vertices.all()
    assert len(minima) <= 2
    assert (minima.proved).all()
    assert len({row.theta.tobytes() for row in found._rows}) > len(minima)


@pytest.mark.parametrize("n", [1, 7, 300])
def test_intervals_of_shares(n):
    counts = np.unique(np.linspace(1, n, 7).astype(int))
    low, high = share_interval(counts, n)
    for k, a, b in zip(counts, low, high, strict=True):
        exact = binomtest(int(k), n).proportion_ci(0.95, "exact")
        assert (a, b) == pytest.approx((exact.low, exact.high), abs=1e-12)


# Counts, and total, its interval and that of the share, as scikit-bio 0.7 computes them
# (chao1, chao1_ci, esty_ci).
PUBLISHED = [
    ([1] * 35 + [2, 3], 334.5, (135.92694, 931.66275), (0.75128, 0.99872)),
    ([1, 1, 1, 1, 2, 2, 3, 5, 8, 13], 12.0, (10.24990, 26.00619), (0.0, 0.25383)),
    ([1] * 5, 15.0, (6.94622, 56.38155), (0.0, 1.0)),  # 1 - 2 log(20) / 5 instead of 1
    ([1] * 20, 210.0, (100.64676, 467.63112), (0.70043, 1.0)),  # 1 - 2 log(20) / 20
    ([1, 1, 2, 2, 2, 2], 6.2, (6.00981, 10.07844), (0.0, 0.80727)),
    ([4], 1.0, (1.0, 1.28638), (0.0, 0.52713)),  # 1 - 0.05^(1/4) instead of 0
]


@pytest.mark.parametrize(("counts", "total", "interval", "share"), PUBLISHED)
def test_unseen_against_published_formulas(counts, total, interval, share):
    seen = unseen(counts)
    assert seen.total == pytest.approx(total)
    assert (seen.total_low, seen.total_high) == pytest.approx(interval, rel=1e-4)
    assert (seen.share_low, seen.share_high) == pytest.approx(share, abs=1e-4)


def test_intervals_cover_what_they_say():
    """Of the unseen share, over draws from known ends; Chao's total is a lower bound."""
    rng = np.random.default_rng(0)
    inside, totals = [], []
    for _ in range(400):
        p = rng.dirichlet(np.full(60, 0.5))
        draws = rng.choice(60, 100, p=p)
        counts = np.bincount(draws, minlength=60)
        seen = unseen(counts[counts > 0])
        inside.append(seen.share_low <= p[counts == 0].sum() <= seen.share_high)
        totals.append(seen.total)
    assert np.mean(inside) > 0.9
    assert np.median(totals) < 60


def test_levels_are_counted(found):
    counts, edges = found.level_histogram(bins=10)
    assert counts.sum() == 150
    assert (edges[0], edges[-1]) == (found.losses.min(), found.losses.max())


def test_where_walks_meet():
    """The graph of joints against all vertices of all walks."""
    loss = problem((1, 2, 1), 12, 1)
    found = rw.ensemble(loss, 60, keep="trajectories")
    graph, minima = found.graph(), found.minima()
    ends = [k for k, node in graph.nodes(data=True) if node["kind"] == "end"]
    assert ends == list(range(len(minima)))
    assert [graph.nodes[k]["walks"] for k in ends] == minima.counts.tolist()
    came_from, walks = {}, Counter()
    for traj in found.trajectories():
        keys = walk_keys(traj, traj.options.seed)
        vertices = [key for key, vertex in zip(keys, traj.is_vertex, strict=True) if vertex]
        path = [("start", traj.options.seed), *dict.fromkeys(vertices)]
        for before, key in pairwise(key for key in path if key != keys[-1]):
            came_from.setdefault(key, set()).add(before)
            walks[key.hex()] += 1
    expected = {key.hex(): walks[key.hex()] for key, some in came_from.items() if len(some) > 1}
    joints = {n["key"]: n["walks"] for _, n in graph.nodes(data=True) if n["kind"] == "joint"}
    assert joints == expected
    assert len(joints) > 5
    for k, node in graph.nodes(data=True):
        out = sum(data["walks"] for _, _, data in graph.out_edges(k, data=True))
        assert out == (node["walks"] if node["kind"] == "joint" else 0)
        if node["kind"] == "joint":
            assert node["basin"] in ends
            assert node["loss"] >= graph.nodes[node["basin"]]["loss"]


def test_without_trajectories_there_are_ends_alone(found):
    graph = found.graph()
    assert graph.number_of_edges() == 0
    assert sum(node["walks"] for _, node in graph.nodes(data=True)) == 150


@pytest.mark.parametrize("y", [[0.0, 1.0, 0.0, 1.0], [0.0] * 4, [1e8, 1e8, 1e8 + 1, 1e8]])
def test_one_level_and_no_walk(y, tmp_path):
    """Losses that differ by rounding are one level; without walks all tables are empty."""
    loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0], [4.0]], y)
    found = rw.ensemble(loss, 30)
    counts, edges = found.level_histogram()
    assert counts.tolist() == [30]
    assert np.diff(edges)[0] == 1.0
    none = rw.ensemble(loss, 3, time_limit=1e-9)
    assert len(none.frame()) == len(none.minima().to_frame()) == len(none.graph()) == 0
    assert none.to_xarray().sizes["seed"] == 0
    assert (none.statistics()["n"] == 0).all()


def test_losses_apart_by_rounding_are_one_level(found):
    rows = [row._replace(loss=1.0 + k % 3 * 2.0**-52) for k, row in enumerate(found._rows)]
    nearly = replace(found)
    nearly.__dict__["_rows"] = rows
    assert np.ptp(nearly.losses) == 2.0**-51
    assert nearly.level_histogram(8)[0].sum() == 150
    nearly.plot().clear()
