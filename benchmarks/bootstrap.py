"""The bootstrap against refitting each resample with the fastest rival, in one process and in turn.

    OMP_NUM_THREADS=1 python -m benchmarks bootstrap [--n 10000] [--d 10] [--replicates 1000]

Rivals: those of `benchmarks lad`, timed on a resample (pyqreg2 and pinball-qr, the fit alone).
Data as there.  Ours is all of ``fit.bootstrap``, the drawing of resamples too.  Times are those of
the processor, which others on the machine do not lengthen much, the least of the repeats.  The
replicates are checked: the loss of some, against that of our own fit of the same resample, proved.
The exit code is 1 if the ratio is below 20 for one of the kinds of data, or a replicate is no
minimum.
Needs the extra "bench".
"""

import argparse
import sys
import time
import timeit
import warnings
from collections.abc import Callable

import numpy as np

import reluplex_walk as rw

from .lad import KINDS, data, loss, rivals

LEAST = 20.0
CHECKED = 20  # replicates


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks bootstrap", description=__doc__)
    parser.add_argument("--n", type=int, default=10**4)
    parser.add_argument("--d", type=int, default=10)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")  # of rivals
    print(f"n = {options.n}, d = {options.d}: ms for each of {options.replicates} replicates")
    print("data     tau     ours   refitting with      ms   ratio   worst gap")
    met = True
    for kind in KINDS:
        for tau in (0.5, 0.8):
            ours, name, theirs, gap = row(kind, tau, options)
            met = met and theirs >= LEAST * ours and gap <= 1e-9
            print(
                f"{kind:<8} {tau:<5} {ours:>6.3f}   {name:<14} {theirs:>8.2f} {theirs / ours:>7.1f}"
                f"   {gap:>9.0e}",
                flush=True,
            )
    sys.exit(0 if met else 1)


def seconds(work: Callable[[], object]) -> float:
    """Of the processor."""
    return timeit.timeit(work, timer=time.process_time, number=1)


def row(kind: str, tau: float, options: argparse.Namespace) -> tuple[float, str, float, float]:
    """Our ms, the fastest rival and its, and the largest gap of a replicate to its minimum."""
    X, y = data(options.n, options.d, kind)
    fit = rw.quantile(X, y, tau)
    draws = np.random.default_rng(0).integers(0, options.n, (CHECKED, options.n))
    fits = rivals(X[draws[0]], y[draws[0]], tau)
    for refit in fits.values():
        refit()
    found = fit.bootstrap(CHECKED)  # and all is compiled
    ours, theirs = [], []
    for _ in range(options.repeats):  # in turn: what else the machine does falls on both
        ours.append(seconds(lambda: fit.bootstrap(options.replicates)) / options.replicates)
        theirs.append({name: min(seconds(refit) for _ in range(3)) for name, refit in fits.items()})
    least = {name: min(ms[name] for ms in theirs) for name in fits}
    fastest = min(least, key=lambda name: least[name])
    gap = 0.0
    for drawn, coefficients in zip(draws, found.coefficients, strict=True):
        best = rw.quantile(X[drawn], y[drawn], tau).loss
        gap = max(gap, loss(X[drawn], y[drawn], tau, coefficients) / best - 1.0)
    return 1e3 * min(ours), fastest, 1e3 * least[fastest], gap
