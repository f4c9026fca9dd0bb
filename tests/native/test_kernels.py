"""Kernels against NumPy and the naive reference: values, gradients, edges, prices, steps."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.native import _jit, nearby, walk as native
from reluplex_walk.native.arrays import FREE, LOSS, N_NEAR, N_QUEUE, N_TIED
from reluplex_walk.native.factorise import normals
from reluplex_walk.native.refresh import new_state, place, refresh, values
from reluplex_walk.native.walk import new_record
from reluplex_walk.proof import directional
from tests.problems.random import VARIANTS, random_loss, variant
from tests.references.naive import breakpoint_gradient, half_edges, region_at

CASES = range(len(VARIANTS))


def walked(loss, pivots, long_step=False, seed=1, fresh=True):
    """A state some pivots from a random start."""
    state, record = new_state(loss.kernel), new_record(max(pivots, 1), loss.dim)
    place(loss.kernel, state, loss.random_start(seed).ravel())
    refresh(loss.kernel, state, rw.TOLERANCES)
    if pivots:
        native.run(loss.kernel, state, native.STEEPEST, long_step, 0.1, 0, 0, pivots, record)
        if fresh:
            refresh(loss.kernel, state, rw.TOLERANCES)
    return state


def pattern_of(loss, state):
    """The state's region as LayerLoss patterns (for data without repeated inputs)."""
    rows = loss.kernel.row
    hidden = [state.side[rows[t] : rows[t + 1]].T for t in range(loss.n_hidden)]
    residual = np.zeros(loss.y.shape)
    residual[loss.residual_rows] = state.side_r.T
    return [np.asarray(p, np.int8) for p in (*hidden, residual)]


