"""Time of a pivot and peak memory against the samples n and against the parameters D.

    OMP_NUM_THREADS=1 python -m benchmarks scaling [--full] [--plot scaling.png]

n from 100 to 10^5 (``--full``: 10^6) for 4-5-1, D = 25; D from 10 to 1,000 (``--full``: 5,000) in
one hidden layer at n = 10^4.  X and y are uniform; walks in adjacent and in long steps from a
random start, each in a process of its own.  Phase 1 (a move) and phase 2 (a pivot) are timed apart,
with all a walk does but exact proofs: refactorisations, checkpoints, the record of its vertices.
Times are processor times of the one thread.  Peak memory is that of the process; beside it what
Python, NumPy and Numba take before the walk.  Exponents are slopes of least-squares lines through
the logarithms: of all points, and of the last three.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

import reluplex_walk as rw

from ._extra import need

SAMPLES = [100, 1_000, 10_000, 100_000, 1_000_000]
WIDTHS = {  # D: inputs, hidden neurons
    10: (4, 2),
    50: (9, 5),
    200: (19, 10),
    500: (24, 20),
    1_000: (39, 25),
    2_000: (49, 40),
    5_000: (99, 50),
}
N_FIXED = 10_000
STEPS = ("adjacent", "long")
SMALL = [4, 5, 1]


def random_loss(widths: list[int], n: int) -> rw.LayerLoss:
    rng = np.random.default_rng(0)
    X, y = rng.uniform(-1, 1, (n, widths[0])), rng.uniform(-1, 1, n)
    return rw.LayerLoss(rw.ReLUNetwork.random(widths, seed=0), X, y)


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(widths: list[int], n: int, step: str, pivots: int) -> dict[str, float]:
    """One walk, of phase 1 and up to `pivots` pivots beyond it, timed in this process."""
    rw.walk(random_loss(SMALL, 500), max_pivots=5, step=step)  # load the kernels
    before = megabytes()
    loss = random_loss(widths, n)
    times = [(0, time.thread_time())]
    traj = rw.walk(
        loss,
        step=step,
        max_pivots=loss.dim + pivots,
        proof_budget=1e-3,
        callback=lambda progress: times.append((progress.n_pivots, time.thread_time())),
    )
    made, seconds = np.array([*times, (traj.n_pivots, time.thread_time())]).T
    phase1 = float(np.interp(traj.phase1, made, seconds))
    return {
        "move": 1e3 * (phase1 - seconds[0]) / traj.phase1,
        "pivot": 1e3 * (seconds[-1] - phase1) / max(1, traj.n_pivots - traj.phase1),
        "before": before,
        "peak": megabytes(),
        "pivots": traj.n_pivots,
    }


def in_own_process(widths: list[int], n: int, step: str, pivots: int) -> dict[str, float]:
    arguments = json.dumps([widths, n, step, pivots])
    command = [sys.executable, "-m", "benchmarks", "scaling", "--point", arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def exponent(x: list[int], y: list[float]) -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def study(name: str, step: str, points: dict[int, tuple[list[int], int]]) -> dict[str, list[float]]:
    """A table row per point {x: (widths, n)}; returns its columns."""
    columns: dict[str, list[float]] = {"x": []}
    print(f"\n{step} steps\n{name:>9}   move ms  pivot ms   peak MB (before)   pivots")
    for x, (widths, n) in points.items():
        least = 1000 if name == "n" and step == "adjacent" else 100
        pivots = int(np.clip(2e9 / (n * widths[0] * widths[1]), least, 2000))
        row = in_own_process(widths, n, step, pivots)
        print(
            f"{x:>9} {row['move']:>9.3g} {row['pivot']:>9.3g} {row['peak']:>9.0f}"
            f" ({row['before']:.0f}) {row['pivots']:>10}",
            flush=True,
        )
        for key, value in {"x": x, **row}.items():
            columns.setdefault(key, []).append(value)
    for key in ("move", "pivot"):
        x, y = columns["x"], columns[key]
        ends = exponent(x[-3:], y[-3:])
        print(f"exponent of a {key}: {exponent(x, y):.2f} (last three: {ends:.2f})")
    return columns


def picture(path: str, studies: dict[str, dict[str, dict[str, list[float]]]]) -> None:
    need("matplotlib")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 6.0), layout="constrained")
    axes = figure.subplots(2, len(studies), sharex="col", sharey="row", squeeze=False)
    for column, (name, by_step) in zip(axes.T, studies.items(), strict=True):
        for step, values in by_step.items():
            column[0].loglog(values["x"], values["pivot"], "o-", label=f"{step} steps, pivot")
            column[0].loglog(values["x"], values["move"], "^:", label=f"{step} steps, phase-1 move")
            column[1].semilogx(values["x"], values["peak"], "o-", label=f"{step} steps")
        column[1].set_xlabel(name)
        for axis in column:
            axis.grid(alpha=0.3)
            axis.legend(fontsize="small")
    axes[0, 0].set_ylabel("milliseconds")
    axes[1, 0].set_ylabel("peak memory of the process, MB")
    figure.savefig(path, dpi=120)
    print(f"\npicture: {path}")


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks scaling", description=__doc__)
    parser.add_argument("--full", action="store_true", help="up to n = 10^6 and D = 5,000")
    parser.add_argument("--only", choices=["n", "D"], help="one of the two studies")
    parser.add_argument("--plot", metavar="PNG", help="draw both studies")
    parser.add_argument("--point", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.point:
        print(json.dumps(measure(*json.loads(options.point))))
        return
    rw.walk(random_loss(SMALL, 500), max_pivots=5)  # compile
    last_n, last_d = (10**6, 5_000) if options.full else (10**5, 1_000)
    points = {
        "n": {n: (SMALL, n) for n in SAMPLES if n <= last_n},
        "D": {d: ([p, h, 1], N_FIXED) for d, (p, h) in WIDTHS.items() if d <= last_d},
    }
    names = {"n": "samples n", "D": "parameters D"}
    chosen = [options.only] if options.only else ["n", "D"]
    studies = {names[k]: {step: study(k, step, points[k]) for step in STEPS} for k in chosen}
    if options.plot:
        picture(options.plot, studies)
