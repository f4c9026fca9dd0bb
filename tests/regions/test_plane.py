"""Slices: areas, values, edges; against the formula for lines in a plane and dense evaluation."""

import matplotlib
import numpy as np
import pytest

import reluplex_walk as rw
from tests.problems.random import VARIANTS, random_loss, variant

matplotlib.use("Agg")


def random_slice(loss, seed, extent):
    rng = np.random.default_rng(seed)
    u, v = rng.normal(size=(2, *loss.shape))
    return rw.slice(loss, loss.random_start(seed), u, v, extent)


def check(cut, points=40):
    """Areas, convexity, values, and that polygons agree where they meet."""
    loss = cut.problem
    low_s, high_s, low_t, high_t = cut.extent
    window = (high_s - low_s) * (high_t - low_t)
    assert abs(cut.areas.sum() - window) <= 1e-9 * window
    assert (cut.areas > 0).all()
    rng = np.random.default_rng(0)
    for k in rng.integers(len(cut), size=points):
        corners = cut.polygon(k)
        sides = np.roll(corners, -1, axis=0) - corners
        turns = sides[:, 0] * np.roll(sides[:, 1], -1) - sides[:, 1] * np.roll(sides[:, 0], -1)
        assert (turns > -1e-12).all()
        at = rng.dirichlet(np.ones(len(corners))) @ corners  # anywhere in the polygon
        value = cut.gradients[k] @ at + cut.offsets[k]
        assert loss(cut.theta(*at)) == pytest.approx(value, rel=1e-9, abs=1e-9)
    # Corners that coincide: all polygons around say the same loss, the one of LayerLoss.
    order = np.lexsort(np.round(cut.corners, 9).T)
    same = np.abs(np.diff(cut.corners[order], axis=0)).max(axis=1) < 1e-10
    losses = cut.losses[order]
    assert np.abs(np.diff(losses)[same]).max(initial=0.0) < 1e-7 * (1 + losses.max())
    # In the middle of a side two polygons meet (one on the border of the window) and agree.
    starts = np.concatenate([[0], cut.ends[:-1]])
    following = np.arange(len(cut.corners)) + 1
    following[cut.ends - 1] = starts
    sides = cut.corners[following] - cut.corners
    length = np.linalg.norm(sides, axis=1)
    noise = length < 1e-8 * (high_s - low_s)  # lines all but concurrent: no direction
    clear = np.repeat(~np.logical_or.reduceat(noise, starts), np.diff(cut.ends, prepend=0))
    for k in rng.integers(len(cut.corners), size=points):
        if not clear[k]:
            continue
        at = cut.corners[k] + sides[k] / 2
        s, t = (at - cut.corners).T
        left = (sides[:, 0] * t - sides[:, 1] * s) / np.maximum(length, 1e-300)
        around = np.flatnonzero(np.minimum.reduceat(left, starts) > -1e-10)
        border = min(
            abs(at[0] - low_s), abs(high_s - at[0]), abs(at[1] - low_t), abs(high_t - at[1])
        )
        assert len(around) >= (1 if border < 1e-9 or noise.any() else 2)
        values = cut.gradients[around] @ at + cut.offsets[around]
        assert np.ptp(values) < 1e-8 * (1 + values.max())
    for k in rng.integers(len(cut.corners), size=points):
        theta = cut.theta(*cut.corners[k])
        assert loss(theta) == pytest.approx(cut.losses[k], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("case", range(len(VARIANTS)))
def test_slices_of_all_kinds(case):
    cut = random_slice(variant(case, 1), case, 1.0)
    assert len(cut) > 1
    check(cut)


def test_lines_in_a_plane():
    # LAD with a weight and a bias: the slice is the whole problem, the regions are counted.
    n = 9
    loss = random_loss([1, 1], n, 0)
    cut = rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], extent=1e4)
    assert len(cut) == 1 + n + n * (n - 1) // 2
    check(cut)
    assert len(np.unique(cut.patterns, axis=0)) == len(cut)


def test_degenerate_planes():
    # Through the zero network all first-layer breakpoints of a neuron meet in one point.
    loss = random_loss([2, 3, 1], 12, 0)
    rng = np.random.default_rng(0)
    u, v = rng.normal(size=(2, *loss.shape))
    cut = rw.slice(loss, np.zeros(loss.shape), u, v, (-1.0, 2.0, -0.5, 0.5))
    check(cut)
    # A plane on which a whole neuron stays 0.
    u[0], v[0] = 0.0, 0.0
    check(rw.slice(loss, np.zeros(loss.shape), u, v, 1.0))


@pytest.mark.parametrize("extent", [0.1, 1e-3, 1e-6])
def test_slices_through_the_end_of_a_walk(extent):
    # All that vanishes there does so up to rounding: many lines of the plane, almost concurrent.
    for case, seed in ((4, 3), (9, 0), (0, 0), (5, 1)):
        loss = variant(case, seed)
        u, v = np.random.default_rng(seed).normal(size=(2, *loss.shape))
        check(rw.slice(loss, rw.walk(loss, seed=seed).theta, u, v, extent))


