"""Taylor regret: its inequalities, proved optima, bounds and growth, and all methods beside SGD.

    python -m benchmarks taylor [--seeds 9] [--runs 20] [--only PART]

* steps: plain SGD on 12 settings (first layer; second layer while all layers move; all layers; L1
  and squared loss; constant and falling rates) times `--seeds` networks 4-8-8-1 on teacher data,
  500 steps of one sample.  The worst of: l_n - T_n(V) above <g_n, W_n - V>, over the size of what
  it is made of, for V the optima, the start and a random point; the identity of distances over
  |W_n|^2 + |V|^2, where the block alone moves; the bound.  Taylor optima of the L1 loss that are
  proved, and how far from HiGHS'; horizons (20, 100, 500) that interpolate;
* methods: SGD at both schedules, momentum, Nesterov, RMSProp, Adam and Alice, first layer and all
  layers, on `--runs` networks, the rate of each the best of nine on four other networks (least sum
  of losses).  Medians: regret per step at each horizon; from 128 steps on, the exponent of its
  growth, and regret over the bound, which is a theorem for SGD alone and asked of SGD alone.  (At
  32 steps most optima interpolate.)

The exit code is 1 if an inequality or a bound of SGD fails, an optimum is not proved, or R_N/N does
not fall from 128 steps to 2,048 in the median.
"""

import argparse
import sys
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import linprog

import reluplex_walk as rw
from reluplex_walk import taylor

WIDTHS = [4, 8, 8, 1]
SETTINGS = [(0, None), (1, "all"), ("all", None)]  # block, trained
HORIZONS = [32, 128, 512, 2048]
METHODS = ("sgd", "sgd, sqrt", "momentum", "nesterov", "rmsprop", "adam", "alice")
RATES = [10.0 ** (-k / 2) for k in range(1, 10)]  # 0.3 to 3e-5
TUNED, FIRST = range(4), 100
ROUNDING = 1e-12


def problem(seed: int) -> tuple[rw.ReLUNetwork, np.ndarray, np.ndarray]:
    data, _ = rw.datasets.make_teacher(500, WIDTHS, noise=0.5, seed=seed)
    y = (data.y - data.y.mean()) / data.y.std()
    return rw.ReLUNetwork.random(WIDTHS, seed=seed + 10_000, init="he"), data.X, y


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks taylor", description=__doc__)
    parser.add_argument("--seeds", type=int, default=9)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--only", choices=("steps", "methods"))
    options = parser.parse_args(argv)
    good = True
    if options.only != "methods":
        good &= show_steps(options.seeds)
    if options.only != "steps":
        good &= show_methods(range(FIRST, FIRST + options.runs))
    sys.exit(0 if good else 1)


def show_steps(seeds: int) -> bool:
    print(
        f"plain SGD, {12 * seeds} runs of 500 steps\n"
        f"{'block':<12}{'loss':<9}{'schedule':<10}{'step':>9}{'identity':>10}{'R/bound':>18}"
        f"{'proved':>9}{'HiGHS':>9}{'interpolate':>13}",
        flush=True,
    )
    good = True
    for (block, trained), kind, schedule in product(
        SETTINGS, ("l1", "squared"), ("constant", "sqrt")
    ):
        rows = [_checked(seed, block, trained, kind, schedule) for seed in range(seeds)]
        step, identity, ratio, proved, off, flat = map(np.array, zip(*rows, strict=True))
        right = step.max() <= ROUNDING and ratio.max() <= 1.0 and off.max() <= 1e-9
        right &= not np.nanmax(np.append(identity, 0.0)) > ROUNDING
        right &= bool(proved.all()) or kind == "squared"
        good &= bool(right)
        same = f"{identity.max():.0e}" if trained is None else "-"
        counted = f"{proved.sum()}/{proved.size}" if kind == "l1" else "-"
        print(
            f"{block!s:<12}{kind:<9}{schedule:<10}{step.max():>9.0e}{same:>10}"
            f"{np.median(ratio):>9.2f} to {ratio.max():<5.2f}{counted:>9}{off.max():>9.0e}"
            f"{flat.sum():>7} of {flat.size}{'' if right else '  <-- not as expected'}",
            flush=True,
        )
    return good


