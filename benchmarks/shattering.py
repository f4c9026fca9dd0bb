"""Shattered gradients: correlations against the arc-cosine law, their spectra, the index.

    python -m benchmarks shattering [--networks 1000] [--wide 20000] [--only PART]

* law: the mean correlation at cosine 0.5 of `--networks` networks of width 128, within 10 % of the
  law at depths 1 to 4, and within 0.02 of that of residual networks at depths 1 to 32;
* excess: what `--wide` networks of widths 128, 256 and 512 are above the law at depths 8 and 16,
  times width / depth;
* normalised: layernorm and batchnorm, for which no law is known here;
* spectrum: the number of waves along a circle of inputs below which half of the power lies;
* index: gradient, curvature, hidden glass and their index for L = 2, 4, 8, 16.

The exit code is 1 if a figure is not as expected.
"""

import argparse
import sys
import time

import numpy as np

from reluplex_walk.studies.shatteredness import shatteredness
from reluplex_walk.studies.shattering import shattering
from reluplex_walk.studies.shattering_spectrum import shattering_spectrum

PARTS = ("law", "excess", "normalised", "spectrum", "index")


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks shattering", description=__doc__)
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--wide", type=int, default=20_000)
    parser.add_argument("--only", choices=PARTS)
    options = parser.parse_args(argv)
    parts = {
        "law": lambda: show_law(options.networks),
        "excess": lambda: show_excess(options.wide),
        "normalised": lambda: show_normalised(options.networks // 5),
        "spectrum": show_spectrum,
        "index": show_index,
    }
    good = [part() for name, part in parts.items() if options.only in (None, name)]
    sys.exit(0 if all(good) else 1)


def show_law(networks: int) -> bool:
    plain = shattering([1, 2, 4, 8, 16], networks=networks)
    residual = shattering([1, 2, 4, 8, 16, 32], design="residual", networks=networks)
    for run in (plain, residual):
        print(f"{run.design}, width 128, {networks} networks: depth, law, mean +- error, scatter")
        for k, depth in enumerate(run.depths):
            scatter = run.correlations[k].std()
            print(
                f"{depth:>6}{run.law[k]:>9.4f}{run.mean[k]:>9.4f} +- {run.error[k]:.4f}"
                f"{scatter:>8.3f}",
                flush=True,
            )
    near = np.abs(plain.mean / plain.law - 1.0)[:3].max() < 0.1
    return bool(near and np.abs(residual.mean - residual.law).max() < 0.02)


def show_excess(networks: int) -> bool:
    print(f"\nmean above the law, {networks} networks: depths 8 and 16, times width / depth")
    rows = []
    for width in (128, 256, 512):
        run = shattering([8, 16], width, networks=networks)
        excess, scale = run.mean - run.law, width / run.depths
        rows.append((excess * scale, run.error * scale))
        cells = [
            f"{e:>9.4f} +- {s:.4f}{f:>8.3f} +- {t:.3f}"
            for e, s, f, t in zip(excess, run.error, *rows[-1], strict=True)
        ]
        print(f"{width:>6}{''.join(cells)}", flush=True)
    scaled, errors = np.array(rows).transpose(1, 0, 2).reshape(2, -1)
    common = np.average(scaled, weights=errors**-2)
    print(f"{'':6}one factor for all: {common:.3f}")
    near = np.abs(scaled - common) < np.maximum(3.0 * errors, 0.3 * common)
    return bool(near.all() and common > 0.0)


def show_normalised(networks: int) -> bool:
    print(f"\nnormalised, width 128, {networks} networks")
    last = []
    for design in ("layernorm", "batchnorm"):
        run = shattering(design=design, networks=networks)
        cells = [f"{m:.3f} +- {e:.3f}  " for m, e in zip(run.mean, run.error, strict=True)]
        print(f"{design:<12}{''.join(cells)}", flush=True)
        last.append(run.mean[2])
    return last[1] < last[0]


def show_spectrum() -> bool:
    print("\nwaves below which half of the power lies, and those of the law; L = 1, 4, 16, 64")
    whiter = {}
    for design in ("plain", "residual", "layernorm"):
        runs = [shattering_spectrum(depth, design=design, networks=20) for depth in (1, 4, 16, 64)]
        halves = [run.half for run in runs]
        laws = [
            "-" if run.law is None else str(np.searchsorted(np.cumsum(run.law), 0.5))
            for run in runs
        ]
        print(f"{design:<12}{halves}  {laws}", flush=True)
        whiter[design] = halves[-1]
    return whiter["plain"] > 3 * max(1, whiter["residual"])


def show_index() -> bool:
    began = time.perf_counter()
    found = shatteredness()
    print(f"\nmeans of logarithms for L = {found.depths}, {found.networks} networks")
    names = ("gradient", "slopes", "curvature", "hidden", "index")
    for name in names:
        values = getattr(found, f"log_{name}")
        slope = np.polyfit(found.depths, values, 1)[0]
        print(f"{name:<12}{np.round(values, 2)}  {slope:+.3f} per layer")
    growth = float(np.exp(found.log_index[-1] - found.log_index[0]))
    print(f"the index grows {growth:.1f}-fold ({time.perf_counter() - began:.0f} s)")
    return growth > 5.0