# Where a walk on variant(9, 3) stopped in a crowd: one neuron is 0 but for rounding.  Written down,
# since the last digits of walks are not those of every processor.
CROWDED = [
    [
        -7.391589377027353e-17,
        -1.2013372022286545e-16,
        -1.4955315840378556e-18,
        6.083610888420142e-17,
        1.2371882015638276e-16,
    ],
    [
        0.28513891723642826,
        -0.4648457881822059,
        -1.5244659425791773,
        1.1468231877515949,
        -3.1668031708297315,
    ],
    [
        -0.41980315910165283,
        -0.23735890963543693,
        -0.6259873365630466,
        -0.014253464876448426,
        1.0235465121747847,
    ],
    [
        -0.1697750396906508,
        -0.2694842224899905,
        1.2024657575411963,
        -0.35121571551658615,
        -1.087458025778622,
    ],
    [
        -4.287748139167779,
        2.7323097047643508,
        -1.3623122585375922,
        -0.9230232884512273,
        2.3310330878457366,
    ],
]


def test_a_slice_covers_its_window_or_is_refused():
    loss = variant(9, 3)
    u, v = np.random.default_rng(3).normal(size=(2, *loss.shape))
    check(rw.slice(loss, CROWDED, u, v, 0.1))
    with pytest.raises(ArithmeticError, match="doubles do not tell its polygons apart"):
        rw.slice(loss, CROWDED, u, v, 1e-6)


def test_large_slice():
    loss = random_loss([4, 5, 4, 2, 1], 500, 0)
    cut = random_slice(loss, 0, 0.02)
    assert len(cut) > 1000
    check(cut)


def test_slice_through():
    loss = random_loss([2, 3, 1], 15, 0)
    points = [loss.random_start(seed) for seed in range(3)]
    cut = rw.slice_through(loss, *points)
    check(cut)
    assert (cut.u * cut.v).sum() == pytest.approx(0.0, abs=1e-12)
    at, distance = cut.project(np.array(points))
    assert distance.max() < 1e-12
    np.testing.assert_allclose(at[0], 0.0, atol=1e-12)
    assert np.linalg.norm(at[1]) == pytest.approx(np.linalg.norm(points[1] - points[0]))
    inside = (at > np.array(cut.extent[::2])) & (at < np.array(cut.extent[1::2]))
    assert inside.all()
    assert cut.theta(*at[2]) == pytest.approx(points[2])


def test_plot_tells_points_on_the_plane_from_projected_ones():
    loss = random_loss([1, 2, 1], 8, 0)
    traj = rw.walk(loss, seed=0)
    assert len(traj.vertices) >= 3
    ends = traj.vertices[[0, len(traj.vertices) // 2, -1]]
    cut = rw.slice_through(loss, *ends)
    ax = cut.plot(traj)
    drawn = {line.get_label(): len(line.get_xdata()) for line in ax.lines}
    assert drawn["on the plane"] >= 3
    assert drawn["on the plane"] + drawn["projected"] == len(traj.vertices)
    # Level lines lie where the loss has that level.
    contours = next(c for c in ax.collections if not getattr(c, "filled", True))
    seen = 0
    for level, path in zip(contours.levels, contours.get_paths(), strict=True):
        for s, t in path.vertices[:20]:
            assert loss(cut.theta(s, t)) == pytest.approx(level, rel=1e-6)
            seen += 1
    assert seen > 10


def test_bad_input():
    loss = random_loss([1, 2, 1], 5, 0)
    zero, u = np.zeros(4), np.array([1.0, 0.0, 2.0, 0.0])
    with pytest.raises(ValueError, match="found parallel ones"):
        rw.slice(loss, zero, u, -3 * u)
    with pytest.raises(ValueError, match="found parallel ones"):
        rw.slice(loss, zero, u, zero)
    with pytest.raises(ValueError, match=r"u: expected an array of shape \(2, 2\) or \(4,\)"):
        rw.slice(loss, zero, u[:3], u)
    with pytest.raises(ValueError, match=r"extent: expected .* with min < max"):
        rw.slice(loss, zero, u, np.ones(4), extent=0.0)
    with pytest.raises(ValueError, match="extent: expected a number > 0 or"):
        rw.slice(loss, zero, u, np.ones(4), extent=(1.0, 2.0))
    with pytest.raises(ValueError, match="max_polygons: more than 3 polygons"):
        rw.slice(loss, zero, u, np.ones(4), max_polygons=3)
    with pytest.raises(ValueError, match="three points that span a plane"):
        rw.slice_through(loss, zero, u, 2 * u)
    with pytest.raises(ValueError, match="three points that span a plane"):
        rw.slice_through(loss, zero, zero, u)
    with pytest.raises(ValueError, match="margin: expected a number > 0"):
        rw.slice_through(loss, zero, u, np.ones(4), margin=0.0)
    with pytest.raises(TypeError, match="loss: expected a LayerLoss"):
        rw.slice(3, zero, u, u)
