"""Regions: counting formulas, characteristic polynomials, exact brute force, walks."""

import signal
from fractions import Fraction
from itertools import combinations, pairwise
from math import comb

import networkx as nx
import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.regions import enumeration
from tests.problems.random import random_loss
from tests.references.arrangements import brute_force, characteristic


def check(regions):
    """What must hold of every enumeration, checked by LayerLoss alone."""
    loss = regions.problem
    assert regions.n_cells == len(np.unique(regions.patterns, axis=0))
    step = max(1, regions.n_cells // 60)
    for k in range(0, regions.n_cells, step):
        theta = regions.points[k]
        assert loss(theta) == pytest.approx(
            (regions.gradients[k] * theta).sum() + regions.offsets[k], rel=1e-8, abs=1e-8
        )
        scale = 1.0 + np.abs(regions.gradients).max()
        np.testing.assert_allclose(loss.gradient(theta), regions.gradients[k], atol=1e-9 * scale)
        assert loss(regions.minimizers[k]) == pytest.approx(regions.lowest[k], rel=1e-8, abs=1e-8)
        np.testing.assert_array_equal(
            np.unpackbits(regions.patterns[k])[: len(ids_signs(regions, k))], ids_signs(regions, k)
        )
    if regions.complete:
        assert (regions.neighbours >= 0).all()
        # Every facet is seen from both sides.
        seen = set(zip(regions.facets[:, 0], regions.neighbours, strict=True))
        assert all((b, a) in seen for a, b in seen)


def ids_signs(regions, k):
    """The pattern of region k in the order of breakpoint ids, from its point."""
    loss = regions.problem
    signs = [part > 0 for part in regions.pattern(k)]
    hidden = [part[loss.sample_rows].T.ravel() for part in signs[:-1]]
    return np.concatenate([*hidden, signs[-1][loss.residual_rows].T.ravel()])


@pytest.mark.parametrize(
    ("p", "k", "n"), [(1, 1, 9), (1, 2, 7), (1, 3, 4), (2, 1, 9), (2, 2, 5), (3, 1, 8), (4, 1, 8)]
)
def test_cover_counts(p, k, n):
    # Targets so high that no residual vanishes in the box: only the first layer cuts.
    rng = np.random.default_rng(p + 10 * k)
    loss = rw.LayerLoss(
        rw.ReLUNetwork.random([p, k, 1], seed=0), rng.normal(size=(n, p)), np.full(n, 1e4)
    )
    regions = rw.enumerate_regions(loss, box=1.0)
    cover = 2 * sum(comb(n - 1, i) for i in range(p + 1))
    assert regions.n_cells == cover**k
    assert regions.complete
    check(regions)


@pytest.mark.parametrize(("p", "n"), [(1, 12), (2, 9), (3, 8), (4, 7), (3, 2), (2, 1)])
def test_simple_arrangements(p, n):
    regions = rw.enumerate_regions(random_loss([p, 1], n, p))
    d = min(p + 1, n)  # fewer samples than parameters: that many coordinate hyperplanes
    assert regions.n_cells == sum(comb(n, i) for i in range(d + 1))
    assert regions.bounded.sum() == (comb(n - 1, d) if n > p else 0)
    assert len(regions.edges) == n * sum(comb(n - 1, i) for i in range(d))
    assert regions.n_pieces == regions.n_cells
    assert regions.complete
    check(regions)


SPECIAL = {
    "collinear": (np.array([[0, 0], [1, 1], [2, 2], [3, 3], [0, 1], [1, 0]]), [0, 1, 0, 2, 1, 3]),
    "repeated": (np.array([[0.0], [0], [1], [1], [2], [2], [3]]), [0, 1, 0, 2, 1, 3, 1]),
    "grid": (np.array([[i, j] for i in range(3) for j in range(3)]), [0, 1, 0, 1, 1, 0, 0, 0, 1]),
    "concurrent": (np.array([[0.0], [1], [2], [3], [5]]), [0, 1, 2, 3, 5]),
    "all in one point": (np.array([[i, j] for i in range(3) for j in range(2)]), [0] * 6),
    "tenths": (np.array([[0.1, 0.1], [0.2, 0.2], [0.4, 0.4], [0.3, 0.7]]), [0.1, 0.2, 0.4, 0]),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_position_against_the_characteristic_polynomial(name):
    X, y = SPECIAL[name]
    q = X.shape[1] + 1
    loss = rw.LayerLoss(rw.ReLUNetwork.random([q - 1, 1]), X, y)
    regions = rw.enumerate_regions(loss)
    rows = [[Fraction(float(v)) for v in [*x, 1.0]] for x in X]
    levels = [Fraction(float(v)) for v in y]
    assert (regions.n_cells, regions.bounded.sum()) == characteristic(rows, levels)
    assert regions.complete
    check(regions)
    # The same points as inputs of one neuron: central hyperplanes, merged if equal.
    far = rw.LayerLoss(rw.ReLUNetwork.random([q - 1, 1, 1], seed=1), X, np.full(len(y), 1e4))
    unique = [list(row) for row in {tuple(row) for row in rows}]
    central = rw.enumerate_regions(far, box=1.0)
    assert central.n_cells == characteristic(unique, [Fraction(0)] * len(unique))[0]
    check(central)


def test_near_degeneracy_is_settled_exactly():
    # Three lines through (1, 0), the third moved by less than floating point can be sure of.
    for shift, expected in ((0.0, 6), (1e-11, 7), (-1e-10, 7)):
        X, y = np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 1.0, 2.0 + shift])
        loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), X, y)
        assert rw.enumerate_regions(loss).n_cells == expected
        assert rw.enumerate_regions(loss, box=5.0).n_cells == expected


