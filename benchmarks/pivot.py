"""Time of a pivot against one NumPy forward pass of the same network over the same data.

    OMP_NUM_THREADS=1 python -m benchmarks pivot [--n 500] [--repeats 9]

4-5-4-2-1, adjacent steps: median over repeats of (walk time / pivots) and of a forward pass, taken
in turn in one process after a warm-up.
"""

import argparse
import time

import numpy as np

import reluplex_walk as rw

from .instances import instance


def forward(network: rw.ReLUNetwork, X: np.ndarray) -> np.ndarray:
    """The forward pass as one would write it in NumPy."""
    for w, b in zip(network.weights[:-1], network.biases[:-1], strict=True):
        X = np.maximum(X @ w.T + b, 0.0)
    return X @ network.weights[-1].T + network.biases[-1]


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks pivot", description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[50, 500, 5000])
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args(argv)
    rw.walk(instance([4, 5, 4, 2, 1], 50, 0), max_pivots=300)  # compile
    print("     n   pivot us   forward us   ratio (median; min to max of repeats)")
    for n in options.n:
        pivots, passes = [], []
        for repeat in range(options.repeats):
            loss = instance([4, 5, 4, 2, 1], n, repeat)
            count = max(20, 200_000 // n)
            began = time.perf_counter()
            for _ in range(count):
                forward(loss.network, loss.X)
            passes.append((time.perf_counter() - began) / count * 1e6)
            began = time.perf_counter()
            traj = rw.walk(loss, seed=repeat, max_pivots=2000)
            pivots.append((time.perf_counter() - began) / traj.n_pivots * 1e6)
        ratios = np.array(pivots) / np.array(passes)
        print(
            f"{n:>6} {np.median(pivots):>10.1f} {np.median(passes):>12.1f}   "
            f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"
        )
