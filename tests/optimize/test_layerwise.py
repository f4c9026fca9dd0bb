"""Whole networks: what is handed over is what was proved, of all layers at one network."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.optimize.training.starts import Starts, balanced


def data(n, p, seed, outputs=1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, np.abs(X[:, :1]) - 0.5 * X[:, -1:] + 0.3 * rng.normal(size=(n, outputs))


def loss_of(network, X, y, left=1.0, right=1.0):
    r = network(X) - y
    return float(np.where(r > 0.0, right * r, -left * r).sum())


CASES = {
    "l1": ([2, 4, 1], "l1", {}),
    "deep": ([2, 4, 3, 1], "l1", {}),
    "pinball": ([1, 3, 1], "pinball", {"tau": 0.8}),
    "several outputs": ([2, 3, 2], "l1", {}),
    "hinge": ([2, 3, 1], "hinge", {}),
    "hinge, several": ([2, 3, 2], "hinge", {}),
    "linear": ([3, 1], "l1", {}),
    "penalty": ([2, 4, 1], "l1", {"penalty": 0.5}),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("leak", [0.0, 0.25])
def test_every_layer_is_certified_and_the_checker_confirms_it(name, leak):
    widths, kind, more = CASES[name]
    X, y = data(40, widths[0], 1, widths[-1])
    y = np.where(y > 0.0, 1.0, -1.0) if kind == "hinge" else y
    given = rw.ReLUNetwork.random(widths, seed=2, negative_slope=leak)
    fit = rw.train(given, X, y, kind, rounds=3, seed=1, **more)
    assert fit.certified
    assert fit.status == "certified"
    fit.verify()
    for layer in range(fit.network.n_layers):
        loss, certificate = fit.layer_loss(layer), fit.certificates[layer]
        assert certificate.fingerprint == loss.fingerprint
        assert loss.network == fit.network
        assert 0 <= fit.gap(layer) <= 1e-9 * fit.objective + 1e-12 * loss.target_size
        rng = np.random.default_rng(layer)
        for _ in range(50):  # the loss does not fall at the point, in directions drawn
            d = rng.normal(size=loss.shape)
            assert loss.directional_derivative(certificate.theta, d) > -1e-7 * np.abs(d).sum() * 40
    if kind == "l1":
        assert fit.loss == pytest.approx(loss_of(fit.network, X, y), rel=1e-12)
    before = rw.LayerLoss(given, X, y, 0, kind, more.get("tau"))
    weights = more.get("penalty", 0.0) * sum(np.abs(w).sum() for w in given.weights)
    assert fit.objective <= before(before.theta) + weights
    if not more.get("penalty"):
        assert fit.loss <= rw.baselines(X, y, kind, more.get("tau")).linear * (1.0 + 1e-9)


def test_rounds_never_rise_and_the_same_seed_gives_the_same_network():
    X, y = data(40, 2, 3)
    given, told = rw.ReLUNetwork.random([2, 4, 1], seed=0), []
    fit = rw.train(given, X, y, rounds=12, seed=5, callback=told.append)
    best = [each.best for each in fit.rounds]
    assert (np.diff(best) <= 0.0).all()
    assert fit.objective <= best[-1] * (1.0 + 1e-12)
    assert [each.n_rounds for each in told] == [*range(1, 13)]
    assert [each.start for each in fit.rounds[:3]] == ["given", "linear", "fresh"]
    assert "kicked" in {each.start for each in fit.rounds}
    again = rw.train(given, X, y, rounds=12, seed=5)
    assert again.network == fit.network
    assert list(fit.to_frame().columns) == list(rw.Round._fields)


def brute_force(X, y):
    """The least loss of v max(0, w x + b) + c on distinct x: kinks between samples, both ways.

    Between two samples any kink gives the same losses up to a shear, so that fits of lines through
    pairs of samples on one side and a constant on the other are all there are to compare.
    """
    order = np.argsort(X[:, 0])
    x, t = X[order, 0], y[order, 0]
    best = rw.baselines(X, y).linear
    for side in (1, -1):
        xs, ts = side * x[::side], t[::side]
        for a, b in product(range(len(xs)), repeat=2):
            if xs[a] >= xs[b] or ts[a] == ts[b]:
                continue
            slope = (ts[b] - ts[a]) / (xs[b] - xs[a])
            for c in ts:  # the constant up to the kink
                kink = xs[a] + (c - ts[a]) / slope
                values = np.where(xs > kink, ts[a] + slope * (xs - xs[a]), c)
                best = min(best, float(np.abs(values - ts).sum()))
    return best


@pytest.mark.parametrize("seed", range(6))
def test_one_neuron_on_few_samples_finds_what_brute_force_finds(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(6, 1)), rng.normal(size=(6, 1))
    fit = rw.train(rw.ReLUNetwork.random([1, 1, 1], seed=seed), X, y, rounds=30)
    fit.verify()
    assert fit.loss <= brute_force(X, y) * (1.0 + 1e-9)


def test_units_of_the_data_do_not_matter():
    """Years and prices: the same fit as in units of size 1."""
    rng = np.random.default_rng(0)
    years = rng.integers(1950, 2020, 60)[:, None].astype(float)
    price = 1e6 + 2e4 * np.maximum(0.0, years - 1990.0) + 1e4 * rng.normal(size=(60, 1)).round(2)
    fit = rw.train(rw.ReLUNetwork.random([1, 3, 1], seed=0), years, price, rounds=6)
    assert fit.certified
    fit.verify()
    assert fit.loss < 0.6 * rw.baselines(years, price).linear


def test_some_layers_stay():
    X, y = data(30, 2, 4)
    given = rw.ReLUNetwork.random([2, 4, 3, 1], seed=1)
    fit = rw.train(given, X, y, layers=[0, 2], rounds=4)
    assert (fit.network.weights[1] == given.weights[1]).all()
    assert (fit.network.biases[1] == given.biases[1]).all()
    assert fit.certificates[1] is None
    assert fit.certified
    fit.verify()


def test_weights_are_repetitions():
    X, y = data(20, 1, 5)
    weight = np.random.default_rng(0).integers(0, 3, 20).astype(float)
    given = rw.ReLUNetwork.random([1, 2, 1], seed=0)
    fit = rw.train(given, X, y, sample_weight=weight, rounds=4)
    rows = np.repeat(np.arange(20), weight.astype(int))
    assert fit.loss == pytest.approx(loss_of(fit.network, X[rows], y[rows]), rel=1e-12)
    fit.verify()


def test_a_penalty_shrinks_the_weights_and_is_proved():
    X, y = data(40, 3, 6)
    given, sizes = rw.ReLUNetwork.random([3, 4, 1], seed=0), []
    for penalty in (0.0, 0.3, 3.0):
        fit = rw.train(given, X, y, penalty=penalty, rounds=4)
        fit.verify()
        assert fit.layer_loss(0).penalty == penalty
        sizes.append(sum(np.abs(w).sum() for w in fit.network.weights))
        assert fit.objective == pytest.approx(fit.loss + penalty * sizes[-1], rel=1e-12)
    assert sizes[0] > sizes[1] > sizes[2]


def test_held_out_samples_choose_the_network():
    X, y = data(60, 2, 7)
    given = rw.ReLUNetwork.random([2, 8, 1], seed=0)
    fit = rw.train(given, X[:40], y[:40], validation=(X[40:], y[40:]), rounds=30, seed=0)
    mean = loss_of(fit.network, X[40:], y[40:]) / 20
    assert fit.validation_loss == pytest.approx(mean, rel=1e-12)
    least = [each.held_out for each in fit.rounds]
    assert (np.diff(least) <= 0.0).all()
    assert fit.validation_loss <= least[-1]
    full = rw.train(given, X[:40], y[:40], rounds=8)
    assert mean <= loss_of(full.network, X[40:], y[40:]) / 20
    assert fit.certificates == (None, None)
    assert not fit.certified
    with pytest.raises(rw.CertificateError, match="nothing is claimed"):
        fit.verify()
    part = rw.train(given, X, y, validation=0.25, rounds=2)
    assert part.loss == pytest.approx(loss_of(part.network, X, y), rel=1e-12)


def test_patience_ends_it():
    X, y = data(30, 1, 8)
    given = rw.ReLUNetwork.random([1, 2, 1], seed=0)
    fit = rw.train(given, X, y, validation=0.3, rounds=10_000, time_limit=60.0)
    assert fit.ended is rw.Ended.STOPPED
    assert len(fit.rounds) < 10_000


@pytest.mark.parametrize("error", [KeyboardInterrupt, StopIteration])
def test_what_was_found_is_handed_over_when_it_is_interrupted(error):
    X, y = data(30, 2, 9)
    given = rw.ReLUNetwork.random([2, 3, 1], seed=0)

    def stop(progress):
        if progress.n_rounds == 2:
            raise error

    fit = rw.train(given, X, y, rounds=100, callback=stop)
    assert fit.ended is rw.Ended.INTERRUPTED
    assert len(fit.rounds) == 2
    assert fit.loss == pytest.approx(fit.rounds[-1].best, rel=1e-9)
    assert not fit.certified


def test_a_time_limit_ends_it_and_claims_nothing_that_was_not_proved():
    X, y = data(200, 4, 10)
    fit = rw.train(rw.ReLUNetwork.random([4, 8, 4, 1], seed=0), X, y, time_limit=1e-6)
    assert fit.ended is rw.Ended.TIME_LIMIT
    assert not fit.certified
    before = rw.LayerLoss(rw.ReLUNetwork.random([4, 8, 4, 1], seed=0), X, y)
    assert fit.loss <= before(before.theta)


def test_no_rounds_walk_down_from_the_network_given():
    X, y = data(40, 2, 11)
    given = rw.train(rw.ReLUNetwork.random([2, 3, 1], seed=0), X, y, rounds=4).network
    fit = rw.train(given, X, y, rounds=0)
    assert fit.certified
    moved = [np.abs(a - b).max() for a, b in zip(fit.network.weights, given.weights, strict=True)]
    assert max(moved) < 1e-6  # it was there already


def test_a_fit_in_a_file_is_checked_again(tmp_path):
    X, y = data(30, 2, 12)
    fit = rw.train(rw.ReLUNetwork.random([2, 3, 1], seed=0), X, y, rounds=3, penalty=0.1)
    fit.save(tmp_path / "fit.npz")
    again = rw.TrainingFit.load(tmp_path / "fit.npz")
    again.verify()
    assert again.network == fit.network
    assert again.rounds == fit.rounds
    for name in ("loss", "kind", "tau", "penalty", "layers", "seed", "ended", "elapsed"):
        assert getattr(again, name) == getattr(fit, name)
    with pytest.raises(FileExistsError):
        fit.save(tmp_path / "fit.npz")
    held_out = rw.train(fit.network, X, y, rounds=1, validation=0.2)
    held_out.save(tmp_path / "held.npz")
    assert rw.TrainingFit.load(tmp_path / "held.npz").validation_loss == held_out.validation_loss
    damaged = bytearray((tmp_path / "fit.npz").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "fit.npz").write_bytes(damaged)
    with pytest.raises(ValueError, match=r"fit\.npz"):
        rw.TrainingFit.load(tmp_path / "fit.npz")


def test_a_network_beside_the_certified_point_is_noticed():
    X, y = data(30, 2, 13)
    fit = rw.train(rw.ReLUNetwork.random([2, 3, 1], seed=0), X, y, rounds=3)
    theta = fit.network.layer_parameters(0)
    theta[0, 0] *= 1.0 + 1e-6
    moved = replace(fit, network=fit.network.with_layer(0, theta))
    with pytest.raises(rw.CertificateError):
        moved.verify()


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"kind": "squared"}, "kind"),
        ({"tau": 0.5}, "tau"),
        ({"penalty": -1.0}, "penalty"),
        ({"layers": [0, 7]}, "layers|block"),
        ({"rounds": -1}, "rounds"),
        ({"time_limit": 0.0}, "time_limit"),
        ({"validation": 1.5}, "validation"),
        ({"validation": (1, 2, 3)}, "validation"),
        ({"sample_weight": [1.0]}, "sample_weight"),
        ({"seed": -1}, "seed"),
        ({"proof_budget": 0.0}, "proof_budget"),
    ],
)
def test_bad_arguments_are_named(more, word):
    X, y = data(10, 2, 0)
    with pytest.raises(ValueError, match=word):
        rw.train(rw.ReLUNetwork.random([2, 2, 1]), X, y, **more)


def test_columns_that_depend_on_others_are_named_once():
    X, y = data(30, 1, 15)
    twice, net = np.column_stack([X, X]), rw.ReLUNetwork.random([2, 3, 1], seed=0)
    with pytest.warns(rw.RankWarning) as caught:
        fit = rw.train(net, twice, y, rounds=2)
    assert len(caught) == 1
    fit.verify()
    rw.train(net, twice, y, rounds=2, penalty=0.1).verify()  # the penalty decides: no warning


def test_odd_data():
    """One sample, constant columns and targets, repeated rows, loss 0."""
    net = rw.ReLUNetwork.random([2, 2, 1], seed=0)
    for X, y in (
        ([[1.0, 2.0]], [3.0]),
        ([[1.0, 2.0], [1.0, 3.0], [1.0, 4.0]], [5.0, 5.0, 5.0]),
        ([[1.0, 2.0]] * 4 + [[0.0, 0.0]] * 3, [1.0, 2.0, 2.0, 9.0, 0.0, 0.0, 1.0]),
    ):
        fit = rw.train(net, X, y, rounds=3)
        assert fit.loss <= rw.baselines(X, y).constant * (1.0 + 1e-9) + 1e-12
        assert fit.certified
        fit.verify()


def test_balancing_and_reviving_leave_the_function_as_it_is():
    X, y = data(30, 2, 14)
    network = rw.ReLUNetwork.random([2, 4, 3, 1], seed=3)
    theta = network.layer_parameters(0)
    theta[1] = [0.0, 0.0, -1.0]  # off on all samples
    network = network.with_layer(0, theta)
    same = balanced(network, (0, 1, 2), 2)
    assert np.abs(same(X) - network(X)).max() < 1e-12
    from reluplex_walk.optimize.training.problem import Problem, Samples

    problem = Problem(Samples(X, y, np.ones(30)), "l1", None, (0, 1, 2), 0.0)
    inner = problem.units.inner(network)
    assert np.abs(problem.units.outer(inner)(X) - network(X)).max() < 1e-12
    starts = Starts(problem, inner, np.random.default_rng(0))
    alive = starts.revived(inner)
    Z = problem.inner_samples.X
    assert np.abs(alive(Z) - inner(Z)).max() < 1e-12
    values = Z @ alive.weights[0][1] + alive.biases[0][1]
    assert values.min() < 0.0 < values.max()
