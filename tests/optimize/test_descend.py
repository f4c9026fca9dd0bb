"""descend: what gradients are charged, mini-batches, resuming, and the gap to a minimum."""

import signal
from fractions import Fraction

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.optimize.methods import Momentum
from reluplex_walk.optimize.objective import Objective
from tests.problems.descents import LOSSES, Recording, equal, whole_network
from tests.problems.random import VARIANTS, random_loss, variant
from tests.references.naive import loss_and_derivative
from tests.test_limits import pressing

NAMES = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "polyak"]
BATCHED = NAMES[:-1]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("method", NAMES)
def test_what_is_recorded(name, method):
    loss = LOSSES[name]
    told = []
    path = rw.descend(loss, method, 60, seed=2, callback=lambda p: told.append(p))
    assert path.ended is rw.Ended.WORK_LIMIT
    assert path.gradients.tolist() == list(range(61))
    assert len(path.losses) == 61
    assert len(path.clip_shares) == len(path.effective_rates) == path.n_steps == 60
    start = loss.theta if isinstance(loss, rw.NetworkLoss) else loss.random_start(2)
    assert path.losses[0] == loss(start)
    assert path.theta.shape == path.best.shape == start.shape
    assert path.loss == path.losses[-1] == loss(path.theta)
    assert path.best_loss == path.losses.min() == loss(path.best) < path.losses[0]
    assert [p.gradients for p in told] == path.gradients.tolist()
    assert [p.loss for p in told] == path.losses.tolist()
    assert (path.effective_rates > 0.0).all()
    assert not path.clip_shares.any()


@pytest.mark.parametrize("case", range(len(VARIANTS)))
def test_full_gradients_are_those_of_the_mean(case):
    loss = variant(case, seed=case)
    recording = Recording(1)
    rw.descend(loss, recording, 1, seed=3)
    theta = loss.random_start(3)
    expected = loss.gradient(theta)[loss.free] / loss.sample_weight.sum()
    np.testing.assert_allclose(recording.given[0][0], expected, rtol=1e-9, atol=1e-12)


def test_every_epoch_goes_once_through_the_samples():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 2, (22, 2)), rng.integers(0, 2, 22)  # equal rows are merged
    weight = np.append(rng.integers(1, 4, 20), [0, 0])  # of 20 samples that count
    net = rw.ReLUNetwork.random([2, 3, 1], seed=0)
    loss = rw.LayerLoss(net, X, y, sample_weight=weight)
    assert len(loss.inputs) < 5
    theta = loss.random_start(0)
    each = np.array(
        [
            w * rw.LayerLoss(net, X[[i]], y[[i]]).gradient(theta).ravel()
            if w
            else 0 * theta.ravel()
            for i, w in enumerate(weight)
        ]
    )
    recording = Recording(2)  # the mini-batch is the same for both gradients of a step
    path = rw.descend(loss, recording, 2 * 9, batch=8)
    assert path.gradients.tolist() == list(range(0, 19, 2))
    given = np.array(recording.given)
    np.testing.assert_array_equal(given[:, 0], given[:, 1])
    batches, mean = given[:, 0].reshape(3, 3, -1), weight.sum() / 20
    sizes = np.array([8, 8, 4])[:, None]
    for epoch in batches:
        np.testing.assert_allclose((epoch * sizes).sum(axis=0) * mean, each.sum(axis=0), atol=1e-9)
    assert len(np.unique(batches[:, 0].round(9), axis=0)) == 3  # drawn anew in each epoch
    again = Recording(2)
    rw.descend(loss, again, 6, batch=8)
    np.testing.assert_array_equal(np.array(again.given), given[:3])
    other = Recording(2)
    rw.descend(loss, other, 6, batch=8, seed=1, start=theta)
    assert not np.allclose(np.array(other.given), given[:3])


def test_a_mini_batch_is_a_mean_over_its_samples():
    loss = whole_network([2, 3, 1], 10, 0)
    recording = Recording(1)
    rw.descend(loss, recording, 2, batch=6)
    sums = [
        {i for i in range(10) if k >> i & 1}
        for k in range(1024)
        if bin(k).count("1") == 6
        and np.allclose(
            loss.gradient(loss.theta, [i for i in range(10) if k >> i & 1]) / 6,
            recording.given[0][0],
        )
    ]
    assert len(sums) == 1
    rest = sorted({*range(10)} - sums[0])
    expected = loss.gradient(loss.theta, rest) / 4
    np.testing.assert_allclose(recording.given[1][0], expected, rtol=1e-9)


def test_the_budget_is_never_exceeded():
    path = rw.descend(LOSSES["layer"], Recording(3), 10)
    assert path.gradients.tolist() == [0, 3, 6, 9]
    assert path.ended is rw.Ended.WORK_LIMIT
    assert rw.descend(LOSSES["layer"], "sgd", 0).n_steps == 0


