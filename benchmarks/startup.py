"""Start-up: what a newcomer waits for, with an empty and with a full cache of kernels.

    python -m benchmarks startup [--repeats 3] [--plot FILE]

Wall and processor time of whole processes, those that compile beside them included: medians.  With
an empty cache: the walk of the demo, the demo with its picture, `reluplex-walk warmup` and all
Python of the README in one process.  With a full one: a first solve, a first walk of the demo.
"""

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ._extra import need

SOLVE = """
import reluplex_walk as rw
data = rw.datasets.load_motorcycle()
net = rw.ReLUNetwork.random([1, 8, 1], seed=0)
rw.walk(rw.LayerLoss(net, data.X, data.y), max_pivots=50)
"""
COMMAND = "from reluplex_walk.cli.commands import main; main({})"
DEMO = COMMAND.format(["demo", "--no-picture", "--quiet"])
EMPTY = {
    "walk of the demo": DEMO,
    "demo with its picture": COMMAND.format(["demo", "--quiet"]),
    "reluplex-walk warmup": COMMAND.format(["warmup", "--quiet"]),
}
FULL = {
    "first solve, full cache": SOLVE,
    "walk of the demo, full cache": DEMO,
    "import reluplex_walk": "import reluplex_walk",
    "reluplex-walk --help": COMMAND.format(["--help"]),
    "import numba (rival)": "import numba",
}


def readme() -> str:
    """The Python of the README, where there is a checkout."""
    path = Path(__file__).parents[1] / "README.md"
    return "\n".join(re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL))


def seconds(code: str, cache: str) -> tuple[float, float]:
    """Wall and processor time of a process that runs `code` in an empty folder."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env={**os.environ, "NUMBA_CACHE_DIR": cache, "MPLBACKEND": "Agg"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            cwd=folder,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, spent


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks startup", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--plot", metavar="FILE", help="picture of the medians of wall time")
    options = parser.parse_args(argv)
    found = {}
    for name, code in {**EMPTY, "all Python of the README": readme()}.items():
        times = []
        for _ in range(options.repeats):
            with tempfile.TemporaryDirectory() as cache:
                times.append(seconds(code, cache))
        found[f"{name}, empty cache"] = report(f"{name}, empty cache", times)
    with tempfile.TemporaryDirectory() as cache:
        for name, code in FULL.items():
            seconds(code, cache)
            times = [seconds(code, cache) for _ in range(2 * options.repeats + 1)]
            found[name] = report(name, times)
    if options.plot:
        draw(found, options.plot)


def report(name: str, times: list[tuple[float, float]]) -> float:
    """Print a row; returns the median of wall time."""
    wall, spent = (sorted(column) for column in zip(*times, strict=True))
    print(
        f"{name:<38}: {statistics.median(wall):6.2f} s wall ({wall[0]:.2f} to {wall[-1]:.2f}), "
        f"{statistics.median(spent):6.2f} s of processors ({spent[0]:.2f} to {spent[-1]:.2f})",
        flush=True,
    )
    return statistics.median(wall)


def draw(found: dict[str, float], path: str) -> None:
    """Bars of the medians."""
    plt = need("matplotlib.pyplot")
    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    bars = axes.barh(list(found), list(found.values()))
    axes.bar_label(bars, fmt="%.2f s", padding=3)
    axes.set(xscale="log", xlabel="seconds")
    axes.margins(x=0.25)  # for the numbers
    axes.invert_yaxis()
    figure.savefig(path)
