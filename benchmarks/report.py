"""Reports: size, seconds to write, and milliseconds until a browser can use them, at two sizes.

    python -m benchmarks report [--pivots 5000] [--repeats 5]

A page can be used when the slider answers and all figures in view are drawn, but those in 3-D,
which come last.  Chromium without a window, 3-D drawn by the processor; each time in a new context,
with nothing cached.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

import reluplex_walk as rw
from tests.reports.browser import DESKTOP, PHONE, draw_all, launched, opened


def walks(pivots: int) -> dict[str, rw.Trajectory]:
    """The demo, and a long walk: 1,000 samples, 6 inputs, 210 parameters."""
    data = rw.datasets.load_motorcycle()
    demo = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 6))
    y = np.sin(X[:, 0]) + np.abs(X[:, 1]) + 0.1 * rng.normal(size=1000)
    long = rw.LayerLoss(rw.ReLUNetwork.random([6, 30, 1], seed=0), X, y)
    return {"demo": rw.walk(demo, seed=0), "long": rw.walk(long, max_pivots=pivots)}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks report", description=__doc__)
    parser.add_argument("--pivots", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        for name, traj in walks(options.pivots).items():
            began = time.perf_counter()
            path = rw.report(traj, Path(folder, f"{name}.html"))
            seconds = time.perf_counter() - began
            size = path.stat().st_size / 1e6
            print(f"{name}: {len(traj.losses)} entries, {size:.2f} MB, written in {seconds:.1f} s")
            for window in (DESKTOP, PHONE):
                look(browser, path, window, options.repeats)


def look(browser: object, path: Path, window: dict[str, int], repeats: int) -> None:
    """Print how long the page takes in this window, and what goes wrong on it."""
    times, wrong = [], []
    for _ in range(repeats):
        with opened(browser, path, window) as page:
            times.append(int(page.evaluate("document.documentElement.dataset.ready")))
            wrong += page.wrong
    with opened(browser, path, window) as page:
        draw_all(page)
        wrong += page.wrong
    print(
        f"  {window['width']} x {window['height']}: in use after {statistics.median(times)} ms "
        f"({min(times)} to {max(times)}), errors: {len(wrong)} {wrong[:1] or ''}",
        flush=True,
    )