def test_parameters_that_walks_do_not_move_stay():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 2))
    X = np.column_stack([X, X.sum(axis=1)])
    net = rw.ReLUNetwork.random([3, 4, 1], seed=0)
    with pytest.warns(rw.RankWarning):
        loss = rw.LayerLoss(net, X, rng.normal(size=60), fit_intercept=False)
    start = rng.normal(size=loss.shape)
    for method in NAMES:
        path = rw.descend(loss, method, 20, start=start)
        np.testing.assert_array_equal(path.theta[~loss.free], start[~loss.free])
        assert (path.theta != start).sum() == loss.n_free == 8


@pytest.mark.parametrize("name", ["layer", "squared"])
@pytest.mark.parametrize("method", [*NAMES, "alice", rw.Alice(hessian="rms", joint=True)])
@pytest.mark.parametrize("batch", [None, 16])
def test_resumes_bit_for_bit_from_a_file(name, method, batch, tmp_path):
    loss = LOSSES[name]
    options = {"batch": batch, "seed": 5, "learning_rate": 0.02}
    if method == "polyak":
        if batch:
            pytest.skip("polyak takes all samples")
        options = {"seed": 5}
    whole = rw.descend(loss, method, 130, **options)
    part = rw.descend(loss, method, 77, **options)
    part.save(tmp_path / "path.npz")
    loaded = rw.DescentPath.load(tmp_path / "path.npz")
    equal(loaded, part)
    assert loaded.elapsed == part.elapsed
    equal(rw.descend(loaded.problem, gradients=130, resume=loaded), whole)
    assert rw.descend(loss, gradients=77, resume=part) is part
    with pytest.raises(FileExistsError, match="path:"):
        part.save(tmp_path / "path.npz")


def test_alice_is_charged_one_gradient_or_three():
    loss = LOSSES["network"]
    path = rw.descend(loss, rw.Alice(quick_steps=3), 62, learning_rate=0.03, batch=16)
    assert path.gradients.tolist() == [*range(0, 31, 3), 31, 34, 35, 36, 37, 40, 41, 42, 43, 46,
                                       47, 48, 49, 52, 53, 54, 55, 58, 59, 60, 61]  # fmt: skip
    assert path.ended is rw.Ended.WORK_LIMIT  # three do not fit in one
    assert (path.losses[:11] == path.losses[0]).all()  # the burn-in measures only
    assert path.losses[-1] < path.losses[0]
    assert not path.effective_rates[:10].any()
    assert (path.effective_rates[10:] > 0.0).all()
    assert ((path.clip_shares >= 0.0) & (path.clip_shares <= 1.0)).all()
    assert path.clip_shares.mean() > 0.0
    more = rw.descend(loss, gradients=64, resume=path)
    assert more.gradients[-1] == 64
    assert "Alice(hessian='abs', glass=True" in path.summary()


def test_ctrl_c_keeps_what_was_found(monkeypatch):
    loss = LOSSES["network"]
    whole = rw.descend(loss, "adam", 40)
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(Objective, "gradient", pressing(Objective.gradient, at=8))
    part = rw.descend(loss, "adam", 40)
    monkeypatch.undo()
    assert signal.getsignal(signal.SIGINT) is before
    assert part.ended is rw.Ended.INTERRUPTED
    assert part.n_steps == 8  # the step at hand is made
    assert part.loss == loss(part.theta)
    equal(rw.descend(loss, gradients=40, resume=part), whole)


def test_a_time_limit_and_a_callback_that_stops():
    loss = LOSSES["layer"]
    part = rw.descend(loss, "sgd", 10**9, time_limit=0.05)
    assert part.ended is rw.Ended.TIME_LIMIT
    assert part.loss == loss(part.theta)

    def stop(progress):
        if progress.gradients == 3:
            raise StopIteration

    part = rw.descend(loss, "sgd", 9, callback=stop)
    assert (part.ended, part.n_steps) == (rw.Ended.INTERRUPTED, 3)
    equal(rw.descend(loss, gradients=9, resume=part), rw.descend(loss, "sgd", 9))


@pytest.mark.parametrize("case", range(len(VARIANTS)))
def test_gap_is_exact(case):
    loss = variant(case, seed=case + 20)
    path = rw.descend(loss, "adam", 150, learning_rate=0.03, seed=case)
    gap = path.gap()
    start, _ = loss_and_derivative(loss, path.theta)
    assert gap.certified
    assert gap.walk.certificate.verify_exact(loss)
    assert isinstance(gap.walk.certificate.loss, Fraction)
    assert gap.exact == start - gap.walk.certificate.loss >= 0
    assert gap.fall == pytest.approx(path.loss - gap.walk.loss, abs=1e-9 * path.loss)
    assert gap.relative == pytest.approx(gap.fall / path.loss)
    np.testing.assert_array_equal(gap.walk.vertices[0], path.theta)


