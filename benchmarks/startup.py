"""Start-up: import, first solve in a fresh process with a warm and with a cold kernel cache.

python -m benchmarks startup [--repeats 5] [--plot FILE]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from ._extra import need

SOLVE = """
import reluplex_walk as rw
data = rw.datasets.load_motorcycle()
net = rw.ReLUNetwork.random([1, 8, 1], seed=0)
rw.walk(rw.LayerLoss(net, data.X, data.y), max_pivots=50)
"""


def seconds(code: str, cache: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NUMBA_CACHE_DIR": cache},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - began


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks startup", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--plot", metavar="FILE", help="picture of the medians")
    options = parser.parse_args(argv)
    found = {}
    with tempfile.TemporaryDirectory() as cache:
        found["first solve, cold cache (compiles)"] = [seconds(SOLVE, cache)]
        for name, code in (
            ("first solve, warm cache", SOLVE),
            ("import reluplex_walk", "import reluplex_walk"),
            (
                "reluplex-walk --help",
                "from reluplex_walk.cli.commands import main; main(['--help'])",
            ),
            ("import numba (rival)", "import numba"),
        ):
            found[name] = [seconds(code, cache) for _ in range(options.repeats)]
    for name, times in found.items():
        median = statistics.median(times)
        print(f"{name:<34}: {median:6.2f} s ({min(times):.2f} to {max(times):.2f})")
    if options.plot:
        draw(found, options.plot)


def draw(found: dict[str, list[float]], path: str) -> None:
    """Bars of the medians."""
    plt = need("matplotlib.pyplot")
    figure, axes = plt.subplots(figsize=(7, 2.5), layout="constrained")
    bars = axes.barh(list(found), [statistics.median(times) for times in found.values()])
    axes.bar_label(bars, fmt="%.2f s", padding=3)
    axes.set(xscale="log", xlabel="seconds")
    axes.invert_yaxis()
    figure.savefig(path)