DEEP = [
    ([1, 1, 1], (30, 7, 7, 7, 7), {}),
    ([1, 1, 2, 1], (9, 4, 4, 4, 4), {}),
    ([2, 1, 1], (5, 3, 3, 3, 3), {"negative_slope": 0.2}),
    ([2, 1, 2, 1], (4, 2, 2, 2, 2), {}),
    ([1, 1, 2], (9, 5, 5, 5, 5), {"kind": "hinge"}),
    ([2, 2, 1], (8, 5, 5, 5, 5), {"layer": 1}),
]
"""Thirty problems of up to 486 cells: (widths, n of each, options)."""


@pytest.mark.parametrize("case", range(len(DEEP)))
def test_deep_breakpoints_against_exact_feasibility(case):
    widths, sizes, options = DEEP[case]
    for seed, n in enumerate(sizes):
        loss = random_loss(widths, n, 10 * case + seed, **options)
        regions = rw.enumerate_regions(loss)
        assert {tuple(ids_signs(regions, k)) for k in range(len(regions))} == brute_force(loss)
        check(regions)


@pytest.mark.parametrize("seed", range(4))
def test_deep_degenerate_arrangements(seed):
    # Small integers everywhere: coincident, concurrent and constant breakpoints.
    rng = np.random.default_rng(seed)
    widths = [1, 1, 2, 1]
    weights = [rng.integers(-2, 3, (b, a)) for a, b in pairwise(widths)]
    biases = [rng.integers(-1, 2, b) for b in widths[1:]]
    X, y = rng.integers(-2, 3, (5, 1)), rng.integers(-2, 3, 5)
    loss = rw.LayerLoss(rw.ReLUNetwork(weights, biases), X, y)
    regions = rw.enumerate_regions(loss)
    assert {tuple(ids_signs(regions, k)) for k in range(len(regions))} == brute_force(loss)
    check(regions)


@pytest.mark.parametrize(
    ("widths", "n", "options"),
    [
        ([1, 2, 1], 7, {}),
        ([1, 2, 1], 7, {"kind": "hinge"}),
        ([1, 1, 2, 1], 6, {"negative_slope": 0.1}),
        ([2, 1, 1], 8, {"kind": "pinball", "tau": 0.8}),
        ([2, 2, 1], 4, {}),
    ],
)
def test_local_minima_are_where_walks_end(widths, n, options):
    loss = random_loss(widths, n, 5, **options)
    regions = rw.enumerate_regions(loss)
    check(regions)
    minima = regions.local_minima()
    levels = np.array([minimum.loss for minimum in minima])
    for minimum in minima:
        rng = np.random.default_rng(0)
        for d in rng.normal(size=(200, *loss.shape)):
            assert loss.directional_derivative(minimum.theta, d, zero=1e-9) > -1e-8
    ends = [rw.walk(loss, loss.random_start(seed, 10.0), step="long") for seed in range(60)]
    for end in ends:
        assert np.abs(levels - end.loss).min() < 1e-9 * (1 + end.loss)
    assert regions.minimum().loss == pytest.approx(levels.min(), abs=1e-12)
    assert min(end.loss for end in ends) >= levels.min() - 1e-9


