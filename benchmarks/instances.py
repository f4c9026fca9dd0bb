"""Random problems of the literature's example, and a table of how walks on them end.

    python -m benchmarks instances [--seeds 100] [--step adjacent|long] [--rule steepest]

Weights uniform(-1, 1), X and y uniform(-3, 3), start uniform(-1, 1) and uniform(-20, 20)
(Hinz and van de Geer, arXiv 2011.14895, example).  One row per network and start: statuses,
median and largest number of pivots, share of pivots of length zero, time.
"""

import argparse
import time
from collections import Counter

import numpy as np

import reluplex_walk as rw

PROBLEMS = [
    ([4, 5, 4, 2, 1], 50),
    ([4, 5, 4, 2, 1], 100),
    ([4, 5, 4, 2, 1], 500),
    ([2, 10, 1], 100),
    ([1, 8, 8, 1], 100),
    ([3, 3, 3, 3, 3, 1], 200),
]


def instance(widths: list[int], n: int, seed: int) -> rw.LayerLoss:
    """Random network and data."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-3, 3, (n, widths[0]))
    y = rng.uniform(-3, 3, (n, widths[-1]))
    return rw.LayerLoss(rw.ReLUNetwork.random(widths, seed=seed), X, y)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks instances", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--step", default="adjacent", choices=["adjacent", "long"])
    parser.add_argument("--rule", default="steepest")
    options = parser.parse_args(argv)
    rw.walk(instance([4, 5, 4, 2, 1], 50, 0), step=options.step, max_pivots=300)  # compile
    print(
        "network        n    start  LOCAL GLOBAL NOT_PROVED errors  pivots: median     max   total"
        "  zero-length  worst walk  max increase  s: median    max"
    )
    all_zero = all_pivots = 0
    for widths, n in PROBLEMS:
        for scale in (1.0, 20.0):
            statuses: Counter[str] = Counter()
            pivots, zero, seconds, worst, increase = [], 0, [], 0.0, -np.inf
            for seed in range(options.seeds):
                loss = instance(widths, n, seed)
                start = loss.random_start(seed + 1_000_000, scale)
                began = time.perf_counter()
                try:
                    traj = rw.walk(loss, start, step=options.step, rule=options.rule, seed=seed)
                except Exception as error:  # counted and shown: the table must not hide it
                    statuses["error"] += 1
                    print(f"{widths} n={n} seed={seed} scale={scale}: {error!r}")
                    continue
                seconds.append(time.perf_counter() - began)
                statuses[traj.status.name] += 1
                pivots.append(traj.n_pivots)
                zero += traj.n_zero_length
                worst = max(worst, traj.n_zero_length / max(1, traj.n_pivots))
                # Recomputed from the vertices, not taken from the walk's own books.
                some = np.unique(np.linspace(0, traj.n_pivots, 200).astype(int))
                losses = np.array([loss(traj.vertices[k]) for k in some])
                increase = max(increase, float(np.diff(losses).max(initial=-np.inf) / losses[0]))
            total = sum(pivots)
            all_zero, all_pivots = all_zero + zero, all_pivots + total
            print(
                f"{'-'.join(map(str, widths)):<12} {n:>4} {scale:>6g} "
                f"{statuses['LOCAL_MINIMUM']:>6} {statuses['GLOBAL_MINIMUM']:>6} "
                f"{statuses['NOT_PROVED']:>10} {statuses['error']:>6} "
                f"{np.median(pivots):>15g} {max(pivots):>7} {total:>7} {zero / total:>12.3%} "
                f"{worst:>11.2%} {increase:>13.1e} {np.median(seconds):>10.3f} "
                f"{max(seconds):>6.2f}",
                flush=True,
            )
    print(f"all: {all_zero} of {all_pivots} pivots of length zero ({all_zero / all_pivots:.3%})")
