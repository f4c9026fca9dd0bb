"""Whether training on raw data ends above a constant or a straight line: it must not.

    python -m benchmarks raw [--seeds 10] [--rows 200] [--hidden 8] [--standardised] [--data NAME]

The data sets of `real` as they are, at most 200 rows, networks p-8-1.  `walk` and `minimize` (of 10
walks) train the first layer from the default start; `solve` walks from there with an output layer
fitted first.  One row per data set: how many ends lie above the best constant and above linear
least absolute deviations, and the median and the largest loss, relative to the latter.  The exit
code is 1 if any lies above.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np

import reluplex_walk as rw
from benchmarks.real import DATA, load

_ROUNDING = 1.0 + 1e-9


def _walk(loss: rw.LayerLoss, seed: int) -> float:
    return rw.walk(loss, seed=seed, step="long", proof="off").loss


def _solve(loss: rw.LayerLoss, seed: int) -> float:
    network = loss.network.with_layer(0, loss.random_start(seed))
    fitted = rw.LayerLoss(rw.with_fitted_output(network, loss.X, loss.y), loss.X, loss.y)
    return rw.walk(fitted, fitted.theta, seed=seed, step="long", proof="off").loss


def _minimize(loss: rw.LayerLoss, seed: int) -> float:
    return rw.minimize(loss, max_walks=10, seed=seed, proof_budget=0.2).loss


METHODS: dict[str, Callable[[rw.LayerLoss, int], float]] = {
    "walk": _walk,
    "solve": _solve,
    "minimize": _minimize,
}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks raw", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--hidden", type=int, default=8)
    parser.add_argument("--standardised", action="store_true")
    parser.add_argument("--data", nargs="+", choices=list(DATA), default=list(DATA))
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore", rw.RankWarning)
    print(
        f"{'':>45}" + "".join(f"{name:^31}" for name in METHODS) + "\n"
        "data              n   p  constant / linear" + "   above c.  l.  median largest " * 3
    )
    total, began = 0, time.process_time()
    for name in options.data:
        X, y = load(name, options.rows)
        if options.standardised:
            X, y = ((part - part.mean(0)) / (part.std(0) + (part.std(0) == 0)) for part in (X, y))
        base = rw.baselines(X, y)
        row = f"{name:<14} {len(X):>4} {X.shape[1]:>3} {base.constant / base.linear:>18.3f}"
        for method in METHODS.values():
            ends = np.empty(options.seeds)
            for seed in range(options.seeds):
                network = rw.ReLUNetwork.random([X.shape[1], options.hidden, 1], seed=seed)
                ends[seed] = method(rw.LayerLoss(network, X, y), seed)
            above = [int((ends > value * _ROUNDING).sum()) for value in base]
            total += sum(above)
            relative = ends / base.linear
            row += (
                f"   {above[0]:>8} {above[1]:>3} {np.median(relative):>7.3f} {relative.max():>7.3f}"
            )
        print(row, flush=True)
    spent = time.process_time() - began
    print(f"{total} ends above a baseline, in {spent:.0f} s of processor time")
    sys.exit(total > 0)
