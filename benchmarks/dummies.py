"""Quantile regression on dummies and counts against HiGHS, in one process and in turn.

    OMP_NUM_THREADS=1 python -m benchmarks dummies [--n 30000] [--seeds 5] [--all]

67 columns and counts (Poisson) for targets; the columns are

    cells     two categories of 25 and 44 values, one-hot
    counts    two categories of 30 and 36 values, and three small counts
    rare      five categories of 5 to 24 values, some of them rare, and two small counts

Rivals: scipy.optimize.linprog (HiGHS) on the dual problem, 68 equations in bounded unknowns, by its
simplex and its interior point method; with --all also on the primal problem, and scikit-learn's
QuantileRegressor.  Medians over seeds of CPU seconds and of
the ratios to the fastest, the largest ratio, and the largest difference of losses, relative.  Needs
the extra "bench".
"""

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
from scipy import optimize, sparse

import reluplex_walk as rw

from .lad import scikit_learn

KINDS = {
    "cells": ((25, 44), 0, 5.0),
    "counts": ((30, 36), 3, 5.0),
    "rare": ((7, 24, 12, 5, 23), 2, 0.5),
}
"""Values of each category, counts, and how evenly the values are spread (Dirichlet)."""
TAUS = (0.25, 0.5, 0.9)


def data(n: int, kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """X (n, 67) and y (n,)."""
    rng = np.random.default_rng(seed)
    levels, n_counts, even = KINDS[kind]
    columns, log_mean = [], np.zeros(n)
    for m in levels:
        value = rng.choice(m, n, p=rng.dirichlet(np.full(m, even)))
        columns.append(value[:, None] == np.arange(1, m))
        log_mean += rng.normal(0.0, 0.2, m)[value]
    columns.append(rng.poisson(1.0, (n, n_counts)))
    return np.column_stack(columns)[:, :67].astype(float), rng.poisson(np.exp(log_mean)) * 1.0


def dual(X: np.ndarray, y: np.ndarray, tau: float, method: str) -> float:
    """Least loss: max y . d, with (1, X)' d = 0 and d from tau - 1 to tau."""
    Z = sparse.csc_matrix(np.column_stack([np.ones(len(y)), X])).T.tocsc()
    found = optimize.linprog(
        -y, A_eq=Z, b_eq=np.zeros(Z.shape[0]), bounds=(tau - 1, tau), method=method
    )
    return -float(found.fun)


def primal(X: np.ndarray, y: np.ndarray, tau: float, method: str) -> float:
    """Least loss: residuals split into positive and negative parts."""
    n, p = X.shape
    Z, one = sparse.csc_matrix(np.column_stack([np.ones(n), X])), sparse.eye(n, format="csc")
    cost = np.concatenate([np.zeros(p + 1), np.full(n, tau), np.full(n, 1 - tau)])
    bounds = [(None, None)] * (p + 1) + [(0, None)] * (2 * n)
    equations = sparse.hstack([Z, one, -one], format="csc")
    return float(optimize.linprog(cost, A_eq=equations, b_eq=y, bounds=bounds, method=method).fun)


def solvers(
    X: np.ndarray, y: np.ndarray, tau: float, every: bool
) -> dict[str, Callable[[], float]]:
    """What to time: each returns the loss."""
    found: dict[str, Callable[[], float]] = {
        "ours": lambda: rw.quantile(X, y, tau).loss,
        "dual simplex": lambda: dual(X, y, tau, "highs-ds"),
        "dual ipm": lambda: dual(X, y, tau, "highs-ipm"),
    }
    if every:
        found["primal simplex"] = lambda: primal(X, y, tau, "highs-ds")
        found["primal ipm"] = lambda: primal(X, y, tau, "highs-ipm")

        def regressor() -> float:
            b = scikit_learn(X, y, tau)()
            r = y - X @ b[1:] - b[0]
            return float(np.where(r > 0, tau * r, (tau - 1.0) * r).sum())

        found["scikit-learn"] = regressor
    return found


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks dummies", description=__doc__)
    parser.add_argument("--n", type=int, default=30_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")  # columns of values that were never drawn
    rw.quantile(*data(3000, "cells", 0))
    print("data     tau   ours s   fastest rival        s   ratio (most)      gap  proved")
    for kind in KINDS:
        for tau in TAUS:
            times: dict[str, list[float]] = {}
            gap, proved = 0.0, True
            for seed in range(options.seeds):
                X, y = data(options.n, kind, seed)
                losses = {}
                for name, solve in solvers(X, y, tau, options.all).items():
                    start = time.process_time()
                    losses[name] = solve()
                    times.setdefault(name, []).append(time.process_time() - start)
                best = min(losses.values())
                gap = max(gap, (losses["ours"] - best) / best)
                proved &= rw.quantile(X, y, tau).status is rw.WalkStatus.GLOBAL_MINIMUM
            ours, *theirs = (np.array(each) for each in times.values())
            medians = {name: float(np.median(each)) for name, each in times.items()}
            fastest = min(list(medians)[1:], key=medians.__getitem__)
            ratios = ours / np.min(theirs, axis=0)
            print(
                f"{kind:<8}{tau:<5}{np.median(ours):>7.2f}   {fastest:<14}{medians[fastest]:>8.2f}"
                f"{np.median(ratios):>8.2f} ({ratios.max():.2f}) {gap:>8.0e}  {proved}",
                flush=True,
            )


__all__ = ["data", "main"]
