"""Start-up: import, first solve in a fresh process with a warm and with a cold kernel cache.

python -m benchmarks startup [--repeats 5]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

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
    repeats = parser.parse_args(argv).repeats
    with tempfile.TemporaryDirectory() as cache:
        print(f"first solve, cold cache (compiles): {seconds(SOLVE, cache):6.2f} s")
        for name, code in (
            ("first solve, warm cache", SOLVE),
            ("import reluplex_walk   ", "import reluplex_walk"),
            ("reluplex-walk --help   ", "from reluplex_walk.cli import main; main(['--help'])"),
            ("import numba (rival)   ", "import numba"),
        ):
            times = [seconds(code, cache) for _ in range(repeats)]
            print(
                f"{name}: {statistics.median(times):6.2f} s ({min(times):.2f} to {max(times):.2f})"
            )
