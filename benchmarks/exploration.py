"""Exploration: do adaptive methods see more activation configurations than SGD?

    python -m benchmarks exploration [--seeds 20] [--gradients 500] [--only all|0]

SGD, momentum, RMSProp, Adam and Alice on networks 4-16-16-1 and teacher data (200 samples, L1
loss), with all layers moving and with the first layer alone, full batch and mini-batches of 32.
The rate of each method is the best of nine on four seeds that are not scored (least median loss at
the end); seeds from 100 on are scored.

A point's configurations: different patterns of active units that it has seen where the method
rested; switches: how often a unit changed, from step to step, for a point.  At the best rates,
after all gradients; and at matched loss, until each method first reached the loss that the worst of
them did on that seed.  Means with 95 % intervals (Student's t) over seeds, and the ratio to SGD on
the same seeds (geometric mean).  Where the first layer moves alone also with all regions passed
between steps, exactly: what a count at the steps misses.
"""

import argparse

import numpy as np
from scipy.stats import t as student

import reluplex_walk as rw
from reluplex_walk.studies.activations import Exploration, exploration

METHODS = ("sgd", "momentum", "rmsprop", "adam", "alice")
RATES = [10.0 ** (1 - k / 2) for k in range(9)]  # 10 to 1e-3
TUNED, FIRST = range(4), 100
WIDTHS = [4, 16, 16, 1]


def problem(seed: int, block: str | int) -> rw.NetworkLoss:
    data, _ = rw.datasets.make_teacher(200, WIDTHS, seed=seed)
    y = (data.y - data.y.mean()) / data.y.std()
    network = rw.ReLUNetwork.random(WIDTHS, seed=seed + 10_000, init="he")
    return rw.NetworkLoss(network, data.X, y, block=block)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks exploration", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--gradients", type=int, default=500)
    parser.add_argument("--only", choices=("all", "0"))
    options = parser.parse_args(argv)
    seeds = range(FIRST, FIRST + options.seeds)
    for block in ("all", 0):
        for batch in (None, 32):
            if options.only in (None, str(block)):
                _show(block, batch, options.gradients, seeds)


def _show(block: str | int, batch: int | None, budget: int, seeds: range) -> None:
    rates = {name: best_rate(name, block, batch, budget) for name in METHODS}
    runs = {
        name: [
            exploration(_path(name, rate, problem(seed, block), batch, budget)) for seed in seeds
        ]
        for name, rate in rates.items()
    }
    least = np.array([[run.losses.min() for run in each] for each in runs.values()])
    matched = least.max(axis=0)  # of each seed, what every method has reached
    moving = "all layers" if block == "all" else "first layer alone"
    size = "full batch" if batch is None else f"batches of {batch}"
    print(f"\n{moving}, {size}, {budget} gradients, {len(seeds)} seeds")
    for title, entries in (
        ("at best rates", {name: [-1] * len(seeds) for name in METHODS}),
        ("at matched loss", {name: _entries(runs[name], matched) for name in METHODS}),
    ):
        print(
            f"{title:<17}{'rate':>7}{'steps':>7}{'loss':>8}{'configurations':>18}{'over SGD':>20}"
            f"{'passed':>16}{'over SGD':>20}{'switches':>16}",
            flush=True,
        )
        for name in METHODS:
            rows = _at(runs[name], entries[name])
            base = _at(runs["sgd"], entries["sgd"])
            steps, losses, seen, passed, switched = rows
            print(
                f"  {name:<15}{rates[name]:>7.1g}{steps.mean():>7.0f}{losses.mean() / 200:>8.3f}"
                f"{interval(seen):>18}{ratio(seen, base[2]):>20}{interval(passed):>16}"
                f"{ratio(passed, base[3]):>20}{interval(switched):>16}",
                flush=True,
            )


def best_rate(name: str, block: str | int, batch: int | None, budget: int) -> float:
    """The rate of the least median loss at the end, on seeds that are not scored."""

    def end(rate: float) -> float:
        paths = [_path(name, rate, problem(seed, block), batch, budget) for seed in TUNED]
        return float(np.median([np.inf if p.ended is rw.Ended.DIVERGED else p.loss for p in paths]))

    return min(RATES, key=end)


def _path(
    name: str, rate: float, loss: rw.NetworkLoss, batch: int | None, budget: int
) -> rw.DescentPath:
    return rw.descend(loss, name, budget, batch=batch, learning_rate=rate)


def _entries(runs: list[Exploration], levels: np.ndarray) -> list[int]:
    found = [run.entry(level) for run, level in zip(runs, levels.tolist(), strict=True)]
    return [0 if entry is None else entry for entry in found]  # the level was reached by all


def _at(runs: list[Exploration], entries: list[int]) -> np.ndarray:
    """Steps, loss, configurations, those passed too, switches of each run (5, seeds)."""
    rows = []
    for run, k in zip(runs, entries, strict=True):
        passed = np.nan if run.passed is None else run.passed[k]
        steps = k if k >= 0 else len(run.losses) - 1
        rows.append([steps, run.losses[k], run.configurations[k], passed, run.switched[k]])
    return np.array(rows, float).T


def _half(values: np.ndarray) -> float:
    """Half of the 95 % interval of the mean."""
    n = len(values)
    return float(student.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan


def interval(values: np.ndarray) -> str:
    if np.isnan(values).any():
        return "-"
    return f"{values.mean():.2f} +- {_half(values):.2f}"


def ratio(values: np.ndarray, base: np.ndarray) -> str:
    """The geometric mean of the ratios, and its interval."""
    if np.isnan(values).any():
        return "-"
    logs = np.log(values / base)
    middle, half = logs.mean(), _half(logs)
    return f"{np.exp(middle):.2f} [{np.exp(middle - half):.2f}, {np.exp(middle + half):.2f}]"