def _checked(
    seed: int, block: Any, trained: Any, kind: str, schedule: str
) -> tuple[float, float, np.ndarray, np.ndarray, float, np.ndarray]:
    """Worst step and identity, R over bound, proved, off the rival's minimum, interpolating."""
    run = taylor.regret(
        *problem(seed), learning_rate=0.01, schedule=schedule, kind=kind, block=block,
        trained=trained, horizons=[20, 100, 500], seed=seed,
    )  # fmt: skip
    W, g = run.points, run.gradients
    random = W[0] + np.random.default_rng(seed).normal(size=W.shape[1])
    step = identity = 0.0
    for V in (*(best.V for best in run.minima), W[0], random):
        products = g * (W - V)
        excess = run.losses - run.taylor.terms(V) - products.sum(axis=1)
        size = run.losses + run.taylor.terms(V) + np.abs(products).sum(axis=1)
        step = max(step, float((excess / size).max()))
        apart = ((W - V) ** 2).sum(axis=1)
        move = run.rates**2 * (g**2).sum(axis=1) - 2.0 * run.rates * products.sum(axis=1)
        sizes = (W[:-1] ** 2).sum(axis=1) + float(V @ V)  # whose rounding the distances have
        identity = max(identity, float((np.abs(np.diff(apart) - move[:-1]) / sizes).max()))
    off = abs(run.optimum[-1] - _rival(run.taylor)) / run.optimum[-1]
    kept = identity if trained is None else np.nan
    return step, kept, run.regret / run.bound, run.proved, off, run.interpolates


def _rival(loss: taylor.TaylorLoss) -> float:
    """The minimum by HiGHS, or by the normal equations."""
    A, b = loss.jacobian, loss.targets
    if loss.kind == "squared":
        return 0.5 * float(((A @ (np.linalg.pinv(A) @ b) - b) ** 2).sum())
    n, D = A.shape
    found = linprog(
        np.concatenate([np.zeros(D), loss.weights, loss.weights]),
        A_eq=np.hstack([A, -np.eye(n), np.eye(n)]),
        b_eq=b,
        bounds=[(None, None)] * D + [(0, None)] * (2 * n),
        method="highs",
    )
    return float(found.fun)


def _run(seed: int, name: str, rate: float, block: Any, horizons: list[int]) -> taylor.Regret:
    method, _, schedule = name.partition(", ")
    return taylor.regret(
        *problem(seed), method, learning_rate=rate, schedule=schedule or "constant", block=block,
        horizons=horizons, seed=seed,
    )  # fmt: skip


def _rate(name: str, block: Any) -> float:
    """The best of the rates on the seeds that are not scored."""

    def total(rate: float) -> float:
        runs = [_losses(seed, name, rate, block) for seed in TUNED]
        return float(np.median(runs))

    return min(RATES, key=total)


def _losses(seed: int, name: str, rate: float, block: Any) -> float:
    run = _run(seed, name, rate, block, [1, HORIZONS[-1]])
    return np.inf if run.ended is rw.Ended.DIVERGED else float(run.losses.sum())


def show_methods(seeds: range) -> bool:
    good = True
    for block in (0, "all"):
        print(
            f"\nL1 loss, block {block}, {len(seeds)} networks: medians\n{'':<12}{'rate':>8}"
            f"{'mean loss':>11}"
            + "".join(f"{f'R/N at {N}':>13}" for N in HORIZONS)
            + f"{'exponent':>10}{'R/bound':>16}{'proved':>10}",
            flush=True,
        )
        for name in METHODS:
            rate = _rate(name, block)
            runs = [_run(seed, name, rate, block, HORIZONS) for seed in seeds]
            each = np.array([run.regret / run.horizon for run in runs])
            ratio = np.array([run.regret / run.comparison for run in runs])[:, 1:]
            growth = np.log(each[:, -1] / each[:, 1]) / np.log(HORIZONS[-1] / HORIZONS[1]) + 1.0
            proved = np.array([run.proved for run in runs])
            median = np.median(each, axis=0)
            right = bool(proved.all() and median[-1] < median[1])
            right &= not name.startswith("sgd") or bool(ratio.max() <= 1.0)
            good &= right
            theorem = "" if name.startswith("sgd") else " (no theorem)"
            mean = np.median([run.losses.mean() for run in runs])
            print(
                f"{name:<12}{rate:>8.1g}{mean:>11.3f}"
                + "".join(f"{m:>13.3f}" for m in median)
                + f"{np.median(growth):>10.2f}{np.median(ratio):>8.2f} to {ratio.max():<5.2f}"
                f"{proved.sum():>6}/{proved.size}{theorem}"
                f"{'' if right else '  <-- not as expected'}",
                flush=True,
            )
    return good
