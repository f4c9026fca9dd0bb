"""Small random penalised losses: ties of all kinds, zero blocks, repeated columns, every option."""

import numpy as np

import reluplex_walk as rw

PENALTIES = (0.1, 0.5, 1.0, 2.0, 1 / 3, 1e-3, 10.0)


def penalised(seed: int, **options) -> rw.LayerLoss:
    """A loss of up to three layers; `options` go before what the seed says."""
    rng = np.random.default_rng(seed)
    hidden = rng.integers(1, 4, rng.integers(0, 3)).tolist()
    widths = [int(rng.integers(1, 4)), *hidden, int(rng.integers(1, 3))]
    network = rw.ReLUNetwork.random(widths, seed, negative_slope=0.25 * (seed % 3 == 0))
    if rng.random() < 0.5:  # of integers: more meets
        weights = [np.rint(2 * w) for w in network.weights]
        biases = [np.rint(2 * b) * (rng.random(b.shape) < 0.5) for b in network.biases]
        network = rw.ReLUNetwork(weights, biases, network.negative_slope)
    n = int(rng.integers(2, 9))
    X = rng.integers(-2, 3, (n, widths[0])) * rng.choice([1.0, 0.1])
    if widths[0] > 1 and rng.random() < 0.3:
        X[:, 1] = X[:, 0]
    kind = str(rng.choice(["l1", "pinball", "hinge"]))
    y = rng.integers(-3, 4, (n, widths[-1])).astype(float)
    if kind == "hinge":
        y = np.where(y > 0, 1.0, -1.0)
    w = rng.choice([0.0, 0.5, 1.0, 2.0], n) if rng.random() < 0.4 else np.ones(n)
    w[0] = 1.0
    X[0, 0] += 1.0  # not all 0
    drawn = {
        "layer": int(rng.integers(0, len(widths) - 1)) if rng.random() < 0.4 else 0,
        "kind": kind,
        "tau": float(rng.choice([0.1, 0.5, 0.75])) if kind == "pinball" else None,
        "sample_weight": w,
        "decimals": bool(rng.random() < 0.7),
        "fit_intercept": bool(rng.random() < 0.8),
        "penalty": float(rng.choice(PENALTIES)),
    }
    try:
        return rw.LayerLoss(network, X, y, **{**drawn, **options})
    except ValueError as error:  # features of a dead layer below are all 0
        if "fit_intercept" not in str(error):
            raise
        return rw.LayerLoss(network, X, y, **{**drawn, **options, "fit_intercept": True})


def start(loss: rw.LayerLoss, seed: int) -> np.ndarray:
    """Small integers (h, q), or the network's own parameters; biases that do not move are 0."""
    rng = np.random.default_rng(seed)
    theta = rng.integers(-2, 3, loss.shape).astype(float)
    if seed % 5 == 0:
        theta = np.array(loss.theta)
    if not loss.fit_intercept:
        theta[:, -1] = 0.0
    return theta