def test_pieces_merge_neighbours_without_a_kink():
    # One sample, hinge: the loss bends at most twice, the hidden neuron's kink is in the flat part.
    network = rw.ReLUNetwork([[[0.0]], [[1.0]]], [[0.0], [2.0]])
    loss = rw.LayerLoss(network, [[1.0]], [1.0], kind="hinge")  # f >= 2 > 1: loss 0 everywhere
    regions = rw.enumerate_regions(loss)
    assert (regions.n_cells, regions.n_pieces) == (2, 1)


def test_graph():
    regions = rw.enumerate_regions(random_loss([1, 2, 1], 4, 0))
    graph = regions.graph()
    assert isinstance(graph, nx.Graph)
    assert nx.is_connected(graph)
    assert graph.number_of_nodes() == regions.n_cells
    assert graph.number_of_edges() == len(regions.edges)
    a, b, data = next(iter(graph.edges(data=True)))
    layer, sample, neuron = map(int, data["breakpoint"].split(":"))
    pa, pb = regions.pattern(a), regions.pattern(b)
    assert pa[layer][sample, neuron] == -pb[layer][sample, neuron]


def test_boxes_cut_the_same_regions():
    loss = random_loss([1, 2, 1], 5, 1)
    everything = rw.enumerate_regions(loss)
    box = rw.enumerate_regions(loss, box=2.0)
    assert {p.tobytes() for p in box.patterns} <= {p.tobytes() for p in everything.patterns}
    assert box.bounded.all()
    assert (np.abs(box.points) < 2.0).all()
    inside = {k for k in range(len(everything)) if (np.abs(everything.points[k]) < 2.0).all()}
    assert len(box) >= len(inside)
    check(box)
    best = rw.global_minimum(loss, 2.0)
    assert box.minimum().loss == pytest.approx(best.loss, rel=1e-9)


def test_units_do_not_matter():
    loss = random_loss([1, 2, 1], 5, 2)
    X = 1.6e9 + 2.0**20 * np.round(loss.X * 64) / 64  # a time stamp, exactly
    moved = rw.LayerLoss(loss.network, X, loss.y)
    plain = rw.LayerLoss(loss.network, np.round(loss.X * 64) / 64, loss.y)
    a, b = rw.enumerate_regions(moved), rw.enumerate_regions(plain)
    assert (a.n_cells, a.bounded.sum(), len(a.edges)) == (b.n_cells, b.bounded.sum(), len(b.edges))
    assert a.minimum().loss == pytest.approx(b.minimum().loss, rel=1e-6)


def test_limits_give_valid_parts():
    loss = random_loss([2, 2, 1], 6, 0)
    part = rw.enumerate_regions(loss, max_regions=1500)
    assert (len(part), part.complete, part.message) == (1500, False, "stopped at max_regions")
    check(part)
    part = rw.enumerate_regions(loss, time_limit=1e-6)
    assert not part.complete
    assert 0 < len(part) < 7840

    def stop(progress):
        assert progress.estimate >= progress.n_cells > 0
        raise KeyboardInterrupt

    part = rw.enumerate_regions(loss, callback=stop)
    assert (part.complete, part.message) == (False, "interrupted")
    check(part)


def same(a, b):
    """Whether two results agree bit for bit, in the order too."""
    arrays = [name for name, value in vars(a).items() if isinstance(value, np.ndarray)]
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays)


