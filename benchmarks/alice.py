"""Alice against SGD, momentum, Nesterov, RMSProp and Adam, by charged gradients.

    python -m benchmarks alice [--seeds 8] [--gradients 1000] [--only NAME] [--plot alice.png]

Five problems: the first layer of 4-5-4-2-1 on noise; all layers of 4-20-1 and of 4-16-16-16-1 on
the values of a teacher, of 1-8-8-1 on the motorcycle data (L1 loss), and of 2-16-16-1 on two moons
(hinge loss).  Full batch, and mini-batches of 32.  Each seed has a network and, but for the
motorcycle data, data of its own.  The rate of each method, problem and batch is that of nine with
the least median loss at the end on four seeds that are not scored; seeds from 100 on are.

Alice as published (Hessian and glass), with the Hessian only, with the glass only, and with the
glass of all parameters together (joint, ours).  Rows: the rate; the median over seeds of the mean
loss of a sample where the method rests after so many gradients, minus the least that any method has
found on that seed; on how many seeds it ends lowest; the share of coordinates that bounds cut.
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

import reluplex_walk as rw

from ._extra import need

METHODS: dict[str, Any] = {
    "sgd": "sgd",
    "momentum": "momentum",
    "nesterov": "nesterov",
    "rmsprop": "rmsprop",
    "adam": "adam",
    "alice": rw.Alice(),
    "alice, Hessian": rw.Alice(glass=False),
    "alice, glass": rw.Alice(hessian="off"),
    "alice, joint": rw.Alice(joint=True),
}
RATES = [10.0 ** (1 - k / 2) for k in range(9)]  # 10 to 1e-3
BATCHES = (None, 32)
TUNED, FIRST = range(4), 100
Loss = rw.LayerLoss | rw.NetworkLoss


def noise(seed: int) -> Loss:
    rng = np.random.default_rng(seed)
    network = rw.ReLUNetwork.random([4, 5, 4, 2, 1], seed=seed)
    return rw.LayerLoss(network, rng.uniform(-3, 3, (500, 4)), rng.uniform(-3, 3, 500))


def teacher(widths: list[int]) -> Callable[[int], Loss]:
    def made(seed: int) -> Loss:
        X = np.random.default_rng(seed).uniform(-1, 1, (500, widths[0]))
        y = rw.ReLUNetwork.random(widths, seed=seed + 10_000, init="he")(X)
        y = (y - y.mean()) / y.std()
        return rw.NetworkLoss(rw.ReLUNetwork.random(widths, seed=seed, init="he"), X, y)

    return made


def motorcycle(seed: int) -> Loss:
    data = rw.datasets.load_motorcycle()
    X = (data.X - data.X.mean(axis=0)) / data.X.std(axis=0)
    y = (data.y - data.y.mean()) / data.y.std()
    return rw.NetworkLoss(rw.ReLUNetwork.random([1, 8, 8, 1], seed=seed, init="he"), X, y)


def moons(seed: int) -> Loss:
    data = rw.datasets.make_moons(400, noise=0.2, seed=seed)
    y = np.where(data.y > data.y.mean(), 1.0, -1.0)
    network = rw.ReLUNetwork.random([2, 16, 16, 1], seed=seed, init="he")
    return rw.NetworkLoss(network, data.X, y, kind="hinge")


PROBLEMS: dict[str, Callable[[int], Loss]] = {
    "noise": noise,
    "teacher": teacher([4, 20, 1]),
    "deep": teacher([4, 16, 16, 16, 1]),
    "motorcycle": motorcycle,
    "moons": moons,
}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks alice", description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--gradients", type=int, default=1000)
    parser.add_argument("--only", choices=PROBLEMS)
    parser.add_argument("--plot")
    options = parser.parse_args(argv)
    budget, seeds = options.gradients, range(FIRST, FIRST + options.seeds)
    curves: dict[tuple[str, int | None], dict[str, np.ndarray]] = {}
    for name in [options.only] if options.only else PROBLEMS:
        for batch in BATCHES:
            found = {
                method: _scored(PROBLEMS[name], method, batch, budget, seeds) for method in METHODS
            }
            curves[name, batch] = _report(name, batch, budget, found)
    if options.plot:
        _plot(curves, options.plot)


def _scored(
    problem: Callable[[int], Loss], method: str, batch: int | None, budget: int, seeds: range
) -> tuple[float, list[rw.DescentPath], list[float]]:
    """The rate chosen, the paths of the scored seeds, and the sizes of their data."""
    losses = [problem(seed) for seed in TUNED]
    ends = [
        np.median([_end(_path(loss, method, batch, budget, rate)) / len(loss.X) for loss in losses])
        for rate in RATES
    ]
    rate = RATES[int(np.argmin(ends))]
    scored = [problem(seed) for seed in seeds]
    paths = [_path(loss, method, batch, budget, rate) for loss in scored]
    return rate, paths, [float(len(loss.X)) for loss in scored]


def _path(loss: Loss, method: str, batch: int | None, budget: int, rate: float) -> rw.DescentPath:
    return rw.descend(loss, METHODS[method], budget, batch=batch, learning_rate=rate)


def _end(path: rw.DescentPath) -> float:
    return np.inf if path.ended is rw.Ended.DIVERGED else path.loss


def _at(path: rw.DescentPath, gradients: np.ndarray) -> np.ndarray:
    """The loss where the method rested after so many gradients."""
    if path.ended is rw.Ended.DIVERGED:
        return np.full(len(gradients), np.inf)
    return path.losses[np.searchsorted(path.gradients, gradients, side="right") - 1]


def _report(
    name: str, batch: int | None, budget: int, found: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Prints a table; the median gap of each method after each number of gradients."""
    every = np.arange(budget + 1)
    sizes = np.array(next(iter(found.values()))[2])[:, None]
    losses = {
        m: np.array([_at(p, every) for p in paths]) / sizes for m, (_, paths, _) in found.items()
    }
    least = np.min([a.min(axis=1) for a in losses.values()], axis=0)[:, None]
    ends = np.array([a[:, -1] for a in losses.values()])
    wins = (ends == ends.min(axis=0)).sum(axis=1)
    marks = [budget // 4, budget // 2, budget]
    size = "full batch" if batch is None else f"batches of {batch}"
    print(f"\n{name}, {size}: mean loss above the least, {len(sizes)} seeds")
    print(f"{'':<18}{'rate':>10}" + "".join(f"{m:>9}" for m in marks) + f"{'lowest':>8}{'cut':>7}")
    medians = {method: np.median(a - least, axis=0) for method, a in losses.items()}
    for (method, (rate, paths, _)), won in zip(found.items(), wins, strict=True):
        cut = np.mean([path.clip_shares.mean() for path in paths])
        row = "".join(f"{medians[method][m]:>9.4f}" for m in marks)
        print(f"{method:<18}{rate:>10.2g}{row}{won:>8}{cut:>7.0%}", flush=True)
    return medians


def _plot(curves: dict[tuple[str, int | None], dict[str, np.ndarray]], path: str) -> None:
    plt = need("matplotlib.pyplot")
    names = list(dict.fromkeys(name for name, _ in curves))
    figure, axes = plt.subplots(
        len(BATCHES), len(names), figsize=(3.4 * len(names), 6.0), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for (name, batch), medians in curves.items():
        ax = axes[BATCHES.index(batch), names.index(name)]
        for method, gaps in medians.items():
            style = "-" if method.startswith("alice") else "--"
            ax.plot(gaps, style, lw=1.2, label=method)
        size = "full batch" if batch is None else f"batches of {batch}"
        ax.set(yscale="log", title=f"{name}, {size}", xlabel="gradients")
    axes[0, 0].set_ylabel("mean loss above the least")
    axes[0, -1].legend(fontsize=7)
    figure.savefig(path, dpi=110)
