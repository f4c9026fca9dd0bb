"""Quantile regression with thousands of dummies, sparse, against HiGHS.

    OMP_NUM_THREADS=1 python -m benchmarks fixed_effects [--repeats 3] [--limit 120] [--small]

Data: 3 normal features, a dummy for each of the groups (two-way: and for each of 100 more, but
one), noise of Student t with 3 degrees of freedom; counts: rounded to halves.  tau 0.5 and 0.8, no
intercept.  HiGHS (scipy.optimize.linprog) solves the primal (residuals split in two) and the dual
(multipliers in boxes), each by simplex and interior point with crossover; the fastest counts.
Every solver runs in a process of its own; times are CPU seconds of the call, which a busy machine
moves little, the least of all repeats; memory is the peak of the process without what it has before
the call.  gap is our loss minus that of HiGHS, relative.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
from scipy import sparse

CASES = {
    "one-way, 500": (10**4, 500, 0, False),
    "counts, 500": (10**4, 500, 0, True),
    "one-way, 5,000": (10**5, 5000, 0, False),
    "counts, 5,000": (10**5, 5000, 0, True),
    "two-way, 5,000 + 100": (10**5, 5000, 100, False),
}
"""n, groups, second groups, counts."""
TAUS = (0.5, 0.8)
RIVALS = [f"{method} {form}" for form in ("dual", "primal") for method in ("highs-ipm", "highs-ds")]


def data(
    n: int, groups: int, second: int = 0, counts: bool = False, seed: int = 0
) -> tuple[sparse.csc_array, np.ndarray]:
    """X (n, 3 + groups [+ second - 1]) and y (n,)."""
    rng = np.random.default_rng(seed)
    first, dense = rng.integers(0, groups, n), rng.normal(size=(n, 3))
    y = dense @ rng.normal(size=3) + rng.normal(size=groups)[first] + rng.standard_t(3, n)
    parts = [sparse.csc_array(dense), dummies(first, groups)]
    if second:
        other = rng.integers(0, second, n)
        y += rng.normal(size=second)[other]
        parts.append(dummies(other, second)[:, 1:])
    return sparse.csc_array(sparse.hstack(parts)), np.round(2.0 * y) / 2.0 if counts else y


def dummies(codes: np.ndarray, k: int) -> sparse.csc_array:
    """(n, k): which of them each sample has."""
    n = len(codes)
    return sparse.csc_array((np.ones(n), (np.arange(n), codes)), shape=(n, k))


def ours(X: sparse.csc_array, y: np.ndarray, tau: float, repeats: int) -> dict:
    import reluplex_walk as rw

    rw.quantile(*data(1000, 50), tau, fit_intercept=False)  # loads the kernels
    times = []
    before = peak()
    for _ in range(repeats):
        began = time.process_time()
        fit = rw.quantile(X, y, tau, fit_intercept=False)
        times.append(time.process_time() - began)
    after = peak()
    fit.verify()
    return {
        "seconds": min(times),
        "loss": fit.loss,
        "memory": after - before,
        "whole": after,
        "proved": fit.status is rw.WalkStatus.GLOBAL_MINIMUM,
    }


def highs(
    X: sparse.csc_array, y: np.ndarray, tau: float, repeats: int, name: str, limit: float
) -> dict:
    from scipy.optimize import linprog

    (n, q), (method, form) = X.shape, name.split()
    options = {"time_limit": limit}
    times, before = [], peak()
    for _ in range(repeats):
        began = time.process_time()
        if form == "dual":
            box, zero = (tau - 1.0, tau), np.zeros(q)
            found = linprog(-y, A_eq=X.T, b_eq=zero, bounds=box, method=method, options=options)
        else:
            A = sparse.hstack([X, sparse.eye_array(n), -sparse.eye_array(n)], format="csc")
            cost = np.concatenate([np.zeros(q), np.full(n, tau), np.full(n, 1.0 - tau)])
            bounds = [(None, None)] * q + [(0.0, None)] * (2 * n)
            found = linprog(cost, A_eq=A, b_eq=y, bounds=bounds, method=method, options=options)
        times.append(time.process_time() - began)
        if times[-1] > 10.0:
            break
    if found.status != 0:
        return {"seconds": float("inf"), "loss": float("nan"), "memory": peak() - before}
    return {"seconds": min(times), "loss": abs(found.fun), "memory": peak() - before}


def peak() -> float:
    """Most megabytes this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def in_a_process(case: str, tau: float, solver: str, repeats: int, limit: float) -> dict:
    arguments = [case, str(tau), solver, str(repeats), str(limit)]
    command = [sys.executable, "-m", "benchmarks", "fixed_effects", "--one", *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=3 * limit + 60
        )
    except subprocess.TimeoutExpired:
        return {"seconds": float("inf"), "loss": float("nan"), "memory": float("nan")}
    return json.loads(done.stdout.splitlines()[-1])


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks fixed_effects", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds of a rival")
    parser.add_argument("--small", action="store_true", help="n = 10,000 alone")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.one:
        case, tau, solver, repeats, limit = options.one
        X, y = data(*CASES[case])
        rest = (X, y, float(tau), int(repeats))
        found = ours(*rest) if solver == "ours" else highs(*rest, solver, float(limit))
        print(json.dumps(found))
        return
    print("case                   tau   ours s  ours MB   HiGHS s        by    MB  ratio      gap")
    for case, shape in CASES.items():
        if options.small and shape[0] > 10**4:
            continue
        for tau in TAUS:
            row(case, tau, options.repeats, options.limit)


def row(case: str, tau: float, repeats: int, limit: float) -> None:
    mine = in_a_process(case, tau, "ours", repeats, limit)
    found = {name: in_a_process(case, tau, name, repeats, limit) for name in RIVALS}
    best = min(found, key=lambda name: found[name]["seconds"])
    theirs = found[best]
    print(
        f"{case:<22}{tau:>4}{mine['seconds']:>9.3f}{mine['memory']:>9.0f}{theirs['seconds']:>10.2f}"
        f"  {best:<17}{theirs['memory']:>4.0f}{theirs['seconds'] / mine['seconds']:>6.1f}x"
        f"{(mine['loss'] - theirs['loss']) / theirs['loss']:>9.0e}"
        f"{'' if mine['proved'] else '  NOT PROVED'}",
        flush=True,
    )
    others = ", ".join(f"{name} {found[name]['seconds']:.2f}" for name in RIVALS)
    print(f"    whole process {mine['whole']:.0f} MB; seconds of HiGHS: {others}", flush=True)
