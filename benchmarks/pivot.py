"""Time of a pivot against a NumPy forward pass and a torch gradient step on the same problem.

    OMP_NUM_THREADS=1 python -m benchmarks pivot [--n 500] [--repeats 9] [--plot FILE]

4-5-4-2-1, adjacent and long steps; medians of CPU time over repeats (one problem each), all rivals
in turn in one process on one thread.  A pivot's time is that of a walk of up to 2000 adjacent or
200 long steps, with all its overhead (recomputation, log, Python), over its pivots; the walk stops
short of the first degenerate vertex and of its end, so that proofs are not in it.  The gradient
step is forward, backward and update of the trained layer on the full batch, in double precision.

GFLOP/s and GB/s are the least that an adjacent pivot must compute and move (see README.md here)
over its time, with the share of what the machine reaches in the same run on arrays of that size;
only where a pivot looks at all samples.
"""

import argparse
import itertools
import time
from collections.abc import Callable

import numpy as np

import reluplex_walk as rw
from reluplex_walk.native.nearby import bounds_pay

from ._extra import need
from ._peak import gflops, gigabytes
from .instances import instance

WIDTHS = [4, 5, 4, 2, 1]
LONGEST = {"adjacent": 2000, "long": 200}


def forward(network: rw.ReLUNetwork, X: np.ndarray) -> np.ndarray:
    """The forward pass as one would write it in NumPy."""
    for w, b in zip(network.weights[:-1], network.biases[:-1], strict=True):
        X = np.maximum(X @ w.T + b, 0.0)
    return X @ network.weights[-1].T + network.biases[-1]


def gradient_step(loss: rw.LayerLoss) -> Callable[[], None]:
    """One full-batch step of torch on the trained layer."""
    torch = need("torch")
    torch.set_num_threads(1)
    layers = []
    for w, b in zip(loss.network.weights, loss.network.biases, strict=True):
        layer = torch.nn.Linear(w.shape[1], w.shape[0], dtype=torch.float64)
        layer.weight.data, layer.bias.data = torch.tensor(w), torch.tensor(b)
        layers += [layer.requires_grad_(not layers), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    X, y = torch.tensor(loss.X), torch.tensor(loss.y)
    optimizer = torch.optim.SGD(layers[0].parameters(), lr=1e-9)

    def step() -> None:
        optimizer.zero_grad()
        (model(X) - y).abs().sum().backward()
        optimizer.step()

    return step


def smooth_pivots(loss: rw.LayerLoss, start: np.ndarray, step: str) -> int:
    """Pivots that a walk makes before its first degenerate vertex and its end."""
    traj = rw.walk(loss, start, step=step, max_pivots=LONGEST[step], proof_budget=1e-3)
    stop = np.flatnonzero(traj.steps.tied)
    return int(stop[0]) if stop.size else int(0.9 * traj.n_pivots)


def least_work(n: int, widths: list[int]) -> tuple[int, int]:
    """Operations and bytes of an adjacent pivot that looks at all samples."""
    D = widths[1] * (widths[0] + 1)
    W = sum(a * b for a, b in itertools.pairwise(widths[1:]))
    H = sum(widths[1:-1])
    R = H + widths[-1]
    operations = n * (2 * D + 2 * W + 4 * R) + 8 * D**2
    # x; sides twice; derivatives written, then read twice; values read twice, then written
    words = n * (widths[0] + 2 * H + 3 * R + 3 * R) + 4 * D**2
    return operations, 8 * words


def seconds_of(function: Callable[[], object], count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        function()
    return (time.process_time() - began) / count


def measure(n: int, repeats: int) -> dict[str, np.ndarray]:
    """Microseconds (repeats,) of every rival, and breakpoints crossed per long pivot."""
    rows = []
    for repeat in range(repeats):
        loss = instance(WIDTHS, n, repeat)
        start, count = loss.random_start(repeat), max(3, 50_000 // n)
        step = gradient_step(loss)
        step()
        passes = []
        row = {"torch": 1e6 * seconds_of(step, count)}
        for mode in LONGEST:
            pivots = max(1, smooth_pivots(loss, start, mode))
            passes.append(seconds_of(lambda loss=loss: forward(loss.network, loss.X), count))
            began = time.process_time()
            traj = rw.walk(loss, start, step=mode, max_pivots=pivots)
            row[mode] = 1e6 * (time.process_time() - began) / traj.n_pivots
        passes.append(seconds_of(lambda loss=loss: forward(loss.network, loss.X), count))
        row["forward"] = 1e6 * np.median(passes)
        row["crossed"] = traj.steps.crossed.mean()
        rows.append(row)
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def plot(found: dict[int, dict[str, np.ndarray]], path: str) -> None:
    plt = need("matplotlib.pyplot")
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    names = {
        "adjacent": "pivot, adjacent step",
        "long": "pivot, long step",
        "forward": "NumPy forward pass",
        "torch": "torch gradient step",
    }
    for key, name in names.items():
        line = "o-" if key in LONGEST else "s--"
        axes.loglog(list(found), [np.median(row[key]) for row in found.values()], line, label=name)
    axes.set(xlabel="samples", ylabel="microseconds (median)", title="-".join(map(str, WIDTHS)))
    axes.legend()
    figure.savefig(path, dpi=150)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks pivot", description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[50, 500, 5000, 100_000])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--plot", metavar="FILE", help="picture of the medians")
    options = parser.parse_args(argv)
    for mode in LONGEST:
        rw.walk(instance(WIDTHS, 50, 0), step=mode, max_pivots=100)  # compile
    peak = gflops()
    print(f"multiply-adds in registers: {peak:.1f} GFLOP/s")
    print(
        "     n  step      pivot us  forward us  torch us   pivot/forward (min to max)"
        "   pivot/torch  crossed   GFLOP/s         GB/s"
    )
    found = {}
    for n in options.n:
        found[n] = row = measure(n, options.repeats)
        operations, size = least_work(n, WIDTHS)
        stream = gigabytes(size)
        for mode in LONGEST:
            ratios = row[mode] / row["forward"]
            text = (
                f"{n:>6}  {mode:<8} {np.median(row[mode]):>9.1f} {np.median(row['forward']):>11.1f}"
                f" {np.median(row['torch']):>9.1f}   {np.median(ratios):>13.2f}"
                f" ({ratios.min():.2f} to {ratios.max():.2f})"
                f"   {np.median(row[mode] / row['torch']):>11.3f}"
            )
            text += f" {np.median(row['crossed']) if mode == 'long' else 0.0:>8.1f}"
            if mode == "adjacent" and not bounds_pay(n, WIDTHS[1] * (WIDTHS[0] + 1), False):
                rate, speed = (1e-3 * x / np.median(row[mode]) for x in (operations, size))
                text += f"   {rate:.1f} ({rate / peak:.0%})"
                text += f"   {speed:.1f} of {stream:.1f} ({speed / stream:.0%})"
            print(text, flush=True)
    if options.plot:
        plot(found, options.plot)
