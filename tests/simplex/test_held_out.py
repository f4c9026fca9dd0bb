"""Early stopping: by a callable, and where the loss on held-out data was lowest a while ago."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.simplex import walker as walking
from tests.simplex.test_trajectory import same


def problem(widths=(2, 6, 1), n=60, seed=0, **options):
    """A loss, and data of the same kind that it does not see."""
    rng = np.random.default_rng(seed)
    network = rw.ReLUNetwork.random(
        list(widths), seed=seed, negative_slope=options.pop("leak", 0.0)
    )
    X = rng.normal(size=(2 * n, widths[0]))
    y = np.abs(X[:, :1]) + rng.normal(size=(2 * n, widths[-1]))
    if options.get("kind") == "hinge":
        y = np.where(y > 0.5, 1.0, -1.0)
    weight = rng.integers(0, 4, 2 * n).astype(float)
    loss = rw.LayerLoss(network, X[:n], y[:n], sample_weight=weight[:n], **options)
    return loss, (X[n:], y[n:], weight[n:]), options


CASES = {
    "plain": {},
    "pinball": {"kind": "pinball", "tau": 0.9},
    "hinge": {"kind": "hinge"},
    "outputs": {"widths": (2, 5, 3)},
    "deep": {"widths": (3, 4, 3, 2), "leak": 0.1},
    "upper": {"widths": (2, 5, 4, 1), "layer": 1},
    "last": {"widths": (2, 5, 1), "layer": 1},
}


@pytest.mark.parametrize("case", CASES)
def test_losses_are_those_of_a_loss_of_the_held_out_data(case):
    loss, (X, y, weight), options = problem(**CASES[case])
    traj = rw.walk(loss, stop_when=rw.HeldOut(X, y, patience=10, sample_weight=weight))
    other = rw.LayerLoss(loss.network, X, y, sample_weight=weight, **options)
    told = traj.held_out
    assert told.at.tolist() == list(range(traj.n_pivots + 1))
    expected = [other(theta) for theta in traj.vertices]
    np.testing.assert_allclose(told.losses, expected, rtol=1e-12)
    assert told.best == np.argmin(expected)
    assert told.best_loss == told.losses.min()
    assert (told.best_theta == traj.vertices[told.best]).all()
    inside = told.network.layer_parameters(loss.layer)
    assert (inside == told.best_theta).all()
    if traj.ended is rw.Ended.STOPPED:
        assert traj.n_pivots - told.best == 10
        assert traj.ended.early
        assert traj.status is rw.WalkStatus.STOPPED
        assert not traj.certificate.is_local_minimum
    assert traj.loss <= traj.losses.min()  # theta is the lowest of the loss walked on


@pytest.mark.parametrize("step", ["adjacent", "long"])
@pytest.mark.parametrize("chunk", [None, 3, 7])
def test_the_walk_is_that_of_as_many_pivots(step, chunk, monkeypatch):
    """However many pivots a chunk has: the same vertex, and the same walk up to it."""
    loss, (X, y, _), _ = problem()
    whole = rw.walk(loss, step=step)
    other = rw.LayerLoss(loss.network, X, y)
    losses = [other(theta) for theta in whole.vertices]
    patience = 6
    stop = next(k for k in range(len(losses)) if k - np.argmin(losses[: k + 1]) >= patience)
    assert stop < whole.n_pivots
    if chunk is not None:
        monkeypatch.setattr(walking, "_CHUNK", (chunk, chunk))
    part = rw.walk(loss, step=step, stop_when=rw.HeldOut(X, y, patience=patience))
    assert part.ended is rw.Ended.STOPPED
    assert part.n_pivots == stop
    np.testing.assert_allclose(part.vertices, whole.vertices[: stop + 1], rtol=1e-6, atol=1e-9)
    short = rw.walk(loss, step=step, max_pivots=stop)
    for name in ("vertices", "losses", "basis", "theta", "descending"):
        assert getattr(part, name).tobytes() == getattr(short, name).tobytes()
    assert same(rw.walk(loss, resume=part), rw.walk(loss, step=step))


def test_resumed_it_goes_on(tmp_path):
    loss, (X, y, _), _ = problem()
    held_out = rw.HeldOut(X, y, patience=6)
    traj = rw.walk(loss, stop_when=held_out)
    traj.save(tmp_path / "walk.npz")
    loaded = rw.Trajectory.load(tmp_path / "walk.npz")
    assert loaded.ended is rw.Ended.STOPPED
    for name in ("at", "losses", "best_theta"):
        assert (getattr(loaded.held_out, name) == getattr(traj.held_out, name)).all()
    assert (loaded.held_out.network(X) == traj.held_out.network(X)).all()
    to_end = rw.walk(loss, resume=loaded)
    assert to_end.status.proved
    assert (to_end.held_out.losses == traj.held_out.losses).all()
    further = rw.walk(loss, resume=loaded, stop_when=held_out)
    assert further.n_pivots == traj.n_pivots + 6  # nothing better was found meanwhile
    assert (further.held_out.losses[: len(traj.held_out.losses)] == traj.held_out.losses).all()
    for pivots in (0, 3, traj.n_pivots - 1, traj.n_pivots):
        part = rw.walk(loss, max_pivots=pivots, stop_when=held_out)
        assert part.ended is (rw.Ended.STOPPED if pivots == traj.n_pivots else rw.Ended.WORK_LIMIT)
        if part.ended is rw.Ended.WORK_LIMIT:
            again = rw.walk(loss, resume=part, stop_when=held_out)
            assert same(again, traj)
            assert (again.held_out.losses == traj.held_out.losses).all()


def test_without_it_and_with_patience_walks_are_the_same():
    loss, (X, y, _), _ = problem()
    patient = rw.walk(loss, stop_when=rw.HeldOut(X, y, patience=10**6))
    assert same(patient, rw.walk(loss))
    assert patient.ended is rw.Ended.FINISHED
    assert len(patient.held_out.losses) == patient.n_pivots + 1
    assert rw.walk(loss).held_out is None


def test_many_held_out_samples_are_looked_at_less_often():
    loss, _, options = problem(n=40)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(2000, 2))
    y = np.abs(X[:, 0]) + rng.normal(size=2000)
    traj = rw.walk(loss, stop_when=rw.HeldOut(X, y, patience=15))
    told, other = traj.held_out, rw.LayerLoss(loss.network, X, y, **options)
    assert 1 < told.at[1] <= 25
    assert (np.diff(told.at) == told.at[1]).all()
    np.testing.assert_allclose(told.losses, [other(traj.vertices[k]) for k in told.at])
    if traj.ended is rw.Ended.STOPPED:
        assert 15 <= traj.n_pivots - told.best < 15 + told.at[1]


def test_a_callable_stops_between_chunks():
    loss = rw.LayerLoss(
        rw.ReLUNetwork.random([1, 8, 1], seed=0), *rw.datasets.load_motorcycle()[:2]
    )
    seen = []

    def stop(now):
        seen.append(now)
        assert abs(loss(now.theta) - now.loss) <= 1e-9 * now.loss
        return now.n_pivots >= 200

    traj = rw.walk(loss, stop_when=stop)
    assert traj.ended is rw.Ended.STOPPED
    assert traj.n_pivots == seen[-1].n_pivots >= 200
    assert (seen[-1].theta == traj.vertices[-1]).all()
    assert traj.held_out is None
    assert same(rw.walk(loss, resume=traj), rw.walk(loss))


def test_what_does_not_fit_is_refused():
    loss, (X, y, _), _ = problem(kind="hinge")
    for wrong, words in (
        (rw.HeldOut(X[:, :1], y), "stop_when: X: expected"),
        (rw.HeldOut(X, np.column_stack([y, y])), "stop_when: y: expected"),
        (rw.HeldOut(X, np.zeros(len(y))), "stop_when: y: expected labels"),
    ):
        with pytest.raises(ValueError, match=words):
            rw.walk(loss, stop_when=wrong)
    with pytest.raises(TypeError, match="stop_when: expected a callable"):
        rw.walk(loss, stop_when=3)
    with pytest.raises(ValueError, match="patience"):
        rw.HeldOut(X, y, patience=0)
    with pytest.raises(ValueError, match="X"):
        rw.HeldOut(X[:0], y[:0])
