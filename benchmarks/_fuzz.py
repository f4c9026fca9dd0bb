"""Random small problems of odd kinds, the same for the same kind and seed: see `KINDS`."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import reluplex_walk as rw

Floats = np.ndarray[Any, np.dtype[np.float64]]

INPUTS: dict[str, Callable[[np.random.Generator, Floats], Floats]] = {
    "ordinary": lambda rng, X: X,
    "integers": lambda rng, X: np.round(X),
    "one decimal": lambda rng, X: np.round(X, 1),
    "decimals": lambda rng, X: np.round(X, int(rng.integers(1, 4))),
    "time stamps": lambda rng, X: 1.7e9 + np.round(100 * X),
    "wild scales": lambda rng, X: X * 10.0 ** rng.integers(-30, 30, X.shape[1]),
    "dependent": lambda rng, X: dependent(rng, X),
    "constant": lambda rng, X: np.column_stack(
        [X[:, :-1], np.full(len(X), rng.choice([0.0, 1.0, 3.0, 0.1, 1e6]))]
    ),
    "one-hot": lambda rng, X: one_hot(rng, X),
}
"""What is done to X, uniform on (-3, 3)."""

OTHERS = ("start 1e6", "weights", "network weights", "leaky", "deep", "outputs", "ties")
"""Kinds whose oddity is not X, which is then of one of `INPUTS`."""

KINDS = (*INPUTS, *OTHERS, "fit", "box")
"""All kinds: `fit` is a quantile regression, `box` an enumeration of regions in a box."""

RULES = ("steepest", "dantzig", "greatest", "sequential", "random")


class Problem(NamedTuple):
    """A loss, and how it is walked on."""

    loss: rw.LayerLoss
    start: Floats | None
    options: dict[str, Any]  # of rw.walk


def dependent(rng: np.random.Generator, X: Floats) -> Floats:
    """Columns that the constant and others determine, up to rounding or exactly."""
    a = np.round(np.abs(X[:, 0]) + 1.0, int(rng.integers(0, 4)))
    b = np.round(X[:, -1], int(rng.integers(0, 4)))
    return [
        np.column_stack([a, a * 0.3048]),  # feet and metres
        np.column_stack([a, a * 1.8 + 32.0]),  # two scales of temperature
        np.column_stack([a, b, a + b]),
        np.column_stack([a, b, 0.3 * a - 0.7 * b + 0.1]),
        np.column_stack([a, a**2, a**3, a**4]),
        np.column_stack([a, a]),
        np.column_stack([1e9 + a, b]),
        np.column_stack([a, a * (1.0 + 1e-14 * rng.normal(size=len(a)))]),
    ][int(rng.integers(8))]


def one_hot(rng: np.random.Generator, X: Floats) -> Floats:
    """Levels of a factor, all of them: with the constant they are dependent."""
    levels = int(rng.integers(2, 4))
    hot = np.eye(levels)[rng.integers(0, levels, len(X))]
    return np.column_stack([hot, X[:, :1]]) if rng.random() < 0.5 else hot


def inputs(kind: str, rng: np.random.Generator, n: int, p: int) -> Floats:
    if kind not in INPUTS:
        kind = str(rng.choice(["ordinary", "integers", "one decimal", "decimals"]))
    X = INPUTS[kind](rng, rng.uniform(-3, 3, (n, p)))
    if kind == "ties" or rng.random() < 0.1:
        X[n // 2 :] = X[: n - n // 2]
    return X


def network(kind: str, rng: np.random.Generator, p: int) -> rw.ReLUNetwork:
    deep = kind == "deep" or rng.random() < 0.3
    hidden = rng.integers(1, 5 if not deep else 4, rng.integers(2, 4) if deep else rng.integers(3))
    outputs = int(rng.integers(2, 4)) if kind == "outputs" else 1 + int(rng.random() < 0.2)
    slope = 0.1 if rng.random() < 0.1 else 0.0
    if kind == "leaky":
        slope = float(10.0 ** rng.uniform(-12, np.log10(0.5)))
    net = rw.ReLUNetwork.random(
        [p, *hidden.tolist(), outputs],
        seed=rng,
        init="he" if rng.random() < 0.25 else "uniform",
        negative_slope=slope,
    )
    if kind != "network weights":
        return net
    size = [10.0 ** rng.uniform(-12, 12) for _ in net.weights]
    return rw.ReLUNetwork(
        [w * s for w, s in zip(net.weights, size, strict=True)], net.biases, slope
    )


def targets(kind: str, rng: np.random.Generator, n: int, outputs: int) -> Floats:
    y = rng.uniform(-3, 3, (n, outputs))
    way = 0 if kind == "ties" else rng.integers(5)
    return np.round(y / 3) if way == 0 else np.round(y, 1) if way == 1 else y


def sample_weights(kind: str, rng: np.random.Generator, n: int) -> Floats | None:
    if kind == "weights":
        return 10.0 ** rng.uniform(-12, 12, n)
    way = rng.integers(4)
    if way == 0:
        return rng.uniform(0.5, 2.0, n)
    return rng.integers(1, 4, n).astype(float) if way == 1 else None


def stream(kind: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([KINDS.index(kind), seed])


def problem(kind: str, seed: int) -> Problem:
    """The walk number `seed` of its `kind`, any but ``fit`` and ``box``."""
    rng = stream(kind, seed)
    n = int(rng.integers(2, 21))
    X = inputs(kind, rng, n, int(rng.integers(1, 4)))
    net = network(kind, rng, X.shape[1])
    y = targets(kind, rng, n, net.widths[-1])
    loss_kind = str(rng.choice(["l1", "pinball", "hinge"]))
    layer = int(rng.integers(net.n_layers)) if kind == "deep" or rng.random() < 0.3 else 0
    loss = rw.LayerLoss(
        net,
        X,
        np.where(y > 0, 1.0, -1.0) if loss_kind == "hinge" else y,
        layer=layer,
        kind=loss_kind,
        tau=float(rng.choice([0.1, 0.25, 0.3, 0.5, 0.9])) if loss_kind == "pinball" else None,
        sample_weight=sample_weights(kind, rng, n),
    )
    start = None
    if kind == "start 1e6":
        start = loss.random_start(seed, 1e6)
    elif rng.random() < 0.3:
        start = loss.theta if rng.random() < 0.7 else np.zeros(loss.shape)
    options = {
        "step": str(rng.choice(["adjacent", "long"])),
        "rule": str(rng.choice(RULES)) if rng.random() < 0.4 else "steepest",
        "plateau": "cross" if rng.random() < 0.2 else "stop",
        "seed": seed,
        "max_pivots": 3000,
        "proof_budget": 1.0,
    }
    return Problem(loss, start, options)


class Regression(NamedTuple):
    """The data of a quantile regression."""

    X: Floats
    y: Floats
    tau: float | None  # None: lad
    sample_weight: Floats | None

    def fit(self) -> rw.QuantileFit:
        if self.tau is None:
            return rw.lad(self.X, self.y, sample_weight=self.sample_weight)
        return rw.quantile(self.X, self.y, self.tau, sample_weight=self.sample_weight)


def regression(seed: int) -> Regression:
    rng = stream("fit", seed)
    n = int(rng.integers(2, 41))
    X = inputs(list(INPUTS)[seed % len(INPUTS)], rng, n, int(rng.integers(1, 4)))
    y = targets("fit", rng, n, 1)[:, 0]
    tau = None if rng.random() < 0.4 else float(rng.choice([0.1, 0.25, 0.5, 0.7, 0.9]))
    return Regression(X, y, tau, sample_weights("weights" if seed % 10 == 0 else "fit", rng, n))


def boxed(seed: int) -> tuple[rw.LayerLoss, Floats]:
    """A loss of at most six parameters, and half the sides (h, q) of a box around 0."""
    rng = stream("box", seed)
    n = int(rng.integers(2, 8))
    p = int(rng.integers(1, 3))
    way = int(rng.integers(4))
    X = inputs("one decimal" if way == 1 else "integers" if way == 2 else "ordinary", rng, n, p)
    widths = [p, 1] if rng.random() < 0.3 else [p, int(rng.integers(1, 4 - p)), 1]
    if way == 3:
        X = np.round(10.0 ** rng.integers(3, 7 if len(widths) > 2 else 10) + X, 2)
    net = rw.ReLUNetwork.random(widths, seed=rng)
    y = targets("box", rng, n, 1)
    loss = rw.LayerLoss(net, X, y, kind="l1" if rng.random() < 0.7 else "pinball")
    side = np.append(np.ones(p), np.abs(X).max()) if way == 3 else np.ones(p + 1)
    return loss, 10.0 ** rng.uniform(0, 1) * np.broadcast_to(side, loss.shape)