@pytest.mark.parametrize(
    ("widths", "n", "box", "options"),
    [
        ([2, 2, 1], 5, None, {}),
        ([1, 2, 2, 1], 5, 2.0, {"negative_slope": 0.1}),
        ([1, 1], 4, None, {}),
        ([1, 1], 3, 1e-6, {}),  # one region
    ],
)
def test_threads_change_nothing(widths, n, box, options):
    loss = random_loss(widths, n, 0, **options)
    one = rw.enumerate_regions(loss, box)
    check(one)
    for threads in (2, 5):
        several = rw.enumerate_regions(loss, box, threads=threads)
        assert same(one, several)
        assert several.complete
    for most in (1, len(one) // 2, len(one) - 1, len(one)):
        if most == 0:
            continue
        parts = [rw.enumerate_regions(loss, box, most, threads=threads) for threads in (1, 3)]
        assert same(*parts)
        assert np.array_equal(parts[0].patterns, one.patterns[:most])
        assert parts[0].complete == parts[1].complete == (most == len(one))


def test_limits_with_threads(monkeypatch):
    loss = random_loss([2, 2, 1], 7, 0)  # 20,000 regions: more than a chunk for each thread
    part = rw.enumerate_regions(loss, time_limit=1e-6, threads=2)
    assert (part.complete, part.message) == (False, "stopped at time_limit")
    check(part)

    def interrupt(progress):
        signal.raise_signal(signal.SIGINT)  # Ctrl-C

    for threads in (1, 2):
        part = rw.enumerate_regions(loss, callback=interrupt, threads=threads)
        assert (part.complete, part.message) == (False, "interrupted")
        assert len(part) > 0
        check(part)

    def fail(progress):
        raise RuntimeError("of the callback")

    with pytest.raises(RuntimeError, match="of the callback"):
        rw.enumerate_regions(loss, callback=fail, threads=2)

    def no_room(kernel, subdivision, root, settle):
        raise MemoryError

    monkeypatch.setattr("reluplex_walk.regions.threads.subdivide", no_room)
    with pytest.raises(MemoryError):  # of a thread
        rw.enumerate_regions(loss, threads=2)


def test_bad_input(monkeypatch):
    loss = random_loss([1, 2, 1], 5, 0)
    with pytest.raises(TypeError, match="loss: expected a LayerLoss"):
        rw.enumerate_regions(1.0)
    with pytest.raises(ValueError, match="max_regions: expected an integer >= 1"):
        rw.enumerate_regions(loss, max_regions=0)
    with pytest.raises(ValueError, match="time_limit: expected a number > 0"):
        rw.enumerate_regions(loss, time_limit=-1.0)
    with pytest.raises(TypeError, match="callback: expected a callable"):
        rw.enumerate_regions(loss, callback=3)
    with pytest.raises(ValueError, match="threads: expected an integer >= 1"):
        rw.enumerate_regions(loss, threads=0)
    with pytest.raises(ValueError, match="box: expected lower <= upper"):
        rw.enumerate_regions(loss, box=(1.0, 0.0))
    with pytest.raises(ValueError, match="box: expected lower < upper everywhere"):
        rw.enumerate_regions(loss, box=(1.0, 1.0))
    with pytest.raises(ValueError, match=r"at most 12 .* found 25: about 10\^28 regions .* 2\^25"):
        rw.enumerate_regions(random_loss([4, 5, 4, 2, 1], 50, 0))
    monkeypatch.setattr(enumeration, "_HOPELESS", 1000)
    with pytest.raises(ValueError, match=r"about .* regions expected, too many to enumerate"):
        rw.enumerate_regions(random_loss([2, 2, 1], 6, 0))
    assert not rw.enumerate_regions(random_loss([2, 2, 1], 6, 0), max_regions=10).complete


def test_the_estimate_is_of_the_right_size():
    seen = []
    loss = random_loss([2, 2, 1], 6, 0)
    regions = rw.enumerate_regions(loss, callback=lambda progress: seen.append(progress.estimate))
    assert 0.5 < seen[0] / regions.n_cells < 2.0


def test_combinations_of_hyperplanes_meet_in_vertices():
    # binom(n, d) vertices of a simple arrangement, all of them corners of regions.
    n, d = 7, 2
    loss = random_loss([1, 1], n, 4)
    rows = np.column_stack([loss.X, np.ones(n)])
    corners = [
        np.linalg.solve(rows[list(c)], loss.y[list(c), 0]) for c in combinations(range(n), d)
    ]
    best = min(loss(corner) for corner in corners)
    assert rw.enumerate_regions(loss).minimum().loss == pytest.approx(best, rel=1e-12)