@pytest.mark.parametrize("case", CASES)
def test_start_agrees_with_numpy(case):
    loss = variant(case, seed=3)
    state = walked(loss, 0)
    theta = state.theta.reshape(loss.shape)
    expected = loss.breakpoints(theta)
    for t in range(loss.n_hidden):
        rows = slice(loss.kernel.row[t], loss.kernel.row[t + 1])
        np.testing.assert_allclose(state.z[rows].T, expected[t], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(state.r.T, expected[-1][loss.residual_rows], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(state.g.reshape(loss.shape), loss.gradient(theta), atol=1e-11)
    assert state.scalar[LOSS] == pytest.approx(loss(theta), rel=1e-13)


@pytest.mark.parametrize("long_step", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_tracked_state_agrees_with_recomputed_one(case, long_step):
    # 30 pivots of incremental updates against a computation from scratch.
    loss = variant(case, seed=3)
    state = walked(loss, 30, long_step, fresh=False)
    tracked = [np.array(state.g), np.array(state.b), float(state.scalar[LOSS])]
    refresh(loss.kernel, state, rw.TOLERANCES)
    assert tracked[2] == pytest.approx(state.scalar[LOSS], rel=1e-10)
    np.testing.assert_allclose(tracked[0], state.g, atol=1e-9 * np.abs(state.g).max() + 1e-12)
    active = state.basis != FREE
    if active.all():
        np.testing.assert_allclose(tracked[1], state.b, atol=1e-8 * np.abs(state.b).max())
    assert state.scalar[LOSS] == pytest.approx(loss(state.theta), rel=1e-12)
    pattern = pattern_of(loss, state)
    np.testing.assert_allclose(
        state.g.reshape(loss.shape), loss.gradient(state.theta, pattern), atol=1e-10
    )


@pytest.mark.parametrize("case", CASES)
def test_edges_and_prices_against_reference(case):
    loss = variant(case, seed=3)
    for pivots in (2, 25):
        state = walked(loss, pivots)
        if state.number[N_TIED]:
            continue
        rows = np.flatnonzero(state.basis != FREE)
        active = loss.locate(state.basis[rows])
        pattern = pattern_of(loss, state)
        expected = np.array(
            [pattern[a][i, j] * breakpoint_gradient(loss, pattern, a, i, j) for a, i, j in active]
        )
        computed = np.zeros((len(rows), loss.dim))
        normals(loss.kernel, state, state.basis[rows], computed)
        np.testing.assert_allclose(computed, expected, atol=1e-12)
        np.testing.assert_allclose(computed @ state.b[rows].T, np.eye(len(rows)), atol=1e-9)
        free = state.b[state.basis == FREE]
        np.testing.assert_allclose(computed @ free.T, 0.0, atol=1e-10)

        native.prices(loss.kernel, state)
        edges = np.zeros((2 * len(rows), loss.dim))
        native.half_edges(loss.kernel, state, rows, edges)
        np.testing.assert_allclose(edges, half_edges(loss, pattern, active), atol=1e-8)
        slopes = [loss.directional_derivative(state.theta, edge) for edge in edges]
        if (state.basis != FREE).all():
            priced = np.concatenate([state.price[rows], state.far[rows]])
            np.testing.assert_allclose(priced, slopes, rtol=1e-8, atol=1e-8)
        lengths = np.concatenate([state.length[rows, 0], state.length[rows, 1]])
        np.testing.assert_allclose(lengths, np.linalg.norm(edges, axis=1), rtol=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_local_model_is_the_directional_derivative(case):
    loss = variant(case, seed=3)
    state = walked(loss, 25)
    model = directional.local_model(loss.kernel, state)
    d = np.random.default_rng(0).normal(size=(6, *loss.shape))
    slopes, gradients = directional.derivative(model, d)
    for k in range(6):
        expected = loss.directional_derivative(state.theta, d[k])
        assert slopes[k] == pytest.approx(expected, rel=1e-9, abs=1e-9)
        assert (gradients[k] * d[k]).sum() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_region_of_the_reference_has_no_zeros():
    loss = variant(0, seed=3)
    state = walked(loss, 20)
    active = loss.locate(state.basis[state.basis != FREE])
    assert len(active)
    region = region_at(loss, state.theta, active)
    assert all((p != 0).all() for p in region)


def test_values_in_a_region_are_its_affine_map():
    loss = variant(4, seed=0)
    state = walked(loss, 0)
    origin = np.array(state.theta)
    z0, r0 = np.array(state.z), np.array(state.r)
    d = loss.random_start(7).ravel()
    results = []
    for t in (1.0, 2.0):
        state.theta[:] = origin + t * d
        values(loss.kernel, state, False)
        results.append((np.array(state.z) - z0, np.array(state.r) - r0))
    np.testing.assert_allclose(results[1][0], 2 * results[0][0], atol=1e-11)
    np.testing.assert_allclose(results[1][1], 2 * results[0][1], atol=1e-11)


@pytest.mark.parametrize("step", ["adjacent", "long"])
@pytest.mark.parametrize("case", CASES)
def test_bounds_change_nothing(case, step, monkeypatch):
    # The bounds only pass over samples that cannot be met: the walk is the same, to rounding.
    loss = variant(case, seed=3)
    walks = []
    for bounds in (True, False):
        monkeypatch.setattr(nearby, "bounds_pay", lambda *_, bounds=bounds: bounds)
        walks.append(rw.walk(loss, step=step, seed=1, max_pivots=60))
    # A degenerate vertex is left by random search, which rounding may lead elsewhere.
    simple = min(int(np.append(walk.steps.tied > 0, True).argmax()) for walk in walks)
    assert simple >= 4
    for name in ("vertices", "losses", "basis"):
        with_bounds, without = (getattr(walk, name)[: simple + 1] for walk in walks)
        np.testing.assert_allclose(with_bounds, without, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_no_value_vanishes_before_its_bound(case, monkeypatch):
    # Straight moves within the region of a state against the path length promised for each sample.
    monkeypatch.setattr(nearby, "bounds_pay", lambda *_: True)
    loss = variant(case, seed=3)
    state = walked(loss, 3)
    region, origin, keys = pattern_of(loss, state), np.array(state.theta), np.array(state.key)
    queued = state.queue[: state.number[N_QUEUE]]
    near = state.near[: state.number[N_NEAR]]
    assert sorted([*queued, *near]) == list(range(keys.size))
    assert queued.size >= keys.size // 2
    rng = np.random.default_rng(0)
    for length in np.quantile(keys[queued], [0.0, 0.3, 0.6, 0.9]):
        safe = keys > length
        for d in rng.normal(size=(20, origin.size)):
            theta = (origin + length * d / np.linalg.norm(d)).reshape(loss.shape)
            *hidden, residual = loss.breakpoints(theta)
            for stage, side in zip(hidden, region, strict=False):
                assert (stage * side > -1e-13)[safe].all()
            assert (residual * region[-1] > 0)[safe[loss.kernel.owner]].all()


def test_walk_with_bounds_resumes_bit_for_bit(monkeypatch):
    monkeypatch.setattr(nearby, "bounds_pay", lambda *_: True)
    loss = random_loss([4, 5, 4, 2, 1], 200, seed=0)
    whole = rw.walk(loss, seed=1, max_pivots=600)
    part = rw.walk(loss, seed=1, max_pivots=333)
    resumed = rw.walk(loss, resume=part, max_pivots=600)
    np.testing.assert_array_equal(resumed.vertices, whole.vertices)
    np.testing.assert_array_equal(resumed.losses, whole.losses)


def test_any_edit_of_a_kernel_changes_the_cache_folder(tmp_path):
    assert _jit.source_hash() in _jit.CACHE_FOLDER
    folder = tmp_path / "native"
    (folder / "inner").mkdir(parents=True)
    (folder / "outer.py").write_text("a = 1\n")
    (folder / "inner" / "inner.py").write_text("b = 1\n")
    before = _jit.source_hash(folder)
    (folder / "inner" / "__pycache__").mkdir()  # what Python leaves there is no source
    (folder / "inner" / "__pycache__" / "inner.pyc").write_bytes(b"b")
    assert _jit.source_hash(folder) == before
    assert _jit.source_hash(folder.rename(tmp_path / "elsewhere")) == before
    folder = tmp_path / "elsewhere"
    (folder / "inner" / "inner.py").write_text("b = 2\n")
    edited = _jit.source_hash(folder)
    (folder / "inner" / "inner.py").rename(folder / "inner.py")
    moved = _jit.source_hash(folder)
    assert len({before, edited, moved}) == 3