def test_gap_of_least_absolute_deviations_is_that_to_the_global_minimum():
    loss = random_loss([3, 1], 40, 0)
    path = rw.descend(loss, "adam", 400)
    fit = rw.lad(loss.X, loss.y[:, 0])
    assert path.gap().fall == pytest.approx(path.loss - fit.loss, rel=1e-9)
    assert path.loss > fit.loss


def test_gap_of_several_layers():
    loss = LOSSES["network"]
    path = rw.descend(loss, "momentum", 200)
    falls = [path.gap(layer).fall for layer in loss.block]
    for layer, fall in zip(loss.block, falls, strict=True):
        one = loss.layer(layer, path.theta)
        assert fall == pytest.approx(path.loss - rw.walk(one, one.theta, step="long").loss)
    assert path.network == loss.network_at(path.theta)
    with pytest.raises(ValueError, match=r"layer: expected one of \(0, 1, 2\), found None"):
        path.gap()
    with pytest.raises(ValueError, match=r"layer: expected one of \(0, 1, 2\), found 3"):
        path.gap(3)
    with pytest.raises(ValueError, match="kind: expected a piecewise affine loss"):
        rw.descend(LOSSES["squared"], "sgd", 3).gap(0)
    with pytest.raises(ValueError, match="layer: expected 1, the trained one, found 0"):
        rw.descend(LOSSES["deeper"], "sgd", 3).gap(0)


def test_all_layers_go_lower_than_one():
    one, every = LOSSES["layer"], LOSSES["network"]
    start = rw.descend(every.layer(0), "adam", 800, start=every.theta[: one.dim])
    both = rw.descend(every, "adam", 800)
    assert both.losses[0] == pytest.approx(start.losses[0])
    assert both.best_loss < start.best_loss


LOSS = LOSSES["layer"]


@pytest.mark.parametrize("name", ["method", "batch", "learning_rate", "seed", "start"])
def test_a_path_goes_on_with_what_it_has(name):
    path = rw.descend(LOSS, "sgd", 3)
    other = {"method": "adam", "batch": 3, "learning_rate": 0.5, "seed": 0, "start": LOSS.theta}
    with pytest.raises(ValueError, match=f"^{name}: expected None together with resume, which"):
        rw.descend(LOSS, gradients=9, resume=path, **{name: other[name]})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: rw.descend(None), TypeError, "loss: expected a LayerLoss or NetworkLoss"),
        (lambda: rw.descend(LOSS, "bfgs"), ValueError, "method: expected one of sgd, momentum"),
        (lambda: rw.descend(LOSS, Momentum), TypeError, "method: expected a name or an object"),
        (lambda: rw.descend(LOSS, 3), TypeError, "method: expected a name or an object"),
        (lambda: rw.descend(LOSS, "sgd", -1), ValueError, "gradients: expected an integer >= 0"),
        (lambda: rw.descend(LOSS, "sgd", 1.5), TypeError, "gradients: expected an integer"),
        (lambda: rw.descend(LOSS, batch=0), ValueError, "batch: expected an integer >= 1"),
        (lambda: rw.descend(LOSS, learning_rate=0.0), ValueError, "learning_rate: expected a"),
        (lambda: rw.descend(LOSS, learning_rate=np.nan), ValueError, "learning_rate: expected a"),
        (lambda: rw.descend(LOSS, seed=-1), ValueError, "seed: expected an integer"),
        (lambda: rw.descend(LOSS, start=[1.0]), ValueError, "start: expected an array"),
        (lambda: rw.descend(LOSS, "polyak", batch=3), ValueError, "batch: expected None with"),
        (
            lambda: rw.descend(LOSS, "polyak", learning_rate=3),
            ValueError,
            "learning_rate: expected None with the method polyak",
        ),
        (lambda: rw.descend(LOSS, resume=3), TypeError, "resume: expected a DescentPath"),
        (
            lambda: rw.descend(LOSS, resume=rw.descend(LOSSES["deeper"], "sgd", 3)),
            ValueError,
            "resume: this path belongs to another loss",
        ),
        (
            lambda: rw.descend(LOSSES["squared"], start=np.full(LOSSES["squared"].dim, 1e99)),
            ValueError,
            "start: expected parameters at which floats hold the loss",
        ),
        (
            lambda: rw.descend(LOSS, Recording(1), 1).save("nowhere.npz"),
            ValueError,
            "method: expected one of sgd, .* to be saved, found",
        ),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
